package routing

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

const (
	minutesPerDay  = 24 * 60
	minutesPerWeek = 7 * minutesPerDay
)

// Shift is a time of the week in minutes since Monday 00:00 of the store, From inclusive, To
// exclusive. A shift over Sunday midnight is two.
type Shift struct {
	From, To int16
}

// ParseShifts reads the shifts of a person in the spelling of opening hours, as in
// "mo-fr 09:00-12:00, 13:00-18:00; sa 10:00-14:00; su closed". Parts are separated by semicolons;
// days are mo tu we th fr sa su (longer English names too), ranges that may run over the week's
// end, or lists ("mo,we,fr"); times are separated by commas or spaces; "24/7" is always and
// "closed" never. Unlike hours, a time that ends at or before its start ends the next day, since
// people work nights. Case does not matter. Empty text gives no shifts, which means always.
func ParseShifts(text string) ([]Shift, error) {
	whole := strings.ToLower(strings.TrimSpace(text))
	switch whole {
	case "", "24/7":
		return nil, nil
	case "closed":
		return []Shift{}, nil
	}
	shifts, parts := []Shift{}, false
	for part := range strings.SplitSeq(whole, ";") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue // a trailing semicolon
		}
		parts = true
		days, times := cutShiftDays(part)
		if times == "" {
			return nil, fmt.Errorf("%q is not days and times, such as \"mo-fr 09:00-17:00\"", part)
		}
		var named [7]bool
		if err := nameDays(days, &named); err != nil {
			return nil, err
		}
		if times == "closed" {
			continue
		}
		for _, span := range strings.FieldsFunc(times, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' }) {
			start, end, _ := strings.Cut(span, "-")
			from, to := minuteOf(start), minuteOf(end)
			if from < 0 || to < 0 || from == minutesPerDay {
				return nil, fmt.Errorf("%q is not a time HH:MM-HH:MM", span)
			}
			if to <= from {
				to += minutesPerDay
			}
			for d, on := range named {
				if on {
					shifts = appendShift(shifts, d*minutesPerDay+from, d*minutesPerDay+to)
				}
			}
		}
	}
	if !parts {
		return nil, fmt.Errorf("%q names no days", text)
	}
	slices.SortFunc(shifts, func(a, b Shift) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	return shifts, nil
}

// cutShiftDays splits a part where the times begin: at the first word that is a time or closed.
func cutShiftDays(part string) (days, times string) {
	for i := 1; i < len(part); i++ {
		if part[i-1] != ' ' && part[i-1] != '\t' {
			continue
		}
		if part[i] >= '0' && part[i] <= '9' || part[i:] == "closed" {
			return strings.TrimSpace(part[:i]), part[i:]
		}
	}
	return part, ""
}

// nameDays marks the days that a list of days and ranges names, Monday first.
func nameDays(list string, named *[7]bool) error {
	for item := range strings.SplitSeq(list, ",") {
		first, last, ranged := strings.Cut(item, "-")
		if !ranged {
			last = first
		}
		a, b := dayOf(strings.TrimSpace(first)), dayOf(strings.TrimSpace(last))
		if a < 0 || b < 0 {
			return fmt.Errorf("%q is not a day or range of days (mo tu we th fr sa su)", strings.TrimSpace(item))
		}
		for d := a; ; d = (d + 1) % 7 {
			named[d] = true
			if d == b {
				break
			}
		}
	}
	return nil
}

func appendShift(dst []Shift, from, to int) []Shift {
	if to > minutesPerWeek {
		dst = append(dst, Shift{0, int16(to - minutesPerWeek)})
		to = minutesPerWeek
	}
	return append(dst, Shift{int16(from), int16(to)})
}

// dayOf reads the name of a day, cut after two letters or later; -1 for anything else.
func dayOf(s string) int {
	if len(s) < 2 {
		return -1
	}
	return slices.IndexFunc([]string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"},
		func(name string) bool { return strings.HasPrefix(name, s) })
}

// minuteOf reads H:MM or HH:MM up to 24:00; -1 for anything else.
func minuteOf(s string) int {
	if len(s) == 4 {
		s = "0" + s
	}
	if len(s) != 5 || s[2] != ':' {
		return -1
	}
	for _, i := range []int{0, 1, 3, 4} {
		if s[i] < '0' || s[i] > '9' {
			return -1
		}
	}
	h, m := int(s[0]-'0')*10+int(s[1]-'0'), int(s[3]-'0')*10+int(s[4]-'0')
	if m > 59 || h*60+m > minutesPerDay {
		return -1
	}
	return h*60 + m
}

// onShift reports whether a minute of the week lies in a shift.
func onShift(shifts []Shift, minute int16) bool {
	if shifts == nil {
		return true
	}
	for _, s := range shifts {
		if minute >= s.From && minute < s.To {
			return true
		}
	}
	return false
}
