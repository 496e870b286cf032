package routing

import (
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/core/adf"
	"github.com/leadmesh/leadmesh/core/lead"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/routing/internal/mailertest"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
	"google.golang.org/protobuf/proto"
)

// newADFWorld is a world in which store a gets ADF at an address, and mail goes through a relay if
// one is given.
func newADFWorld(t *testing.T, put *routingv1.PutWebhookRequest, relay *mailertest.Server, retries ...time.Duration) *pushWorld {
	t.Helper()
	w := newPushWorld(t, nil, retries...)
	if relay != nil {
		w.mail = MailConfig{Relay: "smtp://" + relay.Addr, From: "Norrvind Leads <leads@oem.example.com>"}
		w.configure(retries)
	}
	if put != nil {
		resp, err := w.s.PutWebhook(t.Context(), put)
		if err != nil {
			t.Fatal(err)
		}
		w.secrets[put.GetDealerId()] = resp.GetSecret()
	}
	w.reload()
	return w
}

// prospects are the leads of documents.
func prospects(t *testing.T, documents ...[]byte) []adf.Prospect {
	t.Helper()
	var out []adf.Prospect
	for _, raw := range documents {
		doc, err := adf.Parse(raw)
		if err != nil || len(doc.Prospects) != 1 || len(doc.Repairs)+len(doc.Outside) > 0 {
			t.Fatalf("no clean document: %v, repairs %v\n%s", err, doc.Repairs, raw)
		}
		if wrong := adf.Check(doc.Canonical(nil)); len(wrong) > 0 {
			t.Errorf("not strict: %v", wrong)
		}
		out = append(out, doc.Prospects[0])
	}
	return out
}

func posted(t *testing.T, c *crm) []adf.Prospect {
	t.Helper()
	var raw [][]byte
	for _, p := range c.got() {
		raw = append(raw, p.body)
	}
	return prospects(t, raw...)
}

// mailed are the documents that are the whole text of mails.
func mailed(t *testing.T, list []mailertest.Mail) []adf.Prospect {
	t.Helper()
	var raw [][]byte
	for _, m := range list {
		_, body, ok := strings.Cut(strings.ReplaceAll(string(m.Raw), "\r\n", "\n"), "\n\n")
		if !ok {
			t.Fatalf("no body: %s", m.Raw)
		}
		raw = append(raw, []byte(body))
	}
	return prospects(t, raw...)
}

