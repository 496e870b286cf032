package routing

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/routing/internal/mailertest"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"google.golang.org/protobuf/proto"
)

func TestPutWebhookSaysWhatIsWrong(t *testing.T) {
	w := newADFWorld(t, nil, mailertest.New(t, nil, false))
	for field, req := range map[string]*routingv1.PutWebhookRequest{
		"kind":          {Kind: "fax"},
		"email":         {Kind: deliveryADFEmail, Email: "Store <leads@a.example.com>"},
		"subject":       {Kind: deliveryADFEmail, Email: "leads@a.example.com", Subject: "a\r\nBcc: x@example.com"},
		"url":           {Kind: deliveryADFHTTP, Url: "ftp://a.example.com"},
		"content_type":  {Kind: deliveryADFHTTP, Url: "https://a.example.com", ContentType: "text/html"},
		"authorization": {Kind: deliveryADFHTTP, Url: "https://a.example.com", Authorization: "Basic x\r\ny"},
		"attachment":    {Url: "https://a.example.com", Attachment: true},
	} {
		req.DealerId = "a"
		_, err := w.s.PutWebhook(w.as("a"), req)
		wantReason(t, err, problemv1.Reason_REASON_INVALID_ARGUMENT)
		if !strings.Contains(err.Error(), "; "+field+": ") {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestWebhookIsShownAndRemoved(t *testing.T) {
	c := newCRM(t, nil)
	w := newADFWorld(t, &routingv1.PutWebhookRequest{DealerId: "a", Kind: deliveryADFHTTP, Url: c.URL, Authorization: "Bearer x", ContentType: "application/xml"}, nil)
	w.putKind("c", deliveryWebhook, c.URL)
	list, err := w.s.ListWebhooks(w.as("a"), &routingv1.ListWebhooksRequest{})
	if err != nil || len(list.GetWebhooks()) != 1 {
		t.Fatalf("%v, %v", list, err)
	}
	hook := list.GetWebhooks()[0]
	if hook.GetKind() != deliveryADFHTTP || hook.GetUrl() != c.URL || !hook.GetAuthorized() || !hook.GetEnabled() || hook.GetContentType() != "application/xml" {
		t.Errorf("%v", hook)
	}
	for _, secret := range []string{w.secrets["a"], "Bearer x"} {
		if strings.Contains(hook.String(), strings.TrimPrefix(secret, "whsec_")) {
			t.Error("a secret is answered")
		}
	}
	all, err := w.s.ListWebhooks(t.Context(), &routingv1.ListWebhooksRequest{})
	if err != nil || len(all.GetWebhooks()) != 2 {
		t.Errorf("%v, %v", all, err)
	}
	for name, call := range map[string]func() error{
		"get": func() error {
			_, err := w.s.GetWebhook(w.as("b"), &routingv1.GetWebhookRequest{WebhookId: hook.GetWebhookId()})
			return err
		},
		"delete": func() error {
			_, err := w.s.DeleteWebhook(w.as("b"), &routingv1.DeleteWebhookRequest{WebhookId: hook.GetWebhookId()})
			return err
		},
		"test": func() error {
			_, err := w.s.TestWebhook(w.as("b"), &routingv1.TestWebhookRequest{WebhookId: hook.GetWebhookId()})
			return err
		},
		"rotate": func() error {
			_, err := w.s.RotateWebhook(w.as("b"), &routingv1.RotateWebhookRequest{WebhookId: hook.GetWebhookId()})
			return err
		},
		"list": func() error {
			_, err := w.s.ListWebhooks(w.as("b"), &routingv1.ListWebhooksRequest{DealerId: "a"})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) { wantReason(t, call(), problemv1.Reason_REASON_NOT_YOUR_DEALER) })
	}
	id := w.customer(chooses("a"))
	if _, err := w.s.DeleteWebhook(w.as("a"), &routingv1.DeleteWebhookRequest{WebhookId: hook.GetWebhookId()}); err != nil {
		t.Fatal(err)
	}
	w.reload()
	w.start()
	w.until("the end", func() bool { return w.state("a") == "dead 0 disabled" })
	if w.kase(id).Owner.DeliveredAt.IsZero() {
		t.Error("the lead does not wait in the inbox")
	}
	_, err = w.s.GetWebhook(w.as("a"), &routingv1.GetWebhookRequest{WebhookId: hook.GetWebhookId()})
	wantReason(t, err, problemv1.Reason_REASON_NOT_FOUND)
}

func TestRotateWebhook(t *testing.T) {
	c := newCRM(t, nil)
	w := newPushWorld(t, map[string]string{"a": c.URL})
	list, err := w.s.ListWebhooks(w.as("a"), &routingv1.ListWebhooksRequest{})
	if err != nil {
		t.Fatal(err)
	}
	id, old := list.GetWebhooks()[0].GetWebhookId(), w.secrets["a"]
	fresh, err := w.s.RotateWebhook(w.as("a"), &routingv1.RotateWebhookRequest{WebhookId: id})
	if err != nil || fresh.GetSecret() == "" || fresh.GetSecret() == old || !fresh.GetOldSecretUntil().AsTime().Equal(w.now.Add(24*time.Hour)) {
		t.Fatalf("%v, %v", fresh, err)
	}
	genuine := func(secret string) bool {
		t.Helper()
		got := c.got()
		hook, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			t.Fatal(err)
		}
		return hook.VerifyIgnoringTimestamp(got[len(got)-1].body, got[len(got)-1].header) == nil
	}
	test := func() {
		t.Helper()
		resp, err := w.s.TestWebhook(w.as("a"), &routingv1.TestWebhookRequest{WebhookId: id})
		if err != nil || !resp.GetDelivered() {
			t.Fatalf("%v, %v", resp, err)
		}
	}
	test()
	if !genuine(old) || !genuine(fresh.GetSecret()) {
		t.Error("during the overlap who holds either secret must find messages genuine")
	}
	w.now = w.now.Add(25 * time.Hour)
	test()
	if genuine(old) || !genuine(fresh.GetSecret()) {
		t.Error("after the overlap only the new secret signs")
	}
	last := "whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 24)))
	if resp, err := w.s.RotateWebhook(w.as("a"), &routingv1.RotateWebhookRequest{WebhookId: id, Secret: last, OverlapHours: proto.Int32(0)}); err != nil || resp.GetSecret() != "" {
		t.Fatalf("%v, %v: a given secret is not answered", resp, err)
	}
	test()
	if genuine(fresh.GetSecret()) || !genuine(last) {
		t.Error("without an overlap the old secret signs no more")
	}
	for _, bad := range []*routingv1.RotateWebhookRequest{{Secret: "x"}, {Secret: last}, {OverlapHours: proto.Int32(-1)}, {OverlapHours: proto.Int32(721)}} {
		bad.WebhookId = id
		_, err := w.s.RotateWebhook(w.as("a"), bad)
		wantReason(t, err, problemv1.Reason_REASON_INVALID_ARGUMENT)
	}
}

func TestTestWebhook(t *testing.T) {
	var code atomic.Int32
	code.Store(200)
	c := newCRM(t, func(_ int, w http.ResponseWriter) {
		w.WriteHeader(int(code.Load()))
		_, _ = io.WriteString(w, "no such account")
	})
	insecure := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(insecure.Close)
	s := mailertest.New(t, nil, false)
	w := newADFWorld(t, &routingv1.PutWebhookRequest{DealerId: "a", Url: c.URL}, s)
	test := func() *routingv1.TestWebhookResponse {
		t.Helper()
		list, err := w.s.ListWebhooks(w.as("a"), &routingv1.ListWebhooksRequest{})
		if err != nil {
			t.Fatal(err)
		}
		resp, err := w.s.TestWebhook(w.as("a"), &routingv1.TestWebhookRequest{WebhookId: list.GetWebhooks()[0].GetWebhookId()})
		if err != nil || resp.GetReason() == "" {
			t.Fatalf("%v, %v", resp, err)
		}
		return resp
	}
	if r := test(); !r.GetDelivered() || r.GetAnswer() != "200" || r.GetStatus() != 200 || r.GetSaid() != "no such account" {
		t.Errorf("%v", r)
	}
	var e struct {
		Type string
		Data struct{ Lead struct{ Test bool } }
	}
	if err := json.Unmarshal(c.got()[0].body, &e); err != nil || e.Type != eventAssigned || !e.Data.Lead.Test {
		t.Errorf("%+v, %v: not marked as a test", e, err)
	}
	code.Store(401)
	if r := test(); r.GetDelivered() || r.GetAnswer() != "401" || !strings.Contains(r.GetReason(), "does not let us in") {
		t.Errorf("%v", r)
	}
	for url, want := range map[string]string{"http://127.0.0.1:1/": "refused", insecure.URL: "tls", "https://store.invalid/": "unknown_host"} {
		w.putKind("a", deliveryADFHTTP, url)
		if r := test(); r.GetDelivered() || r.GetAnswer() != want || r.GetStatus() != 0 {
			t.Errorf("%s: %v, want %s", url, r, want)
		}
	}
	code.Store(200)
	w.putKind("a", deliveryADFHTTP, c.URL)
	test()
	got := c.got()
	if p := prospects(t, got[len(got)-1].body)[0]; !strings.Contains(p.Customer.Comments, "TEST: ") {
		t.Errorf("not marked as a test:\n%s", p.Customer.Comments)
	}
	if _, err := w.s.PutWebhook(w.as("a"), &routingv1.PutWebhookRequest{DealerId: "a", Kind: deliveryADFEmail, Email: "leads@a.example.com", Attachment: true}); err != nil {
		t.Fatal(err)
	}
	if r := test(); !r.GetDelivered() || r.GetAnswer() != "smtp_250" || len(s.Got()) != 1 || !strings.Contains(string(s.Got()[0].Raw), "lead.xml") {
		t.Errorf("%v", r)
	}
	if got := w.state("a"); got != "" {
		t.Errorf("tests left deliveries: %s", got)
	}
	w.reload()
	_, err := w.s.RotateWebhook(w.as("a"), &routingv1.RotateWebhookRequest{WebhookId: w.s.engine.rules.Load().network.endpoint("a", 1).id})
	wantReason(t, err, problemv1.Reason_REASON_WRONG_STATE)
}

// A range of thousands goes to its address as fast as that takes them, and nobody else waits for it.
func TestRangeIsSentAgain(t *testing.T) {
	var well atomic.Bool
	c := newCRM(t, func(_ int, w http.ResponseWriter) {
		if !well.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	other := newCRM(t, nil)
	w := newADFWorld(t, &routingv1.PutWebhookRequest{DealerId: "a", Kind: deliveryADFHTTP, Url: c.URL}, nil)
	w.putKind("c", deliveryWebhook, other.URL)
	w.reload()
	const many = 300
	id := w.customer(chooses("a"))
	// The rest are deliveries of the same lead: what counts is how many there are.
	if _, err := w.pool.Exec(t.Context(), `INSERT INTO delivery (delivery_id, lead_id, sequence, dealer_id, webhook_id, state, attempts, last_answer, traceparent, created_at, at)
		SELECT gen_random_uuid(), lead_id, sequence, dealer_id, webhook_id, 3, 10, '500', traceparent, created_at - n * interval '1 second', at FROM delivery, generate_series(1, $1) n`, many-1); err != nil {
		t.Fatal(err)
	}
	if _, err := w.pool.Exec(t.Context(), "UPDATE delivery SET state = 3"); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(time.Minute)
	again := func(req *routingv1.RedeliverDeliveriesRequest) int32 {
		t.Helper()
		resp, err := w.s.RedeliverDeliveries(w.as("a"), req)
		if err != nil {
			t.Fatal(err)
		}
		return resp.GetCount()
	}
	if n := again(&routingv1.RedeliverDeliveriesRequest{From: nil, To: nil, RequestId: "after the outage"}); n != many {
		t.Errorf("%d made pending, want %d", n, many)
	}
	if n := again(&routingv1.RedeliverDeliveriesRequest{RequestId: "after the outage"}); n != 0 {
		t.Errorf("a repeated call made %d pending", n)
	}
	well.Store(true)
	w.customer(chooses("c"))
	w.start()
	w.until("the other store's lead", func() bool { return w.state("c") == "delivered 1 200" })
	var queued int
	if err := w.pool.QueryRow(t.Context(), "SELECT count(*) FROM routing_river.river_job WHERE state IN ('available', 'running', 'scheduled', 'retryable')").Scan(&queued); err != nil || queued > mostFed+2 {
		t.Errorf("%d jobs at once, %v: a range must not fill the queue", queued, err)
	}
	w.until("all of it", func() bool { return len(c.got()) == many })
	w.until("the books", func() bool {
		var open int
		err := w.pool.QueryRow(t.Context(), "SELECT count(*) FROM delivery WHERE state <> 2").Scan(&open)
		return err == nil && open == 0
	})
	// Those delivered are sent again only under a name, and once.
	_, err := w.s.RedeliverDeliveries(w.as("a"), &routingv1.RedeliverDeliveriesRequest{State: "delivered"})
	wantReason(t, err, problemv1.Reason_REASON_INVALID_ARGUMENT)
	list, err := w.s.ListWebhooks(w.as("a"), &routingv1.ListWebhooksRequest{})
	if err != nil {
		t.Fatal(err)
	}
	req := &routingv1.RedeliverDeliveriesRequest{State: "delivered", RequestId: "lost there", WebhookId: list.GetWebhooks()[0].GetWebhookId()}
	if first, second := again(req), again(req); first != many || second != 0 {
		t.Errorf("%d and %d made pending", first, second)
	}
	w.until("all of it again", func() bool { return len(c.got()) == 2*many })
	if n := again(req); n != 0 {
		t.Errorf("%d made pending after it was done", n)
	}
	for _, bad := range []*routingv1.RedeliverDeliveriesRequest{{State: "pending"}, {RequestId: strings.Repeat("x", 65)}} {
		_, err := w.s.RedeliverDeliveries(w.as("a"), bad)
		wantReason(t, err, problemv1.Reason_REASON_INVALID_ARGUMENT)
	}
	_, err = w.s.RedeliverDeliveries(t.Context(), &routingv1.RedeliverDeliveriesRequest{})
	wantReason(t, err, problemv1.Reason_REASON_INVALID_ARGUMENT)
	_, err = w.s.RedeliverDeliveries(w.as("b"), req)
	wantReason(t, err, problemv1.Reason_REASON_NOT_YOUR_DEALER)
	if found, err := w.s.ListDeliveries(w.as("a"), &routingv1.ListDeliveriesRequest{LeadId: id.String(), PageSize: 500}); err != nil || len(found.GetDeliveries()) != many {
		t.Errorf("%d deliveries of the lead, %v", len(found.GetDeliveries()), err)
	}
}
