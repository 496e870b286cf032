package scoreconv_test

import (
	"slices"
	"testing"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/playbook"
	"github.com/leadmesh/leadmesh/core/routing"
	"github.com/leadmesh/leadmesh/core/scoring"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
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

	// What if the lease had half a year more? The pair makes the difference.
	after := in.With([]scoring.Change{{Feature: scoring.FeatureLeaseDaysToEnd, Value: 330}})
	c := scoreconv.Comparison{Playbook: p, Line: lead.LineSales, Before: &in, After: &after, Changes: []scoring.Change{{Feature: scoring.FeatureLeaseDaysToEnd, Value: 330}}}
	resp := c.ToProto()
	if len(resp.GetDifferences()) != 1 || resp.GetDifference() != -700 {
		t.Fatalf("%v", resp.GetDifferences())
	}
	d := resp.GetDifferences()[0]
	if d.GetFeature() != "visits_24m with lease_days_to_end" || d.GetBeforePoints() != 900 || d.GetAfterPoints() != 200 ||
		d.GetBefore() != "4 workshop visits in 24 months, and lease ends in 150 days" || d.GetAfter() != "4 workshop visits in 24 months, and lease ends in 330 days" {
		t.Errorf("%v", d)
	}
	if got := resp.GetFeatures()[0].GetNote(); got != "SALES looks at it together with visits_24m only" {
		t.Errorf("note %q", got)
	}
	listed := map[string]bool{}
	for _, f := range scoreconv.Features(p, scoreconv.FeatureQuery{Line: lead.LineSales}) {
		listed[f.GetFeature()] = true
		for _, u := range f.GetUses() {
			if u.GetLine() == leadv1.Line_LINE_SALES && f.GetFeature() == "visits_24m" && !slices.Equal(u.GetTogetherWith(), []string{"lease_days_to_end"}) {
				t.Errorf("SALES makes of visits %v", u)
			}
		}
	}
	if !listed["visits_24m"] || !listed["lease_days_to_end"] || !listed["has_phone"] || len(listed) != 3 {
		t.Errorf("SALES looks at %v", listed)
	}
}
