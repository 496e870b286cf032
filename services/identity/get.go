package identity

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/signal"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/identity/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// maxRecords bounds the records that GetPerson answers, the latest first.
const maxRecords = 500

// GetPerson answers what is held about a person. The identifier of a person who was joined into
// another one answers the other one.
func (s *Service) GetPerson(ctx context.Context, req *identityv1.GetPersonRequest) (*identityv1.GetPersonResponse, error) {
	id, err := lead.ParseID(req.GetPersonId())
	if err != nil {
		return nil, problem.Invalid(problem.Violation{Field: "person_id", Description: err.Error()})
	}
	var resp *identityv1.GetPersonResponse
	err = s.store.Read(ctx, func(tx *postgres.Tx) error {
		row, err := tx.Person(ctx, id)
		if err == nil && !row.MergedInto.IsZero() {
			row, err = tx.Person(ctx, row.MergedInto)
		}
		if err != nil {
			return err
		}
		p, err := newPerson(row)
		if err != nil {
			return err
		}
		resp, err = s.describe(ctx, tx, p)
		return err
	})
	return resp, err
}

func (s *Service) describe(ctx context.Context, tx *postgres.Tx, p *person) (*identityv1.GetPersonResponse, error) {
	golden, err := p.readGolden()
	if err != nil {
		return nil, err
	}
	profile, err := p.readProfile()
	if err != nil {
		return nil, err
	}
	now := s.deps.Now()
	resp := &identityv1.GetPersonResponse{
		PersonId: p.row.ID.String(), HouseholdId: p.row.Household.String(), Party: leadconv.PartyToProto(golden),
		Counters: counters(profile, now.Unix()), Vehicles: vehicles(profile),
	}
	joined, err := tx.Joined(ctx, p.row.ID)
	if err != nil {
		return nil, err
	}
	records, err := tx.Records(ctx, append(joined, p.row.ID), maxRecords)
	if err != nil {
		return nil, err
	}
	for _, r := range records {
		link := &identityv1.RecordLink{
			RecordId: r.ID.String(), WeightMillibits: r.Weight, Reasons: reasonWords(readReasons(r.Reasons)), LinkedAt: leadconv.Time(r.LinkedAt),
		}
		if !r.LeadID.IsZero() {
			link.LeadId = r.LeadID.String()
		}
		resp.Records = append(resp.Records, link)
	}
	if resp.FleetAccount, err = describeAccount(ctx, tx, p.row.Account); err != nil {
		return nil, err
	}
	resp.Consents, err = effective(ctx, tx, p, golden, now)
	return resp, err
}

// effective returns for every key that a fact names the state that holds now, as a fact of the
// moment it was last said.
func effective(ctx context.Context, tx *postgres.Tx, p *person, golden *lead.Party, now time.Time) ([]*leadv1.Consent, error) {
	rows, err := tx.Consents(ctx, []lead.ID{p.row.ID}, []int16{p.row.Epoch})
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		f, err := readFact(r.ID, r.Fact)
		if err != nil {
			return nil, err
		}
		p.consents = append(p.consents, f)
	}
	held, err := tx.Stops(ctx, pointsOf(&p.facts))
	if err != nil {
		return nil, err
	}
	stops := map[lead.ID][]fact{}
	for _, r := range held {
		f, err := readFact(r.ConsentID, r.Fact)
		if err != nil {
			return nil, err
		}
		stops[r.Point] = append(stops[r.Point], f)
	}
	var facts []lead.Consent
	for i, pb := range bearing(p, golden, stops) {
		c, wrong := leadconv.ConsentFromProto("", pb)
		if len(wrong) > 0 {
			return nil, fmt.Errorf("consent fact %d has an unknown code", i)
		}
		facts = append(facts, c)
	}
	// The latest of each key stands for it.
	slices.SortStableFunc(facts, func(a, b lead.Consent) int { return b.At.Compare(a.At) })
	var out []*leadv1.Consent
	done := map[lead.ConsentKey]bool{}
	for i := range facts {
		c := facts[i]
		k := lead.ConsentKey{Controller: c.Controller, ControllerID: c.ControllerID, Purpose: c.Purpose, Channel: c.Channel, ContactPoint: c.ContactPoint}
		if done[k] || c.At.After(now) {
			continue
		}
		done[k] = true
		if state := lead.Effective(facts, k, now); state != c.State && state != lead.ConsentStateNone {
			c.State = state
		}
		out = append(out, leadconv.ConsentToProto(&c))
	}
	return out, nil
}

func counters(p *signal.Profile, now int64) []*identityv1.SignalCounter {
	out := make([]*identityv1.SignalCounter, len(p.Counters))
	for i := range p.Counters {
		c := &p.Counters[i]
		out[i] = &identityv1.SignalCounter{
			Kind: leadv1.SignalKind(c.Kind), CountMilli: c.Count(now), LastSeenAt: second(c.Last),
		}
	}
	return out
}

func vehicles(p *signal.Profile) []*identityv1.OwnedVehicle {
	var out []*identityv1.OwnedVehicle
	for i := range p.Vehicles {
		v := &p.Vehicles[i]
		if v.VIN == "" {
			continue
		}
		o := &identityv1.OwnedVehicle{
			Vin: v.VIN, ModelCode: v.ModelCode, SoldAt: second(v.Sold.At), SoldByDealerId: v.Sold.DealerID,
			LeaseEndAt: second(v.Lease.Maturity), WarrantyEndAt: second(basicWarranty(v)), OdometerKm: -1,
		}
		if len(v.Visits) > 0 {
			o.LastServiceAt, o.LastServiceDealerId = second(v.Visits[0].At), v.Visits[0].DealerID
		}
		if v.Latest.At != 0 {
			o.OdometerKm = v.Latest.KM
		}
		out = append(out, o)
	}
	return out
}

// basicWarranty is when the coverage named basic ends by date, else the first that does; 0 if none.
func basicWarranty(v *signal.VehicleFacts) int64 {
	var first int64
	for _, w := range v.Warranties {
		if lead.Fold(w.Coverage) == "basic" {
			return w.Until
		}
		if w.Until != 0 && (first == 0 || w.Until < first) {
			first = w.Until
		}
	}
	return first
}

func second(at int64) *timestamppb.Timestamp {
	if at == 0 {
		return nil
	}
	return &timestamppb.Timestamp{Seconds: at}
}
