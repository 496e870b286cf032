package capture_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
)

const (
	firstForm = `{"identifiers":[{"kind":"SOURCE_LEAD","source":"portal","value":"7"}],"comments":"Is it there?","time_frame":{"text":"soon"},
"parties":[{"name":"Ada Byron","emails":["ada@byron.example.com"]}],"vehicles":[{"make":"Ostra","model":"Volt"}]}`
	laterForm = `{"identifiers":[{"kind":"SOURCE_LEAD","source":"portal","value":"7"}],"comments":"And may I drive it?","source":"other",
"parties":[{"name":"Ada Byron","emails":["ada@byron.example.com","ADA@work.example.com"],"phones":["202-555-0147"],"address":{"city":"Springfield"}}],
"vehicles":[{"make":"Ostra","model":"Volt","trim":"Long"},{"role":"TRADED","make":"Altra","model":"Kombi"}],
"consents":[{"purpose":"MARKETING","channel":"EMAIL","state":"DENIED"}]}`
)

// resolves records what Identity is told.
func (w *world) recordResolves() *[]*leadv1.Lead {
	told := &[]*leadv1.Lead{}
	w.setResolve(func(req *identityv1.BatchResolveRequest) (*identityv1.BatchResolveResponse, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		resp := &identityv1.BatchResolveResponse{}
		for _, l := range req.GetLeads() {
			*told = append(*told, l)
			resp.Resolutions = append(resp.Resolutions, &identityv1.Resolution{PersonId: "p"})
		}
		return resp, nil
	})
	return told
}

func (w *world) untold() int {
	return w.count("SELECT count(*) FROM lead_update WHERE next_attempt_at IS NOT NULL")
}

func TestIdentityLearnsUpdates(t *testing.T) {
	w := newWorld(t, quick)
	told := w.recordResolves()
	first := w.mustPost(firstForm, "")
	w.mustPost(laterForm, "")
	w.mustPost(laterForm, "") // sent twice: one update
	if n := w.untold(); n != 1 {
		t.Fatalf("%d updates to be told, want one", n)
	}
	for range 2 { // learned once
		if err := w.service.LearnUpdates(w.ctx); err != nil {
			t.Fatal(err)
		}
	}
	if len(*told) != 2 || w.untold() != 0 {
		t.Fatalf("told %d leads, %d updates left, want the lead and its update", len(*told), w.untold())
	}
	got := (*told)[1]
	if got.GetLeadId() != first.GetLeadId() || got.GetConsents()[0].GetState() != leadv1.ConsentState_CONSENT_STATE_DENIED ||
		got.GetParties()[0].GetPhones()[0].GetE164() != "+12025550147" || !got.GetParties()[0].GetEmails()[1].GetValid() {
		t.Errorf("identity was told %v, want the update's contact points and consents under the lead's id", got)
	}
}

func TestUpdatesAreLearnedWhenIdentityIsBack(t *testing.T) {
	w := newWorld(t, quick)
	w.mustPost(firstForm, "")
	w.setResolve(func(*identityv1.BatchResolveRequest) (*identityv1.BatchResolveResponse, error) {
		return nil, problem.Unavailable(errors.New("down"))
	})
	w.mustPost(laterForm, "")
	if err := w.service.LearnUpdates(w.ctx); err != nil || w.untold() != 1 {
		t.Fatalf("%d updates to be told (%v), want one", w.untold(), err)
	}
	told := w.recordResolves()
	next := w.start(quick) // another process
	w.advance(2 * time.Second)
	defer w.run(next)()
	w.eventually("the update is learned", func() bool { return w.untold() == 0 })
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(*told) != 1 {
		t.Errorf("told %d leads, want the update", len(*told))
	}
}

func TestOneBadUpdateDoesNotHoldUpOthers(t *testing.T) {
	w := newWorld(t, quick)
	for _, id := range []string{"1", "2", "3"} {
		for _, comments := range []string{"first", "second"} {
			r := w.mustPost(`{"identifiers":[{"kind":"SOURCE_LEAD","source":"portal","value":"`+id+`"}],"comments":"`+comments+" "+id+`","parties":[{"emails":["ada@byron.example.com"]}]}`, "")
			if r.GetProblem() != nil {
				t.Fatal(r)
			}
		}
	}
	w.setResolve(func(req *identityv1.BatchResolveRequest) (*identityv1.BatchResolveResponse, error) {
		if slices.ContainsFunc(req.GetLeads(), func(l *leadv1.Lead) bool { return l.GetComments() == "second 2" }) {
			return nil, problem.Internal(errors.New("as the test wants"))
		}
		resp := &identityv1.BatchResolveResponse{}
		for range req.GetLeads() {
			resp.Resolutions = append(resp.Resolutions, &identityv1.Resolution{PersonId: "p"})
		}
		return resp, nil
	})
	if err := w.service.LearnUpdates(w.ctx); err != nil || w.untold() != 1 {
		t.Errorf("%d updates to be told (%v), want the bad one", w.untold(), err)
	}
}

