package postgres

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres/db"
)

type interestKey struct {
	person lead.ID
	brand  string
	line   lead.Line
	dealer string
}

func (a interestKey) compare(b interestKey) int {
	return cmp.Or(bytes.Compare(a.person[:], b.person[:]), cmp.Compare(a.brand, b.brand), cmp.Compare(a.line, b.line), cmp.Compare(a.dealer, b.dealer))
}

// claimInterest finds the duplicates: whoever does not get the rows loses to their holder.
func (c *commit) claimInterest(ctx context.Context, group []*Proposal) (err error) {
	var claims []*Proposal
	for _, p := range group {
		if p.Outcome == OutcomeStored && p.Mergeable && p.Case.State == lead.StateAssigned {
			k := interestKey{p.Case.PersonID, p.Case.Brand, p.Case.Line, ""}
			p.interest[0], p.interest[1] = k, k
			p.interest[1].dealer = p.Dealer
			claims = append(claims, p)
		}
	}
	if len(claims) == 0 {
		return nil
	}
	type claim struct {
		interestKey
		p *Proposal
	}
	var rows []claim
	for _, p := range claims {
		for i, k := range p.interest {
			if i == 0 || k.dealer != "" {
				rows = append(rows, claim{k, p})
			}
		}
	}
	// Stable: of two leads in one group the one that arrived first gets the row.
	slices.SortStableFunc(rows, func(a, b claim) int { return a.compare(b.interestKey) })
	arg := db.ClaimInterestParams{}
	for _, r := range rows {
		arg.Buckets = append(arg.Buckets, r.person.Bucket())
		arg.PersonIds = append(arg.PersonIds, uuid(r.person))
		arg.Brands = append(arg.Brands, r.brand)
		arg.Lines = append(arg.Lines, int16(r.line))
		arg.DealerIds = append(arg.DealerIds, r.dealer)
		arg.LeadIds = append(arg.LeadIds, uuid(r.p.Case.LeadID))
	}
	if c.won, err = c.q.ClaimInterest(ctx, arg); err != nil {
		return err
	}
	if len(c.won) == len(rows) {
		return nil
	}
	return c.findHolders(ctx, claims)
}

// findHolders reads who holds the rows and applies the rule: a lead with a chosen store loses only
// by that store's row, a lead without one loses by either.
func (c *commit) findHolders(ctx context.Context, claims []*Proposal) error {
	var buckets []int16
	var persons []pgtype.UUID
	for _, p := range claims {
		buckets = append(buckets, p.Case.PersonID.Bucket())
		persons = append(persons, uuid(p.Case.PersonID))
	}
	held, err := c.q.InterestHolders(ctx, buckets, persons)
	if err != nil {
		return err
	}
	holders := make(map[interestKey]lead.ID, len(held))
	for _, h := range held {
		holders[interestKey{h.PersonID.Bytes, h.Brand, lead.Line(h.Line), h.DealerID}] = h.LeadID.Bytes
	}
	for _, p := range claims {
		var holder lead.ID
		if h := holders[p.interest[1]]; h != p.Case.LeadID && !h.IsZero() {
			holder = h
		} else if h := holders[p.interest[0]]; !p.Case.Chosen && h != p.Case.LeadID && !h.IsZero() {
			holder = h
		}
		if !holder.IsZero() {
			p.Outcome, p.Holder = OutcomeMerged, holder
		}
	}
	// A holder in this very group that is merged itself hands on to its own holder.
	byID := make(map[lead.ID]*Proposal, len(claims))
	for _, p := range claims {
		byID[p.Case.LeadID] = p
	}
	for _, p := range claims {
		for i := 0; p.Outcome == OutcomeMerged && i < len(claims); i++ {
			h := byID[p.Holder]
			if h == nil || h.Outcome != OutcomeMerged || h.Holder == p.Case.LeadID {
				break
			}
			p.Holder = h.Holder
		}
	}
	return nil
}

