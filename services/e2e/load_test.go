package e2e_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// submission is one request with leads, sent until it is answered and once more at the end.
type submission struct {
	name  string // unique; the idempotency key, or what the keys of a batch begin with
	kind  string // lead, adf or batch
	body  string
	leads []*leadv1.Lead
	held  []*capturev1.LeadResult // what was promised; nil: nothing
}

// answer is what came back for a submission. An err means that nothing came back.
type answer struct {
	code       int
	reason     string
	retryAfter string
	results    []*capturev1.LeadResult
	err        error
}

// load sends leads, reports and reads from several senders at once until it is halted, and
// remembers every promise it was given.
type load struct {
	w        *world
	tolerate func(error) bool // whether a request may have had this for an answer; nil: it may
	halted   chan struct{}
	once     sync.Once
	wg       sync.WaitGroup
	number   atomic.Int64

	mu       sync.Mutex
	sent     []*submission
	reported map[string]string // activity -> lead, of those answered
	codes    map[int]int       // of submissions; 0: no answer
	reads    map[int]int
	decided  int      // submissions all of whose leads were decided in the answer
	wrong    []string // answers that must never be given
}

// startLoad begins sending; the test halts it, at the latest when it ends.
func startLoad(t *testing.T, w *world) *load {
	t.Helper()
	l := &load{w: w, halted: make(chan struct{}), reported: map[string]string{}, codes: map[int]int{}, reads: map[int]int{}}
	for _, kind := range []string{"lead", "lead", "adf", "batch"} {
		l.wg.Go(func() { l.sender(kind) })
	}
	l.wg.Go(l.dealer)
	t.Cleanup(l.halt)
	return l
}

func (l *load) halt() {
	l.once.Do(func() { close(l.halted) })
	l.wg.Wait()
}

// pace lets a sender make a request each interval until the load is halted, and less often while
// its requests fail.
func (l *load) pace(interval time.Duration, work func() (done bool)) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-l.halted:
			return
		case <-timer.C:
		}
		if work() {
			timer.Reset(interval)
		} else {
			timer.Reset(5 * interval)
		}
	}
}

func (l *load) sender(kind string) {
	interval := map[string]time.Duration{"lead": 8 * time.Millisecond, "adf": 15 * time.Millisecond, "batch": 30 * time.Millisecond}[kind]
	l.pace(interval, func() bool {
		s := newSubmission(kind, int(l.number.Add(1)))
		a := l.w.submit(context.Background(), s)
		l.mu.Lock()
		defer l.mu.Unlock()
		l.sent = append(l.sent, s)
		l.codes[a.code]++
		l.judge(s, a)
		if a.code == http.StatusOK || a.code == http.StatusAccepted {
			s.held = a.results
			if !slices.ContainsFunc(a.results, func(r *capturev1.LeadResult) bool { return r.GetDecision() == nil }) {
				l.decided++
			}
			return true
		}
		return false
	})
}

// judge notes answers that must never be given, whatever is down.
func (l *load) judge(s *submission, a answer) {
	switch a.code {
	case 0:
		if l.tolerate != nil && !l.tolerate(a.err) {
			l.blame("%s was cut: %v", s.name, a.err)
		}
	case http.StatusOK, http.StatusAccepted:
		if len(a.results) != len(s.leads) && s.kind == "batch" || len(a.results) == 0 {
			l.blame("%s was answered %d with %d results", s.name, a.code, len(a.results))
		}
		for _, r := range a.results {
			if p := r.GetProblem(); p != nil && p.GetReason() != problemv1.Reason_REASON_UNAVAILABLE || p == nil && r.GetLeadId() == "" {
				l.blame("%s was answered with %v", s.name, r)
			}
		}
	case http.StatusServiceUnavailable:
		if a.reason != "UNAVAILABLE" && a.reason != "NOT_READY" || a.retryAfter == "" {
			l.blame("%s was answered 503 %q, Retry-After %q", s.name, a.reason, a.retryAfter)
		}
	default:
		l.blame("%s was answered %d %s", s.name, a.code, a.reason)
	}
}

func (l *load) blame(format string, args ...any) {
	if len(l.wrong) < 10 {
		l.wrong = append(l.wrong, fmt.Sprintf(format, args...))
	}
}

