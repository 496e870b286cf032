package adf_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leadmesh/leadmesh/core/adf"
)

func TestSplitName(t *testing.T) {
	cases := map[string]adf.PersonName{
		"Marie Tremblay":         {First: "Marie", Last: "Tremblay"},
		"Doe, John":              {First: "John", Last: "Doe"},
		"Doe, John M., Jr.":      {First: "John", Middle: "M.", Last: "Doe", Suffix: "Jr."},
		"John Doe, Jr.":          {First: "John", Last: "Doe", Suffix: "Jr."},
		"John Q Public III":      {First: "John", Middle: "Q", Last: "Public", Suffix: "III"},
		"Ludwig van Beethoven":   {First: "Ludwig", Last: "van Beethoven"},
		"Maria de la Cruz":       {First: "Maria", Last: "de la Cruz"},
		"Mr. Dr. Anton von Berg": {First: "Anton", Last: "von Berg"},
		"Cher":                   {First: "Cher"},
		"John & Jane Doe":        {First: "John", Last: "Doe", Partner: "Jane"},
		"Smith Auto Group":       {Business: true},
		"AB & Co":                {Business: true},
		"{first} {last}":         {},
		"":                       {},
	}
	for in, want := range cases {
		want.Full = in
		if diff := cmp.Diff(want, adf.SplitName(in)); diff != "" {
			t.Errorf("%q: %s", in, diff)
		}
	}
}

func TestContactName(t *testing.T) {
	name := func(pairs ...string) adf.Contact {
		var c adf.Contact
		for i := 0; i < len(pairs); i += 2 {
			c.Names = append(c.Names, adf.Name{Part: pairs[i], Value: pairs[i+1]})
		}
		return c
	}
	cases := []struct {
		in   adf.Contact
		want adf.PersonName
	}{
		{name("first", "Jo", "full", "Joanna X", "last", "Dale"), adf.PersonName{First: "Jo", Last: "Dale", Full: "Joanna X"}},
		{name("first", "Marie Tremblay"), adf.PersonName{First: "Marie", Last: "Tremblay", Full: "Marie Tremblay"}},
		{name("first", "Marie Tremblay", "last", "Tremblay"), adf.PersonName{First: "Marie", Last: "Tremblay", Full: "Marie Tremblay"}},
		{name("first", "Mary Ann", "last", "Smith"), adf.PersonName{First: "Mary Ann", Last: "Smith", Full: "Mary Ann Smith"}},
		{name("last", "de la Cruz"), adf.PersonName{Last: "de la Cruz", Full: "de la Cruz"}},
		{name("first", "Bo", "middle", "via cars.com", "last", "Ek"), adf.PersonName{First: "Bo", Last: "Ek", Full: "Bo Ek"}},
		{name("first", "Bo", "full", "Bo Ek Jr"), adf.PersonName{First: "Bo", Last: "Ek", Suffix: "Jr", Full: "Bo Ek Jr"}},
		{adf.Contact{Names: []adf.Name{{Part: "full", Type: "business", Value: "Red Barn"}}}, adf.PersonName{Full: "Red Barn", Business: true}},
		{adf.Contact{}, adf.PersonName{}},
	}
	for _, c := range cases {
		if diff := cmp.Diff(c.want, c.in.Name()); diff != "" {
			t.Errorf("%v: %s", c.in.Names, diff)
		}
	}
}

func TestPreferredPhone(t *testing.T) {
	c := adf.Contact{Phones: []adf.Phone{{Type: "fax", Value: "1"}, {Type: "voice", Value: "2"}, {Type: "cellphone", Value: "3"}}}
	if got := c.PreferredPhone().Value; got != "3" {
		t.Errorf("cellphone not preferred: %s", got)
	}
	c.Phones[1].Preferred = true
	if got := c.PreferredPhone().Value; got != "2" {
		t.Errorf("mark not respected: %s", got)
	}
	if got := (adf.Contact{Phones: []adf.Phone{{Value: "{phone}"}}}).PreferredPhone().Value; got != "" {
		t.Errorf("template variable taken for a number: %s", got)
	}
}

func TestCheckVIN(t *testing.T) {
	for vin, want := range map[string]adf.FlagCode{
		"9BWZZZ370VT004251": "", // Brazil: its ninth place is no check digit
		"1M8GDM9AXKP042788": "", "1m8gdm9axkp042788": "", "1HGCM82633A004352": "", "1HGCM82633A123456": adf.FlagVINCheckDigit,
		"WBA71DC010CH14720": "", "1GT...": adf.FlagVINCharacters, "1M8GDM9AXKP04278": adf.FlagVINLength, "1O8GDM9AXKP042788": adf.FlagVINCharacters,
	} {
		if got := adf.CheckVIN(vin); got != want {
			t.Errorf("%s: got %q, want %q", vin, got, want)
		}
	}
}

func TestPreferredEmailIsBare(t *testing.T) {
	for raw, want := range map[string]string{
		"ada@example.com": "ada@example.com", "<ada@example.com>": "ada@example.com",
		"mailto:ada@example.com": "ada@example.com", "MailTo: ada@example.com": "ada@example.com", "": "",
	} {
		c := adf.Contact{Emails: []adf.Email{{Value: raw}}}
		if got := c.PreferredEmail(); got != want {
			t.Errorf("%q is %q, want %q", raw, got, want)
		}
	}
}
