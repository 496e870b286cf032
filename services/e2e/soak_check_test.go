package e2e_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/internal/audit"
	"google.golang.org/protobuf/proto"
)

// settled waits until nothing is on its way. Reports about leads that Routing does not know, since
// Capture has refused them, are kept for a while.
func (d database) settled(t *testing.T) {
	t.Helper()
	var left string
	limit := time.Now().Add(2 * patience)
	for left != "none" {
		if time.Now().After(limit) {
			t.Fatalf("not in time: nothing is on its way: %s", left)
		}
		if err := d.conn.QueryRow(t.Context(), `SELECT coalesce(string_agg(n || ' ' || what, ', '), 'none') FROM (
			SELECT count(*) AS n, 'pending' AS what FROM capture.pending UNION ALL SELECT count(*), 'events of Capture' FROM capture.outbox
			UNION ALL SELECT count(*), 'events of Routing' FROM routing.outbox UNION ALL SELECT count(*), 'batches not folded' FROM feedback.unfolded
			UNION ALL SELECT count(*), 'reports: ' || max(reason) FROM feedback.unapplied JOIN feedback.report r USING (bucket, lead_id, report_type, report_id)
				WHERE EXISTS (SELECT FROM routing.decision d WHERE d.bucket = r.bucket AND d.lead_id = r.lead_id)) AS x
			WHERE n > 0`).Scan(&left); err != nil {
			t.Fatal(err)
		}
		rest(50 * time.Millisecond)
	}
}

// check looks at everything a round has left behind.
func (s *soak) check(t *testing.T) {
	t.Helper()
	l := s.load
	t.Logf("answers %s; to dealers %s", tally(l.codes), tally(l.reads))
	for _, w := range l.wrong {
		t.Errorf("an answer that must not be: %s", w)
	}
	db := l.w.database(t)
	db.settled(t)
	ids := l.again(t)
	db.settled(t)
	if n := db.count(t, `SELECT count(*) FROM capture.lead`); n != len(ids) {
		t.Errorf("%d leads are held, %d were promised", n, len(ids))
	}
	if n := db.count(t, `SELECT count(*) FROM unnest($1::text[]) AS id WHERE id::uuid NOT IN (SELECT lead_id FROM capture.lead)`, slices.Collect(maps.Keys(ids))); n != 0 {
		t.Errorf("%d leads were promised and are not held", n)
	}
	db.atOnce(t, func() {
		for _, c := range soakChecks {
			if n, such := db.finds(t, c.query); n != 0 {
				t.Errorf("%d %s, such as %s", n, c.what, such)
			}
		}
		s.sum.checked(len(ids), db.count(t, `SELECT count(*) FROM feedback.event`))
		db.toldOnce(t)
		db.booksExact(t)
	})
	s.audited(t, len(ids))
	db.atOnce(t, func() { db.dealersBalance(t) })
	for _, name := range []string{"INTERNAL", "panic"} {
		for p, x := range s.processes {
			for line := range strings.Lines(x.log.String()) {
				if strings.Contains(line, name) {
					t.Errorf("%s logged: %s", p, line)
					break
				}
			}
		}
	}
}

