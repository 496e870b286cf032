package lead_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
)

var t0 = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func days(n int) time.Time { return t0.AddDate(0, 0, n) }

func TestEffective(t *testing.T) {
	const mobile, other = "+14152342671", "+14152342672"
	sms := lead.ConsentKey{Controller: lead.ControllerOEM, Purpose: lead.PurposeMarketing, Channel: lead.ChannelSMS, ContactPoint: mobile}
	fact := func(state lead.ConsentState, at int, edit func(*lead.Consent)) lead.Consent {
		c := lead.Consent{Controller: lead.ControllerOEM, Purpose: lead.PurposeMarketing, Channel: lead.ChannelSMS, ContactPoint: mobile, State: state, At: days(at)}
		if edit != nil {
			edit(&c)
		}
		return c
	}
	const granted, denied, none, revoked, expired = lead.ConsentStateGranted, lead.ConsentStateDenied, lead.ConsentStateNone, lead.ConsentStateRevoked, lead.ConsentStateExpired
	tests := []struct {
		name  string
		facts []lead.Consent
		want  lead.ConsentState
	}{
		{"no fact", nil, none},
		{"granted", []lead.Consent{fact(granted, 1, nil)}, granted},
		{"revoked later", []lead.Consent{fact(granted, 1, nil), fact(revoked, 2, nil)}, revoked},
		{"order does not matter", []lead.Consent{fact(revoked, 2, nil), fact(granted, 1, nil)}, revoked},
		{"granted again", []lead.Consent{fact(revoked, 2, nil), fact(granted, 3, nil)}, granted},
		{"same moment: strictest", []lead.Consent{fact(granted, 2, nil), fact(denied, 2, nil)}, denied},
		{"same moment: revoked is stricter than denied", []lead.Consent{fact(denied, 2, nil), fact(revoked, 2, nil)}, revoked},
		{"same moment: denied is laxer than revoked", []lead.Consent{fact(revoked, 2, nil), fact(denied, 2, nil)}, revoked},
		{"same moment: expired is stricter than granted", []lead.Consent{fact(granted, 2, nil), fact(granted, 2, func(c *lead.Consent) { c.ValidUntil = days(5) })}, expired},
		{"none ends a grant", []lead.Consent{fact(granted, 1, nil), fact(none, 2, nil)}, none},
		{"none lifts no denial", []lead.Consent{fact(denied, 1, nil), fact(none, 2, nil)}, denied},
		{"not yet", []lead.Consent{fact(granted, 11, nil)}, none},
		{"run out", []lead.Consent{fact(granted, 1, func(c *lead.Consent) { c.ValidUntil = days(5) })}, expired},
		{"not yet run out", []lead.Consent{fact(granted, 1, func(c *lead.Consent) { c.ValidUntil = days(11) })}, granted},
		{"grant for every point", []lead.Consent{fact(granted, 1, func(c *lead.Consent) { c.ContactPoint = "" })}, granted},
		{"grant for another point", []lead.Consent{fact(granted, 1, func(c *lead.Consent) { c.ContactPoint = other })}, none},
		{"grant without channel widens nothing", []lead.Consent{fact(granted, 1, func(c *lead.Consent) { c.Channel = 0 })}, none},
		{"grant to a dealer is not the OEM's", []lead.Consent{fact(granted, 1, func(c *lead.Consent) { c.Controller, c.ControllerID = lead.ControllerDealer, "d1" })}, none},
		{"STOP at a dealer binds the number", []lead.Consent{fact(granted, 1, nil), fact(revoked, 2, func(c *lead.Consent) { c.Controller, c.ControllerID = lead.ControllerDealer, "d1" })}, revoked},
		{"denial toward a dealer binds the dealer", []lead.Consent{fact(granted, 1, nil), fact(denied, 1, func(c *lead.Consent) { c.Controller, c.ControllerID = lead.ControllerDealer, "d1" })}, granted},
		{"revoked everything", []lead.Consent{fact(granted, 1, nil), fact(revoked, 2, func(c *lead.Consent) { c.Purpose, c.Channel, c.ContactPoint = 0, 0, "" })}, revoked},
		{"revoked e-mail only", []lead.Consent{fact(granted, 1, nil), fact(revoked, 2, func(c *lead.Consent) { c.Channel = lead.ChannelEmail })}, granted},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := lead.Effective(tt.facts, sms, days(10)); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestMayAnswerShareAndTrigger(t *testing.T) {
	const point = "jo@example.org"
	at := days(10)
	dealer := lead.ConsentKey{Controller: lead.ControllerDealer, ControllerID: "d1", Channel: lead.ChannelEmail, ContactPoint: point}
	if !lead.MayAnswer(nil, dealer, at) {
		t.Error("an inquiry without facts may not be answered")
	}
	if lead.MayTrigger(nil, dealer, at) {
		t.Error("a trigger lead without facts may be worked")
	}
	stop := []lead.Consent{{Controller: lead.ControllerOEM, Purpose: lead.PurposeShareWithDealer, State: lead.ConsentStateDenied, At: days(1)}}
	if lead.MayAnswer(stop, dealer, at) || lead.MayShare(stop, "d1", at) {
		t.Error("a dealer may answer although sharing was denied")
	}
	if oem := (lead.ConsentKey{Controller: lead.ControllerOEM, Channel: lead.ChannelEmail, ContactPoint: point}); !lead.MayAnswer(stop, oem, at) {
		t.Error("denied sharing keeps the OEM from answering")
	}
	marketing := lead.Consent{Controller: lead.ControllerDealer, ControllerID: "d1", Purpose: lead.PurposeMarketing, Channel: lead.ChannelEmail, State: lead.ConsentStateGranted, At: days(1)}
	profiling := marketing
	profiling.Purpose, profiling.Channel = lead.PurposeProfiling, 0
	if lead.MayTrigger([]lead.Consent{marketing}, dealer, at) {
		t.Error("a trigger lead without profiling may be worked")
	}
	if !lead.MayTrigger([]lead.Consent{marketing, profiling}, dealer, at) {
		t.Error("a trigger lead with both grants may not be worked")
	}
	call := lead.Consent{Controller: lead.ControllerDealer, ControllerID: "d1", Purpose: lead.PurposeAnswerInquiry, Channel: lead.ChannelCall, State: lead.ConsentStateRevoked, At: days(1)}
	key := lead.ConsentKey{Controller: lead.ControllerDealer, ControllerID: "d1", Channel: lead.ChannelAutomatedCall, ContactPoint: "+14152342671"}
	if lead.MayAnswer([]lead.Consent{call}, key, at) {
		t.Error("automated calls go on after calls were revoked")
	}
}

func randomSet(r *rand.Rand, point string) lead.ConsentSet {
	set := lead.ConsentSet{Points: []string{point, "+14150000000"}}
	for range 1 + r.IntN(6) {
		c := lead.Consent{
			Controller: lead.Controller(1 + r.IntN(2)), Purpose: lead.Purpose(r.IntN(6)), Channel: lead.Channel(r.IntN(5)),
			State: lead.ConsentState(1 + r.IntN(5)), At: days(r.IntN(8)),
		}
		if c.Controller == lead.ControllerDealer {
			c.ControllerID = "d1"
		}
		switch r.IntN(3) {
		case 0:
			c.ContactPoint = point
		case 1:
			c.ContactPoint = "+14150000000"
		}
		if r.IntN(4) == 0 {
			c.ValidUntil = days(r.IntN(20))
		}
		set.Facts = append(set.Facts, c)
	}
	return set
}

// Law 4: a merge never widens consent. What was not granted for a person who had a say about a
// key is not granted afterwards, a point of one person gains nothing from the other, and what was
// forbidden for either stays so.
func TestMergeConsentsNeverWidens(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	at := days(10)
	merged := 0
	for range 20000 {
		a, b := randomSet(r, "a@example.org"), randomSet(r, "b@example.org")
		facts := lead.MergeConsents(at, a, b)
		for _, point := range []string{"", "a@example.org", "b@example.org", "+14150000000"} {
			key := lead.ConsentKey{Controller: lead.ControllerOEM, Purpose: lead.Purpose(1 + r.IntN(6)), Channel: lead.Channel(r.IntN(5)), ContactPoint: point}
			if r.IntN(2) == 0 {
				key.Controller, key.ControllerID = lead.ControllerDealer, "d1"
			}
			if point == "" && key.Purpose != lead.PurposeProfiling && key.Purpose < lead.PurposeShareWithDealer {
				continue // a use always has a point
			}
			for _, later := range []time.Time{at, days(11)} {
				got := lead.Effective(facts, key, later)
				sa, sb := lead.Effective(a.Facts, key, later), lead.Effective(b.Facts, key, later)
				if got == lead.ConsentStateGranted {
					merged++
					owners := sa == lead.ConsentStateGranted || sb == lead.ConsentStateGranted
					stranger := point == "a@example.org" && sa != lead.ConsentStateGranted || point == "b@example.org" && sb != lead.ConsentStateGranted
					if !owners || stranger && key.Purpose < lead.PurposeProfiling {
						t.Fatalf("widened %+v: %v, %v gives %v\na %+v\nb %+v", key, sa, sb, got, a.Facts, b.Facts)
					}
				}
				for _, s := range []lead.ConsentState{sa, sb} {
					if (s == lead.ConsentStateDenied || s == lead.ConsentStateRevoked) && got != lead.ConsentStateDenied && got != lead.ConsentStateRevoked {
						t.Fatalf("lifted %+v: %v, %v gives %v\na %+v\nb %+v", key, sa, sb, got, a.Facts, b.Facts)
					}
				}
			}
		}
	}
	if merged == 0 {
		t.Error("the property was never put to the test")
	}
}

func TestMergeConsentsYieldsToANewerGrant(t *testing.T) {
	grant := lead.Consent{Controller: lead.ControllerOEM, Purpose: lead.PurposeMarketing, Channel: lead.ChannelEmail, ContactPoint: "jo@example.org", State: lead.ConsentStateGranted, At: days(3)}
	stop := grant
	stop.State, stop.At = lead.ConsentStateRevoked, days(1)
	key := lead.ConsentKey{Controller: grant.Controller, Purpose: grant.Purpose, Channel: grant.Channel, ContactPoint: grant.ContactPoint}
	facts := lead.MergeConsents(days(5), lead.ConsentSet{Facts: []lead.Consent{grant}}, lead.ConsentSet{Facts: []lead.Consent{stop}})
	if got := lead.Effective(facts, key, days(6)); got != lead.ConsentStateRevoked {
		t.Errorf("after the merge %v, want the strictest", got)
	}
	again := grant
	again.At = days(7)
	if got := lead.Effective(append(facts, again), key, days(8)); got != lead.ConsentStateGranted {
		t.Errorf("after a newer grant %v", got)
	}
}
