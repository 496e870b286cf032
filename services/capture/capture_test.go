package capture_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/leadmesh/leadmesh/core/lead"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/capture"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"github.com/leadmesh/leadmesh/services/internal/stream"
)

const (
	adaJSON  = `{"request_type":"QUOTE","source":{"source":"oem_site"},"parties":[{"name":{"full":"Ada Byron"},"emails":[{"address":"ada@byron.example.com"}]}]}`
	carlJSON = `{"request_type":"QUOTE","source":{"source":"oem_site"},"parties":[{"name":{"full":"Carl Gauss"},"emails":[{"address":"carl@gauss.example.com"}]}]}`
)

// What the house gives to Capture fits its seams.
var _ = capture.Deps{
	Identity: identityv1.ResolveServiceClient(nil), Decide: (*stream.Client)(nil), Cases: routingv1.CaseServiceClient(nil),
	Events: feedbackv1.EventServiceClient(nil), Persons: identityv1.ResolveServiceClient(nil),
}

func TestLeadIsDurableDecidedAndAnswered(t *testing.T) {
	w := newWorld(t, capture.Config{})
	r := w.mustPost(adaJSON, "k1")
	if diff := cmp.Diff("STATE_ASSIGNED D1", r.GetState().String()+" "+r.GetDecision().GetAssignment().GetDealerId()); diff != "" {
		t.Errorf("answer (-want +got):\n%s\n%v", diff, r)
	}
	if diff := cmp.Diff(places{Leads: 1, Decided: 1}, w.places()); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
}

func TestIdempotency(t *testing.T) {
	type call struct{ body, key string }
	withID := func(id, mail, extra string) string {
		return fmt.Sprintf(`{"identifiers":[{"kind":"SOURCE_LEAD","source":"portal","value":%q}],"parties":[{"name":"Ada Byron","emails":[%q]}]%s}`, id, mail, extra)
	}
	for name, c := range map[string]struct {
		first, second call
		same          bool // the second answer is about the first lead
		duplicate     bool
		reason        problemv1.Reason
		leads         int
		updates       int
		flag          string
	}{
		"same key, same body":              {first: call{adaJSON, "k"}, second: call{adaJSON, "k"}, same: true, duplicate: true, leads: 1},
		"same key, body written otherwise": {first: call{adaJSON, "k"}, second: call{strings.ReplaceAll(adaJSON, ":", " : "), "k"}, same: true, duplicate: true, leads: 1},
		"same key, other body":             {first: call{adaJSON, "k"}, second: call{carlJSON, "k"}, reason: problemv1.Reason_REASON_IDEMPOTENCY_KEY_REUSED, leads: 1},
		"other key, same body":             {first: call{adaJSON, "k"}, second: call{adaJSON, "l"}, leads: 2},
		"no key, same body, same day":      {first: call{adaJSON, ""}, second: call{adaJSON, ""}, same: true, duplicate: true, leads: 1},
		"no key, other body":               {first: call{adaJSON, ""}, second: call{carlJSON, ""}, leads: 2},
		"same source id, same body":        {first: call{withID("7", "a@byron.example.com", ""), ""}, second: call{withID("7", "a@byron.example.com", ""), "k"}, same: true, duplicate: true, leads: 1},
		"same source id, new fields":       {first: call{withID("7", "a@byron.example.com", ""), ""}, second: call{withID("7", "a@byron.example.com", `,"comments":"and a trailer hook"`), ""}, same: true, duplicate: true, leads: 1, updates: 1},
		"same source id, other person":     {first: call{withID("7", "a@byron.example.com", ""), ""}, second: call{withID("7", "carl@gauss.example.com", ""), ""}, leads: 2, flag: lead.FlagSourceIDReused},
		"other source id, same person":     {first: call{withID("7", "a@byron.example.com", ""), ""}, second: call{withID("8", "a@byron.example.com", ""), ""}, leads: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, capture.Config{})
			one, two := w.mustPost(c.first.body, c.first.key), w.mustPost(c.second.body, c.second.key)
			if one.GetProblem() != nil || one.GetState() != leadv1.State_STATE_ASSIGNED {
				t.Fatalf("first: %v", one)
			}
			if got := two.GetProblem().GetReason(); got != c.reason {
				t.Errorf("reason = %v, want %v", got, c.reason)
			}
			if c.reason == 0 && (two.GetLeadId() == one.GetLeadId()) != c.same {
				t.Errorf("same lead = %v, want %v", !c.same, c.same)
			}
			if two.GetDuplicateRequest() != c.duplicate {
				t.Errorf("duplicate = %v, want %v", two.GetDuplicateRequest(), c.duplicate)
			}
			if c.reason == 0 && two.GetState() != leadv1.State_STATE_ASSIGNED {
				t.Errorf("second state = %v, want the state of its lead", two.GetState())
			}
			if n := w.count("SELECT count(*) FROM lead"); n != c.leads {
				t.Errorf("leads = %d, want %d", n, c.leads)
			}
			if n := w.count("SELECT count(*) FROM lead_update"); n != c.updates {
				t.Errorf("updates = %d, want %d", n, c.updates)
			}
			if c.updates > 0 { // sending the update again changes nothing
				w.mustPost(c.second.body, "")
				if n := w.count("SELECT count(*) FROM lead_update"); n != c.updates {
					t.Errorf("updates after a resend = %d, want %d", n, c.updates)
				}
			}
			if c.flag != "" {
				got, err := w.service.GetLead(w.ctx, &capturev1.GetLeadRequest{LeadId: two.GetLeadId()})
				if err != nil || len(got.GetLead().GetFlags()) == 0 || got.GetLead().GetFlags()[0].GetCode() != c.flag {
					t.Errorf("flags = %v (%v), want %s", got.GetLead().GetFlags(), err, c.flag)
				}
				if again := w.mustPost(c.second.body, ""); again.GetLeadId() != two.GetLeadId() {
					t.Error("sending the other person's lead again makes another lead")
				}
			}
		})
	}
}

