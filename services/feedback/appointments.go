package feedback

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	store "github.com/leadmesh/leadmesh/services/feedback/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Names of the appointment states, short enough to read a rule by.
const (
	requested = feedbackv1.AppointmentStatus_APPOINTMENT_STATUS_REQUESTED
	confirmed = feedbackv1.AppointmentStatus_APPOINTMENT_STATUS_CONFIRMED
	moved     = feedbackv1.AppointmentStatus_APPOINTMENT_STATUS_MOVED
	kept      = feedbackv1.AppointmentStatus_APPOINTMENT_STATUS_KEPT
	noShow    = feedbackv1.AppointmentStatus_APPOINTMENT_STATUS_NO_SHOW
	cancelled = feedbackv1.AppointmentStatus_APPOINTMENT_STATUS_CANCELLED
)

const (
	// early is how long before its time an appointment may be kept: people come early.
	early = 4 * time.Hour
	// farthest is how far ahead an appointment can be made.
	farthest = 2 * 366 * 24 * time.Hour
	// ownReport begins the ids of the milestones that appointments report.
	ownReport = "appointment:"
)

// PutAppointment makes or changes an appointment and reports its milestone, so that the lead's
// clocks move. Putting the same twice changes nothing.
func (s *Service) PutAppointment(ctx context.Context, req *feedbackv1.PutAppointmentRequest) (*feedbackv1.PutAppointmentResponse, error) {
	caller, now := rpc.CallerFrom(ctx), s.now()
	want, err := parseAppointment(req.GetAppointment(), now)
	if err != nil {
		return nil, err
	}
	owner, err := s.ownerOf(ctx, caller, want.LeadID)
	if err != nil {
		return nil, err
	}
	put, err := s.store.PutAppointment(ctx, want.LeadID, want.ID, now, func(held *store.Appointment) (store.Appointment, error) {
		return changeAppointment(held, want, owner, now)
	})
	if err != nil {
		return nil, err
	}
	if err := s.reportAppointment(ctx, caller, put, now); err != nil {
		return nil, err
	}
	return &feedbackv1.PutAppointmentResponse{Appointment: formatAppointment(put)}, nil
}

// ownerOf returns the dealer that owns the lead, and refuses a store that does not. Routing knows;
// while it does not answer, the log does.
func (s *Service) ownerOf(ctx context.Context, caller rpc.Caller, id lead.ID) (string, error) {
	owner, known, err := s.store.Owner(ctx, id)
	if err != nil {
		return "", err
	}
	if c := s.casesOf(ctx, []store.ReportKey{{LeadID: id}})[id]; c != nil {
		owner, known = c.GetDecision().GetAssignment().GetDealerId(), true
	}
	switch {
	case !known:
		return "", problem.NotFound("lead")
	case caller.OnlyDealer() && owner != caller.DealerID:
		return "", problem.New(problemv1.Reason_REASON_NOT_YOUR_DEALER, "another dealer owns this lead")
	}
	return owner, nil
}

func parseAppointment(in *feedbackv1.Appointment, now time.Time) (store.Appointment, error) {
	f := &fields{path: "appointment."}
	a := store.Appointment{
		LeadID: f.leadID(in.GetLeadId()), ID: in.GetAppointmentId(), Type: in.GetType(), TimeZone: in.GetTimeZone(),
		DealerID: in.GetDealerId(), PersonID: in.GetPersonId(), VIN: in.GetVin(), Transport: in.GetTransport(),
		Status: in.GetStatus(), ForeignIDs: in.GetForeignIds(),
	}
	if a.Status == feedbackv1.AppointmentStatus_APPOINTMENT_STATUS_UNSPECIFIED {
		a.Status = requested
	}
	if _, ok := feedbackv1.AppointmentStatus_name[int32(a.Status)]; !ok {
		f.wrong("status", "is no known status")
	}
	types := []string{"test_drive", "sales_talk", "service", "delivery", "appraisal"}
	if !slices.Contains(types, a.Type) {
		f.wrong("type", "is one of %s", strings.Join(types, ", "))
	}
	switch t := in.GetStartsAt(); {
	case t == nil || !t.IsValid():
		f.wrong("starts_at", "is required and must be a valid time")
	case t.AsTime().After(now.Add(farthest)):
		f.wrong("starts_at", "lies more than two years ahead")
	case t.AsTime().Before(now.AddDate(-earliestYears, 0, 0)):
		f.wrong("starts_at", "lies more than %d years back", earliestYears)
	default:
		a.StartsAt = t.AsTime().Truncate(time.Microsecond)
	}
	if _, err := time.LoadLocation(a.TimeZone); err != nil || a.TimeZone == "Local" {
		f.wrong("time_zone", "is no IANA zone such as Europe/Berlin")
	}
	if len(a.ForeignIDs) > 20 {
		f.wrong("foreign_ids", "has %d; at most 20", len(a.ForeignIDs))
	}
	for i, id := range a.ForeignIDs {
		if system, value, ok := strings.Cut(id, ":"); !ok || system == "" || value == "" || len(id) > maxID {
			f.wrong(fmt.Sprintf("foreign_ids[%d]", i), "has the form system:value")
		}
	}
	f.text("appointment_id", a.ID, maxID)
	f.text("dealer_id", a.DealerID, maxID)
	f.text("person_id", a.PersonID, maxID)
	f.text("vin", a.VIN, maxID)
	f.text("transport", a.Transport, maxID)
	if a.ID == "" && len(f.bad) == 0 {
		a.ID = contentID(in, false, now)
	}
	return a, f.err()
}

