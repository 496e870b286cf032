package postgres

import (
	"time"
)

// PersonWork is one person's open leads and latest turn.
type PersonWork struct {
	Open     int32 `json:"open,omitempty"`
	LastTurn int64 `json:"last_turn,omitempty"`
}

// Book is what a dealer took on one day in its zone, and whose turn it is.
type Book struct {
	Day     string                `json:"day,omitempty"`
	Granted map[string]int64      `json:"granted,omitempty"` // by department
	Last    map[string]string     `json:"last,omitempty"`    // person, by role
	Persons map[string]PersonWork `json:"persons,omitempty"`
}

// Turn opens the page of the day at which t falls in the dealer's zone: what was granted on
// another day does not count.
func (b *Book) Turn(zone *time.Location, t time.Time) {
	if day := t.In(zone).Format(time.DateOnly); day != b.Day {
		b.Day, b.Granted = day, nil
	}
}

// Grant notes that an owner took a lead.
func (b *Book) Grant(a *Assignment, at time.Time) {
	if b.Granted == nil {
		b.Granted = map[string]int64{}
	}
	b.Granted[a.Department.String()]++
	if a.PersonID == "" {
		return
	}
	if b.Last == nil {
		b.Last = map[string]string{}
	}
	b.Last[a.Role.String()] = a.PersonID
	if b.Persons == nil {
		b.Persons = map[string]PersonWork{}
	}
	w := b.Persons[a.PersonID]
	w.Open++
	w.LastTurn = at.Unix()
	b.Persons[a.PersonID] = w
}

// GiveBack notes that a person's lead is no longer open.
func (b *Book) GiveBack(personID string) {
	if w, ok := b.Persons[personID]; ok && w.Open > 0 {
		w.Open--
		b.Persons[personID] = w
	}
}
