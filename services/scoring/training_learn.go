package scoring

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/playbook"
	"github.com/leadmesh/leadmesh/core/scoring/card"
	"github.com/leadmesh/leadmesh/core/scoring/train"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	store "github.com/leadmesh/leadmesh/services/scoring/internal/postgres"
	"google.golang.org/protobuf/proto"
)

const (
	// trainingSeed is the seed of every training: the same leads give the same table.
	trainingSeed = 1
	// mostPairs is how many pairs of features a training may learn.
	mostPairs = 4
	// trainingBeat is how often a training that learns gives a sign of life and looks whether it was
	// cancelled.
	trainingBeat = 2 * time.Second
)

// learn learns from the leads that a training read, and keeps what comes out.
func (s *Service) learn(ctx context.Context, t *store.Training) error {
	own, _, err := s.compose(ctx, t.Playbook, "")
	if errors.Is(err, errUnfit) {
		return s.trainings.fail(ctx, t.ID, "the playbook it started from does not compile in this version")
	}
	if err != nil {
		return err
	}
	g, err := s.gather(ctx, t.ID)
	if err != nil {
		return err
	}
	x, err := s.findOut(ctx, t, own, g)
	var hopeless *hopelessError
	switch {
	case errors.Is(err, train.ErrCancelled):
		return ctx.Err() // nil: the training was cancelled or is another's
	case errors.As(err, &hopeless):
		return s.trainings.fail(ctx, t.ID, hopeless.why)
	case err != nil:
		return err
	}
	report := reportOf(t, g, x.card, x.report, x.words)
	model, err := s.modelOf(t, own, x.card)
	if err != nil {
		return s.trainings.fail(ctx, t.ID, "what was learned makes no model: "+err.Error())
	}
	if x.report.Nothing {
		model = nil
	}
	raw, err := proto.Marshal(report)
	if err != nil {
		return err
	}
	_, err = s.store.ChangeTraining(ctx, t.ID, func(now *store.Training) (*store.TrainingChange, error) {
		if now.State != store.Running {
			return nil, nil
		}
		now.State, now.Report, now.UpdatedAt = store.Done, append([]byte{}, raw...), s.now()
		return &store.TrainingChange{Model: model}, nil
	})
	return err
}

// finding is what a training came to.
type finding struct {
	card   *card.Card
	report *train.Report
	words  words
}

// hopelessError is why a training can not be done, however often it is tried.
type hopelessError struct{ why string }

func (e *hopelessError) Error() string { return e.why }

func (s *Service) findOut(ctx context.Context, t *store.Training, own *playbook.Playbook, g *gathered) (*finding, error) {
	prior, problems := card.FromLine(t.Line.String(), own.Scorecards.Lines[t.Line.String()])
	if prior == nil {
		return nil, &hopelessError{"the playbook's table of the line makes no card to start from: " + problems[0].Error()}
	}
	prior.Thresholds = nil // stages and trigger stay the playbook's
	if t.Recalibrate {
		return s.findChances(ctx, t, prior, g)
	}
	return s.findPoints(ctx, t, own, prior, g)
}

// findPoints learns a table, starting from the playbook's.
func (s *Service) findPoints(ctx context.Context, t *store.Training, own *playbook.Playbook, prior *card.Card, g *gathered) (*finding, error) {
	line := own.Scorecards.Lines[t.Line.String()]
	x := &finding{words: words{enough: train.Enough(train.Tally(g.outcomes))}}
	var limits card.Limits
	if x.words.enough {
		limits = prior.Unbind()
	}
	pairs := mostPairs
	if len(prior.Pairs) > 0 {
		pairs = -1 // one of those that the expert wrote would stand twice
	}
	e := &effort{s: s, id: t.ID}
	stop := e.beat(ctx)
	c, r, err := train.Learn(g.frame, g.outcomes, train.Options{
		Target: card.Target{Line: t.Line.String()}, Time: g.received, TimeColumn: "received_at", TimeText: day, Age: g.ages,
		Prior: prior, PriorRows: float64(line.PriorLeads), Monotone: monotone(g), Groups: groups(g),
		Pairs: pairs, Unpaired: tracked(g), Seed: trainingSeed, Workers: max(runtime.GOMAXPROCS(0)/2, 1), // decisions need the other half
	}, func(done, of int) bool { return e.goOn(ctx, done, of) })
	stop()
	switch {
	case errors.Is(err, train.ErrCancelled):
		return nil, err
	case err != nil:
		return nil, &hopelessError{"it can not be learned: " + err.Error()}
	}
	if x.card, x.report = c, r; x.words.enough && !r.Nothing {
		unstated(c)
		if x.words.moved, x.words.stage, err = g.level(c, line.Stages); err != nil {
			return nil, &hopelessError{"what was learned can not be applied: " + err.Error()}
		}
		moved, err := limits.Bind(c, g.frame)
		if err != nil {
			return nil, &hopelessError{"what was learned can not be limited: " + err.Error()}
		}
		if !limits.None() {
			x.words.limits = limitWords(moved)
		}
	}
	return x, nil
}