// dealer reports calls on leads that are assigned, and reads them.
func (l *load) dealer() {
	l.pace(40*time.Millisecond, func() bool {
		id := l.lastAssigned()
		if id == "" {
			return false
		}
		activity := "act-" + strconv.FormatInt(l.number.Add(1), 10)
		code, raw, _, err := l.w.exchange(context.Background(), http.MethodPost, "/v1/activities:batch", "", fmt.Sprintf(
			`{"activities":[{"activity_id":%q,"lead_id":%q,"person_id":"p-1","kind":"ACTIVITY_KIND_CALL","call_result":"CALL_RESULT_VOICEMAIL"}]}`, activity, id), "")
		read, _, _, readErr := l.w.exchange(context.Background(), http.MethodGet, "/v1/leads/"+id, "", "", "")
		l.mu.Lock()
		defer l.mu.Unlock()
		resp := &feedbackv1.BatchCreateActivitiesResponse{}
		switch {
		case err != nil || code == http.StatusServiceUnavailable:
		case code != http.StatusOK || unmarshal(raw, resp) != nil || len(resp.GetResults()) != 1:
			l.blame("a report was answered %d %s", code, raw)
		case resp.GetResults()[0].GetProblem() == nil:
			l.reported[activity] = id
		}
		if readErr == nil {
			if l.reads[read]++; read != http.StatusOK && read != http.StatusServiceUnavailable {
				l.blame("reading a lead was answered %d", read)
			}
		}
		return true
	})
}

func (l *load) lastAssigned() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range slices.Backward(l.sent[max(0, len(l.sent)-20):]) {
		for _, r := range s.held {
			if r.GetState() == leadv1.State_STATE_ASSIGNED {
				return r.GetLeadId()
			}
		}
	}
	return ""
}

// count is how many submissions were answered with a status so far.
func (l *load) count(code int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.codes[code]
}

// flows waits until n more submissions were decided than when it was called.
func (l *load) flows(t *testing.T, limit time.Duration, n int) {
	t.Helper()
	decided := func() int {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.decided
	}
	from := decided()
	eventually(t, limit, "leads are decided again", func() bool { return decided() >= from+n })
}

var postalCodes = []string{"80205", "10001", "60614", "94110", "33131", "75201", "98101", "73301"}

// newSubmission makes the n-th request. Every eighth single lead is of a customer who asks again.
func newSubmission(kind string, n int) *submission {
	s := &submission{name: "load-" + strconv.Itoa(n), kind: kind}
	postal := postalCodes[n%len(postalCodes)]
	switch kind {
	case "lead":
		who := n
		if n%8 == 0 {
			who = n / 64
		}
		s.body = fmt.Sprintf(`{"request_type":"REQUEST_TYPE_QUOTE","origin":"ORIGIN_OEM","source":{"channel":"web","source":"oem_site"},
			"parties":[{"name":{"given":"Load","family":"Tester%d"},"emails":[{"address":"load%d@example.com"}],"address":{"postal_code":%q,"country":"US"}}],
			"vehicles":[{"make":"Norrvind","model":"Tindra","year":2026}],"comments":"inquiry %d"}`, who, who, postal, n)
	case "adf":
		var b strings.Builder
		b.WriteString(`<?xml version="1.0"?><?adf version="1.0"?><adf>`)
		for i := range 2 {
			fmt.Fprintf(&b, `<prospect><vehicle interest="buy" status="new"><year>2026</year><make>Norrvind</make><model>Tindra</model></vehicle>
				<customer><contact><name part="full">Adf Tester%d</name><email>adf%d-%d@example.com</email><address><postalcode>%s</postalcode><country>US</country></address></contact></customer></prospect>`, n, n, i, postal)
		}
		s.body = b.String() + `</adf>`
	case "batch":
		for i := range 10 {
			s.leads = append(s.leads, &leadv1.Lead{
				IdempotencyKey: s.name + "-" + strconv.Itoa(i), RequestType: leadv1.RequestType_REQUEST_TYPE_BROCHURE, Origin: leadv1.Origin_ORIGIN_OEM,
				Parties: []*leadv1.Party{{
					Name: &leadv1.Name{Given: "Batch", Family: "Tester" + strconv.Itoa(n)}, Emails: []*leadv1.Email{{Address: fmt.Sprintf("batch%d-%d@example.com", n, i)}},
					Address: &leadv1.Address{PostalCode: postal, Country: "US"},
				}},
				Vehicles: []*leadv1.Vehicle{{Make: "Norrvind", Model: "Tindra"}},
			})
		}
	}
	return s
}

