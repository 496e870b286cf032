package identity

import (
	"context"
	"slices"

	"github.com/leadmesh/leadmesh/core/lead"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	"github.com/leadmesh/leadmesh/services/identity/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/problem"
)

// What became of the link of a lead, in words as those of the evidence.
const (
	wordsMerged = "MERGED the lead's person was found to be the same as an older one"
	wordsMoved  = "MOVED a split gave the lead to this person"
)

// ExplainLead answers whose a lead is today and why.
func (s *Service) ExplainLead(ctx context.Context, req *identityv1.ExplainLeadRequest) (*identityv1.ExplainLeadResponse, error) {
	var r reader
	id := r.id("lead_id", req.GetLeadId())
	if err := r.err(); err != nil {
		return nil, err
	}
	var resp *identityv1.ExplainLeadResponse
	err := s.store.Read(ctx, func(tx *postgres.Tx) error {
		known, err := tx.LeadPersons(ctx, []lead.ID{id})
		if err != nil {
			return err
		}
		row, ok := known[id]
		if !ok {
			return problem.NotFound("lead")
		}
		if req.GetForStore() {
			resp = &identityv1.ExplainLeadResponse{PersonId: row.PersonID.String()}
			return nil
		}
		resp, err = explain(ctx, tx, row)
		return err
	})
	return resp, err
}

func explain(ctx context.Context, tx *postgres.Tx, row postgres.LeadPerson) (*identityv1.ExplainLeadResponse, error) {
	p, err := personOf(ctx, tx, row.PersonID)
	if err != nil {
		return nil, err
	}
	profile, err := p.readProfile()
	if err != nil {
		return nil, err
	}
	ids, err := tx.WithJoined(ctx, p.row.ID)
	if err != nil {
		return nil, err
	}
	records, err := tx.CountRecords(ctx, ids)
	if err != nil {
		return nil, err
	}
	reasons := readReasons(row.Reasons)
	resp := &identityv1.ExplainLeadResponse{
		PersonId: p.row.ID.String(), HouseholdId: p.row.Household.String(), RecordCount: int32(records),
		SignalCount: int32(len(profile.Counters)), VehicleCount: int32(len(vehicles(profile))),
		Reasons: reasonWords(reasons), WeightMillibits: row.Weight, Evidence: matchReasons(reasons),
	}
	moved, err := wasMoved(ctx, tx, row)
	if err != nil {
		return nil, err
	}
	if moved {
		resp.Reasons = append(resp.Reasons, wordsMoved)
	}
	if p.row.ID != row.PersonID {
		resp.Reasons = append(resp.Reasons, wordsMerged)
	}
	return resp, nil
}

// wasMoved reports whether a split brought a lead to its person.
func wasMoved(ctx context.Context, tx *postgres.Tx, row postgres.LeadPerson) (bool, error) {
	splits, err := tx.SplitsOf(ctx, []lead.ID{row.PersonID})
	if err != nil || len(splits) == 0 {
		return false, err
	}
	records, err := tx.StoredRecords(ctx, []lead.ID{row.PersonID})
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(records, func(r postgres.Record) bool {
		return r.LeadID == row.LeadID && slices.ContainsFunc(splits, func(s postgres.Split) bool {
			return s.NewPersonID == row.PersonID && slices.Contains(s.RecordIDs, r.ID)
		})
	}), nil
}
