package feedback_test

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
)

// BenchmarkAppendEvents takes batches as relays send them at full load: each has 500 leads just
// captured and the decisions on the 500 of the batch before. It reports what one event costs over
// the whole road into the figures: log written, WAL, CPU of this process and of the sessions.
func BenchmarkAppendEvents(b *testing.B) {
	svc, n := setup(b), newNews(3)
	next := 0
	capture := func() []*leadv1.Event {
		events := make([]*leadv1.Event, 0, 1000)
		for range 500 {
			next++
			var id lead.ID
			for i := range id {
				id[i] = byte(n.rng.Uint32())
			}
			events = append(events, n.traced("capture", "captured", id.String(), &leadv1.EventFacts{
				Line: "SALES", Brand: "HY", Source: "site", Campaign: "autumn", Channel: "WEB", Origin: "OEM", Market: "DE",
				ReceivedAt: ts(start.Add(time.Duration(next) * time.Millisecond)),
			}))
		}
		return events
	}
	decide := func(captured []*leadv1.Event) []*leadv1.Event {
		events := make([]*leadv1.Event, len(captured))
		for i, e := range captured {
			events[i] = n.traced("routing", "decided", e.GetLeadId(), &leadv1.EventFacts{
				State: "ASSIGNED", DealerId: "D100", Department: "NEW", Role: "SALES", PersonId: "P1", CustomerId: e.GetLeadId(),
				DueAt: ts(start), DeadlineKind: "ACCEPT", DeliveredAt: ts(start), Points: 5500, ProbabilityPpm: 120000,
			})
		}
		return events
	}
	const foldAfter = 5 // batches: what comes between two foldings at 10,000 events a second
	batches := 0
	old := capture()
	svc.append(b, old...)
	wal, sessions := svc.wal(b), svc.sessions(b)
	var inCall, own time.Duration
	for b.Loop() {
		fresh := capture()
		events := append(fresh[:len(fresh):len(fresh)], decide(old)...)
		old = fresh
		began, used := time.Now(), ownCPU(b)
		if _, err := svc.BatchAppendEvents(b.Context(), &feedbackv1.BatchAppendEventsRequest{Events: events}); err != nil {
			b.Fatal(err)
		}
		inCall += time.Since(began)
		if batches++; batches%foldAfter == 0 {
			svc.fold(b)
		}
		own += ownCPU(b) - used
	}
	events := float64(1000 * b.N)
	b.ReportMetric(float64(inCall.Milliseconds())/float64(b.N), "ms/batch")
	b.ReportMetric(float64(svc.wal(b)-wal)/events, "wal-B/event")
	b.ReportMetric(float64(own.Microseconds())/events, "go-us/event")
	b.ReportMetric(float64((svc.sessions(b)-sessions).Microseconds())/events, "pg-us/event")
}

// traced makes an event with a traceparent, as those of the house have.
func (n *news) traced(source, kind, leadID string, facts *leadv1.EventFacts) *leadv1.Event {
	e := n.event(source, kind, leadID, 1, start, facts)
	e.Traceparent = fmt.Sprintf("00-%016x%016x-%016x-01", n.rng.Uint64(), n.rng.Uint64(), n.rng.Uint64())
	return e
}

// wal is how much the cluster has logged so far.
func (b *bundle) wal(t testing.TB) int64 {
	t.Helper()
	var at int64
	if err := b.pool.QueryRow(t.Context(), "SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint").Scan(&at); err != nil {
		t.Fatal(err)
	}
	return at
}

// ownCPU is what this process has used so far.
func ownCPU(t testing.TB) time.Duration {
	t.Helper()
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
		t.Fatal(err)
	}
	return time.Duration(own.Utime.Nano() + own.Stime.Nano())
}

// sessions is what the database's sessions have used so far.
func (b *bundle) sessions(t testing.TB) time.Duration {
	t.Helper()
	var used time.Duration
	rows, err := b.pool.Query(t.Context(), "SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var pid int
		if err := rows.Scan(&pid); err != nil {
			t.Fatal(err)
		}
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue // it has ended
		}
		var user, system int64
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		if _, err := fmt.Sscan(fields[11]+" "+fields[12], &user, &system); err != nil {
			t.Fatal(err)
		}
		used += time.Duration(user+system) * (time.Second / 100)
	}
	return used
}
