package e2e_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/pgtest"
)

// TestUpgradeDeclares tells the new program what a vehicle is worth, and applies a playbook that the old
// one can not read. The old one goes on with what it knows and takes nothing away.
func TestUpgradeDeclares(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and starts an older program")
	}
	path, dir, db := oldBinary(t), t.TempDir(), pgtest.New(t).URL()
	_, before := oneProcess(t, path, db, filepath.Join(dir, "old"))
	_, after := oneProcess(t, binary(t), db, filepath.Join(dir, "new"))
	const account = `"identifiers":[{"kind":"IDENTIFIER_KIND_OEM_ACCOUNT","source":"norrvind_id","value":"acc-declared"}]`
	tell := func(w *world, id, kind, more string) {
		t.Helper()
		answer := &identityv1.BatchCreateSignalsResponse{}
		w.post(t, "oem", "/v1/signals:batch", fmt.Sprintf(`{"signals":[{"signal_id":%q,"kind":"SIGNAL_KIND_%s","occurred_at":%q,"vin":"5ZNTN3H62KK204417",%s%s}]}`,
			id, kind, time.Now().UTC().Format(time.RFC3339), account, more), answer)
		if answer.GetAccepted() != 1 {
			t.Errorf("signal %s: %v", id, answer)
		}
	}
	n := 0
	decided := func(w *world) (revision string) {
		t.Helper()
		n++
		eventually(t, patience, "a lead is decided", func() bool {
			revision = submit(t, w, person(fmt.Sprintf("declared-%d", n), "Declared"+string([]rune{rune('a' + n/26%26), rune('a' + n%26)}), "80205", ","+account)).GetDecision().GetPlaybookRevision()
			return revision != ""
		})
		return revision
	}
	worth := `,"vehicle_value":{"minor":"2800000","currency":"USD"},"payoff":{"minor":"2000000","currency":"USD"}`
	tell(after, "declared-1", "VEHICLE_SOLD", worth)
	first := decided(before)
	tell(before, "declared-2", "SERVICE_VISIT", "")
	found, page := &identityv1.LookupPersonResponse{}, &identityv1.GetPersonResponse{}
	after.get(t, "ops", "/v1/persons:lookup?kind=IDENTIFIER_KIND_OEM_ACCOUNT&source=norrvind_id&value=acc-declared", found)
	after.get(t, "ops", "/v1/persons/"+found.GetPersonId(), page)
	if v := page.GetVehicles(); len(v) != 1 || v[0].GetValue().GetMinor() != 2_800_000 || v[0].GetPayoff().GetMinor() != 2_000_000 || len(v[0].GetVisits()) != 1 {
		t.Errorf("after the old program noted a visit the vehicles are %v", v)
	}

	applied, back := &scoringv1.ApplyPlaybookResponse{}, &scoringv1.RollbackPlaybookResponse{}
	apply(t, after, samplePlaybook(t), applied)
	if applied.GetRevision() == first {
		t.Error("the old program had today's sample")
	}
	eventually(t, patience, "the new program follows", func() bool { return decided(after) == applied.GetRevision() })
	if revision := decided(before); revision != first {
		t.Errorf("the old program decides by %s, want %s", revision, first)
	}
	after.post(t, "ops", "/v1/playbooks:rollback", `{"note":"for the old one"}`, back)
	eventually(t, patience, "the new program goes back", func() bool { return decided(after) == first })
}
