package report

import (
	"cmp"
	"html/template"
	"image/color"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/leadmesh/leadmesh/services/internal/chart"
)

// The colours of the pictures. The page's style sheet knows them by their names and has others for the
// dark. Blue speaks for a win and orange against it: these two are told apart by all eyes.
var (
	forColour     = color.RGBA{0x2b, 0x6c, 0xb0, 0xff}
	againstColour = color.RGBA{0xc2, 0x5e, 0x14, 0xff}
	bandColour    = color.RGBA{0xd6, 0xe4, 0xf2, 0xff}
	countColour   = color.RGBA{0xcf, 0xd6, 0xde, 0xff}
	tuneColour    = color.RGBA{0x8f, 0xb3, 0xd9, 0xff}
	unseenColour  = color.RGBA{0xe3, 0xa1, 0x5c, 0xff}
	paleColour    = color.RGBA{0xf6, 0xe2, 0xcf, 0xff}
	groundColour  = color.RGBA{0xfe, 0xfe, 0xfe, 0xff}
)

var themed = map[color.RGBA]string{
	chart.Ink: "ink", chart.Faint: "faint", chart.Grid: "line", forColour: "for", againstColour: "against", bandColour: "band",
	countColour: "count", tuneColour: "tune", unseenColour: "unseen", paleColour: "pale", groundColour: "card",
}

// svg makes a picture that follows the page's colours.
func svg(p *plot.Plot, width, height float64, title string) (template.HTML, error) {
	picture, err := chart.SVG(p, width, height, title)
	return chart.Theme(picture, themed), err
}

// mostBars is how many bars a picture of a category shows; the others are the least frequent.
const mostBars = 14

// signal shows the points of a column.
func signal(s Signal) (template.HTML, error) {
	if s.Number {
		return steps(s)
	}
	return bars(s)
}

// least is the least height of a picture in points, so that what is next to nothing looks so.
const least = 2.0

// spread returns the bounds of the points with their errors.
func spread(bins []Bin) (low, high float64) {
	for _, b := range bins {
		low, high = min(low, b.Points-1.96*b.Error), max(high, b.Points+1.96*b.Error)
	}
	if gap := least - (high - low); gap > 0 {
		low, high = low-gap/2, high+gap/2
	}
	return low, high
}

// steps shows the points of ranges of numbers as a line with its band of error, over how many rows
// they have. Each range is as wide as the next: thresholds crowd where the rows are.
func steps(s Signal) (template.HTML, error) {
	const width, height = 390, 190
	p := chart.New()
	var ranges []Bin
	missing := -1
	for i, b := range s.Bins {
		if b.Missing && b.Below == nil && len(s.Bins) > 1 {
			if !idle(b) {
				missing = i
			}
			continue
		}
		ranges = append(ranges, b)
	}
	n := float64(len(ranges))
	low, high := spread(s.Bins)
	margin := 0.06 * (high - low)
	low, high = low-margin, high+margin
	foot := low - 0.26*(high-low) // under it stand the rows
	room := 0.0
	if missing >= 0 {
		room = max(1, n*0.12)
	}
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, n+room, foot, high
	p.Y.Label.Text = "points"
	p.X.Tick.Marker = plot.ConstantTicks(thresholds(ranges))
	p.Y.Tick.Marker = plot.TickerFunc(func(_, _ float64) []plot.Tick { return even(low, high) })
	most := 1
	for _, b := range s.Bins {
		most = max(most, b.Rows)
	}
	p.Add(chart.Drawing(func(c draw.Canvas, at func(x, y float64) vg.Point) {
		for _, t := range even(low, high) {
			chart.Line(c, chart.Grid, 0.6, nil, at(0, t.Value), at(p.X.Max, t.Value))
		}
		column := func(x, wide float64, b Bin) {
			chart.Box(c, countColour, at(x+0.06*wide, foot), at(x+0.94*wide, foot+(low-foot)*0.9*float64(b.Rows)/float64(most)))
			chart.Box(c, bandColour, at(x, clamp(b.Points-1.96*b.Error, low, high)), at(x+wide, clamp(b.Points+1.96*b.Error, low, high)))
		}
		for i, b := range ranges {
			column(float64(i), 1, b)
		}
		chart.Line(c, chart.Faint, 0.8, nil, at(0, 0), at(p.X.Max, 0))
		var path []vg.Point
		for i, b := range ranges {
			path = append(path, at(float64(i), b.Points), at(float64(i+1), b.Points))
		}
		if len(path) > 0 {
			chart.Line(c, forColour, 1.8, nil, path...)
		}
		if missing >= 0 {
			b := s.Bins[missing]
			x, wide := n+0.35*room, 0.65*room
			column(x, wide, b)
			chart.Line(c, forColour, 1.8, nil, at(x, b.Points), at(x+wide, b.Points))
			chart.Line(c, chart.Faint, 0.6, chart.Dashed, at(n+0.17*room, foot), at(n+0.17*room, high))
			c.FillText(chart.Style(8, chart.Faint, draw.XRight, draw.YTop), at(p.X.Max, high), "missing")
		}
	}))
	return svg(p, width, height, "Points by "+s.Name)
}

