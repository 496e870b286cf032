package scoreconv

import (
	"fmt"
	"strings"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/playbook"
	"github.com/leadmesh/leadmesh/core/scoring"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
)

// Comparison is what would become of a score if something were otherwise.
type Comparison struct {
	Playbook      *playbook.Playbook
	Line          lead.Line
	Before, After *scoring.Inputs
	Changes       []scoring.Change // between the two
}

// ToProto scores both and writes them with what makes the difference. Without any difference of the
// inputs there is no second score.
func (c *Comparison) ToProto() *scoringv1.ExplainScoreResponse {
	var before, after scoring.Result
	m := c.Playbook.Scoring
	m.Score(c.Before, &before)
	m.Score(c.After, &after)
	resp := &scoringv1.ExplainScoreResponse{
		Before: ToProto(c.Playbook, c.Before, &before, c.Line, true), PlaybookRevision: c.Playbook.Revision,
		Difference: after.Points[c.Line] - before.Points[c.Line],
	}
	resp.Before.Indices = Indices(c.Playbook, c.Before)
	if len(c.Changes) == 0 && *c.Before == *c.After {
		return resp
	}
	resp.After = ToProto(c.Playbook, c.After, &after, c.Line, true)
	resp.After.Indices = Indices(c.Playbook, c.After)
	for _, d := range m.Compare(scoring.Scored{Inputs: c.Before, Result: &before}, scoring.Scored{Inputs: c.After, Result: &after}, c.Line) {
		resp.Differences = append(resp.Differences, c.difference(&d))
	}
	for i, g := range resp.GetBefore().GetGroups() {
		if to := resp.GetAfter().GetGroups()[i]; to.GetPoints() != g.GetPoints() {
			resp.Groups = append(resp.Groups, &scoringv1.GroupDifference{
				Group: g.GetGroup(), Label: g.GetLabel(), BeforePoints: g.GetPoints(), AfterPoints: to.GetPoints(),
			})
		}
	}
	resp.Changed = c.changed(resp, &before, &after)
	for _, x := range c.Changes {
		resp.Features = append(resp.Features, c.bins(x.Feature))
	}
	return resp
}

func (c *Comparison) difference(d *scoring.Difference) *scoringv1.ScoreDifference {
	out := &scoringv1.ScoreDifference{Feature: "cap", BeforePoints: d.Before.Points, AfterPoints: d.After.Points}
	words := func(x scoring.Contribution) string {
		switch x.Kind {
		case scoring.ContributionFeature, scoring.ContributionPair:
			return c.Playbook.Scoring.Wording(c.Line, x)
		case scoring.ContributionGroupCap:
			return labelGroupCap
		case scoring.ContributionTotalCap:
			return labelTotalCap
		case scoring.ContributionClamp:
			return labelClamp
		}
		return ""
	}
	out.Group = max(d.Before.Group, d.After.Group).String()
	switch d.Kind() {
	case scoring.ContributionFeature:
		out.Feature = max(d.Before.Feature, d.After.Feature).String()
	case scoring.ContributionPair:
		out.Feature = pairName(max(d.Before.Feature, d.After.Feature), max(d.Before.Second, d.After.Second))
	}
	if d.Before.Points != 0 {
		out.Before = words(d.Before)
	}
	if d.After.Points != 0 {
		out.After = words(d.After)
	}
	return out
}

// changed says what else than points is otherwise.
func (c *Comparison) changed(resp *scoringv1.ExplainScoreResponse, before, after *scoring.Result) []string {
	var out []string
	say := func(what, from, to string) {
		if from != to {
			out = append(out, fmt.Sprintf("%s: from %s to %s", what, from, to))
		}
	}
	say("stage", before.Stage[c.Line].String(), after.Stage[c.Line].String())
	say("ready", yesNo(resp.GetBefore().GetReady()), yesNo(resp.GetAfter().GetReady()))
	for code := lead.Segment(1); int(code) < scoring.NumSegments; code++ {
		say("segment "+code.String(), c.membership(before, code), c.membership(after, code))
	}
	say("play", none(resp.GetBefore().GetPlay()), none(resp.GetAfter().GetPlay()))
	for i, x := range resp.GetBefore().GetIndices() {
		say(x.GetLabel(), none(x.GetBand()), none(resp.GetAfter().GetIndices()[i].GetBand()))
	}
	if before.NoConsent && !after.NoConsent {
		out = append(out, "profiling: as if it were granted")
	}
	return out
}

// membership says whether the person is in a segment, and at which level.
func (c *Comparison) membership(res *scoring.Result, code lead.Segment) string {
	if !res.Segments.Has(code) {
		return "out"
	}
	if level := c.Playbook.Scoring.Level(res, code); level != "" {
		return "in, " + level
	}
	return "in"
}

// bins says what every value of a feature would give.
func (c *Comparison) bins(f scoring.Feature) *scoringv1.FeatureBins {
	m := c.Playbook.Scoring
	was, is := c.Before.Values[f], c.After.Values[f]
	out := &scoringv1.FeatureBins{Feature: f.String(), Before: f.Text(was), After: f.Text(is)}
	_, _, alone := m.Extent(c.Line, f)
	others := m.PairedWith(c.Line, f)
	names := make([]string, len(others))
	for i, g := range others {
		names[i] = g.String()
	}
	switch together := "looks at it together with " + strings.Join(names, ", "); {
	case len(others) > 0 && alone:
		out.Note = c.Line.String() + " also " + together
	case len(others) > 0:
		out.Note = c.Line.String() + " " + together + " only"
	case !alone:
		out.Note = c.Line.String() + " does not look at it" + c.twin(f)
	}
	from, to := m.RangeOf(c.Line, f, was), m.RangeOf(c.Line, f, is)
	for i, r := range m.Ranges(c.Line, f) {
		out.Bins = append(out.Bins, &scoringv1.FeatureBin{Values: r.Words, Points: r.Points, Before: i == from, After: i == to})
	}
	return out
}

// twin names the count or recency of the same behaviour where the line looks at that.
func (c *Comparison) twin(f scoring.Feature) string {
	kind, _, _ := strings.Cut(f.String(), ".")
	for _, other := range [...]string{kind + ".count", kind + ".recency"} {
		if g, ok := scoring.ParseFeature(other); ok && g != f {
			if _, _, looks := c.Playbook.Scoring.Extent(c.Line, g); looks {
				return ", but at " + other
			}
		}
	}
	return ""
}

func yesNo(v bool) string {
	if v {
		return "yes"
	}
	return "no"
}

func none(text string) string {
	if text == "" {
		return "none"
	}
	return text
}
