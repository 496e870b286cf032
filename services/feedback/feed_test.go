package feedback_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/core/lead"
	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
)

// commitLate appends events in a transaction of its own that commits only after a while, as a busy
// session or one behind a slow disk does.
func (b *bundle) commitLate(ctx context.Context, events []*leadv1.Event, delay time.Duration) error {
	tx, err := b.pool.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback(ctx) //nolint:errcheck // after a commit it has nothing to do
	for _, e := range events {
		id, err := lead.ParseID(e.GetLeadId())
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO event (bucket, lead_id, event_id, lead_version, type, source, occurred_at, recorded_at, traceparent, facts)
			VALUES ($1, $2, $3, 1, $4, 'routing', $5, $5, '', '')`, id.Bucket(), e.GetLeadId(), e.GetEventId(), e.GetType(), start); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(ctx, "SELECT pg_sleep($1)", delay.Seconds()); err != nil {
		return err
	}
	return tx.Commit(ctx)
}

// TestFeedPassesOverNothing lets many writers commit in another order than they began, while pollers
// read: each of them sees every event, and sees it once.
func TestFeedPassesOverNothing(t *testing.T) {
	b := setup(t)
	const writers, appends, pollers = 8, 25, 3
	ctx, stop := context.WithTimeout(as(t, oem), 5*time.Minute)
	defer stop()
	var mu sync.Mutex
	want := map[string]bool{}
	var writing sync.WaitGroup
	done := make(chan struct{})
	for w := range writers {
		writing.Add(1)
		go func() {
			defer writing.Done()
			n, rng := newNews(uint64(w)), rand.New(rand.NewPCG(uint64(w), 1))
			for i := range appends {
				var events []*leadv1.Event
				for k := range 1 + rng.IntN(4) {
					events = append(events, n.event("routing", "state", leadID(w*1000+i*10+k), 1, start, nil))
				}
				if i%2 == 0 {
					if _, err := b.BatchAppendEvents(ctx, &feedbackv1.BatchAppendEventsRequest{Events: events}); err != nil {
						t.Error(err)
					}
				} else if err := b.commitLate(ctx, events, time.Duration(rng.IntN(30))*time.Millisecond); err != nil {
					t.Error(err)
				}
				mu.Lock()
				for _, e := range events {
					want[e.GetEventId()] = true
				}
				mu.Unlock()
			}
		}()
	}
	go func() { writing.Wait(); close(done) }()
	var reading sync.WaitGroup
	seen := make([]map[string]int, pollers)
	for p := range pollers {
		seen[p] = map[string]int{}
		reading.Add(1)
		go func() {
			defer reading.Done()
			cursor, last := "", false
			for {
				resp, err := b.ListEvents(ctx, &feedbackv1.ListEventsRequest{After: cursor, Limit: int32(1 + p*7), Wait: int32(p % 2)})
				if err != nil {
					t.Error(err)
					return
				}
				for _, e := range resp.GetEvents() {
					seen[p][e.GetId()]++
				}
				cursor = resp.GetCursor()
				if len(resp.GetEvents()) > 0 || resp.GetMore() {
					continue
				}
				if last {
					return
				}
				select {
				case <-done:
					last = true
				default:
				}
			}
		}()
	}
	reading.Wait()
	<-done
	for p := range pollers {
		missing, twice := 0, 0
		for id := range want {
			switch seen[p][id] {
			case 0:
				missing++
			case 1:
			default:
				twice++
			}
		}
		if missing+twice > 0 || len(seen[p]) != len(want) {
			t.Errorf("poller %d: of %d events %d missing, %d twice, %d seen", p, len(want), missing, twice, len(seen[p]))
		}
	}
}

// told is an event as a test compares it.
func told(resp *feedbackv1.ListEventsResponse) []string {
	var out []string
	for _, e := range resp.GetEvents() {
		f := e.GetData().GetFacts()
		line := strings.TrimSuffix(strings.TrimPrefix(e.GetType(), "leadmesh.lead."), ".v1") + " " + f.GetDealerId() + ">" + f.GetRelatedId() + " " + f.GetPersonId()
		if e.GetTest() {
			line += "test"
		}
		out = append(out, strings.TrimSpace(line))
	}
	return out
}

func TestFeedTellsStoresTheirOwn(t *testing.T) {
	b, n := setup(t), newNews(3)
	b.append(t, n.event("capture", "captured", leadID(1), 1, start, &leadv1.EventFacts{Source: "site", Test: true}))
	b.append(t,
		n.event("routing", "decided", leadID(1), 1, start.Add(1), &leadv1.EventFacts{DealerId: "D1", State: "ASSIGNED", Test: true, CustomerId: "P"}),
		n.event("routing", "transfer_offered", leadID(1), 2, start.Add(2*time.Second), &leadv1.EventFacts{DealerId: "D1", RelatedId: "D2", Note: "words of D1", PersonId: "p1"}),
		n.event("routing", "transferred", leadID(1), 3, start.Add(3*time.Second), &leadv1.EventFacts{DealerId: "D2", RelatedId: "D1", PersonId: "p2"}),
		n.event("routing", "milestone", leadID(1), 4, start.Add(4*time.Second), &leadv1.EventFacts{DealerId: "D2", PersonId: "p2"}),
		n.event("routing", "decided", leadID(2), 1, start.Add(5*time.Second), &leadv1.EventFacts{DealerId: "D3"}),
	)
	for name, tc := range map[string]struct {
		caller rpc.Caller
		req    *feedbackv1.ListEventsRequest
		want   []string
	}{
		"manufacturer":      {oem, &feedbackv1.ListEventsRequest{}, []string{"captured > test", "decided D1> test", "transfer_offered D1>D2 p1", "transferred D2>D1 p2", "milestone D2> p2", "decided D3>"}},
		"giver":             {dealer("D1"), &feedbackv1.ListEventsRequest{}, []string{"decided D1> test", "transfer_offered D1>D2 p1", "transferred D2>D1"}},
		"receiver":          {dealer("D2"), &feedbackv1.ListEventsRequest{}, []string{"transfer_offered D1>D2", "transferred D2>D1 p2", "milestone D2> p2"}},
		"nobody's":          {dealer("D9"), &feedbackv1.ListEventsRequest{}, nil},
		"of one, by others": {oem, &feedbackv1.ListEventsRequest{DealerId: "D1"}, []string{"decided D1> test", "transfer_offered D1>D2 p1", "transferred D2>D1 p2"}},
		"types":             {oem, &feedbackv1.ListEventsRequest{Types: []string{"captured,milestone"}}, []string{"captured > test", "milestone D2> p2"}},
	} {
		resp, err := b.ListEvents(as(t, tc.caller), tc.req)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(tc.want, told(resp)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		for _, e := range resp.GetEvents() {
			if f := e.GetData().GetFacts(); strings.Contains(f.GetNote(), "words of D1") && tc.caller.DealerID == "D2" || f.GetCustomerId() != "" && tc.caller.DealerID != "" {
				t.Errorf("%s is told %v", name, f)
			}
		}
	}
	if _, err := b.ListEvents(as(t, dealer("D1")), &feedbackv1.ListEventsRequest{DealerId: "D2"}); problem.From(err).Code() != "NOT_YOUR_DEALER" {
		t.Errorf("another store's events: %v", err)
	}
	resp, err := b.ListEvents(as(t, oem), &feedbackv1.ListEventsRequest{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	e := resp.GetEvents()[0]
	if e.GetSpecversion() != "1.0" || e.GetSource() != "leadmesh/capture" || e.GetSubject() != leadID(1) || e.GetData().GetLeadVersion() != 1 || !resp.GetMore() {
		t.Errorf("event %v, more %v", e, resp.GetMore())
	}
}

func TestFeedWaitsForAnEvent(t *testing.T) {
	b, n := setup(t), newNews(4)
	type answer struct {
		resp *feedbackv1.ListEventsResponse
		err  error
	}
	got := make(chan answer, 1)
	ask := func(after string, wait int32) {
		resp, err := b.ListEvents(as(t, oem), &feedbackv1.ListEventsRequest{After: after, Wait: wait})
		got <- answer{resp, err}
	}
	begun := time.Now()
	go ask("", 20)
	b.append(t, n.event("capture", "captured", leadID(1), 1, start, nil))
	a := <-got
	if a.err != nil || len(a.resp.GetEvents()) != 1 || time.Since(begun) > 15*time.Second {
		t.Fatalf("%v, %v after %s", a.resp, a.err, time.Since(begun))
	}
	cursor := a.resp.GetCursor()
	ask(cursor, 1)
	if a = <-got; a.err != nil || len(a.resp.GetEvents()) != 0 || a.resp.GetCursor() != cursor {
		t.Errorf("nothing new: %v, %v", a.resp, a.err)
	}
	begun = time.Now()
	go ask(cursor, 20)
	b.Drain()
	if a = <-got; a.err != nil || a.resp.GetCursor() != cursor || time.Since(begun) > 15*time.Second {
		t.Errorf("at the end of the process: %v, %v after %s", a.resp, a.err, time.Since(begun))
	}
}

func TestFeedRefusesWrongCursors(t *testing.T) {
	b, n := setup(t), newNews(5)
	b.append(t, n.event("capture", "captured", leadID(1), 1, start, nil))
	b.append(t, n.event("capture", "captured", leadID(2), 1, start, nil))
	resp, err := b.ListEvents(as(t, oem), &feedbackv1.ListEventsRequest{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	first := resp.GetCursor()
	other := setup(t)
	if _, err := other.pool.Exec(t.Context(), "UPDATE feed_end SET secret = sha256('another')"); err != nil {
		t.Fatal(err)
	}
	elsewhere, err := other.ListEvents(as(t, oem), &feedbackv1.ListEventsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	wrong := func(name string, req *feedbackv1.ListEventsRequest, field, words string) {
		t.Helper()
		_, err := b.ListEvents(as(t, oem), req)
		p := problem.From(err)
		if p == nil || len(p.Violations) != 1 || p.Violations[0].Field != field || !strings.Contains(p.Violations[0].Description, words) {
			t.Errorf("%s: %v", name, err)
		}
	}
	wrong("made up", &feedbackv1.ListEventsRequest{After: "17"}, "after", "no cursor")
	forged := []byte(first)
	forged[8] ^= 1
	wrong("forged", &feedbackv1.ListEventsRequest{After: string(forged)}, "after", "no cursor")
	wrong("another installation's", &feedbackv1.ListEventsRequest{After: elsewhere.GetCursor()}, "after", "no cursor")
	wrong("limit", &feedbackv1.ListEventsRequest{Limit: 5000}, "limit", "1 to 1000")
	wrong("wait", &feedbackv1.ListEventsRequest{Wait: 60}, "wait", "20 seconds")

	// Nobody polls for a year: what nobody read is gone, and the old cursor says so.
	b.clock.pass(365 * 24 * time.Hour)
	if err := b.SweepFeed(t.Context()); err != nil {
		t.Fatal(err)
	}
	wrong("expired", &feedbackv1.ListEventsRequest{After: first}, "after", "older than the 30 days")
	b.append(t, n.event("capture", "captured", leadID(3), 1, start, nil))
	resp, err = b.ListEvents(as(t, oem), &feedbackv1.ListEventsRequest{})
	if err != nil || len(resp.GetEvents()) != 1 || resp.GetEvents()[0].GetSubject() != leadID(3) {
		t.Errorf("after the sweep: %v, %v", resp, err)
	}
}

// TestListOfLeadsPassesOverNothing pages through leads that change while they are listed, and goes
// on from the last page: every lead is told as it stands in the end.
func TestListOfLeadsPassesOverNothing(t *testing.T) {
	b, n := setup(t), newNews(6)
	const leads = 60
	for i := range leads {
		b.append(t, n.event("capture", "captured", leadID(i), 1, start, &leadv1.EventFacts{Source: fmt.Sprint("s", i%2), Line: "SALES", ReceivedAt: ts(start)}))
	}
	state := map[string]string{}
	req := &feedbackv1.ListLeadsRequest{PageSize: 7}
	for i := 0; ; i++ {
		resp, err := b.ListLeads(as(t, oem), req)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range resp.GetLeads() {
			state[l.GetLeadId()] = l.GetState().String() + " " + l.GetDealerId()
		}
		if i < leads/2 {
			id := leadID((i * 13) % leads)
			b.append(t, n.event("routing", "decided", id, 1, start.Add(time.Second), &leadv1.EventFacts{State: "ASSIGNED", DealerId: "D1"}))
		}
		if resp.GetResumeToken() != "" {
			req.PageToken = resp.GetResumeToken()
		}
		if resp.GetNextPageToken() == "" && i > leads/2 {
			break
		}
	}
	if len(state) != leads {
		t.Errorf("%d leads listed, want %d", len(state), leads)
	}
	for i := range leads / 2 {
		if got := state[leadID((i*13)%leads)]; got != "STATE_ASSIGNED D1" {
			t.Fatalf("lead %d is told to be %s", i, got)
		}
	}
	for name, tc := range map[string]struct {
		caller rpc.Caller
		req    *feedbackv1.ListLeadsRequest
		want   int
	}{
		"dealer":        {dealer("D1"), &feedbackv1.ListLeadsRequest{}, leads / 2},
		"other dealer":  {dealer("D2"), &feedbackv1.ListLeadsRequest{}, 0},
		"pending":       {oem, &feedbackv1.ListLeadsRequest{State: leadv1.State_STATE_PENDING}, leads / 2},
		"source":        {oem, &feedbackv1.ListLeadsRequest{Source: "s1"}, leads / 2},
		"line":          {oem, &feedbackv1.ListLeadsRequest{Line: leadv1.Line_LINE_SERVICE}, 0},
		"updated later": {oem, &feedbackv1.ListLeadsRequest{UpdatedAfter: ts(time.Now().Add(time.Hour))}, 0},
	} {
		resp, err := b.ListLeads(as(t, tc.caller), tc.req)
		if err != nil || len(resp.GetLeads()) != tc.want || resp.GetWatermark() == nil {
			t.Errorf("%s: %d leads, want %d; %v", name, len(resp.GetLeads()), tc.want, err)
		}
	}
}

func TestListTellsWhyLeadsStandAside(t *testing.T) {
	b, n := setup(t), newNews(7)
	at := start.Add(-time.Hour)
	captured := func(i int) *leadv1.Event {
		return n.event("capture", "captured", leadID(i), 1, at, &leadv1.EventFacts{Source: "site", ReceivedAt: ts(at)})
	}
	b.append(t, captured(1), n.event("capture", "parked", leadID(1), 2, at, &leadv1.EventFacts{State: "PARKED", Code: "DATA", Actor: "mops", DueAt: ts(start), Note: "no ADF document in it"}))
	b.append(t, captured(2), n.event("routing", "decided", leadID(2), 1, at, &leadv1.EventFacts{State: "PARKED", Code: "CONSENT", Actor: "privacy", DueAt: ts(start)}))
	b.append(t, captured(3), n.event("capture", "rejected", leadID(3), 2, at, &leadv1.EventFacts{State: "REJECTED", Code: "NO_CONTACT_POINT", Note: "contact"}))
	list := func(req *feedbackv1.ListLeadsRequest) (out []string) {
		resp, err := b.ListLeads(as(t, oem), req)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range resp.GetLeads() {
			out = append(out, fmt.Sprintf("%s %s|%s|%s|%s|%d", l.GetCode(), l.GetParkOwner(), l.GetDetail(), l.GetReviewAt().AsTime().Format(time.TimeOnly), l.GetState(), l.GetAgeSeconds()))
		}
		return out
	}
	parked := list(&feedbackv1.ListLeadsRequest{State: leadv1.State_STATE_PARKED})
	want := []string{
		"DATA mops|no ADF document in it|12:00:00|STATE_PARKED|3600",
		"CONSENT privacy|the customer's consent does not allow an answer; it takes a newer consent|12:00:00|STATE_PARKED|3600",
	}
	if diff := cmp.Diff(want, parked); diff != "" {
		t.Errorf("parked (-want +got):\n%s", diff)
	}
	if got := list(&feedbackv1.ListLeadsRequest{State: leadv1.State_STATE_PARKED, Code: "DATA"}); len(got) != 1 {
		t.Errorf("parked for its data: %v", got)
	}
	if got := list(&feedbackv1.ListLeadsRequest{State: leadv1.State_STATE_REJECTED}); len(got) != 1 || !strings.HasPrefix(got[0], "NO_CONTACT_POINT |") || !strings.Contains(got[0], ": contact|") {
		t.Errorf("rejected: %v", got)
	}
}

// TestListsReadAlongIndexes: no page of any kind of list reads the table.
func TestListsReadAlongIndexes(t *testing.T) {
	b := setup(t)
	if _, err := b.pool.Exec(t.Context(), `INSERT INTO lead_fact (received_at, events, flags, assignments, probability_ppm, bucket, line, state, test,
			bad_contact, desk, lead_id, brand, source, campaign, state_code, state_actor, dealer_id, due_kind)
		SELECT now(), 1, 0, 0, 0, i % 64, 1, 1 + i % 12, false, false, false, gen_random_uuid(), '', 's', '', '', '', 'D' || i % 200, ''
		FROM generate_series(1, 30000) AS i`); err != nil {
		t.Fatal(err)
	}
	if _, err := b.pool.Exec(t.Context(), "ANALYZE lead_fact"); err != nil {
		t.Fatal(err)
	}
	const order = " AND (updated_at, lead_id) > ('2026-01-01', '00000000-0000-0000-0000-000000000000') ORDER BY updated_at, lead_id LIMIT 1000"
	for where, index := range map[string]string{
		"true": "lead_fact_updated", "dealer_id = 'D7' AND dealer_id <> ''": "lead_fact_dealer", "state = 4 AND state IN (1, 2, 4)": "lead_fact_aside",
	} {
		rows, err := b.pool.Query(t.Context(), "EXPLAIN SELECT * FROM lead_fact WHERE "+where+order)
		if err != nil {
			t.Fatal(err)
		}
		var plan []string
		for rows.Next() {
			var line string
			if err := rows.Scan(&line); err != nil {
				t.Fatal(err)
			}
			plan = append(plan, line)
		}
		text := strings.Join(plan, "\n")
		if !strings.Contains(text, "Index Scan using "+index) || slices.ContainsFunc(plan, func(l string) bool { return strings.Contains(l, "Seq Scan") || strings.Contains(l, "Sort") }) {
			t.Errorf("where %s:\n%s", where, text)
		}
	}
}
