package lead_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/nyaruka/phonenumbers"

	"github.com/leadmesh/leadmesh/core/lead"
)

func TestParsePhone(t *testing.T) {
	tests := []struct {
		raw, region, e164, ext string
		kind                   lead.PhoneType
	}{
		{"(415) 234-2671", "US", "+14152342671", "", 0},
		{"415.234.2671", "us", "+14152342671", "", 0},
		{"1-888-755-4460", "US", "+18887554460", "", lead.PhoneTypeOther},
		{"+1 514 555 0100", "DE", "+15145550100", "", 0},
		{"5145550100", "CA", "+15145550100", "", 0},
		{"415 234 2671 x12", "US", "+14152342671", "12", 0},
		{"415-234-2671 ext. 305", "US", "+14152342671", "305", 0},
		{"1-800-FLOWERS", "US", "+18003569377", "", lead.PhoneTypeOther},
		{"011 49 171 1234567", "US", "+491711234567", "", lead.PhoneTypeMobile},
		{"0049 171 1234567", "US", "+491711234567", "", lead.PhoneTypeMobile},
		{"0049 (0)171 1234567", "DE", "+491711234567", "", lead.PhoneTypeMobile},
		{"0171/1234567", "DE", "+491711234567", "", lead.PhoneTypeMobile},
		{"+49 (0) 89 123456", "FR", "+4989123456", "", lead.PhoneTypeHome},
		{"07700 900123", "GB", "+447700900123", "", lead.PhoneTypeUnspecified},
		{"06 12 34 56 78", "FR", "+33612345678", "", lead.PhoneTypeMobile},
		{"٠٥٠ ١٢٣ ٤٥٦٧", "AE", "+971501234567", "", lead.PhoneTypeMobile},
		{"०९८७६ ५४३२१०", "IN", "+919876543210", "", lead.PhoneTypeMobile},
		{"tel:+14152342671", "DE", "+14152342671", "", 0},
		{"555-0100", "US", "", "", 0},
		{"9999999999", "US", "", "", 0},
		{"1234567890", "US", "", "", 0},
		{"0000000000", "US", "", "", 0},
		{"{phone}", "US", "", "", 0},
		{"null", "US", "", "", 0},
		{"", "US", "", "", 0},
		{"12345", "", "", "", 0},
	}
	for _, tt := range tests {
		t.Run(tt.raw+"/"+tt.region, func(t *testing.T) {
			got := lead.ParsePhone(tt.raw, tt.region)
			if got.E164 != tt.e164 || got.Extension != tt.ext || got.Type != tt.kind {
				t.Errorf("ParsePhone(%q, %q) = %q ext %q type %v, want %q ext %q type %v", tt.raw, tt.region, got.E164, got.Extension, got.Type, tt.e164, tt.ext, tt.kind)
			}
			if got.Raw != tt.raw || got.Valid != (tt.e164 != "") {
				t.Errorf("raw %q valid %v", got.Raw, got.Valid)
			}
		})
	}
}

func TestFictionalPhone(t *testing.T) {
	for e164, want := range map[string]bool{
		"+14155550100": true, "+14155550199": true, "+14155550200": false, "+15551234567": true,
		"+14152342671": false, "+447700900123": true, "+447911123456": false, "+491711234567": false, "": false,
	} {
		if got := lead.FictionalPhone(e164); got != want {
			t.Errorf("FictionalPhone(%q) = %v, want %v", e164, got, want)
		}
	}
}

// The fast road for the +1 plan must give what the numbering plan library gives.
func TestParsePhoneFastRoadAgreesWithLibrary(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	forms := []string{"%s%s%s", "(%s) %s-%s", "%s-%s-%s", "+1 %s.%s.%s", "1 %s %s %s", "+1%s%s%s", "1-%s-%s-%s"}
	for range 3000 {
		a, b, c := fmt.Sprintf("%03d", 200+r.IntN(800)), fmt.Sprintf("%03d", 200+r.IntN(800)), fmt.Sprintf("%04d", r.IntN(10000))
		raw := fmt.Sprintf(forms[r.IntN(len(forms))], a, b, c)
		n, err := phonenumbers.Parse(raw, "US")
		if err != nil {
			t.Fatalf("library refuses %q: %v", raw, err)
		}
		got := lead.ParsePhone(raw, "US")
		if want := phonenumbers.Format(n, phonenumbers.E164); got.Valid && got.E164 != want {
			t.Fatalf("ParsePhone(%q) = %q, library %q", raw, got.E164, want)
		}
		if phonenumbers.IsValidNumber(n) && !got.Valid && a+b+c != "9999999999" {
			t.Fatalf("ParsePhone(%q) refuses a valid number", raw)
		}
	}
}

func TestContactPoint(t *testing.T) {
	for raw, want := range map[string]string{
		" (415) 555-0100 ": "+14155550100", "+491711234567": "+491711234567",
		"Jo.Doe@Example.COM": "jo.doe@example.com", "nonsense": "nonsense", "a@": "a@", "": "",
	} {
		if got := lead.ContactPoint(raw, "US"); got != want {
			t.Errorf("ContactPoint(%q) = %q, want %q", raw, got, want)
		}
	}
}

func FuzzParsePhone(f *testing.F) {
	for _, s := range []string{"(415) 234-2671", "+49 (0)171 123", "1-800-FLOWERS", "٠٥٠", "x", "+", "0049", "415 234 2671 x12", "tel:+1;ext=3"} {
		f.Add(s, "US")
		f.Add(s, "DE")
	}
	f.Fuzz(func(t *testing.T, raw, region string) {
		p := lead.ParsePhone(raw, region)
		if p.Raw != raw || p.Valid != (p.E164 != "") {
			t.Fatalf("%+v", p)
		}
		if !p.Valid {
			return
		}
		if n, err := phonenumbers.Parse(p.E164, ""); err != nil || !phonenumbers.IsValidNumber(n) {
			return // possible by its length alone: the plan may read it another way
		}
		again := lead.ParsePhone(p.E164, region)
		if again.E164 != p.E164 {
			t.Fatalf("%q reads %q, which reads %q", raw, p.E164, again.E164)
		}
	})
}
