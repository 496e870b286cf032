package identity

import "strings"

// nameLevels is what two names agree in.
type nameLevels struct {
	given, middle, family, generation ReasonCode
	givenShare, familyShare           int32 // log2 shares of the names agreed in; 0 when that says nothing
}

// compareName compares two names part by part.
//
// Given names, the first rule that fits: the same, also with ä spelled ae, also with a middle name
// written together with it; a letter alone that the other begins with; a nickname, or the beginning of
// the other of three letters or more; the other's middle name; one letter added, left out, changed or
// swapped with its neighbour (names of four letters or more; two in names of ten or more); alike by
// Jaro-Winkler of 0.84, or the same letters in another order; other. Names that are near in letters but
// are two names (see twoNames), are neither typing errors nor short for each other: Eric and Erin are
// two people, Eric and Erik one; Daniel and Daniela two, Max and Maximilian one.
//
// Family names likewise, where one that begins or ends with the other of four letters or more is part
// of a double name.
//
// Given and family name are swapped when each is, or is spelled like, the other's other name; they are
// crossed when that holds for one of them to the letter.
func compareName(a, b *preparedName) nameLevels {
	var n nameLevels
	if a.generation != 0 && b.generation != 0 {
		n.generation = ReasonGeneration
		if a.generation != b.generation {
			n.generation = ReasonGenerationDiffers
		}
	}
	if a.Given != "" && b.Given != "" {
		n.given = compareGiven(a, b)
		if n.given == ReasonGivenName {
			n.givenShare = max(a.givenShare, b.givenShare)
		}
	}
	if a.Family != "" && b.Family != "" {
		n.family = compareFamily(a, b)
		if n.family == ReasonFamilyName {
			n.familyShare = max(a.familyShare, b.familyShare)
		}
	}
	if worst(n.given, ReasonGivenNameDiffers) && worst(n.family, ReasonFamilyNameDiffers) {
		crossNames(a, b, &n)
	}
	if a.Middle != "" && b.Middle != "" && n.given != ReasonGivenNameMiddle {
		n.middle = compareMiddle(a.Middle, b.Middle)
	}
	return n
}

// worst reports that a field says nothing or that it differs.
func worst(c, differs ReasonCode) bool { return c == 0 || c == differs }

// crossNames notes given and family names that stand in each other's place.
func crossNames(a, b *preparedName, n *nameLevels) {
	first := a.Given != "" && b.Family != "" && spelledAlike(a.Given, b.Family, a.givenLetters, b.familyLetters)
	second := b.Given != "" && a.Family != "" && spelledAlike(b.Given, a.Family, b.givenLetters, a.familyLetters)
	switch {
	case first && second:
		n.given, n.family = ReasonNameSwapped, 0
		n.givenShare, n.familyShare = max(a.givenShare, b.givenShare), max(a.familyShare, b.familyShare)
	case crosses(a, b) || crosses(b, a):
		n.given, n.family = 0, ReasonNameCrossed
	}
}

// crosses reports that a's family name of three letters or more is b's given or middle name.
func crosses(a, b *preparedName) bool {
	return len(a.Family) > 2 && (a.Family == b.Given || a.Family == b.Middle && a.Given == "")
}

func compareGiven(a, b *preparedName) ReasonCode {
	if a.Given == b.Given || a.plainGiven == b.plainGiven || joins(a, b) || joins(b, a) {
		return ReasonGivenName
	}
	if len(a.Given) == 1 || len(b.Given) == 1 {
		if a.Given[0] == b.Given[0] {
			return ReasonInitial
		}
		if a.Middle != "" && a.Middle[0] == b.Given[0] || b.Middle != "" && b.Middle[0] == a.Given[0] {
			return ReasonGivenNameMiddle
		}
		return ReasonGivenNameDiffers
	}
	if related(a.nicknames, b.nicknames) {
		return ReasonGivenNameShort
	}
	if begins(a.Given, b.Given, 3) {
		if otherSex(a, b) || (a.known || b.known) && derived(a.Given, b.Given) {
			return ReasonGivenNameOther
		}
		return ReasonGivenNameShort
	}
	if a.Given == b.Middle || b.Given == a.Middle {
		return ReasonGivenNameMiddle
	}
	if unlike(a.givenLetters, b.givenLetters) {
		return ReasonGivenNameDiffers
	}
	switch similarity(a.Given, b.Given) {
	case typo:
		if twoNames(a, b) {
			return ReasonGivenNameOther
		}
		return ReasonGivenNameTypo
	case alike:
		if twoNames(a, b) {
			return ReasonGivenNameDiffers
		}
		return ReasonGivenNameAlike
	}
	return ReasonGivenNameDiffers
}

