package routing_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/routing"
)

// The format as stored. A change here makes every stored receipt unreadable or differ: raise
// Rules and keep reading the old ones, or do not change it.
func TestCanonicalBytes(t *testing.T) {
	n, p, f := row("ab"), policy(), facts()
	electric(&n, routing.FallbackDesk)
	certify(&n, "b")
	f.Powertrain, f.Language, f.Exclusions, f.Attempt = lead.PowertrainElectric, "tr", []string{`x"<`}, 1
	f.ServiceDealer, f.ServicedAt = "a", now-100
	got := string(choose(compile(t, n, p), f).AppendCanonical(nil))
	want := `{"rules":1,"lead_id":"` + f.LeadID.String() + `","decided_at":1790000000,"attempt":1,"exclusions":["x\"\u003c"],` +
		`"playbook_revision":"playbook-1","network_revision":"network-1","model_revision":"model-1","line":"LINE_SALES","brand":"TOY",` +
		`"department":"DEPARTMENT_NEW","origin":"ORIGIN_OEM","dealer_choice":"DEALER_CHOICE_NONE","market":"DE","place":"PLACE_POSTAL",` +
		`"serviced_at":1789999900,"win_chance":80000,"points":6500,"stage":"STAGE_READY",` +
		`"inputs":[{"name":"engagement.page_views","value":12000}],` +
		`"terms":{"market_policy":"MARKET_POLICY_TERRITORY","k":3,"normal_distance":40000,"known_distance":80000,` +
		`"performance_cap":150000,"floor":50000,"equals":800000,"closed":900000,"missing_program":800000,"other_language":950000,` +
		`"service_memory":47335428,"selling_memory":126227808,"role":"ROLE_SALES","desk_id":"desk"},` +
		`"requirements":[{"program":"EV","mandatory":true,"fallback":"FALLBACK_DESK"}],` +
		`"candidates":[{"dealer_id":"a","department":"DEPARTMENT_NEW","marks":["MARK_SERVICED"],"missing_programs":["EV"],"open":true,"other_language":true,"lost":"LOSS_NOT_CERTIFIED"},` +
		`{"dealer_id":"b","department":"DEPARTMENT_NEW","distance":7147,"open":true,"other_language":true,"expected_result":73648780,"chance":1000000}],` +
		`"step":"STEP_EXPECTED","dealer_id":"b","assigned_department":"DEPARTMENT_NEW","assigned_role":"ROLE_SALES"}`
	if d := cmp.Diff(strings.Split(want, ","), strings.Split(got, ",")); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if !json.Valid([]byte(got)) {
		t.Error("no JSON")
	}
}

func TestParseReceiptGivesBackEverything(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 3))
		s := compile(t, world(r, 50, 10), policy())
		f := someLead(r, 50, 10)
		f.Live = unrest(r, s)
		want := choose(s, f)
		got, err := routing.ParseReceipt(want.AppendCanonical(nil))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
			t.Fatalf("seed %d (-want +got):\n%s", seed, d)
		}
	}
}

func TestParseReceiptRefusesWhatIsNotCanonical(t *testing.T) {
	for _, text := range []string{
		"", "{", "[]", "null", `{"rules":1}x`, `{"rules":1,}`, `{ "rules":1}`, `{"rules":01}`, `{"rules":0}`, `{"rules":-0}`, `{"rules":1.0}`,
		`{"rules":9999999999}`, `{"attempt":1,"rules":1}`, `{"rules":1,"unknown":2}`, `{"test":false}`, `{"test":tru`, `{"line":"SALES"}`,
		`{"line":"LINE_NONE"}`, `{"brand":""}`, `{"brand":"A"}`, `{"brand":"\/"}`, `{"brand":"\u0041"}`, `{"brand":"\u00"}`, `{"brand":"<"}`, "{\"brand\":\"\xff\"}",
		`{"exclusions":[]}`, `{"exclusions":["a",]}`, `{"exclusions":["a""b"]}`, `{"lead_id":"1"}`, `{"doubts":["DOUBT_SUCCEEDED","DOUBT_NO_BRAND"]}`,
		`{"others":[{"lost":"LOSS_PAUSED"}]}`, `{"candidates":[{"missing_programs":["EV"]}]}`, `{"candidates":[{"missing_programs":[]}]}`, `{"terms":{}`,
	} {
		// One of them is canonical and shows that the list can fail.
		if _, err := routing.ParseReceipt([]byte(text)); text != `{"brand":"A"}` && !errors.Is(err, routing.ErrNotCanonical) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func FuzzParseReceipt(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 3))
	s := compile(f, world(r, 30, 10), policy())
	for range 20 {
		x := someLead(r, 30, 10)
		x.Live = unrest(r, s)
		f.Add(choose(s, x).AppendCanonical(nil))
	}
	f.Add([]byte(`{}`))
	f.Add([]byte(`{"rules":1,"terms":{"k":1},"candidates":[{"distance":-1}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := routing.ParseReceipt(b)
		if err != nil {
			if !errors.Is(err, routing.ErrNotCanonical) {
				t.Fatalf("another error: %v", err)
			}
			return
		}
		if !bytes.Equal(x.AppendCanonical(nil), b) {
			t.Fatal("accepted what it would not write")
		}
		again, err := routing.Replay(x)
		if err != nil {
			return
		}
		twice, err := routing.Replay(again)
		if err != nil || !bytes.Equal(again.AppendCanonical(nil), twice.AppendCanonical(nil)) {
			t.Fatalf("replaying a replay differs: %v", err)
		}
	})
}
