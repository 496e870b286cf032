package routing_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/routing"
)

// bench is a country of the size of a real one: its leads reach step 5, all 20 candidates
// compete, 20 score inputs are handed through.
func bench(tb testing.TB, dealers, codes int) (*routing.Snapshot, []routing.Facts) {
	tb.Helper()
	r := rand.New(rand.NewPCG(1, uint64(dealers)))
	n := routing.Network{Revision: "network", Dealers: []routing.Dealer{desk("desk")}}
	for i := range dealers {
		n.Dealers = append(n.Dealers, store(fmt.Sprintf("dealer-%05d", i), 45_000_000+r.Int32N(10_000_000), 5_000_000+r.Int32N(10_000_000), "TOY"))
	}
	for i := range codes {
		n.Points = append(n.Points, routing.PostalPoint{Country: "DE", Postal: fmt.Sprintf("%05d", i), Latitude: 45_000_000 + r.Int32N(10_000_000), Longitude: 5_000_000 + r.Int32N(10_000_000)})
	}
	s := compile(tb, n, policy())
	live := unrest(r, s)
	inputs := make([]routing.Input, 20)
	for i := range inputs {
		inputs[i] = routing.Input{Name: fmt.Sprintf("input_%02d", i), Value: int64(i)}
	}
	var leads []routing.Facts
	for i := range 1024 {
		f := facts()
		f.LeadID = lead.NewID(secret(), fmt.Sprint(i))
		f.Chance = routing.Chance(secret(), f.LeadID, routing.PurposeDraw, 0)
		f.Postal = fmt.Sprintf("%05d", r.IntN(codes))
		f.Language, f.Inputs, f.Live = "de", inputs, live
		leads = append(leads, f)
	}
	return s, leads
}

func benchmarkChoose(b *testing.B, dealers int) {
	s, leads := bench(b, dealers, 41_000)
	var c routing.Choice
	for i := range leads {
		routing.Choose(s, &leads[i], &c)
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		routing.Choose(s, &leads[i&1023], &c)
		i++
	}
	if len(c.Receipt.Candidates) != routing.MaxCandidates || c.Receipt.Step != routing.StepExpected {
		b.Fatalf("measured %d candidates, step %v", len(c.Receipt.Candidates), c.Receipt.Step)
	}
}

func BenchmarkChoose5k(b *testing.B)  { benchmarkChoose(b, 5_000) }
func BenchmarkChoose50k(b *testing.B) { benchmarkChoose(b, 50_000) }

// BenchmarkChooseFirst is the first lead of a postal code, which finds its nearest stores.
func BenchmarkChooseFirst(b *testing.B) {
	s, leads := bench(b, 50_000, 41_000)
	var c routing.Choice
	f := leads[0]
	f.HasPoint = true
	r := rand.New(rand.NewPCG(3, 3))
	for b.Loop() {
		f.Latitude, f.Longitude = 45_000_000+r.Int32N(10_000_000), 5_000_000+r.Int32N(10_000_000)
		routing.Choose(s, &f, &c)
	}
}

func BenchmarkCompile50k(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	n := world(r, 50_000, 41_000)
	for b.Loop() {
		compile(b, n, policy())
	}
}

func BenchmarkChance(b *testing.B) {
	id := lead.NewID(secret(), "lead")
	b.ReportAllocs()
	for b.Loop() {
		routing.Chance(secret(), id, routing.PurposeDraw, 0)
	}
}

func BenchmarkAppendCanonical(b *testing.B) {
	s, leads := bench(b, 5_000, 1_000)
	r := choose(s, leads[0])
	buf := r.AppendCanonical(nil)
	b.ReportAllocs()
	for b.Loop() {
		buf = r.AppendCanonical(buf[:0])
	}
	b.ReportMetric(float64(len(buf)), "bytes/receipt")
}

func TestChooseDoesNotAllocate(t *testing.T) {
	s, leads := bench(t, 500, 100)
	leads[1].Exclusions = []string{"dealer-00001"}
	leads[2].ServiceDealer, leads[2].ServicedAt = "dealer-00007", now-1000
	leads[3].Postal = "0001" // a prefix
	leads[4].Dealer, leads[4].Choice = "dealer-00003", lead.DealerChoiceCustomerChose
	leads[5].HasPoint, leads[5].Latitude, leads[5].Longitude = true, 50_000_000, 9_000_000
	var c routing.Choice
	for i := range leads[:100] {
		routing.Choose(s, &leads[i], &c)
	}
	i := 0
	if n := testing.AllocsPerRun(1000, func() {
		routing.Choose(s, &leads[i%100], &c)
		i++
	}); n != 0 {
		t.Fatalf("%v allocations a choice, want none", n)
	}
}
