package routing_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/routing"
)

func dealerOwned(o lead.Origin) bool {
	return o == lead.OriginDealer || o == lead.OriginThirdPartyDealerPaid || o == lead.OriginOEMForDealer
}

// Every law of the choice, over thousands of random networks and leads.
func TestLaws(t *testing.T) {
	rounds := 2_000
	if testing.Short() {
		rounds = 200
	}
	steps := map[routing.Step]int{}
	for seed := range uint64(rounds) {
		r := rand.New(rand.NewPCG(seed, 7))
		dealers, codes := 2+r.IntN(80), 1+r.IntN(20)
		n, p := world(r, dealers, codes), policy()
		if r.IntN(2) == 0 {
			p.Markets[0].Policy, p.Markets[0].K = routing.MarketPolicyBestOfK, 1+r.Int32N(6)
		}
		s := compile(t, n, p)
		live := unrest(r, s)
		status := map[string]routing.Dealer{}
		for _, d := range n.Dealers {
			status[d.ID] = d
		}
		var c routing.Choice
		for range 5 {
			f := someLead(r, dealers, codes)
			f.Live = live
			routing.Choose(s, &f, &c)
			x := &c.Receipt
			steps[x.Step]++
			stored := x.AppendCanonical(nil)
			fail := func(law string) { t.Fatalf("seed %d: %s\n%s", seed, law, stored) }

			if x.Winner == "" || x.Step == routing.StepUnspecified || x.Flags.Has(routing.FlagUnassigned) {
				fail("unassigned although a desk exists")
			}
			if x.Step != routing.StepDesk {
				if slices.Contains(f.Exclusions, x.Winner) {
					fail("an excluded dealer won")
				}
				if !f.Consent {
					fail("shared without consent")
				}
				d := status[x.Winner]
				if d.Status == routing.StatusClosed || d.Status == routing.StatusClosing || d.Status == routing.StatusOnboarding && !f.Test ||
					d.Status == routing.StatusPaused && d.Paused.Holds(now) {
					fail("the winner is not live")
				}
				if won := x.Won(); won == nil || won.Dealer != x.Winner {
					fail("the winner is no candidate, or another one has not lost")
				}
				if x.Step != routing.StepChosen && x.Step != routing.StepOwner && !x.Flags.Has(routing.FlagProgramFallback) {
					for i, q := range x.Programs {
						if q.Mandatory && x.Won().Missing&(1<<i) != 0 {
							fail("a mandatory certificate is missing")
						}
					}
				}
			}
			if dealerOwned(f.Origin) && x.Step != routing.StepDesk && (x.Step != routing.StepOwner || x.Won().Marks&routing.MarkNamed == 0) {
				fail("a dealer-owned lead moved")
			}
			chosen := f.Choice == lead.DealerChoiceCustomerChose || f.Choice == lead.DealerChoiceCustomerVehicle
			if chosen && !dealerOwned(f.Origin) && slices.Contains(f.Exclusions, f.Dealer) && status[f.Dealer].Status == routing.StatusLive && x.Step != routing.StepDesk {
				fail("a chosen store declined, the desk did not get the lead")
			}
			if x.Flags.Has(routing.FlagProgramFallback) && slices.ContainsFunc(x.Programs, func(q routing.Requirement) bool {
				return q.Mandatory && q.Fallback != routing.FallbackUncertified
			}) {
				fail("fell back although a program says desk")
			}
			lost, counted := 0, int32(0)
			for i := range x.Candidates {
				if x.Candidates[i].Lost != routing.LossUnspecified {
					lost++
				}
				counted++
			}
			want := len(x.Candidates)
			if x.Step != routing.StepDesk {
				want--
			}
			if lost != want {
				fail("not exactly one winner, or a loser without a reason")
			}
			if x.Step == routing.StepExpected {
				var sum int32
				for i := range x.Candidates {
					sum += x.Candidates[i].Chance
				}
				if sum != 1_000_000 {
					fail("the shares do not add up")
				}
			}
			if f.Postal != "" && bytes.Contains(stored, []byte(`"`+f.Postal+`"`)) {
				fail("the postal code is in the receipt")
			}
			if err := routing.Verify(stored); err != nil {
				fail("replay: " + err.Error())
			}
			again := choose(s, f)
			if !bytes.Equal(again.AppendCanonical(nil), stored) {
				fail("the same facts gave other bytes")
			}
		}
	}
	for step := routing.StepOwner; step <= routing.StepDesk; step++ {
		if steps[step] == 0 {
			t.Errorf("no lead was decided by %v: the law was not tested there", step)
		}
	}
}

