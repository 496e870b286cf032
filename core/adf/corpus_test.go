package adf_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/leadmesh/leadmesh/core/adf"
)

// corpusDir walks up to a "shared" directory beside the repository.
func corpusDir(t testing.TB) string {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		candidate := filepath.Join(dir, "shared", "data", "adf")
		if _, err := os.Stat(filepath.Join(candidate, "manifest.json")); err == nil {
			return candidate
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Skip("no shared/data/adf beside the repository: corpus not checked")
		}
		dir = parent
	}
}

type corpusCase struct {
	File   string         `json:"file"`
	Traits string         `json:"traits"`
	Expect map[string]any `json:"expect"`
}

func TestCorpus(t *testing.T) {
	dir := corpusDir(t)
	raw, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []corpusCase
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	own := ownExpectations()
	for _, c := range cases {
		t.Run(c.File, func(t *testing.T) {
			doc := parseFile(t, filepath.Join(dir, c.File))
			checkExpectations(t, doc, c.Expect)
			extra, known := own[c.File]
			if c.Expect == nil && !known {
				t.Logf("no expectations for %s", c.File)
			}
			checkExpectations(t, doc, extra)
			checkRoundTrip(t, doc)
		})
	}
}

func parseFile(t testing.TB, name string) adf.Document {
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := adf.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// checkExpectations compares facts by the keys the manifest uses. A nil value
// means the fact is absent.
func checkExpectations(t *testing.T, doc adf.Document, expect map[string]any) {
	t.Helper()
	for key, want := range expect {
		check, ok := checkOf(key)
		if !ok {
			t.Errorf("no check for expectation %q", key)
			continue
		}
		if got := check(doc, want); got != "" {
			t.Errorf("%s: %s", key, got)
		}
	}
}

type check func(doc adf.Document, want any) (problem string)

// text makes a check of a fact that is a text; phones compare by digits.
func text(fact func(p adf.Prospect) string) check {
	return func(doc adf.Document, want any) string {
		wanted, _ := want.(string)
		if got := fact(doc.Prospects[0]); got != wanted {
			return "got " + quote(got) + ", want " + quote(wanted)
		}
		return ""
	}
}

func quote(s string) string { b, _ := json.Marshal(s); return string(b) }

func number(fact func(doc adf.Document) int) check {
	return func(doc adf.Document, want any) string {
		wanted, ok := want.(float64)
		if n, isInt := want.(int); isInt {
			wanted, ok = float64(n), true
		}
		if got := fact(doc); !ok || float64(got) != wanted {
			return "got " + quote(jsonText(got)) + ", want " + quote(jsonText(want))
		}
		return ""
	}
}

func jsonText(v any) string { b, _ := json.Marshal(v); return string(b) }

func checkOf(key string) (check, bool) {
	if name, ok := strings.CutPrefix(key, "ext_"); ok {
		return text(func(p adf.Prospect) string { return unknown(p, name) }), true
	}
	if name, ok := strings.CutPrefix(key, "trade_"); ok {
		return text(func(p adf.Prospect) string {
			for _, v := range trades(p) {
				return vehicleFact(v, name)
			}
			return ""
		}), true
	}
	if name, ok := strings.CutPrefix(key, "second_"); ok {
		return func(doc adf.Document, want any) string {
			if len(doc.Prospects) < 2 {
				return "no second prospect"
			}
			inner, ok := checkOf(name)
			if name == "status" {
				inner, ok = text(func(p adf.Prospect) string { return p.Status }), true
			}
			if !ok {
				return "unknown key"
			}
			return inner(adf.Document{Prospects: doc.Prospects[1:]}, want)
		}, true
	}
	switch key {
	case "first", "last", "full", "middle", "suffix", "email", "phone", "street", "city", "region", "postal", "country", "locale":
		return text(func(p adf.Prospect) string { return contactFact(p, key) }), true
	case "make", "model", "year", "vin", "stock", "trim", "status", "interest", "odometer", "price_currency", "price", "vehicle",
		"finance_method", "balance", "downpayment", "doors", "bodystyle", "condition":
		return text(func(p adf.Prospect) string {
			v := mainVehicle(p)
			return vehicleFact(v, key)
		}), true
	case "phone_e164":
		return func(doc adf.Document, want any) string {
			c, _ := doc.Prospects[0].Primary()
			got, wanted := digits(c.PreferredPhone().Value), digits(want.(string))
			if got == "" || !strings.HasSuffix(wanted, got) {
				return "got digits " + got
			}
			return ""
		}, true
	case "comments_contains":
		return func(doc adf.Document, want any) string {
			list, ok := want.([]any)
			if s, one := want.(string); one {
				list, ok = []any{s}, true
			}
			for _, part := range list {
				if !strings.Contains(doc.Prospects[0].Customer.Comments, part.(string)) {
					return "missing " + quote(part.(string))
				}
			}
			if !ok {
				return "bad expectation"
			}
			return ""
		}, true
	case "comments":
		return text(func(p adf.Prospect) string { return p.Customer.Comments }), true
	case "vehicles":
		return number(func(doc adf.Document) int { return len(doc.Prospects[0].Vehicles) }), true
	case "contacts":
		return number(func(doc adf.Document) int { return len(doc.Prospects[0].Customer.Contacts) }), true
	case "prospects":
		return number(func(doc adf.Document) int { return len(doc.Prospects) }), true
	case "comment_fields":
		return number(func(doc adf.Document) int { return len(doc.Prospects[0].CommentFields) }), true
	case "trade":
		return text(func(p adf.Prospect) string {
			for _, v := range trades(p) {
				return vehicleFact(v, "vehicle")
			}
			return ""
		}), true
	case "vendor":
		return text(func(p adf.Prospect) string { return p.Vendor.DisplayName() }), true
	case "provider":
		return text(func(p adf.Prospect) string { return p.Provider.DisplayName() }), true
	case "campaign":
		return text(func(p adf.Prospect) string { return p.Provider.Campaign }), true
	case "requestdate":
		return text(func(p adf.Prospect) string { return p.RequestDate }), true
	case "earliest":
		return text(func(p adf.Prospect) string { return p.Customer.Timeframe.Earliest }), true
	case "latest":
		return text(func(p adf.Prospect) string { return p.Customer.Timeframe.Latest }), true
	case "customer_id":
		return text(func(p adf.Prospect) string { return firstID(p.Customer.IDs) }), true
	case "id":
		return text(func(p adf.Prospect) string { return firstID(p.IDs) }), true
	case "id_source":
		return text(func(p adf.Prospect) string {
			if len(p.IDs) == 0 {
				return ""
			}
			return p.IDs[0].Source
		}), true
	case "preferred_contact":
		return text(func(p adf.Prospect) string { return p.PreferredContact }), true
	case "prospect_status":
		return text(func(p adf.Prospect) string { return p.Status }), true
	case "vin_valid":
		return truth(func(p adf.Prospect) bool { v := mainVehicle(p); return adf.CheckVIN(v.VIN) == "" }), true
	case "warnings":
		return truth(func(p adf.Prospect) bool { return len(p.Flags) > 0 }), true
	case "trade_only":
		return truth(func(p adf.Prospect) bool { return tradeOnly(p) }), true
	case "flags":
		return flagged, true
	}
	return nil, false
}

func truth(fact func(p adf.Prospect) bool) check {
	return func(doc adf.Document, want any) string {
		if got := fact(doc.Prospects[0]); got != want {
			return "got " + jsonText(got)
		}
		return ""
	}
}

// flagged wants each code, or code@path, among the flags or repairs.
func flagged(doc adf.Document, want any) string {
	var have []string
	for _, p := range doc.Prospects {
		for _, f := range p.Flags {
			have = append(have, string(f.Code), string(f.Code)+"@"+f.Path)
		}
	}
	for _, r := range doc.Repairs {
		have = append(have, string(r.Code))
	}
	for _, code := range want.([]string) {
		if !slices.Contains(have, code) {
			return "missing " + code + " among " + strings.Join(have, " ")
		}
	}
	return ""
}

func contactFact(p adf.Prospect, key string) string {
	c, _ := p.Primary()
	n := c.Name()
	var a adf.Address
	if len(c.Addresses) > 0 {
		a = c.Addresses[0]
	}
	switch key {
	case "first":
		return n.First
	case "middle":
		return n.Middle
	case "last":
		return n.Last
	case "suffix":
		return n.Suffix
	case "full":
		return n.Full
	case "email":
		return c.PreferredEmail()
	case "phone":
		return c.PreferredPhone().Value
	case "street":
		for _, s := range a.Streets {
			return s.Value
		}
		return ""
	case "city":
		return a.City
	case "region":
		return a.RegionCode
	case "postal":
		return a.PostalCode
	case "country":
		return a.Country
	}
	return c.Locale
}

func vehicleFact(v adf.Vehicle, key string) string {
	f := v.Finance
	if f == nil {
		f = &adf.Finance{}
	}
	var price adf.Price
	if len(v.Prices) > 0 {
		price = v.Prices[0]
	}
	switch key {
	case "make":
		return v.Make
	case "model":
		return v.Model
	case "year":
		return v.Year
	case "vin":
		return v.VIN
	case "stock":
		return v.Stock
	case "trim":
		return v.Trim
	case "status":
		return v.Status
	case "interest":
		return v.Interest
	case "odometer":
		return v.Odometer.Value
	case "doors":
		return v.Doors
	case "bodystyle":
		return v.BodyStyle
	case "condition":
		return v.Condition
	case "price_currency":
		return price.Currency
	case "price":
		return price.Value
	case "vehicle":
		return strings.Join(strings.Fields(strings.Join([]string{v.Year, v.Make, v.Model, v.Trim}, " ")), " ")
	case "finance_method":
		return f.Method
	case "balance":
		return f.Balance.Value
	case "downpayment":
		for _, a := range f.Amounts {
			if a.Type == "downpayment" {
				return a.Value
			}
		}
	}
	return ""
}

// mainVehicle is what the lead is about: the first wanted vehicle that is named, else one named only
// in comments, else the first.
func mainVehicle(p adf.Prospect) adf.Vehicle {
	for _, v := range p.Vehicles {
		if !isTrade(v) && v.Year+v.Make+v.Model+v.VIN+v.Stock != "" {
			return v
		}
	}
	for _, c := range p.CommentVehicles {
		if !isTrade(c.Vehicle) {
			return c.Vehicle
		}
	}
	for _, v := range p.Vehicles {
		if !isTrade(v) {
			return v
		}
	}
	if len(p.Vehicles) > 0 {
		return p.Vehicles[0]
	}
	return adf.Vehicle{}
}

func isTrade(v adf.Vehicle) bool { return v.Interest == "trade-in" || v.Interest == "sell" }

func tradeOnly(p adf.Prospect) bool {
	wanted := slices.ContainsFunc(p.Vehicles, func(v adf.Vehicle) bool { return !isTrade(v) })
	return len(p.Vehicles) > 0 && !wanted
}

// trades are the offered vehicles, those named in comments last.
func trades(p adf.Prospect) (out []adf.Vehicle) {
	for _, v := range p.Vehicles {
		if isTrade(v) {
			out = append(out, v)
		}
	}
	for _, c := range p.CommentVehicles {
		if c.Vehicle.Interest == "trade-in" {
			out = append(out, c.Vehicle)
		}
	}
	return out
}

func unknown(p adf.Prospect, name string) string {
	for _, e := range p.Unknown {
		last := e.Path[strings.LastIndexByte(e.Path, '/')+1:]
		last, _, _ = strings.Cut(last, "[")
		if strings.TrimPrefix(last, "@") == name {
			return e.Text
		}
	}
	return ""
}

func firstID(ids []adf.ID) string {
	for _, id := range ids {
		return id.Value
	}
	return ""
}

func digits(s string) string {
	return strings.Map(func(c rune) rune {
		if c < '0' || c > '9' {
			return -1
		}
		return c
	}, s)
}
