package postgres

import (
	"slices"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres/db"
)

// Leave takes a case out of the change: it was read and locked, nothing about it is saved, and its
// version stays.
func (c *Change) Leave(id lead.ID) { delete(c.Cases, id) }

// Lock adds the case of another lead to the change; nil if that lead is not decided.
func (c *Change) Lock(id lead.ID) (*Case, error) {
	if k := c.Cases[id]; k != nil {
		return k, nil
	}
	list, err := c.s.lockCases(c.ctx, c.q, []lead.ID{id})
	if err != nil || len(list) == 0 {
		return nil, err
	}
	list[0].whole = true
	c.Cases[id] = list[0]
	return list[0], nil
}

// WasApplied reports whether an activity or outcome moved the lead before.
func (c *Change) WasApplied(id lead.ID, r ReportID) (bool, error) {
	early := ""
	if r.Outcome {
		early = r.ID
	}
	return c.q.WasApplied(c.ctx, db.WasAppliedParams{Bucket: id.Bucket(), LeadID: uuid(id), ID: r.key(), EarlyID: early})
}

// Book is the book of a dealer that Books locked; nil if it was not asked for.
func (c *Change) Book(dealerID string) *Book { return c.books[dealerID] }

// Reassign gives the lead of a case to another person of the same owner and moves the open work
// in the dealer's book with it, which Books must have locked.
func (c *Change) Reassign(k *Case, personID string, at time.Time) {
	a := k.Owner
	if b := c.books[a.DealerID]; b != nil {
		b.GiveBack(a.PersonID)
		b.Take(a.Role, personID, at)
	}
	a.PersonID, k.before.PersonID = personID, personID
}

// Take notes that a person got a lead that takes nothing of the store's capacity: it was handed
// over or came back.
func (b *Book) Take(role lead.Role, personID string, at time.Time) {
	if personID == "" {
		return
	}
	if b.Last == nil {
		b.Last = map[string]string{}
	}
	b.Last[role.String()] = personID
	if b.Persons == nil {
		b.Persons = map[string]PersonWork{}
	}
	w := b.Persons[personID]
	w.Open++
	w.LastTurn = at.Unix()
	b.Persons[personID] = w
}

// MoveInterest makes another dealer the one that the open interest of a lead names. Where that
// dealer holds an open lead of the same person, brand and line already, that one keeps the row.
func (c *Change) MoveInterest(k *Case, from, to string) error {
	n, err := c.q.DropInterest(c.ctx, db.DropInterestParams{
		Bucket: k.PersonID.Bucket(), PersonID: uuid(k.PersonID), Brand: k.Brand, Line: int16(k.Line), DealerID: from, LeadID: uuid(k.LeadID),
	})
	if err != nil || n == 0 || to == "" {
		return err
	}
	_, err = c.claim(k, to)
	return err
}

// ClaimInterest takes the two rows of open interest for a lead that opens, if they are free, and
// returns the open lead that it is a duplicate of by the rule of the commit; the zero ID if none.
func (c *Change) ClaimInterest(k *Case, dealerID string) (holder lead.ID, err error) {
	won, err := c.claim(k, "", dealerID)
	if err != nil || won == 2 {
		return lead.ID{}, err
	}
	rows, err := c.q.InterestOf(c.ctx, db.InterestOfParams{
		Bucket: k.PersonID.Bucket(), PersonID: uuid(k.PersonID), Brand: k.Brand, Line: int16(k.Line),
	})
	if err != nil {
		return lead.ID{}, err
	}
	var anywhere, same lead.ID
	for _, row := range rows {
		switch row.DealerID {
		case "":
			anywhere = row.LeadID.Bytes
		case dealerID:
			same = row.LeadID.Bytes
		}
	}
	switch {
	case same != k.LeadID && !same.IsZero():
		return same, nil
	case !k.Chosen && anywhere != k.LeadID && !anywhere.IsZero():
		return anywhere, nil
	}
	return lead.ID{}, nil
}

// ReleaseInterest gives back what ClaimInterest took.
func (c *Change) ReleaseInterest(id lead.ID) error { return c.q.ReleaseInterest(c.ctx, uuids(id)) }

func (c *Change) claim(k *Case, dealers ...string) (won int, err error) {
	arg := db.ClaimInterestParams{}
	slices.Sort(dealers)
	for _, d := range dealers {
		arg.Buckets = append(arg.Buckets, k.PersonID.Bucket())
		arg.PersonIds = append(arg.PersonIds, uuid(k.PersonID))
		arg.Brands = append(arg.Brands, k.Brand)
		arg.Lines = append(arg.Lines, int16(k.Line))
		arg.DealerIds = append(arg.DealerIds, d)
		arg.LeadIds = append(arg.LeadIds, uuid(k.LeadID))
	}
	rows, err := c.q.ClaimInterest(c.ctx, arg)
	return len(rows), err
}
