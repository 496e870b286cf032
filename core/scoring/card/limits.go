package card

import (
	"fmt"
	"maps"
	"slices"

	"github.com/leadmesh/leadmesh/core/scoring/frame"
)

// Limits are those of the groups of a card and of the whole.
type Limits struct {
	groups map[string]Cap
	whole  Cap
}

// Unbind takes the limits off a card. What many rows teach adds up as it did for them, and while more
// is learned on top of an expert's card its limits would cut it where nobody sees; Bind puts them on what was learned.
func (c *Card) Unbind() Limits {
	l := Limits{groups: map[string]Cap{}, whole: c.Cap}
	for name, limit := range c.Groups {
		if limit != (Cap{}) {
			l.groups[name] = limit
		}
	}
	c.Groups, c.Cap = nil, Cap{}
	return l
}

// None tells whether there is no limit at all.
func (l Limits) None() bool { return len(l.groups) == 0 && l.whole == (Cap{}) }

// Wider is a limit that was moved.
type Wider struct {
	Group    string // "": the whole
	From, To int32  // points
}

// String says it in a sentence.
func (w Wider) String() string {
	what := w.Group
	if what == "" {
		what = "all together"
	}
	return fmt.Sprintf("The limit of %s was moved from %s to %s points: so far go rows that were learned from.", what, AppendPoints(nil, w.From), AppendPoints(nil, w.To))
}

// Bind sets the limits on a card that was learned without them, each as it was or, where rows learned from
// went beyond it, as far as they went, and lists those. So no row learned from is cut, the figures are
// those of the card as it is, and nothing adds up to more than the expert allowed or some row has
// shown. The frame holds the rows that were learned from.
func (l Limits) Bind(c *Card, f *frame.Frame) ([]Wider, error) {
	if l.None() {
		return nil, nil
	}
	scorer, problems := Compile(c)
	if len(problems) > 0 {
		return nil, problems[0]
	}
	bound, _, err := scorer.BindKnown(f)
	if err != nil {
		return nil, err
	}
	groups, whole := map[string]*reach{}, &reach{}
	for name := range l.groups {
		groups[name] = &reach{}
	}
	var parts []Contribution
	sums := map[string]int32{}
	for row := range f.Rows {
		clear(sums)
		total := int32(0)
		parts = bound.AppendContributions(parts[:0], row)
		for _, p := range parts {
			if p.Kind != ContributionClamp {
				total += p.Points
			}
			if p.Kind == ContributionRow || p.Kind == ContributionPair {
				sums[p.Group] += p.Points
			}
		}
		for name, r := range groups {
			r.add(sums[name])
		}
		whole.add(min(max(total, 0), MaxPoints))
	}
	var moved []Wider
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		if c.Groups == nil {
			c.Groups = map[string]Cap{}
		}
		c.Groups[name] = groups[name].widen(l.groups[name], name, &moved)
	}
	c.Cap = whole.widen(l.whole, "", &moved)
	return moved, nil
}

// reach is how far the points of rows go.
type reach struct {
	least, most int32
	any         bool
}

func (r *reach) add(points int32) {
	if !r.any {
		*r = reach{points, points, true}
	}
	r.least, r.most = min(r.least, points), max(r.most, points)
}

// widen is a limit as far as points go, where they go beyond it.
func (r *reach) widen(limit Cap, group string, moved *[]Wider) Cap {
	move := func(from, to int32) *int32 {
		*moved = append(*moved, Wider{group, from, to})
		return &to
	}
	if limit.Max != nil && r.any && r.most > *limit.Max {
		limit.Max = move(*limit.Max, r.most)
	}
	if limit.Min != nil && r.any && r.least < *limit.Min {
		limit.Min = move(*limit.Min, r.least)
	}
	return limit
}
