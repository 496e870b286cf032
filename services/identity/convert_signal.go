package identity

import (
	"context"
	"fmt"
	"time"

	"github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/signal"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"google.golang.org/protobuf/proto"
)

func (s *Service) parseSignals(ctx context.Context, req *identityv1.BatchCreateSignalsRequest) ([]*arrival, error) {
	if n := len(req.GetSignals()); n == 0 || n > maxSignals {
		return nil, problem.Invalid(problem.Violation{Field: "signals", Description: fmt.Sprintf("send 1 to %d signals", maxSignals)})
	}
	sender, now := rpc.CallerFrom(ctx).Name, s.deps.Now()
	out := make([]*arrival, len(req.GetSignals()))
	for i, pb := range req.GetSignals() {
		r := signalReader{service: s, pb: pb, arrival: &arrival{place: i}}
		if err := r.read(sender, now); err != nil {
			return nil, problem.Internal(err)
		}
		if len(r.wrong) > 0 {
			r.arrival.problem = problem.Invalid(r.wrong...)
		}
		out[i] = r.arrival
	}
	return out, nil
}

// field is the path of a field of the signal from the request's root.
func (a *arrival) field(name string) string { return fmt.Sprintf("signals[%d].%s", a.place, name) }

// signalReader reads one signal and gathers what is wrong with it.
type signalReader struct {
	service *Service
	pb      *identityv1.Signal
	arrival *arrival
	wrong   []problem.Violation
}

func (r *signalReader) bad(field, format string, args ...any) {
	r.wrong = append(r.wrong, problem.Violation{Field: r.arrival.field(field), Description: fmt.Sprintf(format, args...)})
}

func (r *signalReader) read(sender string, now time.Time) error {
	a, pb := r.arrival, r.pb
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(pb)
	if err != nil {
		return fmt.Errorf("encode a signal: %w", err)
	}
	a.raw = raw
	if id := pb.GetSignalId(); id != "" {
		a.key = hash([]byte("id\x00" + sender + "\x00" + id))
	} else {
		a.key = hash(append([]byte("content\x00"+sender+"\x00"), raw...))
	}
	a.id = a.key
	r.readFacts(now)
	return r.readPerson()
}

// readFacts reads what happened.
func (r *signalReader) readFacts(now time.Time) {
	pb, sig := r.pb, &r.arrival.signal
	sig.ID, sig.Kind = pb.GetSignalId(), lead.SignalKind(pb.GetKind())
	if sig.Kind.String() == "" {
		r.bad("kind", "is required: one of the documented names")
	}
	switch at := pb.GetOccurredAt(); {
	case at == nil:
		r.bad("occurred_at", "is required: when it happened, as RFC 3339")
	case !at.IsValid() || at.AsTime().Unix() <= 0:
		r.bad("occurred_at", "must be a time after 1970-01-01, as RFC 3339")
	case at.AsTime().After(now.Add(latest)):
		r.bad("occurred_at", "lies more than a day ahead; send what has happened")
	default:
		sig.At = at.AsTime()
	}
	if pb.GetVin() != "" {
		vin, _, flag := lead.ParseVIN(pb.GetVin())
		if flag == lead.FlagVINMalformed {
			r.bad("vin", "is no vehicle identification number: 17 letters and digits without I, O and Q")
		}
		sig.VIN = vin
	} else if needsVehicle(sig.Kind) {
		r.bad("vin", "is required for this kind of signal")
	}
	if code := pb.GetDealerId(); code != "" {
		id, ok := r.service.deps.DealerID(code)
		if !ok {
			r.bad("dealer_id", "names no dealer of the network; send its identifier or one of its codes")
		}
		sig.DealerID = id
	}
	r.readReading(sig)
	if pt := pb.GetPayType(); pt != "" {
		t, ok := signal.ParsePayType(pt)
		if !ok {
			r.bad("pay_type", "must be C (customer), W (warranty), I (internal) or M (maintenance plan)")
		}
		sig.PayType = t
	}
	sig.Amount = lead.Money{Minor: pb.GetAmount().GetMinor(), Currency: pb.GetAmount().GetCurrency()}
	sig.SalespersonID, sig.Campaign, sig.ModelCode = pb.GetEmployeeId(), pb.GetCampaignId(), pb.GetModelCode()
	if code, powertrain, ok := r.service.deps.Model(pb.GetModelCode()); ok {
		sig.ModelCode, sig.Powertrain = code, powertrain
	}
	if sig.Status = lead.VehicleStatus(r.pb.GetVehicleStatus()); sig.Status != lead.VehicleStatusUnspecified && sig.Status.String() == "" {
		r.bad("vehicle_status", "must be VEHICLE_STATUS_NEW, VEHICLE_STATUS_USED or VEHICLE_STATUS_CERTIFIED")
	}
	r.readTerms(sig)
	r.readWorth(sig)
}

