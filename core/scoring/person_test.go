package scoring_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/scoring"
)

// Somebody who asks for nothing is scored as the trigger lead that would be made of them.
func TestExtractPerson(t *testing.T) {
	p := lessee(t)
	for _, consent := range []lead.ConsentState{lead.ConsentStateGranted, lead.ConsentStateNone, lead.ConsentStateRevoked} {
		facts := scoring.Facts{Profiling: consent}
		trigger := &lead.Lead{Trigger: true, Parties: []lead.Party{{Phones: []lead.Phone{{E164: "+4915112345678"}}}}}
		var want, got scoring.Inputs
		scoring.Extract(trigger, &p, decided, facts, &want)
		scoring.ExtractPerson(&p, scoring.Reach{Phone: true}, decided, facts, &got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%v: %s", consent, diff)
		}
		if seen := got.Values[scoring.FeatureConfiguratorSavedCount] != scoring.Absent; seen != (consent == lead.ConsentStateGranted) || got.NoConsent == seen {
			t.Errorf("%v: tracked behaviour is seen: %v", consent, seen)
		}
		if got.Values[scoring.FeatureLeaseDaysToEnd] != 74 || got.Values[scoring.FeatureRequestType] != scoring.Missing {
			t.Errorf("%v: %v", consent, values(&got))
		}
	}
	var nobody, somebody scoring.Inputs
	scoring.ExtractPerson(nil, scoring.Reach{}, decided, scoring.Facts{}, &nobody)
	scoring.ExtractPerson(nil, scoring.Reach{Email: true}, decided, scoring.Facts{}, &somebody)
	if nobody.Values[scoring.FeatureHasEmail] != 0 || somebody.Values[scoring.FeatureHasEmail] != 1 || somebody.Values[scoring.FeatureHasPhone] != 0 {
		t.Error("what somebody can be reached by is not told apart")
	}
	if n := testing.AllocsPerRun(100, func() {
		scoring.ExtractPerson(&p, scoring.Reach{}, decided, scoring.Facts{}, &somebody)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
