package routing

import (
	"encoding/json"
	"fmt"

	"github.com/leadmesh/leadmesh/core/lead"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
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

// body writes the event of a delivery; ok is false if the customer does not want the lead shared
// with this dealer, as far as is known now.
func (p *pusher) body(rb *rulebook, d *postgres.Delivery, k *postgres.Case) (body []byte, ok bool, err error) {
	stored := &leadv1.Lead{}
	if err := proto.Unmarshal(k.Lead, stored); err != nil {
		return nil, false, fmt.Errorf("decode the lead: %w", err)
	}
	l, wrong := leadconv.FromProto(stored)
	if len(wrong) > 0 {
		return nil, false, fmt.Errorf("a stored lead has %d wrong fields", len(wrong))
	}
	if !lead.MayShare(l.Consents, d.DealerID, p.s.now()) || !rb.mayShare(&l, p.s.now()) {
		return nil, false, nil
	}
	write := protojson.MarshalOptions{UseProtoNames: true}
	e := cloudEvent{
		SpecVersion: "1.0", ID: d.ID.String(), Source: p.cfg.Source, Type: eventAssigned, Subject: d.LeadID.String(),
		Time: k.Owner.AssignedAt.UTC().Format("2006-01-02T15:04:05.999999Z07:00"), DataContentType: "application/json",
		Data: pushData{LeadVersion: k.Version, Why: k.Decision.GetWhy()},
	}
	if e.Data.Lead, err = write.Marshal(stored); err != nil {
		return nil, false, fmt.Errorf("write the lead: %w", err)
	}
	if e.Data.Assignment, err = write.Marshal(rb.network.assignment(k.Owner)); err != nil {
		return nil, false, fmt.Errorf("write the assignment: %w", err)
	}
	if s := k.Decision.GetScore(); s != nil {
		if e.Data.Score, err = write.Marshal(s); err != nil {
			return nil, false, fmt.Errorf("write the score: %w", err)
		}
	}
	body, err = json.Marshal(e)
	if err != nil {
		return nil, false, fmt.Errorf("write the event: %w", err)
	}
	return body, true, nil
}
