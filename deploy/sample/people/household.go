package people

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"
	"unicode"
)

// maker makes up one household.
type maker struct {
	world       *world
	rng         *rand.Rand
	repeat      float64
	home        int
	from, until time.Time
	records     []Record
}

// person is what is true of somebody; it changes over the years.
type person struct {
	given, middle, family, suffix string
	woman                         bool
	born                          time.Time
	email, phone                  string
	line                          string // the phone of the household, if it has one
	address                       address
	writesMiddle, writesSuffix    bool
}

type address struct {
	number int
	street string
	unit   string
	place
}

// is is true as often as a share says.
func (m *maker) is(share float64) bool { return m.rng.Float64() < share }

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// family makes up who lives in a household and what each of them says.
func (m *maker) family() {
	family := m.world.family.draw(m.rng)
	home := m.address()
	line := ""
	if m.is(0.3) {
		line = m.phone(home.region)
	}
	head := m.person(family, m.is(0.5), 22+m.rng.IntN(60), home, line)
	all := []*person{head}
	if m.is(0.55) { // two
		other := m.person(family, !head.woman, max(21, m.age(head)-6+m.rng.IntN(12)), home, line)
		if m.is(0.2) { // keeps a name
			other.family = m.world.family.draw(m.rng)
		}
		if m.is(0.06) { // one mailbox for both
			other.email = head.email
		}
		if m.is(0.05) { // one telephone for both
			other.phone = head.phone
		}
		all = append(all, other)
	}
	if parent := m.age(head); parent > 40 && m.is(0.4) { // children old enough to buy a car
		children := 1 + m.rng.IntN(3)
		for i := range children {
			c := m.person(family, m.is(0.5), 17+m.rng.IntN(max(1, min(parent-38, 18))), home, line)
			switch {
			case i > 0 && m.is(0.04): // twins
				c.born = all[len(all)-1].born
				if m.is(0.3) { // whose names begin alike
					for range 50 {
						if g := m.given(c.woman); g[0] == all[len(all)-1].given[0] && g != all[len(all)-1].given {
							c.given = g
							break
						}
					}
				}
			case !head.woman && !c.woman && m.is(0.06): // the father's name
				c.given, c.middle, c.suffix = head.given, head.middle, "Jr"
				head.suffix = "Sr"
			}
			all = append(all, c)
		}
	}
	for i, p := range all {
		m.life(m.home*8+i, p)
	}
}

func (m *maker) age(p *person) int { return m.until.Year() - p.born.Year() }

func (m *maker) given(woman bool) string {
	if woman {
		return m.world.women.draw(m.rng)
	}
	return m.world.men.draw(m.rng)
}

func (m *maker) person(family string, woman bool, age int, home address, line string) *person {
	p := &person{
		given: m.given(woman), middle: m.given(woman), family: family, woman: woman, line: line, address: home,
		born:         time.Date(m.until.Year()-age, time.January, 1+m.rng.IntN(365), 0, 0, 0, 0, time.UTC),
		writesMiddle: m.is(0.2), writesSuffix: m.is(0.7), phone: m.phone(home.region),
	}
	p.email = m.email(p)
	return p
}

func (m *maker) address() address {
	a := address{number: 1 + int(math.Exp(m.rng.Float64()*9)), place: m.world.places.draw(m.rng)}
	a.street = pick(m.rng, m.world.streets)
	kind := pick(m.rng, m.world.types)
	if m.world.country == "DE" {
		a.number = 1 + a.number%150
		a.street += kind
		return a
	}
	switch m.rng.IntN(10) {
	case 0:
		a.street = fmt.Sprintf("%dth", 4+m.rng.IntN(16))
	case 1:
		a.street = pick(m.rng, []string{"North ", "South ", "East ", "West "}) + a.street
	}
	a.street += " " + kind
	if m.is(0.22) {
		a.unit = fmt.Sprint(1 + m.rng.IntN(40))
		if m.is(0.3) {
			a.unit += pick(m.rng, []string{"A", "B", "C", "D"})
		}
	}
	return a
}

