package routing

// names lists the spellings of an enum from value 1 on; value 0 is "not given".
type names []string

func (n names) of(v uint8) string {
	if v == 0 || int(v) > len(n) {
		return ""
	}
	return n[v-1]
}

func (n names) index(s string) (uint8, bool) {
	for i, name := range n {
		if name == s {
			return uint8(i + 1), true
		}
	}
	return 0, false
}

// Kind is what a dealer row stands for.
type Kind uint8

// The values of Kind.
const (
	KindUnspecified Kind = iota
	KindRooftop          // a store
	KindDesk             // the OEM's own desk: last resort, outside the chooser and the dealer KPIs
)

var kindNames = names{"ROOFTOP", "DESK"}

// String returns the code as the domain spells it, or "" when it is not given.
func (k Kind) String() string { return kindNames.of(uint8(k)) }

// Status is where a dealer stands in the network.
type Status uint8

// The values of Status.
const (
	StatusUnspecified Status = iota
	StatusOnboarding         // gets test leads only
	StatusLive
	StatusPaused // gets nothing inside its window, is live outside it
	StatusClosing
	StatusClosed
)

var statusNames = names{"ONBOARDING", "LIVE", "PAUSED", "CLOSING", "CLOSED"}

// String returns the code as the domain spells it, or "" when it is not given.
func (s Status) String() string { return statusNames.of(uint8(s)) }

// ParseStatus reads the spelling that String writes; ok is false for anything else.
func ParseStatus(s string) (v Status, ok bool) {
	n, ok := statusNames.index(s)
	return Status(n), ok
}

// PersonSetting is who names the person inside a department.
type PersonSetting uint8

// The values of PersonSetting.
const (
	PersonSettingUnspecified PersonSetting = iota
	PersonSettingCRM                       // the store's own system names the person
	PersonSettingLeadmesh                  // Rotate names one of the store's roster
	PersonSettingGroupBDC                  // Rotate names one of the BDC desk's roster
)

var personSettingNames = names{"CRM", "LEADMESH", "GROUP_BDC"}

// String returns the code as the domain spells it, or "" when it is not given.
func (p PersonSetting) String() string { return personSettingNames.of(uint8(p)) }

// ParsePersonSetting reads the spelling that String writes; ok is false for anything else.
func ParsePersonSetting(s string) (v PersonSetting, ok bool) {
	n, ok := personSettingNames.index(s)
	return PersonSetting(n), ok
}

// MarketPolicy is how a market treats territories.
type MarketPolicy uint8

// The values of MarketPolicy.
const (
	MarketPolicyUnspecified MarketPolicy = iota
	MarketPolicyTerritory                // the territory dealer gets the lead if it may
	MarketPolicyBestOfK                  // territories are ignored, the k best compare
)

var marketPolicyNames = names{"TERRITORY", "BEST_OF_K"}

// String returns the code as the domain spells it, or "" when it is not given.
func (m MarketPolicy) String() string { return marketPolicyNames.of(uint8(m)) }

// ParseMarketPolicy reads the spelling that String writes; ok is false for anything else.
func ParseMarketPolicy(s string) (v MarketPolicy, ok bool) {
	n, ok := marketPolicyNames.index(s)
	return MarketPolicy(n), ok
}

// Fallback is what a mandatory program does when no store that may take the lead holds it.
type Fallback uint8

// The values of Fallback.
const (
	FallbackUnspecified Fallback = iota
	FallbackDesk                 // overflow, then the desk
	FallbackUncertified          // a store without the certificate, with a referral play
)

var fallbackNames = names{"DESK", "UNCERTIFIED"}

// String returns the code as the domain spells it, or "" when it is not given.
func (f Fallback) String() string { return fallbackNames.of(uint8(f)) }

// ParseFallback reads the spelling that String writes; ok is false for anything else.
func ParseFallback(s string) (v Fallback, ok bool) {
	n, ok := fallbackNames.index(s)
	return Fallback(n), ok
}

// Place is how exactly the customer's place was known.
type Place uint8

// The values of Place, from the most to the least exact.
const (
	PlaceUnspecified Place = iota
	PlacePoint             // coordinates came with the lead
	PlacePostal            // the postal code is known
	PlacePrefix            // the middle of the codes that share the longest known prefix
	PlaceRegion            // the middle of the region
	PlaceCountry           // the middle of the country
	PlaceUnknown           // nothing to measure from
)

var placeNames = names{"POINT", "POSTAL", "PREFIX", "REGION", "COUNTRY", "UNKNOWN"}

// String returns the code as the domain spells it, or "" when it is not given.
func (p Place) String() string { return placeNames.of(uint8(p)) }

// ParsePlace reads the spelling that String writes; ok is false for anything else.
func ParsePlace(s string) (v Place, ok bool) {
	n, ok := placeNames.index(s)
	return Place(n), ok
}

// coarse reports whether distances from the place say too little to hold them against a store.
func (p Place) coarse() bool { return p >= PlaceRegion }
