package scoreconv

import (
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/playbook"
	"github.com/leadmesh/leadmesh/core/scoring"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
)

// nextLine writes the other line most worth talking about; nil when there is none.
func nextLine(pb *playbook.Playbook, in *scoring.Inputs, res *scoring.Result, beside lead.Line) *leadv1.NextLine {
	m := pb.Scoring
	line := m.Next(res, beside)
	if line == lead.LineUnspecified {
		return nil
	}
	threshold, _ := m.Trigger(line)
	chance := res.Probability[line]
	return &leadv1.NextLine{
		Line: leadv1.Line(line), Label: lead.Label(language, "line", line.String()),
		Points: res.Points[line], Threshold: threshold, ProbabilityPpm: chance,
		ExpectedValue: &leadv1.Money{Minor: (int64(chance)*m.Value(line) + 500_000) / 1_000_000, Currency: pb.Currency},
		Reasons:       words(m.Explain(in, res, line, reasons)),
	}
}
