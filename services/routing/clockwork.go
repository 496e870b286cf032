package routing

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/sla"
	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
	"google.golang.org/protobuf/proto"
)

// work applies new activities to the clock of the owner who did them, and moves the lead by what
// the clock then says. A closed lead lends its last owner's clock for that.
func (w *applyWork) work(fresh []*report) error {
	k := w.k
	if k.Owner == nil {
		past, err := w.c.Past(k.LeadID)
		if err != nil || len(past) == 0 {
			return err
		}
		w.late = &past[len(past)-1]
		last := w.late.Assignment
		k.Owner = &last
	}
	before := k.Owner.Clock
	all, err := w.owners()
	if err != nil {
		return err
	}
	w.stamps(all)
	ordered, wonAt := false, time.Time{}
	for _, r := range fresh {
		w.own(r)
		m := lead.Milestone(r.activity.GetMilestone())
		if r.activity.GetKind() != feedbackv1.ActivityKind_ACTIVITY_KIND_MILESTONE {
			continue
		}
		ordered = ordered || m == lead.MilestoneOrder
		if wins(k.Line, m) && (wonAt.IsZero() || r.at.Before(wonAt)) {
			wonAt = r.at
		}
	}
	for _, r := range fresh {
		w.answers[r.place].CountedAs = w.countedAs(r)
	}
	w.tell(before, all)
	if w.late != nil {
		return nil
	}
	w.advance(ordered, fresh)
	if wonAt.IsZero() {
		return nil
	}
	return w.win(wonAt, "")
}

// owners reads the activities of the present owner so far, the oldest first.
func (w *applyWork) owners() ([]*feedbackv1.Activity, error) {
	a := w.k.Owner
	rows, err := w.c.Activities(w.k.LeadID)
	if err != nil {
		return nil, err
	}
	var out []*feedbackv1.Activity
	for _, raw := range rows {
		x := &feedbackv1.Activity{}
		if err := proto.Unmarshal(raw, x); err != nil {
			return nil, fmt.Errorf("decode an activity: %w", err)
		}
		if x.GetDealerId() != a.DealerID || a.Sequence > 1 && x.GetOccurredAt().AsTime().Before(a.Clock.AssignedAt) {
			continue // another owner's work: each has a clock of its own
		}
		out = append(out, x)
	}
	return out, nil
}

// stamps tells the clock what the activities amount to. The clock keeps the earliest of each.
func (w *applyWork) stamps(all []*feedbackv1.Activity) {
	list := make([]sla.Activity, 0, len(all))
	for _, x := range all {
		if a, ok := slaActivity(x); ok {
			list = append(list, a)
		}
	}
	s := sla.Classify(w.rb.playbook.Evidence, list, nil)
	for _, a := range s.Attempts {
		w.apply(sla.Event{Kind: sla.EventAttempt, At: a.At, Channel: a.Channel})
	}
	if !s.AcknowledgedAt.IsZero() {
		w.apply(sla.Event{Kind: sla.EventAcknowledged, At: s.AcknowledgedAt})
	}
	if !s.RespondedAt.IsZero() {
		w.apply(sla.Event{Kind: sla.EventResponded, At: s.RespondedAt})
	}
}

