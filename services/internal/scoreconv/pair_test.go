package scoreconv_test

import (
	"testing"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/playbook"
	"github.com/leadmesh/leadmesh/core/routing"
	"github.com/leadmesh/leadmesh/core/scoring"
	"github.com/leadmesh/leadmesh/services/internal/scoreconv"
)

const pairedCard = `target: {line: SALES}
base: 20
rows:
  - feature: has_phone
    kind: category
    bins: [{values: [yes], points: 4}, {else: yes, points: 0}]
pairs:
  - first: {feature: visits_24m, kind: number, parts: [{below: 2.5}, {else: yes}]}
    second: {feature: lease_days_to_end, kind: number, parts: [{below: 181}, {else: yes}]}
    points: [[1, 0], [9, 2]]
calibration: [{points: 0, chance: 1 %}, {points: 100, chance: 60 %}]
`

// A model may have pairs: its points are explained with them, and the receipt's inputs give them again.
func TestPairsOfAModel(t *testing.T) {
	_, model, problems := playbook.ReadModel(lead.LineSales, []byte(pairedCard))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	p, err := sample(t).WithModels([]playbook.Model{model})
	if err != nil {
		t.Fatal(err)
	}
	in := loyal()
	var res, again scoring.Result
	p.Scoring.Score(&in, &res)
	s := scoreconv.ToProto(p, &in, &res, lead.LineSales, true)
	sum, pairs := int32(0), 0
	for _, c := range s.GetContributions() {
		sum += c.GetPoints()
		if c.GetFeature() == "visits_24m with lease_days_to_end" {
			pairs++
			if c.Value != nil || c.GetPoints() != 900 || c.GetLabel() != "4 workshop visits in 24 months, and lease ends in 150 days" {
				t.Errorf("%v", c)
			}
		}
	}
	if pairs != 1 || sum != 3300 || s.GetPoints() != sum || s.GetModelRevision() != model.Revision {
		t.Errorf("%d pairs, %d points, %v", pairs, sum, s)
	}
	kept := scoreconv.Inputs(&routing.Receipt{Inputs: scoreconv.AppendInputs(nil, &in)})
	p.Scoring.Score(&kept, &again)
	if again.Points != res.Points {
		t.Errorf("%v points from the receipt, %v before", again.Points, res.Points)
	}
}
