package leadconv

import (
	"fmt"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// FromProto reads a lead from its proto form as it stands: nothing is normalised. It returns every
// violation of the form itself: an id that is none, a time out of range, a code that does not
// exist.
func FromProto(p *leadv1.Lead) (lead.Lead, []problem.Violation) {
	var l lead.Lead
	violations := Read(&l, p)
	return l, violations
}

// Read reads like [FromProto], into a lead whose lists keep their room: who reads one lead after the
// other into the same hardly allocates. What the lead held before is gone. Strings and lists of
// strings are shared with the proto form.
func Read(l *lead.Lead, p *leadv1.Lead) []problem.Violation {
	r := reader{}
	had := *l
	*l = lead.Lead{
		Test: p.GetTest(), Line: code[lead.Line](&r, "line", p.GetLine(), leadv1.Line_name),
		RequestType: code[lead.RequestType](&r, "request_type", p.GetRequestType(), leadv1.RequestType_name),
		RawRequest:  p.GetRawRequestType(),
		Origin:      code[lead.Origin](&r, "origin", p.GetOrigin(), leadv1.Origin_name),
		Trigger:     p.GetTrigger(), DigitalOnly: p.GetDigitalOnly(),
		Brand: p.GetBrand(), Market: p.GetMarket(),
		Choice: code[lead.DealerChoice](&r, "dealer_choice", p.GetDealerChoice(), leadv1.DealerChoice_name),
		Dealer: lead.DealerReference{
			ID: p.GetDealer().GetDealerId(), Code: p.GetDealer().GetCode(),
			Scheme: p.GetDealer().GetScheme(), Name: p.GetDealer().GetName(),
		},
		Source: lead.Source{
			Channel: p.GetSource().GetChannel(), Source: p.GetSource().GetSource(), SubSource: p.GetSource().GetSubSource(),
			Provider: p.GetSource().GetProvider(), Medium: p.GetSource().GetMedium(), Form: p.GetSource().GetForm(),
		},
		RequestedAt: r.time("requested_at", p.GetRequestedAt()), ReceivedAt: r.time("received_at", p.GetReceivedAt()),
		TimeFrame: lead.TimeFrame{
			Text:     p.GetTimeFrame().GetText(),
			Earliest: r.time("time_frame.earliest", p.GetTimeFrame().GetEarliest()),
			Latest:   r.time("time_frame.latest", p.GetTimeFrame().GetLatest()),
		},
		Finance: lead.Finance{
			Method:      p.GetFinance().GetMethod(),
			DownPayment: fromMoney(p.GetFinance().GetDownPayment()), Monthly: fromMoney(p.GetFinance().GetMonthly()),
			Balance: fromMoney(p.GetFinance().GetBalance()),
		},
		Comments: p.GetComments(), Language: p.GetLanguage(), Resend: p.GetResend(), IdempotencyKey: p.GetIdempotencyKey(),
	}
	if id := p.GetLeadId(); id != "" {
		parsed, err := lead.ParseID(id)
		if err != nil {
			r.bad("lead_id", "%v", err)
		}
		l.ID = parsed
	}
	if c := p.GetCampaign(); c != nil {
		l.Campaign = lead.Campaign{
			ID: c.GetCampaignId(), Name: c.GetName(), Medium: c.GetMedium(), Offer: c.GetOffer(), Term: c.GetTerm(),
			Content: c.GetContent(), AdID: c.GetAdId(), AdGroup: c.GetAdGroup(), ClickIDs: c.GetClickIds(),
		}
	}
	l.Identifiers = each(&r, "identifiers", had.Identifiers, p.GetIdentifiers(), (*reader).identifier)
	l.Parties = each(&r, "parties", had.Parties, p.GetParties(), (*reader).party)
	l.Vehicles = each(&r, "vehicles", had.Vehicles, p.GetVehicles(), (*reader).vehicle)
	l.Consents = each(&r, "consents", had.Consents, p.GetConsents(), (*reader).consent)
	l.Changes = each(&r, "changes", had.Changes, p.GetChanges(), func(_ *reader, v *lead.Change, x *leadv1.Change) {
		*v = lead.Change{Field: x.GetField(), Rule: x.GetRule(), Before: x.GetBefore(), After: x.GetAfter()}
	})
	l.Flags = each(&r, "flags", had.Flags, p.GetFlags(), func(_ *reader, v *lead.Flag, x *leadv1.Flag) {
		*v = lead.Flag{Code: x.GetCode(), Field: x.GetField(), Detail: x.GetDetail()}
	})
	l.Extra = each(&r, "extra", had.Extra, p.GetExtra(), func(_ *reader, v *lead.Field, x *leadv1.Field) {
		*v = lead.Field{Path: x.GetPath(), Value: x.GetValue()}
	})
	return r.violations
}

// each reads the entries of a list into the room of another. Without room an empty one stays nil.
func each[P, V any](r *reader, list string, had []V, entries []P, read func(*reader, *V, P)) []V {
	out := room(had, len(entries))
	for i, x := range entries {
		r.list, r.index = list, i
		read(r, &out[i], x)
	}
	r.list = ""
	return out
}

// room is a list of n entries in the room of another, if it has as much. Each is to be overwritten.
func room[V any](had []V, n int) []V {
	if n <= cap(had) {
		return had[:n]
	}
	return make([]V, n)
}

// PartyFromProto reads a party, with field as the path its violations are named by.
func PartyFromProto(field string, p *leadv1.Party) (lead.Party, []problem.Violation) {
	r := reader{path: field}
	var v lead.Party
	r.party(&v, p)
	return v, r.violations
}

// ConsentFromProto reads a consent fact, with field as the path its violations are named by.
func ConsentFromProto(field string, p *leadv1.Consent) (lead.Consent, []problem.Violation) {
	r := reader{path: field}
	var v lead.Consent
	r.consent(&v, p)
	return v, r.violations
}

// reader collects violations. Where it reads is spelled out only when something is wrong: a sound
// lead must not pay for the names of its fields.
type reader struct {
	path       string // of what is read
	list       string // of which an entry is read; "" for the lead itself
	index      int
	violations []problem.Violation
}

func (r *reader) bad(field, format string, args ...any) {
	switch {
	case r.list != "":
		field = fmt.Sprintf("%s[%d].%s", r.list, r.index, field)
	case r.path != "":
		field = r.path + "." + field
	}
	r.violations = append(r.violations, problem.Violation{Field: field, Description: fmt.Sprintf(format, args...)})
}

func (r *reader) identifier(v *lead.Identifier, x *leadv1.Identifier) {
	*v = lead.Identifier{
		Kind: code[lead.IDKind](r, "kind", x.GetKind(), leadv1.IdentifierKind_name), Source: x.GetSource(), Value: x.GetValue(),
	}
}

// code casts a proto enum to the core's, refusing numbers that no name stands for. The numbers of our
// enums have no gaps.
func code[C ~uint8, P ~int32](r *reader, field string, v P, known map[int32]string) C {
	if v < 0 || int(v) >= len(known) {
		r.bad(field, "%d is no code of this field; send one of the documented names", int32(v))
		return 0
	}
	return C(v)
}

func (r *reader) time(field string, t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	if err := t.CheckValid(); err != nil {
		r.bad(field, "is no time; send RFC 3339 such as 2026-03-01T09:30:00Z")
		return time.Time{}
	}
	return t.AsTime()
}

func (r *reader) party(v *lead.Party, p *leadv1.Party) {
	n, a, emails, phones := p.GetName(), p.GetAddress(), v.Emails, v.Phones
	*v = lead.Party{
		Role: code[lead.PartyRole](r, "role", p.GetRole(), leadv1.PartyRole_name),
		Name: lead.Name{
			Full: n.GetFull(), Prefix: n.GetPrefix(), Given: n.GetGiven(), Middle: n.GetMiddle(),
			Family: n.GetFamily(), Suffix: n.GetSuffix(), Company: n.GetCompany(),
		},
		Address: lead.Address{
			Streets: a.GetStreets(), Unit: a.GetUnit(), City: a.GetCity(), Region: a.GetRegion(),
			Postal: a.GetPostalCode(), Country: a.GetCountry(),
		},
		Born: p.GetBorn(), Language: p.GetLanguage(), BestTime: p.GetBestTime(),
		Preferred: code[lead.Channel](r, "preferred_channel", p.GetPreferredChannel(), leadv1.Channel_name),
	}
	v.Emails = room(emails, len(p.GetEmails()))
	for i, x := range p.GetEmails() {
		raw := x.GetRaw()
		if raw == "" {
			raw = x.GetAddress()
		}
		e := lead.Email{Raw: raw, Address: x.GetAddress(), Valid: x.GetValid()}
		if e.Valid {
			e.Key = lead.ParseEmail(e.Address).Key
		}
		v.Emails[i] = e
	}
	v.Phones = room(phones, len(p.GetPhones()))
	for i, x := range p.GetPhones() {
		v.Phones[i] = lead.Phone{
			Raw: x.GetNumber(), E164: x.GetE164(), Extension: x.GetExtension(), Preferred: x.GetPreferred(), Valid: x.GetValid(),
			Type: r.phoneType(i, x.GetType()),
		}
	}
}

func (r *reader) phoneType(i int, t leadv1.PhoneType) lead.PhoneType {
	if t >= 0 && int(t) < len(leadv1.PhoneType_name) {
		return lead.PhoneType(t)
	}
	return code[lead.PhoneType](r, fmt.Sprintf("phones[%d].type", i), t, leadv1.PhoneType_name)
}

func (r *reader) vehicle(v *lead.Vehicle, p *leadv1.Vehicle) {
	*v = lead.Vehicle{
		Role:     code[lead.VehicleRole](r, "role", p.GetRole(), leadv1.VehicleRole_name),
		Status:   code[lead.VehicleStatus](r, "status", p.GetStatus(), leadv1.VehicleStatus_name),
		Interest: code[lead.Interest](r, "interest", p.GetInterest(), leadv1.Interest_name),
		Year:     int(p.GetYear()), Make: p.GetMake(), Model: p.GetModel(), ModelCode: p.GetModelCode(), Trim: p.GetTrim(), Body: p.GetBody(),
		Powertrain: code[lead.Powertrain](r, "powertrain", p.GetPowertrain(), leadv1.Powertrain_name),
		VIN:        p.GetVin(), VINValid: p.GetVinValid(), Stock: p.GetStock(), Color: p.GetColor(), Odometer: -1,
		OdometerUnit: code[lead.OdometerUnit](r, "odometer_unit", p.GetOdometerUnit(), leadv1.OdometerUnit_name),
		Condition:    p.GetCondition(), Price: fromMoney(p.GetPrice()), Payoff: fromMoney(p.GetPayoff()),
		Lender: p.GetLender(), Comments: p.GetComments(), Options: p.GetOptions(),
	}
	if p.Odometer != nil {
		if v.Odometer = p.GetOdometer(); v.Odometer < 0 || v.Odometer > 10_000_000 {
			r.bad("odometer", "must lie between 0 and 10,000,000")
			v.Odometer = -1
		}
	}
}

func (r *reader) consent(v *lead.Consent, p *leadv1.Consent) {
	*v = lead.Consent{
		Controller:   code[lead.Controller](r, "controller", p.GetController(), leadv1.Controller_name),
		ControllerID: p.GetControllerId(),
		Purpose:      code[lead.Purpose](r, "purpose", p.GetPurpose(), leadv1.Purpose_name),
		Channel:      code[lead.Channel](r, "channel", p.GetChannel(), leadv1.Channel_name),
		ContactPoint: p.GetContactPoint(),
		State:        code[lead.ConsentState](r, "state", p.GetState(), leadv1.ConsentState_name),
		TextVersion:  p.GetTextVersion(), Place: p.GetPlace(), Evidence: p.GetEvidence(), At: r.time("at", p.GetAt()),
		ValidUntil: r.time("valid_until", p.GetValidUntil()),
	}
}

func fromMoney(m *leadv1.Money) lead.Money {
	return lead.Money{Minor: m.GetMinor(), Currency: m.GetCurrency()}
}
