package scoring_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/playbook"
	core "github.com/leadmesh/leadmesh/core/scoring"
	"github.com/leadmesh/leadmesh/core/scoring/card"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/scoreconv"
)

// checkLimits holds a learned card against the limits of the playbook's table it started from: each is
// there, none is narrower, a wider one is told, no lead learned from is cut, and whatever a lead says, the
// four doors hold the limits alike: the card on a table of rows, the engine that decides, the score
// that a lead shows, and the answer to what if.
func checkLimits(t *testing.T, own *playbook.Playbook, c *card.Card, words []string, all []*routingv1.PastDecision) {
	t.Helper()
	expert := own.Scorecards.Lines[lead.LineSales.String()].Groups
	if len(expert) < 3 {
		t.Fatalf("the playbook has few limits: %v", expert)
	}
	wider := 0
	for name, limit := range expert {
		got := c.Groups[name]
		if limit.Max == nil || got.Max == nil || *got.Max < *limit.Max {
			t.Errorf("%s: the limit is %+v, of the playbook %+v", name, got, limit)
		} else if *got.Max > *limit.Max {
			wider++
		}
	}
	if told := slices.ContainsFunc(words, func(s string) bool { return strings.Contains(s, "The limit of ") }); told != (wider > 0) {
		t.Errorf("%d limits are wider, told: %q", wider, words)
	}

	learned := with(t, own, c)
	var res core.Result
	for _, d := range all {
		in := inputsOf(d)
		learned.Scoring.Score(in, &res)
		for _, x := range learned.Scoring.AppendContributions(nil, in, &res, lead.LineSales) {
			if x.Kind == core.ContributionGroupCap || x.Kind == core.ContributionTotalCap {
				t.Fatalf("a lead learned from is cut: %+v", x)
			}
		}
	}

	tight := c.Clone() // as somebody edits it
	five := int32(500)
	for name := range tight.Groups {
		tight.Groups[name] = card.Cap{Max: &five}
	}
	for what, c := range map[string]*card.Card{"as learned": c, "narrowed": tight} {
		p, cut := with(t, own, c), 0
		for _, d := range append([]*routingv1.PastDecision{nil}, all[:300]...) {
			in := best(c)
			if d != nil {
				in = inputsOf(d)
			}
			cut += doors(t, p, c, in)
		}
		if cut == 0 {
			t.Errorf("%s: no limit cuts anything", what)
		}
	}
}

// best is a lead of which every number is what gives most points, as no lead was.
func best(c *card.Card) *core.Inputs {
	in := &core.Inputs{}
	in.Reset()
	for _, r := range c.Rows {
		f, _ := core.ParseFeature(r.Feature)
		most := int32(math.MinInt32)
		for _, b := range r.Bins {
			v := core.Missing
			switch {
			case len(b.Values) > 0:
				v, _ = f.Code(b.Values[0])
			case b.Below != nil:
				v = int32(*b.Below) - 1
			case b.Other && f.Unit() != core.UnitCategory:
				_, v = f.Range()
			}
			if b.Points > most {
				most, in.Values[f] = b.Points, v
			}
		}
	}
	return in
}

// doors scores a lead by every door and returns how many limits cut.
func doors(t *testing.T, p *playbook.Playbook, c *card.Card, in *core.Inputs) (cut int) {
	t.Helper()
	const line = lead.LineSales
	var res core.Result
	p.Scoring.Score(in, &res)

	sums := map[string]int32{}
	total := int32(0)
	for _, x := range p.Scoring.AppendContributions(nil, in, &res, line) {
		total += x.Points
		switch x.Kind {
		case core.ContributionFeature, core.ContributionPair:
			sums[x.Group.String()] += x.Points
		case core.ContributionGroupCap:
			sums[x.Group.String()] += x.Points
			cut++
		}
	}
	if total != res.Points[line] {
		t.Errorf("contributions make %d, points are %d", total, res.Points[line])
	}
	for name, limit := range c.Groups {
		if limit.Max != nil && sums[name] > *limit.Max {
			t.Errorf("%s gives %d, its limit is %d", name, sums[name], *limit.Max)
		}
	}

	shown := scoreconv.ToProto(p, in, &res, line, true)
	asked := (&scoreconv.Comparison{Playbook: p, Line: line, Before: in, After: in}).ToProto().GetBefore()
	for what, s := range map[string]*leadv1.Score{"shown": shown, "asked": asked} {
		if s.GetPoints() != res.Points[line] || len(s.GetReasons()) == 0 {
			t.Errorf("%s: %d points, %d reasons; scored %d", what, s.GetPoints(), len(s.GetReasons()), res.Points[line])
		}
		for _, g := range s.GetGroups() {
			if g.GetPoints() != sums[g.GetGroup()] {
				t.Errorf("%s: %s gave %d, by the contributions %d", what, g.GetGroup(), g.GetPoints(), sums[g.GetGroup()])
			}
		}
	}

	scorer, problems := card.Compile(c)
	if scorer == nil {
		t.Fatal(problems)
	}
	f := rowOf(c, in)
	bound, _, err := scorer.BindKnown(f)
	if err != nil {
		t.Fatal(err)
	}
	if got := bound.Score(0); got.Points != res.Points[line] || got.PPM != res.Probability[line] {
		t.Errorf("the card gives %d points and %d ppm, the engine %d and %d", got.Points, got.PPM, res.Points[line], res.Probability[line])
	}
	byCard := 0
	for _, x := range bound.AppendContributions(nil, 0) {
		if x.Kind == card.ContributionGroupCap {
			byCard++
		}
	}
	if cut != byCard {
		t.Errorf("the engine cuts by %d limits, the card by %d", cut, byCard)
	}
	return cut
}

// rowOf is a table of one lead, of the columns that a card looks at.
func rowOf(c *card.Card, in *core.Inputs) *frame.Frame {
	f := &frame.Frame{Rows: 1}
	add := func(name string) {
		if f.Column(name) != nil {
			return
		}
		feature, _ := core.ParseFeature(name)
		v := in.Values[feature]
		if feature.Unit() == core.UnitCategory {
			f.Columns = append(f.Columns, frame.Categorical(name, []string{feature.Text(v)}))
			return
		}
		number := math.NaN()
		if v > core.Missing {
			number = float64(v)
		}
		f.Columns = append(f.Columns, frame.Numeric(name, []float64{number}))
	}
	for i := range c.Rows {
		add(c.Rows[i].Feature)
	}
	for i := range c.Pairs {
		add(c.Pairs[i].First.Feature)
		add(c.Pairs[i].Second.Feature)
	}
	return f
}
