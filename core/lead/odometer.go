package lead

import "strings"

// maxOdometer is beyond any vehicle's life in either unit.
const maxOdometer = 9_999_999

// ParseOdometer reads a reading: "42,000 km", "65k miles", "120.000". Decimals are
// rounded. Unit is the one to assume where the text names none (the
// market's). ok is false for anything that is not one reading; the reading is then -1.
func ParseOdometer(text string, unit OdometerUnit) (reading int64, u OdometerUnit, ok bool) {
	s := strings.ToLower(strings.TrimSpace(text))
	if s == "" || len(s) > 40 {
		return -1, unit, false
	}
	start, end := numberSpan(s)
	if start < 0 {
		return -1, unit, false
	}
	switch strings.TrimSpace(s[:start]) {
	case "", "~", "ca.", "ca", "approx", "approx.", "about", "circa", "environ", "odometer:", "mileage:", "km:", "km-stand:":
	default:
		return -1, unit, false
	}
	thousands, rest := cutThousands(strings.TrimSpace(s[end:]), true)
	if r, cut := strings.CutPrefix(rest, "tkm"); cut {
		thousands, rest = true, "km"+r
	}
	switch strings.Trim(rest, " .") {
	case "":
	case "km", "kms", "kilometer", "kilometers", "kilometre", "kilometres", "kilomètres", "kilometern", "kilómetros", "kilometros":
		unit = OdometerUnitKM
	case "mi", "mile", "miles", "mls", "meilen", "millas", "milles", "miglia":
		unit = OdometerUnitMI
	default:
		return -1, unit, false
	}
	n, ok := readAmount(s[start:end], 0, thousands)
	if !ok || n > maxOdometer {
		return -1, unit, false
	}
	return n, unit, true
}
