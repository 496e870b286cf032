// Package playbook reads the one bundle of rules the house works by: files that a marketing person
// can edit, decoded strictly, every mistake named by file and line, and compiled to the engines of
// the core.
package playbook

import (
	"github.com/leadmesh/leadmesh/core/catalogue"
	"github.com/leadmesh/leadmesh/core/governance"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/routing"
	"github.com/leadmesh/leadmesh/core/scoring"
	"github.com/leadmesh/leadmesh/core/signal"
	"github.com/leadmesh/leadmesh/core/sla"
)

// Playbook is a compiled bundle. It is immutable and safe for any number of readers.
type Playbook struct {
	Revision  string // content hash of the bundle, 64 hexadecimal digits
	Name      string
	Market    string   // country of the market, ISO 3166-1 alpha-2
	Currency  string   // ISO 4217
	TimeZone  string   // IANA zone assumed where nothing else says one
	Languages []string // languages the market is served in, the first is the usual one

	Governor        *governance.Governor
	Catalogue       *catalogue.Catalogue // services, values, offers, incentives and chargers, as far as they are declared
	Scoring         *scoring.Model
	Scorecards      scoring.Definition       // what Scoring was compiled from; nobody may change it
	Models          [scoring.NumLines]string // revision of the model whose table scores the line; empty: its own
	HalfLives       signal.HalfLives
	Routing         routing.Policy // its Revision is the playbook's
	Clocks          sla.Table      // Select finds a policy for every line, stage and account
	Evidence        sla.Rules
	ObservedPercent int // share of leads with evidence from which a store is OBSERVED
	Parking         Parking
	Plays           []Play // by id
}

// Parking says who looks after parked leads.
type Parking struct {
	DataOwner, ConsentOwner, NurtureOwner string
}

// Play is what to do with a lead in the first 24-48 hours and after.
type Play struct {
	ID      string
	Title   string
	Line    lead.Line
	Segment lead.Segment // unspecified: every lead of the line
	Channel lead.Channel // the best first channel
	Steps   []PlayStep   // by hour
	Script  string       // Markdown
	Dials   []string     // what a dealer may turn
}

// PlayStep is one step of a play.
type PlayStep struct {
	Hour int // hours after the assignment
	Do   string
}

// Play returns the play for a lead of a line whose person's active segment is given: the one for
// both, else the line's own; nil when the line has none.
func (p *Playbook) Play(line lead.Line, active lead.Segment) *Play {
	var general *Play
	for i := range p.Plays {
		play := &p.Plays[i]
		switch {
		case play.Line != line:
		case play.Segment == lead.SegmentUnspecified:
			general = play
		case play.Segment == active:
			return play
		}
	}
	return general
}
