package measure

import "github.com/leadmesh/leadmesh/core/lead"

// Conservation is the network's equation (Law 1): Captured = the sum of the others. Test leads are
// outside it.
type Conservation struct {
	Captured, Pending, Rejected, Merged, Parked, Open, Won, Lost, Expired int64
}

// Add counts a lead. A state that the equation does not know counts as captured only, so that
// Holds tells.
func (c *Conservation) Add(f *LeadFact) {
	if f.Test {
		return
	}
	c.Captured++
	switch {
	case f.State == lead.StatePending:
		c.Pending++
	case f.State == lead.StateRejected:
		c.Rejected++
	case f.State == lead.StateMerged:
		c.Merged++
	case f.State == lead.StateParked:
		c.Parked++
	case f.State == lead.StateWon:
		c.Won++
	case f.State == lead.StateLost:
		c.Lost++
	case f.State == lead.StateExpired:
		c.Expired++
	case Open(f.State):
		c.Open++
	}
}

// Holds reports whether nothing leaked.
func (c *Conservation) Holds() bool {
	return c.Captured == c.Pending+c.Rejected+c.Merged+c.Parked+c.Open+c.Won+c.Lost+c.Expired
}
