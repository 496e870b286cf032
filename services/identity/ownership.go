package identity

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/signal"
	"github.com/leadmesh/leadmesh/services/identity/internal/postgres"
)

// ownership is who bought which vehicle, as far as a transaction has to do with it.
//
// Whoever bought a vehicle owns it until somebody else buys it: what is said of it with an earlier
// date than that sale is no fact of the person's any more. A signal that names only a vehicle is of
// whoever had it then: of whom it was sold to last; before any sale known, of whom it was last seen
// with; before that, of whom it was first seen with. None of that depends on the order in which
// signals come, so a sale or a sighting that comes late moves signals and facts.
type ownership struct {
	sales     map[string][]postgres.Sale // by VIN, of the persons of today
	unsettled map[string][]*person       // VINs to look at again when all is known; for whom alone, if it is not for all
}

// vehicleKinds are the signals that tell something of a person's vehicle.
func vehicleKinds() []lead.SignalKind {
	return []lead.SignalKind{
		lead.SignalKindServiceVisit, lead.SignalKindServiceDeclined, lead.SignalKindMileage, lead.SignalKindVehicleSold,
		lead.SignalKindLeaseStarted, lead.SignalKindLeaseMilestone, lead.SignalKindWarrantyStarted, lead.SignalKindMaintenancePlan,
	}
}

