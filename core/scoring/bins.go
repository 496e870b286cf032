package scoring

import (
	"strings"

	"github.com/leadmesh/leadmesh/core/lead"
)

// Range is values of a feature that give a line the same points.
type Range struct {
	Words  string // such as "below 2 days", "TEST_DRIVE, QUOTE" or "not known"
	Points int32  // 1/100
	Bin    int    // index into the bins of the row; -1 for values that none holds
}

// Ranges returns what every value of a feature gives a line, in the order of the row's bins; values that
// no bin holds, which give nothing, stand last. nil if the line does not look at the feature. A tracked
// feature that is absent for want of consent is in none of them.
func (m *Model) Ranges(line lead.Line, f Feature) []Range {
	return m.row(line, f).ranges(f)
}

// ranges are those of Ranges, of a row with thresholds in the feature's own unit; none of nil.
func (r *Row) ranges(f Feature) []Range {
	if r == nil {
		return nil
	}
	var out []Range
	before, rest, missing := "", false, false
	named := map[string]bool{}
	for i := range r.Bins {
		b := &r.Bins[i]
		var words []string
		switch {
		case b.Below != nil:
			to := f.Unit().Words(float64(*b.Below), "")
			if before == "" {
				words = append(words, "below "+to)
			} else {
				words = append(words, before+" up to "+to)
			}
			before = to
		case b.Values != nil:
			words = append(words, strings.Join(b.Values, ", "))
			for _, v := range b.Values {
				named[v] = true
			}
		case !b.Missing:
			words, rest = append(words, restWords(f, before)), true
		}
		if b.Missing {
			words, missing = append(words, wordsMissing), true
		}
		out = append(out, Range{Words: strings.Join(words, ", or "), Points: b.Points, Bin: i})
	}
	if !rest && (f.Unit() != UnitCategory || len(named) < len(f.Values())) {
		out = append(out, Range{Words: restWords(f, before), Bin: -1})
	}
	if !missing {
		out = append(out, Range{Words: wordsMissing, Bin: -1})
	}
	return out
}

const wordsMissing = "not known"

// restWords is what is left behind a threshold, or beside the values named.
func restWords(f Feature, before string) string {
	switch {
	case f.Unit() == UnitCategory:
		return "all others"
	case before == "":
		return "any number"
	}
	return before + " and more"
}

// RangeOf returns which of Ranges a value lies in; -1 for one that is absent and where there are none.
func (m *Model) RangeOf(line lead.Line, f Feature, v int32) int {
	r := m.row(line, f)
	if r == nil || v == Absent {
		return -1
	}
	bin := r.find(f, v)
	if bin >= 0 {
		return bin
	}
	// Behind the bins stand the numbers or categories that are left, then what is missing.
	last := len(m.Ranges(line, f)) - 1
	if v != Missing && last > len(r.Bins) {
		return last - 1
	}
	return last
}

// Extent returns the least and the most points that a feature can give a line, in 1/100; ok is false
// if the line does not look at it. Caps are not counted.
func (m *Model) Extent(line lead.Line, f Feature) (least, most int32, ok bool) {
	return m.row(line, f).extent(f)
}

// IndexExtent is Extent of an index.
func (m *Model) IndexExtent(code lead.Index, f Feature) (least, most int32, ok bool) {
	if int(code) >= NumIndices || m.indices[code] == nil || f >= NumFeatures {
		return 0, 0, false
	}
	for _, r := range m.indices[code].rows[f.Group()] {
		if r.feature == f {
			return r.row.extent(f)
		}
	}
	return 0, 0, false
}

func (r *Row) extent(f Feature) (least, most int32, ok bool) {
	all := r.ranges(f)
	for i, r := range all {
		if i == 0 {
			least, most = r.Points, r.Points
		}
		least, most = min(least, r.Points), max(most, r.Points)
	}
	return least, most, len(all) > 0
}

// row is that of a line and a feature, nil where there is none.
func (m *Model) row(line lead.Line, f Feature) *Row {
	if line == lead.LineUnspecified || int(line) >= NumLines || f >= NumFeatures {
		return nil
	}
	return m.rows[line-1][f]
}
