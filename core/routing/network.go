package routing

import "github.com/leadmesh/leadmesh/core/lead"

// Network is the dealer network as its import yields it: plain rows, in any order. Compile
// checks it; nothing here is checked by itself. Times are Unix seconds, coordinates millionths
// of a degree (north and east positive), countries ISO 3166-1 alpha-2 in upper case.
type Network struct {
	Revision    string // hash of the network's files; copied into every receipt
	Dealers     []Dealer
	Territories []Territory
	Programs    []Program
	Persons     []Person
	Points      []PostalPoint
}

// Span is a time from From (inclusive) to To (exclusive); 0 leaves that end open.
type Span struct {
	From, To int64
}

// Holds reports whether the span covers the time.
func (s Span) Holds(at int64) bool {
	return at >= s.From && (s.To == 0 || at < s.To)
}

// Dealer is a rooftop with its departments, or a desk.
type Dealer struct {
	ID          string // 1 to 40 characters, stable for ever
	Name        string
	Kind        Kind
	Group       string
	LegalEntity string
	Country     string
	Postal      string
	Latitude    int32
	Longitude   int32
	TimeZone    string // IANA name

	Status      Status
	Paused      Span // read when Status is PAUSED
	PauseReason string
	Overflow    string // id of the dealer that takes over while this one may not; "" for none
	SucceededBy string // id of the dealer that replaces a closing or closed one; "" for none

	Departments  []Department
	Codes        []Code
	Certificates []Certificate
}

// Department is a part of a rooftop. NEW and SERVICE name their brands; the others may leave
// them out and then work every brand.
type Department struct {
	Kind          lead.Department
	Brands        []string
	CapPerDay     int32 // most leads it takes a day; 0 declares none
	InferCap      bool  // the dealer opted in to a cap inferred from its roster
	PersonSetting PersonSetting
	BDC           string   // id of the desk that works its leads; needed by GROUP_BDC
	Languages     []string // BCP 47 primary subtags it answers in
}

// Code is one code by which a sender knows a dealer. Brand, Scheme, SubCode and Department may
// be empty: then they do not narrow the code.
type Code struct {
	Brand, Scheme, Code, SubCode string
	Department                   lead.Department
	Valid                        Span
}

// Certificate says that a dealer holds a program for a time.
type Certificate struct {
	Program string
	Valid   Span
}

// Territory gives one postal code of one brand to a dealer for a time.
type Territory struct {
	Country, Postal, Brand, Dealer string
	Valid                          Span
}

// Program is a strategic program. A lead requires it when any of the three conditions holds or
// when the lead names it.
type Program struct {
	Code        string
	Powertrains []lead.Powertrain
	Models      []string // model codes of the catalogue
	Fleet       bool     // required by fleet accounts
	Mandatory   bool     // step 1 refuses stores without it, where the rule says so
	Fallback    Fallback // needed by a mandatory program
	Valid       Span     // outside it nothing requires the program
}

// Person is one row of a roster.
type Person struct {
	ID       string
	Dealer   string
	Roles    []lead.Role
	Skills   []string // language subtags and program codes
	Shifts   string   // as ParseShifts reads it; "" is always on shift
	Absences []Span
	Active   bool
}

// PostalPoint is where a postal code is. Several rows of one code are averaged.
type PostalPoint struct {
	Country, Postal     string
	Region              string // ISO 3166-2 subdivision without the country; may be empty
	Latitude, Longitude int32
}

// Problem is one mistake in a network or policy. Path leads to the row and field, for example
// dealers[3].departments[0].brands; it holds no value of the row, Message may.
type Problem struct {
	Path, Message string
}

// Error returns the path and the message.
func (p Problem) Error() string { return p.Path + ": " + p.Message }
