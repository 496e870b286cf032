package postgres

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/leadmesh/leadmesh/core/lead"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/internal/outbox"
	pg "github.com/leadmesh/leadmesh/services/internal/postgres"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres/db"
	"google.golang.org/protobuf/proto"
)

// Proposal is a decision that waits to be stored. Commit fills in the outcome.
type Proposal struct {
	Case      *Case  // State ASSIGNED or PARKED; Owner without grant, person and deadline yet
	Receipt   []byte // packed
	Lead      []byte // packed
	Mergeable bool
	// Chosen and Dealer say which open interest decides whether it is a duplicate.
	Dealer string

	Outcome Outcome
	Holder  lead.ID          // the lead it was merged into
	Stored  *Case            // what is stored, for OutcomeKnown
	Grant   func(*Book) bool // names the person and takes capacity; false refuses. Nil: nothing to take
	Settle  func() error     // fills the owner's clock once granted

	interest [2]interestKey
	decided  *Case // as proposed, once Case was changed to a merged one or one that was told of those
	inserted bool  // its rows were written by this transaction
	late     bool  // somebody else's were, after it had claimed its interest
}

// begin readies the proposal for a transaction, which may be the second one for it.
func (p *Proposal) begin() {
	if p.decided != nil {
		p.Case, p.decided = p.decided, nil
	}
	p.Outcome, p.Holder, p.Stored, p.inserted, p.late = OutcomeStored, lead.ID{}, nil, false, false
}

// changing makes the case one that may be changed without losing what was proposed.
func (p *Proposal) changing() *Case {
	k := *p.Case
	k.Decision = proto.CloneOf(k.Decision)
	if k.Owner != nil {
		owner := *k.Owner
		k.Owner = &owner
	}
	p.decided, p.Case = p.Case, &k
	return &k
}

// Outcome is what became of a proposal.
type Outcome uint8

// The outcomes.
const (
	OutcomeStored  Outcome = iota + 1
	OutcomeMerged          // same person, brand and line is open: stored as merged into Holder
	OutcomeKnown           // the lead was decided before; Stored is what stands
	OutcomeRefused         // the dealer has no capacity left: nothing stored, decide again
	OutcomeRetry           // the holder closed meanwhile: nothing stored, commit again
)

// GroupHooks are what the service contributes inside the transaction. The transaction may run again:
// what they collect goes into out, which is new each time.
type GroupHooks struct {
	// Merged is told of the open holder of each merged proposal, locked or of this group; it changes
	// the holder, which is saved. Called in order of holder, of those of this group after Events.
	Merged func(out *outbox.Rows, holder *Case, merged []*Proposal) error
	// Events writes what happened, once all outcomes are known.
	Events func(out *outbox.Rows) error
	// Deliver makes the push deliveries.
	Deliver func(ctx context.Context, tx pgx.Tx) error
}

// Commit stores a group of decisions in one transaction, in the order of arrival, and sets the
// outcome of each. Locks are taken in one order everywhere: open interest by key, decisions by
// lead, holders by lead, capacity by dealer and last.
func (s *Store) Commit(ctx context.Context, group []*Proposal, hooks GroupHooks) error {
	err := s.commit(ctx, group, hooks, true)
	if pg.UniqueViolation(err, "") { // another replica decided one at the same moment: COPY can not pass over it
		err = s.commit(ctx, group, hooks, false)
	}
	return edge("commit decisions", err)
}

func (s *Store) commit(ctx context.Context, group []*Proposal, hooks GroupHooks, bulk bool) error {
	return s.inTx(ctx, func(tx pgx.Tx, _ *db.Queries) error {
		pipe := pg.NewPipe(tx)
		c := commit{s: s, tx: tx, pipe: pipe, q: db.New(pipe), later: db.New(pipe.Later()), bulk: bulk, hooks: hooks}
		for _, p := range group {
			p.begin()
		}
		return c.run(ctx, group)
	})
}

type commit struct {
	s     *Store
	tx    pgx.Tx
	pipe  *pg.Pipe
	q     *db.Queries
	later *db.Queries // for what answers nothing: capacity is locked for one round trip before the commit
	bulk  bool        // many rows go in by COPY
	hooks GroupHooks
	out   outbox.Rows
	won   []db.ClaimInterestRow // interest claimed
}

