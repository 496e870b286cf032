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

// ParseShifts reads the shifts of a person, as in "mo-fr 09:00-12:00 13:00-18:00; sa 10:00-14:00;
// su closed". Days are mo to su, one or a range; a time that ends at or before its start ends the
// next day. Empty text gives no shifts, which means always.
func ParseShifts(text string) ([]Shift, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	shifts := []Shift{}
	for part := range strings.SplitSeq(text, ";") {
		words := strings.Fields(part)
		if len(words) < 2 {
			return nil, fmt.Errorf("%q is not days and times", part)
		}
		first, last, ranged := strings.Cut(words[0], "-")
		if !ranged {
			last = first
		}
		a, b := dayOf(first), dayOf(last)
		if a < 0 || b < 0 {
			return nil, fmt.Errorf("%q is not a day or range of days", words[0])
		}
		if len(words) == 2 && words[1] == "closed" {
			continue
		}
		for _, times := range words[1:] {
			start, end, _ := strings.Cut(times, "-")
			from, to := minuteOf(start), minuteOf(end)
			if from < 0 || to < 0 || from == minutesPerDay {
				return nil, fmt.Errorf("%q is not a time from-to", times)
			}
			if to <= from {
				to += minutesPerDay
			}
			for d := a; ; d = (d + 1) % 7 {
				shifts = appendShift(shifts, d*minutesPerDay+from, d*minutesPerDay+to)
				if d == b {
					break
				}
			}
		}
	}
	slices.SortFunc(shifts, func(a, b Shift) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	return shifts, nil
}

func appendShift(dst []Shift, from, to int) []Shift {
	if to > minutesPerWeek {
		dst = append(dst, Shift{0, int16(to - minutesPerWeek)})
		to = minutesPerWeek
	}
	return append(dst, Shift{int16(from), int16(to)})
}

func dayOf(s string) int {
	return slices.Index([]string{"mo", "tu", "we", "th", "fr", "sa", "su"}, strings.ToLower(s))
}

// minuteOf reads HH:MM up to 24:00; -1 for anything else.
func minuteOf(s string) int {
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
