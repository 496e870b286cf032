package load

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/leadmesh/leadmesh/core/lead"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Past is leads that were decided over a year and what became of them, a column each.
type Past struct {
	ids      []lead.ID
	received []time.Time
	states   []int16
	closed   []*time.Time // nil: open
}

// pastChances are, in log-odds, what a request of a kind is worth; others nothing.
var pastChances = map[leadv1.RequestType]float64{
	leadv1.RequestType_REQUEST_TYPE_TEST_DRIVE: 1.5, leadv1.RequestType_REQUEST_TYPE_QUOTE: 0.7, leadv1.RequestType_REQUEST_TYPE_TRADE_VALUE: 0.3,
}

// Decided encodes n leads of a maker for COMMIT and notes what became of them. Of the person up to most
// signals are known; more of them, and some kinds of requests, make a lead likelier to be won.
func (p *Past) Decided(m *Maker, n, most int, now time.Time) ([]Frame, error) {
	r := m.random
	return encode(n, func(int) (*routingv1.DecideRequest, error) {
		l, person := m.Captured(now)
		signals := r.IntN(most + 1)
		profile, err := m.profile(now, signals)
		if err != nil {
			return nil, err
		}
		if r.IntN(4) > 0 {
			c := consent(leadv1.Purpose_PURPOSE_PROFILING)
			c.At = timestamppb.New(now.AddDate(0, -1, 0))
			l.Consents = append(l.Consents, c)
		}
		id, err := lead.ParseID(l.GetLeadId())
		if err != nil {
			return nil, fmt.Errorf("make a lead: %w", err)
		}
		odds := -3 + pastChances[l.GetRequestType()] + 2*float64(signals)/float64(max(most, 1))
		state, days := lead.StateLost, 8.0
		if r.Float64() < 1/(1+math.Exp(-odds)) {
			state, days = lead.StateWon, 40
		}
		received := now.Add(-time.Duration(r.Int64N(int64(365 * 24 * time.Hour))))
		p.ids, p.received = append(p.ids, id), append(p.received, received)
		if closed := received.Add(time.Duration(r.ExpFloat64() * days * float64(24*time.Hour))); closed.Before(now) {
			p.states, p.closed = append(p.states, int16(state)), append(p.closed, &closed)
		} else {
			p.states, p.closed = append(p.states, 0), append(p.closed, nil)
		}
		return &routingv1.DecideRequest{Mode: routingv1.DecideMode_DECIDE_MODE_COMMIT, Lead: l, PersonId: person, Profile: profile}, nil
	})
}

// Happen has the leads that were decided received and closed when they were, in the rows of Routing.
// Stores would take a year for it.
func (p *Past) Happen(ctx context.Context, db *pgx.Conn) error {
	ids := make([][16]byte, len(p.ids))
	for i, id := range p.ids {
		ids[i] = id
	}
	const became = `WITH past AS (SELECT unnest($1::uuid[]) AS lead_id, unnest($2::timestamptz[]) AS received_at, unnest($3::smallint[]) AS state, unnest($4::timestamptz[]) AS closed_at)
		UPDATE routing.decision d SET received_at = past.received_at, closed_at = past.closed_at,
			state = CASE WHEN past.closed_at IS NULL THEN d.state ELSE past.state END
		FROM past WHERE d.lead_id = past.lead_id AND d.state BETWEEN 5 AND 9`
	if _, err := db.Exec(ctx, became, ids, p.received, p.states, p.closed); err != nil {
		return fmt.Errorf("have leads come to an end: %w", err)
	}
	for _, table := range []string{"assignment", "open_interest"} {
		if _, err := db.Exec(ctx, "DELETE FROM routing."+table+" a USING routing.decision d WHERE d.lead_id = a.lead_id AND d.closed_at IS NOT NULL"); err != nil {
			return fmt.Errorf("have leads come to an end: %w", err)
		}
	}
	*p = Past{}
	return nil
}
