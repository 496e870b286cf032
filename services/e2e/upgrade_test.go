package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

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
	l.flows(t, 60*time.Second, 30)

	_, after := oneProcess(t, binary(t), db, filepath.Join(dir, "new")) // migrates under load
	front.use(before, after)
	l.flows(t, 60*time.Second, 40)
	s.pending(t, before, after)
	s.worksOnBoth(t, before, after)
	l.flows(t, 60*time.Second, 30)
	compareViews(t, before, after, append(s.ids(), l.some(20)...))

	front.use(after)
	front.settle(t)
	first.stop(t)
	l.flows(t, 60*time.Second, 30)

	// A rollback starts the old program on the migrated database; then it dies.
	second, before := oneProcess(t, path, db, filepath.Join(dir, "old"))
	front.use(before, after)
	l.flows(t, 60*time.Second, 30)
	compareViews(t, before, after, append(s.ids(), l.some(20)...))
	if n := l.count(http.StatusServiceUnavailable); n > 0 {
		t.Errorf("%d senders were told 503 while one program was always up", n)
	}
	l.demand(nil)
	second.kill(t)
	front.use(after)
	l.flows(t, 60*time.Second, 30)
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
			l.flows(t, 60*time.Second, 20)
			for _, service := range c.order {
				p := w.processes[service]
				p.stop(t)
				w.processes[service] = spawnBinary(t, binary(t), p.args...)
				w.awaitHealthy(t)
				l.flows(t, 60*time.Second, 20)
				s.readable(t, w)
			}
			s.verify(t, w, l)
		})
	}
}

// oneProcess starts one process of a binary on a database.
func oneProcess(t *testing.T, path, db, data string) (*process, *world) {
	t.Helper()
	w := &world{logs: &buffer{}, http: &http.Client{Timeout: 20 * time.Second}, db: db, addr: freeAddr(t)}
	addr := freeAddr(t)
	w.base = "http://" + addr
	p := spawnBinary(t, path, "serve", "--sample", "--database-url", db, "--data", data, "--http", addr, "--grpc", w.addr, "--allow-private-webhooks")
	w.connect(t, insecure.NewCredentials())
	w.awaitHealthy(t)
	return p, w
}

// seeds are leads in many states that the old program made, and what it said of them.
type seeds struct {
	bodies   map[string]string // by key
	lead     map[string]string // key -> lead id
	receipts map[string][]byte // by key, as first answered
	attempts map[string]int    // by key, which attempt's receipt that is
}

func (s *seeds) ids() []string {
	var ids []string
	for _, id := range s.lead {
		ids = append(ids, id)
	}
	return ids
}

// seed makes leads in every state that a dealer and a sender can bring about. It is written with
// what the old program understands and must stay so.
func seed(t *testing.T, w *world) *seeds {
	t.Helper()
	s := &seeds{bodies: map[string]string{}, lead: map[string]string{}, receipts: map[string][]byte{}, attempts: map[string]int{}}
	const chosen = `,"dealer":{"dealer_id":"` + tokenDealer + `"},"dealer_choice":"DEALER_CHOICE_CUSTOMER_CHOSE"`
	take := func(key, body string) *capturev1.LeadResult {
		s.bodies[key] = body
		var r *capturev1.LeadResult
		eventually(t, 30*time.Second, key+" is decided", func() bool { // processes that just started may answer 202 first
			code, raw := w.call(t, "oem", http.MethodPost, "/v1/leads", nil, body)
			if r = (&capturev1.LeadResult{}); code != http.StatusOK || unmarshal(raw, r) != nil {
				return false
			}
			return r.GetDecision() != nil || r.GetState() == leadv1.State_STATE_REJECTED
		})
		s.lead[key] = r.GetLeadId()
		return r
	}
	do := func(route, body string) {
		t.Helper()
		if code, raw := w.call(t, "ops", http.MethodPost, route, nil, body); code != http.StatusOK || bytes.Contains(raw, []byte(`"problem"`)) {
			t.Fatalf("POST %s answered %d: %s", route, code, raw)
		}
	}
	activity := func(key, more string) {
		do("/v1/activities:batch", fmt.Sprintf(`{"activities":[{"activity_id":"seed-act-%s","lead_id":%q,"person_id":"p-1",%s}]}`, key, s.lead[key], more))
	}
	outcome := func(key, more string) {
		do("/v1/outcomes:batch", fmt.Sprintf(`{"outcomes":[{"outcome_id":"seed-out-%s","lead_id":%q,%s}]}`, key, s.lead[key], more))
	}
	for _, key := range []string{"assigned", "accepted", "engaged", "won", "lost", "appointed"} {
		take(key, person("seed-"+key, "Seed"+key, "80205", chosen))
	}
	for _, key := range []string{"accepted", "engaged", "won", "lost", "appointed"} {
		do("/v1/leads/"+s.lead[key]+":accept", `{}`)
	}
	const talk = `"kind":"ACTIVITY_KIND_CALL","call_result":"CALL_RESULT_CONNECTED","talk_seconds":180`
	for _, key := range []string{"engaged", "won", "lost", "appointed"} {
		activity(key, talk)
	}
	outcome("won", `"kind":"OUTCOME_KIND_WON","revenue":{"minor":"3150000","currency":"USD"}`)
	outcome("lost", `"kind":"OUTCOME_KIND_LOST","lost_code":"LOST_CODE_PRICE"`)
	take("declined", person("seed-declined", "Seeddeclined", "80211", ""))
	do("/v1/leads/"+s.lead["declined"]+":decline", `{"code":"DECLINE_CODE_NO_CAPACITY"}`)
	take("holder", person("seed-holder", "Seedholder", "60614", ""))
	take("merged", person("seed-merged", "Seedholder", "60614", `,"comments":"me again"`))
	take("rejected", `{"idempotency_key":"seed-rejected","parties":[{"name":{"given":"Nobody"}}],"vehicles":[{"make":"Norrvind"}]}`)
	take("extra", person("seed-extra", "Seedextra", "73301", `,"favourite_colour":"moss"`))
	s.readable(t, w)
	return s
}

