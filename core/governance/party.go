package governance

import (
	"strconv"
	"strings"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
)

// parties normalises everybody on the lead.
func (w *work) parties() {
	hasPrimary := false
	for i := range w.l.Parties {
		hasPrimary = hasPrimary || w.l.Parties[i].Role == lead.PartyRolePrimary
	}
	for i := range w.l.Parties {
		p := &w.l.Parties[i]
		if !hasPrimary && p.Role == lead.PartyRoleUnspecified {
			p.Role, hasPrimary = lead.PartyRolePrimary, true
			w.change(partyPath(i, "role"), "primary", "", p.Role.String())
		}
		if !w.g.skip[stepNames] {
			w.name(i, &p.Name)
		}
		switch lead.JunkName(p.Name) {
		case "junk", "placeholder":
			w.l.AddFlag(lead.FlagJunkName, partyPath(i, "name"), "")
		case "test":
			w.l.AddFlag(lead.FlagTestName, partyPath(i, "name"), "")
		}
		if !w.g.skip[stepAddresses] {
			w.address(i, &p.Address)
		}
		if !w.g.skip[stepEmails] {
			w.emails(i, p)
		}
		if !w.g.skip[stepPhones] {
			w.phones(i, p)
		}
		w.born(i, p)
		w.set(fieldPartyLanguage, i, "language", &p.Language, languageTag(p.Language))
	}
	w.set(fieldLanguage, 0, "language", &w.l.Language, languageTag(w.l.Language))
}

func partyPath(i int, rest string) string { return "parties[" + strconv.Itoa(i) + "]." + rest }

func (w *work) name(i int, n *lead.Name) {
	after := lead.NormalizeName(*n)
	if after == *n {
		return
	}
	before := *n
	*n = after
	for _, part := range [...]struct{ path, before, after string }{
		{"name.full", before.Full, after.Full},
		{"name.prefix", before.Prefix, after.Prefix},
		{"name.given", before.Given, after.Given},
		{"name.middle", before.Middle, after.Middle},
		{"name.family", before.Family, after.Family},
		{"name.suffix", before.Suffix, after.Suffix},
		{"name.company", before.Company, after.Company},
	} {
		if part.before != part.after {
			w.change(partyPath(i, part.path), "name", part.before, part.after)
		}
	}
}

// emails reads the addresses, splits several in one field, and drops what is empty or there twice.
func (w *work) emails(i int, p *lead.Party) {
	for j := 0; j < len(p.Emails); j++ {
		e := &p.Emails[j]
		if e.Key == "" {
			raw := e.Raw
			if raw == "" {
				raw = e.Address
			}
			read := lead.ParseEmail(raw)
			if first, rest, several := cutSeveral(raw); !read.Valid && several {
				read = lead.ParseEmail(first)
				p.Emails = append(p.Emails, lead.Email{Raw: rest})
				e = &p.Emails[j]
				w.change(partyPath(i, "emails["+strconv.Itoa(j)+"]"), "split", raw, first)
			}
			if read.Valid && read.Address != raw && read.Raw == raw {
				w.change(partyPath(i, "emails["+strconv.Itoa(j)+"]"), "email", raw, read.Address)
			}
			*e = read
		}
		if e.Valid {
			if w.g.disposal.Has(e.Domain()) {
				w.l.AddFlag(lead.FlagDisposableEmail, partyPath(i, "emails"), "")
			}
			if seenEmail(p.Emails[:j], e) {
				w.change(partyPath(i, "emails["+strconv.Itoa(j)+"]"), "twice", e.Raw, "")
				p.Emails = append(p.Emails[:j], p.Emails[j+1:]...)
				j--
			}
			continue
		}
		if blank := strings.TrimSpace(e.Raw) == ""; blank || lead.Placeholder(e.Raw) {
			if !blank {
				w.l.AddFlag(lead.FlagPlaceholderValue, partyPath(i, "emails"), "")
				w.change(partyPath(i, "emails["+strconv.Itoa(j)+"]"), "placeholder", e.Raw, "")
			}
			p.Emails = append(p.Emails[:j], p.Emails[j+1:]...)
			j--
			continue
		}
		w.l.AddFlag(lead.FlagEmailUnreadable, partyPath(i, "emails"), "")
	}
}

