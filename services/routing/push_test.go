package routing

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/leadmesh/leadmesh/core/lead"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"google.golang.org/protobuf/proto"
)

func TestAnEnabledAddressWinsOverTheInbox(t *testing.T) {
	w := newPushWorld(t, map[string]string{"b": "http://127.0.0.1:1/leads"})
	id := w.customer(chooses("b"))
	if got := w.state("b"); got != "pending 0 " {
		t.Errorf("a store whose row says inbox has the deliveries %q", got)
	}
	if k := w.kase(id); !k.Owner.DeliveredAt.IsZero() {
		t.Errorf("delivered at %v before it was pushed", k.Owner.DeliveredAt)
	}
	inbox, err := w.s.ListInbox(w.as("b"), &routingv1.ListInboxRequest{})
	if err != nil || len(inbox.GetItems()) != 1 {
		t.Errorf("the inbox shows %v, %v", inbox.GetItems(), err)
	}
	n := w.s.engine.rules.Load().network
	for _, tt := range []struct {
		dealer string
		kind   lead.Department
		want   string
	}{
		{"b", lead.DepartmentNew, deliveryWebhook}, {"b", lead.DepartmentService, deliveryWebhook},
		{"b", lead.DepartmentBody, deliveryWebhook}, // no row of its own
		{"a", lead.DepartmentNew, deliveryInbox},    // its row says webhook, but there is no address
		{"zz", lead.DepartmentNew, deliveryInbox},
	} {
		if got := n.delivery(tt.dealer, tt.kind); got != tt.want {
			t.Errorf("%s %s: delivered by %s, want %s", tt.dealer, tt.kind, got, tt.want)
		}
	}
	// Without the address it is the inbox again, from the moment on.
	put, err := w.s.PutWebhook(t.Context(), &routingv1.PutWebhookRequest{DealerId: "b", Url: "http://127.0.0.1:1/leads", Enabled: proto.Bool(false)})
	if err != nil || put.GetEnabled() {
		t.Fatalf("switched off: %v, %v", put, err)
	}
	w.reload()
	if k := w.kase(w.customer(chooses("b"))); k.Owner.DeliveredAt.IsZero() {
		t.Error("a lead for the inbox is not delivered")
	}
}

func TestPushIsSignedAndDelivered(t *testing.T) {
	c := newCRM(t, func(_ int, w http.ResponseWriter) { _, _ = io.WriteString(w, `{"acknowledged": true}`) })
	w := newPushWorld(t, map[string]string{"a": c.URL + "/leads"})
	w.start()
	id := w.customer(nil)
	w.until("delivery", func() bool { return w.state("a") == "delivered 1 200" })
	posts := c.got()
	if len(posts) != 1 {
		t.Fatalf("%d posts", len(posts))
	}
	if err := signed(w.secrets["a"], posts[0]); err != nil {
		t.Error(err)
	}
	if got := posts[0].header.Get("Content-Type"); !strings.HasPrefix(got, "application/cloudevents+json") {
		t.Errorf("content type %q", got)
	}
	var e struct {
		SpecVersion, ID, Source, Type, Subject, Time, DataContentType string
		Data                                                          struct {
			LeadVersion int64 `json:"lead_version"`
			Lead        struct {
				LeadID string `json:"lead_id"`
				Line   string
			}
			Assignment struct {
				DealerID string `json:"dealer_id"`
			}
			Score struct{ Points int }
			Why   string
		}
	}
	if err := json.Unmarshal(posts[0].body, &e); err != nil {
		t.Fatal(err)
	}
	if e.SpecVersion != "1.0" || e.ID != posts[0].header.Get("webhook-id") || e.Type != eventAssigned || e.Subject != id.String() ||
		e.Source == "" || e.DataContentType != "application/json" || e.Data.Lead.LeadID != id.String() || e.Data.Lead.Line != "LINE_SALES" ||
		e.Data.Assignment.DealerID != "a" || e.Data.Why == "" || e.Data.LeadVersion != 1 {
		t.Errorf("event %+v", e)
	}
	if _, err := time.Parse(time.RFC3339, e.Time); err != nil {
		t.Error(err)
	}
	k := w.kase(id)
	if !k.Owner.DeliveredAt.Equal(w.now) || !k.Owner.Clock.AcknowledgedAt.Equal(w.now) || k.Owner.Clock.Deadlines.RespondBy.IsZero() {
		t.Errorf("delivered %v, acknowledged %v, deadlines %+v", k.Owner.DeliveredAt, k.Owner.Clock.AcknowledgedAt, k.Owner.Clock.Deadlines)
	}
	events := strings.Join(w.events(id), ", ")
	if !strings.Contains(events, "delivered webhook") || !strings.Contains(events, "acknowledged") {
		t.Errorf("events %s", events)
	}
}

