package measure_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/measure"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func TestWilson(t *testing.T) {
	// Bounds from Wilson's formula by hand, to four places.
	for _, c := range []struct {
		rate      measure.Rate
		low, high float64
	}{
		{measure.Rate{Numerator: 8, Denominator: 10}, 0.4902, 0.9433},
		{measure.Rate{Numerator: 0, Denominator: 10}, 0, 0.2775},
		{measure.Rate{Numerator: 10, Denominator: 10}, 0.7225, 1},
		{measure.Rate{Numerator: 1, Denominator: 1}, 0.2065, 1},
		{measure.Rate{Numerator: 500, Denominator: 1000}, 0.4691, 0.5309},
		{measure.Rate{}, 0, 1},
	} {
		low, high := c.rate.Wilson()
		if math.Abs(low-c.low) > 5e-5 || math.Abs(high-c.high) > 5e-5 {
			t.Errorf("Wilson of %v = %.4f to %.4f, want %.4f to %.4f", c.rate, low, high, c.low, c.high)
		}
	}
}

func TestWilsonHoldsTheShare(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 2_000 {
		n := 1 + rng.Int64N(500)
		r := measure.Rate{Numerator: rng.Int64N(n + 1), Denominator: n}
		share, _ := r.Share()
		low, high := r.Wilson()
		if low < 0 || low > share || high < share || high > 1 {
			t.Fatalf("%v: share %g outside %g to %g", r, share, low, high)
		}
		ten := measure.Rate{Numerator: r.Numerator * 10, Denominator: r.Denominator * 10}
		if l, h := ten.Wilson(); h-l >= high-low {
			t.Fatalf("%v: ten times the evidence gives no narrower interval", r)
		}
	}
}

func TestQuantile(t *testing.T) {
	ten := make([]time.Duration, 10)
	for i := range ten {
		ten[i] = time.Duration(i+1) * time.Second
	}
	for _, c := range []struct {
		values  []time.Duration
		percent int
		want    time.Duration
		ok      bool
	}{
		{ten, 50, 5 * time.Second, true},
		{ten, 51, 6 * time.Second, true},
		{ten, 90, 9 * time.Second, true},
		{ten, 99, 10 * time.Second, true},
		{ten, 100, 10 * time.Second, true},
		{ten[:1], 1, time.Second, true},
		{nil, 50, 0, false},
		{ten, 0, 0, false},
	} {
		got, ok := measure.Quantile(c.values, c.percent)
		if got != c.want || ok != c.ok {
			t.Errorf("p%d of %d values = %s, %t, want %s, %t", c.percent, len(c.values), got, ok, c.want, c.ok)
		}
	}
}

func TestShrink(t *testing.T) {
	prior := measure.Prior{Mean: 0.10, Strength: 50}
	for _, c := range []struct {
		own  measure.Rate
		want int32
	}{
		{measure.Rate{}, 100_000},                                   // nothing seen: the network's mean
		{measure.Rate{Numerator: 1, Denominator: 1}, 117_647},       // (1+5)/(1+50)
		{measure.Rate{Numerator: 10, Denominator: 50}, 150_000},     // (10+5)/100
		{measure.Rate{Numerator: 0, Denominator: 450}, 10_000},      // 5/500
		{measure.Rate{Numerator: 2000, Denominator: 9950}, 200_500}, // 2005/10000
	} {
		if got := measure.Shrink(c.own, prior); got != c.want {
			t.Errorf("Shrink(%v) = %d, want %d", c.own, got, c.want)
		}
	}
}

