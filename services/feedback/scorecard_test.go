package feedback_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
)

// seed appends the hand-made leads: five at source site (one merged, one lost unworked, one won,
// one open past its deadline, one test), two at source fair (one parked past its review, one at
// the manufacturer's desk), and one that is captured too late for the watermark.
func seed(t *testing.T, b *bundle) {
	t.Helper()
	n := newNews(8)
	day := func(d int) time.Time { return start.Add(-time.Duration(d) * 24 * time.Hour) }
	captured := func(i, daysAgo int, source string, test bool) {
		b.append(t, n.event("capture", "captured", leadID(i), 1, day(daysAgo), &leadv1.EventFacts{
			Line: "SALES", Source: source, ReceivedAt: ts(day(daysAgo)), Test: test, Flags: int32(i % 2),
		}))
	}
	decided := func(i, daysAgo int, facts *leadv1.EventFacts) {
		b.append(t, n.event("routing", "decided", leadID(i), 1, day(daysAgo).Add(2*time.Second), facts))
	}
	assigned := func(dealer string, desk bool, due time.Time) *leadv1.EventFacts {
		return &leadv1.EventFacts{State: "ASSIGNED", DealerId: dealer, Desk: desk, DueAt: ts(due), DeadlineKind: "RESPOND", ProbabilityPpm: 100_000}
	}
	captured(1, 10, "site", false)
	decided(1, 10, &leadv1.EventFacts{State: "MERGED", RelatedId: leadID(3)})
	captured(2, 9, "site", false)
	decided(2, 9, assigned("D1", false, day(8)))
	b.append(t, n.event("routing", "lost", leadID(2), 2, day(7), &leadv1.EventFacts{Code: "PRICE"}))
	captured(3, 8, "site", false)
	decided(3, 8, assigned("D1", false, day(7)))
	b.append(t,
		n.event("routing", "milestone", leadID(3), 2, day(8).Add(time.Hour), &leadv1.EventFacts{Kind: "RESPONDED", DealerId: "D1", Verdict: "met", StoreSeconds: 3000, Actor: "p1"}),
		n.event("routing", "won", leadID(3), 3, day(3), &leadv1.EventFacts{}))
	captured(4, 7, "site", false)
	decided(4, 7, assigned("D2", false, day(6)))
	b.append(t, n.event("routing", "deadline", leadID(4), 2, day(6), &leadv1.EventFacts{DeadlineKind: "RESPOND", Verdict: "breached", DealerId: "D2", DueAt: ts(day(6))}))
	captured(5, 7, "site", true)
	captured(6, 6, "fair", false)
	b.append(t, n.event("capture", "parked", leadID(6), 2, day(6), &leadv1.EventFacts{Code: "DATA", DueAt: ts(day(5)), Actor: "mops"}))
	captured(7, 5, "fair", false)
	decided(7, 5, assigned("DESK", true, start.Add(time.Hour)))
	b.append(t, n.event("capture", "captured", leadID(8), 1, start, &leadv1.EventFacts{Source: "site", ReceivedAt: ts(start.Add(-time.Second))}))
}

