package routing

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/leadmesh/leadmesh/core/lead"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
)

func TestAcceptingIsStampedOnce(t *testing.T) {
	w := newWorld(t)
	id := w.customer(nil)
	w.pass(10 * time.Minute)
	k := w.accept("a", id)
	if diff := cmp.Diff(leadv1.State_STATE_ACCEPTED, k.GetState()); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}
	w.pass(10 * time.Minute)
	again := w.accept("a", id)
	if diff := cmp.Diff(k.GetLeadVersion(), again.GetLeadVersion()); diff != "" {
		t.Errorf("version after accepting again (-want +got):\n%s", diff)
	}
	if n := count(w.events(id), "accepted met"); n != 1 {
		t.Errorf("accepted %d times: %v", n, w.events(id))
	}
	_, err := w.s.AcceptLead(w.as("b"), &routingv1.AcceptLeadRequest{LeadId: id.String()})
	wantReason(t, err, problemv1.Reason_REASON_NOT_YOUR_DEALER)
	_, err = w.s.DeclineLead(w.as("a"), &routingv1.DeclineLeadRequest{LeadId: id.String(), Code: leadv1.DeclineCode_DECLINE_CODE_OTHER})
	wantReason(t, err, problemv1.Reason_REASON_WRONG_STATE)
	if !strings.Contains(problem.From(err).Message, ":return") {
		t.Errorf("the refusal does not say what to do instead: %v", err)
	}
}

