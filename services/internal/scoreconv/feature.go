package scoreconv

import (
	"slices"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/playbook"
	"github.com/leadmesh/leadmesh/core/scoring"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
)

// FeatureQuery says which features are wanted; its zero value asks for all.
type FeatureQuery struct {
	Line  lead.Line     // only those that it looks at
	Group scoring.Group // only those in it
}

// Features lists facts about leads with what the lines, segments and indices of a playbook make of them,
// by group.
func Features(pb *playbook.Playbook, q FeatureQuery) []*scoringv1.Feature {
	var all []scoring.Feature
	for f := scoring.FeatureNone + 1; f < scoring.NumFeatures; f++ {
		_, _, looks := pb.Scoring.Extent(q.Line, f)
		looks = looks || len(pb.Scoring.PairedWith(q.Line, f)) > 0
		if (looks || q.Line == lead.LineUnspecified) && (q.Group == scoring.GroupNone || q.Group == f.Group()) {
			all = append(all, f)
		}
	}
	slices.SortStableFunc(all, func(a, b scoring.Feature) int { return int(a.Group()) - int(b.Group()) })
	out := make([]*scoringv1.Feature, len(all))
	for i, f := range all {
		out[i] = feature(pb, f)
	}
	return out
}

func feature(pb *playbook.Playbook, f scoring.Feature) *scoringv1.Feature {
	out := &scoringv1.Feature{
		Feature: f.String(), Label: f.Label(), Group: f.Group().String(), GroupLabel: f.Group().Label(), Units: f.Unit().Units(),
		Values: f.Values(), ValueLabels: f.ValueLabels(), Tracked: f.Tracked(),
	}
	if f.Unit() != scoring.UnitCategory {
		least, most := f.Range()
		if low := int64(least); least > scoring.Missing+1 {
			out.Least = &low
		}
		if high := int64(most); most < scoring.Unbounded {
			out.Most = &high
		}
	}
	for line := lead.LineSales; int(line) < scoring.NumLines; line++ {
		least, most, alone := pb.Scoring.Extent(line, f)
		use := &scoringv1.FeatureUse{Line: leadv1.Line(line), ModelRevision: pb.Models[line], LeastPoints: least, MostPoints: most}
		for _, g := range pb.Scoring.PairedWith(line, f) {
			use.TogetherWith = append(use.TogetherWith, g.String())
		}
		if points, ok := pb.Scoring.Trigger(line); ok {
			use.NextLinePoints = &points
		}
		if alone || len(use.TogetherWith) > 0 {
			out.Uses = append(out.Uses, use)
		}
	}
	for code := lead.Segment(1); int(code) < scoring.NumSegments; code++ {
		if asked := pb.Scoring.Asks(code, f); asked != nil {
			out.Uses = append(out.Uses, &scoringv1.FeatureUse{Segment: leadv1.Segment(code), Rules: rules(asked)})
		}
	}
	for code := lead.Index(1); int(code) < scoring.NumIndices; code++ {
		if least, most, ok := pb.Scoring.IndexExtent(code, f); ok {
			out.Uses = append(out.Uses, &scoringv1.FeatureUse{Index: leadv1.Index(code), LeastPoints: least, MostPoints: most})
		}
	}
	return out
}

func rules(asked []scoring.Asked) []*scoringv1.FeatureRule {
	out := make([]*scoringv1.FeatureRule, len(asked))
	for i, a := range asked {
		out[i] = &scoringv1.FeatureRule{Level: a.Level, Asks: a.Words}
		for _, f := range a.With {
			out[i].TogetherWith = append(out[i].TogetherWith, f.String())
		}
	}
	return out
}
