package routing

import (
	"bytes"
	"cmp"
	"log/slog"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/core/lead"
	corerouting "github.com/leadmesh/leadmesh/core/routing"
	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/cursor"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// past reads all pages.
func (w *world) past(req *routingv1.ListPastDecisionsRequest) (all []*routingv1.PastDecision, pages int) {
	w.t.Helper()
	progress := int32(-1)
	for {
		resp, err := w.s.ListPastDecisions(w.t.Context(), req)
		if err != nil {
			w.t.Fatal(err)
		}
		if resp.GetProgressPpm() < progress {
			w.t.Errorf("progress went from %d to %d", progress, resp.GetProgressPpm())
		}
		progress = resp.GetProgressPpm()
		all = append(all, resp.GetDecisions()...)
		pages++
		if req.PageToken = resp.GetNextPageToken(); req.PageToken == "" {
			if progress != 1_000_000 {
				w.t.Errorf("the last page is at %d", progress)
			}
			return all, pages
		}
	}
}

func TestListPastDecisions(t *testing.T) {
	w := newWorld(t)
	var sales []lead.ID
	for range 40 {
		sales = append(sales, w.customer(nil))
	}
	w.customer(func(p *leadv1.Lead) {
		p.Line, p.RequestType = leadv1.Line_LINE_SERVICE, leadv1.RequestType_REQUEST_TYPE_SERVICE_BOOKING
	})
	w.customer(func(p *leadv1.Lead) { p.Test = true })
	twice := w.inquire("one person", nil)
	if merged := w.inquire("one person", nil); w.kase(merged).State != lead.StateMerged {
		t.Fatal("nothing was merged")
	}
	sales = append(sales, twice)
	redecided := sales[0]
	w.decline(w.kase(redecided).DealerID, redecided)
	w.apply(nil, w.outcome(sales[1], "won", w.kase(sales[1]).DealerID, feedbackv1.OutcomeKind_OUTCOME_KIND_WON))
	w.now = w.now.Add(time.Hour)
	later := w.customer(nil)

	slices.SortFunc(sales, func(a, b lead.ID) int {
		return cmp.Or(w.kase(a).ReceivedAt.Compare(w.kase(b).ReceivedAt), bytes.Compare(a[:], b[:]))
	})
	var want []string
	for _, id := range sales {
		want = append(want, id.String())
	}
	ids := func(list []*routingv1.PastDecision) (out []string) {
		for _, d := range list {
			out = append(out, d.GetLeadId())
		}
		return out
	}
	for _, size := range []int32{1, 3, 0} {
		got, pages := w.past(&routingv1.ListPastDecisionsRequest{Line: leadv1.Line_LINE_SALES, To: timestamppb.New(w.now), PageSize: size})
		if diff := gocmp.Diff(want, ids(got)); diff != "" {
			t.Errorf("by pages of %d: %s", size, diff)
		}
		if size > 0 && pages < 45/int(size) || size == 0 && pages != 1 {
			t.Errorf("%d pages of %d", pages, size)
		}
	}
	got, _ := w.past(&routingv1.ListPastDecisionsRequest{Line: leadv1.Line_LINE_SALES, From: timestamppb.New(w.now)})
	if diff := gocmp.Diff([]string{later.String()}, ids(got)); diff != "" {
		t.Errorf("the later ones: %s", diff)
	}

	// What is answered is what the first receipt says.
	got, _ = w.past(&routingv1.ListPastDecisionsRequest{Line: leadv1.Line_LINE_SALES})
	won := 0
	for _, d := range got {
		id, err := lead.ParseID(d.GetLeadId())
		if err != nil {
			t.Fatal(err)
		}
		stored, err := w.s.store.Receipt(t.Context(), id, 1)
		if err != nil {
			t.Fatal(err)
		}
		r, err := corerouting.ParseReceipt(stored.Canonical)
		if err != nil {
			t.Fatal(err)
		}
		if d.GetPoints() != r.Points || d.GetProbabilityPpm() != r.WinChance || d.GetStage() != leadv1.Stage(r.Stage) || len(d.GetInputs()) != len(r.Inputs) || len(r.Inputs) == 0 {
			t.Errorf("%v is not as in its receipt", d)
		}
		if d.GetRegion() != "US" {
			t.Errorf("%s is in %q", d.GetLeadId(), d.GetRegion())
		}
		if d.GetBrand() != testBrand || d.GetReceivedAt() == nil || (d.GetClosedAt() != nil) != (d.GetState() == leadv1.State_STATE_WON) {
			t.Errorf("answered %v", d)
		}
		if d.GetState() == leadv1.State_STATE_WON {
			won++
		}
	}
	if won != 1 {
		t.Errorf("%d are won", won)
	}

	// Nobody reads the receipts of later decisions: one that can not be read changes nothing.
	second, err := w.s.store.Receipt(t.Context(), redecided, 2)
	if err != nil {
		t.Fatal(err)
	}
	keep := func(canonical []byte) {
		t.Helper()
		if tag, err := w.pool.Exec(t.Context(), `UPDATE receipt SET canonical = $1 WHERE lead_id = $2 AND attempt = 2`, w.s.store.Pack(canonical), redecided.String()); err != nil || tag.RowsAffected() != 1 {
			t.Fatal(err)
		}
	}
	keep([]byte("no receipt"))
	if again, _ := w.past(&routingv1.ListPastDecisionsRequest{Line: leadv1.Line_LINE_SALES}); len(again) != len(got) {
		t.Errorf("%d decisions, had %d", len(again), len(got))
	}
	keep(second.Canonical)

	// A first receipt that can not be read is told and passed over, whatever is wrong with it.
	var log bytes.Buffer
	was := w.s.log
	w.s.log = slog.New(slog.NewTextHandler(&log, nil))
	for _, bad := range [][]byte{w.s.store.Pack([]byte("no receipt")), []byte("not even packed")} {
		stored, err := w.s.store.Receipt(t.Context(), twice, 1)
		if err != nil {
			t.Fatal(err)
		}
		set := func(canonical []byte) {
			t.Helper()
			if tag, err := w.pool.Exec(t.Context(), `UPDATE receipt SET canonical = $1 WHERE lead_id = $2 AND attempt = 1`, canonical, twice.String()); err != nil || tag.RowsAffected() != 1 {
				t.Fatal(err)
			}
		}
		set(bad)
		resp, err := w.s.ListPastDecisions(t.Context(), &routingv1.ListPastDecisionsRequest{Line: leadv1.Line_LINE_SALES})
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff([]string{twice.String()}, resp.GetUnreadableLeadIds()); diff != "" || len(resp.GetDecisions()) != len(got)-1 {
			t.Errorf("%d of %d decisions: %s", len(resp.GetDecisions()), len(got), diff)
		}
		if !bytes.Contains(log.Bytes(), []byte(twice.String())) {
			t.Errorf("the log does not name the lead: %s", &log)
		}
		log.Reset()
		set(w.s.store.Pack(stored.Canonical))
	}
	w.s.log = was
	for _, req := range []*routingv1.ListPastDecisionsRequest{
		{}, {Line: 99}, {Line: 1, PageSize: -1}, {Line: 1, PageSize: 2_001}, {Line: 1, PageToken: "AAAA"}, {Line: 1, PageToken: cursor.Text(bytes.Repeat([]byte{0x7f}, 24))}, {Line: 1, From: &timestamppb.Timestamp{Nanos: -1}},
	} {
		_, err := w.s.ListPastDecisions(t.Context(), req)
		wantReason(t, err, problemv1.Reason_REASON_INVALID_ARGUMENT)
	}
}

func TestCountPastOutcomes(t *testing.T) {
	w := newWorld(t)
	var all []lead.ID
	for range 6 {
		all = append(all, w.customer(nil))
		w.now = w.now.Add(time.Minute)
	}
	for i, kind := range []feedbackv1.OutcomeKind{feedbackv1.OutcomeKind_OUTCOME_KIND_WON, feedbackv1.OutcomeKind_OUTCOME_KIND_LOST, feedbackv1.OutcomeKind_OUTCOME_KIND_LOST} {
		w.apply(nil, w.outcome(all[i], "over", w.kase(all[i]).DealerID, kind))
	}
	test := w.customer(func(p *leadv1.Lead) { p.Test = true })
	w.apply(nil, w.outcome(test, "over", w.kase(test).DealerID, feedbackv1.OutcomeKind_OUTCOME_KIND_WON))
	second := timestamppb.New(w.kase(all[1]).ReceivedAt)
	for _, tt := range []struct {
		name        string
		req         *routingv1.CountPastOutcomesRequest
		closed, won int64
	}{
		{"all", &routingv1.CountPastOutcomesRequest{Line: leadv1.Line_LINE_SALES}, 3, 1},
		{"the latest", &routingv1.CountPastOutcomesRequest{Line: leadv1.Line_LINE_SALES, Limit: 2}, 2, 0},
		{"from", &routingv1.CountPastOutcomesRequest{Line: leadv1.Line_LINE_SALES, From: second}, 2, 0},
		{"to", &routingv1.CountPastOutcomesRequest{Line: leadv1.Line_LINE_SALES, To: second}, 1, 1},
		{"another line", &routingv1.CountPastOutcomesRequest{Line: leadv1.Line_LINE_SERVICE}, 0, 0},
	} {
		resp, err := w.s.CountPastOutcomes(t.Context(), tt.req)
		if err != nil {
			t.Fatal(err)
		}
		if resp.GetClosedCount() != tt.closed || resp.GetWonCount() != tt.won {
			t.Errorf("%s: %v", tt.name, resp)
		}
	}
	for _, req := range []*routingv1.CountPastOutcomesRequest{{}, {Line: 1, Limit: -1}, {Line: 1, Limit: 10_001}} {
		_, err := w.s.CountPastOutcomes(t.Context(), req)
		wantReason(t, err, problemv1.Reason_REASON_INVALID_ARGUMENT)
	}
}
