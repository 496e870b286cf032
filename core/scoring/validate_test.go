package scoring_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leadmesh/leadmesh/core/scoring"
)

func TestCompileReportsEveryMistake(t *testing.T) {
	good := scoring.Line{Calibration: calibration(0, 1, 2), Stages: stages()}
	tests := []struct {
		name string
		d    scoring.Definition
		want []string // paths
	}{
		{"nothing at all", scoring.Definition{}, []string{"lines"}},
		{"unknown names", scoring.Definition{
			Lines:    map[string]scoring.Line{"SALE": good, "SALES": good},
			Segments: map[string]scoring.Segment{"VIP": {Line: "SALES", Rules: []scoring.Rule{{All: []scoring.Condition{{Feature: "fleet", Values: []string{"yes"}}}}}}},
		}, []string{"lines.SALE", "segments.VIP"}},
		{"rows and bins", scoring.Definition{Lines: map[string]scoring.Line{"SALES": {
			Base: 200_000, Calibration: calibration(0, 1, 2), Stages: stages(),
			Rows: []scoring.Row{
				row("age", "", rest(1)),
				row("visits_24m", "days", rest(1)),
				row("visits_24m", "", below(3, 1), below(3, 2), rest(1), rest(2), below(9, 1)),
				row("request_type", "", below(3, 1), is(1, "QUOTE", "QUOT"), is(2, "QUOTE")),
				row("page_view.recency", "days", below(1<<40, 1), missing(1), missing(2), is(1, "yes"), missing(1_000_000)),
				row("fleet", ""),
				row("equity", "", scoring.Bin{Below: p64(1), Values: []string{"yes"}}),
			}}}}, []string{
			"lines.SALES.base",
			"lines.SALES.rows[0].feature",
			"lines.SALES.rows[1].in",
			"lines.SALES.rows[2].feature",
			"lines.SALES.rows[2].bins[1].below",
			"lines.SALES.rows[2].bins[3]",
			"lines.SALES.rows[2].bins[4].below",
			"lines.SALES.rows[3].bins[0].below",
			"lines.SALES.rows[3].bins[1].values[1]",
			"lines.SALES.rows[3].bins[2].values[0]",
			"lines.SALES.rows[4].bins[0].below",
			"lines.SALES.rows[4].bins[2].missing",
			"lines.SALES.rows[4].bins[3].values",
			"lines.SALES.rows[4].bins[4].points",
			"lines.SALES.rows[4].bins[4].missing",
			"lines.SALES.rows[5].bins",
			"lines.SALES.rows[6].bins[0]",
		}},
		{"the rest of a line", scoring.Definition{Lines: map[string]scoring.Line{"SALES": {
			Groups:      map[string]scoring.Cap{"LOOKS": {}, "VALUE": {Min: p32(2), Max: p32(1)}},
			Cap:         scoring.Cap{Max: p32(-200_000)},
			Calibration: []scoring.Knot{{Points: -1, PPM: 50}, {Points: 10, PPM: 40}, {Points: 10, PPM: 2_000_000}},
			Stages:      scoring.Stages{Consideration: 5, Intent: 4, Ready: 6, ReadyBySegment: map[string]int32{"RENEWAL_INTENDER": 1}},
			Trigger:     p32(20_000), Value: -1,
		}}}, []string{
			"lines.SALES.groups.LOOKS", "lines.SALES.groups.VALUE", "lines.SALES.cap.max",
			"lines.SALES.calibration[0].points", "lines.SALES.calibration[1].ppm",
			"lines.SALES.calibration[2].ppm", "lines.SALES.calibration[2].points",
			"lines.SALES.stages", "lines.SALES.stages.ready_by_segment.RENEWAL_INTENDER",
			"lines.SALES.trigger", "lines.SALES.value",
		}},
		{"segments", scoring.Definition{Lines: map[string]scoring.Line{"SALES": good}, Segments: map[string]scoring.Segment{
			"ACCESSORY_PROSPECT": {Line: "SALES"},
			"RENEWAL_INTENDER": {Line: "RENEWAL", Rules: []scoring.Rule{{}, {All: []scoring.Condition{
				{Feature: "fleet"}, {Feature: "fleet", Min: p64(1), Values: []string{"maybe"}}, {Feature: "visits_24m"},
				{Feature: "visits_24m", Min: p64(3), Max: p64(2)}, {Feature: "visits_24m", Max: p64(3), Values: []string{"yes"}}, {Feature: "x"},
				{Feature: "lease_mileage_pace", In: "percent", Min: p64(1 << 31)},
			}}}},
		}}, []string{
			"segments.ACCESSORY_PROSPECT.rules",
			"segments.RENEWAL_INTENDER.line", "segments.RENEWAL_INTENDER.rules[0].all",
			"segments.RENEWAL_INTENDER.rules[1].all[0].values",
			"segments.RENEWAL_INTENDER.rules[1].all[1]", "segments.RENEWAL_INTENDER.rules[1].all[1].values[0]",
			"segments.RENEWAL_INTENDER.rules[1].all[2]",
			"segments.RENEWAL_INTENDER.rules[1].all[3]",
			"segments.RENEWAL_INTENDER.rules[1].all[4].values",
			"segments.RENEWAL_INTENDER.rules[1].all[5].feature",
			"segments.RENEWAL_INTENDER.rules[1].all[6].min",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, problems := scoring.Compile(tt.d)
			if m != nil {
				t.Error("it compiled")
			}
			var got []string
			for _, p := range problems {
				got = append(got, p.Path)
				if p.Message == "" {
					t.Errorf("%s: no message", p.Path)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s\n%v", diff, problems)
			}
		})
	}
}

func TestCompiledModelIgnoresLaterChanges(t *testing.T) {
	d := example()
	m := compile(t, d)
	in := scoring.Inputs{}
	in.Reset()
	var before, after scoring.Result
	m.Score(&in, &before)
	for _, l := range d.Lines {
		for i := range l.Rows {
			for j := range l.Rows[i].Bins {
				l.Rows[i].Bins[j].Points, l.Rows[i].Bins[j].Label = 9, "changed"
				if l.Rows[i].Bins[j].Below != nil {
					*l.Rows[i].Bins[j].Below = 0
				}
			}
		}
	}
	m.Score(&in, &after)
	if before.Points != after.Points {
		t.Error("the model still looks at its definition")
	}
	for _, r := range m.Explain(&in, &after, 1, 9) {
		if r.Label == "changed" {
			t.Error("the labels still look at the definition")
		}
	}
}
