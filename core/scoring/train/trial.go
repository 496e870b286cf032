package train

import (
	"math"
	"slices"
)

// fold is one look into the future: rows before from are learned from, those up to to are not.
type fold struct{ from, to int }

// folds parts rows that stand in the order of time. Few rows are looked at four times, so that the
// luck of one part does not decide; many rows need that less and cost more. Each fold tells as many decided rows:
// while wins take their time the newest rows are open, nearly all of them, and tell nothing.
func (l *learner) folds() []fold {
	if l.m.rows >= 50_000 {
		return []fold{{l.after(8, 10), l.m.rows}}
	}
	return []fold{
		{l.after(4, 8), l.after(5, 8)},
		{l.after(5, 8), l.after(6, 8)},
		{l.after(6, 8), l.after(7, 8)},
		{l.after(7, 8), l.m.rows},
	}
}

// settle lists the decided rows, where some are open.
func (l *learner) settle() {
	if l.s.odds == nil {
		return
	}
	for i, odds := range l.s.odds {
		if odds < 0 {
			l.decided = append(l.decided, int32(i))
		}
	}
}

// after is the row with so many parts of the decided rows before it.
func (l *learner) after(part, of int) int {
	if len(l.decided) == 0 {
		return l.m.rows * part / of
	}
	return int(l.decided[len(l.decided)*part/of])
}

// middle is the row with half of a fold's decided rows before it.
func (l *learner) middle(p fold) int {
	from, _ := slices.BinarySearch(l.decided, int32(p.from))
	to, _ := slices.BinarySearch(l.decided, int32(p.to))
	if from == to {
		return (p.from + p.to) / 2
	}
	return int(l.decided[(from+to)/2])
}

// told is the weight of a fold's rows by which the order that scores put them in is judged: open ones, whose outcome
// is guessed from their age alone, say nothing of it.
func (l *learner) told(p fold) []float64 {
	weight := l.s.weight[p.from:p.to]
	if l.s.odds == nil {
		return weight
	}
	weight = slices.Clone(weight)
	for i := range weight {
		if l.s.odds[p.from+i] >= 0 {
			weight[i] = 0
		}
	}
	return weight
}

// trial is what a way of learning gives on rows it has not seen, by number of rounds.
type trial struct {
	set    settings
	from   int // first row with a score
	rounds []int
	scores [][]float64 // by rounds, of the rows from from on
	loss   []float64   // by rounds: mean log loss after recalibration
	best   int         // index of the rounds with the least loss
	each   []float64   // loss of each row at the best
	auc    float64     // at the best, mean over the folds by rows
	z      float64     // how far that is above one half, in standard errors
}

// looks is how many bags a trial takes per fold.
func looks(rows int) int {
	if rows >= 20_000 {
		return 1
	}
	return 3
}

// try learns from the older rows of each fold and scores the newer ones.
func (l *learner) try(m *matrix, set settings) (*trial, error) {
	parts := l.folds()
	bags := looks(m.rows)
	t := &trial{set: set, from: parts[0].from}
	for r := set.every; r <= set.rounds; r += set.every {
		t.rounds = append(t.rounds, r)
		t.scores = append(t.scores, make([]float64, m.rows-t.from))
	}
	outer, inner := min(l.o.Workers, len(parts)*bags), 1
	if len(parts)*bags < l.o.Workers {
		inner = l.o.Workers
	}
	set.workers, set.stop = inner, l.stopped
	runs := make([][][]float64, len(parts)*bags)
	each(outer, len(runs), func(k int) {
		if l.stopped() {
			return
		}
		p := parts[k/bags]
		runs[k] = l.unseen(m, set, p, bags > 1, uint64(k))
	})
	if l.stopped() {
		return nil, ErrCancelled
	}
	for k, run := range runs {
		p := parts[k/bags]
		for r, scores := range run {
			into := t.scores[r][p.from-t.from : p.to-t.from]
			for i, s := range scores {
				into[i] += s / float64(bags)
			}
		}
	}
	if err := l.judge(t, parts); err != nil {
		return nil, err
	}
	return t, nil
}

