package identity_test

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/core/signal"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"google.golang.org/protobuf/testing/protocmp"
)

const (
	sourceLead = leadv1.IdentifierKind_IDENTIFIER_KIND_SOURCE_LEAD
	account    = leadv1.IdentifierKind_IDENTIFIER_KIND_OEM_ACCOUNT
	anonymous  = leadv1.IdentifierKind_IDENTIFIER_KIND_ANONYMOUS
)

func TestSamePersonByEmail(t *testing.T) {
	w := newWorld(t)
	first := w.resolve(w.newLead(party("Carmen", "Delgadillo", "carmen@example.com", "+15125550163")))[0]
	w.advance(time.Hour)
	second := w.resolve(w.newLead(party("Carmen", "Delgadillo", "Carmen+norrvind@example.com", "")))[0]
	if !first.Created || second.Created {
		t.Errorf("created is %v, %v", first.Created, second.Created)
	}
	if first.PersonId != second.PersonId {
		t.Error("one e-mail address made two persons")
	}
	if len(second.Reasons) < 3 || !slices.IsSortedFunc(second.Reasons, func(a, b string) int { return cmp.Compare(bits(t, b), bits(t, a)) }) {
		t.Errorf("the strongest reason does not come first: %q", second.Reasons)
	}
	if !slices.ContainsFunc(second.Reasons, func(r string) bool { return strings.HasPrefix(r, "EMAIL") }) {
		t.Errorf("the e-mail address is no reason: %q", second.Reasons)
	}
	p, err := signal.Unmarshal(second.Profile)
	if err != nil {
		t.Fatal(err)
	}
	if n := p.InquiriesWithin(start.Add(time.Hour).Unix(), 86400); n != 1 {
		t.Errorf("%d inquiries before the second one, want 1", n)
	}
	got := w.person(first.PersonId)
	if len(got.Records) != 2 || len(got.Party.Emails) != 1 || len(got.Party.Phones) != 1 {
		t.Errorf("%d records, party %v", len(got.Records), got.Party)
	}
}

// bits reads the weight off a reason.
func bits(t *testing.T, reason string) float64 {
	t.Helper()
	m := regexp.MustCompile(`\((-?[0-9.]+) bits\)`).FindStringSubmatch(reason)
	if m == nil {
		return 0
	}
	n, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestSpousesWithOnePhoneStayTwoPersonsOfOneHousehold(t *testing.T) {
	w := newWorld(t)
	answers := w.resolve(
		w.newLead(party("Carmen", "Delgadillo", "", "+15125550163")),
		w.newLead(party("Rafael", "Delgadillo", "", "+15125550163")),
	)
	if answers[0].PersonId == answers[1].PersonId {
		t.Fatal("spouses became one person")
	}
	if answers[0].HouseholdId != answers[1].HouseholdId {
		t.Error("spouses with one phone number are not one household")
	}
	again := w.resolve(w.newLead(party("Rafael", "Delgadillo", "rafael@example.com", "+15125550163")))[0]
	if again.PersonId != answers[1].PersonId {
		t.Error("the second spouse was not found by name and phone")
	}
}

func TestInBatchDuplicatesAreOnePerson(t *testing.T) {
	w := newWorld(t)
	var leads []*leadv1.Lead
	for i := range 100 {
		n := i % 10
		leads = append(leads, w.newLead(party("Given", fmt.Sprintf("Family%c", 'a'+n), fmt.Sprintf("p%d@example.com", n), "")))
	}
	persons := map[string]bool{}
	for i, r := range w.resolve(leads...) {
		persons[r.PersonId] = true
		if r.Created != (i < 10) {
			t.Errorf("lead %d: created is %v", i, r.Created)
		}
	}
	if len(persons) != 10 || w.rows("person") != 10 {
		t.Errorf("%d persons answered, %d stored, want 10", len(persons), w.rows("person"))
	}
}

func TestConcurrentResolversMakeOnePerson(t *testing.T) {
	w := newWorld(t)
	replicas := []*struct {
		resolve func(context.Context, *identityv1.BatchResolveRequest) (*identityv1.BatchResolveResponse, error)
	}{{w.BatchResolve}, {w.replica(w.db.Pool("identity")).BatchResolve}}
	const rounds, callers = 8, 6
	for round := range rounds {
		leads := make([]*leadv1.Lead, callers)
		for i := range leads {
			// Every caller knows another half of the contact points.
			p := party("Ada", "Byron", fmt.Sprintf("ada%d@example.com", round), "")
			if i%2 == 1 {
				p.Phones = []*leadv1.Phone{{E164: fmt.Sprintf("+1512555%04d", round), Valid: true}}
			}
			leads[i] = w.newLead(p)
		}
		answers := make([]string, callers)
		var group sync.WaitGroup
		for i := range callers {
			group.Go(func() {
				resp, err := replicas[i%2].resolve(t.Context(), &identityv1.BatchResolveRequest{Leads: leads[i : i+1]})
				if err != nil {
					t.Error(err)
					return
				}
				answers[i] = resp.Resolutions[0].PersonId
			})
		}
		group.Wait()
		for _, id := range answers {
			if id != answers[0] {
				t.Fatalf("round %d: persons %v", round, answers)
			}
		}
	}
	if got := w.rows("person"); got != rounds {
		t.Errorf("%d persons stored, want %d", got, rounds)
	}
}

func TestResolvingAgainAnswersTheSame(t *testing.T) {
	w := newWorld(t)
	l := w.newLead(party("Carmen", "Delgadillo", "carmen@example.com", ""), identifier(sourceLead, "meta", "4711"), func(l *leadv1.Lead) {
		l.Consents = []*leadv1.Consent{{
			Controller: leadv1.Controller_CONTROLLER_OEM, Purpose: leadv1.Purpose_PURPOSE_MARKETING,
			Channel: leadv1.Channel_CHANNEL_EMAIL, State: leadv1.ConsentState_CONSENT_STATE_GRANTED,
		}}
	})
	first := w.resolve(l)[0]
	before := map[string]int{}
	tables := []string{"person", "record", "match_key", "lead_person", "consent"}
	for _, table := range tables {
		before[table] = w.rows(table)
	}
	for range 2 {
		w.advance(time.Minute)
		if diff := gocmp.Diff(first, w.resolve(l)[0], protocmp.Transform()); diff != "" {
			t.Errorf("second answer (-first +second):\n%s", diff)
		}
	}
	twice := w.resolve(l, l)
	if diff := gocmp.Diff(twice[0], twice[1], protocmp.Transform()); diff != "" {
		t.Errorf("in one batch (-first +second):\n%s", diff)
	}
	for _, table := range tables {
		if n := w.rows(table); n != before[table] {
			t.Errorf("%s has %d rows, had %d", table, n, before[table])
		}
	}
}
