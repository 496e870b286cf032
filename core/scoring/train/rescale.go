package train

import (
	"fmt"
	"math"

	"github.com/leadmesh/leadmesh/core/scoring/card"
)

// fit moves and shrinks the points of an expert's table so that what was learned on top of it leaves
// no row below 0 or above the most: there, rows of different chances would have the same points.
func (t *table) fit(m *matrix, offset []float64) {
	low, high := 0.0, float64(card.MaxPoints)
	for _, s := range t.scores(m, offset) {
		low, high = min(low, t.level+s*t.perUnit), max(high, t.level+s*t.perUnit)
	}
	t.scale, t.shift = 1, 0
	if low >= 0 && high <= card.MaxPoints {
		return
	}
	t.scale = card.MaxPoints / (high - low)
	t.shift = -low * t.scale
	t.level = t.shift + t.scale*t.level
	t.perUnit *= t.scale
}

// rescaled is the card with points as fit found: sums of all points move and shrink, those of one
// signal or group shrink.
func (t *table) rescaled(c *card.Card) *card.Card {
	if t.scale == 1 {
		return c
	}
	shrink := func(points int32) int32 { return int32(math.Round(float64(points) * t.scale)) }
	move := func(points int32) int32 {
		return int32(math.Round(min(max(t.shift+float64(points)*t.scale, 0), card.MaxPoints)))
	}
	bound := func(cap card.Cap, by func(int32) int32) card.Cap {
		for _, p := range []**int32{&cap.Min, &cap.Max} {
			if *p != nil {
				v := by(**p)
				*p = &v
			}
		}
		return cap
	}
	c.Base = int32(math.Round(t.shift + float64(c.Base)*t.scale))
	c.BaseError = shrink(c.BaseError)
	for i := range c.Rows {
		for k := range c.Rows[i].Bins {
			b := &c.Rows[i].Bins[k]
			b.Points, b.Error = shrink(b.Points), shrink(b.Error)
		}
	}
	for i := range c.Pairs {
		for _, cells := range c.Pairs[i].Cells {
			for k := range cells {
				cells[k].Points, cells[k].Error = shrink(cells[k].Points), shrink(cells[k].Error)
			}
		}
	}
	for name, cap := range c.Groups {
		c.Groups[name] = bound(cap, shrink)
	}
	c.Cap = bound(c.Cap, move)
	for i := range c.Thresholds {
		c.Thresholds[i].Points = move(c.Thresholds[i].Points)
	}
	return c
}

// scaled says in words that points were rescaled; empty where they were not.
func (t *table) scaled() string {
	if t == nil || t.scale == 0 || t.scale == 1 {
		return ""
	}
	return fmt.Sprintf("What was learned on top of the expert's table left 0 to 100 points, so all points, caps and thresholds were multiplied by %.2f.", t.scale)
}
