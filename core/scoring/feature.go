package scoring

import (
	"math"
	"slices"
	"strings"

	"github.com/leadmesh/leadmesh/core/signal"
)

// Feature is one integer that a points table may look at. The numbers are stored in receipts:
// new features are added at the end and none is ever renumbered.
//
// Sex, race, religion, national origin, marital status and age are no features, and neither are
// name and postal code.
type Feature uint8

// The features. FeatureNone is not one; a contribution of a base or a cap carries it. What each
// means stands in the table of features below.
const (
	FeatureNone Feature = iota

	FeatureRequestType
	FeatureOrigin
	FeatureSourceChannel
	FeatureDealerChoice
	FeatureTrigger
	FeatureHasPhone
	FeatureHasEmail
	FeatureCommentLength
	FeatureTimeFrameDays
	FeatureRepeatInquiry
	FeatureSilenceDays
	FeatureComebackGapDays
	FeatureActiveWeeks

	FeaturePageViewCount
	FeaturePageViewRecency
	FeatureInventoryViewCount
	FeatureInventoryViewRecency
	FeaturePartsPageViewCount
	FeaturePartsPageViewRecency
	FeatureFinanceCalculatorCount
	FeatureFinanceCalculatorRecency
	FeatureAppUseCount
	FeatureAppUseRecency
	FeatureEmailOpenCount
	FeatureEmailOpenRecency
	FeatureEmailClickCount
	FeatureEmailClickRecency
	FeatureCartAbandonedCount
	FeatureCartAbandonedRecency
	FeatureChatCount
	FeatureChatRecency
	FeatureCallCount
	FeatureCallRecency
	FeatureDealerVisitCount
	FeatureDealerVisitRecency
	FeatureTestDriveCount
	FeatureTestDriveRecency

	FeatureVehicleSoughtKnown
	FeatureVehicleSoughtStatus
	FeatureVehicleInStock
	FeaturePowertrainSought
	FeatureEVSought
	FeatureProgramRequired
	FeatureTradeOffered
	FeatureConfiguratorStartedCount
	FeatureConfiguratorStartedRecency
	FeatureConfiguratorSavedCount
	FeatureConfiguratorSavedRecency
	FeatureConfiguratorSentCount
	FeatureConfiguratorSentRecency
	FeatureChargerQuoteCount
	FeatureChargerQuoteRecency
	FeatureRangeToolCount
	FeatureRangeToolRecency
	FeatureIncentiveViewCount
	FeatureIncentiveViewRecency
	FeatureHomeChargerCount
	FeatureHomeChargerRecency
	FeatureEVInterestCount
	FeatureEVInterestRecency
	FeatureEVOwned
	FeaturePowertrainOwned
	FeatureDailyDistance
	FeatureChargersNearby
	FeatureIncentiveEligible

	FeatureVehicleAgeDays
	FeatureOwnedDays
	FeatureOdometerKM
	FeatureLeaseDaysToEnd
	FeatureLeaseMileagePace
	FeatureEquity
	FeaturePaymentChange
	FeatureWarrantyDaysLeft
	FeatureMaintenancePlanDaysLeft
	FeatureVisits24M
	FeatureVisitsCustomer24M
	FeatureVisitsWarranty24M
	FeatureVisitsMaintenance24M
	FeatureVisitDays
	FeatureServicesDone
	FeatureServiceDeclinedCount
	FeatureServiceDeclinedRecency
	FeatureDeclinedAmount
	FeatureRepairValueShare

	FeatureFleet
	FeatureCustomerSinceDays
	FeatureVehiclesOwned
	FeatureVehiclePrice
	FeatureDownPayment
	FeatureSpend24M
	FeatureFinanceMethod

	// NumFeatures is one more than the last feature.
	NumFeatures
)

// Group is one of the visible groups of features.
type Group uint8

// The groups.
const (
	GroupNone            Group = iota
	GroupEngagement            // what they do
	GroupLifeCycle             // fit and life cycle: who they are, what they own, where it is in its life
	GroupVehicleInterest       // vehicle interest and program readiness
	GroupValue                 // customer value
	NumGroups
)

var groupNames = [NumGroups]string{"", "ENGAGEMENT", "LIFE_CYCLE", "VEHICLE_INTEREST", "VALUE"}

// String returns the code of a group, "" for none.
func (g Group) String() string {
	if g >= NumGroups {
		return ""
	}
	return groupNames[g]
}

// GroupCodes lists the codes of the groups, in their order. The caller owns the slice.
func GroupCodes() []string { return slices.Clone(groupNames[GroupEngagement:]) }

