package dataset

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// marks are how numbers are written: what stands before the decimals.
type marks uint8

const (
	point marks = iota // 1,234.5
	comma              // 1.234,5
)

func (m marks) String() string { return [...]string{"decimal point", "decimal comma"}[m] }

// money are the signs and codes that may stand before or behind an amount.
var money = []string{"$", "€", "£", "¥", "EUR", "USD", "GBP", "CHF", "CAD"}

// parseNumber reads a number as people write it: with a sign, spaces, apostrophes or marks between
// thousands, in parentheses if negative, with a currency or a per cent sign. ok is false for all else.
func parseNumber(s string, m marks) (v float64, ok bool) {
	negative := false
	if n := len(s); n > 2 && s[0] == '(' && s[n-1] == ')' {
		s, negative = s[1:n-1], true
	}
	s = strings.TrimSpace(strings.TrimSuffix(s, "%"))
	if s != "" && (s[0] < '0' || s[0] > '9' || s[len(s)-1] < '0' || s[len(s)-1] > '9') {
		s = bare(s, &negative)
	}
	if s == "" || len(s) > 40 {
		return 0, false
	}
	decimal, thousand := byte('.'), byte(',')
	if m == comma {
		decimal, thousand = ',', '.'
	}
	plain := make([]byte, 0, 40)
	digits, run, grouped, fraction := 0, 0, false, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			plain = append(plain, c)
			digits++
			run++
		case c == decimal && !fraction:
			if grouped && run != 3 {
				return 0, false
			}
			plain, fraction, run = append(plain, '.'), true, 0
		case (c == 'e' || c == 'E') && digits > 0 && i+1 < len(s):
			rest := s[i+1:]
			if _, err := strconv.Atoi(rest); err != nil {
				return 0, false
			}
			plain = append(append(plain, 'e'), rest...)
			i = len(s)
		default:
			width := 1
			if c != thousand && c != ' ' && c != '\'' {
				r, n := utf8.DecodeRuneInString(s[i:])
				if r != '\u00a0' && r != '\u202f' && r != '’' {
					return 0, false
				}
				width = n
			}
			if fraction || run == 0 || run > 3 || grouped && run != 3 {
				return 0, false
			}
			grouped, run = true, 0
			i += width - 1
		}
	}
	if digits == 0 || grouped && !fraction && run != 3 {
		return 0, false
	}
	v, err := strconv.ParseFloat(string(plain), 64)
	if err != nil || math.IsInf(v, 0) {
		return 0, false
	}
	if negative {
		v = -v
	}
	return v, true
}

// bare takes sign and currency off.
func bare(s string, negative *bool) string {
	for range 2 { // the sign may stand before the currency or behind it
		switch {
		case strings.HasPrefix(s, "-"), strings.HasPrefix(s, "−"):
			*negative = !*negative
			s = strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(s, "-"), "−"))
		case strings.HasPrefix(s, "+"):
			s = strings.TrimSpace(s[1:])
		}
		for _, sign := range money {
			if rest, ok := strings.CutPrefix(s, sign); ok {
				s = strings.TrimSpace(rest)
				break
			}
			if rest, ok := strings.CutSuffix(s, sign); ok {
				s = strings.TrimSpace(rest)
				break
			}
		}
	}
	return s
}

// decidedBy reports which marks a number must be written with: the other reading is none, or another number.
func decidedBy(s string) (m marks, told bool) {
	_, p := parseNumber(s, point)
	_, c := parseNumber(s, comma)
	switch {
	case p && !c:
		return point, true
	case c && !p:
		return comma, true
	}
	return 0, false
}

// leadingZero reports a number such as 01234, which is a code.
func leadingZero(s string) bool {
	return len(s) > 1 && s[0] == '0' && s[1] >= '0' && s[1] <= '9'
}

// integer reports a number without decimals.
func integer(v float64) bool { return v == math.Trunc(v) && math.Abs(v) < 1<<53 }
