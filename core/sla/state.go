package sla

import (
	"time"
)

// State is everything the clocks of one assignment know: what happened so far,
// by the time it happened, and which deadlines were swept. It is a value; Apply
// and Fire return a new one and never write into the slices of the old. A zero
// time means "not so far".
type State struct {
	// Deadlines as promised at assignment (or at delivery, once known). They
	// stay when hours or playbook change later.
	Deadlines Deadlines

	AssignedAt     time.Time
	DeliveredAt    time.Time
	AcknowledgedAt time.Time
	AcceptedAt     time.Time
	RespondedAt    time.Time
	EngagedAt      time.Time
	Attempts       []Attempt // by time

	// What was swept.
	AcknowledgeMissed bool
	AcceptMissed      bool
	Warned            bool
	Breached          bool
	Level             Level     // highest ladder step taken
	LevelAt           time.Time // when that step was due
	Slot              int       // attempts of the plan already looked at, the first included

	// The next step, once the customer is engaged.
	Step      StepKind
	StepFrom  time.Time // what the step counts from
	StepIndex int       // place in the policy's list for the kind
	StepDue   time.Time
	TouchedAt time.Time // last time a person did something about the step

	AskedAt      time.Time // latest time the customer asked again
	AskedDue     time.Time // zero when answered or swept
	Appointments []Appointment

	PausedAt    time.Time
	PausedUntil time.Time
	PausedFor   time.Duration // sum of past pauses; moves plan and window

	Closed   bool // won, lost, merged, moved on or expired: no deadline any more
	ClosedAt time.Time
	Expired  ExpiredReason
}

// Attempt is one try of a person to reach the customer.
type Attempt struct {
	At      time.Time
	Channel Channel
}

// Appointment is one that is still to come or whose outcome is not known.
type Appointment struct {
	ID        string
	At        time.Time
	Reminded  bool      // true also when it was set too late for a reminder
	OutcomeAt time.Time // when its outcome is (next) asked for
	Asked     bool      // the outcome was asked for once
}

// StepKind is what the next step counts from.
type StepKind uint8

// The values of StepKind.
const (
	StepNone         StepKind = iota
	StepEngaged               // engaged without appointment
	StepCustomerBack          // the customer wrote or called back and waits
	StepNoShow                // did not come
	StepVisited               // kept, driven or quoted
	StepOrdered               // waits for delivery
	StepCallOn                // asked to be called on a day
)

// Level is a step of the ladder.
type Level uint8

// The values of Level, in the order they are climbed.
const (
	LevelNone    Level = iota
	LevelPerson        // second person or BDC, at the breach
	LevelManager       // at 2x
	LevelField         // dealer principal and field team, at 4x
	LevelDaily         // again each day
)

// ExpiredReason is why an assignment expired.
type ExpiredReason uint8

// The values of ExpiredReason.
const (
	ExpiredNot            ExpiredReason = iota
	ExpiredUnreachable                  // the plan was done, nobody took part
	ExpiredClosedUnworked               // the plan was not done: leakage
)

// DeadlineKind is the kind of an assignment's one next deadline.
type DeadlineKind uint8

// The values of DeadlineKind. Deadlines due at one instant are swept in this
// order.
const (
	DueNone DeadlineKind = iota
	DueAccept
	DueWarn
	DueRespond
	DueEscalatePerson
	DueEscalateManager
	DueEscalateField
	DueEscalateDaily
	DueAskedAgain
	DueNextStep
	DueAppointmentRemind
	DueAppointmentOutcome
	DueAttempt
	DueReview
	DueWindowEnd
)

func deadlineKindNames() [15]string {
	return [...]string{
		"", "ACCEPT", "WARN", "RESPOND", "ESCALATE_PERSON", "ESCALATE_MANAGER", "ESCALATE_FIELD", "ESCALATE_DAILY",
		"ASKED_AGAIN", "NEXT_STEP", "APPOINTMENT_REMIND", "APPOINTMENT_OUTCOME", "ATTEMPT", "REVIEW", "WINDOW_END",
	}
}

// String returns the code as the domain spells it, or "" for none.
func (k DeadlineKind) String() string {
	if names := deadlineKindNames(); int(k) < len(names) {
		return names[k]
	}
	return ""
}

// Deadline is one instant at which somebody must have done something.
type Deadline struct {
	At   time.Time
	Kind DeadlineKind
}

