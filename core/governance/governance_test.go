package governance_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leadmesh/leadmesh/core/governance"
	"github.com/leadmesh/leadmesh/core/lead"
)

var now = time.Date(2026, 7, 15, 15, 0, 0, 0, time.UTC)

func rules() governance.Rules {
	return governance.Rules{
		Markets: []governance.Market{
			{Country: "US", Currency: "USD", Unit: "MI", Zone: "America/New_York"},
			{Country: "CA", Currency: "CAD", Unit: "KM", Zone: "America/Toronto"},
			{Country: "DE", Currency: "EUR", Unit: "KM", Zone: "Europe/Berlin", DayFirst: true},
			{Country: "GB", Currency: "GBP", Unit: "MI", Zone: "Europe/London", DayFirst: true},
			{Country: "FR", Currency: "EUR", Unit: "KM", Zone: "Europe/Paris", DayFirst: true},
		},
		Fields: []governance.FieldRule{
			{Field: "source.channel", Case: "lower", Default: "web"},
			{Field: "comments", Max: 200},
			{Field: "finance.method", Map: map[string]string{"Leasing": "lease", "Finanzierung": "finance", "bar": "cash"}, Case: "lower"},
			{Field: "parties.name.family", Required: true},
		},
		Sources: []governance.SourceRule{
			{Names: []string{"fb", "Facebook Lead Ads", "meta"}, Source: "Meta", Channel: "social", Origin: "OEM"},
			{Names: []string{"connected car"}, Source: "telematics", Channel: "vehicle", Trigger: true, Origin: "OEM"},
		},
		RequestTypes: map[string][]string{
			"TEST_DRIVE":      {"Schedule a Test Drive", "Probefahrt", "essai"},
			"SERVICE_BOOKING": {"book service", "Werkstatttermin"},
			"QUOTE":           {"get price", "request a quote"},
		},
		TimeFrames: map[string]string{"T1": "within 30 days"},
		Lines: []governance.LineRule{
			{RequestType: "SERVICE_BOOKING", Line: "SERVICE"}, {RequestType: "RECALL", Line: "CARE"}, {RequestType: "COMPLAINT", Line: "CARE"},
			{RequestType: "PARTS", Line: "ACCESSORIES"}, {RequestType: "SELL_MY_CAR", Line: "ACQUISITION"}, {Interest: "SERVICE", Line: "SERVICE"},
			{Line: "SALES"},
		},
		Choices:           map[string]string{"THIRD_PARTY_OEM_PAID": "PROPOSED"},
		TriggerChannels:   []string{"signal"},
		PersonalChannels:  []string{"showroom", "phone", "lane"},
		DisposableDomains: []string{"mailinator.com"},
		MinorAge:          18,
		Test:              governance.Test{EmailDomains: []string{"leadtest.example"}, Phrases: []string{"this is a test lead"}},
		Reject: governance.Reject{
			Blocked:      []string{governance.BlockKey("+14152349999")},
			Honeypots:    []string{"website_url"},
			SecondsField: "form_seconds", MinSeconds: 2,
			Phrases: []governance.PhraseRule{
				{Name: "agency_pitch", Code: "SOLICITATION", Min: 2, Phrases: []string{"SEO services", "rank on google", "backlinks", "web design"}},
				{Name: "job", Code: "JOB_APPLICANT", Phrases: []string{"my resume", "job opening", "Bewerbung als"}, UnlessVehicle: true},
			},
			Junk: governance.JunkRule{Evidence: []string{"junk_name", "disposable_email", "links"}, MinEvidence: 2, Groups: []governance.PhraseGroup{{Name: "crypto", Phrases: []string{"bitcoin profit"}}}},
		},
		Catalogue: governance.Catalogue{
			Brands: []governance.Brand{{Code: "HYU", Makes: []string{"Hyundai", "Hyundai Motor"}}, {Code: "GEN", Makes: []string{"Genesis"}}, {Code: "MINI", Makes: []string{"MINI"}}},
			Models: []governance.Model{
				{Code: "NE1", Make: "Hyundai", Name: "IONIQ 5", Powertrain: "ELECTRIC"},
				{Code: "NE1N", Make: "Hyundai", Name: "IONIQ 5 N", Powertrain: "ELECTRIC"},
				{Code: "SX2", Make: "Hyundai", Name: "Kona", Powertrain: "COMBUSTION"},
				{Code: "GV60", Make: "Genesis", Name: "GV60", Powertrain: "ELECTRIC"},
				{Code: "F66", Make: "MINI", Name: "Mini Cooper", Aliases: []string{"Cooper S"}},
			},
			WMI: map[string]string{"KM8": "Hyundai", "KMH": "Hyundai", "1M8": "Motor Coach"},
		},
	}
}

