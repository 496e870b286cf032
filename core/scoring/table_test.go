package scoring_test

import (
	"testing"

	"github.com/leadmesh/leadmesh/core/scoring"
)

// The hash is of the table alone, and must not change from version to version: it is stored.
func TestTableHash(t *testing.T) {
	below := int64(3)
	line := func() scoring.Line {
		return scoring.Line{
			Base: 1000, Rows: []scoring.Row{{Feature: "repeat_inquiry", Bins: []scoring.Bin{{Below: &below, Points: 5}, {Points: 9}}}},
			Groups: map[string]scoring.Cap{"ENGAGEMENT": {}, "VALUE": {}}, Calibration: []scoring.Knot{{Points: 0, PPM: 1}},
		}
	}
	const want = "e3dc217e8ad57597e15d9ef14b9fee738f30a022e9ba3ab369cd3c78240a20f1"
	if got := line().TableHash(); got != want {
		t.Errorf("the hash is %s", got)
	}
	for name, c := range map[string]struct {
		change func(*scoring.Line)
		same   bool
	}{
		"base":        {func(l *scoring.Line) { l.Base++ }, false},
		"points":      {func(l *scoring.Line) { l.Rows[0].Bins[1].Points++ }, false},
		"cap":         {func(l *scoring.Line) { l.Cap.Max = &l.Base }, false},
		"groups":      {func(l *scoring.Line) { delete(l.Groups, "VALUE") }, false},
		"calibration": {func(l *scoring.Line) { l.Calibration[0].PPM++ }, false},
		"bounds":      {func(l *scoring.Line) { l.Calibration[0].Low = &l.Base }, false},
		"prior leads": {func(l *scoring.Line) { l.PriorLeads = 7 }, false},
		"error":       {func(l *scoring.Line) { l.Rows[0].Bins[0].Error = 7 }, false},
		"pairs":       {func(l *scoring.Line) { l.Pairs = []scoring.Pair{{Points: [][]int32{{1}}}} }, false},
		"stages":      {func(l *scoring.Line) { l.Stages.Ready++ }, true},
		"value":       {func(l *scoring.Line) { l.Value++ }, true},
		"trigger":     {func(l *scoring.Line) { l.Trigger = &l.Base }, true},
	} {
		l := line()
		if c.change(&l); (l.TableHash() == want) != c.same {
			t.Errorf("another %s: the same hash is %v", name, !c.same)
		}
	}
}
