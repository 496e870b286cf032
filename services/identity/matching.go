package identity

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/core/identity/names"
	"github.com/leadmesh/leadmesh/services/identity/internal/postgres"
)

// refreshEvery bounds how long a replica goes on weighing by parameters that are no longer active.
const refreshEvery = 10 * time.Second

// matching holds the matcher of the parameters in use. It is safe for concurrent use.
type matching struct {
	dictionary *identity.Dictionary
	current    atomic.Pointer[revised]

	refreshing sync.Mutex
	begun      atomic.Bool // the active parameters were looked for
}

// revised is a matcher with the revision of its parameters.
type revised struct {
	*identity.Matcher
	revision string
}

// shippedNames reads the dictionary of names once for all services of a process: it does not change
// and takes megabytes.
var shippedNames = sync.OnceValue(names.Load)

// newMatching begins with the parameters that the program carries.
func newMatching() (*matching, error) {
	m := &matching{dictionary: shippedNames()}
	return m, m.use(identity.Default())
}

func (m *matching) use(p *identity.Params) error {
	matcher, err := m.matcher(p)
	if err != nil {
		return err
	}
	m.current.Store(&revised{matcher, p.Revision()})
	return nil
}

// matcher makes a matcher of parameters. A market has homes: where the list that they were learned from
// had none, homes are as frequent as the program takes them to be.
func (m *matching) matcher(p *identity.Params) (*identity.Matcher, error) {
	if p.Home <= identity.NoHomes {
		homes := *p
		homes.Home = identity.Default().Home
		p = &homes
	}
	return identity.NewMatcher(p, m.dictionary)
}

// begin takes up the active parameters before the first record is weighed. Those that can not be
// used leave the program's own in use, which keepFresh tells.
func (m *matching) begin(ctx context.Context, store *postgres.Store) {
	if !m.begun.Load() && m.refresh(ctx, store) == nil {
		m.begun.Store(true)
	}
}

// refresh takes up the active parameters; without any, those that the program carries.
func (m *matching) refresh(ctx context.Context, store *postgres.Store) error {
	m.refreshing.Lock()
	defer m.refreshing.Unlock()
	var revision, body string
	var stored bool
	err := store.Read(ctx, func(tx *postgres.Tx) (err error) {
		revision, body, stored, err = tx.Parameters(ctx)
		return err
	})
	if err != nil {
		return err
	}
	if !stored {
		if p := identity.Default(); p.Revision() != m.current.Load().revision {
			return m.use(p)
		}
		return nil
	}
	if revision == m.current.Load().revision {
		return nil
	}
	p, err := identity.ParseParams([]byte(body))
	if err != nil {
		return fmt.Errorf("active revision %s: %w", revision, err)
	}
	return m.use(p)
}

// keepFresh takes up other parameters within seconds of their activation, until ctx ends. What can
// not be used is told once and leaves those in use.
func (s *Service) keepFresh(ctx context.Context) error {
	ticker := time.NewTicker(refreshEvery)
	defer ticker.Stop()
	said := ""
	for {
		switch err := s.matching.refresh(ctx, s.store); {
		case err == nil:
			said = ""
		case ctx.Err() == nil && err.Error() != said:
			said = err.Error()
			s.deps.Tel.Log.LogAttrs(ctx, slog.LevelWarn, "matching parameters not read, going on with those in use",
				slog.String("cause", said), slog.String("revision", s.matching.current.Load().revision))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}
