package form

import (
	"slices"
	"strings"

	"github.com/leadmesh/leadmesh/core/tree"
)

// leadgenField is the field of a change that tells of a lead.
const leadgenField = "leadgen"

// Notice is Meta's word that there is a lead: its ids, no answer of a person.
type Notice struct {
	LeadID, PageID, FormID, AdID, AdGroupID string
	CreatedTime                             string   // as sent
	Unknown                                 []string // names of members that no notice has
	Raw                                     []byte   // its own part of the document
}

// ReadNotices finds the leads that a webhook call of Meta tells of. Changes of other fields are
// counted as ignored. A change without a lead's id comes as a notice without one, so that whoever
// keeps it can say so.
func ReadNotices(body []byte) (notices []Notice, ignored int, err error) {
	root, err := tree.Parse(body)
	if err != nil {
		return nil, 0, err
	}
	if root.Kind != tree.Object || root.Get("entry").Kind != tree.Array {
		return nil, 0, ErrEmpty
	}
	for _, c := range changes(&root) {
		if c.field != leadgenField || c.value.Kind != tree.Object {
			ignored++
			continue
		}
		n := Notice{PageID: c.page, Raw: body[c.start:c.end]}
		for i := range c.value.Members {
			m := &c.value.Members[i]
			into := n.field(m.Name)
			if into == nil {
				n.Unknown = append(n.Unknown, m.Name)
			} else if m.Value.Scalar() {
				*into = strings.TrimSpace(m.Value.Text)
			}
		}
		notices = append(notices, n)
	}
	return notices, ignored, nil
}

func (n *Notice) field(name string) *string {
	switch name {
	case "leadgen_id":
		return &n.LeadID
	case "page_id":
		return &n.PageID
	case "form_id":
		return &n.FormID
	case "ad_id":
		return &n.AdID
	case "adgroup_id":
		return &n.AdGroupID
	case "created_time":
		return &n.CreatedTime
	}
	return nil
}

// ReadNotice reads one notice again from its own part of a document.
func ReadNotice(raw []byte) (Notice, error) {
	document := slices.Concat([]byte(`{"entry":[{"changes":[`), raw, []byte(`]}]}`))
	notices, _, err := ReadNotices(document)
	if err != nil || len(notices) != 1 {
		return Notice{}, ErrEmpty
	}
	return notices[0], nil
}

// Bare is what is known of a lead from its notice alone.
func (n *Notice) Bare() Submission {
	w := &walk{s: Submission{Kind: Meta, Raw: n.Raw}}
	for _, a := range []struct{ name, value string }{
		{"leadgen_id", n.LeadID}, {"form_id", n.FormID}, {"ad_id", n.AdID}, {"adgroup_id", n.AdGroupID}, {"page_id", n.PageID}, {"created_time", n.CreatedTime},
	} {
		w.answer(a.name, []string{a.name}, []string{a.value})
	}
	return w.s
}

// Merge adds what a notice knows to the form that was fetched for it.
func (n *Notice) Merge(s *Submission) {
	for _, a := range n.Bare().Answers {
		if !slices.ContainsFunc(s.Answers, func(have Answer) bool { return slices.Contains(have.Names, a.Path) }) {
			s.Answers = append(s.Answers, a)
		}
	}
}

// change is one change of a webhook call.
type change struct {
	page, field string
	value       *tree.Node
	start, end  int
}

func changes(root *tree.Node) []change {
	var out []change
	entries := root.Get("entry")
	for i := range entries.Items {
		list := entries.Items[i].Get("changes")
		for k := range list.Items {
			n := &list.Items[k]
			out = append(out, change{
				page: entries.Items[i].Get("id").Text, field: n.Get("field").Text, value: n.Get("value"), start: n.Start, end: n.End,
			})
		}
	}
	return out
}
