package routing_test

import (
	"testing"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/routing"
)

// dealerOf returns the row of a dealer so that a case can change it.
func dealerOf(n *routing.Network, id string) *routing.Dealer {
	for i := range n.Dealers {
		if n.Dealers[i].ID == id {
			return &n.Dealers[i]
		}
	}
	return nil
}

func electric(n *routing.Network, fallback routing.Fallback) {
	n.Programs = []routing.Program{{Code: "EV", Powertrains: []lead.Powertrain{lead.PowertrainElectric}, Mandatory: true, Fallback: fallback}}
}

func certify(n *routing.Network, ids ...string) {
	for _, id := range ids {
		d := dealerOf(n, id)
		d.Certificates = append(d.Certificates, routing.Certificate{Program: "EV", Valid: routing.Span{To: now + 1}})
	}
}

func area(n *routing.Network, id string) {
	n.Territories = append(n.Territories, routing.Territory{Country: "DE", Postal: "10000", Brand: "TOY", Dealer: id})
}

// The network of every case: stores a to f in a row, a at the customer's place, each further one
// 7 km away; the desk.
func TestChooseStepByStep(t *testing.T) {
	type want struct {
		step   routing.Step
		dealer string
		role   lead.Role
		flags  routing.Flag
		lost   map[string]routing.Loss
	}
	sales := lead.RoleSales
	tests := []struct {
		name string
		set  func(n *routing.Network, p *routing.Policy, f *routing.Facts)
		want want
	}{
		{"1: no franchise for the brand", func(n *routing.Network, _ *routing.Policy, f *routing.Facts) { f.Brand = "XYZ" },
			want{routing.StepDesk, "desk", lead.RoleManager, 0, nil}},
		{"1: a paused store loses its area", func(n *routing.Network, _ *routing.Policy, _ *routing.Facts) {
			area(n, "a")
			d := dealerOf(n, "a")
			d.Status, d.Paused = routing.StatusPaused, routing.Span{From: now - 10, To: now + 10}
			n.Dealers = n.Dealers[:3]
		}, want{routing.StepExpected, "b", sales, 0, map[string]routing.Loss{"a": routing.LossPaused}}},
		{"1: a pause that is over does not count", func(n *routing.Network, _ *routing.Policy, _ *routing.Facts) {
			area(n, "a")
			d := dealerOf(n, "a")
			d.Status, d.Paused = routing.StatusPaused, routing.Span{From: now - 10, To: now}
		}, want{routing.StepTerritory, "a", sales, 0, nil}},
		{"1: an onboarding store gets no real lead", func(n *routing.Network, _ *routing.Policy, _ *routing.Facts) {
			area(n, "a")
			dealerOf(n, "a").Status = routing.StatusOnboarding
			n.Dealers = n.Dealers[:3]
		}, want{routing.StepExpected, "b", sales, 0, map[string]routing.Loss{"a": routing.LossNotLive}}},
		{"1: an onboarding store gets test leads", func(n *routing.Network, _ *routing.Policy, f *routing.Facts) {
			f.Test = true
			area(n, "a")
			dealerOf(n, "a").Status = routing.StatusOnboarding
		}, want{routing.StepTerritory, "a", sales, 0, nil}},
		{"1: no consent, no store", func(n *routing.Network, _ *routing.Policy, f *routing.Facts) { f.Consent = false },
			want{routing.StepDesk, "desk", lead.RoleManager, 0, map[string]routing.Loss{"a": routing.LossNoConsent}}},
		{"1: a mandatory certificate decides who may", func(n *routing.Network, _ *routing.Policy, f *routing.Facts) {
			electric(n, routing.FallbackDesk)
			certify(n, "f")
			area(n, "a")
			f.Powertrain = lead.PowertrainElectric
		}, want{routing.StepExpected, "f", sales, 0, map[string]routing.Loss{"a": routing.LossNotCertified}}},
		{"1: an expired certificate is none", func(n *routing.Network, _ *routing.Policy, f *routing.Facts) {
			electric(n, routing.FallbackDesk)
			certify(n, "a", "f")
			dealerOf(n, "a").Certificates[0].Valid.To = now
			f.Powertrain = lead.PowertrainElectric
		}, want{routing.StepExpected, "f", sales, 0, map[string]routing.Loss{"a": routing.LossNotCertified}}},
		{"1: nobody certified, fallback desk", func(n *routing.Network, _ *routing.Policy, f *routing.Facts) {
			electric(n, routing.FallbackDesk)
			f.Powertrain = lead.PowertrainElectric
		}, want{routing.StepDesk, "desk", lead.RoleManager, 0, nil}},
		{"1: nobody certified, fallback uncertified", func(n *routing.Network, _ *routing.Policy, f *routing.Facts) {
			electric(n, routing.FallbackUncertified)
			area(n, "b")
			f.Powertrain = lead.PowertrainElectric
		}, want{routing.StepTerritory, "b", sales, routing.FlagReferralPlay | routing.FlagProgramFallback, nil}},
		{"1: mandatory counts only where the rule says so", func(n *routing.Network, p *routing.Policy, f *routing.Facts) {
			electric(n, routing.FallbackDesk)
			area(n, "b")
			p.Rules[0].MandatoryCounts = false
			f.Powertrain = lead.PowertrainElectric
		}, want{routing.StepTerritory, "b", sales, 0, nil}},
		{"1: a store abroad is out of the market", func(n *routing.Network, _ *routing.Policy, f *routing.Facts) {
			dealerOf(n, "a").Country = "AT"
			f.ServiceDealer, f.ServicedAt = "a", now-1
			n.Dealers = n.Dealers[:3]
		}, want{routing.StepExpected, "b", sales, 0, map[string]routing.Loss{"a": routing.LossOutOfMarket}}},
		{"1: unless the market lets it in", func(n *routing.Network, p *routing.Policy, f *routing.Facts) {
			dealerOf(n, "a").Country = "AT"
			p.Markets[0].Countries = []string{"AT"}
			f.ServiceDealer, f.ServicedAt = "a", now-1
		}, want{routing.StepKnown, "a", sales, 0, nil}},

		{"2: the customer's choice comes before everything", func(n *routing.Network, _ *routing.Policy, f *routing.Facts) {
			area(n, "a")
			f.Choice, f.Dealer = lead.DealerChoiceCustomerChose, "f"
			f.ServiceDealer, f.ServicedAt = "b", now-1
		}, want{routing.StepChosen, "f", sales, 0, map[string]routing.Loss{"a": routing.LossOtherChosen, "b": routing.LossOtherChosen}}},
		{"2: an uncertified chosen store gets it with a referral play", func(n *routing.Network, _ *routing.Policy, f *routing.Facts) {
			electric(n, routing.FallbackDesk)
			certify(n, "a")
			f.Powertrain = lead.PowertrainElectric
			f.Choice, f.Dealer = lead.DealerChoiceCustomerVehicle, "f"
		}, want{routing.StepChosen, "f", sales, routing.FlagReferralPlay, nil}},
		{"3: an uncertified store that knows the customer has the referral play too", func(n *routing.Network, p *routing.Policy, f *routing.Facts) {
			electric(n, routing.FallbackDesk)
			p.Rules[0].MandatoryCounts = false
			f.Powertrain = lead.PowertrainElectric
			f.ServiceDealer, f.ServicedAt = "b", now-1
		}, want{routing.StepKnown, "b", sales, routing.FlagReferralPlay, nil}},
		{"owner: an uncertified one has the referral play too", func(n *routing.Network, _ *routing.Policy, f *routing.Facts) {
			electric(n, routing.FallbackDesk)
			f.Powertrain = lead.PowertrainElectric
			f.Origin, f.Dealer = lead.OriginDealer, "f"
		}, want{routing.StepOwner, "f", sales, routing.FlagReferralPlay, nil}},
		{"5: a program that does not bind only weighs", func(n *routing.Network, p *routing.Policy, f *routing.Facts) {
			electric(n, routing.FallbackDesk)
			p.Rules[0].MandatoryCounts = false
			f.Powertrain = lead.PowertrainElectric
			n.Dealers = n.Dealers[:2]
		}, want{routing.StepExpected, "a", sales, 0, nil}},
		{"2: a paused chosen store hands over to its overflow", func(n *routing.Network, _ *routing.Policy, f *routing.Facts) {
			d := dealerOf(n, "f")
			d.Status, d.Overflow = routing.StatusPaused, "e"
			f.Choice, f.Dealer = lead.DealerChoiceCustomerChose, "f"
		}, want{routing.StepOverflow, "e", sales, routing.FlagChosenNotAllowed, map[string]routing.Loss{"f": routing.LossPaused}}},
		{"2: without overflow the later steps go on", func(n *routing.Network, _ *routing.Policy, f *routing.Facts) {
			area(n, "c")
			dealerOf(n, "f").Status = routing.StatusClosing
			f.Choice, f.Dealer = lead.DealerChoiceCustomerChose, "f"
		}, want{routing.StepTerritory, "c", sales, routing.FlagChosenNotAllowed, map[string]routing.Loss{"f": routing.LossNotLive}}},
		{"2: a closed chosen store is its successor", func(n *routing.Network, _ *routing.Policy, f *routing.Facts) {
			d := dealerOf(n, "f")
			d.Status, d.SucceededBy = routing.StatusClosed, "d"
			f.Choice, f.Dealer = lead.DealerChoiceCustomerChose, "f"
		}, want{routing.StepChosen, "d", sales, 0, nil}},
		{"2: a chosen store's decline goes to the desk", func(n *routing.Network, _ *routing.Policy, f *routing.Facts) {
			area(n, "a")
			f.Choice, f.Dealer, f.Attempt, f.Exclusions = lead.DealerChoiceCustomerChose, "f", 1, []string{"f"}
		}, want{routing.StepDesk, "desk", lead.RoleManager, routing.FlagChosenDeclined, map[string]routing.Loss{"f": routing.LossExcluded}}},
		{"2: an unknown chosen store is said", func(n *routing.Network, _ *routing.Policy, f *routing.Facts) {
			area(n, "a")
			f.Choice, f.DealerLost = lead.DealerChoiceCustomerChose, true
		}, want{routing.StepTerritory, "a", sales, routing.FlagChosenUnknown, nil}},
		{"2: a proposal is no choice", func(n *routing.Network, _ *routing.Policy, f *routing.Facts) {
			area(n, "a")
			f.Choice, f.Dealer = lead.DealerChoiceProposed, "f"
		}, want{routing.StepTerritory, "a", sales, 0, map[string]routing.Loss{"f": routing.LossOtherArea}}},

		{"owner: a dealer-owned lead goes to its store", func(n *routing.Network, _ *routing.Policy, f *routing.Facts) {
			area(n, "a")
			f.Origin, f.Choice, f.Dealer = lead.OriginDealer, lead.DealerChoiceNone, "f"
		}, want{routing.StepOwner, "f", sales, 0, map[string]routing.Loss{"a": routing.LossNotOwner}}},
		{"owner: also outside its franchise", func(n *routing.Network, _ *routing.Policy, f *routing.Facts) {
			f.Brand = "XYZ"
			f.Origin, f.Dealer = lead.OriginThirdPartyDealerPaid, "f"
		}, want{routing.StepOwner, "f", sales, routing.FlagOutsideFranchise, nil}},
		{"owner: else to the desk, never to another store", func(n *routing.Network, _ *routing.Policy, f *routing.Facts) {
			area(n, "a")
			d := dealerOf(n, "f")
			d.Status, d.Overflow = routing.StatusPaused, "e"
			f.Origin, f.Dealer = lead.OriginOEMForDealer, "f"
		}, want{routing.StepDesk, "desk", lead.RoleManager, routing.FlagOwnerNotAllowed, map[string]routing.Loss{"a": routing.LossNotOwner, "e": routing.LossNotOwner, "f": routing.LossPaused}}},
		{"owner: without a store to the desk", func(n *routing.Network, _ *routing.Policy, f *routing.Facts) {
			f.Origin = lead.OriginDealer
		}, want{routing.StepDesk, "desk", lead.RoleManager, routing.FlagOwnerUnknown, nil}},

		{"3: the store of the last service visit", func(n *routing.Network, p *routing.Policy, f *routing.Facts) {
			area(n, "a")
			f.ServiceDealer, f.ServicedAt = "d", now-p.Rules[0].ServiceMemory
			f.SellingDealer, f.SoldAt = "e", now-1
		}, want{routing.StepKnown, "d", sales, 0, map[string]routing.Loss{"a": routing.LossOtherKnows, "e": routing.LossOtherKnows}}},
		{"3: a visit too long ago leaves it to the selling dealer", func(n *routing.Network, p *routing.Policy, f *routing.Facts) {
			area(n, "a")
			f.ServiceDealer, f.ServicedAt = "d", now-p.Rules[0].ServiceMemory-1
			f.SellingDealer, f.SoldAt = "e", now-p.Rules[0].SellingMemory
		}, want{routing.StepKnown, "e", sales, 0, nil}},
		{"3: a sale too long ago leaves it to the area", func(n *routing.Network, p *routing.Policy, f *routing.Facts) {
			area(n, "a")
			f.SellingDealer, f.SoldAt = "e", now-p.Rules[0].SellingMemory-1
		}, want{routing.StepTerritory, "a", sales, 0, nil}},
		{"3: beyond twice the normal distance nobody knows them", func(n *routing.Network, p *routing.Policy, f *routing.Facts) {
			area(n, "a")
			p.Rules[0].NormalDistance = 10_000 // d is 21.4 km away
			f.ServiceDealer, f.ServicedAt = "d", now-1
		}, want{routing.StepTerritory, "a", sales, 0, nil}},
		{"3: just inside it they do", func(n *routing.Network, p *routing.Policy, f *routing.Facts) {
			area(n, "a")
			p.Rules[0].NormalDistance = 11_000
			f.ServiceDealer, f.ServicedAt = "d", now-1
		}, want{routing.StepKnown, "d", sales, 0, nil}},
		{"3: a place known only as a country takes nobody from their store", func(n *routing.Network, p *routing.Policy, f *routing.Facts) {
			p.Rules[0].NormalDistance = 10
			f.Postal, f.ServiceDealer, f.ServicedAt = "", "d", now-1
		}, want{routing.StepKnown, "d", sales, 0, nil}},
		{"3: what the sender calls the customer's store comes first", func(n *routing.Network, p *routing.Policy, f *routing.Facts) {
			f.Choice, f.Dealer = lead.DealerChoiceExistingCustomer, "c"
			f.ServiceDealer, f.ServicedAt = "d", now-1
		}, want{routing.StepKnown, "c", sales, 0, nil}},
		{"3: a declined store that knows them is left out", func(n *routing.Network, p *routing.Policy, f *routing.Facts) {
			f.ServiceDealer, f.ServicedAt, f.Exclusions, f.Attempt = "d", now-1, []string{"d"}, 1
			f.SellingDealer, f.SoldAt = "e", now-1
		}, want{routing.StepKnown, "e", sales, 0, map[string]routing.Loss{"d": routing.LossExcluded}}},

		{"4: best of k ignores areas", func(n *routing.Network, p *routing.Policy, _ *routing.Facts) {
			area(n, "f")
			p.Markets[0].Policy, p.Markets[0].K = routing.MarketPolicyBestOfK, 1
		}, want{routing.StepExpected, "a", sales, 0, map[string]routing.Loss{"f": routing.LossLowerExpected}}},
		{"4: an area has its time", func(n *routing.Network, p *routing.Policy, _ *routing.Facts) {
			area(n, "f")
			n.Territories[0].Valid = routing.Span{To: now}
			area(n, "e")
			n.Territories[1].Valid = routing.Span{From: now}
		}, want{routing.StepTerritory, "e", sales, 0, nil}},

		{"5: with k = 1 the nearest of alike stores", func(n *routing.Network, p *routing.Policy, _ *routing.Facts) { p.Markets[0].K = 1 },
			want{routing.StepExpected, "a", sales, 0, map[string]routing.Loss{"b": routing.LossLowerExpected}}},
		{"5: a store that speaks the language suits better", func(n *routing.Network, p *routing.Policy, f *routing.Facts) {
			p.Markets[0].K = 1
			f.Language = "tr"
			dealerOf(n, "b").Departments[0].Languages = []string{"de", "tr"}
		}, want{routing.StepExpected, "b", sales, 0, nil}},
		{"5: nobody beyond the farthest distance", func(n *routing.Network, p *routing.Policy, f *routing.Facts) {
			f.Postal = "20000"
			p.Rules[0].MaxDistance = 100_000
		}, want{routing.StepDesk, "desk", lead.RoleManager, 0, map[string]routing.Loss{"a": routing.LossTooFar}}},

		{"6: a complaint goes to the manager", func(n *routing.Network, _ *routing.Policy, f *routing.Facts) {
			area(n, "a")
			f.Line, f.FleetAccount, f.DigitalOnly = lead.LineCare, true, true
		}, want{routing.StepTerritory, "a", lead.RoleManager, 0, nil}},
		{"6: a fleet account to the fleet desk", func(n *routing.Network, _ *routing.Policy, f *routing.Facts) {
			area(n, "a")
			f.FleetAccount, f.DigitalOnly = true, true
		}, want{routing.StepTerritory, "a", lead.RoleFleet, 0, nil}},
		{"6: engagement only to the BDC", func(n *routing.Network, _ *routing.Policy, f *routing.Facts) {
			area(n, "a")
			f.DigitalOnly = true
		}, want{routing.StepTerritory, "a", lead.RoleBDC, 0, nil}},
		{"6: a warranty to the service advisor", func(n *routing.Network, _ *routing.Policy, f *routing.Facts) {
			area(n, "a")
			f.Line = lead.LineWarranty
		}, want{routing.StepTerritory, "a", lead.RoleServiceAdvisor, 0, nil}},
		{"6: re-engagement to retention", func(n *routing.Network, _ *routing.Policy, f *routing.Facts) {
			area(n, "a")
			f.Line = lead.LineReengagement
		}, want{routing.StepTerritory, "a", lead.RoleRetention, 0, nil}},
		{"6: unless the playbook has another role", func(n *routing.Network, p *routing.Policy, f *routing.Facts) {
			area(n, "a")
			f.Line = lead.LineReengagement
			p.Roles = []routing.LineRole{{Line: lead.LineReengagement, Role: lead.RoleBDC}}
		}, want{routing.StepTerritory, "a", lead.RoleBDC, 0, nil}},

		{"7: the overflow store of the area", func(n *routing.Network, p *routing.Policy, f *routing.Facts) {
			area(n, "a")
			d := dealerOf(n, "a")
			d.Status, d.Overflow = routing.StatusPaused, "f"
			p.Rules[0].MaxDistance = 1 // so that step 5 has nobody
		}, want{routing.StepOverflow, "f", sales, 0, map[string]routing.Loss{"a": routing.LossPaused, "b": routing.LossTooFar}}},
		{"7: the overflow store of the playbook", func(n *routing.Network, p *routing.Policy, f *routing.Facts) {
			p.Overflow = []routing.Overflow{{Dealer: "f"}, {Brand: "TOY", Dealer: "e"}, {Brand: "LEX", Dealer: "d"}}
			p.Rules[0].MaxDistance = 1
			dealerOf(n, "a").Status = routing.StatusClosed
		}, want{routing.StepOverflow, "e", sales, 0, nil}},
		{"7: everybody excluded: the desk", func(n *routing.Network, _ *routing.Policy, f *routing.Facts) {
			f.Exclusions, f.Attempt = []string{"a", "b", "c", "d", "e", "f", "desk"}, 6
		}, want{routing.StepDesk, "desk", lead.RoleManager, 0, map[string]routing.Loss{"a": routing.LossExcluded}}},
		{"7: an unknown market: the desk", func(n *routing.Network, _ *routing.Policy, f *routing.Facts) { f.Market = "FR" },
			want{routing.StepDesk, "desk", lead.RoleManager, 0, nil}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n, p, f := row("abcdef"), policy(), facts()
			tt.set(&n, &p, &f)
			r := choose(compile(t, n, p), f)
			if r.Step != tt.want.step || r.Winner != tt.want.dealer || r.WinRole != tt.want.role || r.Flags != tt.want.flags {
				t.Errorf("got %v %s %v flags %b, want %v %s %v flags %b\n%s", r.Step, r.Winner, r.WinRole, r.Flags,
					tt.want.step, tt.want.dealer, tt.want.role, tt.want.flags, r.AppendCanonical(nil))
			}
			for id, want := range tt.want.lost {
				if got := rowOf(t, r, id).Lost; got != want {
					t.Errorf("%s lost by %v, want %v", id, got, want)
				}
			}
			if err := routing.Verify(r.AppendCanonical(nil)); err != nil {
				t.Errorf("verify: %v", err)
			}
		})
	}
}

