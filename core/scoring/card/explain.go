package card

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/leadmesh/leadmesh/core/scoring"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
)

// ContributionKind is what gave or took points.
type ContributionKind uint8

// The kinds of contribution, in the order in which they are added up.
const (
	ContributionBase ContributionKind = iota + 1
	ContributionRow
	ContributionPair
	ContributionGroupCap
	ContributionTotalCap
	ContributionClamp // what keeping to 0..10000 changed
)

// String returns the code of a kind, "" for none.
func (k ContributionKind) String() string {
	names := [...]string{"", "BASE", "FEATURE", "PAIR", "GROUP_CAP", "TOTAL_CAP", "CLAMP"}
	if int(k) >= len(names) {
		return ""
	}
	return names[k]
}

// Contribution is one part of the points of a row of data.
type Contribution struct {
	Kind   ContributionKind
	Index  int    // into the card's Rows or Pairs; -1 for base and caps
	Group  string // of rows, pairs and group caps; may be empty
	Bin    int    // into the row's Bins; -1 for none
	Cell   [2]int // into the pair's Cells; -1 for none
	Points int32  // 1/100
	Error  int32  // standard error of the points; 0 for caps
}

// AppendContributions appends what a row of the frame got to dst: the base, every row and pair of
// the card in their order, and the caps that changed something. Their points add up exactly to
// Result.Points.
func (b *Bound) AppendContributions(dst []Contribution, row int) []Contribution {
	s := b.s
	none := [2]int{-1, -1}
	dst = append(dst, Contribution{Kind: ContributionBase, Index: -1, Bin: -1, Cell: none, Points: s.card.Base, Error: s.card.BaseError})
	start := len(dst)
	for i := range b.rows {
		c := Contribution{Kind: ContributionRow, Index: i, Group: s.card.Rows[i].group(), Bin: int(b.rows[i].bin(row)), Cell: none}
		if c.Bin >= 0 {
			bin := &s.card.Rows[i].Bins[c.Bin]
			c.Points, c.Error = bin.Points, bin.Error
		}
		dst = append(dst, c)
	}
	for i := range b.pairs {
		c := Contribution{Kind: ContributionPair, Index: i, Group: s.card.Pairs[i].Group, Bin: -1,
			Cell: [2]int{int(b.pairs[i][0].bin(row)), int(b.pairs[i][1].bin(row))}}
		if c.Cell[0] >= 0 && c.Cell[1] >= 0 {
			cell := &s.card.Pairs[i].Cells[c.Cell[0]][c.Cell[1]]
			c.Points, c.Error = cell.Points, cell.Error
		}
		dst = append(dst, c)
	}
	end, total := len(dst), s.card.Base
	for g := range s.groups {
		var sum int32
		for i := start; i < end; i++ {
			if dst[i].Group == s.groups[g].name {
				sum += dst[i].Points
			}
		}
		capped := min(max(sum, s.groups[g].lo), s.groups[g].hi)
		if capped != sum {
			dst = append(dst, Contribution{Kind: ContributionGroupCap, Index: -1, Group: s.groups[g].name, Bin: -1, Cell: none, Points: capped - sum})
		}
		total += capped
	}
	capped := min(max(total, s.lo), s.hi)
	if capped != total {
		dst = append(dst, Contribution{Kind: ContributionTotalCap, Index: -1, Bin: -1, Cell: none, Points: capped - total})
	}
	if points := min(max(capped, 0), MaxPoints); points != capped {
		dst = append(dst, Contribution{Kind: ContributionClamp, Index: -1, Bin: -1, Cell: none, Points: points - capped})
	}
	return dst
}

// Reason is a contribution in words.
type Reason struct {
	Contribution
	Text string // e.g. "Total Time Spent on Website 1279: +14"; the values of the row stand in it
}