func TestPriorTellsGroupsApart(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	draw := func(share func() float64) []measure.Rate {
		groups := make([]measure.Rate, 300)
		for i := range groups {
			p := share()
			groups[i].Denominator = 40
			for range 40 {
				if rng.Float64() < p {
					groups[i].Numerator++
				}
			}
		}
		return groups
	}
	alike, _ := measure.PriorOf(draw(func() float64 { return 0.2 }))
	apart, _ := measure.PriorOf(draw(func() float64 { return 0.1 + 0.4*float64(rng.IntN(2)) }))
	if alike.Strength < 200 || math.Abs(alike.Mean-0.2) > 0.02 {
		t.Errorf("groups that differ by chance only: %+v, want a strong prior near 0.2", alike)
	}
	// Shares 0.1 and 0.5 by halves: variance 0.04, mean 0.3; strength = 0.21/0.04 - 1 = 4.25.
	if apart.Strength < 4 || apart.Strength > 6 || math.Abs(apart.Mean-0.3) > 0.03 {
		t.Errorf("groups that differ: %+v, want about mean 0.3, strength 4.25", apart)
	}
	if _, ok := measure.PriorOf([]measure.Rate{{}}); ok {
		t.Error("a prior was learnt from nothing")
	}
}

// TestFiguresByHand computes a small set of leads on paper.
func TestFiguresByHand(t *testing.T) {
	at := func(d time.Duration) time.Time { return noon.Add(d) }
	received := at(-40 * 24 * time.Hour)
	after := func(d time.Duration) time.Time { return received.Add(d) }
	leads := []measure.LeadFact{
		{ // won after ten days; asked an hour before we got it
			Line: lead.LineSales, State: lead.StateWon, StateAt: after(10 * 24 * time.Hour),
			RequestedAt: after(-time.Hour), ReceivedAt: received, AssignedAt: after(2 * time.Second), DeliveredAt: after(4 * time.Second),
			RespondedAt: after(time.Hour), EngagedAt: after(2 * time.Hour), Assignments: 1, StoreTimes: []time.Duration{10 * time.Minute},
			Clocks: []measure.Clock{{Kind: "RESPOND", Verdict: measure.Met}}, Kept: 1, TestDrives: 2,
		},
		{ // won too late for the cohort of 30 days; the request's time is not believable
			Line: lead.LineSales, State: lead.StateWon, StateAt: after(35 * 24 * time.Hour),
			RequestedAt: after(-80 * time.Hour), ReceivedAt: received, AssignedAt: after(6 * time.Second), DeliveredAt: after(6 * time.Second),
			RespondedAt: after(3 * time.Hour), Assignments: 2, StoreTimes: []time.Duration{30 * time.Minute},
			Clocks:  []measure.Clock{{Kind: "RESPOND", DealerID: "A", Verdict: measure.Breached}, {Kind: "RESPOND", DealerID: "B", Verdict: measure.Unknown}},
			NoShows: 1, Unreported: 1, Flags: 1,
		},
		{ // open, unanswered, past its deadline
			Line: lead.LineService, State: lead.StateAssigned, StateAt: after(time.Second), ReceivedAt: received,
			AssignedAt: after(time.Second), DueAt: after(time.Hour), DueKind: "RESPOND", Assignments: 1,
			ProbabilityPPM: 250_000, AppointmentsSet: 1, BadContact: true,
		},
		{State: lead.StateMerged, ReceivedAt: received},
		{State: lead.StateRejected, ReceivedAt: received, Code: "JUNK"},
		{State: lead.StatePending, ReceivedAt: at(-time.Minute)},
		{Test: true, State: lead.StateWon, ReceivedAt: received, StateAt: received},
	}
	card := measure.NewCard(noon)
	for i := range leads {
		card.Add(&leads[i])
	}
	var got []string
	for _, f := range card.Figures() {
		line := fmt.Sprintf("%s %.4g", f.Name, f.Value)
		if f.Unit == measure.Share {
			line += fmt.Sprintf(" %d/%d open %.4g", f.Rate.Numerator, f.Rate.Denominator, f.StillOpen)
		}
		if f.Unit == measure.Seconds {
			line += fmt.Sprintf(" n %d open %.4g", f.Rate.Denominator, f.StillOpen)
			for _, q := range []string{"p90", "p95", "p99"} {
				if v, ok := f.Quantiles[q]; ok {
					line += fmt.Sprintf(" %s %.6g", q, v)
				}
			}
		}
		got = append(got, line)
	}
	want := []string{
		"lead_volume 6", // the test lead is outside
		"lead_volume_valid 4",
		"dedupe_rate 0.1667 1/6 open 0",
		"bad_lead_share 0.1667 1/6 open 0",
		"data_accuracy 0.5 2/4 open 0",              // one flagged, one with a wrong number
		"routing_speed 2 n 3 open 0.25 p95 6 p99 6", // 1, 2, 6 s; the pending one is open
		"hub_time 4 n 2 open 0.3333 p95 6 p99 6",
		"customer_wait 7200 n 2 open 0.3333 p90 10800", // 2 h from the request, 3 h from the receipt
		"store_time 600 n 2 open 0.5 p90 1800",         // four assignments, two answered
		"response_rate 0.5 2/4 open 0",
		"contact_rate 0.25 1/4 open 0",
		"sla_compliance_respond 0.5 1/2 open 0", // the unknown one is beside it
		"show_rate 0.3333 1/3 open 0",
		"test_drives 2",
		"test_drive_rate 0.25 1/4 open 0",
		"ro_bookings 1",
		"ro_booking_rate 1 1/1 open 0",
		"close_rate_30d 0.25 1/4 open 0.25", // still open: the pending lead of a minute ago
		"close_rate_90d 0.5 2/4 open 0.5",
		"close_rate_180d 0.5 2/4 open 0.5",
		"pipeline_wins 0.25",
		"cycle_time 8.64e+05 n 2 open 0 p90 3.024e+06",
		"stage_assigned 3598 n 2 open 0.3333 p90 10794",
		"stage_working 3600 n 1 open 0 p90 3600",
		"stage_engaged 8.568e+05 n 1 open 0 p90 856800",
		"leakage 0.25 1/4 open 0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("figures (-by hand +got):\n%s", diff)
	}
	respond := card.Figures()[slices.IndexFunc(card.Figures(), func(f measure.Figure) bool { return f.Name == "sla_compliance_respond" })]
	if respond.Note != "observed dealers only: 66 % of 3 due" {
		t.Errorf("note %q", respond.Note)
	}
}

