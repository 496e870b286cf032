package scoring

import (
	"cmp"
	"slices"

	"github.com/leadmesh/leadmesh/core/lead"
)

// Scored is inputs with the result of one Score.
type Scored struct {
	Inputs *Inputs
	Result *Result
}

// Difference is one contribution of two scores where it gave other points. Where one of them did not
// have it, as a cap that changed nothing, its points are 0 and its kind is none.
type Difference struct{ Before, After Contribution }

// Points is what the contribution gives more, in 1/100.
func (d *Difference) Points() int32 { return d.After.Points - d.Before.Points }

// Kind is that of the contribution.
func (d *Difference) Kind() ContributionKind { return max(d.Before.Kind, d.After.Kind) }

// Compare returns what makes the difference between two scores of this model on a line: features first,
// the greatest difference first, then pairs, then caps. Their points add up exactly to the difference of the points.
func (m *Model) Compare(before, after Scored, line lead.Line) []Difference {
	var all []Difference
	at := map[Contribution]int{}
	of := func(c Contribution) *Difference {
		c.Bin, c.Value, c.Points, c.SecondValue, c.Cell = 0, 0, 0, 0, [2]int{} // what is left says whose points they are
		i, ok := at[c]
		if !ok {
			i = len(all)
			at[c], all = i, append(all, Difference{})
		}
		return &all[i]
	}
	for _, c := range m.AppendContributions(nil, before.Inputs, before.Result, line) {
		of(c).Before = c
	}
	for _, c := range m.AppendContributions(nil, after.Inputs, after.Result, line) {
		of(c).After = c
	}
	all = slices.DeleteFunc(all, func(d Difference) bool { return d.Points() == 0 })
	slices.SortStableFunc(all, func(a, b Difference) int {
		if x := cmp.Compare(a.Kind(), b.Kind()); x != 0 {
			return x
		}
		return cmp.Compare(abs(b.Points()), abs(a.Points()))
	})
	return all
}

// Change is a feature with another value, or Missing.
type Change struct {
	Feature Feature
	Value   int32
}

// With returns the inputs with some of them changed. A tracked feature of a person who has not granted
// profiling stays absent: call Grant first to ask what it would give.
func (in *Inputs) With(changes []Change) Inputs {
	out := *in
	for _, c := range changes {
		if out.NoConsent && c.Feature.Tracked() {
			continue
		}
		out.Values[c.Feature] = c.Value
	}
	return out
}

// Grant makes the inputs those of a person who has granted profiling: tracked features that were absent
// for want of it are missing.
func (in *Inputs) Grant() {
	in.NoConsent = false
	for f := FeatureNone + 1; f < NumFeatures; f++ {
		if in.Values[f] == Absent {
			in.Values[f] = Missing
		}
	}
}

// Wording is a contribution in words, as Explain gives it.
func (m *Model) Wording(line lead.Line, c Contribution) string {
	switch {
	case c.Kind == ContributionFeature && m.row(line, c.Feature) != nil, c.Kind == ContributionPair && m.pairOf(line, &c) != nil:
		_, sentence := m.words(line, &c)
		return sentence
	}
	return ""
}
