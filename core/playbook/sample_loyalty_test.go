package playbook_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/playbook"
	"github.com/leadmesh/leadmesh/core/scoring"
)

const day = 86400

// sign is one thing that people or their cars show. instead is what the feature is without it:
// Missing unless said otherwise.
type sign struct {
	name    string
	feature string
	value   int32
	instead int32
}

// counted is a sign of a feature that is 0 when nothing was seen.
func counted(name, feature string, value int32) sign { return sign{name, feature, value, 0} }

// fact is a sign of a feature that is not known otherwise.
func fact(name, feature string, value int32) sign {
	return sign{name, feature, value, scoring.Missing}
}

// loyal are the four kinds of loyalty leads: what tells them, what is offered to them best and how
// they are reached.
var loyal = []struct {
	segment  lead.Segment
	line     lead.Line
	role     lead.Role
	signs    []sign
	path     []string // words of the play, in its steps and in its script
	channels []string
}{
	{lead.SegmentRenewalIntender, lead.LineRenewal, lead.RoleSales,
		[]sign{
			fact("lease approaching its end", "lease_days_to_end", 80),
			counted("high app usage", "app_use.count", 5000),
			fact("browsing inventory pages", "inventory_view.recency", 2*day),
		},
		[]string{"appointment", "loyalty incentive", "upgrade"},
		[]string{"e-mail", "text", "BDC", "app notification"}},
	{lead.SegmentServiceLoyalist, lead.LineService, lead.RoleServiceAdvisor,
		[]sign{
			counted("frequent service visits", "visits_24m", 4),
			fact("maintenance compliance, against what was due", "services_done", 1000),
			counted("maintenance compliance, by the plan", "visits_maintenance_24m", 2),
			fact("accessory browsing", "parts_page_view.recency", 5*day),
		},
		[]string{"accessory", "bundle", "prepaid maintenance plan"},
		[]string{"advisor calls", "e-mail", "app notification"}},
	{lead.SegmentWarrantyExpiring, lead.LineWarranty, lead.RoleServiceAdvisor,
		[]sign{
			fact("warranty nearing its end", "warranty_days_left", 60),
			counted("online research, many pages", "page_view.count", 7000),
			counted("online research, week after week", "active_weeks_12", 4),
		},
		[]string{"extended warranty", "health inspection"},
		[]string{"e-mail", "text", "advisor calls"}},
	{lead.SegmentAccessoryProspect, lead.LineAccessories, lead.RoleServiceAdvisor,
		[]sign{
			counted("browsing parts pages", "parts_page_view.count", 3000),
			fact("parts pages lately", "parts_page_view.recency", 2*day),
			fact("cart abandoned", "cart_abandoned.recency", 3*day),
			fact("interest in upgrades, at home", "charger_quote.recency", 10*day),
			fact("interest in upgrades, of the car", "configurator_saved.recency", 10*day),
		},
		[]string{"recommend", "package", "installation"},
		[]string{"retargeting", "e-mail", "text", "advisor calls"}},
}

// Every sign of a loyalty lead gives points on the line that its play works for.
func TestSampleLoyaltySigns(t *testing.T) {
	p := sample(t)
	for _, l := range loyal {
		for _, s := range l.signs {
			raises(t, p, l.line, s)
		}
	}
}

