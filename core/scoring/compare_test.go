package scoring_test

import (
	"math/rand/v2"
	"testing"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/scoring"
)

// However two leads differ, what is said to make the difference adds up to it.
func TestDifferencesAddUp(t *testing.T) {
	m, problems := scoring.Compile(example())
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	r := rand.New(rand.NewPCG(3, 4))
	kinds := map[scoring.ContributionKind]int{}
	for range 3000 {
		a := randomInputs(r)
		var changes []scoring.Change
		for range r.IntN(6) {
			b := randomInputs(r)
			f := scoring.Feature(1 + r.IntN(int(scoring.NumFeatures)-1))
			changes = append(changes, scoring.Change{Feature: f, Value: max(b.Values[f], scoring.Missing)})
		}
		b := a
		if r.IntN(3) == 0 {
			b.Grant()
		}
		b = b.With(changes)
		var was, is scoring.Result
		m.Score(&a, &was)
		m.Score(&b, &is)
		for line := lead.LineSales; int(line) < scoring.NumLines; line++ {
			sum := int32(0)
			for _, d := range m.Compare(scoring.Scored{Inputs: &a, Result: &was}, scoring.Scored{Inputs: &b, Result: &is}, line) {
				sum += d.Points()
				kinds[d.Kind()]++
				if d.Points() == 0 || d.Kind() == scoring.ContributionBase {
					t.Fatalf("%v: %+v makes no difference", line, d)
				}
			}
			if want := is.Points[line] - was.Points[line]; sum != want {
				t.Fatalf("%v: %d of a difference of %d", line, sum, want)
			}
		}
	}
	for _, k := range []scoring.ContributionKind{scoring.ContributionFeature, scoring.ContributionGroupCap, scoring.ContributionClamp} {
		if kinds[k] == 0 {
			t.Errorf("no %v ever made a difference: the test says little", k)
		}
	}
}

// Without consent a tracked fact stays out whatever it is said to be; with it, it counts.
func TestChangesKeepToConsent(t *testing.T) {
	var in scoring.Inputs
	in.Reset()
	in.DropTracked()
	change := []scoring.Change{{Feature: scoring.FeatureConfiguratorSavedCount, Value: 3000}, {Feature: scoring.FeatureHasPhone, Value: 1}}
	if out := in.With(change); out.Values[scoring.FeatureConfiguratorSavedCount] != scoring.Absent || out.Values[scoring.FeatureHasPhone] != 1 {
		t.Errorf("without consent: %v", out)
	}
	in.Grant()
	out := in.With(change)
	if out.Values[scoring.FeatureConfiguratorSavedCount] != 3000 || out.Values[scoring.FeatureConfiguratorSavedRecency] != scoring.Missing || out.NoConsent {
		t.Errorf("with consent: %v", out)
	}
	if in.Values[scoring.FeatureHasPhone] != scoring.Missing {
		t.Error("the inputs themselves were changed")
	}
}