func TestADFIsPosted(t *testing.T) {
	c := newCRM(t, func(_ int, w http.ResponseWriter) {
		_, _ = io.WriteString(w, "<Response><Status>Success</Status></Response>")
	})
	w := newADFWorld(t, &routingv1.PutWebhookRequest{DealerId: "a", Kind: deliveryADFHTTP, Url: c.URL + "/adf", Authorization: "Basic eDp5"}, nil)
	w.start()
	id := w.customer(func(p *leadv1.Lead) {
		p.Comments = "Is it still there?"
		p.Source.SubSource, p.Campaign = "configurator", &leadv1.Campaign{Name: "spring"}
		p.Identifiers = []*leadv1.Identifier{{Kind: leadv1.IdentifierKind_IDENTIFIER_KIND_SOURCE_LEAD, Source: "portal", Value: "P-77"}}
		p.Vehicles = []*leadv1.Vehicle{
			{Role: leadv1.VehicleRole_VEHICLE_ROLE_TRADED, Make: "Other", Model: "Old", Year: 2015, Odometer: proto.Int64(90_000)},
			{Role: leadv1.VehicleRole_VEHICLE_ROLE_SOUGHT, Make: testBrand, Model: "Alva", Year: 2026},
		}
		p.Parties = append(p.Parties, &leadv1.Party{Role: leadv1.PartyRole_PARTY_ROLE_CO_BUYER, Name: &leadv1.Name{Given: "Bo", Family: "Moe"}})
	})
	w.until("delivery", func() bool { return w.state("a") == "delivered 1 200" })
	got := c.got()
	if err := signed(w.secrets["a"], got[0]); err != nil {
		t.Error(err)
	}
	if h := got[0].header; h.Get("Content-Type") != "application/x-adf+xml" || h.Get("Authorization") != "Basic eDp5" {
		t.Errorf("header %v", h)
	}
	p := posted(t, c)[0]
	if d := cmp.Diff([]adf.ID{{Sequence: "1", Source: "leadmesh", Value: id.String()}, {Sequence: "2", Source: "portal", Value: "P-77"}}, p.IDs); d != "" {
		t.Errorf("ids (-want +got):\n%s", d)
	}
	if p.Status != "" || p.Provider.DisplayName() != "leadmesh" || p.Provider.Service != "configurator" || p.Vendor.Name != "Store a" || p.Vendor.IDs[0].Value != "a" {
		t.Errorf("status %q, provider %+v, vendor %+v", p.Status, p.Provider, p.Vendor)
	}
	if len(p.Vehicles) != 2 || p.Vehicles[0].Model != "Alva" || p.Vehicles[1].Interest != "trade-in" || len(p.CoBuyers()) != 1 {
		t.Errorf("vehicles %+v, co-buyers %v", p.Vehicles, p.CoBuyers())
	}
	for _, want := range []string{
		"Is it still there?\n\n", "Campaign: spring\n", "Source: web / configurator\n", "May be answered by: phone, text, e-mail\n",
		"Marketing of the store allowed by: no channel\n", "\nScore: ", "\nWhy this store: ", "\nPlay: ", "\nAccept by: 2026-03-02 10:", "\nRespond by: 2026-03-02 11:00 EST",
	} {
		if !strings.Contains(p.Customer.Comments, want) {
			t.Errorf("comments lack %q:\n%s", want, p.Customer.Comments)
		}
	}
	if k := w.kase(id); !k.Owner.DeliveredAt.Equal(w.now) || k.Owner.Clock.Deadlines.RespondBy.IsZero() {
		t.Errorf("delivered %v, deadlines %+v", k.Owner.DeliveredAt, k.Owner.Clock.Deadlines)
	}
	if events := strings.Join(w.events(id), ", "); !strings.Contains(events, "delivered adf_http") {
		t.Errorf("events %s", events)
	}
	if grade := w.s.evidenceGrade(w.s.engine.rules.Load(), "a", lead.DepartmentNew).String(); grade != "BLIND" {
		t.Errorf("a store we do not see is %s", grade)
	}
}

// An attempt that may have reached the store is followed by a repetition, one that cannot have is not.
func TestADFSaysWhatMayBeARepetition(t *testing.T) {
	c := newCRM(t, func(n int, w http.ResponseWriter) {
		if n == 1 {
			w.WriteHeader(http.StatusBadGateway)
		}
	})
	w := newADFWorld(t, &routingv1.PutWebhookRequest{DealerId: "a", Kind: deliveryADFHTTP, Url: "http://127.0.0.1:1/"}, nil, time.Hour)
	w.start()
	w.customer(chooses("a"))
	w.until("nobody was there", func() bool { return w.state("a") == "pending 1 refused" })
	w.putKind("a", deliveryADFHTTP, c.URL)
	w.until("the first answer", func() bool { return w.state("a") == "pending 2 502" })
	w.putKind("a", deliveryADFHTTP, c.URL)
	w.until("delivery", func() bool { return w.state("a") == "delivered 3 200" })
	got := posted(t, c)
	if len(got) != 2 || got[0].Status != "" || got[1].Status != "resend" {
		t.Errorf("%d documents, %+v", len(got), got)
	}
	_, list := w.deliveries("a")
	one, err := w.s.GetDelivery(w.as("a"), &routingv1.GetDeliveryRequest{DeliveryId: list[0].GetDeliveryId()})
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, try := range one.GetAttempts() {
		words = append(words, try.GetAnswer())
	}
	if d := cmp.Diff([]string{"refused", "502", "200"}, words); d != "" || one.GetDelivery().GetReason() == "" {
		t.Errorf("history (-want +got):\n%s, %v", d, one)
	}
	_, err = w.s.GetDelivery(w.as("b"), &routingv1.GetDeliveryRequest{DeliveryId: list[0].GetDeliveryId()})
	wantReason(t, err, problemv1.Reason_REASON_NOT_YOUR_DEALER)
}