func TestPushIsTriedAgainThenDeadThenRedelivered(t *testing.T) {
	var well atomic.Bool
	c := newCRM(t, func(_ int, w http.ResponseWriter) {
		if !well.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	w := newPushWorld(t, map[string]string{"a": c.URL}, 10*time.Millisecond, 10*time.Millisecond)
	w.start()
	id := w.customer(nil)
	if !w.kase(id).Owner.DeliveredAt.IsZero() {
		t.Error("delivered before it was pushed")
	}
	w.until("the dead letter", func() bool { return w.state("a") == "dead 3 500" })
	if w.kase(id).Owner.DeliveredAt.IsZero() {
		t.Error("a lead that nobody took does not wait in the inbox: its clocks never run")
	}
	dead, err := w.s.ListDeliveries(t.Context(), &routingv1.ListDeliveriesRequest{State: "dead"})
	if err != nil || len(dead.GetDeliveries()) != 1 {
		t.Fatalf("dead letters %v, %v", dead, err)
	}
	well.Store(true)
	_, err = w.s.RedeliverDelivery(w.as("b"), &routingv1.RedeliverDeliveryRequest{DeliveryId: dead.GetDeliveries()[0].GetDeliveryId()})
	wantReason(t, err, problemv1.Reason_REASON_NOT_YOUR_DEALER)
	resp, err := w.s.RedeliverDelivery(w.as("a"), &routingv1.RedeliverDeliveryRequest{DeliveryId: dead.GetDeliveries()[0].GetDeliveryId()})
	if err != nil || resp.GetDelivery().GetState() == "dead" { // pending, or delivered already
		t.Fatalf("%v, %v", resp, err)
	}
	w.until("the redelivery", func() bool { return w.state("a") == "delivered 4 200" })
	posts := c.got()
	for _, p := range posts {
		if p.header.Get("webhook-id") != posts[0].header.Get("webhook-id") {
			t.Error("an attempt has another webhook-id")
		}
	}
	var personal int
	if err := w.pool.QueryRow(t.Context(), `SELECT count(*) FROM routing_river.river_job
		WHERE args::text || coalesce(errors::text, '') || metadata::text ~* 'ada@|moe|2125550123'`).Scan(&personal); err != nil || personal > 0 {
		t.Errorf("%d jobs with personal data, %v", personal, err)
	}
}

func TestGoneEndpointIsDisabled(t *testing.T) {
	c := newCRM(t, status(http.StatusGone))
	w := newPushWorld(t, map[string]string{"a": c.URL})
	w.start()
	id := w.customer(nil)
	w.until("the end", func() bool { return w.state("a") == "dead 1 410" })
	if w.kase(id).Owner.DeliveredAt.IsZero() {
		t.Error("the lead does not wait in the inbox")
	}
	w.reload()
	next := w.customer(nil)
	if k := w.kase(next); k.DealerID != "a" || k.Owner.DeliveredAt.IsZero() {
		t.Errorf("the next lead of %s was not put in the inbox", k.DealerID)
	}
	if len(c.got()) != 1 {
		t.Errorf("%d posts to an endpoint that is gone", len(c.got()))
	}
}

func TestChangedAddressWakesWhatWaits(t *testing.T) {
	broken, c := newCRM(t, status(http.StatusInternalServerError)), newCRM(t, nil)
	w := newPushWorld(t, map[string]string{"a": broken.URL}, time.Hour)
	w.start()
	w.customer(nil)
	w.until("the first attempt", func() bool { return w.state("a") == "pending 1 500" })
	if _, err := w.s.PutWebhook(t.Context(), &routingv1.PutWebhookRequest{DealerId: "a", Url: c.URL}); err != nil {
		t.Fatal(err)
	}
	w.until("delivery to the new address", func() bool { return w.state("a") == "delivered 2 200" })
	if got := c.got(); len(got) != 1 || signed(w.secrets["a"], got[0]) != nil {
		t.Errorf("%d posts to the new address, or not signed with the secret that stayed", len(got))
	}
}

func TestRetryAfterUsesNoAttempt(t *testing.T) {
	c := newCRM(t, func(n int, w http.ResponseWriter) {
		if n <= 2 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	})
	w := newPushWorld(t, map[string]string{"a": c.URL}, time.Hour)
	w.start()
	w.customer(nil)
	w.until("delivery", func() bool { return w.state("a") == "delivered 3 200" })
}

func TestHangingEndpointSlowsNobody(t *testing.T) {
	release := make(chan struct{})
	hanging := newCRM(t, func(int, http.ResponseWriter) { <-release })
	t.Cleanup(sync.OnceFunc(func() { close(release) })) // before the server is closed
	c := newCRM(t, nil)
	w := newPushWorld(t, map[string]string{"a": hanging.URL, "c": c.URL})
	const each = 30
	for range each { // those that hang are first in the queue
		w.customer(chooses("a"))
	}
	for range each {
		w.customer(chooses("c"))
	}
	w.start()
	w.until("everything for c", func() bool { return len(c.got()) == each })
	if n := len(hanging.got()); n > inFlightOfAnEndpoint {
		t.Errorf("%d attempts at an endpoint that hangs", n)
	}
	w.until("what c took", func() bool { return !strings.Contains(w.state("c"), "pending") })
}

const inFlightOfAnEndpoint = 2

func TestPushesSurviveARestart(t *testing.T) {
	var well atomic.Bool
	c := newCRM(t, func(_ int, w http.ResponseWriter) {
		if !well.Load() {
			w.WriteHeader(http.StatusBadGateway)
		}
	})
	w := newPushWorld(t, map[string]string{"a": c.URL}, time.Hour, time.Hour)
	w.start()
	w.customer(nil)
	w.until("the first attempt", func() bool { return w.state("a") == "pending 1 502" })
	w.stop()
	well.Store(true)
	w.now = w.now.Add(time.Second)
	w.customer(chooses("a")) // made while nobody pushes
	w.configure([]time.Duration{time.Hour, time.Hour})
	// The hour is over: the second attempt is due, and not before all is as it should be for it.
	if _, err := w.pool.Exec(t.Context(), `UPDATE routing_river.river_job SET scheduled_at = now() WHERE state = 'retryable'`); err != nil {
		t.Fatal(err)
	}
	w.start()
	w.until("both deliveries", func() bool { return w.state("a") == "delivered 1 200, delivered 2 200" })
}

// TestPushesWaitForTheDatabase starts the queues while the database is away, as it is when it
// restarts just after a process found it well.
func TestPushesWaitForTheDatabase(t *testing.T) {
	c := newCRM(t, nil)
	w := newPushWorld(t, map[string]string{"a": c.URL})
	cfg := w.pool.Config()
	dial, dials := cfg.ConnConfig.DialFunc, atomic.Int32{}
	cfg.ConnConfig.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if dials.Add(1) <= 2 {
			return nil, syscall.ECONNREFUSED
		}
		return dial(ctx, network, addr)
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	if w.s.push, err = newPusher(WebhookConfig{}, w.s, pool); err != nil {
		t.Fatal(err)
	}
	w.reload()
	w.start()
	w.customer(nil)
	w.until("delivery", func() bool { return w.state("a") == "delivered 1 200" })
	if n := dials.Load(); n < 3 {
		t.Errorf("the database was dialled %d times: it was never away", n)
	}
}

func TestConsentIsCheckedWhenSent(t *testing.T) {
	c := newCRM(t, nil)
	w := newPushWorld(t, map[string]string{"a": c.URL})
	id := w.customer(func(p *leadv1.Lead) {
		p.Consents = append(p.Consents, &leadv1.Consent{
			Controller: leadv1.Controller_CONTROLLER_DEALER, ControllerId: "a", Purpose: leadv1.Purpose_PURPOSE_SHARE_WITH_DEALER,
			State: leadv1.ConsentState_CONSENT_STATE_DENIED, At: p.GetReceivedAt(),
		})
	})
	w.start()
	w.until("the end", func() bool { return w.state("a") == "dead 0 consent" })
	if len(c.got()) != 0 {
		t.Error("sent against the customer's will")
	}
	_ = id
}

// TestStoreSeesNoForeignConsents holds that what Routing knows of the customer from elsewhere stays
// with it: other stores' facts, and contact points that the lead does not have.
func TestStoreSeesNoForeignConsents(t *testing.T) {
	c := newCRM(t, nil)
	w := newPushWorld(t, map[string]string{"a": c.URL})
	w.customer(func(p *leadv1.Lead) {
		own := p.GetParties()[0].GetPhones()[0].GetE164()
		for _, f := range []struct{ dealer, point string }{{"", ""}, {"a", own}, {"b", ""}, {"", "elsewhere@example.com"}} {
			fact := &leadv1.Consent{
				Controller: leadv1.Controller_CONTROLLER_OEM, Purpose: leadv1.Purpose_PURPOSE_MARKETING, ContactPoint: f.point,
				State: leadv1.ConsentState_CONSENT_STATE_GRANTED, At: p.GetReceivedAt(),
			}
			if f.dealer != "" {
				fact.Controller, fact.ControllerId = leadv1.Controller_CONTROLLER_DEALER, f.dealer
			}
			p.Consents = append(p.Consents, fact)
		}
	})
	w.start()
	w.until("the delivery", func() bool { return w.state("a") == "delivered 1 200" })
	body := string(c.got()[0].body)
	if n := strings.Count(body, `"PURPOSE_MARKETING"`); n != 2 || strings.Contains(body, "elsewhere") || strings.Contains(body, `"controller_id":"b"`) {
		t.Errorf("the store sees %d consents, want the manufacturer's and its own: %s", n, body)
	}
}

func TestLeadThatMovedIsNotPushed(t *testing.T) {
	c := newCRM(t, nil)
	w := newPushWorld(t, map[string]string{"a": c.URL})
	id := w.customer(nil)
	w.decline("a", id)
	w.start()
	w.until("the end", func() bool { return w.state("a") == "dead 0 moved" })
	if len(c.got()) != 0 {
		t.Error("a store was told of another's lead")
	}
}

func TestPutWebhook(t *testing.T) {
	w := newPushWorld(t, nil)
	secret := "whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 24)))
	put := func(ctx context.Context, dealer, url, secret string) (*routingv1.PutWebhookResponse, error) {
		return w.s.PutWebhook(ctx, &routingv1.PutWebhookRequest{DealerId: dealer, Url: url, Secret: secret})
	}
	oem := rpc.WithCaller(t.Context(), rpc.Caller{Roles: []rpc.Role{rpc.RoleOEM}})
	for _, c := range []struct {
		name   string
		ctx    context.Context
		dealer string
		url    string
		secret string
		want   problemv1.Reason
	}{
		{"plain http", oem, "a", "http://crm.example.com/", "", problemv1.Reason_REASON_INVALID_ARGUMENT},
		{"private", oem, "a", "https://10.0.0.8/", "", problemv1.Reason_REASON_INVALID_ARGUMENT},
		{"short secret", oem, "a", "https://crm.example.com/", "whsec_AAAA", problemv1.Reason_REASON_INVALID_ARGUMENT},
		{"no dealer", oem, "zz", "https://crm.example.com/", "", problemv1.Reason_REASON_NOT_FOUND},
		{"another dealer", w.as("b"), "a", "https://crm.example.com/", "", problemv1.Reason_REASON_NOT_YOUR_DEALER},
		{"our machine, by a dealer", w.as("a"), "a", "http://127.0.0.1:9/", "", problemv1.Reason_REASON_INVALID_ARGUMENT},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := put(c.ctx, c.dealer, c.url, c.secret)
			wantReason(t, err, c.want)
		})
	}
	first, err := put(w.as("a"), "a", "https://crm.example.com/", "")
	if err != nil || !strings.HasPrefix(first.GetSecret(), "whsec_") {
		t.Fatalf("%v, %v", first, err)
	}
	again, err := put(w.as("a"), "a", "https://crm.example.com/v2", "")
	if err != nil || again.GetSecret() != "" || again.GetWebhookId() != first.GetWebhookId() {
		t.Errorf("%v, %v: the secret is answered once and stays", again, err)
	}
	stored, err := w.s.store.Webhook(t.Context(), first.GetWebhookId())
	if err != nil || stored.Secret != first.GetSecret() || stored.Address != "https://crm.example.com/v2" {
		t.Errorf("%+v, %v", stored, err)
	}
	if given, err := put(w.as("a"), "a", "https://crm.example.com/v2", secret); err != nil || given.GetSecret() != "" {
		t.Errorf("%v, %v: a given secret is not answered", given, err)
	}
}

