package signal

import (
	"errors"
	"strings"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
)

// The reasons for which Apply refuses a signal.
var (
	ErrKind    = errors.New("signal has no known kind")
	ErrUndated = errors.New("signal has no time after 1970-01-01")
)

// Apply adds a signal to a profile. The profile is unchanged when an error is returned. Facts do
// not depend on the order of signals and repeating one changes none of them; counters count a
// repeated signal again (see the package comment).
func Apply(p *Profile, s Signal, half *HalfLives) error {
	at := seconds(s.At)
	if s.Kind == lead.SignalKindUnspecified || s.Kind >= maxKinds {
		return ErrKind
	}
	if at == 0 {
		return ErrUndated
	}
	f := facts(s, at)
	h := half.Of(s.Kind)
	f.Counters = []KindCounter{{Kind: s.Kind}}
	f.Counters[0].Add(at, h)
	if Tracked(s.Kind) && s.Powertrain == lead.PowertrainElectric {
		f.EV.Add(at, half.Of(lead.SignalKindUnspecified))
	}
	if interaction(s.Kind) {
		if Tracked(s.Kind) {
			f.Tracked.Add(at)
		} else {
			f.Untracked.Add(at)
		}
	}
	p.join(&f, func(k lead.SignalKind, _, _ int32) int32 { return half.Of(k) })
	return nil
}

// facts returns a profile that holds the facts of one signal and no counter.
func facts(s Signal, at int64) Profile {
	p := Profile{Account: s.Fleet}
	dealer, person := Contact{ID: s.DealerID, At: at}, Contact{ID: s.SalespersonID, At: at}
	if dealer.ID == "" {
		dealer.At = 0
	}
	if person.ID == "" {
		person.At = 0
	}
	v := VehicleFacts{VIN: s.VIN}
	owns := true
	switch s.Kind {
	case lead.SignalKindVehicleSold:
		v.Sold = Sale{At: at, DealerID: s.DealerID, Status: s.Status}
		p.CustomerSince, p.Selling, p.Salesperson = at, dealer, person
	case lead.SignalKindLeaseStarted:
		v.Lease = Lease{Started: at, ContractedKM: max(s.Lease.ContractedKM, 0), Payment: s.Lease.Payment}
		if v.Lease.Maturity = maturity(s.Lease, s.At); v.Lease.Maturity != 0 {
			v.Lease.MaturitySeen = at
		}
		p.CustomerSince = at
	case lead.SignalKindLeaseMilestone:
		if m := seconds(s.Lease.Maturity); m != 0 {
			v.Lease = Lease{Maturity: m, MaturitySeen: at}
		}
	case lead.SignalKindServiceVisit:
		v.Visits = []Visit{{At: at, DealerID: s.DealerID, PayType: s.PayType, Amount: s.Amount}}
		p.CustomerSince, p.Servicing = at, dealer
	case lead.SignalKindServiceDeclined:
		v.Declined = Declined{At: at, Amount: s.Amount}
	case lead.SignalKindWarrantyStarted:
		v.Warranties = []Warranty{{Coverage: strings.TrimLeft(s.Warranty.Coverage, hidden), Seen: at,
			Until: seconds(s.Warranty.Until), KMLimit: max(s.Warranty.KMLimit, 0)}}
	case lead.SignalKindMaintenancePlan:
		v.Plan = Plan{Seen: at, Until: seconds(s.Until)}
	case lead.SignalKindMileage:
	case lead.SignalKindTestDrive, lead.SignalKindDealerVisit:
		p.Salesperson = person
		owns = false // the vehicle looked at or driven belongs to the store
	default:
		owns = false
	}
	if !owns || s.Past {
		return p
	}
	v.Make, v.ModelCode, v.Powertrain = s.Make, s.ModelCode, s.Powertrain
	v.Valued, v.Owed = quote(at, s.Value), quote(at, s.Owed)
	v.Balloon = balloon(at, seconds(s.Ends), s.Balloon)
	if km, ok := kilometres(s.Odometer, s.OdometerUnit); ok {
		v.First = Reading{At: at, KM: km}
		v.Latest = v.First
	}
	p.Vehicles = []VehicleFacts{v}
	return p
}

// maturity is the given date, else the start plus the term in calendar months.
func maturity(t LeaseTerms, start time.Time) int64 {
	if m := seconds(t.Maturity); m != 0 {
		return m
	}
	if t.TermMonths <= 0 || t.TermMonths > 240 {
		return 0
	}
	return seconds(start.UTC().AddDate(0, t.TermMonths, 0))
}
