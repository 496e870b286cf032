// Package audit checks the laws on a database: it is the one reader that looks across the schemas,
// in one read-only transaction that sees one moment.
package audit

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/leadmesh/leadmesh/core/routing"
	"github.com/leadmesh/leadmesh/services/internal/pack"
	"github.com/leadmesh/leadmesh/services/internal/postgres"
)

// Finding is one check with its offenders; none means the check holds.
type Finding struct {
	Check     string   // stable name
	Law       string   // what it guards, in words
	Offenders []string // identifiers, at most Limit of them
	Count     int      // how many there are
}

// Limit is how many offenders a finding names.
const Limit = 20

// Report is what an audit found.
type Report struct {
	At       time.Time
	Equation map[string]int64 // captured and the states it must add up to
	Findings []Finding
}

// Clean reports whether every check holds.
func (r *Report) Clean() bool {
	for _, f := range r.Findings {
		if f.Count > 0 {
			return false
		}
	}
	return true
}

// check is a query that yields one text column per offender. $1 is the moment of the audit.
type check struct{ name, law, query string }

var checks = []check{
	{"one_state", "a captured lead is in exactly one place: pending, rejected, parked for data, or decided", `
		SELECT l.lead_id::text FROM capture.lead l
		LEFT JOIN capture.pending p USING (bucket, lead_id)
		LEFT JOIN capture.rejected r USING (bucket, lead_id)
		LEFT JOIN capture.parked k USING (bucket, lead_id)
		LEFT JOIN routing.decision d USING (bucket, lead_id)
		WHERE (r.lead_id IS NOT NULL)::int + (k.lead_id IS NOT NULL)::int
			+ (d.lead_id IS NOT NULL OR p.lead_id IS NOT NULL)::int <> 1`},
	{"decided_is_captured", "a decision has a captured lead", `
		SELECT d.lead_id::text FROM routing.decision d LEFT JOIN capture.lead l USING (bucket, lead_id) WHERE l.lead_id IS NULL`},
	{"open_is_owned", "a lead is open exactly while a dealer, a role and a next deadline own it", `
		SELECT coalesce(d.lead_id, a.lead_id)::text FROM routing.decision d
		FULL JOIN routing.assignment a USING (bucket, lead_id)
		WHERE (d.state BETWEEN 5 AND 9) IS DISTINCT FROM (a.lead_id IS NOT NULL) OR a.dealer_id <> d.dealer_id`},
	{"deadline_watched", "no deadline of an open lead is forgotten: none is overdue by more than a minute", `
		SELECT lead_id::text FROM routing.assignment WHERE next_deadline < $1::timestamptz - interval '1 minute'`},
	{"parked_watched", "a parked lead has an owner and a reason, and wakes at its review date", `
		SELECT lead_id::text FROM routing.decision WHERE state = 4 AND review_at < $1::timestamptz - interval '5 minutes'
		UNION ALL SELECT lead_id::text FROM capture.parked WHERE review_at < $1::timestamptz - interval '5 minutes'`},
	{"pending_driven", "a pending lead is driven: none waits longer than ten minutes past its next attempt", `
		SELECT lead_id::text FROM capture.pending WHERE next_attempt_at < $1::timestamptz - interval '10 minutes'`},
	{"merged_into_held", "a merged lead went into a lead that exists and is no merged one", `
		SELECT d.lead_id::text FROM routing.decision d
		LEFT JOIN routing.decision h ON h.lead_id = d.merged_into
		WHERE d.state = 3 AND (h.lead_id IS NULL OR h.state = 3)`},
	{"interest_is_open", "only open leads hold interest, so that a closed lead makes nobody a duplicate", `
		SELECT i.lead_id::text FROM routing.open_interest i
		LEFT JOIN routing.decision d ON d.lead_id = i.lead_id
		WHERE d.state IS NULL OR d.state NOT BETWEEN 5 AND 9`},
	{"one_interest", "no two open leads without a chosen store share person, brand and line", `
		SELECT min(lead_id::text) FROM routing.decision WHERE state BETWEEN 5 AND 9 AND NOT chosen AND NOT test
			AND lead_id IN (SELECT lead_id FROM routing.open_interest)
		GROUP BY person_id, brand, line HAVING count(*) > 1`},
	{"receipt_kept", "every decision has its receipt", `
		SELECT d.lead_id::text FROM routing.decision d
		LEFT JOIN routing.receipt r ON r.bucket = d.bucket AND r.lead_id = d.lead_id AND r.attempt = d.attempt
		WHERE r.lead_id IS NULL`},
	{"decided_once", "a lead's first decision is recorded once in the event log, or waits in the outbox", `
		SELECT lead_id::text FROM feedback.event WHERE type = 'leadmesh.lead.decided.v1' AND lead_version = 1
		GROUP BY lead_id HAVING count(*) > 1`},
	{"logged", "every decided lead is in the figures once the outbox is empty and the log folded", `
		SELECT d.lead_id::text FROM routing.decision d
		LEFT JOIN feedback.lead_fact f USING (bucket, lead_id)
		WHERE f.lead_id IS NULL AND NOT EXISTS (SELECT 1 FROM routing.outbox)
			AND NOT EXISTS (SELECT 1 FROM feedback.unfolded)`},
	{"key_leads_somewhere", "an idempotency key leads to a lead that is held", `
		SELECT k.lead_id::text FROM capture.idempotency_key k LEFT JOIN capture.lead l ON l.lead_id = k.lead_id WHERE l.lead_id IS NULL`},
	// An owner after a closed one is a reopened lead: no flow, the lead counts by its state again. Who
	// declined has given the lead back as who returned it. No open lead is merged: it would still be
	// counted, and found.
	{"dealer_equation", "per dealer: assigned + transferred in = open + merged after assignment + won + lost + expired + transferred out + returned", `
		WITH owner AS (
			SELECT bucket, lead_id, sequence, dealer_id, ended_by FROM routing.past_assignment
			UNION ALL SELECT bucket, lead_id, sequence, dealer_id, '' FROM routing.assignment
		), followed AS (
			SELECT dealer_id, ended_by, coalesce(lag(ended_by) OVER (PARTITION BY bucket, lead_id ORDER BY sequence), 'declined') AS before FROM owner
		), term AS (
			SELECT dealer_id, (before IN ('declined', 'transferred'))::int - (ended_by IN ('declined', 'transferred', 'returned'))::int AS n FROM followed
			UNION ALL SELECT dealer_id, -1 FROM routing.decision WHERE state BETWEEN 5 AND 12
		)
		SELECT dealer_id || ' is out by ' || sum(n) FROM term WHERE dealer_id <> '' GROUP BY dealer_id HAVING sum(n) <> 0`},
	{"person_is_known", "a decided lead's person exists", `
		SELECT d.lead_id::text FROM routing.decision d LEFT JOIN identity.person p ON p.person_id = d.person_id WHERE p.person_id IS NULL`},
}

