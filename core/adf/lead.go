package adf

import (
	"strings"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
)

// Limits of what a lead takes over from a document; its raw form keeps everything.
const (
	maxLeadExtra  = 200
	maxLeadFlags  = 50
	maxExtraText  = 4 << 10
	maxLeadWords  = 20_000 // characters of comments
	maxLeadParts  = 20     // parties
	maxLeadCars   = 50
	maxLeadIDs    = 100
	vendorScheme  = "adf" // of a vendor's code whose issuer the sender does not name
	commentsField = "comments"
)

// Lead gives the prospect as a lead, its values as sent: nothing is normalised or judged. Zone is
// that of dates without one, UTC if nil. What no field of a lead holds stands in its Extra, oddities
// of the document in its Flags. A consent statement that says no denies marketing; one that says
// yes grants no more than an answer to the inquiry, since only the sender knows what was asked.
func (p Prospect) Lead(zone *time.Location) lead.Lead {
	m := mapping{p: &p, zone: zone}
	l := &m.l
	l.Resend = p.Status == "resend"
	for _, id := range p.IDs {
		m.identifier(lead.IDKindSourceLead, "prospect/id", id)
	}
	for _, id := range p.Customer.IDs {
		m.identifier(lead.IDKindOther, "prospect/customer/id", id)
	}
	if t, assumed, _, ok := ParseDate(p.RequestDate, zone); ok {
		l.RequestedAt = t
		if assumed {
			l.AddFlag(lead.FlagZoneAssumed, "requested_at", "")
		}
	} else if p.RequestDate != "" {
		l.AddFlag(lead.FlagTimeUnreadable, "requested_at", "")
		m.extra("prospect/requestdate", p.RequestDate)
	}
	m.source()
	m.dealer()
	m.parties()
	m.vehicles()
	m.timeFrame()
	m.comments()
	m.rest()
	return m.l
}

// mapping is one prospect on its way to a lead.
type mapping struct {
	p    *Prospect
	zone *time.Location
	l    lead.Lead
}

// identifier takes over an id. The mark of a template that nobody filled is the same on every lead
// and identifies none.
func (m *mapping) identifier(kind lead.IDKind, path string, id ID) {
	switch {
	case id.Value == "":
	case hasPlaceholder(id.Value) || len(m.l.Identifiers) == maxLeadIDs:
		m.extra(path, id.Value)
	default:
		m.l.Identifiers = append(m.l.Identifiers, lead.Identifier{Kind: kind, Source: id.Source, Value: id.Value})
	}
}

func (m *mapping) extra(path, value string) {
	if value == "" {
		return
	}
	if len(m.l.Extra) == maxLeadExtra {
		m.l.AddFlag(lead.FlagValueTruncated, "extra", "")
		return
	}
	if len(value) > maxExtraText {
		value = strings.ToValidUTF8(value[:maxExtraText], "")
	}
	m.l.Extra = append(m.l.Extra, lead.Field{Path: path, Value: value})
}

func (m *mapping) source() {
	from := &m.p.Provider
	m.l.Source = lead.Source{Provider: from.DisplayName(), SubSource: from.Service, Form: from.Form}
	m.l.Campaign = lead.Campaign{Name: from.Campaign, Term: from.SearchTerm}
	if m.l.Campaign.Term == "" {
		m.l.Campaign.Term = from.Keyword
	}
	for _, id := range from.IDs {
		m.extra("prospect/provider/id", id.Value)
	}
	m.extra("prospect/provider/referrer", from.Referrer)
	m.extra("prospect/provider/navigationhistory", from.NavigationHistory)
}

func (m *mapping) dealer() {
	v := &m.p.Vendor
	m.l.Dealer.Name = v.DisplayName()
	for _, id := range v.IDs {
		switch {
		case id.Value == "":
		case m.l.Dealer.Code == "" && !hasPlaceholder(id.Value):
			m.l.Dealer.Code, m.l.Dealer.Scheme = id.Value, id.Source
			if id.Source == "" {
				m.l.Dealer.Scheme = vendorScheme
			}
		default:
			m.extra("prospect/vendor/id", id.Value)
		}
	}
	m.extra("prospect/vendor/service", v.Service)
}

func (m *mapping) parties() {
	first, ok := m.p.Primary()
	if !ok {
		return
	}
	m.party(first, lead.PartyRolePrimary)
	for _, c := range m.p.CoBuyers() {
		m.party(c, lead.PartyRoleCoBuyer)
	}
	m.l.Language = m.l.Parties[0].Language
	switch m.p.PreferredContact {
	case "email":
		m.l.Parties[0].Preferred = lead.ChannelEmail
	case "phone":
		m.l.Parties[0].Preferred = lead.ChannelCall
	case "text":
		m.l.Parties[0].Preferred = lead.ChannelSMS
	}
}