func governor(t testing.TB) *governance.Governor {
	t.Helper()
	g, problems := governance.Compile(rules())
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return g
}

func webLead() lead.Lead {
	return lead.Lead{
		Market: "US", ReceivedAt: now, RequestedAt: now.Add(-time.Minute), RawRequest: "Schedule a test drive",
		Origin: lead.OriginOEM, Source: lead.Source{Source: "fb"},
		Parties: []lead.Party{{
			Name:    lead.Name{Given: "JOHN", Family: "MCDONALD"},
			Emails:  []lead.Email{{Raw: " John.Mc@Example.ORG "}},
			Phones:  []lead.Phone{{Raw: "(415) 234-2671"}},
			Address: lead.Address{Streets: []string{"1 Main St"}, City: "detroit ", Region: "michigan", Postal: "48201-1234", Country: "USA"},
		}},
		Vehicles:  []lead.Vehicle{{Make: "hyundai", Model: "Ioniq5 Limited AWD", Year: 26, Odometer: -1}},
		TimeFrame: lead.TimeFrame{Text: "T1"},
		Comments:  "Please call me after 5.",
	}
}

func TestApplyNormalises(t *testing.T) {
	l := webLead()
	v := governor(t).Apply(&l, now)
	if !v.Accepted() {
		t.Fatalf("refused: %+v", v)
	}
	p, car := &l.Parties[0], &l.Vehicles[0]
	got := []string{
		p.Name.Full, p.Emails[0].Address, p.Phones[0].E164, p.Address.City, p.Address.Region, p.Address.Postal, p.Address.Country, p.Role.String(),
		car.Make, car.Model, car.ModelCode, car.Trim, car.Powertrain.String(), fmt.Sprint(car.Year), car.Role.String(),
		l.RequestType.String(), l.Line.String(), l.Brand, l.Source.Source, l.Source.Channel, l.Choice.String(), l.TimeFrame.Latest.Format(time.DateOnly),
	}
	want := []string{
		"John McDonald", "John.Mc@example.org", "+14152342671", "detroit", "MI", "48201", "US", "PRIMARY",
		"Hyundai", "IONIQ 5", "NE1", "Limited AWD", "ELECTRIC", "2026", "SOUGHT",
		"TEST_DRIVE", "SALES", "HYU", "Meta", "web", "NONE", "2026-08-14",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(l.Flags) != 0 {
		t.Errorf("flags on a clean lead: %+v", l.Flags)
	}
	found := false
	for _, c := range l.Changes {
		found = found || c == lead.Change{Field: "vehicles[0].model", Rule: "catalogue", Before: "Ioniq5 Limited AWD", After: "IONIQ 5"}
		if c.Before == c.After {
			t.Errorf("a change that changes nothing: %+v", c)
		}
	}
	if !found {
		t.Errorf("no change for the model: %+v", l.Changes)
	}
}

func TestApplyMarkets(t *testing.T) {
	g := governor(t)
	for _, tt := range []struct{ market, phone, postal, e164, wantPostal, unit string }{
		{"DE", "0171 1234567", "1067", "+491711234567", "01067", "KM"},
		{"CA", "514 555 0100", "h2x1y4", "+15145550100", "H2X 1Y4", "KM"},
		{"GB", "07911 123456", "sw1a1aa", "+447911123456", "SW1A 1AA", "MI"},
		{"FR", "06 12 34 56 78", "F-75001", "+33612345678", "75001", "KM"},
	} {
		l := lead.Lead{Market: tt.market, ReceivedAt: now, Parties: []lead.Party{{
			Name: lead.Name{Full: "محمد الأحمد"}, Phones: []lead.Phone{{Raw: tt.phone}}, Address: lead.Address{Postal: tt.postal},
		}}, Vehicles: []lead.Vehicle{{Role: lead.VehicleRoleOwned, Make: "Opel", Odometer: 42000, Price: lead.Money{Minor: 100}}}, Comments: "कृपया कॉल करें"}
		if v := g.Apply(&l, now); !v.Accepted() {
			t.Errorf("%s: %+v", tt.market, v)
		}
		p := l.Parties[0]
		if p.Phones[0].E164 != tt.e164 || p.Address.Postal != tt.wantPostal || l.Vehicles[0].OdometerUnit.String() != tt.unit {
			t.Errorf("%s: %+v %+v", tt.market, p, l.Vehicles[0])
		}
		if p.Name.Given != "محمد" || l.Comments != "कृपया कॉल करें" {
			t.Errorf("%s: a foreign script was touched: %+v", tt.market, p.Name)
		}
		if !l.Flagged(lead.FlagCurrencyUnknown) || !l.Flagged(lead.FlagUnitAssumed) || l.Flagged(lead.FlagMakeUnknown) {
			t.Errorf("%s: %+v", tt.market, l.Flags)
		}
	}
}

func TestApplyVerdict(t *testing.T) {
	tests := []struct {
		name string
		edit func(*lead.Lead)
		code lead.RejectCode
		rule string
		flag string
	}{
		{"clean", func(*lead.Lead) {}, 0, "", ""},
		{"blocked", func(l *lead.Lead) { l.Parties[0].Phones[0].Raw = "415-234-9999" }, lead.RejectCodeBlocked, "blocked_contact", ""},
		{"honeypot", func(l *lead.Lead) { l.Extra = []lead.Field{{Path: "Website-URL", Value: "http://x"}} }, lead.RejectCodeSpamBot, "honeypot", ""},
		{"empty honeypot", func(l *lead.Lead) { l.Extra = []lead.Field{{Path: "website_url", Value: " "}} }, 0, "", ""},
		{"too fast", func(l *lead.Lead) { l.Extra = []lead.Field{{Path: "form_seconds", Value: "0.4"}} }, lead.RejectCodeSpamBot, "form_time", ""},
		{"junk name alone", func(l *lead.Lead) { l.Parties[0].Name = lead.Name{Given: "asdf", Family: "asdf"} }, 0, "", lead.FlagJunkName},
		{"junk by two doubts", func(l *lead.Lead) {
			l.Parties[0].Name = lead.Name{Given: "asdf", Family: "asdf"}
			l.Parties[0].Emails[0].Raw = "x@mailinator.com"
		}, lead.RejectCodeJunk, "junk_name+disposable_email", lead.FlagDisposableEmail},
		{"no contact", func(l *lead.Lead) { l.Parties[0].Emails, l.Parties[0].Phones = nil, nil }, lead.RejectCodeNoContactPoint, "no_contact_point", ""},
		{"placeholders only", func(l *lead.Lead) { l.Parties[0].Emails[0].Raw, l.Parties[0].Phones[0].Raw = "N/A", "null" }, lead.RejectCodeNoContactPoint, "no_contact_point", lead.FlagPlaceholderValue},
		{"fake contact", func(l *lead.Lead) { l.Parties[0].Emails[0].Raw, l.Parties[0].Phones[0].Raw = "no@thanks", "9999999999" }, lead.RejectCodeFakeContact, "no_usable_contact_point", lead.FlagPhoneUnreadable},
		{"known customer without contact", func(l *lead.Lead) {
			l.Parties[0].Emails, l.Parties[0].Phones = nil, nil
			l.Identifiers = []lead.Identifier{{Kind: lead.IDKindDMSCustomer, Value: "7"}}
		}, 0, "", ""},
		{"solicitation", func(l *lead.Lead) { l.Comments = "We offer SEO-services and can help you rank on Google!" }, lead.RejectCodeSolicitation, "agency_pitch", ""},
		{"one phrase of two", func(l *lead.Lead) { l.Comments = "I work in web design" }, 0, "", ""},
		{"applicant with a vehicle", func(l *lead.Lead) { l.Comments = "my resume says I drive a lot" }, 0, "", ""},
		{"applicant", func(l *lead.Lead) { l.Comments = "See my resume"; l.Vehicles = nil }, lead.RejectCodeJobApplicant, "job", ""},
		{"minor", func(l *lead.Lead) { l.Parties[0].Born = "07/15/2010" }, 0, "", lead.FlagMinorSuspected},
		{"test name", func(l *lead.Lead) { l.Parties[0].Name = lead.Name{Full: "Test Test"} }, 0, "", lead.FlagTestName},
		{"fictional phone", func(l *lead.Lead) { l.Parties[0].Phones[0].Raw = "415-555-0142" }, 0, "", lead.FlagPhoneFictional},
		{"unknown model", func(l *lead.Lead) { l.Vehicles[0].Model = "Pony" }, 0, "", lead.FlagModelUnknown},
		{"future", func(l *lead.Lead) { l.RequestedAt = now.Add(time.Hour) }, 0, "", lead.FlagRequestedAtImplausible},
		{"foreign vin", func(l *lead.Lead) { l.Vehicles[0].VIN = "W0LPC6DB3CC123456" }, 0, "", lead.FlagVINCheckDigit},
		{"missing name", func(l *lead.Lead) { l.Parties[0].Name = lead.Name{Given: "Cher"} }, 0, "", lead.FlagRequiredMissing},
		{"long comments", func(l *lead.Lead) { l.Comments = strings.Repeat("ä", 300) }, 0, "", lead.FlagValueTruncated},
	}
	g := governor(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := webLead()
			tt.edit(&l)
			v := g.Apply(&l, now)
			if v.Reject != tt.code || v.Rule != tt.rule {
				t.Errorf("got %v %q, want %v %q", v.Reject, v.Rule, tt.code, tt.rule)
			}
			if tt.flag != "" && !l.Flagged(tt.flag) {
				t.Errorf("no flag %s: %+v", tt.flag, l.Flags)
			}
			if l.Test {
				t.Error("marked as test")
			}
		})
	}
}

