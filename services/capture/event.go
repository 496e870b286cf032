package capture

import (
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	store "github.com/leadmesh/leadmesh/services/capture/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
)

// The events Capture records.
const (
	eventCaptured = "leadmesh.lead.captured.v1"
	eventRejected = "leadmesh.lead.rejected.v1"
	eventParked   = "leadmesh.lead.parked.v1"
	eventUpdated  = "leadmesh.lead.updated.v1"
	eventWoken    = "leadmesh.lead.woken.v1"
)

// Versions of a lead while Capture is its authority: being captured is the first; what Capture does to
// it later is the newer the later it is, by milliseconds since receipt. Routing counts from 1 again:
// its word outweighs any of Capture's.
const (
	versionCaptured = 1
	versionLater    = 2
)

// event makes an event about an intake.
func (in *intake) event(kind string, at time.Time) *leadv1.Event {
	e := leadEvent(&in.lead, kind, at)
	e.LeadId, e.Traceparent = in.id.String(), in.traceparent
	switch {
	case kind == eventUpdated: // says nothing about where the lead stands
	case in.place == store.Rejected:
		e.Facts.State = lead.StateRejected.String()
	case in.place == store.Parked:
		e.Facts.State = lead.StateParked.String()
	}
	switch kind {
	case eventCaptured:
		e.Facts.State = lead.StatePending.String()
	case eventRejected:
		e.Facts.Code, e.Facts.Note = in.code, in.detail
	case eventParked:
		e.Facts.Code, e.Facts.Note = lead.ParkReasonData.String(), in.detail
	}
	return e
}

// leadEvent makes an event with the facts of a lead that reports count by.
func leadEvent(l *lead.Lead, kind string, at time.Time) *leadv1.Event {
	version := int64(versionCaptured)
	if kind != eventCaptured {
		version = versionLater + max(at.Sub(l.ReceivedAt).Milliseconds(), 0)
	}
	campaign := l.Campaign.ID
	if campaign == "" {
		campaign = l.Campaign.Name
	}
	return &leadv1.Event{
		Type: kind, LeadId: l.ID.String(), LeadVersion: version, Source: "capture",
		OccurredAt: leadconv.Time(at), RecordedAt: leadconv.Time(at),
		Facts: &leadv1.EventFacts{
			Test: l.Test, Line: l.Line.String(), Brand: l.Brand, Source: l.Source.Source, Campaign: campaign,
			Channel: l.Source.Channel, Origin: l.Origin.String(), Market: l.Market, Flags: int32(len(l.Flags)),
			RequestedAt: leadconv.Time(l.RequestedAt), ReceivedAt: leadconv.Time(l.ReceivedAt), Actor: "system",
		},
	}
}
