package people

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// common are contact points that many give who do not want to give their own, or whose salesperson
// does not.
var common = []string{"none@none.example", "noemail@dealer.example", "test@test.example", "info@dealer.example"}

// say makes up one record: what somebody writes of what is true.
func (m *maker) say(id int, p *person, at time.Time) Record {
	r := Record{At: at, Country: m.world.country, Person: id, Household: m.home, Given: p.given, Family: p.family}
	// By a web form, a portal's lead, the store's system, or the telephone.
	kind := m.rng.IntN(10)
	email, phone, street, postal, born := 0.95, 0.8, 0.25, 0.85, 0.03
	switch {
	case kind < 3: // portal
		email, phone, street, postal, born = 0.85, 0.7, 0.1, 0.7, 0
	case kind < 6: // store
		email, phone, street, postal, born = 0.7, 0.9, 0.95, 0.98, 0.35
	case kind < 7: // telephone
		email, phone, street, postal, born = 0.2, 1, 0.05, 0.2, 0
	}
	if m.is(email) {
		r.Email = p.email
	}
	if m.is(phone) || r.Email == "" {
		r.Phone = p.phone
		if p.line != "" && m.is(0.3) {
			r.Phone = p.line
		}
	}
	if m.is(street) {
		r.Street, r.Unit = m.street(&p.address), p.address.unit
		if m.is(0.15) {
			r.Unit = ""
		}
	}
	if r.Street != "" || m.is(postal) {
		r.Postal, r.City, r.Region = p.address.postal, p.address.city, p.address.region
		if r.Street == "" && m.is(0.5) {
			r.City, r.Region = "", ""
		}
	}
	if m.is(born) {
		r.Born = p.born.Format(time.DateOnly)
	}
	if p.writesMiddle && m.is(0.7) {
		r.Middle = p.middle
		if m.is(0.7) {
			r.Middle = p.middle[:1]
		}
	}
	if p.suffix != "" && p.writesSuffix && m.is(0.8) {
		r.Suffix = p.suffix
	}
	m.spoil(p, &r)
	return r
}

// spoil makes the mistakes and takes the liberties.
func (m *maker) spoil(p *person, r *Record) {
	if short := m.world.short[p.given]; len(short) > 0 && m.is(0.15) {
		r.Given = pick(m.rng, short)
	}
	if m.is(0.02) {
		r.Given = initialOf(r.Given)
	}
	if m.is(0.025) {
		r.Given = mistype(m.rng, r.Given)
	}
	if m.is(0.03) {
		r.Family = mistype(m.rng, r.Family)
	}
	if m.is(0.01) {
		r.Given, r.Family = r.Family, r.Given
	}
	if m.is(0.01) {
		r.Given = ""
	}
	if r.Email != "" {
		if m.is(0.015) {
			local, domain, _ := strings.Cut(r.Email, "@")
			r.Email = mistype(m.rng, local) + "@" + domain
		}
		if m.is(0.004) {
			r.Email = pick(m.rng, common)
		}
	}
	if r.Phone != "" && m.is(0.012) {
		r.Phone = misdial(m.rng, r.Phone)
	}
	if m.world.country == "US" && r.Phone != "" && m.is(0.6) {
		d := r.Phone[2:]
		r.Phone = fmt.Sprintf(pick(m.rng, []string{"(%s) %s-%s", "%s-%s-%s", "%s.%s.%s", "%s%s%s"}), d[:3], d[3:6], d[6:])
	}
	if r.Street != "" && m.is(0.03) {
		r.Street = mistype(m.rng, r.Street)
	}
	if r.Postal != "" && m.is(0.008) {
		r.Postal = misdial(m.rng, r.Postal)
	}
	if r.Born != "" && m.is(0.03) {
		if r.Born[8:] <= "12" && m.is(0.5) {
			r.Born = r.Born[:5] + r.Born[8:] + "-" + r.Born[5:7]
		} else {
			r.Born = r.Born[:8] + fmt.Sprintf("%02d", 1+m.rng.IntN(28))
		}
	}
	switch {
	case m.is(0.1):
		r.Given, r.Family = strings.ToLower(r.Given), strings.ToLower(r.Family)
	case m.is(0.1):
		r.Given, r.Family, r.Street = strings.ToUpper(r.Given), strings.ToUpper(r.Family), strings.ToUpper(r.Street)
	}
}

// abbreviations are how people shorten streets.
var abbreviations = strings.NewReplacer("Street", "St", "Avenue", "Ave", "Drive", "Dr", "Road", "Rd", "Lane", "Ln", "Court", "Ct",
	"Circle", "Cir", "Place", "Pl", "Boulevard", "Blvd", "Trail", "Trl", "Terrace", "Ter", "North ", "N ", "South ", "S ", "East ", "E ",
	"West ", "W ", "straße", "str.")

func (m *maker) street(a *address) string {
	s := a.street
	if m.is(0.4) {
		s = abbreviations.Replace(s)
	}
	if m.world.country == "DE" {
		return fmt.Sprintf("%s %d", s, a.number)
	}
	return fmt.Sprintf("%d %s", a.number, s)
}

func initialOf(s string) string {
	for _, r := range s {
		return string(r)
	}
	return s
}

// near are the keys beside each key.
var near = map[rune]string{
	'a': "sq", 'b': "vn", 'c': "xv", 'd': "sf", 'e': "wr", 'f': "dg", 'g': "fh", 'h': "gj", 'i': "uo", 'j': "hk", 'k': "jl", 'l': "k", 'm': "n",
	'n': "bm", 'o': "ip", 'p': "o", 'q': "wa", 'r': "et", 's': "ad", 't': "ry", 'u': "yi", 'v': "cb", 'w': "qe", 'x': "zc", 'y': "tu", 'z': "x",
}

// mistype makes one typing error: a letter left out, doubled, swapped with the next, or hit beside.
func mistype(rng *rand.Rand, s string) string {
	r := []rune(s)
	if len(r) < 3 {
		return s
	}
	i := 1 + rng.IntN(len(r)-2) // seldom the first
	if rng.IntN(10) == 0 {
		i = 0
	}
	switch rng.IntN(4) {
	case 0:
		return string(r[:i]) + string(r[i+1:])
	case 1:
		return string(r[:i]) + string(r[i]) + string(r[i:])
	case 2:
		r[i], r[i+1] = r[i+1], r[i]
	default:
		if keys := near[r[i]]; keys != "" {
			r[i] = rune(keys[rng.IntN(len(keys))])
		}
	}
	return string(r)
}

// misdial changes one of the last digits or swaps two.
func misdial(rng *rand.Rand, s string) string {
	b := []byte(s)
	i := len(b) - 1 - rng.IntN(min(4, len(b)))
	if i > 0 && rng.IntN(2) == 0 {
		b[i-1], b[i] = b[i], b[i-1]
	} else if b[i] >= '0' && b[i] <= '9' {
		b[i] = '0' + (b[i]-'0'+1+byte(rng.IntN(9)))%10
	}
	return string(b)
}
