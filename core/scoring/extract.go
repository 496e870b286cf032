package scoring

import (
	"math"
	"time"
	"unicode/utf8"

	"github.com/leadmesh/leadmesh/core/catalogue"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/signal"
)

// Facts is what extraction needs beside the lead and the profile: the consent that identity
// found effective, and what the network and the playbook know. The zero Facts grants nothing
// and knows nothing.
type Facts struct {
	Profiling lead.ConsentState // only granted lets tracked behaviour in

	SoughtKnown      bool                 // the network knows the model sought
	SoughtPowertrain lead.Powertrain      // of that model; not given: the lead's own word
	ProgramRequired  bool                 // that model needs a certified program
	Catalogue        *catalogue.Catalogue // services, values, offers, incentives and chargers; nil knows none
	Currency         string               // of the playbook's points; amounts in another are not known. Empty: any
}

const (
	repeatWindow   = 90 * 86400 // seconds in which another inquiry counts as a repetition
	comebackRecent = 4          // weeks since a silence ended for which it still counts
	declinedRecent = 365        // days for which declined work is worth a talk
)

// Extract fills the inputs of a lead and the profile of its person at the time of the decision.
// Every value is rounded to an integer here, before anything compares it. p may be nil. It
// allocates nothing.
func Extract(l *lead.Lead, p *signal.Profile, decidedAt time.Time, facts Facts, in *Inputs) {
	var nobody signal.Profile
	if p == nil {
		p = &nobody
	}
	in.Reset()
	at := decidedAt.Unix()
	x := extraction{in: in, lead: l, profile: p, facts: &facts, at: at}
	x.owned = l.Vehicle(lead.VehicleRoleOwned)
	x.traded = l.Vehicle(lead.VehicleRoleTraded)
	x.sought = l.Vehicle(lead.VehicleRoleSought)
	x.fleet = ofCompany(l, p)
	x.consent = facts.Profiling == lead.ConsentStateGranted

	x.inquiry(decidedAt)
	x.signals()
	x.vehicleSought()
	x.lifeCycle(decidedAt)
	x.value()
	if !x.consent {
		in.DropTracked()
	}
}

// extraction holds what the steps of Extract share.
type extraction struct {
	in                    *Inputs
	lead                  *lead.Lead
	profile               *signal.Profile
	facts                 *Facts
	owned, traded, sought *lead.Vehicle
	at                    int64
	consent, fleet        bool
}

func (x *extraction) set(f Feature, v int64) {
	x.in.Values[f] = int32(min(max(v, int64(Missing)+1), math.MaxInt32))
}

func (x *extraction) code(f Feature, v uint8) {
	if v != 0 {
		x.in.Values[f] = int32(v)
	}
}

func (x *extraction) yes(f Feature, v bool) {
	x.in.Values[f] = 0
	if v {
		x.in.Values[f] = 1
	}
}

// inquiry reads what the customer said and how.
func (x *extraction) inquiry(decidedAt time.Time) {
	l := x.lead
	x.code(FeatureRequestType, uint8(l.RequestType))
	x.code(FeatureOrigin, uint8(l.Origin))
	x.code(FeatureDealerChoice, uint8(l.Choice))
	x.code(FeatureSourceChannel, sourceChannel(l.Source.Channel))
	x.yes(FeatureTrigger, l.Trigger)
	phone, email := false, false
	for i := range l.Parties {
		for j := range l.Parties[i].Phones {
			phone = phone || l.Parties[i].Phones[j].E164 != ""
		}
		for j := range l.Parties[i].Emails {
			email = email || l.Parties[i].Emails[j].Address != ""
		}
	}
	x.yes(FeatureHasPhone, phone)
	x.yes(FeatureHasEmail, email)
	x.set(FeatureCommentLength, int64(utf8.RuneCountInString(l.Comments)))
	when := l.TimeFrame.Latest // "within 30 days" begins today: its end says how near the customer is
	if when.IsZero() {
		when = l.TimeFrame.Earliest
	}
	if !when.IsZero() {
		x.set(FeatureTimeFrameDays, max(0, floorDays(when.Unix()-x.at)))
	}

	asked := l.RequestedAt
	if asked.IsZero() {
		asked = l.ReceivedAt
	}
	if asked.IsZero() {
		asked = decidedAt
	}
	x.set(FeatureRepeatInquiry, int64(x.profile.InquiriesWithin(asked.Unix(), repeatWindow)))
	x.silence(asked.Unix())
}

