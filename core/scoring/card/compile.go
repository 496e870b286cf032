package card

import (
	"slices"
	"sort"

	"github.com/leadmesh/leadmesh/core/scoring"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
)

// Scorer is a compiled card. It is immutable and safe for concurrent use.
type Scorer struct {
	card     *Card // its own copy
	rows     []finder
	pairs    [][2]finder
	groups   []group // the first is for what belongs to no group; in order of name
	groupOf  []int   // by row
	groupOfP []int   // by pair
	lo, hi   int32
	shared   int64 // variance that all rows of data have in common
	chance   [MaxPoints + 1]chance
}

type group struct {
	name   string
	lo, hi int32
}

type chance struct{ ppm, low, high int32 }

// finder tells which bin of a row, or part of a side, a value belongs to.
type finder struct {
	feature string
	kind    frame.Kind
	cuts    []float64 // ascending; slot i holds numbers below cuts[i] and not below cuts[i-1]
	slots   []int32   // bin by slot; the last is for the rest
	values  map[string]int32
	rest    int32 // bin for the rest; -1 for none, which Check refuses
	missing int32 // bin for missing; -1 for none
}

// Compile checks a card and turns it into a Scorer, which keeps nothing of the card that the
// caller may still change. With any problem there is no Scorer.
func Compile(c *Card) (*Scorer, []Problem) {
	if problems := c.Check(); len(problems) > 0 {
		return nil, problems
	}
	c = c.Clone()
	s := &Scorer{card: c, shared: int64(c.BaseError) * int64(c.BaseError)}
	s.lo, s.hi = c.Cap.Bounds()
	names := []string{""}
	for i := range c.Rows {
		names = append(names, c.Rows[i].group())
	}
	for i := range c.Pairs {
		names = append(names, c.Pairs[i].Group)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		lo, hi := c.Groups[name].Bounds()
		s.groups = append(s.groups, group{name, lo, hi})
	}
	for i := range c.Rows {
		r := &c.Rows[i]
		f := finder{feature: r.Feature, kind: r.Kind}
		for j := range r.Bins {
			f.add(int32(j), r.Bins[j].Part())
		}
		s.rows = append(s.rows, f.done())
		s.groupOf = append(s.groupOf, s.group(r.group()))
	}
	for i := range c.Pairs {
		p := &c.Pairs[i]
		var sides [2]finder
		for k, side := range []*Side{&p.First, &p.Second} {
			f := finder{feature: side.Feature, kind: side.Kind}
			for j, part := range side.Parts {
				f.add(int32(j), part)
			}
			sides[k] = f.done()
		}
		s.pairs = append(s.pairs, sides)
		s.groupOfP = append(s.groupOfP, s.group(p.Group))
	}
	s.calibrate()
	return s, nil
}

// Card returns the card the scorer was compiled from. The caller must not change it.
func (s *Scorer) Card() *Card { return s.card }

func (s *Scorer) group(name string) int {
	return sort.Search(len(s.groups), func(i int) bool { return s.groups[i].name >= name })
}

func (f *finder) add(bin int32, p Part) {
	if len(f.slots) == 0 && f.values == nil {
		f.rest, f.missing, f.values = -1, -1, map[string]int32{}
	}
	if p.Below != nil {
		f.cuts = append(f.cuts, *p.Below)
		f.slots = append(f.slots, bin)
	}
	for _, v := range p.Values {
		f.values[v] = bin
	}
	if p.Missing {
		f.missing = bin
	}
	if p.Other {
		f.rest = bin
	}
}

func (f finder) done() finder {
	f.slots = append(f.slots, f.rest)
	return f
}

// number returns the bin of a number; NaN is missing.
func (f *finder) number(v float64) int32 {
	if v != v {
		return f.missing
	}
	// The first cut above v. The loop has no branch on v but its length.
	at, n := 0, len(f.cuts)
	for n > 0 {
		half := n >> 1
		if f.cuts[at+half] <= v {
			at += n - half
		}
		n = half
	}
	return f.slots[at]
}

// text returns the bin of a category's value.
func (f *finder) text(v string) int32 {
	if bin, ok := f.values[v]; ok {
		return bin
	}
	return f.rest
}

// calibrate writes out the chance of every number of points, as scoring does for a scorecard.
func (s *Scorer) calibrate() {
	knots := s.card.Calibration
	k := 0
	for p := range s.chance {
		for k+1 < len(knots) && int32(p) >= knots[k+1].Points {
			k++
		}
		a := knots[k]
		if int32(p) <= a.Points || k+1 == len(knots) {
			s.chance[p] = chance{a.PPM, a.Low, a.High}
			continue
		}
		b := knots[k+1]
		between := func(low, high int32) int32 { return scoring.Between(int32(p), a.Points, b.Points, low, high) }
		s.chance[p] = chance{between(a.PPM, b.PPM), between(a.Low, b.Low), between(a.High, b.High)}
	}
}

// Chance returns the probability at a number of points, which is taken into 0..10000, in parts
// per million, with the bounds the calibration itself has at 95 %.
func (s *Scorer) Chance(points int32) (ppm, low, high int32) {
	c := s.chance[min(max(points, 0), MaxPoints)]
	return c.ppm, c.low, c.high
}