func TestDeliveriesComeInPages(t *testing.T) {
	w := newPushWorld(t, map[string]string{"a": "https://crm.example.com/"})
	want := map[string]bool{}
	for range 5 {
		want[w.customer(chooses("a")).String()] = true
	}
	got := map[string]bool{}
	token := ""
	for pages := 0; ; pages++ {
		resp, err := w.s.ListDeliveries(w.as("a"), &routingv1.ListDeliveriesRequest{PageSize: 2, PageToken: token, State: "pending"})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range resp.GetDeliveries() {
			got[d.GetLeadId()] = true
		}
		if token = resp.GetNextPageToken(); token == "" {
			if pages != 2 {
				t.Errorf("%d pages", pages+1)
			}
			break
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("leads (-want +got):\n%s", d)
	}
	for _, bad := range []*routingv1.ListDeliveriesRequest{{PageToken: "x"}, {State: "lost"}, {PageSize: -1}, {PageSize: 501}} {
		_, err := w.s.ListDeliveries(w.as("a"), bad)
		wantReason(t, err, problemv1.Reason_REASON_INVALID_ARGUMENT)
	}
	_, err := w.s.ListDeliveries(w.as("b"), &routingv1.ListDeliveriesRequest{DealerId: "a"})
	wantReason(t, err, problemv1.Reason_REASON_NOT_YOUR_DEALER)
}

func FuzzDeliveryToken(f *testing.F) {
	f.Add("")
	f.Add(deliveryToken(monday, lead.NewID([]byte("test"), "x")))
	f.Fuzz(func(t *testing.T, text string) {
		at, id, ok := readDeliveryToken(text)
		if ok && text != "" && deliveryToken(at, id) != text {
			t.Errorf("%q is written %q", text, deliveryToken(at, id))
		}
	})
}