// own tells the clock what a new activity is beyond the stamps: the customer's part, milestones,
// pauses, a day to call on. Notes and looks prove that the channel lives, nothing else.
func (w *applyWork) own(r *report) {
	x := r.activity
	human := x.GetPersonId() != "" && !x.GetAutomated()
	switch x.GetKind() {
	case feedbackv1.ActivityKind_ACTIVITY_KIND_SEEN, feedbackv1.ActivityKind_ACTIVITY_KIND_NOTE:
	case feedbackv1.ActivityKind_ACTIVITY_KIND_MILESTONE:
		w.milestone(r)
	case feedbackv1.ActivityKind_ACTIVITY_KIND_PAUSE:
		if until := x.GetNextStepAt(); until != nil {
			w.apply(sla.Event{Kind: sla.EventPaused, At: r.at, Until: until.AsTime()})
		}
	default:
		a, ok := slaActivity(x)
		if !ok {
			break
		}
		a.At = r.at
		alone := sla.Classify(w.rb.playbook.Evidence, []sla.Activity{a}, nil)
		switch {
		case alone.EngagedAt.IsZero():
		case a.Kind == sla.Visit:
			w.apply(sla.Event{Kind: sla.EventVisited, At: r.at})
		default: // a customer whose call somebody took does not wait for an answer
			w.apply(sla.Event{Kind: sla.EventEngaged, At: r.at, Inbound: a.Direction == sla.Inbound && alone.RespondedAt.IsZero()})
		}
	}
	if human && x.GetKind() != feedbackv1.ActivityKind_ACTIVITY_KIND_SEEN && x.GetKind() != feedbackv1.ActivityKind_ACTIVITY_KIND_NOTE {
		w.apply(sla.Event{Kind: sla.EventAccepted, At: r.at})
	}
	if until := x.GetNextStepAt(); until != nil && x.GetKind() != feedbackv1.ActivityKind_ACTIVITY_KIND_PAUSE {
		w.apply(sla.Event{Kind: sla.EventCallOn, At: r.at, Until: until.AsTime()})
	}
}

// countedAs says what an activity counted as: by itself, and by what it made of those before it, such
// as a message that makes an unanswered call before it a response.
func (w *applyWork) countedAs(r *report) []string {
	x, clock := r.activity, &w.k.Owner.Clock
	if x.GetKind() == feedbackv1.ActivityKind_ACTIVITY_KIND_MILESTONE {
		m := lead.Milestone(x.GetMilestone())
		human := x.GetPersonId() != "" && !x.GetAutomated()
		switch {
		case m == lead.MilestoneUnspecified, m == lead.MilestoneAttempt && !human:
			return nil
		case m == lead.MilestoneResponded && !human:
			return []string{"acknowledged"}
		}
		return []string{strings.ToLower(m.String())}
	}
	a, ok := slaActivity(x)
	if !ok {
		return nil
	}
	a.At = r.at
	alone := sla.Classify(w.rb.playbook.Evidence, []sla.Activity{a}, nil)
	var out []string
	for _, c := range []struct {
		word string
		is   bool
	}{
		{"acknowledged", !alone.AcknowledgedAt.IsZero()},
		{"attempt", len(alone.Attempts) > 0},
		{"engaged", !alone.EngagedAt.IsZero() || clock.EngagedAt.Equal(r.at)},
		{"responded", !alone.RespondedAt.IsZero() || clock.RespondedAt.Equal(r.at)},
	} {
		if c.is {
			out = append(out, c.word)
		}
	}
	return out
}

// anAppointment is the appointment of a lead that reports do not name.
const anAppointment = "appointment"

// appointment is the one that an activity tells of. One that names none sets, and moves, the lead's
// appointment without a name; else it means that, or the earliest of those that are open.
func (w *applyWork) appointment(x *feedbackv1.Activity) string {
	if id := x.GetAppointmentId(); id != "" {
		return id
	}
	open := w.k.Owner.Clock.Appointments
	unnamed := func(a sla.Appointment) bool { return a.ID == anAppointment }
	if lead.Milestone(x.GetMilestone()) == lead.MilestoneAppointmentSet || len(open) == 0 || slices.ContainsFunc(open, unnamed) {
		return anAppointment
	}
	return slices.MinFunc(open, func(a, b sla.Appointment) int { return a.At.Compare(b.At) }).ID
}

