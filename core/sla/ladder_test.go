package sla_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leadmesh/leadmesh/core/sla"
)

const (
	minute = time.Minute
	hour   = time.Hour
	day    = 24 * time.Hour
)

func store(d time.Duration) sla.Term { return sla.Term{Duration: d} }
func wall(d time.Duration) sla.Term  { return sla.Term{Duration: d, Base: sla.WallClock} }
func days(d time.Duration) sla.Term  { return sla.Term{Duration: d, Base: sla.WallThenOpen} }

// ready is the policy of a SALES lead of stage READY.
func ready() *sla.Policy {
	return &sla.Policy{
		Clock: sla.Clock{
			Acknowledge: wall(minute), Respond: store(15 * minute),
			Plan: sla.Plan{Count: 8, Channels: 2, DayOneCount: 3, DayOneGap: 2 * hour, Window: 14 * day},
		},
		AfterHours: 30 * minute, WarnPercent: 80, AcceptPercent: 50,
		Ladder: sla.Ladder{ManagerTimes: 2, FieldTimes: 4, Daily: days(day)},
		Steps: sla.Steps{
			Engaged: []sla.Term{days(day)}, CustomerBack: []sla.Term{store(hour)},
			NoShow: []sla.Term{store(2 * hour), days(day)}, Visited: []sla.Term{days(day), days(3 * day), days(7 * day)},
			Ordered: []sla.Term{days(14 * day)}, Repeat: days(day), AskedAgain: store(hour),
			RemindBefore: day, OutcomeAfter: 2 * hour, LongestPause: 90 * day,
			HandOffOnSite: store(10 * minute), HandOff: store(4 * hour),
			ParkedData: days(day), ParkedConsent: days(7 * day), ParkedNurture: days(90 * day),
		},
	}
}

// care is the policy of a CARE lead.
func care() *sla.Policy {
	p := ready()
	p.Clock = sla.Clock{Acknowledge: wall(15 * minute), Respond: store(2 * hour), Plan: sla.Plan{UntilResolved: true, Every: day}}
	p.AfterHours = 90 * minute
	return p
}

func newYork(t testing.TB) *sla.Calendar { return calendar(t, "America/New_York", storeHours) }

const wednesday10 = "2026-06-10T10:00:00-04:00"

func begin(t testing.TB, p *sla.Policy, c *sla.Calendar, start string) sla.State {
	s := sla.Begin(p, c, sla.Facts{At: at(t, start), Sender: true})
	s, _ = sla.Apply(p, c, s, sla.Event{Kind: sla.EventDelivered, At: at(t, start)})
	return s
}

func TestStart(t *testing.T) {
	long := ready()
	long.Clock.Respond = store(8 * hour)
	long.AfterHours = 0
	tests := []struct {
		name  string
		p     *sla.Policy
		start string
		want  []string // acknowledge, accept, warn, respond, manager, field
		after bool
	}{
		{"in hours", ready(), wednesday10, []string{"2026-06-10T10:01:00-04:00", "2026-06-10T10:07:30-04:00", "2026-06-10T10:12:00-04:00", "2026-06-10T10:15:00-04:00", "2026-06-10T10:30:00-04:00", "2026-06-10T11:00:00-04:00"}, false},
		{"after hours: opening + 30 min, acknowledged at once", ready(), "2026-06-10T20:00:00-04:00", []string{"2026-06-10T20:01:00-04:00", "2026-06-11T08:45:00-04:00", "2026-06-11T08:54:00-04:00", "2026-06-11T09:00:00-04:00", "2026-06-11T09:30:00-04:00", "2026-06-11T10:30:00-04:00"}, true},
		{"runs over the night", ready(), "2026-06-10T17:50:00-04:00", []string{"2026-06-10T17:51:00-04:00", "2026-06-10T17:57:30-04:00", "2026-06-11T08:32:00-04:00", "2026-06-11T08:35:00-04:00", "2026-06-11T08:50:00-04:00", "2026-06-11T09:20:00-04:00"}, false},
		{"holiday", ready(), "2026-12-24T13:00:00-05:00", []string{"2026-12-24T13:01:00-05:00", "2026-12-26T09:15:00-05:00", "2026-12-26T09:24:00-05:00", "2026-12-26T09:30:00-05:00", "2026-12-26T10:00:00-05:00", "2026-12-26T11:00:00-05:00"}, true},
		{"after hours without a rule keeps the duration", long, "2026-06-10T20:00:00-04:00", []string{"2026-06-10T20:01:00-04:00", "2026-06-11T12:30:00-04:00", "2026-06-11T14:54:00-04:00", "2026-06-11T16:30:00-04:00", "2026-06-12T15:00:00-04:00", "2026-06-15T14:30:00-04:00"}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := sla.Start(tt.p, newYork(t), sla.Facts{At: at(t, tt.start), Sender: true})
			got := []time.Time{d.AcknowledgeBy, d.AcceptBy, d.WarnAt, d.RespondBy, d.ManagerAt, d.FieldAt}
			for i, g := range got {
				if !g.Equal(at(t, tt.want[i])) {
					t.Errorf("deadline %d = %s, want %s", i, g, tt.want[i])
				}
			}
			if d.AfterHours != tt.after || d.WallClock || !d.AttemptsUntil.Equal(at(t, tt.start).Add(14*day)) {
				t.Errorf("%+v", d)
			}
		})
	}

	p := ready()
	p.AcceptPercent = 0
	d := sla.Start(p, nil, sla.Facts{At: at(t, wednesday10)})
	if !d.AcknowledgeBy.IsZero() || !d.AcceptBy.IsZero() || !d.WallClock || !d.RespondBy.Equal(at(t, wednesday10).Add(15*minute)) {
		t.Errorf("store without hours and sender: %+v", d)
	}
	// One hour a week is not enough for 4 x 8 h x ...: all by the wall clock.
	long.Clock.Respond = store(24 * hour)
	d = sla.Start(long, calendar(t, "Europe/Berlin", "mo 10:00-11:00"), sla.Facts{At: at(t, wednesday10)})
	if !d.WallClock || !d.FieldAt.Equal(at(t, wednesday10).Add(4*day)) || !d.RespondBy.Equal(at(t, wednesday10).Add(day)) {
		t.Errorf("store that hardly opens: %+v", d)
	}
	if d := sla.Start(care(), newYork(t), sla.Facts{At: at(t, wednesday10)}); !d.AttemptsUntil.IsZero() {
		t.Error("CARE has a window end")
	}
}

