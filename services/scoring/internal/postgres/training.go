package postgres

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/leadmesh/leadmesh/core/lead"
	pg "github.com/leadmesh/leadmesh/services/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/scoring/internal/postgres/db"
)

// TrainingState is how far a training is, by the numbers of leadmesh.scoring.v1.TrainingState.
type TrainingState int16

// The states of a training. The schema lets one run at a time.
const (
	TrainingUnspecified TrainingState = iota
	TrainingRunning
	TrainingDone
	TrainingCancelled
	TrainingFailed
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
	ID       lead.ID
	Sequence int64 // order of beginning
	Line     lead.Line
	Playbook string    // whose table of the line it starts from
	Deciding string    // the model that scored the line when it began, "" for the playbook's table
	From, To time.Time // of receipt
	// Recalibrate keeps the points of what scored the line and finds only its chances anew.
	Recalibrate bool
	State       TrainingState
	Step        TrainingStep
	Note, By    string
	StartedAt   time.Time
	UpdatedAt   time.Time
	NextPage    string // Routing's token of the page to read next
	Progress    int32  // of the step, millionths
	Leads       int64
	Problem     string
	Revision    string // of the model that came out, "" for none
	Report      []byte // leadmesh.scoring.v1.TrainingReport; nil until it is done
}

// StartTraining keeps a new training; then runs in the same transaction. The problem WRONG_STATE if one
// is running.
func (s *Store) StartTraining(ctx context.Context, t *Training, then func(pgx.Tx) error) error {
	err := pg.InTx(ctx, s.pool, pgx.TxOptions{}, func(tx pgx.Tx) error {
		err := s.q.WithTx(tx).InsertTraining(ctx, db.InsertTrainingParams{
			TrainingID: uuid(t.ID), Line: int16(t.Line), Playbook: t.Playbook, Deciding: nullable(t.Deciding), FromAt: stamp(t.From), ToAt: stamp(t.To),
			Note: t.Note, StartedBy: t.By, StartedAt: stamp(t.StartedAt), Recalibrate: t.Recalibrate,
		})
		if err != nil {
			return err
		}
		return then(tx)
	})
	return oneAtWork(err, oneTraining, "training")
}

// Training returns one as it is now.
func (s *Store) Training(ctx context.Context, id lead.ID) (*Training, error) {
	row, err := s.q.GetTraining(ctx, uuid(id))
	return trainingOf(&row), mappedTraining(err)
}

// TrainingQuery asks for a page of trainings.
type TrainingQuery struct {
	Line   lead.Line // unspecified: any
	Before int64     // Sequence of the last of the page before; 0: from the latest
	Most   int32
}

// ListTrainings returns trainings, the latest begun first.
func (s *Store) ListTrainings(ctx context.Context, q TrainingQuery) ([]*Training, error) {
	if q.Before == 0 {
		q.Before = math.MaxInt64
	}
	rows, err := s.q.ListTrainings(ctx, q.Before, int16(q.Line), q.Most)
	out := make([]*Training, len(rows))
	for i := range rows {
		out[i] = trainingOf(&rows[i])
	}
	return out, mapped(err)
}

// TrainingChange is what is kept with a change of a training.
type TrainingChange struct {
	Part  []byte // leads that were read; nil: none
	Model *Model // that came out; nil: none. One that is there already stays as it is.
}

// ChangeTraining changes one while nobody else does, and keeps what change answers. What change does
// not want is left as it is: it answers nil. The parts of one that does not run any more are removed.
func (s *Store) ChangeTraining(ctx context.Context, id lead.ID, change func(t *Training) (*TrainingChange, error)) (*Training, error) {
	var t *Training
	err := pg.InTx(ctx, s.pool, pgx.TxOptions{}, func(tx pgx.Tx) error {
		q := s.q.WithTx(tx)
		row, err := q.LockTraining(ctx, uuid(id))
		if err != nil {
			return err
		}
		t = trainingOf(&row)
		c, err := change(t)
		if err != nil || c == nil {
			return err
		}
		if len(c.Part) > 0 {
			if err := q.InsertTrainingPart(ctx, uuid(id), c.Part); err != nil {
				return err
			}
		}
		if t.State != TrainingRunning {
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
	return t, mappedTraining(err)
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
		ID: r.TrainingID.Bytes, Sequence: r.Sequence, Line: lead.Line(r.Line), Playbook: r.Playbook, Deciding: r.Deciding.String,
		From: r.FromAt.Time, To: r.ToAt.Time, State: TrainingState(r.State), Step: TrainingStep(r.Step), Note: r.Note, By: r.StartedBy,
		StartedAt: r.StartedAt.Time, UpdatedAt: r.UpdatedAt.Time, NextPage: r.NextPage, Progress: r.Progress, Leads: r.Leads,
		Problem: r.Problem, Revision: r.Revision.String, Report: r.Report, Recalibrate: r.Recalibrate,
	}
}

// nullable is a text, NULL where it is empty.
func nullable(text string) pgtype.Text { return pgtype.Text{String: text, Valid: text != ""} }

func mappedTraining(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return problem.NotFound("training")
	}
	return mapped(err)
}
