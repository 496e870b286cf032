package lead

// The codes of the domain. Each numeric value equals the number of the same name in the
// protos (a test in services holds them together); zero always means "not given".

// Line is what a lead is for; it selects the points table, the role and the clocks.
type Line uint8

// The values of Line.
const (
	LineUnspecified Line = iota
	LineSales
	LineRenewal
	LineService
	LineWarranty
	LineAccessories
	LineReengagement
	LineNurture
	LineAcquisition
	LineCare
)

var lineNames = names{"SALES", "RENEWAL", "SERVICE", "WARRANTY", "ACCESSORIES", "REENGAGEMENT", "NURTURE", "ACQUISITION", "CARE"}

// String returns the code as the domain spells it, or "" when it is not given.
func (l Line) String() string { return lineNames.of(uint8(l)) }

// ParseLine reads the spelling that String writes; ok is false for anything else.
func ParseLine(s string) (v Line, ok bool) {
	n, ok := lineNames.index(s)
	return Line(n), ok
}

// RequestType is what the customer asked for.
type RequestType uint8

// The values of RequestType.
const (
	RequestTypeUnspecified RequestType = iota
	RequestTypeQuote
	RequestTypeTestDrive
	RequestTypeBrochure
	RequestTypeCreditApp
	RequestTypeReservation
	RequestTypeOrder
	RequestTypeTradeValue
	RequestTypeSellMyCar
	RequestTypeServiceBooking
	RequestTypeRecall
	RequestTypeParts
	RequestTypeContact
	RequestTypeComplaint
	RequestTypeOther
)

var requestTypeNames = names{"QUOTE", "TEST_DRIVE", "BROCHURE", "CREDIT_APP", "RESERVATION", "ORDER", "TRADE_VALUE", "SELL_MY_CAR", "SERVICE_BOOKING", "RECALL", "PARTS", "CONTACT", "COMPLAINT", "OTHER"}

// String returns the code as the domain spells it, or "" when it is not given.
func (r RequestType) String() string { return requestTypeNames.of(uint8(r)) }

// ParseRequestType reads the spelling that String writes; ok is false for anything else.
func ParseRequestType(s string) (v RequestType, ok bool) {
	n, ok := requestTypeNames.index(s)
	return RequestType(n), ok
}

// Origin is who made the lead come about; it fixes the owner.
type Origin uint8

// The values of Origin.
const (
	OriginUnspecified Origin = iota
	OriginOEM
	OriginOEMForDealer
	OriginDealer
	OriginThirdPartyOEMPaid
	OriginThirdPartyDealerPaid
	OriginPartner
)

var originNames = names{"OEM", "OEM_FOR_DEALER", "DEALER", "THIRD_PARTY_OEM_PAID", "THIRD_PARTY_DEALER_PAID", "PARTNER"}

// String returns the code as the domain spells it, or "" when it is not given.
func (o Origin) String() string { return originNames.of(uint8(o)) }

// ParseOrigin reads the spelling that String writes; ok is false for anything else.
func ParseOrigin(s string) (v Origin, ok bool) {
	n, ok := originNames.index(s)
	return Origin(n), ok
}

// DealerChoice is how the dealer named on the lead came to be named.
type DealerChoice uint8

// The values of DealerChoice.
const (
	DealerChoiceUnspecified DealerChoice = iota
	DealerChoiceNone
	DealerChoiceCustomerChose
	DealerChoiceCustomerVehicle
	DealerChoiceExistingCustomer
	DealerChoiceProposed
)

var dealerChoiceNames = names{"NONE", "CUSTOMER_CHOSE", "CUSTOMER_VEHICLE", "EXISTING_CUSTOMER", "PROPOSED"}

// String returns the code as the domain spells it, or "" when it is not given.
func (d DealerChoice) String() string { return dealerChoiceNames.of(uint8(d)) }

// ParseDealerChoice reads the spelling that String writes; ok is false for anything else.
func ParseDealerChoice(s string) (v DealerChoice, ok bool) {
	n, ok := dealerChoiceNames.index(s)
	return DealerChoice(n), ok
}

// Role is the kind of person who works a lead inside a store.
type Role uint8

// The values of Role.
const (
	RoleUnspecified Role = iota
	RoleBDC
	RoleSales
	RoleServiceAdvisor
	RoleRetention
	RoleFleet
	RoleManager
)

