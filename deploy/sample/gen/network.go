package main

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

// The two brands of the made-up manufacturer Norrvind Motors.
const (
	norrvind = "NORRVIND"
	solvane  = "SOLVANE"
)

// The two rows of dealers.csv that are no stores.
const (
	deskID = "nv-desk"
	bdcID  = "nv-bdc-01"
)

const storeCount = 400

// network is everything the CSV files below network/ say, stores first in the order of their ids.
type network struct {
	stores []*store
	phones map[string]int // area code -> numbers handed out
}

// store is one row of dealers.csv with what hangs on it.
type store struct {
	site
	id, name, kind, group, entity, street string
	zone, status                          string
	pausedFrom, pausedTo, pauseReason     string
	overflow, successor                   string
	phone                                 string
	brands                                []string
	certificates                          []certificate
	languages                             []string
	crm                                   bool // its own system names the person
	bdc                                   bool // the group's desk works its sales leads
	groupNumber                           int  // position inside a group that shares one dealer code, from 1
}

// random returns the source of chance of one store and purpose, so that a change of one store
// leaves all others as they are.
func random(id, purpose string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(id + "/" + purpose))
	return rand.New(rand.NewPCG(h.Sum64(), 20260115))
}

func build(us []place) *network {
	byState := map[string][]place{}
	for _, p := range us {
		byState[p.region] = append(byState[p.region], p)
	}
	counts := share(byState, storeCount)
	n := &network{phones: map[string]int{}}
	for _, state := range slices.Sorted(maps.Keys(byState)) {
		for i, s := range choose(byState[state], counts[state]) {
			n.stores = append(n.stores, n.open(s, i))
		}
	}
	n.joinGroups()
	n.changeStatus()
	n.certify()
	n.stores = append(n.stores, n.groupDesk(), n.manufacturerDesk())
	return n
}

// open founds the i-th store of a state, counted from 0.
func (n *network) open(s site, i int) *store {
	st := &store{site: s, id: fmt.Sprintf("nv-%s-%03d", strings.ToLower(s.region), i+1), kind: "ROOFTOP", status: "LIVE", zone: zone(s.place)}
	r := random(st.id, "store")
	st.brands = brandsFor(r, s, i)
	st.name = storeName(r, s, st.brands)
	st.entity = familyName(r) + pick(r, []string{" Automotive LLC", " Motors Inc.", " Auto Holdings LLC", " Dealership Co."})
	st.street = fmt.Sprintf("%d %s", 100+r.IntN(9000), pick(r, streets))
	// The building stands somewhere in the area of its postal code.
	st.lat += (r.Float64() - 0.5) * 0.02
	st.lon += (r.Float64() - 0.5) * 0.02
	st.phone = n.number(s.region)
	st.crm = r.IntN(100) < 45
	st.languages = []string{"en"}
	for k, language := range stateLanguages[s.region] {
		if r.IntN(100) < 45/(k+1) {
			st.languages = append(st.languages, language)
		}
	}
	return st
}

// brandsFor: the premium brand stands where many people live; the first store of a state of
// some size sells both.
func brandsFor(r *rand.Rand, s site, i int) []string {
	both := []string{norrvind, solvane}
	if i == 0 && (s.density >= 40 || s.region == "AK" || s.region == "HI") {
		return both
	}
	d := r.IntN(100)
	switch {
	case s.density >= 120:
		switch {
		case d < 45:
			return both[:1]
		case d < 72:
			return both
		}
		return both[1:]
	case s.density >= 50:
		switch {
		case d < 68:
			return both[:1]
		case d < 92:
			return both
		}
		return both[1:]
	case d < 92:
		return both[:1]
	}
	return both
}

// number hands out the next number of the exchange 555-01xx, which is reserved for fiction.
func (n *network) number(state string) string {
	codes := areaCodes[state]
	for _, code := range codes {
		if used := n.phones[code]; used < 100 {
			n.phones[code]++
			return fmt.Sprintf("+1%s5550%d", code, 100+used)
		}
	}
	return ""
}

