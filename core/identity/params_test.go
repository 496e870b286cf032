package identity_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/core/identity"
)

func TestParamsComeBackAsTheyWereWritten(t *testing.T) {
	p := identity.Default()
	if p == nil || p.Prior >= 0 {
		t.Fatalf("the shipped parameters read as %v", p)
	}
	p.Shares[identity.FieldPlace] = &identity.Shares{Rare: -9_500, Values: map[string]int32{"austin": -3_125, "no: \"yaml\"\n": -1}}
	again, err := identity.ParseParams(p.Marshal())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(p, again); diff != "" {
		t.Errorf("(-written +read):\n%s", diff)
	}
	again.Levels[identity.ReasonEmail].U++
	if p.Revision() == again.Revision() {
		t.Error("other parameters have the same revision")
	}
}

// Every field and level that records are compared by has a weight in the shipped parameters.
func TestShippedParamsNameEveryLevel(t *testing.T) {
	p := identity.Default()
	for c := range identity.ReasonCount {
		switch f := c.Field(); {
		case f == identity.FieldUnspecified || f == identity.FieldPrior || strings.HasSuffix(c.Name(), "_FREQUENCY"):
			if p.Levels[c] != (identity.Level{}) {
				t.Errorf("%s is no level", c.Name())
			}
		case p.Levels[c] == (identity.Level{}):
			t.Errorf("%s has no weight", c.Name())
		}
	}
}

func TestMistakesInParamsAreNamedWithTheirLine(t *testing.T) {
	const good = "prior: -20\nhome: -20\npossible: -3\nmatch: 3\nfields:\n  email:\n    EMAIL: {m: -0.6, u: -28, home: -4}\n"
	if _, err := identity.ParseParams([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"":                                     "line 1",
		"prior: [":                             "no YAML",
		strings.Replace(good, "-20", "x", 1):   "line 1: prior",
		strings.Replace(good, "match", "m", 1): "line 4: m is not known",
		strings.Replace(good, "possible: -3", "possible: 9", 1):                          "possible is 9.000, above match",
		strings.Replace(good, "match: 3\n", "", 1):                                       "match is missing",
		strings.Replace(good, "email:", "mail:", 1):                                      "line 7: mail is no field",
		strings.Replace(good, "EMAIL:", "PHONE:", 1):                                     "line 7: PHONE is no level of email",
		strings.Replace(good, ", home: -4", "", 1):                                       "line 7: EMAIL needs m, u and home",
		strings.Replace(good, "u: -28", "u: 28", 1):                                      "line 7: EMAIL u must be a number",
		strings.Replace(good, "u: -28", "w: -28", 1):                                     "line 7: w of EMAIL is not known",
		good + "    EMAIL: {m: -0.6, u: -28, home: -4}\n":                                "line 8: EMAIL stands twice",
		good + "frequencies:\n  vehicle: {dictionary: true, rare: -3}\n":                 "line 9: vehicle has no frequencies",
		good + "frequencies:\n  place: {dictionary: maybe, rare: -3}\n":                  "line 9: dictionary of place",
		good + "frequencies:\n  place: {dictionary: false}\n":                            "line 9: place needs rare",
		good + "frequencies:\n  place:\n    rare: -3\n    values:\n      austin: many\n": "line 12: the frequency",
	} {
		_, err := identity.ParseParams([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q\nerror %v, want %q", text, err, want)
		}
	}
}

func FuzzParseParams(f *testing.F) {
	f.Add(string(identity.Default().Marshal()))
	f.Add("prior: -20\nhome: -20\npossible: -3\nmatch: 3\nfields:\n  email:\n    EMAIL: {m: -0.6, u: -28, home: -4}\nfrequencies:\n  place: {rare: -3, values: {a: -1}}\n")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := identity.ParseParams([]byte(text))
		if err != nil {
			return
		}
		again, err := identity.ParseParams(p.Marshal())
		if err != nil {
			t.Fatal(err)
		}
		if p.Revision() != again.Revision() {
			t.Fatal("written parameters read as others")
		}
	})
}
