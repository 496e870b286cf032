package lead

// PartyRole is the part a person or company plays in a lead.
type PartyRole uint8

// The values of PartyRole.
const (
	PartyRoleUnspecified PartyRole = iota
	PartyRolePrimary
	PartyRoleCoBuyer
	PartyRoleDriver
	PartyRoleCompany
	PartyRoleDecisionMaker
)

var partyRoleNames = names{"PRIMARY", "CO_BUYER", "DRIVER", "COMPANY", "DECISION_MAKER"}

// String returns the code as the domain spells it, or "" when it is not given.
func (p PartyRole) String() string { return partyRoleNames.of(uint8(p)) }

// VehicleRole is how a vehicle stands to the lead.
type VehicleRole uint8

// The values of VehicleRole.
const (
	VehicleRoleUnspecified VehicleRole = iota
	VehicleRoleSought
	VehicleRoleOwned
	VehicleRoleTraded
)

var vehicleRoleNames = names{"SOUGHT", "OWNED", "TRADED"}

// String returns the code as the domain spells it, or "" when it is not given.
func (v VehicleRole) String() string { return vehicleRoleNames.of(uint8(v)) }

// VehicleStatus is whether a vehicle is new, used or certified used.
type VehicleStatus uint8

// The values of VehicleStatus.
const (
	VehicleStatusUnspecified VehicleStatus = iota
	VehicleStatusNew
	VehicleStatusUsed
	VehicleStatusCertified
)

var vehicleStatusNames = names{"NEW", "USED", "CERTIFIED"}

// String returns the code as the domain spells it, or "" when it is not given.
func (v VehicleStatus) String() string { return vehicleStatusNames.of(uint8(v)) }

// Interest is what the customer wants to do with a vehicle (ADF interest).
type Interest uint8

// The values of Interest.
const (
	InterestUnspecified Interest = iota
	InterestBuy
	InterestLease
	InterestSell
	InterestTradeIn
	InterestTestDrive
	InterestFinance
	InterestService
)

var interestNames = names{"BUY", "LEASE", "SELL", "TRADE_IN", "TEST_DRIVE", "FINANCE", "SERVICE"}

// String returns the code as the domain spells it, or "" when it is not given.
func (i Interest) String() string { return interestNames.of(uint8(i)) }

// ParseInterest reads the spelling that String writes; ok is false for anything else.
func ParseInterest(s string) (v Interest, ok bool) {
	n, ok := interestNames.index(s)
	return Interest(n), ok
}

// Powertrain is what drives a vehicle.
type Powertrain uint8

// The values of Powertrain.
const (
	PowertrainUnspecified Powertrain = iota
	PowertrainCombustion
	PowertrainHybrid
	PowertrainPluginHybrid
	PowertrainElectric
	PowertrainHydrogen
)

var powertrainNames = names{"COMBUSTION", "HYBRID", "PLUGIN_HYBRID", "ELECTRIC", "HYDROGEN"}

// String returns the code as the domain spells it, or "" when it is not given.
func (p Powertrain) String() string { return powertrainNames.of(uint8(p)) }

// ParsePowertrain reads the spelling that String writes; ok is false for anything else.
func ParsePowertrain(s string) (v Powertrain, ok bool) {
	n, ok := powertrainNames.index(s)
	return Powertrain(n), ok
}

// Channel is how a contact point is reached, or an activity happened.
type Channel uint8

// The values of Channel.
const (
	ChannelUnspecified Channel = iota
	ChannelEmail
	ChannelSMS
	ChannelCall
	ChannelAutomatedCall
	ChannelPost
	ChannelApp
	ChannelMessenger
	ChannelAdAudience
)

var channelNames = names{"EMAIL", "SMS", "CALL", "AUTOMATED_CALL", "POST", "APP", "MESSENGER", "AD_AUDIENCE"}

// String returns the code as the domain spells it, or "" when it is not given.
func (c Channel) String() string { return channelNames.of(uint8(c)) }

// ParseChannel reads the spelling that String writes; ok is false for anything else.
func ParseChannel(s string) (v Channel, ok bool) {
	n, ok := channelNames.index(s)
	return Channel(n), ok
}

// Purpose is what a contact point may be used for.
type Purpose uint8

// The values of Purpose.
const (
	PurposeUnspecified Purpose = iota
	PurposeAnswerInquiry
	PurposeServiceNotices
	PurposeMarketing
	PurposeProfiling
	PurposeShareWithDealer
	PurposeShareWithPartner
)

var purposeNames = names{"ANSWER_INQUIRY", "SERVICE_NOTICES", "MARKETING", "PROFILING", "SHARE_WITH_DEALER", "SHARE_WITH_PARTNER"}

// String returns the code as the domain spells it, or "" when it is not given.
func (p Purpose) String() string { return purposeNames.of(uint8(p)) }

// ParsePurpose reads the spelling that String writes; ok is false for anything else.
func ParsePurpose(s string) (v Purpose, ok bool) {
	n, ok := purposeNames.index(s)
	return Purpose(n), ok
}

// ConsentState is the latest evidence for one controller, purpose, channel and contact point.
type ConsentState uint8

// The values of ConsentState.
const (
	ConsentStateUnspecified ConsentState = iota
	ConsentStateGranted
	ConsentStateDenied
	ConsentStateNone
	ConsentStateRevoked
	ConsentStateExpired
)

