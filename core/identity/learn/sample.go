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
	maxRows      = 30_000  // records that pairs are drawn from at random
	maxKeyed     = 150_000 // records, of which all keys are looked at
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
}

// sample is the pairs that are learned from.
type sample struct {
	total  float64 // pairs that could be compared
	random []pattern
	rules  []rule
	all    []pattern // every pair that some rule finds, once
	has    [identity.FieldCount]bool
}

func newSample(in *Input, stop *brake, m *identity.Matcher) *sample {
	n := len(in.Records)
	s := &sample{total: float64(n) * float64(n-1) / 2}
	across := func(i, j int32) bool { return in.Left <= 0 || (int(i) < in.Left) != (int(j) < in.Left) }
	if in.Left > 0 {
		s.total = float64(in.Left) * float64(n-in.Left)
	}
	prepared := make(map[int32]*identity.Prepared, min(n, 2*maxRows))
	ready := func(i int32) *identity.Prepared {
		p := prepared[i]
		if p == nil {
			v := m.Prepare(&in.Records[i])
			p = &v
			prepared[i] = p
		}
		return p
	}
	c := counter{}
	drawn := 0
	drawPairs(n, func(i, j int32) {
		if drawn++; !stop.at(drawn) && across(i, j) {
			c.add(m.Levels(ready(i), ready(j)))
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
	var entries []entry
	for _, k := range keyMakers {
		entries = entriesOf(in.Records, stop, k.keys, entries[:0])
		kept, found := pairsOf(entries, n, across)
		if len(kept) == 0 {
			continue
		}
		c := counter{}
		for i, p := range kept {
			if stop.at(i) {
				return s
			}
			l := m.Levels(ready(int32(p>>32)), ready(int32(uint32(p))))
			c.add(l)
			if _, ok := seen[p]; !ok {
				seen[p] = struct{}{}
				all.addTimes(l, found/float64(len(kept)))
			}
		}
		s.rules = append(s.rules, rule{fields: k.fields, patterns: c.patterns()})
	}
	s.all = all.patterns()
	return s
}

// telling are the fields that tell people apart; many people agree in the others.
var telling = [...]identity.Field{
	identity.FieldGivenName, identity.FieldFamilyName, identity.FieldEmail, identity.FieldPhone, identity.FieldBorn,
	identity.FieldAddress, identity.FieldLine, identity.FieldID, identity.FieldVehicle, identity.FieldNumber,
}

// corroborated reports that two telling fields are compared. The place is one where most people live
// elsewhere.
func (s *sample) corroborated() bool {
	n := 0
	for _, f := range telling {
		if s.has[f] {
			n++
		}
	}
	var here, placed float64
	for _, p := range s.random {
		switch p.levels[identity.FieldPlace] {
		case 0:
			continue
		case identity.ReasonPlace, identity.ReasonPostal, identity.ReasonCity:
			here += p.count
		}
		placed += p.count
	}
	if here < placed/2 {
		n++
	}
	return n > 1
}

// drawPairs calls do for every pair of n records, or for maxRandom pairs drawn from maxRows of them.
func drawPairs(n int, do func(i, j int32)) {
	if n*(n-1)/2 <= maxRandom {
		for i := range n {
			for j := range i {
				do(int32(i), int32(j))
			}
		}
		return
	}
	state := uint64(0x9e3779b97f4a7c15)
	rows := make([]int32, min(n, maxRows))
	for i := range rows {
		rows[i] = int32(i)
		if n > maxRows {
			rows[i] = int32(next(&state) % uint64(n))
		}
	}
	for range maxRandom {
		i, j := rows[next(&state)%uint64(len(rows))], rows[next(&state)%uint64(len(rows))]
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

// entry is a record under the hash of a key.
type entry struct {
	hash uint64
	row  int32
}

// entriesOf returns the records under their keys, sorted. Of very many records only those under some
// of the keys are returned.
func entriesOf(records []identity.Record, stop *brake, keys func(*identity.Record, func(string)), list []entry) []entry {
	every := uint64(len(records)/maxKeyed) + 1
	for i := range records {
		if stop.at(i) {
			return nil
		}
		keys(&records[i], func(key string) {
			h := uint64(14695981039346656037) // FNV-1a
			for j := 0; j < len(key); j++ {
				h = (h ^ uint64(key[j])) * 1099511628211
			}
			if state := h; every == 1 || next(&state)%every == 0 {
				list = append(list, entry{h, int32(i)})
			}
		})
	}
	slices.SortFunc(list, func(a, b entry) int { return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.row, b.row)) })
	return slices.Compact(list)
}

// pairsOf returns the pairs of records that share a key, at most about maxRulePairs of them, and how
// many there are among n records. Blocks of more than maxBlock records say little and are left out.
func pairsOf(list []entry, n int, across func(i, j int32) bool) (kept []uint64, found float64) {
	blocks := func(do func(rows []entry)) {
		for from := 0; from < len(list); {
			to := from + 1
			for to < len(list) && list[to].hash == list[from].hash {
				to++
			}
			if to-from > 1 && to-from <= maxBlock {
				do(list[from:to])
			}
			from = to
		}
	}
	blocks(func(rows []entry) { found += float64(len(rows)) * float64(len(rows)-1) / 2 })
	step := uint64(found/maxRulePairs) + 1
	blocks(func(rows []entry) {
		for x, i := range rows {
			for _, j := range rows[:x] {
				if !across(i.row, j.row) {
					continue
				}
				p := uint64(i.row)<<32 | uint64(j.row)
				if state := p; step == 1 || next(&state)%step == 0 {
					kept = append(kept, p)
				}
			}
		}
	})
	slices.Sort(kept)
	kept = slices.Compact(kept)
	return kept, float64(len(kept)) * float64(step) * float64(n/maxKeyed+1)
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
