package sla

import "time"

// Grade is how much a store's feed lets us see.
type Grade uint8

// The values of Grade. Unknown stores are Blind.
const (
	Blind Grade = iota
	Partial
	Observed
)

// Evidence is what the last days (14 by the law) brought in for one dealer and
// department.
type Evidence struct {
	// Leads delivered, and those of them whose channel proved alive: inbox
	// opened, feed heartbeat, any status.
	Leads, WithEvidence int
	// Inbox says that the store works in our own inbox; it starts Observed.
	Inbox bool
}

// GradeOf grades a store: Observed if at least observedPercent (90) of its
// leads have evidence, Partial if any have, else Blind. A store without leads
// is Observed on our inbox and else Blind; callers that know an older grade may
// prefer to keep it.
func GradeOf(e Evidence, observedPercent int) Grade {
	switch {
	case e.Leads <= 0 && e.Inbox:
		return Observed
	case e.Leads <= 0 || e.WithEvidence <= 0:
		return Blind
	case int64(e.WithEvidence)*100 >= int64(e.Leads)*int64(observedPercent):
		return Observed
	}
	return Partial
}

// String returns the code as the domain spells it.
func (g Grade) String() string {
	switch g {
	case Observed:
		return "OBSERVED"
	case Partial:
		return "PARTIAL"
	}
	return "BLIND"
}

// ShowsFigures reports whether met and breached may be shown and a lead may be
// moved to another dealer. Ladder steps inside the store run at every grade.
func (g Grade) ShowsFigures() bool { return g == Observed }

// Verdict is how one clock came out.
type Verdict uint8

// The values of Verdict.
const (
	NotDue  Verdict = iota // counted apart: no such clock here, or not delivered
	Running                // not over yet
	Met                    // done in time, by the time it happened
	Missed                 // not done in time
	Unknown                // the store cannot be seen well enough to say
)

// Shown returns v as a report may show it for a store of grade g.
func (g Grade) Shown(v Verdict) Verdict {
	if (v == Met || v == Missed) && !g.ShowsFigures() {
		return Unknown
	}
	return v
}

// Verdicts is the outcome of the three clocks of an assignment.
type Verdicts struct {
	Acknowledge, Accept, Respond Verdict
}

// Judge computes the outcome of the clocks of s at time now from when things
// happened, not from what was swept. Before the delivery none of them is due:
// that time is the hub's.
func Judge(s State, now time.Time) Verdicts {
	if s.DeliveredAt.IsZero() {
		return Verdicts{}
	}
	if s.Closed && now.After(s.ClosedAt) {
		now = s.ClosedAt
	}
	acknowledged := s.AcknowledgedAt
	if !s.RespondedAt.IsZero() {
		earlier(&acknowledged, s.RespondedAt)
	}
	return Verdicts{
		Acknowledge: judge(s.Deadlines.AcknowledgeBy, acknowledged, s.Closed, now),
		Accept:      judge(s.Deadlines.AcceptBy, s.AcceptedAt, s.Closed, now),
		Respond:     judge(s.Deadlines.RespondBy, s.RespondedAt, s.Closed, now),
	}
}

func judge(by, done time.Time, closed bool, now time.Time) Verdict {
	switch {
	case by.IsZero():
		return NotDue
	case !done.IsZero() && !done.After(by):
		return Met
	case !done.IsZero() || now.After(by):
		return Missed
	case closed:
		return NotDue // it ended before the clock did
	}
	return Running
}

// StoreTime returns the open time from delivery to response. ok is false
// without one of them. wall reports that the store has no hours and wall clock
// time was taken instead.
func StoreTime(c *Calendar, s State) (d time.Duration, wall, ok bool) {
	if s.DeliveredAt.IsZero() || s.RespondedAt.IsZero() {
		return 0, false, false
	}
	if c.NeverOpen() {
		return max(s.RespondedAt.Sub(s.DeliveredAt), 0), true, true
	}
	return c.Between(s.DeliveredAt, s.RespondedAt), false, true
}
