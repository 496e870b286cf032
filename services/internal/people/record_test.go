package people

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/internal/table"
)

// recordOf is the record of one row under headers that are known.
func recordOf(w *work, headers, cells []string) identity.Record {
	l := &List{File: &table.File{Label: "list"}, Mapping: newMapping(headers, nil, newRecogniser(), map[Rename]bool{})}
	l.Header.Cells = headers
	for i := range l.Mapping.Columns {
		l.Mapping.Columns[i].source = l.Mapping.Columns[i].Field.String()
	}
	return w.recorder(l).record(cells)
}

func TestNamesOfRows(t *testing.T) {
	headers := []string{"full_name", "first_name", "last_name", "middle", "suffix", "company"}
	for _, tt := range []struct {
		cells     []string
		names     []identity.Name
		companies []string
	}{
		{[]string{"", "Ada", "Lindqvist", "M", "Jr", ""}, []identity.Name{{Given: "ada", Middle: "m", Family: "lindqvist", Suffix: "jr"}}, nil},
		{[]string{"Lindqvist, Ada", "", "", "", "", ""}, []identity.Name{{Given: "ada", Family: "lindqvist"}}, nil},
		{[]string{"Ada Lindqvist", "Ada", "Marsh", "", "", ""}, []identity.Name{{Given: "ada", Family: "marsh"}}, nil},
		{[]string{"Ada Lindqvist", "Ada", "", "", "", ""}, []identity.Name{{Given: "ada", Family: "lindqvist"}}, nil},
		{[]string{"Ada Lindqvist", "", "Lindqvist", "", "", ""}, []identity.Name{{Given: "ada", Family: "lindqvist"}}, nil},
		{[]string{"Lindqvist", "", "Lindqvist", "", "", ""}, []identity.Name{{Family: "lindqvist"}}, nil},
		{[]string{"", "n/a", "Lindqvist", "", "", "Norrvind Inc"}, []identity.Name{{Family: "lindqvist"}}, []string{"norrvindinc"}},
		{[]string{"", "", "", "", "", ""}, nil, nil},
	} {
		r := recordOf(&work{}, headers, tt.cells)
		if d := cmp.Diff(tt.names, r.Names); d != "" {
			t.Errorf("%q: %s", tt.cells, d)
		}
		if d := cmp.Diff(tt.companies, r.Companies); d != "" {
			t.Errorf("%q: %s", tt.cells, d)
		}
	}
}

func TestContactsOfRows(t *testing.T) {
	want := identity.Record{
		Emails: []string{"ada.l@example.com", "ada@example.org"}, Phones: []string{"+493514961234", "+491701234567"}, Born: []string{"1971-06-24"},
		VINs: []string{"WVWZZZ1KZAW000001"}, Traits: []identity.Trait{{Kind: identity.TraitNumber, Value: "123456789"}, {Kind: identity.TraitSex, Value: "f"}, {Kind: identity.TraitBirthplace, Value: "koln"}},
	}
	w := &work{Options: Options{Country: "DE", Year: 2026}}
	r := recordOf(w, []string{"email", "E-Mail 2", "Telefon", "Handy", "vin", "sex", "ssn", "Geburtsort", "dob"},
		[]string{"Ada.L@Example.com; ada@example.org", "n/a", "0351 4961234", "+49 170 1234567, 0000000", "wvwzzz1kzaw000001 ?", "weiblich", "123-45-6789", "Köln", "24.06.71"})
	if d := cmp.Diff(want, r); d != "" {
		t.Error(d)
	}
	for raw, want := range map[string]string{"(303) 555-0123": "+13035550123", "555 0123": "+5550123", "0000000": "", "call me": "", "12345": ""} {
		if got := readPhone(raw, "US").E164; got != want {
			t.Errorf("%q is %q, want %q", raw, got, want)
		}
	}
}

// Spreadsheets drop the zero before a postal code. It comes back where the country is known.
func TestPostalCodesOfRows(t *testing.T) {
	for _, tt := range []struct {
		headers, cells []string
		country, want  string
	}{
		{[]string{"name", "Straße", "PLZ"}, []string{"Ada", "Ring 5", "1067"}, "", "01067"},
		{[]string{"name", "street", "zip"}, []string{"Ada", "5 Ring", "2134"}, "US", "02134"},
		{[]string{"name", "street", "zip", "country"}, []string{"Ada", "5 Ring", "2134", "USA"}, "", "02134"},
		{[]string{"name", "street", "postcode"}, []string{"Ada", "5 Ring", "2134"}, "", "2134"},
	} {
		l := &List{File: &table.File{}, Mapping: newMapping(tt.headers, nil, newRecogniser(), map[Rename]bool{})}
		l.Header.Cells = tt.headers
		w := &work{Options: Options{Country: tt.country}}
		c := w.recorder(l)
		country, told := c.country, c.known
		if code, ok := lead.CountryCode(c.join(tt.cells, FieldCountry)); ok {
			country, told = code, true
		}
		if got := c.address(tt.cells, country, told).Postal; got != tt.want {
			t.Errorf("%q under %q in %q: %q, want %q", tt.cells, tt.headers, tt.country, got, tt.want)
		}
	}
}
