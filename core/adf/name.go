package adf

import (
	"slices"
	"strings"
	"unicode"
)

// PersonName is a name in parts. Full is the name as one text, sent or put
// together. For a business only Full is set. Partner is the other given name of
// a couple written as one ("John & Jane Doe").
type PersonName struct {
	First, Middle, Last, Suffix, Full string
	Partner                           string
	Business                          bool
}

// Name gives the contact's name. Parts win over a full name sent beside them;
// a full name alone, or written into the first or last part, is split.
func (c Contact) Name() PersonName {
	var n PersonName
	for _, part := range c.Names {
		var field *string
		switch part.Part {
		case "first":
			field = &n.First
		case "middle":
			field = &n.Middle
		case "last", "surname":
			field = &n.Last
		case "suffix":
			field = &n.Suffix
		default:
			field = &n.Full
		}
		if *field == "" {
			*field = part.Value
		}
		n.Business = n.Business || part.Type == "business"
	}
	if n.Business {
		full := n.Full
		if full == "" {
			full = joinName(n.First, n.Middle, n.Last, n.Suffix)
		}
		return PersonName{Full: full, Business: true}
	}
	if suspectMiddleName(n.Middle) {
		n.Middle = ""
	}
	switch {
	case n.First == "" && n.Last == "":
		split := SplitName(n.Full)
		if split.Middle == "" {
			split.Middle = n.Middle
		}
		if split.Suffix == "" {
			split.Suffix = n.Suffix
		}
		return split
	case n.Last == "" && len(strings.Fields(n.First)) > 1 && !hasPlaceholder(n.First):
		return SplitName(n.First)
	case n.First == "" && len(strings.Fields(n.Last)) > 1 && !hasPlaceholder(n.Last) && !isParticle(strings.Fields(n.Last)[0]):
		return SplitName(n.Last)
	}
	if rest, ok := cutSuffixWord(n.First, n.Last); ok {
		n.First = rest
	}
	if n.Last == "" && n.Full != "" {
		// First and full: the rest of the full name is the last one.
		if split := SplitName(n.Full); strings.EqualFold(split.First, n.First) {
			n.Middle, n.Last, n.Suffix = split.Middle, split.Last, split.Suffix
		}
	}
	if n.Full == "" {
		n.Full = joinName(n.First, n.Middle, n.Last, n.Suffix)
	}
	return n
}

// cutSuffixWord takes the last name off a first name that repeats it.
func cutSuffixWord(first, last string) (string, bool) {
	if last == "" || len(first) <= len(last)+1 || !strings.EqualFold(first[len(first)-len(last):], last) {
		return first, false
	}
	if rest := first[:len(first)-len(last)]; strings.HasSuffix(rest, " ") {
		return trim(rest), true
	}
	return first, false
}

func joinName(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " ")
}

// SplitName splits a name written as one text: "Marie Tremblay", "Doe, John
// M.", "Ludwig van Beethoven", "John Doe Jr". Titles are left out. A company's
// name and a template variable are not split. The split is a guess; Full keeps
// the text.
func SplitName(full string) PersonName {
	full = strings.Join(strings.Fields(full), " ")
	n := PersonName{Full: full}
	if full == "" || hasPlaceholder(full) {
		return n
	}
	if isCompanyName(full) {
		n.Business = true
		return n
	}
	words := strings.Fields(full)
	if before, after, ok := strings.Cut(full, ","); ok {
		before, after = trim(before), trim(after)
		switch {
		case after == "":
			words = strings.Fields(before)
		case isSuffix(after):
			n.Suffix = after
			words = strings.Fields(before)
		default: // "Doe, John M." and "Doe Jr., John"
			last := strings.Fields(before)
			if len(last) > 1 && isSuffix(last[len(last)-1]) {
				n.Suffix = last[len(last)-1]
				last = last[:len(last)-1]
			}
			given, suffix := cutTail(strings.Fields(strings.ReplaceAll(after, ",", " ")))
			if n.Suffix == "" {
				n.Suffix = suffix
			}
			given = cutTitle(given)
			n.Last = strings.Join(last, " ")
			if len(given) > 0 {
				n.First, n.Middle = given[0], strings.Join(given[1:], " ")
			}
			return n
		}
	}
	words = cutTitle(words)
	words, suffix := cutTail(words)
	if suffix != "" {
		n.Suffix = suffix
	}
	words = n.cutPartner(words)
	switch len(words) {
	case 0:
		return n
	case 1:
		n.First = words[0]
		return n
	}
	begin := len(words) - 1
	for begin > 1 && isParticle(words[begin-1]) {
		begin--
	}
	n.First = words[0]
	n.Middle = strings.Join(words[1:begin], " ")
	n.Last = strings.Join(words[begin:], " ")
	return n
}