// milestone tells the clock of a milestone that was reported as such. Those that are stamps are
// told with the stamps.
func (w *applyWork) milestone(r *report) {
	x := r.activity
	e := sla.Event{At: r.at, Appointment: w.appointment(x)}
	m := lead.Milestone(x.GetMilestone())
	human := x.GetPersonId() != "" && !x.GetAutomated()
	switch m {
	case lead.MilestoneDelivered:
		if a := w.k.Owner; a.DeliveredAt.IsZero() {
			a.DeliveredAt = r.at
			w.add(eventDelivered, r.at, &leadv1.EventFacts{DeliveredAt: leadconv.Time(r.at)})
		}
		e.Kind = sla.EventDelivered
	case lead.MilestoneAttempt:
		if !human {
			return
		}
		e.Kind, e.Channel = sla.EventAttempt, slaChannel(lead.Channel(x.GetChannel()))
	case lead.MilestoneResponded: // a bot may acknowledge, never respond
		if e.Kind = sla.EventAcknowledged; human {
			e.Kind = sla.EventResponded
		}
	case lead.MilestoneEngaged:
		e.Kind = sla.EventEngaged
	case lead.MilestoneAppointmentSet:
		e.Kind = sla.EventAppointmentSet
		if t := x.GetAppointmentAt(); t != nil {
			e.AppointmentAt = t.AsTime()
		}
	case lead.MilestoneAppointmentKept:
		e.Kind = sla.EventAppointmentKept
	case lead.MilestoneAppointmentNoShow:
		e.Kind = sla.EventAppointmentNoShow
	case lead.MilestoneAppointmentCancelled:
		e.Kind = sla.EventAppointmentCancelled
	case lead.MilestoneTestDrive, lead.MilestoneQuoted, lead.MilestoneAppraisal, lead.MilestoneROOpened:
		e.Kind = sla.EventVisited
	case lead.MilestoneCreditApp:
		e.Kind = sla.EventEngaged
	case lead.MilestoneOrder:
		e.Kind = sla.EventOrdered
	}
	if e.Kind != 0 {
		w.apply(e)
	}
	switch m {
	case lead.MilestoneUnspecified, lead.MilestoneDelivered, lead.MilestoneAttempt, lead.MilestoneResponded, lead.MilestoneEngaged:
		return
	}
	event := w.s.milestone(w.rb, w.k, m, r.at, orBot(r.personID, x.GetAutomated()))
	event.Facts.AppointmentAt, event.Facts.AppointmentId = x.GetAppointmentAt(), x.GetAppointmentId()
	w.events = append(w.events, event)
}

// tell writes the stamps that are new or earlier than before: milestones are dated by when they
// happened, and a late report corrects them.
func (w *applyWork) tell(before sla.State, all []*feedbackv1.Activity) {
	a, now := w.k.Owner, &w.k.Owner.Clock
	who := func(at time.Time) string {
		for _, x := range all {
			if x.GetOccurredAt().AsTime().Equal(at) && (x.GetPersonId() != "" || x.GetAutomated()) {
				return orBot(x.GetPersonId(), x.GetAutomated())
			}
		}
		return ""
	}
	if !now.AcknowledgedAt.Equal(before.AcknowledgedAt) {
		w.add(eventAcknowledged, now.AcknowledgedAt, &leadv1.EventFacts{
			Actor: who(now.AcknowledgedAt), Verdict: w.shown(sla.Judge(*now, w.now).Acknowledge),
		})
	}
	if before.AcceptedAt.IsZero() && !now.AcceptedAt.IsZero() {
		if w.late != nil {
			w.add(eventAccepted, now.AcceptedAt, &leadv1.EventFacts{Actor: who(now.AcceptedAt), Verdict: w.shown(sla.Judge(*now, w.now).Accept)})
		} else {
			w.accepted(now.AcceptedAt, who(now.AcceptedAt))
		}
	}
	for _, t := range now.Attempts {
		if !slices.Contains(before.Attempts, t) {
			w.events = append(w.events, w.s.milestone(w.rb, w.k, lead.MilestoneAttempt, t.At, who(t.At)))
		}
	}
	if !now.RespondedAt.Equal(before.RespondedAt) {
		e := w.s.milestone(w.rb, w.k, lead.MilestoneResponded, now.RespondedAt, who(now.RespondedAt))
		e.Facts.Verdict, e.Facts.PersonId = w.shown(sla.Judge(*now, w.now).Respond), a.PersonID
		w.events = append(w.events, e)
	}
	if !now.EngagedAt.Equal(before.EngagedAt) {
		w.events = append(w.events, w.s.milestone(w.rb, w.k, lead.MilestoneEngaged, now.EngagedAt, who(now.EngagedAt)))
	}
}

