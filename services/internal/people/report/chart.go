package report

import (
	"html/template"
	"image/color"
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/leadmesh/leadmesh/services/internal/chart"
)

// The colours of the pictures; the page's style sheet has the same.
var (
	forColour    = color.RGBA{0x1f, 0x9d, 0x7a, 0xff}
	againColour  = color.RGBA{0xd4, 0x5d, 0x5d, 0xff}
	startColour  = color.RGBA{0xa9, 0xb4, 0xc2, 0xff}
	totalColour  = color.RGBA{0x2f, 0x5f, 0xb3, 0xff}
	reviewColour = color.RGBA{0xe0, 0xa1, 0x2f, 0xff}
)

var themed = map[color.RGBA]string{
	chart.Ink: "ink", chart.Faint: "faint", chart.Grid: "line", forColour: "for", againColour: "against", startColour: "start",
	totalColour: "total", reviewColour: "review",
}

// svg makes a picture that follows the page's colours.
func svg(p *plot.Plot, width, height float64, title string) (template.HTML, error) {
	picture, err := chart.SVG(p, width, height, title)
	return chart.Theme(picture, themed), err
}

// histogram shows how many pairs have which weight, on a scale on which each step is ten times the one
// before.
func histogram(page *Page, width float64) (template.HTML, error) {
	p := chart.New()
	low, high, most := math.Inf(1), math.Inf(-1), 0.0
	for _, b := range page.Weights {
		if b.Pairs > 0 {
			low, high = min(low, float64(b.From)), max(high, float64(b.From+1))
			most = max(most, math.Log10(float64(b.Pairs)))
		}
	}
	if math.IsInf(low, 1) {
		return "", nil
	}
	low, high = min(low, page.ViewBits-5), max(high, page.MatchBits+5)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = low, high, 0, max(math.Ceil(most+0.35), 1)+0.35
	p.X.Label.Text, p.Y.Label.Text = "weight of a pair in bits", "pairs"
	p.X.Tick.Marker = plot.TickerFunc(func(from, to float64) []plot.Tick {
		var out []plot.Tick
		for v := 10 * math.Ceil(from/10); v <= to; v += 10 {
			out = append(out, plot.Tick{Value: v, Label: strings.Replace(strconv.FormatFloat(v+0, 'f', 0, 64), "-", "−", 1)})
		}
		return out
	})
	const foot = 0.25 // of a step of ten below 1, so that a single pair is seen
	p.Y.Min = -foot
	p.Y.Tick.Marker = plot.TickerFunc(func(_, top float64) []plot.Tick {
		var out []plot.Tick
		for e := 0.0; e <= top; e++ {
			out = append(out, plot.Tick{Value: e, Label: thousands(math.Pow(10, e))})
		}
		return out
	})
	p.Add(chart.Drawing(func(c draw.Canvas, at func(x, y float64) vg.Point) {
		for e := 0.0; e <= p.Y.Max; e++ {
			chart.Line(c, chart.Grid, 0.6, nil, at(low, e), at(high, e))
		}
		for _, b := range page.Weights {
			if b.Pairs == 0 {
				continue
			}
			from, col := float64(b.From), startColour
			switch {
			case from+0.5 >= page.MatchBits:
				col = forColour
			case from+0.5 >= page.ViewBits:
				col = reviewColour
			}
			chart.Box(c, col, at(from+0.08, -foot), at(from+0.92, math.Log10(float64(b.Pairs))))
		}
		for _, mark := range []struct {
			at, beside float64
			words      string
			align      text.XAlignment
		}{{page.ViewBits, -4, "to review", draw.XRight}, {page.MatchBits, 4, "the same person", draw.XLeft}} {
			top := at(mark.at, p.Y.Max)
			chart.Line(c, chart.Ink, 0.8, chart.Dashed, at(mark.at, -foot), top)
			top.X += vg.Points(mark.beside)
			c.FillText(chart.Style(9, chart.Ink, mark.align, draw.YTop), top, mark.words)
		}
	}))
	return svg(p, width, 250, "How many pairs have which weight")
}

// bars are horizontal bars that begin and end somewhere, one to a row, the first on top.
type bar struct {
	words    string
	from, to float64
	label    string
	colour   color.Color
	bold     bool
}

const rowHeight = 19 // points

// barChart draws bars with their words before them and their labels behind.
func barChart(rows []bar, marks []float64, room, width float64, title string) (template.HTML, error) {
	p := chart.New()
	p.HideAxes()
	low, high := 0.0, 0.0
	for _, r := range rows {
		low, high = min(low, r.from, r.to), max(high, r.from, r.to)
	}
	span := max(high-low, 1)
	n := float64(len(rows))
	// The words stand in a margin of room points, the labels in one of their own.
	scale := (width - room - 72) / span
	p.X.Min, p.X.Max = low-(room+36)/scale, high+36/scale
	p.Y.Min, p.Y.Max = -n, 0
	p.Add(chart.Drawing(func(c draw.Canvas, at func(x, y float64) vg.Point) {
		for i, r := range rows {
			middle := -float64(i) - 0.5
			chart.Before(c, r.words, at(0, middle).Y, room)
			chart.Box(c, r.colour, at(r.from, middle-0.3), at(r.to, middle+0.3))
			if i+1 < len(rows) && r.bold != rows[i+1].bold || i+1 < len(rows) && rows[i+1].from != 0 {
				chart.Line(c, chart.Faint, 0.5, nil, at(r.to, middle-0.3), at(r.to, middle-0.7))
			}
			end, align := at(max(r.from, r.to), middle), draw.XLeft
			end.X += vg.Points(4)
			if r.to < r.from {
				end, align = at(r.to, middle), draw.XRight
				end.X -= vg.Points(4)
			}
			c.FillText(chart.Style(9, chart.Ink, align, draw.YCenter), end, r.label)
		}
		chart.Line(c, chart.Faint, 0.6, nil, at(0, -n), at(0, 0))
		for _, m := range marks {
			if m > low-1 && m < high+1 {
				chart.Line(c, chart.Ink, 0.8, chart.Dashed, at(m, -n), at(m, 0))
			}
		}
	}))
	return svg(p, width, n*rowHeight+4, title)
}

// field shows how much each level of a field says.
func field(f Field) (template.HTML, error) {
	var rows []bar
	for _, l := range f.Levels {
		rows = append(rows, bar{words: l.Words, to: l.Bits, label: bits(l.Bits), colour: colourOf(l.Bits)})
	}
	return barChart(rows, nil, 180, 380, "Weights of "+f.Name)
}

// waterfall shows how the weight of a pair comes about, from where every pair begins.
func waterfall(pair Pair, match float64) (template.HTML, error) {
	var rows []bar
	sum := 0.0
	for _, r := range pair.Reasons {
		b := bar{words: r.Words, from: sum, to: sum + r.Bits, label: bits(r.Bits), colour: colourOf(r.Bits)}
		if len(rows) == 0 {
			b.colour = startColour
		}
		sum += r.Bits
		rows = append(rows, b)
	}
	rows = append(rows, bar{words: "together", to: pair.Bits, label: bits(pair.Bits), colour: totalColour, bold: true})
	return barChart(rows, []float64{match}, 185, 390, "How the weight comes about")
}

func colourOf(v float64) color.Color {
	if v < 0 {
		return againColour
	}
	return forColour
}

// thousands writes a power of ten.
func thousands(v float64) string {
	switch {
	case v >= 1e6:
		return strconv.FormatFloat(v/1e6, 'f', -1, 64) + " million"
	case v >= 1e3:
		return strconv.FormatFloat(v/1e3, 'f', -1, 64) + ",000"
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}
