package lead

import (
	"strconv"
	"strings"
	"time"
)

// How far a source's time may lie from receipt to be believed (Law 2), and how far a source's
// clock may run ahead before its time counts as lying in the future.
const (
	maxRequestAge = 72 * time.Hour
	maxClockSkew  = time.Minute
)

// RequestedAt decides which time the customer's wait is counted from. The source's own time
// counts if it lies 0 to 72 hours before receipt; a minute ahead is taken for a clock that is
// fast and counts as receipt. Otherwise receipt counts, and plausible is false unless the source
// gave no time at all.
func RequestedAt(source, received time.Time) (t time.Time, plausible bool) {
	switch age := received.Sub(source); {
	case source.IsZero():
		return received, true
	case age >= 0 && age <= maxRequestAge:
		return source, true
	case age < 0 && age >= -maxClockSkew:
		return received, true
	}
	return received, false
}

// timeLayouts are tried in order. Each with a zone stands before its like without one.
var timeLayouts = [...]struct {
	layout string
	zoned  bool
}{
	{time.RFC3339Nano, true},
	{"2006-01-02T15:04:05-0700", true},
	{"2006-01-02T15:04:05-07", true},
	{"2006-01-02T15:04Z07:00", true},
	{"2006-01-02 15:04:05Z07:00", true},
	{"2006-01-02 15:04:05 Z07:00", true},
	{"2006-01-02 15:04:05 -0700", true},
	{"2006-01-02T15:04:05 -0700", true},
	{"20060102T150405Z07:00", true},
	{"20060102T150405-0700", true},
	{time.RFC1123Z, true},
	{"2006-01-02T15:04:05", false},
	{"2006-01-02 15:04:05", false},
	{"2006-01-02T15:04", false},
	{"2006-01-02 15:04", false},
	{"2006-01-02 3:04:05 PM", false},
	{"2006-01-02 3:04 PM", false},
	{"2006-01-02", false},
	{"2006/01/02 15:04:05", false},
	{"2006/01/02", false},
	{"20060102T150405", false},
	{"20060102", false},
	{"2.1.2006 15:04:05", false},
	{"2.1.2006 15:04", false},
	{"2.1.2006", false},
	{"Jan 2, 2006 3:04:05 PM", false},
	{"Jan 2, 2006 3:04 PM", false},
	{"January 2, 2006", false},
	{"2 January 2006", false},
}

var slashLayouts = [...]string{
	"1/2/2006 15:04:05", "1/2/2006 3:04:05 PM", "1/2/2006 15:04", "1/2/2006 3:04 PM", "1/2/2006",
	"1/2/06 15:04:05", "1/2/06 3:04:05 PM", "1/2/06 15:04", "1/2/06 3:04 PM", "1/2/06",
}

// ParseTime reads a moment as lead sources write it: RFC 3339 and its many relatives, seconds or
// milliseconds since 1970, dates alone (midnight). A time without a zone is read in zone (UTC if
// nil) and assumed is true: put FlagZoneAssumed on the lead. "03/04/2026" is the 3rd of April
// where dayFirst is set, else March 4th; a number above 12 decides by itself.
func ParseTime(text string, zone *time.Location, dayFirst bool) (t time.Time, assumed, ok bool) {
	s := Squeeze(text)
	if len(s) < 6 || len(s) > 48 {
		return time.Time{}, false, false
	}
	if zone == nil {
		zone = time.UTC
	}
	if allDigits(s) && (len(s) == 10 || len(s) == 13) {
		return parseEpoch(s)
	}
	s = nameToOffset(s)
	if n := len(s); n > 5 && (s[n-5] == '-' || s[n-5] == '+') && s[n-2] == ':' && n > 16 {
		s += "0" // "-08:0", seen from hand-written senders
	}
	upper := strings.ToUpper(s)
	if strings.HasSuffix(upper, "AM") || strings.HasSuffix(upper, "PM") {
		n := len(s) - 2
		s = strings.TrimSpace(s[:n]) + " " + upper[n:]
	}
	if strings.IndexByte(s, '/') > 0 && s[4] != '/' {
		return parseSlash(s, zone, dayFirst)
	}
	for i := range timeLayouts {
		l := &timeLayouts[i]
		if t, err := time.ParseInLocation(l.layout, s, zone); err == nil {
			return plausibleYear(t, !l.zoned)
		}
	}
	return time.Time{}, false, false
}

func parseEpoch(s string) (t time.Time, assumed, ok bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return time.Time{}, false, false
	}
	if len(s) == 13 {
		return plausibleYear(time.UnixMilli(n).UTC(), false)
	}
	return plausibleYear(time.Unix(n, 0).UTC(), false)
}

func parseSlash(s string, zone *time.Location, dayFirst bool) (t time.Time, assumed, ok bool) {
	a, rest, _ := strings.Cut(s, "/")
	b, tail, found := strings.Cut(rest, "/")
	if !found {
		return time.Time{}, false, false
	}
	first, errA := strconv.Atoi(a)
	second, errB := strconv.Atoi(b)
	if errA != nil || errB != nil {
		return time.Time{}, false, false
	}
	if first > 12 || dayFirst && second <= 12 {
		s = b + "/" + a + "/" + tail
	}
	for _, layout := range slashLayouts {
		if t, err := time.ParseInLocation(layout, s, zone); err == nil {
			return plausibleYear(t, true)
		}
		if t, err := time.Parse(layout+" -0700", s); err == nil {
			return plausibleYear(t, false)
		}
	}
	return time.Time{}, false, false
}

// plausibleYear keeps times that fit the stores and formats this system writes to.
func plausibleYear(t time.Time, assumed bool) (time.Time, bool, bool) {
	if y := t.UTC().Year(); y < 1900 || y > 2200 {
		return time.Time{}, false, false
	}
	return t, assumed, true
}

// nameToOffset replaces a usual zone name at the end by its offset. Go would read an unknown one
// as UTC without saying so.
func nameToOffset(s string) string {
	i := strings.LastIndexByte(s, ' ')
	if i < 0 {
		return s
	}
	offset := ""
	switch strings.ToUpper(s[i+1:]) {
	case "UTC", "GMT", "Z":
		offset = "+0000"
	case "EST", "CDT":
		offset = "-0500"
	case "EDT", "AST":
		offset = "-0400"
	case "CST", "MDT":
		offset = "-0600"
	case "MST", "PDT":
		offset = "-0700"
	case "PST", "AKDT":
		offset = "-0800"
	case "AKST":
		offset = "-0900"
	case "HST":
		offset = "-1000"
	case "NDT":
		offset = "-0230"
	case "ADT":
		offset = "-0300"
	case "BST", "CET", "MEZ":
		offset = "+0100"
	case "CEST", "EET", "MESZ":
		offset = "+0200"
	case "EEST":
		offset = "+0300"
	default:
		return s
	}
	return s[:i] + " " + offset
}