// Open opens the database behind the URL for reading only; its login must be able to become the
// audit role. The caller closes the pool.
func Open(ctx context.Context, databaseURL string) (*pgxpool.Pool, error) {
	pool, err := postgres.Open(ctx, postgres.PoolConfig{
		URL: databaseURL, Role: postgres.AuditRole, MaxConns: 2, StatementTimeout: 10 * time.Minute, ReadOnly: true,
	})
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	return pool, nil
}

// Run audits the database behind the URL, as Open opens it.
func Run(ctx context.Context, databaseURL string, at time.Time) (*Report, error) {
	pool, err := Open(ctx, databaseURL)
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	r := &Report{At: at}
	err = pgx.BeginTxFunc(ctx, pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		for _, c := range checks {
			f, err := c.run(ctx, tx, at)
			if err != nil {
				return fmt.Errorf("check %s: %w", c.name, err)
			}
			r.Findings = append(r.Findings, f)
		}
		f, err := equation(ctx, tx, r)
		if err != nil {
			return err
		}
		r.Findings = append(r.Findings, f)
		replayed, scored, err := replays(ctx, tx)
		if err != nil {
			return err
		}
		granted, err := grants(ctx, tx)
		r.Findings = append(r.Findings, replayed, scored, granted)
		return err
	})
	return r, err
}

func (c check) run(ctx context.Context, tx pgx.Tx, at time.Time) (Finding, error) {
	f := Finding{Check: c.name, Law: c.law}
	var args []any
	if usesMoment(c.query) {
		args = append(args, at)
	}
	rows, err := tx.Query(ctx, c.query, args...)
	if err != nil {
		return f, err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return f, err
		}
		f.add(id)
	}
	return f, rows.Err()
}

func (f *Finding) add(id string) {
	if f.Count++; len(f.Offenders) < Limit {
		f.Offenders = append(f.Offenders, id)
	}
}

