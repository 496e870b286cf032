package routing

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
)

func TestReceiptsAreNamedByTheirAttempt(t *testing.T) {
	w := newWorld(t)
	id := w.customer(nil)
	w.decline("a", id)
	get := func(attempt int32) (*routingv1.GetReceiptResponse, error) {
		return w.s.GetReceipt(t.Context(), &routingv1.GetReceiptRequest{LeadId: id.String(), Attempt: attempt})
	}
	digests := map[int32]string{}
	for attempt, want := range []int32{2, 1, 2} { // 0 is the last
		attempt := int32(attempt)
		r, err := get(attempt)
		if err != nil || r.GetAttempts() != 2 || r.GetAttempt() != want {
			t.Fatalf("attempt %d: %v, %v", attempt, r, err)
		}
		digests[attempt] = r.GetDigest()
	}
	if diff := cmp.Diff(digests[2], digests[0]); diff != "" || digests[1] == digests[2] {
		t.Errorf("the last (-want +got):\n%s; all: %v", diff, digests)
	}
	_, err := get(3)
	wantReason(t, err, problemv1.Reason_REASON_NOT_FOUND)
	_, err = get(-1)
	wantReason(t, err, problemv1.Reason_REASON_INVALID_ARGUMENT)
}
