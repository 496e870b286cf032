package adf_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/leadmesh/leadmesh/core/adf"
	nouns "github.com/leadmesh/leadmesh/core/lead"
)

var testDispatch = adf.Dispatch{
	System: "leadmesh", Provider: "Norrvind Leads",
	Vendor: adf.Vendor{IDs: []adf.ID{{Source: "leadmesh", Value: "nv-ca-004"}}, Name: "Norrvind of Oakdale", Contacts: []adf.Contact{{
		Names: []adf.Name{{Part: "full", Type: "business", Value: "Norrvind of Oakdale"}}, Phones: []adf.Phone{{Type: "voice", Value: "+12135550103"}},
	}}},
	Lines: []string{"Respond by: 2026-03-02 10:30 EST"},
}

// draw is a lead that the format can carry whole, drawn by chance.
func draw(r *rand.Rand) *nouns.Lead {
	pick := func(words ...string) string { return words[r.IntN(len(words))] }
	maybe := func(words ...string) string {
		if r.IntN(2) == 0 {
			return ""
		}
		return pick(words...)
	}
	money := func() nouns.Money {
		if r.IntN(2) == 0 {
			return nouns.Money{}
		}
		return nouns.Money{Minor: int64(r.IntN(9_999_999) + 1), Currency: pick("USD", "EUR", "JPY")}
	}
	person := func(role nouns.PartyRole) nouns.Party {
		p := nouns.Party{
			Role: role, Name: nouns.Name{Given: pick("Ada", "José", "Zoë"), Middle: maybe("M"), Family: pick("Moe", "O'Neil & Sons", "Müller<x>"), Suffix: maybe("Jr")},
			Emails: []nouns.Email{{Raw: "ada@example.com", Address: "ada@example.com"}},
			Phones: []nouns.Phone{{Raw: "+12125550123", E164: "+12125550123", Type: nouns.PhoneTypeMobile}},
			Address: nouns.Address{Streets: []string{"1 Main St", "Rear \"house\""}[:r.IntN(3)], Unit: maybe("4b"), City: pick("Oakdale", "Łódź"),
				Region: maybe("CA"), Postal: pick("10001", "SW1A 1AA"), Country: pick("US", "DE")},
			BestTime: maybe("morning", "evening"),
		}
		if role == nouns.PartyRolePrimary {
			p.Preferred = []nouns.Channel{nouns.ChannelUnspecified, nouns.ChannelEmail, nouns.ChannelCall, nouns.ChannelSMS}[r.IntN(4)]
		}
		return p
	}
	vehicle := func(role nouns.VehicleRole) nouns.Vehicle {
		v := nouns.Vehicle{
			Role: role, Status: []nouns.VehicleStatus{0, nouns.VehicleStatusNew, nouns.VehicleStatusUsed}[r.IntN(3)], Year: []int{0, 2019, 2026}[r.IntN(3)],
			Make: pick("NORRVIND", "Solvane"), Model: pick("Alva", "E-Lastar", "C<3>"), Trim: maybe("Touring"), Body: maybe("SUV"),
			VIN: maybe("1M8GDM9AXKP042788"), Stock: maybe("N123"), Color: maybe("Blå"), Odometer: -1, Price: money(), Comments: maybe("one \"owner\" & more"),
			Condition: maybe("good", "poor"), Options: []string{"Roof box", "Tow bar"}[:r.IntN(3)],
		}
		if r.IntN(2) == 0 {
			v.Odometer, v.OdometerUnit = int64(r.IntN(200_000)+1), []nouns.OdometerUnit{nouns.OdometerUnitKM, nouns.OdometerUnitMI}[r.IntN(2)]
		}
		v.Interest = []nouns.Interest{0, nouns.InterestBuy, nouns.InterestLease, nouns.InterestTestDrive}[r.IntN(4)]
		if role == nouns.VehicleRoleTraded {
			v.Model, v.Interest = "Old One", []nouns.Interest{nouns.InterestTradeIn, nouns.InterestSell}[r.IntN(2)]
		}
		return v
	}
	l := &nouns.Lead{
		ID: nouns.NewID([]byte("test"), pick("a", "b")), Line: nouns.LineSales, RequestType: nouns.RequestTypeQuote, Comments: maybe("Is it <still> there?\nThank you & bye."),
		RequestedAt: time.Date(2026, 3, 2, 15, r.IntN(60), r.IntN(60), 0, time.UTC),
		Source:      nouns.Source{Channel: "web", Source: "site", SubSource: maybe("configurator"), Provider: maybe("Portal")},
		Campaign:    nouns.Campaign{Name: maybe("spring \"26\"")},
		TimeFrame:   nouns.TimeFrame{Text: maybe("within 2 weeks"), Latest: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)},
		Parties:     []nouns.Party{person(nouns.PartyRolePrimary)},
	}
	if r.IntN(2) == 0 {
		l.Identifiers = []nouns.Identifier{{Kind: nouns.IDKindSourceLead, Source: "portal", Value: "P-77"}, {Kind: nouns.IDKindOther, Source: "crm", Value: "C-8"}}
	}
	if r.IntN(2) == 0 {
		l.Parties = append(l.Parties, person(nouns.PartyRoleCoBuyer))
	}
	for range 1 + r.IntN(2) {
		l.Vehicles = append(l.Vehicles, vehicle(nouns.VehicleRoleSought))
	}
	l.Finance = nouns.Finance{Method: maybe("lease", "cash"), DownPayment: money(), Monthly: money(), Balance: money()}
	if r.IntN(2) == 0 {
		l.Vehicles = append(l.Vehicles, vehicle(nouns.VehicleRoleTraded))
	}
	return l
}

