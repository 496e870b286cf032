package adf_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/leadmesh/leadmesh/core/adf"
)

func TestUnreadable(t *testing.T) {
	cases := []struct {
		name, in string
		want     error
		line     int
	}{
		{"empty", "", adf.ErrNoProspect, 0},
		{"text", "hello", adf.ErrNoProspect, 0},
		{"other xml", "<?xml version='1.0'?>\n <lead><name>x</name></lead>", adf.ErrNoProspect, 2},
		{"empty adf", "<adf></adf>", adf.ErrNoProspect, 1},
		{"commented out", "<!-- <adf><prospect/></adf> -->", adf.ErrNoProspect, 0},
		{"too large", strings.Repeat("x", adf.MaxInput+1), adf.ErrTooLarge, 0},
		{"too deep", "<adf><prospect>\n" + strings.Repeat("<x>", 70) + strings.Repeat("</x>", 70) + "</prospect></adf>", adf.ErrTooDeep, 2},
		{"too many elements", "<adf><prospect>" + strings.Repeat("<x/>", 200_001), adf.ErrTooMany, 1},
		{"too many attributes", "<adf><prospect><id " + strings.Repeat("a=1 ", 100) + "/>", adf.ErrTooMany, 1},
		{"huge attribute", "<adf><prospect><id source='" + strings.Repeat("a", 70_000) + "'/>", adf.ErrTooLarge, 1},
	}
	for _, c := range cases {
		doc, err := adf.Parse([]byte(c.in))
		var perr *adf.ParseError
		if !errors.Is(err, c.want) || !errors.As(err, &perr) {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if perr.Line != c.line || perr.Remedy == "" || perr.Error() == "" || len(doc.Prospects) > 0 {
			t.Errorf("%s: line %d, %q", c.name, perr.Line, perr.Error())
		}
	}
}

func TestEmitRefuses(t *testing.T) {
	base := func() adf.Prospect {
		return adf.Prospect{RequestDate: "2026-01-02T03:04:05-05:00", Vendor: adf.Vendor{Name: "D"},
			Customer: adf.Customer{Contacts: []adf.Contact{{Names: []adf.Name{{Value: "A"}}}}}}
	}
	if problems := adf.Check(adf.Document{Prospects: []adf.Prospect{base()}}); problems != nil {
		t.Fatalf("base refused: %v", problems)
	}
	cases := map[string]func(p *adf.Prospect){
		"prospect/requestdate":                      func(p *adf.Prospect) { p.RequestDate = "2026-01-02 03:04:05" },
		"prospect/@status":                          func(p *adf.Prospect) { p.Status = "NEW" },
		"prospect/customer":                         func(p *adf.Prospect) { p.Customer.Contacts = nil },
		"prospect/vendor":                           func(p *adf.Prospect) { p.Vendor = adf.Vendor{} },
		"prospect/customer/comments":                func(p *adf.Prospect) { p.Customer.Comments = "ssn 123-45-6789" },
		"prospect/vendor/vendorname":                func(p *adf.Prospect) { p.Vendor.Name = "a\x00" },
		"prospect/provider":                         func(p *adf.Prospect) { p.Provider.URL = "u" },
		"prospect/id":                               func(p *adf.Prospect) { p.IDs = []adf.ID{{}} },
		"prospect/vehicle/price/@currency":          func(p *adf.Prospect) { p.Vehicles = []adf.Vehicle{{Prices: []adf.Price{{Currency: "usd"}}}} },
		"prospect/vehicle/@interest":                func(p *adf.Prospect) { p.Vehicles = []adf.Vehicle{{Interest: "loan"}} },
		"prospect/vehicle":                          func(p *adf.Prospect) { p.Vehicles = []adf.Vehicle{{}} },
		"prospect/customer/contact/phone/@type":     func(p *adf.Prospect) { p.Customer.Contacts[0].Phones = []adf.Phone{{Type: "home", Value: "1"}} },
		"prospect/customer/contact/address/country": func(p *adf.Prospect) { p.Customer.Contacts[0].Addresses = []adf.Address{{Country: "USA"}} },
		"prospect/customer/contact/name[2]": func(p *adf.Prospect) {
			p.Customer.Contacts[0].Names = append(p.Customer.Contacts[0].Names, adf.Name{Value: "A"})
		},
	}
	for path, spoil := range cases {
		p := base()
		spoil(&p)
		_, err := adf.Emit(adf.Document{Prospects: []adf.Prospect{p}})
		var eerr *adf.EmitError
		if !errors.As(err, &eerr) || eerr.Problems[0].Path != path {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := adf.Emit(adf.Document{}); err == nil {
		t.Error("document without prospects written")
	}
}

func TestEmitLooksAsTheDTDWants(t *testing.T) {
	p := adf.Prospect{Status: "new", RequestDate: "2026-01-02T03:04:05-05:00", Vendor: adf.Vendor{Name: "D & <D>"},
		Customer: adf.Customer{Contacts: []adf.Contact{{Phones: []adf.Phone{{Type: "voice", Value: "1"}}}}}}
	out, err := adf.Emit(adf.Document{Prospects: []adf.Prospect{p}})
	want := `<?xml version="1.0" encoding="UTF-8"?><?adf version="1.0"?>
<adf>
  <prospect status="new">
    <requestdate>2026-01-02T03:04:05-05:00</requestdate>
    <vehicle>
      <year></year>
      <make></make>
      <model></model>
    </vehicle>
    <customer>
      <contact>
        <name part="full"></name>
        <phone type="voice">1</phone>
      </contact>
    </customer>
    <vendor>
      <vendorname>D &amp; &lt;D&gt;</vendorname>
      <contact>
        <name part="full"></name>
        <phone></phone>
      </contact>
    </vendor>
  </prospect>
</adf>
`
	if err != nil || string(out) != want {
		t.Errorf("%v\n%s", err, out)
	}
}

func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/dialects/*.adf")
	for _, file := range append(files, "testdata/everything.adf") {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte("<adf><prospect><vehicle interest=\"sell\"><price currency='eur' type=ask>1</price></vehicle>"))
	f.Add([]byte("&lt;adf>&lt;prospect><![CDATA[<adf><prospect>]]>"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		start := time.Now()
		doc, err := adf.Parse(raw)
		if took := time.Since(start); took > 5*time.Second {
			t.Fatalf("%d bytes took %v", len(raw), took)
		}
		if err != nil {
			var perr *adf.ParseError
			if !errors.As(err, &perr) {
				t.Fatalf("untyped error %v", err)
			}
			return
		}
		if len(doc.Prospects) == 0 {
			t.Fatal("neither prospects nor an error")
		}
		for _, p := range doc.Prospects {
			_, _ = p.Primary()
			for _, c := range p.Customer.Contacts {
				_, _ = c.Name(), c.PreferredPhone()
			}
		}
		checkRoundTrip(t, doc)
	})
}

// FuzzEmit holds the law of Emit for documents put together from any text.
func FuzzEmit(f *testing.F) {
	f.Add("a & b", "<x>", "]]>", "line\nbreak\r\ttab", uint8(3))
	f.Add("null", "2020", "{x}", "Key: value\nSSN 123-45-6789", uint8(255))
	f.Fuzz(func(t *testing.T, a, b, c, d string, bits uint8) {
		has := func(i int) bool { return bits>>i&1 == 1 }
		pick := func(values ...string) string { return values[int(bits)%len(values)] }
		p := adf.Prospect{Status: pick("", "new", "resend"), RequestDate: "2026-01-02T03:04:05-05:00",
			IDs:    []adf.ID{{Sequence: "1", Source: a, Value: b}},
			Vendor: adf.Vendor{Name: "D" + a, URL: c, IDs: []adf.ID{{Source: b}}},
			Customer: adf.Customer{Comments: d, Timeframe: adf.Timeframe{Description: b, Latest: "2026-05-01"},
				Contacts: []adf.Contact{{Primary: has(0), Names: []adf.Name{{Part: pick("first", "full", ""), Value: a}},
					Emails:    []adf.Email{{Preferred: has(1), Value: b}},
					Phones:    []adf.Phone{{Type: pick("voice", "cellphone", ""), Time: "day", Preferred: has(2), BestTime: has(3), Value: c}},
					Addresses: []adf.Address{{Type: "home", Streets: []adf.Street{{Line: "1", Value: a}, {Value: b}}, City: c, Country: "CA"}}}}},
			Provider: adf.Provider{Names: []adf.Name{{Value: "P" + c}}, Service: a}}
		if has(4) {
			p.Vehicles = []adf.Vehicle{{Interest: "buy", Status: "used", Year: a, Make: b, Model: c, Stock: d, Condition: "good",
				Odometer: adf.Odometer{Value: a, Units: "km"}, Colors: []adf.ColorCombination{{Exterior: "x" + a, Preference: "1"}},
				Image: adf.Image{URL: b, AltText: c}, Prices: []adf.Price{{Type: "asking", Currency: "EUR", Source: d, Value: a}},
				Options:  []adf.Option{{Name: "o" + a, Weighting: "-5", Price: &adf.Price{Value: "1" + b}}},
				Finance:  &adf.Finance{Method: "m" + a, Balance: adf.Balance{Type: "residual", Value: c}},
				Comments: d}}
		}
		if has(5) {
			p.Vehicles = append(p.Vehicles, adf.Vehicle{Interest: "trade-in", Make: "t" + a, Model: "m"})
		}
		doc := adf.Document{Prospects: []adf.Prospect{p}}.Canonical(nil)
		if problems := adf.Check(doc); len(problems) > 0 {
			for _, problem := range problems {
				if problem.Rule != "characters that xml does not allow" {
					t.Skip(fmt.Sprint(problem))
				}
			}
			return
		}
		checkRoundTrip(t, doc)
	})
}
