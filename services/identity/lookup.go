package identity

import (
	"cmp"
	"context"
	"slices"

	"github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/core/lead"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/identity/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
)

// maxIdentifier is the longest identifier that is looked up, in bytes.
const maxIdentifier = 500

// LookupPerson finds a person by an identifier of another system or by a lead.
func (s *Service) LookupPerson(ctx context.Context, req *identityv1.LookupPersonRequest) (*identityv1.LookupPersonResponse, error) {
	id, leadID, err := s.parseLookup(req)
	if err != nil {
		return nil, err
	}
	var found []*person
	var all []told
	err = s.store.Read(ctx, func(tx *postgres.Tx) error {
		if found, err = s.bearers(ctx, tx, id, leadID); err != nil {
			return err
		}
		if len(found) == 0 {
			return problem.NotFound("person")
		}
		all, _, err = s.toldOf(ctx, tx, found[0])
		return err
	})
	if err != nil {
		return nil, err
	}
	resp := &identityv1.LookupPersonResponse{PersonId: found[0].row.ID.String()}
	caller := rpc.CallerFrom(ctx)
	if !caller.OnlyDealer() {
		for _, p := range found[1:] {
			resp.OtherPersonIds = append(resp.OtherPersonIds, p.row.ID.String())
		}
		resp.Crosswalk = crosswalk(all, "")
		return resp, nil
	}
	// Of several bearers, the one whom the store itself named by it.
	for i, p := range found {
		if i > 0 {
			if err := s.store.Read(ctx, func(tx *postgres.Tx) error { all, _, err = s.toldOf(ctx, tx, p); return err }); err != nil {
				return nil, err
			}
		}
		own, err := s.ownOf(ctx, all, caller.DealerID)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(own, func(t told) bool {
			return !leadID.IsZero() && t.leadID == leadID || leadID.IsZero() && slices.Contains(t.record.IDs, id)
		}) {
			return &identityv1.LookupPersonResponse{PersonId: seenAs(own).String(), Crosswalk: crosswalk(own, caller.DealerID)}, nil
		}
	}
	return nil, problem.NotFound("person")
}

// parseLookup reads what to look for, an identifier in the form in which records hold it.
func (s *Service) parseLookup(req *identityv1.LookupPersonRequest) (id lead.Identifier, leadID lead.ID, err error) {
	var r reader
	if req.GetLeadId() != "" {
		leadID = r.id("lead_id", req.GetLeadId())
		if req.GetKind() != 0 || req.GetSource() != "" || req.GetValue() != "" {
			r.bad("lead_id", "stands alone: leave kind, source and value out, or leave out this")
		}
		return id, leadID, r.err()
	}
	kind := lead.IDKind(req.GetKind())
	if kind.String() == "" || !identity.NamesPerson(kind) {
		r.bad("kind", "is required, unless lead_id is given: ANONYMOUS, OEM_ACCOUNT, LOYALTY, CRM_CUSTOMER or DMS_CUSTOMER, with the prefix IDENTIFIER_KIND_")
	}
	if req.GetValue() == "" {
		r.bad("value", "is required: the identifier itself")
	}
	if len(req.GetValue()) > maxIdentifier || len(req.GetSource()) > maxIdentifier {
		r.bad("value", "value and source take at most %d bytes each", maxIdentifier)
	}
	if err := r.err(); err != nil {
		return id, leadID, err
	}
	given := s.homeSource(lead.Identifier{Kind: kind, Source: req.GetSource(), Value: req.GetValue()})
	record := identity.NewRecord(nil, []lead.Identifier{given}, "", nil, 0)
	if len(record.IDs) == 0 {
		r.bad("source", "is required for customer numbers: the store's identifier or any of its codes")
		return id, leadID, r.err()
	}
	return record.IDs[0], leadID, nil
}

// bearers returns whom a lead is from, or who bears an identifier, the oldest first. Several do when
// somebody split them apart, or when nobody knows whose it is.
func (s *Service) bearers(ctx context.Context, tx *postgres.Tx, id lead.Identifier, leadID lead.ID) ([]*person, error) {
	var ids []lead.ID
	if !leadID.IsZero() {
		known, err := tx.LeadPersons(ctx, []lead.ID{leadID})
		if err != nil {
			return nil, err
		}
		if row, ok := known[leadID]; ok {
			ids = []lead.ID{row.PersonID}
		}
	} else {
		record := identity.Record{IDs: []lead.Identifier{id}}
		keys := hashKeys(s.matcher().Keys(&record))
		held, err := tx.Holders(ctx, []postgres.Key{keys[0].hashed}, s.deps.CommonKeyCap+1)
		if err != nil {
			return nil, err
		}
		ids = held[0]
	}
	var out []*person
	for _, id := range ids {
		p, err := personOf(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(out, func(o *person) bool { return o.row.ID == p.row.ID }) {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b *person) int {
		if a.older(b) {
			return -1
		}
		return 1
	})
	return out, nil
}

// toldOf reads the latest records of a person and of everybody joined into it; ids are all of them, its
// own the last.
func (s *Service) toldOf(ctx context.Context, tx *postgres.Tx, p *person) (all []told, ids []lead.ID, err error) {
	if ids, err = tx.WithJoined(ctx, p.row.ID); err != nil {
		return nil, nil, err
	}
	records, err := tx.Records(ctx, ids, maxRecords)
	if err != nil {
		return nil, nil, err
	}
	all = make([]told, len(records))
	for i, r := range records {
		if all[i], err = s.readTold(r, p.facts.IDs); err != nil {
			return nil, nil, err
		}
	}
	return all, ids, nil
}

// crosswalk lists the identifiers that records bear, those of a person first, then by source. For a
// store, customer numbers of other stores are left out.
func crosswalk(records []told, dealer string) []*identityv1.CrosswalkEntry {
	type entry struct {
		id    lead.Identifier
		at    int64
		count int32
	}
	var list []entry
	for i := range records {
		t := &records[i]
		for _, id := range t.record.IDs {
			if !mayShow(id, dealer) {
				continue
			}
			at := slices.IndexFunc(list, func(e entry) bool { return e.id == id })
			if at < 0 {
				at = len(list)
				list = append(list, entry{id: id})
			}
			list[at].count++
			list[at].at = max(list[at].at, t.record.At)
		}
	}
	slices.SortFunc(list, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.id.Kind, b.id.Kind), cmp.Compare(a.id.Source, b.id.Source), cmp.Compare(a.id.Value, b.id.Value))
	})
	out := make([]*identityv1.CrosswalkEntry, len(list))
	for i, e := range list {
		out[i] = &identityv1.CrosswalkEntry{
			Identifier: &leadv1.Identifier{Kind: leadv1.IdentifierKind(e.id.Kind), Source: e.id.Source, Value: e.id.Value},
			LastSeenAt: second(e.at), RecordCount: e.count,
		}
	}
	return out
}

// mayShow reports whether a store may see an identifier; "" is nobody's store and sees all.
func mayShow(id lead.Identifier, dealer string) bool {
	numbered := id.Kind == lead.IDKindCRMCustomer || id.Kind == lead.IDKindDMSCustomer || id.Kind == lead.IDKindCRMLead
	return dealer == "" || !numbered || id.Source == dealer
}
