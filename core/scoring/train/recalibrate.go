package train

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/leadmesh/leadmesh/core/scoring/card"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
)

// Recalibrate returns the card with a calibration found anew on newer rows and their outcomes; the
// points stay as they are. It is the remedy for a share of wins that moved, needs far fewer rows
// than learning, and keeps what was known: the old calibration counts as 50 rows of each group of
// rows with like points, and where all rows count alike its level stays as far as theirs is off by no more
// than chance would have it.
//
// Rows must be such as the card was not learned from, in the order of time where they have one. After
// halfLife rows an outcome counts half; 0 finds out from the rows how their level moves and foretells that
// of the rows to come, up to a quarter as many, and below 0 all count alike. Only the level ages; how much
// more points are worth is learned from all rows. Open rows are left out; weights
// may be nil.
func Recalibrate(c *card.Card, f *frame.Frame, outcomes []Outcome, weights []float64, halfLife float64) (*card.Card, error) {
	if len(outcomes) != f.Rows || weights != nil && len(weights) != f.Rows {
		return nil, fmt.Errorf("%d outcomes and %d weights for %d rows", len(outcomes), len(weights), f.Rows)
	}
	scorer, problems := card.Compile(c)
	if len(problems) > 0 {
		return nil, problems[0]
	}
	bound, err := scorer.Bind(f)
	if err != nil {
		return nil, err
	}
	s := said{known: certainty(c)}
	for i, o := range outcomes {
		if o == Open {
			continue
		}
		weight := 1.0
		if weights != nil {
			weight = weights[i]
		}
		r := bound.Score(i)
		s.add(r.Points, r.PPM, o, weight)
	}
	if err := s.both(); err != nil {
		return nil, err
	}
	out := c.Clone()
	out.Calibration = repoint(s.calibrate(len(s.y), halfLife), s.scores, s.points, c.Calibration)
	return out, nil
}

// hold is how many rows of like points an old calibration counts as.
const hold = 50

// said is what a card says of rows, and what became of them.
type said struct {
	scores, points, y, w []float64
	odds                 []float64 // as late returns them; nil if no row is open
	known                float64   // variance of the level, in log-odds, when the chances were found; infinite: nobody knows
	won, lost            int64
}

func (s *said) add(points, ppm int32, o Outcome, weight float64) {
	chance := min(max(float64(ppm)/card.Certain, 1e-4), 1-1e-4)
	// Points go on where the old calibration has no more to say, so they break its ties.
	s.scores = append(s.scores, logit(chance)+float64(points)*1e-6)
	s.points, s.w = append(s.points, float64(points)), append(s.w, weight)
	y := 0.0
	switch o {
	case Won:
		y = 1
		s.won++
	case Lost:
		s.lost++
	}
	s.y = append(s.y, y)
}

func (s *said) both() error {
	if s.won == 0 || s.lost == 0 {
		return errors.New("rows won and rows lost are both needed to calibrate anew")
	}
	return nil
}

// calibrate finds chances for the scores of the first n rows.
func (s *said) calibrate(n int, halfLife float64) []knot {
	scores, y, w := s.scores[:n], slices.Clone(s.y[:n]), slices.Clone(s.w[:n])
	if s.odds != nil {
		arrived(scores, y, w, s.odds[:n])
	}
	switch {
	case halfLife < 0:
		return evened(scores, y, w, 1, strayed(scores, y, w, s.known), hold)
	case halfLife == 0:
		return current(scores, y, w, foretell(scores, y, w), hold)
	default:
		return current(scores, y, w, halved(scores, y, w, halfLife), hold)
	}
}

// certainty is the variance with which a card's learning knew the level of its rows, in log-odds; infinite where
// nobody learned it.
func certainty(c *card.Card) float64 {
	if c.Learned == nil || c.Learned.Positives <= 0 || c.Learned.Rows <= c.Learned.Positives {
		return math.Inf(1)
	}
	return 1/float64(c.Learned.Positives) + 1/float64(c.Learned.Rows-c.Learned.Positives)
}

// strayed is the level of rows whose chances were found from others, which knew it with some variance. That it has
// stayed is as probable, before the rows are seen, as that it moved, by about a half in log-odds; each
// counts by how probable it makes what came. So few rows, whose share won is off by chance more than anything
// moved, hardly change what many had shown, and a move that stands out counts in full.
func strayed(scores, y, w []float64, known float64) forecast {
	const far = 0.5 * 0.5
	came := standing(scores, y, w)
	if math.IsInf(known, 1) {
		return came
	}
	at, seen := came.at, came.err*came.err
	var f forecast
	all, square := 0.0, 0.0
	for _, before := range []float64{known, known + far} {
		sum := before + seen
		likely := math.Exp(-at*at/(2*sum)) / math.Sqrt(sum)
		mean := at * before / sum
		all += likely
		f.at += likely * mean
		square += likely * (before*seen/sum + mean*mean)
	}
	f.at /= all
	f.err = math.Sqrt(max(square/all-f.at*f.at, 0))
	return f
}

// repoint writes knots over old chances down over the points that had them. Between the points that
// rows have it goes straight, as scores there are nobody's. Of knots that come to the same points the one
// counts that is nearest to them.
func repoint(found []knot, scores, points []float64, old []card.Knot) []card.Knot {
	order := make([]int32, len(scores))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return cmp.Compare(scores[a], scores[b]) })
	var kept []knot
	for _, k := range found {
		i := sort.Search(len(order), func(i int) bool { return scores[order[i]] >= k.score })
		low, high := order[max(i-1, 0)], order[min(i, len(order)-1)]
		at := points[high]
		if from, to := scores[low], scores[high]; from < k.score && k.score < to {
			at = points[low] + (points[high]-points[low])*(k.score-from)/(to-from)
		}
		k.score = at
		if n := len(kept); n > 0 && math.Round(kept[n-1].score) == math.Round(at) {
			if math.Abs(kept[n-1].score-math.Round(at)) > math.Abs(at-math.Round(at)) {
				kept[n-1] = k
			}
			continue
		}
		kept = append(kept, k)
	}
	t := &table{perUnit: 1}
	if out := t.knots(kept); len(out) > 0 {
		return out
	}
	return old
}