// idle reports a bin for what never came: there is nothing to show of it.
func idle(b Bin) bool { return b.Rows == 0 && b.Points == 0 }

func clamp(v, low, high float64) float64 { return min(max(v, low), high) }

// thresholds labels the borders between ranges, as many as there is room for.
func thresholds(ranges []Bin) []plot.Tick {
	var out []plot.Tick
	chars := 0
	for _, b := range ranges {
		if b.Below != nil {
			chars = max(chars, len(Number(*b.Below)))
		}
	}
	every := 1
	for len(ranges)/every > max(3, 64/(chars+2)) {
		every++
	}
	for i, b := range ranges {
		if b.Below == nil {
			continue
		}
		t := plot.Tick{Value: float64(i + 1)}
		if (i+1)%every == 0 || len(ranges) <= every {
			t.Label = Number(*b.Below)
		}
		out = append(out, t)
	}
	return out
}

// Number writes a threshold as short as people read it.
func Number(v float64) string {
	a := math.Abs(v)
	switch {
	case a >= 1e9:
		return strconv.FormatFloat(v/1e9, 'g', 3, 64) + "bn"
	case a >= 1e6:
		return strconv.FormatFloat(v/1e6, 'g', 3, 64) + "m"
	case a >= 1e4:
		return strconv.FormatFloat(v/1e3, 'g', 3, 64) + "k"
	case a >= 100 || v == math.Trunc(v):
		return strings.Replace(strconv.FormatFloat(v, 'f', 0, 64), "-", "−", 1)
	}
	return strings.Replace(strconv.FormatFloat(v, 'g', 3, 64), "-", "−", 1)
}

// even returns up to five marks between two bounds, at round numbers.
func even(low, high float64) []plot.Tick {
	step := math.Pow(10, math.Floor(math.Log10((high-low)/4)))
	for _, m := range []float64{1, 2, 5, 10} {
		if (high-low)/(step*m) <= 5 {
			step *= m
			break
		}
	}
	var out []plot.Tick
	for v := math.Ceil(low/step) * step; v <= high+step*1e-9; v += step {
		label := strconv.FormatFloat(math.Round(v/step)*step, 'f', max(0, int(math.Ceil(-math.Log10(step)-1e-9))), 64)
		if math.Abs(v) < step/2 {
			label = "0"
		} else if v > 0 {
			label = "+" + label
		}
		out = append(out, plot.Tick{Value: v, Label: strings.Replace(label, "-", "−", 1)})
	}
	return out
}

const rowHeight = 21 // of a bar, in points of print

