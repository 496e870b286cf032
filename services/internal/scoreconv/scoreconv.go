// Package scoreconv writes scores of core/scoring in their proto form, and what they were made from into
// receipts, the same way for everybody who answers or reads one.
package scoreconv

import (
	"math"
	"math/bits"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/playbook"
	"github.com/leadmesh/leadmesh/core/scoring"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
)

// language is the one that scores are written in.
const language = "en"

// reasons is how many of the strongest reasons a score carries.
const reasons = 5

// The labels of contributions that are no features.
const (
	labelBase     = "what every lead starts with"
	labelGroupCap = "this group of facts counts up to its limit only"
	labelTotalCap = "all facts together count up to their limit only"
	labelClamp    = "points are kept within 0 to 100"
)

// ToProto writes the score of one line. in and res must be those of one Score of pb.Scoring. With full
// it carries every contribution that gave or took points, the greatest
// first and the caps last, which add up to the points exactly, and all else that short answers leave out.
func ToProto(pb *playbook.Playbook, in *scoring.Inputs, res *scoring.Result, line lead.Line, full bool) *leadv1.Score {
	s := &leadv1.Score{Line: leadv1.Line(line)}
	if line == lead.LineUnspecified || int(line) >= scoring.NumLines {
		return s
	}
	m := pb.Scoring
	s.ModelRevision = pb.Models[line]
	s.Points, s.ProbabilityPpm = res.Points[line], res.Probability[line]
	s.Stage, s.Ready = leadv1.Stage(res.Stage[line]), scoring.Ready(line, res)
	if n := bits.OnesCount8(uint8(res.Segments)); n > 0 {
		s.Segments, s.SegmentDetails = make([]leadv1.Segment, 0, n), make([]*leadv1.ScoreSegment, 0, n)
	}
	for code := lead.Segment(1); int(code) < scoring.NumSegments; code++ {
		if !res.Segments.Has(code) {
			continue
		}
		detail := &leadv1.ScoreSegment{Segment: leadv1.Segment(code), Level: m.Level(res, code)}
		if full {
			detail.Label = lead.Label(language, "segment", code.String())
		}
		s.Segments, s.SegmentDetails = append(s.Segments, detail.Segment), append(s.SegmentDetails, detail)
	}
	if play := pb.Play(line, res.Active); play != nil {
		s.Play = play.ID
	}
	if res.NoConsent {
		var groups [scoring.NumGroups]scoring.GroupScore
		for _, g := range m.AppendGroups(groups[:0], res, line) {
			if g.NoConsent {
				s.NoConsentGroups = append(s.NoConsentGroups, g.Group.String())
			}
		}
	}
	n := reasons
	if full {
		n = math.MaxInt
	}
	var room [reasons]scoring.Reason
	strongest := m.AppendReasons(room[:0], in, res, line, n)
	s.Reasons = words(strongest)
	if full {
		s.Contributions = contributions(m.AppendContributions(nil, in, res, line), strongest)
		s.NextLine = nextLine(pb, in, res, line)
		detail(s, pb, res, line)
	}
	return s
}

// contributions writes all contributions of a score: the base, the given features and pairs, which are
// those that gave or took points, and the caps.
func contributions(all []scoring.Contribution, features []scoring.Reason) []*leadv1.Contribution {
	out := make([]*leadv1.Contribution, 0, len(features)+3)
	add := func(feature, label string, c scoring.Contribution) {
		out = append(out, &leadv1.Contribution{Feature: feature, Group: c.Group.String(), Points: c.Points, Label: label})
	}
	for _, c := range all {
		if c.Kind == scoring.ContributionBase {
			add("base", labelBase, c)
		}
	}
	for _, r := range features {
		if r.Kind == scoring.ContributionPair {
			add(pairName(r.Feature, r.Second), r.Label, r.Contribution)
			continue
		}
		add(r.Feature.String(), r.Label, r.Contribution)
		if r.Value > scoring.Missing {
			v := int64(r.Value)
			out[len(out)-1].Value, out[len(out)-1].ValueText = &v, r.Feature.Text(r.Value)
		}
	}
	for _, c := range all {
		switch c.Kind {
		case scoring.ContributionGroupCap:
			add("cap", labelGroupCap, c)
		case scoring.ContributionTotalCap:
			add("cap", labelTotalCap, c)
		case scoring.ContributionClamp:
			add("cap", labelClamp, c)
		}
	}
	return out
}

// pairName names two features that give points together.
func pairName(first, second scoring.Feature) string {
	return first.String() + " with " + second.String()
}

// words are the first reasons as people read them.
func words(strongest []scoring.Reason) []string {
	n := min(reasons, len(strongest))
	if n == 0 {
		return nil
	}
	out := make([]string, n)
	for i := range out {
		out[i] = strongest[i].Label
	}
	return out
}
