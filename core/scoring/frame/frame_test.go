package frame_test

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leadmesh/leadmesh/core/scoring/frame"
)

func sample() *frame.Frame {
	return &frame.Frame{Rows: 4, Columns: []frame.Column{
		frame.Numeric("visits", []float64{1, math.NaN(), 3, 4}),
		frame.Categorical("source", []string{"web", "", "ad", "web"}),
	}}
}

func texts(c *frame.Column) []string {
	out := make([]string, c.Len())
	for i := range out {
		out[i] = c.Text(i)
	}
	return out
}

func TestCategoricalKeepsTheOrderOfFirstRowsAndMissing(t *testing.T) {
	c := sample().Column("source")
	if diff := cmp.Diff([]string{"web", "ad"}, c.Values); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int32{0, -1, 1, 0}, c.Codes); diff != "" {
		t.Error(diff)
	}
	if !c.Missing(1) || c.Missing(0) || !sample().Column("visits").Missing(1) {
		t.Error("missing values are not told apart")
	}
}

func TestTakeSliceWithout(t *testing.T) {
	f := sample()
	taken := f.Take([]int32{3, 1, 3})
	if diff := cmp.Diff([]string{"web", "", "web"}, texts(taken.Column("source"))); diff != "" {
		t.Error(diff)
	}
	if taken.Rows != 3 || taken.Column("visits").Numbers[2] != 4 {
		t.Errorf("took %+v", taken)
	}
	part := f.Slice(2, 4)
	if part.Rows != 2 || part.Column("visits").Numbers[0] != 3 || part.Column("source").Text(0) != "ad" {
		t.Errorf("sliced %+v", part)
	}
	if diff := cmp.Diff([]string{"source"}, f.Without("visits", "absent").Names()); diff != "" {
		t.Error(diff)
	}
	if f.Column("absent") != nil {
		t.Error("an absent column was found")
	}
	for _, g := range []*frame.Frame{f, taken, part} {
		if err := g.Check(); err != nil {
			t.Error(err)
		}
	}
}

func TestCheckNamesTheColumn(t *testing.T) {
	for name, tc := range map[string]struct {
		spoil func(f *frame.Frame)
		want  string
	}{
		"no name":    {func(f *frame.Frame) { f.Columns[0].Name = "" }, "column 1 has no name"},
		"twice":      {func(f *frame.Frame) { f.Columns[1].Name = "visits" }, `"visits" stands twice`},
		"kind":       {func(f *frame.Frame) { f.Columns[0].Kind = 0 }, `"visits" is neither`},
		"length":     {func(f *frame.Frame) { f.Rows = 5 }, `"visits" has 4 values for 5 rows`},
		"infinite":   {func(f *frame.Frame) { f.Columns[0].Numbers[2] = math.Inf(-1) }, `"visits": row 3`},
		"code":       {func(f *frame.Frame) { f.Columns[1].Codes[0] = 2 }, `"source": row 1`},
		"value":      {func(f *frame.Frame) { f.Columns[1].Values[1] = "web" }, `"source" names a value twice`},
		"below zero": {func(f *frame.Frame) { f.Columns[1].Codes[3] = -2 }, `"source": row 4`},
	} {
		t.Run(name, func(t *testing.T) {
			f := sample()
			tc.spoil(f)
			err := f.Check()
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}
