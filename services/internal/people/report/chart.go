package report

import (
	"bytes"
	"fmt"
	"html/template"
	"image/color"
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// The colours of the pictures; the page's style sheet has the same.
var (
	inkColour    = color.RGBA{0x2b, 0x34, 0x40, 0xff}
	faintColour  = color.RGBA{0x8a, 0x94, 0xa3, 0xff}
	gridColour   = color.RGBA{0xe6, 0xea, 0xef, 0xff}
	forColour    = color.RGBA{0x1f, 0x9d, 0x7a, 0xff}
	againColour  = color.RGBA{0xd4, 0x5d, 0x5d, 0xff}
	startColour  = color.RGBA{0xa9, 0xb4, 0xc2, 0xff}
	totalColour  = color.RGBA{0x2f, 0x5f, 0xb3, 0xff}
	reviewColour = color.RGBA{0xe0, 0xa1, 0x2f, 0xff}
)

// style is the type of a text in a picture.
func style(size float64, c color.Color, x text.XAlignment, y text.YAlignment) text.Style {
	return text.Style{
		Color: c, Font: font.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Points(size)},
		XAlign: x, YAlign: y, Handler: plot.DefaultTextHandler,
	}
}

// newPlot is an empty picture in the page's looks.
func newPlot() *plot.Plot {
	p := plot.New()
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Tick.Label = style(9, faintColour, a.Tick.Label.XAlign, a.Tick.Label.YAlign)
		a.Label.TextStyle = style(9, faintColour, a.Label.TextStyle.XAlign, a.Label.TextStyle.YAlign)
		a.LineStyle.Color, a.Tick.LineStyle.Color = gridColour, gridColour
		a.Tick.Length = vg.Points(3)
		a.Padding = 0
	}
	p.BackgroundColor = nil
	return p
}

// svg draws a picture of a size in points, to stand in the page as wide as there is room.
func svg(p *plot.Plot, width, height float64, title string) (template.HTML, error) {
	c := vgsvg.New(vg.Points(width), vg.Points(height))
	p.Draw(draw.New(c))
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return "", err
	}
	i := bytes.Index(b.Bytes(), []byte("<g"))
	if i < 0 {
		return "", fmt.Errorf("the picture %q is empty", title)
	}
	return template.HTML(fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" role="img" aria-label="%s" style="max-width:%gpx">`,
		width, height, template.HTMLEscapeString(title), width*1.25)) + template.HTML(b.Bytes()[i:]), nil // the library escapes the texts it is given
}

// drawing is a plotter made of a function.
type drawing func(c draw.Canvas, at func(x, y float64) vg.Point)

// Plot implements plot.Plotter.
func (d drawing) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	d(c, func(a, b float64) vg.Point { return vg.Point{X: x(a), Y: y(b)} })
}

// box fills the rectangle between two corners.
func box(c draw.Canvas, col color.Color, a, b vg.Point) {
	c.FillPolygon(col, []vg.Point{a, {X: b.X, Y: a.Y}, b, {X: a.X, Y: b.Y}})
}

func line(c draw.Canvas, col color.Color, width float64, dashes []vg.Length, points ...vg.Point) {
	c.StrokeLines(draw.LineStyle{Color: col, Width: vg.Points(width), Dashes: dashes}, points)
}

var dashed = []vg.Length{vg.Points(3), vg.Points(3)}

// histogram shows how many pairs have which weight, on a scale on which each step is ten times the one
// before.
func histogram(page *Page) (template.HTML, error) {
	p := newPlot()
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
	p.Add(drawing(func(c draw.Canvas, at func(x, y float64) vg.Point) {
		for e := 0.0; e <= p.Y.Max; e++ {
			line(c, gridColour, 0.6, nil, at(low, e), at(high, e))
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
			box(c, col, at(from+0.08, -foot), at(from+0.92, math.Log10(float64(b.Pairs))))
		}
		for _, mark := range []struct {
			at, beside float64
			words      string
			align      text.XAlignment
		}{{page.ViewBits, -4, "to review", draw.XRight}, {page.MatchBits, 4, "the same person", draw.XLeft}} {
			top := at(mark.at, p.Y.Max)
			line(c, inkColour, 0.8, dashed, at(mark.at, -foot), top)
			top.X += vg.Points(mark.beside)
			c.FillText(style(9, inkColour, mark.align, draw.YTop), top, mark.words)
		}
	}))
	return svg(p, 860, 250, "How many pairs have which weight")
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
	p := newPlot()
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
	p.Add(drawing(func(c draw.Canvas, at func(x, y float64) vg.Point) {
		for i, r := range rows {
			middle := -float64(i) - 0.5
			before(c, r.words, at(0, middle).Y, room)
			box(c, r.colour, at(r.from, middle-0.3), at(r.to, middle+0.3))
			if i+1 < len(rows) && r.bold != rows[i+1].bold || i+1 < len(rows) && rows[i+1].from != 0 {
				line(c, faintColour, 0.5, nil, at(r.to, middle-0.3), at(r.to, middle-0.7))
			}
			end, align := at(max(r.from, r.to), middle), draw.XLeft
			end.X += vg.Points(4)
			if r.to < r.from {
				end, align = at(r.to, middle), draw.XRight
				end.X -= vg.Points(4)
			}
			c.FillText(style(9, inkColour, align, draw.YCenter), end, r.label)
		}
		line(c, faintColour, 0.6, nil, at(0, -n), at(0, 0))
		for _, m := range marks {
			if m > low-1 && m < high+1 {
				line(c, inkColour, 0.8, dashed, at(m, -n), at(m, 0))
			}
		}
	}))
	return svg(p, width, n*rowHeight+4, title)
}

// before writes the words of a bar into the room before it: smaller or in two lines if they are long,
// and no more than there is room for.
func before(c draw.Canvas, words string, y vg.Length, room float64) {
	one, two := style(9, inkColour, draw.XLeft, draw.YCenter), style(7.8, inkColour, draw.XLeft, draw.YCenter)
	if one.Width(words) <= vg.Points(room) {
		c.FillText(one, vg.Point{X: c.Min.X, Y: y}, words)
		return
	}
	if two.Width(words) <= vg.Points(room) {
		c.FillText(two, vg.Point{X: c.Min.X, Y: y}, words)
		return
	}
	rest := strings.Fields(words)
	for l := range 2 {
		n := 1
		for n < len(rest) && two.Width(strings.Join(rest[:n+1], " ")) <= vg.Points(room) {
			n++
		}
		text := []rune(strings.Join(rest[:n], " "))
		rest = rest[n:]
		cut := l == 1 && len(rest) > 0
		for len(text) > 1 && (cut || two.Width(string(text)) > vg.Points(room)) {
			text, cut = append(text[:len(text)-2], '…'), false
		}
		c.FillText(two, vg.Point{X: c.Min.X, Y: y + vg.Points(4.2-8.4*float64(l))}, string(text))
		if len(rest) == 0 {
			return
		}
	}
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