func (r *signalReader) readReading(sig *signal.Signal) {
	if r.pb.Odometer == nil {
		return
	}
	sig.Odometer, sig.OdometerUnit = r.pb.GetOdometer(), lead.OdometerUnit(r.pb.GetOdometerUnit())
	if sig.Odometer < 0 || sig.Odometer > 9_999_999 {
		r.bad("odometer", "must lie between 0 and 9,999,999")
	}
	switch sig.OdometerUnit {
	case lead.OdometerUnitKM, lead.OdometerUnitMI:
	case lead.OdometerUnitUnspecified:
		sig.OdometerUnit = lead.OdometerUnitKM
		switch r.service.cfg.Market {
		case "US", "GB", "PR", "LR", "MM":
			sig.OdometerUnit = lead.OdometerUnitMI
		}
	default:
		r.bad("odometer_unit", "must be ODOMETER_UNIT_KM or ODOMETER_UNIT_MI")
	}
}

// readTerms puts the end and the limit of a contract where its kind has them.
func (r *signalReader) readTerms(sig *signal.Signal) {
	var ends time.Time
	if t := r.pb.GetEndsAt(); t != nil {
		if !t.IsValid() {
			r.bad("ends_at", "is no time; send RFC 3339 such as 2026-03-01T09:30:00Z")
			return
		}
		ends = t.AsTime()
	}
	if r.pb.GetLimitKm() < 0 {
		r.bad("limit_km", "must not be negative")
		return
	}
	switch sig.Kind {
	case lead.SignalKindLeaseStarted, lead.SignalKindLeaseMilestone:
		sig.Lease = signal.LeaseTerms{Maturity: ends, ContractedKM: r.pb.GetLimitKm(), Payment: sig.Amount}
	case lead.SignalKindWarrantyStarted:
		sig.Warranty = signal.WarrantyTerms{Coverage: r.pb.GetCoverage(), Until: ends, KMLimit: r.pb.GetLimitKm()}
	case lead.SignalKindMaintenancePlan:
		sig.Until = ends
	}
}

// readWorth reads what the person's vehicle was worth and what was owed on it.
func (r *signalReader) readWorth(sig *signal.Signal) {
	amount := func(field string, m *leadv1.Money) lead.Money {
		if m == nil {
			return lead.Money{}
		}
		_, known := lead.CurrencyExponent(m.GetCurrency())
		switch {
		case !ownsVehicle(sig.Kind) || sig.VIN == "":
			r.bad(field, "is of the person's vehicle; send it with its vin on a signal about it, such as SIGNAL_KIND_MILEAGE")
		case !known:
			r.bad(field+".currency", "must be three capital letters such as USD")
		case m.GetMinor() < 0 || m.GetMinor() > maxWorth:
			r.bad(field+".minor", "must lie between 0 and %d", int64(maxWorth))
		}
		return lead.Money{Minor: m.GetMinor(), Currency: m.GetCurrency()}
	}
	sig.Value, sig.Owed = amount("vehicle_value", r.pb.GetVehicleValue()), amount("payoff", r.pb.GetPayoff())
	sig.Balloon = amount("residual", r.pb.GetResidual())
	if r.pb.GetResidual() == nil {
		return
	}
	if sig.Ends = r.pb.GetEndsAt().AsTime(); r.pb.GetEndsAt() == nil {
		r.bad("ends_at", "is required with residual: the day the contract ends")
	}
}

