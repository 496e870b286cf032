package train

import (
	"fmt"

	"github.com/leadmesh/leadmesh/core/scoring/card"
)

// Scored is what rows in the order of time got from a card when they came, and what became of them.
// All lists have an element per row.
type Scored struct {
	Points   []int32 // 1/100
	PPM      []int32 // chances, parts per million
	Outcomes []Outcome
	// Age holds how long each row took to be decided, or has been open so far, in any one unit.
	Age []float64
}

// RecalibrateScored is Recalibrate of rows whose points are known, all of which count: an open one by its
// age as partly won and partly lost, as wins come later than losses. The share won that rows to come will
// have is foretold from how it moved.
//
// The report and the card say how well a calibration found on the older four fifths held on the newest;
// the card's own is found on all. Where too few rows are won or lost the error is a *TooFewError.
func RecalibrateScored(c *card.Card, rows Scored, seed uint64) (*card.Card, *Report, error) {
	n := len(rows.Points)
	if len(rows.PPM) != n || len(rows.Outcomes) != n || len(rows.Age) != n {
		return nil, nil, fmt.Errorf("points, chances, outcomes and ages of %d, %d, %d and %d rows", n, len(rows.PPM), len(rows.Outcomes), len(rows.Age))
	}
	var s said
	for i, o := range rows.Outcomes {
		s.add(rows.Points[i], rows.PPM[i], o, 1)
	}
	if !Enough(s.won, s.lost) {
		return nil, nil, &TooFewError{s.won, s.lost}
	}
	r := &Report{Rows: int64(n), Won: s.won, Open: int64(n) - s.won - s.lost}
	if r.Open > 0 {
		s.odds = late(rows.Outcomes, rows.Age, s.w, s.y)
	}
	out := c.Clone()
	out.Calibration = repoint(s.calibrate(n, 0), s.scores, s.points, c.Calibration)
	from := n * 4 / 5
	found := s.calibrate(from, 0)
	for i := from; i < n; i++ {
		odds := -1.0
		if s.odds != nil {
			odds = s.odds[i]
		}
		r.Tested = append(r.Tested, TestedRow{int32(i), s.points[i], stated(found, s.scores[i]), odds, rows.Outcomes[i] == Won, 1})
	}
	if !r.judge(seed) {
		return out, r, nil
	}
	r.Split = card.Split{Tune: int64(from), Unseen: int64(n - from)}
	learned := card.Learned{Rows: int64(n), Positives: s.won, Prior: c.Revision(), Seed: seed}
	if c.Learned != nil {
		learned = *c.Learned
	}
	learned.Unseen, learned.Split, learned.Groups = r.Unseen, r.Split, nil
	out.Learned = &learned
	return out, r, nil
}

// TooFewError is why chances can not be found anew.
type TooFewError struct{ Won, Lost int64 }

// Error says how many there are and how many are needed.
func (e *TooFewError) Error() string {
	return fmt.Sprintf("%d rows won and %d lost are too few to find chances from; %d of each are needed", e.Won, e.Lost, 2*fewest)
}