// changeAppointment returns what want makes of the appointment held, nil if it is new.
//
//	requested ──▶ confirmed ──▶ moved ──▶ moved (again)
//	    └────────────┴────────────┴──▶ kept, no_show, cancelled (final)
//
// Moving and calling off end with the appointment's time: after it, who did not come did not come.
func changeAppointment(held *store.Appointment, want store.Appointment, owner string, now time.Time) (store.Appointment, error) {
	if want.DealerID == "" {
		want.DealerID = owner
	}
	if want.DealerID != owner {
		return want, problem.New(problemv1.Reason_REASON_NOT_YOUR_DEALER, "the appointment's dealer does not own the lead")
	}
	if held != nil {
		if final(held.Status) {
			if want.Status == held.Status && want.StartsAt.Equal(held.StartsAt) {
				return *held, nil
			}
			return want, wrongState("the appointment is over; make another one")
		}
		if err := changeTime(held, &want, now); err != nil {
			return want, err
		}
	} else if want.Status == moved {
		return want, problem.Invalid(problem.Violation{Field: "appointment.status", Description: "an appointment that is not held cannot be moved; name its appointment_id"})
	}
	switch {
	case want.Status == kept && want.StartsAt.After(now.Add(early)):
		return want, wrongState("the appointment's time has not come")
	case want.Status == noShow && want.StartsAt.After(now):
		return want, wrongState("the appointment's time has not come")
	}
	return want, nil
}

func changeTime(held, want *store.Appointment, now time.Time) error {
	over := !held.StartsAt.After(now)
	sameTime := want.StartsAt.Equal(held.StartsAt)
	switch {
	case want.Status == cancelled && over:
		return wrongState("the appointment's time has passed: it was kept, or a no-show")
	case want.Status == moved && sameTime && held.Status != moved:
		return problem.Invalid(problem.Violation{Field: "appointment.starts_at", Description: "a moved appointment has another time than before"})
	case want.Status == requested && held.Status != requested:
		return wrongState("the appointment was agreed already")
	case sameTime || want.Status == cancelled:
	case over:
		return wrongState("the appointment's time has passed and cannot be changed: it was kept, or a no-show")
	case want.Status == confirmed && held.Status != requested:
		want.Status = moved // agreed before, and now for another time
	}
	return nil
}

func final(s feedbackv1.AppointmentStatus) bool { return s == kept || s == noShow || s == cancelled }

func wrongState(what string) error {
	return problem.New(problemv1.Reason_REASON_WRONG_STATE, "%s", what)
}

