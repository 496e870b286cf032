package webhook_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/leadmesh/leadmesh/services/routing/internal/endpoint"
	"github.com/leadmesh/leadmesh/services/routing/internal/webhook"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// While a secret is exchanged, who has either of the two finds the message genuine.
func TestBothSecretsSign(t *testing.T) {
	var got http.Header
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header }))
	defer s.Close()
	fresh, old := webhook.NewSecret(), webhook.NewSecret()
	sender := webhook.NewSender(endpoint.NewClient(endpoint.Network{Loopback: true}, 20*time.Second))
	a := sender.Send(t.Context(), webhook.Message{ID: "1", URL: s.URL, Secrets: []string{fresh, old}, Body: []byte("{}"), At: time.Now()})
	if !a.Delivered() {
		t.Fatalf("%+v", a)
	}
	for _, secret := range []string{fresh, old} {
		hook, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			t.Fatal(err)
		}
		if err := hook.Verify([]byte("{}"), got); err != nil {
			t.Errorf("not genuine to one of the two: %v", err)
		}
	}
	if a := sender.Send(t.Context(), webhook.Message{ID: "1", URL: s.URL}); a.Word != endpoint.WordBadSecret {
		t.Errorf("sent without a signature: %+v", a)
	}
}

func TestCheckSecret(t *testing.T) {
	for secret, ok := range map[string]bool{
		webhook.NewSecret():                  true,
		"whsec_" + strings.Repeat("AAAA", 8): true,
		"whsec_" + strings.Repeat("AAAA", 7): false,
		strings.Repeat("AAAA", 8):            false,
		"whsec_????":                         false,
		"":                                   false,
		"whsec_" + strings.Repeat("A", 4*30): false,
	} {
		if err := webhook.CheckSecret(secret); (err == nil) != ok {
			t.Errorf("%q: %v", secret, err)
		}
	}
	if first, second := webhook.NewSecret(), webhook.NewSecret(); first == second {
		t.Error("two secrets are the same")
	}
}
