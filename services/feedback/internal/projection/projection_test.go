package projection_test

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/measure"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/feedback/internal/projection"
	"google.golang.org/protobuf/types/known/timestamppb"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func event(source, kind string, version int64, minutes int, facts *leadv1.EventFacts) *leadv1.Event {
	return &leadv1.Event{
		Type: "leadmesh.lead." + kind + ".v1", LeadVersion: version, Source: source,
		OccurredAt: timestamppb.New(noon.Add(time.Duration(minutes) * time.Minute)), Facts: facts,
	}
}

func fold(events []*leadv1.Event) projection.Fact {
	var f projection.Fact
	for _, e := range events {
		c := projection.Of(e)
		f.Merge(&c)
	}
	return f
}

// TestOrderDoesNotMatter folds arbitrary events, ties of version and kind among them, in any order
// and in groups: the fact is the same.
func TestOrderDoesNotMatter(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	kinds := []string{"captured", "rejected", "parked", "woken", "decided", "delivered", "accepted", "declined", "transfer_offered",
		"transferred", "returned", "activity", "milestone", "deadline", "escalated", "state", "expired", "won", "lost", "unwound", "reopened",
		"transfer_declined", "transfer_lapsed", "merged_in", "escalation_needless", "unheard_of"}
	pick := func(words ...string) string { return words[rng.IntN(len(words))] }
	for range 300 {
		events := make([]*leadv1.Event, 1+rng.IntN(14))
		for i := range events {
			var due *timestamppb.Timestamp
			if rng.IntN(2) == 0 {
				due = timestamppb.New(noon.Add(time.Duration(rng.IntN(5)) * time.Hour))
			}
			events[i] = event(pick("capture", "routing", ""), kinds[rng.IntN(len(kinds))], rng.Int64N(4), rng.IntN(5), &leadv1.EventFacts{
				Test: rng.IntN(5) == 0, Line: pick("", "SALES", "SERVICE"), Source: pick("a", "b"), DealerId: pick("", "D1", "D2"),
				State: pick("", "", "ASSIGNED", "WON", "PARKED"), Code: pick("", "DATA", "PRICE", "WRONG_NUMBER"), DueAt: due, ReceivedAt: due,
				DeadlineKind: pick("", "RESPOND", "ACCEPT"), Kind: pick("RESPONDED", "ENGAGED", "APPOINTMENT_KEPT", "DELIVERED"),
				Verdict: pick("", "met", "breached", "unknown"), StoreSeconds: rng.Int64N(3), Actor: pick("", "bot", "p1"),
				Flags: rng.Int32N(3), ProbabilityPpm: rng.Int32N(3), Desk: rng.IntN(2) == 0,
			})
		}
		want := fold(events)
		rng.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
		if diff := cmp.Diff(want, fold(events)); diff != "" {
			t.Fatalf("the order matters (-in order +shuffled):\n%s", diff)
		}
		cut := rng.IntN(len(events) + 1)
		left, right := fold(events[:cut]), fold(events[cut:])
		left.Merge(&right)
		if diff := cmp.Diff(want, left); diff != "" {
			t.Fatalf("the grouping matters (-in order +grouped):\n%s", diff)
		}
		var stored projection.Detail
		raw, err := json.Marshal(&want.Detail)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(raw, &stored); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.Detail, stored); diff != "" {
			t.Fatalf("the detail does not survive storing (-want +got):\n%s", diff)
		}
	}
}