// Whatever the line, an upsell lead is judged by what people do, by where their car is in its life
// and by what they are worth as customers.
func TestSampleUpsell(t *testing.T) {
	p := sample(t)
	lines := []lead.Line{lead.LineRenewal, lead.LineService, lead.LineWarranty, lead.LineAccessories}
	for _, line := range lines {
		var groups [scoring.NumGroups]bool
		for _, f := range p.Scoring.Features(line) {
			groups[f.Group()] = true
		}
		for _, g := range []scoring.Group{scoring.GroupEngagement, scoring.GroupLifeCycle, scoring.GroupValue} {
			if !groups[g] {
				t.Errorf("%s looks at nothing of %s", line, g)
			}
		}
		raises(t, p, line, counted("service visit frequency", "visits_24m", 3))
		raises(t, p, line, fact("purchase history", "spend_24m", 2000))
	}
	for _, s := range []struct {
		sign
		lines []lead.Line
	}{
		{counted("app engagement", "app_use.count", 4000), []lead.Line{lead.LineRenewal}},
		{fact("app engagement", "app_use.recency", 3*day), []lead.Line{lead.LineService, lead.LineWarranty, lead.LineAccessories}},
		{fact("vehicle age, old enough for the next", "vehicle_age_days", 2100), []lead.Line{lead.LineRenewal}},
		{sign{"vehicle age, young enough to come", "vehicle_age_days", 900, 4000}, []lead.Line{lead.LineService}},
		{fact("vehicle age, new to its owner", "owned_days", 60), []lead.Line{lead.LineWarranty, lead.LineAccessories}},
		{fact("warranty status", "warranty_days_left", 40), []lead.Line{lead.LineRenewal, lead.LineService, lead.LineWarranty}},
		{counted("purchase history, cars", "vehicles_owned", 2), []lead.Line{lead.LineRenewal, lead.LineWarranty, lead.LineAccessories}},
		{fact("purchase history, years", "customer_since_days", 2000), []lead.Line{lead.LineRenewal}},
		{counted("fleet", "fleet", 1), []lead.Line{lead.LineRenewal, lead.LineService}},
	} {
		for _, line := range s.lines {
			raises(t, p, line, s.sign)
		}
	}
}

// What the workshop sees sells the next car, and so does being ready for an electric one.
func TestSampleSalesSigns(t *testing.T) {
	p := sample(t)
	for _, s := range []sign{
		fact("vehicle age", "vehicle_age_days", 2200),
		fact("mileage", "odometer_km", 120_000),
		counted("repair frequency, paid", "visits_customer_24m", 4),
		counted("repair frequency, warranty", "visits_warranty_24m", 2),
		fact("repair against value", "repair_value_share", 250),
		fact("repair turned down", "service_declined.recency", 10*day),
		counted("customer value, cars", "vehicles_owned", 2),
		fact("customer value, years", "customer_since_days", 2000),
		fact("customer value, workshop", "spend_24m", 3000),
		counted("customer value, fleet", "fleet", 1),
		fact("incentive eligibility", "incentive_eligible", 1),
		counted("ev interest", "ev_interest.count", 3000),
		fact("daily distance", "daily_distance_m", 45_000),
		fact("charger density", "chargers_nearby", 12),
	} {
		raises(t, p, lead.LineSales, s)
	}
	for _, line := range []lead.Line{lead.LineSales, lead.LineRenewal} {
		for _, s := range []sign{
			counted("home charger", "home_charger.count", 1000),
			counted("ev owned", "ev_owned", 1),
			fact("charger quote", "charger_quote.recency", 5*day),
			fact("range tool", "range_tool.recency", 5*day),
			fact("incentive pages", "incentive_view.recency", 5*day),
			fact("incentive eligibility", "incentive_eligible", 1),
			fact("configurator", "configurator_saved.recency", 5*day),
		} {
			raises(t, p, line, s)
		}
	}
}

// raises checks that a sign gives points on a line and is told in words.
func raises(t *testing.T, p *playbook.Playbook, line lead.Line, s sign) {
	t.Helper()
	f := feature(t, s.feature)
	facts := map[scoring.Feature]int32{ // enough for a sum above 0
		scoring.FeatureRequestType: int32(lead.RequestTypeContact), scoring.FeatureHasPhone: 1, f: s.instead,
	}
	_, without := score(p, facts)
	before := without.Points[line]
	facts[f] = s.value
	in, with := score(p, facts)
	if with.Points[line] <= before {
		t.Errorf("%s: %s (%s) takes the points from %d to %d", line, s.name, s.feature, before, with.Points[line])
	}
	for _, r := range p.Scoring.Explain(in, with, line, int(scoring.NumFeatures)) {
		if r.Feature == f && (r.Label == "" || strings.ContainsAny(r.Label, "{}_")) {
			t.Errorf("%s: %s is told as %q", line, s.name, r.Label)
		}
	}
}

