package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
)

// TestWatched runs what observers see: traces, metrics, and no word about a customer in either.
func TestWatched(t *testing.T) {
	if testing.Short() {
		t.Skip("starts whole houses")
	}
	watchedShapes(t, func(t *testing.T, w *world, c *watch) {
		crm := pushes(t, w, pushedDealer)
		t.Run("one trace per lead", func(t *testing.T) { oneTrace(t, w, c, crm) })
		t.Run("a batch is a trace per lead, linked to the caller's", func(t *testing.T) { batchTraces(t, w, c) })
		t.Run("an unrecorded trace records nothing", func(t *testing.T) { unrecordedTrace(t, w, c) })
		t.Run("metrics", func(t *testing.T) { metrics(t, w, c) })
		t.Run("no personal data", func(t *testing.T) { privacy(t, w, c, crm) })
	})
}

// pushedDealer is a store of the sample that wants its leads pushed.
const pushedDealer = "nv-az-002"

// crm is a dealer's system.
type crm struct {
	*httptest.Server
	got    atomic.Int64
	refuse atomic.Bool // answers 500
}

// pushes sets up a dealer's system and waits until leads go there.
func pushes(t *testing.T, w *world, dealer string) *crm {
	t.Helper()
	c := &crm{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if c.refuse.Load() {
			rw.WriteHeader(http.StatusInternalServerError)
			return
		}
		c.got.Add(1)
		rw.WriteHeader(http.StatusOK)
	}))
	t.Cleanup(c.Close)
	body := fmt.Sprintf(`{"dealer_id":%q,"url":%q,"enabled":true}`, dealer, c.URL+"/leads")
	if code, raw := w.call(t, "oem", http.MethodPut, "/v1/webhooks", nil, body); code != http.StatusOK {
		t.Fatalf("PUT /v1/webhooks answered %d: %s", code, raw)
	}
	n := 0
	eventually(t, patience, "leads are pushed", func() bool {
		if c.got.Load() > 0 {
			return true
		}
		if n++; n%10 == 1 { // the network's change is followed within a second
			submit(t, w, person(fmt.Sprintf("push-%s-%d", dealer, n), fmt.Sprintf("Pusha%c", 'a'+n%26), "85257", chosenStore(dealer)))
		}
		return false
	})
	return c
}

func chosenStore(dealer string) string {
	return `,"dealer":{"dealer_id":"` + dealer + `"},"dealer_choice":"DEALER_CHOICE_CUSTOMER_CHOSE"`
}

// stages are the spans of a lead's road.
var stages = []string{telemetry.SpanCapture, telemetry.SpanResolve, telemetry.SpanDecide, telemetry.SpanCommit, telemetry.SpanDeliver}

func oneTrace(t *testing.T, w *world, c *watch, crm *crm) {
	const trace, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	before := crm.got.Load()
	// Sent once: each time it is sent is a child of the caller's span. Answered 202 it is decided later.
	code, raw := w.callOnce(t, "oem", http.MethodPost, "/v1/leads", map[string]string{"traceparent": "00-" + trace + "-" + parent + "-01"},
		person("trace-1", "Ragna", "85257", chosenStore(pushedDealer)))
	r := &capturev1.LeadResult{}
	if err := unmarshal(raw, r); code != http.StatusOK && code != http.StatusAccepted || err != nil {
		t.Fatalf("answered %d %v: %s", code, err, raw)
	}
	eventually(t, patience, "the lead is pushed", func() bool { return crm.got.Load() > before })
	got := &capturev1.GetLeadResponse{}
	eventually(t, patience, "the lead is decided", func() bool {
		got.Reset()
		w.get(t, "oem", "/v1/leads/"+r.GetLeadId(), got)
		return got.GetDecision().GetAssignment() != nil
	})
	if to := got.GetDecision().GetAssignment().GetDealerId(); to != pushedDealer {
		t.Fatalf("the lead went to %s", to)
	}
	// Each process sends its spans when it has some, and a parent ends after its children.
	parents, orphan := 0, ""
	eventually(t, patience, "every stage is in the caller's trace, and every span's parent", func() bool {
		names := c.ofTrace(trace)
		if slices.ContainsFunc(stages, func(s string) bool { return !slices.Contains(names, s) }) {
			return false
		}
		ids := map[string]seenSpan{}
		for _, s := range c.seen(func(s seenSpan) bool { return s.trace == trace }) {
			ids[s.id] = s
		}
		last := orphan
		parents, orphan = 0, ""
		for _, s := range ids {
			if s.parent == parent {
				parents++
			} else if _, ok := ids[s.parent]; !ok {
				orphan = max(orphan, s.name+" of "+s.parent)
			}
		}
		if orphan != "" && orphan != last {
			t.Logf("a span whose parent is none of its trace so far: %s", orphan)
		}
		return orphan == "" && parents > 0
	})
	if parents != 1 {
		t.Errorf("%d spans are children of the caller's, want the door's only", parents)
	}
	for _, s := range c.seen(func(s seenSpan) bool { return s.lead == r.GetLeadId() && slices.Contains(stages, s.name) }) {
		if s.trace != trace {
			t.Errorf("%s of the lead is in the trace %s", s.name, s.trace)
		}
	}
}

