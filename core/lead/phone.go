package lead

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"
)

// maxPhone is longer than any number with an extension and words around it; longer input is not
// a number and is not worth parsing.
const maxPhone = 64

// ParsePhone reads a phone number as a person in the region (ISO 3166-1 alpha-2, any case) would
// write it: national form, international with +, 00 or the region's own prefix, letters for
// digits, an extension at the end. Valid means that a call could reach it: its length fits the
// numbering plan and it is no filler such as 9999999999. Numbers reserved for fiction are valid;
// FictionalPhone tells them apart. What cannot be read keeps Raw alone.
func ParsePhone(raw, region string) Phone {
	p := Phone{Raw: raw}
	s := asciiDigits(strings.TrimSpace(raw))
	if s == "" || len(s) > maxPhone {
		return p
	}
	region = upperASCII(region)
	if national, ok := northAmerican(s, region); ok {
		return readNorthAmerican(p, national)
	}
	n, ok := parsePhone(s, region)
	if !ok {
		return p
	}
	if phonenumbers.IsPossibleNumberWithReason(n) != phonenumbers.IS_POSSIBLE {
		return p
	}
	digits, extension := phonenumbers.GetNationalSignificantNumber(n), n.GetExtension()
	if strings.HasPrefix(digits, "0") { // a trunk prefix that the plan keeps in one spelling and drops in another
		again, ok := parsePhone(phonenumbers.Format(n, phonenumbers.E164), "")
		if !ok || phonenumbers.IsPossibleNumberWithReason(again) != phonenumbers.IS_POSSIBLE {
			return p
		}
		n, digits = again, phonenumbers.GetNationalSignificantNumber(again)
	}
	if n.GetCountryCode() == 1 {
		p.Extension = extension
		return readNorthAmerican(p, digits)
	}
	if oneDigit(digits) {
		return p
	}
	p.E164 = phonenumbers.Format(n, phonenumbers.E164)
	p.Extension = extension
	p.Type = phoneType(phonenumbers.GetNumberType(n))
	p.Valid = true
	return p
}

// parsePhone asks the numbering plan library. Outside the plan's own prefix "00" is tried too:
// people abroad write it everywhere.
func parsePhone(s, region string) (*phonenumbers.PhoneNumber, bool) {
	if strings.HasPrefix(s, "00") && isNorthAmerica(region) {
		s = "+" + s[2:]
	}
	n, err := phonenumbers.Parse(s, region)
	return n, err == nil
}

// northAmerican reads the plain spellings of the North American plan without the library, which
// takes some fifty times as long. Anything unusual is left to the library.
func northAmerican(s, region string) (string, bool) {
	var digits [11]byte
	n := 0
	plus := s[0] == '+'
	if !plus && !isNorthAmerica(region) {
		return "", false
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			if n == len(digits) {
				return "", false
			}
			digits[n] = c
			n++
		case c == '+':
			if i != 0 {
				return "", false
			}
		case c == ' ' || c == '-' || c == '.' || c == '(' || c == ')':
		default:
			return "", false
		}
	}
	switch {
	case n == 11 && digits[0] == '1':
		return string(digits[1:]), true
	case n == 10 && !plus && digits[0] >= '2':
		return string(digits[:10]), true
	}
	return "", false
}

// readNorthAmerican fills in a number of the +1 plan from its ten national digits.
func readNorthAmerican(p Phone, d string) Phone {
	// Area codes and exchanges start with 2-9.
	if len(d) != 10 || d[0] < '2' || d[3] < '2' || oneDigit(d) {
		p.Extension = ""
		return p
	}
	p.E164 = "+1" + d
	p.Valid = true
	switch d[:3] {
	case "800", "822", "833", "844", "855", "866", "877", "888", "900":
		p.Type = PhoneTypeOther
	}
	return p
}

// FictionalPhone reports whether an E.164 number lies in a range that regulators keep for
// fiction and examples: +1 NPA-555-01XX and the unassigned area code 555, and the drama ranges
// of Ofcom (GB) and ACMA (AU).
func FictionalPhone(e164 string) bool {
	if len(e164) == 12 && strings.HasPrefix(e164, "+1") {
		return e164[2:5] == "555" || e164[5:8] == "555" && e164[8:10] == "01"
	}
	for _, prefix := range [...]string{
		"+44207946", "+447700900", "+441632960", "+448081570",
		"+6149157015", "+61255501", "+61355501", "+61755501", "+61855501",
	} {
		if strings.HasPrefix(e164, prefix) {
			return true
		}
	}
	return false
}

// ContactPoint brings an e-mail address or phone number into the one spelling in which consent
// facts and blocks name it: E.164, or the address in lower case. What cannot be read comes back
// trimmed. Region is the market's, for national phone numbers.
func ContactPoint(raw, region string) string {
	s := strings.TrimSpace(raw)
	if strings.IndexByte(s, '@') >= 0 {
		if e := ParseEmail(s); e.Valid {
			return strings.ToLower(e.Address)
		}
		return s
	}
	if len(s) == 0 || isE164(s) {
		return s
	}
	if p := ParsePhone(s, region); p.Valid {
		return p.E164
	}
	return s
}

// asciiDigits writes the decimal digits of any script as 0-9.
func asciiDigits(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] < utf8.RuneSelf {
			continue
		}
		return strings.Map(func(r rune) rune {
			if r < utf8.RuneSelf || !unicode.IsDigit(r) {
				return r
			}
			for _, block := range unicode.Nd.R16 {
				if r >= rune(block.Lo) && r <= rune(block.Hi) {
					return '0' + (r-rune(block.Lo))%10 // blocks hold whole decades
				}
			}
			return r
		}, s)
	}
	return s
}

func isE164(s string) bool {
	if len(s) < 8 || len(s) > 16 || s[0] != '+' {
		return false
	}
	for i := 1; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func phoneType(t phonenumbers.PhoneNumberType) PhoneType {
	switch t {
	case phonenumbers.MOBILE:
		return PhoneTypeMobile
	case phonenumbers.FIXED_LINE:
		return PhoneTypeHome
	case phonenumbers.TOLL_FREE, phonenumbers.PREMIUM_RATE, phonenumbers.SHARED_COST,
		phonenumbers.PAGER, phonenumbers.UAN, phonenumbers.VOICEMAIL:
		return PhoneTypeOther
	default:
		return PhoneTypeUnspecified
	}
}

func oneDigit(d string) bool {
	return d != "" && strings.Count(d, d[:1]) == len(d)
}

// isNorthAmerica names the markets whose national form is ten digits of the +1 plan.
func isNorthAmerica(region string) bool { return region == "US" || region == "CA" || region == "PR" }

func upperASCII(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] >= 'a' && s[i] <= 'z' || s[i] == ' ' {
			return strings.ToUpper(strings.TrimSpace(s))
		}
	}
	return s
}
