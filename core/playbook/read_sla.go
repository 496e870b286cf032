package playbook

import (
	"fmt"
	"strings"
	"time"

	"github.com/leadmesh/leadmesh/core/document"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/sla"
	"go.yaml.in/yaml/v3"
)

// byStage is a value that is different for leads that are READY.
type byStage[T any] struct{ ready, other T }

// clocks reads sla.yaml: the clock table, and what all rows share.
func (b *bundle) clocks() {
	where := document.NewPlaces()
	o := b.open(fileClocks, "", where)
	if o == nil {
		return
	}
	defer o.Close()
	var shared sla.Policy
	shared.WarnPercent = document.NeedValue(o, "warn", parseWholePercent)
	shared.AcceptPercent = document.NeedValue(o, "accept", parseWholePercent)
	after := readByStage(o, "after_hours", func(o *document.Object, key string) time.Duration { return document.NeedValue(o, key, parseDuration) })
	if l := o.NeedChild("ladder"); l != nil {
		shared.Ladder = sla.Ladder{ManagerTimes: document.NeedValue(l, "manager", parseCount), FieldTimes: document.NeedValue(l, "field", parseCount), Daily: document.NeedValue(l, "daily", parseTerm)}
		l.Close()
	}
	engaged := b.readSteps(o, &shared.Steps)
	if e := o.NeedChild("evidence"); e != nil {
		b.playbook.ObservedPercent = document.NeedValue(e, "observed", parseWholePercent)
		if p := b.playbook.ObservedPercent; p > 100 || p == 0 && !where.Broken("evidence.observed") {
			b.list.Complain(where, "evidence.observed", "must be 1 % to 100 %")
		}
		b.playbook.Evidence = sla.Rules{EngagedTalk: document.NeedValue(e, "engaged_talk", parseDuration), SecondChannelWithin: document.NeedValue(e, "second_channel_within", parseDuration)}
		e.Close()
	}

	table := sla.Table{}
	explicit := map[sla.Key]bool{}
	var rows []clockRow
	o.Need("clocks")
	o.Objects("clocks", func(c *document.Object) {
		r := clockRow{path: c.Path, policy: shared}
		line, _ := document.Value(c, "line", parseLine)
		stage, _ := document.Value(c, "stage", parseStage)
		r.key = sla.Key{Line: line.String(), Stage: stage.String(), Account: c.Text("account")}
		if r.key.Account != "" && r.key.Account != "fleet" {
			c.Places.Failed[c.At("account")] = true
			c.Bad(c.Get("account"), "account is fleet or left out, is %q", r.key.Account)
		}
		r.policy.Clock = readClock(c)
		r.afterHours = document.Optional(c, "after_hours", parseDuration)
		if explicit[r.key] {
			c.Bad(c.Node, "the clocks of %s stand twice", r.key)
		}
		explicit[r.key] = true
		rows = append(rows, r)
	})
	for _, r := range rows {
		table[r.key] = r.at(r.key.Stage == lead.StageReady.String(), after, engaged)
		ready := r.key
		ready.Stage = lead.StageReady.String()
		if r.key.Stage == "" && !explicit[ready] {
			table[ready] = r.at(true, after, engaged)
		}
	}
	b.checkClocks(table, rows, where)
	b.playbook.Clocks = table
}

// clockRow is one row of the clock table as written.
type clockRow struct {
	key        sla.Key
	path       string
	policy     sla.Policy
	afterHours *time.Duration
}

// at returns the policy of the row for leads that are READY, or for the others.
func (r clockRow) at(ready bool, after byStage[time.Duration], engaged byStage[[]sla.Term]) *sla.Policy {
	p := r.policy
	p.AfterHours, p.Steps.Engaged = after.other, engaged.other
	if ready {
		p.AfterHours, p.Steps.Engaged = after.ready, engaged.ready
	}
	if r.afterHours != nil {
		p.AfterHours = *r.afterHours
	}
	return &p
}

func readByStage[T any](o *document.Object, key string, read func(o *document.Object, key string) T) (v byStage[T]) {
	if c := o.NeedChild(key); c != nil {
		v.ready, v.other = read(c, "ready"), read(c, "other")
		c.Close()
	}
	return v
}

func readClock(o *document.Object) sla.Clock {
	c := sla.Clock{Respond: document.NeedValue(o, "respond", parseTerm)}
	c.Acknowledge, _ = document.Value(o, "acknowledge", parseTerm)
	a := o.NeedChild("attempts")
	if a == nil {
		return c
	}
	defer a.Close()
	if c.Plan.UntilResolved = readSwitch(a, "until_resolved"); c.Plan.UntilResolved {
		c.Plan.Every = document.NeedValue(a, "every", parseDuration)
		return c
	}
	c.Plan.Count = document.NeedValue(a, "count", parseCount)
	c.Plan.Window = document.NeedValue(a, "within", parseDuration)
	c.Plan.Channels, _ = document.Value(a, "channels", parseCount)
	c.Plan.DayOneCount, _ = document.Value(a, "day_one", parseCount)
	c.Plan.DayOneGap, _ = document.Value(a, "day_one_gap", parseDuration)
	return c
}

