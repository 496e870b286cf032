package sla

import "time"

// Facts are what Start must know of an assignment beside policy and hours.
type Facts struct {
	// At is when the clock starts: the delivery, or the assignment while the
	// delivery is not confirmed yet.
	At time.Time
	// Sender says that something is configured that can acknowledge to the
	// customer. Without it the acknowledge clock is not due.
	Sender bool
}

// Deadlines are what an assignment promises at its start. A zero time means
// that clock is not due, which reports count apart.
type Deadlines struct {
	Start         time.Time
	AcknowledgeBy time.Time
	AcceptBy      time.Time
	WarnAt        time.Time
	RespondBy     time.Time
	ManagerAt     time.Time
	FieldAt       time.Time
	AttemptsUntil time.Time
	AfterHours    bool // started while the store was closed
	WallClock     bool // store hours were due but the store has none: wall clock used
}

// Start computes all deadlines of an assignment. An assignment that starts after
// hours counts from the next opening and gets the policy's AfterHours to
// respond; accept, warn and the ladder keep their share or multiple of that
// time. Times are whole microseconds, as the database keeps them.
func Start(p *Policy, c *Calendar, f Facts) Deadlines {
	start := stamp(f.At)
	d := Deadlines{Start: start}
	from, length, wall := start, p.Clock.Respond.Duration, p.Clock.Respond.Base == WallClock
	if !wall {
		open, ok := c.NextOpen(start)
		after := open.After(start)
		if after && p.AfterHours > 0 {
			length = p.AfterHours
		}
		// A store that does not open often enough for the last step has no
		// hours to count in; a ladder half in one time and half in the other
		// could run backwards.
		if _, enough := c.Add(open, length*time.Duration(p.Ladder.FieldTimes)); ok && enough {
			from, d.AfterHours = open, after
		} else {
			length, wall, d.WallClock = p.Clock.Respond.Duration, true, true
		}
	}
	after := func(percent int) time.Time {
		part := (length * time.Duration(percent) / 100).Truncate(time.Microsecond)
		if !wall {
			if at, ok := c.Add(from, part); ok {
				return at
			}
		}
		return from.Add(part)
	}
	if p.Clock.Acknowledge.Duration > 0 && f.Sender {
		var hoursMissing bool
		d.AcknowledgeBy, hoursMissing = p.After(c, start, p.Clock.Acknowledge)
		d.WallClock = d.WallClock || hoursMissing
	}
	if p.AcceptPercent > 0 {
		d.AcceptBy = after(p.AcceptPercent)
	}
	d.WarnAt = after(p.WarnPercent)
	d.RespondBy = after(100)
	d.ManagerAt = after(100 * p.Ladder.ManagerTimes)
	d.FieldAt = after(100 * p.Ladder.FieldTimes)
	if !p.Clock.Plan.UntilResolved {
		d.AttemptsUntil = start.Add(p.Clock.Plan.Window)
	}
	return d
}

// Begin returns the state of a new assignment that starts at f.At.
func Begin(p *Policy, c *Calendar, f Facts) State {
	return State{Deadlines: Start(p, c, f), AssignedAt: stamp(f.At)}
}

// stamp cuts a time to what the database keeps and drops the process clock.
func stamp(t time.Time) time.Time { return t.Truncate(time.Microsecond) }

// EffectKind is what a sweep or an event brings about.
type EffectKind uint8

// The values of EffectKind.
const (
	MissedAcknowledge     EffectKind = iota + 1 // counted, alarmed
	MissedAccept                                // counted, told
	Warned                                      // told
	Breached                                    // the respond clock was missed
	Escalated                                   // a ladder step was taken, to one recipient
	EscalationNeedless                          // a late report proves that the swept Deadline was met
	AttemptMissed                               // Slot of the plan was not done in time
	StepDue                                     // the day has come to call
	StepMissed                                  // a next step was not done in time
	AskedAgain                                  // told: the customer asked again
	AskedAgainMissed                            // told: nobody answered
	AppointmentReminder                         // send it
	AppointmentOutcomeDue                       // ask for it
	ReviewDue                                   // a pause is over
	PauseShortened                              // cut to the policy's limit
	Expired                                     // with Reason; sent again when a late report changes it
)

