package playbook

import (
	"fmt"

	"github.com/leadmesh/leadmesh/core/governance"
)

// readRules reads the governance rules but for the catalogue. Their keys are those of
// governance.Rules.
func readRules(o *object) governance.Rules {
	r := governance.Rules{
		Skip: o.words("skip"), TimeFrames: o.table("time_frames"), Choices: o.table("choices"),
		TriggerChannels: o.words("trigger_channels"), PersonalChannels: o.words("personal_channels"),
		DisposableDomains: o.words("disposable_domains"),
	}
	r.MinorAge, _ = value(o, "minor_age", parseCount)
	o.need("markets")
	o.objects("markets", func(m *object) {
		r.Markets = append(r.Markets, governance.Market{
			Country: m.needText("country"), Currency: m.needText("currency"), Unit: m.needText("unit"),
			DayFirst: readSwitch(m, "day_first"), Zone: needValue(m, "zone", parseZone),
		})
	})
	o.objects("fields", func(f *object) {
		rule := governance.FieldRule{Field: f.needText("field"), Map: f.table("map"), Case: f.text("case"), Default: f.text("default"), Required: readSwitch(f, "required")}
		rule.Max, _ = value(f, "max", parseCount)
		r.Fields = append(r.Fields, rule)
	})
	o.objects("sources", func(s *object) {
		zone, _ := value(s, "zone", parseZone)
		r.Sources = append(r.Sources, governance.SourceRule{
			Names: s.words("names"), Source: s.needText("source"), Channel: s.text("channel"), SubSource: s.text("sub_source"),
			Provider: s.text("provider"), Medium: s.text("medium"), Origin: s.text("origin"),
			Zone: zone, Trigger: readSwitch(s, "trigger"), Test: readSwitch(s, "test"),
		})
	})
	if types := o.child("request_types"); types != nil {
		r.RequestTypes = map[string][]string{}
		for _, name := range types.order {
			r.RequestTypes[name] = types.words(name)
		}
	}
	o.need("lines")
	o.objects("lines", func(l *object) {
		r.Lines = append(r.Lines, governance.LineRule{
			RequestType: l.text("request_type"), Interest: l.text("interest"), Origin: l.text("origin"), Line: l.needText("line"),
		})
	})
	if t := o.child("test"); t != nil {
		r.Test = governance.Test{EmailDomains: t.words("email_domains"), Phrases: t.words("phrases")}
		t.close()
	}
	if x := o.child("reject"); x != nil {
		r.Reject = readReject(x)
		x.close()
	}
	return r
}

func readReject(o *object) governance.Reject {
	r := governance.Reject{
		Blocked: o.words("blocked"), Honeypots: o.words("honeypots"), SecondsField: o.text("seconds_field"),
		AddressSuffices: readSwitch(o, "address_suffices"),
	}
	r.MinSeconds, _ = value(o, "min_seconds", parseSeconds)
	o.objects("phrases", func(p *object) {
		rule := governance.PhraseRule{Name: p.needText("name"), Code: p.needText("code"), Phrases: p.words("phrases"), UnlessVehicle: readSwitch(p, "unless_vehicle")}
		p.need("phrases")
		rule.Min, _ = value(p, "min", parseCount)
		r.Phrases = append(r.Phrases, rule)
	})
	if j := o.child("junk"); j != nil {
		r.Junk.Evidence = j.words("evidence")
		r.Junk.MinEvidence = needValue(j, "min_evidence", parseCount)
		j.objects("groups", func(g *object) {
			g.need("phrases")
			r.Junk.Groups = append(r.Junk.Groups, governance.PhraseGroup{Name: g.needText("name"), Phrases: g.words("phrases")})
		})
		j.close()
	}
	return r
}

func readCatalogue(o *object) governance.Catalogue {
	c := governance.Catalogue{DefaultBrand: o.text("default_brand"), WMI: o.table("wmi")}
	o.need("brands")
	o.objects("brands", func(b *object) {
		b.need("makes")
		c.Brands = append(c.Brands, governance.Brand{Code: b.needText("code"), Makes: b.words("makes")})
	})
	o.objects("models", func(m *object) {
		c.Models = append(c.Models, governance.Model{
			Code: m.needText("code"), Make: m.needText("make"), Name: m.needText("name"),
			Aliases: m.words("aliases"), Powertrain: m.text("powertrain"),
		})
	})
	return c
}

func readSwitch(o *object, key string) bool {
	v, _ := value(o, key, parseSwitch)
	return v
}

func parseSeconds(s string) (float64, error) {
	n, ok := decimal(s, 3)
	if !ok || n < 0 {
		return 0, fmt.Errorf("must be a number of seconds, is %q", s)
	}
	return float64(n) / 1000, nil
}
