package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/leadmesh/leadmesh/services/house"
	"github.com/leadmesh/leadmesh/services/internal/postgres"
)

// frozenLimit is how long anybody waits while Postgres neither answers nor refuses.
const frozenLimit = 12 * time.Second

// TestDatabaseFrozen stops Postgres with all its sessions in mid-work: whoever calls is told 503 and
// when to come back, in bounded time, and everything goes on by itself when it is let go.
func TestDatabaseFrozen(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a house and a database")
	}
	db := startServer(t)
	w := inProcess(t, func(c *house.Config) { c.DatabaseURL = db.url })
	l := startLoad(t, w)
	l.flows(t, 20)
	known := l.lastAssigned()
	db.stand(t)

	var wg sync.WaitGroup
	var mu sync.Mutex
	var uncertain []*submission // may be stored for all their senders know
	took := map[string]time.Duration{}
	// What takes longer is asked again: on a busy machine a caller may wait for its own turn.
	call := func(what string, f func() (int, string, error)) {
		wg.Go(func() {
			for tries := 0; ; tries++ {
				began := time.Now()
				code, retryAfter, err := f()
				waited := time.Since(began)
				if err != nil || code != http.StatusServiceUnavailable || retryAfter == "" {
					t.Errorf("%s was answered %d, Retry-After %q, %v after %s", what, code, retryAfter, err, waited)
				}
				if waited > frozenLimit && tries < 2 {
					t.Logf("%s waited %s", what, waited.Round(time.Millisecond))
					continue
				}
				mu.Lock()
				defer mu.Unlock()
				took[what] = max(took[what], waited)
				return
			}
		})
	}
	submit := func(kind string, n int) {
		s := newSubmission(kind, n)
		uncertain = append(uncertain, s)
		call(kind, func() (int, string, error) {
			a := w.submit(context.Background(), s)
			return a.code, a.retryAfter, a.err
		})
	}
	for i := range 3 {
		for _, kind := range []string{"lead", "adf", "batch"} {
			submit(kind, 1_000_000+i)
		}
	}
	rest := func(method, route, body string) {
		call(method+" "+route, func() (int, string, error) {
			code, _, header, err := w.exchange(context.Background(), method, route, "", body, "")
			return code, header.Get("Retry-After"), err
		})
	}
	for _, route := range []string{
		"/v1/leads/" + known, "/v1/leads/" + known + "/receipt", "/v1/dealers/" + tokenDealer + "/inbox", "/v1/reports/scorecard", "/v1/reports/leakage", "/v1/deliveries",
	} {
		rest(http.MethodGet, route, "")
	}
	rest(http.MethodPost, "/v1/leads/"+known+":accept", `{}`)
	rest(http.MethodPost, "/v1/activities:batch", fmt.Sprintf(`{"activities":[{"activity_id":"frozen","lead_id":%q,"person_id":"p-1","kind":"ACTIVITY_KIND_NOTE"}]}`, known))
	wg.Wait()
	for what, d := range took {
		if d > frozenLimit {
			t.Errorf("%s waited %s", what, d.Round(time.Millisecond))
		}
		t.Logf("%s: %s", what, d.Round(time.Millisecond))
	}
	if code, _ := w.callOnce(t, "ops", http.MethodGet, "/healthz", nil, ""); code != http.StatusServiceUnavailable {
		t.Errorf("with a frozen database /healthz answered %d", code)
	}
	db.goOn(t)
	back := time.Now()
	l.flows(t, 20)
	t.Logf("works again after %s", time.Since(back).Round(time.Millisecond))
	w.awaitHealthy(t)
	l.halt()
	l.sent = append(l.sent, uncertain...)
	l.verify(t)
}

// TestStartBeforeTheDatabase starts a house whose database is away: it waits, and works when it is
// there.
func TestStartBeforeTheDatabase(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a house and a database")
	}
	db := startServer(t)
	if err := db.own.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	logs, started := &buffer{}, make(chan struct{})
	go func() {
		defer close(started)
		for !strings.Contains(logs.String(), "does not answer yet") && t.Context().Err() == nil {
			rest(10 * time.Millisecond)
		}
		own, err := postgres.StartPrivate(t.Context(), postgres.PrivateConfig{DataDir: db.dir})
		if err != nil {
			t.Error(err)
			return
		}
		db.own = own
	}()
	w := inProcess(t, func(c *house.Config) { c.DatabaseURL, c.LogWriter = db.url, logs })
	<-started
	if a := w.submit(t.Context(), newSubmission("lead", 1)); a.code != http.StatusOK && a.code != http.StatusAccepted {
		t.Errorf("a lead was answered %d %s %v", a.code, a.reason, a.err)
	}
}
