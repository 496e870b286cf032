package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/leadmesh/leadmesh/core/lead"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"github.com/leadmesh/leadmesh/services/identity/internal/postgres/db"
	"github.com/leadmesh/leadmesh/services/internal/problem"
)

// ReclusterState is how far a re-clustering is. Its numbers are stored.
type ReclusterState int16

// The values of ReclusterState.
const (
	ReclusterReporting ReclusterState = 1
	ReclusterReported  ReclusterState = 2
	ReclusterApplying  ReclusterState = 3
	ReclusterApplied   ReclusterState = 4
	ReclusterCancelled ReclusterState = 5
)

// StepKind is what a step of a re-clustering does. Its numbers are stored.
type StepKind int16

// The values of StepKind.
const (
	StepJoin   StepKind = 1
	StepLeave  StepKind = 2
	StepReview StepKind = 3
)

// Recluster is what a revision of the parameters would make of the persons known.
type Recluster struct {
	ID                                      lead.ID
	Revision, StartedBy, Note               string
	State                                   ReclusterState
	StartedAt, UpdatedAt                    time.Time
	NextBucket                              int16 // persons up to here were looked at
	NextPerson                              lead.ID
	Persons, Added, Removed, Moved, Reviews int64
	Digest                                  string // of the steps so far
	Steps, NextStep, Applied, Skipped       int64
	AppliedBy                               string
}

// Step is one change of a re-clustering.
type Step struct {
	Number            int64
	Kind              StepKind
	PersonID, OtherID lead.ID   // OtherID of a pair
	RecordIDs         []lead.ID // that leave
	Possible          bool      // who leaves may still be the same person
	Weight            int32
	Reasons           string
}

// Within runs fn in the transaction itself, after everything that waits.
func (t *Tx) Within(ctx context.Context, fn func(pgx.Tx) error) error {
	if err := t.pipe.Flush(ctx); err != nil {
		return err
	}
	return fn(t.raw)
}

// errAtWork refuses a second re-clustering beside one that is at work.
var errAtWork = problem.New(problemv1.Reason_REASON_WRONG_STATE, "another re-clustering is at work; wait for it or cancel it: GET /v1/reclusterings")

// StartRecluster keeps a new re-clustering; there may be one at work only.
func (t *Tx) StartRecluster(ctx context.Context, r *Recluster) error {
	n, err := t.q.ReclustersAtWork(ctx)
	if err != nil {
		return err
	}
	if n > 0 {
		return errAtWork
	}
	return t.q.InsertRecluster(ctx, uuid(r.ID), r.Revision, r.StartedBy, r.Note, timestamp(r.StartedAt))
}

// Recluster returns one re-clustering, held until the end of the transaction if asked for.
func (t *Tx) Recluster(ctx context.Context, id lead.ID, hold bool) (*Recluster, error) {
	read := t.q.Recluster
	if hold {
		read = t.q.LockRecluster
	}
	r, err := read(ctx, uuid(id))
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, problem.NotFound("re-clustering")
	}
	return recluster(&r), err
}

// Reclusters returns the latest, the latest first.
func (t *Tx) Reclusters(ctx context.Context, most int) ([]*Recluster, error) {
	rows, err := t.q.Reclusters(ctx, int32(most))
	if err != nil {
		return nil, err
	}
	out := make([]*Recluster, len(rows))
	for i := range rows {
		out[i] = recluster(&rows[i])
	}
	return out, nil
}

func recluster(r *db.Recluster) *Recluster {
	return &Recluster{
		ID: r.ReclusterID.Bytes, Revision: r.Revision, StartedBy: r.StartedBy, Note: r.Note, State: ReclusterState(r.State),
		StartedAt: r.StartedAt.Time, UpdatedAt: r.UpdatedAt.Time, NextBucket: r.NextBucket, NextPerson: r.NextPerson.Bytes,
		Persons: r.Persons, Added: r.Added, Removed: r.Removed, Moved: r.Moved, Reviews: r.Reviews, Digest: r.Digest,
		Steps: r.Steps, NextStep: r.NextStep, Applied: r.Applied, Skipped: r.Skipped, AppliedBy: r.AppliedBy,
	}
}

// SaveRecluster writes how far a re-clustering is.
func (t *Tx) SaveRecluster(ctx context.Context, r *Recluster) error {
	return t.later.UpdateRecluster(ctx, db.UpdateReclusterParams{
		ReclusterID: uuid(r.ID), State: int16(r.State), At: timestamp(r.UpdatedAt), NextBucket: r.NextBucket, NextPerson: uuid(r.NextPerson),
		Persons: r.Persons, Added: r.Added, Removed: r.Removed, Moved: r.Moved, Reviews: r.Reviews, Digest: r.Digest,
		Steps: r.Steps, NextStep: r.NextStep, Applied: r.Applied, Skipped: r.Skipped, AppliedBy: r.AppliedBy,
	})
}

// AddStep keeps a step of a report.
func (t *Tx) AddStep(ctx context.Context, id lead.ID, s *Step) error {
	return t.later.InsertReclusterStep(ctx, db.InsertReclusterStepParams{
		ReclusterID: uuid(id), Step: s.Number, Kind: int16(s.Kind), PersonID: uuid(s.PersonID), OtherID: uuidOrNull(s.OtherID),
		RecordIds: uuids(s.RecordIDs), Possible: s.Possible, Weight: s.Weight, Reasons: s.Reasons,
	})
}

// Steps returns steps in order.
func (t *Tx) Steps(ctx context.Context, id lead.ID, from int64, most int) ([]Step, error) {
	return steps(t.q.ReclusterSteps(ctx, uuid(id), from, int32(most)))
}

// SampleSteps returns the first steps of each kind.
func (t *Tx) SampleSteps(ctx context.Context, id lead.ID, most int) ([]Step, error) {
	return steps(t.q.ReclusterSample(ctx, uuid(id), int32(most)))
}

func steps(rows []db.ReclusterStep, err error) ([]Step, error) {
	if err != nil {
		return nil, err
	}
	out := make([]Step, len(rows))
	for i, r := range rows {
		out[i] = Step{
			Number: r.Step, Kind: StepKind(r.Kind), PersonID: r.PersonID.Bytes, OtherID: r.OtherID.Bytes, Possible: r.Possible,
			Weight: r.Weight, Reasons: r.Reasons,
		}
		for _, id := range r.RecordIds {
			out[i].RecordIDs = append(out[i].RecordIDs, id.Bytes)
		}
	}
	return out, nil
}

// PersonsAfter returns persons that stand, bucket by bucket.
func (t *Tx) PersonsAfter(ctx context.Context, bucket int16, id lead.ID, most int) ([]Person, error) {
	rows, err := t.q.PersonsAfter(ctx, bucket, uuid(id), int32(most))
	return personsOf(rows), err
}

// Persons returns the rows of persons in no order.
func (t *Tx) Persons(ctx context.Context, ids []lead.ID) ([]Person, error) {
	rows, err := t.q.PersonsByID(ctx, bucketsOf(ids), uuids(ids))
	return personsOf(rows), err
}
