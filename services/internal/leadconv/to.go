// Package leadconv turns leads of core/lead into their proto form and back. The enums of both have
// the same numbers (held together by a test), so that codes are cast.
package leadconv

import (
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// ToProto writes a lead in its proto form. Slices are copied, strings shared.
func ToProto(l *lead.Lead) *leadv1.Lead {
	p := &leadv1.Lead{
		Test: l.Test, Line: leadv1.Line(l.Line), RequestType: leadv1.RequestType(l.RequestType),
		RawRequestType: l.RawRequest, Origin: leadv1.Origin(l.Origin), Trigger: l.Trigger, DigitalOnly: l.DigitalOnly,
		Brand: l.Brand, Market: l.Market, DealerChoice: leadv1.DealerChoice(l.Choice),
		Source: &leadv1.Source{
			Channel: l.Source.Channel, Source: l.Source.Source, SubSource: l.Source.SubSource,
			Provider: l.Source.Provider, Medium: l.Source.Medium, Form: l.Source.Form,
		},
		RequestedAt: Time(l.RequestedAt), ReceivedAt: Time(l.ReceivedAt),
		Comments: l.Comments, Language: l.Language, Resend: l.Resend, IdempotencyKey: l.IdempotencyKey,
	}
	if !l.ID.IsZero() {
		p.LeadId = l.ID.String()
	}
	if d := l.Dealer; d != (lead.DealerReference{}) {
		p.Dealer = &leadv1.DealerReference{DealerId: d.ID, Code: d.Code, Scheme: d.Scheme, Name: d.Name}
	}
	if c := &l.Campaign; c.ID != "" || c.Name != "" || c.Medium != "" || c.Offer != "" || c.Term != "" || c.Content != "" || c.AdID != "" || c.AdGroup != "" || len(c.ClickIDs) > 0 {
		p.Campaign = &leadv1.Campaign{
			CampaignId: c.ID, Name: c.Name, Medium: c.Medium, Offer: c.Offer, Term: c.Term, Content: c.Content,
			AdId: c.AdID, AdGroup: c.AdGroup, ClickIds: c.ClickIDs,
		}
	}
	for _, i := range l.Identifiers {
		p.Identifiers = append(p.Identifiers, &leadv1.Identifier{Kind: leadv1.IdentifierKind(i.Kind), Source: i.Source, Value: i.Value})
	}
	for i := range l.Parties {
		p.Parties = append(p.Parties, PartyToProto(&l.Parties[i]))
	}
	for i := range l.Vehicles {
		p.Vehicles = append(p.Vehicles, vehicleToProto(&l.Vehicles[i]))
	}
	if t := l.TimeFrame; t.Text != "" || !t.Earliest.IsZero() || !t.Latest.IsZero() {
		p.TimeFrame = &leadv1.TimeFrame{Text: t.Text, Earliest: Time(t.Earliest), Latest: Time(t.Latest)}
	}
	if f := l.Finance; f != (lead.Finance{}) {
		p.Finance = &leadv1.Finance{Method: f.Method, DownPayment: money(f.DownPayment), Monthly: money(f.Monthly), Balance: money(f.Balance)}
	}
	for i := range l.Consents {
		p.Consents = append(p.Consents, ConsentToProto(&l.Consents[i]))
	}
	for _, c := range l.Changes {
		p.Changes = append(p.Changes, &leadv1.Change{Field: c.Field, Rule: c.Rule, Before: c.Before, After: c.After})
	}
	for _, f := range l.Flags {
		p.Flags = append(p.Flags, &leadv1.Flag{Code: f.Code, Field: f.Field, Detail: f.Detail})
	}
	for _, f := range l.Extra {
		p.Extra = append(p.Extra, &leadv1.Field{Path: f.Path, Value: f.Value})
	}
	return p
}

// PartyToProto writes a party in its proto form.
func PartyToProto(v *lead.Party) *leadv1.Party {
	p := &leadv1.Party{
		Role: leadv1.PartyRole(v.Role),
		Born: v.Born, Language: v.Language, BestTime: v.BestTime, PreferredChannel: leadv1.Channel(v.Preferred),
	}
	if n := v.Name; n != (lead.Name{}) {
		p.Name = &leadv1.Name{Full: n.Full, Prefix: n.Prefix, Given: n.Given, Middle: n.Middle, Family: n.Family, Suffix: n.Suffix, Company: n.Company}
	}
	for _, e := range v.Emails {
		q := &leadv1.Email{Address: e.Address, Valid: e.Valid}
		if e.Raw != e.Address {
			q.Raw = e.Raw
		}
		p.Emails = append(p.Emails, q)
	}
	for _, f := range v.Phones {
		p.Phones = append(p.Phones, &leadv1.Phone{
			Number: f.Raw, E164: f.E164, Extension: f.Extension, Type: leadv1.PhoneType(f.Type), Preferred: f.Preferred, Valid: f.Valid,
		})
	}
	if a := &v.Address; len(a.Streets) > 0 || a.Unit != "" || a.City != "" || a.Region != "" || a.Postal != "" || a.Country != "" {
		p.Address = &leadv1.Address{Streets: a.Streets, Unit: a.Unit, City: a.City, Region: a.Region, PostalCode: a.Postal, Country: a.Country}
	}
	return p
}

func vehicleToProto(v *lead.Vehicle) *leadv1.Vehicle {
	p := &leadv1.Vehicle{
		Role: leadv1.VehicleRole(v.Role), Status: leadv1.VehicleStatus(v.Status), Interest: leadv1.Interest(v.Interest),
		Year: int32(v.Year), Make: v.Make, Model: v.Model, ModelCode: v.ModelCode, Trim: v.Trim, Body: v.Body,
		Powertrain: leadv1.Powertrain(v.Powertrain), Vin: v.VIN, VinValid: v.VINValid, Stock: v.Stock, Color: v.Color,
		OdometerUnit: leadv1.OdometerUnit(v.OdometerUnit), Condition: v.Condition, Price: money(v.Price), Payoff: money(v.Payoff),
		Lender: v.Lender, Comments: v.Comments, Options: v.Options,
	}
	if v.Odometer >= 0 {
		p.Odometer = &v.Odometer
	}
	return p
}

// ConsentToProto writes a consent fact in its proto form.
func ConsentToProto(c *lead.Consent) *leadv1.Consent {
	return &leadv1.Consent{
		Controller: leadv1.Controller(c.Controller), ControllerId: c.ControllerID, Purpose: leadv1.Purpose(c.Purpose),
		Channel: leadv1.Channel(c.Channel), ContactPoint: c.ContactPoint, State: leadv1.ConsentState(c.State),
		TextVersion: c.TextVersion, Place: c.Place, Evidence: c.Evidence, At: Time(c.At),
		ValidUntil: Time(c.ValidUntil),
	}
}

func money(m lead.Money) *leadv1.Money {
	if m == (lead.Money{}) {
		return nil
	}
	return &leadv1.Money{Minor: m.Minor, Currency: m.Currency}
}

// Time writes a time; the zero time becomes an absent field.
func Time(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

// Times makes the timestamps of one message, which then share a piece of memory.
type Times struct{ room []timestamppb.Timestamp }

// Of writes a time as [Time] does.
func (t *Times) Of(at time.Time) *timestamppb.Timestamp {
	if at.IsZero() {
		return nil
	}
	if len(t.room) == 0 {
		t.room = make([]timestamppb.Timestamp, 5)
	}
	p := &t.room[0]
	t.room = t.room[1:]
	p.Seconds, p.Nanos = at.Unix(), int32(at.Nanosecond())
	return p
}