func (w *pushWorld) putKind(dealer, kind, url string) {
	w.t.Helper()
	if _, err := w.s.PutWebhook(w.t.Context(), &routingv1.PutWebhookRequest{DealerId: dealer, Kind: kind, Url: url}); err != nil {
		w.t.Fatal(err)
	}
}

// A process that dies between sending and noting it leaves a delivery that says it may be a repetition.
func TestKilledAfterSendingIsARepetition(t *testing.T) {
	c := newCRM(t, nil)
	w := newADFWorld(t, &routingv1.PutWebhookRequest{DealerId: "a", Kind: deliveryADFHTTP, Url: c.URL}, nil)
	id := w.customer(chooses("a"))
	list, err := w.s.store.Deliveries(t.Context(), postgres.DeliveryPage{LeadID: id, Size: 5})
	if err != nil || len(list) != 1 {
		t.Fatalf("%v, %v", list, err)
	}
	hook, err := w.s.store.Webhook(t.Context(), list[0].WebhookID)
	if err != nil {
		t.Fatal(err)
	}
	if a, sent, err := w.s.push.send(t.Context(), w.s.engine.rules.Load(), list[0], hook); err != nil || !sent || !a.Delivered() {
		t.Fatalf("%+v, %v, %v", a, sent, err)
	} // and what came of it is never noted
	w.start()
	w.until("delivery", func() bool { return w.state("a") == "delivered 1 200" })
	if got := posted(t, c); len(got) != 2 || got[0].Status != "" || got[1].Status != "resend" {
		t.Errorf("%d documents, %+v", len(got), got)
	}
}

func TestNegativeAnswerIsNoDelivery(t *testing.T) {
	var well atomic.Bool
	c := newCRM(t, func(_ int, w http.ResponseWriter) {
		if !well.Load() {
			_, _ = io.WriteString(w, "<Response><Status>Error</Status><Message>unknown dealer</Message></Response>")
		}
	})
	w := newADFWorld(t, &routingv1.PutWebhookRequest{DealerId: "a", Kind: deliveryADFHTTP, Url: c.URL, ContentType: "application/xml"}, nil, 10*time.Millisecond)
	w.start()
	id := w.customer(chooses("a"))
	w.until("the dead letter", func() bool { return w.state("a") == "dead 2 negative_answer" })
	if w.kase(id).Owner.DeliveredAt.IsZero() {
		t.Error("the lead does not wait in the inbox")
	}
	dead, err := w.s.ListDeliveries(t.Context(), &routingv1.ListDeliveriesRequest{State: "dead", LastAnswer: "negative_answer", LeadId: id.String()})
	if err != nil || len(dead.GetDeliveries()) != 1 || dead.GetDeliveries()[0].GetReason() == "" {
		t.Fatalf("%v, %v", dead, err)
	}
	well.Store(true)
	if _, err := w.s.RedeliverDelivery(w.as("a"), &routingv1.RedeliverDeliveryRequest{DeliveryId: dead.GetDeliveries()[0].GetDeliveryId()}); err != nil {
		t.Fatal(err)
	}
	w.until("the redelivery", func() bool { return w.state("a") == "delivered 3 200" })
	if got := posted(t, c); got[len(got)-1].Status != "resend" || c.got()[0].header.Get("Content-Type") != "application/xml" {
		t.Errorf("%+v", got)
	}
}

