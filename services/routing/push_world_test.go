package routing

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/playbookfeed"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
)

// pushWorld is a world whose stores a and c want their leads pushed.
type pushWorld struct {
	*world
	secrets map[string]string // by dealer
	mail    MailConfig
	stop    func()
}

// newPushWorld sets up the addresses; nothing is pushed before start.
func newPushWorld(t *testing.T, urls map[string]string, retries ...time.Duration) *pushWorld {
	t.Helper()
	w := &pushWorld{world: newWorld(t), secrets: map[string]string{}, stop: func() {}}
	w.s.playbooks = playbookfeed.New(nil, w.s.log)
	rows := testNetwork()
	rows.Dealers[0].Departments[0].Delivery, rows.Dealers[2].Departments[0].Delivery = deliveryWebhook, deliveryWebhook
	if _, err := w.s.store.EditNetwork(t.Context(), w.now, func(*postgres.NetworkRows) (*postgres.NetworkRows, error) { return rows, nil }); err != nil {
		t.Fatal(err)
	}
	w.configure(retries)
	for dealer, url := range urls {
		resp, err := w.s.PutWebhook(t.Context(), &routingv1.PutWebhookRequest{DealerId: dealer, Url: url})
		if err != nil {
			t.Fatal(err)
		}
		if !resp.GetEnabled() {
			t.Fatalf("the address of %s is not pushed to, though nothing says so", dealer)
		}
		w.secrets[dealer] = resp.GetSecret()
	}
	w.reload()
	return w
}

func (w *pushWorld) configure(retries []time.Duration) {
	w.t.Helper()
	p, err := newPusher(WebhookConfig{Retries: retries, Timeout: 20 * time.Second, Mail: w.mail}, w.s, w.pool)
	if err != nil {
		w.t.Fatal(err)
	}
	w.s.push = p
}

// reload takes the network of the database into force.
func (w *pushWorld) reload() {
	w.t.Helper()
	rows, err := w.s.store.Network(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	view, err := newNetworkView(rows)
	if err != nil {
		w.t.Fatal(err)
	}
	view.mail = w.s.push.mail != nil
	rb, err := newRulebook(&playbookfeed.Snapshot{Playbook: w.rb.playbook, Secret: w.rb.secret}, view)
	if err != nil {
		w.t.Fatal(err)
	}
	w.s.engine.rules.Store(rb)
}

// start runs the pushes until the test ends.
func (w *pushWorld) start() {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	push := w.s.push
	go func() { done <- push.run(ctx) }()
	w.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Errorf("pushes ended with %v", err)
		}
	})
	w.t.Cleanup(w.stop)
}

// until waits for something that other goroutines bring about.
func (w *pushWorld) until(what string, holds func() bool) {
	w.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(time.Minute)
	for !holds() {
		select {
		case <-tick.C:
		case <-limit:
			w.t.Fatalf("never came: %s; a has %s; c has %s", what, w.state("a"), w.state("c"))
		}
	}
}

// deliveries are a dealer's, as "state attempts answer", the newest first.
func (w *pushWorld) deliveries(dealer string) (words []string, list []*routingv1.Delivery) {
	w.t.Helper()
	resp, err := w.s.ListDeliveries(w.as(dealer), &routingv1.ListDeliveriesRequest{})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, d := range resp.GetDeliveries() {
		words = append(words, strings.Join([]string{d.GetState(), strconv.Itoa(int(d.GetAttempts())), d.GetLastAnswer()}, " "))
	}
	return words, resp.GetDeliveries()
}

func (w *pushWorld) state(dealer string) string {
	words, _ := w.deliveries(dealer)
	return strings.Join(words, ", ")
}

// crm is a dealer's system. answer says what it answers.
type crm struct {
	*httptest.Server
	mu     sync.Mutex
	posts  []post
	answer func(n int, w http.ResponseWriter)
}

type post struct {
	header http.Header
	body   []byte
}

func newCRM(t *testing.T, answer func(n int, w http.ResponseWriter)) *crm {
	c := &crm{answer: answer}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("body: %v", err)
		}
		c.mu.Lock()
		c.posts = append(c.posts, post{r.Header.Clone(), body})
		n := len(c.posts)
		c.mu.Unlock()
		if c.answer != nil {
			c.answer(n, w)
		}
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *crm) got() []post {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]post(nil), c.posts...)
}

func status(code int) func(int, http.ResponseWriter) {
	return func(_ int, w http.ResponseWriter) { w.WriteHeader(code) }
}

// signed checks a signature by the text of Standard Webhooks, without the library that made it.
func signed(secret string, p post) error {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return err
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(p.header.Get("webhook-id") + "." + p.header.Get("webhook-timestamp") + "." + string(p.body)))
	if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); p.header.Get("webhook-signature") != want {
		return errors.New("signature " + p.header.Get("webhook-signature") + " instead of " + want)
	}
	return nil
}
