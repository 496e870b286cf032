package learn

import (
	"cmp"
	"slices"
	"strings"

	"github.com/leadmesh/leadmesh/core/identity"
)

const (
	maxRandom    = 500_000 // pairs drawn at random
	maxRulePairs = 250_000 // pairs that one rule teaches by
	maxBlock     = 400     // records that share a key
)

// pattern is a combination of levels and how many pairs show it.
type pattern struct {
	levels identity.Levels
	count  float64
}

// rule is a blocking rule: pairs of records that share a key are likely to be of one person.
type rule struct {
	fields   []identity.Field // what its key is made of
	patterns []pattern
	scale    float64 // pairs found for each pair kept
}

// sample is the pairs that are learned from.
type sample struct {
	total  float64 // pairs that could be compared
	random []pattern
	rules  []rule
	all    []pattern // every pair that some rule finds, once
	scale  float64   // pairs found for each pair in all
	has    [identity.FieldCount]bool
}

func newSample(in *Input, m *identity.Matcher) *sample {
	n := len(in.Records)
	prepared := make([]identity.Prepared, n)
	for i := range in.Records {
		prepared[i] = m.Prepare(&in.Records[i])
	}
	s := &sample{total: float64(n) * float64(n-1) / 2}
	across := func(i, j int) bool { return in.Left <= 0 || (i < in.Left) != (j < in.Left) }
	if in.Left > 0 {
		s.total = float64(in.Left) * float64(n-in.Left)
	}
	c := counter{}
	drawPairs(n, func(i, j int) {
		if across(i, j) {
			c.add(m.Levels(&prepared[i], &prepared[j]))
		}
	})
	s.random = c.patterns()
	for _, p := range s.random {
		for f, level := range p.levels {
			s.has[f] = s.has[f] || level != 0
		}
	}
	seen := map[uint64]struct{}{}
	all := counter{}
	for _, k := range keyMakers {
		blocks := map[string][]int32{}
		for i := range in.Records {
			k.keys(&in.Records[i], func(key string) {
				if list := blocks[key]; len(list) == 0 || list[len(list)-1] != int32(i) {
					blocks[key] = append(list, int32(i))
				}
			})
		}
		kept, found := pairsOf(blocks, across)
		if len(kept) == 0 {
			continue
		}
		c := counter{}
		for _, p := range kept {
			l := m.Levels(&prepared[p>>32], &prepared[uint32(p)])
			c.add(l)
			if _, ok := seen[p]; !ok {
				seen[p] = struct{}{}
				all.addTimes(l, found/float64(len(kept)))
			}
		}
		s.rules = append(s.rules, rule{fields: k.fields, patterns: c.patterns(), scale: found / float64(len(kept))})
	}
	s.all = all.patterns()
	return s
}

// drawPairs calls do for every pair of n records, or for maxRandom of them spread evenly.
func drawPairs(n int, do func(i, j int)) {
	total := uint64(n) * uint64(n-1) / 2
	if total <= maxRandom {
		for i := range n {
			for j := range i {
				do(i, j)
			}
		}
		return
	}
	state := uint64(0x9e3779b97f4a7c15)
	for range maxRandom {
		i, j := int(next(&state)%uint64(n)), int(next(&state)%uint64(n))
		if i != j {
			do(max(i, j), min(i, j))
		}
	}
}

