package routing

import "github.com/leadmesh/leadmesh/core/lead"

// Policy is the routing part of a playbook. Shares and factors are parts per million.
type Policy struct {
	Revision string // revision of the playbook; copied into every receipt
	Desk     string // dealer of kind DESK that takes what nobody else may
	Markets  []Market
	Rules    []Rule     // the most specific one counts: brand and line, brand, line, neither
	Overflow []Overflow // the most specific one counts: market, brand and line as given
	Roles    []LineRole // replaces entries of the default table

	// RosterLeadsPerDay is how many leads a day one active person is good for, where a
	// department opted in to an inferred cap; 0 infers none.
	RosterLeadsPerDay int32
}

// Market is what one country's market says. A market without a row follows TERRITORY with the
// policy's desk and only its own dealers.
type Market struct {
	Country   string
	Policy    MarketPolicy
	K         int32    // how many of the best compare at most, 1 to 20; also where no territory dealer may take a lead
	Countries []string // further countries whose dealers may take this market's leads
	Desk      string   // replaces the policy's desk
}

// Rule holds the numbers for leads of a brand and line.
type Rule struct {
	Brand string    // "" for every brand
	Line  lead.Line // 0 for every line

	NormalDistance int32 // metres a customer normally goes to a store; at this distance a store counts half
	KnownFactor    int32 // in thousandths of the normal distance: how far "who knows them" reaches
	MaxDistance    int32 // metres beyond which step 5 does not look; 0 for no limit

	PerformanceCap int32 // by how much performance may move a share, of that share
	MinimumShare   int32 // least share of each of the equals
	Exploration    int32 // least share of each of the equals for the sake of learning
	Equals         int32 // a store is an equal from this part of the best expected result on

	Closed          int32 // factor while the department is closed
	MissingProgram  int32 // factor for each required program that a store does not hold
	OtherLanguage   int32 // factor where nobody speaks the customer's language
	ServiceMemory   int64 // seconds since the service visit for which the store knows the customer
	SellingMemory   int64 // seconds since the sale for which the store knows the customer
	MandatoryCounts bool  // mandatory programs bind in step 1
	MoveRule        bool  // an untouched lead may be moved to another dealer; read by the clocks, not here
}

// Overflow names the store that takes leads that no other store may take. Empty fields match
// everything.
type Overflow struct {
	Market, Brand string
	Line          lead.Line
	Dealer        string
}

// LineRole replaces the role that works a line.
type LineRole struct {
	Line lead.Line
	Role lead.Role
}

const (
	million = 1_000_000
	day     = 24 * 60 * 60
	month   = 2_629_746 // seconds of a mean Gregorian month
)

// DefaultRule returns the published starting values: 40 km, twice that for who knows them, 18
// and 48 months of memory, performance within 15 %, mandatory programs bind, no moves.
func DefaultRule() Rule {
	return Rule{
		NormalDistance:  40_000,
		KnownFactor:     2_000,
		PerformanceCap:  150_000,
		MinimumShare:    50_000,
		Equals:          800_000,
		Closed:          900_000,
		MissingProgram:  800_000,
		OtherLanguage:   950_000,
		ServiceMemory:   18 * month,
		SellingMemory:   48 * month,
		MandatoryCounts: true,
	}
}

// defaultK is how many of the best compare where the market has no row.
const defaultK = 3

// roleByLine is the default table of step 6.
func roleByLine(l lead.Line) lead.Role {
	switch l {
	case lead.LineService, lead.LineWarranty, lead.LineAccessories:
		return lead.RoleServiceAdvisor
	case lead.LineReengagement:
		return lead.RoleRetention
	case lead.LineNurture:
		return lead.RoleBDC
	case lead.LineCare:
		return lead.RoleManager
	default:
		return lead.RoleSales
	}
}

// departmentByLine is the department that a line implies where the lead does not say.
func departmentByLine(l lead.Line, fleet bool) lead.Department {
	switch l {
	case lead.LineService, lead.LineWarranty, lead.LineCare:
		return lead.DepartmentService
	case lead.LineAccessories:
		return lead.DepartmentParts
	}
	if fleet {
		return lead.DepartmentFleet
	}
	if l == lead.LineAcquisition {
		return lead.DepartmentUsed
	}
	return lead.DepartmentNew
}

// standIn is the department that does the work of another in a store that has no such one; 0
// for none.
func standIn(d lead.Department) lead.Department {
	switch d {
	case lead.DepartmentParts, lead.DepartmentBody:
		return lead.DepartmentService
	case lead.DepartmentUsed, lead.DepartmentFleet:
		return lead.DepartmentNew
	}
	return lead.DepartmentUnspecified
}
