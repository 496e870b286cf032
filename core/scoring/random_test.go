package scoring_test

import (
	"math"
	"math/rand/v2"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/scoring"
)

// randomInputs fills every feature with something in its range, or leaves it missing.
func randomInputs(r *rand.Rand) scoring.Inputs {
	var in scoring.Inputs
	in.Reset()
	for f := scoring.FeatureNone + 1; f < scoring.NumFeatures; f++ {
		switch {
		case r.IntN(5) == 0:
		case f.Unit() == scoring.UnitCategory:
			in.Values[f] = f.FirstValue() + r.Int32N(int32(len(f.Values())))
		case f.Unit() == scoring.UnitSeconds:
			in.Values[f] = r.Int32N(100 * 86400)
		case f.Unit() == scoring.UnitNumber:
			in.Values[f] = r.Int32N(8)
		case r.IntN(20) == 0:
			in.Values[f] = math.MaxInt32
		default:
			in.Values[f] = r.Int32N(6000) - 500
		}
	}
	if r.IntN(4) == 0 {
		in.DropTracked()
	}
	return in
}

// randomDefinition makes a valid definition with random rows, caps and thresholds.
func randomDefinition(r *rand.Rand) scoring.Definition {
	d := scoring.Definition{Lines: map[string]scoring.Line{}}
	for code := lead.LineSales; code <= lead.LineCare; code++ {
		l := scoring.Line{Base: r.Int32N(4000) - 1000, Calibration: calibration(0, r.Int32N(500_000), 500_000+r.Int32N(500_000)), Stages: stages()}
		for f := scoring.FeatureNone + 1; f < scoring.NumFeatures; f++ {
			if r.IntN(2) == 0 {
				continue
			}
			row := scoring.Row{Feature: f.String()}
			if f.Unit() == scoring.UnitCategory {
				for _, v := range f.Values() {
					if r.IntN(2) == 0 {
						row.Bins = append(row.Bins, is(r.Int32N(2000)-1000, v))
					}
				}
			} else {
				limit := int64(-300)
				for range r.IntN(6) {
					limit += 1 + r.Int64N(2000)
					row.Bins = append(row.Bins, below(limit, r.Int32N(2000)-1000))
				}
			}
			if r.IntN(2) == 0 {
				row.Bins = append(row.Bins, missing(r.Int32N(600)-300))
			}
			l.Rows = append(l.Rows, scoring.Row{Feature: row.Feature, Bins: append(row.Bins, rest(r.Int32N(2000)-1000))})
		}
		if r.IntN(2) == 0 {
			l.Groups = map[string]scoring.Cap{"ENGAGEMENT": {Max: p32(r.Int32N(3000))}, "LIFE_CYCLE": {Min: p32(-r.Int32N(3000))}}
			l.Cap = scoring.Cap{Max: p32(5000 + r.Int32N(5000))}
		}
		l.Pairs = randomPairs(r)
		d.Lines[code.String()] = l
	}
	return d
}

// naive scores one line straight from the definition: slow, and obviously right.
func naive(l scoring.Line, in *scoring.Inputs) int32 {
	var sums [scoring.NumGroups]int32
	for _, r := range l.Rows {
		f, _ := scoring.ParseFeature(r.Feature)
		if j := naiveBin(f, r.In, r.Bins, in.Values[f]); j >= 0 {
			sums[f.Group()] += r.Bins[j].Points
		}
	}
	for _, p := range l.Pairs {
		g, _ := scoring.ParseGroup(p.Group)
		if i, j := naivePart(p.First, in), naivePart(p.Second, in); i >= 0 && j >= 0 {
			sums[g] += p.Points[i][j]
		}
	}
	bound := func(v int32, c scoring.Cap) int32 {
		if c.Min != nil {
			v = max(v, *c.Min)
		}
		if c.Max != nil {
			v = min(v, *c.Max)
		}
		return v
	}
	total := l.Base + sums[scoring.GroupNone]
	for g := scoring.GroupNone + 1; g < scoring.NumGroups; g++ {
		total += bound(sums[g], l.Groups[g.String()])
	}
	return min(max(bound(total, l.Cap), 0), scoring.MaxPoints)
}

// naiveBin finds the bin of a value, -1 for none.
func naiveBin(f scoring.Feature, in string, bins []scoring.Bin, v int32) int {
	if v == scoring.Absent {
		return -1
	}
	scale := map[string]int64{"": 1, "times": 1000, "days": 86400, "hours": 3600, "km": 1000, "percent": 10}[in]
	for i, b := range bins {
		hit := false
		switch {
		case v == scoring.Missing:
			hit = b.Missing
		case b.Below != nil:
			hit = int64(v) < *b.Below*scale
		case b.Values != nil:
			for _, name := range b.Values {
				for i, known := range f.Values() {
					hit = hit || known == name && v == f.FirstValue()+int32(i)
				}
			}
		}
		if hit {
			return i
		}
	}
	for i, b := range bins {
		if v != scoring.Missing && b.Below == nil && b.Values == nil && !b.Missing {
			return i
		}
	}
	return -1
}
