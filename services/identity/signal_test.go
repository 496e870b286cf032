package identity_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/signal"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"github.com/leadmesh/leadmesh/services/identity"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"
)

const vin = "5ZNLM5E26PK301188"

func ago(days int) *timestamppb.Timestamp { return timestamppb.New(start.AddDate(0, 0, -days)) }

func ids(kind leadv1.IdentifierKind, source, value string) []*leadv1.Identifier {
	return []*leadv1.Identifier{{Kind: kind, Source: source, Value: value}}
}

// life is what becomes known of one customer, every way a signal can name a person included.
func life() []*identityv1.Signal {
	odometer := int64(41_900)
	party := &leadv1.Party{
		Name:   &leadv1.Name{Given: "Carmen", Family: "Delgadillo"},
		Emails: []*leadv1.Email{{Address: "carmen@example.com"}}, Phones: []*leadv1.Phone{{Number: "(512) 555-0163"}},
	}
	return []*identityv1.Signal{
		{SignalId: "1", Kind: leadv1.SignalKind_SIGNAL_KIND_VEHICLE_SOLD, OccurredAt: ago(900), Party: party, Vin: vin,
			Identifiers: append(ids(account, "norrvind_id", "acc-1"), ids(leadv1.IdentifierKind_IDENTIFIER_KIND_DMS_CUSTOMER, "TX013", "C-1")...),
			DealerId:    "TX013", ModelCode: "N500E", EmployeeId: "p02"},
		{SignalId: "2", Kind: leadv1.SignalKind_SIGNAL_KIND_LEASE_STARTED, OccurredAt: ago(900), Vin: vin, EndsAt: ago(-60), LimitKm: 45_000,
			Identifiers: ids(account, "Norrvind_ID", "acc-1")},
		{SignalId: "3", Kind: leadv1.SignalKind_SIGNAL_KIND_SERVICE_VISIT, OccurredAt: ago(200), Vin: vin, DealerId: "nv-tx-013",
			Odometer: &odometer, OdometerUnit: leadv1.OdometerUnit_ODOMETER_UNIT_MI, PayType: "C",
			Identifiers: ids(leadv1.IdentifierKind_IDENTIFIER_KIND_DMS_CUSTOMER, "", "C-1")},
		{SignalId: "4", Kind: leadv1.SignalKind_SIGNAL_KIND_MILEAGE, OccurredAt: ago(20), Vin: vin, Odometer: &odometer},
		{SignalId: "5", Kind: leadv1.SignalKind_SIGNAL_KIND_CONFIGURATOR_SAVED, OccurredAt: ago(3), ModelCode: "N500E",
			Identifiers: ids(account, "norrvind_id", "acc-1")},
		{Kind: leadv1.SignalKind_SIGNAL_KIND_PAGE_VIEW, OccurredAt: ago(2), Identifiers: ids(account, "norrvind_id", "acc-1")},
	}
}

// known returns what is held of the customer, without what differs from run to run.
func (w *world) known() *identityv1.GetPersonResponse {
	w.t.Helper()
	r := w.resolve(w.newLead(party("Carmen", "Delgadillo", "carmen@example.com", ""), func(l *leadv1.Lead) { l.Test = true }))[0]
	p := w.person(r.PersonId)
	p.PersonId, p.HouseholdId, p.Records = "", "", nil
	p.Party, p.Crosswalk, p.Changes, p.MergedPersonIds = nil, nil, nil, nil // how it came to be known
	return p
}

func TestSignalsDoNotDependOnOrder(t *testing.T) {
	t.Parallel()
	forward := newWorld(t)
	if diff := cmp.Diff(&identityv1.BatchCreateSignalsResponse{Accepted: 6}, forward.signals(life()...), protocmp.Transform()); diff != "" {
		t.Fatalf("answer (-want +got):\n%s", diff)
	}
	want := forward.known()
	if len(want.Vehicles) != 1 || want.Vehicles[0].SoldByDealerId != "nv-tx-013" || want.Vehicles[0].OdometerKm != 67_432 ||
		want.Vehicles[0].LeaseEndAt == nil || want.Vehicles[0].LastServiceDealerId != "nv-tx-013" || len(want.Counters) != 6 {
		t.Fatalf("known: %v", want)
	}
	backward := newWorld(t)
	signals := life()
	slices.Reverse(signals)
	backward.signals(signals...)
	if diff := cmp.Diff(want, backward.known(), protocmp.Transform()); diff != "" {
		t.Errorf("in reverse (-forward +backward):\n%s", diff)
	}
	single := newWorld(t)
	for _, s := range life() {
		single.signals(s)
	}
	if diff := cmp.Diff(want, single.known(), protocmp.Transform()); diff != "" {
		t.Errorf("one by one (-batch +single):\n%s", diff)
	}
}

