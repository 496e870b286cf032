package playbook

import (
	"fmt"
	"strings"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/sla"
	"go.yaml.in/yaml/v3"
)

// byStage is a value that is different for leads that are READY.
type byStage[T any] struct{ ready, other T }

// clocks reads sla.yaml: the clock table, and what all rows share.
func (b *bundle) clocks() {
	where := newPlaces()
	o := b.open(fileClocks, "", where)
	if o == nil {
		return
	}
	defer o.close()
	var shared sla.Policy
	shared.WarnPercent = needValue(o, "warn", parseWholePercent)
	shared.AcceptPercent = needValue(o, "accept", parseWholePercent)
	after := readByStage(o, "after_hours", func(o *object, key string) time.Duration { return needValue(o, key, parseDuration) })
	if l := o.needChild("ladder"); l != nil {
		shared.Ladder = sla.Ladder{ManagerTimes: needValue(l, "manager", parseCount), FieldTimes: needValue(l, "field", parseCount), Daily: needValue(l, "daily", parseTerm)}
		l.close()
	}
	engaged := b.readSteps(o, &shared.Steps)
	if e := o.needChild("evidence"); e != nil {
		b.playbook.ObservedPercent = needValue(e, "observed", parseWholePercent)
		if p := b.playbook.ObservedPercent; p > 100 || p == 0 && !where.broken("evidence.observed") {
			b.list.complain(where, "evidence.observed", "must be 1 % to 100 %")
		}
		b.playbook.Evidence = sla.Rules{EngagedTalk: needValue(e, "engaged_talk", parseDuration), SecondChannelWithin: needValue(e, "second_channel_within", parseDuration)}
		e.close()
	}

	table := sla.Table{}
	explicit := map[sla.Key]bool{}
	var rows []clockRow
	o.need("clocks")
	o.objects("clocks", func(c *object) {
		r := clockRow{path: c.path, policy: shared}
		line, _ := value(c, "line", parseLine)
		stage, _ := value(c, "stage", parseStage)
		r.key = sla.Key{Line: line.String(), Stage: stage.String(), Account: c.text("account")}
		if r.key.Account != "" && r.key.Account != "fleet" {
			c.places.failed[c.at("account")] = true
			c.bad(c.get("account"), "account is fleet or left out, is %q", r.key.Account)
		}
		r.policy.Clock = readClock(c)
		r.afterHours = optional(c, "after_hours", parseDuration)
		if explicit[r.key] {
			c.bad(c.node, "the clocks of %s stand twice", r.key)
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

func readByStage[T any](o *object, key string, read func(o *object, key string) T) (v byStage[T]) {
	if c := o.needChild(key); c != nil {
		v.ready, v.other = read(c, "ready"), read(c, "other")
		c.close()
	}
	return v
}

func readClock(o *object) sla.Clock {
	c := sla.Clock{Respond: needValue(o, "respond", parseTerm)}
	c.Acknowledge, _ = value(o, "acknowledge", parseTerm)
	a := o.needChild("attempts")
	if a == nil {
		return c
	}
	defer a.close()
	if c.Plan.UntilResolved = readSwitch(a, "until_resolved"); c.Plan.UntilResolved {
		c.Plan.Every = needValue(a, "every", parseDuration)
		return c
	}
	c.Plan.Count = needValue(a, "count", parseCount)
	c.Plan.Window = needValue(a, "within", parseDuration)
	c.Plan.Channels, _ = value(a, "channels", parseCount)
	c.Plan.DayOneCount, _ = value(a, "day_one", parseCount)
	c.Plan.DayOneGap, _ = value(a, "day_one_gap", parseDuration)
	return c
}

// readSteps reads the next-step clocks, hand-offs and parked leads; the step after "engaged"
// differs by stage.
func (b *bundle) readSteps(o *object, s *sla.Steps) byStage[[]sla.Term] {
	var engaged byStage[[]sla.Term]
	if n := o.needChild("next_steps"); n != nil {
		engaged = readByStage(n, "engaged", readTerms)
		s.CustomerBack = readTerms(n, "customer_back")
		s.NoShow = readTerms(n, "no_show")
		s.Visited = readTerms(n, "visited")
		s.Ordered = readTerms(n, "ordered")
		s.Repeat = needValue(n, "repeat", parseTerm)
		s.AskedAgain = needValue(n, "asked_again", parseTerm)
		s.RemindBefore = needValue(n, "remind_before", parseDuration)
		s.OutcomeAfter = needValue(n, "outcome_after", parseDuration)
		s.LongestPause = needValue(n, "longest_pause", parseDuration)
		n.close()
	}
	if h := o.needChild("hand_off"); h != nil {
		s.HandOffOnSite, s.HandOff = needValue(h, "on_site", parseTerm), needValue(h, "other", parseTerm)
		h.close()
	}
	if p := o.needChild("parked"); p != nil {
		read := func(key string) (owner string, review sla.Term) {
			if c := p.needChild(key); c != nil {
				owner, review = c.needText("owner"), needValue(c, "review", parseTerm)
				c.close()
			}
			return owner, review
		}
		b.playbook.Parking.DataOwner, s.ParkedData = read("data")
		b.playbook.Parking.ConsentOwner, s.ParkedConsent = read("consent")
		b.playbook.Parking.NurtureOwner, s.ParkedNurture = read("nurture")
		p.close()
	}
	return engaged
}

// readTerms reads one time span or a list of them.
func readTerms(o *object, key string) []sla.Term {
	v := o.need(key)
	if v == nil {
		return nil
	}
	var out []sla.Term
	o.each(key, func(n *yaml.Node, _ string) {
		s, ok := o.word(n)
		if !ok {
			return
		}
		t, err := parseTerm(s)
		if err != nil {
			o.bad(n, "%v", err)
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
func (b *bundle) checkClocks(table sla.Table, rows []clockRow, where *places) {
	for _, r := range rows {
		for _, err := range mistakesOf(table[r.key]) {
			field, message, _ := strings.Cut(err.Error(), ": ")
			b.list.complain(where, clockPath(r, field), message)
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
		b.list.add(where.at("clocks"), "no clocks for %s; add rows for them, or one without line for all others", strings.Join(without, ", "))
	}
}

// clockPath says where a field of a row's policy was written.
func clockPath(r clockRow, field string) string {
	for _, p := range rowPaths {
		if rest, ok := strings.CutPrefix(field, p.policy); ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			return join(r.path, strings.TrimPrefix(p.file+rest, "."))
		}
	}
	if field == "after_hours" && r.afterHours != nil {
		return join(r.path, field)
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
