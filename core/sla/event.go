package sla

import (
	"slices"
	"time"
)

// EventKind is what happened to an assignment.
type EventKind uint8

// The values of EventKind. One activity may be several events: a call that
// reached the customer is an attempt, a response and an engagement.
const (
	EventDelivered            EventKind = iota + 1 // the dealer's channel accepted it: the store's clock starts
	EventAcknowledged                              // by anybody, a bot too
	EventAccepted                                  // the store took it on
	EventResponded                                 // Law 2
	EventEngaged                                   // Law 2; Inbound when the customer waits for an answer
	EventAttempt                                   // on Channel
	EventAppointmentSet                            // Appointment, AppointmentAt
	EventAppointmentMoved                          // Appointment, AppointmentAt
	EventAppointmentCancelled                      // Appointment
	EventAppointmentKept                           // Appointment
	EventAppointmentNoShow                         // Appointment
	EventVisited                                   // driven or quoted without appointment
	EventOrdered                                   // waits for delivery
	EventCallOn                                    // the customer asked to be called on Until
	EventPaused                                    // until Until
	EventResumed                                   // before the pause ended
	EventAskedAgain                                // another inquiry was merged into this one
	EventClosed                                    // won, lost, merged or moved to another owner
	EventReopened                                  // a closed assignment is worked again
)

// Event is one thing that happened, at the time it happened, whenever it was
// reported. Fields that do not belong to the kind are ignored.
type Event struct {
	Kind          EventKind
	At            time.Time
	Channel       Channel
	Inbound       bool
	Appointment   string
	AppointmentAt time.Time
	Until         time.Time
}

// Apply returns the state after an event and its effects. The order of reports
// does not matter for the stamps: the earliest time wins. A report about the
// past never replaces a newer next step. The same event twice in a row changes
// nothing; callers drop older repeats by the id of the activity.
func Apply(p *Policy, c *Calendar, s State, e Event) (State, []Effect) {
	e.At, e.AppointmentAt, e.Until = stamp(e.At), stamp(e.AppointmentAt), stamp(e.Until)
	out := &effects{}
	switch e.Kind {
	case EventDelivered:
		s.delivered(p, c, e.At, out)
	case EventAcknowledged:
		earlier(&s.AcknowledgedAt, e.At)
	case EventAccepted:
		s.accepted(e.At, out)
	case EventResponded:
		s.accepted(e.At, out)
		s.responded(e.At, out)
		s.touch(p, c, e.At)
	case EventAttempt:
		s.attempt(p, Attempt{e.At, e.Channel}, out)
		s.accepted(e.At, out)
		s.touch(p, c, e.At)
	case EventReopened:
		if s.Closed {
			s.reopen(p, c, e.At)
		}
	case EventClosed:
		if !s.Closed {
			s.Closed, s.ClosedAt = true, e.At
		}
	case EventEngaged, EventAppointmentSet, EventAppointmentMoved, EventAppointmentKept, EventAppointmentNoShow,
		EventVisited, EventOrdered, EventCallOn:
		s.engaged(p, e.At, out)
	}
	if s.Closed {
		return s, out.list
	}
	s.steps(p, c, e, out)
	s.ensure(p, c, e.At)
	return s, out.list
}

// steps moves the next-step clock of an open assignment.
func (s *State) steps(p *Policy, c *Calendar, e Event, out *effects) {
	switch e.Kind {
	case EventEngaged:
		switch {
		case e.Inbound && e.At.After(s.TouchedAt): // else it is answered already
			s.resume(p, c, e.At)
			s.arm(p, c, StepCustomerBack, e.At)
		case !e.Inbound:
			s.touch(p, c, e.At)
		}
	case EventAppointmentSet, EventAppointmentMoved:
		s.setAppointment(p, c, e)
	case EventAppointmentCancelled:
		s.dropAppointment(e.Appointment)
	case EventAppointmentKept:
		s.dropAppointment(e.Appointment)
		s.arm(p, c, StepVisited, e.At)
	case EventAppointmentNoShow:
		s.dropAppointment(e.Appointment)
		s.arm(p, c, StepNoShow, e.At)
	case EventVisited:
		s.arm(p, c, StepVisited, e.At)
	case EventOrdered:
		s.arm(p, c, StepOrdered, e.At)
	case EventCallOn:
		if until := p.limitPause(e, out); until.After(e.At) && !e.At.Before(s.StepFrom) {
			s.resume(p, c, e.At)
			s.Step, s.StepFrom, s.StepIndex, s.StepDue = StepCallOn, e.At, 0, until
		}
	case EventPaused:
		if until := p.limitPause(e, out); until.After(e.At) && !(s.PausedAt.Equal(e.At) && s.PausedUntil.Equal(until)) {
			s.resume(p, c, e.At)
			s.PausedAt, s.PausedUntil = e.At, until
		}
	case EventResumed:
		s.resume(p, c, e.At)
	case EventAskedAgain:
		// While the first response is still due the first clock stays.
		if (!s.RespondedAt.IsZero() || e.At.After(s.Deadlines.RespondBy)) && e.At.After(s.AskedAt) {
			s.resume(p, c, e.At)
			s.askedAgain(p, c, e.At)
			out.add(Effect{Kind: AskedAgain, To: ToOwner, At: e.At})
		}
	}
}