// phone makes up a number, of an area code of the region that nobody has.
func (m *maker) phone(region string) string {
	if m.world.country == "DE" {
		return fmt.Sprintf("+4915%d%08d", 5+m.rng.IntN(2)*2, m.rng.IntN(1e8))
	}
	h := 0
	for _, c := range region {
		h = h*31 + int(c)
	}
	code := h*7%80 + m.rng.IntN(3) // three codes a region
	code %= 80
	return fmt.Sprintf("+1%d9%d%d%06d", 2+code/10, code%10, 2+m.rng.IntN(8), m.rng.IntN(1e6))
}

// email makes up a mailbox. A mailbox belongs to one person: where the name alone would do, which in
// life only the first of that name gets, a middle name stands with it.
func (m *maker) email(p *person) string {
	g, f := plain(p.given), plain(p.family)
	var local string
	switch m.rng.IntN(8) {
	case 0, 1:
		local = g + "." + f
	case 2:
		local = g[:1] + f
	case 3:
		local = g + f[:1]
	case 4:
		local = f + "." + g
	case 5:
		local = g + "_" + f
	case 6:
		local = g + pick(m.rng, []string{"rider", "fan", "home", "family", "loves", "mail", "online", "sky", "star"})
	default:
		local = f + g[:1]
	}
	switch m.rng.IntN(4) {
	case 0:
		local = g + "." + plain(p.middle) + "." + f
	case 1:
		local += fmt.Sprintf("%02d%02d", p.born.Year()%100, 1+m.rng.IntN(99))
	default:
		local += fmt.Sprint(m.rng.IntN(100_000))
	}
	// The first services have most of the mailboxes.
	i := int(float64(len(domains)) * math.Pow(m.rng.Float64(), 2.5))
	return local + "@" + domains[i]
}

// plain is a name in the letters of a mailbox.
func plain(s string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(s) {
		switch r {
		case 'ä':
			b.WriteString("ae")
		case 'ö':
			b.WriteString("oe")
		case 'ü':
			b.WriteString("ue")
		case 'ß':
			b.WriteString("ss")
		case 'ş':
			b.WriteByte('s')
		case 'ı':
			b.WriteByte('i')
		default:
			if r < unicode.MaxASCII && unicode.IsLetter(r) {
				b.WriteRune(r)
			}
		}
	}
	return b.String()
}

// life makes up what a person says over the years and how that changes meanwhile.
func (m *maker) life(id int, p *person) {
	n := 1
	for n < 60 && m.is(1-1/m.repeat) {
		n++
	}
	if n > 1 && m.is(0.01) { // somebody whom every portal knows
		n = 8 + m.rng.IntN(40)
	}
	span := m.until.Sub(m.from)
	at := make([]time.Time, n)
	for i := range at {
		// Within each of n equal parts of the years, so that they are in order.
		part := span / time.Duration(n)
		at[i] = m.from.Add(time.Duration(i)*part + time.Duration(m.rng.Int64N(int64(part)))).Truncate(time.Second)
	}
	years := span.Hours() / 8766 / float64(n) // between two records
	for i := range at {
		if i > 0 {
			m.change(p, years)
		}
		m.records = append(m.records, m.say(id, p, at[i]))
	}
}

// change lets time pass.
func (m *maker) change(p *person, years float64) {
	passes := func(perYear float64) bool { return m.is(1 - math.Pow(1-perYear, years)) }
	if passes(0.08) {
		was := p.address.place
		p.address, p.line = m.address(), ""
		if m.is(0.6) { // not far
			p.address.place = was
		}
	}
	if passes(0.05) {
		p.phone = m.phone(p.address.region)
	}
	if passes(0.06) {
		p.email = m.email(p)
	}
	if p.woman && m.until.Year()-p.born.Year() < 40 && passes(0.015) {
		p.family = m.world.family.draw(m.rng)
	}
}