func (m *mapping) party(c Contact, role lead.PartyRole) {
	if len(m.l.Parties) == maxLeadParts {
		m.l.AddFlag(lead.FlagValueTruncated, "parties", "")
		return
	}
	n := c.Name()
	v := lead.Party{Role: role, Language: c.Locale}
	if n.Business {
		v.Name.Company = n.Full
	} else {
		v.Name = lead.Name{Full: n.Full, Given: n.First, Middle: n.Middle, Family: n.Last, Suffix: n.Suffix}
	}
	if t, _, _, ok := ParseDate(c.Birthday, m.zone); ok {
		v.Born = t.Format(time.DateOnly)
	} else {
		m.extra("prospect/customer/contact/birthday", c.Birthday)
	}
	best := c.PreferredEmail()
	if best != "" {
		v.Emails = append(v.Emails, lead.Email{Raw: best, Address: best})
	}
	for _, e := range c.Emails {
		if a := bareAddress(e.Value); a != "" && a != best && !hasPlaceholder(e.Value) {
			v.Emails = append(v.Emails, lead.Email{Raw: e.Value, Address: a})
		}
	}
	preferred := c.PreferredPhone()
	for _, f := range c.Phones {
		if f.Value == "" || hasPlaceholder(f.Value) {
			continue
		}
		q := lead.Phone{Raw: f.Value, Type: phoneType(f.Type), Preferred: f.Preferred}
		if f == preferred {
			v.Phones = append([]lead.Phone{q}, v.Phones...)
		} else {
			v.Phones = append(v.Phones, q)
		}
		if v.BestTime == "" && f.Time != "nopreference" {
			v.BestTime = f.Time
		}
	}
	if len(c.Addresses) > 0 {
		v.Address = address(c.Addresses[0])
		for _, a := range c.Addresses[1:] {
			m.extra("prospect/customer/contact/address", strings.Join(append(address(a).Streets, a.City, a.RegionCode, a.PostalCode, a.Country), ", "))
		}
	}
	m.extra("prospect/customer/contact/gender", c.Gender)
	m.l.Parties = append(m.l.Parties, v)
}

func phoneType(t string) lead.PhoneType {
	switch t {
	case "cellphone":
		return lead.PhoneTypeMobile
	case "fax":
		return lead.PhoneTypeFax
	case "pager":
		return lead.PhoneTypeOther
	}
	return lead.PhoneTypeUnspecified
}

func address(a Address) lead.Address {
	v := lead.Address{Unit: a.Apartment, City: a.City, Region: a.RegionCode, Postal: a.PostalCode, Country: a.Country}
	for _, s := range a.Streets {
		if s.Value != "" {
			v.Streets = append(v.Streets, s.Value)
		}
	}
	return v
}

func (m *mapping) timeFrame() {
	t := &m.p.Customer.Timeframe
	m.l.TimeFrame.Text = t.Description
	m.l.TimeFrame.Earliest = m.day("prospect/customer/timeframe/earliestdate", t.Earliest)
	m.l.TimeFrame.Latest = m.day("prospect/customer/timeframe/latestdate", t.Latest)
}

// day reads a date as midnight UTC; the zero time, and the text in Extra, if it is none.
func (m *mapping) day(path, raw string) time.Time {
	t, _, _, ok := ParseDate(raw, m.zone)
	if !ok {
		m.extra(path, raw)
		return time.Time{}
	}
	year, month, day := t.Date()
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

func (m *mapping) comments() {
	text := m.p.Customer.Comments
	if len(text) > maxLeadWords {
		if runes := []rune(text); len(runes) > maxLeadWords {
			text = string(runes[:maxLeadWords])
			m.l.AddFlag(lead.FlagValueTruncated, commentsField, "")
		}
	}
	m.l.Comments = text
	for _, f := range m.p.CommentFields {
		m.extra(f.Path+"#"+f.Key, f.Value)
	}
	for _, c := range m.p.Consents {
		fact := lead.Consent{Controller: lead.ControllerOEM, Place: c.Path, Evidence: c.Text}
		switch c.Answer {
		case AnswerNo:
			fact.Purpose, fact.State = lead.PurposeMarketing, lead.ConsentStateDenied
		case AnswerYes:
			fact.Purpose, fact.State = lead.PurposeAnswerInquiry, lead.ConsentStateGranted
		default:
			m.extra(c.Path, c.Text)
			continue
		}
		m.l.Consents = append(m.l.Consents, fact)
	}
}

// rest takes over what the format has no place for, and the oddities.
func (m *mapping) rest() {
	for _, e := range m.p.Unknown {
		m.extra(e.Path, e.Text)
		for _, a := range e.Attrs {
			m.extra(e.Path+"/@"+a.Name, a.Value)
		}
	}
	for _, f := range m.p.Flags {
		if len(m.l.Flags) == maxLeadFlags {
			break
		}
		m.l.AddFlag(string(f.Code), f.Path, f.Detail)
	}
}