func TestADFIsMailed(t *testing.T) {
	s := mailertest.New(t, nil, false)
	w := newADFWorld(t, nil, s)
	if _, err := w.s.PutWebhook(w.as("a"), &routingv1.PutWebhookRequest{DealerId: "a", Kind: deliveryADFEmail, Email: "leads@a.example.com", Subject: "ADF lead"}); err != nil {
		t.Fatal(err)
	}
	w.reload()
	w.start()
	id := w.customer(func(p *leadv1.Lead) {
		chooses("a")(p)
		p.Parties[0].Name = &leadv1.Name{Given: "Zoë", Family: "Ærø"}
	})
	w.until("delivery", func() bool { return w.state("a") == "delivered 1 smtp_250" })
	got := s.Got()
	if len(got) != 1 || got[0].To != "leads@a.example.com" || got[0].Header.Get("Subject") != "ADF lead" || got[0].Header.Get("Message-ID") != "<"+id.String()+".1@oem.example.com>" {
		t.Fatalf("%+v", got)
	}
	if c, _ := mailed(t, got)[0].Primary(); c.Name().First != "Zoë" || c.Name().Last != "Ærø" {
		t.Errorf("name %+v", c.Name())
	}
	if events := strings.Join(w.events(id), ", "); !strings.Contains(events, "delivered adf_email") {
		t.Errorf("events %s", events)
	}
}

// Departments whose rows say adf_email get their leads at their own addresses.
func TestDepartmentsHaveMailboxes(t *testing.T) {
	s := mailertest.New(t, nil, false)
	w := newADFWorld(t, nil, s)
	rows := testNetwork()
	d := rows.Dealers[0]
	d.Email = "front@a.example.com"
	d.Departments[0].Delivery, d.Departments[0].Email = deliveryADFEmail, "new@a.example.com"
	d.Departments[1].Delivery, d.Departments[1].Email = deliveryADFEmail, "" // service: the dealer's
	rows.Dealers[1].Departments[0].Delivery = deliveryADFEmail               // b has no address at all
	if _, err := w.s.store.EditNetwork(t.Context(), w.now, func(*postgres.NetworkRows) (*postgres.NetworkRows, error) { return rows, nil }); err != nil {
		t.Fatal(err)
	}
	w.reload()
	n := w.s.engine.rules.Load().network
	for _, tt := range []struct {
		dealer string
		kind   lead.Department
		want   string
	}{
		{"a", lead.DepartmentNew, "dp_a.NEW"}, {"a", lead.DepartmentUsed, "dp_a.NEW"}, {"a", lead.DepartmentService, "dp_a.SERVICE"}, {"b", lead.DepartmentNew, ""},
	} {
		if got := n.endpoint(tt.dealer, tt.kind).id; got != tt.want {
			t.Errorf("%s %s: %q, want %q", tt.dealer, tt.kind, got, tt.want)
		}
	}
	w.start()
	w.customer(chooses("a"))
	w.until("delivery", func() bool { return w.state("a") == "delivered 1 smtp_250" })
	if got := s.Got(); got[0].To != "new@a.example.com" {
		t.Errorf("mail to %s", got[0].To)
	}
	if k := w.kase(w.customer(chooses("b"))); k.Owner.DeliveredAt.IsZero() {
		t.Error("a lead of a store without an address does not wait in the inbox")
	}
	list, err := w.s.ListWebhooks(w.as("a"), &routingv1.ListWebhooksRequest{PageSize: 1})
	if err != nil || len(list.GetWebhooks()) != 1 || list.GetNextPageToken() == "" {
		t.Fatalf("%v, %v", list, err)
	}
	next, err := w.s.ListWebhooks(w.as("a"), &routingv1.ListWebhooksRequest{PageSize: 1, PageToken: list.GetNextPageToken()})
	if err != nil || len(next.GetWebhooks()) != 1 || next.GetNextPageToken() != "" || next.GetWebhooks()[0].GetEmail() != "front@a.example.com" {
		t.Fatalf("%v, %v", next, err)
	}
	_, err = w.s.DeleteWebhook(w.as("a"), &routingv1.DeleteWebhookRequest{WebhookId: "dp_a.NEW"})
	wantReason(t, err, problemv1.Reason_REASON_WRONG_STATE)
	// Switched to the inbox, what is made to wait there is not mailed any more.
	d.Departments[0].Delivery = deliveryInbox
	if _, err := w.s.store.EditNetwork(t.Context(), w.now, func(*postgres.NetworkRows) (*postgres.NetworkRows, error) { return rows, nil }); err != nil {
		t.Fatal(err)
	}
	w.reload()
	_, all := w.deliveries("a")
	if _, err := w.s.RedeliverDelivery(w.as("a"), &routingv1.RedeliverDeliveryRequest{DeliveryId: all[0].GetDeliveryId()}); err != nil {
		t.Fatal(err)
	}
	w.until("the end", func() bool { return w.state("a") == "dead 1 disabled" })
}

