package signal

import (
	"math"

	"github.com/leadmesh/leadmesh/core/lead"
)

const (
	day = 86400

	// recentVisits is the window of the visit counts: 24 months of 365.25 days, in days.
	recentVisits = 731
	// leaseGrace is for how many days after its end a lease still counts: the person may be
	// driving on while deciding.
	leaseGrace = 90
	// coverageGrace is the same for a warranty.
	coverageGrace = 30
	// paceSpan is the least number of days between two odometer readings that tell a daily
	// distance.
	paceSpan = 14
)

// LifeCycle is where the vehicles of a person are in their life, as integers. Whatever no fact
// supports is Unknown.
type LifeCycle struct {
	Vehicle    *VehicleFacts // that age, odometer and distance are about; nil when none is known
	Powertrain lead.Powertrain
	Vehicles   int32 // vehicles known of the person
	EVs        int32 // of these, electric ones

	AgeDays       int32 // since the sale to the person as new; else Unknown
	OwnedDays     int32 // since the sale to the person
	OdometerKM    int32 // projected to the second asked about
	DailyDistance int32 // metres

	LeaseDays   int32      // calendar days (UTC) to the nearest lease end, negative up to 90 days after it
	LeasePace   int32      // distance by that end against the contract, 1/1000
	LeasePaying lead.Money // what that lease costs a month

	WarrantyDays     int32  // to the nearest end of a coverage, negative up to 30 days after it
	WarrantyCoverage string // which one
	PlanDays         int32  // to the end of the maintenance plan; math.MaxInt32 when open-ended

	Visits            int32 // in 24 months, those paid internally left out
	VisitsCustomer    int32
	VisitsWarranty    int32
	VisitsMaintenance int32
	VisitDays         int32      // since the latest visit
	Spent             lead.Money // paid by the customer in 24 months, in the currency of the latest such visit
	DeclinedDays      int32
	Declined          lead.Money
}

// LifeCycle works out where the vehicles stand at a second. With the VIN of a known vehicle only
// that vehicle counts; otherwise all do, and age, odometer and distance are those of the vehicle
// something was learned of last.
func (p *Profile) LifeCycle(vin string, at int64) LifeCycle {
	c := LifeCycle{AgeDays: Unknown, OwnedDays: Unknown, OdometerKM: Unknown, DailyDistance: Unknown,
		LeaseDays: Unknown, LeasePace: Unknown, WarrantyDays: Unknown, PlanDays: Unknown,
		VisitDays: Unknown, DeclinedDays: Unknown}
	named := p.Vehicle(vin)
	main := named
	for i := range p.Vehicles {
		v := &p.Vehicles[i]
		if v.VIN != "" {
			c.Vehicles++
		}
		if v.Powertrain == lead.PowertrainElectric {
			c.EVs++
		}
		if named == nil && (main == nil || v.Touched() > main.Touched()) {
			main = v
		}
		if named == nil || v == named {
			c.contracts(v, at)
			c.visits(v, at)
		}
	}
	if main == nil {
		return c
	}
	c.Vehicle, c.Powertrain = main, main.Powertrain
	if main.Sold.At != 0 && main.Sold.At <= at {
		c.OwnedDays = daysBetween(main.Sold.At, at)
		if main.Sold.Status == lead.VehicleStatusNew {
			c.AgeDays = c.OwnedDays
		}
	}
	c.DailyDistance = main.DailyDistance()
	if km, ok := main.Projected(at); ok {
		c.OdometerKM = km
	}
	return c
}

// contracts takes in the lease, the warranties, the plan and the declined work of a vehicle.
func (c *LifeCycle) contracts(v *VehicleFacts, at int64) {
	if v.Lease.Maturity != 0 {
		d := datesBetween(at, v.Lease.Maturity)
		if d >= -leaseGrace && (c.LeaseDays == Unknown || d < c.LeaseDays) {
			c.LeaseDays, c.LeasePaying = d, v.Lease.Payment
			c.LeasePace = v.leasePace()
		}
	}
	for _, w := range v.Warranties {
		d := v.CoverageDays(w, at)
		if d != Unknown && d >= -coverageGrace && (c.WarrantyDays == Unknown || d < c.WarrantyDays) {
			c.WarrantyDays, c.WarrantyCoverage = d, w.Coverage
		}
	}
	if v.Plan.Seen != 0 && v.Plan.Seen <= at {
		d := int32(math.MaxInt32)
		if v.Plan.Until != 0 {
			d = daysBetween(at, v.Plan.Until)
		}
		c.PlanDays = max(c.PlanDays, d)
	}
	if v.Declined.At != 0 && v.Declined.At <= at {
		if d := daysBetween(v.Declined.At, at); c.DeclinedDays == Unknown || d < c.DeclinedDays {
			c.DeclinedDays, c.Declined = d, v.Declined.Amount
		}
	}
}

