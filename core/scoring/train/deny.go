package train

import (
	"strings"
	"unicode"
)

// denied are the attributes that are never an input unless somebody overrides it, with the words
// that name them in column names, English and German. A word of a column name must be one of
// these as a whole; a text with a space is several words in a row.
var denied = []struct {
	attribute string
	words     []string
}{
	{"sex", []string{"sex", "gender", "geschlecht", "male", "female", "männlich", "weiblich", "anrede", "salutation", "sexual orientation"}},
	{"race", []string{"race", "ethnicity", "ethnic", "rasse", "ethnie", "ethnische", "hautfarbe", "skin color", "skin colour"}},
	{"religion", []string{"religion", "religious", "confession", "konfession", "religiös", "faith", "glaube", "kirchensteuer"}},
	{"national origin", []string{"nationality", "citizenship", "national origin", "birth country", "country of birth", "birthplace", "place of birth", "staatsangehörigkeit", "staatsangehoerigkeit", "nationalität", "nationalitaet", "geburtsland", "geburtsort", "herkunftsland"}},
	{"marital status", []string{"marital", "married", "spouse", "familienstand", "verheiratet", "marital status", "civil status", "ehestand", "ledig", "divorced", "geschieden"}},
	{"age", []string{"age", "ages", "birthday", "birthdate", "birth", "born", "dob", "date of birth", "birth year", "yob", "alter", "geburtsdatum", "geburtstag", "geburtsjahr", "geb", "altersgruppe", "agegroup"}},
}

// things are words that, where they stand beside a word for age, say that it is not a person's.
var things = []string{
	"vehicle", "car", "lead", "account", "company", "contract", "lease", "domain", "policy", "loan", "house", "building",
	"fahrzeug", "auto", "vertrag", "konto", "firma", "haus",
}

// Denied tells whether the name of a column speaks of sex, race, religion, national origin,
// marital status or age, and of which. Names are taken apart at changes of case and at anything
// that is neither letter nor digit, and whole words are compared: Page is not Age, and VehicleAge is
// no person's.
func Denied(column string) (attribute string, ok bool) {
	words := wordsOf(column)
	for _, d := range denied {
		for _, want := range d.words {
			if !contains(words, strings.Fields(want)) {
				continue
			}
			if d.attribute == "age" && ofThing(words) {
				continue
			}
			return d.attribute, true
		}
	}
	return "", false
}

func ofThing(words []string) bool {
	for _, w := range words {
		for _, t := range things {
			if w == t {
				return true
			}
		}
	}
	return false
}

func contains(words, want []string) bool {
	for i := 0; i+len(want) <= len(words); i++ {
		same := true
		for k := range want {
			same = same && words[i+k] == want[k]
		}
		if same {
			return true
		}
	}
	return false
}

// wordsOf takes a name apart into its words in lower case.
func wordsOf(name string) []string {
	var words []string
	var word []rune
	flush := func() {
		if len(word) > 0 {
			words = append(words, strings.ToLower(string(word)))
			word = word[:0]
		}
	}
	runes := []rune(name)
	for i, r := range runes {
		if !unicode.IsLetter(r) {
			flush()
			continue
		}
		if unicode.IsUpper(r) && i > 0 {
			after := i+1 < len(runes) && unicode.IsLower(runes[i+1])
			if unicode.IsLower(runes[i-1]) || unicode.IsUpper(runes[i-1]) && after {
				flush()
			}
		}
		word = append(word, r)
	}
	flush()
	return words
}