func seenEmail(list []lead.Email, e *lead.Email) bool {
	for k := range list {
		if list[k].Valid && strings.EqualFold(list[k].Address, e.Address) {
			return true
		}
	}
	return false
}

// cutSeveral parts "a@x.example; b@y.example".
func cutSeveral(s string) (first, rest string, ok bool) {
	i := strings.IndexAny(s, ";,")
	if i < 0 {
		if i = strings.IndexByte(strings.TrimSpace(s), ' '); i < 0 || strings.Count(s, "@") < 2 {
			return s, "", false
		}
		s = strings.TrimSpace(s)
	}
	first, rest = strings.TrimSpace(s[:i]), strings.TrimSpace(s[i+1:])
	return first, rest, strings.IndexByte(first, '@') > 0 && strings.IndexByte(rest, '@') > 0
}

// phones reads the numbers as the market writes them, else as the party's own country does, and
// drops what is empty or there twice.
func (w *work) phones(i int, p *lead.Party) {
	for j := 0; j < len(p.Phones); j++ {
		ph := &p.Phones[j]
		if ph.E164 == "" {
			read := lead.ParsePhone(ph.Raw, w.market.country)
			if c := p.Address.Country; !read.Valid && len(c) == 2 && c != w.market.country {
				read = lead.ParsePhone(ph.Raw, c)
			}
			if read.Valid {
				if ph.Type != lead.PhoneTypeUnspecified {
					read.Type = ph.Type // the sender knows better what the line is used for
				}
				read.Preferred = ph.Preferred
				if read.Extension == "" {
					read.Extension = ph.Extension
				}
				*ph = read
				if ph.E164 != ph.Raw {
					w.change(partyPath(i, "phones["+strconv.Itoa(j)+"]"), "phone", ph.Raw, ph.E164)
				}
			}
		}
		if ph.E164 != "" {
			if !w.g.skip[stepExamples] && lead.FictionalPhone(ph.E164) {
				w.l.AddFlag(lead.FlagPhoneFictional, partyPath(i, "phones"), "")
			}
			if k := seenPhone(p.Phones[:j], ph); k >= 0 {
				p.Phones[k].Preferred = p.Phones[k].Preferred || ph.Preferred
				w.change(partyPath(i, "phones["+strconv.Itoa(j)+"]"), "twice", ph.Raw, "")
				p.Phones = append(p.Phones[:j], p.Phones[j+1:]...)
				j--
			}
			continue
		}
		if blank := strings.TrimSpace(ph.Raw) == ""; blank || lead.Placeholder(ph.Raw) {
			if !blank {
				w.l.AddFlag(lead.FlagPlaceholderValue, partyPath(i, "phones"), "")
				w.change(partyPath(i, "phones["+strconv.Itoa(j)+"]"), "placeholder", ph.Raw, "")
			}
			p.Phones = append(p.Phones[:j], p.Phones[j+1:]...)
			j--
			continue
		}
		w.l.AddFlag(lead.FlagPhoneUnreadable, partyPath(i, "phones"), "")
	}
}

func seenPhone(list []lead.Phone, ph *lead.Phone) int {
	for k := range list {
		if list[k].E164 == ph.E164 && list[k].Extension == ph.Extension {
			return k
		}
	}
	return -1
}