func batchTraces(t *testing.T, w *world, c *watch) {
	const trace = "1af7651916cd43dd8448eb211c80319d"
	leads := []string{person("trace-b1", "Solveig", "80205", ""), person("trace-b2", "Torunn", "10001", ""), person("trace-b3", "Ylva", "85257", chosenStore(pushedDealer))}
	code, raw := w.callOnce(t, "oem", http.MethodPost, "/v1/leads:batch", map[string]string{"traceparent": "00-" + trace + "-b7ad6b7169203331-01"},
		`{"leads":[`+strings.Join(leads, ",")+`]}`)
	resp := &capturev1.BatchCreateLeadsResponse{}
	if err := unmarshal(raw, resp); code != http.StatusOK || err != nil || len(resp.GetResults()) != 3 {
		t.Fatalf("answered %d %v: %s", code, err, raw)
	}
	own := map[string]bool{}
	for i, r := range resp.GetResults() {
		want := stages[:4]
		if i == 2 {
			want = stages
		}
		var spans []seenSpan
		eventually(t, patience, fmt.Sprintf("every stage of lead %d", i+1), func() bool {
			spans = c.seen(func(s seenSpan) bool { return s.lead == r.GetLeadId() })
			return !slices.ContainsFunc(want, func(name string) bool {
				return !slices.ContainsFunc(spans, func(s seenSpan) bool { return s.name == name })
			})
		})
		for _, s := range spans {
			if s.trace != spans[0].trace {
				t.Errorf("lead %d: %s is in another trace than %s", i+1, s.name, spans[0].name)
			}
			if s.name == telemetry.SpanCapture && !slices.Contains(s.links, trace) {
				t.Errorf("lead %d is not linked to the caller's trace but to %v", i+1, s.links)
			}
		}
		own[spans[0].trace] = true
	}
	if len(own) != 3 || own[trace] {
		t.Errorf("three leads have the traces %v", own)
	}
}

func unrecordedTrace(t *testing.T, w *world, c *watch) {
	const trace = "2af7651916cd43dd8448eb211c80319e"
	header := map[string]string{"traceparent": "00-" + trace + "-b7ad6b7169203331-00"}
	code, raw := w.sendLead(t, header, person("trace-u", "Una", "85257", chosenStore(pushedDealer)))
	var r struct {
		State string `json:"state"`
	}
	if err := json.Unmarshal(raw, &r); code != http.StatusOK || err != nil || r.State != leadv1.State_STATE_ASSIGNED.String() {
		t.Fatalf("answered %d %v: %s", code, err, raw)
	}
	// What comes after it is exported after it.
	header["traceparent"] = "00-3af7651916cd43dd8448eb211c80319e-b7ad6b7169203331-01"
	w.sendLead(t, header, person("trace-v", "Vigdis", "85257", chosenStore(pushedDealer)))
	eventually(t, patience, "the next lead's trace", func() bool {
		return slices.Contains(c.ofTrace("3af7651916cd43dd8448eb211c80319e"), telemetry.SpanDeliver)
	})
	if got := c.ofTrace(trace); len(got) > 0 {
		t.Errorf("a trace that is not recorded has the spans %v", got)
	}
}
