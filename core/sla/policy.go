package sla

import (
	"errors"
	"fmt"
	"time"
)

// Policy holds every clock value that applies to one assignment: the row of the
// clock table for its line and stage, and the rules that go with it. All values
// come from the playbook; this package knows none by heart. A Policy is a plain
// value, read-only once validated.
type Policy struct {
	Clock Clock
	// AfterHours is the time to respond, counted from the opening, for an
	// assignment that starts while the store is closed (READY 30 min, others
	// 90 min). Zero means the respond duration. It is also the time left after
	// the opening for a duty that would fall due while the store is closed.
	AfterHours time.Duration
	// WarnPercent of the respond time is when the owner is warned (80).
	WarnPercent int
	// AcceptPercent of the respond time is when the assignment must have been
	// accepted (50). Zero means acceptance is not due.
	AcceptPercent int
	Ladder        Ladder
	Steps         Steps
}

// Clock is one row of the clock table.
type Clock struct {
	// Acknowledge is due after the start; a bot may do it. Zero: not due.
	Acknowledge Term
	// Respond is due after the start, by a named person.
	Respond Term
	Plan    Plan
}

// Base says in which time a duration is counted.
type Base uint8

// The values of Base. StoreHours is the zero value, as the clock table counts in
// store hours unless it says otherwise.
const (
	// StoreHours counts open time of the owning department.
	StoreHours Base = iota
	// WallClock counts all time.
	WallClock
	// WallThenOpen counts all time; an end that falls outside store hours
	// moves to the next opening plus the policy's AfterHours.
	WallThenOpen
)

// Term is a duration and the time it is counted in.
type Term struct {
	Duration time.Duration
	Base     Base
}

// Plan is the attempts plan of an assignment nobody has engaged yet.
type Plan struct {
	// Count of attempts until the window ends, on at least Channels different
	// channels.
	Count, Channels int
	// DayOneCount of them belong to the start, DayOneGap of store hours apart,
	// the first of all being the response itself. The others are spread evenly
	// over the rest of the window.
	DayOneCount int
	DayOneGap   time.Duration
	// Window is how long the plan runs from the start, wall clock. The
	// assignment expires at its end.
	Window time.Duration
	// UntilResolved plans have neither count nor window: one attempt each Every
	// (wall clock), and the assignment never expires.
	UntilResolved bool
	Every         time.Duration
}

// Ladder is how a missed respond clock climbs, in multiples of the respond time
// from the same start: second person or BDC at 1, then these.
type Ladder struct {
	ManagerTimes int  // manager (2)
	FieldTimes   int  // dealer principal and field team (4)
	Daily        Term // from there on, again and again (24 h)
}

// Steps are the next-step clocks that run once the customer is engaged, and the
// clocks of hand-offs and parked leads.
type Steps struct {
	Engaged      []Term // engaged without appointment
	CustomerBack []Term // the customer wrote or called back
	NoShow       []Term // did not come: successive steps from the appointment
	Visited      []Term // kept, driven or quoted: successive steps
	Ordered      []Term // update until delivery
	Repeat       Term   // after the last step of a list was missed
	AskedAgain   Term   // another inquiry merged into this one

	RemindBefore time.Duration // before an appointment, wall clock
	OutcomeAfter time.Duration // after an appointment, wall clock
	LongestPause time.Duration // limit of a pause and of "call me on"

	HandOffOnSite Term // accept a hand-off, customer on site
	HandOff       Term // accept any other hand-off
	ParkedData    Term // review of leads parked for data,
	ParkedConsent Term // for consent,
	ParkedNurture Term // as nurture
}

// Validate returns every mistake in p, joined, each naming its field.
func (p *Policy) Validate() error {
	v := &validator{}
	c := p.Clock
	v.term("clock.acknowledge", c.Acknowledge, true)
	v.term("clock.respond", c.Respond, false)
	v.check(c.Respond.Base != WallThenOpen, "clock.respond: counts in store hours or by the wall clock; after_hours covers the rest")
	v.check(c.Respond.Duration <= 0 || c.Acknowledge.Duration <= c.Respond.Duration, "clock.acknowledge: is longer than clock.respond")
	v.plan(c.Plan)
	v.check(p.AfterHours >= 0, "after_hours: is negative")
	v.check(p.WarnPercent > 0 && p.WarnPercent < 100, "warn_percent: %d is not within 1-99", p.WarnPercent)
	v.check(p.AcceptPercent >= 0 && p.AcceptPercent < 100, "accept_percent: %d is not within 0-99", p.AcceptPercent)
	v.check(p.Ladder.ManagerTimes > 1, "ladder.manager_times: %d is not above 1", p.Ladder.ManagerTimes)
	v.check(p.Ladder.FieldTimes > p.Ladder.ManagerTimes, "ladder.field_times: %d is not above manager_times", p.Ladder.FieldTimes)
	v.term("ladder.daily", p.Ladder.Daily, false)
	v.steps(&p.Steps)
	return errors.Join(v.errs...)
}

type validator struct{ errs []error }

func (v *validator) check(ok bool, format string, args ...any) {
	if !ok {
		v.errs = append(v.errs, fmt.Errorf(format, args...))
	}
}

func (v *validator) term(name string, t Term, mayBeZero bool) {
	v.check(t.Base <= WallThenOpen, "%s: unknown base %d", name, t.Base)
	v.check(t.Duration > 0 || mayBeZero && t.Duration == 0, "%s: %s is not a positive duration", name, t.Duration)
	v.check(t.Duration <= Horizon*24*time.Hour, "%s: %s is longer than %d days", name, t.Duration, Horizon)
}

