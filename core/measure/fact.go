package measure

import (
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
)

// LeadFact is what the figures need to know of one lead, at one moment. Zero times mean "not so
// far". It carries no personal data.
type LeadFact struct {
	LeadID lead.ID
	Test   bool
	Line   lead.Line
	// Brand, Source and Campaign are codes as captured.
	Brand, Source, Campaign string
	// Flags counts the doubts left after normalisation.
	Flags int
	// BadContact: a later bounce or wrong number proved the contact point useless.
	BadContact bool

	RequestedAt, ReceivedAt time.Time

	// State, since StateAt, with the reject, park, return or lost code it came with.
	State   lead.State
	StateAt time.Time
	Code    string
	// ParkedWith owns the review of a parked lead.
	ParkedWith string

	// DealerID owns the lead now; Desk says that it is the manufacturer's own desk, which is
	// outside the figures of dealers.
	DealerID string
	Desk     bool

	AssignedAt, DeliveredAt, RespondedAt, EngagedAt, OrderedAt time.Time
	// WorkedAt is when a person last did something about the lead.
	WorkedAt time.Time

	// DueAt is the next deadline with its kind; for a parked lead its review.
	DueAt   time.Time
	DueKind string
	// HandoffDueAt is by when an offered hand-off must be answered; zero once it is.
	HandoffDueAt time.Time

	// ProbabilityPPM is the predicted probability of the line's win in millionths; 0: none made.
	ProbabilityPPM int32

	// Assignments counts the owners so far; StoreTimes are the store times of those who
	// responded, at most one for each.
	Assignments int
	StoreTimes  []time.Duration
	// Clocks are the verdicts, at most one for each clock and dealer.
	Clocks []Clock

	Attempts, TestDrives, ROsOpened, AppointmentsSet int
	Kept, NoShows                                    int
	// Unreported counts appointments whose time has passed, neither moved nor cancelled before,
	// of which nobody told the outcome.
	Unreported int
}

// Clock is how one deadline of an assignment came out.
type Clock struct {
	// Kind is the deadline: ACKNOWLEDGE, ACCEPT, RESPOND and so on.
	Kind     string
	DealerID string
	Verdict  Verdict
}

// Verdict says whether a clock was met. Unknown: the dealer is not observed well enough to say.
type Verdict uint8

// The values of Verdict.
const (
	VerdictNone Verdict = iota
	Met
	Breached
	Unknown
)

var verdictWords = [...]string{"", "met", "breached", "unknown"}

// String returns the word as events spell it.
func (v Verdict) String() string {
	if int(v) < len(verdictWords) {
		return verdictWords[v]
	}
	return ""
}

// ParseVerdict reads what String writes; anything else is VerdictNone, which no figure counts.
func ParseVerdict(s string) Verdict {
	for i, word := range verdictWords {
		if s == word {
			return Verdict(i)
		}
	}
	return VerdictNone
}

// Valid reports whether the lead counts in the denominators: captured, not rejected, not merged,
// not a test.
func (f *LeadFact) Valid() bool {
	return !f.Test && f.State != lead.StateRejected && f.State != lead.StateMerged
}

// Open reports whether somebody works the lead now.
func (f *LeadFact) Open() bool { return Open(f.State) }

// Open reports whether a lead in this state is being worked.
func Open(s lead.State) bool { return s >= lead.StateAssigned && s <= lead.StateOrdered }

// WonAt returns when the lead was won, zero if it is not: an unwound win counts no more.
func (f *LeadFact) WonAt() time.Time {
	if f.State == lead.StateWon {
		return f.StateAt
	}
	return time.Time{}
}

// AfterSales reports whether the line is worked by the service department.
func (f *LeadFact) AfterSales() bool {
	return f.Line == lead.LineService || f.Line == lead.LineWarranty || f.Line == lead.LineAccessories
}
