package lead_test

import (
	"strings"
	"testing"

	"github.com/leadmesh/leadmesh/core/lead"
)

func TestParseVIN(t *testing.T) {
	tests := []struct {
		raw, vin string
		valid    bool
		flag     string
	}{
		{"1M8GDM9AXKP042788", "1M8GDM9AXKP042788", true, ""},
		{" 1m8.gdm-9axkp 042788 ", "1M8GDM9AXKP042788", true, ""},
		{"1M8GDM9AXKPO42788", "1M8GDM9AXKP042788", true, ""}, // O for 0
		{"1M8GDM9AXKP042789", "1M8GDM9AXKP042789", false, lead.FlagVINCheckDigit},
		{"W0LPC6DB3CC123456", "W0LPC6DB3CC123456", true, lead.FlagVINCheckDigit},
		{"W0LPC6DB3CC12345O", "W0LPC6DB3CC12345O", false, lead.FlagVINMalformed},
		{"11111111111111111", "11111111111111111", false, lead.FlagVINMalformed},
		{"AAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAA", false, lead.FlagVINMalformed},
		{"194677S101234", "194677S101234", false, lead.FlagVINMalformed}, // before 1981
		{"1gt...", "1GT...", false, lead.FlagVINMalformed},
		{"{vin}", "{VIN}", false, lead.FlagVINMalformed},
		{"  ", "", false, ""},
	}
	for _, tt := range tests {
		t.Run(tt.raw, func(t *testing.T) {
			vin, valid, flag := lead.ParseVIN(tt.raw)
			if vin != tt.vin || valid != tt.valid || flag != tt.flag {
				t.Errorf("ParseVIN(%q) = %q %v %q, want %q %v %q", tt.raw, vin, valid, flag, tt.vin, tt.valid, tt.flag)
			}
		})
	}
}

func TestParseVINKeepsSharedVINs(t *testing.T) {
	for _, raw := range sharedLines(t, "data/vehicles/test_vins.txt") {
		if strings.TrimSpace(raw) == "" {
			continue
		}
		vin, valid, flag := lead.ParseVIN(raw)
		if vin != raw || flag == lead.FlagVINMalformed {
			t.Errorf("a known VIN reads %q, flag %q", vin, flag)
		}
		if vin[0] >= 'A' && !valid {
			t.Errorf("a foreign VIN is not valid")
		}
	}
}

func TestVINYear(t *testing.T) {
	for _, tt := range []struct {
		vin  string
		year int
		want int
	}{
		{"1M8GDM9AXKP042788", 2026, 2019}, {"1M8GDM9AXKP042788", 2010, 1989}, {"1M8GDM9AXKP042788", 2018, 2019},
		{"1HGCM82633A004352", 2026, 2003}, {"W0LPC6DB3CC123456", 2026, 0}, {"short", 2026, 0}, {"1M8GDM9AXKP042788", 0, 0},
	} {
		if got := lead.VINYear(tt.vin, tt.year); got != tt.want {
			t.Errorf("VINYear(%q, %d) = %d, want %d", tt.vin, tt.year, got, tt.want)
		}
	}
	if got := lead.WMI("1M8GDM9AXKP042788"); got != "1M8" {
		t.Errorf("WMI = %q", got)
	}
	if got := lead.WMI("1A9GDM9AXKP042788"); got != "1A9042" {
		t.Errorf("WMI of a small maker = %q", got)
	}
}

func FuzzParseVIN(f *testing.F) {
	for _, s := range []string{"1M8GDM9AXKP042788", "1m8-gdm", "W0LPC6DB3CC123456", "OOOOOOOOOOOOOOOOO", "\x00", "é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		vin, valid, flag := lead.ParseVIN(raw)
		again, validAgain, flagAgain := lead.ParseVIN(vin)
		if again != vin || validAgain != valid || flagAgain != flag {
			t.Fatalf("%q reads %q %v %q, then %q %v %q", raw, vin, valid, flag, again, validAgain, flagAgain)
		}
		if valid && len(vin) != 17 {
			t.Fatalf("valid VIN %q", vin)
		}
		if year := lead.VINYear(vin, 2026); year != 0 && (year < 1980 || year > 2027) {
			t.Fatalf("model year %d", year)
		}
		if wmi := lead.WMI(vin); wmi != "" && (len(wmi) < 3 || !strings.HasPrefix(vin, wmi[:3]) || len(wmi) > 3 && vin[11:14] != wmi[3:]) {
			t.Fatalf("maker %q of %q", wmi, vin)
		}
	})
}
