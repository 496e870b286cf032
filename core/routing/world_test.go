package routing_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/routing"
)

const now = int64(1_790_000_000)

func secret() []byte { return []byte("a secret of the revision, 32 byte") }

// store returns a live rooftop of one brand at a point.
func store(id string, latitude, longitude int32, brands ...string) routing.Dealer {
	d := routing.Dealer{ID: id, Name: "Store " + id, Kind: routing.KindRooftop, Country: "DE", Latitude: latitude, Longitude: longitude,
		TimeZone: "Europe/Berlin", Status: routing.StatusLive}
	for _, k := range []lead.Department{lead.DepartmentNew, lead.DepartmentService} {
		d.Departments = append(d.Departments, routing.Department{Kind: k, Brands: brands, PersonSetting: routing.PersonSettingCRM, Languages: []string{"de"}})
	}
	return d
}

func desk(id string) routing.Dealer {
	return routing.Dealer{ID: id, Name: "Desk", Kind: routing.KindDesk, Country: "DE", TimeZone: "Europe/Berlin", Status: routing.StatusLive}
}

func policy() routing.Policy {
	return routing.Policy{Revision: "playbook-1", Desk: "desk", Rules: []routing.Rule{routing.DefaultRule()},
		Markets: []routing.Market{{Country: "DE", Policy: routing.MarketPolicyTerritory, K: 3}}}
}

// row is a village of stores along a parallel: "a" at the customer's place, each further letter
// about 7 km farther east.
func row(letters string) routing.Network {
	n := routing.Network{Revision: "network-1", Dealers: []routing.Dealer{desk("desk")}}
	for i, l := range letters {
		n.Dealers = append(n.Dealers, store(string(l), 50_000_000, 8_000_000+int32(i)*100_000, "TOY"))
	}
	n.Points = []routing.PostalPoint{
		{Country: "DE", Postal: "10000", Region: "HE", Latitude: 50_000_000, Longitude: 8_000_000},
		{Country: "DE", Postal: "10100", Region: "HE", Latitude: 50_000_000, Longitude: 9_000_000},
		{Country: "DE", Postal: "20000", Region: "BY", Latitude: 48_000_000, Longitude: 11_000_000},
	}
	return n
}

func facts() routing.Facts {
	return routing.Facts{DecidedAt: now, LeadID: lead.NewID(secret(), "lead"), Line: lead.LineSales, Brand: "TOY", Origin: lead.OriginOEM,
		Choice: lead.DealerChoiceNone, Consent: true, Market: "DE", Country: "DE", Postal: "10000", WinChance: 80_000, Points: 6_500,
		Stage: lead.StageReady, Scorer: "model-1", Inputs: []routing.Input{{Name: "engagement.page_views", Value: 12_000}}}
}

func compile(tb testing.TB, n routing.Network, p routing.Policy) *routing.Snapshot {
	tb.Helper()
	s, problems := routing.Compile(n, p)
	if len(problems) > 0 {
		tb.Fatalf("problems: %v", problems)
	}
	return s
}

func choose(s *routing.Snapshot, f routing.Facts) *routing.Receipt {
	var c routing.Choice
	routing.Choose(s, &f, &c)
	return &c.Receipt
}

