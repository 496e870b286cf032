package assess_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leadmesh/leadmesh/core/scoring/assess"
	"github.com/leadmesh/leadmesh/core/scoring/card"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
)

// drawnGroups are rows of so many of each value, with chances that are true.
func drawnGroups(counts map[string]int, names ...string) (assess.Sample, frame.Column) {
	r := rand.New(rand.NewPCG(4, 4))
	var s assess.Sample
	var of []string
	for _, name := range names {
		for range counts[name] {
			p := r.Float64()
			s.Probability, s.Won, of = append(s.Probability, p), append(s.Won, r.Float64() < p), append(of, name)
		}
	}
	return s, frame.Categorical("brand", of)
}

func TestGroups(t *testing.T) {
	s, c := drawnGroups(map[string]int{"small": 29, "b": 200, "a": 200, "tiny": 1, "": 40}, "small", "b", "", "a", "tiny")
	got, err := assess.Groups(s, "brand", &c, 0)
	if err != nil {
		t.Fatal(err)
	}
	segments, err := assess.Segments(s, &c, assess.Options{})
	if err != nil {
		t.Fatal(err)
	}
	type shown struct {
		Value        string
		Others, Rows int64
	}
	var have []shown
	rows := int64(0)
	for _, g := range got {
		have = append(have, shown{g.Value, g.Others, g.Rows})
		if rows += g.Rows; g.By != "brand" {
			t.Errorf("%+v is by another", g)
		}
		for _, x := range segments {
			if x.Name != g.Value || g.Others > 0 {
				continue
			}
			want := card.Group{By: "brand", Value: g.Value, Rows: int64(x.Report.Rows), Positives: int64(x.Report.Won), AUC: x.Report.AUC.Value, AUCLow: x.Report.AUC.Low,
				AUCHigh: x.Report.AUC.High, CalibrationError: x.Report.Calibration.Error.Value, CalibrationLow: x.Report.Calibration.Error.Low}
			if diff := cmp.Diff(want, g); diff != "" {
				t.Error(diff)
			}
		}
	}
	if diff := cmp.Diff([]shown{{"a", 0, 200}, {"b", 0, 200}, {"", 0, 40}, {"", 2, 30}}, have); diff != "" {
		t.Error(diff)
	}
	if rows != int64(len(s.Won)) {
		t.Errorf("%d of %d rows are in a group", rows, len(s.Won))
	}

	// One small value has nobody to be together with.
	s, c = drawnGroups(map[string]int{"a": 40, "b": 3}, "a", "b")
	if got, _ := assess.Groups(s, "brand", &c, 0); len(got) != 2 || got[1].Value != "b" || got[1].Others != 0 {
		t.Errorf("%+v", got)
	}

	// Of many values the greatest stand alone.
	counts, names := map[string]int{}, []string{}
	for i := range 60 {
		name := fmt.Sprint(i)
		counts[name], names = 40+i, append(names, name)
	}
	s, c = drawnGroups(counts, names...)
	if got, _ := assess.Groups(s, "brand", &c, 0); len(got) != 51 || got[0].Value != "59" || got[50].Others != 10 {
		t.Errorf("%d groups, the last %+v", len(got), got[len(got)-1])
	}
	n := frame.Numeric("n", make([]float64, len(s.Won)))
	if _, err := assess.Groups(s, "n", &n, 0); err == nil {
		t.Error("a number was taken for what parts rows")
	}
}

func TestGroupsOfRowsInSeveral(t *testing.T) {
	s, _ := drawnGroups(map[string]int{"a": 100}, "a")
	rows := func(from, to int32) (out []int32) {
		for i := from; i < to; i++ {
			out = append(out, i)
		}
		return out
	}
	got := assess.GroupsOf(s, "segment", []assess.Cell{{Value: "x", Rows: rows(0, 60)}, {Value: "y", Rows: rows(40, 100)}, {Value: "p", Rows: rows(0, 20)}, {Value: "q", Rows: rows(10, 30)}, {Value: "none"}}, 0)
	var have []string
	for _, g := range got {
		have = append(have, fmt.Sprint(g.Value, g.Others, g.Rows))
	}
	if diff := cmp.Diff([]string{"x0 60", "y0 60", "2 30"}, have); diff != "" {
		t.Error(diff)
	}
}
