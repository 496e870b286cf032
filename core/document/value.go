package document

import (
	"fmt"
	"strconv"
	"strings"
)

// Decimal reads a number with at most places digits behind the point and returns it in units of
// the last of them.
func Decimal(s string, places int) (int64, bool) {
	sign := int64(1)
	if rest, ok := strings.CutPrefix(s, "-"); ok {
		s, sign = rest, -1
	} else {
		s = strings.TrimPrefix(s, "+")
	}
	whole, part, _ := strings.Cut(s, ".")
	if len(part) > places || whole == "" || strings.HasSuffix(s, ".") {
		return 0, false
	}
	digits := strings.ReplaceAll(whole, "_", "") + part + strings.Repeat("0", places-len(part))
	if len(digits) > 17 || strings.Trim(digits, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	return sign * n, err == nil
}

// Whole reads a whole number.
func Whole(s string) (int64, error) {
	n, ok := Decimal(s, 0)
	if !ok {
		return 0, fmt.Errorf("must be a whole number, is %q", s)
	}
	return n, nil
}

// Share reads a percentage from 0 % to 100 %, e.g. 15 % or 0.4%, into parts per million.
func Share(s string) (int32, error) {
	number, ok := strings.CutSuffix(s, "%")
	n, good := Decimal(strings.TrimSpace(number), 4)
	if !ok || !good || n < 0 || n > 1_000_000 {
		return 0, fmt.Errorf("must be a percentage from 0 %% to 100 %%, is %q", s)
	}
	return int32(n), nil
}

// Switch reads yes or no.
func Switch(s string) (bool, error) {
	switch s {
	case "yes", "true", "on":
		return true, nil
	case "no", "false", "off":
		return false, nil
	}
	return false, fmt.Errorf("must be yes or no, is %q", s)
}

// Points reads points of a scorecard, e.g. 12 or -4.5, into hundredths.
func Points(s string) (int32, error) {
	n, ok := Decimal(s, 2)
	if !ok || n < -1000_00 || n > 1000_00 {
		return 0, fmt.Errorf("must be points such as 12 or -4.5, at most 1000, is %q", s)
	}
	return int32(n), nil
}

// Score reads points of a whole score, 0 to 100, into hundredths.
func Score(s string) (int32, error) {
	n, err := Points(s)
	if err != nil || n < 0 || n > 100_00 {
		return 0, fmt.Errorf("must be 0 to 100 points, is %q", s)
	}
	return n, nil
}
