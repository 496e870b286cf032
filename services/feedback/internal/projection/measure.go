package projection

import (
	"slices"
	"strings"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/measure"
)

// Measure writes the fact as the figures read it. unreported is the number of the lead's
// appointments whose time has passed and of which nobody told the outcome.
func (f *Fact) Measure(id lead.ID, unreported int) measure.LeadFact {
	m := measure.LeadFact{
		LeadID: id, Test: f.Test, Line: f.Line.Value,
		Brand: f.Brand, Source: f.Source, Campaign: f.Campaign,
		Flags: int(f.Flags), BadContact: f.BadContact,
		RequestedAt: f.RequestedAt, ReceivedAt: f.ReceivedAt,
		State: f.State.Value.State, StateAt: f.State.Value.At, Code: f.State.Value.Code,
		ParkedWith: f.State.Value.Actor,
		DealerID:   f.Owner.Value.DealerID, Desk: f.Owner.Value.Desk,
		AssignedAt: f.AssignedAt, DeliveredAt: f.DeliveredAt, RespondedAt: f.RespondedAt,
		EngagedAt: f.EngagedAt, OrderedAt: f.Detail.OrderedAt,
		WorkedAt: f.WorkedAt,
		DueAt:    f.Deadline.Value.At, DueKind: f.Deadline.Value.Kind,
		HandoffDueAt:   f.Detail.Handoff.Value.DueAt,
		ProbabilityPPM: f.Owner.Value.ProbabilityPPM,
		Unreported:     unreported,
	}
	counts := f.Detail.Counts
	m.Assignments = int(f.Assignments)
	m.Attempts = int(counts["ATTEMPT"])
	m.TestDrives = int(counts["TEST_DRIVE"])
	m.ROsOpened = int(counts["RO_OPENED"])
	m.AppointmentsSet = int(counts["APPOINTMENT_SET"])
	m.Kept = int(counts["APPOINTMENT_KEPT"])
	m.NoShows = int(counts["APPOINTMENT_NO_SHOW"])
	for _, s := range f.Detail.StoreSeconds {
		m.StoreTimes = append(m.StoreTimes, time.Duration(s)*time.Second)
	}
	slices.Sort(m.StoreTimes)
	for key, c := range f.Detail.Clocks {
		kind, dealer, _ := strings.Cut(key, ":")
		m.Clocks = append(m.Clocks, measure.Clock{Kind: kind, DealerID: dealer, Verdict: measure.ParseVerdict(c.Verdict)})
	}
	slices.SortFunc(m.Clocks, func(a, b measure.Clock) int {
		return strings.Compare(a.Kind+":"+a.DealerID, b.Kind+":"+b.DealerID)
	})
	return m
}
