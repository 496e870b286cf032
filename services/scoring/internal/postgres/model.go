package postgres

import (
	"cmp"
	"context"
	"errors"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/leadmesh/leadmesh/core/lead"
	pg "github.com/leadmesh/leadmesh/services/internal/postgres"
	"github.com/leadmesh/leadmesh/services/scoring/internal/postgres/db"
)

// ModelState is how far a model is, by the numbers of leadmesh.scoring.v1.ModelState.
type ModelState int16

// The states of a model. The schema lets a line have one shadow and one active model.
const (
	ModelUnspecified ModelState = iota
	ModelDraft
	ModelValidated
	ModelShadow
	ModelActive
	ModelRetired
)

// Model is a card with how far it is.
type Model struct {
	ID         int64 // order of upload
	Revision   string
	Line       lead.Line
	State      ModelState
	Card       string // YAML
	Scorecard  string // hash of the playbook's table it was uploaded or last promoted against
	Episode    int64  // which of its times as a shadow this is; 0 before the first
	Note, By   string // of the upload
	UploadedAt time.Time
	ChangedAt  time.Time
}

// InForce is a model that scores leads, or would.
type InForce struct {
	Revision  string
	Line      lead.Line
	Shadow    bool
	Episode   int64
	Scorecard string // hash of the playbook's table it was promoted against
}

// ModelsInForce returns the active and shadow models, by line, the shadow of a line first.
func (s *Store) ModelsInForce(ctx context.Context) ([]InForce, error) {
	rows, err := s.q.ListModelsInForce(ctx)
	if err != nil {
		return nil, mapped(err)
	}
	out := make([]InForce, len(rows))
	for i, r := range rows {
		out[i] = InForce{r.Revision, lead.Line(r.Line), ModelState(r.State) == ModelShadow, r.Episode, r.Scorecard}
	}
	return out, nil
}

// Model returns a model by its whole revision.
func (s *Store) Model(ctx context.Context, revision string) (Model, error) {
	row, err := s.q.GetModel(ctx, revision)
	return modelOf(row), mappedAs("model", err)
}

// Models returns the models of some revisions, by line; one that there is not is NOT_FOUND.
func (s *Store) Models(ctx context.Context, revisions []string) ([]Model, error) {
	rows, err := s.q.ListModelCards(ctx, revisions)
	if err == nil && len(rows) < len(revisions) {
		err = pgx.ErrNoRows
	}
	return modelsOf(rows), mappedAs("model", err)
}

// FindModels returns the revisions that begin with a text, at most two of them.
func (s *Store) FindModels(ctx context.Context, beginning string) ([]string, error) {
	found, err := s.q.FindModels(ctx, beginning)
	return found, mapped(err)
}

// ModelQuery asks for a page of models.
type ModelQuery struct {
	Line   lead.Line  // unspecified: any
	State  ModelState // unspecified: any
	Before int64      // ID of the last of the page before; 0: from the latest
	Most   int32
}

// ListModels returns models, the latest uploaded first.
func (s *Store) ListModels(ctx context.Context, q ModelQuery) ([]Model, error) {
	rows, err := s.q.ListModels(ctx, cmp.Or(q.Before, math.MaxInt64), int16(q.Line), int16(q.State), q.Most)
	return modelsOf(rows), mapped(err)
}

// ModelChange is one change of a model's state.
type ModelChange struct {
	From, To ModelState
	At       time.Time
	By, Note string
	Playbook string // that was active, "" for none
}

// ModelChanges returns the history of a model, the latest first.
func (s *Store) ModelChanges(ctx context.Context, revision string) ([]ModelChange, error) {
	rows, err := s.q.ListModelChanges(ctx, revision)
	if err != nil {
		return nil, mapped(err)
	}
	out := make([]ModelChange, len(rows))
	for i, r := range rows {
		out[i] = ModelChange{ModelState(r.FromState), ModelState(r.ToState), r.ChangedAt.Time, r.ChangedBy, r.Note, r.Playbook}
	}
	return out, nil
}

// ChangeModels runs f in a transaction that no other change of models runs beside.
func (s *Store) ChangeModels(ctx context.Context, f func(tx *ModelTx) error) error {
	return mappedAs("model", pg.InTx(ctx, s.pool, pgx.TxOptions{}, func(tx pgx.Tx) error {
		q := s.q.WithTx(tx)
		if err := q.LockModels(ctx); err != nil {
			return err
		}
		return f(&ModelTx{ctx: ctx, q: q})
	}))
}

// ModelTx is a transaction that changes models. Its errors are mapped by ChangeModels.
type ModelTx struct {
	ctx context.Context
	q   *db.Queries
}

// Edit says who changes something, when, why and beside which playbook.
type Edit struct {
	At       time.Time
	By, Note string
	Playbook string
}

