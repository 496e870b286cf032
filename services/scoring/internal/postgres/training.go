package postgres

import (
	"cmp"
	"context"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/scoring/internal/postgres/db"
)

// TrainingStep is what a training is at, by the numbers of leadmesh.scoring.v1.TrainingStep.
type TrainingStep int16

// The steps of a training.
const (
	TrainingNowhere TrainingStep = iota
	TrainingReading
	TrainingLearning
)

const oneTraining = "training_at_work" // the index that lets one run

// Training is a points table being learned from leads decided in the past.
type Training struct {
	Run
	Line     lead.Line
	Playbook string    // whose table of the line it starts from
	Deciding string    // the model that scored the line when it began, "" for the playbook's table
	From, To time.Time // of receipt
	// Recalibrate keeps the points of what scored the line and finds only its chances anew.
	Recalibrate bool
	Step        TrainingStep // whose progress it is
	StartedAt   time.Time
	Leads       int64
	Revision    string // of the model that came out, "" for none
}

// StartTraining keeps a new training; then runs in the same transaction. The problem WRONG_STATE if one
// is running.
func (s *Store) StartTraining(ctx context.Context, t *Training, then func(pgx.Tx) error) error {
	return s.start(ctx, "training", oneTraining, func(q *db.Queries) error {
		return q.InsertTraining(ctx, db.InsertTrainingParams{
			TrainingID: uuid(t.ID), Line: int16(t.Line), Playbook: t.Playbook, Deciding: nullable(t.Deciding), FromAt: stamp(t.From), ToAt: stamp(t.To),
			Note: t.Note, StartedBy: t.By, StartedAt: stamp(t.StartedAt), Recalibrate: t.Recalibrate,
		})
	}, then)
}

// Training returns one as it is now.
func (s *Store) Training(ctx context.Context, id lead.ID) (*Training, error) {
	row, err := s.q.GetTraining(ctx, uuid(id))
	return trainingOf(&row), mappedAs("training", err)
}

// TrainingQuery asks for a page of trainings.
type TrainingQuery struct {
	Line   lead.Line // unspecified: any
	Before int64     // Sequence of the last of the page before; 0: from the latest
	Most   int32
}

// ListTrainings returns trainings, the latest begun first.
func (s *Store) ListTrainings(ctx context.Context, q TrainingQuery) ([]*Training, error) {
	rows, err := s.q.ListTrainings(ctx, cmp.Or(q.Before, math.MaxInt64), int16(q.Line), q.Most)
	return all(rows, trainingOf), mapped(err)
}

// TrainingChange is what is kept with a change of a training.
type TrainingChange struct {
	Part  []byte // leads that were read; nil: none
	Model *Model // that came out; nil: none. One that is there already stays as it is.
}

// ChangeTraining changes one while nobody else does, and keeps what change answers. What change does
// not want is left as it is: it answers nil. The parts of one that does not run any more are removed.
func (s *Store) ChangeTraining(ctx context.Context, id lead.ID, change func(t *Training) (*TrainingChange, error)) (*Training, error) {
	return changeRun(ctx, s, "training", func(q *db.Queries) (*Training, error) {
		row, err := q.LockTraining(ctx, uuid(id))
		return trainingOf(&row), err
	}, change, func(_ pgx.Tx, q *db.Queries, t *Training, c *TrainingChange) error {
		if len(c.Part) > 0 {
			if err := q.InsertTrainingPart(ctx, uuid(id), c.Part); err != nil {
				return err
			}
		}
		if t.State != Running {
			if err := q.DeleteTrainingParts(ctx, uuid(id)); err != nil {
				return err
			}
		}
		if c.Model != nil {
			if err := q.LockModels(ctx); err != nil {
				return err
			}
			if _, err := (&ModelTx{ctx: ctx, q: q}).Insert(c.Model, t.Playbook); err != nil {
				return err
			}
			t.Revision = c.Model.Revision
		}
		return q.UpdateTraining(ctx, db.UpdateTrainingParams{
			TrainingID: uuid(id), State: int16(t.State), Step: int16(t.Step), UpdatedAt: stamp(t.UpdatedAt), NextPage: t.NextPage,
			Progress: t.Progress, Leads: t.Leads, Problem: t.Problem, Revision: nullable(t.Revision), Report: t.Report,
		})
	})
}

// TrainingParts hands over the leads that were read, in the order they came.
func (s *Store) TrainingParts(ctx context.Context, id lead.ID, take func(part []byte) error) error {
	return eachPart(func(after int64) ([]db.ListTrainingPartsRow, error) {
		return s.q.ListTrainingParts(ctx, uuid(id), after, partsAtOnce)
	}, take)
}

// TouchTraining notes that somebody works on a training.
func (s *Store) TouchTraining(ctx context.Context, id lead.ID, at time.Time) error {
	return mapped(s.q.TouchTraining(ctx, stamp(at), uuid(id)))
}

// TakeStalledTraining has the running training worked on again if nobody gave a sign of life since a
// time.
func (s *Store) TakeStalledTraining(ctx context.Context, before, now time.Time, enqueue func(tx pgx.Tx, id lead.ID) error) error {
	return s.takeStalled(ctx, enqueue, func(q *db.Queries) ([]pgtype.UUID, error) {
		return q.TakeStalledTraining(ctx, stamp(now), stamp(before))
	})
}

func trainingOf(r *db.Training) *Training {
	return &Training{
		Run: Run{
			ID: r.TrainingID.Bytes, Sequence: r.Sequence, State: RunState(r.State), Note: r.Note, By: r.StartedBy, UpdatedAt: r.UpdatedAt.Time,
			NextPage: r.NextPage, Progress: r.Progress, Problem: r.Problem, Report: r.Report,
		},
		Line: lead.Line(r.Line), Playbook: r.Playbook, Deciding: r.Deciding.String, From: r.FromAt.Time, To: r.ToAt.Time, Recalibrate: r.Recalibrate,
		Step: TrainingStep(r.Step), StartedAt: r.StartedAt.Time, Leads: r.Leads, Revision: r.Revision.String,
	}
}

// nullable is a text, NULL where it is empty.
func nullable(text string) pgtype.Text { return pgtype.Text{String: text, Valid: text != ""} }
