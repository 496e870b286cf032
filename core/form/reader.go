package form

import (
	"strings"
	"unicode"

	"github.com/leadmesh/leadmesh/core/lead"
)

// Reader knows the vocabulary. Make one with NewReader and keep it; it is not changed afterwards, so
// many goroutines may use it.
type Reader struct {
	words map[string]Field
	noise map[string]bool
}

// NewReader reads the vocabulary.
func NewReader() *Reader {
	r := &Reader{words: map[string]Field{}, noise: map[string]bool{}}
	for _, e := range vocabulary() {
		for word := range strings.SplitSeq(e.words, "|") {
			key := lead.Fold(word)
			if _, taken := r.words[key]; !taken && key != "" {
				r.words[key] = e.field
			}
		}
	}
	for word := range strings.FieldsSeq(noiseWords) {
		r.noise[lead.Fold(word)] = true
	}
	return r
}

// noiseWords say nothing about what a question asks for.
const noiseWords = `your you my our the a an is are what whats please enter provide give tell us me of in to for do does at on we can could may lead leads
contact customer client user form field fields data input value answer response payload properties attributes item entry prospect person party info information
details submission question q required optional ihre ihr deine dein bitte geben sie ein an wie lautet ist die der das votre vos quel quelle est le la les l
veuillez entrer saisir tu su sus cual es el los ingrese ingresa por favor qual il lo inserisci suo tua seu sua qual o os digite uw wat vul in podaj twój twoj
vaše vase din ditt ange skriv आपका आपकी अपना क्या है कृपया दर्ज करें ما هو هي من فضلك أدخل ваш ваша ваше укажите введите какой`

// find says which field a question asks for. Sure is false if only a part of the question's words
// says so; such a field is taken for a value that fits it.
func (r *Reader) find(names []string) (f Field, sure bool) {
	others := false // the question is about somebody or something else
	for _, name := range names {
		key := lead.Fold(name)
		if f, ok := r.words[key]; ok && (!others || !ofPerson(f)) {
			return f, true
		}
		others = others || holdsAny(key, "spouse", "cobuyer", "coapplicant", "cosigner", "salesperson", "salesrep", "advisor", "assignee", "referrer", "referredby", "emergency") ||
			r.speaksOf(name)
	}
	for _, name := range names {
		words := r.significant(name)
		if f, ok := r.words[strings.Join(words, "")]; ok && (!others || !ofPerson(f)) {
			return f, true
		}
	}
	const longestRun, longestQuestion = 4, 14
	for _, name := range names {
		words := r.significant(name)
		if len(words) > longestQuestion {
			continue
		}
		for n := min(longestRun, len(words)-1); n > 0; n-- {
			for i := len(words) - n; i >= 0; i-- { // the last word of a path is the most special
				if f, ok := r.words[strings.Join(words[i:i+n], "")]; ok && askable(f) && (!others || !ofPerson(f)) {
					return f, false
				}
			}
		}
	}
	return Unknown, false
}

// speaksOf reports whether a name speaks of a thing or person that is not the customer.
func (r *Reader) speaksOf(name string) bool {
	for _, w := range r.significant(name) {
		switch w {
		case "dealer", "dealership", "store", "showroom", "vendor", "seller", "agent", "rep", "manager", "employee", "staff", "assigned", "campaign", "adset",
			"vehicle", "car", "product", "declaration", "händler", "verkäufer", "concesionario", "vehículo", "véhicule", "fahrzeug":
			return true
		}
	}
	return false
}

// ofPerson reports whether a field belongs to the customer's person.
func ofPerson(f Field) bool {
	switch f {
	case Name, Prefix, GivenName, MiddleName, FamilyName, Suffix, Company, Email, Phone, MobilePhone, WorkPhone, HomePhone, Fax, Street, Unit, City, Region,
		PostalCode, Country, Born, BestTime, PreferredChannel:
		return true
	}
	return false
}

// askable reports whether a field may be recognised by a part of a question.
func askable(f Field) bool {
	switch f {
	case Known, Ignored, SourceLeadID, Prefix, Suffix, LineOf, TestMark, Platform, Organic, SourceName, SourceChannel, SourceMedium, SourceProvider,
		SubSource, SourceForm, RequestType, OtherID, AccountID, AnonymousID, CampaignName, CampaignOffer, Language, Comments, RequestedAt,
		ConsentText, ConsentPlace, ConsentEvidence, VehicleStatus, VehicleColor, AdID, AdGroup:
		return false
	}
	return true
}

// significant are the folded words of a question without those that say nothing.
func (r *Reader) significant(name string) []string {
	var words []string
	for _, w := range strings.FieldsFunc(camel(name), func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) && !unicode.IsMark(c) }) {
		if w = lead.Fold(w); w != "" && !r.noise[w] {
			words = append(words, w)
		}
	}
	return words
}

// camel parts "firstName" into its words.
func camel(s string) string {
	var b strings.Builder
	low := false
	for _, c := range s {
		if low && unicode.IsUpper(c) {
			b.WriteByte(' ')
		}
		low = unicode.IsLower(c)
		b.WriteRune(c)
	}
	return b.String()
}