// Groups own several stores of neighbouring states. The first one runs one desk for all its
// stores and has one dealer code for them, told apart by sub-codes.
var groupStates = [][]string{
	{"TX", "OK"}, {"TX", "LA", "AR"}, {"CA"}, {"CA", "NV"}, {"FL"}, {"FL", "GA"}, {"NY", "NJ"}, {"NY", "CT"}, {"PA", "OH"},
	{"OH", "IN"}, {"IL", "WI"}, {"MI"}, {"MN", "IA", "ND"}, {"MO", "KS"}, {"VA", "MD", "DC"}, {"NC", "SC"}, {"TN", "AL"},
	{"MA", "RI", "NH"}, {"WA", "OR"}, {"AZ", "NM"}, {"CO", "UT"}, {"KY", "WV"}, {"ME", "VT"}, {"NE", "SD"}, {"ID", "MT"},
}

func (n *network) joinGroups() {
	used := map[string]bool{}
	var names []string
	for i := range groupStates {
		r := random(fmt.Sprint(i), "group")
		name := familyName(r)
		for used[name] {
			name = familyName(r)
		}
		used[name] = true
		names = append(names, name+pick(r, []string{" Automotive Group", " Motor Group", " Auto Group"}))
	}
	members := 0
	for _, st := range n.stores {
		r := random(st.id, "group")
		var near []int
		for g, states := range groupStates {
			if slices.Contains(states, st.region) {
				near = append(near, g)
			}
		}
		if len(near) == 0 || r.IntN(100) >= 45 {
			continue
		}
		g := near[r.IntN(len(near))]
		st.group = names[g]
		if g == 0 {
			members++
			st.groupNumber = members
			st.bdc, st.crm = true, false
		}
	}
}

func (n *network) groupDesk() *store {
	st := &store{id: bdcID, kind: "BDC", status: "LIVE", zone: "America/Chicago", brands: []string{norrvind, solvane}, languages: []string{"en", "es"}}
	for _, m := range n.stores {
		if m.groupNumber == 1 {
			st.group, st.entity, st.site = m.group, m.entity, m.site
		}
	}
	st.name = st.group + " Customer Desk"
	st.street = "4100 Foundry Lane"
	st.phone = n.number(st.region)
	return st
}

func (n *network) manufacturerDesk() *store {
	home := n.store("nv-mi-001")
	return &store{
		site: home.site, id: deskID, name: "Norrvind Motors Customer Desk", kind: "DESK", entity: "Norrvind Motors of America Inc.",
		street: "1 Norrvind Plaza", zone: home.zone, status: "LIVE", phone: n.number(home.region),
		brands: []string{norrvind, solvane}, languages: []string{"en", "es", "de", "fr"},
	}
}

func (n *network) store(id string) *store {
	for _, st := range n.stores {
		if st.id == id {
			return st
		}
	}
	return nil
}

// nearest returns the nearest other live store that sells every brand st sells; nil if none.
func (n *network) nearest(st *store) *store {
	var best *store
	for _, o := range n.stores {
		if o == st || o.status != "LIVE" || o.kind != "ROOFTOP" || slices.ContainsFunc(st.brands, func(b string) bool { return !slices.Contains(o.brands, b) }) {
			continue
		}
		if best == nil || kilometres(st.lat, st.lon, o.lat, o.lon) < kilometres(st.lat, st.lon, best.lat, best.lon) {
			best = o
		}
	}
	return best
}

