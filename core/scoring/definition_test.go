package scoring_test

import (
	"github.com/leadmesh/leadmesh/core/scoring"
)

func p64(v int64) *int64 { return &v }
func p32(v int32) *int32 { return &v }

// below is a bin of numbers, rest the one for what is left, missing the one for no value.
func below(limit int64, points int32) scoring.Bin { return scoring.Bin{Below: &limit, Points: points} }
func rest(points int32) scoring.Bin               { return scoring.Bin{Points: points} }
func missing(points int32) scoring.Bin            { return scoring.Bin{Missing: true, Points: points} }
func is(points int32, values ...string) scoring.Bin {
	return scoring.Bin{Values: values, Points: points}
}

func row(feature, in string, bins ...scoring.Bin) scoring.Row {
	return scoring.Row{Feature: feature, In: in, Bins: bins}
}

// counted gives rising points to a decayed count, fresh falling points to a recency.
func counted(feature string, points int32) scoring.Row {
	return row(feature, "", below(250, 0), below(1000, points/4), below(3000, points/2), rest(points))
}

func fresh(feature string, points int32) scoring.Row {
	return row(feature, "days", below(2, points), below(7, points*3/4), below(30, points/3), rest(0))
}

func calibration(low, middle, high int32) []scoring.Knot {
	return []scoring.Knot{{Points: 0, PPM: low}, {Points: 5000, PPM: middle}, {Points: 10000, PPM: high}}
}

func stages() scoring.Stages {
	return scoring.Stages{Consideration: 2500, Intent: 4500, Ready: 7000}
}

// example is a definition with all nine lines, about 60 features and the starting segments.
func example() scoring.Definition {
	contact := []scoring.Row{
		row("has_phone", "", is(400, "yes"), is(-600, "no")),
		row("has_email", "", is(200, "yes")),
		row("repeat_inquiry", "", below(1, 0), below(2, 500), rest(900)),
		row("source_channel", "", is(300, "WEB", "APP"), is(600, "PHONE", "SHOWROOM", "SERVICE_LANE"), is(-200, "MARKETPLACE")),
		row("origin", "", is(300, "DEALER"), is(-300, "THIRD_PARTY_OEM_PAID", "THIRD_PARTY_DEALER_PAID")),
	}
	visits := []scoring.Row{
		row("visits_24m", "", below(1, -300), below(3, 300), rest(900)),
		row("visits_customer_24m", "", below(1, 0), below(3, 400), rest(800)),
		row("visits_warranty_24m", "", below(1, 0), rest(200)),
		row("visits_maintenance_24m", "", below(1, 0), rest(400)),
		row("visit_days", "", below(180, 300), below(400, 600), below(800, -200), rest(-600)),
		row("services_done", "percent", below(40, -300), below(80, 200), rest(700)),
		row("silence_days", "", below(90, 400), below(180, 100), rest(-400)),
	}
	shopping := []scoring.Row{
		row("request_type", "", is(2600, "QUOTE", "TEST_DRIVE"), is(3600, "CREDIT_APP", "RESERVATION", "ORDER"),
			is(1800, "TRADE_VALUE"), is(900, "CONTACT"), is(500, "BROCHURE"), missing(-500)),
		row("time_frame_days", "", below(15, 1200), below(60, 700), below(180, 100), rest(-300)),
		row("vehicle_sought_known", "", is(500, "yes")),
		row("vehicle_sought_status", "", is(200, "NEW", "CERTIFIED")),
		row("vehicle_in_stock", "", is(700, "yes")),
		row("trade_offered", "", is(600, "yes")),
		row("dealer_choice", "", is(500, "CUSTOMER_CHOSE", "CUSTOMER_VEHICLE"), is(600, "EXISTING_CUSTOMER")),
		row("comment_length", "", below(20, 0), below(200, 200), rest(400)),
		counted("page_view.count", 300), fresh("page_view.recency", 200),
		counted("inventory_view.count", 700), fresh("inventory_view.recency", 500),
		counted("configurator_started.count", 200), fresh("configurator_started.recency", 100),
		counted("configurator_saved.count", 800), fresh("configurator_saved.recency", 600),
		counted("configurator_sent.count", 900), fresh("configurator_sent.recency", 600),
		counted("finance_calculator.count", 600), fresh("finance_calculator.recency", 400),
		counted("incentive_view.count", 300), fresh("incentive_view.recency", 200),
		counted("app_use.count", 200), fresh("app_use.recency", 100),
		counted("email_open.count", 100), counted("email_click.count", 300),
		counted("chat.count", 300), fresh("chat.recency", 200),
		counted("call.count", 400), fresh("call.recency", 300),
		counted("dealer_visit.count", 800), fresh("dealer_visit.recency", 600),
		counted("test_drive.count", 1200), fresh("test_drive.recency", 800),
		row("powertrain_sought", "", is(200, "ELECTRIC", "PLUGIN_HYBRID")),
		counted("charger_quote.count", 700), fresh("charger_quote.recency", 400),
		counted("range_tool.count", 400), fresh("range_tool.recency", 200),
		counted("home_charger.count", 600),
		counted("ev_interest.count", 300),
		row("ev_owned", "", is(400, "yes")),
		row("daily_distance_m", "km", below(60, 200), below(150, 0), rest(-200)),
		row("chargers_nearby", "", below(2, -200), below(10, 100), rest(300)),
		row("incentive_eligible", "", is(300, "yes")),
		row("customer_since_days", "", below(365, 100), rest(400)),
		row("vehicles_owned", "", below(1, 0), rest(300)),
		row("vehicle_price", "", below(20000, 0), below(60000, 200), rest(400)),
		row("down_payment", "", below(1000, 0), rest(400)),
		row("fleet", "", is(600, "yes")),
		row("active_weeks_12", "", below(2, 0), below(5, 300), rest(600)),
	}
	life := []scoring.Row{
		row("lease_days_to_end", "", below(0, 1500), below(91, 3000), below(181, 2200), below(271, 1200), rest(0)),
		row("lease_mileage_pace", "percent", below(90, 0), below(110, 300), rest(1000)),
		row("equity", "", below(0, -400), below(1000, 0), rest(900)),
		row("payment_change", "percent", below(-5, 900), below(6, 600), rest(-400)),
		row("vehicle_age_days", "", below(1095, -200), below(1826, 300), rest(1000)),
		row("odometer_km", "", below(60000, 0), below(120000, 300), rest(700)),
		row("repair_value_share", "percent", below(10, 0), below(30, 500), rest(1200)),
		row("warranty_days_left", "", below(0, 200), below(91, 1800), below(181, 700), rest(0)),
		row("maintenance_plan_days_left", "", below(60, 500), rest(100)),
		row("service_declined.count", "", below(500, 0), rest(400)),
		fresh("service_declined.recency", 500),
		row("declined_amount", "", below(200, 0), below(1000, 400), rest(800)),
		row("spend_24m", "", below(500, 0), below(2000, 300), rest(600)),
		row("comeback_gap_days", "", below(60, 0), below(180, 300), rest(2400)),
		counted("parts_page_view.count", 1600), fresh("parts_page_view.recency", 800),
		counted("cart_abandoned.count", 1200), fresh("cart_abandoned.recency", 2400),
	}
	line := func(base int32, value int64, rows ...[]scoring.Row) scoring.Line {
		var all []scoring.Row
		for _, r := range rows {
			all = append(all, r...)
		}
		return scoring.Line{Base: base, Rows: all, Value: value, Stages: stages(), Trigger: p32(4500),
			Calibration: calibration(8_000, 110_000, 520_000),
			Groups:      map[string]scoring.Cap{"ENGAGEMENT": {Max: p32(6000)}, "VEHICLE_INTEREST": {Max: p32(3500)}}}
	}
	care := line(5000, 0, contact)
	care.Trigger = nil
	nurture := line(500, 1_000, contact, shopping[:20])
	nurture.Trigger = nil
	renewal := line(500, 250_000, contact, shopping, life)
	renewal.Stages.ReadyBySegment = map[string]int32{"RENEWAL_INTENDER": 5500, "SERVICE_LOYALIST": 6500}
	renewal.Rows = withLabel(renewal.Rows, "lease_days_to_end", "contract is over in {value} day{s}")
	return scoring.Definition{
		Lines: map[string]scoring.Line{
			"SALES":        line(1000, 200_000, contact, shopping, visits),
			"RENEWAL":      renewal,
			"SERVICE":      line(1500, 30_000, contact, visits, life),
			"WARRANTY":     line(500, 60_000, contact, visits, life),
			"ACCESSORIES":  line(500, 15_000, contact, life, shopping[:30]),
			"REENGAGEMENT": line(500, 40_000, contact, visits, life, shopping[10:40]),
			"NURTURE":      nurture,
			"ACQUISITION":  line(1000, 80_000, contact, shopping, life),
			"CARE":         care,
		},
		Segments: segments(),
	}
}