// TestTextsAreCutWithoutARule: fields that no rule limits hold 200 characters, comments 20,000;
// what was longer is flagged, and an identifier is dropped rather than made another.
func TestTextsAreCutWithoutARule(t *testing.T) {
	r := rules()
	r.Fields = nil
	g, problems := governance.Compile(r)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	apply := func(n int) lead.Lead {
		long := strings.Repeat("é", n)
		l := webLead()
		l.Source.Form, l.Campaign.Content, l.Dealer.Name, l.Vehicles[0].Stock = long, long, long, long
		l.Parties[0].Name = lead.Name{Company: long}
		l.Identifiers = []lead.Identifier{{Kind: lead.IDKindDMSCustomer, Value: long}, {Kind: lead.IDKindDMSCustomer, Value: "7"}}
		l.Comments = strings.Repeat("é", n*100)
		g.Apply(&l, now)
		return l
	}
	fits := apply(200)
	if fits.Flagged(lead.FlagValueTruncated) || len(fits.Identifiers) != 2 {
		t.Errorf("200 characters are cut: %+v", fits.Flags)
	}
	l := apply(201)
	flagged := map[string]bool{}
	for _, f := range l.Flags {
		if f.Code == lead.FlagValueTruncated {
			flagged[f.Field] = true
		}
	}
	for field, n := range map[string]int{
		"source.form": len([]rune(l.Source.Form)), "campaign.content": len([]rune(l.Campaign.Content)),
		"dealer.name": len([]rune(l.Dealer.Name)), "vehicles[0].stock": len([]rune(l.Vehicles[0].Stock)),
		"parties[0].name.company": len([]rune(l.Parties[0].Name.Company)), "comments": len([]rune(l.Comments)) / 100,
	} {
		if n != 200 || !flagged[field] {
			t.Errorf("%s holds %d characters, flagged %t; want 200, flagged", field, n, flagged[field])
		}
	}
	if len(l.Identifiers) != 1 || l.Identifiers[0].Value != "7" || !flagged["identifiers[0]"] {
		t.Errorf("%d identifiers are left, flags %v", len(l.Identifiers), flagged)
	}
}

