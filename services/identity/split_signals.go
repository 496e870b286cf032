package identity

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/identity/internal/postgres"
)

// moveSignals returns the signals that leave persons who stay: those whose record leaves, and those
// that match who leaves better.
func (st *story) moveSignals(d *division, write *postgres.Division, stay, leave *identity.Record) []deed {
	var out []deed
	for id, since := range d.since {
		kept := st.done[id][:0:0]
		for _, g := range st.done[id] {
			leaves := d.records[g.id]
			if !leaves && !g.raw.ReceivedAt.Before(since) && !st.recorded(id, g.id) {
				if g.byCar {
					leaves = slices.Contains(leave.VINs, g.signal.VIN) && !slices.Contains(stay.VINs, g.signal.VIN)
				} else {
					leaves = st.service.nearer(&g.record, leave, stay)
				}
			}
			if !leaves {
				kept = append(kept, g)
				continue
			}
			write.Signals = append(write.Signals, g.raw)
			out = append(out, g)
		}
		st.done[id] = kept
	}
	return out
}

// recorded reports whether a record of a person stands under an identifier.
func (st *story) recorded(person, id lead.ID) bool {
	return slices.ContainsFunc(st.told[person], func(t told) bool { return t.id == id && t.leftAt.IsZero() })
}

// moveSales makes who leaves the buyer in the sales that it takes along.
func (st *story) moveSales(to lead.ID, moved []deed, write *postgres.Changes) {
	for i := range moved {
		d := &moved[i]
		if d.signal.Kind != lead.SignalKindVehicleSold {
			continue
		}
		list := st.sales[d.signal.VIN]
		for k := range list {
			if s := &list[k]; s.BuyerID == d.raw.PersonID && s.SoldAt.Equal(d.signal.At) {
				write.Unsold = append(write.Unsold, *s)
				s.BuyerID, s.PersonID = to, to
				write.Sales = append(write.Sales, *s)
			}
		}
	}
}

// recordVehicles gives each side a record of the vehicles of its signals that only the other side's
// records name now. A signal that says nothing new leaves no record, and may part from the one that
// named its vehicle. Whoever has signals of a vehicle must be found by it: sales and sightings of others
// change what is told of it, and who is merged with a buyer has what was past for him alone.
func (st *story) recordVehicles(d *division, w *people) error {
	for _, side := range []lead.ID{d.stays, d.leaves} {
		members := st.under(side)
		var standing []told
		for _, id := range members {
			for _, t := range st.told[id] {
				if t.leftAt.IsZero() {
					standing = append(standing, t)
				}
			}
		}
		sortTold(standing)
		said := saidBy(standing)
		for _, id := range members {
			list := slices.Clone(st.done[id])
			slices.SortFunc(list, func(a, b deed) int {
				return cmp.Or(a.raw.ReceivedAt.Compare(b.raw.ReceivedAt), bytes.Compare(a.id[:], b.id[:]))
			})
			for i := range list {
				g := &list[i]
				if g.byCar || !slices.ContainsFunc(g.record.VINs, func(v string) bool { return !slices.Contains(said.VINs, v) }) {
					continue
				}
				t, err := st.recordOf(g, id, &said, w.changes.At)
				if err != nil {
					return err
				}
				said = identity.Union(&said, &t.record)
				w.changes.Records = append(w.changes.Records, t.raw)
				st.told[id] = append(st.told[id], t)
			}
			sortTold(st.told[id])
		}
	}
	return nil
}

// recordOf makes the record that a signal would have left, had nothing of it been known but what said
// tells.
func (st *story) recordOf(g *deed, person lead.ID, said *identity.Record, at time.Time) (told, error) {
	e := st.service.matcher().Match(&g.record, said)
	return st.service.readTold(postgres.Record{
		PersonID: person, ID: g.id, Body: g.body, Weight: e.Weight, Reasons: reasonText(e.Reasons), LinkedAt: at,
	}, st.known)
}
