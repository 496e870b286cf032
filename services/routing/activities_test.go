package routing

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/sla"
	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// milestone is a milestone that a person of store a reports.
func (w *world) milestone(id lead.ID, name string, m leadv1.Milestone, at time.Time) *feedbackv1.Activity {
	return &feedbackv1.Activity{
		ActivityId: name, LeadId: id.String(), Kind: feedbackv1.ActivityKind_ACTIVITY_KIND_MILESTONE, Milestone: m,
		OccurredAt: timestamppb.New(at), PersonId: "a-1", DealerId: "a",
	}
}

func TestActivitiesCountOnceInAnyOrder(t *testing.T) {
	type stand struct {
		State                          string
		Accepted, Responded, Engaged   time.Duration
		Attempts                       int
		DeadlineKind                   string
		Deadline                       time.Duration
		AttemptsTold, RespondedAtLeast int
	}
	var want *stand
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newWorld(t)
			id := w.customer(nil)
			unanswered := w.call(id, "call", "a", monday.Add(20*time.Minute))
			text := &feedbackv1.Activity{
				ActivityId: "text", LeadId: id.String(), Kind: feedbackv1.ActivityKind_ACTIVITY_KIND_TEXT, TemplateId: "sorry-missed-you",
				OccurredAt: timestamppb.New(monday.Add(25 * time.Minute)), PersonId: "a-1", DealerId: "a",
			}
			reply := &feedbackv1.Activity{
				ActivityId: "reply", LeadId: id.String(), Kind: feedbackv1.ActivityKind_ACTIVITY_KIND_TEXT, Inbound: true,
				OccurredAt: timestamppb.New(monday.Add(90 * time.Minute)), DealerId: "a",
			}
			talk := w.call(id, "talk", "a", monday.Add(100*time.Minute))
			talk.CallResult, talk.TalkSeconds = leadv1.CallResult_CALL_RESULT_CONNECTED, 240
			set := w.milestone(id, "set", leadv1.Milestone_MILESTONE_APPOINTMENT_SET, monday.Add(104*time.Minute))
			set.AppointmentAt = timestamppb.New(monday.Add(72 * time.Hour))
			note := &feedbackv1.Activity{
				ActivityId: "note", LeadId: id.String(), Kind: feedbackv1.ActivityKind_ACTIVITY_KIND_NOTE, OccurredAt: timestamppb.New(monday), PersonId: "a-1", DealerId: "a",
			}
			list := []*feedbackv1.Activity{unanswered, text, reply, talk, set, note}
			r := rand.New(rand.NewPCG(seed, 1))
			if seed > 0 {
				r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
			}
			w.now = monday.Add(2 * time.Hour)
			for len(list) > 0 { // in parts, each sent twice
				n := 1 + r.IntN(len(list))
				for range 2 {
					if diff := cmp.Diff([]string{"applied"}, slices.Compact(w.apply(list[:n]))); diff != "" {
						t.Fatalf("answers (-want +got):\n%s", diff)
					}
				}
				list = list[n:]
			}
			k := w.kase(id)
			c := &k.Owner.Clock
			got := &stand{
				State: k.State.String(), Accepted: c.AcceptedAt.Sub(monday), Responded: c.RespondedAt.Sub(monday), Engaged: c.EngagedAt.Sub(monday),
				Attempts: len(c.Attempts), DeadlineKind: k.Owner.Deadline.Kind.String(), Deadline: k.Owner.Deadline.At.Sub(monday),
				AttemptsTold: count(w.events(id), "milestone ATTEMPT"), RespondedAtLeast: min(count(w.events(id), "milestone RESPONDED met"), 1),
			}
			if want == nil {
				want = got
				if diff := cmp.Diff(&stand{"ENGAGED", 20 * time.Minute, 25 * time.Minute, 90 * time.Minute, 3, "APPOINTMENT_REMIND", 48 * time.Hour, 3, 1}, got); diff != "" {
					t.Errorf("in the order of time (-want +got):\n%s", diff)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("another order gives (-want +got):\n%s", diff)
			}
		})
	}
}

func TestABotNeverResponds(t *testing.T) {
	w := newWorld(t)
	id := w.customer(nil)
	w.now = w.now.Add(time.Minute)
	w.apply([]*feedbackv1.Activity{{
		ActivityId: "bot", LeadId: id.String(), Kind: feedbackv1.ActivityKind_ACTIVITY_KIND_EMAIL, Automated: true,
		OccurredAt: timestamppb.New(w.now), DealerId: "a",
	}})
	k := w.kase(id)
	if c := &k.Owner.Clock; !c.RespondedAt.IsZero() || !c.AcceptedAt.IsZero() || !c.AcknowledgedAt.Equal(w.now) || k.State != lead.StateAssigned {
		t.Errorf("after a bot's mail: %+v, %s", c, k.State)
	}
}

