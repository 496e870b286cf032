package star

import (
	"regexp"
	"strings"

	"github.com/leadmesh/leadmesh/core/lead"
)

// comments reads the customer's words. Feeds pack more than those into them: a plain-text tail with
// labelled lines, a heading before the words proper, and bracketed notes of their system. Those are
// read, and the text as it came stays in Extra.
func (r *reader) comments() {
	text, own := r.n.text("CustomerComments"), r.n.text("LeadComments")
	words, notes := split(text)
	for _, line := range notes.labelled {
		r.labelled(line)
	}
	for _, n := range notes.system {
		r.extra("SalesLead/CustomerComments#note", n)
	}
	if words != text {
		r.extra("SalesLead/CustomerComments", text)
	}
	if words == "" {
		words, own = own, ""
	}
	r.extra("SalesLead/LeadComments", own)
	if runes := []rune(words); len(runes) > maxText {
		words = string(runes[:maxText])
		r.l.AddFlag(lead.FlagValueTruncated, "comments", "")
	}
	r.l.Comments = words
}

// tail is what is packed into comments beside the customer's words.
type tail struct {
	labelled [][2]string // label and value
	system   []string    // bracketed notes
}

const customerHeading = "CUSTOMER COMMENT INFORMATION"

// split parts the customer's words from the rest. Text without the marks of a packed one stays as
// it is.
func split(text string) (words string, t tail) {
	upper := strings.ToUpper(text)
	packed := strings.Contains(upper, customerHeading) || strings.Contains(upper, "PREFERRED CONTACT:")
	brackets := regexp.MustCompile(`\[[^\[\]\n]{3,300}\]`)
	systemic := regexp.MustCompile(`(?i)previous|submitted|number of leads|duplicate|system|lead id`)
	text = brackets.ReplaceAllStringFunc(text, func(note string) string {
		if !systemic.MatchString(note) {
			return note
		}
		t.system = append(t.system, strings.Trim(note, "[]"))
		return ""
	})
	if !packed {
		return strings.TrimSpace(text), t
	}
	var own []string
	inOwn := !strings.Contains(upper, customerHeading)
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if i := strings.Index(strings.ToUpper(line), customerHeading); i >= 0 && i+len(customerHeading) <= len(line) {
			inOwn = true
			line = strings.TrimLeft(line[i+len(customerHeading):], " :-=")
		} else if heading(line) {
			inOwn = false
		}
		label, value, found := strings.Cut(line, ":")
		switch {
		case line == "" || strings.Trim(line, "-=_* ") == "":
		case found && known(label) && strings.TrimSpace(value) != "":
			t.labelled = append(t.labelled, [2]string{lead.Fold(label), strings.TrimSpace(value)})
		case inOwn && !heading(line):
			own = append(own, line)
		}
	}
	return strings.Join(own, "\n"), t
}

// heading reports whether a line is the title of a section: capitals and the word INFORMATION.
func heading(line string) bool {
	return len(line) < 80 && strings.Contains(line, "INFORMATION") && line == strings.ToUpper(line)
}

// known reports whether a label names a fact that a tail repeats.
func known(label string) bool {
	switch lead.Fold(label) {
	case "preferredcontact", "preferredcontactmethod", "email", "emailaddress", "phone", "telephone", "dayphone", "homephone", "mobile", "cellphone", "mobilephone",
		"besttimetocontact", "timeframe", "purchasetimeframe", "name", "vin", "zip", "zipcode", "postalcode":
		return true
	}
	return false
}

// labelled takes a labelled line where the document proper is silent.
func (r *reader) labelled(line [2]string) {
	label, value := line[0], line[1]
	if lead.Placeholder(value) {
		return
	}
	if len(r.l.Parties) == 0 {
		r.l.Parties = append(r.l.Parties, lead.Party{Role: lead.PartyRolePrimary})
	}
	p := &r.l.Parties[0]
	fill := func(to *string) {
		if *to == "" {
			*to = value
		}
	}
	switch label {
	case "preferredcontact", "preferredcontactmethod":
		if p.Preferred == lead.ChannelUnspecified {
			p.Preferred = channel(value)
		}
	case "email", "emailaddress":
		if len(p.Emails) == 0 {
			p.Emails = append(p.Emails, lead.Email{Raw: value, Address: value})
		}
	case "phone", "telephone", "dayphone", "homephone", "mobile", "cellphone", "mobilephone":
		if len(p.Phones) == 0 {
			p.Phones = append(p.Phones, lead.Phone{Raw: value, Type: phoneType(label)})
		}
	case "besttimetocontact":
		fill(&p.BestTime)
	case "timeframe", "purchasetimeframe":
		fill(&r.l.TimeFrame.Text)
	case "name":
		if p.Name == (lead.Name{}) {
			p.Name.Full = value
		}
	case "vin":
		if len(r.l.Vehicles) > 0 {
			fill(&r.l.Vehicles[0].VIN)
		}
	default:
		fill(&p.Address.Postal)
	}
}