func TestApplyDecides(t *testing.T) {
	g := governor(t)
	for _, tt := range []struct {
		name string
		edit func(*lead.Lead)
		got  func(*lead.Lead) string
		want string
	}{
		{"service words", func(l *lead.Lead) { l.RawRequest = "WERKSTATT-TERMIN" }, func(l *lead.Lead) string { return l.Line.String() }, "SERVICE"},
		{"sender's line", func(l *lead.Lead) { l.Line = lead.LineRenewal }, func(l *lead.Lead) string { return l.Line.String() }, "RENEWAL"},
		{"code as word", func(l *lead.Lead) { l.RawRequest = "sell my car" }, func(l *lead.Lead) string { return l.Line.String() }, "ACQUISITION"},
		{"unknown word", func(l *lead.Lead) { l.RawRequest = "hum" }, func(l *lead.Lead) string { return l.RequestType.String() }, "OTHER"},
		{"interest", func(l *lead.Lead) { l.RawRequest = ""; l.Vehicles[0].Interest = lead.InterestTestDrive }, func(l *lead.Lead) string { return l.RequestType.String() }, "TEST_DRIVE"},
		{"chosen dealer", func(l *lead.Lead) { l.Dealer.Code = "D1" }, func(l *lead.Lead) string { return l.Choice.String() }, "CUSTOMER_CHOSE"},
		{"stock car", func(l *lead.Lead) { l.Dealer.Code = "D1"; l.Vehicles[0].Stock = "S1" }, func(l *lead.Lead) string { return l.Choice.String() }, "CUSTOMER_VEHICLE"},
		{"third party", func(l *lead.Lead) { l.Dealer.Code = "D1"; l.Origin = lead.OriginThirdPartyOEMPaid }, func(l *lead.Lead) string { return l.Choice.String() }, "PROPOSED"},
		{"trigger", func(l *lead.Lead) { l.RawRequest, l.Source.Source = "", "Connected-Car" }, func(l *lead.Lead) string { return fmt.Sprint(l.Trigger, l.DigitalOnly) }, "true true"},
		{"trigger by channel", func(l *lead.Lead) { l.RawRequest, l.Source = "", lead.Source{Channel: "Signal"} }, func(l *lead.Lead) string { return fmt.Sprint(l.Trigger, l.DigitalOnly) }, "true true"},
		{"request is no trigger", func(l *lead.Lead) { l.Source = lead.Source{Channel: "signal"} }, func(l *lead.Lead) string { return fmt.Sprint(l.Trigger, l.DigitalOnly) }, "false false"},
		{"make in the model", func(l *lead.Lead) { l.Vehicles[0].Make, l.Vehicles[0].Model = "", "2026 Hyundai Kona Electric" }, func(l *lead.Lead) string {
			return l.Brand + l.Vehicles[0].ModelCode + l.Vehicles[0].Powertrain.String()
		}, "HYUSX2ELECTRIC"},
		{"longest name", func(l *lead.Lead) { l.Vehicles[0].Model = "ioniq-5 n Line" }, func(l *lead.Lead) string { return l.Vehicles[0].ModelCode }, "NE1N"},
		{"make inside a name", func(l *lead.Lead) { l.Vehicles[0].Make, l.Vehicles[0].Model = "mini", "mini cooper SE" }, func(l *lead.Lead) string { return l.Vehicles[0].ModelCode }, "F66"},
		{"vin tells make", func(l *lead.Lead) {
			l.Vehicles[0] = lead.Vehicle{Role: lead.VehicleRoleOwned, VIN: "1M8GDM9AXKP042788"}
		}, func(l *lead.Lead) string { return l.Vehicles[0].Make + fmt.Sprint(l.Vehicles[0].Year) }, "Motor Coach2019"},
		{"test e-mail", func(l *lead.Lead) { l.Parties[0].Emails[0].Raw = "qa@leadtest.example" }, func(l *lead.Lead) string { return fmt.Sprint(l.Test) }, "true"},
		{"two addresses in one", func(l *lead.Lead) { l.Parties[0].Emails[0].Raw = "a@b.example; c@d.example, a@b.example" }, func(l *lead.Lead) string { return fmt.Sprint(len(l.Parties[0].Emails)) }, "2"},
		{"Canadian code without a country", func(l *lead.Lead) { l.Parties[0].Address = lead.Address{Postal: "h2x1y4", Region: "Québec"} }, func(l *lead.Lead) string { return l.Parties[0].Address.Country + l.Parties[0].Address.Region }, "CAQC"},
		{"consent point", func(l *lead.Lead) { l.Consents = []lead.Consent{{ContactPoint: "415 234 2671"}} }, func(l *lead.Lead) string { return l.Consents[0].ContactPoint }, "+14152342671"},
		{"languages", func(l *lead.Lead) { l.Language = "fr_ca" }, func(l *lead.Lead) string { return l.Language }, "fr-CA"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := webLead()
			tt.edit(&l)
			g.Apply(&l, now)
			if got := tt.got(&l); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestCompileFindsEveryMistake(t *testing.T) {
	r := rules()
	r.Markets = append(r.Markets, governance.Market{Country: "UK", Currency: "QQQ"})
	r.Skip = []string{"nothing"}
	r.Fields = append(r.Fields, governance.FieldRule{Field: "shoe_size"}, governance.FieldRule{Field: "campaign.medium", Map: map[string]string{"a": "b", "b": "c"}}, governance.FieldRule{Field: "vehicles.make", Case: "upper"})
	r.Sources = append(r.Sources, governance.SourceRule{Names: []string{"FB"}, Source: "Other"})
	r.RequestTypes["NOPE"] = []string{"x"}
	r.Lines = []governance.LineRule{{RequestType: "QUOTE", Line: "NURTURE"}}
	r.Choices["OEM"] = "NONE"
	r.MinorAge = -1
	r.Reject.Blocked = append(r.Reject.Blocked, "abc")
	r.Reject.Junk.MinEvidence = 1
	r.Reject.Phrases = append(r.Reject.Phrases, governance.PhraseRule{Name: "x", Code: "JUNK", Phrases: []string{"!"}})
	r.Catalogue.Models = append(r.Catalogue.Models, governance.Model{Code: "NE1", Make: "Hyundai", Name: "ioniq-5"}, governance.Model{Code: "Z", Make: "Trabant", Name: "601"})
	r.Catalogue.DefaultBrand = "ZZZ"
	g, problems := governance.Compile(r)
	if g != nil {
		t.Fatal("a governor in spite of mistakes")
	}
	var paths []string
	for _, p := range problems {
		paths = append(paths, p.Path)
	}
	all := strings.Join(paths, " ")
	for _, want := range []string{
		"markets[5].country", "markets[5].currency", "markets[5].zone", "markets[5].unit", "skip[0]", "fields[4].field", "fields[5].map", "fields[6]", "sources[2].names",
		"request_types.NOPE", "lines[0].line", "lines", "choices.OEM", "minor_age", "reject.blocked[1]", "reject.junk.min_evidence", "reject.phrases[2].code",
		"reject.phrases[2].phrases[0]", "catalogue.models[5].code", "catalogue.models[5].aliases", "catalogue.models[6].make", "catalogue.default_brand",
	} {
		if !strings.Contains(" "+all+" ", " "+want+" ") {
			t.Errorf("no problem at %s in %s", want, all)
		}
	}
}

// randomLead mixes good and bad values of every kind.
func randomLead(r *rand.Rand) lead.Lead {
	pick := func(values ...string) string { return values[r.IntN(len(values))] }
	l := webLead()
	l.Market = pick("US", "CA", "DE", "", "usa", "ZZ")
	l.RequestedAt = now.Add(time.Duration(r.IntN(200)-100) * time.Hour)
	l.RawRequest = pick("", "Probefahrt", "book service", "nonsense", " null ", "QUOTE")
	l.Source = lead.Source{Source: pick("", "fb", "META", "connected car", "x"), Channel: pick("", "Signal", "PHONE", "n/a"), Provider: pick("", "facebook lead ads")}
	l.Dealer.Code = pick("", " D1 ", "N/A")
	l.Choice = lead.DealerChoice(r.IntN(6))
	l.Language = pick("", "en_us", "Deutsch", "xx-yyyy", "FR")
	l.TimeFrame.Text = pick("", "T1", "asap", "whenever", "{when}")
	l.Finance.Method = pick("", "Leasing", "BAR", "other")
	l.Comments = pick("", "  hi\n there ", strings.Repeat("long ", 80), "SEO services backlinks", "N/A")
	for range r.IntN(3) {
		l.Parties = append(l.Parties, lead.Party{
			Name:    lead.Name{Full: pick("", "DOE, JANE", "null", "Müller GmbH"), Given: pick("", "ANN", "john smith", "{first}", "Test"), Family: pick("", "VAN DER BERG", "o'neil", "NULL")},
			Emails:  []lead.Email{{Raw: pick("", "a@b.example; c@d.example", "bad", "N/A", "A.B+c@Gmail.com", "x@mailinator.com")}, {Raw: pick("", "A@B.example")}},
			Phones:  []lead.Phone{{Raw: pick("", "415 234 2671 x12", "999", "null", "0171 1234567", "+49 171 1234567")}, {Raw: pick("", "4152342671", "(415) 234-2671")}},
			Address: lead.Address{Postal: pick("", "48201-1234", "h2x1y4", "1067", "??"), Region: pick("", "michigan", "ON", "Narnia"), Country: pick("", "USA", "Deutschland", "Narnia"), City: pick("", " a  b ")},
			Born:    pick("", "31.12.2015", "2030-01-01", "soon"),
		})
	}
	for range r.IntN(3) {
		l.Vehicles = append(l.Vehicles, lead.Vehicle{
			Interest: lead.Interest(r.IntN(8)), Make: pick("", "HYUNDAI MOTOR", "Tesla", "N/A"), Model: pick("", "ioniq5 n", "2026 Hyundai Kona EV", "Mini Cooper", "GV60 x", "Pony"),
			ModelCode: pick("", "ne1", "??"), VIN: pick("", "1m8gdm9axkp042788", "{vin}", "W0LPC6DB3CC123456", "bad"), Year: r.IntN(3) * 13, Odometer: int64(r.IntN(3)-1) * 500,
			Price: lead.Money{Minor: int64(r.IntN(2))},
		})
	}
	return l
}

// Apply is deterministic and comes to rest at once.
func TestApplyTwiceChangesNothing(t *testing.T) {
	g := governor(t)
	r := rand.New(rand.NewPCG(3, 9))
	for i := range 4000 {
		seed := r.Uint64()
		l := randomLead(rand.New(rand.NewPCG(seed, 0)))
		twin := randomLead(rand.New(rand.NewPCG(seed, 0)))
		v := g.Apply(&l, now)
		if w := g.Apply(&twin, now); w != v || cmp.Diff(l, twin) != "" {
			t.Fatalf("lead %d: two runs differ", i)
		}
		if w := g.Apply(&l, now); w != v {
			t.Fatalf("lead %d: first %+v, then %+v\n%+v", i, v, w, l)
		}
		if diff := cmp.Diff(twin, l); diff != "" {
			t.Fatalf("lead %d: the second Apply changes\n%s", i, diff)
		}
	}
}

func TestSkip(t *testing.T) {
	r := rules()
	r.Skip = []string{"text", "names", "emails", "phones", "addresses", "vins", "models", "time_frames", "defaults", "example_numbers"}
	g, problems := governance.Compile(r)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	l := webLead()
	g.Apply(&l, now)
	if l.Parties[0].Name.Given != "JOHN" || l.Parties[0].Phones[0].E164 != "" || l.Vehicles[0].Model != "Ioniq5 Limited AWD" {
		t.Errorf("a skipped step ran: %+v", l)
	}
}

func BenchmarkApply(b *testing.B) {
	for _, market := range []struct{ name, country, phone string }{{"US", "US", "(415) 234-2671"}, {"DE", "DE", "0171 1234567"}} {
		b.Run(market.name, func(b *testing.B) {
			g := governor(b)
			base := webLead()
			base.Market = market.country
			b.ReportAllocs()
			for b.Loop() {
				l := base
				l.Parties = append([]lead.Party(nil), base.Parties...)
				l.Parties[0].Emails = []lead.Email{base.Parties[0].Emails[0]}
				l.Parties[0].Phones = []lead.Phone{{Raw: market.phone}}
				l.Vehicles = append([]lead.Vehicle(nil), base.Vehicles...)
				if v := g.Apply(&l, now); !v.Accepted() {
					b.Fatal(v)
				}
			}
		})
	}
}
