package people

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// dateOrder is how the numbers of dates such as 06/07/1971 stand.
type dateOrder uint8

const (
	orderUnknown dateOrder = iota
	dayFirst
	monthFirst
)

func (o dateOrder) String() string {
	return [...]string{"", "day first", "month first"}[o]
}

// dateVotes gathers what the values of a column say of its order: a number above 12 is no month.
type dateVotes struct{ day, month, open int }

func (v *dateVotes) add(s string) {
	n, ok := numbersOf(s)
	if !ok || len(n[0]) == 4 {
		return
	}
	a, b := number(n[0]), number(n[1])
	switch {
	case strings.ContainsRune(s, '.'), a > 12 && b <= 12:
		v.day++
	case b > 12 && a <= 12:
		v.month++
	default:
		v.open++
	}
}

// order is the column's order, and whether the values themselves said so. Where they do not, it is the
// country's.
func (v *dateVotes) order(country string) (o dateOrder, said bool) {
	switch {
	case v.day > v.month:
		return dayFirst, true
	case v.month > 0:
		return monthFirst, true
	case country == "US":
		return monthFirst, false
	}
	return dayFirst, false
}

// readDate reads a date of birth as YYYY-MM-DD. A month or day that does not exist is kept: it is a
// typing error, which the date it should be is near to. ok is false for what is no complete date and
// for dates that stand for none. Year is the present one: two digits of a year mean the last hundred.
func readDate(s string, order dateOrder, year int) (iso string, ok bool) {
	y, m, d, ok := dateParts(s, order, year)
	if !ok || y < 1000 || y > year || m == 0 && d == 0 {
		return "", false
	}
	iso = fmt.Sprintf("%04d-%02d-%02d", y, m, d)
	switch iso {
	case "1899-12-30", "1899-12-31", "1900-01-01", "1900-01-00", "1901-01-01":
		return "", false // what programs write for none
	}
	return iso, true
}

func dateParts(s string, order dateOrder, year int) (y, m, d int, ok bool) {
	s = strings.TrimSpace(s)
	if i := strings.IndexByte(s, ':'); i > 0 { // a time of day
		if i = strings.LastIndexAny(s[:i], "T "); i < 0 {
			return 0, 0, 0, false
		}
		s = s[:i]
	}
	if len(s) == 8 && number(s) > 0 {
		y, m, d = number(s[:4]), number(s[4:6]), number(s[6:])
		if y < 1850 || y > 2100 || m > 12 || d > 31 {
			if a, b, z := number(s[:2]), number(s[2:4]), number(s[4:]); z >= 1850 && z <= 2100 && a <= 31 && b <= 31 {
				return ordered(z, a, b, order)
			}
		}
		return y, m, d, true
	}
	if n, ok := numbersOf(s); ok {
		if len(n[0]) == 4 {
			return number(n[0]), number(n[1]), number(n[2]), true
		}
		return ordered(fullYear(n[2], year), number(n[0]), number(n[1]), order)
	}
	return namedMonth(s, year)
}

// ordered takes two numbers for day and month. One above 12 is the day, whatever the order.
func ordered(y, a, b int, order dateOrder) (int, int, int, bool) {
	if a > 12 && b <= 12 || order == dayFirst && b <= 12 {
		return y, b, a, true
	}
	return y, a, b, true
}

// numbersOf splits a date of three numbers.
func numbersOf(s string) (n [3]string, ok bool) {
	i := 0
	for part := range strings.FieldsFuncSeq(s, func(c rune) bool { return c == '-' || c == '.' || c == '/' || c == ' ' }) {
		if i == 3 || number(part) < 0 || len(part) > 4 || len(part) == 3 {
			return n, false
		}
		n[i] = part
		i++
	}
	return n, i == 3 && (len(n[0]) == 4) != (len(n[2]) == 4) || i == 3 && len(n[2]) == 2 && len(n[0]) <= 2
}

// namedMonth reads 24 June 1971, 24-Jun-71, June 24, 1971 and the like, in English and German.
func namedMonth(s string, year int) (y, m, d int, ok bool) {
	for w := range strings.FieldsFuncSeq(s, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) }) {
		digits := strings.TrimRight(w, "thsndr") // 24th
		n := number(digits)
		switch {
		case n >= 1 && n <= 31 && d == 0 && len(digits) < 3:
			d = n
		case n >= 0 && y == 0:
			y = fullYear(digits, year)
		case n < 0 && m == 0:
			m = monthOf(w)
		default:
			return 0, 0, 0, false
		}
	}
	return y, m, d, y > 0 && m > 0 && d > 0
}

func monthOf(word string) int {
	w := strings.ToLower(word)
	w = strings.NewReplacer("ä", "a", "mai", "may", "dez", "dec", "okt", "oct", "mrz", "mar", "maer", "mar").Replace(w)
	for i := range 12 {
		if strings.HasPrefix(w, "janfebmaraprmayjunjulaugsepoctnovdec"[3*i:3*i+3]) {
			return i + 1
		}
	}
	return 0
}

// fullYear reads a year of four digits, or of two: the latest that is over.
func fullYear(s string, year int) int {
	n := number(s)
	if len(s) > 2 || n < 0 {
		return n
	}
	if n += year / 100 * 100; n > year {
		n -= 100
	}
	return n
}

// number reads decimal digits, -1 for anything else.
func number(s string) int {
	if s == "" || len(s) > 9 {
		return -1
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return -1
		}
	}
	n, _ := strconv.Atoi(s)
	return n
}
