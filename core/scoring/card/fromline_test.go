package card_test

import (
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/playbook"
	"github.com/leadmesh/leadmesh/core/scoring"
	"github.com/leadmesh/leadmesh/core/scoring/card"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
)

// scorecards are those of the sample playbook.
func scorecards(t testing.TB) scoring.Definition {
	t.Helper()
	files := playbook.Files{}
	root := os.DirFS(filepath.Join("..", "..", "..", "deploy", "sample", "playbook"))
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files[name], err = fs.ReadFile(root, name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	p, mistakes := playbook.Read(files)
	if p == nil {
		t.Fatal(mistakes)
	}
	return p.Scorecards
}

// facts draws inputs, often right at a threshold of some scorecard.
func facts(r *rand.Rand, d scoring.Definition) scoring.Inputs {
	var in scoring.Inputs
	in.Reset()
	for f := scoring.FeatureNone + 1; f < scoring.NumFeatures; f++ {
		switch {
		case r.IntN(4) == 0:
		case f.Unit() == scoring.UnitCategory:
			in.Values[f] = f.FirstValue() + int32(r.IntN(len(f.Values())))
		default:
			in.Values[f] = int32(r.IntN(2_000_000) - 500_000)
			for _, l := range d.Lines {
				for _, row := range l.Rows {
					if scale, ok := f.Unit().Scale(row.In); ok && row.Feature == f.String() && r.IntN(3) == 0 {
						if b := row.Bins[r.IntN(len(row.Bins))]; b.Below != nil {
							in.Values[f] = int32(*b.Below*scale) - int32(r.IntN(2))
						}
					}
				}
			}
		}
	}
	return in
}

// rowsOf puts inputs into a frame.
func rowsOf(all []scoring.Inputs) *frame.Frame {
	out := &frame.Frame{Rows: len(all)}
	for f := scoring.FeatureNone + 1; f < scoring.NumFeatures; f++ {
		c := frame.Column{Name: f.String(), Kind: frame.Number}
		if f.Unit() == scoring.UnitCategory {
			c.Kind, c.Values = frame.Category, f.Values()
		}
		for i := range all {
			v := all[i].Values[f]
			switch {
			case c.Kind == frame.Category && v == scoring.Missing:
				c.Codes = append(c.Codes, -1)
			case c.Kind == frame.Category:
				c.Codes = append(c.Codes, v-f.FirstValue())
			case v == scoring.Missing:
				c.Numbers = append(c.Numbers, math.NaN())
			default:
				c.Numbers = append(c.Numbers, float64(v))
			}
		}
		out.Columns = append(out.Columns, c)
	}
	return out
}

func TestScorecardsOfThePlaybookAreCardsAndBack(t *testing.T) {
	d := scorecards(t)
	if len(d.Lines) < 8 {
		t.Fatalf("only %d scorecards", len(d.Lines))
	}
	sales := d.Lines["SALES"]
	sales.Pairs = []scoring.Pair{{
		First:  scoring.Side{Feature: "inventory_view.recency", In: "days", Parts: []scoring.Part{{Below: p64(4)}, {Below: p64(15)}}},
		Second: scoring.Side{Feature: "request_type", Parts: []scoring.Part{{Values: []string{"QUOTE"}}, {Missing: true}}},
		Group:  "ENGAGEMENT", Points: [][]int32{{900, -300}, {400, 0}}, Errors: [][]int32{{50, 0}, {20, 10}},
	}}
	d.Lines["SALES"] = sales
	want, problems := scoring.Compile(d)
	if want == nil {
		t.Fatal(problems)
	}
	back := scoring.Definition{Lines: map[string]scoring.Line{}, Segments: d.Segments}
	cards := map[string]*card.Card{}
	for code, l := range d.Lines {
		c, problems := card.FromLine(code, l)
		if c == nil {
			t.Fatal(code, problems)
		}
		if diff := cmp.Diff(c, parse(t, c.Marshal())); diff != "" {
			t.Errorf("%s as text: %s", code, diff)
		}
		cards[code] = c
		again, problems := c.Line()
		if len(problems) > 0 {
			t.Fatal(code, problems)
		}
		again.Stages, again.Trigger, again.Value = l.Stages, l.Trigger, l.Value
		back.Lines[code] = again
	}
	got, problems := scoring.Compile(back)
	if got == nil {
		t.Fatal(problems)
	}
	r := rand.New(rand.NewPCG(1, 9))
	all := make([]scoring.Inputs, 1500)
	for i := range all {
		all[i] = facts(r, d)
	}
	f := rowsOf(all)
	var a, b scoring.Result
	for code, c := range cards {
		line, _ := lead.ParseLine(code)
		bound := bind(t, compile(t, c), f)
		for i := range all {
			want.Score(&all[i], &a)
			got.Score(&all[i], &b)
			x := bound.Score(i)
			if a.Points[line] != b.Points[line] || a.Probability[line] != b.Probability[line] || a.Stage[line] != b.Stage[line] || a.Active != b.Active {
				t.Fatalf("%s: the way back gives %d points, the scorecard %d", code, b.Points[line], a.Points[line])
			}
			if x.Points != a.Points[line] || x.PPM != a.Probability[line] || x.LowPPM != 0 && x.PPM != 0 || x.HighPPM != card.Certain {
				t.Fatalf("%s: the card gives %+v, the scorecard %d points", code, x, a.Points[line])
			}
			if i%50 != 0 {
				continue
			}
			var said, wanted []string
			for _, reason := range want.Explain(&all[i], &a, line, 5) {
				wanted = append(wanted, reason.Label)
			}
			for _, reason := range bound.Reasons(i, 5) {
				said = append(said, reason.Text[:strings.LastIndex(reason.Text, ": ")])
			}
			// Reasons of equal points stand in the order of the card there, of features here.
			slices.Sort(said)
			slices.Sort(wanted)
			if len(said) < 5 || !tied(want.Explain(&all[i], &a, line, 6)) {
				if diff := cmp.Diff(wanted, said); diff != "" {
					t.Fatalf("%s: %s", code, diff)
				}
			}
		}
	}
}

// tied reports whether the sixth reason is as strong as the fifth.
func tied(reasons []scoring.Reason) bool {
	if len(reasons) < 6 {
		return false
	}
	a, b := reasons[4].Points, reasons[5].Points
	return max(a, -a) == max(b, -b)
}

func TestFromLineRefusesAFaultyScorecard(t *testing.T) {
	if _, problems := card.FromLine("SALES", scoring.Line{}); len(problems) == 0 {
		t.Error("a scorecard without calibration was taken")
	}
	if _, problems := card.FromLine("SAILS", scorecards(t).Lines["SALES"]); len(problems) == 0 {
		t.Error("an unknown line was taken")
	}
}