// readSteps reads the next-step clocks, hand-offs and parked leads; the step after "engaged"
// differs by stage.
func (b *bundle) readSteps(o *document.Object, s *sla.Steps) byStage[[]sla.Term] {
	var engaged byStage[[]sla.Term]
	if n := o.NeedChild("next_steps"); n != nil {
		engaged = readByStage(n, "engaged", readTerms)
		s.CustomerBack = readTerms(n, "customer_back")
		s.NoShow = readTerms(n, "no_show")
		s.Visited = readTerms(n, "visited")
		s.Ordered = readTerms(n, "ordered")
		s.Repeat = document.NeedValue(n, "repeat", parseTerm)
		s.AskedAgain = document.NeedValue(n, "asked_again", parseTerm)
		s.RemindBefore = document.NeedValue(n, "remind_before", parseDuration)
		s.OutcomeAfter = document.NeedValue(n, "outcome_after", parseDuration)
		s.LongestPause = document.NeedValue(n, "longest_pause", parseDuration)
		n.Close()
	}
	if h := o.NeedChild("hand_off"); h != nil {
		s.HandOffOnSite, s.HandOff = document.NeedValue(h, "on_site", parseTerm), document.NeedValue(h, "other", parseTerm)
		h.Close()
	}
	if p := o.NeedChild("parked"); p != nil {
		read := func(key string) (owner string, review sla.Term) {
			if c := p.NeedChild(key); c != nil {
				owner, review = c.NeedText("owner"), document.NeedValue(c, "review", parseTerm)
				c.Close()
			}
			return owner, review
		}
		b.playbook.Parking.DataOwner, s.ParkedData = read("data")
		b.playbook.Parking.ConsentOwner, s.ParkedConsent = read("consent")
		b.playbook.Parking.NurtureOwner, s.ParkedNurture = read("nurture")
		p.Close()
	}
	return engaged
}

// readTerms reads one time span or a list of them.
func readTerms(o *document.Object, key string) []sla.Term {
	v := o.Need(key)
	if v == nil {
		return nil
	}
	var out []sla.Term
	o.Each(key, func(n *yaml.Node, _ string) {
		s, ok := o.Word(n)
		if !ok {
			return
		}
		t, err := parseTerm(s)
		if err != nil {
			o.Bad(n, "%v", err)
			return
		}
		out = append(out, t)
	})
	return out
}

// sharedPaths says where the parts of a policy stand that no row writes.
var sharedPaths = []struct{ policy, file string }{
	{"warn_percent", "warn"}, {"accept_percent", "accept"}, {"after_hours", "after_hours"},
	{"ladder.manager_times", "ladder.manager"}, {"ladder.field_times", "ladder.field"}, {"ladder", "ladder"},
	{"steps.hand_off_on_site", "hand_off.on_site"}, {"steps.hand_off", "hand_off.other"},
	{"steps.parked_data", "parked.data"}, {"steps.parked_consent", "parked.consent"}, {"steps.parked_nurture", "parked.nurture"},
	{"steps", "next_steps"},
}

var rowPaths = []struct{ policy, file string }{
	{"clock", ""}, {"plan.count", "attempts.count"}, {"plan.window", "attempts.within"}, {"plan.channels", "attempts.channels"},
	{"plan.day_one_count", "attempts.day_one"}, {"plan.day_one_gap", "attempts.day_one_gap"}, {"plan.every", "attempts.every"}, {"plan", "attempts"},
}

// checkClocks validates every policy and names its mistakes where they were written, and the lines
// that have no clocks.
func (b *bundle) checkClocks(table sla.Table, rows []clockRow, where *document.Places) {
	for _, r := range rows {
		for _, err := range mistakesOf(table[r.key]) {
			field, message, _ := strings.Cut(err.Error(), ": ")
			b.list.Complain(where, clockPath(r, field), message)
		}
	}
	if len(rows) == 0 {
		return
	}
	var without []string
	for line := lead.LineSales; line <= lead.LineCare; line++ {
		if _, ok := table.Select(sla.Key{Line: line.String(), Stage: lead.StageAwareness.String()}); !ok {
			without = append(without, line.String())
		}
	}
	if len(without) > 0 {
		b.list.Add(where.At("clocks"), "no clocks for %s; add rows for them, or one without line for all others", strings.Join(without, ", "))
	}
}

// clockPath says where a field of a row's policy was written.
func clockPath(r clockRow, field string) string {
	for _, p := range rowPaths {
		if rest, ok := strings.CutPrefix(field, p.policy); ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			return document.Join(r.path, strings.TrimPrefix(p.file+rest, "."))
		}
	}
	if field == "after_hours" && r.afterHours != nil {
		return document.Join(r.path, field)
	}
	for _, p := range sharedPaths {
		if rest, ok := strings.CutPrefix(field, p.policy); ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			return p.file + rest
		}
	}
	return r.path
}

// mistakesOf takes the joined errors of Validate apart.
func mistakesOf(p *sla.Policy) []error {
	err := p.Validate()
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{fmt.Errorf("policy: %w", err)}
}
