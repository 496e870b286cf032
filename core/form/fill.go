package form

import "github.com/leadmesh/leadmesh/core/lead"

// Fill puts what a source declares into what a lead of another format leaves open.
func (s *Spec) Fill(l *lead.Lead) {
	d := &s.Set
	l.Test = l.Test || s.Test
	for _, f := range []struct {
		p         *string
		byDefault string
	}{
		{&l.Source.Channel, d.Source.Channel}, {&l.Source.Source, d.Source.Source}, {&l.Source.SubSource, d.Source.SubSource},
		{&l.Source.Provider, d.Source.Provider}, {&l.Source.Medium, d.Source.Medium}, {&l.Source.Form, d.Source.Form},
		{&l.Source.Source, s.Name}, {&l.Campaign.ID, d.Campaign.ID}, {&l.Campaign.Name, d.Campaign.Name},
		{&l.Campaign.Medium, d.Campaign.Medium}, {&l.Campaign.Offer, d.Campaign.Offer}, {&l.Brand, d.Brand},
		{&l.Market, d.Market}, {&l.Language, d.Language},
	} {
		fill(f.p, f.byDefault)
	}
	if l.Origin == lead.OriginUnspecified {
		l.Origin = d.Origin
	}
	if l.Line == lead.LineUnspecified {
		l.Line = d.Line
	}
	if l.RequestType == lead.RequestTypeUnspecified && l.RawRequest == "" {
		l.RequestType = d.RequestType
	}
	if l.Dealer == (lead.DealerReference{}) {
		l.Dealer = d.Dealer
	} else if l.Dealer.Code != "" && d.Dealer.Scheme != "" {
		l.Dealer.Scheme = d.Dealer.Scheme // whose codes these are, the operator knows better
	}
	if l.Choice == lead.DealerChoiceUnspecified && l.Dealer != (lead.DealerReference{}) {
		l.Choice = d.Choice
	}
}
