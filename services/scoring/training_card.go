package scoring

import (
	"slices"
	"strings"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/scoring"
	"github.com/leadmesh/leadmesh/core/scoring/card"
)

// unstated moves the points of a tracked feature that is missing to the base. To a lead without consent
// to profiling these features give nothing at all; so it scores as it was learned from, as a lead of
// which nothing was tracked.
func unstated(c *card.Card) {
	for i := range c.Rows {
		f, ok := scoring.ParseFeature(c.Rows[i].Feature)
		if !ok || !f.Tracked() {
			continue
		}
		missing := int32(0)
		for _, b := range c.Rows[i].Bins {
			if b.Missing {
				missing = b.Points
			}
		}
		c.Base += missing
		for k := range c.Rows[i].Bins {
			c.Rows[i].Bins[k].Points -= missing
		}
	}
}

// monotone is which features may go one way only: more of what somebody does never lowers a score, and
// a longer time since never lifts it.
func monotone(g *gathered) map[string]card.Monotone {
	out := map[string]card.Monotone{}
	for i := range g.frame.Columns {
		name := g.frame.Columns[i].Name
		f, _ := scoring.ParseFeature(name)
		switch {
		case f.Group() != scoring.GroupEngagement && f.Group() != scoring.GroupVehicleInterest:
		case f.Unit() == scoring.UnitMilli:
			out[name] = card.Rising
		case strings.HasSuffix(name, ".recency"):
			out[name] = card.Falling
		}
	}
	return out
}

// tracked names the features of tracked behaviour. No pair has one: what a pair gave to a lead without
// consent would not be what was learned.
func tracked(g *gathered) (out []string) {
	for i := range g.frame.Columns {
		if f, _ := scoring.ParseFeature(g.frame.Columns[i].Name); f.Tracked() {
			out = append(out, f.String())
		}
	}
	return out
}

// groups is the group of each feature.
func groups(g *gathered) map[string]string {
	out := map[string]string{}
	for i := range g.frame.Columns {
		f, _ := scoring.ParseFeature(g.frame.Columns[i].Name)
		out[f.String()] = f.Group().String()
	}
	return out
}

// level moves the points of all leads so that as many of those learned from reach a stage as by what
// decides now, and says by how much and which stage: a table is learned to put leads in order, the
// stages stay the playbook's, and a desk can take on what it can. The first stage from the highest that
// some reach and some do not counts. Chances stay what they were. No lead learned from is moved below 0 or
// above the most.
func (g *gathered) level(c *card.Card, stages scoring.Stages) (int32, lead.Stage, error) {
	scorer, problems := card.Compile(c)
	if len(problems) > 0 {
		return 0, 0, problems[0]
	}
	bound, _, err := scorer.BindKnown(g.frame)
	if err != nil {
		return 0, 0, err
	}
	points := make([]int32, g.frame.Rows)
	for i := range points {
		points[i] = bound.Score(i).Points
	}
	slices.Sort(points)
	for _, x := range []struct {
		stage lead.Stage
		from  int32
	}{{lead.StageReady, stages.Ready}, {lead.StageIntent, stages.Intent}, {lead.StageConsideration, stages.Consideration}} {
		reach := 0
		for _, p := range g.points {
			if p >= x.from {
				reach++
			}
		}
		if reach == 0 || reach == len(points) {
			continue
		}
		by := x.from - points[len(points)-reach]
		by = min(max(by, -points[0]), card.MaxPoints-points[len(points)-1])
		shift(c, by)
		return by, x.stage, nil
	}
	return 0, 0, nil
}

// shift moves the points of all leads, and the calibration with them.
func shift(c *card.Card, by int32) {
	c.Base += by
	var knots []card.Knot
	for _, k := range c.Calibration {
		k.Points = min(max(k.Points+by, 0), card.MaxPoints)
		if n := len(knots); n > 0 && knots[n-1].Points == k.Points {
			if k.Points > 0 { // of several below the least, the last is nearest
				continue
			}
			knots = knots[:n-1]
		}
		knots = append(knots, k)
	}
	c.Calibration = knots
}
