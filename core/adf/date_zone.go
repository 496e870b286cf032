package adf

import (
	"strings"
	"time"
)

// offset reads the zone. None at all means the caller's zone, and so does one
// that makes no sense.
func (d *dateReader) offset() bool {
	spaced := strings.HasPrefix(d.rest, " ")
	if spaced {
		d.flag(FlagDateNotISO)
	}
	d.skip(" ")
	if d.rest == "" {
		d.assumed = true
		return true
	}
	if strings.HasPrefix(d.rest, "\u2212") { // a typographic minus
		d.rest = "-" + d.rest[len("\u2212"):]
		d.flag(FlagDateZoneOdd)
	}
	switch c := d.rest[0]; {
	case c == '+' || c == '-':
		return d.numericZone()
	case c == 'Z' || c == 'z':
		if word := d.peekWord(); len(word) == 1 {
			d.takeWord()
			d.zone = time.UTC
			return true
		}
	case isDigit(c) && spaced && len(d.rest) >= 5 && d.rest[2] == ':':
		// "10:30:00 00:00": the plus was decoded to a blank on its way.
		d.rest = "+" + d.rest
		d.flag(FlagDateZoneOdd)
		return d.numericZone()
	case isDigit(c) && d.year < 0:
		d.assumed = true
		return true
	}
	name := d.takeWord()
	if name == "" {
		return false
	}
	d.flag(FlagDateNotISO)
	hours, ok := zoneHours(strings.ToUpper(name))
	if !ok {
		d.flag(FlagDateZoneOdd)
		d.assumed = true
		return len(name) <= 5
	}
	d.zone = time.FixedZone(strings.ToUpper(name), int(hours*3600))
	if hours == 0 && d.rest != "" && (d.rest[0] == '+' || d.rest[0] == '-') { // GMT-0800
		return d.numericZone()
	}
	if hours == 0 {
		d.zone = time.UTC
	}
	return true
}

// numericZone reads +hhmm, +hh:mm, +hh, and the cut "-08:0".
func (d *dateReader) numericZone() bool {
	sign := 1
	if d.rest[0] == '-' {
		sign = -1
	}
	d.rest = d.rest[1:]
	n, digits := d.number(4)
	h, m := 0, 0
	switch digits {
	case 0:
		return false
	case 1, 2:
		h = n
		if digits == 1 {
			d.flag(FlagDateZoneOdd)
		}
		if d.rest != "" && d.rest[0] == ':' {
			d.rest = d.rest[1:]
			var minutes int
			m, minutes = d.number(2)
			if minutes == 1 {
				m *= 10
			}
			if minutes < 2 {
				d.flag(FlagDateZoneOdd)
			}
		}
	default:
		h, m = n/100, n%100
		if digits == 3 {
			d.flag(FlagDateZoneOdd)
		}
	}
	if h > 14 || m > 59 {
		d.flag(FlagDateZoneOdd)
		d.assumed = true
		return true
	}
	if seconds := sign * (h*3600 + m*60); seconds == 0 {
		d.zone = time.UTC
	} else {
		d.zone = time.FixedZone("", seconds)
	}
	return true
}

// comment skips a zone in brackets, "(Pacific Standard Time)".
func (d *dateReader) comment() {
	d.skip(" ")
	if strings.HasPrefix(d.rest, "(") && strings.HasSuffix(d.rest, ")") {
		d.rest = ""
	}
	if strings.HasPrefix(d.rest, "[") && strings.HasSuffix(d.rest, "]") {
		d.rest = ""
	}
}

// zoneHours gives the offset of a zone name as RFC 822 and North American
// senders use it.
func zoneHours(name string) (float64, bool) {
	switch name {
	case "UTC", "GMT", "UT", "WET":
		return 0, true
	case "NST":
		return -3.5, true
	case "NDT":
		return -2.5, true
	case "ADT", "ART", "BRT":
		return -3, true
	case "EDT", "AST":
		return -4, true
	case "EST", "CDT":
		return -5, true
	case "CST", "MDT":
		return -6, true
	case "MST", "PDT":
		return -7, true
	case "PST", "AKDT":
		return -8, true
	case "AKST":
		return -9, true
	case "HST":
		return -10, true
	case "BST", "CET", "WEST":
		return 1, true
	case "CEST", "EET":
		return 2, true
	case "EEST", "MSK":
		return 3, true
	}
	return 0, false
}

func (d *dateReader) skip(chars string) { d.rest = strings.TrimLeft(d.rest, chars) }

// number reads up to limit digits.
func (d *dateReader) number(limit int) (value, digits int) {
	for digits < limit && digits < len(d.rest) && isDigit(d.rest[digits]) {
		value = value*10 + int(d.rest[digits]-'0')
		digits++
	}
	d.rest = d.rest[digits:]
	return value, digits
}

// digits counts the digits at the beginning.
func (d *dateReader) digits() int {
	n := 0
	for n < len(d.rest) && isDigit(d.rest[n]) {
		n++
	}
	return n
}

// separator takes one of - / . or blanks between the fields of a date.
func (d *dateReader) separator() byte {
	if d.rest == "" {
		return 0
	}
	switch c := d.rest[0]; c {
	case '-', '/', '.':
		d.rest = d.rest[1:]
		d.skip(" ")
		return c
	case ' ':
		d.skip(" ")
		return c
	}
	return 0
}

func (d *dateReader) peekWord() string {
	n := 0
	for n < len(d.rest) && isAlpha(d.rest[n]) {
		n++
	}
	return d.rest[:n]
}

func (d *dateReader) takeWord() string {
	w := d.peekWord()
	d.rest = d.rest[len(w):]
	return w
}

// word skips one of the given words.
func (d *dateReader) word(words ...string) {
	for _, w := range words {
		if strings.EqualFold(d.peekWord(), w) {
			d.takeWord()
			d.skip(" ")
			return
		}
	}
}

func weekday(word string) bool {
	switch strings.ToLower(word) {
	case "mon", "tue", "tues", "wed", "thu", "thur", "thurs", "fri", "sat", "sun",
		"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday":
		return true
	}
	return false
}

func monthOf(word string) int {
	if len(word) < 3 {
		return 0
	}
	low := strings.ToLower(word)
	if low == "sept" {
		return 9
	}
	for m := time.January; m <= time.December; m++ {
		name := strings.ToLower(m.String())
		if low == name || low == name[:3] {
			return int(m)
		}
	}
	return 0
}
