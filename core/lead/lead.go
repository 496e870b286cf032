// Package lead holds the lead as a value: the nouns every other package of the core works on,
// their codes, and the parsing and normalising of the facts a lead carries (contacts, vehicles,
// money, time). It is pure: no clock, no I/O.
package lead

import "time"

// Lead is one expression of interest that somebody must follow up. It is a plain value; whoever
// holds one may change it, copies share slices.
type Lead struct {
	ID   ID
	Test bool // travels the whole road marked TEST, outside every figure

	Line        Line
	RequestType RequestType
	RawRequest  string // the sender's own words for the request type
	Origin      Origin
	Trigger     bool // made from signals, not by a request of the customer
	DigitalOnly bool // a trigger or signal lead without request type, visit, call or service history

	Brand       string // brand code of the network, upper case; "" while unknown
	Market      string // ISO 3166-1 alpha-2 country of the market
	Choice      DealerChoice
	Dealer      DealerReference
	Source      Source
	Campaign    Campaign
	Identifiers []Identifier

	RequestedAt time.Time // the source's time if plausible, else ReceivedAt
	ReceivedAt  time.Time // when the first byte was durable here

	Parties   []Party
	Vehicles  []Vehicle
	TimeFrame TimeFrame
	Finance   Finance
	Comments  string
	Language  string // BCP 47, the lead's preferred language; a preference, not a gate

	Consents []Consent
	Changes  []Change
	Flags    []Flag
	Extra    []Field // what the sender sent and no field holds

	Resend         bool   // the sender marks this as a repetition
	IdempotencyKey string // the sender's key for this submission
}

// DealerReference names a dealer by whatever the sender knows; the first given field that is found
// decides.
type DealerReference struct {
	ID, Code, Scheme, Name string
}

// Source says where a lead came from, from the widest to the narrowest word.
type Source struct {
	Channel, Source, SubSource, Provider, Medium, Form string
}

// Campaign carries the marketing identifiers of a lead.
type Campaign struct {
	ID, Name, Medium, Offer, Term, Content, AdID, AdGroup string
	ClickIDs                                              []string // kind:value, e.g. gclid:...
}

// Identifier is one identifier the lead or its person has in another system.
type Identifier struct {
	Kind   IDKind
	Source string // the system or store that issued it
	Value  string
}

// Party is a human or a company of a lead, each with its own contact points.
type Party struct {
	Role      PartyRole
	Name      Name
	Emails    []Email
	Phones    []Phone
	Address   Address
	Born      string // YYYY-MM-DD when given; used for identity only, never for a score
	Language  string
	BestTime  string
	Preferred Channel
}

// Name is a person's or a company's name as given, in parts when they are known.
type Name struct {
	Full, Prefix, Given, Middle, Family, Suffix, Company string
}

// Email is an e-mail address. Address is what to send to; Key is for matching only.
type Email struct {
	Raw, Address, Key string
	Valid             bool
}

// Phone is a phone number. E164 is "" when the number could not be read; Extension holds digits
// to dial after the call is taken.
type Phone struct {
	Raw, E164 string
	Extension string
	Type      PhoneType
	Preferred bool
	Valid     bool
}

// Address is a postal address. Country is ISO 3166-1 alpha-2, Region the ISO 3166-2 subdivision
// without the country.
type Address struct {
	Streets                             []string
	Unit, City, Region, Postal, Country string
}

// Vehicle is a vehicle of a lead: sought, owned or traded.
type Vehicle struct {
	Role         VehicleRole
	Status       VehicleStatus
	Interest     Interest
	Year         int // 0 when not given
	Make, Model  string
	ModelCode    string // the catalogue's code; "" while unknown
	Trim, Body   string
	Powertrain   Powertrain
	VIN          string
	VINValid     bool
	Stock        string
	Color        string
	Odometer     int64 // in OdometerUnit; -1 when not given
	OdometerUnit OdometerUnit
	Condition    string
	Price        Money
	Payoff       Money
	Lender       string
	Comments     string
	Options      []string
}

// Money is an amount in minor units of its currency (cents). Currency is ISO 4217; "" means
// that there is no amount.
type Money struct {
	Minor    int64
	Currency string
}

// TimeFrame says when the customer means to act. The dates are days; zero when not given.
type TimeFrame struct {
	Text             string
	Earliest, Latest time.Time
}

// Finance is what the customer said about paying.
type Finance struct {
	Method                        string // cash, finance, lease
	DownPayment, Monthly, Balance Money
}

// Consent is one append-only fact: the state of one purpose and channel toward one controller.
type Consent struct {
	Controller   Controller
	ControllerID string // the dealer, group or captive; "" for the OEM
	Purpose      Purpose
	Channel      Channel
	ContactPoint string // normalised; "" means every contact point of the person
	State        ConsentState
	TextVersion  string
	Place        string
	Evidence     string
	At           time.Time
	ValidUntil   time.Time // when a grant ends by itself; zero means it does not
}

// Change is one rewriting of a field by a governance rule. Before and After may hold personal
// data: they are shown with the lead, never logged.
type Change struct {
	Field, Rule, Before, After string
}

// Flag is one doubt about a lead that did not stop it.
type Flag struct {
	Code   string // snake_case, stable; see flag.go
	Field  string
	Detail string
}

// Field is a named value that no field of the lead holds.
type Field struct {
	Path, Value string
}

// Primary returns the party the follow-up is for: the primary one, else the first; nil if the
// lead has none.
func (l *Lead) Primary() *Party {
	for i := range l.Parties {
		if l.Parties[i].Role == PartyRolePrimary {
			return &l.Parties[i]
		}
	}
	if len(l.Parties) > 0 {
		return &l.Parties[0]
	}
	return nil
}

// Vehicle returns the first vehicle in a role; nil if there is none.
func (l *Lead) Vehicle(role VehicleRole) *Vehicle {
	for i := range l.Vehicles {
		if l.Vehicles[i].Role == role {
			return &l.Vehicles[i]
		}
	}
	return nil
}

// Flagged reports whether a flag of this code is on the lead.
func (l *Lead) Flagged(code string) bool {
	for i := range l.Flags {
		if l.Flags[i].Code == code {
			return true
		}
	}
	return false
}
