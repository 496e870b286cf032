package routing

import "github.com/leadmesh/leadmesh/core/lead"

const (
	maxPrograms  = 64 // so that a set of programs is one word
	maxLanguages = 32
	lineCount    = int(lead.LineCare) + 1
	departments  = int(lead.DepartmentFleet) + 1
)

// Snapshot is a compiled network and policy. It is immutable to its readers and safe for any
// number of them; lists of nearest stores fill up behind atomic pointers as they are asked for.
type Snapshot struct {
	network, playbook string // revisions
	places            places
	dealers           []dealer // by country and position, so that neighbours share cache lines
	units             []unit   // departments: all of a kind together, then in the order of the dealers
	details           []Unit   // of the units
	brands            [][]string
	byID              map[string]int32 // number of a dealer
	territories       map[territoryKey][]holder
	markets           map[string]*market
	franchises        map[franchiseKey]*franchise
	nowhere           *franchise // of a market that the network does not have
	programs          []program
	languages         map[string]uint32 // bit of unit.languages
	roles             [lineCount]lead.Role
	codes             map[string][]codeRow
	byName            map[string]int32 // number of a dealer; -1 when several share the name
}

// dealer is a store or desk with what the choice needs to know about it.
type dealer struct {
	id             string
	country        string
	at             vector
	kind           Kind
	status         Status
	overflow, heir int32              // dealers; -1 for none
	units          [departments]int32 // numbers of its units by department; -1 for none
	certificates   []certificate
}

type certificate struct {
	program uint8
	valid   Span
}

// unit is a department of a store: what the choice among many reads of it, in one cache line.
type unit struct {
	id         string // of the dealer
	paused     Span
	held       uint64 // programs with a certificate, expired or not
	dated      bool   // one of them has a beginning or an end
	dealer     int32
	cap        int32 // declared or inferred; -1 for none
	languages  uint32
	department lead.Department
	status     Status
}

// Unit describes a department of a store to those who feed a Live.
type Unit struct {
	Dealer        string
	Department    lead.Department
	TimeZone      string
	Capped        bool
	CapPerDay     int32 // read only when Capped
	PersonSetting PersonSetting
	BDC           string // dealer id of the desk that works its leads; "" for none
}

// Units returns how many departments the snapshot has; they are numbered from 0. The numbers
// hold for this snapshot only.
func (s *Snapshot) Units() int { return len(s.units) }

// Unit returns the description of a department by its number.
func (s *Snapshot) Unit(number int) Unit { return s.details[number] }

// UnitOf returns the number of a department of a dealer; ok is false when there is none.
func (s *Snapshot) UnitOf(dealerID string, d lead.Department) (number int, ok bool) {
	n, ok := s.byID[dealerID]
	if !ok || int(d) >= departments || s.dealers[n].units[d] < 0 {
		return 0, false
	}
	return int(s.dealers[n].units[d]), true
}

// Revisions returns the revisions of the network and of the playbook that were compiled.
func (s *Snapshot) Revisions() (network, playbook string) { return s.network, s.playbook }

type program struct {
	code        string
	powertrains uint16
	models      map[string]struct{}
	fleet       bool
	mandatory   bool
	fallback    Fallback
	valid       Span
}

type market struct {
	policy  MarketPolicy
	k       int32
	desk    string          // "" when there is none
	allows  map[string]bool // countries of the stores that may take its leads
	brands  map[string]bool
	unknown *franchise // of a brand that no store of the market has
}

type territoryKey struct{ country, postal, brand string }

type franchiseKey struct {
	market, brand string
	department    lead.Department
}

// unitFor returns the unit of a dealer that works a brand in a department, or in the department
// that stands in for it; -1 for none. Brand "" is any brand.
func (s *Snapshot) unitFor(d *dealer, brand string, department lead.Department) int32 {
	for ; department != lead.DepartmentUnspecified; department = standIn(department) {
		if u := d.units[department]; u >= 0 && s.sells(u, brand) {
			return u
		}
	}
	return -1
}

func (s *Snapshot) sells(u int32, brand string) bool {
	brands := s.brands[u]
	if brand == "" || len(brands) == 0 {
		return true
	}
	for _, b := range brands {
		if b == brand {
			return true
		}
	}
	return false
}

// heirOf follows succeeded_by from a dealer that is closing or closed to the one that goes on.
// Compile has refused circles.
func (s *Snapshot) heirOf(n int32) int32 {
	for s.dealers[n].heir >= 0 && (s.dealers[n].status == StatusClosing || s.dealers[n].status == StatusClosed) {
		n = s.dealers[n].heir
	}
	return n
}

// franchise returns what a market, brand and department have in common. Every market has one for
// each of its brands and departments, and one for all other brands.
func (s *Snapshot) franchise(marketCountry, brand string, d lead.Department) (*franchise, Doubt) {
	if f := s.franchises[franchiseKey{marketCountry, brand, d}]; f != nil {
		if brand == "" {
			return f, DoubtNoBrand
		}
		return f, 0
	}
	if m := s.markets[marketCountry]; m != nil {
		return m.unknown, DoubtBrandUnknown
	}
	return s.nowhere, DoubtMarketUnknown
}
