package identity

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// TestStandingFactsSayTheSame draws histories of consent and holds that no state is another without
// the facts that were overtaken, and that a long history comes down to a short one.
func TestStandingFactsSayTheSame(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 11))
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	points := []string{"", "+15125550163", "a@example.com"}
	dealers := []string{"", "d1"}
	fact := func() *leadv1.Consent {
		c := &leadv1.Consent{
			Controller: leadv1.Controller_CONTROLLER_OEM, Purpose: leadv1.Purpose(r.IntN(6)), Channel: leadv1.Channel(r.IntN(5)),
			ContactPoint: points[r.IntN(3)], State: leadv1.ConsentState(1 + r.IntN(5)),
			At: timestamppb.New(now.Add(time.Duration(r.IntN(12)-10) * time.Hour)),
		}
		if c.ControllerId = dealers[r.IntN(2)]; c.ControllerId != "" {
			c.Controller = leadv1.Controller_CONTROLLER_DEALER
		}
		if r.IntN(4) == 0 {
			c.ValidUntil = timestamppb.New(now.Add(time.Duration(r.IntN(5)-2) * time.Hour))
		}
		return c
	}
	read := func(facts []*leadv1.Consent) (out []lead.Consent) {
		for _, f := range facts {
			c, wrong := leadconv.ConsentFromProto("", f)
			if len(wrong) > 0 {
				t.Fatal(wrong)
			}
			out = append(out, c)
		}
		return out
	}
	for range 3_000 {
		var facts []*leadv1.Consent
		for range 1 + r.IntN(14) {
			f := fact()
			if len(facts) > 0 && r.IntN(2) == 0 { // about something that was spoken of
				o := facts[r.IntN(len(facts))]
				f.Controller, f.ControllerId, f.Purpose, f.Channel, f.ContactPoint = o.Controller, o.ControllerId, o.Purpose, o.Channel, o.ContactPoint
			}
			facts = append(facts, f)
		}
		all, kept := read(facts), read(standing(facts, now))
		for purpose := range lead.Purpose(6) {
			for channel := range lead.Channel(5) {
				for _, point := range points {
					for _, id := range dealers {
						key := lead.ConsentKey{Controller: lead.ControllerOEM, ControllerID: id, Purpose: purpose, Channel: channel, ContactPoint: point}
						if id != "" {
							key.Controller = lead.ControllerDealer
						}
						for _, at := range []time.Time{now, now.Add(90 * time.Minute)} {
							if a, k := lead.Effective(all, key, at), lead.Effective(kept, key, at); a != k {
								t.Fatalf("%+v at %v is %v by all facts, %v by the standing ones\nall %v", key, at, a, k, facts)
							}
						}
					}
				}
			}
		}
	}

	var long []*leadv1.Consent
	for hour := range 100 {
		for _, state := range []leadv1.ConsentState{leadv1.ConsentState_CONSENT_STATE_GRANTED, leadv1.ConsentState_CONSENT_STATE_REVOKED} {
			long = append(long, &leadv1.Consent{
				Controller: leadv1.Controller_CONTROLLER_OEM, Purpose: leadv1.Purpose_PURPOSE_MARKETING, State: state,
				At: timestamppb.New(now.Add(-time.Duration(hour) * time.Hour)),
			})
		}
	}
	if n := len(standing(long, now)); n != 2 {
		t.Errorf("200 facts about one thing leave %d, want its last grant and its last revocation", n)
	}
}
