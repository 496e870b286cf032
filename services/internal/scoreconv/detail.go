package scoreconv

import (
	"fmt"
	"strings"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/playbook"
	"github.com/leadmesh/leadmesh/core/scoring"
	"github.com/leadmesh/leadmesh/core/scoring/card"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
)

// detail adds to a score how sure it is, what its groups gave, and words for its codes.
func detail(s *leadv1.Score, pb *playbook.Playbook, res *scoring.Result, line lead.Line) {
	if res.Stage[line] == lead.StageUnspecified {
		return // no points table scores the line
	}
	s.ProbabilityInterval = interval(pb, pb.Scoring.Interval(res, line), line)
	var groups [scoring.NumGroups]scoring.GroupScore
	for _, g := range pb.Scoring.AppendGroups(groups[:0], res, line) {
		s.Groups = append(s.Groups, group(g))
	}
	s.LineLabel = lead.Label(language, "line", line.String())
	s.StageLabel = lead.Label(language, "stage", res.Stage[line].String())
	if play := pb.Play(line, res.Active); play != nil {
		s.PlayTitle = play.Title
	}
}

// Bound says how sure a score is of which only the points are known, by the playbook and models that
// made them.
func Bound(s *leadv1.Score, pb *playbook.Playbook) {
	line := lead.Line(s.GetLine())
	s.ProbabilityInterval = interval(pb, pb.Scoring.IntervalAt(line, s.GetPoints()), line)
}

func interval(pb *playbook.Playbook, i scoring.Interval, line lead.Line) *leadv1.ProbabilityInterval {
	out := &leadv1.ProbabilityInterval{LowPpm: i.Low, HighPpm: i.High, Basis: "the outcomes that the model was learned from"}
	switch model := pb.Models[line] != ""; {
	case i.PriorLeads > 0 && model:
		out.Basis = fmt.Sprintf("a model without bounds of its own, taken for as much as %d leads", i.PriorLeads)
	case i.PriorLeads > 0:
		out.Basis = fmt.Sprintf("an expert's table, taken for as much as %d leads", i.PriorLeads)
	case !model:
		out.Basis = "the bounds that the playbook gives"
	}
	return out
}

func group(g scoring.GroupScore) *leadv1.ScoreGroup {
	return &leadv1.ScoreGroup{Group: g.Group.String(), Label: g.Group.Label(), Points: g.Points, CapPoints: g.Cap, Note: note(g)}
}

// note says what a cap or a missing consent changed.
func note(g scoring.GroupScore) string {
	var words []string
	if g.Cap != 0 {
		words = append(words, fmt.Sprintf("its limit makes %s of %s", points(g.Points), points(g.Points-g.Cap)))
	}
	if g.NoConsent {
		words = append(words, "tracked behaviour is left out: profiling is not granted")
	}
	return strings.Join(words, "; ")
}

func points(p int32) string { return string(card.AppendPoints(nil, p)) }
