package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
)

// declared are the facts that no lead and no signal says by itself: the playbook's catalogue, offers,
// incentives and chargers make them known.
var declared = []string{"services_done", "payment_change", "equity", "repair_value_share", "chargers_nearby", "incentive_eligible"}

// TestDeclaredFactsAreKnown follows three customers of the sample's brands from their signals to the
// receipts of their leads.
func TestDeclaredFactsAreKnown(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a whole house")
	}
	w := inProcess(t, nil)
	ago := func(days int) string { return time.Now().UTC().AddDate(0, 0, -days).Format(time.RFC3339) }
	n := 0
	signal := func(account, kind, more string, days int) string {
		n++
		return fmt.Sprintf(`{"signal_id":"declared-%d","kind":"SIGNAL_KIND_%s","occurred_at":%q,"identifiers":[{"kind":"IDENTIFIER_KIND_OEM_ACCOUNT","source":"norrvind_id","value":%q}]%s}`,
			n, kind, ago(days), account, more)
	}
	const tindra, astrel = "5ZNTN3H62KK204417", "5ZSAS4H19MK720655"
	owned := func(vin, more string) string { return fmt.Sprintf(`,"vin":%q%s`, vin, more) }
	usd := func(whole int) string { return fmt.Sprintf(`{"minor":%d,"currency":"USD"}`, whole*100) }
	answer := &identityv1.BatchCreateSignalsResponse{}
	signals := []string{
		// Ada: two services due in two years, both done; an appraisal and a payoff quote.
		signal("acc-ada", "VEHICLE_SOLD", owned(tindra, `,"model_code":"N300","odometer":10,"odometer_unit":"ODOMETER_UNIT_MI","vehicle_status":"VEHICLE_STATUS_NEW"`), 800),
		signal("acc-ada", "LEASE_STARTED", owned(tindra, `,"ends_at":"`+ago(-400)+`","amount":`+usd(450)), 800),
		signal("acc-ada", "SERVICE_VISIT", owned(tindra, `,"pay_type":"C"`), 430),
		signal("acc-ada", "SERVICE_VISIT", owned(tindra, `,"pay_type":"C"`), 60),
		signal("acc-ada", "SERVICE_DECLINED", owned(tindra, `,"amount":`+usd(2800)), 60),
		signal("acc-ada", "MILEAGE", owned(tindra, `,"odometer":20000,"odometer_unit":"ODOMETER_UNIT_MI","vehicle_value":`+usd(28000)+`,"payoff":`+usd(20000)), 5),
		signal("acc-ada", "INVENTORY_VIEW", `,"model_code":"N500E"`, 1),
		signal("acc-ada", "INVENTORY_VIEW", `,"model_code":"N500E"`, 2),
		// Ben: nobody appraised his car, so the table says what it is worth; its contract says what he owes.
		signal("acc-ben", "VEHICLE_SOLD", owned(astrel, `,"model_code":"S400","vehicle_status":"VEHICLE_STATUS_NEW"`), 731),
		signal("acc-ben", "LEASE_STARTED", owned(astrel, `,"ends_at":"`+ago(-365)+`","amount":`+usd(600)+`,"payoff":`+usd(48000)+`,"residual":`+usd(26000)), 731),
		signal("acc-ben", "MILEAGE", owned(astrel, `,"odometer":20000,"odometer_unit":"ODOMETER_UNIT_MI"`), 0),
	}
	w.post(t, "oem", "/v1/signals:batch", `{"signals":[`+strings.Join(signals, ",")+`]}`, answer)
	if int(answer.GetAccepted()) != len(signals) {
		t.Fatalf("signals: %v", answer)
	}

	lead := func(account, given, postal, region, vehicles string) *capturev1.LeadResult {
		t.Helper()
		return submit(t, w, fmt.Sprintf(`{"idempotency_key":%q,"request_type":"REQUEST_TYPE_QUOTE","origin":"ORIGIN_OEM","source":{"channel":"web","source":"oem_site"},
			"identifiers":[{"kind":"IDENTIFIER_KIND_OEM_ACCOUNT","source":"norrvind_id","value":%q}],
			"parties":[{"name":{"given":%q,"family":"Declared"},"emails":[{"address":%q}],"address":{"postal_code":%q,"region":%q,"country":"US"}}],"vehicles":[%s],
			"consents":[{"controller":"CONTROLLER_OEM","purpose":"PURPOSE_PROFILING","state":"CONSENT_STATE_GRANTED"}]}`, given, account, given, mailbox(given), postal, region, vehicles))
	}
	sought := func(make, model string) string {
		return fmt.Sprintf(`{"role":"VEHICLE_ROLE_SOUGHT","status":"VEHICLE_STATUS_NEW","make":%q,"model":%q,"year":2026}`, make, model)
	}
	ada := lead("acc-ada", "Ada", "98115", "WA", sought("Norrvind", "Lomvi 5"))
	ben := lead("acc-ben", "Ben", "30309", "GA", sought("Solvane", "Orvane e5"))
	eve := lead("acc-eve", "Eve", "59101", "MT", "") // of whom nothing is known, where nobody counted chargers
	for _, tt := range []struct {
		name string
		r    *capturev1.LeadResult
		want map[string]int64
	}{
		{"ada", ada, map[string]int64{
			"services_done":      1000,                         // two of two
			"payment_change":     20,                           // 459 for the Lomvi 5, 450 now
			"equity":             8000,                         // 28,000 less 20,000
			"repair_value_share": 100,                          // 2,800 of 28,000
			"chargers_nearby":    456, "incentive_eligible": 1, // in the state of Washington, below the cap
		}},
		{"ben", ben, map[string]int64{
			"services_done":   0,                            // two of Solvane's were due
			"payment_change":  165,                          // 699 for the Orvane e5, 600 now
			"equity":          4044,                         // 72 % of 51,900, less two thirds of the way from 48,000 to 26,000
			"chargers_nearby": 318, "incentive_eligible": 0, // none in Georgia
		}},
		{"eve", eve, map[string]int64{}},
	} {
		got := map[string]int64{}
		for name, v := range receiptInputs(t, w, tt.r.GetLeadId()) {
			for _, known := range declared {
				if name == known {
					got[name] = v
				}
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
		replays(t, w, tt.r.GetLeadId())
	}

	levels := map[leadv1.Segment]string{}
	for _, s := range ada.GetDecision().GetScore().GetSegmentDetails() {
		levels[s.GetSegment()] = s.GetLevel()
	}
	want := map[leadv1.Segment]string{leadv1.Segment_SEGMENT_RENEWAL_INTENDER: "equity, inventory", leadv1.Segment_SEGMENT_SERVICE_LOYALIST: "does what is due"}
	if diff := cmp.Diff(want, levels); diff != "" {
		t.Errorf("ada's segments (-want +got):\n%s", diff)
	}
	for _, r := range []*capturev1.LeadResult{ben, eve} {
		if s := r.GetDecision().GetScore().GetSegments(); len(s) > 0 {
			t.Errorf("lead %s is in %v", r.GetLeadId(), s)
		}
	}
}

// receiptInputs are the facts that a decision was scored by, as its receipt holds them.
func receiptInputs(t *testing.T, w *world, leadID string) map[string]int64 {
	t.Helper()
	code, raw := w.call(t, "oem", http.MethodGet, "/v1/leads/"+leadID+"/receipt", nil, "")
	var answer struct {
		Receipt struct {
			Inputs []struct {
				Name  string
				Value int64
			}
		}
	}
	if code != http.StatusOK || json.Unmarshal(raw, &answer) != nil || len(answer.Receipt.Inputs) == 0 {
		t.Fatalf("receipt answered %d: %s", code, raw)
	}
	out := map[string]int64{}
	for _, x := range answer.Receipt.Inputs {
		out[x.Name] = x.Value
	}
	return out
}