// asRead is what of a lead comes back when its document is read: names of persons are also spelled
// whole, the sender is us, the dealer is the one it went to, and comments have lines behind them.
func asRead(l *nouns.Lead) *nouns.Lead {
	want := *l
	want.ID, want.Line, want.RequestType, want.Campaign = nouns.ID{}, 0, 0, nouns.Campaign{}
	want.Source = nouns.Source{Provider: testDispatch.Provider, SubSource: l.Source.SubSource}
	want.Dealer = nouns.DealerReference{Code: "nv-ca-004", Scheme: "leadmesh", Name: "Norrvind of Oakdale"}
	want.Identifiers = append([]nouns.Identifier{{Kind: nouns.IDKindSourceLead, Source: "leadmesh", Value: l.ID.String()}}, l.Identifiers...)
	want.Parties = nil
	for _, p := range l.Parties {
		p.Name.Full = strings.Join(strings.Fields(p.Name.Given+" "+p.Name.Middle+" "+p.Name.Family+" "+p.Name.Suffix), " ")
		p.Phones = []nouns.Phone{{Raw: p.Phones[0].E164, Type: p.Phones[0].Type}}
		want.Parties = append(want.Parties, p)
	}
	return &want
}

// TestProspectRoundTrip holds the law: what is written for a dealer reads back to the same lead.
func TestProspectRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 3_000 {
		l := draw(r)
		p := adf.NewProspect(l, testDispatch)
		out, err := adf.Emit(adf.Document{Prospects: []adf.Prospect{p}})
		if err != nil {
			t.Fatalf("not written: %v", err)
		}
		doc, err := adf.Parse(out)
		if err != nil || len(doc.Prospects) != 1 || len(doc.Repairs)+len(doc.Outside) > 0 {
			t.Fatalf("not read whole: %v, repairs %v\n%s", err, doc.Repairs, out)
		}
		got := doc.Prospects[0].Lead(nil)
		if !strings.HasPrefix(got.Comments, l.Comments) || !strings.HasSuffix(got.Comments, "Respond by: 2026-03-02 10:30 EST") {
			t.Fatalf("comments %q", got.Comments)
		}
		got.Comments = l.Comments
		if len(got.Consents) > 0 {
			t.Fatalf("consent that nobody gave: %+v\n%s", got.Consents, out)
		}
		if d := cmp.Diff(asRead(l), &got, cmpopts.IgnoreFields(nouns.Lead{}, "Extra", "Flags"), cmpopts.EquateEmpty(), cmp.Comparer(time.Time.Equal)); d != "" {
			t.Fatalf("lead (-want +got):\n%s\n%s", d, out)
		}
	}
}