func TestNoFigureOfNothing(t *testing.T) {
	for _, f := range measure.NewCard(noon).Figures() {
		if f.Unit != measure.Count {
			t.Errorf("%s = %g without a single lead", f.Name, f.Value)
		}
	}
}

// TestPartsAddUp: whatever the leads, the leads that a figure lists are those that it counts.
func TestPartsAddUp(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	card := measure.NewCard(noon)
	counted, missing := map[string]int64{}, map[string]int64{}
	var equation measure.Conservation
	for range 500 {
		f := randomFact(rng)
		card.Add(&f)
		equation.Add(&f)
		for _, name := range measure.Names() {
			in, out, ok := measure.Part(name, &f, noon)
			if !ok {
				t.Fatalf("no part of %s", name)
			}
			if in {
				counted[name]++
			}
			if out {
				missing[name]++
			}
		}
	}
	if !equation.Holds() || equation.Captured != card.Leads() {
		t.Errorf("equation %+v of %d leads", equation, card.Leads())
	}
	for _, f := range card.Figures() {
		// Figures that count leads, not appointments or clocks.
		if f.Unit == measure.Share && f.Name != "show_rate" && f.Name != "sla_compliance_respond" {
			if counted[f.Name] != f.Rate.Numerator || missing[f.Name] != f.Rate.Denominator-f.Rate.Numerator {
				t.Errorf("%s: lists %d and %d, counts %v", f.Name, counted[f.Name], missing[f.Name], f.Rate)
			}
		}
	}
	if _, _, ok := measure.Part("no_such_figure", &measure.LeadFact{}, noon); ok {
		t.Error("a figure that does not exist has a part")
	}
}

func randomFact(rng *rand.Rand) measure.LeadFact {
	maybe := func() time.Time {
		if rng.IntN(2) == 0 {
			return time.Time{}
		}
		return noon.Add(-time.Duration(rng.IntN(60*24)) * time.Hour)
	}
	return measure.LeadFact{
		Test: rng.IntN(10) == 0, Line: lead.Line(1 + rng.IntN(9)), State: lead.State(1 + rng.IntN(12)), StateAt: noon.Add(-time.Hour),
		ReceivedAt: noon.Add(-time.Duration(rng.IntN(200*24)) * time.Hour), AssignedAt: maybe(), DeliveredAt: maybe(),
		RespondedAt: maybe(), EngagedAt: maybe(), DueAt: maybe(), DueKind: []string{"WARN", "RESPOND"}[rng.IntN(2)], WorkedAt: maybe(),
		HandoffDueAt: maybe(), Flags: rng.IntN(2), TestDrives: rng.IntN(2), Assignments: rng.IntN(3),
	}
}

