package sla_test

import (
	"testing"
	"time"

	"github.com/leadmesh/leadmesh/core/sla"
)

func TestGradeOf(t *testing.T) {
	tests := []struct {
		in   sla.Evidence
		want sla.Grade
	}{
		{sla.Evidence{}, sla.Blind},
		{sla.Evidence{Inbox: true}, sla.Observed},
		{sla.Evidence{Leads: 10}, sla.Blind},
		{sla.Evidence{Leads: 10, Inbox: true}, sla.Blind}, // an inbox nobody opens
		{sla.Evidence{Leads: 10, WithEvidence: 1}, sla.Partial},
		{sla.Evidence{Leads: 1000, WithEvidence: 899}, sla.Partial},
		{sla.Evidence{Leads: 1000, WithEvidence: 900}, sla.Observed},
	}
	for _, tt := range tests {
		if got := sla.GradeOf(tt.in, 90); got != tt.want {
			t.Errorf("%+v = %s, want %s", tt.in, got, tt.want)
		}
	}
	for _, v := range []sla.Verdict{sla.NotDue, sla.Running, sla.Met, sla.Missed} {
		want := v
		if v == sla.Met || v == sla.Missed {
			want = sla.Unknown
		}
		if sla.Observed.Shown(v) != v || sla.Partial.Shown(v) != want || sla.Blind.Shown(v) != want {
			t.Errorf("verdict %d is shown wrongly", v)
		}
	}
}

func TestJudge(t *testing.T) {
	p, c := ready(), newYork(t)
	start := at(t, wednesday10)
	s := begin(t, p, c, wednesday10)
	closed, _ := sla.Apply(p, c, s, sla.Event{Kind: sla.EventClosed, At: start.Add(10 * minute)})
	answered, _ := sla.Apply(p, c, s, sla.Event{Kind: sla.EventResponded, At: start.Add(15 * minute)})
	tests := []struct {
		name string
		s    sla.State
		now  time.Duration
		want sla.Verdicts
	}{
		{"at the limit", s, 15 * minute, sla.Verdicts{Acknowledge: sla.Missed, Accept: sla.Missed, Respond: sla.Running}},
		{"past it", s, 15*minute + 1, sla.Verdicts{Acknowledge: sla.Missed, Accept: sla.Missed, Respond: sla.Missed}},
		{"closed before it", closed, hour, sla.Verdicts{Acknowledge: sla.Missed, Accept: sla.Missed, Respond: sla.NotDue}},
		{"answered at the limit", answered, hour, sla.Verdicts{Acknowledge: sla.Missed, Accept: sla.Missed, Respond: sla.Met}},
	}
	for _, tt := range tests {
		if got := sla.Judge(tt.s, start.Add(tt.now)); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
	if d, wallClock, ok := sla.StoreTime(c, answered); d != 15*minute || wallClock || !ok {
		t.Errorf("store time %s, %t, %t", d, wallClock, ok)
	}
	if d, wallClock, ok := sla.StoreTime(nil, answered); d != 15*minute || !wallClock || !ok {
		t.Errorf("store time without hours %s, %t, %t", d, wallClock, ok)
	}
	if _, _, ok := sla.StoreTime(c, s); ok {
		t.Error("store time without a response")
	}
}