// changeStatus gives some stores the states that a network of this size always has. All are
// fixed before any neighbour is looked up, so that nobody hands over to a store in trouble.
func (n *network) changeStatus() {
	type change struct{ id, status, from, to, reason string }
	changes := []change{
		{"nv-tx-005", "PAUSED", "2026-10-01", "2027-03-31", "showroom being rebuilt"},
		{"nv-fl-004", "PAUSED", "2026-11-09", "", "storm damage"},
		{"nv-or-002", "PAUSED", "2026-11-16", "2026-12-31", "change of dealer system"},
		{"nv-wi-003", "PAUSED", "2027-01-11", "2027-01-24", "move to the new building"},
		{"nv-az-003", "ONBOARDING", "", "", ""},
		{"nv-co-004", "ONBOARDING", "", "", ""},
		{"nv-ga-006", "ONBOARDING", "", "", ""},
		{"nv-mi-005", "CLOSING", "", "", ""},
		{"nv-nc-004", "CLOSING", "", "", ""},
		{"nv-oh-007", "CLOSED", "", "", ""},
		{"nv-ca-012", "CLOSED", "", "", ""},
	}
	for _, c := range changes {
		st := n.store(c.id)
		st.status, st.pausedFrom, st.pausedTo, st.pauseReason = c.status, c.from, c.to, c.reason
	}
	for _, c := range changes {
		st := n.store(c.id)
		other := n.nearest(st)
		switch {
		case c.from != "":
			st.overflow = other.id
		case c.status == "CLOSED" || c.status == "CLOSING":
			st.successor = other.id
		}
	}
	// Busy stores may name an overflow without any pause.
	for _, st := range n.stores {
		if st.status == "LIVE" && st.overflow == "" && st.density > 150 && random(st.id, "overflow").IntN(3) == 0 {
			if o := n.nearest(st); o != nil && kilometres(st.lat, st.lon, o.lat, o.lon) < 40 {
				st.overflow = o.id
			}
		}
	}
}

func (n *network) dealerTable() table {
	t := newTable("dealers.csv", "dealer_id,name,kind,group,legal_entity,country,postal_code,street,city,region,latitude,longitude,time_zone,status,paused_from,paused_to,pause_reason,overflow_dealer_id,succeeded_by,phone,email,website")
	slices.SortStableFunc(n.stores, func(a, b *store) int { return cmp.Compare(a.id, b.id) })
	for _, s := range n.stores {
		t.add(s.id, s.name, s.kind, s.group, s.entity, s.country, s.postal, s.street, s.place.name, s.region, degrees(s.lat), degrees(s.lon), s.zone,
			s.status, s.pausedFrom, s.pausedTo, s.pauseReason, s.overflow, s.successor, s.phone, "leads@"+s.id+".example.com", "https://"+s.id+".example.com")
	}
	return t
}

// codeTable: one code of the manufacturer per brand; the codes of dealer systems; a few stores were recoded.
func (n *network) codeTable() table {
	t := newTable("dealer_codes.csv", "dealer_id,brand,scheme,code,sub_code,department,valid_from,valid_to")
	next := map[string]int{norrvind: 40100, solvane: 70100}
	shared := map[string]string{}
	for _, s := range n.stores {
		if s.kind != "ROOFTOP" {
			continue
		}
		r := random(s.id, "code")
		since := fmt.Sprintf("%d-%02d-01", 2008+r.IntN(16), 1+r.IntN(12))
		until := ""
		switch s.status {
		case "CLOSED":
			until = "2026-06-30"
		case "ONBOARDING":
			since = "2026-11-01"
		}
		for _, b := range s.brands {
			next[b] += 1 + r.IntN(7)
			code, sub := fmt.Sprint(next[b]), ""
			if s.groupNumber > 0 {
				if shared[b] == "" {
					shared[b] = code
				}
				code, sub = shared[b], fmt.Sprintf("%02d", s.groupNumber)
			}
			if s.status == "LIVE" && s.groupNumber == 0 && r.IntN(40) == 0 {
				t.add(s.id, b, "oem", fmt.Sprintf("9%04d", next[b]%10000), "", "", "2006-01-01", "2024-12-31")
				since = "2025-01-01"
			}
			t.add(s.id, b, "oem", code, sub, "", since, until)
		}
		dms := fmt.Sprintf("D%06d", 100000+r.IntN(899999))
		t.add(s.id, "", "dms", dms, "S", "SERVICE", since, until)
		t.add(s.id, "", "dms", dms, "V", "NEW", since, until)
		if s.crm {
			for _, d := range []string{"NEW", "USED", "SERVICE"} {
				t.add(s.id, "", "crm", strings.ReplaceAll(s.id, "-", ""), strings.ToLower(d), d, since, until)
			}
		}
	}
	return t
}
