package adf

import (
	"strconv"
	"strings"
	"time"
)

// ParseDate reads a date as senders write it: ISO 8601 in basic and extended
// form, with a blank for the T, one-digit hours, shortened or named zones; SQL;
// US month first with or without AM and PM; day first with dots; RFC 822 and
// its relatives; seconds or milliseconds since 1970. A text without zone is
// taken in zone, UTC if nil, and zoneAssumed is true. flags say what was odd. A
// date without time of day is midnight. ok is false when it cannot be read.
func ParseDate(raw string, zone *time.Location) (t time.Time, zoneAssumed bool, flags []FlagCode, ok bool) {
	if zone == nil {
		zone = time.UTC
	}
	raw = trim(raw)
	if raw == "" || len(raw) > 80 {
		return time.Time{}, false, nil, false
	}
	d := dateReader{rest: raw, zone: zone, year: -1, hour: -1}
	if !d.read() {
		return time.Time{}, false, d.flags, false
	}
	t, ok = d.time()
	if !ok {
		return time.Time{}, false, d.flags, false
	}
	if d.assumed {
		d.flag(FlagDateWithoutZone)
	}
	return t, d.assumed, d.flags, true
}

// dateReader collects the fields of a date while it goes through the text.
type dateReader struct {
	rest             string
	zone             *time.Location
	year, month, day int
	hour, min, sec   int
	nano             int
	half             string // "am", "pm"
	assumed          bool
	flags            []FlagCode
}

func (d *dateReader) flag(code FlagCode) { d.flags = addCode(d.flags, code) }

func (d *dateReader) read() bool {
	if done, ok := d.epoch(); done {
		return ok
	}
	if !d.date() {
		return false
	}
	if d.rest != "" && d.rest[0] != 'T' && d.rest[0] != 'Z' {
		d.flag(FlagDateNotISO)
	}
	d.skip(" \tT,t@-")
	d.word("at", "um")
	if d.rest == "" {
		d.hour = 0
		d.flag(FlagDateOnly)
		d.assumed = true
		return true
	}
	if d.hour < 0 && !d.clock() {
		// A zone directly after a date is allowed: 2024-02-01Z.
		d.hour = 0
		d.flag(FlagDateOnly)
	}
	if !d.offset() {
		return false
	}
	// A year behind time and zone: "Mon Jan 2 15:04:05 MST 2006".
	if d.year < 0 {
		d.skip(" ")
		n, digits := d.number(4)
		if digits != 4 {
			return false
		}
		d.year = n
	}
	d.comment()
	return trim(d.rest) == ""
}

// epoch reads a bare number of 10 (seconds) or 13 digits (milliseconds).
func (d *dateReader) epoch() (done, ok bool) {
	if len(d.rest) != 10 && len(d.rest) != 13 || strings.Trim(d.rest, "0123456789") != "" {
		return false, false
	}
	n, err := strconv.ParseInt(d.rest, 10, 64)
	if err != nil {
		return true, false
	}
	t := time.Unix(n, 0)
	if len(d.rest) == 13 {
		t = time.UnixMilli(n)
	}
	t = t.UTC()
	d.year, d.month, d.day = t.Year(), int(t.Month()), t.Day()
	d.hour, d.min, d.sec, d.nano = t.Hour(), t.Minute(), t.Second(), t.Nanosecond()
	d.zone = time.UTC
	d.flag(FlagDateNotISO)
	return true, true
}

// date reads the day in any order of its fields.
func (d *dateReader) date() bool {
	if weekday(d.peekWord()) {
		d.takeWord()
		d.skip(" ,.")
		d.flag(FlagDateNotISO)
	}
	if m := monthOf(d.peekWord()); m > 0 { // January 2, 2006 | Jan 2 15:04:05 2006
		d.takeWord()
		d.skip(" .-/")
		d.month = m
		d.flag(FlagDateNotISO)
		var digits int
		if d.day, digits = d.number(2); digits == 0 {
			return false
		}
		d.word("st", "nd", "rd", "th")
		d.skip(" ,-/")
		if n := d.digits(); n == 4 && (len(d.rest) == 4 || d.rest[4] != ':') {
			d.year, _ = d.number(4)
			return true
		}
		return d.clock() // the year follows the time
	}
	n, digits := d.number(8)
	switch {
	case digits == 8: // 20000330
		d.year, d.month, d.day = n/10000, n/100%100, n%100
		return true
	case digits == 4: // 2006-01-02, 2006/1/2
		return d.yearFirst(n)
	case digits == 1 || digits == 2:
		return d.dayOrMonthFirst(n)
	}
	return false
}

func (d *dateReader) yearFirst(year int) bool {
	sep := d.separator()
	if sep == 0 {
		return false
	}
	d.year = year
	if sep != '-' {
		d.flag(FlagDateNotISO)
	}
	var a, b int
	if d.month, a = d.number(2); a == 0 || d.separator() == 0 {
		return false
	}
	d.day, b = d.number(2)
	if a != 2 || b != 2 {
		d.flag(FlagDateNotISO)
	}
	return b > 0
}

