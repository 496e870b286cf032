package measure

import (
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
)

// kpi is the definition of one figure.
type kpi struct {
	name string
	unit Unit
	// count adds what a lead that is no test contributes, at the moment the card is for.
	count func(f *LeadFact, at time.Time, t *tally)
	// percents are the quantiles of a duration; 50 is one of them.
	percents []int
	// openWord names, of a duration, those not measured.
	openWord string
	// observed: only dealers seen well enough count, and the note says how many that were.
	observed bool
	// perMillion: the count is kept in millionths.
	perMillion bool
	note       string
}

func (k *kpi) scale() float64 {
	if k.perMillion {
		return ppm
	}
	return 1
}

const day = 24 * time.Hour

// longestWait is how long before its receipt a request is believed to have been made (Law 2).
const longestWait = 72 * time.Hour

// kpis are all figures: the one definition of each, in the order of a card.
var kpis = [...]kpi{
	{name: "lead_volume", unit: Count, note: "captured",
		count: func(_ *LeadFact, _ time.Time, t *tally) { t.num++ }},
	{name: "lead_volume_valid", unit: Count, note: "captured - rejected - merged",
		count: func(f *LeadFact, _ time.Time, t *tally) { t.num += one(f.Valid()) }},
	{name: "dedupe_rate", unit: Share, note: "merged / captured",
		count: func(f *LeadFact, _ time.Time, t *tally) { t.of(true, f.State == lead.StateMerged) }},
	{name: "bad_lead_share", unit: Share, note: "rejected, returned ones included / captured",
		count: func(f *LeadFact, _ time.Time, t *tally) { t.of(true, f.State == lead.StateRejected) }},
	{name: "data_accuracy", unit: Share, note: "no flag after normalisation, no later bounce or wrong number / valid",
		count: func(f *LeadFact, _ time.Time, t *tally) { t.of(f.Valid(), f.Flags == 0 && !f.BadContact) }},

	{name: "routing_speed", unit: Seconds, percents: []int{50, 95, 99}, openWord: "not assigned",
		count: func(f *LeadFact, _ time.Time, t *tally) {
			waiting := f.State == lead.StatePending || f.Open()
			t.span(f.Valid(), f.ReceivedAt, f.AssignedAt, waiting)
		}},
	{name: "hub_time", unit: Seconds, percents: []int{50, 95, 99}, openWord: "not delivered",
		count: func(f *LeadFact, _ time.Time, t *tally) {
			t.span(f.Valid(), f.ReceivedAt, f.DeliveredAt, f.Open())
		}},
	{name: "customer_wait", unit: Seconds, percents: []int{50, 90}, openWord: "unanswered",
		count: func(f *LeadFact, _ time.Time, t *tally) {
			t.span(f.Valid(), f.waitsFrom(), f.RespondedAt, !f.AssignedAt.IsZero())
		}},
	{name: "store_time", unit: Seconds, percents: []int{50, 90}, openWord: "unanswered",
		count: func(f *LeadFact, _ time.Time, t *tally) {
			if !f.Valid() {
				return
			}
			t.spans = append(t.spans, f.StoreTimes...)
			t.open += int64(max(f.Assignments-len(f.StoreTimes), 0))
		}},
	{name: "response_rate", unit: Share, note: "responded / valid",
		count: func(f *LeadFact, _ time.Time, t *tally) { t.of(f.Valid(), !f.RespondedAt.IsZero()) }},
	{name: "contact_rate", unit: Share, note: "engaged / valid",
		count: func(f *LeadFact, _ time.Time, t *tally) { t.of(f.Valid(), !f.EngagedAt.IsZero()) }},

	{name: "sla_compliance_acknowledge", unit: Share, observed: true, count: clock("ACKNOWLEDGE")},
	{name: "sla_compliance_accept", unit: Share, observed: true, count: clock("ACCEPT")},
	{name: "sla_compliance_respond", unit: Share, observed: true, count: clock("RESPOND")},
	{name: "sla_compliance_next_step", unit: Share, observed: true, count: clock("NEXT_STEP")},

	{name: "show_rate", unit: Share, note: "kept / appointments whose time has passed, less those moved or cancelled before",
		count: func(f *LeadFact, _ time.Time, t *tally) {
			if f.Valid() {
				t.num += int64(f.Kept)
				t.den += int64(f.Kept + f.NoShows + f.Unreported)
			}
		}},
	{name: "test_drives", unit: Count, note: "driven",
		count: func(f *LeadFact, _ time.Time, t *tally) {
			if f.Valid() {
				t.num += int64(f.TestDrives)
			}
		}},
	{name: "test_drive_rate", unit: Share, note: "leads with a test drive / valid",
		count: func(f *LeadFact, _ time.Time, t *tally) { t.of(f.Valid(), f.TestDrives > 0) }},
	{name: "ro_bookings", unit: Count, note: "leads with a repair order opened, or an after-sales appointment set",
		count: func(f *LeadFact, _ time.Time, t *tally) { t.num += one(f.Valid() && f.booked()) }},
	{name: "ro_booking_rate", unit: Share, note: "RO bookings / valid leads of the after-sales lines",
		count: func(f *LeadFact, _ time.Time, t *tally) { t.of(f.Valid() && f.AfterSales(), f.booked()) }},

	{name: "close_rate_30d", unit: Share, note: "won within 30 days of receipt / valid", count: closed(30 * day)},
	{name: "close_rate_90d", unit: Share, note: "won within 90 days of receipt / valid", count: closed(90 * day)},
	{name: "close_rate_180d", unit: Share, note: "won within 180 days of receipt / valid", count: closed(180 * day)},
	{name: "pipeline_wins", unit: Count, perMillion: true, note: "sum of the predicted probabilities of open leads",
		count: func(f *LeadFact, _ time.Time, t *tally) {
			if f.Open() {
				t.num += int64(f.ProbabilityPPM)
			}
		}},

	{name: "cycle_time", unit: Seconds, percents: []int{50, 90}, note: "receipt to win, of won leads",
		count: func(f *LeadFact, _ time.Time, t *tally) { t.span(true, f.ReceivedAt, f.WonAt(), false) }},
	{name: "stage_assigned", unit: Seconds, percents: []int{50, 90}, openWord: "still in it", note: "assigned to responded",
		count: func(f *LeadFact, _ time.Time, t *tally) {
			t.span(f.Valid(), f.AssignedAt, f.RespondedAt, f.Open())
		}},
	{name: "stage_working", unit: Seconds, percents: []int{50, 90}, openWord: "still in it", note: "responded to engaged",
		count: func(f *LeadFact, _ time.Time, t *tally) {
			t.span(f.Valid(), f.RespondedAt, f.EngagedAt, f.Open())
		}},
	{name: "stage_engaged", unit: Seconds, percents: []int{50, 90}, openWord: "still in it", note: "engaged to ordered or won",
		count: func(f *LeadFact, _ time.Time, t *tally) {
			t.span(f.Valid(), f.EngagedAt, earliest(f.OrderedAt, f.WonAt()), f.Open())
		}},
	{name: "stage_ordered", unit: Seconds, percents: []int{50, 90}, openWord: "still in it", note: "ordered to won",
		count: func(f *LeadFact, _ time.Time, t *tally) { t.span(f.Valid(), f.OrderedAt, f.WonAt(), f.Open()) }},

	{name: "leakage", unit: Share, note: "leads that leak / valid",
		count: func(f *LeadFact, at time.Time, t *tally) {
			_, _, leaks := Leak(f, at)
			t.of(f.Valid(), leaks)
		}},
}

