package routing

import (
	"cmp"
	"slices"
	"sort"
	"strings"
)

// maxPostal is how many letters and digits of a postal code count; no country uses more.
const maxPostal = 10

// places finds a customer's place by postal code, prefix, region and country.
type places struct {
	countries map[string]*country
	count     int32 // postal codes of all countries
	names     []placeName
}

// placeName is the country and the code behind a number.
type placeName struct {
	country, code string
}

// country holds the postal codes of one country in rising order, with running sums of their
// points: the middle of any range of codes, thus of any prefix, is one subtraction.
type country struct {
	first   int32            // number of the country's first code among those of all countries
	index   map[uint64]int32 // by packPostal: one word, so that a look-up touches nothing else
	codes   []string
	points  []vector
	sums    []vector // sums[i] is the sum of points[:i]
	regions map[string]vector
}

// site is where distances are measured from.
type site struct {
	place  Place
	number int32 // of the postal code measured from; -1 when it is no single one
	at     vector
}

// KnowsPostal reports whether the network has a postal code of a country, or the code that a longer
// one (ZIP+4) begins with.
func (s *Snapshot) KnowsPostal(country, postal string) bool {
	return s.places.find(country, postal, "").number >= 0
}

func compilePlaces(rows []PostalPoint) places {
	p := places{countries: map[string]*country{}}
	order := make([]int32, len(rows))
	codes := make([]string, len(rows))
	for i := range rows {
		order[i] = int32(i)
		codes[i] = normalPostal(rows[i].Postal)
	}
	slices.SortFunc(order, func(a, b int32) int {
		x, y := &rows[a], &rows[b]
		return cmp.Or(strings.Compare(x.Country, y.Country), strings.Compare(codes[a], codes[b]),
			cmp.Compare(x.Latitude, y.Latitude), cmp.Compare(x.Longitude, y.Longitude), strings.Compare(x.Region, y.Region))
	})
	var c *country
	for i := 0; i < len(order); {
		row := &rows[order[i]]
		if i == 0 || rows[order[i-1]].Country != row.Country {
			c = &country{first: p.count, index: map[uint64]int32{}, sums: []vector{{}}, regions: map[string]vector{}}
			p.countries[row.Country] = c
		}
		code := codes[order[i]]
		var sum vector
		for ; i < len(order) && rows[order[i]].Country == row.Country && codes[order[i]] == code; i++ {
			x := &rows[order[i]]
			v := vectorOf(x.Latitude, x.Longitude)
			sum = sum.add(v)
			if x.Region != "" {
				c.regions[x.Region] = c.regions[x.Region].add(v)
			}
		}
		middle, ok := sum.onSphere()
		if !ok {
			middle = vectorOf(row.Latitude, row.Longitude)
		}
		c.index[packPostal([]byte(code))] = int32(len(c.codes))
		c.codes = append(c.codes, code)
		c.points = append(c.points, middle)
		c.sums = append(c.sums, c.sums[len(c.sums)-1].add(middle))
		p.names = append(p.names, placeName{row.Country, code})
		p.count++
	}
	return p
}

// find returns the most exact place known: the postal code, the longest prefix of it that other
// codes share, the region, the country. It does not allocate.
func (p *places) find(countryCode, postal, region string) site {
	c := p.countries[countryCode]
	if c == nil {
		return site{place: PlaceUnknown, number: -1}
	}
	var buf [maxPostal]byte
	code := appendPostal(buf[:0], postal)
	if countryCode == "GB" && len(code) >= 5 {
		code = code[:len(code)-3] // the index holds outward codes; the inward one is always three long
	}
	if i, ok := c.index[packPostal(code)]; ok {
		return site{PlacePostal, c.first + i, c.points[i]}
	}
	// A code longer than the known ones (ZIP+4) is exact enough at its known part.
	for n := len(code); n > 0; n-- {
		if i, ok := c.index[packPostal(code[:n])]; ok {
			return site{PlacePrefix, c.first + i, c.points[i]}
		}
		if v, ok := c.middle(code[:n]); ok {
			return site{PlacePrefix, -1, v}
		}
	}
	if v, ok := c.regions[region].onSphere(); ok {
		return site{PlaceRegion, -1, v}
	}
	if v, ok := c.sums[len(c.sums)-1].onSphere(); ok {
		return site{PlaceCountry, -1, v}
	}
	return site{place: PlaceUnknown, number: -1}
}

// middle returns the middle of all codes that begin with the prefix.
func (c *country) middle(prefix []byte) (vector, bool) {
	low := sort.Search(len(c.codes), func(i int) bool { return c.codes[i] >= string(prefix) })
	high := low + sort.Search(len(c.codes)-low, func(i int) bool {
		code := c.codes[low+i]
		return len(code) < len(prefix) || code[:len(prefix)] != string(prefix)
	})
	if low == high {
		return vector{}, false
	}
	return c.sums[high].sub(c.sums[low]).onSphere()
}

// normalPostal writes a postal code as the index holds it: letters and digits, upper case.
func normalPostal(s string) string {
	var buf [maxPostal]byte
	return string(appendPostal(buf[:0], s))
}

func appendPostal(dst []byte, s string) []byte {
	for i := 0; i < len(s) && len(dst) < maxPostal; i++ {
		switch b := s[i]; {
		case b >= '0' && b <= '9', b >= 'A' && b <= 'Z':
			dst = append(dst, b)
		case b >= 'a' && b <= 'z':
			dst = append(dst, b-'a'+'A')
		}
	}
	return dst
}

// packPostal packs a normalised postal code into one word, six bits a character; no two codes
// share one.
func packPostal(code []byte) uint64 {
	var w uint64
	for _, b := range code {
		if b >= 'A' {
			b -= 'A' - '9' - 1
		}
		w = w<<6 | uint64(b-'0'+1)
	}
	return w
}
