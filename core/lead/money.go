package lead

import (
	"math"
	"strings"
	"unicode"
)

// maxMinor keeps every sum of a few amounts inside an int64.
const maxMinor = int64(1e15)

// CurrencyExponent returns how many decimals a currency of ISO 4217 has, and whether the code is
// known: 2 for most, 0 for yen and won, 3 for the Gulf dinars.
func CurrencyExponent(code string) (decimals int, ok bool) {
	switch code {
	case "JPY", "KRW", "CLP", "ISK", "VND", "PYG", "UGX", "XAF", "XOF", "XPF", "RWF", "KMF", "GNF", "DJF", "BIF", "VUV":
		return 0, true
	case "KWD", "BHD", "OMR", "JOD", "TND", "IQD", "LYD":
		return 3, true
	case "USD", "CAD", "EUR", "GBP", "CHF", "AUD", "NZD", "MXN", "BRL", "ARS", "COP", "PEN", "UYU",
		"SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "RON", "BGN", "TRY", "UAH", "RUB", "RSD",
		"CNY", "HKD", "TWD", "SGD", "MYR", "THB", "PHP", "IDR", "INR", "PKR", "LKR", "BDT",
		"AED", "SAR", "QAR", "ILS", "EGP", "ZAR", "MAD", "NGN", "KES", "GEL", "KZT", "DOP", "CRC", "GTQ":
		return 2, true
	}
	return 2, false
}

// ParseMoney reads one amount as people write it: "$12,500.00", "12.500,00 €", "CAD 30k",
// "1'200 CHF". Currency (ISO 4217) is the one to assume where the text names none; a bare "$"
// stays with it if it is a dollar or peso. One separator before three last digits groups
// thousands, unless the currency has three decimals. ok is false for no amount, several amounts
// (a range), or more than 10^15 minor units. Amounts are rounded half away from zero.
func ParseMoney(text, currency string) (m Money, ok bool) {
	s := strings.TrimSpace(text)
	if s == "" || len(s) > 64 {
		return Money{}, false
	}
	start, end := numberSpan(s)
	if start < 0 {
		return Money{}, false
	}
	before, after := strings.TrimSpace(s[:start]), strings.TrimSpace(s[end:])
	negative := false
	if strings.HasSuffix(before, "-") || strings.HasPrefix(before, "-") {
		negative = true
		before = strings.TrimSpace(strings.Trim(before, "-"))
	}
	if strings.HasPrefix(before, "(") && strings.HasPrefix(after, ")") {
		negative = true
		before, after = strings.TrimSpace(before[1:]), strings.TrimSpace(after[1:])
	}
	named := ""
	if before != "" {
		named, ok = currencyWord(before, currency)
		if !ok {
			return Money{}, false
		}
	}
	thousands, rest := cutThousands(after, start < end && s[end-1] >= '0')
	word := rest
	if i := strings.IndexAny(rest, "/ "); i >= 0 {
		word = rest[:i]
	}
	if c, isCurrency := currencyWord(word, currency); isCurrency && word != "" {
		if named == "" {
			named = c
		}
		rest = strings.TrimSpace(rest[len(word):])
	}
	if !moneyTail(rest) {
		return Money{}, false
	}
	if named == "" {
		named = currency
	}
	decimals, _ := CurrencyExponent(named)
	minor, ok := readAmount(s[start:end], decimals, thousands)
	if !ok {
		return Money{}, false
	}
	if negative {
		minor = -minor
	}
	return Money{Minor: minor, Currency: named}, true
}

// numberSpan finds the first number with its separators.
func numberSpan(s string) (start, end int) {
	start = -1
	for i, r := range s {
		digit := r >= '0' && r <= '9'
		switch {
		case digit:
			if start < 0 {
				start = i
				if i > 0 && (s[i-1] == '.' || s[i-1] == ',') {
					start = i - 1
				}
			}
			end = i + 1
		case start < 0:
		case r == '.' || r == ',' || r == '\'' || r == '’' || r == ' ' || r == '\u00a0' || r == '\u202f':
			// part of the number if a digit follows; decided by the next one
			if i > end && !strings.HasSuffix(s[:i], ".") {
				return start, end
			}
		default:
			return start, end
		}
		if start >= 0 && i-end > 3 {
			return start, end
		}
	}
	return start, end
}

