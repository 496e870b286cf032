package adf

import (
	"slices"
	"strings"
)

// Primary gives the contact to answer: the one marked primary, else the first.
// ok is false when the lead has none.
func (p Prospect) Primary() (c Contact, ok bool) {
	contacts := p.Customer.Contacts
	if len(contacts) == 0 {
		return Contact{}, false
	}
	return contacts[primaryIndex(contacts)], true
}

// CoBuyers gives the customer's other contacts.
func (p Prospect) CoBuyers() []Contact {
	contacts := p.Customer.Contacts
	if len(contacts) < 2 {
		return nil
	}
	i := primaryIndex(contacts)
	return slices.Concat(contacts[:i], contacts[i+1:])
}

func primaryIndex(contacts []Contact) int {
	for i, c := range contacts {
		if c.Primary {
			return i
		}
	}
	return 0
}

// PreferredPhone gives the number to call first: the one marked preferred,
// else a cellphone, else the one with the best time, else the first. Fax and
// pager numbers come last. A template variable is no number. The zero Phone
// means there is none.
func (c Contact) PreferredPhone() Phone {
	rank := func(p Phone) int {
		switch {
		case hasPlaceholder(p.Value):
			return 9
		case p.Type == "fax":
			return 8
		case p.Type == "pager":
			return 7
		case p.Preferred:
			return 0
		case p.Type == "cellphone":
			return 1
		case p.BestTime:
			return 2
		}
		return 3
	}
	best, at := 9, -1
	for i, p := range c.Phones {
		if n := rank(p); n < best {
			best, at = n, i
		}
	}
	if at < 0 {
		return Phone{}
	}
	return c.Phones[at]
}

// PreferredEmail gives the address marked preferred, else the first that is no
// template variable, without angle brackets and "mailto:"; "" if there is none.
func (c Contact) PreferredEmail() string {
	first := ""
	for _, e := range c.Emails {
		switch {
		case hasPlaceholder(e.Value):
		case e.Preferred:
			return bareAddress(e.Value)
		case first == "":
			first = bareAddress(e.Value)
		}
	}
	return first
}

func bareAddress(s string) string {
	s = strings.TrimSuffix(strings.TrimPrefix(s, "<"), ">")
	if len(s) > 7 && strings.EqualFold(s[:7], "mailto:") {
		s = s[7:]
	}
	return trim(s)
}

func isTrade(v Vehicle) bool { return v.Interest == "trade-in" || v.Interest == "sell" }

// DisplayName is the dealer's name: vendorname, else the first contact's name.
func (v Vendor) DisplayName() string {
	if v.Name != "" || len(v.Contacts) == 0 {
		return v.Name
	}
	return v.Contacts[0].Name().Full
}

// DisplayName is the lead source's name: its own, else its first contact's.
func (v Provider) DisplayName() string {
	if name := (Contact{Names: v.Names}).Name(); name.Full != "" {
		return name.Full
	}
	if len(v.Contacts) == 0 {
		return ""
	}
	return v.Contacts[0].Name().Full
}

// CheckVIN gives what is wrong with a vehicle identification number, "" if
// nothing is. The check digit is that of 49 CFR 565 and is asked only of
// numbers beginning with 1 to 5, North America; others do not use it.
func CheckVIN(vin string) FlagCode {
	vin = strings.ToUpper(trim(vin))
	if strings.ContainsFunc(vin, func(c rune) bool {
		return (c < '0' || c > '9') && (c < 'A' || c > 'Z') || c == 'I' || c == 'O' || c == 'Q'
	}) {
		return FlagVINCharacters
	}
	if len(vin) != 17 {
		return FlagVINLength
	}
	if vin[0] < '1' || vin[0] > '5' {
		return ""
	}
	weights := [17]int{8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2}
	const values = "0123456789.ABCDEFGH..JKLMN.P.R..STUVWXYZ" // the value is the index modulo 10
	sum := 0
	for i := range weights {
		sum += strings.IndexByte(values, vin[i]) % 10 * weights[i]
	}
	if want := "0123456789X"[sum%11]; vin[8] != want {
		return FlagVINCheckDigit
	}
	return ""
}

func (r *reader) checkVIN(vin string, p *path) {
	if vin == "" || hasPlaceholder(vin) {
		return
	}
	if code := CheckVIN(vin); code != "" {
		r.flag(code, &path{up: p, name: "vin", n: 1}, "")
	}
}
