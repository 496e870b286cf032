package card

import (
	"fmt"

	"github.com/leadmesh/leadmesh/core/scoring/frame"
)

// histogram counts rows by their points.
type histogram struct {
	rows  [MaxPoints + 1]int64
	ppm   [MaxPoints + 1]int64 // sums
	total int64
}

func (h *histogram) add(r Result) {
	h.rows[r.Points]++
	h.ppm[r.Points] += int64(r.PPM)
	h.total++
}

// precision returns the fewest points from which the mean probability is at least wanted.
func (h *histogram) precision(wanted int32) (points int32, ok bool) {
	var rows, ppm int64
	for p := int32(MaxPoints); p >= 0; p-- {
		if h.rows[p] == 0 {
			continue
		}
		rows += h.rows[p]
		ppm += h.ppm[p]
		if ppm < int64(wanted)*rows {
			break // the probability never rises towards fewer points
		}
		points, ok = p, true
	}
	return points, ok
}

// capacity returns the fewest points from which there are no more rows than the desk takes.
func (h *histogram) capacity(c Capacity) (points int32, ok bool) {
	var rows int64
	for p := int32(MaxPoints); p >= 0; p-- {
		if h.rows[p] == 0 {
			continue
		}
		rows += h.rows[p]
		// In floats: counts times counts may be more than 64 bits hold.
		if float64(rows)*float64(c.Of) > float64(c.Take)*float64(h.total) {
			break
		}
		points, ok = p, true
	}
	return points, ok
}

// ForPrecision returns the fewest points of any row from which, together, at least the wanted share
// of rows will win, in parts per million. It goes by the probabilities the card gives, so it needs
// no outcomes and is as true as they are. ok is false when not even the best rows reach it.
func ForPrecision(rows []Result, wanted int32) (points int32, ok bool) {
	var h histogram
	for _, r := range rows {
		h.add(r)
	}
	return h.precision(wanted)
}

// ForCapacity returns the fewest points of any row from which no more rows follow than a desk
// takes: of as many as rows it takes its share, rounded down. Rows of equal points stay together.
// ok is false when already the best are too many.
func ForCapacity(rows []Result, c Capacity) (points int32, ok bool) {
	var h histogram
	for _, r := range rows {
		h.add(r)
	}
	return h.capacity(c)
}

// Cut is what a threshold gives on some rows.
type Cut struct {
	Rows, Above int64 // rows the threshold counts for, and those of them at or above it
	PPM         int32 // mean probability of those above, parts per million; 0 without any
}

// Cuts returns what every threshold gives on rows that this card scored. A threshold of a segment
// counts for the rows of that segment, a general one for those of all segments without one of their
// own. segments holds the segment of every row; nil is none.
func (c *Card) Cuts(rows []Result, segments *frame.Column) []Cut {
	out := make([]Cut, len(c.Thresholds))
	for i := range c.Thresholds {
		h := c.counted(i, rows, segments)
		cut := Cut{Rows: h.total}
		var ppm int64
		for p := max(c.Thresholds[i].Points, 0); p <= MaxPoints; p++ {
			cut.Above += h.rows[p]
			ppm += h.ppm[p]
		}
		if cut.Above > 0 {
			cut.PPM = int32((ppm + cut.Above/2) / cut.Above)
		}
		out[i] = cut
	}
	return out
}

// counted counts the rows that a threshold counts for.
func (c *Card) counted(i int, rows []Result, segments *frame.Column) *histogram {
	t := &c.Thresholds[i]
	own := map[string]bool{} // segments that have one of their own
	for _, o := range c.Thresholds {
		if o.Name == t.Name && o.Segment != "" {
			own[o.Segment] = true
		}
	}
	h := &histogram{}
	for row := range rows {
		segment := ""
		if segments != nil {
			segment = segments.Text(row)
		}
		if t.Segment == "" && !own[segment] || t.Segment != "" && t.Segment == segment {
			h.add(rows[row])
		}
	}
	return h
}

func stays(t *Threshold) string { return "; it stays at " + points(t.Points) + " points" }

// Derive sets the points of every threshold that comes from a precision or a capacity anew, from
// recent rows that this card scored. Which rows a threshold goes by is as in Cuts; a general one for
// which no row is left, as each segment has one of its own, goes by all. What no row reaches keeps its points and is named in the problems.
func (c *Card) Derive(rows []Result, segments *frame.Column) []Problem {
	var problems []Problem
	for i := range c.Thresholds {
		t := &c.Thresholds[i]
		if t.Precision == 0 && t.Capacity == nil {
			continue
		}
		at := fmt.Sprintf("thresholds[%d]", i)
		if segments == nil && t.Segment != "" {
			problems = append(problems, Problem{Path: at, Message: "the segments of the rows are not known" + stays(t)})
			continue
		}
		h := c.counted(i, rows, segments)
		if h.total == 0 && t.Segment == "" {
			h = c.counted(i, rows, nil) // for segments that are yet to come, all rows are the best guess
		}
		points, ok, why := int32(0), false, ""
		if t.Capacity != nil {
			points, ok = h.capacity(*t.Capacity)
			why = fmt.Sprintf("the best rows are more than %d of %d", t.Capacity.Take, t.Capacity.Of)
		} else {
			points, ok = h.precision(t.Precision)
			why = fmt.Sprintf("not even the best rows reach %s", AppendShare(nil, t.Precision))
		}
		if h.total == 0 {
			why = "there are no rows to go by"
		}
		if !ok {
			problems = append(problems, Problem{Path: at, Message: why + stays(t)})
			continue
		}
		t.Points = points
	}
	return problems
}