func TestThePersonWhoAcceptsHasTheWork(t *testing.T) {
	w := newWorld(t)
	id := w.customer(nil)
	other := "a-1"
	if w.kase(id).Owner.PersonID == other {
		other = "a-2"
	}
	if _, err := w.s.AcceptLead(w.as("a"), &routingv1.AcceptLeadRequest{LeadId: id.String(), PersonId: other}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(other, w.kase(id).Owner.PersonID); diff != "" {
		t.Errorf("person (-want +got):\n%s", diff)
	}
}

func TestOnlyPeopleOfTheRosterAccept(t *testing.T) {
	w := newPushWorld(t, nil)
	rows := testNetwork()
	service := rows.Dealers[1].Departments[1] // of b; a's people answer for it
	service.PersonSetting, service.BdcDealerId = "GROUP_BDC", "a"
	rows.Dealers[0].Group, rows.Dealers[1].Group = "g", "g"
	if _, err := w.s.store.EditNetwork(t.Context(), w.now, func(*postgres.NetworkRows) (*postgres.NetworkRows, error) { return rows, nil }); err != nil {
		t.Fatal(err)
	}
	w.reload()
	about := func(dealer string, line leadv1.Line) func(*leadv1.Lead) {
		return func(p *leadv1.Lead) {
			chooses(dealer)(p)
			p.Line = line
		}
	}
	for _, tt := range []struct {
		name, dealer, person string
		line                 leadv1.Line
		refused              bool
	}{
		{"of the roster", "a", "a-2", leadv1.Line_LINE_SALES, false},
		{"of nobody", "a", "a-3", leadv1.Line_LINE_SALES, true},
		{"of another store", "a", "b-1", leadv1.Line_LINE_SALES, true},
		{"of the BDC", "b", "a-1", leadv1.Line_LINE_SERVICE, false},
		{"of the BDC of another department", "b", "a-1", leadv1.Line_LINE_SALES, true},
		{"of the store's own system", "c", "anybody", leadv1.Line_LINE_SALES, false},
	} {
		id := w.customer(about(tt.dealer, tt.line))
		_, err := w.s.AcceptLead(w.as(tt.dealer), &routingv1.AcceptLeadRequest{LeadId: id.String(), PersonId: tt.person})
		wantPerson(t, tt.name, err, tt.refused)
		if k := w.kase(id); tt.refused && (k.State != lead.StateAssigned || k.Owner.PersonID == tt.person) {
			t.Errorf("%s: the lead is %s and with %s", tt.name, k.State, k.Owner.PersonID)
		}
	}
	id := w.customer(chooses("a"))
	if _, err := w.s.TransferLead(w.as("a"), &routingv1.TransferLeadRequest{LeadId: id.String(), ToDealerId: "b"}); err != nil {
		t.Fatal(err)
	}
	_, err := w.s.AcceptLead(w.as("b"), &routingv1.AcceptLeadRequest{LeadId: id.String(), PersonId: "a-1"})
	wantPerson(t, "of the giver", err, true)
	_, err = w.s.AcceptLead(w.as("b"), &routingv1.AcceptLeadRequest{LeadId: id.String(), PersonId: "b-2"})
	wantPerson(t, "of the receiver", err, false)
}

func wantPerson(t *testing.T, name string, err error, refused bool) {
	t.Helper()
	switch {
	case !refused && err != nil:
		t.Errorf("%s: %v", name, err)
	case refused:
		if e := problem.From(err); e == nil || len(e.Violations) != 1 || e.Violations[0].Field != "person_id" {
			t.Errorf("%s: accepted, or refused with %v", name, err)
		}
	}
}

func TestDeclineDecidesAgainWithoutTheDecliners(t *testing.T) {
	w := newWorld(t)
	id := w.customer(nil)
	var owners []string
	for range 4 {
		k := w.kase(id)
		owners = append(owners, k.Owner.DealerID)
		if diff := cmp.Diff([]int{len(owners), len(owners)}, []int{k.Attempt, k.Owner.Sequence}); diff != "" {
			t.Errorf("attempt and sequence (-want +got):\n%s", diff)
		}
		if k.Owner.DealerID == "nv-desk" {
			break
		}
		w.pass(time.Minute)
		w.decline(k.Owner.DealerID, id)
	}
	if owners[0] != "a" || owners[len(owners)-1] != "nv-desk" {
		t.Errorf("owners in turn: %v; want the area's store first and the desk last", owners)
	}
	slices.Sort(owners)
	if diff := cmp.Diff([]string{"a", "b", "c", "nv-desk"}, owners); diff != "" {
		t.Errorf("owners (-want +got):\n%s", diff)
	}
	events := w.events(id)
	if count(events, "declined TOO_FAR") != 3 || count(events, "decided") != 4 {
		t.Errorf("events: %v", events)
	}
	_, err := w.s.DeclineLead(w.as("nv-desk"), &routingv1.DeclineLeadRequest{LeadId: id.String(), Code: leadv1.DeclineCode_DECLINE_CODE_OTHER})
	wantReason(t, err, problemv1.Reason_REASON_WRONG_STATE)
}

func TestDeclineOfAChosenStoreGoesToTheDesk(t *testing.T) {
	w := newWorld(t)
	id := w.customer(chooses("c"))
	if owner := w.kase(id).DealerID; owner != "c" {
		t.Fatalf("owner is %s", owner)
	}
	k := w.decline("c", id)
	if diff := cmp.Diff("nv-desk", k.GetDecision().GetAssignment().GetDealerId()); diff != "" {
		t.Errorf("owner (-want +got):\n%s", diff)
	}
	if !slices.Contains(k.GetDecision().GetFlags(), "chosen_declined") {
		t.Errorf("flags: %v", k.GetDecision().GetFlags())
	}
}

func TestDeclineSkipsStoresWithoutCapacity(t *testing.T) {
	w := newWorld(t)
	for range 2 { // all that b declared for a day
		w.customer(chooses("b"))
	}
	for range 8 { // the draw among equals falls on b sooner or later
		id := w.customer(nil)
		w.decline("a", id)
		if diff := cmp.Diff("c", w.kase(id).DealerID); diff != "" {
			t.Errorf("owner (-want +got):\n%s", diff)
		}
	}
}

func TestDeclineKeepsDuplicatesTogether(t *testing.T) {
	w := newWorld(t)
	id := w.inquire("ada", nil)
	owner := w.decline("a", id).GetDecision().GetAssignment().GetDealerId()
	again := w.inquire("ada", chooses(owner))
	if k := w.kase(again); k.State != lead.StateMerged || k.MergedInto != id {
		t.Errorf("the second inquiry at the new owner is %s, not merged", k.State)
	}
	sibling := w.inquire("ada", chooses("a"))
	if k := w.kase(sibling); k.State != lead.StateAssigned {
		t.Errorf("an inquiry at the store that declined is %s; want a sibling", k.State)
	}
}

func TestThatTheCustomerChoseIsSaved(t *testing.T) {
	w := newWorld(t)
	id := w.customer(nil)
	err := w.s.store.Change(t.Context(), []lead.ID{id}, func(c *postgres.Change) error {
		c.Cases[id].Chosen = true
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !w.kase(id).Chosen {
		t.Error("a lead that woke up for the store its customer chose would not say so")
	}
}

// TestDeclineMovesInterestToTheLineInForce: the rules name another line than on the day of the
// first decision. What makes a second inquiry a duplicate follows the lead, and of two leads that
// are now of one line the declined one merges.
func TestDeclineMovesInterestToTheLineInForce(t *testing.T) {
	decidedAs := func(w *world, id lead.ID, line lead.Line) {
		t.Helper()
		for _, table := range []string{"decision", "open_interest"} {
			if _, err := w.pool.Exec(t.Context(), "UPDATE "+table+" SET line = $2 WHERE lead_id = $1", [16]byte(id), int16(line)); err != nil {
				t.Fatal(err)
			}
		}
	}
	lines := func(w *world, id lead.ID) (out []int16) {
		t.Helper()
		rows, err := w.pool.Query(t.Context(), "SELECT line FROM open_interest WHERE lead_id = $1 ORDER BY dealer_id", [16]byte(id))
		if err != nil {
			t.Fatal(err)
		}
		if out, err = pgx.CollectRows(rows, pgx.RowTo[int16]); err != nil {
			t.Fatal(err)
		}
		return out
	}
	w := newWorld(t)
	alone := w.inquire("ada", nil)
	sales := w.kase(alone).Line
	decidedAs(w, alone, lead.LineRenewal)
	w.decline("a", alone)
	if k := w.kase(alone); k.Line != sales || k.State != lead.StateAssigned {
		t.Errorf("after the decline: line %s, %s", k.Line, k.State)
	}
	if diff := cmp.Diff([]int16{int16(sales), int16(sales)}, lines(w, alone)); diff != "" {
		t.Errorf("lines of the open interest (-want +got):\n%s", diff)
	}
	if k := w.kase(w.inquire("ada", nil)); k.MergedInto != alone {
		t.Errorf("the second inquiry is %s, not merged", k.State)
	}

	old := w.inquire("bea", nil)
	decidedAs(w, old, lead.LineRenewal)
	holder := w.inquire("bea", nil)
	w.decline("a", old)
	if k := w.kase(old); k.State != lead.StateMerged || k.MergedInto != holder {
		t.Errorf("declined beside an open lead of its line: %s into %s", k.State, k.MergedInto)
	}
	if diff := cmp.Diff(0, len(lines(w, old))); diff != "" {
		t.Errorf("interest of a merged lead (-want +got):\n%s", diff)
	}
}

func TestReturnRejectsAnAcceptedLead(t *testing.T) {
	w := newWorld(t)
	id := w.customer(nil)
	send := func() (*routingv1.ReturnLeadResponse, error) {
		return w.s.ReturnLead(w.as("a"), &routingv1.ReturnLeadRequest{LeadId: id.String(), Code: leadv1.ReturnCode_RETURN_CODE_WRONG_NUMBER})
	}
	_, err := send()
	wantReason(t, err, problemv1.Reason_REASON_WRONG_STATE)
	w.accept("a", id)
	resp, err := send()
	if err != nil {
		t.Fatal(err)
	}
	k := resp.GetLeadCase()
	if diff := cmp.Diff("STATE_REJECTED WRONG_NUMBER", k.GetState().String()+" "+k.GetClosedCode()); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}
	if count(w.events(id), "returned WRONG_NUMBER") != 1 {
		t.Errorf("events: %v", w.events(id))
	}
	for _, e := range w.rawEvents() {
		if e.GetType() == eventReturned && e.GetFacts().GetSource() != "web" {
			t.Errorf("the return is credited to source %q", e.GetFacts().GetSource())
		}
	}
	_, err = send()
	wantReason(t, err, problemv1.Reason_REASON_WRONG_STATE)
}

func TestReturnComesWithin30Days(t *testing.T) {
	w := newWorld(t)
	id := w.customer(nil)
	w.accept("a", id)
	w.now = w.now.Add(returnWithin + time.Second)
	_, err := w.s.ReturnLead(w.as("a"), &routingv1.ReturnLeadRequest{LeadId: id.String(), Code: leadv1.ReturnCode_RETURN_CODE_OTHER})
	wantReason(t, err, problemv1.Reason_REASON_WRONG_STATE)
}

func TestTransferIsOfferedAndAccepted(t *testing.T) {
	w := newWorld(t)
	id := w.inquire("ada", nil)
	offer := func(to string) error {
		_, err := w.s.TransferLead(w.as("a"), &routingv1.TransferLeadRequest{LeadId: id.String(), ToDealerId: to, CustomerOnSite: true})
		return err
	}
	for _, to := range []string{"a", "nobody", ""} {
		wantReason(t, offer(to), problemv1.Reason_REASON_INVALID_ARGUMENT)
	}
	if err := offer("b"); err != nil {
		t.Fatal(err)
	}
	k := w.kase(id)
	if k.DealerID != "a" || k.Owner.OfferTo != "b" || !k.Owner.OfferUntil.Equal(w.now.Add(10*time.Minute)) {
		t.Fatalf("offered to %q until %s by %s", k.Owner.OfferTo, k.Owner.OfferUntil, k.DealerID)
	}
	wantReason(t, offer("c"), problemv1.Reason_REASON_WRONG_STATE)
	w.pass(5 * time.Minute)
	w.accept("b", id)
	k = w.kase(id)
	if k.DealerID != "b" || k.Owner.Sequence != 2 || k.State != lead.StateAccepted || k.Owner.OfferTo != "" || k.Owner.PersonID == "" {
		t.Errorf("after acceptance: owner %+v, state %s", k.Owner, k.State)
	}
	if !k.Owner.Clock.AssignedAt.Equal(w.now) || !k.ReceivedAt.Equal(monday) {
		t.Errorf("the clock begins at %s, the lead is from %s", k.Owner.Clock.AssignedAt, k.ReceivedAt)
	}
	if count(w.events(id), "transferred") != 1 {
		t.Errorf("events: %v", w.events(id))
	}
	if again := w.kase(w.inquire("ada", chooses("b"))); again.MergedInto != id {
		t.Errorf("an inquiry at the new owner is %s, not merged", again.State)
	}
}

func TestTransferUsesNoCapacity(t *testing.T) {
	w := newWorld(t)
	for range 2 {
		w.customer(chooses("b"))
	}
	id := w.customer(nil)
	if _, err := w.s.TransferLead(w.as("a"), &routingv1.TransferLeadRequest{LeadId: id.String(), ToDealerId: "b"}); err != nil {
		t.Fatal(err)
	}
	w.accept("b", id)
	var granted int
	err := w.pool.QueryRow(t.Context(), "SELECT (book -> 'granted' ->> 'NEW')::int FROM capacity WHERE dealer_id = 'b'").Scan(&granted)
	if err != nil || granted != 2 {
		t.Errorf("b was granted %d leads, %v; want 2", granted, err)
	}
}

func TestTransferDeclinedStaysWithTheGiver(t *testing.T) {
	w := newWorld(t)
	id := w.customer(nil)
	if _, err := w.s.TransferLead(w.as("a"), &routingv1.TransferLeadRequest{LeadId: id.String(), ToDealerId: "c"}); err != nil {
		t.Fatal(err)
	}
	w.decline("c", id)
	if k := w.kase(id); k.DealerID != "a" || k.Owner.OfferTo != "" || k.Owner.Sequence != 1 || k.Attempt != 1 {
		t.Errorf("owner after it: %+v", k.Owner)
	}
	if count(w.events(id), "transfer_declined TOO_FAR") != 1 {
		t.Errorf("events: %v", w.events(id))
	}
}

func TestTransferLapses(t *testing.T) {
	w := newWorld(t)
	id := w.customer(nil)
	w.accept("a", id)
	if _, err := w.s.TransferLead(w.as("a"), &routingv1.TransferLeadRequest{LeadId: id.String(), ToDealerId: "c", CustomerOnSite: true}); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(10 * time.Minute)
	_, err := w.s.AcceptLead(w.as("c"), &routingv1.AcceptLeadRequest{LeadId: id.String()})
	wantReason(t, err, problemv1.Reason_REASON_WRONG_STATE)
	w.pass(0)
	w.pass(0)
	if k := w.kase(id); k.DealerID != "a" || k.Owner.OfferTo != "" {
		t.Errorf("owner after it: %+v", k.Owner)
	}
	if count(w.events(id), "transfer_lapsed") != 1 {
		t.Errorf("events: %v", w.events(id))
	}
}
