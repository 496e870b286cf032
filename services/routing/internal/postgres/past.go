package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/sla"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres/db"
)

// Past is an owner that a lead has had before.
type Past struct {
	Assignment // without delivery, deadline and offer: they ended with it
	Ending
}

// Past reads the earlier owners of a lead, the first one first.
func (c *Change) Past(id lead.ID) ([]Past, error) { return past(c.ctx, c.q, id) }

// Past reads the earlier owners of a lead, the first one first.
func (s *Store) Past(ctx context.Context, id lead.ID) ([]Past, error) {
	list, err := past(ctx, s.q, id)
	return list, edge("read past owners", err)
}

func past(ctx context.Context, q *db.Queries, id lead.ID) ([]Past, error) {
	rows, err := q.PastAssignments(ctx, id.Bucket(), uuid(id))
	if err != nil {
		return nil, err
	}
	out := make([]Past, 0, len(rows))
	for i := range rows {
		row := &rows[i]
		clock, err := sla.UnmarshalState(row.Clock)
		if err != nil {
			return nil, err
		}
		p := Past{
			Assignment: Assignment{
				Sequence: int(row.Sequence), DealerID: row.DealerID, Department: lead.Department(row.Department), Role: lead.Role(row.Role),
				PersonID: row.PersonID, AssignedAt: row.AssignedAt.Time, DeliveredAt: clock.DeliveredAt, Clock: clock,
			},
			Ending: Ending{By: row.EndedBy, Code: row.Code, At: row.EndedAt.Time},
		}
		if err := json.Unmarshal(row.GrantFacts, &p.Grant); err != nil {
			return nil, fmt.Errorf("decode the grant's facts: %w", err)
		}
		out = append(out, p)
	}
	return out, nil
}

// SavePast writes the clock of an earlier owner and the code of its end: a late report can tell
// more about a lead that is closed.
func (c *Change) SavePast(id lead.ID, p *Past) error {
	return c.q.UpdatePastClock(c.ctx, db.UpdatePastClockParams{
		Clock: sla.MarshalState(p.Clock), Code: p.Code, Bucket: id.Bucket(), LeadID: uuid(id), Sequence: int32(p.Sequence),
	})
}

// Seen is what a dealer's department was given and what of it showed a sign of life.
type Seen struct {
	DealerID            string
	Department          lead.Department
	Leads, WithEvidence int
}

// Evidence counts the leads given to each department from since to until, and those of them about
// which the store has reported anything.
func (s *Store) Evidence(ctx context.Context, since, until time.Time) ([]Seen, error) {
	rows, err := s.q.Evidence(ctx, stamp(since), stamp(until))
	if err != nil {
		return nil, edge("count evidence", err)
	}
	out := make([]Seen, 0, len(rows))
	for _, row := range rows {
		out = append(out, Seen{row.DealerID, lead.Department(row.Department), int(row.Leads), int(row.WithEvidence)})
	}
	return out, nil
}

// SaveLead writes the lead of a case anew, with what was learned of its customer since.
func (c *Change) SaveLead(k *Case) error {
	return c.q.SetDecisionLead(c.ctx, c.s.codec.Pack(k.Lead), k.LeadID.Bucket(), uuid(k.LeadID))
}
