package postgres

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5/pgtype"
	pg "github.com/leadmesh/leadmesh/services/internal/postgres"
)

// copyDecisions stores decisions, with what they are encoded to.
func (c *commit) copyDecisions(ctx context.Context, order []*Proposal, decisions [][]byte) error {
	err := c.pipe.Copy(ctx, "decision", len(order),
		pg.Col("bucket", func(i int) int16 { return order[i].Case.LeadID.Bucket() }),
		pg.Col("lead_id", func(i int) pgtype.UUID { return uuid(order[i].Case.LeadID) }),
		pg.Col("lead_version", func(int) int64 { return 1 }),
		pg.Col("state", func(i int) int16 { return int16(order[i].Case.State) }),
		pg.Col("person_id", func(i int) pgtype.UUID { return uuid(order[i].Case.PersonID) }),
		pg.Col("brand", func(i int) string { return order[i].Case.Brand }),
		pg.Col("line", func(i int) int16 { return int16(order[i].Case.Line) }),
		pg.Col("test", func(i int) bool { return order[i].Case.Test }),
		pg.Col("chosen", func(i int) bool { return order[i].Case.Chosen }),
		pg.Col("attempt", func(i int) int32 { return int32(order[i].Case.Attempt) }),
		pg.Col("dealer_id", func(i int) string { return order[i].Case.DealerID }),
		pg.Col("merged_into", func(i int) pgtype.UUID { return uuid(order[i].Case.MergedInto) }),
		pg.Col("park_reason", func(i int) int16 { return int16(order[i].Case.Parking.Reason) }),
		pg.Col("park_owner", func(i int) string { return order[i].Case.Parking.Owner }),
		pg.Col("review_at", func(i int) pgtype.Timestamptz { return stamp(order[i].Case.Parking.ReviewAt) }),
		pg.Col("closed_at", func(i int) pgtype.Timestamptz { return stamp(order[i].Case.ClosedAt) }),
		pg.Col("returned_from", func(i int) pgtype.UUID { return uuid(order[i].Case.ReturnedFrom) }),
		pg.Col("received_at", func(i int) pgtype.Timestamptz { return stamp(order[i].Case.ReceivedAt) }),
		pg.Col("decided_at", func(i int) pgtype.Timestamptz { return stamp(order[i].Case.DecidedAt) }),
		pg.Col("playbook", func(i int) string { return order[i].Case.Playbook }),
		pg.Col("traceparent", func(i int) string { return order[i].Case.Traceparent }),
		pg.Col("lead", func(i int) []byte { return order[i].Lead }),
		pg.Col("profile", func(i int) []byte { return notNil(order[i].Case.Profile) }),
		pg.Col("decision", func(i int) []byte { return decisions[i] }),
	)
	if err != nil {
		return err
	}
	return c.pipe.Copy(ctx, "receipt", len(order),
		pg.Col("bucket", func(i int) int16 { return order[i].Case.LeadID.Bucket() }),
		pg.Col("lead_id", func(i int) pgtype.UUID { return uuid(order[i].Case.LeadID) }),
		pg.Col("attempt", func(i int) int32 { return int32(order[i].Case.Attempt) }),
		pg.Col("canonical", func(i int) []byte { return order[i].Receipt }),
	)
}

// copyAssignments stores the owners of cases.
func (c *commit) copyAssignments(ctx context.Context, owned []*Case) error {
	facts := make([][]byte, len(owned))
	for i, k := range owned {
		var err error
		if facts[i], err = json.Marshal(&k.Owner.Grant); err != nil {
			return fmt.Errorf("encode the grant's facts: %w", err)
		}
	}
	return c.pipe.Copy(ctx, "assignment", len(owned),
		pg.Col("bucket", func(i int) int16 { return owned[i].LeadID.Bucket() }),
		pg.Col("lead_id", func(i int) pgtype.UUID { return uuid(owned[i].LeadID) }),
		pg.Col("sequence", func(i int) int32 { return int32(owned[i].Owner.Sequence) }),
		pg.Col("attempt", func(i int) int32 { return int32(owned[i].Owner.Attempt) }),
		pg.Col("dealer_id", func(i int) string { return owned[i].Owner.DealerID }),
		pg.Col("department", func(i int) int16 { return int16(owned[i].Owner.Department) }),
		pg.Col("role", func(i int) int16 { return int16(owned[i].Owner.Role) }),
		pg.Col("person_id", func(i int) string { return owned[i].Owner.PersonID }),
		pg.Col("assigned_at", func(i int) pgtype.Timestamptz { return stamp(owned[i].Owner.AssignedAt) }),
		pg.Col("delivered_at", func(i int) pgtype.Timestamptz { return stamp(owned[i].Owner.DeliveredAt) }),
		pg.Col("next_deadline", func(i int) pgtype.Timestamptz { return stamp(owned[i].Owner.Deadline.At) }),
		pg.Col("deadline_kind", func(i int) int16 { return int16(owned[i].Owner.Deadline.Kind) }),
		pg.Col("clock", func(i int) []byte { return marshalClock(owned[i].Owner) }),
		pg.Col("grant_facts", func(i int) []byte { return facts[i] }),
	)
}

// notNil keeps what is not known from being written as NULL.
func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