// next is SplitMix64 (Steele, Lea, Flood 2014): the same numbers on every machine.
func next(state *uint64) uint64 {
	*state += 0x9e3779b97f4a7c15
	z := *state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// pairsOf returns the pairs of records that share a block, at most maxRulePairs of them, and how many
// there are. Blocks of more than maxBlock records say little and are left out.
func pairsOf(blocks map[string][]int32, across func(i, j int) bool) (kept []uint64, found float64) {
	for _, list := range blocks {
		if len(list) > 1 && len(list) <= maxBlock {
			found += float64(len(list)) * float64(len(list)-1) / 2
		}
	}
	step := uint64(found/maxRulePairs) + 1
	for _, list := range blocks {
		if len(list) > maxBlock {
			continue
		}
		for x, i := range list {
			for _, j := range list[:x] {
				if !across(int(i), int(j)) {
					continue
				}
				p := uint64(i)<<32 | uint64(j)
				if state := p; step == 1 || next(&state)%step == 0 {
					kept = append(kept, p)
				}
			}
		}
	}
	slices.Sort(kept)
	kept = slices.Compact(kept)
	return kept, float64(len(kept)) * float64(step)
}

// counter counts patterns.
type counter map[identity.Levels]float64

func (c counter) add(l identity.Levels)                 { c[l]++ }
func (c counter) addTimes(l identity.Levels, n float64) { c[l] += n }

// patterns returns the patterns in a fixed order.
func (c counter) patterns() []pattern {
	out := make([]pattern, 0, len(c))
	for l, n := range c {
		out = append(out, pattern{l, n})
	}
	slices.SortFunc(out, func(a, b pattern) int {
		for f := range a.levels {
			if d := cmp.Compare(a.levels[f], b.levels[f]); d != 0 {
				return d
			}
		}
		return 0
	})
	return out
}

// keyMakers are the rules. Their fields overlap as little as can be.
var keyMakers = [...]struct {
	fields []identity.Field
	keys   func(r *identity.Record, do func(string))
}{
	{[]identity.Field{identity.FieldEmail}, func(r *identity.Record, do func(string)) {
		for _, v := range r.Emails {
			do(v)
		}
	}},
	{[]identity.Field{identity.FieldPhone}, func(r *identity.Record, do func(string)) {
		for _, v := range r.Phones {
			do(v)
		}
	}},
	{[]identity.Field{identity.FieldNumber}, func(r *identity.Record, do func(string)) {
		for _, t := range r.Traits {
			if t.Kind == identity.TraitNumber {
				do(t.Value)
			}
		}
	}},
	{[]identity.Field{identity.FieldBorn}, func(r *identity.Record, do func(string)) {
		for _, v := range r.Born {
			if len(v) >= 8 {
				do(v)
			}
		}
	}},
	{[]identity.Field{identity.FieldGivenName, identity.FieldFamilyName}, func(r *identity.Record, do func(string)) {
		for _, n := range r.Names {
			if n.Given != "" && n.Family != "" {
				do(min(n.Given, n.Family) + " " + max(n.Given, n.Family))
			}
		}
	}},
	{[]identity.Field{identity.FieldAddress, identity.FieldLine}, func(r *identity.Record, do func(string)) {
		for _, a := range identity.ReadAddresses(r.Addresses) {
			if a.Number != "" && a.Street != "" {
				do(a.Number + " " + a.Street)
			}
		}
	}},
	{[]identity.Field{identity.FieldFamilyName, identity.FieldPlace}, func(r *identity.Record, do func(string)) {
		for _, n := range r.Names {
			if n.Family != "" {
				places(r, func(place string) { do(n.Family + " " + place) })
			}
		}
	}},
	{[]identity.Field{identity.FieldGivenName, identity.FieldPlace, identity.FieldBorn}, func(r *identity.Record, do func(string)) {
		for _, n := range r.Names {
			for _, v := range r.Born {
				if n.Given != "" && len(v) >= 4 {
					do(n.Given + " " + v[:4])
				}
			}
			if n.Given != "" {
				places(r, func(place string) { do(n.Given + " " + place) })
			}
		}
	}},
	{[]identity.Field{identity.FieldEmail}, func(r *identity.Record, do func(string)) {
		for _, v := range r.Emails {
			if local, _, _ := strings.Cut(v, "@"); len(local) > 3 {
				do(local)
			}
		}
	}},
}

// places calls do for each postal code, or locality where there is none, of a record.
func places(r *identity.Record, do func(place string)) {
	for _, a := range identity.ReadAddresses(r.Addresses) {
		if p := cmp.Or(a.Postal, a.City); p != "" {
			do(p)
		}
	}
}