// address reads country, region and postal code. Without a country the market's is tried, then
// its neighbour across the US-Canadian border, whose codes cannot be confused.
func (w *work) address(i int, a *lead.Address) {
	w.streets(i, a)
	country := a.Country
	if country != "" {
		if c, ok := lead.CountryCode(country); ok {
			w.set(fieldCountry, i, "country", &a.Country, c)
			country = c
		} else {
			w.l.AddFlag(lead.FlagCountryUnknown, fieldCountry.path(i), "")
			country = ""
		}
	}
	assumed := country
	if assumed == "" {
		assumed = w.market.country
	}
	if a.Postal != "" {
		postal, ok := lead.ParsePostal(a.Postal, assumed)
		if !ok && country == "" && a.Country == "" {
			for _, pair := range [...][2]string{{"US", "CA"}, {"CA", "US"}} {
				if assumed != pair[0] {
					continue
				}
				if p, fits := lead.ParsePostal(a.Postal, pair[1]); fits && len(p) >= 5 {
					postal, ok, assumed = p, true, pair[1]
					w.set(fieldCountry, i, "country_of_postal", &a.Country, pair[1])
					break
				}
			}
		}
		if !ok {
			w.l.AddFlag(lead.FlagPostalMalformed, fieldPostal.path(i), assumed)
		}
		w.set(fieldPostal, i, "postal", &a.Postal, postal)
	}
	if a.Region != "" {
		region, ok := lead.RegionCode(a.Region, assumed)
		if !ok {
			w.l.AddFlag(lead.FlagRegionUnknown, fieldRegion.path(i), assumed)
		}
		w.set(fieldRegion, i, "region", &a.Region, region)
	}
}

// streets frees street lines of needless spaces and drops those that say nothing.
func (w *work) streets(i int, a *lead.Address) {
	for j := 0; j < len(a.Streets); j++ {
		line := lead.Squeeze(a.Streets[j])
		rule := "trim"
		if lead.Placeholder(line) {
			line, rule = "", "placeholder"
			w.l.AddFlag(lead.FlagPlaceholderValue, partyPath(i, "address.streets"), "")
		}
		if line != a.Streets[j] {
			w.change(partyPath(i, "address.streets["+strconv.Itoa(j)+"]"), rule, a.Streets[j], line)
			a.Streets[j] = line
		}
		if line == "" {
			a.Streets = append(a.Streets[:j], a.Streets[j+1:]...)
			j--
		}
	}
}

// born brings a date of birth into ISO form and flags minors and dates to come.
func (w *work) born(i int, p *lead.Party) {
	if p.Born == "" {
		return
	}
	t, err := time.Parse(time.DateOnly, p.Born)
	if err != nil {
		read, _, ok := lead.ParseTime(p.Born, time.UTC, w.market.dayFirst)
		if !ok {
			w.l.AddFlag(lead.FlagTimeUnreadable, fieldBorn.path(i), "")
			return
		}
		w.set(fieldBorn, i, "date", &p.Born, read.Format(time.DateOnly))
		t, _ = time.Parse(time.DateOnly, p.Born)
	}
	switch {
	case t.After(w.at):
		w.l.AddFlag(lead.FlagFutureDate, fieldBorn.path(i), "")
	case w.g.minorAge > 0 && t.AddDate(w.g.minorAge, 0, 0).After(w.at):
		w.l.AddFlag(lead.FlagMinorSuspected, fieldBorn.path(i), "")
	}
}

// languageTag writes a language as BCP 47 does: "en_us" and "English" become "en-US" and "en".
// What is no tag stays.
func languageTag(s string) string {
	if s == "" || len(s) == 2 && s[0] >= 'a' && s[0] <= 'z' && s[1] >= 'a' && s[1] <= 'z' {
		return s
	}
	switch lead.Fold(s) {
	case "english", "anglais", "englisch", "ingles", "eng":
		return "en"
	case "german", "deutsch", "allemand", "aleman", "deu", "ger":
		return "de"
	case "french", "francais", "franzosisch", "fra", "fre":
		return "fr"
	case "spanish", "espanol", "spanisch", "spa", "esp":
		return "es"
	}
	primary, region, tagged := strings.Cut(strings.ReplaceAll(s, "_", "-"), "-")
	if len(primary) != 2 && len(primary) != 3 || !asciiLetters(primary) {
		return s
	}
	if !tagged {
		if len(primary) == 2 {
			return strings.ToLower(primary)
		}
		return s
	}
	if len(region) == 2 && asciiLetters(region) {
		return strings.ToLower(primary) + "-" + strings.ToUpper(region)
	}
	return s
}

func asciiLetters(s string) bool {
	for i := range len(s) {
		if c := s[i] | 0x20; c < 'a' || c > 'z' {
			return false
		}
	}
	return true
}