// loadSales reads who bought vehicles, once for each.
func (w *people) loadSales(ctx context.Context, tx *postgres.Tx, vins []string) error {
	o := &w.ownership
	if o.sales == nil {
		o.sales = map[string][]postgres.Sale{}
	}
	var missing []string
	for _, v := range vins {
		if _, ok := o.sales[v]; !ok && v != "" {
			o.sales[v] = nil
			missing = append(missing, v)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	rows, err := tx.Sales(ctx, missing)
	if err != nil {
		return err
	}
	for _, r := range rows {
		o.sales[r.VIN] = append(o.sales[r.VIN], r)
	}
	// Sales of before there was a table of them stand in the buyers' profiles alone.
	for _, v := range missing {
		for _, p := range w.keepers(v) {
			profile, err := p.readProfile()
			if err != nil {
				return err
			}
			if f := profile.Vehicle(v); f != nil && f.Sold.At != 0 {
				w.sell(v, time.Unix(f.Sold.At, 0).UTC(), p, f.Sold.DealerID)
			}
		}
	}
	return nil
}

// keepers are the persons who are known to own or have owned a vehicle.
func (w *people) keepers(vin string) []*person {
	return w.candidates(hashKeys([]identity.Key{{Kind: identity.KeyKindVIN, Value: vin}}))
}

// sell notes that a person bought a vehicle.
func (w *people) sell(vin string, at time.Time, p *person, dealer string) {
	o := &w.ownership
	for _, s := range o.sales[vin] {
		if w.today(s.PersonID) == p.row.ID && s.SoldAt.Equal(at) {
			return
		}
	}
	s := postgres.Sale{VIN: vin, SoldAt: at, BuyerID: p.row.ID, PersonID: p.row.ID, DealerID: dealer}
	o.sales[vin] = append(o.sales[vin], s)
	w.changes.Sales = append(w.changes.Sales, s)
}

// unsettle has all that is said of a vehicle looked at again.
func (w *people) unsettle(vin string) { w.ownership.mark(vin, nil) }

// united has the facts looked at again of vehicles that two persons had who are one now: what the one
// had sold, the other bought.
func (w *people) united(p *person, a, b *identity.Record) {
	for _, vin := range a.VINs {
		if slices.Contains(b.VINs, vin) {
			w.ownership.mark(vin, p)
		}
	}
}

func (o *ownership) mark(vin string, p *person) {
	if o.unsettled == nil {
		o.unsettled = map[string][]*person{}
	}
	only, marked := o.unsettled[vin]
	switch {
	case p == nil:
		o.unsettled[vin] = nil
	case !marked || only != nil:
		o.unsettled[vin] = append(only, p)
	}
}

// past reports whether a vehicle was sold to somebody else after a moment.
func (w *people) past(vin string, p *person, at time.Time) bool {
	return slices.ContainsFunc(w.ownership.sales[vin], func(s postgres.Sale) bool {
		return w.today(s.PersonID) != p.row.ID && s.SoldAt.After(at)
	})
}

// buyer returns who bought a vehicle last at or before a moment; nil if nobody is known to.
func (w *people) buyer(vin string, at time.Time) *person {
	var best *person
	var last time.Time
	for _, s := range w.ownership.sales[vin] {
		p := w.byID[s.PersonID]
		if p == nil || s.SoldAt.After(at) || s.SoldAt.Before(last) {
			continue
		}
		if p = p.root(); best == nil || s.SoldAt.After(last) || p.row.ID.String() < best.row.ID.String() {
			best, last = p, s.SoldAt
		}
	}
	return best
}

// sighting is one signal of somebody, with whom it is of now.
type sighting struct {
	deed
	person *person
	fresh  int // its place among the signals written now, from 1; 0: stored before
}

// settle looks again at the vehicles of which more than one person says something.
func (w *people) settle(ctx context.Context, tx *postgres.Tx, s *Service, half *signal.HalfLives) error {
	if len(w.ownership.unsettled) == 0 {
		return nil
	}
	changed := map[lead.ID]*person{}
	for _, vin := range slices.Sorted(maps.Keys(w.ownership.unsettled)) {
		if err := w.loadSales(ctx, tx, []string{vin}); err != nil {
			return err
		}
		holders, all := w.ownership.unsettled[vin], false
		if holders == nil {
			holders, all = w.keepers(vin), true
		}
		for i, p := range holders {
			holders[i] = p.root()
		}
		list, err := w.signalsOf(ctx, tx, s, holders, vehicleKinds()...)
		if err != nil {
			return err
		}
		list = slices.DeleteFunc(list, func(t sighting) bool { return t.signal.VIN != vin })
		for i := range list {
			t := &list[i]
			if !all {
				break
			}
			if p := w.keeper(vin, t, list, holders); p != t.person {
				changed[p.row.ID], changed[t.person.row.ID] = p, t.person
				w.move(t, p)
			}
		}
		for _, p := range holders {
			if changed[p.row.ID] == nil {
				if err := w.retellVehicle(vin, p, list, half); err != nil {
					return err
				}
			}
		}
	}
	for _, id := range slices.SortedFunc(maps.Keys(changed), compareIDs) {
		if err := w.retell(ctx, tx, s, changed[id], half); err != nil {
			return err
		}
	}
	return nil
}

// keeper is who a signal is of: whom it names, else whoever had the vehicle then.
func (w *people) keeper(vin string, t *sighting, list []sighting, holders []*person) *person {
	if !t.byCar {
		return t.person
	}
	if p := w.buyer(vin, t.raw.OccurredAt); p != nil {
		return p
	}
	var before, after *sighting
	for i := range list {
		o := &list[i]
		switch {
		case o.byCar:
		case !o.raw.OccurredAt.After(t.raw.OccurredAt):
			if before == nil || later(o, before) {
				before = o
			}
		case after == nil || later(after, o):
			after = o
		}
	}
	switch {
	case before != nil:
		return before.person
	case after != nil:
		return after.person
	}
	best := t.person
	for _, p := range holders { // known from leads alone
		if p.older(best) {
			best = p
		}
	}
	return best
}

// later orders what was said of a vehicle by time, and of one time by what cannot differ between two
// orders of coming.
func later(a, b *sighting) bool {
	if !a.raw.OccurredAt.Equal(b.raw.OccurredAt) {
		return a.raw.OccurredAt.After(b.raw.OccurredAt)
	}
	return compareIDs(a.raw.Key, b.raw.Key) > 0
}

// move makes a signal another person's.
func (w *people) move(t *sighting, p *person) {
	if t.fresh > 0 {
		w.changes.Signals[t.fresh-1].PersonID = p.row.ID
	} else {
		w.changes.Moves = append(w.changes.Moves, postgres.Move{Signal: t.raw, To: p.row.ID})
	}
	t.person = p
}

// signalsOf reads the signals of persons, those that are written now included.
func (w *people) signalsOf(ctx context.Context, tx *postgres.Tx, s *Service, persons []*person, kinds ...lead.SignalKind) ([]sighting, error) {
	var ids []lead.ID
	for _, p := range persons {
		for id, o := range w.byID {
			if o.root() == p && !o.fresh {
				ids = append(ids, id)
			}
		}
	}
	stored, err := tx.SignalsOf(ctx, ids, kinds...)
	if err != nil {
		return nil, err
	}
	moved := map[lead.ID]lead.ID{}
	for _, m := range w.changes.Moves {
		moved[m.Key] = m.To
	}
	seen := map[lead.ID]bool{}
	var out []sighting
	add := func(g postgres.Signal, owner lead.ID, fresh int) error {
		if to, ok := moved[g.Key]; ok {
			owner = to
		}
		p := w.byID[owner]
		if p == nil || seen[g.Key] || !slices.Contains(persons, p.root()) {
			return nil
		}
		seen[g.Key] = true
		d, err := s.readDeed(g)
		if err == nil {
			out = append(out, sighting{deed: d, person: p.root(), fresh: fresh})
		}
		return err
	}
	for _, g := range stored {
		if err := add(g.Signal, w.today(g.Today), 0); err != nil {
			return nil, err
		}
	}
	for i, g := range w.changes.Signals {
		if len(kinds) == 0 || slices.Contains(kinds, g.Kind) {
			if err := add(g, g.PersonID, i+1); err != nil {
				return nil, err
			}
		}
	}
	for _, m := range w.changes.Moves {
		if len(kinds) == 0 {
			if err := add(m.Signal, m.To, 0); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// retellVehicle makes the facts of one vehicle of a person anew.
func (w *people) retellVehicle(vin string, p *person, list []sighting, half *signal.HalfLives) error {
	profile, err := p.readProfile()
	if err != nil {
		return err
	}
	var anew signal.Profile
	for i := range list {
		if t := &list[i]; t.person == p && !w.past(vin, p, t.raw.OccurredAt) {
			if err := signal.Apply(&anew, t.signal, half); err != nil {
				return err
			}
		}
	}
	profile.Replace(vin, anew.Vehicle(vin))
	p.dirty = true
	return nil
}

// retell makes a person's profile anew from all signals. When the person asked stands in leads and
// stays.
func (w *people) retell(ctx context.Context, tx *postgres.Tx, s *Service, p *person, half *signal.HalfLives) error {
	list, err := w.signalsOf(ctx, tx, s, []*person{p})
	if err != nil {
		return err
	}
	var vins []string
	for i := range list {
		vins = append(vins, list[i].signal.VIN)
	}
	if err := w.loadSales(ctx, tx, vins); err != nil {
		return err
	}
	before, err := p.readProfile()
	if err != nil {
		return err
	}
	profile := signal.Profile{Inquiries: before.Inquiries}
	for i := range list {
		g := list[i].signal
		g.Past = w.past(g.VIN, p, g.At)
		if err := signal.Apply(&profile, g, half); err != nil {
			return err
		}
	}
	p.profile, p.dirty = &profile, true
	return nil
}
