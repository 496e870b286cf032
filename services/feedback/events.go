package feedback

import (
	"context"
	"fmt"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	store "github.com/leadmesh/leadmesh/services/feedback/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"google.golang.org/protobuf/proto"
)

const maxEvents = 5_000

// BatchAppendEvents adds events to the log, all or nothing. The figures tell them once they are
// folded, by Run.
func (s *Service) BatchAppendEvents(ctx context.Context, req *feedbackv1.BatchAppendEventsRequest) (*feedbackv1.BatchAppendEventsResponse, error) {
	now := s.now()
	events, err := parseEvents(req.GetEvents(), now)
	if err != nil {
		return nil, err
	}
	added, err := s.store.AppendEvents(ctx, events, now)
	if err != nil {
		return nil, err
	}
	if added > 0 {
		s.bell.ring()
	}
	return &feedbackv1.BatchAppendEventsResponse{Added: int32(added)}, nil
}

// ListLeadEvents answers the events of a lead, oldest first.
func (s *Service) ListLeadEvents(ctx context.Context, req *feedbackv1.ListLeadEventsRequest) (*feedbackv1.ListLeadEventsResponse, error) {
	id, err := lead.ParseID(req.GetLeadId())
	if err != nil {
		return nil, problem.Invalid(problem.Violation{Field: "lead_id", Description: err.Error()})
	}
	events, err := s.store.LeadEvents(ctx, id)
	if err != nil {
		return nil, err
	}
	return &feedbackv1.ListLeadEventsResponse{Events: events}, nil
}

func parseEvents(in []*leadv1.Event, now time.Time) ([]store.Event, error) {
	if len(in) > maxEvents {
		return nil, problem.Invalid(problem.Violation{Field: "events", Description: fmt.Sprintf("has %d; at most %d at once", len(in), maxEvents)})
	}
	var bad []problem.Violation
	events := make([]store.Event, len(in))
	for i, e := range in {
		wrong := func(field, what string) {
			bad = append(bad, problem.Violation{Field: fmt.Sprintf("events[%d].%s", i, field), Description: what})
		}
		eventID, err := lead.ParseID(e.GetEventId())
		if err != nil {
			wrong("event_id", err.Error())
		}
		leadID, err := lead.ParseID(e.GetLeadId())
		if err != nil {
			wrong("lead_id", err.Error())
		}
		if e.GetType() == "" {
			wrong("type", "is required")
		}
		if e.GetOccurredAt() == nil || !e.GetOccurredAt().IsValid() {
			wrong("occurred_at", "is required and must be a valid time")
		}
		facts, err := proto.Marshal(e.GetFacts())
		if err != nil {
			wrong("facts", "is no valid message")
		}
		if facts == nil { // no message and an empty one are the same
			facts = []byte{}
		}
		recorded := now
		if e.GetRecordedAt() != nil && e.GetRecordedAt().IsValid() {
			recorded = e.GetRecordedAt().AsTime()
		}
		if len(bad) > 0 {
			continue
		}
		events[i] = store.Event{
			ID: eventID, LeadID: leadID, LeadVersion: e.GetLeadVersion(), Type: e.GetType(), Source: e.GetSource(),
			OccurredAt: e.GetOccurredAt().AsTime(), RecordedAt: recorded, Traceparent: e.GetTraceparent(),
			Facts: facts,
		}
	}
	if len(bad) > 0 {
		return nil, problem.Invalid(bad...)
	}
	return events, nil
}