func TestMailThatIsNotTaken(t *testing.T) {
	s := mailertest.New(t, nil, false)
	var turn atomic.Int32
	s.OnRcpt = func(to string) error {
		switch {
		case strings.HasPrefix(to, "gone@"):
			return &smtp.SMTPError{Code: 550, Message: "no such mailbox"}
		case turn.Add(1) == 1:
			return &smtp.SMTPError{Code: 451, Message: "greylisted"}
		}
		return nil
	}
	s.OnData = func(string) error {
		if turn.Load() == 2 {
			return net.ErrClosed
		}
		return nil
	}
	w := newADFWorld(t, &routingv1.PutWebhookRequest{DealerId: "a", Kind: deliveryADFHTTP, Url: "http://127.0.0.1:1/", Enabled: new(bool)}, s, 10*time.Millisecond, 10*time.Millisecond, time.Hour)
	for dealer, address := range map[string]string{"a": "ok@a.example.com", "c": "gone@c.example.com"} {
		if _, err := w.s.PutWebhook(t.Context(), &routingv1.PutWebhookRequest{DealerId: dealer, Kind: deliveryADFEmail, Email: address}); err != nil {
			t.Fatal(err)
		}
	}
	w.reload()
	w.start()
	w.customer(chooses("a"))
	w.until("delivery after a refusal for now and a broken connection", func() bool { return w.state("a") == "delivered 3 smtp_250" })
	got := s.Got()
	if len(got) != 1 || mailed(t, got)[0].Status != "resend" {
		t.Errorf("%d mails: after the connection broke in the middle nobody knows who has it", len(got))
	}
	lost := w.customer(chooses("c"))
	w.until("the dead letter", func() bool { return w.state("c") == "dead 1 smtp_550" })
	if w.kase(lost).Owner.DeliveredAt.IsZero() {
		t.Error("the lead does not wait in the inbox")
	}
}

func TestHangingRelaySlowsNoWebhook(t *testing.T) {
	s := mailertest.New(t, nil, false)
	release := make(chan struct{})
	t.Cleanup(sync.OnceFunc(func() { close(release) }))
	s.OnRcpt = func(string) error { <-release; return nil }
	c := newCRM(t, nil)
	w := newADFWorld(t, &routingv1.PutWebhookRequest{DealerId: "c", Url: c.URL}, s)
	if _, err := w.s.PutWebhook(t.Context(), &routingv1.PutWebhookRequest{DealerId: "a", Kind: deliveryADFEmail, Email: "leads@a.example.com"}); err != nil {
		t.Fatal(err)
	}
	w.reload()
	const each = 20
	for range each {
		w.customer(chooses("a"))
	}
	for range each {
		w.customer(chooses("c"))
	}
	w.start()
	w.until("everything for c", func() bool { return len(c.got()) == each })
}

