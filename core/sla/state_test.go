package sla_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leadmesh/leadmesh/core/sla"
)

func TestDeadlineKindText(t *testing.T) {
	seen := map[string]bool{}
	for k := sla.DueAccept; k <= sla.DueWindowEnd; k++ {
		if s := k.String(); s == "" || seen[s] {
			t.Errorf("deadline kind %d is called %q", k, s)
		}
		seen[k.String()] = true
	}
	for _, k := range []sla.DeadlineKind{0, sla.DueWindowEnd + 1} {
		if s := k.String(); s != "" {
			t.Errorf("no deadline kind %d is called %q", k, s)
		}
	}
}

func TestLateReportProvesEscalationNeedless(t *testing.T) {
	p, c := ready(), newYork(t)
	s := begin(t, p, c, wednesday10)
	start := at(t, wednesday10)
	s, _, _ = sweep(t, p, c, s, start.Add(61*minute)) // up to the field team
	kinds := func(effects []sla.Effect) (out []sla.DeadlineKind) {
		for _, e := range effects {
			if e.Kind != sla.EscalationNeedless {
				t.Errorf("effect %+v", e)
			}
			out = append(out, e.Deadline)
		}
		return out
	}
	s, effects := sla.Apply(p, c, s, sla.Event{Kind: sla.EventResponded, At: start.Add(20 * minute)})
	if diff := cmp.Diff([]sla.DeadlineKind{sla.DueEscalateManager, sla.DueEscalateField}, kinds(effects)); diff != "" {
		t.Error(diff)
	}
	if v := sla.Judge(s, start.Add(2*hour)); v.Respond != sla.Missed {
		t.Errorf("20 minutes late: %+v", v)
	}
	s, effects = sla.Apply(p, c, s, sla.Event{Kind: sla.EventResponded, At: start.Add(5 * minute)})
	if diff := cmp.Diff([]sla.DeadlineKind{sla.DueAccept, sla.DueRespond, sla.DueEscalatePerson}, kinds(effects)); diff != "" {
		t.Error(diff)
	}
	if v := sla.Judge(s, start.Add(2*hour)); v.Respond != sla.Met || v.Accept != sla.Met || v.Acknowledge != sla.Missed {
		t.Errorf("5 minutes: %+v", v)
	}
	if s, effects = sla.Apply(p, c, s, sla.Event{Kind: sla.EventResponded, At: start.Add(5 * minute)}); effects != nil {
		t.Errorf("the same report again: %+v", effects)
	}
	if d, _ := sla.Next(p, c, s); d.Kind != sla.DueAttempt {
		t.Errorf("the ladder goes on: %s", d.Kind)
	}
}

func TestDeliveryStartsTheStoresClock(t *testing.T) {
	p, c := ready(), newYork(t)
	start := at(t, wednesday10)
	s := sla.Begin(p, c, sla.Facts{At: start, Sender: true})
	s, _, _ = sweep(t, p, c, s, start.Add(20*minute))
	if v := sla.Judge(s, start.Add(hour)); v != (sla.Verdicts{}) {
		t.Errorf("undelivered: %+v", v)
	}
	s, effects := sla.Apply(p, c, s, sla.Event{Kind: sla.EventDelivered, At: start.Add(25 * minute)})
	if len(effects) != 3 { // respond, person, accept
		t.Errorf("effects %+v", effects)
	}
	if d, _ := sla.Next(p, c, s); d.Kind != sla.DueAccept || !d.At.Equal(start.Add(32*minute+30*time.Second)) {
		t.Errorf("next %s %s", d.Kind, d.At)
	}
	if v := sla.Judge(s, start.Add(30*minute)); v.Respond != sla.Running {
		t.Errorf("%+v", v)
	}
}

