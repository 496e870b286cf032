package identity_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"github.com/leadmesh/leadmesh/services/identity"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
)

const (
	crmCustomer = leadv1.IdentifierKind_IDENTIFIER_KIND_CRM_CUSTOMER
	dmsCustomer = leadv1.IdentifierKind_IDENTIFIER_KIND_DMS_CUSTOMER
	loyalty     = leadv1.IdentifierKind_IDENTIFIER_KIND_LOYALTY
	texas       = "nv-tx-013"
	colorado    = "nv-co-001"
)

// store is a context of a store's own caller.
func (w *world) store(dealer string) context.Context {
	return rpc.WithCaller(w.t.Context(), rpc.Caller{Name: "crm-" + dealer, Roles: []rpc.Role{rpc.RoleDealer}, DealerID: dealer})
}

// at puts a store on a lead.
func at(dealer string) func(*leadv1.Lead) {
	return func(l *leadv1.Lead) { l.Dealer = &leadv1.DealerReference{DealerId: dealer} }
}

func isNotFound(err error) bool {
	return err != nil && problem.From(err).Reason == problemv1.Reason_REASON_NOT_FOUND
}

// One customer of two stores: each sees what it knows itself, and nothing by which it could learn
// that there is another.
func TestStoresSeeTheirOwnCustomersOnly(t *testing.T) {
	t.Parallel()
	owners := map[lead.ID]string{}
	w := newWorld(t, func(_ *identity.Config, d *identity.Deps) {
		d.Owners = func(_ context.Context, leads []lead.ID) (map[lead.ID]string, error) {
			out := map[lead.ID]string{}
			for _, id := range leads {
				if owner, ok := owners[id]; ok {
					out[id] = owner
				}
			}
			return out, nil
		}
	})
	tx := w.newLead(party("Carmen", "Delgadillo", "carmen@example.com", ""), at(texas), identifier(crmCustomer, "", "T-1"), identifier(loyalty, "club", "7"), says(granted, ""))
	a := w.resolve(tx)[0].PersonId
	w.advance(time.Hour)
	co := w.newLead(party("Carmen", "Delgadillo", "", shared), at(colorado), identifier(crmCustomer, colorado, "C-9"), says(granted, shared))
	b := w.resolve(co)[0].PersonId
	w.signals(&identityv1.Signal{SignalId: "visit", Kind: leadv1.SignalKind_SIGNAL_KIND_SERVICE_VISIT, OccurredAt: ago(9), Vin: vin, DealerId: colorado,
		Identifiers: []*leadv1.Identifier{{Kind: crmCustomer, Source: colorado, Value: "C-9"}}})
	if a == b {
		t.Fatal("known to be one too early")
	}
	w.merge(a, b)
	w.advance(time.Hour)
	for _, c := range []struct {
		dealer, asked, id, email, phone string
		vehicles                        int
		number, others                  string
	}{
		{texas, a, a, "carmen@example.com", "", 0, "T-1", "C-9"},
		{colorado, b, b, "", shared, 1, "C-9", "T-1"},
		{texas, b, a, "carmen@example.com", "", 0, "T-1", "C-9"}, // an identifier it was never told
	} {
		p, err := w.GetPerson(w.store(c.dealer), &identityv1.GetPersonRequest{PersonId: c.asked})
		if err != nil {
			t.Fatal(err)
		}
		if p.PersonId != c.id || len(p.Vehicles) != c.vehicles || p.Party.GetName().GetGiven() != "Carmen" {
			t.Errorf("%s sees %v", c.dealer, p)
		}
		text := p.String()
		for _, hidden := range []string{c.others, map[string]string{texas: b, colorado: a}[c.dealer], map[string]string{texas: colorado, colorado: texas}[c.dealer]} {
			if strings.Contains(text, hidden) {
				t.Errorf("%s learns of %s", c.dealer, hidden)
			}
		}
		if c.email == "" && len(p.Party.Emails) > 0 || c.phone == "" && (len(p.Party.Phones) > 0 || strings.Contains(text, shared)) {
			t.Errorf("%s sees contact points of another store's", c.dealer)
		}
		if len(p.Changes)+len(p.MergedPersonIds)+len(p.Household) > 0 || p.HouseholdId != "" {
			t.Errorf("%s sees the history", c.dealer)
		}
		for _, r := range p.Records {
			if len(r.Reasons)+len(r.Evidence) > 0 || r.WeightMillibits != 0 {
				t.Errorf("%s sees evidence: %v", c.dealer, r)
			}
		}
		found, err := w.LookupPerson(w.store(c.dealer), &identityv1.LookupPersonRequest{Kind: crmCustomer, Source: c.dealer, Value: c.number})
		if err != nil || found.PersonId != c.id || strings.Contains(found.String(), c.others) || len(found.OtherPersonIds) > 0 {
			t.Errorf("%s looks its number up: %v, %v", c.dealer, found, err)
		}
	}
	for name, req := range map[string]*identityv1.LookupPersonRequest{
		"another store's number": {Kind: crmCustomer, Source: colorado, Value: "C-9"},
		"another store's lead":   {LeadId: co.LeadId},
		"nobody's number":        {Kind: crmCustomer, Source: texas, Value: "T-2"},
	} {
		if got, err := w.LookupPerson(w.store(texas), req); !isNotFound(err) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	// Who owns a lead sees it, whoever the customer named.
	id, err := lead.ParseID(tx.LeadId)
	if err != nil {
		t.Fatal(err)
	}
	owners[id] = colorado
	if _, err := w.GetPerson(w.store(texas), &identityv1.GetPersonRequest{PersonId: a}); !isNotFound(err) {
		t.Errorf("a store sees somebody whose lead is another's: %v", err)
	}
	if p, err := w.GetPerson(w.store(colorado), &identityv1.GetPersonRequest{PersonId: b}); err != nil || len(p.Party.Emails) != 1 {
		t.Errorf("the owner does not see its lead: %v, %v", p, err)
	}
}

func TestLookup(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.newLead(party("Carmen", "Delgadillo", "carmen@example.com", ""), identifier(account, "norrvind_id", "acc-1"), identifier(dmsCustomer, "TX013", "88"))
	a := w.resolve(l)[0].PersonId
	w.advance(time.Hour)
	// A visitor who is anonymous first and becomes known.
	w.signals(&identityv1.Signal{SignalId: "1", Kind: leadv1.SignalKind_SIGNAL_KIND_PAGE_VIEW, OccurredAt: ago(2), Identifiers: []*leadv1.Identifier{{Kind: anonymous, Source: "meta", Value: "fbp.1"}}})
	visitor, err := w.LookupPerson(t.Context(), &identityv1.LookupPersonRequest{Kind: anonymous, Source: "meta", Value: "fbp.1"})
	if err != nil || visitor.PersonId == a {
		t.Fatalf("the visitor is %v, %v", visitor, err)
	}
	w.advance(time.Hour)
	w.resolve(w.newLead(party("Carmen", "Delgadillo", "carmen@example.com", ""), identifier(anonymous, "meta", "fbp.1")))
	for name, req := range map[string]*identityv1.LookupPersonRequest{
		"account":           {Kind: account, Source: "Norrvind_ID", Value: " acc-1"},
		"DMS by a code":     {Kind: dmsCustomer, Source: "TX013", Value: "88"},
		"DMS by identifier": {Kind: dmsCustomer, Source: texas, Value: "88"},
		"stitched visitor":  {Kind: anonymous, Source: "meta", Value: "fbp.1"},
		"lead":              {LeadId: l.LeadId},
	} {
		got, err := w.LookupPerson(t.Context(), req)
		if err != nil || got.PersonId != a {
			t.Errorf("%s finds %v, %v", name, got, err)
			continue
		}
		if len(got.Crosswalk) != 3 {
			t.Errorf("%s: the crosswalk is %v", name, got.Crosswalk)
		}
	}
	for field, req := range map[string]*identityv1.LookupPersonRequest{
		"kind":    {Value: "x"},
		"value":   {Kind: account},
		"source":  {Kind: dmsCustomer, Value: "88"},
		"lead_id": {LeadId: l.LeadId, Kind: account},
	} {
		if _, err := w.LookupPerson(t.Context(), req); err == nil || len(problem.From(err).Violations) != 1 || problem.From(err).Violations[0].Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := w.LookupPerson(t.Context(), &identityv1.LookupPersonRequest{Kind: leadv1.IdentifierKind_IDENTIFIER_KIND_DEAL, Value: "1"}); err == nil || isNotFound(err) {
		t.Errorf("a deal number: %v", err)
	}
	if _, err := w.LookupPerson(t.Context(), &identityv1.LookupPersonRequest{Kind: account, Value: "nobody"}); !isNotFound(err) {
		t.Errorf("an unknown account: %v", err)
	}
}

// The page shows the household, the identifiers, why records are linked, and every earlier identifier.
func TestPersonPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.resolve(w.newLead(party("Carmen", "Delgadillo", "", shared), identifier(account, "norrvind_id", "acc-1")))[0].PersonId
	w.advance(time.Hour)
	b := w.resolve(w.newLead(party("Rafael", "Delgadillo", "", shared)))[0].PersonId
	w.advance(time.Hour)
	w.resolve(w.newLead(party("Carmen", "Delgadillo", "carmen@example.com", shared)))
	p, spouse := w.person(a), w.person(b)
	if len(p.Household) != 1 || p.Household[0].PersonId != b || p.Household[0].Name.GetGiven() != "Rafael" || len(spouse.Household) != 1 || spouse.Household[0].PersonId != a {
		t.Errorf("the household is %v and %v", p.Household, spouse.Household)
	}
	if len(p.Records) != 2 || len(p.Records[0].Evidence) < 3 || p.Records[0].Party.GetEmails()[0].GetAddress() != "carmen@example.com" {
		t.Fatalf("records %v", p.Records)
	}
	sum := int32(0)
	for _, e := range p.Records[0].Evidence {
		if e.Code == "" || e.Words == "" {
			t.Errorf("evidence %v says nothing", e)
		}
		sum += e.WeightMillibits
	}
	if sum != p.Records[0].WeightMillibits {
		t.Errorf("evidence adds up to %d of %d", sum, p.Records[0].WeightMillibits)
	}
	if len(p.Crosswalk) != 1 || p.Crosswalk[0].Identifier.GetValue() != "acc-1" || p.Crosswalk[0].RecordCount != 1 {
		t.Errorf("crosswalk %v", p.Crosswalk)
	}
}
