package main

import (
	"math"
	"slices"
)

// reach is the farthest a store's territory goes, in kilometres. What lies beyond stays an open
// point: nobody has the duty there.
func reach(brand, state string) float64 {
	switch {
	case state == "AK" || state == "HI":
		return 600
	case brand == solvane:
		return 110
	}
	return 140
}

// openPoints are areas in reach that the manufacturer has left without a store of the brand, by
// the first three digits of the postal code.
var openPoints = map[string][]string{norrvind: {"598", "247", "424"}, solvane: {"598", "875", "283", "376"}}

// territoryTable gives each US postal code in reach to the nearest store of the brand. Stores on
// probation have no territory; a paused store keeps its own; the codes of a store that closes
// pass to its nearest neighbour on a day.
func (n *network) territoryTable(us []place) table {
	t := newTable("territories.csv.gz", "brand,country,postal_code,dealer_id,valid_from,valid_to")
	for _, brand := range []string{norrvind, solvane} {
		for _, p := range us {
			if slices.Contains(openPoints[brand], p.postal[:3]) {
				continue
			}
			lasting := n.owner(brand, p, "LIVE", "PAUSED")
			former := n.owner(brand, p, "LIVE", "PAUSED", "CLOSING", "CLOSED")
			from := "2024-01-01"
			if former != nil && former != lasting {
				until, next := "2027-01-31", "2027-02-01"
				if former.status == "CLOSED" {
					until, next = "2026-06-30", "2026-07-01"
				}
				t.add(brand, p.country, p.postal, former.id, from, until)
				from = next
			}
			if lasting != nil {
				t.add(brand, p.country, p.postal, lasting.id, from, "")
			}
		}
	}
	return t
}

// owner returns the nearest store in reach with the brand and one of the states; nil if none.
func (n *network) owner(brand string, p place, status ...string) *store {
	var best *store
	least := math.Inf(1)
	for _, s := range n.stores {
		if s.kind != "ROOFTOP" || !slices.Contains(s.brands, brand) || !slices.Contains(status, s.status) {
			continue
		}
		// A degree of latitude is 111 km: most stores are too far without any trigonometry.
		if math.Abs(s.lat-p.lat)*110 > reach(brand, p.region) {
			continue
		}
		if d := kilometres(p.lat, p.lon, s.lat, s.lon); d <= reach(brand, p.region) && d < least {
			best, least = s, d
		}
	}
	return best
}
