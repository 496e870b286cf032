package scoring

import (
	"fmt"
	"maps"
	"slices"

	"github.com/leadmesh/leadmesh/core/scoring"
	"github.com/leadmesh/leadmesh/core/scoring/card"
)

// limits are those of the groups of a table and of the whole.
type limits struct {
	groups map[string]card.Cap
	whole  card.Cap
}

// unbind takes the limits off an expert's table: what many leads teach adds up as it did for them, and
// while it is learned on top of the table a limit would cut it where nobody sees.
func unbind(c *card.Card) limits {
	l := limits{groups: map[string]card.Cap{}, whole: c.Cap}
	for name, limit := range c.Groups {
		if limit != (card.Cap{}) {
			l.groups[name] = limit
		}
	}
	c.Groups, c.Cap = nil, card.Cap{}
	return l
}

// put sets the limits on a table that was learned without them, each as the expert wrote it or, where
// leads learned from went beyond it, as far as they went, which its words tell. So no lead learned from is
// cut, the figures are those of the table as it is, and nothing adds up to more than the expert
// allowed or some lead has shown.
func (l limits) put(c *card.Card, g *gathered) (told []string, err error) {
	if len(l.groups) == 0 && l.whole == (card.Cap{}) {
		return nil, nil
	}
	scorer, problems := card.Compile(c)
	if len(problems) > 0 {
		return nil, problems[0]
	}
	bound, _, err := scorer.BindKnown(g.frame)
	if err != nil {
		return nil, err
	}
	groups, whole := map[string]*reach{}, &reach{}
	for name := range l.groups {
		groups[name] = &reach{}
	}
	var parts []card.Contribution
	sums := map[string]int32{}
	for row := range g.frame.Rows {
		clear(sums)
		total := int32(0)
		parts = bound.AppendContributions(parts[:0], row)
		for _, p := range parts {
			if p.Kind != card.ContributionClamp {
				total += p.Points
			}
			if p.Kind == card.ContributionRow || p.Kind == card.ContributionPair {
				sums[p.Group] += p.Points
			}
		}
		for name, r := range groups {
			r.add(sums[name])
		}
		whole.add(min(max(total, 0), card.MaxPoints))
	}
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		if c.Groups == nil {
			c.Groups = map[string]card.Cap{}
		}
		what := name
		if group, ok := scoring.ParseGroup(name); ok {
			what = group.Label()
		}
		c.Groups[name] = groups[name].widen(l.groups[name], what, &told)
	}
	c.Cap = whole.widen(l.whole, "all together", &told)
	if told == nil {
		told = []string{"The limits of groups and of the line hold as in the playbook's table."}
	}
	return told, nil
}

// reach is how far the points of leads go.
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
func (r *reach) widen(limit card.Cap, what string, told *[]string) card.Cap {
	say := func(from, to int32) *int32 {
		*told = append(*told, fmt.Sprintf("The limit of %s was moved from %s to %s points: so far go leads that were learned from.", what, written(from), written(to)))
		return &to
	}
	if limit.Max != nil && r.any && r.most > *limit.Max {
		limit.Max = say(*limit.Max, r.most)
	}
	if limit.Min != nil && r.any && r.least < *limit.Min {
		limit.Min = say(*limit.Min, r.least)
	}
	return limit
}

func written(points int32) string { return string(card.AppendPoints(nil, points)) }