// submit sends a submission once.
func (w *world) submit(ctx context.Context, s *submission) answer {
	if s.kind == "batch" {
		return w.submitBatch(ctx, s)
	}
	route, contentType := "/v1/leads", "application/json"
	if s.kind == "adf" {
		route, contentType = "/v1/adf", "application/xml"
	}
	code, raw, header, err := w.exchange(ctx, http.MethodPost, route, contentType, s.body, s.name)
	if err != nil {
		return answer{err: err}
	}
	a := answer{code: code, reason: reason(raw), retryAfter: header.Get("Retry-After")}
	if code >= http.StatusMultipleChoices {
		return a
	}
	if s.kind == "adf" {
		resp := &capturev1.IngestResponse{}
		if err := unmarshal(raw, resp); err != nil {
			return answer{code: http.StatusTeapot, reason: "an answer that cannot be read"}
		}
		a.results = resp.GetResults()
		return a
	}
	r := &capturev1.LeadResult{}
	if err := unmarshal(raw, r); err != nil {
		return answer{code: http.StatusTeapot, reason: "an answer that cannot be read"}
	}
	a.results = []*capturev1.LeadResult{r}
	return a
}

func (w *world) submitBatch(ctx context.Context, s *submission) answer {
	ctx, cancel := context.WithTimeout(w.as(ctx, "oem"), 20*time.Second)
	defer cancel()
	resp, err := capturev1.NewCaptureServiceClient(w.grpc).BatchCreateLeads(ctx, &capturev1.BatchCreateLeadsRequest{Leads: s.leads})
	if err == nil {
		return answer{code: http.StatusOK, results: resp.GetResults()}
	}
	a := answer{code: http.StatusInternalServerError}
	for _, d := range status.Convert(err).Details() {
		switch d := d.(type) {
		case *errdetails.ErrorInfo:
			a.reason = d.GetReason()
		case *errdetails.RetryInfo:
			a.retryAfter = d.GetRetryDelay().AsDuration().String()
		}
	}
	switch status.Code(err) {
	case codes.Unavailable:
		if a.reason == "" { // of the connection, not of the product
			return answer{err: err}
		}
		a.code = http.StatusServiceUnavailable
	case codes.ResourceExhausted:
		a.code = http.StatusTooManyRequests
	default:
		a.reason = err.Error()
	}
	return a
}

// exchange sends a REST request as the manufacturer and reads the whole answer.
func (w *world) exchange(ctx context.Context, method, route, contentType, body, key string) (int, []byte, http.Header, error) {
	req, err := http.NewRequestWithContext(ctx, method, w.base+route, strings.NewReader(body))
	if err != nil {
		return 0, nil, nil, err
	}
	if contentType == "" {
		contentType = "application/json"
	}
	req.Header.Set("Content-Type", contentType)
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	if tok := w.token["oem"]; tok != "" {
		req.Header.Set("Authorization", "Bearer "+tok)
	}
	resp, err := w.http.Do(req)
	if err != nil {
		return 0, nil, nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	return resp.StatusCode, raw, resp.Header, err
}

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
	eventually(t, 45*time.Second, "nothing is pending", settled)

	ids := l.again(t)
	eventually(t, 45*time.Second, "nothing is pending after everything was sent again", settled)
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
					if diff := differs(s.held, i, r); diff != "" {
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

// insist sends a submission until it is decided, for at most 20 s: what was never taken is new.
func (w *world) insist(ctx context.Context, s *submission) answer {
	deadline := time.Now().Add(20 * time.Second)
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
func differs(held []*capturev1.LeadResult, i int, again *capturev1.LeadResult) string {
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
	diff := cmp.Diff(facts(first, first.GetDecision() != nil), facts(again, first.GetDecision() != nil))
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
