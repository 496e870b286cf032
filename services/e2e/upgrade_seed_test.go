package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
)

// seeds are leads in many states that the old program made, and what it said of them.
type seeds struct {
	bodies   map[string]string // by key
	lead     map[string]string // key -> lead id
	receipts map[string][]byte // by key, as first answered
	attempts map[string]int    // by key, which attempt's receipt that is
}

func (s *seeds) ids() []string {
	var ids []string
	for _, id := range s.lead {
		ids = append(ids, id)
	}
	return ids
}

// seed makes leads in every state that a dealer and a sender can bring about. It is written with
// what the old program understands and must stay so.
func seed(t *testing.T, w *world) *seeds {
	t.Helper()
	s := &seeds{bodies: map[string]string{}, lead: map[string]string{}, receipts: map[string][]byte{}, attempts: map[string]int{}}
	const chosen = `,"dealer":{"dealer_id":"` + tokenDealer + `"},"dealer_choice":"DEALER_CHOICE_CUSTOMER_CHOSE"`
	take := func(key, body string) *capturev1.LeadResult {
		s.bodies[key] = body
		var r *capturev1.LeadResult
		eventually(t, patience, key+" is decided", func() bool { // processes that just started may answer 202 first
			code, raw := w.call(t, "oem", http.MethodPost, "/v1/leads", nil, body)
			if r = (&capturev1.LeadResult{}); code != http.StatusOK || unmarshal(raw, r) != nil {
				return false
			}
			return r.GetDecision() != nil || r.GetState() == leadv1.State_STATE_REJECTED
		})
		s.lead[key] = r.GetLeadId()
		return r
	}
	do := func(route, body string) {
		t.Helper()
		if code, raw := w.call(t, "ops", http.MethodPost, route, nil, body); code != http.StatusOK || bytes.Contains(raw, []byte(`"problem"`)) {
			t.Fatalf("POST %s answered %d: %s", route, code, raw)
		}
	}
	activity := func(key, more string) {
		do("/v1/activities:batch", fmt.Sprintf(`{"activities":[{"activity_id":"seed-act-%s","lead_id":%q,"person_id":"p-1",%s}]}`, key, s.lead[key], more))
	}
	outcome := func(key, more string) {
		do("/v1/outcomes:batch", fmt.Sprintf(`{"outcomes":[{"outcome_id":"seed-out-%s","lead_id":%q,%s}]}`, key, s.lead[key], more))
	}
	for _, key := range []string{"assigned", "accepted", "engaged", "won", "lost", "appointed"} {
		take(key, person("seed-"+key, "Seed"+key, "80205", chosen))
	}
	for _, key := range []string{"accepted", "engaged", "won", "lost", "appointed"} {
		do("/v1/leads/"+s.lead[key]+":accept", `{}`)
	}
	const talk = `"kind":"ACTIVITY_KIND_CALL","call_result":"CALL_RESULT_CONNECTED","talk_seconds":180`
	for _, key := range []string{"engaged", "won", "lost", "appointed"} {
		activity(key, talk)
	}
	outcome("won", `"kind":"OUTCOME_KIND_WON","revenue":{"minor":"3150000","currency":"USD"}`)
	outcome("lost", `"kind":"OUTCOME_KIND_LOST","lost_code":"LOST_CODE_PRICE"`)
	take("declined", person("seed-declined", "Seeddeclined", "80211", ""))
	do("/v1/leads/"+s.lead["declined"]+":decline", `{"code":"DECLINE_CODE_NO_CAPACITY"}`)
	take("holder", person("seed-holder", "Seedholder", "60614", ""))
	take("merged", person("seed-merged", "Seedholder", "60614", `,"comments":"me again"`))
	take("rejected", `{"idempotency_key":"seed-rejected","parties":[{"name":{"given":"Nobody"}}],"vehicles":[{"make":"Norrvind"}]}`)
	take("extra", person("seed-extra", "Seedextra", "73301", `,"favourite_colour":"moss"`))
	s.readable(t, w)
	return s
}