// bars shows the points of categories, the highest first, with their errors and rows.
func bars(s Signal) (template.HTML, error) {
	const width, words, tail = 390.0, 128.0, 46.0
	bins := slices.DeleteFunc(slices.Clone(s.Bins), idle)
	if len(bins) > mostBars {
		slices.SortStableFunc(bins, func(a, b Bin) int { return b.Rows - a.Rows })
		bins = bins[:mostBars]
	}
	slices.SortStableFunc(bins, func(a, b Bin) int {
		switch {
		case a.Points > b.Points:
			return -1
		case a.Points < b.Points:
			return 1
		}
		return 0
	})
	p := chart.New()
	p.HideAxes()
	low, high := spread(bins)
	scale := (width - words - tail - 60) / (high - low)
	n := float64(len(bins))
	p.X.Min, p.X.Max = low-(words+30)/scale, high+(tail+30)/scale
	p.Y.Min, p.Y.Max = -n-0.7, 0
	p.Add(chart.Drawing(func(c draw.Canvas, at func(x, y float64) vg.Point) {
		for i, b := range bins {
			middle := -float64(i) - 0.5
			chart.Before(c, b.Words, at(0, middle).Y, words)
			col := forColour
			if b.Points < 0 {
				col = againstColour
			}
			chart.Box(c, col, at(0, middle-0.27), at(b.Points, middle+0.27))
			from, to := b.Points-1.96*b.Error, b.Points+1.96*b.Error
			if b.Error > 0 {
				chart.Line(c, chart.Ink, 0.9, nil, at(from, middle), at(to, middle))
				for _, x := range []float64{from, to} {
					chart.Line(c, chart.Ink, 0.9, nil, at(x, middle-0.12), at(x, middle+0.12))
				}
			} else {
				from, to = b.Points, b.Points
			}
			if b.Points >= 0 {
				end := at(max(to, 0), middle)
				end.X += vg.Points(4)
				c.FillText(chart.Style(9, chart.Ink, draw.XLeft, draw.YCenter), end, points(b.Points))
			} else {
				end := at(min(from, 0), middle)
				end.X -= vg.Points(4)
				c.FillText(chart.Style(9, chart.Ink, draw.XRight, draw.YCenter), end, points(b.Points))
			}
			c.FillText(chart.Style(8, chart.Faint, draw.XRight, draw.YCenter), vg.Point{X: c.Max.X, Y: at(0, middle).Y}, thousands(b.Rows))
		}
		chart.Line(c, chart.Faint, 0.6, nil, at(0, -n), at(0, 0))
		c.FillText(chart.Style(8, chart.Faint, draw.XRight, draw.YCenter), vg.Point{X: c.Max.X, Y: at(0, -n-0.35).Y}, "rows")
	}))
	return svg(p, width, (n+0.7)*rowHeight+4, "Points by "+s.Name)
}

func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// mostImportant is how many signals and pairs the picture of importance shows.
const mostImportant = 25

// importance shows how far each signal and each pair moves a row.
func importance(page *Page, width float64) (template.HTML, error) {
	type bar struct {
		words  string
		length float64
		colour color.RGBA
	}
	var all []bar
	for _, s := range page.Signals {
		all = append(all, bar{s.Name, s.Importance, forColour})
	}
	for _, p := range page.Pairs {
		all = append(all, bar{p.First + " with " + p.Second, p.Importance, tuneColour})
	}
	slices.SortStableFunc(all, func(a, b bar) int { return cmp.Compare(b.length, a.length) })
	all = all[:min(len(all), mostImportant)]
	if len(all) == 0 {
		return "", nil
	}
	words := 0.36 * width
	p := chart.New()
	p.HideAxes()
	most := max(all[0].length, 1e-9)
	n := float64(len(all))
	scale := (width - words - 40) / most
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = -words/scale, most+40/scale, -n, 0
	p.Add(chart.Drawing(func(c draw.Canvas, at func(x, y float64) vg.Point) {
		for i, b := range all {
			middle := -float64(i) - 0.5
			chart.Before(c, b.words, at(0, middle).Y, words-10)
			chart.Box(c, b.colour, at(0, middle-0.3), at(b.length, middle+0.3))
			end := at(b.length, middle)
			end.X += vg.Points(5)
			c.FillText(chart.Style(9, chart.Ink, draw.XLeft, draw.YCenter), end, strconv.FormatFloat(b.length, 'f', 1, 64))
		}
		chart.Line(c, chart.Faint, 0.6, nil, at(0, -n), at(0, 0))
	}))
	return svg(p, width, n*20+4, "How far each signal moves the points of a row")
}

