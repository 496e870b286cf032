package scoring

import (
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/signal"
)

// Person is somebody who asks for nothing now: what is known of them beside their profile.
type Person struct {
	Phone, Email            bool   // by what they can be reached
	Market                  string // of the playbook
	Country, Region, Postal string // where they live
}

// ExtractPerson fills the inputs of somebody who asks for nothing now: those of a trigger lead made of
// them at that moment. Everything else is as with Extract. It allocates one party.
func ExtractPerson(who Person, p *signal.Profile, at time.Time, facts Facts, in *Inputs) {
	party := [1]lead.Party{{Address: lead.Address{Country: who.Country, Region: who.Region, Postal: who.Postal}}}
	l := lead.Lead{Trigger: true, Market: who.Market, Parties: party[:]}
	Extract(&l, p, at, facts, in)
	x := extraction{in: in}
	x.yes(FeatureHasPhone, who.Phone)
	x.yes(FeatureHasEmail, who.Email)
}
