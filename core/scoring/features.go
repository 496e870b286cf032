package scoring

import "github.com/leadmesh/leadmesh/core/lead"

var noYes = []string{"no", "yes"}

// sourceChannels are the values of FeatureSourceChannel; see sourceChannel for the spellings they cover.
var sourceChannels = []string{"WEB", "APP", "PHONE", "EMAIL", "CHAT", "SHOWROOM", "SERVICE_LANE",
	"EVENT", "SOCIAL", "SEARCH", "MARKETPLACE", "MAIL", "OTHER"}

var financeMethods = []string{"CASH", "FINANCE", "LEASE", "OTHER"}

var features = [NumFeatures]info{
	FeatureRequestType: {"request_type", GroupEngagement, UnitCategory, false, codes(lead.RequestType.String),
		[]string{"a quote", "a test drive", "a brochure", "credit", "a reservation", "an order", "a trade-in value",
			"an offer for their car", "a service booking", "recall help", "parts", "contact", "help with a complaint", "something else"},
		"asked for {value}"},
	FeatureOrigin: {"origin", GroupEngagement, UnitCategory, false, codes(lead.Origin.String),
		[]string{"the manufacturer", "the manufacturer's page of a store", "the store", "a portal the manufacturer pays", "a portal the store pays", "a partner"},
		"came from {value}"},
	FeatureSourceChannel: {"source_channel", GroupEngagement, UnitCategory, false, sourceChannels, nil, "came by {value}"},
	FeatureDealerChoice: {"dealer_choice", GroupEngagement, UnitCategory, false, codes(lead.DealerChoice.String),
		[]string{"named no store", "chose a store", "chose a car in stock", "is a customer of a store", "took the proposed store"}, "{value}"},
	FeatureTrigger:         {"trigger", GroupEngagement, UnitCategory, false, noYes, []string{"asked personally", "found by a trigger"}, "{value}"},
	FeatureHasPhone:        {"has_phone", GroupEngagement, UnitCategory, false, noYes, []string{"left no phone number", "left a phone number"}, "{value}"},
	FeatureHasEmail:        {"has_email", GroupEngagement, UnitCategory, false, noYes, []string{"left no e-mail address", "left an e-mail address"}, "{value}"},
	FeatureCommentLength:   {"comment_length", GroupEngagement, UnitNumber, false, nil, nil, "wrote a comment of {value} character{s}"},
	FeatureTimeFrameDays:   {"time_frame_days", GroupEngagement, UnitDays, false, nil, nil, "wants to act within {value} day{s}"},
	FeatureRepeatInquiry:   {"repeat_inquiry", GroupEngagement, UnitNumber, false, nil, nil, "asked {value} more time{s} in 90 days"},
	FeatureSilenceDays:     {"silence_days", GroupEngagement, UnitDays, false, nil, nil, "last heard of {value} day{s} ago"},
	FeatureComebackGapDays: {"comeback_gap_days", GroupEngagement, UnitDays, false, nil, nil, "came back after {value} day{s} of silence"},
	FeatureActiveWeeks:     {"active_weeks_12", GroupEngagement, UnitNumber, true, nil, nil, "active in {value} of the last 12 weeks"},

	FeaturePageViewCount:            count("page_view", GroupEngagement, true, "viewed pages {value} time{s} lately"),
	FeaturePageViewRecency:          recency("page_view", GroupEngagement, true, "viewed a page {ago}"),
	FeatureInventoryViewCount:       count("inventory_view", GroupEngagement, true, "looked at cars in stock {value} time{s} lately"),
	FeatureInventoryViewRecency:     recency("inventory_view", GroupEngagement, true, "looked at cars in stock {ago}"),
	FeaturePartsPageViewCount:       count("parts_page_view", GroupEngagement, true, "looked at parts {value} time{s} lately"),
	FeaturePartsPageViewRecency:     recency("parts_page_view", GroupEngagement, true, "looked at parts {ago}"),
	FeatureFinanceCalculatorCount:   count("finance_calculator", GroupEngagement, true, "used the finance calculator {value} time{s} lately"),
	FeatureFinanceCalculatorRecency: recency("finance_calculator", GroupEngagement, true, "used the finance calculator {ago}"),
	FeatureAppUseCount:              count("app_use", GroupEngagement, true, "used the app {value} time{s} lately"),
	FeatureAppUseRecency:            recency("app_use", GroupEngagement, true, "used the app {ago}"),
	FeatureEmailOpenCount:           count("email_open", GroupEngagement, true, "opened {value} e-mail{s} lately"),
	FeatureEmailOpenRecency:         recency("email_open", GroupEngagement, true, "opened an e-mail {ago}"),
	FeatureEmailClickCount:          count("email_click", GroupEngagement, true, "followed {value} e-mail link{s} lately"),
	FeatureEmailClickRecency:        recency("email_click", GroupEngagement, true, "followed an e-mail link {ago}"),
	FeatureCartAbandonedCount:       count("cart_abandoned", GroupEngagement, true, "left a cart {value} time{s} lately"),
	FeatureCartAbandonedRecency:     recency("cart_abandoned", GroupEngagement, true, "left a cart {ago}"),
	FeatureChatCount:                count("chat", GroupEngagement, true, "chatted {value} time{s} lately"),
	FeatureChatRecency:              recency("chat", GroupEngagement, true, "chatted {ago}"),
	FeatureCallCount:                count("call", GroupEngagement, true, "called {value} time{s} lately"),
	FeatureCallRecency:              recency("call", GroupEngagement, true, "called {ago}"),
	FeatureDealerVisitCount:         count("dealer_visit", GroupEngagement, false, "visited a store {value} time{s} lately"),
	FeatureDealerVisitRecency:       recency("dealer_visit", GroupEngagement, false, "visited a store {ago}"),
	FeatureTestDriveCount:           count("test_drive", GroupEngagement, false, "took {value} test drive{s} lately"),
	FeatureTestDriveRecency:         recency("test_drive", GroupEngagement, false, "took a test drive {ago}"),

	FeatureVehicleSoughtKnown:         {"vehicle_sought_known", GroupVehicleInterest, UnitCategory, false, noYes, []string{"named no known model", "knows which model"}, "{value}"},
	FeatureVehicleSoughtStatus:        {"vehicle_sought_status", GroupVehicleInterest, UnitCategory, false, codes(lead.VehicleStatus.String), nil, "wants a {value} car"},
	FeatureVehicleInStock:             {"vehicle_in_stock", GroupVehicleInterest, UnitCategory, false, noYes, []string{"picked no car in stock", "picked a car in stock"}, "{value}"},
	FeaturePowertrainSought:           {"powertrain_sought", GroupVehicleInterest, UnitCategory, false, codes(lead.Powertrain.String), powertrainPhrases, "wants {value}"},
	FeatureEVSought:                   {"ev_sought", GroupVehicleInterest, UnitCategory, false, noYes, []string{"does not ask for an electric car", "wants an electric car"}, "{value}"},
	FeatureProgramRequired:            {"program_required", GroupVehicleInterest, UnitCategory, false, noYes, []string{"needs no program", "wants a model of a program"}, "{value}"},
	FeatureTradeOffered:               {"trade_offered", GroupVehicleInterest, UnitCategory, false, noYes, []string{"offers no car in trade", "offers a car in trade"}, "{value}"},
	FeatureConfiguratorStartedCount:   count("configurator_started", GroupVehicleInterest, true, "started {value} configuration{s} lately"),
	FeatureConfiguratorStartedRecency: recency("configurator_started", GroupVehicleInterest, true, "started a configuration {ago}"),
	FeatureConfiguratorSavedCount:     count("configurator_saved", GroupVehicleInterest, true, "saved {value} configuration{s} lately"),
	FeatureConfiguratorSavedRecency:   recency("configurator_saved", GroupVehicleInterest, true, "saved a configuration {ago}"),
	FeatureConfiguratorSentCount:      count("configurator_sent", GroupVehicleInterest, true, "sent {value} configuration{s} lately"),
	FeatureConfiguratorSentRecency:    recency("configurator_sent", GroupVehicleInterest, true, "sent a configuration {ago}"),
	FeatureChargerQuoteCount:          count("charger_quote", GroupVehicleInterest, true, "asked for {value} charger quote{s} lately"),
	FeatureChargerQuoteRecency:        recency("charger_quote", GroupVehicleInterest, true, "asked for a charger quote {ago}"),
	FeatureRangeToolCount:             count("range_tool", GroupVehicleInterest, true, "used the range tool {value} time{s} lately"),
	FeatureRangeToolRecency:           recency("range_tool", GroupVehicleInterest, true, "used the range tool {ago}"),
	FeatureIncentiveViewCount:         count("incentive_view", GroupVehicleInterest, true, "looked at incentives {value} time{s} lately"),
	FeatureIncentiveViewRecency:       recency("incentive_view", GroupVehicleInterest, true, "looked at incentives {ago}"),
	FeatureHomeChargerCount:           count("home_charger", GroupVehicleInterest, true, "has {value} sign{s} of charging at home"),
	FeatureHomeChargerRecency:         recency("home_charger", GroupVehicleInterest, true, "showed charging at home {ago}"),
	FeatureEVInterestCount:            count("ev_interest", GroupVehicleInterest, true, "looked at electric models {value} time{s} lately"),
	FeatureEVInterestRecency:          recency("ev_interest", GroupVehicleInterest, true, "looked at an electric model {ago}"),
	FeatureEVOwned:                    {"ev_owned", GroupVehicleInterest, UnitCategory, false, noYes, []string{"owns no electric car", "owns an electric car"}, "{value}"},
	FeaturePowertrainOwned:            {"powertrain_owned", GroupVehicleInterest, UnitCategory, false, codes(lead.Powertrain.String), powertrainPhrases, "drives {value}"},
	FeatureDailyDistance:              {"daily_distance_m", GroupVehicleInterest, UnitMetres, false, nil, nil, "drives {value} km a day"},
	FeatureChargersNearby:             {"chargers_nearby", GroupVehicleInterest, UnitNumber, false, nil, nil, "{value} public charger{s} nearby"},
	FeatureIncentiveEligible:          {"incentive_eligible", GroupVehicleInterest, UnitCategory, false, noYes, []string{"gets no incentive", "can get an incentive"}, "{value}"},

	FeatureVehicleAgeDays:          {"vehicle_age_days", GroupLifeCycle, UnitDays, false, nil, nil, "drives a car {value} day{s} old"},
	FeatureOwnedDays:               {"owned_days", GroupLifeCycle, UnitDays, false, nil, nil, "has had the car for {value} day{s}"},
	FeatureOdometerKM:              {"odometer_km", GroupLifeCycle, UnitKM, false, nil, nil, "car has {value} km"},
	FeatureLeaseDaysToEnd:          {"lease_days_to_end", GroupLifeCycle, UnitDays, false, nil, nil, "lease ends in {value} day{s}"},
	FeatureLeaseMileagePace:        {"lease_mileage_pace", GroupLifeCycle, UnitPermille, false, nil, nil, "drives {value} % of the contracted distance"},
	FeatureEquity:                  {"equity", GroupLifeCycle, UnitMoney, false, nil, nil, "car is worth {value} more than is owed"},
	FeaturePaymentChange:           {"payment_change", GroupLifeCycle, UnitPermille, false, nil, nil, "new payment differs by {value} %"},
	FeatureWarrantyDaysLeft:        {"warranty_days_left", GroupLifeCycle, UnitDays, false, nil, nil, "warranty ends in {value} day{s}"},
	FeatureMaintenancePlanDaysLeft: {"maintenance_plan_days_left", GroupLifeCycle, UnitDays, false, nil, nil, "maintenance plan ends in {value} day{s}"},
	FeatureVisits24M:               {"visits_24m", GroupLifeCycle, UnitNumber, false, nil, nil, "{value} workshop visit{s} in 24 months"},
	FeatureVisitsCustomer24M:       {"visits_customer_24m", GroupLifeCycle, UnitNumber, false, nil, nil, "paid for {value} workshop visit{s} in 24 months"},
	FeatureVisitsWarranty24M:       {"visits_warranty_24m", GroupLifeCycle, UnitNumber, false, nil, nil, "{value} warranty repair{s} in 24 months"},
	FeatureVisitsMaintenance24M:    {"visits_maintenance_24m", GroupLifeCycle, UnitNumber, false, nil, nil, "{value} plan service{s} in 24 months"},
	FeatureVisitDays:               {"visit_days", GroupLifeCycle, UnitDays, false, nil, nil, "last in the workshop {value} day{s} ago"},
	FeatureServicesDone:            {"services_done", GroupLifeCycle, UnitPermille, false, nil, nil, "did {value} % of the services due"},
	FeatureServiceDeclinedCount:    count("service_declined", GroupLifeCycle, false, "declined work {value} time{s} lately"),
	FeatureServiceDeclinedRecency:  recency("service_declined", GroupLifeCycle, false, "declined work {ago}"),
	FeatureDeclinedAmount:          {"declined_amount", GroupLifeCycle, UnitMoney, false, nil, nil, "declined work for {value}"},
	FeatureRepairValueShare:        {"repair_value_share", GroupLifeCycle, UnitPermille, false, nil, nil, "repair quote is {value} % of the car's value"},

	FeatureFleet:             {"fleet", GroupValue, UnitCategory, false, noYes, []string{"private customer", "acts for an organisation"}, "{value}"},
	FeatureCustomerSinceDays: {"customer_since_days", GroupValue, UnitDays, false, nil, nil, "customer for {value} day{s}"},
	FeatureVehiclesOwned:     {"vehicles_owned", GroupValue, UnitNumber, false, nil, nil, "owns {value} car{s} of ours"},
	FeatureVehiclePrice:      {"vehicle_price", GroupValue, UnitMoney, false, nil, nil, "wants a car for {value}"},
	FeatureDownPayment:       {"down_payment", GroupValue, UnitMoney, false, nil, nil, "offers {value} down"},
	FeatureSpend24M:          {"spend_24m", GroupValue, UnitMoney, false, nil, nil, "spent {value} in the workshop in 24 months"},
	FeatureFinanceMethod:     {"finance_method", GroupValue, UnitCategory, false, financeMethods, nil, "means to pay by {value}"},
}

var powertrainPhrases = []string{"a combustion car", "a hybrid", "a plug-in hybrid", "an electric car", "a hydrogen car"}

func count(name string, g Group, tracked bool, label string) info {
	return info{name: name + ".count", group: g, unit: UnitMilli, tracked: tracked, label: label}
}

func recency(name string, g Group, tracked bool, label string) info {
	return info{name: name + ".recency", group: g, unit: UnitSeconds, tracked: tracked, label: label}
}
