package routing

import (
	"testing"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/signal"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
)

// A trigger lead is digital only as long as nothing but the lead is known: somebody with visits or
// calls behind them is no stranger to the store.
func TestDigitalOnlyKnowsTheHistory(t *testing.T) {
	w := newWorld(t)
	visited := signal.Profile{Vehicles: []signal.VehicleFacts{{Visits: []signal.Visit{{At: monday.Unix() - 86400, DealerID: "a"}}}}}
	for _, c := range []struct {
		name    string
		digital bool // as Capture found it
		profile signal.Profile
		want    bool
	}{
		{"a stranger", true, signal.Profile{}, true},
		{"somebody with service history", true, visited, false},
		{"a personal channel", false, signal.Profile{}, false},
	} {
		q := w.inquiry(c.name, func(l *leadv1.Lead) {
			l.Trigger, l.DigitalOnly, l.RequestType = true, c.digital, leadv1.RequestType_REQUEST_TYPE_UNSPECIFIED
		})
		q.profile = c.profile
		var v verdict
		w.rb.decide(q, w.now, &v)
		if got := v.choice.Receipt.DigitalOnly; got != c.want || v.line == lead.LineUnspecified {
			t.Errorf("%s: digital only %v on line %s", c.name, got, v.line)
		}
	}
}
