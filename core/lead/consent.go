package lead

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// ConsentKey names one question: may this controller use this contact point for this purpose by
// this channel? ContactPoint is spelled as by the function ContactPoint. PROFILING and the two
// SHARE purposes have no channel: leave it unspecified, and every channel's facts count.
type ConsentKey struct {
	Controller   Controller
	ControllerID string // the dealer, group or captive; "" for the OEM
	Purpose      Purpose
	Channel      Channel
	ContactPoint string
}

// Effective returns the state of a key at a moment: the latest fact that bears on it, the
// strictest of those at the same moment, ConsentStateNone without any. Facts may come in any
// order and hold those of every person who shares a contact point.
//
//   - A denial or revocation binds wider than it is written: without purpose, channel or contact
//     point it means all of them, and one for live calls binds automated calls too. A revocation
//     (STOP) on a contact point binds every controller. Only a later grant lifts them.
//   - A grant counts only for what it names; without a contact point it means every one of the
//     person's. After ValidUntil it is expired.
//   - "None" ends an earlier grant and never lifts a denial.
//
// Facts dated after at do not count yet.
func Effective(facts []Consent, key ConsentKey, at time.Time) ConsentState {
	var grant, forbid, other evidence
	for i := range facts {
		c := &facts[i]
		if c.At.After(at) || !c.bears(&key) {
			continue
		}
		switch {
		case c.State == ConsentStateUnspecified:
		case c.State == ConsentStateGranted:
			grant.add(c.stateAt(at), c.At)
		case c.State.forbids():
			forbid.add(c.State, c.At)
		default:
			other.add(c.State, c.At)
		}
	}
	switch {
	case forbid.state != ConsentStateUnspecified && (grant.state == ConsentStateUnspecified || !forbid.at.Before(grant.at)):
		return forbid.state
	case other.state != ConsentStateUnspecified && (grant.state == ConsentStateUnspecified || !other.at.Before(grant.at)):
		return other.state
	case grant.state != ConsentStateUnspecified:
		return grant.state
	}
	return ConsentStateNone
}

// evidence is the latest fact of one kind, the strictest of those at the same moment.
type evidence struct {
	state ConsentState
	at    time.Time
}

func (e *evidence) add(s ConsentState, at time.Time) {
	if e.state == ConsentStateUnspecified || at.After(e.at) || at.Equal(e.at) && strictness(s) > strictness(e.state) {
		e.state, e.at = s, at
	}
}

// MayUse reports whether a key may be used at a moment: answering the inquiry, notices about an
// appointment or service, and sharing with the dealer who answers need that nobody denied or
// revoked it; marketing, profiling and sharing with partners need a grant.
func MayUse(facts []Consent, key ConsentKey, at time.Time) bool {
	s := Effective(facts, key, at)
	switch key.Purpose {
	case PurposeAnswerInquiry, PurposeServiceNotices, PurposeShareWithDealer:
		return !s.forbids()
	}
	return s == ConsentStateGranted
}

// MayAnswer reports whether the controller may answer the inquiry by the channel at the contact
// point. Where the controller is a dealer, the lead must also be shareable with it: neither the
// OEM's nor the dealer's own sharing facts may forbid it.
func MayAnswer(facts []Consent, key ConsentKey, at time.Time) bool {
	key.Purpose = PurposeAnswerInquiry
	if !MayUse(facts, key, at) {
		return false
	}
	return key.Controller != ControllerDealer || MayShare(facts, key.ControllerID, at)
}

// MayShare reports whether an inquiry may be shared with a dealer who answers it: unless it was
// denied or revoked toward the OEM or toward that dealer.
func MayShare(facts []Consent, dealerID string, at time.Time) bool {
	return MayUse(facts, ConsentKey{Controller: ControllerOEM, Purpose: PurposeShareWithDealer}, at) &&
		MayUse(facts, ConsentKey{Controller: ControllerDealer, ControllerID: dealerID, Purpose: PurposeShareWithDealer}, at)
}

// MayTrigger reports whether a trigger lead may be made and worked: it needs a marketing grant of
// the controller for the key's channel and contact point, and a profiling grant, since a trigger
// rests on tracked behaviour. The key's purpose is not read.
func MayTrigger(facts []Consent, key ConsentKey, at time.Time) bool {
	key.Purpose = PurposeMarketing
	if !MayUse(facts, key, at) {
		return false
	}
	key.Purpose, key.Channel, key.ContactPoint = PurposeProfiling, ChannelUnspecified, ""
	return MayUse(facts, key, at)
}

// ConsentSet is what is known of one person before a merge: the facts, and the contact points the
// person had, spelled as by the function ContactPoint.
type ConsentSet struct {
	Facts  []Consent
	Points []string
}

// mergeEvidence marks the facts that MergeConsents adds.
const mergeEvidence = "merge"