// atOnce looks at one moment of the database: the house goes on while it is looked at, and on a clock
// that runs a lead may get another person between two looks.
func (d database) atOnce(t *testing.T, look func()) {
	t.Helper()
	d.exec(t, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
	defer d.exec(t, "COMMIT")
	look()
}

// soakChecks must each find nothing: how many, and the first of them.
var soakChecks = []struct{ what, query string }{
	{"leads captured other than once in the log", `SELECT count(*), min(lead_id::text) FROM (SELECT l.lead_id FROM capture.lead l
		LEFT JOIN feedback.event e ON e.bucket = l.bucket AND e.lead_id = l.lead_id AND e.type = 'leadmesh.lead.captured.v1'
		GROUP BY l.lead_id HAVING count(e.event_id) <> 1) AS x`},
	{"leads with another number of decisions in the log than receipts", `SELECT count(*), min(d.lead_id::text) FROM routing.decision d
		WHERE (SELECT count(*) FROM feedback.event e WHERE e.bucket = d.bucket AND e.lead_id = d.lead_id AND e.type = 'leadmesh.lead.decided.v1')
			<> (SELECT count(*) FROM routing.receipt r WHERE r.bucket = d.bucket AND r.lead_id = d.lead_id)`},
	{"events that are held twice", `SELECT count(*), min(event_id::text) FROM (SELECT event_id FROM feedback.event GROUP BY event_id HAVING count(*) > 1) AS x`},
	{"versions of leads with two equal events", `SELECT count(*), min(lead_id::text) FROM (SELECT lead_id FROM feedback.event
		GROUP BY bucket, lead_id, type, source, lead_version, occurred_at, facts HAVING count(*) > 1) AS x`},
	{"leads with an event of a version they never had", `SELECT count(*), min(d.lead_id::text) FROM routing.decision d
		JOIN feedback.event e USING (bucket, lead_id) WHERE e.source = 'routing' AND e.lead_version NOT BETWEEN 1 AND d.lead_version`},
	{"leads whose owners do not follow each other", `SELECT count(*), min(lead_id::text) FROM (
		SELECT lead_id FROM (SELECT bucket, lead_id, sequence FROM routing.past_assignment UNION ALL SELECT bucket, lead_id, sequence FROM routing.assignment) AS o
		GROUP BY lead_id HAVING count(*) <> max(sequence) OR min(sequence) <> 1 OR count(DISTINCT sequence) <> count(*)) AS x`},
	{"owners who ended before they began", `SELECT count(*), min(lead_id::text) FROM routing.past_assignment WHERE ended_at < assigned_at`},
	{"open leads without a deadline", `SELECT count(*), min(d.lead_id::text) FROM routing.decision d LEFT JOIN routing.assignment a USING (bucket, lead_id)
		WHERE d.state BETWEEN 5 AND 9 AND (a.next_deadline IS NULL OR a.deadline_kind IS NULL)`},
	{"reports on decided leads that wait", `SELECT count(*), min(r.report_id) FROM feedback.report r JOIN routing.decision USING (bucket, lead_id) WHERE r.status = 0`},
	{"reports that count as applied and were not", `SELECT count(*), min(r.report_id) FROM feedback.report r
		LEFT JOIN routing.applied a ON a.bucket = r.bucket AND a.lead_id = r.lead_id AND a.id = CASE r.report_type WHEN 2 THEN 'outcome' || chr(31) ELSE '' END || r.report_id
		WHERE (r.status = 1) <> (a.id IS NOT NULL)`},
	{"leads whose figures say another state", `SELECT count(*), min(d.lead_id::text) FROM routing.decision d
		JOIN feedback.lead_fact f USING (bucket, lead_id) WHERE f.state <> d.state`},
	{"leads whose figures name another owner", `SELECT count(*), min(a.lead_id::text) FROM routing.assignment a
		JOIN feedback.lead_fact f USING (bucket, lead_id) WHERE f.dealer_id <> a.dealer_id`},
}

// finds is how many offenders a check finds, and the first of them.
func (d database) finds(t *testing.T, query string) (n int, such string) {
	t.Helper()
	var first *string
	if err := d.conn.QueryRow(t.Context(), query).Scan(&n, &first); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	if first != nil {
		such = *first
	}
	return n, such
}

// toldOnce checks that each lead that was merged is told once to the one it went into.
func (d database) toldOnce(t *testing.T) {
	t.Helper()
	rows, err := d.conn.Query(t.Context(), `SELECT lead_id::text, facts FROM feedback.event WHERE type = 'leadmesh.lead.merged_in.v1'`)
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]int{}
	var id string
	var facts []byte
	_, err = pgx.ForEachRow(rows, []any{&id, &facts}, func() error {
		f := &leadv1.EventFacts{}
		if err := proto.Unmarshal(facts, f); err != nil {
			return err
		}
		told[id+" of "+f.GetRelatedId()]++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for merge, n := range told {
		if n > 1 {
			t.Errorf("lead %s was told %d times", merge, n)
		}
	}
	rows, err = d.conn.Query(t.Context(), `SELECT merged_into::text, lead_id::text FROM routing.decision WHERE state = 3`)
	if err != nil {
		t.Fatal(err)
	}
	var holder string
	if _, err := pgx.ForEachRow(rows, []any{&holder, &id}, func() error {
		if told[holder+" of "+id] == 0 {
			t.Errorf("lead %s was not told of %s, which was merged into it", holder, id)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// audited audits the database at the product's time and compares the scorecard's equation with it.
func (s *soak) audited(t *testing.T, captured int) {
	t.Helper()
	var report *audit.Report
	clean := func() bool {
		var err error
		if report, err = audit.Run(t.Context(), s.load.w.db, s.now()); err != nil {
			t.Fatal(err)
		}
		return report.Clean()
	}
	for start := time.Now(); !clean() && time.Since(start) < patience; {
		rest(100 * time.Millisecond)
	}
	for _, f := range report.Findings {
		if f.Count > 0 {
			t.Errorf("audit: %s: %d, such as %v", f.Check, f.Count, f.Offenders)
		}
	}
	if n := report.Equation["captured"]; n != int64(captured) {
		t.Errorf("the audit counts %d leads, %d were captured", n, captured)
	}
	tests := int64(s.load.w.database(t).count(t, `SELECT count(*) FROM capture.lead WHERE test`))
	card := &feedbackv1.GetScorecardResponse{}
	// Reports keep as far from now as events came late.
	eventually(t, patience+2*s.longest, "the scorecard holds the equation", func() bool {
		card.Reset()
		s.load.w.get(t, "oem", "/v1/reports/scorecard", card)
		return card.GetConservation().GetHolds() && card.GetConservation().GetCaptured() == int64(captured)-tests
	})
	if diff := cmp.Diff(int64(captured)-tests, card.GetConservation().GetCaptured()); diff != "" {
		t.Errorf("captured (-want +got):\n%s", diff)
	}
}

// swept waits until no deadline is overdue, and audits.
func (s *soak) swept(t *testing.T, w *world, at time.Time) {
	t.Helper()
	db := w.database(t)
	eventually(t, 2*patience, "every deadline that has come was found", func() bool {
		return db.count(t, `SELECT (SELECT count(*) FROM routing.assignment WHERE next_deadline <= $1)
			+ (SELECT count(*) FROM routing.decision WHERE state = 4 AND review_at <= $1)
			+ (SELECT count(*) FROM capture.parked WHERE review_at <= $1) + (SELECT count(*) FROM capture.outbox)
			+ (SELECT count(*) FROM routing.outbox) + (SELECT count(*) FROM feedback.unfolded)`, at) == 0
	})
	report, err := audit.Run(t.Context(), w.db, at)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range report.Findings {
		if f.Count > 0 {
			t.Errorf("audit at %s: %s: %d, such as %v", at.Format(time.DateTime), f.Check, f.Count, f.Offenders)
		}
	}
	db.atOnce(t, func() {
		for _, c := range soakChecks {
			if n, such := db.finds(t, c.query); n != 0 {
				t.Errorf("at %s %d %s, such as %s", at.Format(time.DateTime), n, c.what, such)
			}
		}
		db.booksExact(t)
		db.dealersBalance(t)
	})
}