// world is a random network of a country of 10 by 10 degrees, with everything in it that makes
// a store unable to take a lead.
func world(r *rand.Rand, dealers, codes int) routing.Network {
	n := routing.Network{Revision: "network-" + strconv.Itoa(dealers), Dealers: []routing.Dealer{desk("desk")}}
	n.Programs = []routing.Program{
		{Code: "EV", Powertrains: []lead.Powertrain{lead.PowertrainElectric}, Mandatory: true, Fallback: routing.FallbackDesk},
		{Code: "FLEET", Fleet: true, Fallback: routing.FallbackUncertified},
		{Code: "HALO", Models: []string{"GR-1"}, Mandatory: true, Fallback: routing.FallbackUncertified},
	}
	at := func() (int32, int32) { return 45_000_000 + r.Int32N(10_000_000), 5_000_000 + r.Int32N(10_000_000) }
	for i := range dealers {
		latitude, longitude := at()
		d := store(fmt.Sprintf("d%05d", i), latitude, longitude, "TOY")
		if r.IntN(3) == 0 {
			d.Departments[0].Brands = []string{"TOY", "LEX"}
		}
		if r.IntN(4) == 0 {
			d.Departments[0].CapPerDay = 1 + r.Int32N(20)
		}
		if r.IntN(5) == 0 {
			d.Departments = append(d.Departments, routing.Department{Kind: lead.DepartmentUsed, PersonSetting: routing.PersonSettingLeadmesh, Languages: []string{"de", "tr"}})
		}
		for _, p := range n.Programs {
			switch r.IntN(4) {
			case 0:
				d.Certificates = append(d.Certificates, routing.Certificate{Program: p.Code, Valid: routing.Span{To: now - 1000 + r.Int64N(2000)}})
			case 1:
				d.Certificates = append(d.Certificates, routing.Certificate{Program: p.Code})
			}
		}
		switch r.IntN(20) {
		case 0:
			d.Status = routing.StatusPaused
			d.Paused = routing.Span{From: now - 500 + r.Int64N(1000)}
			d.Overflow = fmt.Sprintf("d%05d", (i+1)%dealers)
		case 1:
			d.Status = routing.StatusOnboarding
		case 2:
			d.Status = routing.StatusClosing
		case 3:
			d.Status = routing.StatusClosed
			if i > 0 {
				d.SucceededBy = fmt.Sprintf("d%05d", r.IntN(i))
			}
		}
		if d.Overflow == d.ID {
			d.Overflow = ""
		}
		n.Dealers = append(n.Dealers, d)
	}
	for i := range codes {
		latitude, longitude := at()
		n.Points = append(n.Points, routing.PostalPoint{Country: "DE", Postal: fmt.Sprintf("%05d", i), Region: strconv.Itoa(i % 7), Latitude: latitude, Longitude: longitude})
		if i%2 == 0 {
			n.Territories = append(n.Territories, routing.Territory{Country: "DE", Postal: fmt.Sprintf("%05d", i), Brand: "TOY", Dealer: fmt.Sprintf("d%05d", r.IntN(dealers))})
		}
	}
	return n
}

// someLead is a random lead for a world.
func someLead(r *rand.Rand, dealers, codes int) routing.Facts {
	dealer := func() string {
		if r.IntN(30) == 0 {
			return "nobody"
		}
		return fmt.Sprintf("d%05d", r.IntN(dealers))
	}
	f := facts()
	f.LeadID = lead.NewID(secret(), strconv.FormatUint(r.Uint64(), 10))
	f.Attempt = r.Int32N(3)
	f.Chance = routing.Chance(secret(), f.LeadID, routing.PurposeDraw, int(f.Attempt))
	f.Line = lead.Line(1 + r.IntN(int(lead.LineCare)))
	f.Origin = lead.Origin(1 + r.IntN(int(lead.OriginPartner)))
	f.Choice = lead.DealerChoice(1 + r.IntN(int(lead.DealerChoiceProposed)))
	f.Postal = fmt.Sprintf("%05d", r.IntN(codes+codes/10))
	f.Brand = []string{"TOY", "TOY", "TOY", "LEX", "", "XYZ"}[r.IntN(6)]
	f.Consent = r.IntN(20) != 0
	f.Test = r.IntN(10) == 0
	f.FleetAccount = r.IntN(8) == 0
	f.DigitalOnly = r.IntN(8) == 0
	f.WinChance = r.Int32N(1_000_001)
	f.Language = []string{"", "de", "tr", "fr"}[r.IntN(4)]
	if r.IntN(3) == 0 {
		f.Powertrain = lead.PowertrainElectric
	}
	if r.IntN(6) == 0 {
		f.Model = "GR-1"
	}
	if f.Choice != lead.DealerChoiceNone {
		f.Dealer = dealer()
	}
	if r.IntN(3) == 0 {
		f.ServiceDealer, f.ServicedAt = dealer(), now-r.Int64N(1000*86_400)
	}
	if r.IntN(3) == 0 {
		f.SellingDealer, f.SoldAt = dealer(), now-r.Int64N(2500*86_400)
	}
	for range r.IntN(3) {
		f.Exclusions = append(f.Exclusions, dealer())
	}
	if r.IntN(10) == 0 {
		f.HasPoint, f.Latitude, f.Longitude = true, 45_000_000+r.Int32N(10_000_000), 5_000_000+r.Int32N(10_000_000)
	}
	return f
}

// unrest gives every department of a snapshot some random state.
func unrest(r *rand.Rand, s *routing.Snapshot) *routing.Live {
	l := routing.NewLive(s)
	for u := range s.Units() {
		l.SetOpen(u, r.IntN(3) != 0)
		l.SetPerformance(u, r.Int32N(600_000)-300_000)
		l.SetFree(u, r.Int32N(5)-1)
	}
	return l
}