// Recipient is who is to be told. The caller knows the person behind it.
type Recipient uint8

// The values of Recipient.
const (
	ToNobody Recipient = iota
	ToOwner
	ToSecondPersonOrBDC
	ToManager
	ToDealerPrincipal
	ToFieldTeam
	ToHub // our own operations: an alarm
)

// Effect is one consequence for the caller to carry out or write down. Fields
// that do not belong to the kind are zero.
type Effect struct {
	Kind        EffectKind
	To          Recipient
	At          time.Time    // when it fell due or happened
	Deadline    DeadlineKind // the deadline behind it
	Level       Level
	Slot        int // attempt of the plan, from 0
	Appointment string
	Reason      ExpiredReason
}

// Fire sweeps deadline d at time now and returns the state after it, with its
// effects in order. It does nothing if d is not what Next returns for s (it was
// met, moved or swept already) or lies after now, so a sweep may be repeated by
// anybody. After an outage ladder steps, attempts and appointments fire one by
// one; reminders that only repeat (daily escalation, next steps, outcomes) fire
// once and skip to the first date after now.
func Fire(p *Policy, c *Calendar, s State, d Deadline, now time.Time) (State, []Effect) {
	now = stamp(now)
	next, ok := Next(p, c, s)
	if !ok || next.Kind != d.Kind || !next.At.Equal(d.At) || now.Before(d.At) {
		return s, nil
	}
	out := &effects{}
	s.sweepAcknowledge(now, out)
	switch d.Kind {
	case DueAccept:
		s.AcceptMissed = true
		out.add(Effect{Kind: MissedAccept, To: ToManager, At: d.At, Deadline: d.Kind})
	case DueWarn:
		s.Warned = true
		out.add(Effect{Kind: Warned, To: ToOwner, At: d.At, Deadline: d.Kind})
	case DueRespond:
		s.Breached = true
		out.add(Effect{Kind: Breached, To: ToOwner, At: d.At, Deadline: d.Kind})
	case DueEscalatePerson:
		s.climb(LevelPerson, d, out, ToSecondPersonOrBDC)
	case DueEscalateManager:
		s.climb(LevelManager, d, out, ToManager)
	case DueEscalateField:
		s.climb(LevelField, d, out, ToDealerPrincipal, ToFieldTeam)
	case DueEscalateDaily:
		for n := p.nextDaily(c, d.At); !n.After(now); n = p.nextDaily(c, n) {
			d.At = n
		}
		s.climb(LevelDaily, d, out, ToDealerPrincipal, ToFieldTeam)
	case DueAskedAgain:
		s.AskedDue = time.Time{}
		out.add(Effect{Kind: AskedAgainMissed, To: ToManager, At: d.At, Deadline: d.Kind})
	case DueNextStep:
		s.sweepStep(p, c, d, now, out)
	case DueAttempt:
		s.sweepAttempts(p, c, d, out)
	case DueAppointmentRemind, DueAppointmentOutcome:
		s.sweepAppointment(p, c, d, now, out)
	case DueReview:
		s.resume(p, c, d.At)
		out.add(Effect{Kind: ReviewDue, To: ToOwner, At: d.At, Deadline: d.Kind})
	case DueWindowEnd:
		s.Closed, s.ClosedAt, s.Expired = true, d.At, ExpiredClosedUnworked
		if s.planDone(p, d.At) {
			s.Expired = ExpiredUnreachable
		}
		out.add(Effect{Kind: Expired, To: ToNobody, At: d.At, Deadline: d.Kind, Reason: s.Expired})
	}
	return s, out.list
}

type effects struct{ list []Effect }

func (e *effects) add(x Effect) { e.list = append(e.list, x) }

// climb takes one step of the ladder and tells everybody on it.
func (s *State) climb(l Level, d Deadline, out *effects, to ...Recipient) {
	s.Level, s.LevelAt = l, d.At
	for _, r := range to {
		out.add(Effect{Kind: Escalated, To: r, At: d.At, Deadline: d.Kind, Level: l})
	}
}