// maxWorth is the most a vehicle may be worth or owed on, in minor units.
const maxWorth = 1_000_000_000_000

// readPerson reads whom the signal is about.
func (r *signalReader) readPerson() error {
	a, s, pb := r.arrival, r.service, r.pb
	body := &leadv1.Lead{Identifiers: pb.GetIdentifiers(), RequestedAt: pb.GetOccurredAt()}
	var ids []lead.Identifier
	for i, id := range pb.GetIdentifiers() {
		kind := lead.IDKind(id.GetKind())
		if kind.String() == "" {
			r.bad(fmt.Sprintf("identifiers[%d].kind", i), "is required: one of the documented names")
		}
		ids = append(ids, s.homeSource(lead.Identifier{Kind: kind, Source: id.GetSource(), Value: id.GetValue()}))
	}
	if pb.GetParty() != nil {
		party, wrong := leadconv.PartyFromProto(a.field("party"), pb.GetParty())
		r.wrong = append(r.wrong, wrong...)
		s.normalize(&party)
		a.party = &party
		a.signal.Fleet = party.Role == lead.PartyRoleCompany || len(party.Name.Company) > 0 && party.Name.Given+party.Name.Family == ""
		body.Parties = []*leadv1.Party{pb.GetParty()}
	}
	var vins []string
	if ownsVehicle(a.signal.Kind) && a.signal.VIN != "" {
		vins = []string{a.signal.VIN}
		body.Vehicles = []*leadv1.Vehicle{{Role: leadv1.VehicleRole_VEHICLE_ROLE_OWNED, Vin: a.signal.VIN}}
	}
	if a.signal.DealerID != "" {
		body.Dealer = &leadv1.DealerReference{DealerId: a.signal.DealerID}
	}
	a.record = identity.NewRecord(a.party, ids, a.signal.DealerID, vins, max(a.signal.At.Unix(), 0))
	a.keys = hashKeys(s.matching.current.Load().Keys(&a.record))
	a.accountKeys = accountKeys(a.party)
	if len(a.keys) == 0 && len(r.wrong) == 0 {
		r.bad("identifiers", "nothing names the person: send an identifier, an e-mail address, a phone number, "+
			"or the vehicle of a known owner; customer numbers need a source or dealer_id")
	}
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode a record: %w", err)
	}
	a.body = raw
	return nil
}

// normalize brings a party as a dealer system knows it into the form leads have.
func (s *Service) normalize(p *lead.Party) {
	p.Name = lead.NormalizeName(p.Name)
	for i, e := range p.Emails {
		p.Emails[i] = lead.ParseEmail(e.Raw)
	}
	market := s.cfg.Market
	if country, ok := lead.CountryCode(p.Address.Country); ok {
		p.Address.Country = country
		market = country
	}
	for i, f := range p.Phones {
		q := lead.ParsePhone(f.Raw, market)
		if f.Type != lead.PhoneTypeUnspecified {
			q.Type = f.Type
		}
		q.Preferred = f.Preferred
		p.Phones[i] = q
	}
	if code, ok := lead.ParsePostal(p.Address.Postal, market); ok {
		p.Address.Postal = code
	}
	if _, err := time.Parse(time.DateOnly, p.Born); err != nil {
		if t, _, ok := lead.ParseTime(p.Born, time.UTC, market != "US"); ok {
			p.Born = t.Format(time.DateOnly)
		}
	}
}

func needsVehicle(k lead.SignalKind) bool {
	switch k {
	case lead.SignalKindServiceVisit, lead.SignalKindVehicleSold, lead.SignalKindLeaseStarted,
		lead.SignalKindLeaseMilestone, lead.SignalKindWarrantyStarted:
		return true
	}
	return false
}

// ownsVehicle reports whether the vehicle of a signal is the person's; in the other kinds it is one
// looked at or driven, which belongs to a store.
func ownsVehicle(k lead.SignalKind) bool {
	switch k {
	case lead.SignalKindServiceDeclined, lead.SignalKindMileage, lead.SignalKindMaintenancePlan:
		return true
	}
	return needsVehicle(k)
}