// TestSignalsTellWhatAVehicleIsWorth: value and debt reach the profile, which decisions read, and the
// person's page.
func TestSignalsTellWhatAVehicleIsWorth(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	signals := life()
	signals[0].VehicleStatus = leadv1.VehicleStatus_VEHICLE_STATUS_NEW
	signals[1].Payoff, signals[1].Residual = &leadv1.Money{Minor: 44_000_00, Currency: "USD"}, &leadv1.Money{Minor: 20_000_00, Currency: "USD"}
	signals[3].VehicleValue, signals[3].Payoff = &leadv1.Money{Minor: 27_500_00, Currency: "USD"}, &leadv1.Money{Minor: 22_000_00, Currency: "USD"}
	w.signals(signals...)
	r := w.resolve(w.newLead(party("Carmen", "Delgadillo", "carmen@example.com", "")))[0]
	profile, err := signal.Unmarshal(r.Profile)
	if err != nil {
		t.Fatal(err)
	}
	worth, valued := profile.Vehicle(vin).Worth(start.Unix())
	owed, known := profile.Vehicle(vin).Owes(start.Unix())
	// 20 of the 80 days from the quote to the end are over, and with them a quarter of what is to be paid off.
	if !valued || !known || worth.Minor != 27_500_00 || owed.Minor < 21_400_00 || owed.Minor > 21_600_00 || profile.Vehicle(vin).Sold.Status != lead.VehicleStatusNew {
		t.Errorf("worth %v %v, owed %v %v, sold %v", worth, valued, owed, known, profile.Vehicle(vin).Sold)
	}
	v := w.person(r.PersonId).Vehicles[0]
	if v.Value.GetMinor() != 27_500_00 || v.Payoff.GetMinor() != 22_000_00 || v.Residual.GetMinor() != 20_000_00 || !v.ValuedAt.AsTime().Equal(ago(20).AsTime()) ||
		len(v.Coverages) != 0 {
		t.Errorf("the page shows %v", v)
	}
}

func TestSignalsAreNotedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.signals(life()...)
	want, records := w.known(), w.rows("record")
	if diff := cmp.Diff(&identityv1.BatchCreateSignalsResponse{Duplicates: 12}, w.signals(append(life(), life()...)...), protocmp.Transform()); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, w.known(), protocmp.Transform()); diff != "" {
		t.Errorf("known (-before +after):\n%s", diff)
	}
	if n := w.rows("record"); n != records+1 { // the lead that asked
		t.Errorf("%d records, had %d", n, records)
	}
	if n := w.rows("signal"); n != 6 {
		t.Errorf("%d signals stored, want 6", n)
	}
}

func TestAnonymousSignalsAreStitched(t *testing.T) {
	t.Parallel()
	view := func(n int, visitor string) *identityv1.Signal {
		return &identityv1.Signal{SignalId: fmt.Sprint("view", n), Kind: leadv1.SignalKind_SIGNAL_KIND_INVENTORY_VIEW,
			OccurredAt: ago(n), Identifiers: ids(anonymous, "site", visitor), Vin: vin}
	}
	views := func(t *testing.T, r *identityv1.Resolution) int32 {
		p, err := signal.Unmarshal(r.Profile)
		if err != nil {
			t.Fatal(err)
		}
		if p.Vehicle(vin) != nil {
			t.Error("a vehicle looked at counts as owned")
		}
		return (p.Count(2, start.Unix()) + 500) / 1000
	}
	t.Run("to a new person", func(t *testing.T) {
		w := newWorld(t)
		w.signals(view(0, "v1"), view(1, "v1"), view(2, "v2"))
		r := w.resolve(w.newLead(party("Ada", "Byron", "ada@example.com", ""), identifier(anonymous, "site", "v1")))[0]
		if n := views(t, r); n != 2 {
			t.Errorf("%d views, want 2", n)
		}
		if r.Created {
			t.Error("the visitor was not recognised")
		}
		if again := w.resolve(w.newLead(party("Ada", "Byron", "ada@example.com", "")))[0]; again.PersonId != r.PersonId {
			t.Error("the visitor did not become the person")
		}
	})
	t.Run("to a known person", func(t *testing.T) {
		w := newWorld(t)
		known := w.resolve(w.newLead(party("Ada", "Byron", "ada@example.com", "")))[0]
		w.advance(time.Hour)
		w.signals(view(0, "v1"))
		w.advance(time.Hour)
		r := w.resolve(w.newLead(party("Ada", "Byron", "ada@example.com", ""), identifier(anonymous, "site", "v1")))[0]
		if r.PersonId != known.PersonId {
			t.Error("the older person did not survive")
		}
		if n := views(t, r); n != 1 {
			t.Errorf("%d views, want 1", n)
		}
		if n := w.rows("person"); n != 2 {
			t.Errorf("%d persons, want both kept", n)
		}
	})
}

func TestSignalsThatCanNotBeTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sound := life()[0]
	change := func(f func(*identityv1.Signal)) *identityv1.Signal {
		s := proto.CloneOf(sound)
		f(s)
		return s
	}
	cases := []struct {
		field  string
		signal *identityv1.Signal
	}{
		{"", sound},
		{"kind", change(func(s *identityv1.Signal) { s.Kind = 0 })},
		{"occurred_at", change(func(s *identityv1.Signal) { s.OccurredAt = nil })},
		{"occurred_at", change(func(s *identityv1.Signal) { s.OccurredAt = ago(-2) })},
		{"vin", change(func(s *identityv1.Signal) { s.Vin = "" })},
		{"vin", change(func(s *identityv1.Signal) { s.Vin = "SHORT" })},
		{"dealer_id", change(func(s *identityv1.Signal) { s.DealerId = "nobody" })},
		{"pay_type", change(func(s *identityv1.Signal) { s.PayType = "X" })},
		{"vehicle_status", change(func(s *identityv1.Signal) { s.VehicleStatus = 9 })},
		{"vehicle_value.currency", change(func(s *identityv1.Signal) { s.VehicleValue = &leadv1.Money{Minor: 5, Currency: "dollars"} })},
		{"payoff.minor", change(func(s *identityv1.Signal) { s.Payoff = &leadv1.Money{Minor: -5, Currency: "USD"} })},
		{"ends_at", change(func(s *identityv1.Signal) { s.Residual = &leadv1.Money{Minor: 5, Currency: "USD"} })},
		{"vehicle_value", &identityv1.Signal{Kind: leadv1.SignalKind_SIGNAL_KIND_PAGE_VIEW, OccurredAt: ago(1),
			Identifiers: ids(account, "norrvind_id", "acc-1"), VehicleValue: &leadv1.Money{Minor: 5, Currency: "USD"}}},
		{"identifiers", &identityv1.Signal{Kind: leadv1.SignalKind_SIGNAL_KIND_PAGE_VIEW, OccurredAt: ago(1)}},
		{"vin", &identityv1.Signal{SignalId: "m", Kind: leadv1.SignalKind_SIGNAL_KIND_MILEAGE, OccurredAt: ago(1), Vin: "1HGCM82633A004352"}},
	}
	var signals []*identityv1.Signal
	want := map[int32]string{}
	for i, c := range cases {
		signals = append(signals, c.signal)
		if c.field != "" {
			want[int32(i)] = fmt.Sprintf("signals[%d].%s", i, c.field)
		}
	}
	resp := w.signals(signals...)
	got := map[int32]string{}
	for _, p := range resp.Problems {
		if p.Problem.Reason != problemv1.Reason_REASON_INVALID_ARGUMENT || len(p.Problem.FieldViolations) != 1 || p.Problem.FieldViolations[0].Description == "" {
			t.Errorf("signal %d: problem %v", p.Index, p.Problem)
			continue
		}
		got[p.Index] = p.Problem.FieldViolations[0].Field
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	if resp.Accepted != 1 || w.rows("signal") != 1 {
		t.Errorf("%d accepted, %d stored, want 1", resp.Accepted, w.rows("signal"))
	}
	// What was not taken may come again once its owner is known.
	sale := change(func(s *identityv1.Signal) { s.SignalId, s.Vin = "sale", "1HGCM82633A004352" })
	if resp := w.signals(cases[len(cases)-1].signal, sale); resp.Accepted != 2 || len(resp.Problems) != 0 {
		t.Errorf("after the sale: %v", resp)
	}
}

func TestOldSignalIDsAreForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *identity.Config, _ *identity.Deps) { c.SeenFor = 48 * time.Hour })
	view := func(id string) *identityv1.Signal {
		return &identityv1.Signal{SignalId: id, Kind: leadv1.SignalKind_SIGNAL_KIND_PAGE_VIEW, OccurredAt: ago(0), Identifiers: ids(anonymous, "site", "v")}
	}
	w.signals(view("old"))
	w.advance(47 * time.Hour)
	w.signals(view("young"))
	w.advance(2 * time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	for w.rows("signal_seen") == 2 && t.Context().Err() == nil {
		runtime.Gosched()
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if resp := w.signals(view("young"), view("old")); resp.Duplicates != 1 || resp.Accepted != 1 {
		t.Errorf("answer %v", resp)
	}
	if err := w.Health(t.Context()); err != nil {
		t.Error(err)
	}
}