// Label returns what people call a group, "" for none.
func (g Group) Label() string {
	switch g {
	case GroupEngagement:
		return "engagement"
	case GroupLifeCycle:
		return "fit and life cycle"
	case GroupVehicleInterest:
		return "vehicle interest and program readiness"
	case GroupValue:
		return "customer value"
	}
	return ""
}

// ParseGroup reads the code that String writes; ok is false for anything else.
func ParseGroup(s string) (g Group, ok bool) {
	for g := GroupEngagement; g < NumGroups; g++ {
		if groupNames[g] == s {
			return g, true
		}
	}
	return GroupNone, false
}

// Unit is what a feature's integer counts.
type Unit uint8

// The units.
const (
	UnitCategory Unit = iota + 1 // one of Feature.Values
	UnitNumber                   // a plain number
	UnitMilli                    // 1/1000 of a decayed count
	UnitSeconds
	UnitDays
	UnitMetres
	UnitKM
	UnitPermille
	UnitMoney // whole units of the market's currency
)

var unitNames = [...]string{"", "category", "number", "count_1_1000", "seconds", "days", "metres", "km", "permille", "money"}

// String names the unit.
func (u Unit) String() string {
	if int(u) >= len(unitNames) {
		return ""
	}
	return unitNames[u]
}

// Scale returns how many of the feature's own unit make one of the unit a definition writes its
// thresholds in; "" is the feature's own. ok is false for a unit it can not be written in.
func (u Unit) Scale(in string) (n int64, ok bool) {
	switch {
	case in == "":
		return 1, true
	case u == UnitMilli && in == "times":
		return 1000, true
	case u == UnitSeconds && in == "minutes":
		return 60, true
	case u == UnitSeconds && in == "hours":
		return 3600, true
	case u == UnitSeconds && in == "days":
		return 86400, true
	case u == UnitMetres && in == "km":
		return 1000, true
	case u == UnitPermille && in == "percent":
		return 10, true
	}
	return 0, false
}

// In a vector of inputs two numbers are no values.
const (
	// Absent is a tracked feature of a person who has not granted profiling: it takes no part,
	// not even with the points of its missing bin.
	Absent int32 = math.MinInt32
	// Missing is a feature no fact supports; it takes the points of the missing bin.
	Missing int32 = signal.Unknown
)

// String returns the stable name of a feature, "" for FeatureNone.
func (f Feature) String() string { return f.info().name }

// Group returns the visible group of a feature.
func (f Feature) Group() Group { return f.info().group }

// Unit returns what the feature's integer counts.
func (f Feature) Unit() Unit { return f.info().unit }

// Tracked reports whether the feature is tracked behaviour, which needs granted profiling.
func (f Feature) Tracked() bool { return f.info().tracked }

// Label returns the built-in sentence of a feature for people, with a {value} slot; a definition
// may give its own.
func (f Feature) Label() string { return f.info().label }

// Values returns the names of a category's values in the order of their integers, the first of
// which is FirstValue; nil for a number. The caller must not change it.
func (f Feature) Values() []string { return f.info().values }

// FirstValue is the integer of the first of Values: 0 for no/yes, else 1.
func (f Feature) FirstValue() int32 {
	if v := f.info().values; len(v) == 2 && v[0] == "no" {
		return 0
	}
	return 1
}

// ParseFeature reads the name that String writes; ok is false for anything else.
func ParseFeature(s string) (f Feature, ok bool) {
	for f := FeatureNone + 1; f < NumFeatures; f++ {
		if features[f].name == s {
			return f, true
		}
	}
	return FeatureNone, false
}

func (f Feature) info() *info {
	if f >= NumFeatures {
		f = FeatureNone
	}
	return &features[f]
}

// Code returns the integer of a category's value; ok is false for anything else.
func (f Feature) Code(value string) (n int32, ok bool) {
	for i, v := range f.info().values {
		if v == value {
			return f.FirstValue() + int32(i), true
		}
	}
	return 0, false
}

// info is what is fixed about a feature.
type info struct {
	name    string
	group   Group
	unit    Unit
	tracked bool
	values  []string // of a category
	phrases []string // how people say the values; nil: the name in lower case
	label   string
}

// phrase is how people say a category's value.
func (f Feature) phrase(v int32) string {
	i := int(v - f.FirstValue())
	in := f.info()
	switch {
	case i >= 0 && i < len(in.phrases):
		return in.phrases[i]
	case i >= 0 && i < len(in.values):
		return strings.ToLower(strings.ReplaceAll(in.values[i], "_", " "))
	}
	return ""
}

// codes lists the spellings of an enum of the domain from value 1 on.
func codes[T ~uint8](name func(T) string) []string {
	var out []string
	for v := T(1); name(v) != ""; v++ {
		out = append(out, name(v))
	}
	return out
}