// sweepAcknowledge notices a missed acknowledgement. It has no deadline of its
// own; it is found by whatever is swept first after it.
func (s *State) sweepAcknowledge(now time.Time, out *effects) {
	by := s.Deadlines.AcknowledgeBy
	if by.IsZero() || s.AcknowledgeMissed || !s.AcknowledgedAt.IsZero() || !s.RespondedAt.IsZero() || !now.After(by) {
		return
	}
	s.AcknowledgeMissed = true
	out.add(Effect{Kind: MissedAcknowledge, To: ToHub, At: by})
}

// sweepStep counts a missed next step and sets the one after it. A day to call
// on was a date, not a limit: from then on the customer waits for the call.
func (s *State) sweepStep(p *Policy, c *Calendar, d Deadline, now time.Time, out *effects) {
	if s.Step == StepCallOn {
		out.add(Effect{Kind: StepDue, To: ToOwner, At: d.At, Deadline: d.Kind})
		s.StepFrom = d.At
		s.arm(p, c, StepCustomerBack, d.At)
		return
	}
	out.add(Effect{Kind: StepMissed, To: ToOwner, At: d.At, Deadline: d.Kind})
	list := p.stepList(s.Step)
	for i := s.StepIndex + 1; i < len(list); i++ {
		if due, _ := p.After(c, s.StepFrom, list[i]); due.After(now) {
			s.StepIndex, s.StepDue = i, due
			return
		}
	}
	s.StepIndex, s.StepDue = len(list), p.repeat(c, d.At, now)
}

// repeat is the first repetition after now of something that was due at last.
func (p *Policy) repeat(c *Calendar, last, now time.Time) time.Time {
	for {
		last, _ = p.After(c, last, p.Steps.Repeat)
		if last.After(now) {
			return last
		}
	}
}

// sweepAttempts counts the attempts of the plan due at this instant. After a
// weekend there may be several.
func (s *State) sweepAttempts(p *Policy, c *Calendar, d Deadline, out *effects) {
	plan := &p.Clock.Plan
	for slot := s.nextSlot(); plan.UntilResolved || slot < plan.Count; slot++ {
		if !s.slotDue(p, c, slot).Equal(d.At) {
			return
		}
		s.Slot = slot + 1
		out.add(Effect{Kind: AttemptMissed, To: ToOwner, At: d.At, Deadline: d.Kind, Slot: slot})
	}
}

// sweepAppointment handles every appointment due at this instant.
func (s *State) sweepAppointment(p *Policy, c *Calendar, d Deadline, now time.Time, out *effects) {
	list := make([]Appointment, len(s.Appointments))
	copy(list, s.Appointments)
	s.Appointments = list
	for i := range list {
		a := &list[i]
		if d.Kind == DueAppointmentRemind {
			if !a.Reminded && a.At.Add(-p.Steps.RemindBefore).Equal(d.At) {
				a.Reminded = true
				if now.Before(a.At) { // after an outage a reminder may come too late
					out.add(Effect{Kind: AppointmentReminder, To: ToOwner, At: d.At, Deadline: d.Kind, Appointment: a.ID})
				}
			}
		} else if a.OutcomeAt.Equal(d.At) {
			a.OutcomeAt, a.Asked = p.repeat(c, d.At, now), true
			out.add(Effect{Kind: AppointmentOutcomeDue, To: ToOwner, At: d.At, Deadline: d.Kind, Appointment: a.ID})
		}
	}
}

// planDone reports whether the attempts plan was done by end. A plan until
// resolved is never done.
func (s *State) planDone(p *Policy, end time.Time) bool {
	plan := &p.Clock.Plan
	if plan.UntilResolved {
		return false
	}
	count := 0
	var seen [channelCount]bool
	channels := 0
	for _, a := range s.Attempts {
		if a.At.After(end) {
			continue
		}
		count++
		if int(a.Channel) < len(seen) && !seen[a.Channel] {
			seen[a.Channel] = true
			channels++
		}
	}
	return count >= plan.Count && channels >= plan.Channels
}
