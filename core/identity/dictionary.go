package identity

// Dictionary is what is known of names before any record is seen: which are short forms of which,
// and how frequent they are. It is immutable once built and may be shared by goroutines. A nil
// Dictionary knows nothing. Package names holds the shipped one.
type Dictionary struct {
	nicknames map[string][]uint16 // groups of a folded given name; names of one group may be one person's
	given     map[string]float64  // share of people with a folded given name
	family    map[string]float64  // share of people with a folded family name
}

// NewDictionary makes a dictionary from groups of folded given names that one person may go by, and
// from the shares of people, between 0 and 1, that have a folded given or family name.
func NewDictionary(groups [][]string, given, family map[string]float64) *Dictionary {
	d := &Dictionary{nicknames: map[string][]uint16{}, given: given, family: family}
	for i, g := range groups {
		for _, n := range g {
			d.nicknames[n] = append(d.nicknames[n], uint16(i))
		}
	}
	return d
}

// Related reports whether one person may go by both folded given names, as Bob and Robert.
func (d *Dictionary) Related(a, b string) bool {
	if d == nil {
		return false
	}
	for _, x := range d.nicknames[a] {
		for _, y := range d.nicknames[b] {
			if x == y {
				return true
			}
		}
	}
	return false
}

// Share returns the share of people, between 0 and 1, that have a folded given or family name; 0 when
// it is not known.
func (d *Dictionary) Share(f Field, name string) float64 {
	switch {
	case d == nil:
		return 0
	case f == FieldGivenName:
		return d.given[name]
	case f == FieldFamilyName:
		return d.family[name]
	}
	return 0
}