func TestProspectCarriesTheRestInComments(t *testing.T) {
	l := &nouns.Lead{
		ID: nouns.NewID([]byte("test"), "x"), Line: nouns.LineService, RequestType: nouns.RequestTypeQuote, Comments: "Noise when braking", Test: true,
		ReceivedAt: time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC),
		Source:     nouns.Source{Channel: "app", Source: "owner app"}, Campaign: nouns.Campaign{Name: "brakes", ID: "c9"}, Language: "de",
		Parties: []nouns.Party{{Role: nouns.PartyRolePrimary, Name: nouns.Name{Prefix: "Dr.", Given: "Ada", Family: "Moe", Company: "Moe Ltd"}, Preferred: nouns.ChannelSMS,
			Phones: []nouns.Phone{{E164: "+12125550123", Extension: "7"}}}},
		Vehicles: []nouns.Vehicle{{Role: nouns.VehicleRoleOwned, Make: "NORRVIND", Model: "Alva", Year: 2019, VIN: "1M8GDM9AXKP042788", Odometer: 81_000, OdometerUnit: nouns.OdometerUnitMI}},
		Extra:    []nouns.Field{{Path: "answers/km", Value: "12"}, {Path: "prospect/customer/comments#Noise", Value: "yes"}},
	}
	d := testDispatch
	d.Resend, d.Lines = true, []string{"Score: 81 of 100", "Respond by: noon"}
	p := adf.NewProspect(l, d)
	want := `Noise when braking

TEST: this is no customer, do not follow it up
Request: service, quote
Title: Dr.
Company: Moe Ltd
Prefers to be reached by: text
Drives: NORRVIND Alva 2019, VIN 1M8GDM9AXKP042788, 81000 mi
Source: app / owner app
Campaign: brakes / c9
Language: de
Also sent: answers/km = 12
Score: 81 of 100
Respond by: noon`
	if d := cmp.Diff(want, p.Customer.Comments); d != "" {
		t.Errorf("comments (-want +got):\n%s", d)
	}
	if p.Status != "resend" || len(p.Vehicles) != 1 || p.Vehicles[0].Interest != "" || p.Vehicles[0].Comments != "Owned by the customer" {
		t.Errorf("%+v", p)
	}
	if got := p.Customer.Contacts[0].Phones[0].Value; got != "+12125550123 x7" {
		t.Errorf("phone %q", got)
	}
	out, err := adf.Emit(adf.Document{Prospects: []adf.Prospect{p}})
	if err != nil {
		t.Fatal(err)
	}
	doc, err := adf.Parse(out)
	if err != nil {
		t.Fatal(err)
	}
	again := doc.Prospects[0].Lead(nil)
	if !again.Resend || again.Parties[0].Preferred != nouns.ChannelSMS || len(again.Vehicles) != 1 {
		t.Errorf("read back: resend %v, prefers %v, %d vehicles", again.Resend, again.Parties[0].Preferred, len(again.Vehicles))
	}
}

// FuzzNewProspect holds that any lead can be written, whatever its texts hold.
func FuzzNewProspect(f *testing.F) {
	f.Add("Ada", "null", "\x00\x1f]]>", "078-05-1120")
	f.Add("", "", "", "")
	f.Add("{{name}}", "n/a", "-", "a\xffb")
	f.Fuzz(func(t *testing.T, a, b, c, e string) {
		l := &nouns.Lead{
			ReceivedAt: time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC),
			Comments:   e, Campaign: nouns.Campaign{Name: a}, Source: nouns.Source{SubSource: b, Provider: c}, Language: a, TimeFrame: nouns.TimeFrame{Text: c},
			Identifiers: []nouns.Identifier{{Kind: nouns.IDKindSourceLead, Source: a, Value: b}, {Kind: nouns.IDKindDMSCustomer, Value: c}},
			Parties: []nouns.Party{
				{Name: nouns.Name{Given: a, Middle: b, Family: c, Suffix: a}, Phones: []nouns.Phone{{Raw: b}, {Raw: b}}, Emails: []nouns.Email{{Address: c}},
					Address: nouns.Address{Streets: []string{a, b, c, a, b, c}, Country: a, City: b}, BestTime: c},
				{Role: nouns.PartyRoleCoBuyer, Name: nouns.Name{Full: b, Company: c}},
			},
			Vehicles: []nouns.Vehicle{
				{Make: a, Model: b, VIN: c, Condition: a, Comments: e, Odometer: -5, Price: nouns.Money{Minor: -7, Currency: "USD"}, Options: []string{a, b}},
				{Role: nouns.VehicleRoleTraded, Make: a, Model: b, VIN: c},
				{Role: nouns.VehicleRoleOwned, Make: c, Payoff: nouns.Money{Minor: 5, Currency: b}},
			},
			Finance: nouns.Finance{Method: a, Monthly: nouns.Money{Minor: 1, Currency: "EUR"}}, Extra: []nouns.Field{{Path: a, Value: e}},
		}
		d := testDispatch
		d.Vendor = adf.Vendor{Name: b, URL: c, IDs: []adf.ID{{Source: a, Value: c}}}
		d.Lines, d.Provider = []string{a, e}, b
		out, err := adf.Emit(adf.Document{Prospects: []adf.Prospect{adf.NewProspect(l, d)}})
		if err != nil {
			t.Fatalf("not written: %v", err)
		}
		doc, err := adf.Parse(out)
		if err != nil || len(doc.Prospects) != 1 {
			t.Fatalf("not read: %v\n%s", err, out)
		}
	})
}
