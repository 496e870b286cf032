package e2e_test

import (
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/internal/pgtest"
	"google.golang.org/grpc/credentials/insecure"
)

// oldCommit is the program that is in the field: what it wrote, today's program reads, and while
// a site rolls from one to the other both work on one database. It moves when a release makes
// another program the oldest that may be upgraded from.
const oldCommit = "3bf01e1"

var old struct {
	once       sync.Once
	path       string
	skip, fail string
}

// oldBinary builds the program of oldCommit once for all tests of this run. It skips the test
// where the history is not there, as in a shallow clone.
func oldBinary(t *testing.T) string {
	t.Helper()
	old.once.Do(func() {
		if out, err := exec.Command("git", "cat-file", "-e", oldCommit+"^{commit}").CombinedOutput(); err != nil {
			old.skip = fmt.Sprintf("needs git and commit %s in this clone (git fetch --unshallow): %v %s", oldCommit, err, out)
			return
		}
		dir := filepath.Join(filepath.Dir(binary(t)), "old") // goes with the new binary
		script := fmt.Sprintf(`set -e; mkdir -p %[1]q; cd "$(git rev-parse --show-toplevel)"; git archive %[2]s | tar -x -C %[1]q; cd %[1]q/services; go build -o ../leadmesh ./cmd/leadmesh`, dir, oldCommit)
		if out, err := exec.Command("sh", "-c", script).CombinedOutput(); err != nil {
			old.fail = fmt.Sprintf("build commit %s: %v: %s", oldCommit, err, out)
			return
		}
		old.path = filepath.Join(dir, "leadmesh")
	})
	if old.skip != "" {
		t.Skip(old.skip)
	}
	if old.fail != "" {
		t.Fatal(old.fail)
	}
	return old.path
}

// TestUpgrade rolls one process on a database with leads in many states: the old one goes on
// taking leads while the new one migrates, both work behind one balancer, then the old one goes.
func TestUpgrade(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and starts an older program")
	}
	path, dir, db := oldBinary(t), t.TempDir(), pgtest.New(t).URL()
	first, before := oneProcess(t, path, db, filepath.Join(dir, "old"))
	s := seed(t, before)
	front := balance(t, before)
	l := startLoad(t, front.world)
	l.demand(func(error) bool { return false }) // nobody is cut
	l.flows(t, 30)

	_, after := oneProcess(t, binary(t), db, filepath.Join(dir, "new")) // migrates under load
	front.use(before, after)
	l.flows(t, 40)
	s.pending(t, before, after)
	s.worksOnBoth(t, before, after)
	l.flows(t, 30)
	compareViews(t, before, after, append(s.ids(), l.some(20)...))

	front.use(after)
	front.settle(t)
	first.stop(t)
	l.flows(t, 30)

	// A rollback starts the old program on the migrated database; then it dies.
	second, before := oneProcess(t, path, db, filepath.Join(dir, "old"))
	front.use(before, after)
	l.flows(t, 30)
	compareViews(t, before, after, append(s.ids(), l.some(20)...))
	if n := l.count(http.StatusServiceUnavailable); n > 0 {
		t.Errorf("%d senders were told 503 while one program was always up", n)
	}
	l.demand(nil)
	second.kill(t)
	front.use(after)
	l.flows(t, 30)
	s.verify(t, after, l)
}

// TestUpgradeFiveProcesses rolls the five processes one at a time, so that each service of one
// version meets each other of the other version: first the front, and first what is behind it.
func TestUpgradeFiveProcesses(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and starts an older program")
	}
	path := oldBinary(t)
	for _, c := range []struct {
		name  string
		order []string
	}{
		{"front first", []string{"capture", "feedback", "identity", "routing", "scoring"}},
		{"routing first", []string{"routing", "scoring", "identity", "feedback", "capture"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := fiveProcessesOf(t, path, pgtest.New(t).URL())
			s := seed(t, w)
			l := startLoad(t, w)
			l.flows(t, 20)
			for _, service := range c.order {
				p := w.processes[service]
				p.stop(t)
				w.processes[service] = spawnBinary(t, binary(t), p.args...)
				w.awaitHealthy(t)
				l.flows(t, 20)
				s.readable(t, w)
			}
			s.verify(t, w, l)
		})
	}
}