func TestCredentialsDoNotMeet(t *testing.T) {
	w := newWorld(t, capture.Config{})
	one := w.mustPost(adaJSON, "k")
	w.ctx = rpc.WithCaller(w.ctx, rpc.Caller{Name: "other", Roles: []rpc.Role{rpc.RoleOEM}})
	if two := w.mustPost(adaJSON, "k"); two.GetLeadId() == one.GetLeadId() || two.GetDuplicateRequest() {
		t.Errorf("two credentials share a key: %v", two)
	}
}

func TestDuplicatesInsideABatch(t *testing.T) {
	w := newWorld(t, capture.Config{})
	a, b := someLead(1), someLead(2)
	keyed, clash := someLead(3), someLead(4)
	keyed.IdempotencyKey, clash.IdempotencyKey = "k", "k"
	got := w.batch(a, b, a, keyed, clash, b)
	if got[0].GetLeadId() != got[2].GetLeadId() || got[1].GetLeadId() != got[5].GetLeadId() {
		t.Error("equal leads of a batch have different ids")
	}
	for i, want := range []bool{false, false, true, false, false, true} {
		if got[i].GetDuplicateRequest() != want {
			t.Errorf("result %d: duplicate = %v, want %v", i, !want, want)
		}
	}
	if got[4].GetProblem().GetReason() != problemv1.Reason_REASON_IDEMPOTENCY_KEY_REUSED {
		t.Errorf("result 4 = %v, want the key refused", got[4])
	}
	if got[2].GetDecision() == nil || got[2].GetState() != got[0].GetState() {
		t.Errorf("result 2 = %v, want the answer of result 0", got[2])
	}
	if diff := cmp.Diff(places{Leads: 3, Decided: 3}, w.places()); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
}

