package identity

import (
	"strings"

	"github.com/leadmesh/leadmesh/core/lead"
)

// An address stands in a Record as up to two texts. The first, "12mainst|unit|place", is what
// addresses were compared by before and what their blocking keys are made of; it is there when the
// address has a street with a number and a place. The second begins with richMark and holds the
// parts one by one. Whoever does not know the second takes it for one more address that nobody has.
const richMark = '='

// Address is an address of a record in parts, each folded; the words of Street have their usual
// abbreviations.
type Address struct {
	Number, Street, Unit, Line    string // Line is the second line
	Postal, City, Region, Country string
}

// preparedAddress is an address with what is looked up of it once.
type preparedAddress struct {
	Address
	streetLetters, lineLetters, cityLetters uint64
	cityShare, share                        int32
}

// AddressValue is what the frequency of a street address is counted by.
func AddressValue(a Address) string {
	if a.Street == "" || a.Number == "" {
		return ""
	}
	return a.Number + " " + a.Street
}

// addressTexts returns the texts that stand for an address in a Record.
func addressTexts(a *lead.Address) []string {
	var out []string
	if s := address(a); s != "" {
		out = append(out, s)
	}
	p := splitAddress(a)
	rich := strings.Join([]string{p.Number, p.Street, p.Unit, p.Line, p.Postal, p.City, p.Region, p.Country}, "|")
	if len(rich) > 7 {
		out = append(out, string(richMark)+rich)
	}
	return out
}

// splitAddress folds an address and finds number and unit wherever they stand in the street lines.
func splitAddress(a *lead.Address) Address {
	p := Address{
		Unit: lead.Fold(a.Unit), Postal: lead.Fold(a.Postal), City: lead.Fold(a.City),
		Region: lead.Fold(a.Region), Country: lead.Fold(a.Country),
	}
	for i, text := range a.Streets {
		number, street, unit := splitStreet(text)
		if p.Unit == "" {
			p.Unit = unit
		}
		switch {
		case i == 0:
			p.Number, p.Street = number, street
		case p.Number == "" && number != "" || p.Street == "":
			p.Line, p.Number, p.Street = p.Street, number, street
		default:
			p.Line += street
			if number != "" {
				p.Line += number
			}
		}
	}
	return p
}

// splitStreet reads a street line: its house number, which stands first or last, the folded words of
// the street with their usual abbreviations, and a unit at the end.
func splitStreet(text string) (number, street, unit string) {
	words := strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' || r == '.' || r == '\t' })
	for i := range words {
		if unitWord(lead.Fold(words[i])) && i > 0 && i+1 < len(words) {
			unit = lead.Fold(strings.Join(words[i+1:], ""))
			words = words[:i]
			break
		}
		if words[i][0] == '#' && i > 0 {
			unit = lead.Fold(strings.Join(words[i:], ""))
			words = words[:i]
			break
		}
	}
	switch {
	case len(words) > 1 && numeric(words[0]):
		number, words = lead.Fold(words[0]), words[1:]
	case len(words) > 1 && numeric(words[len(words)-1]):
		number, words = lead.Fold(words[len(words)-1]), words[:len(words)-1]
	case len(words) == 1 && numeric(words[0]):
		return lead.Fold(words[0]), "", unit
	}
	var b strings.Builder
	for _, w := range words {
		b.WriteString(streetWord(lead.Fold(w)))
	}
	return number, b.String(), unit
}

// numeric reports a word that begins with a digit and is no ordinal such as 5th.
func numeric(w string) bool {
	if w == "" || w[0] < '0' || w[0] > '9' {
		return false
	}
	switch strings.TrimLeft(strings.ToLower(w), "0123456789") {
	case "st", "nd", "rd", "th":
		return false
	}
	return true
}

func unitWord(w string) bool {
	switch w {
	case "apt", "apartment", "unit", "suite", "ste", "flat", "room", "rm", "lot", "trlr", "wohnung", "whg":
		return true
	}
	return false
}

// streetWord abbreviates a folded word as most do.
func streetWord(w string) string {
	switch w {
	case "street", "str":
		return "st"
	case "avenue", "av":
		return "ave"
	case "road":
		return "rd"
	case "drive":
		return "dr"
	case "lane":
		return "ln"
	case "court":
		return "ct"
	case "place":
		return "pl"
	case "boulevard", "boul":
		return "blvd"
	case "circle":
		return "cir"
	case "circuit":
		return "cct"
	case "crescent", "cr":
		return "cres"
	case "terrace", "tce":
		return "ter"
	case "highway":
		return "hwy"
	case "parkway":
		return "pkwy"
	case "square":
		return "sq"
	case "close":
		return "cl"
	case "trail":
		return "trl"
	case "saint":
		return "st"
	case "mount":
		return "mt"
	case "north":
		return "n"
	case "south":
		return "s"
	case "east":
		return "e"
	case "west":
		return "w"
	case "northeast":
		return "ne"
	case "northwest":
		return "nw"
	case "southeast":
		return "se"
	case "southwest":
		return "sw"
	case "strasse":
		return "st"
	}
	if stem, ok := strings.CutSuffix(w, "strasse"); ok {
		return stem + "st"
	}
	if stem, ok := strings.CutSuffix(w, "str"); ok && len(stem) > 2 {
		return stem + "st"
	}
	return w
}

// ReadAddresses reads the texts of Record.Addresses. A first text whose second follows says nothing
// more than that one.
func ReadAddresses(texts []string) []Address {
	if len(texts) == 0 {
		return nil
	}
	out := make([]Address, 0, len(texts))
	for i, t := range texts {
		if t == "" {
			continue
		}
		var p Address
		if t[0] == richMark {
			fields := [...]*string{&p.Number, &p.Street, &p.Unit, &p.Line, &p.Postal, &p.City, &p.Region, &p.Country}
			rest := t[1:]
			for _, f := range fields {
				*f, rest, _ = strings.Cut(rest, "|")
			}
		} else {
			if i+1 < len(texts) && len(texts[i+1]) > 0 && texts[i+1][0] == richMark {
				continue
			}
			p = readFirstText(t)
		}
		out = append(out, p)
	}
	return out
}

// readFirstText reads "12mainst|unit|place" as well as its lack of spaces lets it.
func readFirstText(t string) Address {
	var p Address
	street, rest, _ := strings.Cut(t, "|")
	var place string
	p.Unit, place, _ = strings.Cut(rest, "|")
	p.Street = strings.TrimLeft(street, "0123456789")
	p.Number = street[:len(street)-len(p.Street)]
	if p.Number == "" {
		p.Street = strings.TrimRight(street, "0123456789")
		p.Number = street[len(p.Street):]
	}
	for _, w := range [...]string{"street", "avenue", "road", "drive", "lane", "court", "place", "boulevard", "circle", "strasse"} {
		if stem, ok := strings.CutSuffix(p.Street, w); ok && stem != "" {
			p.Street = stem + streetWord(w)
			break
		}
	}
	if strings.ContainsAny(place, "0123456789") {
		p.Postal = place
	} else {
		p.City = place
	}
	return p
}

// address folds a postal address to its first text; "" without a street with a number or without a
// place.
func address(a *lead.Address) string {
	place := lead.Fold(a.Postal)
	if place == "" {
		place = lead.Fold(a.City)
	}
	street := lead.Fold(strings.Join(a.Streets, " "))
	if place == "" || !strings.ContainsAny(street, "0123456789") {
		return ""
	}
	return street + "|" + lead.Fold(a.Unit) + "|" + place
}

// firstText reports whether an address text is one that blocking keys are made of.
func firstText(t string) bool { return t != "" && t[0] != richMark }
