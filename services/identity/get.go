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
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// maxRecords bounds the records that GetPerson answers, the latest first.
const maxRecords = 500

// maxHousehold bounds the members of a household that GetPerson answers, the oldest first.
const maxHousehold = 50

// GetPerson answers what is held about a person. The identifier of a person who was joined into
// another one answers the other one. Stores see what came from themselves.
func (s *Service) GetPerson(ctx context.Context, req *identityv1.GetPersonRequest) (*identityv1.GetPersonResponse, error) {
	id, err := lead.ParseID(req.GetPersonId())
	if err != nil {
		return nil, problem.Invalid(problem.Violation{Field: "person_id", Description: err.Error()})
	}
	if caller := rpc.CallerFrom(ctx); caller.OnlyDealer() {
		return s.personForStore(ctx, id, caller.DealerID)
	}
	var resp *identityv1.GetPersonResponse
	err = s.store.Read(ctx, func(tx *postgres.Tx) error {
		p, err := personOf(ctx, tx, id)
		if err != nil {
			return err
		}
		resp, err = s.describe(ctx, tx, p)
		return err
	})
	return resp, err
}

// personOf reads who an identifier stands for today.
func personOf(ctx context.Context, tx *postgres.Tx, id lead.ID) (*person, error) {
	row, err := tx.Person(ctx, id)
	if err == nil && !row.MergedInto.IsZero() {
		row, err = tx.Person(ctx, row.MergedInto)
	}
	if err != nil {
		return nil, err
	}
	return newPerson(row)
}

func (s *Service) describe(ctx context.Context, tx *postgres.Tx, p *person) (*identityv1.GetPersonResponse, error) {
	resp, err := s.outline(p)
	if err != nil {
		return nil, err
	}
	resp.HouseholdId = p.row.Household.String()
	all, ids, err := s.toldOf(ctx, tx, p)
	if err != nil {
		return nil, err
	}
	for _, id := range ids[:len(ids)-1] {
		resp.MergedPersonIds = append(resp.MergedPersonIds, id.String())
	}
	for i := range all {
		resp.Records = append(resp.Records, all[i].link())
	}
	resp.Crosswalk = crosswalk(all, "")
	if resp.Household, err = household(ctx, tx, p); err != nil {
		return nil, err
	}
	if resp.Changes, err = s.changes(ctx, tx, ids, s.deps.Now()); err != nil {
		return nil, err
	}
	past, err := pastVehicles(ctx, tx, p.row.ID, ids)
	if err != nil {
		return nil, err
	}
	resp.Vehicles = append(resp.Vehicles, past...)
	if resp.FleetAccount, err = describeAccount(ctx, tx, p.row.Account); err != nil {
		return nil, err
	}
	golden, err := p.readGolden()
	if err != nil {
		return nil, err
	}
	resp.Consents, err = effective(ctx, tx, p, golden, s.deps.Now())
	return resp, err
}

// outline writes what is known of a person without saying from where.
func (s *Service) outline(p *person) (*identityv1.GetPersonResponse, error) {
	golden, err := p.readGolden()
	if err != nil {
		return nil, err
	}
	profile, err := p.readProfile()
	if err != nil {
		return nil, err
	}
	return &identityv1.GetPersonResponse{
		PersonId: p.row.ID.String(), Party: leadconv.PartyToProto(golden),
		Counters: counters(profile, s.deps.Now().Unix()), Vehicles: vehicles(profile),
	}, nil
}

// link writes a record with why it was linked.
func (t *told) link() *identityv1.RecordLink {
	reasons := readReasons(t.raw.Reasons)
	l := &identityv1.RecordLink{
		RecordId: t.id.String(), PersonId: t.raw.PersonID.String(), LinkedAt: leadconv.Time(t.linkedAt),
		WeightMillibits: t.raw.Weight, Reasons: reasonWords(reasons), Evidence: matchReasons(reasons),
		Vins: slices.Clone(t.record.VINs), Identifiers: t.body.GetIdentifiers(),
	}
	if t.party != nil {
		l.Party = leadconv.PartyToProto(t.party)
	}
	if !t.leadID.IsZero() {
		l.LeadId = t.leadID.String()
	}
	if len(t.dealers) > 0 {
		l.DealerId = t.dealers[len(t.dealers)-1] // the store it names, else that of a customer number
	}
	return l
}

// household returns the others of a person's household.
func household(ctx context.Context, tx *postgres.Tx, p *person) ([]*identityv1.HouseholdMember, error) {
	rows, err := tx.Householders(ctx, p.row.Household, maxHousehold)
	if err != nil {
		return nil, err
	}
	if p.row.Household != p.row.ID { // who gave the household its identifier, or whom he was joined into
		first, err := personOf(ctx, tx, p.row.Household)
		if err != nil {
			return nil, err
		}
		rows = append([]postgres.Person{first.row}, rows...)
	}
	var out []*identityv1.HouseholdMember
	seen := map[lead.ID]bool{p.row.ID: true}
	for _, row := range rows {
		if seen[row.ID] {
			continue
		}
		seen[row.ID] = true
		golden, err := (&person{row: row}).readGolden()
		if err != nil {
			return nil, err
		}
		out = append(out, &identityv1.HouseholdMember{PersonId: row.ID.String(), Name: leadconv.PartyToProto(golden).GetName()})
	}
	return out, nil
}

// effective returns for every key that a fact names the state that holds now, as a fact of the
// moment it was last said.
func effective(ctx context.Context, tx *postgres.Tx, p *person, golden *lead.Party, now time.Time) ([]*leadv1.Consent, error) {
	rows, held, err := tx.Bearing(ctx, []lead.ID{p.row.ID}, []int16{p.row.Epoch}, pointsOf(&p.facts))
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		if err := p.said(r); err != nil {
			return nil, err
		}
	}
	stops, err := readStops(held)
	if err != nil {
		return nil, err
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

func second(at int64) *timestamppb.Timestamp {
	if at == 0 {
		return nil
	}
	return &timestamppb.Timestamp{Seconds: at}
}
