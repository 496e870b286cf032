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
)

const (
	requested = feedbackv1.AppointmentStatus_APPOINTMENT_STATUS_REQUESTED
	confirmed = feedbackv1.AppointmentStatus_APPOINTMENT_STATUS_CONFIRMED
	moved     = feedbackv1.AppointmentStatus_APPOINTMENT_STATUS_MOVED
	kept      = feedbackv1.AppointmentStatus_APPOINTMENT_STATUS_KEPT
	noShow    = feedbackv1.AppointmentStatus_APPOINTMENT_STATUS_NO_SHOW
	cancelled = feedbackv1.AppointmentStatus_APPOINTMENT_STATUS_CANCELLED
)

func TestAppointmentStates(t *testing.T) {
	tomorrow, later := start.Add(24*time.Hour), start.Add(48*time.Hour)
	type step struct {
		after  time.Duration
		status feedbackv1.AppointmentStatus
		at     time.Time
		want   codes.Code
	}
	for _, c := range []struct {
		name  string
		steps []step
		// milestones that routing was told
		milestones int
	}{
		{"agreed and kept", []step{{0, requested, tomorrow, codes.OK}, {0, confirmed, tomorrow, codes.OK}, {25 * time.Hour, kept, tomorrow, codes.OK}}, 2},
		{"told twice", []step{{0, confirmed, tomorrow, codes.OK}, {0, confirmed, tomorrow, codes.OK}, {25 * time.Hour, noShow, tomorrow, codes.OK}, {0, noShow, tomorrow, codes.OK}}, 2},
		{"moved", []step{{0, confirmed, tomorrow, codes.OK}, {0, moved, tomorrow, codes.InvalidArgument}, {0, moved, later, codes.OK}, {49 * time.Hour, kept, later, codes.OK}}, 3},
		{"called off", []step{{0, confirmed, tomorrow, codes.OK}, {0, cancelled, tomorrow, codes.OK}, {0, confirmed, later, codes.FailedPrecondition}}, 2},
		{"called off too late", []step{{0, confirmed, tomorrow, codes.OK}, {25 * time.Hour, cancelled, tomorrow, codes.FailedPrecondition}, {0, moved, later, codes.FailedPrecondition}, {0, noShow, tomorrow, codes.OK}}, 2},
		{"outcome too early", []step{{0, confirmed, tomorrow, codes.OK}, {0, noShow, tomorrow, codes.FailedPrecondition}, {0, kept, tomorrow, codes.FailedPrecondition}}, 1},
		{"no way back", []step{{0, confirmed, tomorrow, codes.OK}, {0, requested, tomorrow, codes.FailedPrecondition}}, 1},
		{"moved out of nothing", []step{{0, moved, tomorrow, codes.InvalidArgument}}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := setup(t)
			b.cases.own(leadID(1), "D1")
			for i, s := range c.steps {
				b.clock.pass(s.after)
				_, err := b.PutAppointment(as(t, dealer("D1")), &feedbackv1.PutAppointmentRequest{Appointment: &feedbackv1.Appointment{
					AppointmentId: "x", LeadId: leadID(1), Type: "test_drive", StartsAt: ts(s.at), Status: s.status, TimeZone: "Europe/Berlin",
				}})
				if status.Code(err) != s.want {
					t.Fatalf("step %d: %v, want %s", i, err, s.want)
				}
			}
			if n := len(b.cases.order); n != c.milestones {
				t.Errorf("routing was told %d milestones, want %d: %v", n, c.milestones, b.cases.order)
			}
		})
	}
}

func TestAppointmentsAreTheOwners(t *testing.T) {
	b := setup(t)
	b.cases.own(leadID(1), "D1")
	in := &feedbackv1.Appointment{LeadId: leadID(1), Type: "service", StartsAt: ts(start.Add(time.Hour)), ForeignIds: []string{"dms:7"}}
	put := func(caller string, a *feedbackv1.Appointment) (*feedbackv1.PutAppointmentResponse, error) {
		return b.PutAppointment(as(t, dealer(caller)), &feedbackv1.PutAppointmentRequest{Appointment: a})
	}
	if _, err := put("D2", in); status.Code(err) != codes.PermissionDenied {
		t.Errorf("another store's lead: %v", err)
	}
	first, err := put("D1", in)
	if err != nil {
		t.Fatal(err)
	}
	if a := first.GetAppointment(); a.GetAppointmentId() == "" || a.GetDealerId() != "D1" || a.GetStatus() != requested {
		t.Errorf("made %v", a)
	}
	unknown := proto.Clone(in).(*feedbackv1.Appointment)
	unknown.LeadId = leadID(9)
	if _, err := put("D1", unknown); status.Code(err) != codes.NotFound {
		t.Errorf("an unknown lead: %v", err)
	}
	if _, err := put("D1", &feedbackv1.Appointment{TimeZone: "Mars", ForeignIds: []string{"x"}}); status.Code(err) != codes.InvalidArgument {
		t.Errorf("everything wrong: %v", err)
	}
	for _, c := range []struct {
		caller string
		req    *feedbackv1.ListAppointmentsRequest
		want   int
	}{
		{"D1", &feedbackv1.ListAppointmentsRequest{LeadId: leadID(1)}, 1},
		{"D1", &feedbackv1.ListAppointmentsRequest{From: ts(start), Until: ts(start.Add(2 * time.Hour))}, 1},
		{"D1", &feedbackv1.ListAppointmentsRequest{From: ts(start.Add(2 * time.Hour))}, 0},
		{"D2", &feedbackv1.ListAppointmentsRequest{LeadId: leadID(1)}, 0},
	} {
		resp, err := b.ListAppointments(as(t, dealer(c.caller)), c.req)
		if err != nil || len(resp.GetAppointments()) != c.want {
			t.Errorf("%s lists %d of %v, %v, want %d", c.caller, len(resp.GetAppointments()), c.req, err, c.want)
		}
	}
}

