package lead_test

import (
	"strings"
	"testing"

	"github.com/leadmesh/leadmesh/core/lead"
)

func TestParsePostal(t *testing.T) {
	tests := []struct {
		raw, country, want string
		ok                 bool
	}{
		{"48201", "US", "48201", true}, {"48201-1234", "US", "48201", true}, {"482011234", "US", "48201", true},
		{"2139", "US", "02139", true}, {"2139-4307", "US", "02139", true}, {"601", "US", "00601", true}, {"48201.0", "US", "48201", true},
		{"00000", "US", "00000", false}, {"4820", "DE", "04820", true}, {"ABCDE", "US", "ABCDE", false}, {"4820123", "US", "4820123", false},
		{"v7z5b6", "CA", "V7Z 5B6", true}, {"L4V-1N3", "CA", "L4V 1N3", true}, {"V6B", "CA", "V6B", true}, {"M5V 2TO", "CA", "M5V 2T0", true},
		{"D5V 2T0", "CA", "D5V 2T0", false}, {"48201", "CA", "48201", false},
		{"sw1a1aa", "GB", "SW1A 1AA", true}, {"M1 1AE", "GB", "M1 1AE", true}, {"EC1A", "GB", "EC1A", true}, {"12345", "GB", "12345", false},
		{"D-80331", "DE", "80331", true}, {"DE 80331", "DE", "80331", true}, {"1067", "DE", "01067", true}, {"803311", "DE", "803311", false},
		{"F-75001", "FR", "75001", true}, {"CH-8001", "CH", "8001", true}, {"A-1010", "AT", "1010", true}, {"1012ab", "NL", "1012 AB", true},
		{"00950", "PL", "00-950", true}, {"11455", "SE", "114 55", true}, {"D02AF30", "IE", "D02 AF30", true}, {"110001", "IN", "110001", true},
		{"x1-22", "KE", "X1-22", true}, {"", "US", "", false},
	}
	for _, tt := range tests {
		got, ok := lead.ParsePostal(tt.raw, tt.country)
		if got != tt.want || ok != tt.ok {
			t.Errorf("ParsePostal(%q, %s) = %q %v, want %q %v", tt.raw, tt.country, got, ok, tt.want, tt.ok)
		}
	}
}

// Every code of the postal tables has its country's form, and reading it changes nothing but the
// case and the space.
func TestParsePostalReadsRealCodes(t *testing.T) {
	for _, country := range []string{"US", "DE", "GB", "CA"} {
		seen, bad := 0, 0
		for _, line := range sharedLines(t, "data/geo/geonames_"+country+".txt") {
			fields := strings.Split(line, "\t")
			if len(fields) < 2 {
				continue
			}
			seen++
			if got, ok := lead.ParsePostal(fields[1], country); !ok || got != fields[1] {
				if bad++; bad < 4 {
					t.Logf("%s %q reads %q %v", country, fields[1], got, ok)
				}
			}
		}
		if seen == 0 || bad*1000 > seen {
			t.Errorf("%s: %d of %d codes are not read as they are", country, bad, seen)
		}
	}
}

func TestCountryAndRegionCode(t *testing.T) {
	for raw, want := range map[string]string{
		"us": "US", "USA": "US", "U.S.A.": "US", "United States": "US", "Canada": "CA", "Deutschland": "DE", "UK": "GB", "Österreich": "AT",
		"Côte": "", "España": "ES", "भारत": "IN", "XX": "", "": "", "México": "MX",
	} {
		got, ok := lead.CountryCode(raw)
		if got != want || ok != (want != "") {
			t.Errorf("CountryCode(%q) = %q %v, want %q", raw, got, ok, want)
		}
	}
	for _, tt := range []struct {
		raw, country, want string
		ok                 bool
	}{
		{"michigan", "US", "MI", true}, {"mi", "US", "MI", true}, {"US-MI", "US", "MI", true}, {"New York", "US", "NY", true}, {"N.Y.", "US", "NY", true},
		{"Québec", "CA", "QC", true}, {"PQ", "CA", "QC", true}, {"Ontario", "CA", "ON", true}, {"Bayern", "DE", "Bayern", true},
		{"Narnia", "US", "Narnia", false}, {"ON", "US", "ON", false},
	} {
		got, ok := lead.RegionCode(tt.raw, tt.country)
		if got != tt.want || ok != tt.ok {
			t.Errorf("RegionCode(%q, %s) = %q %v, want %q %v", tt.raw, tt.country, got, ok, tt.want, tt.ok)
		}
	}
}

func TestFold(t *testing.T) {
	for in, want := range map[string]string{
		"IONIQ 5": "ioniq5", "Ioniq-5": "ioniq5", "Škoda Élroq": "skodaelroq", "Straße": "strasse", "هيونداي": "هيونداي", "हुंडई": "हुंडई", "": "",
	} {
		if got := lead.Fold(in); got != want {
			t.Errorf("Fold(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzParsePostal(f *testing.F) {
	for _, s := range []string{"48201-1234", "V7Z5B6", "D-80331", "sw1a1aa", "601", "DE1067", "48201.0"} {
		for _, c := range []string{"US", "CA", "GB", "DE", "NL", "KE"} {
			f.Add(s, c)
		}
	}
	f.Fuzz(func(t *testing.T, raw, country string) {
		got, ok := lead.ParsePostal(raw, country)
		again, okAgain := lead.ParsePostal(got, country)
		if again != got || okAgain != ok {
			t.Fatalf("%q in %q reads %q %v, then %q %v", raw, country, got, ok, again, okAgain)
		}
		if f := lead.Fold(raw); lead.Fold(f) != f {
			t.Fatalf("Fold(%q) is not stable", raw)
		}
	})
}
