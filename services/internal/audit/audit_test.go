package audit_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/services/house"
	"github.com/leadmesh/leadmesh/services/internal/audit"
	"github.com/leadmesh/leadmesh/services/internal/pgtest"
)

// TestAuditNamesGrantsThatDoNotStand gives leads owners of before and of now, some by grants that
// capacity and rotation would not give again.
func TestAuditNamesGrantsThatDoNotStand(t *testing.T) {
	const (
		granted = `{"Role": 1, "Verdict": 1}`
		forged  = `{"Role": 1, "Verdict": 1, "Person": "p9"}`
	)
	db := pgtest.New(t, house.Modules()...)
	pool := db.Pool("routing")
	exec := func(sql string, args ...any) {
		t.Helper()
		if _, err := pool.Exec(t.Context(), sql, args...); err != nil {
			t.Fatal(err)
		}
	}
	own := func(id, before, now string, test bool) {
		t.Helper()
		exec(`INSERT INTO decision (bucket, lead_id, lead_version, state, person_id, brand, line, test, chosen, attempt, dealer_id,
				received_at, decided_at, playbook, traceparent, lead, profile, decision)
			VALUES (1, $1, 2, 6, $1, 'TOY', 1, $2, false, 1, 'd2', now(), now(), '', '', '', '', '')`, id, test)
		exec(`INSERT INTO past_assignment (bucket, lead_id, sequence, dealer_id, department, role, person_id, assigned_at, ended_at, ended_by, code, clock, grant_facts)
			VALUES (1, $1, 1, 'd1', 1, 1, '', now(), now(), 'declined', '', '', $2)`, id, []byte(before))
		exec(`INSERT INTO assignment (bucket, lead_id, sequence, attempt, dealer_id, department, role, assigned_at, next_deadline, deadline_kind, clock, grant_facts)
			VALUES (1, $1, 2, 1, 'd2', 1, 1, now(), now() + interval '1 hour', 1, '', $2)`, id, []byte(now))
	}
	own("00000000-0000-7000-8000-000000000001", granted, granted, false)
	own("00000000-0000-7000-8000-000000000002", granted, forged, false)
	own("00000000-0000-7000-8000-000000000003", forged, granted, false)
	own("00000000-0000-7000-8000-000000000004", `{}`, `{}`, true)
	own("00000000-0000-7000-8000-000000000005", granted, `{}`, false)
	own("00000000-0000-7000-8000-000000000006", granted, `nothing`, false)

	report, err := audit.Run(t.Context(), db.URL(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(report.Findings, func(f audit.Finding) bool { return f.Check == "grants" })
	if i < 0 {
		t.Fatal("the audit does not check grants")
	}
	var got []string
	for _, o := range report.Findings[i].Offenders {
		got = append(got, o[len("00000000-0000-7000-8000-00000000000"):][:len("1 owner 1")])
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{"2 owner 2", "3 owner 1", "5 owner 2", "6 owner 2"}, got); diff != "" {
		t.Errorf("offenders (-want +got):\n%s\n%q", diff, report.Findings[i].Offenders)
	}
}
