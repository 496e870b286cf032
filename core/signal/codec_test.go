package signal_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/signal"
)

func TestMarshalRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for range 100 {
		p := apply(t, randomSignals(r, r.IntN(80))...)
		p.Inquired(base)
		got, err := signal.Unmarshal(p.Marshal())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(p, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
	}
	if p, err := signal.Unmarshal(nil); err != nil || !cmp.Equal(p, signal.Profile{}) {
		t.Errorf("Unmarshal(nil) = %+v, %v", p, err)
	}
}

// TestUnmarshalLeavesNothingBehind decodes profiles one after the other into the same and finds each
// as if it were the first.
func TestUnmarshalLeavesNothingBehind(t *testing.T) {
	r := rand.New(rand.NewPCG(17, 18))
	var got signal.Profile
	var last []byte
	for i := range 300 {
		p := apply(t, randomSignals(r, r.IntN(80))...)
		if i%7 == 0 {
			p = signal.Profile{}
		}
		if i%2 == 0 {
			p.Inquired(base)
		}
		last = p.Marshal()
		if i%14 == 0 {
			last = nil
			p = signal.Profile{}
		}
		if err := got.Unmarshal(last); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(p, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
		if i%10 == 0 {
			if err := got.Unmarshal([]byte{1, 2, 3}); err == nil || !cmp.Equal(got, signal.Profile{}) {
				t.Fatalf("after an error (%v) the profile is %+v", err, got)
			}
		}
	}
	p := apply(t, randomSignals(r, 60)...)
	last = p.Marshal()
	if n := testing.AllocsPerRun(100, func() {
		if err := got.Unmarshal(last); err != nil {
			t.Fatal(err)
		}
	}); n > 1 {
		t.Errorf("a profile decoded into the room of another allocates %v times, want once for its texts", n)
	}
}

func TestMarshalIsSmall(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	var p signal.Profile
	for k := range 60 {
		c := signal.KindCounter{Kind: lead.SignalKind(k + 1)}
		for range 12 {
			c.Add(base+r.Int64N(300*day), 14*day)
		}
		p.Counters = append(p.Counters, c)
	}
	var half signal.HalfLives
	for i := range 10 {
		s := signal.Signal{Kind: lead.SignalKindServiceVisit, At: at(float64(i * 90)),
			VIN: fmt.Sprintf("KMHC000000000000%d", i%2), DealerID: "0190b2c4-0000-7000-8000-000000000001",
			PayType: signal.PayTypeCustomer, Amount: lead.Money{Minor: 45900, Currency: "EUR"}}
		facts := p.Counters
		if err := signal.Apply(&p, s, &half); err != nil {
			t.Fatal(err)
		}
		p.Counters = facts
	}
	if n := len(p.Marshal()); n > 1536 {
		t.Errorf("60 counters, 2 vehicles and 10 visits take %d bytes, want at most 1536", n)
	}
}

func TestUnmarshalRefuses(t *testing.T) {
	p := apply(t, randomSignals(rand.New(rand.NewPCG(13, 14)), 40)...)
	b := p.Marshal()
	for i := 1; i < len(b); i++ {
		if _, err := signal.Unmarshal(b[:i]); err == nil {
			t.Fatalf("the first %d of %d bytes were accepted", i, len(b))
		}
	}
	if _, err := signal.Unmarshal(append(b, 0)); err == nil {
		t.Error("a rest was accepted")
	}
	b[0]++
	if _, err := signal.Unmarshal(b); err == nil {
		t.Error("a newer version was accepted")
	}
}

func FuzzUnmarshal(f *testing.F) {
	r := rand.New(rand.NewPCG(15, 16))
	var half signal.HalfLives
	for range 5 {
		var p signal.Profile
		for _, s := range randomSignals(r, 20) {
			if err := signal.Apply(&p, s, &half); err != nil {
				f.Fatal(err)
			}
		}
		f.Add(p.Marshal())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := signal.Unmarshal(b)
		if err != nil {
			return
		}
		again, err := signal.Unmarshal(p.Marshal())
		if err != nil {
			t.Fatalf("what was decoded does not decode again: %v", err)
		}
		if diff := cmp.Diff(p, again); diff != "" {
			t.Fatal(diff)
		}
		p.LifeCycle("", base)
		signal.Merge(p, again)
	})
}
