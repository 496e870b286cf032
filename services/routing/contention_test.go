package routing

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/leadmesh/leadmesh/core/lead"
	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
	"golang.org/x/sync/errgroup"
)

// begin opens a transaction beside those of the service, which the test rolls back if nobody else
// ends it.
func (w *world) begin() pgx.Tx {
	w.t.Helper()
	tx, err := w.pool.Begin(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { tx.Rollback(context.Background()) }) //nolint:errcheck // it may have ended
	return tx
}

func (w *world) in(tx pgx.Tx, sql string, args ...any) {
	w.t.Helper()
	if _, err := tx.Exec(w.t.Context(), sql, args...); err != nil {
		w.t.Fatalf("%s: %v", sql, err)
	}
}

// awaitBlocked waits until n sessions of the database wait for a lock.
func (w *world) awaitBlocked(n int) {
	w.t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		var waiting int
		err := w.pool.QueryRow(w.t.Context(), `SELECT count(DISTINCT l.pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
			WHERE NOT l.granted AND a.datname = current_database()`).Scan(&waiting)
		switch {
		case err != nil:
			w.t.Fatal(err)
		case waiting >= n:
			return
		case time.Now().After(deadline):
			w.t.Fatalf("%d sessions wait for a lock, not %d", waiting, n)
		}
	}
}

// proposals are inquiries as they are proposed to the store, with the hooks of their group.
func (w *world) proposals(list ...*inquiry) ([]*postgres.Proposal, postgres.GroupHooks) {
	w.t.Helper()
	var jobs []*job
	var out []*postgres.Proposal
	for _, q := range list {
		j := &job{ctx: w.t.Context(), inquiry: q, started: time.Now(), deadline: time.Now().Add(time.Minute)}
		w.s.committer.propose(w.rb, j)
		jobs, out = append(jobs, j), append(out, j.proposal)
	}
	return out, w.s.committer.hooks(w.rb, jobs)
}

