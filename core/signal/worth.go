package signal

import (
	"cmp"
	"strings"

	"github.com/leadmesh/leadmesh/core/lead"
)

const (
	// valuedFresh is for how many days a valuation counts: half a year on, a table knows better.
	valuedFresh = 180
	// quoteFresh is for how many days a payoff quote counts of which nobody knows how the debt falls.
	quoteFresh = 45
)

// Quote is an amount somebody stated for a vehicle; there is none while At is 0.
type Quote struct {
	At     int64
	Amount lead.Money
}

// Balloon is what a contract leaves to pay at its end; there is none while Seen is 0.
type Balloon struct {
	Seen   int64 // when the terms were learned
	Due    int64 // the day the contract ends, as the second it begins, UTC
	Amount lead.Money
}

// Worth is what the vehicle was last valued at, if that was in the half year before a second.
func (v *VehicleFacts) Worth(at int64) (m lead.Money, ok bool) {
	if q := v.Valued; q.At != 0 && q.At <= at && daysBetween(q.At, at) < valuedFresh {
		return q.Amount, true
	}
	return m, false
}

// Owes is what is owed on the vehicle at a second: from what was last owed in a straight line to what
// the contract leaves to pay at its end, and that for 90 days more. Where nobody said what it leaves,
// what was owed counts for 45 days.
func (v *VehicleFacts) Owes(at int64) (m lead.Money, ok bool) {
	q, end := v.Owed, v.Balloon
	if q.At == 0 || q.At > at {
		return m, false
	}
	if end.Seen == 0 || end.Amount.Currency != q.Amount.Currency || end.Due <= q.At {
		return q.Amount, daysBetween(q.At, at) < quoteFresh
	}
	if at >= end.Due {
		return end.Amount, end.Amount.Minor == 0 || daysBetween(end.Due, at) <= leaseGrace
	}
	m = q.Amount // by whole days, so that the product stays below 2^63
	m.Minor = end.Amount.Minor + (q.Amount.Minor-end.Amount.Minor)*((end.Due-at)/day)/max((end.Due-q.At)/day, 1)
	return m, true
}

func (v *VehicleFacts) joinWorth(o *VehicleFacts) {
	v.Valued = greater(v.Valued, o.Valued, compareQuote)
	v.Owed = greater(v.Owed, o.Owed, compareQuote)
	v.Balloon = greater(v.Balloon, o.Balloon, compareBalloon)
	v.trimWarranties()
}

func compareQuote(a, b Quote) int {
	return cmp.Or(cmp.Compare(a.At, b.At), compareMoney(a.Amount, b.Amount))
}

func compareBalloon(a, b Balloon) int {
	return cmp.Or(cmp.Compare(a.Seen, b.Seen), cmp.Compare(a.Due, b.Due), compareMoney(a.Amount, b.Amount))
}

// maxMinor and maxDue bound amounts and days, so that one of each fits into a stored word.
const (
	maxMinor = 1 << 44
	maxDue   = 1 << 18 // days since 1970
)

// balloon makes a balloon of an amount and the day it is due; none where either is missing.
func balloon(seen, due int64, m lead.Money) Balloon {
	if quote(seen, m).At == 0 || due == 0 || due/day >= maxDue {
		return Balloon{}
	}
	return Balloon{Seen: seen, Due: due / day * day, Amount: m}
}

// quote makes a quote of an amount; of none, or of one that nobody can owe, it makes none.
func quote(at int64, m lead.Money) Quote {
	if m.Currency == "" || m.Minor < 0 || m.Minor >= maxMinor {
		return Quote{}
	}
	return Quote{At: at, Amount: m}
}

// The first layout of a profile has no room for quotes, and a program that knows only that one must
// go on reading and joining what this one writes. So they are stored among the coverages, under
// names that no sender can give, with a limit below zero: to that program a coverage without end,
// of which the one learned last stands.
const (
	hidden       = "\x1f"
	namedWorth   = hidden + "worth"
	namedOwed    = hidden + "owed"
	namedResidue = hidden + "residue"
)

// hide returns the coverages as they are stored, by name: the quotes with the coverages.
func (v *VehicleFacts) hide() []Warranty {
	if v.extras() == 0 {
		return v.Warranties
	}
	list := make([]Warranty, 0, MaxWarranties)
	rest := v.Warranties
	for len(rest) > 0 && rest[0].Coverage < hidden {
		list, rest = append(list, rest[0]), rest[1:]
	}
	add := func(name string, seen, days int64, m lead.Money) {
		if seen != 0 {
			list = append(list, Warranty{Coverage: name + " " + m.Currency, Seen: seen, KMLimit: -(days*maxMinor + m.Minor) - 1})
		}
	}
	add(namedOwed, v.Owed.At, 0, v.Owed.Amount)
	add(namedResidue, v.Balloon.Seen, v.Balloon.Due/day, v.Balloon.Amount)
	add(namedWorth, v.Valued.At, 0, v.Valued.Amount)
	return append(list, rest...)
}

// reveal takes the quotes out of the coverages as they were stored. A name that this program does
// not know stays.
func (v *VehicleFacts) reveal() {
	kept := v.Warranties[:0]
	for _, w := range v.Warranties {
		if !strings.HasPrefix(w.Coverage, hidden) || !v.unhide(w) {
			kept = append(kept, w)
		}
	}
	v.Warranties = kept
}

func (v *VehicleFacts) unhide(w Warranty) bool {
	packed := -(w.KMLimit + 1)
	if packed < 0 || w.Seen == 0 || w.Until != 0 {
		return false
	}
	minor, days := packed%maxMinor, packed/maxMinor
	name, currency, _ := strings.Cut(w.Coverage, " ")
	m := lead.Money{Minor: minor, Currency: currency}
	switch {
	case currency == "":
		return false
	case name == namedResidue && days > 0:
		v.Balloon = greater(v.Balloon, Balloon{Seen: w.Seen, Due: days * day, Amount: m}, compareBalloon)
	case name == namedOwed && days == 0:
		v.Owed = greater(v.Owed, Quote{At: w.Seen, Amount: m}, compareQuote)
	case name == namedWorth && days == 0:
		v.Valued = greater(v.Valued, Quote{At: w.Seen, Amount: m}, compareQuote)
	default:
		return false
	}
	return true
}

// extras is how many places among the coverages the quotes take.
func (v *VehicleFacts) extras() int {
	n := 0
	for _, at := range [...]int64{v.Valued.At, v.Owed.At, v.Balloon.Seen} {
		if at != 0 {
			n++
		}
	}
	return n
}