func TestReportsOfOthersAreRefused(t *testing.T) {
	w := newWorld(t)
	id, unknown := w.customer(nil), lead.NewID([]byte("test"), "nobody")
	got := w.apply([]*feedbackv1.Activity{
		w.call(id, "1", "b", w.now), w.call(unknown, "2", "a", w.now), w.call(id, "3", "a", w.now), w.call(id, "4", "", w.now),
	}, w.outcome(id, "5", "c", feedbackv1.OutcomeKind_OUTCOME_KIND_LOST))
	if diff := cmp.Diff([]string{reasonNotOwner, reasonUnknownLead, "applied", "applied", reasonNotOwner}, got); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
}

func TestTheLineSaysWhatWins(t *testing.T) {
	for _, c := range []struct {
		line leadv1.Line
		m    leadv1.Milestone
		want string
	}{
		{leadv1.Line_LINE_SALES, leadv1.Milestone_MILESTONE_VEHICLE_DELIVERED, "WON"},
		{leadv1.Line_LINE_SALES, leadv1.Milestone_MILESTONE_RO_CLOSED, "ACCEPTED"},
		{leadv1.Line_LINE_SALES, leadv1.Milestone_MILESTONE_ORDER, "ORDERED"},
		{leadv1.Line_LINE_SERVICE, leadv1.Milestone_MILESTONE_RO_CLOSED, "WON"},
		{leadv1.Line_LINE_RENEWAL, leadv1.Milestone_MILESTONE_CONTRACT_SIGNED, "WON"},
	} {
		t.Run(c.line.String()+" "+c.m.String(), func(t *testing.T) {
			w := newWorld(t)
			id := w.customer(func(p *leadv1.Lead) { p.Line = c.line })
			w.now = w.now.Add(time.Hour)
			report := w.milestone(id, "m", c.m, w.now)
			report.DealerId = ""
			w.apply([]*feedbackv1.Activity{report})
			if diff := cmp.Diff(c.want, w.kase(id).State.String()); diff != "" {
				t.Errorf("state (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOutcomesCloseUnwindAndReopen(t *testing.T) {
	w := newWorld(t)
	id := w.inquire("ada", nil)
	step := func(name string, kind feedbackv1.OutcomeKind, code leadv1.LostCode, want string) {
		t.Helper()
		w.now = w.now.Add(time.Hour)
		o := w.outcome(id, name, "a", kind)
		o.LostCode = code
		for range 2 { // a report that comes twice changes nothing
			if got := w.apply(nil, o); got[0] != "applied" {
				t.Fatalf("%s is %s", name, got[0])
			}
		}
		k := w.kase(id)
		got := k.State.String()
		if k.ClosedCode != "" {
			got += " " + k.ClosedCode
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("after %s (-want +got):\n%s", name, diff)
		}
	}
	step("ordered", feedbackv1.OutcomeKind_OUTCOME_KIND_ORDERED, 0, "ORDERED")
	step("won", feedbackv1.OutcomeKind_OUTCOME_KIND_WON, 0, "WON")
	step("unwound", feedbackv1.OutcomeKind_OUTCOME_KIND_UNWOUND, 0, "LOST UNWOUND")
	if got := w.apply(nil, w.outcome(id, "late", "a", feedbackv1.OutcomeKind_OUTCOME_KIND_ORDERED)); got[0] != reasonClosed {
		t.Errorf("an order of a lost lead is %s", got[0])
	}
	step("reopened", feedbackv1.OutcomeKind_OUTCOME_KIND_REOPENED, 0, "WORKING")
	if k := w.kase(id); k.Owner == nil || k.Owner.Sequence != 2 || k.DealerID != "a" {
		t.Errorf("reopened: %+v", k.Owner)
	}
	if again := w.kase(w.inquire("ada", nil)); again.MergedInto != id {
		t.Errorf("an inquiry about the reopened lead is %s, not merged", again.State)
	}
	step("lost", feedbackv1.OutcomeKind_OUTCOME_KIND_LOST, leadv1.LostCode_LOST_CODE_PRICE, "LOST PRICE")
	step("won after all", feedbackv1.OutcomeKind_OUTCOME_KIND_WON, 0, "WON")
	if again := w.kase(w.inquire("ada", nil)); again.State != lead.StateAssigned {
		t.Errorf("an inquiry after the end is %s", again.State)
	}
}

// A sender may number its activities and its outcomes each from 1.
func TestAnOutcomeMayHaveTheIdOfAnActivity(t *testing.T) {
	w := newWorld(t)
	id := w.inquire("ada", nil)
	w.now = w.now.Add(time.Hour)
	if got := w.apply([]*feedbackv1.Activity{w.call(id, "1", "a", monday.Add(20*time.Minute))}); got[0] != "applied" {
		t.Fatalf("the call is %s", got[0])
	}
	if got := w.apply(nil, w.outcome(id, "1", "a", feedbackv1.OutcomeKind_OUTCOME_KIND_WON)); got[0] != "applied" {
		t.Fatalf("the win is %s", got[0])
	}
	if got := w.kase(id).State; got != lead.StateWon {
		t.Errorf("the lead is %s after a win with the identifier of a call", got)
	}
	// One that the first release applied is not applied again.
	if _, err := w.pool.Exec(t.Context(), "UPDATE routing.applied SET id = 'x' WHERE id = '1'; UPDATE routing.applied SET id = '1' WHERE id <> 'x'"); err != nil {
		t.Fatal(err)
	}
	version := w.kase(id).Version
	w.apply(nil, w.outcome(id, "1", "a", feedbackv1.OutcomeKind_OUTCOME_KIND_WON))
	if got := w.kase(id).Version; got != version {
		t.Error("a win that was applied under the bare identifier is applied again")
	}
}

func TestAWinReportedBeforeItsWork(t *testing.T) {
	w := newWorld(t)
	id := w.customer(nil)
	w.now = monday.Add(48 * time.Hour)
	w.apply(nil, w.outcome(id, "won", "a", feedbackv1.OutcomeKind_OUTCOME_KIND_WON))
	talk := w.call(id, "talk", "a", monday.Add(10*time.Minute))
	talk.CallResult, talk.TalkSeconds = leadv1.CallResult_CALL_RESULT_CONNECTED, 240
	if got := w.apply([]*feedbackv1.Activity{talk}); got[0] != "applied" {
		t.Errorf("the call before the win is %s", got[0])
	}
	past, err := w.s.store.Past(t.Context(), id)
	if err != nil || len(past) != 1 || !past[0].Clock.RespondedAt.Equal(monday.Add(10*time.Minute)) {
		t.Errorf("past owners: %+v, %v", past, err)
	}
	events := w.events(id)
	for _, want := range []string{"won", "milestone RESPONDED met", "milestone ENGAGED"} {
		if count(events, want) != 1 {
			t.Errorf("%q is told %d times: %v", want, count(events, want), events)
		}
	}
	if k := w.kase(id); k.State != lead.StateWon || k.Owner != nil {
		t.Errorf("state %s, owner %+v", k.State, k.Owner)
	}
}

func TestAnotherOwnersWorkIsNotMine(t *testing.T) {
	w := newWorld(t)
	id := w.customer(nil)
	w.now = w.now.Add(10 * time.Minute)
	bot := w.call(id, "1", "a", w.now)
	bot.PersonId, bot.Automated, bot.CallResult = "", true, leadv1.CallResult_CALL_RESULT_VOICEMAIL
	w.apply([]*feedbackv1.Activity{bot})
	owner := w.decline("a", id).GetDecision().GetAssignment().GetDealerId()
	w.now = w.now.Add(10 * time.Minute)
	w.apply([]*feedbackv1.Activity{w.call(id, "2", owner, w.now)})
	c := w.kase(id).Owner.Clock
	if len(c.Attempts) != 1 || !c.AcknowledgedAt.IsZero() {
		t.Errorf("the new owner's clock: %+v", c)
	}
}

func TestActivitiesSayWhatTheyCountedAs(t *testing.T) {
	w := newWorld(t)
	id := w.customer(nil)
	at := func(minutes int) time.Time { return monday.Add(time.Duration(minutes) * time.Minute) }
	message := func(name string, minutes int, inbound bool) *feedbackv1.Activity {
		return &feedbackv1.Activity{
			ActivityId: name, LeadId: id.String(), Kind: feedbackv1.ActivityKind_ACTIVITY_KIND_TEXT, Inbound: inbound,
			TemplateId: "sorry-missed-you", OccurredAt: timestamppb.New(at(minutes)), PersonId: "a-1", DealerId: "a",
		}
	}
	bot := w.milestone(id, "bot", leadv1.Milestone_MILESTONE_RESPONDED, at(1))
	bot.PersonId, bot.Automated = "", true
	note := &feedbackv1.Activity{
		ActivityId: "note", LeadId: id.String(), Kind: feedbackv1.ActivityKind_ACTIVITY_KIND_NOTE, OccurredAt: timestamppb.New(at(2)), PersonId: "a-1", DealerId: "a",
	}
	reply := message("reply", 60, true)
	reply.TemplateId, reply.PersonId = "", ""
	req := &routingv1.ApplyActivitiesRequest{
		Activities: []*feedbackv1.Activity{
			bot, note, w.call(id, "unanswered", "a", at(20)), message("template", 25, false), reply,
			w.milestone(id, "quoted", leadv1.Milestone_MILESTONE_QUOTED, at(70)), w.call(id, "foreign", "b", at(71)),
		},
		Outcomes: []*feedbackv1.Outcome{w.outcome(id, "lost", "a", feedbackv1.OutcomeKind_OUTCOME_KIND_LOST)},
	}
	w.now = at(120)
	counted := func() map[string][]string {
		t.Helper()
		resp, err := w.s.ApplyActivities(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		out := map[string][]string{}
		for _, a := range resp.GetApplications() {
			if len(a.GetCountedAs()) > 0 {
				out[a.GetId()] = a.GetCountedAs()
			}
		}
		return out
	}
	want := map[string][]string{
		"bot": {"acknowledged"}, "unanswered": {"attempt"}, "template": {"acknowledged", "attempt", "responded"},
		"reply": {"engaged"}, "quoted": {"quoted"},
	}
	if diff := cmp.Diff(want, counted()); diff != "" {
		t.Errorf("counted as (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string][]string{}, counted()); diff != "" {
		t.Errorf("sent again, counted as (-want +got):\n%s", diff)
	}
}

// TestAppointmentsAreToldApart sets two appointments of one lead and calls one off: the clock waits
// for the other, and each milestone tells the deadline that runs after it.
func TestAppointmentsAreToldApart(t *testing.T) {
	w := newWorld(t)
	id := w.customer(nil)
	sent := 0
	tell := func(appointment string, m leadv1.Milestone, at time.Time) {
		t.Helper()
		sent++
		w.now = w.now.Add(time.Minute)
		a := w.milestone(id, fmt.Sprint(sent), m, w.now)
		a.AppointmentId = appointment
		if !at.IsZero() {
			a.AppointmentAt = timestamppb.New(at)
		}
		if diff := cmp.Diff([]string{"applied"}, w.apply([]*feedbackv1.Activity{a})); diff != "" {
			t.Fatalf("answer (-want +got):\n%s", diff)
		}
	}
	open := func() (out []string) {
		t.Helper()
		for _, a := range w.kase(id).Owner.Clock.Appointments {
			out = append(out, fmt.Sprintf("%s %s", a.ID, a.At.Sub(monday)))
		}
		slices.Sort(out)
		return out
	}
	const (
		set  = leadv1.Milestone_MILESTONE_APPOINTMENT_SET
		off  = leadv1.Milestone_MILESTONE_APPOINTMENT_CANCELLED
		kept = leadv1.Milestone_MILESTONE_APPOINTMENT_KEPT
	)
	tell("", leadv1.Milestone_MILESTONE_RESPONDED, time.Time{})
	tell("talk", set, monday.Add(48*time.Hour))
	tell("drive", set, monday.Add(96*time.Hour))
	tell("talk", set, monday.Add(72*time.Hour))
	if diff := cmp.Diff([]string{"drive 96h0m0s", "talk 72h0m0s"}, open()); diff != "" {
		t.Errorf("two set, one moved (-want +got):\n%s", diff)
	}
	tell("talk", off, time.Time{})
	if diff := cmp.Diff([]string{"drive 96h0m0s"}, open()); diff != "" {
		t.Errorf("one called off (-want +got):\n%s", diff)
	}
	if k := w.kase(id); k.Owner.Deadline.Kind != sla.DueAppointmentRemind || !k.Owner.Deadline.At.Equal(monday.Add(72*time.Hour)) {
		t.Errorf("deadline %s at %s", k.Owner.Deadline.Kind, k.Owner.Deadline.At.Sub(monday))
	}
	var last *leadv1.Event
	for _, e := range w.rawEvents() {
		if e.GetFacts().GetKind() == lead.MilestoneAppointmentCancelled.String() {
			last = e
		}
	}
	f := last.GetFacts()
	if diff := cmp.Diff([]string{"talk", "APPOINTMENT_REMIND"}, []string{f.GetAppointmentId(), f.GetDeadlineKind()}); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
	tell("", kept, time.Time{}) // names none: the one that is open
	if diff := cmp.Diff([]string(nil), open()); diff != "" {
		t.Errorf("the other kept (-want +got):\n%s", diff)
	}
	tell("", set, monday.Add(120*time.Hour))
	tell("", set, monday.Add(144*time.Hour))
	if diff := cmp.Diff([]string{anAppointment + " 144h0m0s"}, open()); diff != "" {
		t.Errorf("unnamed ones are one that moves (-want +got):\n%s", diff)
	}
}
