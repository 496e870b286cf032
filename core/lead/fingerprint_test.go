package lead_test

import (
	"testing"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
)

func sampleLead() lead.Lead {
	return lead.Lead{
		RequestType: lead.RequestTypeQuote, Market: "US", ReceivedAt: t0,
		Source:      lead.Source{Channel: "web", Source: "site"},
		Identifiers: []lead.Identifier{{Kind: lead.IDKindSourceLead, Source: "s", Value: "1"}, {Kind: lead.IDKindClick, Value: "g"}},
		Parties:     []lead.Party{{Name: lead.Name{Given: "Jo", Family: "Doe"}, Emails: []lead.Email{{Raw: "jo@example.org"}}, Phones: []lead.Phone{{Raw: "4152342671"}}}},
		Vehicles:    []lead.Vehicle{{Role: lead.VehicleRoleSought, Make: "Hyundai", Model: "Ioniq 5", Odometer: -1}},
		Consents:    []lead.Consent{{Purpose: lead.PurposeMarketing, State: lead.ConsentStateGranted, At: t0}},
		Extra:       []lead.Field{{Path: "a", Value: "1"}, {Path: "b", Value: "2"}},
	}
}

func TestFingerprint(t *testing.T) {
	base := sampleLead()
	want := lead.Fingerprint(&base)
	same := map[string]func(*lead.Lead){
		"id":                 func(l *lead.Lead) { l.ID = lead.NewID([]byte("s"), "x") },
		"receipt":            func(l *lead.Lead) { l.ReceivedAt = t0.Add(time.Hour); l.Consents[0].At = l.ReceivedAt },
		"request time":       func(l *lead.Lead) { l.RequestedAt = t0.Add(-time.Hour) },
		"flags":              func(l *lead.Lead) { l.AddFlag(lead.FlagJunkName, "", "") },
		"order of ids":       func(l *lead.Lead) { l.Identifiers[0], l.Identifiers[1] = l.Identifiers[1], l.Identifiers[0] },
		"order of unknowns":  func(l *lead.Lead) { l.Extra[0], l.Extra[1] = l.Extra[1], l.Extra[0] },
		"line":               func(l *lead.Lead) { l.Line = lead.LineSales },
		"nothing changes it": func(*lead.Lead) {},
	}
	for name, edit := range same {
		l := sampleLead()
		edit(&l)
		if lead.Fingerprint(&l) != want {
			t.Errorf("%s changes the fingerprint", name)
		}
	}
	other := map[string]func(*lead.Lead){
		"name":       func(l *lead.Lead) { l.Parties[0].Name.Given = "Ann" },
		"shift":      func(l *lead.Lead) { l.Parties[0].Name.Given, l.Parties[0].Name.Family = "JoD", "oe" },
		"phone":      func(l *lead.Lead) { l.Parties[0].Phones[0].Raw = "4152342672" },
		"consent":    func(l *lead.Lead) { l.Consents[0].State = lead.ConsentStateDenied },
		"consent at": func(l *lead.Lead) { l.Consents[0].At = t0.Add(-time.Hour) },
		"odometer":   func(l *lead.Lead) { l.Vehicles[0].Odometer = 0 },
		"source id":  func(l *lead.Lead) { l.Identifiers[0].Value = "2" },
		"comments":   func(l *lead.Lead) { l.Comments = "please call" },
		"dealer":     func(l *lead.Lead) { l.Dealer.Code = "D1" },
		"extra":      func(l *lead.Lead) { l.Extra[0].Value = "3" },
	}
	for name, edit := range other {
		l := sampleLead()
		edit(&l)
		if lead.Fingerprint(&l) == want {
			t.Errorf("%s does not change the fingerprint", name)
		}
	}
}

func TestLabels(t *testing.T) {
	if len(lead.CodeKinds()) < 30 {
		t.Errorf("only %d lists", len(lead.CodeKinds()))
	}
	for _, kind := range lead.CodeKinds() {
		codes := lead.Codes(kind)
		if len(codes) == 0 {
			t.Errorf("%s has no codes", kind)
		}
		for _, code := range codes {
			for _, lang := range []string{"en", "de-AT"} {
				if label := lead.Label(lang, kind, code); label == "" || label == code && code != "SMS" {
					t.Errorf("%s %s has no %s label", kind, code, lang)
				}
			}
		}
	}
	if got := lead.Label("fr", "line", "SALES"); got != "Sales" {
		t.Errorf("a language without labels gives %q", got)
	}
	if got := lead.Label("de", "line", "NOPE"); got != "NOPE" {
		t.Errorf("an unknown code gives %q", got)
	}
	if lead.Codes("nope") != nil {
		t.Error("an unknown list has codes")
	}
}

func BenchmarkFingerprint(b *testing.B) {
	l := sampleLead()
	b.ReportAllocs()
	for b.Loop() {
		lead.Fingerprint(&l)
	}
}

func BenchmarkParsePhone(b *testing.B) {
	for _, in := range []struct{ raw, region string }{{"(415) 234-2671", "US"}, {"415 234 2671 x12", "US"}, {"0171 1234567", "DE"}} {
		b.Run(in.region, func(b *testing.B) {
			for b.Loop() {
				lead.ParsePhone(in.raw, in.region)
			}
		})
	}
}
