package routing

import (
	"github.com/leadmesh/leadmesh/core/routing"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
)

// grant takes capacity for a lead and names the person, with the dealer's book locked. What it
// knew is kept on the assignment, and replay checks it.
func (c *committer) grant(rb *rulebook, j *job, b *postgres.Book) bool {
	v, owner := j.verdict, j.proposal.Case.Owner
	d := rb.network.dealers[owner.DealerID]
	if d == nil || b == nil {
		return true
	}
	b.Turn(d.zone, v.decidedAt)
	unit, department := rb.unit(owner)
	free := routing.Capacity{}
	if department.Capped {
		free = routing.Capacity{Declared: true, Free: int64(department.CapPerDay) - b.Granted[owner.Department.String()]}
	}
	ask := routing.Ask{Refusable: v.choice.Receipt.MayBeRefused()}
	before := free
	ledger := []routing.Capacity{free}
	answer := routing.Grant(ledger, []routing.Ask{ask}, nil)[0]
	if before.Declared {
		rb.live.SetFree(unit, int32(ledger[0].Free))
	}
	if answer == routing.VerdictRefused {
		return false
	}
	facts, err := c.person(rb, j, d, b)
	if err != nil {
		facts = routing.GrantFacts{Role: owner.Role}
	}
	facts.Capacity, facts.Ask, facts.Verdict = before, ask, answer
	owner.Grant, owner.PersonID = facts, facts.Person
	b.Grant(owner, v.decidedAt)
	return true
}

// unit is the department of an owner in the compiled network; of a desk, number -1 and no cap.
func (rb *rulebook) unit(a *postgres.Assignment) (int, routing.Unit) {
	n, ok := rb.stores.UnitOf(a.DealerID, a.Department)
	if !ok {
		return -1, routing.Unit{}
	}
	return n, rb.stores.Unit(n)
}

// person names who inside the store, where the store lets us.
func (c *committer) person(rb *rulebook, j *job, d *dealerView, b *postgres.Book) (routing.GrantFacts, error) {
	v, owner := j.verdict, j.proposal.Case.Owner
	_, department := rb.unit(owner)
	roster := d.roster
	switch {
	case d.desk, department.PersonSetting == routing.PersonSettingLeadmesh:
	case department.PersonSetting == routing.PersonSettingGroupBDC:
		desk := rb.network.dealers[department.BDC]
		if desk == nil {
			return routing.GrantFacts{Role: owner.Role}, nil
		}
		roster = desk.roster
	default: // its own system names the person
		return routing.GrantFacts{Role: owner.Role}, nil
	}
	turn := routing.Turn{
		At: v.decidedAt.Unix(), WeekMinute: weekMinute(v.decidedAt, d.zone), Role: owner.Role, Last: b.Last[owner.Role.String()],
	}
	if j.inquiry.profile.Selling.ID == owner.DealerID {
		turn.Salesperson = j.inquiry.profile.Salesperson.ID
	}
	if p := j.inquiry.lead.Primary(); p != nil {
		if language := primarySubtag(p.Language); language != "" {
			turn.Skills = append(turn.Skills, language)
		}
	}
	for _, p := range v.choice.Receipt.Programs {
		turn.Skills = append(turn.Skills, p.Code)
	}
	standing := make([]routing.Standing, 0, len(b.Persons))
	for id, w := range b.Persons {
		standing = append(standing, routing.Standing{Person: id, LastTurn: w.LastTurn, Open: w.Open})
	}
	return routing.Rotate(roster, standing, turn)
}
