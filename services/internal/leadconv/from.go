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
	r := reader{}
	l := lead.Lead{
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
	l.Identifiers = each(&r, "identifiers", p.GetIdentifiers(), r.identifier)
	l.Parties = each(&r, "parties", p.GetParties(), r.party)
	l.Vehicles = each(&r, "vehicles", p.GetVehicles(), r.vehicle)
	l.Consents = each(&r, "consents", p.GetConsents(), r.consent)
	l.Changes = each(&r, "changes", p.GetChanges(), func(x *leadv1.Change) lead.Change {
		return lead.Change{Field: x.GetField(), Rule: x.GetRule(), Before: x.GetBefore(), After: x.GetAfter()}
	})
	l.Flags = each(&r, "flags", p.GetFlags(), func(x *leadv1.Flag) lead.Flag {
		return lead.Flag{Code: x.GetCode(), Field: x.GetField(), Detail: x.GetDetail()}
	})
	l.Extra = each(&r, "extra", p.GetExtra(), func(x *leadv1.Field) lead.Field {
		return lead.Field{Path: x.GetPath(), Value: x.GetValue()}
	})
	return l, r.violations
}

// each reads the entries of a list; an empty one stays nil.
func each[P, V any](r *reader, list string, entries []P, read func(P) V) []V {
	if len(entries) == 0 {
		return nil
	}
	out := make([]V, len(entries))
	for i, x := range entries {
		r.list, r.index = list, i
		out[i] = read(x)
	}
	r.list = ""
	return out
}

// PartyFromProto reads a party, with field as the path its violations are named by.
func PartyFromProto(field string, p *leadv1.Party) (lead.Party, []problem.Violation) {
	r := reader{path: field}
	v := r.party(p)
	return v, r.violations
}

// ConsentFromProto reads a consent fact, with field as the path its violations are named by.
func ConsentFromProto(field string, p *leadv1.Consent) (lead.Consent, []problem.Violation) {
	r := reader{path: field}
	v := r.consent(p)
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

func (r *reader) identifier(x *leadv1.Identifier) lead.Identifier {
	return lead.Identifier{
		Kind: code[lead.IDKind](r, "kind", x.GetKind(), leadv1.IdentifierKind_name), Source: x.GetSource(), Value: x.GetValue(),
	}
}

// code casts a proto enum to the core's, refusing numbers that no name stands for.
func code[C ~uint8, P ~int32](r *reader, field string, v P, known map[int32]string) C {
	if _, ok := known[int32(v)]; !ok {
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

func (r *reader) party(p *leadv1.Party) lead.Party {
	n, a := p.GetName(), p.GetAddress()
	v := lead.Party{
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
	if n := len(p.GetEmails()); n > 0 {
		v.Emails = make([]lead.Email, 0, n)
	}
	for _, x := range p.GetEmails() {
		raw := x.GetRaw()
		if raw == "" {
			raw = x.GetAddress()
		}
		e := lead.Email{Raw: raw, Address: x.GetAddress(), Valid: x.GetValid()}
		if e.Valid {
			e.Key = lead.ParseEmail(e.Address).Key
		}
		v.Emails = append(v.Emails, e)
	}
	if n := len(p.GetPhones()); n > 0 {
		v.Phones = make([]lead.Phone, 0, n)
	}
	for i, x := range p.GetPhones() {
		v.Phones = append(v.Phones, lead.Phone{
			Raw: x.GetNumber(), E164: x.GetE164(), Extension: x.GetExtension(), Preferred: x.GetPreferred(), Valid: x.GetValid(),
			Type: r.phoneType(i, x.GetType()),
		})
	}
	return v
}

func (r *reader) phoneType(i int, t leadv1.PhoneType) lead.PhoneType {
	if _, ok := leadv1.PhoneType_name[int32(t)]; ok {
		return lead.PhoneType(t)
	}
	return code[lead.PhoneType](r, fmt.Sprintf("phones[%d].type", i), t, leadv1.PhoneType_name)
}

func (r *reader) vehicle(p *leadv1.Vehicle) lead.Vehicle {
	v := lead.Vehicle{
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
	return v
}

func (r *reader) consent(p *leadv1.Consent) lead.Consent {
	return lead.Consent{
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