func (d *dateReader) dayOrMonthFirst(first int) bool {
	d.flag(FlagDateNotISO)
	sep := d.separator()
	if m := monthOf(d.peekWord()); m > 0 { // 02 Jan 06, 2-Jan-2006
		d.takeWord()
		d.skip(" .-/,")
		d.day, d.month = first, m
		return d.shortYear()
	}
	if sep == 0 || sep == ' ' {
		return false
	}
	second, digits := d.number(2)
	if digits == 0 || d.separator() == 0 {
		return false
	}
	switch {
	case sep == '.': // only day-first countries write dots
		d.day, d.month = first, second
	case first > 12:
		d.day, d.month = first, second
		d.flag(FlagDateAmbiguous)
	default:
		d.month, d.day = first, second
		if second <= 12 && second != first {
			d.flag(FlagDateAmbiguous)
		}
	}
	return d.shortYear()
}

// shortYear reads two or four digits; two mean 1969 to 2068, as in POSIX.
func (d *dateReader) shortYear() bool {
	n, digits := d.number(4)
	switch {
	case digits == 4:
		d.year = n
	case digits == 2 && n >= 69:
		d.year = 1900 + n
	case digits == 2:
		d.year = 2000 + n
	default:
		return false
	}
	return true
}

// clock reads hours, minutes, seconds, fraction and AM or PM.
func (d *dateReader) clock() bool {
	start := d.rest
	n, digits := d.number(6)
	switch {
	case digits == 6 || digits == 4 && !strings.HasPrefix(d.rest, ":"): // 153020, 1530
		if digits == 4 {
			n *= 100
		}
		d.hour, d.min, d.sec = n/10000, n/100%100, n%100
	case digits == 1 || digits == 2:
		d.hour = n
		if digits == 1 {
			d.flag(FlagDateTimeOdd)
		}
		if !d.minutes() {
			d.half = d.halfDay()
			if d.half == "" {
				d.rest, d.hour = start, -1
				return false
			}
			return true
		}
	default:
		d.rest = start
		return false
	}
	d.fraction()
	d.half = d.halfDay()
	return true
}

func (d *dateReader) minutes() bool {
	if d.rest == "" || d.rest[0] != ':' && d.rest[0] != '.' {
		return false
	}
	d.rest = d.rest[1:]
	var digits int
	if d.min, digits = d.number(2); digits == 0 {
		return false
	}
	if digits == 1 {
		d.flag(FlagDateTimeOdd)
	}
	if d.rest != "" && d.rest[0] == ':' {
		d.rest = d.rest[1:]
		if d.sec, digits = d.number(2); digits < 2 {
			d.flag(FlagDateTimeOdd)
		}
		if digits > 0 && d.sec == d.month && d.month > 0 {
			d.flag(FlagSecondsAreMonth)
		}
	}
	return true
}

func (d *dateReader) fraction() {
	if len(d.rest) < 2 || d.rest[0] != '.' && d.rest[0] != ',' && d.rest[0] != ':' || !isDigit(d.rest[1]) {
		return
	}
	d.rest = d.rest[1:]
	scale := 100_000_000
	for d.rest != "" && isDigit(d.rest[0]) {
		d.nano += int(d.rest[0]-'0') * scale
		scale /= 10
		d.rest = d.rest[1:]
	}
}

func (d *dateReader) halfDay() string {
	before := d.rest
	d.skip(" ")
	word := strings.ToLower(d.takeWord())
	dotted := strings.HasPrefix(strings.ToLower(d.rest), ".m")
	switch {
	case word == "am" || word == "pm":
	case (word == "a" || word == "p") && dotted:
		word += "m"
		d.rest = strings.TrimPrefix(d.rest[2:], ".")
	default:
		d.rest = before
		return ""
	}
	d.flag(FlagDateNotISO)
	return word
}

// time puts the fields together; impossible ones make it fail.
func (d *dateReader) time() (time.Time, bool) {
	switch {
	case d.half != "" && d.hour > 12, d.half != "" && d.hour == 0:
		d.flag(FlagDateTimeOdd) // "16:30 PM"
	case d.half == "pm" && d.hour < 12:
		d.hour += 12
	case d.half == "am" && d.hour == 12:
		d.hour = 0
	}
	if d.year < 1900 || d.year > 2200 || d.month < 1 || d.month > 12 || d.day < 1 || d.day > 31 ||
		d.hour > 24 || d.hour == 24 && d.min+d.sec > 0 || d.min > 59 || d.sec > 60 {
		return time.Time{}, false
	}
	if d.hour == 24 {
		d.flag(FlagDateTimeOdd)
	}
	if time.Date(d.year, time.Month(d.month), d.day, 0, 0, 0, 0, time.UTC).Day() != d.day {
		return time.Time{}, false
	}
	return time.Date(d.year, time.Month(d.month), d.day, d.hour, d.min, d.sec, d.nano, d.zone), true
}
