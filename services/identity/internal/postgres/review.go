package postgres

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/identity/internal/postgres/db"
)

// ReviewState says what became of a pair that waits for a person. Its numbers are stored.
type ReviewState int16

// The values of ReviewState.
const (
	ReviewOpen      ReviewState = 1
	ReviewSame      ReviewState = 2 // decided
	ReviewDifferent ReviewState = 3 // decided
	ReviewJoined    ReviewState = 4 // by evidence that came later, or by way of another person
)

// Pair is two persons, the smaller identifier first.
type Pair struct{ First, Second lead.ID }

// PairOf puts two persons in order.
func PairOf(a, b lead.ID) Pair {
	if bytes.Compare(a[:], b[:]) > 0 {
		a, b = b, a
	}
	return Pair{a, b}
}

// Review is a pair of persons that may be one.
type Review struct {
	Pair
	RecordID    lead.ID // that showed it
	Weight      int32   // thousandths of a bit
	Probability int32   // parts per million
	Reasons     string
}

// Decision is what somebody decided about a person and another one, as they are today.
type Decision struct {
	PersonID, OtherID lead.ID
	Same              bool
	DecidedAt         time.Time
	By, Why           string // of DecisionsAbout only
}

// DecisionsAbout returns everything that people decided about persons, about each pair as it was
// then.
func (t *Tx) DecisionsAbout(ctx context.Context, persons []lead.ID) ([]Decision, error) {
	rows, err := t.q.DecisionsAbout(ctx, bucketsOf(persons), uuids(persons))
	if err != nil {
		return nil, err
	}
	out := make([]Decision, len(rows))
	for i, r := range rows {
		out[i] = Decision{
			PersonID: r.PersonID.Bytes, OtherID: r.OtherID.Bytes, Same: r.Same, DecidedAt: r.DecidedAt.Time, By: r.DecidedBy, Why: r.Why,
		}
	}
	return out, nil
}

// Decisions returns the latest decisions about each pair that persons, or those joined into them,
// are part of.
func (t *Tx) Decisions(ctx context.Context, persons []lead.ID) ([]Decision, error) {
	if len(persons) == 0 {
		return nil, nil
	}
	rows, err := t.q.Decisions(ctx, bucketsOf(persons), uuids(persons))
	if err != nil {
		return nil, err
	}
	out := make([]Decision, len(rows))
	for i, r := range rows {
		out[i] = Decision{PersonID: r.PersonID.Bytes, OtherID: r.OtherID.Bytes, Same: r.Same, DecidedAt: r.DecidedAt.Time}
	}
	return out, nil
}

// Decide remembers for ever what somebody decided about two persons. Whoever decides holds the rows
// of both (LockPersons), so that no resolving joins them meanwhile.
func (t *Tx) Decide(ctx context.Context, p Pair, same bool, by, why string, at time.Time) error {
	return t.later.InsertDecisions(ctx, db.InsertDecisionsParams{
		Buckets: bucketsOf([]lead.ID{p.First, p.Second}), PersonIds: uuids([]lead.ID{p.First, p.Second}),
		OtherBuckets: bucketsOf([]lead.ID{p.Second, p.First}), OtherIds: uuids([]lead.ID{p.Second, p.First}),
		At: timestamp(at), Same: same, DecidedBy: by, Why: why,
	})
}

// OpenReviews returns how many pairs wait for a person.
func (t *Tx) OpenReviews(ctx context.Context) (int64, error) { return t.q.OpenReviews(ctx) }

// Parameters returns the active revision of the matching parameters and its text; ok is false when
// there is none.
func (t *Tx) Parameters(ctx context.Context) (revision, body string, ok bool, err error) {
	r, err := t.q.ActiveParameters(ctx)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", "", false, nil
	}
	return r.Revision, r.Body, err == nil, err
}

// AskFor puts pairs into the queue, weighed by a revision of the parameters.
func (t *Tx) AskFor(ctx context.Context, pairs []Review, revision string, at time.Time) error {
	return t.reviews(ctx, &Changes{Reviews: pairs, Revision: revision, At: at})
}

func (t *Tx) reviews(ctx context.Context, c *Changes) error {
	n := len(c.Reviews)
	if n == 0 {
		return nil
	}
	p := db.InsertReviewsParams{At: timestamp(c.At), Parameters: c.Revision}
	first, second, records := make([]lead.ID, n), make([]lead.ID, n), make([]pgtype.UUID, n)
	for i, r := range c.Reviews {
		first[i], second[i], records[i] = r.First, r.Second, uuid(r.RecordID)
		p.Weights = append(p.Weights, r.Weight)
		p.Probabilities = append(p.Probabilities, r.Probability)
		p.Reasons = append(p.Reasons, r.Reasons)
	}
	p.Buckets, p.FirstIds, p.SecondIds, p.RecordIds = bucketsOf(first), uuids(first), uuids(second), records
	return t.later.InsertReviews(ctx, p)
}
