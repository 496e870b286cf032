package sla_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leadmesh/leadmesh/core/sla"
)

func TestStateRoundTrip(t *testing.T) {
	at := time.Date(2026, 3, 8, 9, 30, 0, 123_000, time.UTC)
	full := sla.State{
		Deadlines: sla.Deadlines{
			Start: at, AcknowledgeBy: at.Add(1), AcceptBy: at.Add(time.Minute), WarnAt: at.Add(2 * time.Minute), RespondBy: at.Add(3 * time.Minute),
			ManagerAt: at.Add(time.Hour), FieldAt: at.Add(2 * time.Hour), AttemptsUntil: at.Add(99 * time.Hour), AfterHours: true, WallClock: true,
		},
		AssignedAt: at, DeliveredAt: at, AcknowledgedAt: at, AcceptedAt: at, RespondedAt: at, EngagedAt: at,
		Attempts:          []sla.Attempt{{At: at, Channel: 2}, {At: at.Add(time.Second), Channel: 1}},
		AcknowledgeMissed: true, AcceptMissed: true, Warned: true, Breached: true, Level: sla.LevelField, LevelAt: at, Slot: 4,
		Step: sla.StepVisited, StepFrom: at, StepIndex: 2, StepDue: at, TouchedAt: at, AskedAt: at, AskedDue: at,
		Appointments: []sla.Appointment{{ID: "a-1", At: at, Reminded: true, OutcomeAt: at.Add(time.Hour), Asked: true}, {ID: "", At: at}},
		PausedAt:     at, PausedUntil: at, PausedFor: time.Hour, Closed: true, ClosedAt: at, Expired: sla.ExpiredUnreachable,
	}
	full.Deadlines.AcknowledgeBy = at.Add(time.Millisecond)
	for name, in := range map[string]sla.State{"zero": {}, "full": full} {
		t.Run(name, func(t *testing.T) {
			out, err := sla.UnmarshalState(sla.MarshalState(in))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(in, out); d != "" {
				t.Error(d)
			}
		})
	}
}

func FuzzUnmarshalState(f *testing.F) {
	f.Add(sla.MarshalState(sla.State{}))
	f.Add(sla.MarshalState(sla.State{Attempts: []sla.Attempt{{}}, Appointments: []sla.Appointment{{ID: "x"}}}))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := sla.UnmarshalState(b)
		if err != nil {
			return
		}
		again, err := sla.UnmarshalState(sla.MarshalState(s))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(s, again); d != "" {
			t.Error(d)
		}
	})
}