func TestScorecard(t *testing.T) {
	b := setup(t)
	seed(t, b)
	resp, err := b.GetScorecard(as(t, oem), &feedbackv1.GetScorecardRequest{GroupBy: "dealer"})
	if err != nil {
		t.Fatal(err)
	}
	if want := start.Add(-2 * time.Second); !resp.GetWatermark().AsTime().Equal(want) {
		t.Errorf("watermark %s, want %s", resp.GetWatermark().AsTime(), want)
	}
	wantEquation := &feedbackv1.Conservation{
		Captured: proto.Int64(6), Pending: proto.Int64(0), Rejected: proto.Int64(0), Merged: proto.Int64(1), Parked: proto.Int64(1),
		Open: proto.Int64(2), Won: proto.Int64(1), Lost: proto.Int64(1), Expired: proto.Int64(0), Holds: proto.Bool(true),
	}
	if diff := cmp.Diff(wantEquation, resp.GetConservation(), protocmp.Transform()); diff != "" {
		t.Errorf("equation (-want +got):\n%s", diff)
	}
	got := map[string]string{}
	for _, g := range resp.GetGroups() {
		for _, f := range g.GetFigures() {
			share, measured := f.GetUnit() == "share", f.GetUnit() != "count"
			if f.Value == nil || (f.Numerator != nil) != share || (f.Denominator != nil) != measured ||
				(f.Low != nil) != share || (f.High != nil) != share || (f.StillOpen != nil) != measured {
				t.Errorf("%s has not what a figure in %s has: %v", f.GetName(), f.GetUnit(), f)
			}
			if share {
				got[g.GetKey()+" "+f.GetName()] = fmt.Sprintf("%d/%d open %g", f.GetNumerator(), f.GetDenominator(), f.GetStillOpen())
			} else if f.GetValue() != 0 {
				got[g.GetKey()+" "+f.GetName()] = fmt.Sprint(f.GetValue())
			}
		}
	}
	want := map[string]string{
		"D1 lead_volume": "2", "D1 lead_volume_valid": "2", "D1 dedupe_rate": "0/2 open 0", "D1 bad_lead_share": "0/2 open 0",
		"D1 data_accuracy": "1/2 open 0", "D1 routing_speed": "2", "D1 customer_wait": "3600", "D1 store_time": "3000",
		"D1 response_rate": "1/2 open 0", "D1 contact_rate": "0/2 open 0", "D1 sla_compliance_respond": "1/1 open 0",
		"D1 test_drive_rate": "0/2 open 0", "D1 close_rate_30d": "1/2 open 0", "D1 close_rate_90d": "1/2 open 0", "D1 close_rate_180d": "1/2 open 0",
		"D1 cycle_time": "432000", "D1 stage_assigned": "3598", "D1 leakage": "1/2 open 0",
		"D2 lead_volume": "1", "D2 lead_volume_valid": "1", "D2 dedupe_rate": "0/1 open 0", "D2 bad_lead_share": "0/1 open 0",
		"D2 data_accuracy": "1/1 open 0", "D2 routing_speed": "2", "D2 response_rate": "0/1 open 0", "D2 contact_rate": "0/1 open 0",
		"D2 sla_compliance_respond": "0/1 open 0", "D2 test_drive_rate": "0/1 open 0", "D2 close_rate_30d": "0/1 open 1",
		"D2 close_rate_90d": "0/1 open 1", "D2 close_rate_180d": "0/1 open 1", "D2 pipeline_wins": "0.1", "D2 leakage": "1/1 open 0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("figures by hand (-want +got):\n%s", diff)
	}
}

func TestScorecardGroupsAndFilters(t *testing.T) {
	b := setup(t)
	seed(t, b)
	keys := func(req *feedbackv1.GetScorecardRequest) (keys []string) {
		resp, err := b.GetScorecard(as(t, oem), req)
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range resp.GetGroups() {
			keys = append(keys, fmt.Sprintf("%s=%g", g.GetKey(), g.GetFigures()[0].GetValue()))
		}
		return keys
	}
	for _, c := range []struct {
		req  *feedbackv1.GetScorecardRequest
		want []string
	}{
		{&feedbackv1.GetScorecardRequest{}, []string{"=6"}},
		{&feedbackv1.GetScorecardRequest{GroupBy: "source"}, []string{"site=4", "fair=2"}},
		{&feedbackv1.GetScorecardRequest{GroupBy: "line"}, []string{"SALES=6"}},
		{&feedbackv1.GetScorecardRequest{GroupBy: "dealer"}, []string{"D1=2", "D2=1"}}, // the desk is no dealer
		// 2026-11-20 is a Friday; ten days before it a Tuesday.
		{&feedbackv1.GetScorecardRequest{GroupBy: "week"}, []string{"2026-11-09=6"}},
		{&feedbackv1.GetScorecardRequest{GroupBy: "month"}, []string{"2026-11=6"}},
		{&feedbackv1.GetScorecardRequest{GroupBy: "day", Source: "fair"}, []string{"2026-11-14=1", "2026-11-15=1"}},
		{&feedbackv1.GetScorecardRequest{DealerId: "D1"}, []string{"=2"}},
		{&feedbackv1.GetScorecardRequest{Line: leadv1.Line_LINE_SERVICE}, nil},
		{&feedbackv1.GetScorecardRequest{From: ts(start.Add(-7 * 24 * time.Hour)), Until: ts(start.Add(-6 * 24 * time.Hour))}, []string{"=1"}},
	} {
		if diff := cmp.Diff(c.want, keys(c.req)); diff != "" {
			t.Errorf("%v (-want +got):\n%s", c.req, diff)
		}
	}
	own, err := b.GetScorecard(as(t, dealer("D2")), &feedbackv1.GetScorecardRequest{})
	if err != nil || own.GetConservation().GetCaptured() != 1 {
		t.Errorf("a store sees %v, %v; want its one lead", own.GetConservation(), err)
	}
	_, err = b.GetScorecard(as(t, dealer("D2")), &feedbackv1.GetScorecardRequest{DealerId: "D1"})
	if status.Code(err) != codes.PermissionDenied {
		t.Errorf("another store's figures: %v", err)
	}
	_, err = b.GetScorecard(as(t, oem), &feedbackv1.GetScorecardRequest{GroupBy: "moon"})
	if status.Code(err) != codes.InvalidArgument {
		t.Errorf("an unknown grouping: %v", err)
	}
}