// tellHolders locks the holders that were there before and lets the service change them.
func (c *commit) tellHolders(ctx context.Context, group []*Proposal) error {
	merged := map[lead.ID][]*Proposal{}
	inGroup := map[lead.ID]bool{}
	for _, p := range group {
		if p.Outcome == OutcomeStored {
			inGroup[p.Case.LeadID] = true
		}
		if p.Outcome == OutcomeMerged {
			merged[p.Holder] = append(merged[p.Holder], p)
		}
	}
	var list []lead.ID
	for id := range merged {
		if !inGroup[id] {
			list = append(list, id)
		}
	}
	if len(list) == 0 {
		return nil
	}
	cases, err := c.s.lockCases(ctx, c.q, list)
	if err != nil {
		return err
	}
	if err := c.dropMerged(ctx, merged); err != nil {
		return err
	}
	found := map[lead.ID]bool{}
	for _, h := range cases {
		if !h.Open() {
			continue
		}
		found[h.LeadID] = true
		if len(merged[h.LeadID]) == 0 {
			continue
		}
		if err := c.hooks.Merged(&c.out, h, merged[h.LeadID]); err != nil {
			return err
		}
		if err := saveCase(ctx, c.q, h); err != nil {
			return err
		}
	}
	for id, list := range merged {
		if inGroup[id] || found[id] {
			continue
		}
		for _, p := range list {
			p.Outcome = OutcomeRetry
		}
	}
	return nil
}

// tellNewHolders tells the holders that this group stored of its leads that were merged into them, as
// if those had come later.
func (c *commit) tellNewHolders(ctx context.Context, group []*Proposal) error {
	merged := map[lead.ID][]*Proposal{}
	for _, p := range group {
		if p.Outcome == OutcomeMerged {
			merged[p.Holder] = append(merged[p.Holder], p)
		}
	}
	if len(merged) == 0 {
		return nil
	}
	for _, p := range group {
		list := merged[p.Case.LeadID]
		if p.Outcome != OutcomeStored || len(list) == 0 {
			continue
		}
		h := p.changing()
		h.owned, h.before = true, *h.Owner
		if err := c.hooks.Merged(&c.out, h, list); err != nil {
			return err
		}
		if err := saveCase(ctx, c.q, h); err != nil {
			return err
		}
	}
	return nil
}

// dropMerged finds the leads that another replica merged while this one waited for their holders:
// who merges a lead into a holder has that locked, so none can come after this look.
func (c *commit) dropMerged(ctx context.Context, merged map[lead.ID][]*Proposal) error {
	var list []lead.ID
	for _, proposals := range merged {
		list = append(list, leadIDs(proposals, func(*Proposal) bool { return true })...)
	}
	buckets, ids := ids(list)
	known, err := c.q.KnownDecisions(ctx, buckets, ids)
	if err != nil || len(known) == 0 {
		return err
	}
	for holder, proposals := range merged {
		merged[holder] = slices.DeleteFunc(proposals, func(p *Proposal) bool {
			if !slices.ContainsFunc(known, func(id pgtype.UUID) bool { return id.Bytes == p.Case.LeadID }) {
				return false
			}
			p.Outcome, p.late = OutcomeKnown, true
			return true
		})
	}
	return nil
}

// dropLate gives back the interest of leads that turned out to be decided: what they hold by that
// decision is not this transaction's to say.
func (c *commit) dropLate(ctx context.Context, group []*Proposal) error {
	late := leadIDs(group, func(p *Proposal) bool { return p.late })
	for _, w := range c.won {
		if !slices.Contains(late, w.LeadID.Bytes) {
			continue
		}
		if _, err := c.q.DropInterest(ctx, db.DropInterestParams{
			Bucket: lead.ID(w.PersonID.Bytes).Bucket(), PersonID: w.PersonID, Brand: w.Brand, Line: w.Line, DealerID: w.DealerID, LeadID: w.LeadID,
		}); err != nil {
			return err
		}
	}
	return nil
}

// OpenLead is an open lead of a person.
type OpenLead struct{ PersonID, LeadID lead.ID }

// OpenOfLine returns persons with an open lead of a line, one lead of each, from one person to another
// in the order of their buckets and then of their identifiers, and at most so many.
func (s *Store) OpenOfLine(ctx context.Context, line lead.Line, from, to lead.ID, most int32) ([]OpenLead, error) {
	rows, err := s.q.OpenOfLine(ctx, db.OpenOfLineParams{
		FromBucket: from.Bucket(), FromPerson: uuid(from), ToBucket: to.Bucket(), ToPerson: uuid(to), Line: int16(line), Most: most,
	})
	out := make([]OpenLead, len(rows))
	for i, r := range rows {
		out[i] = OpenLead{r.PersonID.Bytes, r.LeadID.Bytes}
	}
	return out, edge("find open leads of a line", err)
}
