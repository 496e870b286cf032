package routing

import (
	"strings"
	"testing"
	"time"

	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/routing/internal/mailertest"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
)

// Each rung is told once, at its own address, and no customer is named.
func TestEscalationIsMailedOnce(t *testing.T) {
	s := mailertest.New(t, nil, false)
	w := newADFWorld(t, nil, s)
	rows := testNetwork()
	rows.Dealers[1].Email, rows.Dealers[1].Departments[0].Email = "principal@b.example.com", "new@b.example.com"
	rows.Dealers[3].Email = "field@oem.example.com"
	if _, err := w.s.store.EditNetwork(t.Context(), w.now, func(*postgres.NetworkRows) (*postgres.NetworkRows, error) { return rows, nil }); err != nil {
		t.Fatal(err)
	}
	w.reload()
	w.customer(chooses("b"))
	answered := w.customer(chooses("b"))
	w.accept("b", answered)
	w.now = w.now.Add(time.Minute)
	talk := w.call(answered, "talk", "b", w.now)
	talk.CallResult, talk.TalkSeconds = leadv1.CallResult_CALL_RESULT_CONNECTED, 240
	if got := w.apply([]*feedbackv1.Activity{talk}); got[0] != "applied" || w.kase(answered).Owner.Clock.RespondedAt.IsZero() {
		t.Fatalf("%v, %+v", got, w.kase(answered).Owner.Clock)
	}
	for range 40 {
		w.pass(30 * time.Minute)
	}
	w.start()
	want := map[string]int{"new@b.example.com": 1, "principal@b.example.com": 1, "field@oem.example.com": 1}
	w.until("three notices", func() bool { return len(s.Got()) >= len(want) })
	for range 4 {
		w.pass(24 * time.Hour)
	}
	w.until("no more jobs", func() bool {
		var n int
		err := w.pool.QueryRow(t.Context(), "SELECT count(*) FROM routing_river.river_job WHERE state <> 'completed'").Scan(&n)
		return err == nil && n == 0
	})
	got := map[string]int{}
	for _, m := range s.Got() {
		got[m.To]++
		if text := string(m.Raw); strings.Contains(text, "Ada") || strings.Contains(text, "2125550123") || !strings.Contains(text, "Respond by:  2026-03-02") {
			t.Errorf("%s", text)
		}
	}
	for to, n := range want {
		if got[to] != n {
			t.Errorf("%d notices to %s, want %d", got[to], to, n)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%v", got)
	}
}
