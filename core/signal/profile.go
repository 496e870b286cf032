package signal

import (
	"cmp"
	"slices"

	"github.com/leadmesh/leadmesh/core/lead"
)

// Bounds of a Profile. What does not fit is dropped oldest first.
const (
	MaxVehicles   = 16
	MaxVisits     = 16 // per vehicle
	MaxWarranties = 8  // per vehicle, fewer by one for each of value, debt and balloon that is known
	MaxInquiries  = 8
)

// Profile is what is known of one person (or of one organisation) for scoring. It holds no
// contact point and no name. The zero Profile knows nothing and is ready to use. Times are unix
// seconds, 0 where unknown. It is a plain value; copies share slices, which Apply and Merge may
// write to.
type Profile struct {
	Counters  []KindCounter  // by kind, ascending
	EV        Counter        // tracked signals about an electric model
	Vehicles  []VehicleFacts // by VIN, ascending; "" is the vehicle of signals without a VIN
	Inquiries []int64        // when the person asked, newest first

	Tracked   Activity // weeks with tracked behaviour
	Untracked Activity // weeks with visits and contracts

	CustomerSince int64 // the earliest sale, lease or visit
	Account       bool  // acts for an organisation
	Selling       Contact
	Servicing     Contact
	Salesperson   Contact
}

// KindCounter is the counter of one kind of signal.
type KindCounter struct {
	Kind lead.SignalKind
	Counter
}

// Contact is the latest dealer or person the customer dealt with in one matter.
type Contact struct {
	ID string // "" when there is none
	At int64
}

// VehicleFacts is what is known of one vehicle of the person.
type VehicleFacts struct {
	VIN        string
	Make       string
	ModelCode  string
	Powertrain lead.Powertrain
	Sold       Sale
	Visits     []Visit // newest first
	First      Reading // the earliest odometer reading
	Latest     Reading // the latest
	Lease      Lease
	Warranties []Warranty // by coverage, ascending
	Plan       Plan
	Declined   Declined
	Valued     Quote   // what it was worth
	Owed       Quote   // what was owed on it
	Balloon    Balloon // what its contract leaves to pay at its end
}

// Sale is the latest sale of a vehicle to the person.
type Sale struct {
	At       int64
	DealerID string
	Status   lead.VehicleStatus // new, used or certified
}

// Visit is one visit of a vehicle to a workshop.
type Visit struct {
	At       int64
	DealerID string
	PayType  PayType
	Amount   lead.Money
}

// Reading is an odometer reading in kilometres; there is none while At is 0.
type Reading struct {
	At int64
	KM int64
}

// Lease is the latest lease or balloon contract of a vehicle.
type Lease struct {
	Started      int64
	ContractedKM int64 // over the whole term, 0 when not given
	Payment      lead.Money
	Maturity     int64 // the second the contract ends
	MaturitySeen int64 // when the maturity was learned: a milestone may move it
}

// Warranty is one coverage of a vehicle.
type Warranty struct {
	Coverage string
	Seen     int64 // when the terms were learned
	Until    int64
	KMLimit  int64
}

// Plan is a maintenance plan of a vehicle.
type Plan struct {
	Seen  int64 // 0 when there is none
	Until int64 // 0 when it is open-ended
}

// Declined is the latest work the customer declined at the workshop.
type Declined struct {
	At     int64
	Amount lead.Money
}

// Count returns the decayed count of a kind at a second, in 1/1000.
func (p *Profile) Count(k lead.SignalKind, at int64) int32 {
	if c := p.counter(k); c != nil {
		return c.Count(at)
	}
	return 0
}

// Recency returns the seconds since the latest signal of a kind; Unknown when there is none.
func (p *Profile) Recency(k lead.SignalKind, at int64) int32 {
	if c := p.counter(k); c != nil {
		return c.Recency(at)
	}
	return Unknown
}

// Seen reports whether any signal of a kind was ever applied.
func (p *Profile) Seen(k lead.SignalKind) bool { return p.counter(k) != nil }

// Vehicle returns the facts of a vehicle; nil when there are none. The empty VIN finds nothing.
func (p *Profile) Vehicle(vin string) *VehicleFacts {
	if vin == "" {
		return nil
	}
	if i, ok := p.search(vin); ok {
		return &p.Vehicles[i]
	}
	return nil
}

// Inquired records that the person asked for something at a second. Repeating it changes nothing.
func (p *Profile) Inquired(at int64) {
	if at > 0 {
		p.Inquiries = newest(append(p.Inquiries, at), MaxInquiries, cmp.Compare[int64])
	}
}

// InquiriesWithin counts the inquiries in the given number of seconds before a second, that
// second itself left out.
func (p *Profile) InquiriesWithin(before, window int64) int32 {
	n := int32(0)
	for _, at := range p.Inquiries {
		if at < before && at >= before-window {
			n++
		}
	}
	return n
}

func (p *Profile) counter(k lead.SignalKind) *Counter {
	for i := range p.Counters {
		if p.Counters[i].Kind == k {
			return &p.Counters[i].Counter
		}
	}
	return nil
}

func (p *Profile) search(vin string) (int, bool) {
	return slices.BinarySearchFunc(p.Vehicles, vin, func(v VehicleFacts, vin string) int {
		return cmp.Compare(v.VIN, vin)
	})
}

// newest sorts a list newest first under a total order, drops repetitions and keeps n.
func newest[T comparable](list []T, n int, compare func(a, b T) int) []T {
	slices.SortFunc(list, func(a, b T) int { return compare(b, a) })
	list = slices.Compact(list)
	if len(list) > n {
		clear(list[n:])
		list = list[:n]
	}
	return list
}
