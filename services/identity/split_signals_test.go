package identity_test

import (
	"testing"
	"time"

	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
)

// A visit that said nothing new of its person has no record. Where it goes without those that name its
// vehicle, it goes on saying whose the vehicle is: when the two are one again, and when somebody buys
// the vehicle later.
func TestSignalsThatSplitsMoveStillTellOfTheirVehicle(t *testing.T) {
	t.Parallel()
	type persons struct {
		*world
		buyer, driver string
	}
	apart := func(t *testing.T, visited int) *persons {
		w := &persons{world: newWorld(t)}
		of := func(mail string) *leadv1.Party { return party("Carmen", "Delgadillo", mail, "") }
		sale := &identityv1.Signal{SignalId: "sale", Kind: leadv1.SignalKind_SIGNAL_KIND_VEHICLE_SOLD, OccurredAt: ago(10), Vin: vin,
			Party: of("carmen@example.com"), Identifiers: ids(account, "x", "1")}
		visit := &identityv1.Signal{SignalId: "visit", Kind: leadv1.SignalKind_SIGNAL_KIND_SERVICE_VISIT, OccurredAt: ago(visited), Vin: vin,
			Party: of("carmen@example.org"), Identifiers: ids(account, "x", "1")}
		w.signals(sale)
		w.advance(time.Hour)
		lead := w.newLead(of("carmen@example.org"), identifier(account, "x", "1"))
		w.buyer = w.resolve(lead)[0].PersonId
		w.advance(time.Hour)
		w.signals(visit)
		var leaves []string
		for _, r := range w.person(w.buyer).Records {
			if r.LeadId == lead.LeadId {
				leaves = append(leaves, r.RecordId)
			}
		}
		w.driver = w.split(&identityv1.SplitPersonRequest{PersonId: w.buyer, RecordIds: leaves}).NewPersonId
		var signals int
		if err := w.pool.QueryRow(t.Context(), "SELECT count(*) FROM signal WHERE person_id = $1", w.driver).Scan(&signals); err != nil {
			t.Fatal(err)
		}
		if signals != 1 {
			t.Fatalf("%d signals left with the record, want the visit", signals)
		}
		return w
	}
	as := func(w *persons, id string, vehicles, visits int) {
		w.t.Helper()
		p, n := w.person(id), 0
		for _, v := range p.Vehicles {
			n += len(v.Visits)
		}
		if len(p.Vehicles) != vehicles || n != visits {
			w.t.Errorf("%d vehicles with %d visits, want %d with %d", len(p.Vehicles), n, vehicles, visits)
		}
		if diff, err := w.Retell(w.t.Context(), id); err != nil || diff != "" {
			w.t.Errorf("the stored person is not what was said (-stored +told): %v\n%s", err, diff)
		}
	}
	t.Run("merged again", func(t *testing.T) {
		t.Parallel()
		w := apart(t, 20)
		as(w, w.buyer, 1, 0)
		as(w, w.driver, 0, 0) // somebody else bought it since
		w.merge(w.buyer, w.driver)
		as(w, w.buyer, 1, 1)
	})
	t.Run("sold later", func(t *testing.T) {
		t.Parallel()
		w := apart(t, 5)
		as(w, w.driver, 1, 1)
		w.signals(&identityv1.Signal{SignalId: "next", Kind: leadv1.SignalKind_SIGNAL_KIND_VEHICLE_SOLD, OccurredAt: ago(2), Vin: vin,
			Party: party("Ada", "Byron", "ada@example.com", "")})
		as(w, w.driver, 0, 0)
	})
}
