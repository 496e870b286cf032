package feedback_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"
)

func call(id, lead string, at time.Time) *feedbackv1.Activity {
	return &feedbackv1.Activity{
		ActivityId: id, LeadId: lead, Kind: feedbackv1.ActivityKind_ACTIVITY_KIND_CALL, OccurredAt: ts(at), PersonId: "p1",
		CallResult: leadv1.CallResult_CALL_RESULT_VOICEMAIL,
	}
}

func (b *bundle) report(t *testing.T, c rpc.Caller, activities ...*feedbackv1.Activity) []*feedbackv1.ReportResult {
	t.Helper()
	resp, err := b.BatchCreateActivities(as(t, c), &feedbackv1.BatchCreateActivitiesRequest{Activities: activities})
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetResults()
}

func (b *bundle) unapplied(t *testing.T) int64 {
	t.Helper()
	n, err := b.UnappliedCount(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestReportIsAppliedAtOnceAndOnce(t *testing.T) {
	b := setup(t)
	b.cases.own(leadID(1), "D1")
	want := &feedbackv1.ReportResult{
		Id: "a1", State: leadv1.State_STATE_WORKING, Applied: true, CountedAs: []string{"acknowledged", "attempt", "responded"},
		Assignment: &leadv1.Assignment{DealerId: "D1", DeadlineKind: "NEXT_STEP"},
	}
	got := b.report(t, dealer("D1"), call("a1", leadID(1), start))
	if diff := cmp.Diff([]*feedbackv1.ReportResult{want}, got, protocmp.Transform()); diff != "" {
		t.Errorf("first (-want +got):\n%s", diff)
	}
	want.Duplicate, want.CountedAs = true, nil
	got = b.report(t, dealer("D1"), call("a1", leadID(1), start.Add(-time.Hour)))
	if diff := cmp.Diff([]*feedbackv1.ReportResult{want}, got, protocmp.Transform()); diff != "" {
		t.Errorf("again (-want +got):\n%s", diff)
	}
	if n := len(b.cases.order); n != 1 {
		t.Errorf("routing was given %d reports, want 1", n)
	}
	if n := b.unapplied(t); n != 0 {
		t.Errorf("%d reports wait", n)
	}
}

// Two systems may both number their reports from 1.
func TestAnotherSendersReportIsNotADuplicate(t *testing.T) {
	b := setup(t)
	b.cases.own(leadID(1), "D1")
	crm, oem := dealer("D1"), rpc.Caller{Name: "oem feed", Roles: []rpc.Role{rpc.RoleOEM}}
	b.report(t, crm, call("1", leadID(1), start))
	got := b.report(t, oem, call("1", leadID(1), start.Add(-time.Hour)))[0]
	if got.GetDuplicate() || got.GetProblem().GetReason() != problemv1.Reason_REASON_IDEMPOTENCY_KEY_REUSED {
		t.Errorf("another sender's report under the same identifier is answered %v", got)
	}
	same := call("1", leadID(1), start)
	same.DealerId = "D1"
	if got := b.report(t, oem, same)[0]; !got.GetDuplicate() || got.GetProblem() != nil {
		t.Errorf("the same report through another sender is answered %v", got)
	}
}

func TestReportsSurviveRouting(t *testing.T) {
	b := setup(t)
	b.cases.own(leadID(1), "D1")
	b.cases.setDown(true)
	got := b.report(t, dealer("D1"), call("late", leadID(1), start), call("early", leadID(1), start.Add(-time.Hour)))
	for _, r := range got {
		if r.GetApplied() || r.GetProblem() != nil || r.GetState() != 0 {
			t.Errorf("while routing is down: %v, want noted without a problem", r)
		}
	}
	if _, err := b.RetryUnapplied(t.Context()); err != nil {
		t.Fatalf("nothing is due yet: %v", err)
	}
	b.clock.pass(time.Minute)
	if _, err := b.RetryUnapplied(t.Context()); status.Code(err) != codes.Unavailable {
		t.Errorf("retry while routing is down: %v, want its error", err)
	}
	b.cases.setDown(false)
	b.clock.pass(time.Hour)
	if n, err := b.RetryUnapplied(t.Context()); n != 2 || err != nil {
		t.Errorf("retry tried %d, %v, want 2", n, err)
	}
	if diff := cmp.Diff([]string{"early", "late"}, b.cases.order); diff != "" {
		t.Errorf("applied in another order than it happened (-want +got):\n%s", diff)
	}
	if n := b.unapplied(t); n != 0 {
		t.Errorf("%d reports wait", n)
	}
	if again := b.report(t, dealer("D1"), call("late", leadID(1), start)); !again[0].GetApplied() || !again[0].GetDuplicate() {
		t.Errorf("resent after it was applied: %v", again[0])
	}
}

// TestWhoReportedMayGoAway has a reporter go away at the worst moments: what Routing has applied is
// settled all the same, and nothing is taken for an error of the system itself.
func TestWhoReportedMayGoAway(t *testing.T) {
	b := setup(t)
	b.cases.own(leadID(1), "D1")
	bad := call("a1", leadID(1), start)
	bad.CallResult = leadv1.CallResult_CALL_RESULT_WRONG_NUMBER
	req := &feedbackv1.BatchCreateActivitiesRequest{Activities: []*feedbackv1.Activity{bad}}
	ctx, leave := context.WithCancel(as(t, dealer("D1")))
	b.cases.after = leave
	if _, err := b.BatchCreateActivities(ctx, req); err != nil {
		t.Fatal(err)
	}
	if n := b.unapplied(t); n != 0 {
		t.Errorf("%d applied reports wait for the queue", n)
	}
	var marked int
	if err := b.pool.QueryRow(t.Context(), `SELECT count(*) FROM lead_fact WHERE bad_contact`).Scan(&marked); err != nil || marked != 1 {
		t.Errorf("%d leads have a useless contact point, %v", marked, err)
	}
	for what, ask := range map[string]func() error{
		"reports":     func() error { _, err := b.BatchCreateActivities(ctx, req); return err },
		"a scorecard": func() error { _, err := b.GetScorecard(ctx, &feedbackv1.GetScorecardRequest{}); return err },
		"the queue":   func() error { _, err := b.RetryUnapplied(ctx); return err },
	} {
		if err := ask(); err == nil || problem.From(err).Reason == problemv1.Reason_REASON_INTERNAL {
			t.Errorf("%s, asked for by somebody who is gone: %v", what, err)
		}
	}
}

func TestUnknownLeadIsRetriedForADay(t *testing.T) {
	b := setup(t)
	got := b.report(t, oem, call("a1", leadID(1), start), call("a2", leadID(2), start))
	for _, r := range got {
		if r.GetApplied() || r.GetProblem().GetReason() != problemv1.Reason_REASON_NOT_FOUND {
			t.Errorf("a lead that nobody knows: %v, want noted with NOT_FOUND", r)
		}
	}
	b.append(t, newNews(1).event("capture", "captured", leadID(3), 1, start, &leadv1.EventFacts{}))
	if r := b.report(t, oem, call("a3", leadID(3), start))[0]; r.GetApplied() || r.GetProblem() != nil {
		t.Errorf("a lead captured and not decided: %v, want noted without a problem", r)
	}
	b.cases.own(leadID(1), "D1")
	b.cases.own(leadID(3), "D1")
	b.clock.pass(time.Hour)
	if _, err := b.RetryUnapplied(t.Context()); err != nil {
		t.Fatal(err)
	}
	slices.Sort(b.cases.order)
	if diff := cmp.Diff([]string{"a1", "a3"}, b.cases.order); diff != "" {
		t.Errorf("applied (-want +got):\n%s", diff)
	}
	b.clock.pass(24 * time.Hour)
	if _, err := b.RetryUnapplied(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := b.unapplied(t); n != 0 {
		t.Errorf("%d reports wait after a day", n)
	}
	if r := b.report(t, oem, call("a2", leadID(2), start))[0]; !r.GetDuplicate() || r.GetProblem().GetReason() != problemv1.Reason_REASON_NOT_FOUND {
		t.Errorf("after a day: %v, want kept as not found", r)
	}
}

func TestAStoreReportsForItself(t *testing.T) {
	b := setup(t)
	b.cases.own(leadID(1), "D1")
	foreign := b.report(t, dealer("D2"), call("a1", leadID(1), start))[0]
	if foreign.GetProblem().GetReason() != problemv1.Reason_REASON_NOT_YOUR_DEALER || foreign.GetAssignment() != nil {
		t.Errorf("another store's lead: %v", foreign)
	}
	posing := call("a2", leadID(1), start)
	posing.DealerId = "D1"
	if r := b.report(t, dealer("D2"), posing)[0]; r.GetProblem().GetReason() != problemv1.Reason_REASON_NOT_YOUR_DEALER {
		t.Errorf("in another store's name: %v", r)
	}
	b.report(t, dealer("D1"), call("own", leadID(1), start))
	if r := b.report(t, dealer("D2"), call("own", leadID(1), start))[0]; r.GetState() != 0 || r.GetAssignment() != nil {
		t.Errorf("a store learnt about another's lead by its report's id: %v", r)
	}
}

func TestReportsAreChecked(t *testing.T) {
	b := setup(t)
	good := leadID(1)
	b.cases.own(good, "D1")
	milestone := feedbackv1.ActivityKind_ACTIVITY_KIND_MILESTONE
	note := feedbackv1.ActivityKind_ACTIVITY_KIND_NOTE
	for _, c := range []struct {
		name string
		in   *feedbackv1.Activity
		want []string
	}{
		{"empty", &feedbackv1.Activity{}, []string{"lead_id", "kind"}},
		{"everything wrong", &feedbackv1.Activity{LeadId: "x", Kind: 99, OccurredAt: ts(start.Add(time.Hour)), TalkSeconds: -1, Channel: 99},
			[]string{"lead_id", "occurred_at", "kind", "talk_seconds", "channel"}},
		{"five minutes ahead", &feedbackv1.Activity{LeadId: good, Kind: note, OccurredAt: ts(start.Add(5 * time.Minute))}, nil},
		{"milestone without one", &feedbackv1.Activity{LeadId: good, Kind: milestone}, []string{"milestone"}},
		{"milestone beside a note", &feedbackv1.Activity{LeadId: good, Kind: note, Milestone: leadv1.Milestone_MILESTONE_QUOTED}, []string{"milestone"}},
		{"appointment without time", &feedbackv1.Activity{LeadId: good, Kind: milestone, Milestone: leadv1.Milestone_MILESTONE_APPOINTMENT_SET}, []string{"appointment_at"}},
		{"pause without end", &feedbackv1.Activity{LeadId: good, Kind: feedbackv1.ActivityKind_ACTIVITY_KIND_PAUSE}, []string{"next_step_at"}},
		{"pause too long", &feedbackv1.Activity{LeadId: good, Kind: note, NextStepAt: ts(start.Add(91 * 24 * time.Hour))}, []string{"next_step_at"}},
		{"ninety days", &feedbackv1.Activity{LeadId: good, Kind: note, NextStepAt: ts(start.Add(90 * 24 * time.Hour))}, nil},
		{"result of no call", &feedbackv1.Activity{LeadId: good, Kind: note, CallResult: leadv1.CallResult_CALL_RESULT_BUSY}, []string{"call_result"}},
		{"long text", &feedbackv1.Activity{LeadId: good, Kind: note, RawText: strings.Repeat("x", 20_001)}, []string{"raw_text"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, v := range b.report(t, dealer("D1"), c.in)[0].GetProblem().GetFieldViolations() {
				got = append(got, strings.TrimPrefix(v.GetField(), "activities[0]."))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
		})
	}
	if _, err := b.BatchCreateActivities(as(t, oem), &feedbackv1.BatchCreateActivitiesRequest{}); status.Code(err) != codes.InvalidArgument {
		t.Errorf("no activity at all: %v", err)
	}
}

func TestOutcomes(t *testing.T) {
	b := setup(t)
	b.cases.own(leadID(1), "D1")
	resp, err := b.BatchCreateOutcomes(as(t, dealer("D1")), &feedbackv1.BatchCreateOutcomesRequest{Outcomes: []*feedbackv1.Outcome{
		{LeadId: leadID(1), Kind: feedbackv1.OutcomeKind_OUTCOME_KIND_LOST},
		{LeadId: leadID(1), Kind: feedbackv1.OutcomeKind_OUTCOME_KIND_LOST, LostCode: leadv1.LostCode_LOST_CODE_PRICE, OccurredAt: ts(start)},
		{LeadId: leadID(1), Kind: feedbackv1.OutcomeKind_OUTCOME_KIND_LOST, LostCode: leadv1.LostCode_LOST_CODE_PRICE, OccurredAt: ts(start)},
		{LeadId: leadID(1), Kind: feedbackv1.OutcomeKind_OUTCOME_KIND_WON, Revenue: &leadv1.Money{Minor: 1}},
		{LeadId: leadID(1), Kind: feedbackv1.OutcomeKind_OUTCOME_KIND_WON, Revenue: &leadv1.Money{Minor: -1, Currency: "USD"}},
		{LeadId: leadID(1), Kind: feedbackv1.OutcomeKind_OUTCOME_KIND_WON, Revenue: &leadv1.Money{Minor: 1, Currency: "usd"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	r := resp.GetResults()
	if v := r[0].GetProblem().GetFieldViolations(); len(v) != 1 || v[0].GetField() != "outcomes[0].lost_code" {
		t.Errorf("lost without a code: %v", r[0])
	}
	if !r[1].GetApplied() || r[1].GetDuplicate() || r[1].GetId() == "" {
		t.Errorf("lost: %v", r[1])
	}
	if !r[2].GetApplied() || !r[2].GetDuplicate() || r[2].GetId() != r[1].GetId() {
		t.Errorf("the same content again: %v", r[2])
	}
	if v := r[3].GetProblem().GetFieldViolations(); len(v) != 1 || v[0].GetField() != "outcomes[3].revenue.currency" {
		t.Errorf("won without a currency: %v", r[3])
	}
	if v := r[4].GetProblem().GetFieldViolations(); len(v) != 1 || v[0].GetField() != "outcomes[4].revenue.minor" {
		t.Errorf("won for less than nothing: %v", r[4])
	}
	if v := r[5].GetProblem().GetFieldViolations(); len(v) != 1 || v[0].GetField() != "outcomes[5].revenue.currency" {
		t.Errorf("won in a currency that there is not: %v", r[5])
	}
}
