package playbook

import (
	"fmt"
	"math"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/routing"
)

// readPolicy reads the routing policy. What the general rule does not say is the published
// starting value; what a special rule does not say is as in the general one.
func readPolicy(o *object) routing.Policy {
	p := routing.Policy{Desk: o.needText("desk")}
	if v, ok := value(o, "roster_leads_per_day", parseCount); ok {
		p.RosterLeadsPerDay = int32(v)
	}
	o.need("markets")
	o.objects("markets", func(m *object) {
		market := routing.Market{
			Country: m.needText("country"), Policy: needValue(m, "policy", coded("policy", marketPolicies(), routing.ParseMarketPolicy)),
			K: int32(needValue(m, "best_of", parseCount)), Countries: m.words("countries"), Desk: m.text("desk"),
		}
		m.places.alias[m.path+".k"] = m.at("best_of")
		p.Markets = append(p.Markets, market)
	})
	general := routing.DefaultRule()
	if r := o.child("rule"); r != nil {
		general = readRule(r, general)
		r.close()
	}
	p.Rules = []routing.Rule{general}
	o.places.alias["policy.rules[0]"] = "policy.rule"
	o.places.alias["policy.rules[0].known_factor"] = "policy.rule.known_within"
	o.objects("special", func(s *object) {
		rule := general
		rule.Brand = s.text("brand")
		rule.Line, _ = value(s, "line", parseLine)
		if rule.Brand == "" && rule.Line == lead.LineUnspecified {
			s.places.failed[s.path] = true
			s.bad(s.node, "a special rule names a brand, a line or both")
		}
		p.Rules = append(p.Rules, readRule(s, rule))
		number := fmt.Sprintf("policy.rules[%d]", len(p.Rules)-1)
		s.places.alias[number], s.places.alias[number+".known_factor"] = s.path, s.at("known_within")
	})
	o.objects("overflow", func(v *object) {
		row := routing.Overflow{Market: v.text("market"), Brand: v.text("brand"), Dealer: v.needText("dealer")}
		row.Line, _ = value(v, "line", parseLine)
		p.Overflow = append(p.Overflow, row)
	})
	if roles := o.child("roles"); roles != nil {
		for _, key := range roles.order {
			line, ok := lead.ParseLine(key)
			role, given := value(roles, key, coded("role", lead.Codes("role"), lead.ParseRole))
			if !ok {
				roles.bad(roles.lines[key], "there is no line called %q%s", key, lead.Suggest(key, lead.Codes("line")))
			}
			if ok && given {
				p.Roles = append(p.Roles, routing.LineRole{Line: line, Role: role})
			}
		}
	}
	return p
}

func readRule(o *object, r routing.Rule) routing.Rule {
	set(o, "normal_distance", parseDistance, &r.NormalDistance)
	set(o, "known_within", parseTimes, &r.KnownFactor)
	set(o, "max_distance", parseDistance, &r.MaxDistance)
	set(o, "performance_cap", parseShare, &r.PerformanceCap)
	set(o, "minimum_share", parseShare, &r.MinimumShare)
	set(o, "exploration", parseShare, &r.Exploration)
	set(o, "equals", parseShare, &r.Equals)
	set(o, "closed", parseShare, &r.Closed)
	set(o, "missing_program", parseShare, &r.MissingProgram)
	set(o, "other_language", parseShare, &r.OtherLanguage)
	set(o, "service_memory", parseMemory, &r.ServiceMemory)
	set(o, "selling_memory", parseMemory, &r.SellingMemory)
	set(o, "mandatory_programs", parseSwitch, &r.MandatoryCounts)
	set(o, "may_move", parseSwitch, &r.MoveRule)
	return r
}

// set overwrites a value if its key is given.
func set[T any](o *object, key string, parse func(string) (T, error), to *T) {
	if v, ok := value(o, key, parse); ok {
		*to = v
	}
}

// parseMemory reads a time span into seconds.
func parseMemory(s string) (int64, error) {
	d, err := parseDuration(s)
	return int64(d / time.Second), err
}

// parseHalfLife reads a time span into seconds of a counter.
func parseHalfLife(s string) (int32, error) {
	d, err := parseDuration(s)
	if err != nil {
		return 0, err
	}
	if d < time.Minute || d > math.MaxInt32*time.Second {
		return 0, fmt.Errorf("must be a minute or more and at most 60 years, is %q", s)
	}
	return int32(d / time.Second), nil
}

// marketPolicies lists the spellings of routing.MarketPolicy.
func marketPolicies() []string {
	var list []string
	for p := routing.MarketPolicyUnspecified + 1; p.String() != ""; p++ {
		list = append(list, p.String())
	}
	return list
}
