package routing

import (
	"net/http"
	"testing"
	"time"

	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
)

func TestNightlyTest(t *testing.T) {
	c := newCRM(t, func(n int, w http.ResponseWriter) {
		if n > 1 {
			w.WriteHeader(http.StatusForbidden)
		}
	})
	w := newADFWorld(t, &routingv1.PutWebhookRequest{DealerId: "a", Kind: deliveryADFHTTP, Url: c.URL, NightlyTest: true}, nil)
	w.putKind("c", deliveryADFHTTP, c.URL) // asks for no tests
	look := func(at time.Time, posts int, answer string) {
		t.Helper()
		w.now = at
		for range 2 { // the second look finds nothing to do
			if err := w.s.push.nightly(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		list, err := w.s.ListWebhooks(w.as("a"), &routingv1.ListWebhooksRequest{})
		if err != nil {
			t.Fatal(err)
		}
		if got := list.GetWebhooks()[0]; len(c.got()) != posts || got.GetTestAnswer() != answer || !got.GetEnabled() {
			t.Errorf("at %v: %d posts, %v", at, len(c.got()), got)
		}
	}
	look(monday, 0, "") // 10:00 at the store
	night := time.Date(2026, 3, 3, 7, 30, 0, 0, time.UTC)
	look(night, 1, "200")
	look(night.Add(12*time.Hour), 1, "200")
	look(night.Add(24*time.Hour), 2, "403")
	if got := w.state("a"); got != "" {
		t.Errorf("tests left deliveries: %s", got)
	}
	if p := prospects(t, c.got()[0].body)[0]; p.Status != "" {
		t.Errorf("status %q", p.Status)
	}
}
