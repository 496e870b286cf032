package capture_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/services/capture"
)

const adaJSON = `{"request_type":"QUOTE","source":{"source":"oem_site"},"parties":[{"name":{"full":"Ada Byron"},"emails":[{"address":"ada@byron.example.com"}]}]}`

func TestLeadIsDurableDecidedAndAnswered(t *testing.T) {
	w := newWorld(t, capture.Config{})
	r := w.mustPost(adaJSON, "k1")
	if diff := cmp.Diff("STATE_ASSIGNED D1", r.GetState().String()+" "+r.GetDecision().GetAssignment().GetDealerId()); diff != "" {
		t.Errorf("answer (-want +got):\n%s\n%v", diff, r)
	}
	if diff := cmp.Diff(places{Leads: 1, Decided: 1}, w.places()); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
}
