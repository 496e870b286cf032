package playbook

import (
	"fmt"
	"math"
	"time"

	"github.com/leadmesh/leadmesh/core/document"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/routing"
)

// readPolicy reads the routing policy. What the general rule does not say is the published
// starting value; what a special rule does not say is as in the general one.
func readPolicy(o *document.Object) routing.Policy {
	p := routing.Policy{Desk: o.NeedText("desk")}
	if v, ok := document.Value(o, "roster_leads_per_day", parseCount); ok {
		p.RosterLeadsPerDay = int32(v)
	}
	o.Need("markets")
	o.Objects("markets", func(m *document.Object) {
		market := routing.Market{
			Country: m.NeedText("country"), Policy: document.NeedValue(m, "policy", coded("policy", marketPolicies(), routing.ParseMarketPolicy)),
			K: int32(document.NeedValue(m, "best_of", parseCount)), Countries: m.Words("countries"), Desk: m.Text("desk"),
		}
		m.Places.Alias[m.Path+".k"] = m.At("best_of")
		p.Markets = append(p.Markets, market)
	})
	general := routing.DefaultRule()
	if r := o.Child("rule"); r != nil {
		general = readRule(r, general)
		r.Close()
	}
	p.Rules = []routing.Rule{general}
	o.Places.Alias["policy.rules[0]"] = "policy.rule"
	o.Places.Alias["policy.rules[0].known_factor"] = "policy.rule.known_within"
	o.Objects("special", func(s *document.Object) {
		rule := general
		rule.Brand = s.Text("brand")
		rule.Line, _ = document.Value(s, "line", parseLine)
		if rule.Brand == "" && rule.Line == lead.LineUnspecified {
			s.Places.Failed[s.Path] = true
			s.Bad(s.Node, "a special rule names a brand, a line or both")
		}
		p.Rules = append(p.Rules, readRule(s, rule))
		number := fmt.Sprintf("policy.rules[%d]", len(p.Rules)-1)
		s.Places.Alias[number], s.Places.Alias[number+".known_factor"] = s.Path, s.At("known_within")
	})
	o.Objects("overflow", func(v *document.Object) {
		row := routing.Overflow{Market: v.Text("market"), Brand: v.Text("brand"), Dealer: v.NeedText("dealer")}
		row.Line, _ = document.Value(v, "line", parseLine)
		p.Overflow = append(p.Overflow, row)
	})
	if roles := o.Child("roles"); roles != nil {
		for _, key := range roles.Names() {
			line, ok := lead.ParseLine(key)
			role, given := document.Value(roles, key, coded("role", lead.Codes("role"), lead.ParseRole))
			if !ok {
				roles.Bad(roles.Name(key), "there is no line called %q%s", key, lead.Suggest(key, lead.Codes("line")))
			}
			if ok && given {
				p.Roles = append(p.Roles, routing.LineRole{Line: line, Role: role})
			}
		}
	}
	return p
}

func readRule(o *document.Object, r routing.Rule) routing.Rule {
	set(o, "normal_distance", parseDistance, &r.NormalDistance)
	set(o, "known_within", parseTimes, &r.KnownFactor)
	set(o, "max_distance", parseDistance, &r.MaxDistance)
	set(o, "performance_cap", document.Share, &r.PerformanceCap)
	set(o, "minimum_share", document.Share, &r.MinimumShare)
	set(o, "exploration", document.Share, &r.Exploration)
	set(o, "equals", document.Share, &r.Equals)
	set(o, "closed", document.Share, &r.Closed)
	set(o, "missing_program", document.Share, &r.MissingProgram)
	set(o, "other_language", document.Share, &r.OtherLanguage)
	set(o, "service_memory", parseMemory, &r.ServiceMemory)
	set(o, "selling_memory", parseMemory, &r.SellingMemory)
	set(o, "mandatory_programs", document.Switch, &r.MandatoryCounts)
	set(o, "may_move", document.Switch, &r.MoveRule)
	return r
}

// set overwrites a value if its key is given.
func set[T any](o *document.Object, key string, parse func(string) (T, error), to *T) {
	if v, ok := document.Value(o, key, parse); ok {
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
