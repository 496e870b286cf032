package dataset

import (
	"strconv"
	"strings"
	"time"
	"unicode"
)

// layout is in which order the parts of dates stand.
type layout uint8

const (
	yearFirst layout = iota
	dayFirst
	monthFirst
	layouts
)

func (l layout) String() string {
	return [...]string{"year first", "day first", "month first"}[l]
}

// months are the beginnings of their names in English and German.
var months = map[string]time.Month{
	"jan": 1, "feb": 2, "mar": 3, "mär": 3, "mrz": 3, "apr": 4, "may": 5, "mai": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9,
	"oct": 10, "okt": 10, "nov": 11, "dec": 12, "dez": 12,
}

// parseMoment reads a date with or without a time of day as seconds since 1970 in UTC. ok is false for what
// is no date in that layout.
func parseMoment(s string, l layout) (seconds float64, ok bool) {
	if len(s) < 6 || len(s) > 40 {
		return 0, false
	}
	date, clock := s, ""
	if i := strings.IndexAny(s, "T:"); i >= 0 {
		if s[i] == ':' {
			i = strings.LastIndexByte(s[:i], ' ')
		} else if i > 0 && !(s[i-1] >= '0' && s[i-1] <= '9') {
			i = -1 // the T of a name
			if j := strings.IndexByte(s, ':'); j >= 0 {
				i = strings.LastIndexByte(s[:j], ' ')
			}
		}
		if i >= 0 {
			date, clock = strings.TrimSpace(s[:i]), strings.TrimSpace(s[i+1:])
		} else if strings.IndexByte(s, ':') >= 0 {
			return 0, false
		}
	}
	day, ok := parseDay(date, l)
	if !ok {
		return 0, false
	}
	seconds = float64(day.Unix())
	if clock == "" {
		return seconds, true
	}
	of, offset, ok := parseClock(clock)
	return seconds + of - offset, ok
}

// parseDay reads the date alone.
func parseDay(s string, l layout) (time.Time, bool) {
	var parts [3]string
	n, dots := 0, false
	from := -1
	for i := 0; i <= len(s); i++ {
		if i < len(s) && !strings.ContainsRune("-/., ", rune(s[i])) {
			if from < 0 {
				from = i
			}
			continue
		}
		if i < len(s) && s[i] == '.' {
			dots = true
		}
		if from >= 0 {
			if n == 3 {
				return time.Time{}, false
			}
			parts[n], n, from = s[from:i], n+1, -1
		}
	}
	if n == 1 && len(s) == 8 {
		parts, n = [3]string{s[:4], s[4:6], s[6:]}, 3
		if l != yearFirst {
			return time.Time{}, false
		}
	}
	if n != 3 || dots && l == monthFirst && !named(parts) {
		return time.Time{}, false
	}
	if m, ok := month(parts[0]); ok { // Oct 20, 2016
		return dateOf(parts[2], int(m), parts[1], l == dayFirst)
	}
	if m, ok := month(parts[1]); ok { // 20 Oct 2016
		return dateOf(parts[2], int(m), parts[0], l == dayFirst)
	}
	y, m, d := parts[0], parts[1], parts[2]
	switch {
	case len(y) == 4:
		if l != yearFirst {
			return time.Time{}, false
		}
	case l == dayFirst:
		y, m, d = parts[2], parts[1], parts[0]
	case l == monthFirst:
		y, m, d = parts[2], parts[0], parts[1]
	default:
		return time.Time{}, false
	}
	number, err := strconv.Atoi(m)
	if err != nil || len(m) > 2 {
		return time.Time{}, false
	}
	return dateOf(y, number, d, true)
}

func named(parts [3]string) bool {
	_, first := month(parts[0])
	_, second := month(parts[1])
	return first || second
}

func month(s string) (time.Month, bool) {
	r := []rune(strings.ToLower(s))
	if len(r) < 3 || !unicode.IsLetter(r[0]) {
		return 0, false
	}
	m, ok := months[string(r[:3])]
	return m, ok
}

// dateOf makes the day that there is; wanted is whether the layout was asked for.
func dateOf(year string, month int, day string, wanted bool) (time.Time, bool) {
	y, err := strconv.Atoi(year)
	d, err2 := strconv.Atoi(day)
	if err != nil || err2 != nil || !wanted || len(day) > 2 || len(year) != 4 && len(year) != 2 {
		return time.Time{}, false
	}
	if len(year) == 2 {
		if y += 2000; y >= 2070 {
			y -= 100
		}
	}
	t := time.Date(y, time.Month(month), d, 0, 0, 0, 0, time.UTC)
	return t, y >= 1900 && y < 2200 && month >= 1 && month <= 12 && t.Day() == d
}

// parseClock reads a time of day as seconds, and the seconds that its zone is ahead of UTC.
func parseClock(s string) (seconds, offset float64, ok bool) {
	upper := strings.ToUpper(s)
	add := 0.0
	for _, half := range []struct {
		mark string
		add  float64
	}{{"AM", 0}, {"PM", 12}} {
		if rest, found := strings.CutSuffix(upper, half.mark); found {
			upper, add = strings.TrimSpace(rest), half.add
			if strings.HasPrefix(upper, "12:") {
				add -= 12
			}
		}
	}
	upper = strings.TrimSuffix(upper, "Z")
	if i := strings.LastIndexAny(upper, "+-"); i > 0 {
		zone := strings.ReplaceAll(upper[i+1:], ":", "")
		n, err := strconv.Atoi(zone)
		if err != nil || len(zone) != 2 && len(zone) != 4 {
			return 0, 0, false
		}
		if len(zone) == 2 {
			n *= 100
		}
		if offset = float64(n/100*3600 + n%100*60); upper[i] == '-' {
			offset = -offset
		}
		upper = strings.TrimSpace(upper[:i])
	}
	parts := strings.Split(upper, ":")
	if len(parts) < 2 || len(parts) > 3 {
		return 0, 0, false
	}
	for i, p := range parts {
		v, err := strconv.ParseFloat(p, 64)
		limit := [...]float64{24, 60, 61}[i]
		if err != nil || v < 0 || v >= limit || i < 2 && len(p) > 2 {
			return 0, 0, false
		}
		seconds += v * [...]float64{3600, 60, 1}[i]
	}
	return seconds + add*3600, offset, true
}

// timeOfDay reads 13:45 or 13:45:20 as hours.
func timeOfDay(s string) (hours float64, ok bool) {
	if len(s) < 4 || len(s) > 15 || strings.IndexByte(s, ':') < 1 || strings.IndexByte(s, ':') > 2 {
		return 0, false
	}
	seconds, _, ok := parseClock(s)
	return seconds / 3600, ok
}
