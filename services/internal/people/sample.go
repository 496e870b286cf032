package people

import (
	"slices"
	"strings"

	"github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/core/identity/cluster"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/internal/console"
	"github.com/leadmesh/leadmesh/services/internal/people/report"
)

// sample is a pair to show, and why.
type sample struct {
	kind string
	pair cluster.Pair
}

// samples chooses the pairs that say most: the strongest and the weakest, those on either side of the
// threshold, and those that were kept apart although they are alike.
func (o *Outcome) samples() []sample {
	links, possible := o.Result.Links, []cluster.Pair(nil)
	var refused []cluster.Pair
	for _, p := range o.Result.Possible {
		if p.Refusal == cluster.RefusalNone {
			possible = append(possible, p)
		} else {
			refused = append(refused, p)
		}
	}
	var out []sample
	shown := map[int32]bool{} // rows: another pair of the same rows says little more
	take := func(kind string, list []cluster.Pair, most int) {
		n := 0
		for _, p := range list {
			if n < most && !shown[p.A] && !shown[p.B] {
				shown[p.A], shown[p.B] = true, true
				out, n = append(out, sample{kind, p}), n+1
			}
		}
	}
	take("Among the strongest", distinctWeights(links, 6), 2)
	take("Just sure enough", backwards(links), 4)
	take("Not quite sure", possible, 4)
	take("Alike, but kept apart", refused, 2)
	take("Among the weakest to review", backwards(possible), 2)
	return out
}

func backwards(list []cluster.Pair) []cluster.Pair {
	list = slices.Clone(list[max(0, len(list)-100):])
	slices.Reverse(list)
	return list
}

// distinctWeights returns up to n of the first pairs, each of another weight: the strongest pairs of a
// list are often copies.
func distinctWeights(list []cluster.Pair, n int) []cluster.Pair {
	var out []cluster.Pair
	for _, p := range list {
		if len(out) == n {
			break
		}
		if len(out) == 0 || out[len(out)-1].Weight != p.Weight {
			out = append(out, p)
		}
	}
	return out
}

// explained is a pair with what its rows say and how its weight comes about.
func (o *Outcome) explained(s sample, cells map[int][]string) report.Pair {
	a, b := int(s.pair.A), int(s.pair.B)
	e := o.Result.Matcher.Match(&o.records[a], &o.records[b])
	p := report.Pair{
		Kind: s.kind, Verdict: verdictReview, Probability: console.PercentOf(min(float64(e.Probability), 999_999) / 1e6), Bits: float64(e.Weight) / 1000,
		Left: o.rowName(a), Right: o.rowName(b),
	}
	if o.Result.Clusters[a] == o.Result.Clusters[b] {
		p.Verdict = verdictSame
	}
	for _, w := range e.Conflict.Words() {
		p.Conflicts = append(p.Conflicts, "Contradiction: "+w)
	}
	if s.pair.Refusal != cluster.RefusalNone {
		p.Conflicts = append(p.Conflicts, capital(s.pair.Refusal.String()))
	}
	for _, r := range e.Reasons {
		level := report.Level{Words: words(r.Code), Bits: float64(r.Weight) / 1000}
		if r.Code == identity.ReasonPrior { // every pair begins there
			p.Reasons = append([]report.Level{level}, p.Reasons...)
			continue
		}
		p.Reasons = append(p.Reasons, level)
	}
	for _, f := range o.facts() {
		left, right := o.fact(a, f, cells), o.fact(b, f, cells)
		if left == "" && right == "" {
			continue
		}
		p.Facts = append(p.Facts, report.Fact{
			Name: strings.ReplaceAll(f.String(), "_", " "), Left: left, Right: right,
			Same: left == "" || right == "" || lead.Fold(left) == lead.Fold(right),
		})
	}
	return p
}