func usesMoment(query string) bool {
	for i := 0; i+1 < len(query); i++ {
		if query[i] == '$' && query[i+1] == '1' {
			return true
		}
	}
	return false
}

// equation counts captured leads and the states they must add up to. A lead that is decided while
// its pending row still waits to be deleted counts as decided.
func equation(ctx context.Context, tx pgx.Tx, r *Report) (Finding, error) {
	f := Finding{Check: "equation", Law: "captured = pending + rejected + merged + parked + open + won + lost + expired"}
	r.Equation = map[string]int64{}
	rows, err := tx.Query(ctx, `
		SELECT 'captured', count(*) FROM capture.lead
		UNION ALL SELECT 'pending', count(*) FROM capture.pending p
			WHERE NOT EXISTS (SELECT 1 FROM routing.decision d WHERE d.bucket = p.bucket AND d.lead_id = p.lead_id)
		UNION ALL SELECT 'rejected', (SELECT count(*) FROM capture.rejected) + (SELECT count(*) FROM routing.decision WHERE state = 2)
		UNION ALL SELECT 'parked', (SELECT count(*) FROM capture.parked) + (SELECT count(*) FROM routing.decision WHERE state = 4)
		UNION ALL SELECT 'merged', count(*) FROM routing.decision WHERE state = 3
		UNION ALL SELECT 'open', count(*) FROM routing.decision WHERE state BETWEEN 5 AND 9
		UNION ALL SELECT 'won', count(*) FROM routing.decision WHERE state = 10
		UNION ALL SELECT 'lost', count(*) FROM routing.decision WHERE state = 11
		UNION ALL SELECT 'expired', count(*) FROM routing.decision WHERE state = 12`)
	if err != nil {
		return f, fmt.Errorf("count the equation: %w", err)
	}
	defer rows.Close()
	var sum int64
	for rows.Next() {
		var name string
		var n int64
		if err := rows.Scan(&name, &n); err != nil {
			return f, err
		}
		r.Equation[name] = n
		if name != "captured" {
			sum += n
		}
	}
	if err := rows.Err(); err != nil {
		return f, err
	}
	if sum != r.Equation["captured"] {
		f.add(fmt.Sprintf("captured %d, states add up to %d", r.Equation["captured"], sum))
	}
	return f, nil
}

// replays decides every stored receipt again and compares the bytes, and scores again what models
// scored.
func replays(ctx context.Context, tx pgx.Tx) (replayed, scored Finding, err error) {
	replayed = Finding{Check: "replay", Law: "every decision can be replayed to the same bytes"}
	scored = Finding{Check: "scored_by_model", Law: "a decision by a model has the points that the models its receipt names give"}
	codec, err := pack.New()
	if err != nil {
		return replayed, scored, err
	}
	s, err := readScorers(ctx, tx)
	if err != nil {
		return replayed, scored, err
	}
	rows, err := tx.Query(ctx, `SELECT lead_id::text, attempt, canonical FROM routing.receipt`)
	if err != nil {
		return replayed, scored, fmt.Errorf("read receipts: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var attempt int32
		var packed []byte
		if err := rows.Scan(&id, &attempt, &packed); err != nil {
			return replayed, scored, err
		}
		a := again(codec, packed)
		if a.Err == nil && !bytes.Equal(a.Replayed, a.Stored) {
			a.Err = routing.ErrReplayDiffers
		}
		if a.Err != nil {
			replayed.add(fmt.Sprintf("%s attempt %d: %v", id, attempt, a.Err))
		} else if err := s.check(a.receipt); err != nil {
			scored.add(fmt.Sprintf("%s attempt %d: %v", id, attempt, err))
		}
	}
	return replayed, scored, rows.Err()
}

// grants decides every stored grant of capacity and person again.
func grants(ctx context.Context, tx pgx.Tx) (Finding, error) {
	f := Finding{Check: "grants", Law: "every owner was granted what capacity and rotation grant from the same facts"}
	rows, err := tx.Query(ctx, owners)
	if err != nil {
		return f, fmt.Errorf("read grants: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		o, err := pgx.RowToStructByPos[owner](rows)
		if err != nil {
			return f, fmt.Errorf("read grants: %w", err)
		}
		if err := o.check(); err != nil {
			f.add(fmt.Sprintf("%s %v", o.Lead, err))
		}
	}
	return f, rows.Err()
}