func withLabel(rows []scoring.Row, feature, label string) []scoring.Row {
	for i := range rows {
		if rows[i].Feature == feature {
			rows[i].Label = label
		}
	}
	return rows
}

// segments holds the starting values of the domain.
func segments() map[string]scoring.Segment {
	atMost := func(feature, in string, v int64) scoring.Condition {
		return scoring.Condition{Feature: feature, In: in, Max: &v}
	}
	atLeast := func(feature, in string, v int64) scoring.Condition {
		return scoring.Condition{Feature: feature, In: in, Min: &v}
	}
	all := func(level string, c ...scoring.Condition) scoring.Rule { return scoring.Rule{Level: level, All: c} }
	within := scoring.Condition{Feature: "payment_change", In: "percent", Min: p64(-5), Max: p64(5)}
	return map[string]scoring.Segment{
		"RENEWAL_INTENDER": {Line: "RENEWAL", Rules: []scoring.Rule{
			all("hot", atMost("lease_days_to_end", "", 90)),
			all("active", atMost("lease_days_to_end", "", 180)),
			all("warm", atMost("lease_days_to_end", "", 270)),
			all("over_pace", atLeast("lease_mileage_pace", "", 1001)),
			all("equity", atLeast("equity", "", 1), within),
		}},
		"SERVICE_LOYALIST": {Line: "SERVICE", Rules: []scoring.Rule{
			all("", atLeast("visits_24m", "", 3)),
			all("", atLeast("services_done", "percent", 80)),
		}},
		"WARRANTY_EXPIRING": {Line: "WARRANTY", Rules: []scoring.Rule{
			all("", atLeast("warranty_days_left", "", 0), atMost("warranty_days_left", "", 90)),
		}},
		"ACCESSORY_PROSPECT": {Line: "ACCESSORIES", Value: 20_000, Rules: []scoring.Rule{
			all("cart", atMost("cart_abandoned.recency", "days", 7)),
			all("parts", atLeast("parts_page_view.count", "times", 2)),
		}},
	}
}