func TestLeak(t *testing.T) {
	due := noon.Add(-time.Hour)
	type result struct {
		Stage measure.LeakStage
		Since time.Time
	}
	for _, c := range []struct {
		name string
		fact measure.LeadFact
		want result
	}{
		{"past its deadline", measure.LeadFact{State: lead.StateWorking, DueAt: due, DueKind: "ATTEMPT"}, result{measure.OpenPastDeadline, due}},
		{"worked before it", measure.LeadFact{State: lead.StateWorking, DueAt: due, DueKind: "ATTEMPT", WorkedAt: due.Add(-1)}, result{measure.OpenPastDeadline, due}},
		{"worked since", measure.LeadFact{State: lead.StateWorking, DueAt: due, DueKind: "ATTEMPT", WorkedAt: due}, result{}},
		{"warned only", measure.LeadFact{State: lead.StateAssigned, DueAt: due, DueKind: "WARN"}, result{}},
		{"not accepted only", measure.LeadFact{State: lead.StateAssigned, DueAt: due, DueKind: "ACCEPT"}, result{}},
		{"not acknowledged only", measure.LeadFact{State: lead.StateAssigned, DueAt: due, DueKind: "ACKNOWLEDGE"}, result{}},
		{"due later", measure.LeadFact{State: lead.StateAssigned, DueAt: noon.Add(1), DueKind: "RESPOND"}, result{}},
		{"hand-off", measure.LeadFact{State: lead.StateEngaged, HandoffDueAt: due}, result{measure.HandoffUnanswered, due}},
		{"parked", measure.LeadFact{State: lead.StateParked, DueAt: due}, result{measure.ParkedPastReview, due}},
		{"lost unworked", measure.LeadFact{State: lead.StateLost, StateAt: due, Code: "UNREACHABLE"}, result{measure.ClosedUnworked, due}},
		{"lost after a response", measure.LeadFact{State: lead.StateLost, StateAt: due, RespondedAt: due}, result{}},
		{"expired with its plan done", measure.LeadFact{State: lead.StateExpired, StateAt: due, Code: "UNREACHABLE"}, result{}},
		{"expired unworked", measure.LeadFact{State: lead.StateExpired, StateAt: due, Code: "CLOSED_UNWORKED"}, result{measure.ClosedUnworked, due}},
		{"test", measure.LeadFact{Test: true, State: lead.StateLost, StateAt: due}, result{}},
		{"won", measure.LeadFact{State: lead.StateWon, StateAt: due, DueAt: due}, result{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			stage, since, ok := measure.Leak(&c.fact, noon)
			if diff := cmp.Diff(c.want, result{stage, since}, cmpopts.EquateComparable(time.Time{})); diff != "" || ok != (c.want.Stage != "") {
				t.Errorf("ok %t (-want +got):\n%s", ok, diff)
			}
		})
	}
}

// An appointment is a booking of the workshop only on the lines that lead there.
func TestBookings(t *testing.T) {
	for _, c := range []struct {
		name string
		fact measure.LeadFact
		want bool
	}{
		{"an appointment to buy", measure.LeadFact{State: lead.StateWorking, Line: lead.LineSales, AppointmentsSet: 1}, false},
		{"an appointment for service", measure.LeadFact{State: lead.StateWorking, Line: lead.LineService, AppointmentsSet: 1}, true},
		{"a repair order of a buyer", measure.LeadFact{State: lead.StateWorking, Line: lead.LineSales, ROsOpened: 1}, true},
		{"nothing booked", measure.LeadFact{State: lead.StateWorking, Line: lead.LineService}, false},
	} {
		if counted, _, ok := measure.Part("ro_bookings", &c.fact, noon); !ok || counted != c.want {
			t.Errorf("%s: counted %t, %t; want %t", c.name, counted, ok, c.want)
		}
	}
}
