package scoring

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/leadmesh/leadmesh/core/lead"
)

// Units lists the units in which a number may be written, the one people use first and the one it is
// kept in last; nil for a category, whose values have codes. The caller may keep it.
func (u Unit) Units() []string {
	switch u {
	case UnitCategory, 0:
		return nil
	case UnitMilli:
		return []string{"times", u.String()}
	case UnitSeconds:
		return []string{"days", "hours", "minutes", u.String()}
	case UnitMetres:
		return []string{"km", u.String()}
	case UnitPermille:
		return []string{"percent", u.String()}
	}
	return []string{u.String()}
}

// Factor returns how many of the unit a number is kept in make one of in, which is one of Units; "" is
// the first of them. ok is false for anything else.
func (u Unit) Factor(in string) (n int64, ok bool) {
	units := u.Units()
	switch {
	case len(units) == 0:
		return 1, in == ""
	case in == "":
		in = units[0]
	}
	if in == u.String() {
		return 1, true
	}
	return u.Scale(in)
}

// Words writes a number of the unit it is kept in with a unit: in, or where that is empty the largest of
// which it is at least one. Fractions are rounded to two digits.
func (u Unit) Words(v float64, in string) string {
	names := []string{"days", "hours", "minutes", "times", "km", "percent"} // the largest first
	if in != "" {
		names = []string{in}
	}
	for _, name := range names {
		scale, ok := u.Scale(name)
		if ok && (in != "" || math.Abs(v) >= float64(scale)) {
			return counted(math.Round(v/float64(scale)*100)/100, name)
		}
	}
	switch u {
	case UnitMilli, UnitPermille:
		return counted(v/float64(map[Unit]int{UnitMilli: 1000, UnitPermille: 10}[u]), u.Units()[0])
	case UnitDays, UnitSeconds, UnitKM, UnitMetres:
		return counted(v, u.String())
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

func counted(v float64, unit string) string {
	shown := strconv.FormatFloat(v, 'f', -1, 64)
	if shown == "1" {
		unit = strings.TrimSuffix(unit, "s")
	}
	return shown + " " + unit
}

// Text writes a value of a feature as Parse reads it, with its unit: TEST_DRIVE, 2 days, 1.5 times. It
// is empty for a value that is missing or absent.
func (f Feature) Text(v int32) string {
	if v <= Missing {
		return ""
	}
	if f.Unit() == UnitCategory {
		if i := int(v - f.FirstValue()); i >= 0 && i < len(f.Values()) {
			return f.Values()[i]
		}
		return ""
	}
	return f.Unit().Words(float64(v), "")
}

// ValueLabels returns how people say the values of a category, in the order of Values; nil for a number.
// The caller owns the slice.
func (f Feature) ValueLabels() []string {
	var out []string
	for i := range f.Values() {
		out = append(out, f.phrase(f.FirstValue()+int32(i)))
	}
	return out
}

// Unbounded is the greatest value of a number that nothing bounds; the least is Missing + 1.
const Unbounded int32 = math.MaxInt32

// Range returns the least and the greatest value that a number can have, in the unit it is kept in. Of a
// category it returns its first and last value.
func (f Feature) Range() (least, most int32) {
	switch {
	case f.Unit() == UnitCategory:
		return f.FirstValue(), f.FirstValue() + int32(len(f.Values())) - 1
	case f == FeatureLeaseDaysToEnd, f == FeatureWarrantyDaysLeft, f == FeatureMaintenancePlanDaysLeft, f == FeatureEquity:
		return Missing + 1, Unbounded // below 0 they are over, or owed
	case f == FeaturePaymentChange:
		return -1000, Unbounded
	case f == FeatureActiveWeeks:
		return 0, 12
	}
	return 0, Unbounded
}

// Parse reads a value of a feature as people write it: the code of a category's value, or a number, which
// may have a fraction, of which factor make one as Factor returns it. It is rounded half up to the unit
// it is kept in. The error says what would be right.
func (f Feature) Parse(text string, factor int64) (int32, error) {
	if f.Unit() == UnitCategory {
		if v, ok := f.Code(text); ok {
			return v, nil
		}
		return 0, fmt.Errorf("%s has no value %q%s", f, text, lead.Suggest(text, f.Values()))
	}
	v, ok := parseDecimal(text, factor)
	least, most := f.Range()
	switch {
	case !ok:
		return 0, fmt.Errorf("%s takes a number such as 2 or 1.5, not %q", f, text)
	case v < int64(least):
		return 0, fmt.Errorf("%s is at least %s, not %s", f, f.bound(least, factor), text)
	case v > int64(most):
		return 0, fmt.Errorf("%s is at most %s, not %s", f, f.bound(most, factor), text)
	}
	return int32(v), nil
}

// bound is the end of a range in the unit that somebody writes in.
func (f Feature) bound(v int32, factor int64) string {
	return strconv.FormatInt(int64(v)/factor, 10)
}

// parseDecimal reads a plain decimal number times a factor, rounded half up.
func parseDecimal(text string, factor int64) (int64, bool) {
	const digits = 12 // beyond every range
	unsigned, negative := strings.CutPrefix(text, "-")
	whole, fraction, point := strings.Cut(unsigned, ".")
	if whole == "" || point && fraction == "" || strings.Trim(whole+fraction, "0123456789") != "" {
		return 0, false
	}
	whole = strings.TrimLeft(whole, "0")
	if len(whole) > digits {
		whole = strings.Repeat("9", digits)
	}
	const places = 6
	fraction = (fraction + "000000")[:places]
	n, err := strconv.ParseInt(whole+fraction, 10, 64)
	if err != nil || n > math.MaxInt64/2/factor {
		n, factor = math.MaxInt64/2, 1
	}
	if n *= factor; negative {
		n = -n
	}
	return floorDiv(n+500_000, 1_000_000), true
}
