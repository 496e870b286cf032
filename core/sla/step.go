package sla

import (
	"slices"
	"time"
)

// stepList returns the successive terms of a next step, counted from its start.
func (p *Policy) stepList(k StepKind) []Term {
	switch k {
	case StepEngaged:
		return p.Steps.Engaged
	case StepCustomerBack:
		return p.Steps.CustomerBack
	case StepNoShow:
		return p.Steps.NoShow
	case StepVisited:
		return p.Steps.Visited
	case StepOrdered:
		return p.Steps.Ordered
	}
	return nil
}

// arm starts the next-step clock of a kind, unless what it counts from is older
// than the step that runs.
func (s *State) arm(p *Policy, c *Calendar, k StepKind, from time.Time) {
	if from.Before(s.StepFrom) || from.Equal(s.StepFrom) && k == s.Step {
		return
	}
	list := p.stepList(k)
	s.Step, s.StepFrom, s.StepIndex = k, from, 0
	s.StepDue, _ = p.After(c, from, list[0])
	if done := s.TouchedAt; done.After(from) { // the report came late
		s.TouchedAt = time.Time{}
		s.touch(p, c, done)
	}
}

// touch records that a person did something at the given time: it answers a
// customer who asked again and does the next step, which moves on to the first
// of its terms that ends later, or repeats its last one from now.
func (s *State) touch(p *Policy, c *Calendar, at time.Time) {
	if s.Closed {
		return
	}
	if !s.AskedDue.IsZero() && !at.Before(s.AskedAt) {
		s.AskedDue = time.Time{}
	}
	if !at.After(s.TouchedAt) {
		return
	}
	s.TouchedAt = at
	if !at.After(s.StepFrom) {
		return
	}
	switch s.Step {
	case StepNone:
		return
	case StepCustomerBack:
		s.clearStep(at)
		return // ensure starts what comes after it
	case StepCallOn:
		if !c.sameDay(at, s.StepDue) && at.Before(s.StepDue) {
			return // not the call that was asked for
		}
		s.clearStep(at)
		return
	}
	list := p.stepList(s.Step)
	for i := s.StepIndex + 1; i < len(list); i++ {
		if due, _ := p.After(c, s.StepFrom, list[i]); due.After(at) {
			s.StepIndex, s.StepDue = i, due
			return
		}
	}
	last := len(list) - 1
	s.StepFrom, s.StepIndex = at, last
	s.StepDue, _ = p.After(c, at, list[last])
}

// clearStep ends the next step; nothing older than at may start another.
func (s *State) clearStep(at time.Time) {
	s.Step, s.StepFrom, s.StepIndex, s.StepDue = StepNone, at, 0, time.Time{}
}

// ensure keeps the rule that an open assignment has a deadline: engaged without
// an appointment and without another step is a step of its own.
func (s *State) ensure(p *Policy, c *Calendar, at time.Time) {
	if s.EngagedAt.IsZero() || s.Step != StepNone || len(s.Appointments) > 0 {
		return
	}
	for _, t := range [...]time.Time{s.StepFrom, s.TouchedAt} {
		if at.Before(t) {
			at = t
		}
	}
	s.arm(p, c, StepEngaged, at)
}

// resume ends a pause: the plan and its window move by its length, the step
// that waited starts anew.
func (s *State) resume(p *Policy, c *Calendar, at time.Time) {
	if s.PausedUntil.IsZero() || at.Before(s.PausedAt) {
		return
	}
	if at.After(s.PausedUntil) {
		at = s.PausedUntil
	}
	s.PausedFor += at.Sub(s.PausedAt)
	s.PausedAt, s.PausedUntil = time.Time{}, time.Time{}
	if s.Step != StepNone && s.Step != StepCallOn && at.After(s.StepFrom) {
		s.arm(p, c, s.Step, at)
	}
}

// limitPause cuts what the event asks for to the policy's longest pause.
func (p *Policy) limitPause(e Event, out *effects) time.Time {
	limit := e.At.Add(p.Steps.LongestPause)
	if e.Until.After(limit) {
		out.add(Effect{Kind: PauseShortened, To: ToOwner, At: limit})
		return limit
	}
	return e.Until
}

// setAppointment adds or moves an appointment. While one is open nothing else
// but an order's update is due.
func (s *State) setAppointment(p *Policy, c *Calendar, e Event) {
	if e.AppointmentAt.IsZero() {
		return
	}
	a := Appointment{
		ID:        e.Appointment,
		At:        e.AppointmentAt,
		Reminded:  !e.At.Before(e.AppointmentAt.Add(-p.Steps.RemindBefore)),
		OutcomeAt: e.AppointmentAt.Add(p.Steps.OutcomeAfter),
	}
	i := slices.IndexFunc(s.Appointments, func(x Appointment) bool { return x.ID == a.ID })
	switch {
	case i < 0:
		s.Appointments = append(slices.Clip(s.Appointments), a)
	case s.Appointments[i].At.Equal(a.At):
		return
	default:
		s.Appointments = slices.Clone(s.Appointments)
		s.Appointments[i] = a
	}
	s.resume(p, c, e.At)
	if s.Step != StepOrdered && !e.At.Before(s.StepFrom) {
		s.clearStep(e.At)
	}
}

func (s *State) dropAppointment(id string) {
	s.Appointments = slices.DeleteFunc(slices.Clone(s.Appointments), func(a Appointment) bool { return a.ID == id })
}

// sameDay reports whether both instants fall on one date of the store.
func (c *Calendar) sameDay(a, b time.Time) bool {
	loc := time.UTC
	if c != nil && c.loc != nil {
		loc = c.loc
	}
	ay, am, ad := a.In(loc).Date()
	by, bm, bd := b.In(loc).Date()
	return ay == by && am == bm && ad == bd
}