// swept is one line of a story: what fell due and whom it reached.
type swept struct {
	At   string
	Kind string
	To   []sla.Recipient
}

// sweep fires every deadline until the given time, each when it is due.
func sweep(t testing.TB, p *sla.Policy, c *sla.Calendar, s sla.State, until time.Time) (sla.State, []swept, []sla.Effect) {
	t.Helper()
	var story []swept
	var all []sla.Effect
	for range 10000 {
		d, ok := sla.Next(p, c, s)
		if !ok || d.At.After(until) {
			return s, story, all
		}
		after, effects := sla.Fire(p, c, s, d, d.At)
		if again, more := sla.Fire(p, c, after, d, d.At); len(more) > 0 || !cmp.Equal(again, after) {
			t.Fatalf("firing %s %s twice did something: %v", d.Kind, d.At, more)
		}
		line := swept{At: d.At.UTC().Format("01-02 15:04"), Kind: d.Kind.String()}
		for _, e := range effects {
			line.To = append(line.To, e.To)
		}
		s, story, all = after, append(story, line), append(all, effects...)
	}
	t.Fatal("the sweep does not end")
	return s, nil, nil
}

func TestUnworkedLeadClimbsTheLadder(t *testing.T) {
	p, c := ready(), newYork(t)
	s := begin(t, p, c, wednesday10)
	s, story, effects := sweep(t, p, c, s, at(t, "2026-06-13T09:45:00-04:00"))
	want := []swept{
		{"06-10 14:07", "ACCEPT", []sla.Recipient{sla.ToHub, sla.ToManager}}, // with the missed acknowledgement
		{"06-10 14:12", "WARN", []sla.Recipient{sla.ToOwner}},
		{"06-10 14:15", "RESPOND", []sla.Recipient{sla.ToOwner}},
		{"06-10 14:15", "ESCALATE_PERSON", []sla.Recipient{sla.ToSecondPersonOrBDC}},
		{"06-10 14:30", "ESCALATE_MANAGER", []sla.Recipient{sla.ToManager}},
		{"06-10 15:00", "ESCALATE_FIELD", []sla.Recipient{sla.ToDealerPrincipal, sla.ToFieldTeam}},
		{"06-10 16:15", "ATTEMPT", []sla.Recipient{sla.ToOwner}},
		{"06-10 18:15", "ATTEMPT", []sla.Recipient{sla.ToOwner}},
		{"06-11 15:00", "ESCALATE_DAILY", []sla.Recipient{sla.ToDealerPrincipal, sla.ToFieldTeam}},
		{"06-12 15:00", "ESCALATE_DAILY", []sla.Recipient{sla.ToDealerPrincipal, sla.ToFieldTeam}},
		{"06-13 13:30", "ATTEMPT", []sla.Recipient{sla.ToOwner}}, // 14 d / 6 is Friday 18:00, closed: Saturday's opening + 30 min
	}
	if diff := cmp.Diff(want, story); diff != "" {
		t.Fatal(diff)
	}
	if effects[0].Kind != sla.MissedAcknowledge || effects[1].Kind != sla.MissedAccept {
		t.Errorf("first effects %+v", effects[:2])
	}
	s, story, effects = sweep(t, p, c, s, at(t, "2027-01-01T00:00:00Z"))
	last := effects[len(effects)-1]
	if !s.Closed || s.Expired != sla.ExpiredClosedUnworked || last.Kind != sla.Expired || last.Reason != sla.ExpiredClosedUnworked {
		t.Errorf("end: %+v", last)
	}
	if end := story[len(story)-1]; end.Kind != "WINDOW_END" || end.At != "06-24 14:00" {
		t.Errorf("end: %+v", end)
	}
	if _, ok := sla.Next(p, c, s); ok {
		t.Error("a closed assignment has a deadline")
	}
	if v := sla.Judge(s, at(t, "2027-01-01T00:00:00Z")); v != (sla.Verdicts{Acknowledge: sla.Missed, Accept: sla.Missed, Respond: sla.Missed}) {
		t.Errorf("verdicts %+v", v)
	}
}

