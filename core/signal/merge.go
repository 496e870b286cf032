package signal

import (
	"cmp"
	"slices"

	"github.com/leadmesh/leadmesh/core/lead"
)

// Merge returns what is known of a and b together, for two records found to be one person. It
// gives the same for (b, a). A kind whose half-lives differ takes the shorter. Neither argument
// is changed and the result shares nothing with them.
func Merge(a, b Profile) Profile {
	var p Profile
	shorter := func(_ lead.SignalKind, x, y int32) int32 { return min(x, y) }
	p.join(&a, shorter)
	p.join(&b, shorter)
	return p
}

// join adds o to p; halfLife picks the half-life of a kind from those of the two counters. It
// copies whatever of o it keeps.
func (p *Profile) join(o *Profile, halfLife func(k lead.SignalKind, a, b int32) int32) {
	for _, c := range o.Counters {
		i, ok := slices.BinarySearchFunc(p.Counters, c.Kind, func(c KindCounter, k lead.SignalKind) int {
			return cmp.Compare(c.Kind, k)
		})
		if !ok {
			p.Counters = slices.Insert(p.Counters, i, KindCounter{Kind: c.Kind, Counter: Counter{HalfLife: c.HalfLife}})
		}
		p.Counters[i].join(c.Counter, halfLife(c.Kind, p.Counters[i].HalfLife, c.HalfLife))
	}
	if o.EV.Last != 0 {
		own := cmp.Or(p.EV.HalfLife, o.EV.HalfLife)
		p.EV.join(o.EV, halfLife(lead.SignalKindUnspecified, own, o.EV.HalfLife))
	}
	for i := range o.Vehicles {
		v := &o.Vehicles[i]
		at, ok := p.search(v.VIN)
		if !ok {
			p.Vehicles = slices.Insert(p.Vehicles, at, VehicleFacts{VIN: v.VIN})
		}
		p.Vehicles[at].join(v)
	}
	p.dropVehicles()
	for _, at := range o.Inquiries {
		p.Inquired(at)
	}
	p.Tracked.join(o.Tracked)
	p.Untracked.join(o.Untracked)
	if o.CustomerSince != 0 && (p.CustomerSince == 0 || o.CustomerSince < p.CustomerSince) {
		p.CustomerSince = o.CustomerSince
	}
	p.Account = p.Account || o.Account
	p.Selling = greater(p.Selling, o.Selling, compareContact)
	p.Servicing = greater(p.Servicing, o.Servicing, compareContact)
	p.Salesperson = greater(p.Salesperson, o.Salesperson, compareContact)
}

// join adds the facts of another record of the same vehicle. A make, model or powertrain does
// not change, so of two spellings the greater wins, whichever came first.
func (v *VehicleFacts) join(o *VehicleFacts) {
	v.Make = max(v.Make, o.Make)
	v.ModelCode = max(v.ModelCode, o.ModelCode)
	v.Powertrain = max(v.Powertrain, o.Powertrain)
	v.Sold = greater(v.Sold, o.Sold, compareSale)
	if len(o.Visits) > 0 {
		v.Visits = newest(append(slices.Clip(v.Visits), o.Visits...), MaxVisits, compareVisit)
	}
	if o.First.At != 0 && (v.First.At == 0 || compareReading(o.First, v.First) < 0) {
		v.First = o.First
	}
	v.Latest = greater(v.Latest, o.Latest, compareReading)
	v.Lease.join(o.Lease)
	for _, w := range o.Warranties {
		v.warranty(w)
	}
	v.Plan = greater(v.Plan, o.Plan, comparePlan)
	v.Declined = greater(v.Declined, o.Declined, compareDeclined)
	v.joinWorth(o)
}

// join keeps the later contract and, apart from it, the later word on when it ends.
func (l *Lease) join(o Lease) {
	if cmp.Or(cmp.Compare(o.Started, l.Started), cmp.Compare(o.ContractedKM, l.ContractedKM),
		compareMoney(o.Payment, l.Payment)) > 0 {
		l.Started, l.ContractedKM, l.Payment = o.Started, o.ContractedKM, o.Payment
	}
	if cmp.Or(cmp.Compare(o.MaturitySeen, l.MaturitySeen), cmp.Compare(o.Maturity, l.Maturity)) > 0 {
		l.Maturity, l.MaturitySeen = o.Maturity, o.MaturitySeen
	}
}

func (v *VehicleFacts) warranty(w Warranty) {
	i, ok := slices.BinarySearchFunc(v.Warranties, w.Coverage, func(w Warranty, c string) int {
		return cmp.Compare(w.Coverage, c)
	})
	if ok {
		v.Warranties[i] = greater(v.Warranties[i], w, compareWarranty)
		return
	}
	v.Warranties = slices.Insert(slices.Clip(v.Warranties), i, w)
	v.trimWarranties()
}

// trimWarranties drops the coverages that do not fit, those learned first before others.
func (v *VehicleFacts) trimWarranties() {
	for len(v.Warranties)+v.extras() > MaxWarranties {
		oldest := 0
		for i := range v.Warranties {
			if compareWarranty(v.Warranties[i], v.Warranties[oldest]) < 0 {
				oldest = i
			}
		}
		v.Warranties = slices.Delete(v.Warranties, oldest, oldest+1)
	}
}

// Touched returns the latest second at which anything was learned of the vehicle.
func (v *VehicleFacts) Touched() int64 {
	at := max(v.Sold.At, v.Latest.At, v.Lease.Started, v.Lease.MaturitySeen, v.Plan.Seen, v.Declined.At, v.Valued.At, v.Owed.At, v.Balloon.Seen)
	if len(v.Visits) > 0 {
		at = max(at, v.Visits[0].At)
	}
	for _, w := range v.Warranties {
		at = max(at, w.Seen)
	}
	return at
}

func (p *Profile) dropVehicles() {
	for len(p.Vehicles) > MaxVehicles {
		oldest := 0
		for i := range p.Vehicles {
			if p.Vehicles[i].Touched() < p.Vehicles[oldest].Touched() {
				oldest = i
			}
		}
		p.Vehicles = slices.Delete(p.Vehicles, oldest, oldest+1)
	}
}

func greater[T any](a, b T, compare func(a, b T) int) T {
	if compare(b, a) > 0 {
		return b
	}
	return a
}

func compareContact(a, b Contact) int {
	return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.ID, b.ID))
}

func compareSale(a, b Sale) int {
	return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.DealerID, b.DealerID), cmp.Compare(a.Status, b.Status))
}

func compareVisit(a, b Visit) int {
	return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.DealerID, b.DealerID),
		cmp.Compare(a.PayType, b.PayType), compareMoney(a.Amount, b.Amount))
}

func compareReading(a, b Reading) int {
	return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.KM, b.KM))
}

func comparePlan(a, b Plan) int {
	return cmp.Or(cmp.Compare(a.Seen, b.Seen), cmp.Compare(a.Until, b.Until))
}

func compareDeclined(a, b Declined) int {
	return cmp.Or(cmp.Compare(a.At, b.At), compareMoney(a.Amount, b.Amount))
}

func compareWarranty(a, b Warranty) int {
	return cmp.Or(cmp.Compare(a.Seen, b.Seen), cmp.Compare(a.Until, b.Until),
		cmp.Compare(a.KMLimit, b.KMLimit), cmp.Compare(a.Coverage, b.Coverage))
}

func compareMoney(a, b lead.Money) int {
	return cmp.Or(cmp.Compare(a.Minor, b.Minor), cmp.Compare(a.Currency, b.Currency))
}
