package capture

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/leadmesh/leadmesh/core/lead"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	store "github.com/leadmesh/leadmesh/services/capture/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/internal/outbox"
	"github.com/leadmesh/leadmesh/services/internal/problem"
)

const (
	maxCommits    = 5 // tries against other replicas that store the same leads
	driverLease   = 30 * time.Second
	reusedMessage = "the idempotency key was used for another lead; send a new key for a new lead"
)

// commit stores what is new of the items and sets the outcome of each.
func (s *Service) commit(ctx context.Context, items []*intake) error {
	for range maxCommits {
		p := &plan{s: s, items: items, now: s.deps.Now()}
		if err := p.read(ctx); err != nil {
			return err
		}
		if err := p.decide(); err != nil {
			return err
		}
		err := s.store.Insert(ctx, &p.rows)
		if errors.Is(err, store.ErrConflict) {
			continue
		}
		if err == nil && len(p.rows.Events.Events) > 0 {
			s.relay.Wake()
		}
		if err == nil && len(p.rows.Updates) > 0 {
			s.wakeUpdates()
		}
		return err
	}
	return problem.Unavailable(store.ErrConflict)
}

// plan is the decision on one group: which items are new, which are held, what is written.
type plan struct {
	s     *Service
	items []*intake
	now   time.Time

	keys    map[store.Key]store.Used
	held    map[lead.ID]store.Held
	updates map[lead.ID]bool
	taken   map[lead.ID]*intake // new in this group
	rows    store.Captured
}

// read fetches everything that is held under the items' keys.
func (p *plan) read(ctx context.Context) (err error) {
	var keys []store.Key
	ids := make([]lead.ID, 0, len(p.items))
	for _, in := range p.items {
		if in.lead.IdempotencyKey != "" {
			keys = append(keys, in.key())
		}
		ids = append(ids, in.baseID)
	}
	if p.keys, p.held, err = p.s.store.FindHeld(ctx, keys, ids); err != nil {
		return err
	}
	// Only below a lead that is held with another body can there be more.
	var reused []lead.ID
	var refs []store.UpdateRef
	for _, in := range p.items {
		if h, ok := p.held[in.baseID]; ok && in.sourceID && h.Hash != in.hash {
			reused = append(reused, in.reusedID)
			refs = append(refs, store.UpdateRef{LeadID: in.baseID, UpdateID: in.updateID()})
		}
	}
	more, err := p.s.store.FindLeads(ctx, reused)
	if err != nil {
		return err
	}
	for id, h := range more {
		p.held[id] = h
	}
	p.updates, err = p.s.store.FindUpdates(ctx, refs)
	return err
}

func (in *intake) key() store.Key {
	return store.Key{Credential: in.credential, Value: in.lead.IdempotencyKey}
}

// updateID is derived from the body, so that sending an update twice changes nothing.
func (in *intake) updateID() lead.ID {
	return lead.NewID(in.hash[:], in.baseID.String(), "update")
}

// decide goes through the items in order; an item sees what those before it will have stored.
func (p *plan) decide() error {
	p.taken = make(map[lead.ID]*intake, len(p.items))
	p.rows.Leads = make([]store.Lead, 0, len(p.items))
	p.rows.Events = outbox.Rows{
		Buckets: make([]int16, 0, len(p.items)), EventIDs: make([]pgtype.UUID, 0, len(p.items)),
		RecordedAt: make([]time.Time, 0, len(p.items)), Events: make([][]byte, 0, len(p.items)),
	}
	if p.updates == nil {
		p.updates = map[lead.ID]bool{}
	}
	for _, in := range p.items {
		in.outcome, in.id, in.problem = undone, in.baseID, nil
		keyed := in.lead.IdempotencyKey != ""
		if keyed {
			if used, ok := p.keys[in.key()]; ok {
				if used.Hash != in.hash {
					in.problem = problem.New(problemv1.Reason_REASON_IDEMPOTENCY_KEY_REUSED, reusedMessage)
				} else {
					in.outcome, in.id = duplicate, used.LeadID
				}
				continue
			}
		}
		if err := p.place(in); err != nil {
			return err
		}
		if keyed {
			used := store.Used{Hash: in.hash, LeadID: in.id}
			p.keys[in.key()] = used
			p.rows.Keys = append(p.rows.Keys, store.KeyUse{Key: in.key(), Used: used, At: p.now})
		}
	}
	return nil
}

