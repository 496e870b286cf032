package routing

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/leadmesh/leadmesh/core/playbook"
	"github.com/leadmesh/leadmesh/core/routing"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/playbookfeed"
	"github.com/leadmesh/leadmesh/services/internal/problem"
)

// networkWatch remembers why the last network could not be taken.
type networkWatch struct {
	mu   sync.Mutex
	err  error
	wake chan struct{}
	once sync.Once
}

func (w *networkWatch) set(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.err = err
}

func (w *networkWatch) failure() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

func (w *networkWatch) changed() chan struct{} {
	w.once.Do(func() { w.wake = make(chan struct{}, 1) })
	return w.wake
}

// networkChanged makes this replica look at once instead of at its next poll.
func (s *Service) networkChanged() {
	select {
	case s.network.changed() <- struct{}{}:
	default:
	}
}

// followRules keeps the rulebook in step with the active playbook and the network: other replicas
// change them too, so both are polled every second.
func (s *Service) followRules(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	live := time.NewTicker(15 * time.Second)
	defer live.Stop()
	for {
		changed := s.playbooks.Changed() // before looking, so that no change falls between
		if err := s.refreshRules(ctx); err != nil && ctx.Err() == nil {
			s.network.set(err)
			s.log.LogAttrs(ctx, slog.LevelWarn, "rules not renewed, the old ones stay", slog.String("cause", err.Error()))
		} else {
			s.network.set(nil)
		}
		wait := tick.C
		if s.engine.rules.Load() == nil { // at start every moment counts
			short := time.NewTimer(20 * time.Millisecond)
			select {
			case <-ctx.Done():
				return nil
			case <-short.C:
			case <-s.network.changed():
			}
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-wait:
		case <-s.network.changed():
		case <-changed:
		case <-live.C:
			if rb := s.engine.rules.Load(); rb != nil {
				rb.tellOpen(s.now())
			}
		}
	}
}

// refreshRules compiles a new rulebook if the playbook, its models or the network are others than
// those in force.
func (s *Service) refreshRules(ctx context.Context) error {
	snapshot := s.playbooks.Current()
	if snapshot == nil {
		return nil
	}
	revision, err := s.store.NetworkRevision(ctx)
	if err != nil {
		return err
	}
	old := s.engine.rules.Load()
	if old != nil && old.network.revision == revision && old.playbook == snapshot.Playbook && old.shadow == snapshot.Shadow {
		return nil
	}
	if revision == "0" {
		return nil // nothing imported yet
	}
	var view *networkView
	if old != nil && old.network.revision == revision {
		view = old.network
	} else {
		rows, err := s.store.Network(ctx)
		if err != nil {
			return err
		}
		if view, err = newNetworkView(rows); err != nil {
			return err
		}
		view.mail = s.push.mail != nil
	}
	rb, err := newRulebook(snapshot, view)
	if err != nil {
		return err
	}
	rb.tellOpen(s.now())
	s.engine.rules.Store(rb)
	return nil
}

func newRulebook(snapshot *playbookfeed.Snapshot, view *networkView) (*rulebook, error) {
	stores, problems := routing.Compile(view.definition, snapshot.Playbook.Routing)
	if stores == nil {
		texts := make([]string, 0, len(problems))
		for _, p := range problems[:min(len(problems), 5)] {
			texts = append(texts, p.Error())
		}
		return nil, fmt.Errorf("the network and playbook do not fit together: %s", strings.Join(texts, "; "))
	}
	return &rulebook{
		playbook: snapshot.Playbook, scorer: snapshot.Playbook.Scorer(), shadow: snapshot.Shadow, secret: snapshot.Secret, network: view, stores: stores, live: routing.NewLive(stores),
		clocks: newClockTable(snapshot.Playbook.Clocks),
	}, nil
}

// tellOpen notes which departments are open now.
func (rb *rulebook) tellOpen(now time.Time) {
	for i := range rb.stores.Units() {
		u := rb.stores.Unit(i)
		rb.live.SetOpen(i, rb.network.calendar(u.Dealer, u.Department).Open(now))
	}
}

// rules returns the rulebook in force; the problem NOT_READY before there is one.
func (s *Service) rules() (*rulebook, error) {
	rb := s.engine.rules.Load()
	if rb == nil {
		p := problem.New(problemv1.Reason_REASON_NOT_READY, "no network and playbook loaded yet; import a network and apply a playbook")
		p.RetryAfter = time.Second
		return nil, p
	}
	return rb, nil
}

// oldRules keeps playbooks with models that are not in force any more, for explaining decisions they
// made.
type oldRules struct {
	mu   sync.Mutex
	kept map[ruling]*playbookfeed.Snapshot
}

// ruling names what a decision was made by, as its receipt does.
type ruling struct{ playbook, scorer string }

// playbookOf returns the playbook and models of a decision: those in force, some kept, or fetched.
func (s *Service) playbookOf(ctx context.Context, r ruling) (*playbookfeed.Snapshot, error) {
	if now := s.playbooks.Current(); now != nil && (ruling{now.Playbook.Revision, now.Playbook.Scorer()}) == r {
		return now, nil
	}
	s.old.mu.Lock()
	kept := s.old.kept[r]
	s.old.mu.Unlock()
	if kept != nil {
		return kept, nil
	}
	fetched, err := s.playbooks.Fetch(ctx, r.playbook, playbook.ScorerModels(r.playbook, r.scorer))
	if err != nil {
		return nil, err
	}
	s.old.mu.Lock()
	defer s.old.mu.Unlock()
	if s.old.kept == nil || len(s.old.kept) >= 16 {
		s.old.kept = map[ruling]*playbookfeed.Snapshot{}
	}
	s.old.kept[r] = fetched
	return fetched, nil
}

// GetNetwork answers the catalogue and the dealers' names to the other services of the house.
func (s *Service) GetNetwork(_ context.Context, req *routingv1.GetNetworkRequest) (*routingv1.GetNetworkResponse, error) {
	rb, err := s.rules()
	if err != nil {
		return nil, err
	}
	if req.GetKnownRevision() == rb.network.revision {
		return &routingv1.GetNetworkResponse{Revision: rb.network.revision, Unchanged: true}, nil
	}
	resp := &routingv1.GetNetworkResponse{Revision: rb.network.revision, Catalogue: rb.network.catalogue}
	for id, d := range rb.network.dealers {
		resp.Dealers = append(resp.Dealers, &routingv1.DealerName{
			DealerId: id, Name: d.dealer.GetName(), Kind: d.dealer.GetKind(), Status: d.dealer.GetStatus(), TimeZone: d.dealer.GetTimeZone(),
			Codes: d.dealer.GetCodes(),
		})
	}
	return resp, nil
}
