package identity_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"google.golang.org/protobuf/testing/protocmp"
)

// generations are what becomes known of one vehicle that three persons have one after another and a
// fourth brings to the workshop, and of another one that stays. Half the signals name no person.
func generations() []*identityv1.Signal {
	const other = "1HGCM82633A004352"
	var out []*identityv1.Signal
	add := func(kind leadv1.SignalKind, days int, who, vin string, change ...func(*identityv1.Signal)) {
		s := &identityv1.Signal{SignalId: fmt.Sprint(len(out)), Kind: kind, OccurredAt: ago(days), Vin: vin, DealerId: "nv-tx-013"}
		if who != "" {
			s.Identifiers = ids(account, "norrvind_id", who)
		}
		for _, f := range change {
			f(s)
		}
		out = append(out, s)
	}
	km := func(n int64) func(*identityv1.Signal) {
		return func(s *identityv1.Signal) {
			s.Odometer, s.OdometerUnit = &n, leadv1.OdometerUnit_ODOMETER_UNIT_KM
		}
	}
	const (
		sold    = leadv1.SignalKind_SIGNAL_KIND_VEHICLE_SOLD
		visit   = leadv1.SignalKind_SIGNAL_KIND_SERVICE_VISIT
		mileage = leadv1.SignalKind_SIGNAL_KIND_MILEAGE
		lease   = leadv1.SignalKind_SIGNAL_KIND_LEASE_STARTED
		cover   = leadv1.SignalKind_SIGNAL_KIND_WARRANTY_STARTED
		call    = leadv1.SignalKind_SIGNAL_KIND_CALL
	)
	add(mileage, 1_100, "", vin, km(10)) // before anybody is known to have it
	add(sold, 1_000, "first", vin)
	add(lease, 1_000, "first", vin, func(s *identityv1.Signal) { s.EndsAt, s.LimitKm = ago(-90), 45_000 })
	add(cover, 999, "", vin, func(s *identityv1.Signal) { s.EndsAt, s.Coverage = ago(-400), "basic" })
	add(visit, 900, "first", vin, km(9_000))
	add(mileage, 800, "", vin, km(14_000))
	add(visit, 750, "spouse", vin, km(15_000))
	add(mileage, 740, "", vin, km(15_200))
	add(sold, 600, "second", vin)
	add(visit, 590, "first", vin, km(20_000)) // the workshop had not heard of the sale
	add(mileage, 500, "", vin, km(26_000))
	add(visit, 450, "second", vin, km(28_000))
	add(sold, 300, "third", vin)
	add(mileage, 200, "", vin, km(40_000))
	add(visit, 150, "", vin, km(41_000))
	add(sold, 100, "first", vin) // bought back
	add(mileage, 50, "", vin, km(47_000))
	add(visit, 700, "spouse", other, km(1_000))
	add(visit, 300, "third", other, km(5_000))
	add(mileage, 710, "", other, km(900))
	add(mileage, 400, "", other, km(3_000))
	add(mileage, 200, "", other, km(6_000))
	add(call, 5, "first", "")
	return out
}

// owners answers what is known of everybody, without what differs from run to run.
func (w *world) owners() map[string]*identityv1.GetPersonResponse {
	w.t.Helper()
	out := map[string]*identityv1.GetPersonResponse{}
	for _, who := range []string{"first", "second", "third", "spouse"} {
		r := w.resolve(w.newLead(&leadv1.Party{}, identifier(account, "norrvind_id", who), func(l *leadv1.Lead) { l.Test = true }))[0]
		p := w.person(r.PersonId)
		out[who] = &identityv1.GetPersonResponse{Vehicles: p.Vehicles, Counters: p.Counters}
	}
	return out
}

// What is known of persons and vehicles is the same in whatever order, in whatever batches and
// however often signals come.
func TestProfilesDoNotDependOnTheOrderOfSignals(t *testing.T) {
	t.Parallel()
	tell := func(r *rand.Rand, shuffle bool) map[string]*identityv1.GetPersonResponse {
		w := newWorld(t)
		waiting := generations()
		if shuffle {
			waiting = append(waiting, generations()[r.IntN(len(waiting)):]...) // some twice
			r.Shuffle(len(waiting), func(i, j int) { waiting[i], waiting[j] = waiting[j], waiting[i] })
		}
		for round := 0; len(waiting) > 0 && round < 20; round++ {
			var refused []*identityv1.Signal
			for len(waiting) > 0 {
				n := min(1+r.IntN(6), len(waiting))
				w.advance(time.Second)
				for _, p := range w.signals(waiting[:n]...).Problems { // nobody is known to have it yet
					refused = append(refused, waiting[p.Index])
				}
				waiting = waiting[n:]
			}
			waiting = refused
		}
		w.now.Store(start.Add(time.Hour).UnixNano())
		return w.owners()
	}
	want := tell(rand.New(rand.NewPCG(1, 1)), false)
	for who, vehicles := range map[string]int{"first": 1, "second": 0, "third": 1, "spouse": 1} {
		n := 0
		for _, v := range want[who].Vehicles {
			if v.OwnedUntil == nil {
				n++
			}
		}
		if n != vehicles {
			t.Errorf("%s owns %d vehicles, want %d: %v", who, n, vehicles, want[who].Vehicles)
		}
	}
	runs := 12
	if testing.Short() {
		runs = 3
	}
	for seed := range uint64(runs) {
		if diff := cmp.Diff(want, tell(rand.New(rand.NewPCG(seed, 2)), true), protocmp.Transform()); diff != "" {
			t.Fatalf("seed %d (-in order +shuffled):\n%s", seed, diff)
		}
	}
}

// A reading that comes late is of whoever had the vehicle then, and gives it back to nobody.
func TestALateReadingGivesNoVehicleBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.signals(generations()...)
	w.now.Store(start.Add(time.Hour).UnixNano())
	want := w.owners()
	reading := int64(26_500)
	late := &identityv1.Signal{SignalId: "late", Kind: leadv1.SignalKind_SIGNAL_KIND_MILEAGE, OccurredAt: ago(490), Vin: vin, Odometer: &reading}
	if resp := w.signals(late); resp.Accepted != 1 {
		t.Fatal(resp)
	}
	got := w.owners()
	if cmp.Equal(want["second"].Counters, got["second"].Counters, protocmp.Transform()) {
		t.Error("the reading was not counted for who had the vehicle then")
	}
	for who := range want {
		if diff := cmp.Diff(want[who].Vehicles, got[who].Vehicles, protocmp.Transform()); diff != "" {
			t.Errorf("vehicles of %s (-before +after):\n%s", who, diff)
		}
	}
}
