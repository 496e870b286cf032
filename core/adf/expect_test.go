package adf_test

// ownExpectations are facts read off those corpus documents that come without
// any, or more than they state.
func ownExpectations() map[string]map[string]any {
	type m = map[string]any
	flags := func(codes ...string) []string { return codes }
	return map[string]m{
		"samples/01_spec_minimal_smartquote_pi.adf": {"flags": flags("instruction_syntax"), "vehicles": 1},
		"samples/02_spec_minimal_cleaned.adf": {"first": "John", "last": "Doe", "year": "1999", "make": "Chevrolet", "model": "Blazer",
			"phone": "393-999-3922", "email": nil, "vendor": "Acura of Bellevue", "requestdate": "2000-03-30T15:30:20-08:00", "warnings": false},
		"samples/03_approvalgenie_full.adf": {"country": "Canada", "middle": nil, "phone": "1234567890", "id": nil, "id_source": "ABC",
			"provider": "PROSPECT", "flags": flags("bad_country", "bad_enum"), "comment_fields": 11},
		"samples/04_fetchauto_builder.adf": {"make": nil, "vehicles": 0, "id_source": "fetch-auto", "comment_fields": 11, "city": "Vancouver"},
		"samples/05_sendadf_min_oneline.adf": {"full": "John Doe", "vehicle": "1999 Chevrolet Blazer", "status": "used", "interest": "buy",
			"prospect_status": "new", "vendor": "Acura of Bellevue", "warnings": false},
		"samples/06_sendadf_no_vendor.adf":              {"full": "John Doe", "status": "new", "vendor": nil, "phone": "393-999-3922", "warnings": false},
		"samples/07_rubygem_two_vehicles.adf":           {"flags": flags("date_not_iso", "bad_enum"), "vehicle": "2021 Ford F-150", "trade": nil},
		"samples/08_activix_extended.adf":               {"ext_term": "24", "ext_searchterm": "Volvo XC", "customer_id": "12345", "trim": "R-Design", "ext_type": "quote"},
		"samples/14_autotraderca_sparse_phone_only.adf": {"vehicles": 0, "vendor": nil},
		"samples/21_springfield_toyota.adf":             {"warnings": false},
		"samples/26_adfcrate_full.adf":                  {"ext_partner-score": "97", "provider": "CarPoint"},
		"samples/27_adfcrate_maximal.adf":               {"ext_partner": "prospect", "customer_id": "C-1", "odometer": "123", "status": "new", "country": "US"},
		"samples/29_numeric_char_refs.adf":              {"first": nil, "last": nil},
		"samples/31_undeclared_nbsp.adf":                {"flags": flags("repaired_entity"), "comments": "Jane & \u00a0 Co"},
		"samples/32_embedded_partner_xml.adf":           {"comments": "Jane VIP Co", "ext_token": "VIP"},
		"samples/33_pi_and_comments.adf":                {"ext_#comment": "prospect note"},
		"samples/34_bad_enums.adf":                      {"interest": "loan", "flags": flags("bad_enum@prospect/@status", "bad_enum@prospect/vehicle/price/@type")},
		"samples/35_bad_iso.adf":                        {"flags": flags("bad_date", "bad_currency", "bad_country")},
		"samples/37_basic_service_in_vendor.adf":        {"ext_service": "AutoTrader Leads", "vendor": "AutoTrader"},
		"samples/38_lease_with_trade.adf":               {"year": nil, "trade": "2018 Ford Edge", "trade_vin": "1FMCU0F75JUC12345", "flags": flags("vin_check_digit")},
		"samples/40_sendgrid_status_element.adf":        {"prospect_status": "new", "vin_valid": false, "flags": flags("out_of_place_element", "date_without_zone")},
		"samples/41_drevvy_no_vendor.adf":               {"flags": flags("vin_characters"), "vendor": nil, "year": "2025"},
		"samples/43_autotrader_color_element.adf":       {"ext_color": "Blue", "provider": "ADF Lead Provider", "flags": flags("date_without_zone")},
		"samples/44_drivepei_like.adf":                  {"phone": "9025550100", "warnings": false},
		"templates/t02_smedia_tradein.adf": {"trade_only": true, "trade_model": "[trade_model]", "provider": "sMedia :: [button_name]",
			"flags": flags("placeholder@prospect/requestdate", "placeholder@prospect/customer/contact/email", "placeholder@prospect/vehicle/make",
				"placeholder@prospect/vehicle/@status", "placeholder@prospect/id/@sequence"), "id_source": "sMedia"},
		"templates/t03_ford_argentina.adf": {"make": "Ford", "model": "{modelo}", "year": nil, "first": "{nombre}", "city": "{provincia}",
			"provider": "Facebook", "vendor": "Planes", "flags": flags("instruction_syntax", "placeholder@prospect/requestdate")},
		"templates/t04_langley_chrysler.adf": {"vendor": "Langley Chrysler", "full": "{name}", "interest": "buy", "status": "{condition}",
			"id_source": "Schedule a Test Drive", "flags": flags("placeholder@prospect/vehicle/@status")},
		"templates/t06_earl_us_date.adf": {"requestdate": "08/14/25", "trade_only": true, "email": nil, "phone": nil, "city": "{city}",
			"flags": flags("date_not_iso", "date_without_zone", "date_only")},
		"templates/t07_trafficlogpro_harley.adf": {"status": "new", "comments": "{comments}", "price": "0.00", "price_currency": "USD",
			"vendor": "American Harley-Davidson", "flags": flags("enum_spelling", "misspelt_name")},
		"templates/t10_nashmi_finance_interest.adf": {"interest": "finance", "status": "used", "comment_fields": 4, "flags": flags("bad_enum@prospect/vehicle/@interest")},
		"templates/t11_canada_finance_slashes.adf":  {"first": "{first}", "last": "{last}", "full": "{full}", "street": "{address1}", "comment_fields": 5, "vehicles": 0},
		"templates/t12_bare_vendor_comment.adf":     {"comments": "{comment_text}", "provider": "LeadGrowthCo", "vehicles": 0, "flags": flags("misspelt_name")},
		"templates/t13_cars_dealer_plugin_preferedcontact.adf": {"postal": "{postalCode}", "comments": "Check Availability. Customer Comments: {comments}",
			"flags": flags("misspelt_name@prospect/customer/contact/email/@preferedcontact"), "comment_fields": 1},
	}
}
