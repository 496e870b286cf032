package identity

// Dictionary is what is known of names before any record is seen: which are short forms of which,
// how frequent they are, and whether men or women have them. It is immutable once built and may be
// shared by goroutines. A nil Dictionary knows nothing. Package names holds the shipped one.
type Dictionary struct {
	nicknames map[string][]uint16 // groups of a folded given name; names of one group may be one person's
	given     map[string]Bearers  // of a folded given name
	family    map[string]float64  // share of people with a folded family name
}

// Bearers are the people who have a given name: their share of all people, and the share of women among
// them, each between 0 and 1.
type Bearers struct {
	Share, Women float64
}

// NewDictionary makes a dictionary from groups of folded given names that one person may go by, from
// the bearers of folded given names, and from the shares of people, between 0 and 1, that have a folded
// family name.
func NewDictionary(groups [][]string, given map[string]Bearers, family map[string]float64) *Dictionary {
	d := &Dictionary{nicknames: map[string][]uint16{}, given: given, family: family}
	for i, g := range groups {
		for _, n := range g {
			d.nicknames[n] = append(d.nicknames[n], uint16(i))
		}
	}
	return d
}

// related reports that one person may go by two given names, as Bob and Robert, by the groups they are in.
func related(a, b []uint16) bool {
	for _, x := range a {
		for _, y := range b {
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
		return d.given[name].Share
	case f == FieldFamilyName:
		return d.family[name]
	}
	return 0
}

// oneSex is how many of those who have a name must be men, or women, for it to be a man's or a woman's.
const oneSex = 0.8

// knownShare is how many people must have a given name for it to be no misspelling of another, however
// frequent that is: one in a few hundred of those who have the most frequent one.
const knownShare = 1.0 / 40_000

// sex is whose a given name is.
type sex uint8

const (
	anybodys sex = iota // also of names that are not known
	mans
	womans
)

// lookUp returns whether many have a given name, and whose it is. A name that the dictionary has need
// not be frequent to be a woman's: misspelled names of men are men's too.
func (d *Dictionary) lookUp(given string) (known bool, whose sex) {
	b, ok := d.given[given]
	switch {
	case !ok:
	case b.Women >= oneSex:
		whose = womans
	case b.Women <= 1-oneSex:
		whose = mans
	}
	return b.Share >= knownShare, whose
}
