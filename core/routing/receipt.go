package routing

import "github.com/leadmesh/leadmesh/core/lead"

// MaxCandidates is how many candidates a receipt shows; the others are counted by reason.
const MaxCandidates = 20

// Rules is the version of the chooser's rules and arithmetic. It is written into every receipt;
// Replay refuses receipts of another version rather than judge them by rules they never had.
const Rules = 1

// Receipt is the replayable record of a decision: every fact the choice consumed, then what came
// out. It holds no personal data: no name, no address, no postal code, no coordinates.
//
// AppendCanonical writes it, ParseReceipt reads it. Times are Unix seconds, distances metres,
// factors, shares and chances parts per million.
type Receipt struct {
	Rules int32

	// What was asked.
	LeadID       lead.ID
	DecidedAt    int64
	Attempt      int32    // 0 is the first
	Exclusions   []string // dealers that declined or were refused, in that order
	Playbook     string   // revisions
	Network      string
	Model        string
	Test         bool
	Line         lead.Line
	Brand        string
	Department   lead.Department // given or implied by the line
	Origin       lead.Origin
	Choice       lead.DealerChoice
	Dealer       string // the dealer the lead names; a successor is another candidate
	Market       string
	Place        Place
	NoConsent    bool // the lead may not be shared with a store
	FleetAccount bool
	DigitalOnly  bool
	ServicedAt   int64 // last service visit at the candidate marked SERVICED
	SoldAt       int64
	Doubts       Doubt

	// The score, handed through.
	WinChance int32 // probability of the line's win
	Points    int32 // 1/100
	Stage     lead.Stage
	Inputs    []Input

	// What the policy says for this lead.
	Policy   Terms
	Programs []Requirement

	// The draw of step 5, from the secret of the revision: 0 to 999,999.
	Draw int32

	Candidates []Candidate // by distance, then by id
	Others     [losses]int32

	// What came out.
	Step          Step
	Winner        string // dealer id; "" when nobody got the lead
	WinDepartment lead.Department
	WinRole       lead.Role
	Flags         Flag
}

// Input is one named number that the score was made from. The chooser does not read it.
type Input struct {
	Name  string
	Value int64
}

// Requirement is one program that the lead requires.
type Requirement struct {
	Code      string
	Mandatory bool // binds in step 1
	Fallback  Fallback
}

// Terms are the numbers and names of the policy that apply to one lead, as in Rule and Market.
type Terms struct {
	Market         MarketPolicy
	K              int32
	NormalDistance int32
	KnownDistance  int32 // metres: how far "who knows them" reaches
	MaxDistance    int32
	PerformanceCap int32
	Floor          int32 // least share of each of the equals
	Equals         int32
	Closed         int32
	MissingProgram int32
	OtherLanguage  int32
	ServiceMemory  int64
	SellingMemory  int64
	Role           lead.Role // the role that works the line
	Desk           string    // Compile has checked that it is one
}

// Candidate is one store that was looked at: facts first, then what came out for it.
type Candidate struct {
	Dealer        string
	Department    lead.Department // the department that would work the lead
	Distance      int32           // metres; -1 when there was nothing to measure from
	Marks         Mark
	Bars          Bar
	Missing       uint64 // required programs it does not hold: bit i is Receipt.Programs[i]
	Capped        bool   // it declared a cap, or opted in to an inferred one
	Free          int32  // what is left of the cap, as far as known; read only when Capped
	Performance   int32  // above or below what is expected of its cases; 0 is neutral
	Open          bool
	OtherLanguage bool // the customer's language is known and nobody there speaks it

	Expected int64 // expected result in parts per billion, when step 5 compared it
	Chance   int32 // share in the draw, when it was one of the equals
	Lost     Loss  // 0 for the winner
}

// candidate returns the first candidate that carries the mark; nil if there is none.
func (r *Receipt) candidate(m Mark) *Candidate {
	for i := range r.Candidates {
		if r.Candidates[i].Marks&m != 0 {
			return &r.Candidates[i]
		}
	}
	return nil
}

// Won returns the winning candidate; nil when the desk or nobody got the lead.
func (r *Receipt) Won() *Candidate {
	if r.Step == StepUnspecified || r.Step == StepDesk {
		return nil
	}
	for i := range r.Candidates {
		if r.Candidates[i].Lost == LossUnspecified {
			return &r.Candidates[i]
		}
	}
	return nil
}

// MayBeRefused reports whether the committer may refuse the lead for capacity: only where the
// customer did not choose the store, the store does not own the lead, and the winner is no desk.
// Test leads are outside capacity.
func (r *Receipt) MayBeRefused() bool {
	switch r.Step {
	case StepKnown, StepTerritory, StepExpected, StepOverflow:
		return !r.Test
	}
	return false
}
