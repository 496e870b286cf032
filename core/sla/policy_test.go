package sla_test

import (
	"strings"
	"testing"
	"time"

	"github.com/leadmesh/leadmesh/core/sla"
)

func TestPolicyValidate(t *testing.T) {
	for name, p := range map[string]*sla.Policy{"ready": ready(), "care": care()} {
		if err := p.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	tests := map[string]func(*sla.Policy){
		"clock.respond: 0s":           func(p *sla.Policy) { p.Clock.Respond.Duration = 0 },
		"clock.respond: counts":       func(p *sla.Policy) { p.Clock.Respond.Base = sla.WallThenOpen },
		"clock.respond: unknown base": func(p *sla.Policy) { p.Clock.Respond.Base = 9 },
		"clock.acknowledge: is":       func(p *sla.Policy) { p.Clock.Acknowledge.Duration = hour },
		"clock.acknowledge: -1":       func(p *sla.Policy) { p.Clock.Acknowledge.Duration = -hour },
		"plan.count":                  func(p *sla.Policy) { p.Clock.Plan = sla.Plan{Window: day} },
		"plan.window":                 func(p *sla.Policy) { p.Clock.Plan.Window = 0 },
		"plan.channels":               func(p *sla.Policy) { p.Clock.Plan.Channels = 9 },
		"plan.day_one_count":          func(p *sla.Policy) { p.Clock.Plan.DayOneCount = 9 },
		"plan.day_one_gap":            func(p *sla.Policy) { p.Clock.Plan.DayOneGap = 0 },
		"plan.every: belongs":         func(p *sla.Policy) { p.Clock.Plan.Every = day },
		"plan: a plan until resolved": func(p *sla.Policy) { p.Clock.Plan.UntilResolved, p.Clock.Plan.Every = true, day },
		"plan.every: a plan":          func(p *sla.Policy) { p.Clock.Plan = sla.Plan{UntilResolved: true} },
		"after_hours":                 func(p *sla.Policy) { p.AfterHours = -1 },
		"warn_percent: 100":           func(p *sla.Policy) { p.WarnPercent = 100 },
		"accept_percent: 100":         func(p *sla.Policy) { p.AcceptPercent = 100 },
		"ladder.manager_times: 1":     func(p *sla.Policy) { p.Ladder.ManagerTimes = 1 },
		"ladder.field_times: 2":       func(p *sla.Policy) { p.Ladder.FieldTimes = 2 },
		"ladder.daily":                func(p *sla.Policy) { p.Ladder.Daily = sla.Term{} },
		"steps.no_show: has no term":  func(p *sla.Policy) { p.Steps.NoShow = nil },
		"steps.visited[1]: is not":    func(p *sla.Policy) { p.Steps.Visited[1] = store(hour) },
		"steps.repeat":                func(p *sla.Policy) { p.Steps.Repeat = sla.Term{} },
		"steps.parked_nurture: 9624h": func(p *sla.Policy) { p.Steps.ParkedNurture = wall(401 * day) },
		"steps.remind_before":         func(p *sla.Policy) { p.Steps.RemindBefore = -1 },
		"steps.outcome_after":         func(p *sla.Policy) { p.Steps.OutcomeAfter = 0 },
		"steps.longest_pause":         func(p *sla.Policy) { p.Steps.LongestPause = 0 },
	}
	for want, breakIt := range tests {
		p := ready()
		breakIt(p)
		err := p.Validate()
		if err == nil {
			t.Errorf("%s: no error", want)
			continue
		}
		if lines := strings.Split(err.Error(), "\n"); len(lines) != 1 || !strings.HasPrefix(lines[0], want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestTable(t *testing.T) {
	policies := make([]sla.Policy, 4)
	table := sla.Table{
		{Line: "SALES", Stage: "READY"}: &policies[0], {Line: "SALES"}: &policies[1],
		{Account: "FLEET"}: &policies[2], {Line: "CARE"}: &policies[3],
	}
	tests := []struct {
		key  sla.Key
		want int
	}{
		{sla.Key{Line: "SALES", Stage: "READY"}, 0},
		{sla.Key{Line: "SALES", Stage: "INTENT"}, 1},
		{sla.Key{Line: "SALES", Stage: "READY", Account: "FLEET"}, 2},
		{sla.Key{Line: "CARE", Stage: "READY"}, 3},
	}
	for _, tt := range tests {
		if got, ok := table.Select(tt.key); !ok || got != &policies[tt.want] {
			t.Errorf("%s selects another row", tt.key)
		}
	}
	if _, ok := table.Select(sla.Key{Line: "SERVICE"}); ok {
		t.Error("a row for SERVICE")
	}
	if err := (sla.Table{{Line: "SALES"}: ready()}).Validate(); err != nil {
		t.Error(err)
	}
	if err := (sla.Table{{Line: "SALES"}: nil}).Validate(); err == nil || err.Error() != "SALES/*/*: has no policy" {
		t.Errorf("error %v", err)
	}
}

func TestTerms(t *testing.T) {
	p, c := ready(), newYork(t)
	now := at(t, "2026-06-12T17:30:00-04:00") // Friday, half an hour before closing
	tests := []struct {
		name string
		got  time.Time
		want string
	}{
		{"hand-off on site", p.HandOffBy(c, now, true), "2026-06-12T17:40:00-04:00"},
		{"hand-off", p.HandOffBy(c, now, false), "2026-06-13T12:30:00-04:00"},
		{"parked for data, review on a closed Saturday evening", p.ReviewAt(c, now, sla.ParkedForData), "2026-06-15T09:00:00-04:00"},
		{"parked for consent", p.ReviewAt(c, now, sla.ParkedForConsent), "2026-06-19T17:30:00-04:00"},
		{"parked as nurture", p.ReviewAt(c, now, sla.ParkedForNurture), "2026-09-10T17:30:00-04:00"},
	}
	for _, tt := range tests {
		if !tt.got.Equal(at(t, tt.want)) {
			t.Errorf("%s = %s, want %s", tt.name, tt.got, tt.want)
		}
	}
	if got, flagged := p.After(nil, now, store(hour)); !flagged || !got.Equal(now.Add(hour)) {
		t.Errorf("without hours: %s, %t", got, flagged)
	}
	if got, flagged := p.After(c, now, wall(day)); flagged || !got.Equal(now.Add(day)) {
		t.Errorf("wall clock: %s, %t", got, flagged)
	}
}