// of counts one lead of a share, if it is in the denominator at all.
func (t *tally) of(in, counts bool) {
	if in {
		t.den++
		t.num += one(counts)
	}
}

// span notes the time between two stamps of a lead that is in the figure; without the second one
// it is open, if it is still to come. What is reported before it began took no time.
func (t *tally) span(in bool, from, to time.Time, toCome bool) {
	switch {
	case !in || from.IsZero():
	case !to.IsZero():
		t.spans = append(t.spans, max(to.Sub(from), 0))
	case toCome:
		t.open++
	}
}

// clock counts met / due of one clock. A lead that changed stores has one for each of them.
func clock(kind string) func(*LeadFact, time.Time, *tally) {
	return func(f *LeadFact, _ time.Time, t *tally) {
		if !f.Valid() {
			return
		}
		for _, c := range f.Clocks {
			if c.Kind != kind {
				continue
			}
			switch c.Verdict {
			case Met:
				t.num++
				t.den++
			case Breached:
				t.den++
			case Unknown:
				t.unseen++
			}
		}
	}
}

// closed counts won / valid of the cohort of receipt, within a time of it. A lead that is neither
// won nor closed and whose time is not over is still open.
func closed(within time.Duration) func(*LeadFact, time.Time, *tally) {
	return func(f *LeadFact, at time.Time, t *tally) {
		if !f.Valid() {
			return
		}
		wonAt := f.WonAt()
		won := !wonAt.IsZero() && !wonAt.After(f.ReceivedAt.Add(within))
		t.of(true, won)
		over := f.State == lead.StateWon || f.State == lead.StateLost || f.State == lead.StateExpired
		t.open += one(!over && at.Before(f.ReceivedAt.Add(within)))
	}
}

// waitsFrom returns since when the customer waits: the source's time of the request if it can be
// believed, else the receipt.
func (f *LeadFact) waitsFrom() time.Time {
	early := f.ReceivedAt.Sub(f.RequestedAt)
	if f.RequestedAt.IsZero() || early < 0 || early > longestWait {
		return f.ReceivedAt
	}
	return f.RequestedAt
}

func (f *LeadFact) booked() bool {
	return f.ROsOpened > 0 || f.AfterSales() && f.AppointmentsSet > 0
}

func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func one(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