func TestNoContactPointWithoutLeave(t *testing.T) {
	c := newCRM(t, nil)
	w := newADFWorld(t, &routingv1.PutWebhookRequest{DealerId: "a", Kind: deliveryADFHTTP, Url: c.URL}, nil)
	w.start()
	w.customer(func(p *leadv1.Lead) {
		chooses("a")(p)
		p.Consents = append(p.Consents, &leadv1.Consent{
			Controller: leadv1.Controller_CONTROLLER_OEM, State: leadv1.ConsentState_CONSENT_STATE_REVOKED, ContactPoint: "+12125550123", At: p.GetReceivedAt(),
		})
	})
	w.until("delivery", func() bool { return w.state("a") == "delivered 1 200" })
	got := posted(t, c)[0]
	who, _ := got.Primary()
	if len(who.Phones) != 0 || len(who.Emails) != 1 {
		t.Errorf("phones %v, e-mails %v", who.Phones, who.Emails)
	}
	for _, want := range []string{"May be answered by: e-mail\n", "Not by: phone, text\n", "Left out: 1 contact points"} {
		if !strings.Contains(got.Customer.Comments, want) {
			t.Errorf("comments lack %q:\n%s", want, got.Customer.Comments)
		}
	}
}

// What a process of the first release wrote is delivered, and what it reads of ours does no harm.
func TestRowsOfTheFirstRelease(t *testing.T) {
	c := newCRM(t, nil)
	w := newADFWorld(t, &routingv1.PutWebhookRequest{DealerId: "a", Kind: deliveryADFHTTP, Url: c.URL}, nil)
	var url string
	if err := w.pool.QueryRow(t.Context(), "SELECT url FROM webhook WHERE dealer_id = 'a' AND enabled").Scan(&url); err != nil || url != "" {
		t.Errorf("it would post events to %q, %v", url, err)
	}
	// It puts a webhook for c, decides a lead and queues the push, as it does.
	secret := "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"
	if _, err := w.pool.Exec(t.Context(), "INSERT INTO webhook (webhook_id, dealer_id, department, url, secret, enabled) VALUES ('wh_old', 'c', 0, $1, $2, true)", c.URL, secret); err != nil {
		t.Fatal(err)
	}
	w.reload()
	w.customer(chooses("c"))
	w.start()
	w.until("delivery", func() bool { return w.state("c") == "delivered 1 200" })
	if err := signed(secret, c.got()[0]); err != nil {
		t.Error(err)
	}
	// It turns the address of a into a webhook: that is what it is from then on.
	if _, err := w.pool.Exec(t.Context(), `INSERT INTO webhook (webhook_id, dealer_id, department, url, secret, enabled) VALUES ('x', 'a', 0, $1, '', true)
		ON CONFLICT (dealer_id, department) DO UPDATE SET url = excluded.url, enabled = excluded.enabled`, c.URL); err != nil {
		t.Fatal(err)
	}
	w.reload()
	if got := w.s.engine.rules.Load().network.delivery("a", lead.DepartmentNew); got != deliveryWebhook {
		t.Errorf("delivered by %s", got)
	}
}

func TestWithoutRelayMailWaitsInTheInbox(t *testing.T) {
	w := newADFWorld(t, nil, nil)
	_, err := w.s.PutWebhook(t.Context(), &routingv1.PutWebhookRequest{DealerId: "a", Kind: deliveryADFEmail, Email: "leads@a.example.com"})
	wantReason(t, err, problemv1.Reason_REASON_INVALID_ARGUMENT)
	if _, err := newPusher(WebhookConfig{Mail: MailConfig{Relay: "relay.example.com", From: "x@example.com"}}, w.s, w.pool); err == nil {
		t.Error("a relay that is no URL is taken")
	}
	if _, err := newPusher(WebhookConfig{Mail: MailConfig{Relay: "smtp://relay.example.com"}}, w.s, w.pool); err == nil {
		t.Error("mail without a sender is taken")
	}
}