// Next returns the earliest deadline of an assignment. ok is false only when it
// is closed: an open assignment always has a deadline. The deadline may lie in
// the past, for a late sweep finds everything in its order.
func Next(p *Policy, c *Calendar, s State) (d Deadline, ok bool) {
	if s.Closed {
		return Deadline{}, false
	}
	n := &earliest{}
	s.respondDeadlines(p, c, n)
	n.offer(DueAskedAgain, s.AskedDue)
	for i := range s.Appointments {
		a := &s.Appointments[i]
		if !a.Reminded {
			n.offer(DueAppointmentRemind, a.At.Add(-p.Steps.RemindBefore))
		}
		n.offer(DueAppointmentOutcome, a.OutcomeAt)
	}
	if !s.PausedUntil.IsZero() {
		n.offer(DueReview, s.PausedUntil)
		return n.Deadline, true
	}
	if !s.EngagedAt.IsZero() {
		n.offer(DueNextStep, s.StepDue)
		return n.Deadline, n.Kind != DueNone
	}
	end := s.windowEnd(p)
	if slot := s.nextSlot(); p.Clock.Plan.UntilResolved || slot < p.Clock.Plan.Count {
		if at := s.slotDue(p, c, slot); end.IsZero() || at.Before(end) {
			n.offer(DueAttempt, at)
		}
	}
	n.offer(DueWindowEnd, end)
	return n.Deadline, n.Kind != DueNone
}

// earliest keeps the earliest of the deadlines offered; a zero time is not due.
type earliest struct{ Deadline }

func (e *earliest) offer(k DeadlineKind, at time.Time) {
	if at.IsZero() {
		return
	}
	if e.Kind == DueNone || at.Before(e.At) || at.Equal(e.At) && k < e.Kind {
		e.Deadline = Deadline{At: at, Kind: k}
	}
}

// respondDeadlines offers what the respond clock has next. Only this clock
// climbs the ladder, and only until somebody responded.
func (s *State) respondDeadlines(p *Policy, c *Calendar, n *earliest) {
	if !s.RespondedAt.IsZero() {
		return
	}
	if s.AcceptedAt.IsZero() && !s.AcceptMissed {
		n.offer(DueAccept, s.Deadlines.AcceptBy)
	}
	if !s.Warned {
		n.offer(DueWarn, s.Deadlines.WarnAt)
	}
	if !s.Breached {
		n.offer(DueRespond, s.Deadlines.RespondBy)
		return
	}
	switch s.Level {
	case LevelNone:
		n.offer(DueEscalatePerson, s.Deadlines.RespondBy)
	case LevelPerson:
		n.offer(DueEscalateManager, s.Deadlines.ManagerAt)
	case LevelManager:
		n.offer(DueEscalateField, s.Deadlines.FieldAt)
	default:
		n.offer(DueEscalateDaily, p.nextDaily(c, s.LevelAt))
	}
}

// nextDaily is one daily term after the last step of the ladder, in store hours.
func (p *Policy) nextDaily(c *Calendar, last time.Time) time.Time {
	at, _ := p.After(c, last, p.Ladder.Daily)
	return at
}

// windowEnd is when the attempts window ends: as promised, moved by pauses, and
// begun anew when the customer asked again. Zero for plans until resolved.
func (s *State) windowEnd(p *Policy) time.Time {
	end := s.Deadlines.AttemptsUntil
	if end.IsZero() {
		return end
	}
	end = end.Add(s.PausedFor)
	if !s.AskedAt.IsZero() {
		if again := s.AskedAt.Add(p.Clock.Plan.Window); again.After(end) {
			end = again
		}
	}
	return end
}

// nextSlot is the first attempt of the plan neither made nor swept. The first
// of all is the response, which has its own clock.
func (s *State) nextSlot() int { return max(1, s.Slot, len(s.Attempts)) }

// slotDue is when attempt i of the plan (from 0) is due.
func (s *State) slotDue(p *Policy, c *Calendar, i int) time.Time {
	plan := &p.Clock.Plan
	start := s.Deadlines.Start
	if plan.UntilResolved {
		at, _ := p.duty(c, start.Add(time.Duration(i)*plan.Every+s.PausedFor))
		return at
	}
	dayOne := max(1, plan.DayOneCount)
	if i < dayOne {
		at, _ := c.Add(s.Deadlines.RespondBy.Add(s.PausedFor), time.Duration(i)*plan.DayOneGap)
		return at
	}
	share := (plan.Window / time.Duration(plan.Count-dayOne+1) * time.Duration(i-dayOne+1)).Truncate(time.Second)
	at, _ := p.duty(c, start.Add(share+s.PausedFor))
	return at
}
