package postgres

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/leadmesh/leadmesh/core/lead"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/internal/outbox"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres/db"
	"google.golang.org/protobuf/proto"
)

// Proposal is a decision that waits to be stored. Commit fills in the outcome.
type Proposal struct {
	Case      *Case // State ASSIGNED or PARKED; Owner without grant, person and deadline yet
	Canonical []byte
	Mergeable bool
	// Chosen and Dealer say which open interest decides whether it is a duplicate.
	Dealer string

	Outcome Outcome
	Holder  lead.ID          // the lead it was merged into
	Stored  *Case            // what is stored, for OutcomeKnown
	Grant   func(*Book) bool // names the person and takes capacity; false refuses. Nil: nothing to take
	Settle  func() error     // fills the owner's clock once granted

	interest [2]interestKey
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

// GroupHooks are what the service contributes inside the transaction.
type GroupHooks struct {
	// Merged is told of the open holder of each merged proposal, locked; it changes the holder,
	// which is saved. Called in order of holder.
	Merged func(holder *Case, merged []*Proposal) error
	// Events writes what happened, once all outcomes are known.
	Events func(out *outbox.Rows) error
	// Deliver makes the push deliveries.
	Deliver func(ctx context.Context, tx pgx.Tx) error
}

type interestKey struct {
	person lead.ID
	brand  string
	line   lead.Line
	dealer string
}

func (a interestKey) compare(b interestKey) int {
	return cmp.Or(bytes.Compare(a.person[:], b.person[:]), cmp.Compare(a.brand, b.brand), cmp.Compare(a.line, b.line), cmp.Compare(a.dealer, b.dealer))
}

// Commit stores a group of decisions in one transaction, in the order of arrival, and sets the
// outcome of each. Locks are taken in one order everywhere: open interest by key, decisions by
// lead, holders by lead, capacity by dealer and last.
func (s *Store) Commit(ctx context.Context, group []*Proposal, hooks GroupHooks) error {
	err := s.inTx(ctx, func(tx pgx.Tx, q *db.Queries) error {
		c := commit{tx: tx, q: q, hooks: hooks}
		for _, p := range group {
			p.Outcome, p.Holder, p.Stored = OutcomeStored, lead.ID{}, nil
		}
		return c.run(ctx, group)
	})
	return edge("commit decisions", err)
}

type commit struct {
	tx    pgx.Tx
	q     *db.Queries
	hooks GroupHooks
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
	if err := c.undo(ctx, group); err != nil {
		return err
	}
	var out outbox.Rows
	if c.hooks.Events != nil {
		if err := c.hooks.Events(&out); err != nil {
			return err
		}
	}
	if err := out.Insert(ctx, c.tx); err != nil {
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

// claimInterest finds the duplicates: whoever does not get the rows loses to their holder.
func (c *commit) claimInterest(ctx context.Context, group []*Proposal) error {
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
	won, err := c.q.ClaimInterest(ctx, arg)
	if err != nil {
		return err
	}
	if len(won) == len(rows) {
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
	cases, err := lockCases(ctx, c.q, list)
	if err != nil {
		return err
	}
	found := map[lead.ID]bool{}
	for _, h := range cases {
		if !h.Open() {
			continue
		}
		found[h.LeadID] = true
		if err := c.hooks.Merged(h, merged[h.LeadID]); err != nil {
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

func (c *commit) insertDecisions(ctx context.Context, group []*Proposal) error {
	order := slices.Clone(group)
	order = slices.DeleteFunc(order, func(p *Proposal) bool { return p.Outcome != OutcomeStored && p.Outcome != OutcomeMerged })
	if len(order) == 0 {
		return nil
	}
	slices.SortFunc(order, func(a, b *Proposal) int { return bytes.Compare(a.Case.LeadID[:], b.Case.LeadID[:]) })
	var arg db.InsertDecisionsParams
	var receipts db.InsertReceiptsParams
	for _, p := range order {
		k := p.Case
		if p.Outcome == OutcomeMerged {
			k.State, k.MergedInto, k.Owner = lead.StateMerged, p.Holder, nil
			k.Decision.Disposition, k.Decision.State = leadv1.Disposition_DISPOSITION_MERGED, leadv1.State_STATE_MERGED
			k.Decision.MergedInto = p.Holder.String()
		}
		raw, err := proto.Marshal(k.Decision)
		if err != nil {
			return fmt.Errorf("encode a decision: %w", err)
		}
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
		arg.Leads = append(arg.Leads, k.Lead)
		arg.Profiles = append(arg.Profiles, append([]byte{}, k.Profile...)) // nothing known is no NULL
		arg.Decisions = append(arg.Decisions, raw)
		receipts.Buckets = append(receipts.Buckets, k.LeadID.Bucket())
		receipts.LeadIds = append(receipts.LeadIds, uuid(k.LeadID))
		receipts.Attempts = append(receipts.Attempts, int32(k.Attempt))
		receipts.Canonical = append(receipts.Canonical, p.Canonical)
	}
	inserted, err := c.q.InsertDecisions(ctx, arg)
	if err != nil {
		return err
	}
	if len(inserted) < len(order) { // another replica decided some of them at the same moment
		made := make(map[lead.ID]bool, len(inserted))
		for _, id := range inserted {
			made[id.Bytes] = true
		}
		for _, p := range order {
			if !made[p.Case.LeadID] {
				p.Outcome = OutcomeKnown
			}
		}
	}
	return c.q.InsertReceipts(ctx, receipts)
}

// grant locks what the dealers took so far and hands out capacity and turns in order of arrival.
func (c *commit) grant(ctx context.Context, group []*Proposal) error {
	var dealers []string
	for _, p := range group {
		if p.Outcome == OutcomeStored && p.Grant != nil {
			dealers = append(dealers, p.Case.Owner.DealerID)
		}
	}
	slices.Sort(dealers)
	dealers = slices.Compact(dealers)
	books, err := lockBooks(ctx, c.q, dealers)
	if err != nil {
		return err
	}
	var arg db.InsertAssignmentsParams
	for _, p := range group {
		if p.Outcome != OutcomeStored || p.Case.Owner == nil {
			continue
		}
		if p.Grant != nil && !p.Grant(books[p.Case.Owner.DealerID]) {
			p.Outcome = OutcomeRefused
			continue
		}
		if err := p.Settle(); err != nil {
			return err
		}
		if err := appendAssignment(&arg, p.Case); err != nil {
			return err
		}
	}
	if err := saveBooks(ctx, c.q, books); err != nil {
		return err
	}
	if len(arg.Buckets) == 0 {
		return nil
	}
	return c.q.InsertAssignments(ctx, arg)
}

// undo takes back the rows of proposals that were refused, must be tried again, or were known.
func (c *commit) undo(ctx context.Context, group []*Proposal) error {
	gone := leadIDs(group, func(p *Proposal) bool { return p.Outcome == OutcomeRefused })
	if len(gone) > 0 {
		buckets, list := ids(gone)
		if err := c.q.DeleteReceipts(ctx, buckets, list); err != nil {
			return err
		}
		if err := c.q.DeleteDecisions(ctx, buckets, list); err != nil {
			return err
		}
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
		k, err := caseOf(&rows[i])
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

// lockBooks locks the books of dealers, which must be sorted, and makes those that are missing.
func lockBooks(ctx context.Context, q *db.Queries, dealers []string) (map[string]*Book, error) {
	books := make(map[string]*Book, len(dealers))
	if len(dealers) == 0 {
		return books, nil
	}
	for try := 0; ; try++ {
		rows, err := q.LockCapacity(ctx, dealers)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			b := &Book{}
			if err := json.Unmarshal(row.Book, b); err != nil {
				return nil, fmt.Errorf("decode the book of a dealer: %w", err)
			}
			books[row.DealerID] = b
		}
		if len(rows) == len(dealers) || try > 0 {
			return books, nil
		}
		if err := q.EnsureCapacity(ctx, dealers); err != nil {
			return nil, err
		}
	}
}

func saveBooks(ctx context.Context, q *db.Queries, books map[string]*Book) error {
	if len(books) == 0 {
		return nil
	}
	var names []string
	var raws [][]byte
	for id := range books {
		names = append(names, id)
	}
	slices.Sort(names)
	for _, id := range names {
		raw, err := json.Marshal(books[id])
		if err != nil {
			return fmt.Errorf("encode the book of a dealer: %w", err)
		}
		raws = append(raws, raw)
	}
	return q.SetCapacity(ctx, names, raws)
}

func appendAssignment(arg *db.InsertAssignmentsParams, k *Case) error {
	a := k.Owner
	facts, err := json.Marshal(&a.Grant)
	if err != nil {
		return fmt.Errorf("encode the grant's facts: %w", err)
	}
	arg.Buckets = append(arg.Buckets, k.LeadID.Bucket())
	arg.LeadIds = append(arg.LeadIds, uuid(k.LeadID))
	arg.Sequences = append(arg.Sequences, int32(a.Sequence))
	arg.Attempts = append(arg.Attempts, int32(a.Attempt))
	arg.DealerIds = append(arg.DealerIds, a.DealerID)
	arg.Departments = append(arg.Departments, int16(a.Department))
	arg.Roles = append(arg.Roles, int16(a.Role))
	arg.PersonIds = append(arg.PersonIds, a.PersonID)
	arg.AssignedAt = append(arg.AssignedAt, stamp(a.AssignedAt))
	arg.DeliveredAt = append(arg.DeliveredAt, stamp(a.DeliveredAt))
	arg.NextDeadlines = append(arg.NextDeadlines, stamp(a.Deadline.At))
	arg.DeadlineKinds = append(arg.DeadlineKinds, int16(a.Deadline.Kind))
	arg.Clocks = append(arg.Clocks, marshalClock(a))
	arg.GrantFacts = append(arg.GrantFacts, facts)
	return nil
}