func TestNextSteps(t *testing.T) {
	const T = "2026-06-10T11:00:00-04:00"
	ev := func(k sla.EventKind, s string) sla.Event { return sla.Event{Kind: k, At: at(t, s)} }
	appointment := func(k sla.EventKind, s, start string) sla.Event {
		e := ev(k, s)
		e.Appointment, e.AppointmentAt = "a1", at(t, start)
		return e
	}
	on := func(k sla.EventKind, s, appointment string) sla.Event {
		e := ev(k, s)
		e.Appointment = appointment
		return e
	}
	until := func(k sla.EventKind, s, u string) sla.Event { e := ev(k, s); e.Until = at(t, u); return e }
	inbound := func(s string) sla.Event { e := ev(sla.EventEngaged, s); e.Inbound = true; return e }
	responded := ev(sla.EventResponded, "2026-06-10T10:05:00-04:00")
	tests := []struct {
		name   string
		events []sla.Event
		want   string // kind and time of the next deadline
	}{
		{"responded: the plan goes on", nil, "ATTEMPT 2026-06-10T12:15:00-04:00"},
		{"engaged without appointment: 24 h", []sla.Event{ev(sla.EventEngaged, T)}, "NEXT_STEP 2026-06-11T11:00:00-04:00"},
		{"24 h ending on Sunday move to the opening", []sla.Event{ev(sla.EventEngaged, "2026-06-13T12:00:00-04:00")}, "NEXT_STEP 2026-06-15T09:00:00-04:00"},
		{"customer wrote: 60 min", []sla.Event{inbound(T)}, "NEXT_STEP 2026-06-10T12:00:00-04:00"},
		{"customer wrote after closing", []sla.Event{inbound("2026-06-10T19:00:00-04:00")}, "NEXT_STEP 2026-06-11T09:30:00-04:00"},
		{"answered: 24 h from the answer", []sla.Event{inbound(T), ev(sla.EventAttempt, "2026-06-10T11:10:00-04:00")}, "NEXT_STEP 2026-06-11T11:10:00-04:00"},
		{"answer known before the question", []sla.Event{ev(sla.EventAttempt, "2026-06-10T11:10:00-04:00"), inbound(T)}, "NEXT_STEP 2026-06-11T11:10:00-04:00"},
		{"appointment: remind T-24 h", []sla.Event{appointment(sla.EventAppointmentSet, T, "2026-06-13T10:00:00-04:00")}, "APPOINTMENT_REMIND 2026-06-12T10:00:00-04:00"},
		{"appointment soon: outcome T+2 h", []sla.Event{appointment(sla.EventAppointmentSet, T, "2026-06-10T15:00:00-04:00")}, "APPOINTMENT_OUTCOME 2026-06-10T17:00:00-04:00"},
		{"appointment moved", []sla.Event{appointment(sla.EventAppointmentSet, T, "2026-06-10T15:00:00-04:00"), appointment(sla.EventAppointmentMoved, T, "2026-06-12T15:00:00-04:00")}, "APPOINTMENT_REMIND 2026-06-11T15:00:00-04:00"},
		{"cancelled: engaged without appointment", []sla.Event{appointment(sla.EventAppointmentSet, T, "2026-06-13T10:00:00-04:00"), on(sla.EventAppointmentCancelled, "2026-06-11T10:00:00-04:00", "a1")}, "NEXT_STEP 2026-06-12T10:00:00-04:00"},
		{"no show: 2 h", []sla.Event{appointment(sla.EventAppointmentSet, T, "2026-06-10T15:00:00-04:00"), on(sla.EventAppointmentNoShow, "2026-06-10T15:00:00-04:00", "a1")}, "NEXT_STEP 2026-06-10T17:00:00-04:00"},
		{"no show, called: then 24 h", []sla.Event{ev(sla.EventAppointmentNoShow, "2026-06-10T15:00:00-04:00"), ev(sla.EventAttempt, "2026-06-10T15:30:00-04:00")}, "NEXT_STEP 2026-06-11T15:00:00-04:00"},
		{"kept: 24 h", []sla.Event{ev(sla.EventAppointmentKept, "2026-06-10T15:00:00-04:00")}, "NEXT_STEP 2026-06-11T15:00:00-04:00"},
		{"kept, called: 72 h", []sla.Event{ev(sla.EventAppointmentKept, T), ev(sla.EventAttempt, "2026-06-11T09:00:00-04:00")}, "NEXT_STEP 2026-06-13T11:00:00-04:00"},
		{"one call with three events is one step", []sla.Event{ev(sla.EventVisited, "2026-06-10T10:30:00-04:00"), ev(sla.EventAttempt, T), ev(sla.EventResponded, T), ev(sla.EventEngaged, T)}, "NEXT_STEP 2026-06-13T10:30:00-04:00"},
		{"call before a late report of the visit", []sla.Event{ev(sla.EventAttempt, "2026-06-10T12:00:00-04:00"), ev(sla.EventVisited, T)}, "NEXT_STEP 2026-06-13T11:00:00-04:00"},
		{"ordered: 14 d", []sla.Event{ev(sla.EventOrdered, T)}, "NEXT_STEP 2026-06-24T11:00:00-04:00"},
		{"call me on D", []sla.Event{until(sla.EventCallOn, T, "2026-06-20T10:00:00-04:00")}, "NEXT_STEP 2026-06-20T10:00:00-04:00"},
		{"called on that day", []sla.Event{until(sla.EventCallOn, T, "2026-06-19T15:00:00-04:00"), ev(sla.EventAttempt, "2026-06-19T14:50:00-04:00")}, "NEXT_STEP 2026-06-20T14:50:00-04:00"},
		{"called on another day", []sla.Event{until(sla.EventCallOn, T, "2026-06-19T15:00:00-04:00"), ev(sla.EventAttempt, "2026-06-18T14:50:00-04:00")}, "NEXT_STEP 2026-06-19T15:00:00-04:00"},
		{"pause", []sla.Event{ev(sla.EventEngaged, T), until(sla.EventPaused, T, "2026-07-01T10:00:00-04:00")}, "REVIEW 2026-07-01T10:00:00-04:00"},
		{"pause is limited", []sla.Event{until(sla.EventPaused, T, "2027-07-01T10:00:00-04:00")}, "REVIEW 2026-09-08T11:00:00-04:00"},
		{"customer wrote during the pause", []sla.Event{ev(sla.EventEngaged, T), until(sla.EventPaused, T, "2026-07-01T10:00:00-04:00"), inbound("2026-06-17T10:00:00-04:00")}, "NEXT_STEP 2026-06-17T11:00:00-04:00"},
		{"resumed early", []sla.Event{ev(sla.EventEngaged, T), until(sla.EventPaused, T, "2026-07-01T10:00:00-04:00"), ev(sla.EventResumed, "2026-06-17T10:00:00-04:00")}, "NEXT_STEP 2026-06-18T10:00:00-04:00"},
		{"asked again: 60 min", []sla.Event{ev(sla.EventAskedAgain, T)}, "ASKED_AGAIN 2026-06-10T12:00:00-04:00"},
		{"asked again, answered", []sla.Event{ev(sla.EventAskedAgain, T), ev(sla.EventAttempt, "2026-06-10T11:30:00-04:00")}, "ATTEMPT 2026-06-10T12:15:00-04:00"},
		{"late report of an older engagement", []sla.Event{ev(sla.EventVisited, "2026-06-12T15:00:00-04:00"), ev(sla.EventEngaged, T)}, "NEXT_STEP 2026-06-13T15:00:00-04:00"},
		{"reopened", []sla.Event{ev(sla.EventEngaged, T), ev(sla.EventClosed, "2026-06-17T10:00:00-04:00"), ev(sla.EventReopened, "2026-06-18T10:00:00-04:00")}, "ASKED_AGAIN 2026-06-18T11:00:00-04:00"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, c := ready(), newYork(t)
			s := begin(t, p, c, wednesday10)
			for _, e := range append([]sla.Event{responded}, tt.events...) {
				s, _ = sla.Apply(p, c, s, e)
				again, _ := sla.Apply(p, c, s, e)
				if diff := cmp.Diff(s, again); diff != "" {
					t.Fatalf("applied twice: %s", diff)
				}
			}
			d, ok := sla.Next(p, c, s)
			if got := d.Kind.String() + " " + d.At.In(zone(t, "America/New_York")).Format(time.RFC3339); !ok || got != tt.want {
				t.Errorf("next = %s, want %s", got, tt.want)
			}
		})
	}
}