// readable reads every seed and checks that a receipt, once given, stays the same to the byte.
func (s *seeds) readable(t *testing.T, w *world) {
	t.Helper()
	for key, id := range s.lead {
		if code, raw := w.call(t, "ops", http.MethodGet, "/v1/leads/"+id, nil, ""); code != http.StatusOK {
			t.Errorf("reading the %s lead answered %d: %s", key, code, raw)
		}
		if key == "rejected" {
			continue // has no receipt
		}
		// An attempt that met a full dealer leaves no receipt, so the first that is kept may be the
		// second attempt's: which one it is stands in it, for the old program names it nowhere else.
		attempt := s.attempts[key]
		code, raw := w.call(t, "ops", http.MethodGet, fmt.Sprintf("/v1/leads/%s/receipt?attempt=%d", id, attempt), nil, "")
		var got struct {
			Receipt json.RawMessage `json:"receipt"`
		}
		if code != http.StatusOK || json.Unmarshal(raw, &got) != nil {
			t.Errorf("the receipt of the %s lead (attempt %d, 0 is the last) answered %d: %s", key, attempt, code, raw)
			continue
		}
		if attempt == 0 {
			var facts struct {
				Attempt int `json:"attempt"`
			}
			if err := json.Unmarshal(got.Receipt, &facts); err != nil {
				t.Fatal(err)
			}
			s.attempts[key], s.receipts[key] = facts.Attempt+1, got.Receipt
		}
		if !bytes.Equal(got.Receipt, s.receipts[key]) {
			t.Errorf("the receipt of the %s lead was\n%s\nand is\n%s", key, s.receipts[key], got.Receipt)
		}
	}
}