// readable reads every seed and checks that a receipt, once given, stays the same to the byte.
func (s *seeds) readable(t *testing.T, w *world) {
	t.Helper()
	for key, id := range s.lead {
		if code, raw := w.call(t, "ops", http.MethodGet, "/v1/leads/"+id, nil, ""); code != http.StatusOK {
			t.Errorf("reading the %s lead answered %d: %s", key, code, raw)
		}
		if key == "rejected" {
			continue // has no receipt
		}
		// An attempt that met a full dealer leaves no receipt, so the first that is kept may be the
		// second attempt's: which one it is stands in it, for the old program names it nowhere else.
		attempt := s.attempts[key]
		code, raw := w.call(t, "ops", http.MethodGet, fmt.Sprintf("/v1/leads/%s/receipt?attempt=%d", id, attempt), nil, "")
		var got struct {
			Receipt json.RawMessage `json:"receipt"`
		}
		if code != http.StatusOK || json.Unmarshal(raw, &got) != nil {
			t.Errorf("the receipt of the %s lead (attempt %d, 0 is the last) answered %d: %s", key, attempt, code, raw)
			continue
		}
		if attempt == 0 {
			var facts struct {
				Attempt int `json:"attempt"`
			}
			if err := json.Unmarshal(got.Receipt, &facts); err != nil {
				t.Fatal(err)
			}
			s.attempts[key], s.receipts[key] = facts.Attempt+1, got.Receipt
		}
		if !bytes.Equal(got.Receipt, s.receipts[key]) {
			t.Errorf("the receipt of the %s lead was\n%s\nand is\n%s", key, s.receipts[key], got.Receipt)
		}
	}
}

// pending lets each program take leads that cannot be decided, and both drive them.
func (s *seeds) pending(t *testing.T, before, after *world) {
	t.Helper()
	db := before.database(t)
	release := before.hold(t, "routing.decision")
	var wg sync.WaitGroup
	var mu sync.Mutex
	for i := range 6 { // at once: the table may be held for a few seconds only
		wg.Go(func() {
			w := []*world{before, after}[i%2]
			body := person(fmt.Sprintf("seed-pending-%d", i), givenNames[i%len(givenNames)], "98101", "")
			code, raw, err := w.try(t.Context(), "oem", http.MethodPost, "/v1/leads", nil, body)
			r := &capturev1.LeadResult{}
			if err != nil || code != http.StatusAccepted || unmarshal(raw, r) != nil {
				t.Errorf("a lead that cannot be decided answered %d: %s %v", code, raw, err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			s.bodies[fmt.Sprintf("pending-%d", i)], s.lead[fmt.Sprintf("pending-%d", i)] = body, r.GetLeadId()
		})
	}
	wg.Wait()
	db.exec(t, `UPDATE capture.pending SET next_attempt_at = now() - interval '1 second'`)
	release()
	eventually(t, patience, "what was pending is decided", func() bool {
		n := 0
		for key, id := range s.lead {
			if strings.HasPrefix(key, "pending-") {
				n += db.count(t, `SELECT count(*) FROM routing.decision WHERE lead_id = $1::uuid`, id)
			}
		}
		return n == 6
	})
}

// worksOnBoth lets a dealer work through each program on leads that the other one took.
func (s *seeds) worksOnBoth(t *testing.T, before, after *world) {
	t.Helper()
	const chosen = `,"dealer":{"dealer_id":"` + tokenDealer + `"},"dealer_choice":"DEALER_CHOICE_CUSTOMER_CHOSE"`
	for _, c := range []struct {
		name         string
		takes, works *world
	}{{"oldtakes", before, after}, {"newtakes", after, before}} {
		body := person("seed-"+c.name, "Seed"+c.name, "80205", chosen)
		var r *capturev1.LeadResult
		eventually(t, patience, c.name+" is decided", func() bool {
			r = submit(t, c.takes, body)
			return r.GetDecision() != nil
		})
		s.bodies[c.name], s.lead[c.name] = body, r.GetLeadId()
		for _, step := range []struct{ route, body string }{
			{"/v1/leads/" + r.GetLeadId() + ":accept", `{}`},
			{"/v1/activities:batch", fmt.Sprintf(`{"activities":[{"activity_id":"both-act-%s","lead_id":%q,"person_id":"p-1","kind":"ACTIVITY_KIND_CALL","call_result":"CALL_RESULT_CONNECTED","talk_seconds":180}]}`, c.name, r.GetLeadId())},
			{"/v1/outcomes:batch", fmt.Sprintf(`{"outcomes":[{"outcome_id":"both-out-%s","lead_id":%q,"kind":"OUTCOME_KIND_WON","revenue":{"minor":"3150000","currency":"USD"}}]}`, c.name, r.GetLeadId())},
		} {
			if code, raw := c.works.call(t, "ops", http.MethodPost, step.route, nil, step.body); code != http.StatusOK || bytes.Contains(raw, []byte(`"problem"`)) {
				t.Errorf("%s: POST %s answered %d: %s", c.name, step.route, code, raw)
			}
		}
		eventually(t, patience, c.name+": a lead won through the other program is won", func() bool { // a report may be applied after its answer
			got := &capturev1.GetLeadResponse{}
			c.takes.get(t, "ops", "/v1/leads/"+r.GetLeadId(), got)
			return got.GetState() == leadv1.State_STATE_WON
		})
		if again := submit(t, c.works, body); again.GetLeadId() != r.GetLeadId() || !again.GetDuplicateRequest() {
			t.Errorf("%s: sent again to the other program it is %v", c.name, again)
		}
	}
}
