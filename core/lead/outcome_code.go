package lead

// RejectCode is why Capture refused a lead.
type RejectCode uint8

// The values of RejectCode.
const (
	RejectCodeUnspecified RejectCode = iota
	RejectCodeSpamBot
	RejectCodeJunk
	RejectCodeNoContactPoint
	RejectCodeFakeContact
	RejectCodeSolicitation
	RejectCodeJobApplicant
	RejectCodeBlocked
	RejectCodeOther
)

var rejectCodeNames = names{"SPAM_BOT", "JUNK", "NO_CONTACT_POINT", "FAKE_CONTACT", "SOLICITATION", "JOB_APPLICANT", "BLOCKED", "OTHER"}

// String returns the code as the domain spells it, or "" when it is not given.
func (r RejectCode) String() string { return rejectCodeNames.of(uint8(r)) }

// ParseRejectCode reads the spelling that String writes; ok is false for anything else.
func ParseRejectCode(s string) (v RejectCode, ok bool) {
	n, ok := rejectCodeNames.index(s)
	return RejectCode(n), ok
}

// DeclineCode is why a store declined an assignment before accepting it.
type DeclineCode uint8

// The values of DeclineCode.
const (
	DeclineCodeUnspecified DeclineCode = iota
	DeclineCodeNotOurBrand
	DeclineCodeNotCertified
	DeclineCodeNoCapacity
	DeclineCodeOtherStoresCustomer
	DeclineCodeDuplicateInCRM
	DeclineCodeTooFar
	DeclineCodeOther
)

var declineCodeNames = names{"NOT_OUR_BRAND", "NOT_CERTIFIED", "NO_CAPACITY", "OTHER_STORES_CUSTOMER", "DUPLICATE_IN_CRM", "TOO_FAR", "OTHER"}

// String returns the code as the domain spells it, or "" when it is not given.
func (d DeclineCode) String() string { return declineCodeNames.of(uint8(d)) }

// ReturnCode is why a store gave an accepted lead back, credited to the source.
type ReturnCode uint8

// The values of ReturnCode.
const (
	ReturnCodeUnspecified ReturnCode = iota
	ReturnCodeWrongNumber
	ReturnCodeWrongPerson
	ReturnCodeNeverInquired
	ReturnCodeBounced
	ReturnCodeDuplicate30d
	ReturnCodeOther
)

var returnCodeNames = names{"WRONG_NUMBER", "WRONG_PERSON", "NEVER_INQUIRED", "BOUNCED", "DUPLICATE_30D", "OTHER"}

// String returns the code as the domain spells it, or "" when it is not given.
func (r ReturnCode) String() string { return returnCodeNames.of(uint8(r)) }

// LostCode is why a lead was lost.
type LostCode uint8

// The values of LostCode.
const (
	LostCodeUnspecified LostCode = iota
	LostCodeSameBrandOtherDealer
	LostCodeOtherBrand
	LostCodeUsedElsewhere
	LostCodePrice
	LostCodePayment
	LostCodeTradeValue
	LostCodeCreditDeclined
	LostCodeNegativeEquity
	LostCodeNoStockOrWait
	LostCodeKeptVehicle
	LostCodeNotInMarket
	LostCodeUnreachable
	LostCodeOptedOut
	LostCodeMoved
	LostCodeDissatisfied
	LostCodeLeaseExtended
	LostCodeLeaseReturned
	LostCodeServicedElsewhere
	LostCodeWorkDeclined
	LostCodeOrderCancelled
	LostCodeUnwound
	LostCodeDeceased
	LostCodeOther
)

var lostCodeNames = names{"SAME_BRAND_OTHER_DEALER", "OTHER_BRAND", "USED_ELSEWHERE", "PRICE", "PAYMENT", "TRADE_VALUE", "CREDIT_DECLINED", "NEGATIVE_EQUITY", "NO_STOCK_OR_WAIT", "KEPT_VEHICLE", "NOT_IN_MARKET", "UNREACHABLE", "OPTED_OUT", "MOVED", "DISSATISFIED", "LEASE_EXTENDED", "LEASE_RETURNED", "SERVICED_ELSEWHERE", "WORK_DECLINED", "ORDER_CANCELLED", "UNWOUND", "DECEASED", "OTHER"}

// String returns the code as the domain spells it, or "" when it is not given.
func (l LostCode) String() string { return lostCodeNames.of(uint8(l)) }

// callResultNames are how a call ended; package sla knows them by number.
var callResultNames = names{"CONNECTED", "VOICEMAIL", "NO_ANSWER", "BUSY", "WRONG_NUMBER", "DISCONNECTED", "DO_NOT_CALL", "OTHER"}

// pauseCodeNames are why the work on a lead pauses.
var pauseCodeNames = names{"ASKED_LATER", "WAITING_ORDER", "PARTS", "CREDIT", "STOCK", "STOP_SALE", "OTHER"}

// ParkReason is why a lead is parked; every parked lead has an owner and a review date.
type ParkReason uint8

// The values of ParkReason.
const (
	ParkReasonUnspecified ParkReason = iota
	ParkReasonData
	ParkReasonConsent
	ParkReasonNurture
)

var parkReasonNames = names{"DATA", "CONSENT", "NURTURE"}

// String returns the code as the domain spells it, or "" when it is not given.
func (p ParkReason) String() string { return parkReasonNames.of(uint8(p)) }

// ParseParkReason reads the spelling that String writes; ok is false for anything else.
func ParseParkReason(s string) (v ParkReason, ok bool) {
	n, ok := parkReasonNames.index(s)
	return ParkReason(n), ok
}

// Milestone is what happened to a lead; dated, repeatable, in any order.
type Milestone uint8

// The values of Milestone.
const (
	MilestoneUnspecified Milestone = iota
	MilestoneDelivered
	MilestoneAttempt
	MilestoneResponded
	MilestoneEngaged
	MilestoneAppointmentSet
	MilestoneAppointmentKept
	MilestoneAppointmentNoShow
	MilestoneTestDrive
	MilestoneAppraisal
	MilestoneCreditApp
	MilestoneQuoted
	MilestoneOrder
	MilestoneVehicleDelivered
	MilestoneROOpened
	MilestoneROClosed
	MilestoneContractSigned
	MilestoneUnwound
	MilestoneAppointmentCancelled
)

var milestoneNames = names{"DELIVERED", "ATTEMPT", "RESPONDED", "ENGAGED", "APPOINTMENT_SET", "APPOINTMENT_KEPT", "APPOINTMENT_NO_SHOW", "TEST_DRIVE", "APPRAISAL", "CREDIT_APP", "QUOTED", "ORDER", "VEHICLE_DELIVERED", "RO_OPENED", "RO_CLOSED", "CONTRACT_SIGNED", "UNWOUND", "APPOINTMENT_CANCELLED"}

// String returns the code as the domain spells it, or "" when it is not given.
func (m Milestone) String() string { return milestoneNames.of(uint8(m)) }
