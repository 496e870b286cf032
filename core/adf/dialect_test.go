package adf_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/leadmesh/leadmesh/core/adf"
)

func TestDialects(t *testing.T) {
	type m = map[string]any
	flags := func(codes ...string) []string { return codes }
	cases := map[string]m{
		"mirrored_trade.adf": {"vehicles": 1, "trade": nil, "vehicle": "2025 Subaru Outback", "ext_odometer": "0",
			"flags": flags("mirrored_trade@prospect/vehicle[2]")},
		"escaped.adf": {"vehicle": "2023 Mazda CX-5", "full": "Ola & Per Berg", "first": "Ola", "last": "Berg", "phone": "612-555-0190",
			"flags": flags("escaped_document")},
		"hidden_in_comments.adf": {"vehicle": "2024 Polestar 2", "vehicles": 1, "trade": "2011 Volvo V70", "preferred_contact": "text",
			"flags": flags("commented_vehicle", "commented_consent")},
		"text_after.adf": {"full": "Tom Reed", "phone": "303-555-0117", "flags": flags("text_outside")},
		"unquoted.adf": {"prospect_status": "resend", "id": "A-77", "id_source": "Portal", "vehicle": "2007 Audi A4", "status": "used",
			"odometer": "90000", "first": "Eve", "last": "Stone", "email": "eve@example.org", "finance_method": "Finance",
			"flags": flags("attribute_syntax@prospect/id", "mismatched_end_tag@prospect/vehicle/option/optionname", "date_without_zone", "instruction_syntax")},
		"question_answer.adf": {"vehicle": "2021 Honda Ridgeline RTL", "preferred_contact": "phone", "phone": "415-555-0172",
			"comments_contains": "SSN: ***-**-****", "flags": flags("sensitive_identifier@prospect/customer/comments", "date_not_iso")},
		"nulls.adf": {"requestdate": nil, "year": nil, "make": nil, "first": "Chris", "middle": nil, "last": "Null", "email": nil,
			"comments": nil, "vehicles": 0, "flags": flags("null_string@prospect/requestdate", "null_string@prospect/customer/contact/email")},
		"middle_name_source.adf": {"full": "Ann Kerr", "middle": nil, "flags": flags("suspect_middle_name@prospect/customer/contact/name[2]")},
		"stray_text.adf": {"postal": "97201", "ext_#text": "17", "last": "Marsh",
			"flags": flags("stray_text@prospect/#text", "stray_text@prospect/customer/contact/address/#text")},
		"unclosed.adf": {"vehicle": "2022 Jeep Compass", "trade": "2010 Dodge Ram", "vehicles": 2, "first": "Max", "last": "Vale",
			"email": "max@example.org", "phone": "505-555-0166", "vendor": "Vale Motors", "requestdate": "2026-01-02T03:04:05-05:00",
			"comments": "Price < 30000 & no <extras> please\nthanks R&D é",
			"flags":    flags("unclosed_element@prospect/vehicle/year", "stray_markup", "repaired_entity", "html_markup")},
		"co_buyer.adf": {"contacts": 2, "first": "Lee", "email": "lee@example.org"},
		"wrong_places.adf": {"first": "Uma", "last": "Roy", "postal": "60601", "vin": "1M8GDM9AXKP042788", "vin_valid": true, "interest": "test-drive",
			"flags": flags("implied_prospect", "misspelt_name", "out_of_place_element")},
		"entity_bomb.adf":          {"full": "&b;", "email": "b@example.org", "flags": flags("doctype_ignored", "unknown_entity")},
		"cdata_wrapped.adf":        {"full": "Zoe Hart", "flags": flags("wrapped_document")},
		"comment_vehicle_only.adf": {"vehicles": 0, "vehicle": "2020 Kia Niro", "trade": "2009 Ford Focus SE"},
	}
	files, err := filepath.Glob("testdata/dialects/*.adf")
	if err != nil || len(files) != len(cases) {
		t.Fatalf("%d files for %d cases: %v", len(files), len(cases), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			doc := parseFile(t, file)
			checkExpectations(t, doc, cases[filepath.Base(file)])
			checkRoundTrip(t, doc)
		})
	}
}

