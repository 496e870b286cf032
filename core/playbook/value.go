package playbook

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/leadmesh/leadmesh/core/catalogue"
	"github.com/leadmesh/leadmesh/core/document"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/scoring"
	"github.com/leadmesh/leadmesh/core/sla"
)

// parseCount reads a small whole number that is not negative.
func parseCount(s string) (int, error) {
	n, ok := document.Decimal(s, 0)
	if !ok || n < 0 || n > math.MaxInt32 {
		return 0, fmt.Errorf("must be a whole number, is %q", s)
	}
	return int(n), nil
}

// parsePriorLeads reads how many leads a calibration is taken to be worth.
func parsePriorLeads(s string) (int32, error) {
	n, ok := document.Decimal(s, 0)
	if !ok || n < 1 || n > scoring.MaxPriorLeads {
		return 0, fmt.Errorf("must be a whole number of leads, 1 to %d, is %q", scoring.MaxPriorLeads, s)
	}
	return int32(n), nil
}

// parsePercent reads a share, e.g. 15 % or 0.4%, into parts per million.
func parsePercent(s string) (int32, error) {
	number, ok := strings.CutSuffix(s, "%")
	n, good := document.Decimal(strings.TrimSpace(number), 4)
	if !ok || !good || n < 0 || n > math.MaxInt32 {
		return 0, fmt.Errorf("must be a percentage such as 15 %%, is %q", s)
	}
	return int32(n), nil
}

// parseWholePercent reads a percentage without a fraction.
func parseWholePercent(s string) (int, error) {
	n, err := parsePercent(s)
	if err != nil || n%10_000 != 0 {
		return 0, fmt.Errorf("must be a whole percentage such as 80 %%, is %q", s)
	}
	return int(n / 10_000), nil
}

// parseTimes reads a factor, e.g. 2 or 1.5, into thousandths.
func parseTimes(s string) (int32, error) {
	n, ok := document.Decimal(s, 3)
	if !ok || n < 0 || n > math.MaxInt32 {
		return 0, fmt.Errorf("must be a number such as 2 or 1.5, is %q", s)
	}
	return int32(n), nil
}

// parseDistance reads a distance, e.g. 40 km, 25 mi or 800 m, into metres.
func parseDistance(s string) (int32, error) {
	wrong := fmt.Errorf("must be a distance such as 40 km or 25 mi, is %q", s)
	number, unit := split(s)
	n, ok := document.Decimal(number, 3)
	if !ok || n < 0 || n > 1e9 {
		return 0, wrong
	}
	switch unit {
	case "km":
	case "m":
		n /= 1000
	case "mi":
		n = (n*1_609_344 + 500_000) / 1_000_000
	default:
		return 0, wrong
	}
	if n > math.MaxInt32 {
		return 0, wrong
	}
	return int32(n), nil
}

// split parts a number from the unit behind it.
func split(s string) (number, unit string) {
	i := strings.IndexFunc(s, unicode.IsLetter)
	if i < 0 {
		return strings.TrimSpace(s), ""
	}
	return strings.TrimSpace(s[:i]), strings.TrimSpace(s[i:])
}

// meanMonth is a mean Gregorian month.
const meanMonth = 2_629_746 * time.Second

func unitOf(word string) (time.Duration, bool) {
	switch word {
	case "s", "sec", "second", "seconds":
		return time.Second, true
	case "m", "min", "minute", "minutes":
		return time.Minute, true
	case "h", "hour", "hours":
		return time.Hour, true
	case "d", "day", "days":
		return 24 * time.Hour, true
	case "w", "week", "weeks":
		return 7 * 24 * time.Hour, true
	case "month", "months":
		return meanMonth, true
	case "year", "years":
		return 12 * meanMonth, true
	}
	return 0, false
}

// parseDuration reads a time span, e.g. 15m, 1h 30m, 14d, 60 min or 18 months.
func parseDuration(s string) (time.Duration, error) {
	wrong := fmt.Errorf("must be a time such as 15m, 4h, 14d or 18 months, is %q", s)
	var total time.Duration
	rest := strings.TrimSpace(s)
	for rest != "" {
		end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
		if end < 1 || end > 9 {
			return 0, wrong
		}
		n, _ := strconv.ParseInt(rest[:end], 10, 64)
		rest = strings.TrimLeft(rest[end:], " ")
		end = strings.IndexFunc(rest, func(r rune) bool { return !unicode.IsLetter(r) })
		if end < 0 {
			end = len(rest)
		}
		unit, ok := unitOf(rest[:end])
		if !ok || n > int64(math.MaxInt64/4/unit) {
			return 0, wrong
		}
		total += time.Duration(n) * unit
		if total > math.MaxInt64/2 {
			return 0, wrong
		}
		rest = strings.TrimLeft(rest[end:], " ")
	}
	if strings.TrimSpace(s) == "" {
		return 0, wrong
	}
	return total, nil
}