func TestScorecardLeads(t *testing.T) {
	b := setup(t)
	seed(t, b)
	list := func(req *feedbackv1.ListScorecardLeadsRequest) (ids []string) {
		for {
			resp, err := b.ListScorecardLeads(as(t, oem), req)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, resp.GetLeadIds()...)
			if req.PageToken = resp.GetNextPageToken(); req.GetPageToken() == "" {
				return ids
			}
		}
	}
	for _, c := range []struct {
		req  *feedbackv1.ListScorecardLeadsRequest
		want []string
	}{
		{&feedbackv1.ListScorecardLeadsRequest{Figure: "lead_volume", PageSize: 4}, []string{leadID(1), leadID(2), leadID(3), leadID(4), leadID(6), leadID(7)}},
		{&feedbackv1.ListScorecardLeadsRequest{Figure: "response_rate", PageSize: 1}, []string{leadID(3)}},
		{&feedbackv1.ListScorecardLeadsRequest{Figure: "response_rate", Missing: true, PageSize: 1}, []string{leadID(2), leadID(4), leadID(6), leadID(7)}},
		{&feedbackv1.ListScorecardLeadsRequest{Figure: "response_rate", Missing: true, GroupBy: "dealer", GroupKey: "D2"}, []string{leadID(4)}},
		{&feedbackv1.ListScorecardLeadsRequest{Figure: "customer_wait", Missing: true, GroupBy: "source", GroupKey: "site"}, []string{leadID(2), leadID(4)}},
		{&feedbackv1.ListScorecardLeadsRequest{Figure: "leakage"}, []string{leadID(2), leadID(4), leadID(6)}},
	} {
		want := c.req.String()
		if diff := cmp.Diff(c.want, list(c.req)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", want, diff)
		}
	}
	_, err := b.ListScorecardLeads(as(t, oem), &feedbackv1.ListScorecardLeadsRequest{Figure: "luck", PageToken: "?"})
	if status.Code(err) != codes.InvalidArgument {
		t.Errorf("an unknown figure: %v", err)
	}
}

func TestLeakage(t *testing.T) {
	b := setup(t)
	seed(t, b)
	req := &feedbackv1.GetLeakageRequest{PageSize: 2}
	resp, err := b.GetLeakage(as(t, oem), req)
	if err != nil {
		t.Fatal(err)
	}
	const day = 24 * 60 * 60
	want := &feedbackv1.GetLeakageResponse{
		Watermark: ts(start.Add(-2 * time.Second)), Count: proto.Int64(3), ShareOfValid: proto.Float64(3.0 / 5),
		ByStage: map[string]int64{"closed_unworked": 1, "open_past_deadline": 1, "parked_past_review": 1},
		Leaks: []*feedbackv1.Leak{
			{LeadId: leadID(2), Stage: "closed_unworked", Owner: "D1", AgeSeconds: 7*day - 2, Line: leadv1.Line_LINE_SALES, Source: "site"},
			{LeadId: leadID(4), Stage: "open_past_deadline", Owner: "D2", AgeSeconds: 6*day - 2, Line: leadv1.Line_LINE_SALES, Source: "site"},
		},
	}
	if diff := cmp.Diff(want, resp, protocmp.Transform(), protocmp.IgnoreFields(&feedbackv1.GetLeakageResponse{}, "next_page_token")); diff != "" {
		t.Errorf("leakage (-want +got):\n%s", diff)
	}
	req.PageToken = resp.GetNextPageToken()
	resp, err = b.GetLeakage(as(t, oem), req)
	if err != nil {
		t.Fatal(err)
	}
	if len(resp.GetLeaks()) != 1 || resp.GetLeaks()[0].GetOwner() != "mops" || resp.GetNextPageToken() != "" {
		t.Errorf("second page: %v", resp.GetLeaks())
	}
}

// TestLateArrivalsHoldTheWatermarkBack: a relay that comes an hour late shows in the watermark.
func TestLateArrivalsHoldTheWatermarkBack(t *testing.T) {
	b, n := setup(t), newNews(2)
	late := n.event("routing", "won", leadID(1), 2, start.Add(-time.Hour), &leadv1.EventFacts{})
	late.RecordedAt = ts(start.Add(-time.Hour))
	b.append(t, late)
	watermark := func() time.Time {
		resp, err := b.GetScorecard(as(t, oem), &feedbackv1.GetScorecardRequest{})
		if err != nil {
			t.Fatal(err)
		}
		return resp.GetWatermark().AsTime()
	}
	if got := watermark(); !got.Equal(start.Add(-time.Hour)) {
		t.Errorf("watermark %s, want an hour before %s", got, start)
	}
	b.clock.pass(11 * time.Minute)
	if got := watermark(); !got.Equal(start.Add(11*time.Minute - 2*time.Second)) {
		t.Errorf("watermark %s later, want two seconds before now", got)
	}
}
