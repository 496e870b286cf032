package postgres

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/identity/internal/postgres/db"
	"github.com/leadmesh/leadmesh/services/internal/problem"
)

// QueuedReview is a pair as it stands in the queue.
type QueuedReview struct {
	Review
	Parameters          string // revision it was weighed by
	State               ReviewState
	CreatedAt, ClosedAt time.Time
}

// ReviewPage says which pairs of the queue to read.
type ReviewPage struct {
	State   ReviewState
	After   time.Time // of the last pair read, with it
	Last    Pair
	Persons []lead.ID // any of them; none: everybody's
	Most    int
}

// Reviews returns a page of pairs, those that wait longest first.
func (t *Tx) Reviews(ctx context.Context, p ReviewPage) ([]QueuedReview, error) {
	rows, err := t.q.ListReviews(ctx, int16(p.State), timestamp(p.After), uuid(p.Last.First), uuid(p.Last.Second), uuids(p.Persons), int32(p.Most))
	if err != nil {
		return nil, err
	}
	out := make([]QueuedReview, len(rows))
	for i, r := range rows {
		out[i] = queued(db.ReviewRow(r))
	}
	return out, nil
}

// Review returns one pair.
func (t *Tx) Review(ctx context.Context, p Pair) (QueuedReview, error) {
	r, err := t.q.Review(ctx, p.First.Bucket(), uuid(p.First), uuid(p.Second))
	if errors.Is(err, pgx.ErrNoRows) {
		return QueuedReview{}, problem.NotFound("review")
	}
	return queued(r), err
}

func queued(r db.ReviewRow) QueuedReview {
	return QueuedReview{
		Review: Review{
			Pair: Pair{First: r.FirstID.Bytes, Second: r.SecondID.Bytes}, RecordID: r.RecordID.Bytes,
			Weight: r.Weight, Probability: r.Probability, Reasons: r.Reasons,
		},
		Parameters: r.Parameters, State: ReviewState(r.State), CreatedAt: r.CreatedAt.Time, ClosedAt: r.ClosedAt.Time,
	}
}

// CloseReviews settles a pair, and every open one between the persons of both sides.
func (t *Tx) CloseReviews(ctx context.Context, p Pair, one, other []lead.ID, state ReviewState, at time.Time) error {
	all := slices.Concat(one, other, []lead.ID{p.First, p.Second})
	for _, side := range [2][2][]lead.ID{{one, other}, {other, one}} {
		err := t.later.DecideReviews(ctx, db.DecideReviewsParams{
			State: int16(state), At: timestamp(at), Ones: uuids(slices.Concat(side[0], []lead.ID{p.First})),
			Others: uuids(slices.Concat(side[1], []lead.ID{p.Second})), Buckets: bucketsOf(all), FirstID: uuid(p.First), SecondID: uuid(p.Second),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Parameters is a revision of the matching parameters.
type Parameters struct {
	Revision, Body, Why, By string
	At                      time.Time
	Active                  bool
}

// KeepParameters keeps a revision; one that is held already stays as it is.
func (t *Tx) KeepParameters(ctx context.Context, p Parameters) error {
	return t.q.InsertParameters(ctx, p.Revision, p.Body, p.Why, p.By, timestamp(p.At))
}

// AllParameters returns the latest revisions, the latest first.
func (t *Tx) AllParameters(ctx context.Context, most int) ([]Parameters, error) {
	rows, err := t.q.AllParameters(ctx, int32(most))
	if err != nil {
		return nil, err
	}
	out := make([]Parameters, len(rows))
	for i, r := range rows {
		out[i] = Parameters{r.Revision, r.Body, r.Why, r.UploadedBy, r.UploadedAt.Time, r.Active}
	}
	return out, nil
}

// Revision returns one revision.
func (t *Tx) Revision(ctx context.Context, revision string) (Parameters, error) {
	r, err := t.q.OneParameters(ctx, revision)
	if errors.Is(err, pgx.ErrNoRows) {
		return Parameters{}, problem.NotFound("revision of parameters")
	}
	return Parameters{r.Revision, r.Body, r.Why, r.UploadedBy, r.UploadedAt.Time, r.Active}, err
}

// Activate makes a revision the active one; none if it is held nowhere.
func (t *Tx) Activate(ctx context.Context, revision string) (found bool, err error) {
	if err := t.q.DeactivateParameters(ctx, revision); err != nil {
		return false, err
	}
	n, err := t.q.ActivateParameters(ctx, revision)
	return n > 0, err
}
