package capture

import (
	"cmp"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/leadmesh/leadmesh/core/adf"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	"github.com/leadmesh/leadmesh/services/capture/internal/mail"
)

// Content types of the raw forms that a mail leaves.
const (
	mailType = "message/rfc822"
	adfType  = "application/x-adf+xml"
)

// Rules by which a mail is no lead for anybody, in the detail of its rejection: mail.bounce,
// mail.auto_reply, mail.bulk.
const mailRule = "mail."

// mailed is what a lead keeps of the mail it came in.
type mailed struct {
	key  string // derived from its Message-ID; "" if it has none
	part string // where its document stands, as in IMAP
}

// readMail finds the leads of a mail. One without a lead is kept too: automatic mail as a rejected
// lead that nobody must work, any other as a parked one. So is one of whose documents one could not
// be read, beside the leads of the others.
func readMail(body []byte) []*intake {
	m := mail.Read(body)
	whole := &intake{raw: body, contentType: mailType, mail: &mailed{}}
	if m.ID != "" { // what cannot be read is told apart by what it holds
		whole.mail.key = m.ID + "|" + hex.EncodeToString(m.Digest[:])
	}
	switch {
	case m.Automatic != mail.None:
		whole.junk = mailRule + m.Automatic.Rule
		return []*intake{whole}
	case m.Trouble != "":
		whole.unreadable = "the mail could not be read: " + m.Trouble
	case len(m.Documents) == 0:
		whole.unreadable = "no ADF document was found in the mail"
	}
	found := leadsOf(m.Documents)
	items := make([]*intake, len(found), len(found)+1)
	for i, f := range found {
		items[i] = f.intake
		f.mail.key = m.ID
		if f.unreadable != "" {
			f.mail.key = whole.mail.key
		}
		if len(found)*len(body) <= maxBody { // else each keeps its own part
			f.raw, f.contentType = body, mailType
		}
	}
	if whole.unreadable != "" {
		items = append(items, whole)
	}
	return items
}

// foundLead is a lead as a document of a mail has it.
type foundLead struct {
	*intake
	prospect *adf.Prospect
	doc      int // which of the documents
}

// leadsOf gives the leads of a mail's documents in their order. A lead that stands in several
// documents is taken once, from the most faithful; equal leads of one document are left to their
// identifiers.
func leadsOf(docs []mail.Document) []foundLead {
	var all []foundLead
	for d := range docs {
		parts := prospectParts(docs[d].Text, len(docs[d].ADF.Prospects))
		for i := range docs[d].ADF.Prospects {
			p := &docs[d].ADF.Prospects[i]
			in := &intake{lead: p.Lead(nil), raw: parts[i], contentType: adfType, mail: &mailed{part: docs[d].Part}}
			in.limit("the mail")
			all = append(all, foundLead{intake: in, prospect: p, doc: d})
		}
	}
	if len(docs) < 2 {
		return all
	}
	faithful := make([]int, len(all)) // their order by form
	for i := range faithful {
		faithful[i] = i
	}
	slices.SortStableFunc(faithful, func(i, k int) int { return cmp.Compare(docs[all[i].doc].Form, docs[all[k].doc].Form) })
	seen := seenLeads{byID: map[string]foundLead{}, byGist: map[string]foundLead{}}
	again := make([]bool, len(all))
	for _, i := range faithful {
		again[i] = seen.before(all[i])
	}
	kept := all[:0]
	for i, f := range all {
		if !again[i] {
			kept = append(kept, f)
		}
	}
	return kept
}

// seenLeads are the leads of a mail that were met, by the id of their source and by what they say.
type seenLeads struct{ byID, byGist map[string]foundLead }

// before reports whether the lead was met in another document, and remembers it if not: with the
// same id of its source and no contact that tells the two apart, or, unless both have an id, saying
// the same in all that counts.
func (s seenLeads) before(f foundLead) bool {
	source, id := sourceID(&f.lead)
	if id != "" {
		key := source + "|" + id
		other, met := s.byID[key]
		if met && other.doc != f.doc && !contradicts(&other.lead, &f.lead) {
			return true
		}
		if !met {
			s.byID[key] = f
		}
	}
	key := gist(f.prospect)
	other, met := s.byGist[key]
	if !met {
		s.byGist[key] = f
		return false
	}
	_, otherID := sourceID(&other.lead)
	return other.doc != f.doc && (id == "" || otherID == "")
}

// gist is what a prospect says in all that counts, without white space, which the ways of a mail
// change, and the case of letters.
func gist(p *adf.Prospect) string {
	var g strings.Builder
	add := func(values ...string) {
		for _, v := range values {
			for _, word := range strings.Fields(strings.ToLower(v)) {
				g.WriteString(word)
			}
			g.WriteByte('|')
		}
	}
	add(p.RequestDate, p.Vendor.DisplayName(), p.Provider.DisplayName(), p.Customer.Comments)
	for i := range p.Customer.Contacts {
		c := &p.Customer.Contacts[i]
		add(c.Name().Full, c.PreferredEmail(), c.PreferredPhone().Value)
	}
	for i := range p.Vehicles {
		v := &p.Vehicles[i]
		add(v.Interest, v.Status, v.Year, v.Make, v.Model, v.Trim, v.VIN, v.Stock, v.Comments)
	}
	return g.String()
}

// labelMail notes on a lead of a mail what its mailbox stands for.
func labelMail(in *intake, req *capturev1.IngestRequest) {
	s := &in.lead.Source
	if s.Source == "" {
		s.Source = printable(req.GetSource())
	}
	if s.Provider == "" {
		s.Provider = printable(req.GetProvider())
	}
}