// Reasons returns the n strongest rows and pairs of a row of the frame, the greatest absolute
// points first, of equals the one that stands first in the card. What gave nothing is no reason.
func (b *Bound) Reasons(row, n int) []Reason {
	all := slices.DeleteFunc(b.AppendContributions(nil, row), func(c Contribution) bool {
		return c.Points == 0 || c.Kind != ContributionRow && c.Kind != ContributionPair
	})
	slices.SortStableFunc(all, func(x, y Contribution) int {
		return cmp.Compare(max(y.Points, -y.Points), max(x.Points, -x.Points))
	})
	var out []Reason
	for _, c := range all[:min(max(n, 0), len(all))] {
		out = append(out, Reason{Contribution: c, Text: b.Text(c, row)})
	}
	return out
}

// Text says in words what a contribution of a row of the frame is, its points rounded to what people
// read.
func (b *Bound) Text(c Contribution, row int) string {
	return b.words(c, row) + ": " + signed(rounded(c.Points))
}

// words is Text without the points.
func (b *Bound) words(c Contribution, row int) string {
	var text []byte
	switch c.Kind {
	case ContributionRow:
		text = b.appendRow(nil, c, row)
	case ContributionPair:
		text = b.appendPair(nil, c.Index, row)
	case ContributionBase:
		text = append(text, "base"...)
	case ContributionGroupCap:
		text = append(append(text, "limit of "...), c.Group...)
	case ContributionTotalCap:
		text = append(text, "limit of the card"...)
	case ContributionClamp:
		text = append(text, "kept within 0 to 100"...)
	}
	return string(text)
}

// rounded keeps one digit behind the point, and none from ten points up: people read it.
func rounded(points int32) int32 {
	unit := int32(10)
	if points >= 1000 || points <= -1000 {
		unit = 100
	}
	half := unit / 2
	if points < 0 {
		half = -half
	}
	if short := (points + half) / unit * unit; short != 0 {
		return short
	}
	return points // less than 0.05 points: all digits, so that no reason reads +0
}

func (b *Bound) appendRow(text []byte, c Contribution, row int) []byte {
	r := &b.s.card.Rows[c.Index]
	in := &b.rows[c.Index]
	bin := ""
	if c.Bin >= 0 {
		bin = r.Bins[c.Bin].Label
	}
	value, known := in.appendValue(nil, row)
	if b.s.card.Target.Line != "" {
		if sentence, ok := sentence(in, bin, r.Label, row); ok {
			return append(text, sentence...)
		}
	}
	label := cmp.Or(bin, r.Label)
	switch {
	case label != "" && (known || !strings.Contains(label, "{value}")):
		return append(text, strings.ReplaceAll(label, "{value}", string(value))...)
	case known:
		return append(append(append(text, r.Feature...), ' '), value...)
	}
	return append(append(text, r.Feature...), " not known"...)
}

// sentence words the value of a feature of leads as scoring does.
func sentence(in *input, bin, label string, row int) (string, bool) {
	f, ok := scoring.ParseFeature(in.find.feature)
	if !ok {
		return "", false
	}
	v := scoring.Missing
	if in.column != nil && !in.column.Missing(row) {
		if f.Unit() == scoring.UnitCategory {
			if v, ok = f.Code(in.column.Text(row)); !ok {
				return "", false
			}
		} else {
			if in.column.Kind != frame.Number || math.Abs(in.column.Numbers[row]) > math.MaxInt32/2 {
				return "", false
			}
			v = int32(math.RoundToEven(in.column.Numbers[row]))
		}
	}
	return f.Sentence(bin, label, v), true
}

func (b *Bound) appendPair(text []byte, i, row int) []byte {
	p := &b.s.card.Pairs[i]
	if p.Label != "" {
		return append(text, p.Label...)
	}
	if b.s.card.Target.Line != "" {
		first, ok := sentence(&b.pairs[i][0], "", "", row)
		second, too := sentence(&b.pairs[i][1], "", "", row)
		if ok && too {
			return append(append(append(text, first...), ", and "...), second...)
		}
	}
	for k, side := range []*Side{&p.First, &p.Second} {
		if k == 1 {
			text = append(text, " with "...)
		}
		text = append(append(text, side.Feature...), ' ')
		known := false
		if text, known = b.pairs[i][k].appendValue(text, row); !known {
			text = append(text, "not known"...)
		}
	}
	return text
}
