package postgres

import (
	"context"
	"encoding/json"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/feedback/internal/postgres/db"
	"github.com/leadmesh/leadmesh/services/feedback/internal/projection"
)

// insertFacts writes the first facts of leads, sorted by lead.
func insertFacts(ctx context.Context, q *db.Queries, facts []leadFact) error {
	if len(facts) == 0 {
		return nil
	}
	rows := make([]db.CopyLeadFactsParams, len(facts))
	for i := range facts {
		var err error
		if rows[i], err = writeFact(&facts[i]); err != nil {
			return err
		}
	}
	_, err := q.CopyLeadFacts(ctx, rows)
	return err
}

// writeFact lays a fact out as a row.
func writeFact(given *leadFact) (db.CopyLeadFactsParams, error) {
	f := &given.fact
	var detail []byte
	if !f.Detail.IsZero() {
		var err error
		if detail, err = json.Marshal(&f.Detail); err != nil {
			return db.CopyLeadFactsParams{}, err
		}
	}
	return db.CopyLeadFactsParams{
		RequestedAt:    stamp(f.RequestedAt),
		ReceivedAt:     stamp(f.ReceivedAt),
		StateAt:        stamp(f.State.Value.At),
		DueAt:          stamp(f.Deadline.Value.At),
		AssignedAt:     stamp(f.AssignedAt),
		DeliveredAt:    stamp(f.DeliveredAt),
		RespondedAt:    stamp(f.RespondedAt),
		EngagedAt:      stamp(f.EngagedAt),
		WorkedAt:       stamp(f.WorkedAt),
		Events:         given.events,
		Flags:          f.Flags,
		Assignments:    f.Assignments,
		ProbabilityPpm: f.Owner.Value.ProbabilityPPM,
		Bucket:         given.id.Bucket(),
		Line:           int16(f.Line.Value),
		State:          int16(f.State.Value.State),
		Test:           f.Test,
		BadContact:     f.BadContact,
		Desk:           f.Owner.Value.Desk,
		LeadID:         uuid(given.id),
		Brand:          f.Brand,
		Source:         f.Source,
		Campaign:       f.Campaign,
		StateCode:      f.State.Value.Code,
		StateActor:     f.State.Value.Actor,
		DealerID:       f.Owner.Value.DealerID,
		DueKind:        f.Deadline.Value.Kind,
		Detail:         detail,
	}, nil
}

// updateFacts writes facts, sorted by lead, over those held that are of fewer events.
func updateFacts(ctx context.Context, q *db.Queries, facts []leadFact) error {
	if len(facts) == 0 {
		return nil
	}
	var p db.UpdateLeadFactsParams
	for i := range facts {
		r, err := writeFact(&facts[i])
		if err != nil {
			return err
		}
		p.RequestedAt = append(p.RequestedAt, r.RequestedAt)
		p.ReceivedAt = append(p.ReceivedAt, r.ReceivedAt)
		p.StateAt = append(p.StateAt, r.StateAt)
		p.DueAt = append(p.DueAt, r.DueAt)
		p.AssignedAt = append(p.AssignedAt, r.AssignedAt)
		p.DeliveredAt = append(p.DeliveredAt, r.DeliveredAt)
		p.RespondedAt = append(p.RespondedAt, r.RespondedAt)
		p.EngagedAt = append(p.EngagedAt, r.EngagedAt)
		p.WorkedAt = append(p.WorkedAt, r.WorkedAt)
		p.Events = append(p.Events, r.Events)
		p.Flags = append(p.Flags, r.Flags)
		p.Assignments = append(p.Assignments, r.Assignments)
		p.ProbabilityPpm = append(p.ProbabilityPpm, r.ProbabilityPpm)
		p.Buckets = append(p.Buckets, r.Bucket)
		p.Line = append(p.Line, r.Line)
		p.State = append(p.State, r.State)
		p.Test = append(p.Test, r.Test)
		p.BadContact = append(p.BadContact, r.BadContact)
		p.Desk = append(p.Desk, r.Desk)
		p.LeadIds = append(p.LeadIds, r.LeadID)
		p.Brand = append(p.Brand, r.Brand)
		p.Source = append(p.Source, r.Source)
		p.Campaign = append(p.Campaign, r.Campaign)
		p.StateCode = append(p.StateCode, r.StateCode)
		p.StateActor = append(p.StateActor, r.StateActor)
		p.DealerID = append(p.DealerID, r.DealerID)
		p.DueKind = append(p.DueKind, r.DueKind)
		p.Detail = append(p.Detail, r.Detail)
	}
	return q.UpdateLeadFacts(ctx, p)
}

// readFact reads what the figures need of what writeFact wrote. Which versions won is not kept:
// a fact is folded from the log, never on top of another.
func readFact(r *db.LeadFact) (projection.Fact, error) {
	var f projection.Fact
	f.RequestedAt = fromStamp(r.RequestedAt)
	f.ReceivedAt = fromStamp(r.ReceivedAt)
	f.State.Value.At = fromStamp(r.StateAt)
	f.Deadline.Value.At = fromStamp(r.DueAt)
	f.AssignedAt = fromStamp(r.AssignedAt)
	f.DeliveredAt = fromStamp(r.DeliveredAt)
	f.RespondedAt = fromStamp(r.RespondedAt)
	f.EngagedAt = fromStamp(r.EngagedAt)
	f.WorkedAt = fromStamp(r.WorkedAt)
	f.Flags = r.Flags
	f.Assignments = r.Assignments
	f.Owner.Value.ProbabilityPPM = r.ProbabilityPpm
	f.Line.Value = lead.Line(r.Line)
	f.State.Value.State = lead.State(r.State)
	f.Test = r.Test
	f.BadContact = r.BadContact
	f.Owner.Value.Desk = r.Desk
	f.Brand = r.Brand
	f.Source = r.Source
	f.Campaign = r.Campaign
	f.State.Value.Code = r.StateCode
	f.State.Value.Actor = r.StateActor
	f.Owner.Value.DealerID = r.DealerID
	f.Deadline.Value.Kind = r.DueKind
	if r.Detail != nil {
		if err := json.Unmarshal(r.Detail, &f.Detail); err != nil {
			return f, err
		}
	}
	return f, nil
}
