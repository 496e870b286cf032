package routing

// Step is which step of the published order decided.
type Step uint8

// The values of Step.
const (
	StepUnspecified Step = iota // nobody, and no desk either; the lead has to be parked
	StepOwner                   // a dealer-owned lead went to its store
	StepChosen                  // the customer chose the store
	StepKnown                   // the store knows the customer
	StepTerritory               // it is the store's area
	StepExpected                // expected result among equals
	StepOverflow                // a store that takes over from another one
	StepDesk                    // the OEM desk
)

var stepNames = names{"OWNER", "CHOSEN", "KNOWN", "TERRITORY", "EXPECTED", "OVERFLOW", "DESK"}

// String returns the code, or "" when nobody got the lead.
func (s Step) String() string { return stepNames.of(uint8(s)) }

// ParseStep reads the spelling that String writes; ok is false for anything else.
func ParseStep(s string) (v Step, ok bool) {
	n, ok := stepNames.index(s)
	return Step(n), ok
}

// Loss is why a candidate did not get the lead.
type Loss uint8

// The values of Loss. Those up to LossNoCapacity mean "it may not", the rest "another came first".
const (
	LossUnspecified   Loss = iota
	LossNoConsent          // the lead may not be shared with a store
	LossExcluded           // it declined, or was refused for capacity
	LossNoFranchise        // no department of the store sells or serves this brand
	LossOutOfMarket        // the market's rule does not let the store in
	LossNotLive            // onboarding, closing or closed
	LossPaused             // paused at the time of the decision
	LossNotCertified       // a mandatory certificate is missing or has expired
	LossNoCapacity         // the day's declared cap is used up, as far as the hint knows
	LossTooFar             // beyond the farthest distance of the rule
	LossNotOwner           // the lead belongs to another store, or to the store's desk
	LossOtherChosen        // the customer chose another store
	LossOtherKnows         // another store knows the customer
	LossOtherArea          // it is another store's area
	LossLowerExpected      // its expected result is below that of the equals
	LossNotDrawn           // it was one of the equals; the draw fell on another
	LossOverflow           // an overflow store or the desk took the lead
	LossBeyondList         // farther than the stores looked at
)

var lossNames = names{"NO_CONSENT", "EXCLUDED", "NO_FRANCHISE", "OUT_OF_MARKET", "NOT_LIVE", "PAUSED", "NOT_CERTIFIED",
	"NO_CAPACITY", "TOO_FAR", "NOT_OWNER", "OTHER_CHOSEN", "OTHER_KNOWS", "OTHER_AREA", "LOWER_EXPECTED", "NOT_DRAWN", "OVERFLOW", "BEYOND_LIST"}

// losses is the number of values of Loss, the unspecified one included.
const losses = int(LossBeyondList) + 1

// String returns the code, or "" for the winner.
func (l Loss) String() string { return lossNames.of(uint8(l)) }

// ParseLoss reads the spelling that String writes; ok is false for anything else.
func ParseLoss(s string) (v Loss, ok bool) {
	n, ok := lossNames.index(s)
	return Loss(n), ok
}

// Mark is a set of ways in which a lead or the network names a candidate.
type Mark uint16

// The members of Mark.
const (
	MarkNamed             Mark = 1 << iota // the lead names the store; its choice says why
	MarkNamedOverflow                      // takes over from the named store
	MarkServiced                           // did the last service visit
	MarkSold                               // sold the vehicle
	MarkTerritory                          // its area
	MarkTerritoryOverflow                  // takes over from the territory's store
	MarkOverflow                           // takes over by the playbook
)

var markNames = names{"NAMED", "NAMED_OVERFLOW", "SERVICED", "SOLD", "TERRITORY", "TERRITORY_OVERFLOW", "OVERFLOW"}

// Bar is a set of facts of the network that keep a candidate out by themselves.
type Bar uint8

// The members of Bar.
const (
	BarFranchise Bar = 1 << iota
	BarMarket
	BarNotLive
	BarPaused
)

var barNames = names{"FRANCHISE", "MARKET", "NOT_LIVE", "PAUSED"}

// Doubt is a set of facts about how well the inputs of a decision were known.
type Doubt uint16

// The members of Doubt.
const (
	DoubtNoBrand        Doubt = 1 << iota // the lead has no brand; every store of the department counts
	DoubtBrandUnknown                     // no store of the market has this brand
	DoubtMarketUnknown                    // the network has no such market
	DoubtDealerUnknown                    // the lead names a store that the network does not have
	DoubtDealerByName                     // the named store was found by its name only
	DoubtSucceeded                        // a named or known store was replaced by its successor
	DoubtProgramUnknown                   // the lead asks for a program that the network does not have
)

var doubtNames = names{"NO_BRAND", "BRAND_UNKNOWN", "MARKET_UNKNOWN", "DEALER_UNKNOWN", "DEALER_BY_NAME", "SUCCEEDED", "PROGRAM_UNKNOWN"}

// Flag is a set of things that whoever works the lead, or reviews the decision, has to know.
type Flag uint16

// The members of Flag.
const (
	FlagReferralPlay     Flag = 1 << iota // the customer's own or chosen store lacks a certificate, or nobody has one that binds
	FlagProgramFallback                   // no certified store could take it
	FlagChosenNotAllowed                  // the customer's store may not take it; its row says why
	FlagChosenDeclined                    // the customer's store declined
	FlagChosenUnknown                     // the customer's store is not in the network
	FlagOwnerNotAllowed                   // a dealer-owned lead whose store may not take it
	FlagOwnerUnknown                      // a dealer-owned lead without a store of the network
	FlagOutsideFranchise                  // a dealer-owned lead outside the store's franchise or market
	FlagUnassigned                        // not even a desk exists
)

var flagNames = names{"REFERRAL_PLAY", "PROGRAM_FALLBACK", "CHOSEN_NOT_ALLOWED", "CHOSEN_DECLINED", "CHOSEN_UNKNOWN",
	"OWNER_NOT_ALLOWED", "OWNER_UNKNOWN", "OUTSIDE_FRANCHISE", "UNASSIGNED"}

// Has reports whether every member of m is in the set.
func (f Flag) Has(m Flag) bool { return f&m == m }

// Has reports whether every member of m is in the set.
func (d Doubt) Has(m Doubt) bool { return d&m == m }

// Has reports whether every member of x is in the set.
func (m Mark) Has(x Mark) bool { return m&x == x }

// Has reports whether every member of x is in the set.
func (b Bar) Has(x Bar) bool { return b&x == x }