func (w *world) count(sql string, args ...any) int {
	w.t.Helper()
	var n int
	if err := w.pool.QueryRow(w.t.Context(), sql, args...).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// TestACommitThatLostADeadlockTellsOnce has the database end a group after its holder was told: the
// second try must not tell again what the first one would have.
func TestACommitThatLostADeadlockTellsOnce(t *testing.T) {
	w := newWorld(t)
	holder := w.inquire("ada", chooses("a"))
	group, hooks := w.proposals(w.inquiry("ada", chooses("a")), w.inquiry("bob", chooses("a")))

	other := w.begin()
	w.in(other, `SET LOCAL ROLE none`)
	w.in(other, `SET LOCAL deadlock_timeout = '1min'`) // so that the group is ended and not this
	w.in(other, `SELECT FROM capacity WHERE dealer_id = 'a' FOR UPDATE`)
	done := make(chan error, 1)
	go func() { done <- w.s.store.Commit(t.Context(), group, hooks) }()
	w.awaitBlocked(1) // the group has the holder and waits for the book
	w.in(other, `SELECT FROM decision WHERE lead_id = $1::uuid FOR UPDATE`, holder.String())
	if err := other.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if n := count(w.events(holder), "merged_in ASKED_AGAIN"); n != 1 {
		t.Errorf("the holder was told %d times", n)
	}
	if v := w.kase(holder).Version; v != 2 {
		t.Errorf("the holder is at version %d", v)
	}
}

// TestTwoReplicasMergeALeadOnce lets two replicas find at the same moment that a lead is a duplicate.
func TestTwoReplicasMergeALeadOnce(t *testing.T) {
	w := newWorld(t)
	holder := w.inquire("ada", chooses("a"))
	before := w.kase(holder).Version
	first, firstHooks := w.proposals(w.inquiry("ada", chooses("a")))
	again := *w.inquiry("ada", chooses("a"))
	again.lead.ID = first[0].Case.LeadID
	second, secondHooks := w.proposals(&again)

	other := w.begin()
	w.in(other, `SELECT FROM decision WHERE lead_id = $1::uuid FOR UPDATE`, holder.String())
	done := make(chan error, 2)
	go func() { done <- w.s.store.Commit(t.Context(), first, firstHooks) }()
	go func() { done <- w.replica().store.Commit(t.Context(), second, secondHooks) }()
	w.awaitBlocked(2)
	if err := other.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	if n := count(w.events(holder), "merged_in ASKED_AGAIN"); n != 1 {
		t.Errorf("the holder was told %d times", n)
	}
	if v := w.kase(holder).Version; v != before+1 {
		t.Errorf("the holder went from version %d to %d", before, v)
	}
	outcomes := map[postgres.Outcome]int{first[0].Outcome: 1}
	outcomes[second[0].Outcome]++
	if outcomes[postgres.OutcomeMerged] != 1 || outcomes[postgres.OutcomeKnown] != 1 {
		t.Errorf("the lead came to %d and %d", first[0].Outcome, second[0].Outcome)
	}
}

// TestNobodyIsMergedIntoALeadThatWasRefused has a store refuse the first of a customer's two leads:
// until that is decided again there is nothing to merge the second one into.
func TestNobodyIsMergedIntoALeadThatWasRefused(t *testing.T) {
	w := newWorld(t)
	group, hooks := w.proposals(w.inquiry("ada", nil), w.inquiry("ada", nil))
	group[0].Grant = func(*postgres.Book) bool { return false }
	if err := w.s.store.Commit(t.Context(), group, hooks); err != nil {
		t.Fatal(err)
	}
	if group[0].Outcome != postgres.OutcomeRefused || group[1].Outcome != postgres.OutcomeRetry {
		t.Errorf("the two came to %d and %d", group[0].Outcome, group[1].Outcome)
	}
	for _, table := range []string{"decision", "receipt", "open_interest", "outbox"} {
		if n := w.count(`SELECT count(*) FROM ` + table); n != 0 {
			t.Errorf("%d rows of %s were left", n, table)
		}
	}
}

// TestALeadDecidedMeanwhileTakesNoInterest stops a replica between its look at the decisions and its
// claim of interest: meanwhile the lead was decided elsewhere and went into another one.
func TestALeadDecidedMeanwhileTakesNoInterest(t *testing.T) {
	w := newWorld(t)
	holder := w.inquire("ada", chooses("b"))
	q := w.inquiry("bob", chooses("a"))
	group, hooks := w.proposals(q)

	other := w.begin()
	w.in(other, `INSERT INTO open_interest SELECT $1, $2::uuid, brand, line, 'a', lead_id FROM decision WHERE lead_id = $3::uuid`,
		q.person.Bucket(), q.person.String(), holder.String())
	done := make(chan error, 1)
	go func() { done <- w.s.store.Commit(t.Context(), group, hooks) }()
	w.awaitBlocked(1)
	w.in(other, `INSERT INTO receipt SELECT $1, $2::uuid, attempt, canonical FROM receipt WHERE lead_id = $3::uuid`, q.lead.ID.Bucket(), q.lead.ID.String(), holder.String())
	w.in(other, `INSERT INTO decision SELECT (jsonb_populate_record(d, jsonb_build_object(
		'bucket', $1::int, 'lead_id', $2::text, 'state', 3, 'merged_into', $3::text))).* FROM decision d WHERE lead_id = $3::uuid`,
		q.lead.ID.Bucket(), q.lead.ID.String(), holder.String())
	w.in(other, `DELETE FROM open_interest WHERE person_id = $1::uuid`, q.person.String())
	if err := other.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if group[0].Outcome != postgres.OutcomeKnown {
		t.Errorf("the lead came to %d", group[0].Outcome)
	}
	if n := w.count(`SELECT count(*) FROM open_interest WHERE lead_id = $1::uuid`, q.lead.ID.String()); n != 0 {
		t.Errorf("%d rows of interest were left to a merged lead", n)
	}
}

// TestOnlyWhatCountsLeavesAReceipt has two replicas decide a lead at once, one of them in its second
// attempt, after a store refused: only one decision counts, and only that leaves a receipt.
func TestOnlyWhatCountsLeavesAReceipt(t *testing.T) {
	w := newWorld(t)
	holder := w.inquire("ada", chooses("b"))
	q := w.inquiry("bob", chooses("a"))
	first, firstHooks := w.proposals(q)
	again := *q
	again.attempt, again.exclusions = 2, []string{"c"}
	second, secondHooks := w.proposals(&again)

	other := w.begin()
	w.in(other, `INSERT INTO open_interest SELECT $1, $2::uuid, brand, line, 'a', lead_id FROM decision WHERE lead_id = $3::uuid`,
		q.person.Bucket(), q.person.String(), holder.String())
	done := make(chan error, 2)
	go func() { done <- w.s.store.Commit(t.Context(), first, firstHooks) }()
	go func() { done <- w.replica().store.Commit(t.Context(), second, secondHooks) }()
	w.awaitBlocked(2)
	if err := other.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	if n := w.count(`SELECT count(*) FROM receipt WHERE lead_id = $1::uuid`, q.lead.ID.String()); n != 1 {
		t.Errorf("%d receipts were left", n)
	}
	r, err := w.s.GetReceipt(t.Context(), &routingv1.GetReceiptRequest{LeadId: q.lead.ID.String()})
	if want := w.kase(q.lead.ID).Attempt; err != nil || int(r.GetAttempt()) != want || r.GetAttempts() != 1 {
		t.Errorf("attempt %d was decided; its receipt is %v, %v", want, r, err)
	}
	if n := count(w.events(q.lead.ID), "decided"); n != 1 {
		t.Errorf("it was told %d times", n)
	}
}

// TestATestLeadLeavesTheBooksAlone closes a test lead that a person had: it was never in the book.
func TestATestLeadLeavesTheBooksAlone(t *testing.T) {
	w := newWorld(t)
	real := w.customer(chooses("a"))
	person := w.kase(real).Owner.PersonID
	test := w.customer(func(p *leadv1.Lead) { chooses("a")(p); p.Test = true })
	if _, err := w.s.AcceptLead(w.as("a"), &routingv1.AcceptLeadRequest{LeadId: test.String(), PersonId: person}); err != nil {
		t.Fatal(err)
	}
	w.apply(nil, w.outcome(test, "lost", "a", feedbackv1.OutcomeKind_OUTCOME_KIND_LOST))
	if k := w.kase(test); k.State != lead.StateLost {
		t.Errorf("the test lead is %s", k.State)
	}
	if n := w.count(`SELECT coalesce((book -> 'persons' -> $1 ->> 'open')::int, 0) FROM capacity WHERE dealer_id = 'a'`, person); n != 1 {
		t.Errorf("%s works %d leads by the book, it is 1", person, n)
	}
}

// butTooLate is the error, unless it only says that somebody else moved the lead first.
func butTooLate(err error) error {
	if err == nil {
		return nil
	}
	switch problem.From(err).Reason {
	case problemv1.Reason_REASON_WRONG_STATE, problemv1.Reason_REASON_NOT_YOUR_DEALER:
		return nil
	}
	return err
}

// TestBooksAreRightAtEveryMoment looks at the books while two replicas escalate leads to a second
// person, whoever wants to takes them, and others are closed and come back.
func TestBooksAreRightAtEveryMoment(t *testing.T) {
	w := newWorld(t)
	var leads []lead.ID
	first := map[lead.ID]string{}
	for range 60 {
		id := w.customer(chooses("a"))
		leads, first[id] = append(leads, id), w.kase(id).Owner.PersonID
	}
	w.now = w.now.Add(5 * time.Hour) // all of them are breached
	ctx, other := w.as("a"), w.replica()
	sweep := func(s *Service) func() error {
		return func() error { _, err := s.sweepOnce(t.Context()); return err }
	}
	var g errgroup.Group
	var looked atomic.Int64
	g.Go(sweep(w.s))
	g.Go(sweep(other))
	g.Go(func() error {
		for i, id := range leads[:40] {
			for looked.Load() < int64(i/3) && t.Context().Err() == nil { // each look is amid the work, however slow
				runtime.Gosched()
			}
			person := []string{"a-1", "a-2"}[i/2%2]
			if _, err := w.s.AcceptLead(ctx, &routingv1.AcceptLeadRequest{LeadId: id.String(), PersonId: person}); butTooLate(err) != nil {
				return err
			}
		}
		return nil
	})
	g.Go(func() error {
		for i, id := range leads[20:] {
			for _, kind := range []feedbackv1.OutcomeKind{feedbackv1.OutcomeKind_OUTCOME_KIND_LOST, feedbackv1.OutcomeKind_OUTCOME_KIND_REOPENED}[:1+i%2] {
				if _, err := other.ApplyActivities(t.Context(), &routingv1.ApplyActivitiesRequest{
					Outcomes: []*feedbackv1.Outcome{w.outcome(id, kind.String(), "a", kind)},
				}); err != nil {
					return err
				}
			}
		}
		return nil
	})
	g.Go(func() error {
		for _, id := range leads[50:] {
			_, err := other.DeclineLead(ctx, &routingv1.DeclineLeadRequest{LeadId: id.String(), Code: leadv1.DeclineCode_DECLINE_CODE_TOO_FAR})
			if butTooLate(err) != nil {
				return err
			}
		}
		return nil
	})
	done := make(chan error, 1)
	go func() { done <- g.Wait() }()
	for looks := 0; ; looks++ {
		if n := w.count(wrongBooks); n != 0 {
			t.Fatalf("the books of %d persons are wrong at look %d", n, looks)
		}
		looked.Add(1)
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			changed := 0
			for _, id := range leads {
				if k := w.kase(id); k.Owner != nil && k.Owner.PersonID != first[id] {
					changed++
				}
			}
			if looks < 10 || changed < 10 {
				t.Errorf("%d looks while %d leads went from one person to another", looks, changed)
			}
			return
		default:
		}
	}
}
