package lead

import (
	"strings"
	"unicode"
)

// vinWeights are the weights of the 17 positions in the check digit (49 CFR 565.15); position 9
// is the check digit itself.
var vinWeights = [17]int{8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2}

// vinYears are the codes of position 10, from 1980 on; they come round every 30 years.
const vinYears = "ABCDEFGHJKLMNPRSTVWXY123456789"

// ParseVIN reads a vehicle identification number: capitals, without spaces, dots and dashes. A
// letter O, I or Q, which no VIN has, is read as 0 or 1 if the check digit then fits. Valid means
// 17 letters of the VIN alphabet, with a check digit that fits where one is the law (first
// character 1 to 5, North America). Flag is "" or the doubt: FlagVINCheckDigit whenever the
// digit does not fit, FlagVINMalformed for anything that is no VIN, which comes back in capitals.
func ParseVIN(raw string) (vin string, valid bool, flag string) {
	var buf [17]byte
	n, digits := 0, 0
	confused := false
	for _, r := range raw {
		switch {
		case r >= 'a' && r <= 'z':
			r -= 'a' - 'A'
		case r == '.' || r == '-' || r == '*' || unicode.IsSpace(r) || unicode.IsControl(r) || invisible(r):
			continue
		}
		if n == 17 || !(r >= 'A' && r <= 'Z' || r >= '0' && r <= '9') {
			return malformedVIN(raw)
		}
		if r <= '9' {
			digits++
		}
		confused = confused || r == 'I' || r == 'O' || r == 'Q'
		buf[n] = byte(r)
		n++
	}
	if n != 17 || digits == 0 {
		return malformedVIN(raw)
	}
	if confused {
		given := buf
		for i, c := range buf {
			switch c {
			case 'O', 'Q':
				buf[i] = '0'
			case 'I':
				buf[i] = '1'
			}
		}
		if vinCheckDigit(string(buf[:])) != buf[8] {
			return string(given[:]), false, FlagVINMalformed
		}
	}
	vin = string(buf[:])
	// All the same digit fits its own check digit, yet it is filler.
	if strings.Count(vin, vin[:1]) == 17 {
		return vin, false, FlagVINMalformed
	}
	if vinCheckDigit(vin) != vin[8] {
		return vin, !northAmericanVIN(vin), FlagVINCheckDigit
	}
	return vin, true, ""
}

func malformedVIN(raw string) (string, bool, string) {
	// ASCII only: capitals of other letters could make up a VIN that nobody wrote.
	s := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r - 'a' + 'A'
		}
		return r
	}, Squeeze(raw))
	if s == "" {
		return "", false, ""
	}
	return s, false, FlagVINMalformed
}

// vinCheckDigit computes position 9 of a VIN of 17 letters and digits.
func vinCheckDigit(vin string) byte {
	sum := 0
	for i := range vinWeights {
		sum += vinWeights[i] * vinValue(vin[i])
	}
	if sum %= 11; sum == 10 {
		return 'X'
	}
	return byte('0' + sum)
}

func vinValue(c byte) int {
	switch {
	case c <= '9':
		return int(c - '0')
	case c <= 'H':
		return int(c-'A') + 1
	case c <= 'R':
		return int(c-'J') + 1
	default:
		return int(c-'S') + 2
	}
}

func northAmericanVIN(vin string) bool { return vin[0] >= '1' && vin[0] <= '5' }

// VINYear reads the model year of a well-formed North American VIN: of the years that share the
// code, the latest not after the year following the given one (next year's models are sold
// already). It returns 0 for other VINs: elsewhere position 10 may mean anything.
func VINYear(vin string, year int) int {
	if len(vin) != 17 || !northAmericanVIN(vin) {
		return 0
	}
	i := strings.IndexByte(vinYears, vin[9])
	if i < 0 || year < 1980 {
		return 0
	}
	y := 1980 + i
	for y+30 <= year+1 {
		y += 30
	}
	if y > year+1 {
		return 0
	}
	return y
}

// WMI returns the world manufacturer identifier of a VIN: its first three characters, and for a
// small maker (third character 9) also positions 12 to 14. It is "" for anything but 17
// characters.
func WMI(vin string) string {
	if len(vin) != 17 {
		return ""
	}
	if vin[2] == '9' {
		return vin[:3] + vin[11:14]
	}
	return vin[:3]
}
