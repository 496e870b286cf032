package identity

// compareBorn compares two dates of birth. The levels, the first that fits: the same; day and month
// swapped; one digit, two neighbouring digits swapped, or the century apart; two of year, month and
// day the same; at most 45 days apart; so near but for a year, or for nine to eleven years, or two
// digits apart; the same year; other. Where one of the dates is not complete, what both have is the
// same year or another.
func compareBorn(a, b date) ReasonCode {
	if !a.complete() || !b.complete() {
		switch {
		case a == b:
			return ReasonBornPart
		case a.year != b.year || a.month != 0 && b.month != 0 && a.month != b.month:
			return ReasonBornDiffers
		}
		return ReasonBornYear
	}
	year, month, day := a.year == b.year, a.month == b.month, a.day == b.day
	switch {
	case year && month && day:
		return ReasonBorn
	case year && a.month == b.day && a.day == b.month:
		return ReasonBornSwapped
	case month && day && (nearYear(a.year, b.year) || (a.year-b.year)%100 == 0):
		return ReasonBornTypo
	case year && month && oneDigit(a.day, b.day), year && day && oneDigit(a.month, b.month):
		return ReasonBornTypo
	case year && month, year && day, month && day:
		return ReasonBornPart
	}
	apart := a.days() - b.days()
	switch {
	case apart <= near && apart >= -near:
		return ReasonBornNear
	case nearAcross(a, b) || digitsApart(a, b) <= 2:
		return ReasonBornYearTypo
	case year:
		return ReasonBornYear
	}
	return ReasonBornDiffers
}

// oneDigit reports that two numbers of two digits differ in one of them, or that they are swapped.
func oneDigit(a, b int16) bool {
	return a/10 == b/10 || a%10 == b%10 || a/10 == b%10 && a%10 == b/10
}

// nearYear reports that two different years are one apart, differ in one digit or have two
// neighbouring digits swapped.
func nearYear(a, b int16) bool {
	if d := a - b; d == 1 || d == -1 {
		return true
	}
	n := 0
	for x, y := a, b; x != 0 || y != 0; x, y = x/10, y/10 {
		if x%10 != y%10 {
			n++
		}
	}
	return n == 1 || n == 2 && (swapped(a, b) || swapped(a/10, b/10) && a%10 == b%10)
}

// swapped reports that the last two digits of two numbers are each other's, and the others equal.
func swapped(a, b int16) bool {
	return a/100 == b/100 && a%10 == b/10%10 && b%10 == a/10%10
}

// digitsApart returns in how many digits two dates differ.
func digitsApart(a, b date) int {
	n := 0
	for x, y := a.number(), b.number(); x != 0 || y != 0; x, y = x/10, y/10 {
		if x%10 != y%10 {
			n++
		}
	}
	return n
}

func (d date) number() int { return int(d.year)*10_000 + int(d.month)*100 + int(d.day) }

// days returns a count of days that is exact to one or two within a few years.
func (d date) days() int { return (int(d.year)*1461+int(d.month)*122)/4 + int(d.day) }

// near is how many days two dates of birth may lie apart, once years are left out, to be of one person.
const near = 45

// nearAcross reports that two dates are nearly a year, or nine to eleven years, apart.
func nearAcross(a, b date) bool {
	d := a.days() - b.days()
	if d < 0 {
		d = -d
	}
	for _, years := range [...]int{1, 9, 10, 11} {
		if off := d - years*1461/4; off <= near && off >= -near {
			return true
		}
	}
	return false
}
