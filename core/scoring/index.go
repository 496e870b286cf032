package scoring

import (
	"cmp"
	"slices"

	"github.com/leadmesh/leadmesh/core/lead"
)

// NumIndices is one more than the last index.
const NumIndices = int(lead.IndexCustomerValue) + 1

// ValueMonths is how far lead.IndexCustomerValue looks ahead.
const ValueMonths = 36

// Money reports whether what the points of an index mean is an amount of money: the revenue expected
// over the next ValueMonths, in minor units of the market's currency. Else it is a chance in parts
// per million: of lead.IndexEVReadiness, that the person's next car is an electric one.
func Money(code lead.Index) bool { return code == lead.IndexCustomerValue }

// Reading is what an index says of one lead's inputs. The contributions add up exactly to Points.
type Reading struct {
	Code   lead.Index
	Points int32 // 0..10000, 1/100
	// Expected is what the points mean, Low and High bound it: parts per million, or minor units of
	// the market's currency where Money says so. Bounded is false where the playbook gives no
	// bounds, as for a guess; Low and High are 0 then.
	Expected, Low, High int64
	Bounded             bool
	Band                string // name of the band that Expected falls into; empty below the first
	Groups              []GroupScore
	Contributions       []Contribution

	index *index
}

// index is a compiled Index. It is evaluated where somebody looks at it, not on every decision, so
// it is kept for small size rather than for speed.
type index struct {
	code               lead.Index
	base               int32
	rows               [NumGroups][]indexRow // in order of features
	groupMin, groupMax [NumGroups]int32
	min, max           int32
	calibration        []Mark
	bands              []Band
}

type indexRow struct {
	feature Feature
	row     *Row // with thresholds in the feature's own unit
}

func newIndex(code lead.Index, d *Index) *index {
	x := &index{code: code, base: d.Base, calibration: slices.Clone(d.Calibration), bands: slices.Clone(d.Bands)}
	for g := GroupNone; g < NumGroups; g++ {
		x.groupMin[g], x.groupMax[g] = d.Groups[g.String()].Bounds()
	}
	x.min, x.max = d.Cap.Bounds()
	for _, r := range d.Rows {
		f, row := r.compiled()
		g := f.Group()
		x.rows[g] = append(x.rows[g], indexRow{f, row})
	}
	for g := range x.rows {
		slices.SortFunc(x.rows[g], func(a, b indexRow) int { return cmp.Compare(a.feature, b.feature) })
	}
	return x
}

// Read evaluates an index on the inputs of a lead; ok is false where the definition has none of
// this code. The same inputs, as a receipt keeps them, give the same reading.
func (m *Model) Read(code lead.Index, in *Inputs) (r Reading, ok bool) {
	if int(code) >= NumIndices || m.indices[code] == nil {
		return Reading{}, false
	}
	return m.indices[code].read(in), true
}

func (x *index) read(in *Inputs) Reading {
	r := Reading{Code: x.code, index: x}
	add := func(c Contribution) { r.Contributions = append(r.Contributions, c) }
	add(Contribution{Kind: ContributionBase, Bin: -1, Value: Missing, Points: x.base})
	total := x.base
	var caps [NumGroups]int32
	for g := GroupNone + 1; g < NumGroups; g++ {
		sum, tracked := int32(0), false
		for _, row := range x.rows[g] {
			tracked = tracked || row.feature.Tracked()
			v := in.Values[row.feature]
			if v == Absent {
				continue
			}
			c := Contribution{Kind: ContributionFeature, Feature: row.feature, Group: g, Bin: row.row.find(row.feature, v), Value: v}
			if c.Bin >= 0 {
				c.Points = row.row.Bins[c.Bin].Points
			}
			sum += c.Points
			add(c)
		}
		capped := min(max(sum, x.groupMin[g]), x.groupMax[g])
		caps[g] = capped - sum
		total += capped
		if len(x.rows[g]) > 0 || capped != 0 {
			r.Groups = append(r.Groups, GroupScore{Group: g, Points: capped, Cap: caps[g], NoConsent: tracked && in.NoConsent})
		}
	}
	for g, p := range caps {
		if p != 0 {
			add(Contribution{Kind: ContributionGroupCap, Group: Group(g), Bin: -1, Value: Missing, Points: p})
		}
	}
	capped := min(max(total, x.min), x.max)
	if p := capped - total; p != 0 {
		add(Contribution{Kind: ContributionTotalCap, Bin: -1, Value: Missing, Points: p})
	}
	r.Points = min(max(capped, 0), MaxPoints)
	if p := r.Points - capped; p != 0 {
		add(Contribution{Kind: ContributionClamp, Bin: -1, Value: Missing, Points: p})
	}
	x.mean(&r)
	return r
}

// mean finds what the points mean: on the straight line between the two marks around them, rounded
// half up, outside of the outermost marks constant.
func (x *index) mean(r *Reading) {
	marks := x.calibration
	k := 0
	for k+1 < len(marks) && r.Points >= marks[k+1].Points {
		k++
	}
	a, b := marks[k], marks[min(k+1, len(marks)-1)]
	at := func(p, q int64) int64 {
		dx, x := int64(b.Points-a.Points), int64(r.Points-a.Points)
		if dx == 0 || x <= 0 {
			return p
		}
		return p + (2*(q-p)*x+dx)/(2*dx)
	}
	r.Expected = at(a.Expected, b.Expected)
	if a.Low != nil { // of all marks or of none
		r.Low, r.High, r.Bounded = at(*a.Low, *b.Low), at(*a.High, *b.High), true
	}
	for _, band := range x.bands {
		if r.Expected >= band.From {
			r.Band = band.Name
		}
	}
}

// Reasons returns the n features that gave or took most points, in words, the greatest first, of
// equals the one with the lower number.
func (r *Reading) Reasons(n int) []Reason {
	var out []Reason
	for _, c := range r.Contributions {
		if c.Kind != ContributionFeature || c.Points == 0 {
			continue
		}
		row := r.index.row(c.Feature)
		bin := ""
		if c.Bin >= 0 {
			bin = row.Bins[c.Bin].Label
		}
		template := c.Feature.template(bin, row.Label, c.Value)
		out = append(out, Reason{Contribution: c, Template: template, Label: fill(template, c.Feature, c.Value)})
	}
	slices.SortFunc(out, func(a, b Reason) int {
		return cmp.Or(cmp.Compare(abs(b.Points), abs(a.Points)), cmp.Compare(a.Feature, b.Feature))
	})
	return out[:min(n, len(out))]
}

func (x *index) row(f Feature) *Row {
	for _, r := range x.rows[f.Group()] {
		if r.feature == f {
			return r.row
		}
	}
	return &Row{}
}
