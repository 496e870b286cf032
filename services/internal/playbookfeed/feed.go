// Package playbookfeed keeps a service in step with the active playbook and its models: it asks Scoring
// twice a second and compiles what is new. What does not compile here leaves the one before in force.
package playbookfeed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/playbook"
	"github.com/leadmesh/leadmesh/core/scoring"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"google.golang.org/grpc"
)

const (
	interval     = 500 * time.Millisecond // so that a change is in force everywhere within a second
	firstRetry   = 50 * time.Millisecond  // until the first playbook is there
	fetchTimeout = 5 * time.Second
)

// Snapshot is a compiled playbook with the secret of its revision. It is immutable.
type Snapshot struct {
	Playbook *playbook.Playbook // with the tables of the active models
	Secret   []byte             // 32 bytes; the caller must not change, store or log it
	Shadow   *Shadow            // nil: no model is a shadow

	own    *playbook.Playbook // with its own tables
	models string             // names the models, active and shadow, together; "" for none
}

// Shadow is what scores beside the playbook and decides nothing.
type Shadow struct {
	Playbook *playbook.Playbook      // with the tables of the shadows too
	Episodes [scoring.NumLines]int64 // by line: which of its times as a shadow this is; 0: no shadow
}

// held names a playbook and its models.
type held struct{ playbook, models string }

func (s *Snapshot) held() held {
	if s == nil {
		return held{}
	}
	return held{s.Playbook.Revision, s.models}
}

// source is the part of Scoring that hands out playbooks.
type source interface {
	GetSnapshot(ctx context.Context, in *scoringv1.GetSnapshotRequest, opts ...grpc.CallOption) (*scoringv1.GetSnapshotResponse, error)
}

// Feed follows the active playbook. Safe for concurrent use; Run runs once.
type Feed struct {
	source  source
	log     *slog.Logger
	current atomic.Pointer[Snapshot]

	mu      sync.Mutex
	changed chan struct{} // closed at the next change
	refused held          // what does not compile here
	failure error         // why Current is not what it should be
}

// New makes a feed of the client's playbooks; it asks nothing before Run.
func New(client source, log *slog.Logger) *Feed {
	return &Feed{source: client, log: log, changed: make(chan struct{}), failure: errors.New("no playbook loaded yet")}
}

// Run follows the active playbook until ctx ends. It asks twice a second, and every 50 ms until it
// has the first.
func (f *Feed) Run(ctx context.Context) error {
	for {
		f.refresh(ctx)
		wait := interval
		if f.current.Load() == nil {
			wait = firstRetry
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
}

// Current returns the playbook in force here; nil before the first.
func (f *Feed) Current() *Snapshot { return f.current.Load() }

// Changed returns a channel that is closed when the next playbook comes into force. Take it before
// Current, and anew after it is closed.
func (f *Feed) Changed() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.changed
}

// Health reports why the playbook in force here is not the active one: nothing loaded yet, or the
// active one does not compile here. A source that does not answer is no reason once something is
// loaded: its own health says so.
func (f *Feed) Health(context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failure
}

// Fetch returns a playbook by its revision with the models whose tables it scored by, for explaining
// decisions it made. It does not change what is in force. An unknown revision is the problem
// NOT_FOUND.
func (f *Feed) Fetch(ctx context.Context, revision string, models []string) (*Snapshot, error) {
	if revision == "" {
		return nil, problem.NotFound("playbook")
	}
	resp, err := f.source.GetSnapshot(ctx, &scoringv1.GetSnapshotRequest{Revision: revision, ModelRevisions: models})
	if err != nil {
		return nil, problem.From(err)
	}
	if len(resp.GetModels()) != len(models) { // a process that knows of no models answered
		return nil, problem.NotFound("model")
	}
	s, err := compile(resp, nil)
	if err != nil {
		return nil, problem.New(problemv1.Reason_REASON_PLAYBOOK_INVALID, "this playbook is not readable by this version").Because(err)
	}
	return s, nil
}

// refresh asks once and takes over what is new.
func (f *Feed) refresh(ctx context.Context) {
	known := f.current.Load().held()
	f.mu.Lock()
	asked := known
	if f.refused != (held{}) {
		asked = f.refused // it was fetched once, that is enough
	}
	f.mu.Unlock()

	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	resp, err := f.source.GetSnapshot(ctx, &scoringv1.GetSnapshotRequest{KnownRevision: asked.playbook, KnownModelsRevision: &asked.models})
	switch {
	case err != nil:
		f.log.LogAttrs(ctx, slog.LevelDebug, "playbook not asked for", slog.String("cause", problem.From(err).Code()))
	case resp.GetUnchanged():
	case held{resp.GetRevision(), resp.GetModelsRevision()} == known:
		f.settle(held{}, nil) // taken back to the one in force here
	default:
		f.take(ctx, resp)
	}
}

func (f *Feed) take(ctx context.Context, resp *scoringv1.GetSnapshotResponse) {
	var own *playbook.Playbook
	if now := f.current.Load(); now != nil {
		own = now.own
	}
	s, err := compile(resp, own)
	if err != nil {
		f.log.LogAttrs(ctx, slog.LevelError, "playbook does not compile here, the one before stays",
			slog.String("revision", resp.GetRevision()), slog.String("cause", err.Error()))
		f.settle(held{resp.GetRevision(), resp.GetModelsRevision()}, fmt.Errorf("playbook %s does not compile here: %w", resp.GetRevision(), err))
		return
	}
	f.current.Store(s)
	f.settle(held{}, nil)
	f.mu.Lock()
	close(f.changed)
	f.changed = make(chan struct{})
	f.mu.Unlock()
	f.log.LogAttrs(ctx, slog.LevelInfo, "playbook in force", slog.String("revision", s.Playbook.Revision),
		slog.String("scorer", s.Playbook.Scorer()), slog.Bool("shadow", s.Shadow != nil))
}

func (f *Feed) settle(refused held, failure error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refused, f.failure = refused, failure
}

// compile reads a snapshot. The revision must be that of the content. A playbook that is compiled
// already is not compiled again: its models may have changed alone.
func compile(resp *scoringv1.GetSnapshotResponse, own *playbook.Playbook) (*Snapshot, error) {
	if own == nil || own.Revision != resp.GetRevision() {
		var err error
		if own, err = playbook.Load(resp.GetBundle()); err != nil {
			return nil, err
		}
	}
	if own.Revision != resp.GetRevision() {
		return nil, errors.New("the content is not that of its revision")
	}
	if len(resp.GetSecret()) != 32 {
		return nil, errors.New("the secret is not 32 bytes")
	}
	s := &Snapshot{Secret: resp.GetSecret(), own: own, models: resp.GetModelsRevision()}
	var active, shadows []playbook.Model
	shadow := &Shadow{}
	for _, sent := range resp.GetModels() {
		_, m, problems := playbook.ReadModel(lead.Line(sent.GetLine()), []byte(sent.GetText()))
		switch {
		case len(problems) > 0:
			return nil, fmt.Errorf("model %s: %w", sent.GetRevision(), problems[0])
		case m.Revision != sent.GetRevision():
			return nil, fmt.Errorf("model %s: the card is not that of its revision", sent.GetRevision())
		case sent.GetShadow():
			shadows = append(shadows, m)
			shadow.Episodes[m.Line] = sent.GetEpisode()
		default:
			active = append(active, m)
		}
	}
	var err error
	if s.Playbook, err = own.WithModels(active); err != nil || len(shadows) == 0 {
		return s, err
	}
	s.Shadow = shadow
	shadow.Playbook, err = s.Playbook.WithModels(shadows)
	return s, err
}