// readAmount reads digits and separators into minor units.
func readAmount(s string, decimals int, thousands bool) (int64, bool) {
	lastDot, lastComma := strings.LastIndexByte(s, '.'), strings.LastIndexByte(s, ',')
	point := -1
	switch {
	case lastDot >= 0 && lastComma >= 0:
		point = max(lastDot, lastComma)
	case lastDot >= 0 || lastComma >= 0:
		i := max(lastDot, lastComma)
		grouped := len(s)-i-1 == 3 && decimals != 3 && !thousands && i > 0 && !(i == 1 && s[0] == '0')
		if strings.Count(s, s[i:i+1]) == 1 && !grouped {
			point = i
		}
	}
	if point >= 0 && strings.IndexByte(s[:point], s[point]) >= 0 {
		return 0, false // "1.200,50.3"
	}
	whole, fraction, scale := int64(0), int64(0), 0
	group := 0
	seenGroup := false
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c < '0' || c > '9' {
			if c >= 0x80 && i+1 < len(s) && s[i+1] >= 0x80 {
				continue
			}
			if i < point || point < 0 {
				if seenGroup && group != 3 && group != 2 {
					return 0, false
				}
				seenGroup, group = true, 0
			} else if i > point {
				return 0, false
			} else if seenGroup && group != 3 {
				return 0, false
			}
			continue
		}
		if point >= 0 && i > point {
			if scale < 6 {
				fraction = fraction*10 + int64(c-'0')
				scale++
			}
			continue
		}
		group++
		if whole = whole*10 + int64(c-'0'); whole > maxMinor {
			return 0, false
		}
	}
	if point < 0 && seenGroup && group != 3 {
		return 0, false
	}
	shift := decimals
	if thousands {
		shift += 3
	}
	v := float64(whole)*math.Pow10(shift) + float64(fraction)*math.Pow10(shift-scale)
	if v > float64(maxMinor) {
		return 0, false
	}
	// Whole units and six decimals stay exact in a float64 below 10^15.
	return int64(math.Round(v)), true
}

// cutThousands takes a "k" or its like off what follows the number.
func cutThousands(s string, afterNumber bool) (bool, string) {
	if !afterNumber {
		return false, s
	}
	for _, k := range [...]string{"tsd.", "tsd", "mil", "k", "K", "T€"} {
		if rest, ok := strings.CutPrefix(s, k); ok {
			if k == "T€" {
				return true, "€" + rest
			}
			if rest == "" || !unicode.IsLetter(rune(rest[0])) || rest[0] >= 0x80 {
				return true, strings.TrimSpace(rest)
			}
		}
	}
	return false, s
}

// currencyWord reads a currency sign or code.
func currencyWord(w, assumed string) (code string, ok bool) {
	up := strings.ToUpper(strings.TrimSpace(w))
	switch up {
	case "$":
		switch assumed {
		case "USD", "CAD", "AUD", "NZD", "MXN", "SGD", "HKD", "ARS", "CLP", "COP":
			return assumed, true
		}
		return "USD", true
	case "US$", "$US", "USD$", "$USD", "DOLLARS", "DOLLAR":
		if up[0] == 'D' {
			return currencyWord("$", assumed)
		}
		return "USD", true
	case "C$", "CA$", "CAD$", "$CA", "$CAD", "CAN$":
		return "CAD", true
	case "A$", "AU$", "AUD$":
		return "AUD", true
	case "NZ$":
		return "NZD", true
	case "MX$", "MXN$":
		return "MXN", true
	case "R$":
		return "BRL", true
	case "€", "EURO", "EUROS", "EUR€":
		return "EUR", true
	case "£", "STG":
		return "GBP", true
	case "¥", "円", "YEN":
		if assumed == "CNY" {
			return "CNY", true
		}
		return "JPY", true
	case "₩":
		return "KRW", true
	case "₹", "RS", "RS.":
		return "INR", true
	case "FR.", "SFR", "SFR.":
		return "CHF", true
	case "ZŁ":
		return "PLN", true
	case "KČ":
		return "CZK", true
	case "KR", "KR.":
		switch assumed {
		case "SEK", "NOK", "DKK", "ISK":
			return assumed, true
		}
		return "", false
	}
	if len(up) == 3 {
		if _, known := CurrencyExponent(up); known {
			return up, true
		}
	}
	return "", false
}

// moneyTail lets pass what people write after an amount and what does not change it.
func moneyTail(s string) bool {
	s = strings.ToLower(strings.TrimSpace(s))
	switch s {
	case "", ",-", ".-", "-", "–", "+", "obo", "o.b.o.", "vb", "fp", "/mo", "/mo.", "/month", "per month", "a month", "monthly",
		"p.m.", "pm", "im monat", "monatlich", "/monat", "/mois", "par mois", "al mes", "/mes", "total", "plus tax", "plus taxes", "+ tax", "+ taxes", "ttc", "ht", "netto", "brutto":
		return true
	}
	return false
}