// pending lets each program take leads that cannot be decided, and both drive them.
func (s *seeds) pending(t *testing.T, before, after *world) {
	t.Helper()
	db := before.database(t)
	release := before.hold(t, "routing.decision")
	var wg sync.WaitGroup
	var mu sync.Mutex
	for i := range 6 { // at once: the table may be held for a few seconds only
		wg.Go(func() {
			w := []*world{before, after}[i%2]
			body := person(fmt.Sprintf("seed-pending-%d", i), givenNames[i%len(givenNames)], "98101", "")
			code, raw, err := w.try(t.Context(), "oem", http.MethodPost, "/v1/leads", nil, body)
			r := &capturev1.LeadResult{}
			if err != nil || code != http.StatusAccepted || unmarshal(raw, r) != nil {
				t.Errorf("a lead that cannot be decided answered %d: %s %v", code, raw, err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			s.bodies[fmt.Sprintf("pending-%d", i)], s.lead[fmt.Sprintf("pending-%d", i)] = body, r.GetLeadId()
		})
	}
	wg.Wait()
	db.exec(t, `UPDATE capture.pending SET next_attempt_at = now() - interval '1 second'`)
	release()
	eventually(t, 60*time.Second, "what was pending is decided", func() bool {
		n := 0
		for key, id := range s.lead {
			if strings.HasPrefix(key, "pending-") {
				n += db.count(t, `SELECT count(*) FROM routing.decision WHERE lead_id = $1::uuid`, id)
			}
		}
		return n == 6
	})
}

// worksOnBoth lets a dealer work through each program on leads that the other one took.
func (s *seeds) worksOnBoth(t *testing.T, before, after *world) {
	t.Helper()
	const chosen = `,"dealer":{"dealer_id":"` + tokenDealer + `"},"dealer_choice":"DEALER_CHOICE_CUSTOMER_CHOSE"`
	for _, c := range []struct {
		name         string
		takes, works *world
	}{{"oldtakes", before, after}, {"newtakes", after, before}} {
		body := person("seed-"+c.name, "Seed"+c.name, "80205", chosen)
		var r *capturev1.LeadResult
		eventually(t, 30*time.Second, c.name+" is decided", func() bool {
			r = submit(t, c.takes, body)
			return r.GetDecision() != nil
		})
		s.bodies[c.name], s.lead[c.name] = body, r.GetLeadId()
		for _, step := range []struct{ route, body string }{
			{"/v1/leads/" + r.GetLeadId() + ":accept", `{}`},
			{"/v1/activities:batch", fmt.Sprintf(`{"activities":[{"activity_id":"both-act-%s","lead_id":%q,"person_id":"p-1","kind":"ACTIVITY_KIND_CALL","call_result":"CALL_RESULT_CONNECTED","talk_seconds":180}]}`, c.name, r.GetLeadId())},
			{"/v1/outcomes:batch", fmt.Sprintf(`{"outcomes":[{"outcome_id":"both-out-%s","lead_id":%q,"kind":"OUTCOME_KIND_WON","revenue":{"minor":"3150000","currency":"USD"}}]}`, c.name, r.GetLeadId())},
		} {
			if code, raw := c.works.call(t, "ops", http.MethodPost, step.route, nil, step.body); code != http.StatusOK || bytes.Contains(raw, []byte(`"problem"`)) {
				t.Errorf("%s: POST %s answered %d: %s", c.name, step.route, code, raw)
			}
		}
		eventually(t, 30*time.Second, c.name+": a lead won through the other program is won", func() bool { // a report may be applied after its answer
			got := &capturev1.GetLeadResponse{}
			c.takes.get(t, "ops", "/v1/leads/"+r.GetLeadId(), got)
			return got.GetState() == leadv1.State_STATE_WON
		})
		if again := submit(t, c.works, body); again.GetLeadId() != r.GetLeadId() || !again.GetDuplicateRequest() {
			t.Errorf("%s: sent again to the other program it is %v", c.name, again)
		}
	}
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
	eventually(t, 60*time.Second, "nothing is pending", settled)
	ids := l.again(t)
	for key, body := range s.bodies {
		if r := submit(t, w, body); r.GetLeadId() != s.lead[key] || !r.GetDuplicateRequest() {
			t.Errorf("the %s lead sent again is %v, it was %s", key, r, s.lead[key])
		}
		ids[s.lead[key]] = true
	}
	eventually(t, 60*time.Second, "nothing is pending after everything was sent again", settled)
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

// compareViews reads leads through both programs: what the old one shows, the new one shows too,
// and may show more.
func compareViews(t *testing.T, before, after *world, ids []string) {
	t.Helper()
	for _, id := range ids {
		var diff string
		eventually(t, 30*time.Second, "both programs show lead "+id+" alike", func() bool { // it may move between two reads
			var a, b any
			for _, read := range []struct {
				w    *world
				into *any
			}{{before, &a}, {after, &b}} {
				code, raw := read.w.call(t, "ops", http.MethodGet, "/v1/leads/"+id, nil, "")
				if code != http.StatusOK {
					t.Fatalf("lead %s answered %d: %s", id, code, raw)
				}
				if err := json.Unmarshal(raw, read.into); err != nil {
					t.Fatal(err)
				}
			}
			last := diff
			diff = lacks(a, b, "lead")
			if diff != "" && diff != last {
				t.Logf("lead %s: %s", id, diff)
			}
			return diff == ""
		})
	}
}

// lacks names the first thing of a JSON value that another one does not have.
func lacks(want, got any, at string) string {
	switch want := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return at + " is no object"
		}
		for k, v := range want {
			if diff := lacks(v, g[k], at+"."+k); diff != "" {
				return diff
			}
		}
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) < len(want) {
			return fmt.Sprintf("%s has fewer elements: %v, want %v", at, got, want)
		}
		for i, v := range want {
			if diff := lacks(v, g[i], fmt.Sprintf("%s[%d]", at, i)); diff != "" {
				return diff
			}
		}
	case string:
		// For a kind of evidence that came after it the old program has no words, only the weight.
		if g, ok := got.(string); ok && strings.HasPrefix(want, " (") && strings.HasSuffix(g, want) {
			return ""
		}
		if want != got {
			return fmt.Sprintf("%s is %v, want %v", at, got, want)
		}
	default:
		if want != got && !sameReason(want, got) {
			return fmt.Sprintf("%s is %v, want %v", at, got, want)
		}
	}
	return ""
}

// sameReason reports that a reason for a match differs by its words alone: a program has none for
// evidence that is newer than it, and shows the weight.
func sameReason(want, got any) bool {
	w, _ := want.(string)
	g, _ := got.(string)
	return strings.HasPrefix(w, " (") && strings.HasSuffix(g, w)
}

// demand says which errors of a connection a sender may see from now on; nil: any.
func (l *load) demand(tolerate func(error) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tolerate = tolerate
}

// some are leads of a load that are decided.
func (l *load) some(n int) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var ids []string
	for i := len(l.sent) - 1; i >= 0 && len(ids) < n; i-- {
		for _, r := range l.sent[i].held {
			if r.GetDecision() != nil {
				ids = append(ids, r.GetLeadId())
				break
			}
		}
	}
	return ids
}