func TestOf(t *testing.T) {
	at := func(minutes int) time.Time { return noon.Add(time.Duration(minutes) * time.Minute) }
	stamp := func(minutes int) *timestamppb.Timestamp { return timestamppb.New(at(minutes)) }
	captured := event("capture", "captured", 9, 0, &leadv1.EventFacts{Line: "SALES", Source: "site", ReceivedAt: stamp(0)})
	decided := event("routing", "decided", 1, 1, &leadv1.EventFacts{State: "ASSIGNED", DealerId: "D1", DueAt: stamp(30), DeadlineKind: "RESPOND", DeliveredAt: stamp(1)})
	base := measure.LeadFact{
		Line: lead.LineSales, Source: "site", ReceivedAt: at(0), State: lead.StateAssigned, StateAt: at(1), DealerID: "D1",
		AssignedAt: at(1), DeliveredAt: at(1), DueAt: at(30), DueKind: "RESPOND", Assignments: 1,
	}
	for _, c := range []struct {
		name   string
		events []*leadv1.Event
		want   func(f *measure.LeadFact)
	}{
		{"routing outweighs capture's higher version", nil, func(*measure.LeadFact) {}},
		{"a breach that a late report disproves", []*leadv1.Event{
			event("routing", "deadline", 2, 30, &leadv1.EventFacts{DeadlineKind: "RESPOND", Verdict: "breached", DealerId: "D1", DueAt: stamp(30)}),
			event("routing", "milestone", 3, 10, &leadv1.EventFacts{Kind: "RESPONDED", Verdict: "met", DealerId: "D1", StoreSeconds: 540, Actor: "p1"}),
		}, func(f *measure.LeadFact) {
			f.RespondedAt, f.WorkedAt = at(10), at(10)
			f.StoreTimes = []time.Duration{9 * time.Minute}
			f.Clocks = []measure.Clock{{Kind: "RESPOND", DealerID: "D1", Verdict: measure.Met}}
		}},
		{"a milestone after the win does not move it", []*leadv1.Event{
			event("routing", "won", 5, 100, &leadv1.EventFacts{}),
			event("routing", "milestone", 6, 200, &leadv1.EventFacts{Kind: "VEHICLE_DELIVERED", State: "WON"}),
		}, func(f *measure.LeadFact) { f.State, f.StateAt, f.WorkedAt = lead.StateWon, at(100), at(200) }},
		{"an unwound win", []*leadv1.Event{
			event("routing", "won", 5, 100, &leadv1.EventFacts{}),
			event("routing", "unwound", 6, 200, &leadv1.EventFacts{Code: "UNWOUND"}),
		}, func(f *measure.LeadFact) { f.State, f.StateAt, f.Code = lead.StateLost, at(200), "UNWOUND" }},
		{"a hand-off that is answered", []*leadv1.Event{
			event("routing", "transfer_offered", 2, 5, &leadv1.EventFacts{RelatedId: "D2", DueAt: stamp(60)}),
			event("routing", "transferred", 3, 6, &leadv1.EventFacts{DealerId: "D2", RelatedId: "D1", DueAt: stamp(90), DeadlineKind: "RESPOND"}),
		}, func(f *measure.LeadFact) {
			f.DealerID, f.StateAt, f.DueAt, f.Assignments = "D2", at(6), at(90), 2
		}},
		{"a hand-off that is not", []*leadv1.Event{
			event("routing", "transfer_offered", 2, 5, &leadv1.EventFacts{RelatedId: "D2", DueAt: stamp(60)}),
		}, func(f *measure.LeadFact) { f.HandoffDueAt = at(60) }},
		{"a hand-off that lapsed", []*leadv1.Event{
			event("routing", "transfer_offered", 2, 5, &leadv1.EventFacts{RelatedId: "D2", DueAt: stamp(60)}),
			event("routing", "transfer_lapsed", 3, 60, &leadv1.EventFacts{RelatedId: "D2", State: "ASSIGNED"}),
		}, func(*measure.LeadFact) {}},
		{"a hand-off offered in the step in which another lapsed", []*leadv1.Event{
			event("routing", "transfer_offered", 2, 5, &leadv1.EventFacts{RelatedId: "D2", DueAt: stamp(60)}),
			event("routing", "transfer_lapsed", 3, 60, &leadv1.EventFacts{RelatedId: "D2", State: "ASSIGNED"}),
			event("routing", "transfer_offered", 3, 70, &leadv1.EventFacts{RelatedId: "D3", DueAt: stamp(130)}),
		}, func(f *measure.LeadFact) { f.HandoffDueAt = at(130) }},
		{"a hand-off of a lead that was closed and reopened", []*leadv1.Event{
			event("routing", "transfer_offered", 2, 5, &leadv1.EventFacts{RelatedId: "D2", DueAt: stamp(60)}),
			event("routing", "lost", 3, 20, &leadv1.EventFacts{Code: "PRICE"}),
			event("routing", "reopened", 4, 50, &leadv1.EventFacts{}),
		}, func(f *measure.LeadFact) { f.State, f.StateAt = lead.StateWorking, at(50) }},
		{"events that repeat the state do not move it", []*leadv1.Event{
			event("routing", "transfer_lapsed", 2, 10, &leadv1.EventFacts{State: "ASSIGNED"}),
			event("routing", "escalation_needless", 3, 20, &leadv1.EventFacts{State: "ASSIGNED", DueAt: stamp(300)}),
			event("routing", "merged_in", 4, 30, &leadv1.EventFacts{State: "ASSIGNED", RelatedId: "L2"}),
		}, func(*measure.LeadFact) {}},
		{"a bot works nothing", []*leadv1.Event{
			event("routing", "activity", 2, 5, &leadv1.EventFacts{Kind: "EMAIL", Actor: "bot"}),
		}, func(*measure.LeadFact) {}},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := base
			c.want(&want)
			fact := fold(append([]*leadv1.Event{decided, captured}, c.events...))
			if diff := cmp.Diff(want, fact.Measure(lead.ID{}, 0)); diff != "" {
				t.Errorf("fact (-want +got):\n%s", diff)
			}
		})
	}
}