var consentStateNames = names{"GRANTED", "DENIED", "NONE", "REVOKED", "EXPIRED"}

// String returns the code as the domain spells it, or "" when it is not given.
func (c ConsentState) String() string { return consentStateNames.of(uint8(c)) }

// Controller is who holds the consent.
type Controller uint8

// The values of Controller.
const (
	ControllerUnspecified Controller = iota
	ControllerOEM
	ControllerDealer
	ControllerCaptive
)

var controllerNames = names{"OEM", "DEALER", "CAPTIVE"}

// String returns the code as the domain spells it, or "" when it is not given.
func (c Controller) String() string { return controllerNames.of(uint8(c)) }

// ParseController reads the spelling that String writes; ok is false for anything else.
func ParseController(s string) (v Controller, ok bool) {
	n, ok := controllerNames.index(s)
	return Controller(n), ok
}

// PhoneType is the kind of line behind a number.
type PhoneType uint8

// The values of PhoneType.
const (
	PhoneTypeUnspecified PhoneType = iota
	PhoneTypeHome
	PhoneTypeWork
	PhoneTypeMobile
	PhoneTypeFax
	PhoneTypeOther
)

var phoneTypeNames = names{"HOME", "WORK", "MOBILE", "FAX", "OTHER"}

// String returns the code as the domain spells it, or "" when it is not given.
func (p PhoneType) String() string { return phoneTypeNames.of(uint8(p)) }

// OdometerUnit is the unit of an odometer reading.
type OdometerUnit uint8

// The values of OdometerUnit.
const (
	OdometerUnitUnspecified OdometerUnit = iota
	OdometerUnitKM
	OdometerUnitMI
)

var odometerUnitNames = names{"KM", "MI"}

// String returns the code as the domain spells it, or "" when it is not given.
func (o OdometerUnit) String() string { return odometerUnitNames.of(uint8(o)) }

// ParseOdometerUnit reads the spelling that String writes; ok is false for anything else.
func ParseOdometerUnit(s string) (v OdometerUnit, ok bool) {
	n, ok := odometerUnitNames.index(s)
	return OdometerUnit(n), ok
}

// IDKind is which system an identifier of a lead or person belongs to.
type IDKind uint8

// The values of IDKind.
const (
	IDKindUnspecified IDKind = iota
	IDKindSourceLead
	IDKindClick
	IDKindAnonymous
	IDKindOEMAccount
	IDKindLoyalty
	IDKindCRMLead
	IDKindCRMCustomer
	IDKindDMSCustomer
	IDKindDeal
	IDKindRepairOrder
	IDKindOrder
	IDKindSalesperson
	IDKindOther
)

var idKindNames = names{"SOURCE_LEAD", "CLICK", "ANONYMOUS", "OEM_ACCOUNT", "LOYALTY", "CRM_LEAD", "CRM_CUSTOMER", "DMS_CUSTOMER", "DEAL", "REPAIR_ORDER", "ORDER", "SALESPERSON", "OTHER"}

// String returns the code as the domain spells it, or "" when it is not given.
func (i IDKind) String() string { return idKindNames.of(uint8(i)) }

// SignalKind is what a person or a vehicle did or became that is not itself a lead.
type SignalKind uint8

// The values of SignalKind.
const (
	SignalKindUnspecified SignalKind = iota
	SignalKindPageView
	SignalKindInventoryView
	SignalKindPartsPageView
	SignalKindConfiguratorStarted
	SignalKindConfiguratorSaved
	SignalKindConfiguratorSent
	SignalKindChargerQuote
	SignalKindRangeTool
	SignalKindIncentiveView
	SignalKindFinanceCalculator
	SignalKindAppUse
	SignalKindEmailOpen
	SignalKindEmailClick
	SignalKindCartAbandoned
	SignalKindDealerVisit
	SignalKindTestDrive
	SignalKindServiceVisit
	SignalKindServiceDeclined
	SignalKindMileage
	SignalKindVehicleSold
	SignalKindLeaseStarted
	SignalKindLeaseMilestone
	SignalKindWarrantyStarted
	SignalKindMaintenancePlan
	SignalKindHomeCharger
	SignalKindChat
	SignalKindCall
)

var signalKindNames = names{"PAGE_VIEW", "INVENTORY_VIEW", "PARTS_PAGE_VIEW", "CONFIGURATOR_STARTED", "CONFIGURATOR_SAVED", "CONFIGURATOR_SENT", "CHARGER_QUOTE", "RANGE_TOOL", "INCENTIVE_VIEW", "FINANCE_CALCULATOR", "APP_USE", "EMAIL_OPEN", "EMAIL_CLICK", "CART_ABANDONED", "DEALER_VISIT", "TEST_DRIVE", "SERVICE_VISIT", "SERVICE_DECLINED", "MILEAGE", "VEHICLE_SOLD", "LEASE_STARTED", "LEASE_MILESTONE", "WARRANTY_STARTED", "MAINTENANCE_PLAN", "HOME_CHARGER", "CHAT", "CALL"}

// String returns the code as the domain spells it, or "" when it is not given.
func (s SignalKind) String() string { return signalKindNames.of(uint8(s)) }

// ParseSignalKind reads the spelling that String writes; ok is false for anything else.
func ParseSignalKind(s string) (v SignalKind, ok bool) {
	n, ok := signalKindNames.index(s)
	return SignalKind(n), ok
}
