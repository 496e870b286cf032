package playbook

import (
	"fmt"

	"github.com/leadmesh/leadmesh/core/document"
	"github.com/leadmesh/leadmesh/core/governance"
)

// readRules reads the governance rules but for the catalogue. Their keys are those of
// governance.Rules.
func readRules(o *document.Object) governance.Rules {
	r := governance.Rules{
		Skip: o.Words("skip"), TimeFrames: o.Table("time_frames"), Choices: o.Table("choices"),
		TriggerChannels: o.Words("trigger_channels"), PersonalChannels: o.Words("personal_channels"),
		DisposableDomains: o.Words("disposable_domains"),
	}
	r.MinorAge, _ = document.Value(o, "minor_age", parseCount)
	o.Need("markets")
	o.Objects("markets", func(m *document.Object) {
		r.Markets = append(r.Markets, governance.Market{
			Country: m.NeedText("country"), Currency: m.NeedText("currency"), Unit: m.NeedText("unit"),
			DayFirst: readSwitch(m, "day_first"), Zone: document.NeedValue(m, "zone", parseZone),
		})
	})
	o.Objects("fields", func(f *document.Object) {
		rule := governance.FieldRule{Field: f.NeedText("field"), Map: f.Table("map"), Case: f.Text("case"), Default: f.Text("default"), Required: readSwitch(f, "required")}
		rule.Max, _ = document.Value(f, "max", parseCount)
		r.Fields = append(r.Fields, rule)
	})
	o.Objects("sources", func(s *document.Object) {
		zone, _ := document.Value(s, "zone", parseZone)
		r.Sources = append(r.Sources, governance.SourceRule{
			Names: s.Words("names"), Source: s.NeedText("source"), Channel: s.Text("channel"), SubSource: s.Text("sub_source"),
			Provider: s.Text("provider"), Medium: s.Text("medium"), Origin: s.Text("origin"),
			Zone: zone, Trigger: readSwitch(s, "trigger"), Test: readSwitch(s, "test"),
		})
	})
	if types := o.Child("request_types"); types != nil {
		r.RequestTypes = map[string][]string{}
		for _, name := range types.Names() {
			r.RequestTypes[name] = types.Words(name)
		}
	}
	o.Need("lines")
	o.Objects("lines", func(l *document.Object) {
		r.Lines = append(r.Lines, governance.LineRule{
			RequestType: l.Text("request_type"), Interest: l.Text("interest"), Origin: l.Text("origin"), Line: l.NeedText("line"),
		})
	})
	if t := o.Child("test"); t != nil {
		r.Test = governance.Test{EmailDomains: t.Words("email_domains"), Phrases: t.Words("phrases")}
		t.Close()
	}
	if x := o.Child("reject"); x != nil {
		r.Reject = readReject(x)
		x.Close()
	}
	return r
}

func readReject(o *document.Object) governance.Reject {
	r := governance.Reject{
		Blocked: o.Words("blocked"), Honeypots: o.Words("honeypots"), SecondsField: o.Text("seconds_field"),
		AddressSuffices: readSwitch(o, "address_suffices"),
	}
	r.MinSeconds, _ = document.Value(o, "min_seconds", parseSeconds)
	o.Objects("phrases", func(p *document.Object) {
		rule := governance.PhraseRule{Name: p.NeedText("name"), Code: p.NeedText("code"), Phrases: p.Words("phrases"), UnlessVehicle: readSwitch(p, "unless_vehicle")}
		p.Need("phrases")
		rule.Min, _ = document.Value(p, "min", parseCount)
		r.Phrases = append(r.Phrases, rule)
	})
	if j := o.Child("junk"); j != nil {
		r.Junk.Evidence = j.Words("evidence")
		r.Junk.MinEvidence = document.NeedValue(j, "min_evidence", parseCount)
		j.Objects("groups", func(g *document.Object) {
			g.Need("phrases")
			r.Junk.Groups = append(r.Junk.Groups, governance.PhraseGroup{Name: g.NeedText("name"), Phrases: g.Words("phrases")})
		})
		j.Close()
	}
	return r
}

func readSwitch(o *document.Object, key string) bool {
	v, _ := document.Value(o, key, document.Switch)
	return v
}

func parseSeconds(s string) (float64, error) {
	n, ok := document.Decimal(s, 3)
	if !ok || n < 0 {
		return 0, fmt.Errorf("must be a number of seconds, is %q", s)
	}
	return float64(n) / 1000, nil
}
