package routing

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/core/lead"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"google.golang.org/protobuf/types/known/timestamppb"
)

func TestTheInboxShowsTheNextDeadlineFirst(t *testing.T) {
	w := newWorld(t)
	var want []string
	for range 7 {
		want = append(want, w.customer(chooses("a")).String())
		w.now = w.now.Add(time.Minute)
	}
	w.customer(chooses("c"))
	var got []string
	token := ""
	for {
		resp, err := w.s.ListInbox(w.as("a"), &routingv1.ListInboxRequest{DealerId: "a", PageSize: 3, PageToken: token})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(int32(7), resp.GetOpenCount()); diff != "" {
			t.Fatalf("open count (-want +got):\n%s", diff)
		}
		for _, item := range resp.GetItems() {
			got = append(got, item.GetLeadCase().GetLeadId())
		}
		if token = resp.GetNextPageToken(); token == "" {
			break
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("leads (-want +got):\n%s", diff)
	}
	_, err := w.s.ListInbox(w.as("b"), &routingv1.ListInboxRequest{DealerId: "a"})
	wantReason(t, err, problemv1.Reason_REASON_NOT_YOUR_DEALER)
	_, err = w.s.ListInbox(t.Context(), &routingv1.ListInboxRequest{DealerId: "zz"})
	wantReason(t, err, problemv1.Reason_REASON_NOT_FOUND)
	_, err = w.s.ListInbox(w.as("a"), &routingv1.ListInboxRequest{PageToken: "next", PageSize: 501})
	wantReason(t, err, problemv1.Reason_REASON_INVALID_ARGUMENT)
}

func TestTheInboxSaysWhatAndWhom(t *testing.T) {
	w := newWorld(t)
	w.customer(func(p *leadv1.Lead) {
		p.RequestType = leadv1.RequestType_REQUEST_TYPE_TEST_DRIVE
		p.Vehicles = []*leadv1.Vehicle{{Role: leadv1.VehicleRole_VEHICLE_ROLE_SOUGHT, Model: "Tindra"}}
		p.TimeFrame = &leadv1.TimeFrame{Latest: timestamppb.New(monday.AddDate(0, 0, 14))}
		p.Consents = []*leadv1.Consent{{ // STOP binds the number for everybody
			Controller: leadv1.Controller_CONTROLLER_OEM, Purpose: leadv1.Purpose_PURPOSE_ANSWER_INQUIRY, ContactPoint: "+12125550123",
			State: leadv1.ConsentState_CONSENT_STATE_REVOKED, At: timestamppb.New(monday.Add(-time.Hour)),
		}}
	})
	list := func(dealer string) []*routingv1.InboxItem {
		resp, err := w.s.ListInbox(w.as(dealer), &routingv1.ListInboxRequest{})
		if err != nil {
			t.Fatal(err)
		}
		return resp.GetItems()
	}
	item := list("a")[0]
	type shown struct {
		Name, Summary string
		Points        []string
	}
	if diff := cmp.Diff(shown{"Ada Moe", "test drive, NORRVIND Tindra, wants it within 2 weeks", []string{"ada@example.com"}},
		shown{item.GetCustomerName(), item.GetSummary(), item.GetContactPoints()}); diff != "" {
		t.Errorf("item (-want +got):\n%s", diff)
	}
	if item.GetNextStep() == "" {
		t.Error("the item does not say what to do")
	}
	if _, err := w.s.TransferLead(w.as("a"), &routingv1.TransferLeadRequest{LeadId: item.GetLeadCase().GetLeadId(), ToDealerId: "c"}); err != nil {
		t.Fatal(err)
	}
	offered := list("c")
	if len(offered) != 1 || offered[0].GetCustomerName() != "" || len(offered[0].GetContactPoints()) != 0 || offered[0].GetSummary() == "" {
		t.Errorf("what is offered shows %v", offered)
	}
}

func FuzzInboxToken(f *testing.F) {
	for _, s := range []string{"", "AQ", inboxToken{monday, lead.NewID([]byte("k"), "1")}.String(), "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		token, ok := parseInboxToken(text)
		if ok && token.String() != text {
			t.Errorf("%q reads as a token that is written %q", text, token.String())
		}
	})
}
