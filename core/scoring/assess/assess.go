// Package assess says how good a points table is: whether it puts the rows in the right order,
// whether its chances are true, what working by it gains, and how sure all that is.
//
// Every figure takes weights, counts ties right, does not depend on the order of the rows and is
// the same for the same rows every time. Intervals are at 95 %.
package assess

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/leadmesh/leadmesh/core/scoring/card"
)

// Sample is rows with a known outcome and what was said of them beforehand. The functions here
// read it and keep nothing of it.
type Sample struct {
	Probability []float64 // that the row is won, 0 to 1
	// Score puts the rows in order where that is finer or other than by probability, e.g. points;
	// nil takes the probability.
	Score  []float64
	Won    []bool
	Weight []float64 // not negative; nil: every row counts once
}

// Of makes a sample of what a card said.
func Of(results []card.Result, won []bool, weight []float64) Sample {
	s := Sample{Probability: make([]float64, len(results)), Score: make([]float64, len(results)), Won: won, Weight: weight}
	for i, r := range results {
		s.Probability[i], s.Score[i] = float64(r.PPM)/card.Certain, float64(r.Points)
	}
	return s
}

// Check returns what makes the sample unusable; the other functions take only a sample that it
// finds no fault with.
func (s *Sample) Check() error {
	n := len(s.Probability)
	if n == 0 {
		return errors.New("there are no rows to assess")
	}
	if len(s.Won) != n || s.Score != nil && len(s.Score) != n || s.Weight != nil && len(s.Weight) != n {
		return fmt.Errorf("%d probabilities, %d scores, %d outcomes and %d weights do not belong together", n, len(s.Score), len(s.Won), len(s.Weight))
	}
	var total float64
	for i, p := range s.Probability {
		if !(p >= 0 && p <= 1) {
			return fmt.Errorf("row %d: a probability must be 0 to 1", i+1)
		}
		if s.Score != nil && math.IsNaN(s.Score[i]) {
			return fmt.Errorf("row %d: the score is no number", i+1)
		}
		w := s.weight(i)
		if !(w >= 0) || math.IsInf(w, 0) {
			return fmt.Errorf("row %d: a weight must be a number that is not negative", i+1)
		}
		total += w
	}
	if total == 0 {
		return errors.New("all weights are zero")
	}
	return nil
}

// Rows returns the part of the sample that order names.
func (s *Sample) Rows(order []int32) Sample {
	return Sample{Probability: pick(s.Probability, order), Score: pick(s.Score, order), Won: pick(s.Won, order), Weight: pick(s.Weight, order)}
}

func pick[T any](all []T, order []int32) []T {
	if all == nil {
		return nil
	}
	out := make([]T, len(order))
	for i, row := range order {
		out[i] = all[row]
	}
	return out
}

func (s *Sample) weight(i int) float64 {
	if s.Weight == nil {
		return 1
	}
	return s.Weight[i]
}

func (s *Sample) score(i int) float64 {
	if s.Score == nil {
		return s.Probability[i]
	}
	return s.Score[i]
}

func (s *Sample) probability(i int) float64 { return s.Probability[i] }

// run is rows that a key does not tell apart.
type run struct {
	key       float64
	rows      []int32
	won, lost float64 // weights
}

// runs parts the rows by a key, in ascending order.
func (s *Sample) runs(key func(i int) float64) []run {
	type keyed struct {
		key float64
		row int32
	}
	rows := make([]keyed, len(s.Won))
	for i := range rows {
		rows[i] = keyed{key(i), int32(i)}
	}
	slices.SortFunc(rows, func(a, b keyed) int {
		switch {
		case a.key < b.key:
			return -1
		case a.key > b.key:
			return 1
		}
		return int(a.row - b.row)
	})
	order := make([]int32, len(rows))
	var out []run
	for from := 0; from < len(order); {
		r := run{key: rows[from].key}
		to := from
		for ; to < len(order) && rows[to].key == r.key; to++ {
			row := int(rows[to].row)
			order[to] = rows[to].row
			if s.Won[row] {
				r.won += s.weight(row)
			} else {
				r.lost += s.weight(row)
			}
		}
		r.rows = order[from:to]
		out = append(out, r)
		from = to
	}
	return out
}

// Interval is a figure and the range it lies in at 95 %.
type Interval struct {
	Value, Low, High float64
}

// Options of Assess; the zero value is usual.
type Options struct {
	Bins  int    // of reliability and calibration error; 0: 10
	Parts int    // of the lift table; 0: 10
	Seed  uint64 // of the simulated interval of the calibration error
}

// Report is how good a table is on a sample.
type Report struct {
	Rows   int
	Weight float64 // of all rows; their number where none has a weight
	Won    float64 // weight of those won
	Share  float64 // won of all

	AUC     Interval
	LogLoss Interval
	Brier   Interval
	// LogLossShare and BrierShare are what saying Share of every row would have given.
	LogLossShare, BrierShare float64

	Calibration   Calibration
	Recalibration Recalibration
	Reliability   []Bin
	Lift          []Lift
}

// Assess returns all figures of a sample. The error is that of Sample.Check.
func Assess(s Sample, o Options) (*Report, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	o.Bins, o.Parts = cmp.Or(o.Bins, 10), cmp.Or(o.Parts, 10)
	byScore, byChance := s.runs(s.score), s.runs(s.probability)
	r := &Report{Rows: len(s.Won), AUC: s.auc(byScore), LogLoss: LogLoss(s), Brier: Brier(s),
		Recalibration: s.recalibrate(byChance), Reliability: s.reliability(byChance, o.Bins), Lift: liftTable(byScore, o.Parts)}
	for i, won := range s.Won {
		r.Weight += s.weight(i)
		if won {
			r.Won += s.weight(i)
		}
	}
	r.Share = r.Won / r.Weight
	r.LogLossShare = r.Share*logLoss(r.Share, true) + (1-r.Share)*logLoss(r.Share, false)
	r.BrierShare = r.Share * (1 - r.Share)
	r.Calibration = calibrationOf(r.Reliability, o.Seed)
	return r, nil
}
