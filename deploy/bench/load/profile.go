package load

import (
	"fmt"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/signal"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
)

// browsing and owning are what people do, in the order in which they are dealt out.
var (
	browsing = []lead.SignalKind{
		lead.SignalKindPageView, lead.SignalKindInventoryView, lead.SignalKindConfiguratorStarted, lead.SignalKindConfiguratorSaved,
		lead.SignalKindFinanceCalculator, lead.SignalKindRangeTool, lead.SignalKindChargerQuote, lead.SignalKindEmailOpen,
		lead.SignalKindEmailClick, lead.SignalKindAppUse, lead.SignalKindPartsPageView, lead.SignalKindIncentiveView,
	}
	owning = []lead.SignalKind{
		lead.SignalKindVehicleSold, lead.SignalKindWarrantyStarted, lead.SignalKindLeaseStarted, lead.SignalKindMaintenancePlan,
		lead.SignalKindServiceVisit, lead.SignalKindServiceVisit, lead.SignalKindMileage, lead.SignalKindServiceDeclined,
	}
)

// profile is what Identity knows of somebody after so many signals over two years, a third of them
// of three vehicles.
func (m *Maker) profile(now time.Time, signals int) ([]byte, error) {
	var p signal.Profile
	p.Inquired(now.Unix())
	var half signal.HalfLives
	for i := range signals {
		s := signal.Signal{ID: fmt.Sprintf("%s-%d-%d", m.run, m.made, i), At: now.Add(-time.Duration(1+m.random.IntN(730*24)) * time.Hour)}
		if i%3 != 0 {
			s.Kind, s.ModelCode = browsing[i%len(browsing)], pick(m.random, m.models).code
		} else {
			car := i / 3
			s.Kind = owning[(car/3)%len(owning)]
			s.VIN = fmt.Sprintf("1NV%08d%06d", car%3, m.made%1_000_000)
			s.DealerID, s.ModelCode = "nv-co-001", pick(m.random, m.models).code
			s.Odometer, s.OdometerUnit = int64(9_000+car*1_000), lead.OdometerUnitMI
			s.Lease.Maturity = now.AddDate(0, 8, 0)
			s.Warranty.Until = now.AddDate(1, 0, 0)
			s.Until = now.AddDate(1, 0, 0)
		}
		if err := signal.Apply(&p, s, &half); err != nil {
			return nil, fmt.Errorf("make a profile: signal %s: %w", s.Kind, err)
		}
	}
	return p.Marshal(), nil
}

// tellMore makes a lead one of those that come filled in from end to end: the car they drive, one
// to trade in, who buys with them, where they clicked, and a long message.
func (m *Maker) tellMore(l *leadv1.Lead) {
	r := m.random
	car := pick(r, m.models)
	for _, role := range []leadv1.VehicleRole{leadv1.VehicleRole_VEHICLE_ROLE_OWNED, leadv1.VehicleRole_VEHICLE_ROLE_TRADED} {
		l.Vehicles = append(l.Vehicles, &leadv1.Vehicle{
			Role: role, Status: leadv1.VehicleStatus_VEHICLE_STATUS_USED, Make: car.make, Model: car.name, Year: 2016 + int32(r.IntN(8)),
			Vin: fmt.Sprintf("1NV%08d%06d", role, m.made%1_000_000), Trim: "Touring with the winter package", Color: "deep forest green",
		})
	}
	first := l.GetParties()[0]
	l.Parties = append(l.Parties, &leadv1.Party{
		Role: leadv1.PartyRole_PARTY_ROLE_CO_BUYER,
		Name: &leadv1.Name{Given: pick(r, givenNames), Family: first.GetName().GetFamily()}, Address: first.GetAddress(),
		Emails: []*leadv1.Email{{Address: fmt.Sprintf("co.%s.%d@example.com", m.run, m.made), Valid: true}},
	})
	for _, source := range []string{"google", "meta", "configurator", "owner_app"} {
		l.Identifiers = append(l.Identifiers, &leadv1.Identifier{
			Kind: leadv1.IdentifierKind_IDENTIFIER_KIND_CLICK, Source: source, Value: fmt.Sprintf("%s.%016x%016x", m.run, r.Uint64(), r.Uint64()),
		})
	}
	l.Comments = "We have looked at it twice on the site and once in the showroom of friends. " + l.GetComments() +
		" What matters to us: room for two child seats and a dog, a tow hook that carries two bicycles, and enough range to reach my parents " +
		"in winter without a stop. We can charge at home and at work. Our present car has a cracked windshield and new tires; the other one " +
		"is with my sister until the end of the month. Weekday mornings are best, or any time on Saturdays. Please send the price in writing, " +
		"with and without the winter package, and tell us how long the delivery takes if we order it rather than take one from stock."
}