// oneProcess starts one process of a binary on a database.
func oneProcess(t *testing.T, path, db, data string) (*process, *world) {
	t.Helper()
	w := &world{logs: &buffer{}, http: &http.Client{Timeout: callLimit}, db: db, addr: freeAddr(t)}
	addr := freeAddr(t)
	w.base = "http://" + addr
	p := spawnBinary(t, path, "serve", "--sample", "--database-url", db, "--data", data, "--http", addr, "--grpc", w.addr, "--allow-private-webhooks")
	w.connect(t, insecure.NewCredentials())
	w.awaitHealthy(t)
	return p, w
}

// verify sends everything again, to whom runs now, and checks that nothing is lost or twice.
func (s *seeds) verify(t *testing.T, w *world, l *load) {
	t.Helper()
	l.halt()
	t.Logf("answers %s; reads %s", tally(l.codes), tally(l.reads))
	for _, wrong := range l.wrong {
		t.Errorf("an answer that must not be: %s", wrong)
	}
	db := w.database(t)
	settled := func() bool {
		return db.count(t, `SELECT (SELECT count(*) FROM capture.pending) + (SELECT count(*) FROM capture.outbox)
			+ (SELECT count(*) FROM routing.outbox) + (SELECT count(*) FROM feedback.unapplied)`) == 0
	}
	eventually(t, patience, "nothing is pending", settled)
	ids := l.again(t)
	for key, body := range s.bodies {
		if r := submit(t, w, body); r.GetLeadId() != s.lead[key] || !r.GetDuplicateRequest() {
			t.Errorf("the %s lead sent again is %v, it was %s", key, r, s.lead[key])
		}
		ids[s.lead[key]] = true
	}
	eventually(t, patience, "nothing is pending after everything was sent again", settled)
	if n := db.count(t, `SELECT count(*) FROM capture.lead`); n != len(ids) {
		t.Errorf("%d leads are held, %d were sent", n, len(ids))
	}
	if n := db.count(t, `SELECT count(*) FROM (SELECT l.lead_id FROM capture.lead l
		LEFT JOIN feedback.event e ON e.bucket = l.bucket AND e.lead_id = l.lead_id AND e.type = 'leadmesh.lead.captured.v1'
		GROUP BY l.lead_id HAVING count(e.event_id) <> 1) AS x`); n != 0 {
		t.Errorf("%d leads are captured other than once in the log", n)
	}
	for activity, id := range l.reported {
		if n := db.count(t, `SELECT count(*) FROM routing.applied WHERE lead_id = $1::uuid AND id = $2`, id, activity); n != 1 {
			t.Errorf("report %s on lead %s was applied %d times", activity, id, n)
		}
	}
	s.readable(t, w)
	lawsKept(t, w, len(ids)) // replays every receipt, those of the old program too
	if out, err := exec.Command(binary(t), "audit", "--database-url", w.db).CombinedOutput(); err != nil {
		t.Errorf("leadmesh audit: %v: %s", err, out)
	}
	for key, want := range map[string]leadv1.State{
		"accepted": leadv1.State_STATE_ACCEPTED, "engaged": leadv1.State_STATE_ENGAGED, "won": leadv1.State_STATE_WON,
		"lost": leadv1.State_STATE_LOST, "merged": leadv1.State_STATE_MERGED, "rejected": leadv1.State_STATE_REJECTED,
	} {
		got := &capturev1.GetLeadResponse{}
		w.get(t, "ops", "/v1/leads/"+s.lead[key], got)
		if got.GetState() != want {
			t.Errorf("the %s lead is %v now", key, got.GetState())
		}
	}
}

// demand says which errors of a connection a sender may see from now on; nil: any.
func (l *load) demand(tolerate func(error) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tolerate = tolerate
}