// parseTerm reads a time span and how it is counted: "15m" in store hours, "1m wall clock" all
// the time, "24h then open" all the time but due only while the store is open.
func parseTerm(s string) (sla.Term, error) {
	base := sla.StoreHours
	rest := s
	if cut, ok := strings.CutSuffix(s, " wall clock"); ok {
		rest, base = cut, sla.WallClock
	} else if cut, ok := strings.CutSuffix(s, " then open"); ok {
		rest, base = cut, sla.WallThenOpen
	} else if cut, ok := strings.CutSuffix(s, " store hours"); ok {
		rest = cut
	}
	d, err := parseDuration(rest)
	if err != nil {
		return sla.Term{}, fmt.Errorf("must be a time such as 15m, 1m wall clock or 24h then open, is %q", s)
	}
	return sla.Term{Duration: d, Base: base}, nil
}

// parseMoney returns a reader of amounts in one currency, e.g. 1800 USD, into minor units. It
// takes every currency where the playbook's own could not be read.
func parseMoney(currency string) func(string) (int64, error) {
	return func(s string) (int64, error) {
		number, unit := split(s)
		currency := cmp.Or(currency, unit)
		exponent, known := lead.CurrencyExponent(currency)
		n, ok := document.Decimal(number, exponent)
		if !known || !ok || n < 0 || unit != currency {
			return 0, fmt.Errorf("must be an amount such as 1800 %s, is %q", currency, s)
		}
		return n, nil
	}
}

// parseAmount reads an amount of any currency, e.g. 34900 USD.
func parseAmount(s string) (lead.Money, error) {
	minor, err := parseMoney("")(s)
	_, unit := split(s)
	if err != nil {
		return lead.Money{}, fmt.Errorf("must be an amount such as 34900 USD, is %q", s)
	}
	return lead.Money{Minor: minor, Currency: unit}, nil
}

// parseDay reads a day such as 2026-10-01 into the second it begins, UTC.
func parseDay(s string) (int64, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || t.Unix() <= 0 {
		return 0, fmt.Errorf("must be a day such as 2026-10-01, is %q", s)
	}
	return t.Unix(), nil
}

// parseDays reads a time span into whole days.
func parseDays(s string) (int32, error) {
	d, err := parseDuration(s)
	days := d / (24 * time.Hour)
	if err != nil || days > math.MaxInt32 {
		return 0, fmt.Errorf("must be a time such as 90d, 18 months or 3 years, is %q", s)
	}
	return int32(days), nil
}

// parseRegion reads a subdivision as ISO 3166-2 codes it behind the country.
func parseRegion(s string) (string, error) {
	if s == "" || len(s) > 3 || strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
		return "", fmt.Errorf("must be a region such as CO, without the country, is %q", s)
	}
	return s, nil
}

// coded turns a parser of a code list into one with an error. what names the list, names are the
// codes in it.
func coded[T any](what string, names []string, parse func(string) (T, bool)) func(string) (T, error) {
	return func(s string) (T, error) {
		v, ok := parse(s)
		if !ok {
			return v, fmt.Errorf("there is no %s called %q%s", what, s, lead.Suggest(s, names))
		}
		return v, nil
	}
}

var (
	parseIndex   = coded("index", lead.Codes("index"), lead.ParseIndex)
	parseLine    = coded("line", lead.Codes("line"), lead.ParseLine)
	parseSegment = coded("segment", lead.Codes("segment"), lead.ParseSegment)
	parseStage   = coded("stage", lead.Codes("stage"), lead.ParseStage)
	parseChannel = coded("channel", lead.Codes("channel"), lead.ParseChannel)

	parsePowertrain = coded("powertrain", lead.Codes("powertrain"), lead.ParsePowertrain)
	parseBuyers     = coded("kind of buyer", []string{"all", "private", "fleet"}, catalogue.ParseBuyers)
)

// parseZone checks the form of an IANA zone name; whether it exists only the host knows.
func parseZone(s string) (string, error) {
	if s != "UTC" && (!strings.Contains(s, "/") || strings.ContainsAny(s, " \t.")) {
		return "", fmt.Errorf("must be a zone such as America/Chicago, is %q", s)
	}
	return s, nil
}

func parseCountry(s string) (string, error) {
	if code, ok := lead.CountryCode(s); !ok || code != s {
		return "", fmt.Errorf("must be a country of two capital letters such as US, is %q", s)
	}
	return s, nil
}

func parseCurrency(s string) (string, error) {
	if _, ok := lead.CurrencyExponent(s); !ok {
		return "", fmt.Errorf("must be a currency of three capital letters such as USD, is %q", s)
	}
	return s, nil
}

func parseLanguage(s string) (string, error) {
	if len(s) < 2 || len(s) > 12 || strings.ToLower(s[:2]) != s[:2] {
		return "", errors.New("must be a language such as en or es")
	}
	return s, nil
}