func rowOf(t *testing.T, r *routing.Receipt, id string) *routing.Candidate {
	t.Helper()
	for i := range r.Candidates {
		if r.Candidates[i].Dealer == id {
			return &r.Candidates[i]
		}
	}
	t.Fatalf("no row for %s\n%s", id, r.AppendCanonical(nil))
	return nil
}

func TestCapacityHint(t *testing.T) {
	n := row("ab")
	area(&n, "a")
	dealerOf(&n, "a").Departments[0].CapPerDay = 5
	s := compile(t, n, policy())
	unit, ok := s.UnitOf("a", lead.DepartmentNew)
	if !ok {
		t.Fatal("no unit")
	}
	live := routing.NewLive(s)
	f := facts()
	f.Live = live
	if r := choose(s, f); r.Winner != "a" || rowOf(t, r, "a").Free != 5 {
		t.Errorf("with room: %s got it, free %d", r.Winner, rowOf(t, r, "a").Free)
	}
	live.SetFree(unit, 0)
	r := choose(s, f)
	if r.Winner != "b" || rowOf(t, r, "a").Lost != routing.LossNoCapacity || !r.MayBeRefused() {
		t.Errorf("full: %s got it, a lost by %v", r.Winner, rowOf(t, r, "a").Lost)
	}
	f.Choice, f.Dealer = lead.DealerChoiceCustomerChose, "a"
	if r := choose(s, f); r.Winner != "a" || r.MayBeRefused() {
		t.Errorf("full but chosen: %s got it, may be refused %v", r.Winner, r.MayBeRefused())
	}
	f = facts()
	f.Live, f.Test = live, true
	if r := choose(s, f); r.Winner != "a" || r.MayBeRefused() {
		t.Errorf("a test lead is outside capacity: %s got it", r.Winner)
	}
}

