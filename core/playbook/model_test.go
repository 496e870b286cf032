package playbook_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/playbook"
	"github.com/leadmesh/leadmesh/core/scoring"
)

// A model's table gives the points of its line; the playbook's stages, trigger and value stay, and so
// does every other line.
func TestWithModels(t *testing.T) {
	own := sample(t)
	table := scoring.Line{
		Base: 4200, Calibration: []scoring.Knot{{Points: 0, PPM: 1000}, {Points: 10000, PPM: 900000}},
		Stages: scoring.Stages{Consideration: 1, Intent: 2, Ready: 3}, Value: 7,
	}
	p, err := own.WithModels([]playbook.Model{{Revision: "m1", Line: lead.LineSales, Table: table}})
	if err != nil {
		t.Fatal(err)
	}
	var in scoring.Inputs
	in.Reset()
	var before, after scoring.Result
	own.Scoring.Score(&in, &before)
	p.Scoring.Score(&in, &after)
	if after.Points[lead.LineSales] != 4200 || before.Points[lead.LineSales] == 4200 {
		t.Errorf("SALES has %d points, had %d", after.Points[lead.LineSales], before.Points[lead.LineSales])
	}
	if after.Points[lead.LineService] != before.Points[lead.LineService] {
		t.Errorf("SERVICE has %d points, had %d", after.Points[lead.LineService], before.Points[lead.LineService])
	}
	line := own.Scorecards.Lines["SALES"]
	if diff := cmp.Diff(line.Stages, p.Scorecards.Lines["SALES"].Stages); diff != "" || p.Scoring.Value(lead.LineSales) != own.Scoring.Value(lead.LineSales) {
		t.Errorf("stages or value are the model's: %s", diff)
	}
	if line.TableHash() == p.Scorecards.Lines["SALES"].TableHash() || own.Models != [scoring.NumLines]string{} {
		t.Error("the playbook itself was changed")
	}
	if own.Scorer() != own.Revision || p.Scorer() != "m1" || p.Revision != own.Revision {
		t.Errorf("the scorers are %q and %q", own.Scorer(), p.Scorer())
	}
	two, err := p.WithModels([]playbook.Model{{Revision: "m2", Line: lead.LineService, Table: table}})
	if err != nil || two.Scorer() != "m1 m2" {
		t.Fatalf("two models: %v", err)
	}
	for scorer, want := range map[string][]string{own.Revision: nil, "m1": {"m1"}, "m1 m2": {"m1", "m2"}, "": {}} {
		if got := playbook.ScorerModels(own.Revision, scorer); !slices.Equal(got, want) {
			t.Errorf("%q names the models %q", scorer, got)
		}
	}
	bad := table
	bad.Calibration = nil
	if _, err := own.WithModels([]playbook.Model{{Revision: "m3", Line: lead.LineSales, Table: bad}}); err == nil {
		t.Error("a table without a calibration compiles")
	}
	delete(p.Scorecards.Lines, "SALES")
	if _, err := p.WithModels([]playbook.Model{{Revision: "m4", Line: lead.LineSales, Table: table}}); err == nil {
		t.Error("a model of a line without a scorecard fits")
	}
}
