package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// load sends leads, reports and reads from several senders at once until it is halted, and
// remembers every promise it was given.
type load struct {
	w        *world
	replicas []*world // they share the work; the first of them is w
	make     func(kind string, n int) *submission
	calm     int              // how many times longer the pauses between requests are; 0: once
	moved    bool             // leads change hands meanwhile: what was answered first need not hold
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
	taken    int      // leads promised
	wrong    []string // answers that must never be given
}

// startLoad begins sending; the test halts it, at the latest when it ends.
func startLoad(t *testing.T, w *world) *load {
	t.Helper()
	l := newLoad(w)
	l.start(t, []string{"lead", "lead", "adf", "batch"})
	l.wg.Go(l.dealer)
	return l
}

func newLoad(replicas ...*world) *load {
	return &load{
		w: replicas[0], replicas: replicas, make: newSubmission,
		halted: make(chan struct{}), reported: map[string]string{}, codes: map[int]int{}, reads: map[int]int{},
	}
}

// start begins to send submissions of kinds, each by a sender of its own.
func (l *load) start(t *testing.T, kinds []string) {
	t.Helper()
	for _, kind := range kinds {
		l.wg.Go(func() { l.sender(kind) })
	}
	t.Cleanup(l.halt)
}

// replica is the one that the n-th request goes to.
func (l *load) replica(n int) *world { return l.replicas[n%len(l.replicas)] }

func (l *load) halt() {
	l.once.Do(func() { close(l.halted) })
	l.wg.Wait()
}

// pace lets a sender make a request each interval until the load is halted, and less often while
// its requests fail.
func (l *load) pace(interval time.Duration, work func() (done bool)) {
	interval *= time.Duration(max(l.calm, 1))
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
	interval := map[string]time.Duration{
		"lead": 8 * time.Millisecond, "adf": 15 * time.Millisecond, "list": 30 * time.Millisecond, "batch": 30 * time.Millisecond,
	}[kind]
	l.pace(interval, func() bool {
		n := int(l.number.Add(1))
		s := l.make(kind, n)
		a := l.replica(n).submit(context.Background(), s)
		l.mu.Lock()
		defer l.mu.Unlock()
		l.sent = append(l.sent, s)
		l.codes[a.code]++
		l.judge(s, a)
		if a.code == http.StatusOK || a.code == http.StatusAccepted {
			s.held = a.results
			for _, r := range a.results {
				if r.GetProblem() == nil {
					l.taken++
				}
			}
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
		if timeout(a.err) {
			l.blame("%s was not answered within %s: %v", s.name, callLimit, a.err)
		}
		if l.tolerate != nil && !l.tolerate(a.err) {
			l.blame("%s was cut: %v", s.name, a.err)
		}
	case http.StatusOK, http.StatusAccepted:
		if len(a.results) != len(s.leads) && len(s.leads) > 0 || len(a.results) == 0 {
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

// timeout reports whether a caller gave up waiting: no outage may let it come to that.
func timeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout() || errors.Is(err, context.DeadlineExceeded) || status.Code(err) == codes.DeadlineExceeded
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

// leads is how many leads were promised so far.
func (l *load) leads() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.taken
}

// count is how many submissions were answered with a status so far.
func (l *load) count(code int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.codes[code]
}

// flows waits until n more submissions were decided than when it was called.
func (l *load) flows(t *testing.T, n int) {
	t.Helper()
	decided := func() int {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.decided
	}
	from := decided()
	eventually(t, patience, "leads are decided again", func() bool { return decided() >= from+n })
}