func TestClosedStoreCountsLess(t *testing.T) {
	n, p := row("ab"), policy()
	p.Markets[0].K = 1
	s := compile(t, n, p)
	live := routing.NewLive(s)
	unit, _ := s.UnitOf("a", lead.DepartmentNew)
	live.SetOpen(unit, false)
	f := facts()
	f.Live = live
	if r := choose(s, f); r.Winner != "b" || rowOf(t, r, "a").Open {
		t.Errorf("%s got it, want b: a is closed", r.Winner)
	}
}

func TestInferredCap(t *testing.T) {
	n, p := row("ab"), policy()
	p.RosterLeadsPerDay = 4
	dealerOf(&n, "a").Departments[0].InferCap = true
	for _, id := range []string{"p1", "p2", "p3"} {
		n.Persons = append(n.Persons, routing.Person{ID: id, Dealer: "a", Active: id != "p3"})
	}
	s := compile(t, n, p)
	for id, want := range map[string]routing.Unit{
		"a": {Dealer: "a", Department: lead.DepartmentNew, TimeZone: "Europe/Berlin", Capped: true, CapPerDay: 8, PersonSetting: routing.PersonSettingCRM},
		"b": {Dealer: "b", Department: lead.DepartmentNew, TimeZone: "Europe/Berlin", PersonSetting: routing.PersonSettingCRM},
	} {
		unit, _ := s.UnitOf(id, lead.DepartmentNew)
		if got := s.Unit(unit); got != want {
			t.Errorf("%s: got %+v, want %+v", id, got, want)
		}
	}
}
