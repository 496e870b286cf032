package document_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leadmesh/leadmesh/core/document"
)

// read reads a small form of two keys and a list and returns what is wrong with it.
func read(text string) []document.Mistake {
	var list document.List
	places := document.NewPlaces()
	d := &document.Document{File: "a.yaml", Offset: 10, Places: places, List: &list}
	o := d.Root([]byte(text), "")
	if o == nil {
		return list.Mistakes
	}
	o.NeedText("name")
	document.NeedValue(o, "share", document.Share)
	o.Objects("rows", func(r *document.Object) { document.NeedValue(r, "points", document.Points) })
	o.Close()
	list.Complain(places, "rows[1].points", "is too much")
	return list.Mistakes
}

func TestMistakesHaveLineAndColumn(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []document.Mistake
	}{
		{"an engine's word", "name: x\nshare: 1 %\nrows:\n  - points: 1\n  - {points: 2}\n",
			[]document.Mistake{{"a.yaml", 15, 6, "points: is too much"}}},
		{"not readable, so no word of the engine", "name: x\nshare: 2\nrows: [{points: 1}, {points: no}]\n", []document.Mistake{
			{"a.yaml", 12, 8, `share: must be a percentage from 0 % to 100 %, is "2"`},
			{"a.yaml", 13, 30, `points: must be points such as 12 or -4.5, at most 1000, is "no"`}}},
		{"unknown, twice and missing", "nme: x\nshare: 1 %\nshare: 2 %\nrows: [{points: 1}, {points: 1}]\n", []document.Mistake{
			{"a.yaml", 13, 1, "share stands twice; it was given in line 12 already"},
			{"a.yaml", 11, 1, "name is missing"},
			{"a.yaml", 11, 1, "nothing is called nme here; there are name, share, rows"},
			{"a.yaml", 14, 22, "points: is too much"}}},
		{"no YAML", "name: [\n", []document.Mistake{{"a.yaml", 11, 0, "is no YAML: did not find expected node content"}}},
		{"empty", "# nothing\n", []document.Mistake{{"a.yaml", 11, 0, "the file is empty"}}},
		{"an alias", "name: &a x\nshare: *a\n", []document.Mistake{
			{"a.yaml", 11, 7, "& and * are not used here; write the value out, or put it in quotes if it begins so"},
			{"a.yaml", 12, 8, "& and * are not used here; write the value out, or put it in quotes if it begins so"}}},
	} {
		if diff := cmp.Diff(tt.want, read(tt.text)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// parsed runs a reader over texts; an error gives "wrong".
func parsed[T any](parse func(string) (T, error), texts ...string) []any {
	var out []any
	for _, s := range texts {
		v, err := parse(s)
		if err != nil {
			out = append(out, "wrong")
			continue
		}
		out = append(out, v)
	}
	return out
}

func TestValues(t *testing.T) {
	const wrong = "wrong"
	for _, tt := range []struct {
		name      string
		got, want []any
	}{
		{"shares", parsed(document.Share, "15 %", "0.4%", "100 %", "0 %", "101 %", "15", "-1 %", "0.00001 %"),
			[]any{int32(150_000), int32(4_000), int32(1_000_000), int32(0), wrong, wrong, wrong, wrong}},
		{"points", parsed(document.Points, "12", "-4.5", "+3", "0.25", "12.555", "1001", "", ".5", "1.", "1e3"),
			[]any{int32(1200), int32(-450), int32(300), int32(25), wrong, wrong, wrong, wrong, wrong, wrong}},
		{"scores", parsed(document.Score, "0", "100", "33.3", "100.01", "-0.01"), []any{int32(0), int32(10000), int32(3330), wrong, wrong}},
		{"whole numbers", parsed(document.Whole, "-7", "1_000", "1.0", "x"), []any{int64(-7), int64(1000), wrong, wrong}},
		{"switches", parsed(document.Switch, "yes", "no", "true", "off", "maybe"), []any{true, false, true, false, wrong}},
	} {
		if diff := cmp.Diff(tt.want, tt.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}
