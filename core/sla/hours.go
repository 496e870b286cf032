package sla

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// HoursError names the part of an hours text that could not be read.
type HoursError struct {
	Part   string // the part as it was written
	Reason string
}

// Error quotes the part and says what is wrong with it.
func (e *HoursError) Error() string { return fmt.Sprintf("hours: %q: %s", e.Part, e.Reason) }

// ParseHours reads the hours column of the network CSV:
//
//	mo-fr 08:30-18:00; sa 09:00-16:00; su closed
//	mo-th 08:00-12:00,13:00-18:00; fr 08:00-24:00; 2026-12-25 closed
//	24/7
//	closed
//
// Parts are separated by semicolons. A part is days and then spans or the word
// closed. Days are mo tu we th fr sa su (longer English names too), ranges that
// may run over the week's end (sa-mo), lists (mo,we,fr), or one date
// YYYY-MM-DD, which makes an exception. A day not named is closed. A span ends
// on the day it begins, at 24:00 at the latest. Case and extra spaces do not
// matter. Every error is a *HoursError.
func ParseHours(text string) (Hours, error) {
	var h Hours
	var named [7]bool
	whole := strings.ToLower(strings.TrimSpace(text))
	switch whole {
	case "":
		return Hours{}, &HoursError{text, `empty; write "closed" for a department without hours`}
	case "closed":
		return h, nil
	case "24/7":
		for d := range h.Week {
			h.Week[d] = []Span{{0, 24 * 60}}
		}
		return h, nil
	}
	for part := range strings.SplitSeq(whole, ";") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue // a trailing semicolon
		}
		if err := h.parsePart(part, &named); err != nil {
			return Hours{}, err
		}
	}
	if named == [7]bool{} && len(h.Exceptions) == 0 {
		return Hours{}, &HoursError{text, "no days in it"}
	}
	return h, nil
}

func (h *Hours) parsePart(part string, named *[7]bool) error {
	days, rest := cutDays(part)
	if rest == "" {
		return &HoursError{part, "wants days and then hours or closed"}
	}
	spans, err := parseSpans(rest)
	if err != nil {
		return err
	}
	if days[0] >= '0' && days[0] <= '9' {
		date, err := parseDate(days)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(h.Exceptions, func(e Exception) bool { return e.Date == date }) {
			return &HoursError{days, "this date is given twice"}
		}
		h.Exceptions = append(h.Exceptions, Exception{Date: date, Spans: spans})
		return nil
	}
	for item := range strings.SplitSeq(days, ",") {
		first, last, err := parseDays(strings.TrimSpace(item))
		if err != nil {
			return err
		}
		for d := first; ; d = (d + 1) % 7 {
			if named[d] {
				return &HoursError{item, d.String() + " is given twice"}
			}
			named[d] = true
			h.Week[d] = slices.Clone(spans)
			if d == last {
				break
			}
		}
	}
	return nil
}

// cutDays splits "mo, we - fr 08:00-12:00" where the hours begin: at the first
// word after a space that is a time or closed.
func cutDays(part string) (days, hours string) {
	for i := 1; i < len(part); i++ {
		if part[i-1] != ' ' && part[i-1] != '\t' {
			continue
		}
		if c := part[i]; c >= '0' && c <= '9' || strings.HasPrefix(part[i:], "closed") {
			return strings.TrimSpace(part[:i]), part[i:]
		}
	}
	return part, ""
}

func parseDays(item string) (first, last time.Weekday, err error) {
	a, b, isRange := strings.Cut(item, "-")
	first, ok := parseDay(strings.TrimSpace(a))
	if !ok {
		return 0, 0, &HoursError{item, "is no day of the week (mo tu we th fr sa su) and no date"}
	}
	if !isRange {
		return first, first, nil
	}
	last, ok = parseDay(strings.TrimSpace(b))
	if !ok {
		return 0, 0, &HoursError{item, "ends in no day of the week (mo tu we th fr sa su)"}
	}
	return first, last, nil
}

func parseDay(s string) (time.Weekday, bool) {
	if len(s) < 2 {
		return 0, false
	}
	for d := time.Sunday; d <= time.Saturday; d++ {
		if strings.HasPrefix(strings.ToLower(d.String()), s) {
			return d, true
		}
	}
	return 0, false
}

func parseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || t.Year() == 0 {
		return Date{}, &HoursError{s, "is no date YYYY-MM-DD"}
	}
	y, m, d := t.Date()
	return Date{Year: y, Month: m, Day: d}, nil
}

func parseSpans(s string) ([]Span, error) {
	if strings.TrimSpace(s) == "closed" {
		return nil, nil
	}
	var spans []Span
	for item := range strings.SplitSeq(s, ",") {
		item = strings.TrimSpace(item)
		a, b, ok := strings.Cut(item, "-")
		if !ok {
			return nil, &HoursError{item, "is no span HH:MM-HH:MM"}
		}
		from, ok := parseClock(strings.TrimSpace(a))
		if !ok || from == 24*60 {
			return nil, &HoursError{item, "does not begin with a time HH:MM"}
		}
		to, ok := parseClock(strings.TrimSpace(b))
		if !ok {
			return nil, &HoursError{item, "does not end with a time HH:MM"}
		}
		if to <= from {
			return nil, &HoursError{item, "ends before it begins; hours past midnight belong to the next day"}
		}
		spans = append(spans, Span{from, to})
	}
	joined, err := joinSpans(spans)
	if err != nil {
		return nil, &HoursError{s, err.Error()}
	}
	return joined, nil
}

// parseClock reads H:MM or HH:MM up to 24:00 as minutes after midnight.
func parseClock(s string) (int, bool) {
	h, m, ok := strings.Cut(s, ":")
	if !ok || len(h) < 1 || len(h) > 2 || len(m) != 2 {
		return 0, false
	}
	minutes := 0
	for _, c := range []byte(m) {
		if c < '0' || c > '9' {
			return 0, false
		}
		minutes = minutes*10 + int(c-'0')
	}
	hours := 0
	for _, c := range []byte(h) {
		if c < '0' || c > '9' {
			return 0, false
		}
		hours = hours*10 + int(c-'0')
	}
	total := hours*60 + minutes
	return total, minutes < 60 && total <= 24*60
}
