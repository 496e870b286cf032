package identity

import (
	"context"
	"slices"

	"github.com/leadmesh/leadmesh/core/lead"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/identity/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/problem"
)

// A store never sees another store's customer, nor learns of one by way of a match. It is shown a
// person told from its own records and signals alone, under an identifier that its own records were
// linked to, without the evidence, the household and the history, which speak of others.

// personForStore answers a person as one store knows it.
func (s *Service) personForStore(ctx context.Context, id lead.ID, dealer string) (*identityv1.GetPersonResponse, error) {
	var st *story
	err := s.store.Read(ctx, func(tx *postgres.Tx) (err error) {
		st, err = s.story(ctx, tx, []lead.ID{id})
		return err
	})
	if err != nil {
		return nil, err
	}
	var all []told
	for _, member := range st.members() {
		for _, t := range st.told[member] {
			if t.leftAt.IsZero() {
				all = append(all, t)
			}
		}
	}
	own, err := s.ownOf(ctx, all, dealer)
	if err != nil {
		return nil, err
	}
	var deeds []deed
	for _, member := range st.members() {
		for _, d := range st.done[member] {
			if d.signal.DealerID == dealer {
				deeds = append(deeds, d)
			}
		}
	}
	if len(own) == 0 { // whose signals a store sent, of him it has a record, unless only a vehicle named him
		return nil, problem.NotFound("person")
	}
	sortTold(own)
	as := seenAs(own)
	seen := &story{service: s, told: map[lead.ID][]told{as: own}, done: map[lead.ID][]deed{as: deeds}}
	view, err := seen.tell(as, s.deps.Now())
	if err != nil {
		return nil, err
	}
	resp, err := s.outline(view)
	if err != nil {
		return nil, err
	}
	for i := len(own) - 1; i >= 0 && len(resp.Records) < maxRecords; i-- {
		l := own[i].link()
		l.PersonId, l.DealerId, l.WeightMillibits, l.Reasons, l.Evidence = as.String(), dealer, 0, nil, nil
		l.Identifiers = slices.DeleteFunc(slices.Clone(l.Identifiers), func(id *leadv1.Identifier) bool {
			return !mayShow(s.homeSource(lead.Identifier{Kind: lead.IDKind(id.GetKind()), Source: id.GetSource()}), dealer) && id.GetSource() != ""
		})
		resp.Records = append(resp.Records, l)
	}
	resp.Crosswalk = crosswalk(own, dealer)
	resp.Consents, err = s.consentsForStore(ctx, st.root(id), view, dealer)
	return resp, err
}

// consentsForStore returns the consent that holds at the contact points a store knows, given to the
// manufacturer or to the store itself.
func (s *Service) consentsForStore(ctx context.Context, root lead.ID, view *person, dealer string) ([]*leadv1.Consent, error) {
	golden, err := view.readGolden()
	if err != nil {
		return nil, err
	}
	points, err := view.points(s.cfg.Market)
	if err != nil {
		return nil, err
	}
	var all []*leadv1.Consent
	err = s.store.Read(ctx, func(tx *postgres.Tx) error {
		p, err := personOf(ctx, tx, root)
		if err != nil {
			return err
		}
		p.facts = view.facts
		all, err = effective(ctx, tx, p, golden, s.deps.Now())
		return err
	})
	return slices.DeleteFunc(all, func(c *leadv1.Consent) bool {
		return c.GetController() != leadv1.Controller_CONTROLLER_OEM && c.GetControllerId() != dealer ||
			c.GetContactPoint() != "" && !slices.Contains(points, c.GetContactPoint())
	}), err
}

// ownOf returns the records that are a store's: those of leads that it owns, of leads that nobody
// owns yet and that name it, and of signals that it sent or whose customer numbers are its own.
func (s *Service) ownOf(ctx context.Context, records []told, dealer string) ([]told, error) {
	if dealer == "" {
		return nil, nil
	}
	var leads []lead.ID
	for i := range records {
		if !records[i].leadID.IsZero() {
			leads = append(leads, records[i].leadID)
		}
	}
	owners := map[lead.ID]string{}
	if s.deps.Owners != nil && len(leads) > 0 {
		var err error
		if owners, err = s.deps.Owners(ctx, leads); err != nil {
			return nil, problem.Unavailable(err) // whether a store may see something is never guessed
		}
	}
	var out []told
	for _, t := range records {
		if owner, ok := owners[t.leadID]; ok && owner == dealer || !ok && slices.Contains(t.dealers, dealer) {
			out = append(out, t)
		}
	}
	return out, nil
}

// seenAs is the identifier under which a store sees a person: the first that one of its own records
// was linked to.
func seenAs(own []told) lead.ID {
	first := &own[0]
	for i := range own {
		if t := &own[i]; t.linkedAt.Before(first.linkedAt) || t.linkedAt.Equal(first.linkedAt) && compareIDs(t.raw.PersonID, first.raw.PersonID) < 0 {
			first = t
		}
	}
	return first.raw.PersonID
}
