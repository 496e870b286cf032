package assess

import "math"

// normal95 is the 0.975 quantile of the normal distribution.
const normal95 = 1.959963984540054

// AUC returns the chance that a row which is won stands above one which is not, equal scores
// counting half (Mann and Whitney 1947). The interval is that of DeLong, DeLong and Clarke-Pearson
// (1988) on the logit scale, with weights as frequencies of which the effective number counts.
// Where every pair is in order, or none, it comes from as many disjoint pairs as there are, by
// Clopper and Pearson (1934). Without rows of both kinds nothing is known: 0.5 within 0 and 1.
func AUC(s Sample) Interval { return s.auc(s.runs(s.score)) }

func (s *Sample) auc(runs []run) Interval {
	c := s.components(runs)
	if !c.known {
		return Interval{Value: 0.5, Low: 0, High: 1}
	}
	a := c.auc
	if a <= 0 || a >= 1 {
		edge := math.Pow(0.025, 1/math.Min(c.won.effective(), c.lost.effective()))
		if a >= 1 {
			return Interval{Value: 1, Low: edge, High: 1}
		}
		return Interval{Value: 0, Low: 0, High: 1 - edge}
	}
	d := normal95 * math.Sqrt(c.won.variance()+c.lost.variance()) / (a * (1 - a))
	l := logit(a)
	return Interval{Value: a, Low: sigmoid(l - d), High: sigmoid(l + d)}
}

// components are the parts of DeLong's variance: for every row the share of the other kind that
// it stands on the right side of.
type components struct {
	known     bool
	auc       float64
	right     []float64 // by row
	won, lost spread
}

func (s *Sample) components(runs []run) components {
	var won, lost float64
	for i := range runs {
		won += runs[i].won
		lost += runs[i].lost
	}
	if won == 0 || lost == 0 {
		return components{}
	}
	c := components{known: true, right: make([]float64, len(s.Won))}
	var wonBelow, lostBelow float64
	for i := range runs {
		r := &runs[i]
		for _, row := range r.rows {
			if s.Won[row] {
				c.right[row] = (lostBelow + r.lost/2) / lost
			} else {
				c.right[row] = (won - wonBelow - r.won/2) / won
			}
		}
		c.auc += r.won * (lostBelow + r.lost/2)
		wonBelow += r.won
		lostBelow += r.lost
	}
	c.auc /= won * lost
	c.auc = min(max(c.auc, 0), 1)
	for i, v := range c.right {
		if s.Won[i] {
			c.won.add(s.weight(i), v-c.auc)
		} else {
			c.lost.add(s.weight(i), v-c.auc)
		}
	}
	return c
}

// spread adds up weighted deviations from a mean that is known.
type spread struct {
	weight, weights2, squares float64
}

func (p *spread) add(weight, deviation float64) {
	p.weight += weight
	p.weights2 += weight * weight
	p.squares += weight * weight * deviation * deviation
}

// effective is how many rows of equal weight tell as much (Kish 1965).
func (p *spread) effective() float64 {
	if p.weights2 == 0 {
		return 0
	}
	return p.weight * p.weight / p.weights2
}

// variance is that of the weighted mean.
func (p *spread) variance() float64 {
	n := p.effective()
	if n <= 1 {
		return math.Inf(1)
	}
	return p.squares / (p.weight * p.weight) * n / (n - 1)
}

// mean is the weighted mean of a figure of every row, which lies within least and most, with the
// interval of the normal approximation.
func (s *Sample) mean(least, most float64, of func(i int) float64) Interval {
	var sum, weight float64
	for i := range s.Won {
		sum += s.weight(i) * of(i)
		weight += s.weight(i)
	}
	m := sum / weight
	var p spread
	for i := range s.Won {
		p.add(s.weight(i), of(i)-m)
	}
	d := normal95 * math.Sqrt(p.variance())
	return Interval{Value: m, Low: max(m-d, least), High: min(m+d, most)}
}

// LogLoss returns the mean of -ln of the chance that was given to what came (Good 1952). Chances
// are taken half a part per million away from 0 and 1, the finest that cards say.
func LogLoss(s Sample) Interval {
	return s.mean(0, worst, func(i int) float64 { return logLoss(s.Probability[i], s.Won[i]) })
}

func logLoss(p float64, won bool) float64 {
	if !won {
		p = 1 - p
	}
	return -math.Log(max(p, finest))
}

// finest is the smallest chance that is told from none, worst what it costs where it comes.
const (
	finest = 5e-7
	worst  = 14.508657738524219 // -ln(finest)
)

// Brier returns the mean of the squared difference of chance and outcome (Brier 1950).
func Brier(s Sample) Interval {
	return s.mean(0, 1, func(i int) float64 {
		d := s.Probability[i]
		if s.Won[i] {
			d--
		}
		return d * d
	})
}

// Difference is how much better a second table is on the same rows. An interval without 0 in it
// tells the two apart.
type Difference struct {
	AUC, LogLoss, Brier Interval
}

// Compare returns the figures of b less those of a, which must be of the same rows with the same
// outcomes and weights. What is hard for both does not blur the difference: the variances are
// those of the differences row by row, for AUC by DeLong, DeLong and Clarke-Pearson (1988).
func Compare(a, b Sample) Difference {
	var d Difference
	d.LogLoss = a.mean(-worst, worst, func(i int) float64 {
		return logLoss(b.Probability[i], b.Won[i]) - logLoss(a.Probability[i], a.Won[i])
	})
	d.Brier = a.mean(-1, 1, func(i int) float64 {
		var y float64
		if a.Won[i] {
			y = 1
		}
		p, q := a.Probability[i]-y, b.Probability[i]-y
		return q*q - p*p
	})
	d.AUC = Interval{Low: -1, High: 1}
	x, y := a.components(a.runs(a.score)), b.components(b.runs(b.score))
	if !x.known {
		return d
	}
	diff := y.auc - x.auc
	var won, lost spread
	for i := range a.Won {
		p := &lost
		if a.Won[i] {
			p = &won
		}
		p.add(a.weight(i), y.right[i]-x.right[i]-diff)
	}
	w := normal95 * math.Sqrt(won.variance()+lost.variance())
	d.AUC = Interval{Value: diff, Low: max(diff-w, -1), High: min(diff+w, 1)}
	return d
}

func logit(p float64) float64   { return math.Log(p / (1 - p)) }
func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
