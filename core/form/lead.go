package form

import (
	"slices"
	"strings"

	"github.com/leadmesh/leadmesh/core/lead"
)

// Flags of forms, beside those of package lead.
const (
	// FlagContactFromText: the only address or number was found inside free text.
	FlagContactFromText = "contact_from_text"
)

// Lead gives a form as a lead, its values as sent: nothing is normalised or judged. Answers that no
// field takes stand in Extra under "form." and their question, flagged unknown_field unless they
// are known to be of no use. A spec of nil declares nothing.
func (r *Reader) Lead(s *Submission, spec *Spec) lead.Lead {
	if spec == nil {
		spec = &Spec{}
	}
	b := &builder{r: r, s: s, spec: spec}
	b.l.Test = spec.Test
	for i := range s.Answers {
		b.answer(&s.Answers[i])
	}
	b.finish()
	return b.l
}

// builder is one form on its way to a lead.
type builder struct {
	r    *Reader
	s    *Submission
	spec *Spec
	l    lead.Lead

	party    lead.Party
	cars     [3]lead.Vehicle // sought, owned, traded
	given    [3]bool
	platform string
	organic  tick
	formID   string
	consents []declared
	text     string // version of the text that was agreed to
	place    string
	evidence []string
	dealer   bool // the form names one
	loose    []string
}

// answer puts one answer where it belongs.
func (b *builder) answer(a *Answer) {
	if b.declares(a) {
		return
	}
	rule, mapped := b.rule(a.Names)
	f, sure := rule.Field, true
	if !mapped {
		f, sure = b.r.find(a.Names)
	}
	switch {
	case b.s.Kind == Google && f == SourceName:
		f = Known // lead_source says which kind of form it was
	case a.Shared && (f == SourceLeadID || ofPerson(f)):
		f = Known
	}
	for _, v := range a.Values {
		if to, ok := rule.Values[lead.Fold(v)]; ok {
			v = to
		}
		switch {
		case f == Ignored:
		case b.dummy(v):
			b.extra(a, v)
		case f == Known, v == "0" && (f == AdID || f == AdGroup || f == CampaignID): // what Google sends for none
			b.extra(a, v)
		case f == Unknown, !sure && !fits(f, v):
			b.unknown(a, v)
		case lead.Placeholder(v):
			b.extra(a, v)
			b.flag(lead.FlagPlaceholderValue, a)
		case !b.set(f, v, a):
			b.extra(a, v)
		}
	}
}

func (b *builder) rule(names []string) (Rule, bool) {
	for _, name := range names {
		if rule, ok := b.spec.Fields[lead.Fold(name)]; ok {
			return rule, true
		}
	}
	return Rule{}, false
}

// dummy reports whether a value is what Meta's testing tool fills in, which makes a test lead.
func (b *builder) dummy(v string) bool {
	if b.s.Kind == Meta && strings.HasPrefix(v, "<test lead:") {
		b.l.Test = true
		return true
	}
	return false
}

// unknown keeps an answer to a question that nothing is known of. An address or number is taken for
// what it is.
func (b *builder) unknown(a *Answer, v string) {
	if lead.ParseEmail(v).Valid && len(b.party.Emails) == 0 {
		b.set(Email, v, a)
	} else {
		b.loose = append(b.loose, v)
		b.extra(a, v)
	}
	b.flag(lead.FlagUnknownField, a)
}

func (b *builder) extra(a *Answer, v string) {
	if len(b.l.Extra) == maxExtra {
		b.l.AddFlag(lead.FlagValueTruncated, "extra", "")
		return
	}
	if len(v) > maxExtraText {
		v = strings.ToValidUTF8(v[:maxExtraText], "")
		b.l.AddFlag(lead.FlagValueTruncated, "extra", "")
	}
	b.l.Extra = append(b.l.Extra, lead.Field{Path: "form." + label(a), Value: v})
}

// flag notes a doubt by the question's place, which holds no answer.
func (b *builder) flag(code string, a *Answer) {
	if len(b.l.Flags) < maxFlags {
		b.l.AddFlag(code, "form."+label(a), "")
	}
}

// label is what to call a question: its first name.
func label(a *Answer) string {
	const longest = 120
	name := a.Path
	if len(a.Names) > 0 && strings.ContainsRune(a.Path, '[') {
		name = a.Names[0]
	}
	if len(name) > longest {
		name = strings.ToValidUTF8(name[:longest], "")
	}
	return name
}

// finish puts the parts together and fills what the form leaves open.
func (b *builder) finish() {
	b.name()
	b.contacts()
	if !isEmpty(&b.party) {
		b.party.Role = lead.PartyRolePrimary
		b.party.Language = b.l.Language
		b.l.Parties = append(b.l.Parties, b.party)
	}
	for i, role := range [3]lead.VehicleRole{lead.VehicleRoleSought, lead.VehicleRoleOwned, lead.VehicleRoleTraded} {
		if b.given[i] {
			b.cars[i].Role = role
			if b.cars[i].OdometerUnit == lead.OdometerUnitUnspecified && b.cars[i].Odometer == 0 {
				b.cars[i].Odometer = -1
			}
			b.l.Vehicles = append(b.l.Vehicles, b.cars[i])
		}
	}
	b.source()
	b.defaults()
	b.declare()
}