func TestLateSweep(t *testing.T) {
	p, c := ready(), newYork(t)
	s := begin(t, p, c, wednesday10)
	now := at(t, "2026-06-13T12:00:00-04:00") // three days later
	var kinds []string
	for {
		d, ok := sla.Next(p, c, s)
		if !ok || d.At.After(now) {
			break
		}
		s, _ = sla.Fire(p, c, s, d, now)
		kinds = append(kinds, d.Kind.String())
	}
	want := []string{"ACCEPT", "WARN", "RESPOND", "ESCALATE_PERSON", "ESCALATE_MANAGER", "ESCALATE_FIELD", "ATTEMPT", "ATTEMPT", "ESCALATE_DAILY", "ATTEMPT"}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Error(diff)
	}
}

func TestFireIgnoresWhatIsNotDue(t *testing.T) {
	p, c := ready(), newYork(t)
	s := begin(t, p, c, wednesday10)
	d, _ := sla.Next(p, c, s)
	for name, f := range map[string]struct {
		d   sla.Deadline
		now time.Time
	}{
		"too early":  {d, d.At.Add(-time.Microsecond)},
		"other kind": {sla.Deadline{At: d.At, Kind: sla.DueRespond}, d.At},
		"other time": {sla.Deadline{At: d.At.Add(-minute), Kind: d.Kind}, d.At},
	} {
		if after, effects := sla.Fire(p, c, s, f.d, f.now); effects != nil || !cmp.Equal(after, s) {
			t.Errorf("%s: %v", name, effects)
		}
	}
}

func TestPlanDoneExpiresUnreachable(t *testing.T) {
	p, c := ready(), newYork(t)
	s := begin(t, p, c, wednesday10)
	start := at(t, wednesday10)
	s, _ = sla.Apply(p, c, s, sla.Event{Kind: sla.EventResponded, At: start.Add(5 * minute)})
	for i := range 7 {
		s, _ = sla.Apply(p, c, s, sla.Event{Kind: sla.EventAttempt, At: start.Add(time.Duration(i)*day + 5*minute), Channel: sla.Call})
	}
	end, story, effects := sweep(t, p, c, s, start.Add(30*day))
	want := []swept{
		{"06-22 13:00", "ATTEMPT", []sla.Recipient{sla.ToOwner}}, // on the Sunday before: Monday's opening + 30 min
		{"06-24 14:00", "WINDOW_END", []sla.Recipient{sla.ToNobody}},
	}
	if diff := cmp.Diff(want, story); diff != "" {
		t.Error(diff)
	}
	if end.Expired != sla.ExpiredClosedUnworked || effects[len(effects)-1].Reason != sla.ExpiredClosedUnworked {
		t.Errorf("seven of eight attempts: %+v", end.Expired)
	}
	// A late report of the eighth, on a second channel, restates the reason.
	late := sla.Event{Kind: sla.EventAttempt, At: start.Add(10 * day), Channel: sla.Email}
	end, got := sla.Apply(p, c, end, late)
	if end.Expired != sla.ExpiredUnreachable || len(got) != 1 || got[0].Kind != sla.Expired {
		t.Errorf("late report: %+v %+v", end.Expired, got)
	}
	if _, got = sla.Apply(p, c, end, late); len(got) != 0 {
		t.Errorf("the same late report again: %+v", got)
	}
	// A late report of a reply shows that it need not have expired.
	_, got = sla.Apply(p, c, end, sla.Event{Kind: sla.EventEngaged, At: start.Add(11 * day), Inbound: true})
	if len(got) != 1 || got[0].Kind != sla.EscalationNeedless || got[0].Deadline != sla.DueWindowEnd {
		t.Errorf("late reply: %+v", got)
	}
}

func TestCareNeverExpires(t *testing.T) {
	p, c := care(), newYork(t)
	s := begin(t, p, c, wednesday10)
	s, story, _ := sweep(t, p, c, s, at(t, "2026-07-10T10:00:00-04:00"))
	count := map[string]int{}
	for _, l := range story {
		count[l.Kind]++
	}
	if s.Closed || count["ESCALATE_DAILY"] < 20 || count["ATTEMPT"] < 25 || count["WINDOW_END"] != 0 {
		t.Errorf("%v", count)
	}
}
