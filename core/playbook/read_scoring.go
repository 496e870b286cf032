package playbook

import (
	"github.com/leadmesh/leadmesh/core/scoring"
	"go.yaml.in/yaml/v3"
)

// readScorecard reads the scorecard of one line. Points are written in whole points, chances in
// per cent, values in money.
func (b *bundle) readScorecard(o *object) scoring.Line {
	money := parseMoney(b.playbook.Currency)
	l := scoring.Line{
		Base:    needValue(o, "base", parsePoints),
		Trigger: optional(o, "trigger", parseScore),
		Value:   needValue(o, "value", money),
		Cap:     readCap(o.child("cap")),
	}
	if groups := o.child("groups"); groups != nil {
		l.Groups = map[string]scoring.Cap{}
		groups.keys(func(name string, v *yaml.Node) {
			l.Groups[name] = readCap(groups.object(v, join(groups.path, name)))
		})
	}
	if s := o.needChild("stages"); s != nil {
		l.Stages = scoring.Stages{
			Consideration: needValue(s, "consideration", parseScore),
			Intent:        needValue(s, "intent", parseScore),
			Ready:         needValue(s, "ready", parseScore),
		}
		if by := s.child("ready_by_segment"); by != nil {
			l.Stages.ReadyBySegment = map[string]int32{}
			by.keys(func(name string, _ *yaml.Node) {
				l.Stages.ReadyBySegment[name], _ = value(by, name, parseScore)
			})
		}
		s.close()
	}
	o.need("calibration")
	o.objects("calibration", func(k *object) {
		l.Calibration = append(l.Calibration, scoring.Knot{Points: needValue(k, "points", parseScore), PPM: needValue(k, "chance", parseShare)})
	})
	o.need("rows")
	o.objects("rows", func(r *object) {
		row := scoring.Row{Feature: r.needText("feature"), In: r.text("in"), Label: r.text("label")}
		r.need("bins")
		r.objects("bins", func(x *object) { row.Bins = append(row.Bins, readBin(x)) })
		l.Rows = append(l.Rows, row)
	})
	return l
}

func readBin(o *object) scoring.Bin {
	bin := scoring.Bin{
		Below: optional(o, "below", parseWhole), Values: o.words("values"),
		Points: needValue(o, "points", parsePoints), Label: o.text("label"),
	}
	if v := optional(o, "missing", parseSwitch); v != nil {
		bin.Missing = *v
	}
	rest, _ := value(o, "else", parseSwitch)
	switch plain := bin.Below == nil && bin.Values == nil && !bin.Missing; {
	case rest && !plain:
		o.bad(o.node, "else takes what is left and stands alone")
	case !rest && plain && o.values["below"] == nil && o.values["values"] == nil:
		o.bad(o.node, "whom is this for? give below, values, missing: yes or else: yes")
	}
	return bin
}

func readCap(o *object) scoring.Cap {
	if o == nil {
		return scoring.Cap{}
	}
	defer o.close()
	return scoring.Cap{Min: optional(o, "min", parsePoints), Max: optional(o, "max", parsePoints)}
}

func (b *bundle) readSegments(o *object) map[string]scoring.Segment {
	out := map[string]scoring.Segment{}
	o.keys(func(name string, v *yaml.Node) {
		s := o.object(v, join(o.path, name))
		if s == nil {
			return
		}
		segment := scoring.Segment{Line: s.needText("line")}
		segment.Value, _ = value(s, "value", parseMoney(b.playbook.Currency))
		s.need("rules")
		s.objects("rules", func(r *object) {
			rule := scoring.Rule{Level: r.text("level")}
			r.need("all")
			r.objects("all", func(c *object) {
				rule.All = append(rule.All, scoring.Condition{
					Feature: c.needText("feature"), In: c.text("in"),
					Min: optional(c, "min", parseWhole), Max: optional(c, "max", parseWhole), Values: c.words("values"),
				})
			})
			segment.Rules = append(segment.Rules, rule)
		})
		s.close()
		out[name] = segment
	})
	return out
}