// visits counts the visits of a vehicle in the 24 months before a second.
func (c *LifeCycle) visits(v *VehicleFacts, at int64) {
	for _, s := range v.Visits {
		if s.At > at {
			continue
		}
		d := daysBetween(s.At, at)
		if c.VisitDays == Unknown || d < c.VisitDays {
			c.VisitDays = d
		}
		if d >= recentVisits || s.PayType == PayTypeInternal {
			continue
		}
		c.Visits++
		switch s.PayType {
		case PayTypeCustomer:
			c.VisitsCustomer++
			if c.Spent.Currency == "" {
				c.Spent.Currency = s.Amount.Currency
			}
			if s.Amount.Currency == c.Spent.Currency {
				c.Spent.Minor += s.Amount.Minor
			}
		case PayTypeWarranty:
			c.VisitsWarranty++
		case PayTypeMaintenance:
			c.VisitsMaintenance++
		}
	}
}

// ServicesDone is the share of the services due, in 1/1000 and at most 1000, that the vehicle was
// brought in for since the person has it, at most 24 months back. A service is due after a number of
// days or metres, whichever comes first; 0 sets no limit. A visit paid internally is no service.
// Unknown when nothing was due yet, or the interval or the time of the purchase is not known.
func (v *VehicleFacts) ServicesDone(days, metres int32, at int64) int32 {
	since := v.Sold.At
	if since == 0 {
		since = v.Lease.Started
	}
	if since == 0 || since > at {
		return Unknown
	}
	span := min(daysBetween(since, at), recentVisits)
	due := int64(0)
	if days > 0 {
		due = int64(span / days)
	}
	if daily := v.DailyDistance(); metres > 0 && daily != Unknown {
		due = max(due, int64(span)*int64(daily)/int64(metres))
	}
	if due == 0 {
		return Unknown
	}
	done := int64(0)
	for _, s := range v.Visits {
		if s.At <= at && s.PayType != PayTypeInternal && daysBetween(s.At, at) < span {
			done++
		}
	}
	return int32(min(done*1000/due, 1000))
}

// DailyDistance returns the metres a day the vehicle is driven, from its first and latest
// reading at least 14 days apart, else from its sale as new to the latest reading. Unknown when
// neither tells.
func (v *VehicleFacts) DailyDistance() int32 {
	from, to := v.First, v.Latest
	if v.Sold.Status == lead.VehicleStatusNew && v.Sold.At != 0 && (from.At == 0 || v.Sold.At < from.At) {
		from = Reading{At: v.Sold.At}
	}
	span := to.At - from.At
	if from.At == 0 || to.At == 0 || span < paceSpan*day || to.KM < from.KM {
		return Unknown
	}
	// Rounded half up; the product stays below 2^53.
	return int32(min(((to.KM-from.KM)*1000*day+span/2)/span, math.MaxInt32))
}

// Projected returns the odometer at a second: the latest reading and the daily distance since.
// ok is false when there is no reading.
func (v *VehicleFacts) Projected(at int64) (km int32, ok bool) {
	if v.Latest.At == 0 {
		return 0, false
	}
	n := v.Latest.KM
	if daily := v.DailyDistance(); daily != Unknown && at > v.Latest.At {
		n += int64(daysBetween(v.Latest.At, at)) * int64(daily) / 1000
	}
	return int32(min(n, math.MaxInt32)), true
}

// CoverageDays returns the days to the end of a coverage: the earlier of its date and the day
// its distance limit is reached at the vehicle's own daily distance. It is negative after the
// end and Unknown when neither can be told.
func (v *VehicleFacts) CoverageDays(w Warranty, at int64) int32 {
	d := Unknown
	if w.Until != 0 {
		d = daysBetween(at, w.Until)
	}
	if w.KMLimit <= 0 || v.Latest.At == 0 {
		return d
	}
	daily := int64(v.DailyDistance())
	left := (w.KMLimit - v.Latest.KM) * 1000 // metres at the latest reading
	switch {
	case daily > 0:
		elapsed := int64(daysBetween(v.Latest.At, at))
		byDistance := clamp(floorQuotient(left, daily) - elapsed)
		if d == Unknown || byDistance < d {
			d = byDistance
		}
	case left <= 0:
		// Reached by that reading; when exactly is not known.
		byDistance := daysBetween(at, v.Latest.At)
		if d == Unknown || byDistance < d {
			d = byDistance
		}
	}
	return d
}

// leasePace is the distance driven by the end of the term at the daily distance, against the
// contract, in 1/1000.
func (v *VehicleFacts) leasePace() int32 {
	daily := v.DailyDistance()
	term := int64(daysBetween(v.Lease.Started, v.Lease.Maturity))
	if daily == Unknown || v.Lease.ContractedKM <= 0 || v.Lease.Started == 0 || term <= 0 {
		return Unknown
	}
	return clamp(int64(daily) * term / v.Lease.ContractedKM)
}

// daysBetween returns the whole days from a to b, rounded down, so an end later today is 0 days
// away and one that passed an hour ago -1.
func daysBetween(a, b int64) int32 { return clamp(floorQuotient(b-a, day)) }

// datesBetween returns the calendar days from the date of a to the date of b in UTC: what ends on a
// date is as far away in the morning as in the evening.
func datesBetween(a, b int64) int32 { return clamp(floorQuotient(b, day) - floorQuotient(a, day)) }

func floorQuotient(a, b int64) int64 {
	q, _ := floorDiv(a, b)
	return q
}

// clamp keeps a value inside the range of a feature.
func clamp(n int64) int32 { return int32(min(max(n, int64(Unknown)+1), math.MaxInt32)) }