// name tells a given name from a whole one: many languages use one word for both.
func (b *builder) name() {
	n := &b.party.Name
	if n.Full != "" && n.Family != "" && n.Given == "" && !strings.Contains(strings.ToLower(n.Full), strings.ToLower(n.Family)) {
		n.Given, n.Full = n.Full, ""
	}
	if n.Full == "" && n.Given == "" && n.Family != "" && strings.Contains(n.Family, " ") {
		n.Full, n.Family = n.Family, ""
	}
}

// contacts looks into free text where no question was answered with an address or number.
func (b *builder) contacts() {
	if len(b.party.Emails)+len(b.party.Phones) > 0 {
		return
	}
	for _, text := range append([]string{b.l.Comments}, b.loose...) {
		mails, phones := contactsIn(text)
		for _, m := range mails {
			b.party.Emails = append(b.party.Emails, lead.Email{Raw: m, Address: m})
		}
		for _, p := range phones {
			b.party.Phones = append(b.party.Phones, lead.Phone{Raw: p})
		}
	}
	if len(b.party.Emails)+len(b.party.Phones) > 0 {
		b.l.AddFlag(FlagContactFromText, "parties[0]", "")
	}
}

func isEmpty(p *lead.Party) bool {
	return p.Name == (lead.Name{}) && len(p.Emails)+len(p.Phones) == 0 && p.Born == "" && p.BestTime == "" &&
		p.Address.City+p.Address.Postal+p.Address.Region+p.Address.Country+p.Address.Unit == "" && len(p.Address.Streets) == 0
}

func (b *builder) source() {
	s := &b.l.Source
	fill(&s.Form, b.formID)
	d := b.spec.Set.Source
	fill(&s.Source, d.Source)
	switch b.s.Kind {
	case Meta:
		fill(&s.Source, "meta")
		fill(&s.Provider, "Meta Lead Ads")
		if fill(&s.Medium, d.Medium); b.organic == yes {
			s.Medium = "organic"
		}
		fill(&s.Medium, "paid_social")
	case Google:
		fill(&s.Source, "google")
		fill(&s.Provider, "Google Ads")
		fill(&s.Medium, d.Medium)
		fill(&s.Medium, "cpc")
	case LinkedIn:
		fill(&s.Source, "linkedin")
		fill(&s.Provider, "LinkedIn Lead Gen Forms")
	}
	if s.Source == "" {
		s.Source, b.platform = b.platform, ""
	}
	fill(&s.Source, b.spec.Name)
	fill(&s.SubSource, b.platform)
	fill(&s.SubSource, d.SubSource)
	fill(&s.Provider, d.Provider)
	fill(&s.Medium, d.Medium)
	fill(&s.Channel, d.Channel)
	fill(&s.Channel, "web")
	fill(&s.Form, d.Form)
}

func (b *builder) defaults() {
	l, d := &b.l, &b.spec.Set
	c := &l.Campaign
	fill(&c.ID, d.Campaign.ID)
	fill(&c.Name, d.Campaign.Name)
	fill(&c.Medium, d.Campaign.Medium)
	fill(&c.Offer, d.Campaign.Offer)
	fill(&l.Brand, d.Brand)
	fill(&l.Market, d.Market)
	fill(&l.Language, d.Language)
	if l.Origin == lead.OriginUnspecified {
		l.Origin = d.Origin
	}
	if l.Line == lead.LineUnspecified {
		l.Line = d.Line
	}
	if l.RequestType == lead.RequestTypeUnspecified && l.RawRequest == "" {
		l.RequestType = d.RequestType
	}
	switch {
	case b.dealer:
		if l.Dealer.Code != "" {
			fill(&l.Dealer.Scheme, d.Dealer.Scheme)
		}
		l.Choice = lead.DealerChoiceCustomerChose
		if d.Choice != lead.DealerChoiceUnspecified {
			l.Choice = d.Choice
		}
	case d.Dealer.ID+d.Dealer.Code+d.Dealer.Name != "":
		l.Dealer, l.Choice = d.Dealer, d.Choice
	}
}

func fill(p *string, byDefault string) {
	if *p == "" {
		*p = byDefault
	}
}

// identifier adds an id once.
func (b *builder) identifier(kind lead.IDKind, source, value string) bool {
	id := lead.Identifier{Kind: kind, Source: source, Value: value}
	if len(value) > 200 || slices.Contains(b.l.Identifiers, id) || len(b.l.Identifiers) >= 50 {
		return false
	}
	b.l.Identifiers = append(b.l.Identifiers, id)
	return true
}
