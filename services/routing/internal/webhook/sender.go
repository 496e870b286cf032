package webhook

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/leadmesh/leadmesh/services/routing/internal/endpoint"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

const contentType = "application/cloudevents+json; charset=utf-8"

// Message is one signed sending.
type Message struct {
	ID      string // the same over all attempts
	URL     string
	Secrets []string // at least one; while a secret is exchanged, the new and the old one
	Body    []byte
	At      time.Time
}

// Sender sends messages. Safe for concurrent use.
type Sender struct {
	client *endpoint.Client
}

// NewSender makes a sender.
func NewSender(client *endpoint.Client) *Sender { return &Sender{client} }

// Send sends a message once. Whatever goes wrong is in the answer.
func (s *Sender) Send(ctx context.Context, m Message) endpoint.Answer {
	header := http.Header{"Content-Type": {contentType}}
	if !Sign(header, m.Secrets, m.ID, m.At, m.Body) {
		return endpoint.Answer{Word: endpoint.WordBadSecret}
	}
	a, body := s.client.Post(ctx, m.URL, header, m.Body, m.At)
	var said struct {
		Acknowledged bool `json:"acknowledged"`
	}
	if a.Delivered() && json.Unmarshal(body, &said) == nil {
		a.Acknowledged = said.Acknowledged
	}
	return a
}

// Sign writes the header of Standard Webhooks 1.0 that identifies and signs a message, with a
// signature for each secret; ok is false if a secret cannot be used.
func Sign(header http.Header, secrets []string, id string, at time.Time, body []byte) (ok bool) {
	signatures := make([]string, 0, len(secrets))
	for _, secret := range secrets {
		hook, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			return false
		}
		signature, err := hook.Sign(id, at, body)
		if err != nil {
			return false
		}
		signatures = append(signatures, signature)
	}
	header.Set(standardwebhooks.HeaderWebhookID, id)
	header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(at.Unix(), 10))
	header.Set(standardwebhooks.HeaderWebhookSignature, strings.Join(signatures, " "))
	return len(signatures) > 0
}
