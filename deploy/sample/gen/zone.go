package main

// Facts about the states: time zones with the counties that differ, telephone area codes, and
// where car sales rest on Sundays.

var stateZone = map[string]string{
	"AK": "America/Anchorage", "AL": "America/Chicago", "AR": "America/Chicago", "AZ": "America/Phoenix",
	"CA": "America/Los_Angeles", "CO": "America/Denver", "CT": "America/New_York", "DC": "America/New_York",
	"DE": "America/New_York", "FL": "America/New_York", "GA": "America/New_York", "HI": "Pacific/Honolulu",
	"IA": "America/Chicago", "ID": "America/Boise", "IL": "America/Chicago", "IN": "America/Indiana/Indianapolis",
	"KS": "America/Chicago", "KY": "America/New_York", "LA": "America/Chicago", "MA": "America/New_York",
	"MD": "America/New_York", "ME": "America/New_York", "MI": "America/Detroit", "MN": "America/Chicago",
	"MO": "America/Chicago", "MS": "America/Chicago", "MT": "America/Denver", "NC": "America/New_York",
	"ND": "America/Chicago", "NE": "America/Chicago", "NH": "America/New_York", "NJ": "America/New_York",
	"NM": "America/Denver", "NV": "America/Los_Angeles", "NY": "America/New_York", "OH": "America/New_York",
	"OK": "America/Chicago", "OR": "America/Los_Angeles", "PA": "America/New_York", "RI": "America/New_York",
	"SC": "America/New_York", "SD": "America/Chicago", "TN": "America/Chicago", "TX": "America/Chicago",
	"UT": "America/Denver", "VA": "America/New_York", "VT": "America/New_York", "WA": "America/Los_Angeles",
	"WI": "America/Chicago", "WV": "America/New_York", "WY": "America/Denver",
}

var centralIndiana = map[string]bool{
	"Lake": true, "Porter": true, "LaPorte": true, "La Porte": true, "Newton": true, "Jasper": true, "Starke": true,
	"Gibson": true, "Perry": true, "Posey": true, "Spencer": true, "Vanderburgh": true, "Warrick": true,
}

// zone returns the IANA time zone of a place. The borders inside a state follow counties or,
// where that is close enough for a made-up store, a meridian.
func zone(p place) string {
	switch {
	case p.region == "IN" && centralIndiana[p.county]:
		return "America/Chicago"
	case p.region == "FL" && p.lon < -85.2, p.region == "KY" && p.lon < -86.3:
		return "America/Chicago"
	case p.region == "TN" && p.lon > -85.35 && p.county != "Cumberland":
		return "America/New_York"
	case p.region == "MI" && (p.county == "Gogebic" || p.county == "Iron" || p.county == "Dickinson" || p.county == "Menominee"):
		return "America/Menominee"
	case p.region == "TX" && (p.county == "El Paso" || p.county == "Hudspeth"):
		return "America/Denver"
	case (p.region == "NE" || p.region == "KS" || p.region == "ND") && p.lon < -101.6, p.region == "SD" && p.lon < -100.9:
		return "America/Denver"
	case p.region == "ID" && p.lat > 45.5:
		return "America/Los_Angeles"
	case p.region == "OR" && p.county == "Malheur":
		return "America/Boise"
	}
	return stateZone[p.region]
}

var areaCodes = map[string][]string{
	"AK": {"907"}, "AL": {"205", "251"}, "AR": {"501", "479"}, "AZ": {"480", "520"},
	"CA": {"213", "415", "619", "916"}, "CO": {"303", "719"}, "CT": {"203"}, "DC": {"202"},
	"DE": {"302"}, "FL": {"305", "407", "813"}, "GA": {"404", "912"}, "HI": {"808"},
	"IA": {"515", "319"}, "ID": {"208"}, "IL": {"312", "217", "815"}, "IN": {"317", "812"},
	"KS": {"316", "785"}, "KY": {"502", "606"}, "LA": {"504", "318"}, "MA": {"617", "413"},
	"MD": {"410"}, "ME": {"207"}, "MI": {"313", "616", "989"}, "MN": {"612", "218"},
	"MO": {"314", "816", "573"}, "MS": {"601"}, "MT": {"406"}, "NC": {"704", "919"},
	"ND": {"701"}, "NE": {"402"}, "NH": {"603"}, "NJ": {"201", "609"},
	"NM": {"505"}, "NV": {"702"}, "NY": {"212", "315", "518", "716"}, "OH": {"216", "614", "937"},
	"OK": {"405", "918"}, "OR": {"503"}, "PA": {"215", "412", "570", "717"}, "RI": {"401"},
	"SC": {"803"}, "SD": {"605"}, "TN": {"615", "865"}, "TX": {"214", "512", "713", "915"},
	"UT": {"801"}, "VA": {"703", "804", "540"}, "VT": {"802"}, "WA": {"206", "509"},
	"WI": {"414", "608"}, "WV": {"304"}, "WY": {"307"},
}

// States whose law keeps showrooms shut on Sundays, wholly or in the populous counties.
var sundayRest = map[string]bool{
	"CO": true, "IA": true, "IL": true, "IN": true, "LA": true, "ME": true, "MN": true, "MO": true, "MS": true,
	"ND": true, "NJ": true, "OK": true, "PA": true, "WI": true, "TX": true, "UT": true,
}

// Languages spoken in stores beside English, by state, likeliest first.
var stateLanguages = map[string][]string{
	"AZ": {"es"}, "CA": {"es", "zh", "vi", "ko"}, "CO": {"es"}, "CT": {"es", "pl"}, "FL": {"es", "ht", "pt"},
	"GA": {"es", "ko"}, "HI": {"ja", "tl"}, "IL": {"es", "pl"}, "LA": {"fr", "es"}, "MA": {"pt", "es"},
	"ME": {"fr"}, "MI": {"ar", "es"}, "MN": {"hmn", "so"}, "NC": {"es"}, "NH": {"fr"}, "NJ": {"es", "pt", "hi"},
	"NM": {"es"}, "NV": {"es", "tl"}, "NY": {"es", "zh", "ru"}, "OR": {"es"}, "PA": {"es", "de"}, "RI": {"pt"},
	"TX": {"es", "vi"}, "UT": {"es"}, "VA": {"es", "ko"}, "VT": {"fr"}, "WA": {"es", "zh", "vi"}, "WI": {"de", "es"},
}
