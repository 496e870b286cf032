package e2e_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
)

// verify halts the load and checks everything it was promised: each lead is held once and
// decided, the same requests again change nothing, the laws hold, no event is there twice.
func (l *load) verify(t *testing.T) {
	t.Helper()
	l.halt()
	t.Logf("answers %s; reads %s", tally(l.codes), tally(l.reads))
	for _, w := range l.wrong {
		t.Errorf("an answer that must not be: %s", w)
	}
	db := l.w.database(t)
	settled := func() bool {
		return db.count(t, `SELECT (SELECT count(*) FROM capture.pending) + (SELECT count(*) FROM capture.outbox)
			+ (SELECT count(*) FROM routing.outbox) + (SELECT count(*) FROM feedback.unapplied)`) == 0
	}
	eventually(t, patience, "nothing is pending", settled)

	ids := l.again(t)
	eventually(t, patience, "nothing is pending after everything was sent again", settled)
	if n := db.count(t, `SELECT count(*) FROM capture.lead`); n != len(ids) {
		t.Errorf("%d leads are held, %d were sent", n, len(ids))
	}
	for _, c := range []struct{ what, query string }{
		{"leads with a second owner", `SELECT count(*) FROM routing.past_assignment`},
		{"leads that are not decided", `SELECT count(*) FROM capture.lead l LEFT JOIN routing.decision d USING (bucket, lead_id) WHERE d.lead_id IS NULL`},
		{"leads captured other than once in the log", `SELECT count(*) FROM (SELECT l.lead_id FROM capture.lead l
			LEFT JOIN feedback.event e ON e.bucket = l.bucket AND e.lead_id = l.lead_id AND e.type = 'leadmesh.lead.captured.v1'
			GROUP BY l.lead_id HAVING count(e.event_id) <> 1) AS x`},
		{"leads decided other than once in the log", `SELECT count(*) FROM (SELECT l.lead_id FROM capture.lead l
			LEFT JOIN feedback.event e ON e.bucket = l.bucket AND e.lead_id = l.lead_id AND e.type = 'leadmesh.lead.decided.v1'
			GROUP BY l.lead_id HAVING count(e.event_id) <> 1) AS x`},
		{"versions of leads with two equal events", `SELECT count(*) FROM (SELECT 1 FROM feedback.event
			GROUP BY bucket, lead_id, type, lead_version, occurred_at, facts HAVING count(*) > 1) AS x`},
		{"reports Routing refused", `SELECT count(*) FROM feedback.report WHERE status <> 1`},
	} {
		if n := db.count(t, c.query); n != 0 {
			t.Errorf("%d %s", n, c.what)
		}
	}
	for activity, id := range l.reported {
		if n := db.count(t, `SELECT count(*) FROM routing.applied WHERE lead_id = $1::uuid AND id = $2`, id, activity); n != 1 {
			t.Errorf("report %s on lead %s was applied %d times", activity, id, n)
		}
	}
	lawsKept(t, l.w, len(ids))
}

// resent is how many requests with a promise are sent a second time.
const resent = 150

// again sends requests a second time, all those without a promise among them, and returns the
// leads that are held.
func (l *load) again(t *testing.T) map[string]bool {
	t.Helper()
	var mu sync.Mutex
	ids := map[string]bool{}
	queue := make(chan *submission, len(l.sent))
	promised := rand.Perm(len(l.sent))
	for i, s := range l.sent {
		for _, r := range s.held {
			ids[r.GetLeadId()] = ids[r.GetLeadId()] || r.GetLeadId() != ""
		}
		if s.held == nil || partly(s.held) || promised[i] < resent {
			queue <- s
		}
	}
	delete(ids, "")
	close(queue)
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			for s := range queue {
				a := l.w.insist(t.Context(), s)
				mu.Lock()
				if a.code != http.StatusOK {
					t.Errorf("%s sent again was answered %d %s %v", s.name, a.code, a.reason, a.err)
				}
				for i, r := range a.results {
					ids[r.GetLeadId()] = true
					if diff := l.differs(s.held, i, r); diff != "" {
						t.Errorf("%s sent again (-first +again):\n%s", s.name, diff)
					}
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return ids
}

// insist sends a submission until it is decided: what was never taken is new, and what waits for a part
// that was away is tried again every 30 s at the latest.
func (w *world) insist(ctx context.Context, s *submission) answer {
	deadline := time.Now().Add(2 * patience)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		a := w.submit(ctx, s)
		if a.code == http.StatusOK || time.Now().After(deadline) {
			return a
		}
		<-tick.C
	}
}

// partly reports whether an answer left some of its leads unpromised.
func partly(results []*capturev1.LeadResult) bool {
	return slices.ContainsFunc(results, func(r *capturev1.LeadResult) bool { return r.GetProblem() != nil })
}

// differs compares what was promised first with the answer to the same request.
func (l *load) differs(held []*capturev1.LeadResult, i int, again *capturev1.LeadResult) string {
	if i >= len(held) || held[i].GetProblem() != nil {
		return ""
	}
	first := held[i]
	facts := func(r *capturev1.LeadResult, decided bool) map[string]string {
		out := map[string]string{"lead_id": r.GetLeadId()}
		if decided {
			out["disposition"], out["merged_into"] = r.GetDecision().GetDisposition().String(), r.GetDecision().GetMergedInto()
			out["dealer"] = r.GetDecision().GetAssignment().GetDealerId()
			out["attempt"] = strconv.Itoa(int(r.GetDecision().GetAttempt()))
		}
		return out
	}
	decided := first.GetDecision() != nil && !l.moved
	diff := cmp.Diff(facts(first, decided), facts(again, decided))
	if diff == "" && !again.GetDuplicateRequest() {
		return "it is not known as a duplicate request"
	}
	return diff
}

// tally writes answers by status, for messages.
func tally(m map[int]int) string {
	var parts []string
	for _, code := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, fmt.Sprintf("%d: %d", code, m[code]))
	}
	return strings.Join(parts, ", ")
}
