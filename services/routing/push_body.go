package routing

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/leadmesh/leadmesh/core/lead"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/routing/internal/adfpost"
	"github.com/leadmesh/leadmesh/services/routing/internal/endpoint"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
	"github.com/leadmesh/leadmesh/services/routing/internal/webhook"
	"google.golang.org/protobuf/encoding/protojson"
)

// eventAssigned is the type of the event that is pushed.
const eventAssigned = "leadmesh.lead.assigned.v1"

// cloudEvent is an event in CloudEvents 1.0's structured JSON.
type cloudEvent struct {
	SpecVersion     string   `json:"specversion"`
	ID              string   `json:"id"`
	Source          string   `json:"source"`
	Type            string   `json:"type"`
	Subject         string   `json:"subject"`
	Time            string   `json:"time"`
	DataContentType string   `json:"datacontenttype"`
	Data            pushData `json:"data"`
}

// pushData is what a dealer's system is told of a lead.
type pushData struct {
	LeadVersion int64           `json:"lead_version"`
	Lead        json.RawMessage `json:"lead"`
	Assignment  json.RawMessage `json:"assignment"`
	Score       json.RawMessage `json:"score,omitempty"`
	Why         string          `json:"why"`
}

// parcel prepares one sending of a delivery as its address wants it; what it returns sends it.
func (p *pusher) parcel(rb *rulebook, d *delivery, k *postgres.Case, stored *leadv1.Lead, l *lead.Lead, hook *postgres.Webhook) (func(context.Context) endpoint.Answer, error) {
	now := p.s.now()
	if hook.Kind == postgres.KindWebhook {
		body, err := p.event(rb, d, k, stored, l)
		if err != nil {
			return nil, err
		}
		m := webhook.Message{ID: d.ID.String(), URL: hook.Address, Secrets: hook.Secrets(now), Body: body, At: now}
		return func(ctx context.Context) endpoint.Answer { return p.events.Send(ctx, m) }, nil
	}
	document, err := p.document(rb, d, k, l)
	if err != nil {
		return nil, err
	}
	if hook.Kind == postgres.KindADFHTTP {
		m := adfpost.Message{
			ID: d.ID.String(), URL: hook.Address, ContentType: hook.ContentType, Secrets: hook.Secrets(now), Authorization: hook.Authorization,
			Body: document, At: now,
		}
		return func(ctx context.Context) endpoint.Answer { return p.adf.Send(ctx, m) }, nil
	}
	if p.mail == nil {
		return func(context.Context) endpoint.Answer { return endpoint.Answer{Word: endpoint.WordNoRelay} }, nil
	}
	m := p.letter(d, hook, document)
	return func(ctx context.Context) endpoint.Answer { return p.mail.Send(ctx, m) }, nil
}

// event writes the event of a delivery.
func (p *pusher) event(rb *rulebook, d *delivery, k *postgres.Case, stored *leadv1.Lead, l *lead.Lead) (body []byte, err error) {
	write := protojson.MarshalOptions{UseProtoNames: true}
	e := cloudEvent{
		SpecVersion: "1.0", ID: d.ID.String(), Source: p.cfg.Source, Type: eventAssigned, Subject: d.LeadID.String(),
		Time: k.Owner.AssignedAt.UTC().Format("2006-01-02T15:04:05.999999Z07:00"), DataContentType: "application/json",
		Data: pushData{LeadVersion: k.Version, Why: k.Decision.GetWhy()},
	}
	if e.Data.Lead, err = write.Marshal(shown(stored, l, rb.network.dealers[d.DealerID])); err != nil {
		return nil, fmt.Errorf("write the lead: %w", err)
	}
	if e.Data.Assignment, err = write.Marshal(rb.network.assignment(k.Owner)); err != nil {
		return nil, fmt.Errorf("write the assignment: %w", err)
	}
	if s := k.Decision.GetScore(); s != nil {
		if e.Data.Score, err = write.Marshal(s); err != nil {
			return nil, fmt.Errorf("write the score: %w", err)
		}
	}
	if body, err = json.Marshal(e); err != nil {
		return nil, fmt.Errorf("write the event: %w", err)
	}
	return body, nil
}

// shown is a lead as a store may see it: of the consent facts that we know, those about the contact
// points of this lead, and none that another store or group holds.
func shown(stored *leadv1.Lead, l *lead.Lead, dealer *dealerView) *leadv1.Lead {
	points := map[string]bool{"": true}
	for i := range l.Parties {
		for _, email := range [...]bool{false, true} {
			for _, point := range pointsOf(l, &l.Parties[i], email) {
				points[point] = true
			}
		}
	}
	stored.Consents = slices.DeleteFunc(stored.Consents, func(c *leadv1.Consent) bool {
		own := dealer != nil && (c.GetControllerId() == dealer.dealer.GetDealerId() || c.GetControllerId() == dealer.dealer.GetGroup())
		return c.GetController() == leadv1.Controller_CONTROLLER_DEALER && !own || !points[lead.ContactPoint(c.GetContactPoint(), l.Market)]
	})
	return stored
}