// delivered starts the store's own clock. What was swept of the provisional
// clock, which ran from the assignment, was not the store's fault: it is
// marked needless and the ladder begins at its foot.
func (s *State) delivered(p *Policy, c *Calendar, at time.Time, out *effects) {
	if !s.DeliveredAt.IsZero() && !at.Before(s.DeliveredAt) {
		return
	}
	s.DeliveredAt = at
	if at.Equal(s.Deadlines.Start) {
		return
	}
	s.needless(time.Time{}, s.RespondedAt, out)
	if s.AcceptMissed {
		out.add(Effect{Kind: EscalationNeedless, At: s.Deadlines.AcceptBy, Deadline: DueAccept})
	}
	s.Deadlines = Start(p, c, Facts{At: at, Sender: !s.Deadlines.AcknowledgeBy.IsZero()})
	s.AcknowledgeMissed, s.AcceptMissed, s.Warned, s.Breached = false, false, false, false
	s.Level, s.LevelAt = LevelNone, time.Time{}
}

func (s *State) accepted(at time.Time, out *effects) {
	before := s.AcceptedAt
	if earlier(&s.AcceptedAt, at) && s.AcceptMissed && !at.After(s.Deadlines.AcceptBy) &&
		(before.IsZero() || before.After(s.Deadlines.AcceptBy)) {
		out.add(Effect{Kind: EscalationNeedless, At: s.Deadlines.AcceptBy, Deadline: DueAccept})
	}
}

func (s *State) responded(at time.Time, out *effects) {
	before := s.RespondedAt
	if earlier(&s.RespondedAt, at) {
		s.needless(at, before, out)
	}
}

// needless lists the swept steps of the respond clock that fell due at or after
// a response at the given time, less those that an earlier report (known, zero
// if none) proved needless already.
func (s *State) needless(at, known time.Time, out *effects) {
	if !s.Breached {
		return
	}
	for _, step := range [...]struct {
		level Level
		due   time.Time
		kind  DeadlineKind
	}{
		{LevelNone, s.Deadlines.RespondBy, DueRespond},
		{LevelPerson, s.Deadlines.RespondBy, DueEscalatePerson},
		{LevelManager, s.Deadlines.ManagerAt, DueEscalateManager},
		{LevelField, s.Deadlines.FieldAt, DueEscalateField},
		{LevelDaily, s.LevelAt, DueEscalateDaily},
	} {
		told := !known.IsZero() && !step.due.Before(known)
		if s.Level >= step.level && !step.due.Before(at) && !told {
			out.add(Effect{Kind: EscalationNeedless, At: step.due, Deadline: step.kind, Level: step.level})
		}
	}
}

// attempt keeps the attempts in the order of their times. A late report can
// show that an expired plan had been done after all.
func (s *State) attempt(p *Policy, a Attempt, out *effects) {
	i, _ := slices.BinarySearchFunc(s.Attempts, a.At, func(x Attempt, at time.Time) int { return x.At.Compare(at) })
	for j := i; j < len(s.Attempts) && s.Attempts[j].At.Equal(a.At); j++ {
		if s.Attempts[j].Channel == a.Channel {
			return
		}
	}
	s.Attempts = slices.Insert(slices.Clone(s.Attempts), i, a)
	if end := s.windowEnd(p); s.Expired == ExpiredClosedUnworked && s.planDone(p, end) {
		s.Expired = ExpiredUnreachable
		out.add(Effect{Kind: Expired, At: end, Deadline: DueWindowEnd, Reason: s.Expired})
	}
}

func (s *State) engaged(p *Policy, at time.Time, out *effects) {
	if earlier(&s.EngagedAt, at) && s.Expired != ExpiredNot {
		if end := s.windowEnd(p); !at.After(end) {
			out.add(Effect{Kind: EscalationNeedless, At: end, Deadline: DueWindowEnd})
		}
	}
}

// reopen gives the customer who came back a clock of their own. The old plan of
// attempts is over; its window begins anew.
func (s *State) reopen(p *Policy, c *Calendar, at time.Time) {
	s.Closed, s.ClosedAt, s.Expired = false, time.Time{}, ExpiredNot
	s.clearStep(at)
	s.askedAgain(p, c, at)
	s.Slot = p.Clock.Plan.Count
	if plan := p.Clock.Plan; plan.UntilResolved {
		s.Slot = int(max(at.Sub(s.Deadlines.Start)-s.PausedFor, 0)/plan.Every) + 1
	}
}

// askedAgain gives the customer who asked again a clock of their own.
func (s *State) askedAgain(p *Policy, c *Calendar, at time.Time) {
	s.AskedAt = at
	s.AskedDue, _ = p.After(c, at, p.Steps.AskedAgain)
}

// earlier moves a stamp to at if it has none or a later one.
func earlier(stamp *time.Time, at time.Time) bool {
	if !stamp.IsZero() && !at.Before(*stamp) {
		return false
	}
	*stamp = at
	return true
}