var roleNames = names{"BDC", "SALES", "SERVICE_ADVISOR", "RETENTION", "FLEET", "MANAGER"}

// String returns the code as the domain spells it, or "" when it is not given.
func (r Role) String() string { return roleNames.of(uint8(r)) }

// ParseRole reads the spelling that String writes; ok is false for anything else.
func ParseRole(s string) (v Role, ok bool) {
	n, ok := roleNames.index(s)
	return Role(n), ok
}

// Department is a part of a rooftop with its own brands, hours and addresses.
type Department uint8

// The values of Department.
const (
	DepartmentUnspecified Department = iota
	DepartmentNew
	DepartmentUsed
	DepartmentService
	DepartmentParts
	DepartmentBody
	DepartmentFleet
)

var departmentNames = names{"NEW", "USED", "SERVICE", "PARTS", "BODY", "FLEET"}

// String returns the code as the domain spells it, or "" when it is not given.
func (d Department) String() string { return departmentNames.of(uint8(d)) }

// ParseDepartment reads the spelling that String writes; ok is false for anything else.
func ParseDepartment(s string) (v Department, ok bool) {
	n, ok := departmentNames.index(s)
	return Department(n), ok
}

// Segment is a loyalty play a person qualifies for.
type Segment uint8

// The values of Segment.
const (
	SegmentUnspecified Segment = iota
	SegmentRenewalIntender
	SegmentServiceLoyalist
	SegmentWarrantyExpiring
	SegmentAccessoryProspect
)

var segmentNames = names{"RENEWAL_INTENDER", "SERVICE_LOYALIST", "WARRANTY_EXPIRING", "ACCESSORY_PROSPECT"}

// String returns the code as the domain spells it, or "" when it is not given.
func (s Segment) String() string { return segmentNames.of(uint8(s)) }

// ParseSegment reads the spelling that String writes; ok is false for anything else.
func ParseSegment(s string) (v Segment, ok bool) {
	n, ok := segmentNames.index(s)
	return Segment(n), ok
}

// Index is what a score says of a person that belongs to no line.
type Index uint8

// The values of Index.
const (
	IndexUnspecified Index = iota
	// IndexEVReadiness is how ready the person is for an electric car.
	IndexEVReadiness
	// IndexCustomerValue is what the person is worth to us: the revenue expected over 36 months.
	IndexCustomerValue
)

var indexNames = names{"EV_READINESS", "CUSTOMER_VALUE"}

// String returns the code as the domain spells it, or "" when it is not given.
func (i Index) String() string { return indexNames.of(uint8(i)) }

// ParseIndex reads the spelling that String writes; ok is false for anything else.
func ParseIndex(s string) (v Index, ok bool) {
	n, ok := indexNames.index(s)
	return Index(n), ok
}

// Stage is how near the person is to the line's win.
type Stage uint8

// The values of Stage.
const (
	StageUnspecified Stage = iota
	StageAwareness
	StageConsideration
	StageIntent
	StageReady
)

var stageNames = names{"AWARENESS", "CONSIDERATION", "INTENT", "READY"}

// String returns the code as the domain spells it, or "" when it is not given.
func (s Stage) String() string { return stageNames.of(uint8(s)) }

// ParseStage reads the spelling that String writes; ok is false for anything else.
func ParseStage(s string) (v Stage, ok bool) {
	n, ok := stageNames.index(s)
	return Stage(n), ok
}

// State is where a lead stands; queues read it.
type State uint8

// The values of State.
const (
	StateUnspecified State = iota
	StatePending
	StateRejected
	StateMerged
	StateParked
	StateAssigned
	StateAccepted
	StateWorking
	StateEngaged
	StateOrdered
	StateWon
	StateLost
	StateExpired
)

var stateNames = names{"PENDING", "REJECTED", "MERGED", "PARKED", "ASSIGNED", "ACCEPTED", "WORKING", "ENGAGED", "ORDERED", "WON", "LOST", "EXPIRED"}

// String returns the code as the domain spells it, or "" when it is not given.
func (s State) String() string { return stateNames.of(uint8(s)) }

// ParseState reads the spelling that String writes; ok is false for anything else.
func ParseState(s string) (v State, ok bool) {
	n, ok := stateNames.index(s)
	return State(n), ok
}