func (c *commit) run(ctx context.Context, group []*Proposal) error {
	if err := c.dropKnown(ctx, group); err != nil {
		return err
	}
	if err := c.claimInterest(ctx, group); err != nil {
		return err
	}
	if err := c.tellHolders(ctx, group); err != nil {
		return err
	}
	if err := c.insertDecisions(ctx, group); err != nil {
		return err
	}
	if err := c.grant(ctx, group); err != nil {
		return err
	}
	followHolders(group)
	if err := c.undo(ctx, group); err != nil {
		return err
	}
	if c.hooks.Events != nil {
		if err := c.hooks.Events(&c.out); err != nil {
			return err
		}
	}
	if err := c.tellNewHolders(ctx, group); err != nil {
		return err
	}
	if err := c.out.Pipe(ctx, c.pipe); err != nil {
		return err
	}
	if err := c.pipe.Flush(ctx); err != nil {
		return err
	}
	if c.hooks.Deliver != nil {
		if err := c.hooks.Deliver(ctx, c.tx); err != nil {
			return err
		}
	}
	return c.readKnown(ctx, group)
}

// dropKnown finds the leads that were decided before: resends consume nothing.
func (c *commit) dropKnown(ctx context.Context, group []*Proposal) error {
	buckets, list := ids(leadIDs(group, func(*Proposal) bool { return true }))
	known, err := c.q.KnownDecisions(ctx, buckets, list)
	if err != nil {
		return err
	}
	seen := make(map[lead.ID]bool, len(group))
	for _, id := range known {
		seen[id.Bytes] = true
	}
	for _, p := range group { // the second of two equal leads in one group is known too
		if seen[p.Case.LeadID] {
			p.Outcome = OutcomeKnown
		}
		seen[p.Case.LeadID] = true
	}
	return nil
}

func (c *commit) insertDecisions(ctx context.Context, group []*Proposal) error {
	order := slices.Clone(group)
	order = slices.DeleteFunc(order, func(p *Proposal) bool { return p.Outcome != OutcomeStored && p.Outcome != OutcomeMerged })
	if len(order) == 0 {
		return nil
	}
	slices.SortFunc(order, func(a, b *Proposal) int { return bytes.Compare(a.Case.LeadID[:], b.Case.LeadID[:]) })
	decisions := make([][]byte, len(order))
	for i, p := range order {
		if p.Outcome == OutcomeMerged {
			k := p.changing()
			k.State, k.MergedInto, k.Owner = lead.StateMerged, p.Holder, nil
			k.Decision.Disposition, k.Decision.State = leadv1.Disposition_DISPOSITION_MERGED, leadv1.State_STATE_MERGED
			k.Decision.MergedInto = p.Holder.String()
		}
		var err error
		if decisions[i], err = proto.Marshal(p.Case.Decision); err != nil {
			return fmt.Errorf("encode a decision: %w", err)
		}
	}
	if c.bulk && len(order) >= pg.Bulk {
		for _, p := range order {
			p.inserted = true
		}
		return c.copyDecisions(ctx, order, decisions)
	}
	return c.insertRows(ctx, order, decisions)
}