func TestConcurrentRequestsForTheSameLeadsMakeThemOnce(t *testing.T) {
	w := newWorld(t, capture.Config{})
	other := w.start(capture.Config{}) // a second replica
	const leads, rounds = 140, 6       // so many are copied
	var wg sync.WaitGroup
	ids := make([][]string, rounds)
	for r := range rounds {
		wg.Go(func() {
			s := w.service
			if r%2 == 1 {
				s = other
			}
			req := &capturev1.BatchCreateLeadsRequest{}
			for i := range leads {
				l := someLead((i*9 + r) % leads)
				l.IdempotencyKey = fmt.Sprint("key-", (i*9+r)%leads)
				req.Leads = append(req.Leads, l)
			}
			resp, err := s.BatchCreateLeads(w.ctx, req)
			if err != nil {
				t.Error(err)
				return
			}
			byLead := make([]string, leads)
			for i, res := range resp.GetResults() {
				if res.GetProblem() != nil {
					t.Error(res.GetProblem())
				}
				byLead[(i*9+r)%leads] = res.GetLeadId()
			}
			ids[r] = byLead
		})
	}
	wg.Wait()
	for r := 1; r < rounds; r++ {
		if diff := cmp.Diff(ids[0], ids[r]); diff != "" {
			t.Errorf("round %d got other ids (-first +this):\n%s", r, diff)
		}
	}
	if diff := cmp.Diff(places{Leads: leads, Decided: leads}, w.places()); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
}

func TestResend(t *testing.T) {
	w := newWorld(t, capture.Config{})
	resend, firstSeen := someLead(1), someLead(2)
	for i, l := range []*leadv1.Lead{resend, firstSeen} {
		l.Identifiers = []*leadv1.Identifier{{Kind: leadv1.IdentifierKind_IDENTIFIER_KIND_SOURCE_LEAD, Source: "portal", Value: fmt.Sprint(i)}}
	}
	held := w.batch(resend)[0]
	resend.Resend, firstSeen.Resend = true, true
	got := w.batch(resend, firstSeen)
	if got[0].GetLeadId() != held.GetLeadId() || !got[0].GetDuplicateRequest() {
		t.Errorf("a resend of a held lead = %v, want the held one", got[0])
	}
	answer, err := w.service.GetLead(w.ctx, &capturev1.GetLeadRequest{LeadId: got[1].GetLeadId()})
	if err != nil {
		t.Fatal(err)
	}
	if f := answer.GetLead().GetFlags(); len(f) != 1 || f[0].GetCode() != lead.FlagResendFirstSeen {
		t.Errorf("flags = %v, want %s", f, lead.FlagResendFirstSeen)
	}
	if n := w.count("SELECT count(*) FROM lead"); n != 2 {
		t.Errorf("leads = %d, want 2", n)
	}
}

func TestRejectedLeadIsHeldWithItsCode(t *testing.T) {
	w := newWorld(t, capture.Config{})
	r := w.mustPost(`{"comments":"hello"}`, "")
	if r.GetState() != leadv1.State_STATE_REJECTED || r.GetCode() != "NO_CONTACT_POINT" {
		t.Errorf("answer = %v, want REJECTED for NO_CONTACT_POINT", r)
	}
	if again := w.mustPost(`{"comments":"hello"}`, ""); again.GetState() != leadv1.State_STATE_REJECTED || again.GetCode() != "NO_CONTACT_POINT" {
		t.Errorf("second answer = %v, want the same", again)
	}
	if diff := cmp.Diff(places{Leads: 1, Rejected: 1}, w.places()); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
	if w.decided != 0 {
		t.Error("a rejected lead was sent to routing")
	}
}

func TestOverloadStoresNothing(t *testing.T) {
	w := newWorld(t, capture.Config{MaxInFlight: 2})
	var p *problem.Error
	w.setResolve(func(req *identityv1.BatchResolveRequest) (*identityv1.BatchResolveResponse, error) { // one lead is under way
		_, err := w.service.BatchCreateLeads(w.ctx, &capturev1.BatchCreateLeadsRequest{Leads: []*leadv1.Lead{someLead(2), someLead(3)}})
		p = problem.From(err)
		return nil, problem.Unavailable(nil)
	})
	w.batch(someLead(1))
	if p == nil || p.Reason != problemv1.Reason_REASON_OVERLOADED || p.RetryAfter <= 0 {
		t.Fatalf("error = %v, want OVERLOADED with a time to retry", p)
	}
	if n := w.count("SELECT count(*) FROM lead"); n != 1 {
		t.Errorf("leads = %d, want the one before", n)
	}
	w.setResolve(nil)
	w.batch(someLead(2), someLead(3))              // the places are free again
	w.batch(someLead(4), someLead(5), someLead(6)) // more than the limit, when nothing else is under way
}