// TestShowRate: one appointment kept, one of which nobody told the outcome, one called off, and one
// told by milestones only. Two of three were kept.
func TestShowRate(t *testing.T) {
	b, n := setup(t), newNews(4)
	for i := 1; i <= 4; i++ {
		b.cases.own(leadID(i), "D1")
		b.append(t, n.event("capture", "captured", leadID(i), 1, start.Add(-time.Hour), &leadv1.EventFacts{ReceivedAt: ts(start.Add(-time.Hour))}))
	}
	at := start.Add(time.Hour)
	put := func(i int, s feedbackv1.AppointmentStatus) {
		t.Helper()
		_, err := b.PutAppointment(as(t, oem), &feedbackv1.PutAppointmentRequest{Appointment: &feedbackv1.Appointment{
			AppointmentId: "x", LeadId: leadID(i), Type: "sales_talk", StartsAt: ts(at), Status: s,
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	put(1, confirmed)
	put(2, confirmed)
	put(3, confirmed)
	put(3, cancelled)
	milestone := func(m leadv1.Milestone, appointment time.Time) *feedbackv1.Activity {
		a := &feedbackv1.Activity{ActivityId: m.String(), LeadId: leadID(4), Kind: feedbackv1.ActivityKind_ACTIVITY_KIND_MILESTONE, Milestone: m}
		if !appointment.IsZero() {
			a.AppointmentAt = ts(appointment)
		}
		return a
	}
	b.report(t, oem, milestone(leadv1.Milestone_MILESTONE_APPOINTMENT_SET, at))
	b.clock.pass(2 * time.Hour)
	put(1, kept)
	b.report(t, oem, milestone(leadv1.Milestone_MILESTONE_APPOINTMENT_KEPT, time.Time{}))
	// Routing tells what it was told.
	for _, i := range []int{1, 4} {
		e := n.event("routing", "milestone", leadID(i), 5, at, &leadv1.EventFacts{Kind: "APPOINTMENT_KEPT", Actor: "p1"})
		e.RecordedAt = ts(start.Add(2 * time.Hour))
		b.append(t, e)
	}
	resp, err := b.GetScorecard(as(t, oem), &feedbackv1.GetScorecardRequest{})
	if err != nil {
		t.Fatal(err)
	}
	var got [2]int64
	for _, f := range resp.GetGroups()[0].GetFigures() {
		if f.GetName() == "show_rate" {
			got = [2]int64{f.GetNumerator(), f.GetDenominator()}
		}
	}
	if diff := cmp.Diff([2]int64{2, 3}, got); diff != "" {
		t.Errorf("show rate (-want +got):\n%s", diff)
	}
}

// TestMilestonesTellAppointmentsApart: activities that name an appointment set, move and end that
// one; one that calls off without a name means the next to come.
func TestMilestonesTellAppointmentsApart(t *testing.T) {
	b := setup(t)
	b.cases.own(leadID(1), "D1")
	sent := 0
	tell := func(id string, m leadv1.Milestone, at time.Time) {
		t.Helper()
		sent++
		a := &feedbackv1.Activity{
			ActivityId: fmt.Sprint(sent), LeadId: leadID(1), Kind: feedbackv1.ActivityKind_ACTIVITY_KIND_MILESTONE, Milestone: m, AppointmentId: id,
		}
		if !at.IsZero() {
			a.AppointmentAt = ts(at)
		}
		if r := b.report(t, dealer("D1"), a)[0]; !r.GetApplied() {
			t.Fatalf("report %d: %v", sent, r)
		}
	}
	const (
		set  = leadv1.Milestone_MILESTONE_APPOINTMENT_SET
		off  = leadv1.Milestone_MILESTONE_APPOINTMENT_CANCELLED
		came = leadv1.Milestone_MILESTONE_APPOINTMENT_KEPT
	)
	tell("drive", set, start.Add(48*time.Hour))
	tell("talk", set, start.Add(24*time.Hour))
	tell("drive", set, start.Add(72*time.Hour))
	tell("trade", set, start.Add(30*time.Hour))
	tell("", off, time.Time{})
	b.clock.pass(31 * time.Hour)
	tell("trade", off, time.Time{}) // too late
	tell("trade", came, time.Time{})
	resp, err := b.ListAppointments(as(t, dealer("D1")), &feedbackv1.ListAppointmentsRequest{LeadId: leadID(1)})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, a := range resp.GetAppointments() {
		got[a.GetAppointmentId()] = a.GetStatus().String() + " " + a.GetStartsAt().AsTime().Sub(start).String()
	}
	want := map[string]string{
		"talk":  "APPOINTMENT_STATUS_CANCELLED 24h0m0s",
		"drive": "APPOINTMENT_STATUS_MOVED 72h0m0s",
		"trade": "APPOINTMENT_STATUS_KEPT 30h0m0s",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("appointments (-want +got):\n%s", diff)
	}
	stray := &feedbackv1.Activity{LeadId: leadID(1), Kind: feedbackv1.ActivityKind_ACTIVITY_KIND_NOTE, AppointmentId: "drive"}
	if v := b.report(t, dealer("D1"), stray)[0].GetProblem().GetFieldViolations(); len(v) != 1 || v[0].GetField() != "activities[0].appointment_id" {
		t.Errorf("an appointment on a note: %v", v)
	}
}