// cutPartner takes "& Jane" out of "John & Jane Doe".
func (n *PersonName) cutPartner(words []string) []string {
	for i, w := range words {
		if (w == "&" || w == "+" || strings.EqualFold(w, "and") || w == "und" || w == "et") && i == 1 && len(words) >= i+3 {
			n.Partner = words[i+1]
			return append(words[:i:i], words[i+2:]...)
		}
	}
	return words
}

func cutTitle(words []string) []string {
	for len(words) > 1 {
		switch strings.ToLower(strings.TrimSuffix(words[0], ".")) {
		case "mr", "mrs", "ms", "miss", "mx", "dr", "prof", "sr", "sra", "herr", "frau", "mme", "mlle", "monsieur", "madame":
			words = words[1:]
		default:
			return words
		}
	}
	return words
}

// cutTail takes a suffix off the end.
func cutTail(words []string) (rest []string, suffix string) {
	if n := len(words); n > 1 && isSuffix(words[n-1]) {
		return words[:n-1], words[n-1]
	}
	return words, ""
}

func isSuffix(word string) bool {
	switch strings.ToLower(strings.TrimSuffix(word, ".")) {
	case "jr", "sr", "ii", "iii", "iv", "md", "m.d", "phd", "ph.d", "esq", "junior", "senior":
		return true
	}
	return false
}

// isParticle tells the words that begin a surname.
func isParticle(word string) bool {
	switch strings.ToLower(word) {
	case "van", "von", "der", "den", "de", "la", "le", "du", "da", "dos", "das", "del", "della", "di", "el", "al",
		"bin", "ibn", "st.", "saint", "ter", "ten", "zu", "zur", "vom", "las", "los", "des", "af", "av":
		return true
	}
	return false
}

func isCompanyName(full string) bool {
	words := strings.FieldsFunc(strings.ToLower(full), func(c rune) bool { return unicode.IsSpace(c) || c == ',' || c == '.' })
	if len(words) < 2 {
		return false
	}
	switch words[len(words)-1] {
	case "inc", "llc", "ltd", "corp", "co", "gmbh", "ag", "plc", "llp", "company", "corporation", "motors", "auto", "autos",
		"group", "limited", "incorporated", "bv", "sarl", "dealership":
		return true
	}
	return false
}

// suspectMiddleName tells source text in a middle name: an address of a site,
// digits, brackets, or words of forms and portals.
func suspectMiddleName(s string) bool {
	if s == "" || hasPlaceholder(s) {
		return false
	}
	if strings.ContainsAny(s, "0123456789@/:()[]<>|_=#") || len(strings.Fields(s)) > 3 {
		return true
	}
	low := strings.ToLower(s)
	for _, mark := range []string{".com", ".ca", ".net", ".org", "www.", " - ", "website", "web lead", "internet", "facebook",
		"instagram", "google", "autotrader", "cargurus", "carfax", "truecar", "edmunds", "source", "lead", "campaign",
		"via ", "from ", "kbb", "cars.", "tiktok", "craigslist", "marketplace", "dealer", "online", "chat"} {
		if strings.Contains(low, mark) {
			return true
		}
	}
	return false
}

// checkNames flags names of the customer that stand in the wrong part.
func (r *reader) checkNames() {
	top := &path{up: &path{name: "prospect", n: 1}, name: "customer", n: 1}
	for i, c := range r.out.Customer.Contacts {
		p := &path{up: &path{up: top, name: "contact", n: i + 1}, name: "name", n: 1}
		var first, middle, last string
		for k, n := range c.Names {
			switch n.Part {
			case "first":
				first = n.Value
			case "middle":
				middle = n.Value
				if suspectMiddleName(middle) || middle != "" && strings.EqualFold(middle, r.out.Provider.DisplayName()) {
					r.flag(FlagSuspectMiddleName, &path{up: p.up, name: "name", n: k + 1}, "")
				}
			case "last", "surname":
				last = n.Value
			}
		}
		_, repeated := cutSuffixWord(first, last)
		oneFull := last == "" && len(strings.Fields(first)) > 1 || first == "" && len(strings.Fields(last)) > 1
		if repeated || oneFull && !hasPlaceholder(first+last) {
			r.flag(FlagFullNameInPart, p, "")
		}
	}
}