// derived reports that the longer of two names, which begins with the other, is made of it as women's
// names are of men's.
func derived(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	switch b[len(a):] {
	case "a", "na", "ia", "ina", "ine", "ie", "le", "etta", "ette":
		return true
	}
	return false
}

// twoNames reports that two given names that are near in letters are two names: the one is a man's and
// the other a woman's, as Christian and Christine, or many people have each and they are no two
// spellings of one. Of names that sound nearly the same, those of one sex are taken for spellings, as
// Alan and Allen: who names two sons so? Where it may be a couple, as John and Joan, they must sound the
// same to the letter, as Robin and Robyn.
func twoNames(a, b *preparedName) bool {
	if otherSex(a, b) {
		return true
	}
	if !a.known || !b.known {
		return false
	}
	return !soundsAlike(a.Given, b.Given) || (a.whose != b.whose || a.whose == anybodys) && spoken(a.Given) != spoken(b.Given)
}

// otherSex reports that one given name is a man's and the other a woman's.
func otherSex(a, b *preparedName) bool {
	return a.whose != anybodys && b.whose != anybodys && a.whose != b.whose
}

func compareFamily(a, b *preparedName) ReasonCode {
	if a.Family == b.Family || a.plainFamily == b.plainFamily {
		return ReasonFamilyName
	}
	if len(a.Family) == 1 || len(b.Family) == 1 {
		if a.Family[0] == b.Family[0] {
			return ReasonFamilyNamePart
		}
		return ReasonFamilyNameDiffers
	}
	if begins(a.Family, b.Family, 4) || ends(a.Family, b.Family, 4) {
		if d := len(a.Family) - len(b.Family); d == 1 || d == -1 {
			return ReasonFamilyNameTypo
		}
		return ReasonFamilyNamePart
	}
	if unlike(a.familyLetters, b.familyLetters) {
		return ReasonFamilyNameDiffers
	}
	switch similarity(a.Family, b.Family) {
	case typo:
		return ReasonFamilyNameTypo
	case alike:
		return ReasonFamilyNameAlike
	}
	return ReasonFamilyNameDiffers
}

func compareMiddle(a, b string) ReasonCode {
	switch {
	case a == b && len(a) > 1:
		return ReasonMiddleName
	case a[0] == b[0] && (len(a) == 1 || len(b) == 1):
		return ReasonMiddleInitial
	case len(a) > 1 && len(b) > 1 && similarity(a, b) != other:
		return ReasonMiddleInitial
	}
	return ReasonMiddleNameDiffers
}

// joins reports that b's given name is a's given and middle name written together.
func joins(a, b *preparedName) bool {
	rest, ok := strings.CutPrefix(b.Given, a.Given)
	return ok && rest != "" && rest == a.Middle
}

// begins reports that the shorter of two texts, of at least n bytes, is the beginning of the longer.
func begins(a, b string, n int) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	return len(a) >= n && strings.HasPrefix(b, a)
}

func ends(a, b string, n int) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	return len(a) >= n && strings.HasSuffix(b, a)
}

// likeness is how much two words look like one another.
type likeness uint8

const (
	other likeness = iota
	alike
	typo
	same
)

// similarity compares two different words letter by letter; see compareName for the rules.
func similarity(a, b string) likeness {
	short := min(len(a), len(b))
	limit := 0
	switch {
	case short >= 10:
		limit = 2
	case short >= 4:
		limit = 1
	case short == 3 && len(a) == len(b) && letters(a) == letters(b):
		limit = 1 // two letters swapped
	}
	if limit > 0 && edits(a, b, limit) <= limit {
		return typo
	}
	if short >= 3 && jaroWinkler(a, b) >= 840 || jumbled(a, b) {
		return alike
	}
	return other
}

// spelledAlike reports the same word or one that looks like it.
func spelledAlike(a, b string, x, y uint64) bool {
	return a == b || len(a) > 1 && len(b) > 1 && !unlike(x, y) && similarity(a, b) != other
}
