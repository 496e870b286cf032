package identity_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/core/identity"
)

func TestParamsComeBackAsTheyWereWritten(t *testing.T) {
	p := identity.Default()
	if p == nil || p.Prior >= 0 {
		t.Fatalf("the shipped parameters read as %v", p)
	}
	again, err := identity.ParseParams(p.Marshal())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(p, again); diff != "" {
		t.Errorf("(-written +read):\n%s", diff)
	}
	again.Match++
	if p.Revision() == again.Revision() {
		t.Error("other parameters have the same revision")
	}
}