// findChances keeps the points of what scored the line when the training began.
func (s *Service) findChances(ctx context.Context, t *store.Training, own *card.Card, g *gathered) (*finding, error) {
	from := own
	if t.Deciding != "" {
		m, err := s.store.Model(ctx, t.Deciding)
		if err != nil {
			return nil, err
		}
		if from, _, err = readModel(leadv1.Line(t.Line), m.Card); err != nil {
			return nil, &hopelessError{"the model that scores the line can not be read: " + err.Error()}
		}
	}
	c, r, err := train.RecalibrateScored(from, train.Scored{Points: g.points, PPM: g.chances, Outcomes: g.outcomes, Age: g.ages}, trainingSeed)
	if err != nil {
		return nil, &hopelessError{"chances can not be found anew: " + err.Error()}
	}
	return &finding{c, r, words{enough: true, recalibrated: true}}, nil
}

// modelOf is what was learned as a model, which says where it comes from.
func (s *Service) modelOf(t *store.Training, own *playbook.Playbook, learned *card.Card) (*store.Model, error) {
	text := string(learned.Marshal())
	c, m, err := readModel(leadv1.Line(t.Line), text)
	if err != nil {
		return nil, err
	}
	if _, err := own.WithModels([]playbook.Model{m}); err != nil {
		return nil, err
	}
	from := "the first"
	if t.From.After(time.Unix(0, 0)) {
		from = t.From.UTC().Format(time.RFC3339)
	}
	model := s.newModel(own, c, m, text)
	model.By = t.By
	model.Note = fmt.Sprintf("trained by job %s on leads received from %s to %s", t.ID, from, t.To.UTC().Format(time.RFC3339))
	if t.Note != "" {
		model.Note += "; " + t.Note
	}
	return &model, nil
}

func day(seconds int64) string { return time.Unix(seconds, 0).UTC().Format(time.DateOnly) }

// effort is a training that learns in this process.
type effort struct {
	s     *Service
	id    lead.ID
	done  atomic.Int32 // millionths
	over  atomic.Bool  // it was cancelled, or somebody else finished it
	since time.Time    // when it last rested; touched by the learner alone
}

// goOn is told how much is learned and says whether to go on. Where there is one processor, learning
// rests as long as it works.
func (e *effort) goOn(ctx context.Context, done, of int) bool {
	e.done.Store(int32(int64(done) * (wholeProgress - 1) / int64(max(of, 1))))
	if runtime.GOMAXPROCS(0) == 1 && !e.since.IsZero() {
		rest(ctx, min(time.Since(e.since), 100*time.Millisecond))
	}
	e.since = time.Now()
	return ctx.Err() == nil && !e.over.Load()
}

// beat gives signs of life until stop is called, which returns when it has ended.
func (e *effort) beat(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(trainingBeat)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			_, err := e.s.store.ChangeTraining(ctx, e.id, func(t *store.Training) (*store.TrainingChange, error) {
				if t.State != store.Running {
					e.over.Store(true)
					return nil, nil
				}
				t.Progress, t.UpdatedAt = max(t.Progress, e.done.Load()), e.s.now()
				return &store.TrainingChange{}, nil
			})
			if err != nil && ctx.Err() == nil { // learning goes on meanwhile
				e.s.log.LogAttrs(ctx, slog.LevelWarn, "a training gives no sign of life, trying again",
					slog.String("training", e.id.String()), slog.String("cause", problem.From(err).Code()))
			}
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}
