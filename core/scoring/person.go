package scoring

import (
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/signal"
)

// Reach says by what somebody can be reached.
type Reach struct {
	Phone, Email bool
}

// ExtractPerson fills the inputs of somebody who asks for nothing now: those of a trigger lead made of
// them at that moment. Everything else is as with Extract. It allocates nothing.
func ExtractPerson(p *signal.Profile, reach Reach, at time.Time, facts Facts, in *Inputs) {
	l := lead.Lead{Trigger: true}
	Extract(&l, p, at, facts, in)
	x := extraction{in: in}
	x.yes(FeatureHasPhone, reach.Phone)
	x.yes(FeatureHasEmail, reach.Email)
}