// unseen learns from the rows before a fold's from and returns the scores of its others by rounds.
func (l *learner) unseen(m *matrix, set settings, p fold, draw bool, stream uint64) [][]float64 {
	part := m.slice(0, p.from)
	s := l.s.slice(0, p.from)
	s.weight, _ = l.known(p)
	if draw {
		s.weight = s.drawn(l.o.Seed, stream)
	}
	rest := m.slice(p.from, p.to)
	b := set.booster(part, s)
	var out [][]float64
	b.run(func(_ int, fit *additive) bool {
		scores := make([]float64, p.to-p.from)
		fit.score(rest, scores)
		if l.s.offset != nil {
			for i := range scores {
				scores[i] += l.s.offset[p.from+i]
			}
		}
		out = append(out, scores)
		return !l.stopped()
	})
	return out
}

func (a *additive) score(m *matrix, scores []float64) {
	for i := range scores {
		scores[i] = a.base
	}
	for j := range m.columns {
		shape := a.shapes[j]
		for i, code := range m.columns[j].codes {
			scores[i] += shape[code]
		}
	}
}

func (m *matrix) slice(from, to int) *matrix {
	part := &matrix{rows: to - from, columns: slices.Clone(m.columns)}
	for j := range part.columns {
		part.columns[j].codes = part.columns[j].codes[from:to:to]
	}
	return part
}

// without returns the matrix without one column.
func (m *matrix) without(j int) *matrix {
	part := &matrix{rows: m.rows, columns: slices.Clone(m.columns)}
	part.columns = slices.Delete(part.columns, j, j+1)
	return part
}

// judge finds the rounds with the least loss. Scores are recalibrated within each fold first: base
// rates move with time, and what counts here is what the columns tell.
func (l *learner) judge(t *trial, parts []fold) error {
	t.loss = make([]float64, len(t.rounds))
	losses := make([][]float64, len(t.rounds))
	total := 0.0
	for i := t.from; i < len(l.s.weight); i++ {
		total += l.s.weight[i]
	}
	err := l.each(len(t.rounds), func(r int) {
		losses[r] = make([]float64, len(t.scores[r]))
		for _, p := range parts {
			scores := t.scores[r][p.from-t.from : p.to-t.from]
			y, w := l.s.y[p.from:p.to], l.s.weight[p.from:p.to]
			line := platt(scores, y, w, 0)
			for i, s := range scores {
				loss := logLoss(line.at(s), y[i])
				losses[r][p.from-t.from+i] = loss
				t.loss[r] += w[i] * loss / total
			}
		}
	})
	if err != nil {
		return err
	}
	for r := range t.loss {
		if t.loss[r] < t.loss[t.best] {
			t.best = r
		}
	}
	t.each = losses[t.best]
	sum, noise, weights := 0.0, 0.0, 0.0
	for _, p := range parts {
		a, se := area(t.scores[t.best][p.from-t.from:p.to-t.from], l.s.y[p.from:p.to], l.told(p))
		if se > 0 {
			w := 1 / (se * se)
			sum += w * a
			weights += w
		}
	}
	if weights > 0 {
		noise = math.Sqrt(1 / weights)
		t.auc = sum / weights
		t.z = (t.auc - 0.5) / noise
	} else {
		t.auc = 0.5
	}
	return nil
}

// better compares two trials row by row: by how many standard errors u loses less than t.
func (l *learner) better(u, t *trial) float64 {
	return l.compare(u, t, func(p fold) int { return p.from })
}

// lastingly compares two trials as better does, by the second half of each fold only. What tells the campaign
// or the rate that goes on from the rows learned from into the fold is none the wiser of the next.
func (l *learner) lastingly(u, t *trial) float64 { return l.compare(u, t, l.middle) }

// compare compares two trials by the rows of each fold from one on.
func (l *learner) compare(u, t *trial, from func(fold) int) float64 {
	sum, square := 0.0, 0.0
	for _, p := range l.folds() {
		for i := from(p); i < p.to; i++ {
			w := l.s.weight[i]
			d := t.each[i-t.from] - u.each[i-t.from]
			sum += w * d
			square += w * w * d * d
		}
	}
	if square == 0 {
		return 0
	}
	return sum / math.Sqrt(square)
}

func logLoss(score, y float64) float64 {
	// log(1+exp(score)) - y*score, without overflow
	return max(score, 0) + math.Log1p(math.Exp(-math.Abs(score))) - y*score
}
