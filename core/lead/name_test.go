package lead_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leadmesh/leadmesh/core/lead"
)

func TestSplitName(t *testing.T) {
	tests := []struct {
		in   string
		want lead.Name
	}{
		{"  John   Smith ", lead.Name{Full: "John Smith", Given: "John", Family: "Smith"}},
		{"JOHN Q SMITH III", lead.Name{Full: "John Q Smith III", Given: "John", Middle: "Q", Family: "Smith", Suffix: "III"}},
		{"smith, john jr.", lead.Name{Full: "Smith, John Jr.", Given: "John", Family: "Smith", Suffix: "Jr."}},
		{"John Smith, Jr.", lead.Name{Full: "John Smith, Jr.", Given: "John", Family: "Smith", Suffix: "Jr."}},
		{"Smith, Dr. Ann Marie", lead.Name{Full: "Smith, Dr. Ann Marie", Prefix: "Dr.", Given: "Ann", Middle: "Marie", Family: "Smith"}},
		{"MARIA DE LA CRUZ", lead.Name{Full: "Maria de la Cruz", Given: "Maria", Family: "de la Cruz"}},
		{"Jan van der Berg", lead.Name{Full: "Jan van der Berg", Given: "Jan", Family: "van der Berg"}},
		{"Herr Dr. Klaus von Hohenfels", lead.Name{Full: "Herr Dr. Klaus von Hohenfels", Prefix: "Herr Dr.", Given: "Klaus", Family: "von Hohenfels"}},
		{"Frau Schmidt", lead.Name{Full: "Frau Schmidt", Prefix: "Frau", Family: "Schmidt"}},
		{"Mr. & Mrs. John Doe", lead.Name{Full: "Mr. & Mrs. John Doe", Prefix: "Mr. & Mrs.", Given: "John", Family: "Doe"}},
		{"Anne-Marie O'NEIL", lead.Name{Full: "Anne-Marie O'NEIL", Given: "Anne-Marie", Family: "O'NEIL"}},
		{"Müller Automobile GmbH", lead.Name{Full: "Müller Automobile GmbH", Company: "Müller Automobile GmbH"}},
		{"Acme Logistics", lead.Name{Full: "Acme Logistics", Company: "Acme Logistics"}},
		{"Cher", lead.Name{Full: "Cher", Given: "Cher"}},
		{"山田太郎", lead.Name{Full: "山田太郎"}},
		{"राज कुमार", lead.Name{Full: "राज कुमार", Given: "राज", Family: "कुमार"}},
		{"محمد الأحمد", lead.Name{Full: "محمد الأحمد", Given: "محمد", Family: "الأحمد"}},
		{"", lead.Name{}},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, lead.SplitName(tt.in)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNormalizeNamePart(t *testing.T) {
	for in, want := range map[string]string{
		"MCDONALD": "McDonald", "macdonald": "MacDonald", "MACHADO": "Machado", "o'neil": "O'Neil", "D’ANGELO": "D’Angelo",
		"SMITH-JONES": "Smith-Jones", "VON TRAPP": "von Trapp", "van der BERG": "van der BERG", "VAN DER BERG": "van der Berg",
		"VAN": "Van", "TJ": "TJ", "JO": "Jo", "J": "J", "j.": "J.", "McDonald": "McDonald", "deShawn": "deShawn",
		"ÖZGÜR": "Özgür", "élodie": "Élodie", "iii": "III", "  a\tb ": "A B", `"bob"`: "Bob", "李": "李", "राज": "राज",
	} {
		if got := lead.NormalizeNamePart(in); got != want {
			t.Errorf("NormalizeNamePart(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestNormalizeName(t *testing.T) {
	tests := []struct{ in, want lead.Name }{
		{lead.Name{Given: "JOHN", Family: "SMITH"}, lead.Name{Full: "John Smith", Given: "John", Family: "Smith"}},
		{lead.Name{Given: "John Smith"}, lead.Name{Full: "John Smith", Given: "John", Family: "Smith"}},
		{lead.Name{Given: "John Smith", Family: "John Smith"}, lead.Name{Full: "John Smith", Given: "John", Family: "Smith"}},
		{lead.Name{Full: "doe, jane"}, lead.Name{Full: "Doe, Jane", Given: "Jane", Family: "Doe"}},
		{lead.Name{Company: " Acme  LLC "}, lead.Name{Full: "Acme LLC", Company: "Acme LLC"}},
		{lead.Name{}, lead.Name{}},
	}
	for _, tt := range tests {
		got := lead.NormalizeName(tt.in)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%+v: %s", tt.in, diff)
		}
	}
}

func TestJunkName(t *testing.T) {
	for _, tt := range []struct {
		given, family, want string
	}{
		{"null", "null", "placeholder"}, {"N/A", "", "placeholder"}, {"{first}", "{last}", "placeholder"}, {"[first_name]", "", "placeholder"},
		{"Test", "Test", "test"}, {"test", "", "test"}, {"Test", "Lead", "test"}, {"Test01292019", "", "test"},
		{"asdf", "asdf", "junk"}, {"Qwerty", "", "junk"}, {"aaaa", "aaaa", "junk"}, {"123", "", "junk"}, {"John", "http://spam.example", "junk"},
		{"Christopher", "Null", ""}, {"John", "Test", ""}, {"Test", "Smith", ""}, {"Bo", "Li", ""}, {"राज", "कुमार", ""}, {"J", "", ""},
	} {
		if got := lead.JunkName(lead.Name{Given: tt.given, Family: tt.family}); got != tt.want {
			t.Errorf("JunkName(%q, %q) = %q, want %q", tt.given, tt.family, got, tt.want)
		}
	}
}

func FuzzSplitName(f *testing.F) {
	for _, s := range []string{"John Smith", "SMITH, JOHN JR", "van der Berg", "O'NEIL", "mc mac", "Dr. med. Frau", ",,", "\"", "İIı ß", "Mr & Mrs", "a b-c'd", "ǅ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n := lead.SplitName(s)
		once := lead.NormalizeName(n)
		if twice := lead.NormalizeName(once); twice != once {
			t.Fatalf("not stable: %q gives %+v then %+v", s, once, twice)
		}
		if part := lead.NormalizeNamePart(s); lead.NormalizeNamePart(part) != part {
			t.Fatalf("not stable: %q gives %q then %q", s, part, lead.NormalizeNamePart(part))
		}
	})
}
