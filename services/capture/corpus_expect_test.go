package capture_test

// documentExpectations are facts of leads read off those collected documents that come without any
// expectation, or say more than theirs state.
func documentExpectations() map[string]map[string]any {
	type m = map[string]any
	type at = map[string]string
	flags := func(codes ...string) []string { return codes }
	return map[string]m{
		"samples/01_spec_minimal_smartquote_pi.adf": {"state": "ASSIGNED", "vehicles": 1, "email": nil, "interest": nil},
		"samples/02_spec_minimal_cleaned.adf": {"full": "John Doe", "first": "John", "last": "Doe", "vehicle": "1999 Chevrolet Blazer", "phone": "393-999-3922",
			"phone_e164": "+13939993922", "email": nil, "vendor": "Acura of Bellevue", "requestdate": "2000-03-30T15:30:20-08:00", "state": "ASSIGNED"},
		"samples/03_approvalgenie_full.adf": {"country": "CA", "middle": nil, "phone": "1234567890", "id": nil, "provider": "PROSPECT", "city": "Mississauga",
			"street": "6299 Airport Road", "flags": flags("phone_unreadable"), "extra": at{"prospect/customer/comments#Employer": "EmployerName"}},
		"samples/04_fetchauto_builder.adf": {"make": nil, "vehicles": 0, "id": "1234", "city": "Vancouver", "country": "CA", "region": "BC", "phone": "6041234567", "flags": flags("phone_unreadable")},
		"samples/05_sendadf_min_oneline.adf": {"full": "John Doe", "vehicle": "1999 Chevrolet Blazer", "status": "used", "interest": "buy", "vendor": "Acura of Bellevue",
			"requestdate": "2020-02-09T18:26:00-05:00", "phone": "393-999-3922"},
		"samples/06_sendadf_no_vendor.adf":    {"full": "John Doe", "status": "new", "vendor": nil, "phone": "393-999-3922", "requestdate": "2021-02-09T19:32:16-05:00"},
		"samples/07_rubygem_two_vehicles.adf": {"vehicle": "2021 Ford F-150", "trade": nil, "requestdate": "2026-01-19T16:40:00-06:00", "flags": flags("phone_unreadable"), "phone": "555-1234"},
		"samples/08_activix_extended.adf": {"id": "12345", "customer_id": "12345", "trim": "R-Design", "language": "fr", "odometer": "1500", "odometer_unit": "KM",
			"born": "2015-04-24", "vendor": "ABC Motors", "provider": "Activix", "price": "59999.99", "flags": flags("minor_suspected"), "earliest": "2020-05-01"},
		"samples/14_autotraderca_sparse_phone_only.adf": {"vehicles": 0, "vendor": nil, "phone_e164": "+15145550100", "state": "ASSIGNED"},
		"samples/21_springfield_toyota.adf":             {"flags": flags("phone_unreadable")},
		"samples/26_adfcrate_full.adf":                  {"ext_partner-score": "97", "provider": "CarPoint", "vendor": "Koons Internet Outlet", "price": "26995", "id": "38889"},
		"samples/27_adfcrate_maximal.adf":               {"ext_partner": "prospect", "customer_id": "C-1", "odometer": "123", "odometer_unit": "MI", "condition": "excellent"},
		"samples/28_two_prospects.adf":                  {"state": "REJECTED NO_CONTACT_POINT", "flags": flags("time_unreadable")},
		"samples/29_numeric_char_refs.adf":              {"first": nil, "last": nil, "state": "REJECTED NO_CONTACT_POINT"},
		"samples/31_undeclared_nbsp.adf":                {"comments": "Jane & \u00a0 Co"},
		"samples/32_embedded_partner_xml.adf":           {"comments": "Jane VIP Co", "ext_token": "VIP"},
		"samples/34_bad_enums.adf": {"interest": nil, "status": nil, "vehicle": "2024 X Y", "vendor": "V",
			"extra": at{"prospect/vehicle[1]/@interest": "loan", "prospect/vehicle[1]/@status": "brand-new"}},
		"samples/35_bad_iso.adf":                  {"country": "US", "price_currency": "USD", "flags": flags("time_unreadable"), "extra": at{"prospect/requestdate": "not-a-date"}},
		"samples/37_basic_service_in_vendor.adf":  {"vendor": "AutoTrader", "ext_service": "AutoTrader Leads", "comments": "Interested in pricing", "requestdate": "2026-05-29T12:00:00-05:00"},
		"samples/38_lease_with_trade.adf":         {"year": nil, "trade": "2018 Ford Edge", "trade_vin": "1FMCU0F75JUC12345", "vehicles": 2},
		"samples/40_sendgrid_status_element.adf":  {"vin_valid": false, "flags": flags("zone_assumed"), "requestdate": "2025-02-08T12:34:56-05:00"},
		"samples/41_drevvy_no_vendor.adf":         {"vendor": nil, "year": "2025", "id": "abc123...", "flags": flags("vin_malformed")},
		"samples/43_autotrader_color_element.adf": {"ext_color": "Blue", "provider": "ADF Lead Provider", "flags": flags("zone_assumed")},
		"samples/44_drivepei_like.adf":            {"phone": "9025550100", "odometer_unit": "KM", "price": "24995", "id": "test-123"},
		"templates/t02_smedia_tradein.adf": {"trade": nil, "full": nil, "email": nil, "phone": nil, "vendor": nil, "id": nil, "provider": "sMedia :: [button_name]",
			"flags": flags("placeholder", "placeholder_value", "time_unreadable"), "state": "REJECTED NO_CONTACT_POINT"},
		"templates/t03_ford_argentina.adf": {"make": "Ford", "model": nil, "year": nil, "full": nil, "email": nil, "phone": nil, "city": nil, "vendor": "Planes",
			"provider": "Facebook", "flags": flags("placeholder", "placeholder_value", "time_unreadable"), "state": "REJECTED NO_CONTACT_POINT"},
		"templates/t04_langley_chrysler.adf": {"vendor": "Langley Chrysler", "dealer_code": nil, "full": nil, "interest": "buy", "status": nil, "id": nil,
			"email": nil, "phone": nil, "flags": flags("placeholder")},
		"templates/t06_earl_us_date.adf": {"requestdate": "2025-08-14T00:00:00-04:00", "full": nil, "street": nil, "city": nil, "postal": nil, "trade": nil,
			"status": "used", "interest": "trade-in", "flags": flags("zone_assumed", "placeholder"), "state": "REJECTED NO_CONTACT_POINT"},
		"templates/t07_trafficlogpro_harley.adf": {"status": "new", "comments": nil, "price_currency": "USD", "vendor": "American Harley-Davidson", "vin": nil, "stock": nil,
			"id": nil, "provider": nil, "extra": at{"prospect/id": "{leadRef}"}},
		"templates/t10_nashmi_finance_interest.adf": {"interest": nil, "status": "used", "full": nil, "email": nil, "phone": nil,
			"extra": at{"prospect/vehicle[1]/@interest": "finance"}},
		"templates/t11_canada_finance_slashes.adf": {"full": nil, "first": nil, "last": nil, "street": nil, "postal": nil, "vehicles": 0, "email": nil},
		"templates/t12_bare_vendor_comment.adf":    {"comments": nil, "provider": "LeadGrowthCo", "vehicles": 0, "email": nil, "phone": nil, "full": nil},
		"templates/t13_cars_dealer_plugin_preferedcontact.adf": {"postal": nil, "comments": "Check Availability. Customer Comments: {comments}", "price": nil,
			"vin": nil, "stock": nil, "email": nil, "phone": nil, "flags": flags("misspelt_name", "placeholder")},
	}
}
