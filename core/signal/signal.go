// Package signal turns what people and vehicles did into integers that scoring can compare:
// decayed counters, recencies and the life cycle of a vehicle. It is pure: every function takes
// the time it needs, and the same facts give the same integers on every machine.
//
// A Profile is built from signals by Apply. Its facts (vehicles, leases, dealers) are joined by
// taking the greatest of each under a total order, so they do not depend on the order in which
// signals arrive and repeating one changes nothing. Its counters are sums: they do not depend
// on the order either, but repeating a signal counts it twice. Whoever stores signals must
// therefore apply each signal id once; a bounded set of ids inside the profile would forget,
// a unique key on the signal table does not. Splitting a merged person is done by applying the
// signals of each side again, never by subtracting.
package signal

import (
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
)

// Unknown marks an integer that no fact supports. It lies outside every feature's range.
const Unknown int32 = -1<<31 + 1

// Signal is one thing a person or a vehicle did or became that is not itself a lead. Only ID,
// Kind and At are needed; the other fields are read where the kind has a use for them.
type Signal struct {
	ID   string // the sender's or a derived id; whoever stores signals applies each id once
	Kind lead.SignalKind
	At   time.Time // when it happened, not when it was reported

	VIN           string // "" when the signal is about the person only
	DealerID      string
	SalespersonID string // on VEHICLE_SOLD, TEST_DRIVE and DEALER_VISIT
	Campaign      string

	Make       string
	ModelCode  string          // the catalogue's code of the vehicle looked at, serviced or sold
	Powertrain lead.Powertrain // of that model, filled in from the catalogue by whoever knows it

	Odometer     int64 // in OdometerUnit; no reading while the unit is not given
	OdometerUnit lead.OdometerUnit

	Amount   lead.Money // invoice of a visit, value of a cart, price of declined work
	PayType  PayType    // on SERVICE_VISIT
	Status   lead.VehicleStatus
	Fleet    bool // the person acts for an organisation
	Lease    LeaseTerms
	Warranty WarrantyTerms
	Until    time.Time // end of a MAINTENANCE_PLAN

	// On any signal about a vehicle of the person; no currency means that nothing is said.
	Value   lead.Money // what the vehicle was worth
	Owed    lead.Money // what was owed on it
	Balloon lead.Money // what its contract leaves to pay on the day it Ends; read together with that
	Ends    time.Time

	// Past says that the vehicle has been sold to somebody else since: the signal counts, but what it
	// says of the vehicle is no fact of the person's any more.
	Past bool
}

// LeaseTerms are the terms of a lease or balloon contract, on LEASE_STARTED and, where the
// contract was extended or cut short, on LEASE_MILESTONE.
type LeaseTerms struct {
	TermMonths   int       // used when Maturity is not given
	Maturity     time.Time // the day the contract ends
	ContractedKM int64     // over the whole term; 0 when not given
	Payment      lead.Money
}

// WarrantyTerms are the terms of one coverage, on WARRANTY_STARTED.
type WarrantyTerms struct {
	Coverage string    // e.g. BASIC, POWERTRAIN, BATTERY; "" is a coverage of its own
	Until    time.Time // the day it ends; zero when only the distance limits it
	KMLimit  int64     // the odometer at which it ends; 0 when only the date limits it
}

// PayType is who pays for a visit to the workshop.
type PayType uint8

// The values of PayType, with the letters that dealer systems use.
const (
	PayTypeUnspecified PayType = iota
	PayTypeCustomer            // C
	PayTypeWarranty            // W
	PayTypeInternal            // I
	PayTypeMaintenance         // M, a maintenance plan
)

// String returns the letter of the dealer systems, "" when it is not given.
func (t PayType) String() string {
	if t == PayTypeUnspecified || t > PayTypeMaintenance {
		return ""
	}
	return "CWIM"[t-1 : t]
}

// ParsePayType reads the letter of the dealer systems in either case; ok is false for anything else.
func ParsePayType(s string) (t PayType, ok bool) {
	switch s {
	case "C", "c":
		return PayTypeCustomer, true
	case "W", "w":
		return PayTypeWarranty, true
	case "I", "i":
		return PayTypeInternal, true
	case "M", "m":
		return PayTypeMaintenance, true
	}
	return PayTypeUnspecified, false
}

// Tracked reports whether a kind is tracked behaviour, which may be used only while profiling is
// granted. The others are facts of a contract or of a vehicle: visits, sales, leases, warranties,
// plans and odometer readings. Calls and chats are tracked: they are neither the inquiry at hand
// nor a contract.
func Tracked(k lead.SignalKind) bool {
	switch k {
	case lead.SignalKindDealerVisit, lead.SignalKindTestDrive, lead.SignalKindServiceVisit,
		lead.SignalKindServiceDeclined, lead.SignalKindMileage, lead.SignalKindVehicleSold,
		lead.SignalKindLeaseStarted, lead.SignalKindLeaseMilestone, lead.SignalKindWarrantyStarted,
		lead.SignalKindMaintenancePlan:
		return false
	}
	return true
}

// interaction reports whether the person took part in a signal of this kind; a vehicle that
// reports its mileage and a contract that reaches a date do not break a silence.
func interaction(k lead.SignalKind) bool {
	switch k {
	case lead.SignalKindUnspecified, lead.SignalKindMileage, lead.SignalKindLeaseMilestone,
		lead.SignalKindWarrantyStarted:
		return false
	}
	return true
}

// seconds returns t as unix seconds, 0 for the zero time and for anything before 1970-01-01,
// which no signal of ours can mean.
func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return max(t.Unix(), 0)
}

// kilometres converts a reading to whole kilometres, rounding half up; ok is false without a unit.
func kilometres(n int64, unit lead.OdometerUnit) (km int64, ok bool) {
	if n < 0 || n > maxKM {
		return 0, false
	}
	switch unit {
	case lead.OdometerUnitKM:
		return n, true
	case lead.OdometerUnitMI:
		return (n*1609344 + 500000) / 1000000, true
	}
	return 0, false
}

// maxKM bounds readings: beyond ten million kilometres a reading is a mistake.
const maxKM = 10_000_000
