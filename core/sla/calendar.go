package sla

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// Calendar answers what is open time for one department of one dealer. It is
// immutable after NewCalendar and safe for concurrent use. The zero Calendar
// and a nil *Calendar are never open.
//
// Hours are wall-clock hours of the store. Where the clock is moved, a span
// keeps its wall-clock ends and so its real length: 00:00-06:00 lasts seven
// hours in the night the clock goes back. A wall-clock time that occurs twice
// means its first occurrence, one that is skipped means the moment of the
// change; that keeps openings in order whatever the zone does.
type Calendar struct {
	loc        *time.Location
	always     bool
	ever       bool
	week       [7][]Span
	exceptions []exception
}

// Horizon is how many days ahead of its start Add and NextOpen look before
// they give up and report that the store does not open.
const Horizon = 400

const (
	daySeconds = 24 * 60 * 60
	// The widest distance between UTC and a wall clock, with room to spare.
	widestOffset = 26 * 60 * 60
)

// Span is one period of opening on one day, in minutes after midnight by the
// wall clock, From included, To excluded. To may be 1440 (24:00).
type Span struct {
	From, To int
}

// Date is a day of the store's own calendar.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// Exception replaces the weekly hours of one date. No spans means closed.
type Exception struct {
	Date  Date
	Spans []Span
}

// Hours are the opening hours of a department: Week is indexed by
// time.Weekday, a day without spans is closed.
type Hours struct {
	Week       [7][]Span
	Exceptions []Exception
}

type exception struct {
	day   int64 // days since 1970-01-01, as the store's calendar counts them
	spans []Span
}

// NewCalendar checks and compiles hours for a store in zone loc. Spans may come
// in any order; spans of one day that touch are joined, spans that overlap,
// run backwards or leave the day are errors, and so are two exceptions for one
// date. The hours are copied. Hours without any span compile to a calendar that
// is never open.
func NewCalendar(loc *time.Location, hours Hours) (*Calendar, error) {
	if loc == nil {
		return nil, errors.New("calendar: no time zone")
	}
	c := &Calendar{loc: loc}
	full := len(hours.Exceptions) == 0
	for d, spans := range hours.Week {
		joined, err := joinSpans(spans)
		if err != nil {
			return nil, fmt.Errorf("calendar: %s: %w", time.Weekday(d), err)
		}
		c.week[d] = joined
		c.ever = c.ever || len(joined) > 0
		full = full && len(joined) == 1 && joined[0] == Span{0, 24 * 60}
	}
	for _, e := range hours.Exceptions {
		if !e.Date.valid() {
			return nil, fmt.Errorf("calendar: %s is no date", e.Date)
		}
		joined, err := joinSpans(e.Spans)
		if err != nil {
			return nil, fmt.Errorf("calendar: %s: %w", e.Date, err)
		}
		c.exceptions = append(c.exceptions, exception{day: e.Date.number(), spans: joined})
		c.ever = c.ever || len(joined) > 0
	}
	slices.SortFunc(c.exceptions, func(a, b exception) int { return int(a.day - b.day) })
	for i := 1; i < len(c.exceptions); i++ {
		if c.exceptions[i].day == c.exceptions[i-1].day {
			d := time.Unix(c.exceptions[i].day*daySeconds, 0).UTC()
			return nil, fmt.Errorf("calendar: two exceptions for %s", d.Format(time.DateOnly))
		}
	}
	c.always = full
	return c, nil
}

// Always returns the calendar of a desk that never closes: open time is wall
// clock time.
func Always() *Calendar {
	return &Calendar{loc: time.UTC, always: true, ever: true}
}

// NeverOpen reports that the calendar has no opening at all. Clocks that would
// run in its hours run by the wall clock instead and say so.
func (c *Calendar) NeverOpen() bool { return c == nil || !c.ever }

// Open reports whether the store is open at t. It is open at the instant a
// span begins and closed at the instant it ends.
func (c *Calendar) Open(t time.Time) bool {
	if c.NeverOpen() {
		return false
	}
	if c.always {
		return true
	}
	sec := t.Unix()
	w := c.walk(sec)
	// Where the clock goes back over midnight, t may belong to the day after
	// the one on the wall.
	for day := w.day; day <= w.day+1; day++ {
		for _, s := range c.spans(day) {
			from, to := w.bounds(day, s)
			if sec < from {
				return false
			}
			if sec < to {
				return true
			}
		}
	}
	return false
}

// Add returns the instant at which d of open time has passed since t. If the
// store is closed at t the count starts at the next opening. For d > 0 the
// result may be the very instant of closing; d <= 0 gives t itself or the next
// opening. ok is false if the store is never open, or does not open long enough
// within Horizon days: the time is then t plus d by the wall clock and the
// caller flags it.
func (c *Calendar) Add(t time.Time, d time.Duration) (_ time.Time, ok bool) {
	d = max(d, 0)
	if c.NeverOpen() {
		return t.Add(d), false
	}
	if c.always {
		return t.Add(d), true
	}
	rest := d
	sec, nano := t.Unix(), time.Duration(t.Nanosecond())
	w := c.walk(sec)
	for day, end := w.day, w.day+Horizon; day <= end; day++ {
		for _, s := range c.spans(day) {
			from, to := w.bounds(day, s)
			if to <= sec || from >= to {
				continue
			}
			opens := max(time.Duration(from-sec)*time.Second-nano, 0)
			length := time.Duration(to-sec)*time.Second - nano - opens
			if rest <= length {
				return t.Add(opens + rest), true
			}
			rest -= length
		}
	}
	return t.Add(d), false
}

