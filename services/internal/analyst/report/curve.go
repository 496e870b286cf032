package report

import (
	"html/template"
	"image/color"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/leadmesh/leadmesh/services/internal/chart"
)

// shares are the marks of an axis of shares up to a bound.
func shares(to float64) []plot.Tick {
	step := 0.2
	for _, s := range []float64{0.01, 0.02, 0.05, 0.1, 0.2} {
		if to/s <= 6 {
			step = s
			break
		}
	}
	var out []plot.Tick
	for i := 0; float64(i)*step <= to+1e-9; i++ {
		v := float64(i) * step
		out = append(out, plot.Tick{Value: v, Label: strconv.FormatFloat(100*v, 'f', 0, 64) + " %"})
	}
	return out
}

// square is an empty picture of shares against shares with a grid.
func square(x, y string, to float64) *plot.Plot {
	p := chart.New()
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, to, 0, to
	p.X.Label.Text, p.Y.Label.Text = x, y
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.ConstantTicks(shares(to)), plot.ConstantTicks(shares(to))
	p.Add(chart.Drawing(func(c draw.Canvas, at func(x, y float64) vg.Point) {
		for _, t := range shares(to) {
			chart.Line(c, chart.Grid, 0.6, nil, at(0, t.Value), at(to, t.Value))
			chart.Line(c, chart.Grid, 0.6, nil, at(t.Value, 0), at(t.Value, to))
		}
		chart.Line(c, chart.Faint, 0.8, chart.Dashed, at(0, 0), at(to, to))
	}))
	return p
}

// reliability shows what was predicted against what came.
func reliability(q Quality) (template.HTML, error) {
	if len(q.Reliability) == 0 {
		return "", nil
	}
	to := 0.05
	for _, r := range q.Reliability {
		to = max(to, r.Predicted, min(r.High, 1.5*max(r.Won, r.Predicted)))
	}
	to = min(1, to*1.05)
	p := square("predicted", "won", to)
	p.Add(chart.Drawing(func(c draw.Canvas, at func(x, y float64) vg.Point) {
		var path []vg.Point
		for _, r := range q.Reliability {
			chart.Line(c, tuneColour, 1.4, nil, at(r.Predicted, min(r.Low, to)), at(r.Predicted, min(r.High, to)))
			path = append(path, at(r.Predicted, r.Won))
		}
		if len(path) > 1 {
			chart.Line(c, forColour, 1.2, nil, path...)
		}
		for _, m := range path {
			dot(c, m)
		}
	}))
	return svg(p, 290, 235, "Predicted against what came")
}

func dot(c draw.Canvas, at vg.Point) {
	r := vg.Points(2.6)
	c.DrawGlyph(draw.GlyphStyle{Color: forColour, Radius: r, Shape: draw.CircleGlyph{}}, at)
}

// gain shows which share of the wins stands in which share of the rows, the best first.
func gain(q Quality) (template.HTML, error) {
	if len(q.Gain) == 0 {
		return "", nil
	}
	p := square("share of the rows, the best first", "share of all wins", 1)
	p.Add(chart.Drawing(func(c draw.Canvas, at func(x, y float64) vg.Point) {
		if q.Base > 0 && q.Base < 1 {
			chart.Line(c, chart.Faint, 0.9, nil, at(0, 0), at(q.Base, 1), at(1, 1))
		}
		var path []vg.Point
		for _, v := range q.Gain {
			path = append(path, at(v.X, v.Y))
		}
		chart.Line(c, forColour, 1.8, nil, path...)
		c.FillText(chart.Style(8, chart.Faint, draw.XLeft, draw.YCenter), at(0.54, 0.46), "by chance")
	}))
	return svg(p, 290, 235, "Share of wins by share of rows")
}

// lift shows how much better than all each tenth is.
func lift(q Quality) (template.HTML, error) {
	if len(q.Lift) == 0 {
		return "", nil
	}
	p := chart.New()
	most := 1.0
	for _, l := range q.Lift {
		most = max(most, l.Lift)
	}
	n := float64(len(q.Lift))
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, n, 0, most*1.12
	p.Y.Label.Text, p.X.Label.Text = "times the share of all", "tenths of the rows, the best first"
	var ticks []plot.Tick
	for i := range q.Lift {
		ticks = append(ticks, plot.Tick{Value: float64(i) + 0.5, Label: strconv.Itoa(i + 1)})
	}
	p.X.Tick.Marker = plot.ConstantTicks(ticks)
	p.Y.Tick.Marker = plot.TickerFunc(func(_, to float64) []plot.Tick {
		var out []plot.Tick
		step := 0.5
		for to/step > 6 {
			step *= 2
		}
		for v := 0.0; v <= to; v += step {
			out = append(out, plot.Tick{Value: v, Label: strconv.FormatFloat(v, 'f', -1, 64)})
		}
		return out
	})
	p.Add(chart.Drawing(func(c draw.Canvas, at func(x, y float64) vg.Point) {
		for i, l := range q.Lift {
			col := forColour
			if l.Lift < 1 {
				col = tuneColour
			}
			x := float64(i)
			chart.Box(c, col, at(x+0.12, 0), at(x+0.88, l.Lift))
			top := at(x+0.5, l.Lift)
			top.Y += vg.Points(3)
			c.FillText(chart.Style(8, chart.Ink, draw.XCenter, draw.YBottom), top, strconv.FormatFloat(l.Lift, 'f', 1, 64))
		}
		chart.Line(c, chart.Ink, 0.8, chart.Dashed, at(0, 1), at(n, 1))
	}))
	return svg(p, 290, 235, "Lift by tenths")
}

// timeline shows how many rows were won over time, and which part of the rows was used for what.
func timeline(s Split, width float64) (template.HTML, error) {
	if len(s.Periods) < 2 {
		return "", nil
	}
	p := chart.New()
	most := 0.02
	for _, d := range s.Periods {
		most = max(most, d.Share)
	}
	most = min(1, most*1.15)
	n := float64(len(s.Periods))
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, n, 0, most
	p.Y.Label.Text = "won"
	p.Y.Tick.Marker = plot.ConstantTicks(shares(most))
	var ticks []plot.Tick
	every := max(1, len(s.Periods)*100/int(width))
	for i, d := range s.Periods {
		t := plot.Tick{Value: float64(i + 1)}
		if i%every == every/2 {
			t.Label = d.Until
		}
		ticks = append(ticks, t)
	}
	p.X.Tick.Marker = plot.ConstantTicks(ticks)
	p.Add(chart.Drawing(func(c draw.Canvas, at func(x, y float64) vg.Point) {
		for _, t := range shares(most) {
			chart.Line(c, chart.Grid, 0.6, nil, at(0, t.Value), at(n, t.Value))
		}
		for i, d := range s.Periods {
			col := [...]color.RGBA{Learn: forColour, Unseen: unseenColour}[d.Part]
			chart.Box(c, col, at(float64(i)+0.06, 0), at(float64(i)+0.94, d.Share))
		}
	}))
	return svg(p, width, 190, "Share won over time")
}
