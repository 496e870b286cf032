// Package adfpost posts ADF documents to the systems of dealers over HTTPS, and reads whether they
// took them: some say no with the status of a success.
package adfpost

import (
	"context"
	"net/http"
	"time"

	"github.com/leadmesh/leadmesh/services/routing/internal/endpoint"
	"github.com/leadmesh/leadmesh/services/routing/internal/webhook"
)

// The content types a document may be posted as.
const (
	TypeADF = "application/x-adf+xml"
	TypeXML = "application/xml"
)

// Message is one document for one address.
type Message struct {
	ID            string // the same over all attempts
	URL           string
	ContentType   string   // TypeADF or TypeXML
	Secrets       []string // sign the document as a webhook's, which who does not check it may ignore
	Authorization string   // of the header of this name; "": none
	Body          []byte
	At            time.Time
}

// Sender posts documents. Safe for concurrent use.
type Sender struct {
	client *endpoint.Client
}

// NewSender makes a sender.
func NewSender(client *endpoint.Client) *Sender { return &Sender{client} }

// Send posts a document once. Whatever goes wrong is in the answer.
func (s *Sender) Send(ctx context.Context, m Message) endpoint.Answer {
	header := http.Header{"Content-Type": {m.ContentType}}
	if !webhook.Sign(header, m.Secrets, m.ID, m.At, m.Body) {
		return endpoint.Answer{Word: endpoint.WordBadSecret}
	}
	if m.Authorization != "" {
		header.Set("Authorization", m.Authorization)
	}
	a, body := s.client.Post(ctx, m.URL, header, m.Body, m.At)
	if a.Delivered() && Negative(body) {
		a.Outcome, a.Word = endpoint.Again, endpoint.WordNegative
	}
	return a
}