// Insert keeps a new model and reports whether it was new.
func (t *ModelTx) Insert(m *Model, playbook string) (inserted bool, err error) {
	n, err := t.q.InsertModel(t.ctx, db.InsertModelParams{
		Revision: m.Revision, Line: int16(m.Line), State: int16(m.State), Card: m.Card, Scorecard: m.Scorecard,
		Note: m.Note, UploadedBy: m.By, UploadedAt: stamp(m.UploadedAt),
	})
	if err != nil || n == 0 {
		return false, err
	}
	_, err = t.note(m, ModelUnspecified, Edit{m.UploadedAt, m.By, m.Note, playbook})
	return true, err
}

// note writes a row of history about the state that a model has now.
func (t *ModelTx) note(m *Model, from ModelState, e Edit) (id int64, err error) {
	return t.q.InsertModelChange(t.ctx, db.InsertModelChangeParams{
		Revision: m.Revision, Line: int16(m.Line), FromState: int16(from), ToState: int16(m.State),
		ChangedAt: stamp(e.At), ChangedBy: e.By, Note: e.Note, Playbook: e.Playbook,
	})
}

// Get returns a model as it is now.
func (t *ModelTx) Get(revision string) (Model, error) {
	row, err := t.q.GetModel(t.ctx, revision)
	return modelOf(row), err
}

// InState returns the model of a line that is shadow or active; nil when there is none.
func (t *ModelTx) InState(line lead.Line, state ModelState) (*Model, error) {
	revision, err := t.q.GetModelInState(t.ctx, int16(line), int16(state))
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	m, err := t.Get(revision)
	return &m, err
}

// Move gives a model another state, or the same anew, and notes it. Who becomes a shadow begins a new
// episode. Reign and Unreign keep the order of what scores the line.
func (t *ModelTx) Move(m *Model, to ModelState, e Edit) error {
	from := m.State
	m.State, m.ChangedAt = to, e.At
	if _, err := t.q.SetModelState(t.ctx, int16(to), stamp(e.At), m.Revision, int16(from)); err != nil {
		return err
	}
	id, err := t.note(m, from, e)
	if err != nil || to != ModelShadow {
		return err
	}
	m.Episode = id
	return t.q.SetModelEpisode(t.ctx, id, m.Revision)
}

// Rebase notes the playbook's table that a model is promoted against.
func (t *ModelTx) Rebase(m *Model, scorecard string) error {
	m.Scorecard = scorecard
	return t.q.SetModelScorecard(t.ctx, scorecard, m.Revision)
}

// Reign notes what scores a line from now on: a model, or "" for the playbook's table.
func (t *ModelTx) Reign(line lead.Line, revision string) error {
	return t.q.PushReign(t.ctx, int16(line), nullable(revision))
}

// Unreign takes the last Reign of a line back and returns what scored it before, "" for the
// playbook's table. ok is false when nothing but the playbook ever scored the line.
func (t *ModelTx) Unreign(line lead.Line) (before string, ok bool, err error) {
	rows, err := t.q.GetReigns(t.ctx, int16(line))
	if err != nil || len(rows) == 0 {
		return "", false, err
	}
	if len(rows) > 1 {
		before = rows[1].Revision.String
	}
	return before, true, t.q.DeleteReign(t.ctx, rows[0].ReignID)
}

// ShadowCount is what a shadow would have done with the leads of its line.
type ShadowCount struct {
	Decided, Shadow []int64 // leads by ten buckets of ten points
	Moves           []int64 // four stages decided times four of the shadow
}

// PutShadowCount keeps what one replica counted of an episode so far.
func (s *Store) PutShadowCount(ctx context.Context, revision string, episode int64, replica [16]byte, c ShadowCount) error {
	return mapped(s.q.PutShadowCount(ctx, uuid(replica), c.Decided, c.Shadow, c.Moves, revision, episode))
}

// ShadowCounts returns what every replica counted of a model's last episode, and when that began.
func (s *Store) ShadowCounts(ctx context.Context, m *Model) (since time.Time, counts []ShadowCount, err error) {
	at, err := s.q.GetChangeTime(ctx, m.Episode)
	if err != nil {
		return time.Time{}, nil, mapped(err)
	}
	rows, err := s.q.ListShadowCounts(ctx, m.Revision, m.Episode)
	for _, r := range rows {
		counts = append(counts, ShadowCount{r.DecidedPoints, r.ShadowPoints, r.Moves})
	}
	return at.Time, counts, mapped(err)
}

func modelOf(r db.Model) Model {
	return Model{
		ID: r.ModelID, Revision: r.Revision, Line: lead.Line(r.Line), State: ModelState(r.State), Card: r.Card, Scorecard: r.Scorecard,
		Episode: r.Episode, Note: r.Note, By: r.UploadedBy, UploadedAt: r.UploadedAt.Time, ChangedAt: r.ChangedAt.Time,
	}
}

func modelsOf(rows []db.Model) []Model {
	out := make([]Model, len(rows))
	for i, r := range rows {
		out[i] = modelOf(r)
	}
	return out
}
