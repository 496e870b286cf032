package e2e_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	"github.com/leadmesh/leadmesh/services/internal/audit"
)

// database looks into the world's database as its owner.
type database struct{ conn *pgx.Conn }

func (w *world) database(t *testing.T) database {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), w.db)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.WithoutCancel(t.Context())) })
	return database{conn}
}

func (d database) count(t *testing.T, query string, args ...any) int {
	t.Helper()
	var n int
	if err := d.conn.QueryRow(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

func (d database) exec(t *testing.T, query string, args ...any) {
	t.Helper()
	if _, err := d.conn.Exec(t.Context(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// hold locks tables against everybody until the returned function is called.
func (w *world) hold(t *testing.T, tables string) (release func()) {
	t.Helper()
	conn := w.database(t).conn
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "LOCK TABLE "+tables+" IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		if err := tx.Rollback(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}
}

// lawsKept audits the world's database and compares the scorecard's equation with it.
func lawsKept(t *testing.T, w *world, captured int) {
	t.Helper()
	var report *audit.Report
	eventually(t, patience, "the audit is made", func() bool {
		var err error
		if report, err = audit.Run(t.Context(), w.db, time.Now()); err != nil {
			t.Fatal(err)
		}
		return report.Clean()
	})
	for _, f := range report.Findings {
		if f.Count > 0 {
			t.Errorf("audit: %s: %d, such as %v", f.Check, f.Count, f.Offenders)
		}
	}
	if report.Equation["captured"] != int64(captured) {
		t.Errorf("the audit counts %v, %d leads were captured", report.Equation, captured)
	}
	card := &feedbackv1.GetScorecardResponse{}
	eventually(t, patience, "the scorecard holds the equation", func() bool {
		card.Reset()
		w.get(t, "oem", "/v1/reports/scorecard", card)
		return card.GetConservation().GetHolds() && card.GetConservation().GetCaptured() == int64(captured)
	})
}
