package capture

import (
	"strconv"
	"time"

	"github.com/leadmesh/leadmesh/core/governance"
	"github.com/leadmesh/leadmesh/core/lead"
)

// placeTimes puts the times that came without a zone, and were read as UTC, into the zone that they
// are most likely meant in: the source's, else the dealer's, else the market's. Each assumption is
// recorded on its flag; a time placed once stays.
func (s *Service) placeTimes(g *governance.Governor, l *lead.Lead) {
	var zone *time.Location
	for i := range l.Flags {
		f := &l.Flags[i]
		if f.Code != lead.FlagZoneAssumed || f.Detail != "" {
			continue
		}
		t := timeOf(l, f.Field)
		if t == nil {
			continue
		}
		if zone == nil {
			zone = s.zoneOf(g, l)
		}
		wall := t.UTC()
		*t = time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), wall.Nanosecond(), zone).UTC()
		f.Detail = zone.String()
	}
}

// timeOf finds a time of the lead by the path that flags name it by; nil if there is none.
func timeOf(l *lead.Lead, path string) *time.Time {
	if path == "requested_at" {
		return &l.RequestedAt
	}
	for i := range l.Consents {
		at := "consents[" + strconv.Itoa(i) + "]."
		switch path {
		case at + "at":
			return &l.Consents[i].At
		case at + "valid_until":
			return &l.Consents[i].ValidUntil
		}
	}
	return nil
}

// zoneOf is the zone to assume for a lead.
func (s *Service) zoneOf(g *governance.Governor, l *lead.Lead) *time.Location {
	source, market := g.Zones(l)
	if zone := s.zone(source); zone != nil {
		return zone
	}
	if s.deps.DealerZone != nil && l.Dealer != (lead.DealerReference{}) {
		if zone := s.deps.DealerZone(l.Dealer); zone != nil {
			return zone
		}
	}
	if zone := s.zone(market); zone != nil {
		return zone
	}
	return time.UTC
}

// zone loads a zone once; nil for one that the host does not know.
func (s *Service) zone(name string) *time.Location {
	if name == "" {
		return nil
	}
	if zone, ok := s.zones.Load(name); ok {
		return zone.(*time.Location)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		zone = nil
	}
	s.zones.Store(name, zone)
	return zone
}
