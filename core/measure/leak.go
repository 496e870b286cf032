package measure

import (
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
)

// LeakStage is where a lead leaks.
type LeakStage string

// The values of LeakStage.
const (
	OpenPastDeadline  LeakStage = "open_past_deadline"
	ParkedPastReview  LeakStage = "parked_past_review"
	HandoffUnanswered LeakStage = "handoff_unanswered"
	ClosedUnworked    LeakStage = "closed_unworked"
)

// Unreachable is the code of an expired lead whose planned attempts were all made.
const Unreachable = "UNREACHABLE"

// Leak says whether and since when a lead leaks at the moment at (Law 1): open past its deadline
// unworked, parked past its review, a hand-off unanswered, or lost or expired without a human
// response or the planned attempts. ok is false if it does not. A lead that leaks in two ways is
// told by the earlier of the list. Only valid leads leak.
//
// Of the deadlines, those that warn (WARN) and those that are only counted (ACKNOWLEDGE, ACCEPT)
// make no leak. A deadline is unworked if nobody did anything since it passed.
func Leak(f *LeadFact, at time.Time) (stage LeakStage, since time.Time, ok bool) {
	if !f.Valid() {
		return "", time.Time{}, false
	}
	past := func(t time.Time) bool { return !t.IsZero() && t.Before(at) }
	switch {
	case f.Open():
		if leaky(f.DueKind) && past(f.DueAt) && f.WorkedAt.Before(f.DueAt) {
			return OpenPastDeadline, f.DueAt, true
		}
		if past(f.HandoffDueAt) {
			return HandoffUnanswered, f.HandoffDueAt, true
		}
	case f.State == lead.StateParked:
		if past(f.DueAt) {
			return ParkedPastReview, f.DueAt, true
		}
	case f.State == lead.StateLost, f.State == lead.StateExpired:
		// Only the authority's own "expired, unreachable" proves the plan; a store's word does not.
		planned := f.State == lead.StateExpired && f.Code == Unreachable
		if f.RespondedAt.IsZero() && !planned {
			return ClosedUnworked, f.StateAt, true
		}
	}
	return "", time.Time{}, false
}

func leaky(kind string) bool { return kind != "WARN" && kind != "ACCEPT" && kind != "ACKNOWLEDGE" }