// People with the signs of a segment belong to it, at the level that says which signs they show.
func TestSampleLoyaltyLevels(t *testing.T) {
	p := sample(t)
	for _, tt := range []struct {
		segment lead.Segment
		level   string
		facts   map[string]int32
	}{
		{lead.SegmentServiceLoyalist, "three visits, accessories", map[string]int32{"visits_24m": 3, "parts_page_view.recency": 20 * day}},
		{lead.SegmentServiceLoyalist, "three visits", map[string]int32{"visits_24m": 3, "parts_page_view.recency": 61 * day}},
		{lead.SegmentServiceLoyalist, "plan services", map[string]int32{"visits_24m": 2, "visits_maintenance_24m": 2}},
		{lead.SegmentWarrantyExpiring, "reads up", map[string]int32{"warranty_days_left": 60, "page_view.count": 1200}},
		{lead.SegmentWarrantyExpiring, "", map[string]int32{"warranty_days_left": 60, "page_view.count": 1000}},
		{lead.SegmentAccessoryProspect, "upgrades", map[string]int32{"parts_page_view.recency": 20 * day, "charger_quote.recency": 10 * day}},
	} {
		facts := map[scoring.Feature]int32{}
		for name, v := range tt.facts {
			facts[feature(t, name)] = v
		}
		_, res := score(p, facts)
		if !res.Segments.Has(tt.segment) || p.Scoring.Level(res, tt.segment) != tt.level {
			t.Errorf("%v: in %s %v at %q, want %q", tt.facts, tt.segment, res.Segments.Has(tt.segment), p.Scoring.Level(res, tt.segment), tt.level)
		}
	}
}

// Every segment has a threshold of its own, a role and a play that names its best path and its
// channels, both where a dealer reads the next step and in the script.
func TestSampleLoyaltyPlays(t *testing.T) {
	p := sample(t)
	for _, l := range loyal {
		stages := p.Scorecards.Lines[l.line.String()].Stages
		if own, ok := stages.ReadyBySegment[l.segment.String()]; !ok || own >= stages.Ready {
			t.Errorf("%s: ready from %d, others of %s from %d", l.segment, own, l.line, stages.Ready)
		}
		for _, r := range p.Routing.Roles {
			if r.Line == l.line && r.Role != l.role {
				t.Errorf("%s goes to %s, want %s", l.line, r.Role, l.role)
			}
		}
		play := p.Play(l.line, l.segment)
		if play == nil || play.Segment != l.segment {
			t.Errorf("%s on %s has no play", l.segment, l.line)
			continue
		}
		steps := strings.ToLower(stepsOf(play))
		script := strings.ToLower(strings.Join(strings.Fields(play.Script), " "))
		for _, word := range slices.Concat(l.path, l.channels) {
			word = strings.ToLower(word)
			if !strings.Contains(steps, word) || !strings.Contains(script, word) {
				t.Errorf("%s: %q is in the steps %v, in the script %v", play.ID, word, strings.Contains(steps, word), strings.Contains(script, word))
			}
		}
	}
}

// Every play says what to do at once and within two days.
func TestSamplePlaysBegin(t *testing.T) {
	for _, play := range sample(t).Plays {
		within := 0
		for _, s := range play.Steps {
			if s.Hour <= 48 {
				within++
			}
		}
		if play.Steps[0].Hour != 0 || within < 2 || play.Channel == lead.ChannelUnspecified {
			t.Errorf("%s begins at hour %d, has %d steps within 48 hours, channel %q", play.ID, play.Steps[0].Hour, within, play.Channel)
		}
	}
}

func stepsOf(p *playbook.Play) string {
	var b strings.Builder
	for _, s := range p.Steps {
		b.WriteString(s.Do + "\n")
	}
	return b.String()
}