// place decides by the lead's own identifier.
func (p *plan) place(in *intake) error {
	hash, other, ok := p.under(in.baseID)
	switch {
	case !ok:
		if in.lead.Resend {
			return p.take(in, lead.FlagResendFirstSeen)
		}
		return p.take(in, "")
	case hash == in.hash || !in.sourceID, in.form.waits: // a platform's word of a lead says no more the second time
		in.outcome = duplicate
		return nil
	}
	held, err := other()
	if err != nil {
		return err
	}
	if contradicts(held, &in.lead) {
		in.id = in.reusedID
		if _, _, ok := p.under(in.id); ok {
			in.outcome = duplicate
			return nil
		}
		return p.take(in, lead.FlagSourceIDReused)
	}
	id := in.updateID()
	if p.updates[id] {
		in.outcome = duplicate
		return nil
	}
	p.updates[id], in.outcome = true, updated
	p.rows.Updates = append(p.rows.Updates, store.Update{
		UpdateRef: store.UpdateRef{LeadID: in.baseID, UpdateID: id}, At: p.now, Body: in.body, Raw: in.raw,
	})
	return p.rows.Events.Add(in.id, in.event(eventUpdated, p.now), p.now)
}

// under returns what is held, or new in this group, under an identifier.
func (p *plan) under(id lead.ID) (hash [32]byte, read func() (*lead.Lead, error), ok bool) {
	if t := p.taken[id]; t != nil {
		return t.hash, func() (*lead.Lead, error) { return &t.lead, nil }, true
	}
	h, ok := p.held[id]
	return h.Hash, func() (*lead.Lead, error) { return decode(h.Body) }, ok
}

// take stores an item as a new lead, with a doubt about its source's key if there is one.
func (p *plan) take(in *intake, flag string) error {
	if flag != "" || in.lead.ID != in.id {
		if flag != "" {
			in.lead.AddFlag(flag, "identifiers", "")
		}
		in.lead.ID = in.id
		if err := in.encode(); err != nil {
			return err
		}
	}
	in.outcome = fresh
	p.taken[in.id] = in
	row := store.Lead{
		ID: in.id, Credential: in.credential, Traceparent: in.traceparent, Revision: in.revision,
		ReceivedAt: in.receivedAt, RequestedAt: in.requestedAt(), Test: in.lead.Test, Flags: len(in.lead.Flags),
		Hash: in.hash, Body: in.body, Raw: in.raw, ContentType: in.contentType, Place: in.place,
		Code: in.code, Detail: in.detail, DueAt: p.now.Add(driverLease), LookupKeys: lookupKeys(&in.lead),
	}
	if in.revision == "" { // nobody drives it yet
		row.DueAt = p.now
	}
	events := []string{eventCaptured}
	switch in.place {
	case store.Rejected:
		events = append(events, eventRejected)
	case store.Parked:
		row.Owner, row.ReviewAt = p.s.cfg.ParkOwner, in.receivedAt.Add(reviewAfter)
		row.Kind, row.Intake = int16(in.form.kind), in.form.source
		if in.form.waits {
			row.FetchAt = p.now
		}
		events = append(events, eventParked)
	}
	if in.bare() || in.form.waits {
		row.Body = nil
	}
	p.rows.Leads = append(p.rows.Leads, row)
	for _, kind := range events {
		e := in.event(kind, in.receivedAt)
		if kind == eventParked {
			e.Facts.DueAt, e.Facts.Actor = leadconv.Time(row.ReviewAt), row.Owner
		}
		if err := p.rows.Events.Add(in.id, e, p.now); err != nil {
			return err
		}
	}
	return nil
}
