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
		address := lead.Address{Country: "DE", Region: "BW", Postal: "70173"}
		trigger := &lead.Lead{Trigger: true, Market: "DE", Parties: []lead.Party{{Phones: []lead.Phone{{E164: "+4915112345678"}}, Address: address}}}
		var want, got scoring.Inputs
		scoring.Extract(trigger, &p, decided, facts, &want)
		scoring.ExtractPerson(scoring.Person{Phone: true, Market: "DE", Country: "DE", Region: "BW", Postal: "70173"}, &p, decided, facts, &got)
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
	scoring.ExtractPerson(scoring.Person{}, nil, decided, scoring.Facts{}, &nobody)
	scoring.ExtractPerson(scoring.Person{Email: true}, nil, decided, scoring.Facts{}, &somebody)
	if nobody.Values[scoring.FeatureHasEmail] != 0 || somebody.Values[scoring.FeatureHasEmail] != 1 || somebody.Values[scoring.FeatureHasPhone] != 0 {
		t.Error("what somebody can be reached by is not told apart")
	}
	if n := testing.AllocsPerRun(100, func() {
		scoring.ExtractPerson(scoring.Person{}, &p, decided, scoring.Facts{}, &somebody)
	}); n > 1 {
		t.Errorf("%v allocations", n)
	}
}