func TestMissedSteps(t *testing.T) {
	p, c := ready(), newYork(t)
	start := at(t, wednesday10)
	responded := sla.Event{Kind: sla.EventResponded, At: start.Add(minute)}
	story := func(until time.Duration, events ...sla.Event) (out []string) {
		s := begin(t, p, c, wednesday10)
		for _, e := range append([]sla.Event{responded}, events...) {
			s, _ = sla.Apply(p, c, s, e)
		}
		_, lines, _ := sweep(t, p, c, s, start.Add(until))
		for _, l := range lines {
			out = append(out, l.At+" "+l.Kind)
		}
		return out
	}
	tests := []struct {
		name      string
		got, want []string
	}{
		{"visited: 24 h, 72 h, 7 d, then daily on open days", story(9*day, sla.Event{Kind: sla.EventVisited, At: start.Add(hour)}),
			[]string{"06-11 15:00 NEXT_STEP", "06-13 15:00 NEXT_STEP", "06-17 15:00 NEXT_STEP", "06-18 15:00 NEXT_STEP"}},
		{"call on D: told, then the customer waits", story(3*day, sla.Event{Kind: sla.EventCallOn, At: start.Add(hour), Until: start.Add(day)}),
			[]string{"06-11 14:00 NEXT_STEP", "06-11 15:00 NEXT_STEP", "06-12 15:00 NEXT_STEP"}},
		{"outcome asked again each day", story(3*day, sla.Event{Kind: sla.EventAppointmentSet, At: start.Add(hour), Appointment: "x", AppointmentAt: start.Add(3 * hour)}),
			[]string{"06-10 19:00 APPOINTMENT_OUTCOME", "06-11 19:00 APPOINTMENT_OUTCOME", "06-12 19:00 APPOINTMENT_OUTCOME"}},
		{"pause ends in a step", story(4*day, sla.Event{Kind: sla.EventEngaged, At: start.Add(hour)}, sla.Event{Kind: sla.EventPaused, At: start.Add(2 * hour), Until: start.Add(2 * day)}),
			[]string{"06-12 14:00 REVIEW", "06-13 14:00 NEXT_STEP"}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, tt.got); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

func TestPauseMovesWindowButNotTheRespondClock(t *testing.T) {
	p, c := ready(), newYork(t)
	start := at(t, wednesday10)
	s := begin(t, p, c, wednesday10)
	s, _ = sla.Apply(p, c, s, sla.Event{Kind: sla.EventPaused, At: start, Until: start.Add(20 * day)})
	if d, _ := sla.Next(p, c, s); d.Kind != sla.DueAccept {
		t.Errorf("a pause stopped the respond clock: %s", d.Kind)
	}
	_, story, _ := sweep(t, p, c, s, start.Add(60*day))
	if end := story[len(story)-1]; end.Kind != "WINDOW_END" || end.At != start.Add(34*day).UTC().Format("01-02 15:04") {
		t.Errorf("end %+v", end)
	}
}

// TestLaws drives random histories: an open assignment always has a deadline,
// none before its start, the ladder climbs in order and only before a response,
// sweeping twice does nothing, and no state is changed behind the caller.
func TestLaws(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	policies := []*sla.Policy{ready(), care()}
	calendars := []*sla.Calendar{newYork(t), calendar(t, "Australia/Lord_Howe", "mo-su 09:00-12:00,13:00-24:00"), nil, sla.Always()}
	base := at(t, "2026-01-01T00:00:00Z")
	for range 1500 {
		p, c := policies[rng.IntN(len(policies))], calendars[rng.IntN(len(calendars))]
		now := base.Add(time.Duration(rng.Int64N(int64(366 * day))))
		start := now.Truncate(time.Microsecond)
		s := sla.Begin(p, c, sla.Facts{At: now, Sender: rng.IntN(2) == 0})
		level := sla.LevelNone
		for range 25 {
			d, ok := sla.Next(p, c, s)
			if ok == s.Closed {
				t.Fatalf("closed %t, deadline %t: %+v", s.Closed, ok, s)
			}
			if ok && d.At.Before(start) {
				t.Fatalf("%s at %s is before the start %s", d.Kind, d.At, start)
			}
			if ok && rng.IntN(2) == 0 {
				if d.At.After(now) {
					now = d.At
				}
				now = now.Add(time.Duration(rng.Int64N(int64(hour))))
				after, effects := sla.Fire(p, c, s, d, now)
				if again, more := sla.Fire(p, c, after, d, now); more != nil || !cmp.Equal(after, again) {
					t.Fatalf("%s fired twice: %+v", d.Kind, more)
				}
				if same, e2 := sla.Fire(p, c, s, d, now); !cmp.Equal(after, same) || !cmp.Equal(effects, e2) {
					t.Fatalf("%s is not deterministic", d.Kind)
				}
				for _, e := range effects {
					if e.Kind == sla.Escalated {
						if !s.RespondedAt.IsZero() || e.Level != level && e.Level != level+1 {
							t.Fatalf("level %d after %d, responded %s", e.Level, level, s.RespondedAt)
						}
						level = e.Level
					}
				}
				s = after
				continue
			}
			e := sla.Event{
				Kind: sla.EventKind(1 + rng.IntN(int(sla.EventReopened))), At: now.Add(-time.Duration(rng.Int64N(int64(3 * hour)))),
				Channel: sla.Channel(1 + rng.IntN(6)), Inbound: rng.IntN(2) == 0, Appointment: string(rune('a' + rng.IntN(2))),
				AppointmentAt: now.Add(time.Duration(rng.Int64N(int64(4 * day)))), Until: now.Add(time.Duration(rng.Int64N(int64(120 * day)))),
			}
			if e.At.Before(start) {
				e.At = now
			}
			held, attempts, appointments := s, len(s.Attempts), append([]sla.Appointment(nil), s.Appointments...)
			s, _ = sla.Apply(p, c, s, e)
			if len(held.Attempts) != attempts || len(appointments) > 0 && !cmp.Equal(held.Appointments, appointments) {
				t.Fatal("the old state changed")
			}
			if e.Kind == sla.EventDelivered {
				level = s.Level
			}
		}
	}
}

func BenchmarkState(b *testing.B) {
	p, c := ready(), newYork(b)
	s := begin(b, p, c, wednesday10)
	b.Run("Start", func(b *testing.B) {
		f := sla.Facts{At: at(b, wednesday10), Sender: true}
		for b.Loop() {
			sla.Start(p, c, f)
		}
	})
	b.Run("Next", func(b *testing.B) {
		for b.Loop() {
			sla.Next(p, c, s)
		}
	})
	b.Run("Fire", func(b *testing.B) {
		d, _ := sla.Next(p, c, s)
		for b.Loop() {
			sla.Fire(p, c, s, d, d.At)
		}
	})
}

func TestNextDoesNotAllocate(t *testing.T) {
	p, c := ready(), newYork(t)
	s := begin(t, p, c, wednesday10)
	if n := testing.AllocsPerRun(100, func() { sla.Next(p, c, s) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