// The order of the rows of a network changes nothing.
func TestOrderOfRowsChangesNothing(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 8))
		n := world(r, 60, 15)
		mixed := n
		mixed.Dealers, mixed.Points = slices.Clone(n.Dealers), slices.Clone(n.Points)
		mixed.Territories, mixed.Programs = slices.Clone(n.Territories), slices.Clone(n.Programs)
		r.Shuffle(len(mixed.Dealers), func(i, j int) { mixed.Dealers[i], mixed.Dealers[j] = mixed.Dealers[j], mixed.Dealers[i] })
		r.Shuffle(len(mixed.Points), func(i, j int) { mixed.Points[i], mixed.Points[j] = mixed.Points[j], mixed.Points[i] })
		r.Shuffle(len(mixed.Territories), func(i, j int) {
			mixed.Territories[i], mixed.Territories[j] = mixed.Territories[j], mixed.Territories[i]
		})
		slices.Reverse(mixed.Programs)
		a, b := compile(t, n, policy()), compile(t, mixed, policy())
		for range 20 {
			f := someLead(r, 60, 15)
			x, y := choose(a, f), choose(b, f)
			if !bytes.Equal(x.AppendCanonical(nil), y.AppendCanonical(nil)) {
				t.Fatalf("seed %d:\n%s\n%s", seed, x.AppendCanonical(nil), y.AppendCanonical(nil))
			}
		}
	}
}

// Changing a decisive fact of a stored receipt is found out.
func TestChangedFactBreaksReplay(t *testing.T) {
	n, p := row("abcdef"), policy()
	p.Markets[0].K = 6
	p.Rules[0].Equals = 0
	s := compile(t, n, p)
	f := facts()
	f.Chance = routing.Chance(secret(), f.LeadID, routing.PurposeDraw, 0)
	f.Live = unrest(rand.New(rand.NewPCG(1, 1)), s)
	closed, _ := s.UnitOf("b", lead.DepartmentNew)
	f.Live.SetOpen(closed, false)
	stored := choose(s, f).AppendCanonical(nil)
	for name, change := range map[string]func(r *routing.Receipt, c *routing.Candidate){
		"distance":    func(_ *routing.Receipt, c *routing.Candidate) { c.Distance++ },
		"performance": func(_ *routing.Receipt, c *routing.Candidate) { c.Performance = -c.Performance + 1000 },
		"open":        func(_ *routing.Receipt, c *routing.Candidate) { c.Open = !c.Open },
		"language":    func(_ *routing.Receipt, c *routing.Candidate) { c.OtherLanguage = !c.OtherLanguage },
		"capacity":    func(_ *routing.Receipt, c *routing.Candidate) { c.Capped, c.Free = true, 0 },
		"bar":         func(_ *routing.Receipt, c *routing.Candidate) { c.Bars |= routing.BarPaused },
		"exclusion":   func(r *routing.Receipt, c *routing.Candidate) { r.Exclusions = append(r.Exclusions, c.Dealer) },
		"mark":        func(_ *routing.Receipt, c *routing.Candidate) { c.Marks |= routing.MarkTerritory },
		"dealer":      func(_ *routing.Receipt, c *routing.Candidate) { c.Dealer += "x" },
		"expected":    func(_ *routing.Receipt, c *routing.Candidate) { c.Expected++ },
		"chance":      func(_ *routing.Receipt, c *routing.Candidate) { c.Chance++ },
		"consent":     func(r *routing.Receipt, _ *routing.Candidate) { r.NoConsent = true },
		"role":        func(r *routing.Receipt, _ *routing.Candidate) { r.Policy.Role = lead.RoleFleet },
		"winner":      func(r *routing.Receipt, _ *routing.Candidate) { r.Winner = "a2" },
		"closed":      func(r *routing.Receipt, _ *routing.Candidate) { r.Policy.Closed /= 2 },
		"win chance":  func(r *routing.Receipt, _ *routing.Candidate) { r.WinChance += 1000 },
		"rules":       func(r *routing.Receipt, _ *routing.Candidate) { r.Rules++ },
	} {
		r, err := routing.ParseReceipt(stored)
		if err != nil {
			t.Fatal(err)
		}
		won := r.Won()
		if won == nil {
			t.Fatalf("the case needs a winner among candidates\n%s", stored)
		}
		change(r, won)
		if err := routing.Verify(r.AppendCanonical(nil)); err == nil {
			t.Errorf("a changed %s went unnoticed", name)
		}
	}
}

// Readers share a snapshot while its lists of nearest stores are first filled.
func TestConcurrentReaders(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	n := world(r, 300, 50)
	s, other := compile(t, n, policy()), compile(t, n, policy())
	live, calm := routing.NewLive(s), routing.NewLive(other)
	var leads []routing.Facts
	var want []string
	for range 200 {
		f := someLead(r, 300, 50)
		f.Live = calm
		want = append(want, string(choose(other, f).AppendCanonical(nil)))
		f.Live = live
		leads = append(leads, f)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			var c routing.Choice
			for i := range leads {
				live.SetOpen(i, true)
				routing.Choose(s, &leads[i], &c)
				if got := string(c.Receipt.AppendCanonical(nil)); got != want[i] {
					t.Errorf("lead %d:\n%s\n%s", i, got, want[i])
				}
			}
		})
	}
	wg.Wait()
}

// With no market's desk a network cannot be compiled at all; a receipt without one is unassigned.
func TestUnassignedIsSaid(t *testing.T) {
	f := facts()
	f.Consent = false
	r := choose(compile(t, row("a"), policy()), f)
	r.Policy.Desk = ""
	again, err := routing.Replay(r)
	if err != nil {
		t.Fatal(err)
	}
	if again.Winner != "" || !again.Flags.Has(routing.FlagUnassigned) || !strings.Contains(string(again.AppendCanonical(nil)), "FLAG_UNASSIGNED") {
		t.Errorf("got %q, flags %b", again.Winner, again.Flags)
	}
}