// advance moves the state of an open lead forward to what its clock and milestones say.
func (w *applyWork) advance(ordered bool, fresh []*report) {
	clock, to := &w.k.Owner.Clock, w.k.State
	switch {
	case ordered:
		to = lead.StateOrdered
	case !clock.EngagedAt.IsZero():
		to = lead.StateEngaged
	case !clock.RespondedAt.IsZero() || len(clock.Attempts) > 0:
		to = lead.StateWorking
	}
	if to <= w.k.State {
		return
	}
	at := fresh[0].at
	for _, r := range fresh {
		at = latest(at, r.at)
	}
	w.k.State = to
	w.add(eventState, at, &leadv1.EventFacts{})
}

// wins reports whether a milestone is the win of a line. The wins of the other lines are reported
// as outcomes only.
func wins(l lead.Line, m lead.Milestone) bool {
	switch l {
	case lead.LineSales:
		return m == lead.MilestoneVehicleDelivered
	case lead.LineRenewal:
		return m == lead.MilestoneContractSigned
	case lead.LineService, lead.LineAccessories:
		return m == lead.MilestoneROClosed
	case lead.LineWarranty:
		return m == lead.MilestoneContractSigned || m == lead.MilestoneROClosed
	}
	return false
}

// win closes an open lead as won.
func (w *applyWork) win(at time.Time, personID string) error {
	return w.close(eventWon, lead.StateWon, postgres.Ending{By: endedClosed, At: at}, &leadv1.EventFacts{Actor: personID})
}

// slaActivity reads an activity for the clock; ok is false for kinds that are no contact.
func slaActivity(x *feedbackv1.Activity) (a sla.Activity, ok bool) {
	switch x.GetKind() {
	case feedbackv1.ActivityKind_ACTIVITY_KIND_CALL:
		a.Kind = sla.Call
	case feedbackv1.ActivityKind_ACTIVITY_KIND_EMAIL:
		a.Kind = sla.Email
	case feedbackv1.ActivityKind_ACTIVITY_KIND_TEXT:
		a.Kind = sla.Text
	case feedbackv1.ActivityKind_ACTIVITY_KIND_MESSENGER:
		a.Kind = sla.Messenger
	case feedbackv1.ActivityKind_ACTIVITY_KIND_VISIT:
		a.Kind = sla.Visit
	default:
		return a, false
	}
	if a.Direction = sla.Outbound; x.GetInbound() {
		a.Direction = sla.Inbound
	}
	a.Result, a.At = sla.CallResult(x.GetCallResult()), x.GetOccurredAt().AsTime()
	a.Named, a.Bot, a.Template = x.GetPersonId() != "", x.GetAutomated(), x.GetTemplateId() != ""
	if a.Talk = time.Duration(x.GetTalkSeconds()) * time.Second; a.Talk == 0 && a.Result == sla.CallConnected {
		a.Talk = sla.TalkUnknown
	}
	return a, true
}

func slaChannel(c lead.Channel) sla.Channel {
	switch c {
	case lead.ChannelEmail:
		return sla.Email
	case lead.ChannelSMS:
		return sla.Text
	case lead.ChannelMessenger, lead.ChannelApp:
		return sla.Messenger
	}
	return sla.Call
}

// orBot names who did something.
func orBot(personID string, automated bool) string {
	if automated {
		return "bot"
	}
	return personID
}