// silence reads the time since the person was last heard of before this inquiry. Without consent
// only visits, contracts and inquiries tell.
func (x *extraction) silence(asked int64) {
	a := x.profile.Untracked
	if x.consent {
		a = signal.Union(a, x.profile.Tracked)
		x.set(FeatureActiveWeeks, int64(x.profile.Tracked.Active(x.at, 12)))
	}
	last := a.Last
	for _, at := range x.profile.Inquiries {
		if at < asked {
			last = max(last, at)
		}
	}
	gap := a.Comeback(x.at, comebackRecent)
	if last != 0 {
		silent := max(0, floorDays(x.at-last))
		x.set(FeatureSilenceDays, silent)
		if !x.lead.Trigger {
			// Whoever asks now ends the silence now.
			gap = max(gap, int32(min(silent, math.MaxInt32)))
		}
	}
	x.in.Values[FeatureComebackGapDays] = gap
}

// pairs are the features of one kind of signal: its count, followed by its recency.
var pairs = [...]struct {
	kind  lead.SignalKind
	count Feature
}{
	{lead.SignalKindPageView, FeaturePageViewCount},
	{lead.SignalKindInventoryView, FeatureInventoryViewCount},
	{lead.SignalKindPartsPageView, FeaturePartsPageViewCount},
	{lead.SignalKindFinanceCalculator, FeatureFinanceCalculatorCount},
	{lead.SignalKindAppUse, FeatureAppUseCount},
	{lead.SignalKindEmailOpen, FeatureEmailOpenCount},
	{lead.SignalKindEmailClick, FeatureEmailClickCount},
	{lead.SignalKindCartAbandoned, FeatureCartAbandonedCount},
	{lead.SignalKindChat, FeatureChatCount},
	{lead.SignalKindCall, FeatureCallCount},
	{lead.SignalKindDealerVisit, FeatureDealerVisitCount},
	{lead.SignalKindTestDrive, FeatureTestDriveCount},
	{lead.SignalKindConfiguratorStarted, FeatureConfiguratorStartedCount},
	{lead.SignalKindConfiguratorSaved, FeatureConfiguratorSavedCount},
	{lead.SignalKindConfiguratorSent, FeatureConfiguratorSentCount},
	{lead.SignalKindChargerQuote, FeatureChargerQuoteCount},
	{lead.SignalKindRangeTool, FeatureRangeToolCount},
	{lead.SignalKindIncentiveView, FeatureIncentiveViewCount},
	{lead.SignalKindHomeCharger, FeatureHomeChargerCount},
	{lead.SignalKindServiceDeclined, FeatureServiceDeclinedCount},
}

// signals reads the counters. A kind never seen counts 0 and has no recency.
func (x *extraction) signals() {
	for _, s := range pairs {
		if !x.consent && features[s.count].tracked {
			continue
		}
		x.in.Values[s.count] = x.profile.Count(s.kind, x.at)
		x.in.Values[s.count+1] = x.profile.Recency(s.kind, x.at)
	}
	x.in.Values[FeatureEVInterestCount] = x.profile.EV.Count(x.at)
	x.in.Values[FeatureEVInterestRecency] = x.profile.EV.Recency(x.at)
}

// vehicleSought reads what the customer wants and how ready the program is for it.
func (x *extraction) vehicleSought() {
	powertrain := x.powertrainSought()
	known, stock := x.facts.SoughtKnown, false
	if v := x.sought; v != nil {
		known = known || v.ModelCode != ""
		stock = v.Stock != "" || v.VIN != ""
		x.code(FeatureVehicleSoughtStatus, uint8(v.Status))
		x.money(FeatureVehiclePrice, v.Price)
	}
	x.yes(FeatureVehicleSoughtKnown, known)
	x.yes(FeatureVehicleInStock, stock || x.lead.Choice == lead.DealerChoiceCustomerVehicle)
	x.code(FeaturePowertrainSought, uint8(powertrain))
	x.yes(FeatureEVSought, powertrain == lead.PowertrainElectric)
	x.yes(FeatureProgramRequired, x.facts.ProgramRequired)
	x.yes(FeatureTradeOffered, x.traded != nil)
}

