package routing

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/leadmesh/leadmesh/core/lead"
)

// ErrGrant is returned for grant facts that do not lead to the grant they state.
var ErrGrant = errors.New("grant facts do not lead to the grant")

// Turn is what naming a person inside a store needs to know.
type Turn struct {
	At          int64 // Unix seconds
	WeekMinute  int16 // the same time in the store's zone: minutes since Monday 00:00
	Role        lead.Role
	Skills      []string // language and program codes the lead asks for
	Salesperson string   // the customer's own; "" for none
	Last        string   // who got the store's previous lead of this role; "" for nobody
}

// Standing is what is known of one person's work.
type Standing struct {
	Person   string
	LastTurn int64 // Unix seconds of the person's latest lead; 0 for never
	Open     int32 // open leads
}

// GrantFacts are the facts of an assignment row: the capacity it was granted from and who could
// have got it. Check decides again from them alone.
type GrantFacts struct {
	Capacity Capacity `json:",omitzero"` // as it was before
	Ask      Ask      `json:",omitzero"` // Row is not read
	Verdict  Verdict  `json:",omitzero"`

	Role        lead.Role     `json:",omitzero"`
	Salesperson string        `json:",omitzero"`
	Last        string        `json:",omitzero"`
	Persons     []PersonFacts `json:",omitzero"` // by person id
	Person      string        `json:",omitzero"` // who got it; "" when the roster has nobody for the role
}

// PersonFacts is what counted for one person of the role.
type PersonFacts struct {
	Person        string `json:",omitzero"`
	Absent        bool   `json:",omitzero"`
	OnShift       bool   `json:",omitzero"`
	MissingSkills int32  `json:",omitzero"`
	Open          int32  `json:",omitzero"`
	LastTurn      int64  `json:",omitzero"`
}

// Rotate names the person for a lead and returns the facts that it went by. The roster is that
// of the store or BDC desk; persons who are inactive or have another role do not count.
//
// The customer's own salesperson comes first, unless absent, or off shift while others are on.
// Then the turn goes round among those present: the fewest skills missing, then the least open
// work, then the longest wait, then the id. Nobody gets two leads in a row unless alone; the
// customer's own salesperson may. While nobody is on shift, shifts do not count: the lead is for
// when the store opens.
func Rotate(roster []Person, standing []Standing, t Turn) (GrantFacts, error) {
	g := GrantFacts{Role: t.Role, Salesperson: t.Salesperson, Last: t.Last}
	for i := range roster {
		p := &roster[i]
		if !p.Active || !slices.Contains(p.Roles, t.Role) {
			continue
		}
		shifts, err := ParseShifts(p.Shifts)
		if err != nil {
			return GrantFacts{}, fmt.Errorf("shifts of a person: %w", err)
		}
		x := PersonFacts{Person: p.ID, OnShift: onShift(shifts, t.WeekMinute),
			Absent: slices.ContainsFunc(p.Absences, func(s Span) bool { return s.Holds(t.At) })}
		for _, s := range t.Skills {
			if !slices.Contains(p.Skills, s) {
				x.MissingSkills++
			}
		}
		for _, s := range standing {
			if s.Person == p.ID {
				x.Open, x.LastTurn = s.Open, s.LastTurn
			}
		}
		g.Persons = append(g.Persons, x)
	}
	slices.SortFunc(g.Persons, func(a, b PersonFacts) int { return cmp.Compare(a.Person, b.Person) })
	g.Person = g.turn()
	return g, nil
}

// turn names the person from the facts alone.
func (g *GrantFacts) turn() string {
	shift := slices.ContainsFunc(g.Persons, func(p PersonFacts) bool { return !p.Absent && p.OnShift })
	present := func(p *PersonFacts) bool { return !p.Absent && (p.OnShift || !shift) }
	count, best := 0, -1
	for i := range g.Persons {
		if present(&g.Persons[i]) {
			count++
			if g.Salesperson != "" && g.Persons[i].Person == g.Salesperson {
				return g.Salesperson
			}
		}
	}
	for i := range g.Persons {
		p := &g.Persons[i]
		if !present(p) || count > 1 && p.Person == g.Last {
			continue
		}
		if best < 0 || p.compare(&g.Persons[best]) < 0 {
			best = i
		}
	}
	if best < 0 {
		return ""
	}
	return g.Persons[best].Person
}

func (p *PersonFacts) compare(q *PersonFacts) int {
	return cmp.Or(cmp.Compare(p.MissingSkills, q.MissingSkills), cmp.Compare(p.Open, q.Open),
		cmp.Compare(p.LastTurn, q.LastTurn), cmp.Compare(p.Person, q.Person))
}

// Check decides the grant and the person again from the facts; ErrGrant when either differs.
func (g *GrantFacts) Check() error {
	if v := g.Capacity.verdict(g.Ask); v != g.Verdict {
		return fmt.Errorf("%w: the verdict is %s", ErrGrant, v)
	}
	if !slices.IsSortedFunc(g.Persons, func(a, b PersonFacts) int { return cmp.Compare(a.Person, b.Person) }) {
		return fmt.Errorf("%w: persons are out of order", ErrGrant)
	}
	if g.turn() != g.Person {
		return fmt.Errorf("%w: the turn is another person's", ErrGrant)
	}
	return nil
}
