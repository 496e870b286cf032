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

// Derive sets the points of every threshold that comes from a precision or a capacity anew, from
// recent rows that this card scored. A threshold of a segment goes by the rows of that segment, a
// general one by those of all segments without one of their own. segments holds the segment of
// every row and may be nil where no threshold has one. What no row reaches keeps its points and is
// named in the problems.
func (c *Card) Derive(rows []Result, segments *frame.Column) []Problem {
	var problems []Problem
	for i := range c.Thresholds {
		t := &c.Thresholds[i]
		if t.Precision == 0 && t.Capacity == nil {
			continue
		}
		at := fmt.Sprintf("thresholds[%d]", i)
		if segments == nil && t.Segment != "" {
			problems = append(problems, Problem{Path: at, Message: "the segments of the rows are not known"})
			continue
		}
		others := map[string]bool{}
		for _, o := range c.Thresholds {
			others[o.Segment] = others[o.Segment] || o.Name == t.Name && o.Segment != ""
		}
		var h histogram
		for row := range rows {
			segment := ""
			if segments != nil {
				segment = segments.Text(row)
			}
			if t.Segment == segment && t.Segment != "" || t.Segment == "" && !others[segment] {
				h.add(rows[row])
			}
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
			problems = append(problems, Problem{Path: at, Message: why + "; its points stay"})
			continue
		}
		t.Points = points
	}
	return problems
}
