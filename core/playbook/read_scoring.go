package playbook

import (
	"github.com/leadmesh/leadmesh/core/document"
	"github.com/leadmesh/leadmesh/core/scoring"
	"go.yaml.in/yaml/v3"
)

// readLine reads the file of a line; ok is false where it says no line.
func (b *bundle) readLine(o *document.Object, where *document.Places, d *scoring.Definition) (ok bool) {
	code, ok := document.Value(o, "line", parseLine)
	if !ok {
		o.Need("line")
	}
	b.claim(o, where, "lines."+code.String(), "scorecard of "+code.String())
	d.Lines[code.String()] = b.readScorecard(o)
	return ok
}

// claim makes the places of a file those of one part of the scorecards, which no other file holds.
func (b *bundle) claim(o *document.Object, where *document.Places, path, what string) {
	if at, twice := where.Lines[path]; twice {
		o.Bad(o.Node, "the %s stands in %s already", what, at.File)
	}
	o.Places, o.Path = where, path
	where.Lines[path] = o.Place(o.Node)
}

// readScorecard reads the scorecard of one line. Points are written in whole points, chances in
// per cent, values in money.
func (b *bundle) readScorecard(o *document.Object) scoring.Line {
	money := parseMoney(b.playbook.Currency)
	l := scoring.Line{
		Base:    document.NeedValue(o, "base", document.Points),
		Trigger: document.Optional(o, "trigger", document.Score),
		Value:   document.NeedValue(o, "value", money),
		Cap:     readCap(o.Child("cap")),
		Groups:  readGroups(o),
		Rows:    readRows(o),
		Pairs:   readPairs(o),
	}
	l.PriorLeads, _ = document.Value(o, "prior_leads", parsePriorLeads)
	if s := o.NeedChild("stages"); s != nil {
		l.Stages = scoring.Stages{
			Consideration: document.NeedValue(s, "consideration", document.Score),
			Intent:        document.NeedValue(s, "intent", document.Score),
			Ready:         document.NeedValue(s, "ready", document.Score),
		}
		if by := s.Child("ready_by_segment"); by != nil {
			l.Stages.ReadyBySegment = map[string]int32{}
			by.Keys(func(name string, _ *yaml.Node) {
				l.Stages.ReadyBySegment[name], _ = document.Value(by, name, document.Score)
			})
		}
		s.Close()
	}
	o.Need("calibration")
	o.Objects("calibration", func(k *document.Object) {
		l.Calibration = append(l.Calibration, scoring.Knot{
			Points: document.NeedValue(k, "points", document.Score), PPM: document.NeedValue(k, "chance", document.Share),
			Low: document.Optional(k, "low", document.Share), High: document.Optional(k, "high", document.Share),
		})
	})
	return l
}

func readGroups(o *document.Object) map[string]scoring.Cap {
	groups := o.Child("groups")
	if groups == nil {
		return nil
	}
	out := map[string]scoring.Cap{}
	groups.Keys(func(name string, v *yaml.Node) {
		out[name] = readCap(groups.Object(v, document.Join(groups.Path, name)))
	})
	return out
}

func readRows(o *document.Object) (out []scoring.Row) {
	o.Need("rows")
	o.Objects("rows", func(r *document.Object) {
		row := scoring.Row{Feature: r.NeedText("feature"), In: r.Text("in"), Label: r.Text("label")}
		r.Need("bins")
		r.Objects("bins", func(x *document.Object) { row.Bins = append(row.Bins, readBin(x)) })
		out = append(out, row)
	})
	return out
}

func readBin(o *document.Object) scoring.Bin {
	bin := readRange(o)
	bin.Points, bin.Label = document.NeedValue(o, "points", document.Points), o.Text("label")
	return bin
}

// readRange reads whom a bin of a row or a part of a pair is for.
func readRange(o *document.Object) scoring.Bin {
	bin := scoring.Bin{Below: document.Optional(o, "below", document.Whole), Values: o.Words("values")}
	if v := document.Optional(o, "missing", document.Switch); v != nil {
		bin.Missing = *v
	}
	rest, _ := document.Value(o, "else", document.Switch)
	switch plain := bin.Below == nil && bin.Values == nil && !bin.Missing; {
	case rest && !plain:
		o.Bad(o.Node, "else takes what is left and stands alone")
	case !rest && plain && o.Given("below") == nil && o.Given("values") == nil:
		o.Bad(o.Node, "whom is this for? give below, values, missing: yes or else: yes")
	}
	return bin
}

func readCap(o *document.Object) scoring.Cap {
	if o == nil {
		return scoring.Cap{}
	}
	defer o.Close()
	return scoring.Cap{Min: document.Optional(o, "min", document.Points), Max: document.Optional(o, "max", document.Points)}
}

func (b *bundle) readSegments(o *document.Object) map[string]scoring.Segment {
	out := map[string]scoring.Segment{}
	o.Keys(func(name string, v *yaml.Node) {
		s := o.Object(v, document.Join(o.Path, name))
		if s == nil {
			return
		}
		segment := scoring.Segment{Line: s.NeedText("line")}
		segment.Value, _ = document.Value(s, "value", parseMoney(b.playbook.Currency))
		s.Need("rules")
		s.Objects("rules", func(r *document.Object) {
			rule := scoring.Rule{Level: r.Text("level")}
			r.Need("all")
			r.Objects("all", func(c *document.Object) {
				rule.All = append(rule.All, scoring.Condition{
					Feature: c.NeedText("feature"), In: c.Text("in"),
					Min: document.Optional(c, "min", document.Whole), Max: document.Optional(c, "max", document.Whole), Values: c.Words("values"),
				})
			})
			segment.Rules = append(segment.Rules, rule)
		})
		s.Close()
		out[name] = segment
	})
	return out
}
