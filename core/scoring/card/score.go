package card

import "github.com/leadmesh/leadmesh/core/scoring"

// Result is the score of one row of data.
type Result struct {
	Points int32 // 0..10000, 1/100
	// PPM is the probability of the target in parts per million, LowPPM and HighPPM its 95 %
	// interval. Two errors are put together as independent ones, the root of the sum of their
	// squares on either side: that of the calibration at these points, and that of the points,
	// whose variance is the sum of the squared errors of the bins and of the base. What the errors
	// of bins have in common beyond the base's is left out, so for signals that go together the
	// interval is somewhat too narrow.
	PPM, LowPPM, HighPPM int32
}

// Score scores one row of the frame. It allocates nothing.
func (b *Bound) Score(row int) Result {
	var out [1]Result
	b.ScoreAll(out[:], row, row+1)
	return out[0]
}

// block is how many rows are taken through all columns at a time: what is kept of them stays in
// the processor's first cache.
const block = 512

// ScoreAll scores the rows from from up to but not including to, into dst[0], dst[1] and so on,
// which must have room for them. It allocates nothing; several goroutines may score different
// ranges at once.
func (b *Bound) ScoreAll(dst []Result, from, to int) {
	for ; from < to; from += block {
		n := min(block, to-from)
		b.scoreBlock(dst[:n], from)
		dst = dst[n:]
	}
}

func (b *Bound) scoreBlock(dst []Result, from int) {
	s := b.s
	n := len(dst)
	var totals, sums [block]int32
	var variances [block]int64
	total, sum, variance := totals[:n], sums[:n], variances[:n]
	for i := range total {
		total[i], variance[i] = s.card.Base, s.shared
	}
	for g := range s.groups {
		clear(sum)
		for i := range b.rows {
			if s.groupOf[i] == g {
				b.addRow(i, from, sum, variance)
			}
		}
		for i := range b.pairs {
			if s.groupOfP[i] == g {
				b.addPair(i, from, sum, variance)
			}
		}
		lo, hi := s.groups[g].lo, s.groups[g].hi
		for i := range total {
			total[i] += min(max(sum[i], lo), hi)
		}
	}
	for i := range dst {
		dst[i] = s.result(total[i], variance[i])
	}
}

func (b *Bound) addRow(i, from int, sum []int32, variance []int64) {
	in := &b.rows[i]
	bins := b.s.card.Rows[i].Bins
	add := func(k int, bin int32) {
		if bin >= 0 {
			x := &bins[bin]
			sum[k] += x.Points
			variance[k] += int64(x.Error) * int64(x.Error)
		}
	}
	switch {
	case in.column != nil && in.bins != nil:
		for k, code := range in.column.Codes[from : from+len(sum)] {
			add(k, in.bins[code+1])
		}
	case in.column != nil && !in.texts:
		for k, v := range in.column.Numbers[from : from+len(sum)] {
			add(k, in.find.number(v))
		}
	default:
		for k := range sum {
			add(k, in.bin(from+k))
		}
	}
}

func (b *Bound) addPair(i, from int, sum []int32, variance []int64) {
	sides := &b.pairs[i]
	cells := b.s.card.Pairs[i].Cells
	for k := range sum {
		first, second := sides[0].bin(from+k), sides[1].bin(from+k)
		if first >= 0 && second >= 0 {
			x := &cells[first][second]
			sum[k] += x.Points
			variance[k] += int64(x.Error) * int64(x.Error)
		}
	}
}

// result puts caps, calibration and interval to a sum of points.
func (s *Scorer) result(total int32, variance int64) Result {
	points := min(max(total, s.lo), s.hi)
	points = min(max(points, 0), MaxPoints)
	c := s.chance[points]
	r := Result{Points: points, PPM: c.ppm, LowPPM: c.low, HighPPM: c.high}
	if variance > 0 {
		d := scoring.Deviation(variance)
		r.LowPPM, r.HighPPM = scoring.Widen(c.ppm, c.low, c.high, s.chance[max(points-d, 0)].ppm, s.chance[min(points+d, MaxPoints)].ppm)
	}
	return r
}