// reportAppointment reports the milestone of an appointment as the store's activity. A time that
// the customer only asked for is none.
func (s *Service) reportAppointment(ctx context.Context, caller rpc.Caller, a store.Appointment, now time.Time) error {
	activity := &feedbackv1.Activity{
		LeadId: a.LeadID.String(), Kind: feedbackv1.ActivityKind_ACTIVITY_KIND_MILESTONE,
		PersonId: a.PersonID, DealerId: a.DealerID, AppointmentAt: timestamppb.New(a.StartsAt), AppointmentId: a.ID,
	}
	happened := now
	what := ""
	switch a.Status {
	case confirmed, moved:
		activity.Milestone, what = leadv1.Milestone_MILESTONE_APPOINTMENT_SET, fmt.Sprintf("set:%d", a.StartsAt.UnixMicro())
	case kept:
		activity.Milestone, what = leadv1.Milestone_MILESTONE_APPOINTMENT_KEPT, "kept"
		happened = earlier(a.StartsAt, now)
	case noShow:
		activity.Milestone, what = leadv1.Milestone_MILESTONE_APPOINTMENT_NO_SHOW, "no_show"
		happened = earlier(a.StartsAt, now)
	case cancelled:
		activity.Milestone, what = leadv1.Milestone_MILESTONE_APPOINTMENT_CANCELLED, "cancelled"
	default:
		return nil
	}
	activity.ActivityId = ownReport + a.ID + ":" + what
	activity.OccurredAt = timestamppb.New(happened.Truncate(time.Microsecond))
	p, err := newParsed(store.Activity, a.LeadID, activity.GetActivityId(), a.DealerID, activity.GetOccurredAt().AsTime(), activity, nil)
	if err != nil {
		return err
	}
	b := newBatch(1)
	b.add(0, p, nil)
	return s.report(ctx, caller, b, now)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// noteAppointment keeps the appointment that a milestone tells of, unless it came from one. One
// that names no appointment means the latest that has begun, or if it calls off, the next to come.
func (s *Service) noteAppointment(ctx context.Context, r parsed, now time.Time) error {
	if strings.HasPrefix(r.ID, ownReport) {
		return nil
	}
	status, ok := toldStatus[r.activity.GetMilestone()]
	if !ok {
		return nil
	}
	id := r.activity.GetAppointmentId()
	switch {
	case id != "":
	case status == confirmed:
		id = "activity:" + r.ID
	case status == cancelled:
		coming, err := s.store.Appointments(ctx, r.LeadID, "", r.OccurredAt, r.OccurredAt.Add(farthest))
		next := slices.IndexFunc(coming, func(a store.Appointment) bool { return !final(a.Status) })
		if err != nil || next < 0 {
			return err
		}
		id = coming[next].ID
	default:
		return s.store.SettleAppointment(ctx, r.LeadID, r.OccurredAt.Add(early), status, now)
	}
	told := store.Appointment{
		LeadID: r.LeadID, ID: id, Type: "sales_talk", DealerID: r.DealerID,
		PersonID: r.activity.GetPersonId(), StartsAt: r.OccurredAt, Status: status,
	}
	if at := r.activity.GetAppointmentAt(); at != nil {
		told.StartsAt = at.AsTime().Truncate(time.Microsecond)
	}
	_, err := s.store.PutAppointment(ctx, told.LeadID, told.ID, now, func(held *store.Appointment) (store.Appointment, error) {
		if held == nil {
			return told, nil
		}
		return retold(*held, told, r.OccurredAt), nil
	})
	return err
}

// toldStatus is what a milestone tells of an appointment.
var toldStatus = map[leadv1.Milestone]feedbackv1.AppointmentStatus{
	leadv1.Milestone_MILESTONE_APPOINTMENT_SET:       confirmed,
	leadv1.Milestone_MILESTONE_APPOINTMENT_KEPT:      kept,
	leadv1.Milestone_MILESTONE_APPOINTMENT_NO_SHOW:   noShow,
	leadv1.Milestone_MILESTONE_APPOINTMENT_CANCELLED: cancelled,
}

// retold is a held appointment after a milestone told of it again. What is over stays, and what has
// begun is not called off any more.
func retold(held, told store.Appointment, at time.Time) store.Appointment {
	switch {
	case final(held.Status), told.Status == cancelled && !held.StartsAt.After(at):
	case told.Status != confirmed:
		held.Status = told.Status
	case !held.StartsAt.Equal(told.StartsAt):
		held.StartsAt = told.StartsAt
		if held.Status != requested {
			held.Status = moved
		} else {
			held.Status = confirmed
		}
	case held.Status == requested:
		held.Status = confirmed
	}
	return held
}

// ListAppointments answers the appointments of a lead or of a dealer's days.
func (s *Service) ListAppointments(ctx context.Context, req *feedbackv1.ListAppointmentsRequest) (*feedbackv1.ListAppointmentsResponse, error) {
	caller := rpc.CallerFrom(ctx)
	f := &fields{}
	var id lead.ID
	if req.GetLeadId() != "" {
		id = f.leadID(req.GetLeadId())
	}
	dealerID, err := dealerOf(caller, req.GetDealerId())
	if err != nil {
		return nil, err
	}
	if req.GetLeadId() == "" && dealerID == "" {
		f.wrong("lead_id", "is required, or dealer_id")
	}
	from, until := f.span(req.GetFrom(), req.GetUntil(), time.Unix(0, 0), time.Unix(1<<36, 0))
	if err := f.err(); err != nil {
		return nil, err
	}
	list, err := s.store.Appointments(ctx, id, dealerID, from, until)
	if err != nil {
		return nil, err
	}
	resp := &feedbackv1.ListAppointmentsResponse{Appointments: make([]*feedbackv1.Appointment, len(list))}
	for i, a := range list {
		resp.Appointments[i] = formatAppointment(a)
	}
	return resp, nil
}

func formatAppointment(a store.Appointment) *feedbackv1.Appointment {
	return &feedbackv1.Appointment{
		AppointmentId: a.ID, LeadId: a.LeadID.String(), Type: a.Type, StartsAt: timestamppb.New(a.StartsAt), TimeZone: a.TimeZone,
		DealerId: a.DealerID, PersonId: a.PersonID, Vin: a.VIN, Transport: a.Transport, Status: a.Status, ForeignIds: a.ForeignIDs,
	}
}