func TestWithoutDatabaseNothingIsPromised(t *testing.T) {
	w := newWorld(t, capture.Config{})
	deps := w.deps
	deps.Pool = w.db.Pool("capture")
	s, err := capture.New(capture.Config{}, deps)
	if err != nil {
		t.Fatal(err)
	}
	deps.Pool.Close()
	_, err = s.BatchCreateLeads(w.ctx, &capturev1.BatchCreateLeadsRequest{Leads: []*leadv1.Lead{someLead(1)}})
	if p := problem.From(err); err == nil || p.Reason != problemv1.Reason_REASON_UNAVAILABLE {
		t.Errorf("error = %v, want UNAVAILABLE", err)
	}
	if s.Health(w.ctx) == nil {
		t.Error("healthy without a database")
	}
}

func TestTakesLeadsAgainWhenTheDatabaseIsBack(t *testing.T) {
	w := newWorld(t, capture.Config{})
	w.batch(someLead(1))
	// Every session is cut, as by a restart of the server.
	admin, err := pgx.Connect(w.ctx, w.db.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := admin.Close(context.WithoutCancel(w.ctx)); err != nil {
			t.Error(err)
		}
	})
	if _, err := admin.Exec(w.ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"); err != nil {
		t.Fatal(err)
	}
	w.eventually("a lead is taken", func() bool {
		_, err := w.service.BatchCreateLeads(w.ctx, &capturev1.BatchCreateLeadsRequest{Leads: []*leadv1.Lead{someLead(2)}})
		return err == nil
	})
}

func TestDealersSendAndSeeTheirOwn(t *testing.T) {
	w := newWorld(t, capture.Config{})
	oem := w.ctx
	dealer := func(id string) context.Context {
		return rpc.WithCaller(oem, rpc.Caller{Name: "dms-" + id, Roles: []rpc.Role{rpc.RoleDealer}, DealerID: id})
	}
	w.ctx = dealer("D1")
	foreign := someLead(1)
	foreign.Dealer = &leadv1.DealerReference{DealerId: "D2"}
	got := w.batch(foreign, someLead(2))
	if got[0].GetProblem().GetReason() != problemv1.Reason_REASON_NOT_YOUR_DEALER {
		t.Errorf("a lead for another store: %v, want NOT_YOUR_DEALER", got[0])
	}
	answer, err := w.service.GetLead(w.ctx, &capturev1.GetLeadRequest{LeadId: got[1].GetLeadId()})
	if err != nil {
		t.Fatal(err)
	}
	if l := answer.GetLead(); l.GetDealer().GetDealerId() != "D1" || l.GetOrigin() != leadv1.Origin_ORIGIN_DEALER {
		t.Errorf("lead = %v, want the store's own", l)
	}
	for _, read := range []func(context.Context) error{
		func(ctx context.Context) error {
			_, err := w.service.GetLead(ctx, &capturev1.GetLeadRequest{LeadId: got[1].GetLeadId()})
			return err
		},
		func(ctx context.Context) error {
			_, err := w.service.GetRawLead(ctx, &capturev1.GetRawLeadRequest{LeadId: got[1].GetLeadId()})
			return err
		},
	} {
		if err := read(dealer("D1")); err != nil {
			t.Errorf("the owner may not read: %v", err)
		}
		if err := read(oem); err != nil {
			t.Errorf("the manufacturer may not read: %v", err)
		}
		if err := read(dealer("D2")); problem.From(err) == nil || problem.From(err).Reason != problemv1.Reason_REASON_NOT_YOUR_DEALER {
			t.Errorf("another store: %v, want NOT_YOUR_DEALER", err)
		}
	}
}