func TestConsentStatements(t *testing.T) {
	doc := parseFile(t, "testdata/dialects/hidden_in_comments.adf")
	got := map[string]adf.Answer{}
	for _, c := range doc.Prospects[0].Consents {
		got[c.Path+" "+c.Text] = c.Answer
	}
	want := map[string]adf.Answer{
		"prospect/#comment Customer consents to receive text messages: yes": adf.AnswerYes,
		"prospect/customer/comments Consent: yes":                           adf.AnswerYes,
		"prospect/customer/comments I agree to be contacted about offers":   adf.AnswerYes,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	doc = parseFile(t, "testdata/dialects/question_answer.adf")
	want = map[string]adf.Answer{"Opt-in to SMS: No": adf.AnswerNo}
	got = map[string]adf.Answer{}
	for _, c := range doc.Prospects[0].Consents {
		got[c.Text] = c.Answer
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// lead wraps customer comments into a document.
func lead(comments string) []byte {
	return []byte("<adf><prospect><customer><contact><name>A B</name></contact><comments><![CDATA[" + comments + "]]></comments></customer></prospect></adf>")
}

func TestCommentFacts(t *testing.T) {
	cases := []struct {
		in, consent, prefer, vehicle string
		fields                       []string
	}{
		{in: "Please do not contact me by phone. I prefer email.", consent: "no", prefer: "email"},
		{in: "opt-in: true", consent: "yes", fields: []string{"opt-in=true"}},
		{in: "Opt-out: yes", consent: "no", fields: []string{"Opt-out=yes"}},
		{in: "By submitting this form you agree to receive messages", consent: "unclear"},
		{in: "marketing_consent = 0", consent: "no", fields: []string{"marketing_consent=0"}},
		{in: "Budget: 20k; Color: red; Timeframe: now", fields: []string{"Budget=20k", "Color=red", "Timeframe=now"}},
		{in: "Call at 10:30 or see https://example.org/x?a=b", prefer: ""},
		{in: "Vehicle of Interest: Used 2018 Land Rover Discovery HSE", vehicle: "2018 Land Rover Discovery HSE",
			fields: []string{"Vehicle of Interest=Used 2018 Land Rover Discovery HSE"}},
		{in: "vehicle of interest: 2022 kia forte", vehicle: "2022 kia forte", fields: []string{"vehicle of interest=2022 kia forte"}},
		{in: "2019 was a good year for me", vehicle: ""},
		{in: "Best way to reach you: Text message", prefer: "text", fields: []string{"Best way to reach you=Text message"}},
		{in: "Question: Trade?\nResponse: none\nQuestion 2: Budget?\nAnswer 2: 9000", fields: []string{"Trade?=none", "Budget?=9000"}},
	}
	for _, c := range cases {
		doc, err := adf.Parse(lead(c.in))
		if err != nil {
			t.Fatal(err)
		}
		p := doc.Prospects[0]
		var fields []string
		for _, f := range p.CommentFields {
			fields = append(fields, f.Key+"="+f.Value)
		}
		if diff := cmp.Diff(c.fields, fields); diff != "" {
			t.Errorf("%q: fields: %s", c.in, diff)
		}
		consent := ""
		for _, s := range p.Consents {
			consent = string(s.Answer)
		}
		vehicle := ""
		for _, v := range p.CommentVehicles {
			vehicle = vehicleFact(v.Vehicle, "vehicle")
		}
		if consent != c.consent || p.PreferredContact != c.prefer || vehicle != c.vehicle {
			t.Errorf("%q: consent %q, preferred %q, vehicle %q", c.in, consent, p.PreferredContact, vehicle)
		}
		if p.Customer.Comments != c.in {
			t.Errorf("comments not verbatim: %q", p.Customer.Comments)
		}
	}
}

func TestSensitiveNumbersAreMasked(t *testing.T) {
	cases := map[string]string{
		"my ssn is 123-45-6789 ok":          "my ssn is ***-**-**** ok",
		"078 05 1120":                       "*** ** ****",
		"Social Security Number: 123456789": "Social Security Number: *********",
		"SIN: 046 454 286":                  "SIN: *** *** ***",
		"call 303-555-0117 or 3035550117":   "call 303-555-0117 or 3035550117",
		"stock 123456789, zip 80202-1234":   "stock 123456789, zip 80202-1234",
		"2024-01-15 and 555-12-34567":       "2024-01-15 and 555-12-34567",
		"SSN 123456789 phone 303-555-0117":  "SSN ********* phone 303-555-0117",
	}
	for in, want := range cases {
		doc, err := adf.Parse(lead(in))
		if err != nil {
			t.Fatal(err)
		}
		p := doc.Prospects[0]
		if p.Customer.Comments != want || flaggedAs(p, adf.FlagSensitive) != (in != want) {
			t.Errorf("%q became %q, flagged %v", in, p.Customer.Comments, flaggedAs(p, adf.FlagSensitive))
		}
	}
	doc, err := adf.Parse([]byte("<adf><prospect><customer><ssn>123456789</ssn></customer></prospect></adf>"))
	if err != nil || doc.Prospects[0].Unknown[0].Text != "*********" {
		t.Errorf("element: %v, %v", doc, err)
	}
}

func TestEncodings(t *testing.T) {
	plain := `<?xml version="1.0" encoding="ENC"?><adf><prospect><customer><contact><name part="full">José “Pepe” Ñáñez</name><email>p@example.org</email></contact></customer></prospect></adf>`
	utf16le := func(s string) []byte {
		var b []byte
		for _, u := range utf16.Encode([]rune(s)) {
			b = append(b, byte(u), byte(u>>8))
		}
		return b
	}
	utf16be := func(s string) []byte {
		b := utf16le(s)
		for i := 0; i < len(b); i += 2 {
			b[i], b[i+1] = b[i+1], b[i]
		}
		return b
	}
	latin := func(s string) []byte {
		var b []byte
		for _, r := range s {
			switch r {
			case '“':
				b = append(b, 0x93)
			case '”':
				b = append(b, 0x94)
			default:
				b = append(b, byte(r))
			}
		}
		return b
	}
	with := func(enc string) string { return strings.Replace(plain, "ENC", enc, 1) }
	cases := []struct {
		name string
		raw  []byte
		want adf.FlagCode
	}{
		{"utf-8", []byte(with("utf-8")), ""},
		{"bom", append([]byte("\xef\xbb\xbf"), with("UTF-8")...), ""},
		{"utf-16 le bom", append([]byte{0xff, 0xfe}, utf16le(with("UTF-16"))...), ""},
		{"utf-16 be bom", append([]byte{0xfe, 0xff}, utf16be(with("UTF-16"))...), ""},
		{"utf-16 le bare", utf16le(with("UTF-16")), ""},
		{"utf-16 be bare", utf16be(with("UTF-16")), ""},
		{"utf-16 declared only", []byte(with("UTF-16")), adf.FlagEncodingMismatch},
		{"windows-1252", latin(with("Windows-1252")), ""},
		{"iso-8859-1", latin(with("ISO-8859-1")), ""},
		{"latin declared, utf-8 sent", []byte(with("iso-8859-1")), adf.FlagEncodingMismatch},
		{"utf-8 declared, latin sent", latin(with("utf-8")), adf.FlagInvalidUTF8},
		{"unknown", []byte(with("ebcdic")), adf.FlagEncodingUnknown},
		{"control characters", bytes.Replace([]byte(with("utf-8")), []byte("Pepe"), []byte("Pe\x00\x08pe"), 1), adf.FlagControlCharacter},
	}
	for _, c := range cases {
		doc, err := adf.Parse(c.raw)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := doc.Prospects[0].Customer.Contacts[0].Names[0].Value; got != "José “Pepe” Ñáñez" {
			t.Errorf("%s: %q", c.name, got)
		}
		var code adf.FlagCode
		if len(doc.Repairs) > 0 {
			code = doc.Repairs[0].Code
		}
		if code != c.want {
			t.Errorf("%s: repairs %v, want %q", c.name, doc.Repairs, c.want)
		}
	}
}

func TestManyProspectsAndTheirPlaces(t *testing.T) {
	in := "<adf>\n<prospect><requestdate>1</requestdate><prospect status=resend><requestdate>2</requestdate></prospect></adf>\nnote\n<adf><prospect><requestdate>3</requestdate></prospect><customer><contact><name>C</name></contact></customer></adf>"
	doc, err := adf.Parse([]byte(in))
	if err != nil {
		t.Fatal(err)
	}
	var dates []string
	for _, p := range doc.Prospects {
		dates = append(dates, p.RequestDate)
	}
	if diff := cmp.Diff([]string{"1", "2", "3"}, dates); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]adf.Element{{Path: "#between", Text: "note"}}, doc.Outside); diff != "" {
		t.Error(diff)
	}
	if c, ok := doc.Prospects[2].Primary(); !ok || c.Name().Full != "C" || !flaggedAs(doc.Prospects[2], adf.FlagOutOfPlace) {
		t.Errorf("customer behind its prospect: %+v", c)
	}
	for _, r := range doc.Repairs {
		if r.Code == adf.FlagAttributeSyntax && (r.Line != 2 || r.Column != 39) {
			t.Errorf("repair at %d:%d", r.Line, r.Column)
		}
	}
}

func TestNothingIsLost(t *testing.T) {
	// Every marked text must be found somewhere in the result.
	raw, err := os.ReadFile("testdata/everything.adf")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := adf.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	all := jsonText(doc)
	for _, word := range strings.FieldsFunc(string(raw), func(r rune) bool { return !strings.ContainsRune("ZzQq0123456789", r) }) {
		if strings.HasPrefix(word, "ZQ") && !strings.Contains(all, word) {
			t.Errorf("%s is lost", word)
		}
	}
}

func flaggedAs(p adf.Prospect, code adf.FlagCode) bool {
	return slices.ContainsFunc(p.Flags, func(f adf.Flag) bool { return f.Code == code })
}
