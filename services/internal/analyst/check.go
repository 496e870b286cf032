package analyst

import (
	"context"
	"math/rand/v2"
	"slices"

	"github.com/leadmesh/leadmesh/core/scoring/assess"
	"github.com/leadmesh/leadmesh/core/scoring/card"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
	"github.com/leadmesh/leadmesh/core/scoring/train"
)

// unseenShare is the share of rows that are kept unseen for the figures.
const unseenShare = 0.2

// fewestUnseen is how many rows won and how many lost make figures worth telling.
const fewestUnseen = 10

// check learns from part of the rows and assesses the rest. The newest rows are kept unseen where there
// is an order of time, else drawn ones; rows of one group stand on one side. nil where there are too few.
func (w *training) check(ctx context.Context, step string, o train.Options) (*assess.Report, error) {
	learn, unseen := w.parts()
	sample, won := w.decided(unseen)
	if won < fewestUnseen || len(sample)-won < fewestUnseen {
		return nil, nil
	}
	part := *w
	part.frame, part.outcomes = w.frame.Take(learn), pick(w.outcomes, learn)
	o.Time, o.Age, o.Cluster = pick(o.Time, learn), pick(o.Age, learn), pick(o.Cluster, learn)
	c, _, err := part.run(ctx, step, o)
	if err != nil {
		return nil, err
	}
	said, err := predicted(c, w.frame.Take(sample), pick(w.outcomes, sample))
	if err != nil {
		return nil, err
	}
	if w.unseen == nil {
		w.learnt, w.unseen = learn, unseen
		for _, column := range w.segments {
			column.Codes = pick(column.Codes, sample)
			parted, err := assess.Groups(said, column.Name, &column, w.Seed)
			if err != nil {
				return nil, err
			}
			w.parted = append(w.parted, parted...)
		}
	}
	return assess.Assess(said, assess.Options{Seed: w.Seed})
}

// predicted is what a points table says of rows that are won or lost.
func predicted(c *card.Card, f *frame.Frame, outcomes []train.Outcome) (assess.Sample, error) {
	scorer, problems := card.Compile(c)
	if err := told("the points table", problems); err != nil {
		return assess.Sample{}, err
	}
	bound, err := scorer.Bind(f)
	if err != nil {
		return assess.Sample{}, err
	}
	results := make([]card.Result, f.Rows)
	bound.ScoreAll(results, 0, f.Rows)
	won := make([]bool, f.Rows)
	for i, o := range outcomes {
		won[i] = o == train.Won
	}
	return assess.Of(results, won, nil), nil
}

// decided returns the rows whose outcome is known, and how many are won.
func (w *training) decided(rows []int32) (known []int32, won int) {
	for _, row := range rows {
		switch w.outcomes[row] {
		case train.Won:
			won++
			known = append(known, row)
		case train.Lost:
			known = append(known, row)
		}
	}
	return known, won
}

// parts returns the rows to learn from and those to keep unseen.
func (w *training) parts() (learn, unseen []int32) {
	n := w.frame.Rows
	if w.options.Time == nil {
		return w.drawn(int(unseenShare * float64(n)))
	}
	order := make([]int32, n)
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(a, b int32) int { return int(w.options.Time[a] - w.options.Time[b]) })
	// While outcomes take their time nearly all of the newest rows are open, and say nothing.
	won, lost := train.Tally(w.outcomes)
	from := n
	for keep := int(unseenShare * float64(won+lost)); keep > 0; from-- {
		if w.outcomes[order[from-1]] != train.Open {
			keep--
		}
	}
	learn, unseen = order[:from], order[from:]
	if w.groups == nil {
		return learn, unseen
	}
	known := map[int32]bool{}
	for _, row := range learn {
		known[w.groups[row]] = true
	}
	return learn, slices.DeleteFunc(slices.Clone(unseen), func(row int32) bool { return w.groups[row] >= 0 && known[w.groups[row]] })
}

// drawn draws rows, or groups of rows, until there are enough.
func (w *training) drawn(keep int) (learn, unseen []int32) {
	n := w.frame.Rows
	r := rand.New(rand.NewPCG(w.Seed, 0x756e7365656e))
	size := map[int32][]int32{}
	var groups []int32
	for row := range n {
		g := -int32(row) - 1 // one of its own
		if w.groups != nil && w.groups[row] >= 0 {
			g = w.groups[row]
		}
		if size[g] == nil {
			groups = append(groups, g)
		}
		size[g] = append(size[g], int32(row))
	}
	r.Shuffle(len(groups), func(i, j int) { groups[i], groups[j] = groups[j], groups[i] })
	for _, g := range groups {
		if len(unseen) < keep {
			unseen = append(unseen, size[g]...)
		} else {
			learn = append(learn, size[g]...)
		}
	}
	slices.Sort(learn)
	slices.Sort(unseen)
	return learn, unseen
}

func pick[T any](all []T, rows []int32) []T {
	if all == nil {
		return nil
	}
	out := make([]T, len(rows))
	for i, row := range rows {
		out[i] = all[row]
	}
	return out
}

// figuresOf are those that a points table keeps.
func figuresOf(r *assess.Report) card.Figures {
	return card.Figures{Rows: int64(r.Rows), Positives: int64(r.Won), AUC: r.AUC.Value, AUCLow: r.AUC.Low, AUCHigh: r.AUC.High,
		LogLoss: r.LogLoss.Value, Brier: r.Brier.Value, CalibrationError: r.Calibration.Error.Value}
}