func TestGetLeadShowsUpdatesAndWhatTheyChanged(t *testing.T) {
	w := newWorld(t, quick)
	r := w.mustPost(firstForm, "")
	w.mustPost(laterForm, "")
	got, err := w.service.GetLead(w.ctx, &capturev1.GetLeadRequest{LeadId: r.GetLeadId()})
	if err != nil {
		t.Fatal(err)
	}
	l := got.GetLead()
	type shown struct {
		Comments, When, Source, City, Trim string
		Mails                              []string
		Phones, Vehicles, Consents, Known  int
	}
	p := l.GetParties()[0]
	have := shown{
		l.GetComments(), l.GetTimeFrame().GetText(), l.GetSource().GetSource(), p.GetAddress().GetCity(), l.GetVehicles()[0].GetTrim(), nil,
		len(p.GetPhones()), len(l.GetVehicles()), len(l.GetConsents()), len(l.GetIdentifiers()),
	}
	for _, e := range p.GetEmails() {
		have.Mails = append(have.Mails, e.GetAddress())
	}
	want := shown{
		"And may I drive it?", "soon", "", "Springfield", "Long", []string{"ada@byron.example.com", "ADA@work.example.com"}, 1, 2, 1, 1,
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("lead (-want +got):\n%s", diff)
	}
	var changed []string
	for _, c := range l.GetChanges() {
		if c.GetRule() == "update" {
			changed = append(changed, c.GetField()+": "+c.GetBefore()+" -> "+c.GetAfter())
		}
	}
	slices.Sort(changed)
	wantChanges := []string{
		"comments: Is it there? -> And may I drive it?", "consents[0]:  -> CONTROLLER_UNSPECIFIED  PURPOSE_MARKETING CHANNEL_EMAIL  CONSENT_STATE_DENIED ",
		"parties[0].address.city:  -> Springfield", "parties[0].emails[1]:  -> ada@work.example.com", "parties[0].phones[0]:  -> +12025550147",
		"vehicles[0].trim:  -> Long", "vehicles[1]:  -> VEHICLE_ROLE_TRADED Altra Kombi",
	}
	if diff := cmp.Diff(wantChanges, changed); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	stop := w.run(w.service)
	w.eventually("events are handed over", func() bool { return w.count("SELECT count(*) FROM outbox") == 0 })
	stop()
	w.wantEvents(r.GetLeadId(), "leadmesh.lead.captured.v1", "leadmesh.lead.updated.v1")
}

func TestStateIsTheEventsWhileRoutingIsDown(t *testing.T) {
	w := newWorld(t, quick)
	r := w.mustPost(adaJSON, "")
	w.mu.Lock()
	w.getCases = func(*routingv1.BatchGetCasesRequest) (*routingv1.BatchGetCasesResponse, error) {
		return nil, problem.Unavailable(errors.New("down"))
	}
	w.mu.Unlock()
	req := &capturev1.GetLeadRequest{LeadId: r.GetLeadId()}
	if _, err := w.service.GetLead(w.ctx, req); problem.From(err) == nil || problem.From(err).Reason != problemv1.Reason_REASON_UNAVAILABLE {
		t.Errorf("without any event: %v, want UNAVAILABLE", err)
	}
	w.mu.Lock()
	for _, state := range []string{"PENDING", "ASSIGNED", "WORKING", ""} {
		w.events = append(w.events, &leadv1.Event{LeadId: r.GetLeadId(), Facts: &leadv1.EventFacts{State: state}})
	}
	w.mu.Unlock()
	if got, err := w.service.GetLead(w.ctx, req); err != nil || got.GetState() != leadv1.State_STATE_WORKING || got.GetDecision() != nil {
		t.Errorf("with events: %v (%v), want WORKING", got.GetState(), err)
	}
	w.setDecide(refuse(problemv1.Reason_REASON_UNAVAILABLE))
	pending := w.mustPost(carlJSON, "")
	if got, err := w.service.GetLead(w.ctx, &capturev1.GetLeadRequest{LeadId: pending.GetLeadId()}); err != nil || got.GetState() != leadv1.State_STATE_PENDING {
		t.Errorf("a pending lead: %v (%v), want PENDING", got.GetState(), err)
	}
}
