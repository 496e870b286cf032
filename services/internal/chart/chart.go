// Package chart draws the pictures of the pages that commands write: what gonum's plotters have in
// common in this house's looks, as SVG to stand in a page.
package chart

import (
	"bytes"
	"fmt"
	"html/template"
	"image/color"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// The colours of all pictures; the pages' style sheets have the same.
var (
	Ink   = color.RGBA{0x2b, 0x34, 0x40, 0xff}
	Faint = color.RGBA{0x8a, 0x94, 0xa3, 0xff}
	Grid  = color.RGBA{0xe6, 0xea, 0xef, 0xff}
)

// Style is the type of a text in a picture.
func Style(size float64, c color.Color, x text.XAlignment, y text.YAlignment) text.Style {
	return text.Style{
		Color: c, Font: font.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Points(size)},
		XAlign: x, YAlign: y, Handler: plot.DefaultTextHandler,
	}
}

// New is an empty picture in the page's looks.
func New() *plot.Plot {
	p := plot.New()
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Tick.Label = Style(9, Faint, a.Tick.Label.XAlign, a.Tick.Label.YAlign)
		a.Label.TextStyle = Style(9, Faint, a.Label.TextStyle.XAlign, a.Label.TextStyle.YAlign)
		a.LineStyle.Color, a.Tick.LineStyle.Color = Grid, Grid
		a.Tick.Length = vg.Points(3)
		a.Padding = 0
	}
	p.BackgroundColor = nil
	return p
}

// SVG draws a picture of a size in points, to stand in the page as wide as there is room.
func SVG(p *plot.Plot, width, height float64, title string) (template.HTML, error) {
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

// Theme lets a picture take its colours from the page's style sheet, which may have others for the dark: a
// colour is replaced by the variable of its name.
func Theme(picture template.HTML, names map[color.RGBA]string) template.HTML {
	var pairs []string
	for c, name := range names {
		pairs = append(pairs, fmt.Sprintf(":#%02X%02X%02X", c.R, c.G, c.B), ":var(--"+name+")")
	}
	return template.HTML(strings.NewReplacer(pairs...).Replace(string(picture))) // the pairs hold no markup
}

// Drawing is a plotter made of a function.
type Drawing func(c draw.Canvas, at func(x, y float64) vg.Point)

// Plot implements plot.Plotter.
func (d Drawing) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	d(c, func(a, b float64) vg.Point { return vg.Point{X: x(a), Y: y(b)} })
}

// Box fills the rectangle between two corners.
func Box(c draw.Canvas, col color.Color, a, b vg.Point) {
	c.FillPolygon(col, []vg.Point{a, {X: b.X, Y: a.Y}, b, {X: a.X, Y: b.Y}})
}

// Line draws a line through points, width points wide.
func Line(c draw.Canvas, col color.Color, width float64, dashes []vg.Length, points ...vg.Point) {
	c.StrokeLines(draw.LineStyle{Color: col, Width: vg.Points(width), Dashes: dashes}, points)
}

// Dashed is the pattern of a broken line.
var Dashed = []vg.Length{vg.Points(3), vg.Points(3)}

// Before writes the words of a bar into the room before it: smaller or in two lines if they are long,
// and no more than there is room for.
func Before(c draw.Canvas, words string, y vg.Length, room float64) {
	one, two := Style(9, Ink, draw.XLeft, draw.YCenter), Style(7.8, Ink, draw.XLeft, draw.YCenter)
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