// tints are the strengths of what speaks for and against.
var tints = [2][3]color.RGBA{{bandColour, tuneColour, forColour}, {paleColour, unseenColour, againstColour}}

// grid shows what two signals say together: points, and under them the rows.
func grid(g Pair) (template.HTML, error) {
	const width, words, head, cell = 390.0, 96.0, 34.0, 29.0
	if len(g.Columns) > len(g.Rows) && len(g.Columns) > 6 {
		g = g.turned()
	}
	rows, columns := float64(len(g.Rows)), float64(len(g.Columns))
	if rows == 0 || columns == 0 {
		return "", nil
	}
	most := 0.5
	for _, r := range g.Points {
		for _, v := range r {
			most = max(most, math.Abs(v))
		}
	}
	p := chart.New()
	p.HideAxes()
	wide := (width - words) / columns
	p.X.Min, p.X.Max = -words/wide, columns
	p.Y.Min, p.Y.Max = -rows, head/cell
	p.Add(chart.Drawing(func(c draw.Canvas, at func(x, y float64) vg.Point) {
		label, small := chart.Style(8, chart.Ink, draw.XCenter, draw.YCenter), chart.Style(8.5, chart.Faint, draw.XRight, draw.YCenter)
		c.FillText(small, at(columns, 0.9), fit(g.Second+" →", small.Width, vg.Points(width-words)))
		for j, w := range g.Columns {
			c.FillText(label, at(float64(j)+0.5, 0.3), fit(w, label.Width, vg.Points(wide-3)))
		}
		for i, w := range g.Rows {
			middle := -float64(i) - 0.5
			chart.Before(c, w, at(0, middle).Y, words-6)
			for j := range g.Columns {
				v, x := g.Points[i][j], float64(j)
				tint, ink := tintOf(v, most)
				chart.Box(c, tint, at(x+0.02, middle-0.46), at(x+0.98, middle+0.46))
				if g.Counts[i][j] == 0 && v == 0 || wide < 22 {
					continue
				}
				c.FillText(chart.Style(8.5, ink, draw.XCenter, draw.YCenter), at(x+0.5, middle+0.14), points(v))
				c.FillText(chart.Style(6, ink, draw.XCenter, draw.YCenter), at(x+0.5, middle-0.26), thousands(g.Counts[i][j]))
			}
		}
	}))
	return svg(p, width, rows*cell+head, g.First+" with "+g.Second)
}

// turned is the pair with its sides exchanged: there is more room for words before rows.
func (g Pair) turned() Pair {
	t := Pair{First: g.Second, Second: g.First, Importance: g.Importance, Rows: g.Columns, Columns: g.Rows}
	for j := range g.Columns {
		var points []float64
		var counts []int
		for i := range g.Rows {
			points, counts = append(points, g.Points[i][j]), append(counts, g.Counts[i][j])
		}
		t.Points, t.Counts = append(t.Points, points), append(t.Counts, counts)
	}
	return t
}

// tintOf is the colour of a cell and that of the words on it.
func tintOf(v, most float64) (tint, ink color.RGBA) {
	side := 0
	if v < 0 {
		side = 1
	}
	switch strength := math.Abs(v) / most; {
	case strength < 0.08:
		return chart.Grid, chart.Ink
	case strength < 0.3:
		return tints[side][0], chart.Ink
	case strength < 0.6:
		return tints[side][1], chart.Ink
	}
	return tints[side][2], groundColour
}

// fit cuts words to a width.
func fit(words string, width func(string) vg.Length, room vg.Length) string {
	if width(words) <= room {
		return words
	}
	r := []rune(words)
	for len(r) > 1 && width(string(r)+"…") > room {
		r = r[:len(r)-1]
	}
	return string(r) + "…"
}
