package identity_test

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/leadmesh/leadmesh/core/lead"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/identity"
	"github.com/leadmesh/leadmesh/services/internal/pgtest"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
	"google.golang.org/protobuf/types/known/timestamppb"
)

var start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// world is a service on a database of its own, with a clock the test moves.
type world struct {
	*identity.Service
	t    testing.TB
	db   *pgtest.DB
	pool *pgxpool.Pool
	now  atomic.Int64
	lead int
}

func newWorld(t testing.TB, change ...func(*identity.Config, *identity.Deps)) *world {
	t.Helper()
	w := &world{t: t, db: pgtest.New(t, identity.Migrations())}
	w.pool = w.db.Pool("identity")
	w.now.Store(start.UnixNano())
	w.Service = w.replica(w.pool, change...)
	return w
}

// replica is a further service on the same database.
func (w *world) replica(pool *pgxpool.Pool, change ...func(*identity.Config, *identity.Deps)) *identity.Service {
	w.t.Helper()
	tel, err := telemetry.New(w.t.Context(), telemetry.Config{Service: "identity-test", LogWriter: io.Discard})
	if err != nil {
		w.t.Fatal(err)
	}
	cfg := identity.Config{Market: "US"}
	deps := identity.Deps{
		Pool: pool, Tel: tel, Now: func() time.Time { return time.Unix(0, w.now.Load()).UTC() },
		DealerID: func(code string) (string, bool) {
			switch code {
			case "nv-tx-013", "TX013":
				return "nv-tx-013", true
			case "nv-co-001":
				return code, true
			}
			return "", false
		},
		Model: func(name string) (string, lead.Powertrain, bool) {
			return name, lead.PowertrainElectric, name == "N500E"
		},
	}
	for _, f := range change {
		f(&cfg, &deps)
	}
	s, err := identity.New(cfg, deps)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *world) advance(d time.Duration) { w.now.Add(int64(d)) }

// newLead makes a normalised lead, asked for now.
func (w *world) newLead(party *leadv1.Party, change ...func(*leadv1.Lead)) *leadv1.Lead {
	w.lead++
	at := timestamppb.New(time.Unix(0, w.now.Load()))
	l := &leadv1.Lead{
		LeadId: lead.NewID([]byte("test"), fmt.Sprint(w.lead)).String(), Market: "US",
		RequestedAt: at, ReceivedAt: at, Parties: []*leadv1.Party{party},
	}
	for _, f := range change {
		f(l)
	}
	return l
}

func (w *world) resolve(leads ...*leadv1.Lead) []*identityv1.Resolution {
	w.t.Helper()
	resp, err := w.BatchResolve(w.t.Context(), &identityv1.BatchResolveRequest{Leads: leads})
	if err != nil {
		w.t.Fatal(err)
	}
	if len(resp.Resolutions) != len(leads) {
		w.t.Fatalf("%d answers for %d leads", len(resp.Resolutions), len(leads))
	}
	return resp.Resolutions
}

func (w *world) person(id string) *identityv1.GetPersonResponse {
	w.t.Helper()
	resp, err := w.GetPerson(w.t.Context(), &identityv1.GetPersonRequest{PersonId: id})
	if err != nil {
		w.t.Fatal(err)
	}
	return resp
}

func (w *world) signals(signals ...*identityv1.Signal) *identityv1.BatchCreateSignalsResponse {
	w.t.Helper()
	resp, err := w.BatchCreateSignals(w.t.Context(), &identityv1.BatchCreateSignalsRequest{Signals: signals})
	if err != nil {
		w.t.Fatal(err)
	}
	return resp
}

// rows counts the rows of a table.
func (w *world) rows(table string) int {
	w.t.Helper()
	var n int
	if err := w.pool.QueryRow(context.Background(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// party makes a party with normalised contact points.
func party(given, family, email, phone string) *leadv1.Party {
	p := &leadv1.Party{Name: &leadv1.Name{Given: given, Family: family}}
	if email != "" {
		p.Emails = []*leadv1.Email{{Address: email, Valid: true}}
	}
	if phone != "" {
		p.Phones = []*leadv1.Phone{{Number: phone, E164: phone, Valid: true}}
	}
	return p
}

func identifier(kind leadv1.IdentifierKind, source, value string) func(*leadv1.Lead) {
	return func(l *leadv1.Lead) {
		l.Identifiers = append(l.Identifiers, &leadv1.Identifier{Kind: kind, Source: source, Value: value})
	}
}