func (v *validator) plan(p Plan) {
	if p.UntilResolved {
		v.check(p.Every > 0, "plan.every: a plan until resolved needs the time between attempts")
		v.check(p.Count == 0 && p.Window == 0 && p.DayOneCount == 0, "plan: a plan until resolved has no count, day one or window")
		return
	}
	v.check(p.Every == 0, "plan.every: belongs to a plan until resolved")
	v.check(p.Count > 0, "plan.count: %d is not positive", p.Count)
	v.check(p.Window > 0 && p.Window <= Horizon*24*time.Hour, "plan.window: %s is not within %d days", p.Window, Horizon)
	v.check(p.Channels >= 0 && p.Channels <= p.Count, "plan.channels: %d is not within 0-%d", p.Channels, p.Count)
	v.check(p.DayOneCount >= 0 && p.DayOneCount <= p.Count, "plan.day_one_count: %d is not within 0-%d", p.DayOneCount, p.Count)
	v.check(p.DayOneCount < 2 || p.DayOneGap > 0, "plan.day_one_gap: %d attempts on day one need a time between them", p.DayOneCount)
}

func (v *validator) steps(s *Steps) {
	for _, l := range []struct {
		name  string
		terms []Term
	}{
		{"engaged", s.Engaged}, {"customer_back", s.CustomerBack}, {"no_show", s.NoShow},
		{"visited", s.Visited}, {"ordered", s.Ordered},
	} {
		v.check(len(l.terms) > 0, "steps.%s: has no term", l.name)
		for i, t := range l.terms {
			v.term(fmt.Sprintf("steps.%s[%d]", l.name, i), t, false)
			v.check(i == 0 || t.Duration > l.terms[i-1].Duration, "steps.%s[%d]: is not longer than the step before it", l.name, i)
		}
	}
	for _, t := range []struct {
		name string
		term Term
	}{
		{"repeat", s.Repeat}, {"asked_again", s.AskedAgain}, {"hand_off_on_site", s.HandOffOnSite}, {"hand_off", s.HandOff},
		{"parked_data", s.ParkedData}, {"parked_consent", s.ParkedConsent}, {"parked_nurture", s.ParkedNurture},
	} {
		v.term("steps."+t.name, t.term, false)
	}
	v.check(s.RemindBefore >= 0, "steps.remind_before: is negative")
	v.check(s.OutcomeAfter > 0, "steps.outcome_after: %s is not a positive duration", s.OutcomeAfter)
	v.check(s.LongestPause > 0, "steps.longest_pause: %s is not a positive duration", s.LongestPause)
}

// After returns the instant at which term has passed since t in calendar c.
// wall reports that store hours were asked for but the calendar has none to
// give, so the wall clock was used; callers flag that.
func (p *Policy) After(c *Calendar, t time.Time, term Term) (at time.Time, wall bool) {
	switch term.Base {
	case WallClock:
		return t.Add(term.Duration), false
	case WallThenOpen:
		return p.duty(c, t.Add(term.Duration))
	default:
		at, ok := c.Add(t, term.Duration)
		return at, !ok
	}
}

// duty moves an instant outside store hours to the next opening plus AfterHours.
func (p *Policy) duty(c *Calendar, t time.Time) (at time.Time, wall bool) {
	if c.Open(t) {
		return t, false
	}
	at, ok := c.Add(t, p.AfterHours)
	if !ok {
		return t, true
	}
	return at, false
}

// HandOffBy returns when a hand-off (transfer or referral) offered at t must be
// answered.
func (p *Policy) HandOffBy(c *Calendar, t time.Time, onSite bool) time.Time {
	term := p.Steps.HandOff
	if onSite {
		term = p.Steps.HandOffOnSite
	}
	at, _ := p.After(c, t, term)
	return at
}

// ParkedFor is why a lead is parked.
type ParkedFor uint8

// The values of ParkedFor.
const (
	ParkedForData ParkedFor = iota + 1
	ParkedForConsent
	ParkedForNurture
)

// ReviewAt returns when a lead parked at t is to be looked at again (the
// deadline kind is Review). A reason it does not know counts as data, the
// shortest.
func (p *Policy) ReviewAt(c *Calendar, t time.Time, why ParkedFor) time.Time {
	term := p.Steps.ParkedData
	switch why {
	case ParkedForConsent:
		term = p.Steps.ParkedConsent
	case ParkedForNurture:
		term = p.Steps.ParkedNurture
	}
	at, _ := p.After(c, t, term)
	return at
}

// Key selects a row of the clock table. An empty field means any.
type Key struct {
	Line, Stage, Account string
}

// Table is the clock table of one playbook, one policy for each key.
type Table map[Key]*Policy

// Select returns the policy for an assignment: the row that names the most of
// it wins, the kind of account (fleet) before the line, the line before the
// stage. ok is false if no row fits.
func (t Table) Select(k Key) (p *Policy, ok bool) {
	for _, account := range [...]string{k.Account, ""} {
		for _, line := range [...]string{k.Line, ""} {
			for _, stage := range [...]string{k.Stage, ""} {
				if p, ok := t[Key{line, stage, account}]; ok {
					return p, true
				}
			}
		}
	}
	return nil, false
}

// Validate returns every mistake in every policy, joined, each naming its key
// and field.
func (t Table) Validate() error {
	var errs []error
	for k, p := range t {
		if p == nil {
			errs = append(errs, fmt.Errorf("%s: has no policy", k))
			continue
		}
		if err := p.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", k, err))
		}
	}
	return errors.Join(errs...)
}

// String writes the key as line/stage/account, any as a star.
func (k Key) String() string {
	star := func(s string) string {
		if s == "" {
			return "*"
		}
		return s
	}
	return star(k.Line) + "/" + star(k.Stage) + "/" + star(k.Account)
}