// insertRows stores decisions one by one, but those that another replica stored at the same moment.
func (c *commit) insertRows(ctx context.Context, order []*Proposal, decisions [][]byte) error {
	var arg db.InsertDecisionsParams
	for i, p := range order {
		k := p.Case
		arg.Buckets = append(arg.Buckets, k.LeadID.Bucket())
		arg.LeadIds = append(arg.LeadIds, uuid(k.LeadID))
		arg.States = append(arg.States, int16(k.State))
		arg.PersonIds = append(arg.PersonIds, uuid(k.PersonID))
		arg.Brands = append(arg.Brands, k.Brand)
		arg.Lines = append(arg.Lines, int16(k.Line))
		arg.Tests = append(arg.Tests, k.Test)
		arg.Chosen = append(arg.Chosen, k.Chosen)
		arg.Attempts = append(arg.Attempts, int32(k.Attempt))
		arg.DealerIds = append(arg.DealerIds, k.DealerID)
		arg.MergedInto = append(arg.MergedInto, uuid(k.MergedInto))
		arg.ParkReasons = append(arg.ParkReasons, int16(k.Parking.Reason))
		arg.ParkOwners = append(arg.ParkOwners, k.Parking.Owner)
		arg.ReviewAt = append(arg.ReviewAt, stamp(k.Parking.ReviewAt))
		arg.ClosedAt = append(arg.ClosedAt, stamp(k.ClosedAt))
		arg.ReturnedFrom = append(arg.ReturnedFrom, uuid(k.ReturnedFrom))
		arg.ReceivedAt = append(arg.ReceivedAt, stamp(k.ReceivedAt))
		arg.DecidedAt = append(arg.DecidedAt, stamp(k.DecidedAt))
		arg.Playbooks = append(arg.Playbooks, k.Playbook)
		arg.Traceparents = append(arg.Traceparents, k.Traceparent)
		arg.Leads = append(arg.Leads, p.Lead)
		arg.Profiles = append(arg.Profiles, notNil(k.Profile))
		arg.Decisions = append(arg.Decisions, decisions[i])
	}
	inserted, err := c.q.InsertDecisions(ctx, arg)
	if err != nil {
		return err
	}
	made := make(map[lead.ID]bool, len(inserted))
	for _, id := range inserted {
		made[id.Bytes] = true
	}
	var receipts db.InsertReceiptsParams
	for _, p := range order {
		k := p.Case
		if p.inserted = made[k.LeadID]; !p.inserted { // another replica decided it at the same moment
			p.Outcome, p.late = OutcomeKnown, true
			continue
		}
		receipts.Buckets = append(receipts.Buckets, k.LeadID.Bucket())
		receipts.LeadIds = append(receipts.LeadIds, uuid(k.LeadID))
		receipts.Attempts = append(receipts.Attempts, int32(k.Attempt))
		receipts.Canonical = append(receipts.Canonical, p.Receipt)
	}
	return c.later.InsertReceipts(ctx, receipts)
}

// followHolders lets leads that were merged into one of the group that was refused be decided again
// with it: until then there is nothing that they could be merged into. So it is with one that another
// replica decided at the same moment: that one is told of them as any other holder.
func followHolders(group []*Proposal) {
	gone := map[lead.ID]bool{}
	for _, p := range group {
		if p.Outcome == OutcomeRefused || p.late {
			gone[p.Case.LeadID] = true
		}
	}
	for _, p := range group {
		if p.Outcome == OutcomeMerged && gone[p.Holder] {
			p.Outcome = OutcomeRetry
		}
	}
}

// undo takes back the rows of proposals that were refused, must be tried again, or were known.
func (c *commit) undo(ctx context.Context, group []*Proposal) error {
	gone := leadIDs(group, func(p *Proposal) bool {
		return p.inserted && (p.Outcome == OutcomeRefused || p.Outcome == OutcomeRetry)
	})
	if len(gone) > 0 {
		buckets, list := ids(gone)
		if err := c.q.DeleteReceipts(ctx, buckets, list); err != nil {
			return err
		}
		if err := c.q.DeleteDecisions(ctx, buckets, list); err != nil {
			return err
		}
	}
	if err := c.dropLate(ctx, group); err != nil {
		return err
	}
	// A merged lead may have got the one row of its two that was free.
	release := leadIDs(group, func(p *Proposal) bool {
		return p.Mergeable && p.interest[0].brand+p.interest[0].dealer != "" && p.Outcome != OutcomeStored && p.Outcome != OutcomeKnown ||
			p.Outcome == OutcomeMerged || p.Outcome == OutcomeRefused || p.Outcome == OutcomeRetry
	})
	if len(release) > 0 {
		_, list := ids(release)
		return c.q.ReleaseInterest(ctx, list)
	}
	return nil
}

func (c *commit) readKnown(ctx context.Context, group []*Proposal) error {
	list := leadIDs(group, func(p *Proposal) bool { return p.Outcome == OutcomeKnown })
	if len(list) == 0 {
		return nil
	}
	buckets, uuids := ids(list)
	rows, err := c.q.Cases(ctx, buckets, uuids)
	if err != nil {
		return err
	}
	stored := map[lead.ID]*Case{}
	for i := range rows {
		k, err := c.s.caseOf(&rows[i])
		if err != nil {
			return err
		}
		stored[k.LeadID] = k
	}
	for _, p := range group {
		if p.Outcome == OutcomeKnown {
			p.Stored = stored[p.Case.LeadID]
			if p.Stored == nil { // its twin in this group was refused: decide it again with it
				p.Outcome = OutcomeRetry
			}
		}
	}
	return nil
}

func leadIDs(group []*Proposal, want func(*Proposal) bool) []lead.ID {
	var out []lead.ID
	for _, p := range group {
		if want(p) {
			out = append(out, p.Case.LeadID)
		}
	}
	return out
}