// NextOpen returns t if the store is open at t, else the next opening. ok is
// false, and the time is t, if there is none within Horizon days.
func (c *Calendar) NextOpen(t time.Time) (_ time.Time, ok bool) { return c.Add(t, 0) }

// Between returns the open time from a to b, zero if b is not after a or the
// store is never open. It costs about 20 ns for each day between them.
func (c *Calendar) Between(a, b time.Time) time.Duration {
	if c.NeverOpen() || !b.After(a) {
		return 0
	}
	if c.always {
		return b.Sub(a)
	}
	sec, nano := a.Unix(), time.Duration(a.Nanosecond())
	last, lastNano := b.Unix(), time.Duration(b.Nanosecond())
	var sum time.Duration
	w := c.walk(sec)
	for day := w.day; ; day++ {
		if w.instant(day*daySeconds) > last {
			return sum
		}
		for _, s := range c.spans(day) {
			from, to := w.bounds(day, s)
			if from > last {
				return sum
			}
			if to <= sec || from >= to {
				continue
			}
			opens := max(time.Duration(from-sec)*time.Second-nano, 0)
			closes := time.Duration(to-sec)*time.Second - nano
			if to > last {
				closes = time.Duration(last-sec)*time.Second - nano + lastNano
			}
			if closes > opens {
				sum += closes - opens
			}
		}
	}
}

// spans returns the hours of one day, exceptions first.
func (c *Calendar) spans(day int64) []Span {
	if n := len(c.exceptions); n > 0 && day >= c.exceptions[0].day && day <= c.exceptions[n-1].day {
		lo, hi := 0, n
		for lo < hi {
			mid := (lo + hi) / 2
			if c.exceptions[mid].day < day {
				lo = mid + 1
			} else {
				hi = mid
			}
		}
		if c.exceptions[lo].day == day {
			return c.exceptions[lo].spans
		}
	}
	return c.week[weekday(day)]
}

// walker turns wall-clock times of successive days into instants. It keeps the
// offset in force between two changes of the clock, so that most days cost one
// subtraction.
type walker struct {
	loc      *time.Location
	day      int64 // the store's date at the start
	offset   int64 // seconds east of UTC, valid from <= instant < to
	from, to int64
}

func (c *Calendar) walk(sec int64) walker {
	w := walker{loc: c.loc}
	w.load(sec)
	w.day = floorDiv(sec+w.offset, daySeconds)
	return w
}

func (w *walker) load(sec int64) {
	t := time.Unix(sec, 0).In(w.loc)
	_, offset := t.Zone()
	start, end := t.ZoneBounds()
	w.offset, w.from, w.to = int64(offset), math.MinInt64/2, math.MaxInt64/2
	if !start.IsZero() {
		w.from = start.Unix()
	}
	if !end.IsZero() {
		w.to = end.Unix()
	}
}

func (w *walker) bounds(day int64, s Span) (from, to int64) {
	return w.instant(day*daySeconds + int64(s.From)*60), w.instant(day*daySeconds + int64(s.To)*60)
}

// instant is the first instant at which the wall clock has reached the given
// local time (seconds since 1970-01-01 00:00 by the wall clock). It never
// decreases as local grows.
func (w *walker) instant(local int64) int64 {
	if local-widestOffset >= w.from && local-w.offset < w.to {
		return local - w.offset
	}
	// A change of the clock is near, or was passed: begin well before it. The
	// walker keeps the last offset that was needed.
	w.load(local - widestOffset)
	for {
		if at := max(local-w.offset, w.from); at < w.to {
			return at
		}
		w.load(w.to)
	}
}

func joinSpans(spans []Span) ([]Span, error) {
	if len(spans) == 0 {
		return nil, nil
	}
	sorted := slices.SortedFunc(slices.Values(spans), func(a, b Span) int { return a.From - b.From })
	out := sorted[:0]
	for _, s := range sorted {
		switch {
		case s.From < 0 || s.To > 24*60:
			return nil, fmt.Errorf("%s leaves the day", s)
		case s.From >= s.To:
			return nil, fmt.Errorf("%s ends before it begins", s)
		case len(out) > 0 && s.From < out[len(out)-1].To:
			return nil, fmt.Errorf("%s overlaps %s", s, out[len(out)-1])
		case len(out) > 0 && s.From == out[len(out)-1].To:
			out[len(out)-1].To = s.To
		default:
			out = append(out, s)
		}
	}
	return out, nil
}

// String writes the span as HH:MM-HH:MM.
func (s Span) String() string {
	return fmt.Sprintf("%02d:%02d-%02d:%02d", s.From/60, s.From%60, s.To/60, s.To%60)
}

// String writes the date as YYYY-MM-DD.
func (d Date) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, int(d.Month), d.Day) }

func (d Date) valid() bool {
	t := time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC)
	return d.Year >= 1 && d.Year <= 9999 && t.Month() == d.Month && t.Day() == d.Day
}

func (d Date) number() int64 {
	return floorDiv(time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC).Unix(), daySeconds)
}

// weekday of a day number; 1970-01-01 was a Thursday.
func weekday(day int64) time.Weekday {
	return time.Weekday(((day+int64(time.Thursday))%7 + 7) % 7)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