// MergeConsents returns the facts that hold for a person put together at a moment from several.
// The sets themselves stay as they are, so that a split restores them. No key is wider afterwards
// than it was for any of the persons who had facts on it: where they differ, the strictest is
// added as a fact of the moment, and stays until a newer grant. A grant for "every contact point"
// keeps to the points its own person had.
func MergeConsents(at time.Time, sets ...ConsentSet) []Consent {
	var out []Consent
	keys := map[ConsentKey]bool{}
	for _, set := range sets {
		for _, c := range set.Facts {
			if c.ContactPoint == "" && c.State == ConsentStateGranted && !c.pointless() {
				for _, p := range slices.Compact(slices.Sorted(slices.Values(set.Points))) {
					c.ContactPoint = p
					out = append(out, c)
				}
			} else {
				out = append(out, c)
			}
		}
	}
	points := map[string]bool{"": true}
	for _, set := range sets {
		for _, p := range set.Points {
			points[p] = true
		}
	}
	for i := range out {
		points[out[i].ContactPoint] = true
	}
	// Only a grant can widen, and only the keys it names.
	for i := range out {
		if out[i].State != ConsentStateGranted {
			continue
		}
		key := out[i].key()
		for p := range points {
			if out[i].ContactPoint == "" || out[i].ContactPoint == p {
				key.ContactPoint = p
				key.Channel = out[i].Channel
				keys[key] = true
				if out[i].pointless() {
					key.Channel = ChannelUnspecified
					keys[key] = true
				}
			}
		}
	}
	for _, key := range slices.SortedFunc(maps.Keys(keys), compareKeys) {
		strictest := ConsentStateUnspecified
		for _, set := range sets {
			if !bearsAny(set.Facts, &key, at) {
				continue
			}
			if s := Effective(set.Facts, key, at); strictness(s) > strictness(strictest) {
				strictest = s
			}
		}
		if strictness(strictest) <= strictness(Effective(out, key, at)) {
			continue
		}
		out = append(out, Consent{
			Controller: key.Controller, ControllerID: key.ControllerID, Purpose: key.Purpose,
			Channel: key.Channel, ContactPoint: key.ContactPoint,
			State: strictest, Evidence: mergeEvidence, At: at,
		})
	}
	return out
}

// bears reports whether a fact speaks about a key.
func (c *Consent) bears(key *ConsentKey) bool {
	restricts := c.State.forbids()
	if c.Purpose != key.Purpose && !(restricts && c.Purpose == PurposeUnspecified) {
		return false
	}
	if c.ContactPoint != "" && c.ContactPoint != key.ContactPoint && !(c.pointless() && key.ContactPoint == "" && restricts) {
		return false
	}
	if c.Controller != key.Controller || c.ControllerID != key.ControllerID {
		// What a person stops at a contact point is stopped for whoever holds it.
		if c.State != ConsentStateRevoked || c.ContactPoint == "" {
			return false
		}
	}
	if c.Channel == key.Channel || key.Channel == ChannelUnspecified && c.pointless() {
		return true
	}
	return restricts && (c.Channel == ChannelUnspecified ||
		c.Channel == ChannelCall && key.Channel == ChannelAutomatedCall)
}

// pointless reports whether the fact's purpose is about the person, not about a contact point.
func (c *Consent) pointless() bool {
	switch c.Purpose {
	case PurposeProfiling, PurposeShareWithDealer, PurposeShareWithPartner:
		return true
	}
	return false
}

// stateAt is the fact's state with its end of validity taken into account.
func (c *Consent) stateAt(at time.Time) ConsentState {
	if c.State == ConsentStateGranted && !c.ValidUntil.IsZero() && !c.ValidUntil.After(at) {
		return ConsentStateExpired
	}
	return c.State
}

func (c *Consent) key() ConsentKey {
	return ConsentKey{Controller: c.Controller, ControllerID: c.ControllerID, Purpose: c.Purpose, Channel: c.Channel, ContactPoint: c.ContactPoint}
}

func bearsAny(facts []Consent, key *ConsentKey, at time.Time) bool {
	for i := range facts {
		if facts[i].State != ConsentStateUnspecified && !facts[i].At.After(at) && facts[i].bears(key) {
			return true
		}
	}
	return false
}

func (c ConsentState) forbids() bool { return c == ConsentStateDenied || c == ConsentStateRevoked }

// strictness orders states from the widest to the narrowest.
func strictness(s ConsentState) int {
	switch s {
	case ConsentStateGranted:
		return 1
	case ConsentStateNone:
		return 2
	case ConsentStateExpired:
		return 3
	case ConsentStateDenied:
		return 4
	case ConsentStateRevoked:
		return 5
	}
	return 0
}

func compareKeys(a, b ConsentKey) int {
	return cmp.Or(cmp.Compare(a.Controller, b.Controller), cmp.Compare(a.ControllerID, b.ControllerID),
		cmp.Compare(a.Purpose, b.Purpose), cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.ContactPoint, b.ContactPoint))
}
