// Package projection folds the events of a lead into one fact. An event contributes a Fact that
// knows only what the event tells, and Merge joins two of them. Merge is commutative and
// associative, so the fact of a lead does not depend on the order in which its events arrived.
// Counters make it not idempotent: each event must be folded exactly once, which the log's
// uniqueness ensures.
package projection

import (
	"cmp"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
)

// Fact is what the events folded so far tell of one lead. The zero value tells nothing.
type Fact struct {
	// Captured events make ReceivedAt; a lead without it is outside every figure.
	Test                    bool
	Brand, Source, Campaign string
	Flags                   int32
	Assignments             int32 // owners so far
	RequestedAt, ReceivedAt time.Time

	Line     Newest[lead.Line]
	State    Newest[State]
	Owner    Newest[Owner]
	Deadline Newest[Deadline]

	AssignedAt, DeliveredAt, RespondedAt, EngagedAt time.Time // the earliest of each
	WorkedAt                                        time.Time // the latest
	BadContact                                      bool

	Detail Detail
}

// State is where the lead stands and why.
type State struct {
	State lead.State
	At    time.Time
	Code  string
	Actor string // who owns the review of a parked lead
}

// Owner is who has the lead.
type Owner struct {
	DealerID       string
	Desk           bool
	ProbabilityPPM int32
}

// Deadline is the next one; the zero value says that none runs.
type Deadline struct {
	At   time.Time
	Kind string
}

// Handoff is an offer to another dealer; the zero value says that none waits for an answer.
type Handoff struct {
	DueAt time.Time `json:"due_at,omitzero"`
	To    string    `json:"to,omitempty"`
}

// Detail is what few leads have. It is stored as one JSON value.
type Detail struct {
	StoreSeconds map[string]int64 `json:"store_seconds,omitempty"` // the least, by dealer:sequence of the assignment
	Clocks       map[string]Clock `json:"clocks,omitempty"`        // by kind:dealer
	Counts       map[string]int32 `json:"counts,omitempty"`        // by milestone
	Handoff      Newest[Handoff]  `json:"handoff,omitzero"`
	OrderedAt    time.Time        `json:"ordered_at,omitzero"` // the earliest
}

// Clock is the newest verdict of one deadline at one dealer.
type Clock struct {
	Version Version `json:"v"`
	Verdict string  `json:"is"`
}

// IsZero reports whether there is no detail.
func (d *Detail) IsZero() bool {
	return len(d.StoreSeconds) == 0 && len(d.Clocks) == 0 && len(d.Counts) == 0 &&
		d.Handoff.Version == 0 && d.OrderedAt.IsZero()
}

// Version orders what two authorities say about a lead: Capture's word, however late its version,
// is older than any of Routing's, since Routing takes over with the decision and keeps the lead.
// Zero is older than everything.
type Version int64

// authority is the bit that sets Routing's versions above Capture's.
const authority = Version(1) << 62

// NewVersion makes the version of a lead_version at its authority. Negative ones count as zero.
func NewVersion(routing bool, leadVersion int64) Version {
	v := Version(max(leadVersion, 0)) + 1
	if routing {
		v |= authority
	}
	return v
}

// Newest is a value that the newest version wins. Of two values of the same version the greater
// one wins, so that the order of arrival does not matter.
type Newest[T any] struct {
	Version Version `json:"v"`
	Value   T       `json:"is"`
}

func (n *Newest[T]) merge(o Newest[T], compare func(a, b T) int) {
	if o.Version > n.Version || o.Version == n.Version && compare(o.Value, n.Value) > 0 {
		*n = o
	}
}

// Merge adds what o tells to f, in place. Maps that f owns are changed; o is only read.
func (f *Fact) Merge(o *Fact) {
	f.Test = f.Test || o.Test
	f.BadContact = f.BadContact || o.BadContact
	for _, p := range [...]struct {
		a *string
		b string
	}{
		{&f.Brand, o.Brand}, {&f.Source, o.Source}, {&f.Campaign, o.Campaign},
	} {
		*p.a = max(*p.a, p.b)
	}
	f.Flags = max(f.Flags, o.Flags)
	f.Assignments += o.Assignments
	for _, p := range [...]struct {
		a *time.Time
		b time.Time
	}{
		{&f.RequestedAt, o.RequestedAt}, {&f.ReceivedAt, o.ReceivedAt}, {&f.AssignedAt, o.AssignedAt},
		{&f.DeliveredAt, o.DeliveredAt}, {&f.RespondedAt, o.RespondedAt}, {&f.EngagedAt, o.EngagedAt},
		{&f.Detail.OrderedAt, o.Detail.OrderedAt},
	} {
		if p.a.IsZero() || !p.b.IsZero() && p.b.Before(*p.a) {
			*p.a = p.b
		}
	}
	if o.WorkedAt.After(f.WorkedAt) {
		f.WorkedAt = o.WorkedAt
	}
	f.Line.merge(o.Line, func(a, b lead.Line) int { return cmp.Compare(a, b) })
	f.State.merge(o.State, compareState)
	f.Owner.merge(o.Owner, compareOwner)
	f.Deadline.merge(o.Deadline, func(a, b Deadline) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Kind, b.Kind))
	})
	f.Detail.merge(&o.Detail)
}

func (d *Detail) merge(o *Detail) {
	d.Handoff.merge(o.Handoff, func(a, b Handoff) int {
		return cmp.Or(a.DueAt.Compare(b.DueAt), cmp.Compare(a.To, b.To))
	})
	for key, seconds := range o.StoreSeconds {
		if d.StoreSeconds == nil {
			d.StoreSeconds = make(map[string]int64, len(o.StoreSeconds))
		}
		if held, ok := d.StoreSeconds[key]; !ok || seconds < held {
			d.StoreSeconds[key] = seconds
		}
	}
	for key, clock := range o.Clocks {
		if d.Clocks == nil {
			d.Clocks = make(map[string]Clock, len(o.Clocks))
		}
		held := d.Clocks[key]
		if clock.Version > held.Version || clock.Version == held.Version && clock.Verdict > held.Verdict {
			d.Clocks[key] = clock
		}
	}
	for key, n := range o.Counts {
		if d.Counts == nil {
			d.Counts = make(map[string]int32, len(o.Counts))
		}
		d.Counts[key] += n
	}
}

func compareState(a, b State) int {
	return cmp.Or(cmp.Compare(a.State, b.State), a.At.Compare(b.At),
		cmp.Compare(a.Code, b.Code), cmp.Compare(a.Actor, b.Actor))
}

func compareOwner(a, b Owner) int {
	return cmp.Or(cmp.Compare(a.DealerID, b.DealerID),
		cmp.Compare(a.ProbabilityPPM, b.ProbabilityPPM), compareBool(a.Desk, b.Desk))
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}
