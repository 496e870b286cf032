package identity

import (
	"time"

	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
)

// factKey is what a consent fact says of what. A grant never stands for a revocation nor a denial for
// either, since they bind differently wide.
type factKey struct {
	controller leadv1.Controller
	id         string
	purpose    leadv1.Purpose
	channel    leadv1.Channel
	point      string
	state      leadv1.ConsentState
}

func keyOf(c *leadv1.Consent) factKey {
	return factKey{
		controller: c.GetController(), id: c.GetControllerId(), purpose: c.GetPurpose(), channel: c.GetChannel(),
		point: c.GetContactPoint(), state: c.GetState(),
	}
}

// standing leaves out the facts that newer ones that say the same have overtaken, so that what is
// told of a customer does not grow with every lead. Facts of one moment all stay, and those that do
// not count yet. No effective state is another for it.
func standing(facts []*leadv1.Consent, now time.Time) []*leadv1.Consent {
	if len(facts) < 2 {
		return facts
	}
	newest := make(map[factKey]time.Time, len(facts))
	for _, c := range facts {
		at := c.GetAt().AsTime()
		if k := keyOf(c); !at.After(now) && at.After(newest[k]) {
			newest[k] = at
		}
	}
	kept := make([]*leadv1.Consent, 0, len(facts))
	for _, c := range facts {
		if !c.GetAt().AsTime().Before(newest[keyOf(c)]) {
			kept = append(kept, c)
		}
	}
	return kept
}