func (x *extraction) powertrainSought() lead.Powertrain {
	if x.facts.SoughtPowertrain == lead.PowertrainUnspecified && x.sought != nil {
		return x.sought.Powertrain
	}
	return x.facts.SoughtPowertrain
}

// lifeCycle reads where the customer's vehicles stand: the one the lead names, else all.
func (x *extraction) lifeCycle(decidedAt time.Time) {
	named := x.owned
	if named == nil {
		named = x.traded
	}
	vin := ""
	if named != nil {
		vin = named.VIN
	}
	c := x.profile.LifeCycle(vin, x.at)
	mine := x.vehicle(named, &c, decidedAt)
	powertrain := c.Powertrain
	if named != nil {
		if km, ok := odometerKM(named); ok {
			c.OdometerKM = km
		}
		if c.AgeDays == signal.Unknown && named.Year > 1900 {
			// Only the model year is known: counted from its first day.
			c.AgeDays = daysSince(named.Year, x.at)
		}
		if powertrain == lead.PowertrainUnspecified {
			powertrain = named.Powertrain
		}
	}
	v := &x.in.Values
	v[FeatureVehicleAgeDays], v[FeatureOwnedDays], v[FeatureOdometerKM] = c.AgeDays, c.OwnedDays, c.OdometerKM
	v[FeatureDailyDistance] = c.DailyDistance
	v[FeatureLeaseDaysToEnd], v[FeatureLeaseMileagePace] = c.LeaseDays, c.LeasePace
	v[FeatureWarrantyDaysLeft], v[FeatureMaintenancePlanDaysLeft] = c.WarrantyDays, c.PlanDays
	v[FeatureVisits24M], v[FeatureVisitsCustomer24M] = c.Visits, c.VisitsCustomer
	v[FeatureVisitsWarranty24M], v[FeatureVisitsMaintenance24M] = c.VisitsWarranty, c.VisitsMaintenance
	v[FeatureVisitDays], v[FeatureServicesDone] = c.VisitDays, mine.servicesDone(x)
	v[FeatureVehiclesOwned] = c.Vehicles
	x.yes(FeatureEVOwned, c.EVs > 0 || powertrain == lead.PowertrainElectric)
	x.code(FeaturePowertrainOwned, uint8(powertrain))
	x.money(FeatureSpend24M, c.Spent)
	x.worth(&mine, &c)
	x.next(mine.car, c.LeasePaying)
}

// value reads what the customer is worth to us.
func (x *extraction) value() {
	x.yes(FeatureFleet, x.fleet)
	if since := x.profile.CustomerSince; since != 0 && since <= x.at {
		x.set(FeatureCustomerSinceDays, floorDays(x.at-since))
	}
	x.money(FeatureDownPayment, x.lead.Finance.DownPayment)
	x.code(FeatureFinanceMethod, financeMethod(x.lead.Finance.Method))
}

// ofCompany reports whether the lead is of an organisation.
func ofCompany(l *lead.Lead, p *signal.Profile) bool {
	for i := range l.Parties {
		if l.Parties[i].Role == lead.PartyRoleCompany {
			return true
		}
	}
	return p.Account
}

func (x *extraction) money(f Feature, m lead.Money) {
	if m.Currency != "" && (x.facts.Currency == "" || m.Currency == x.facts.Currency) {
		x.set(f, floorDiv(m.Minor, minorUnits(m.Currency)))
	}
}

// DigitalOnly reports whether a lead is a trigger or signal lead of somebody without request
// type, visit, call or service history; such a lead goes to the BDC.
func DigitalOnly(l *lead.Lead, p *signal.Profile) bool {
	if !l.Trigger || l.RequestType != lead.RequestTypeUnspecified {
		return false
	}
	if p == nil {
		return true
	}
	for i := range p.Vehicles {
		if len(p.Vehicles[i].Visits) > 0 {
			return false
		}
	}
	return !p.Seen(lead.SignalKindDealerVisit) && !p.Seen(lead.SignalKindTestDrive) &&
		!p.Seen(lead.SignalKindCall) && !p.Seen(lead.SignalKindServiceVisit) &&
		!p.Seen(lead.SignalKindServiceDeclined)
}
