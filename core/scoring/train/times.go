package train

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/leadmesh/leadmesh/core/scoring/frame"
)

// layouts are the ways of writing a time that are understood in columns of names.
var layouts = []string{
	"15:04:05", "15:04", "2006-01-02T15:04:05Z07:00", "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02",
	"02.01.2006 15:04:05", "02.01.2006 15:04", "02.01.2006", "01/02/2006 15:04:05", "01/02/2006 15:04", "01/02/2006",
}

// clock reads a column of times of day or of dates written as text, in seconds; nil where the
// names are none.
func clock(c *frame.Column) []float64 {
	if c.Kind != frame.Category || len(c.Values) < 10 {
		return nil
	}
	layout := ""
	for _, l := range layouts {
		if _, err := time.Parse(l, c.Values[0]); err == nil {
			layout = l
			break
		}
	}
	if layout == "" {
		return nil
	}
	seconds := make([]float64, len(c.Values))
	bad := 0
	for v, text := range c.Values {
		t, err := time.Parse(layout, strings.TrimSpace(text))
		if err != nil {
			bad++
			seconds[v] = math.NaN()
			continue
		}
		seconds[v] = float64(t.Unix())
	}
	if bad*20 > len(c.Values) {
		return nil
	}
	out := make([]float64, len(c.Codes))
	for i, code := range c.Codes {
		out[i] = math.NaN()
		if code >= 0 {
			out[i] = seconds[code]
		}
	}
	return out
}

// lasting looks at the differences of any two columns of times: how long something took is often
// known only when it is over, and tells how it went.
func (l *learner) lasting(best *trial) []Leak {
	type times struct {
		name    string
		seconds []float64
	}
	var found []times
	for j := range l.f.Columns {
		c := &l.f.Columns[j]
		if strings.HasPrefix(l.report.Columns[j].Held, "excluded") || c.Name == l.o.Target.Column {
			continue
		}
		if c.Kind == frame.Number {
			if isTime(c) {
				found = append(found, times{c.Name, c.Numbers})
			}
		} else if seconds := clock(c); seconds != nil {
			found = append(found, times{c.Name, seconds})
		}
	}
	var leaks []Leak
	for i := range found {
		for k := i + 1; k < len(found); k++ {
			alone := l.apart(found[i].seconds, found[k].seconds)
			if alone < 0.70 {
				continue
			}
			leaks = append(leaks, Leak{
				Column: found[i].name, Second: found[k].name, Alone: alone, Others: best.auc,
				Why: fmt.Sprintf("the time between the two tells won from lost at %.2f: how long it took is known only afterwards", alone),
			})
		}
	}
	return leaks
}

// isTime tells whether numbers go by a name of times, so that their differences are worth a look.
func isTime(c *frame.Column) bool {
	for _, w := range wordsOf(c.Name) {
		switch w {
		case "start", "end", "begin", "time", "date", "timestamp", "at", "started", "ended", "datum", "zeit", "beginn", "ende":
			return true
		}
	}
	return false
}

// apart measures how well the difference of two columns tells the newest third of at most 50,000
// rows, learned from the others.
func (l *learner) apart(one, two []float64) float64 {
	stride := 1 + (len(one)-1)/50_000
	var gap, y, w []float64
	for i := 0; i < len(one); i += stride {
		if l.outcomes[i] == Open {
			continue
		}
		gap = append(gap, two[i]-one[i])
		won := 0.0
		if l.outcomes[i] == Won {
			won = 1
		}
		y, w = append(y, won), append(w, 1)
	}
	c := frame.Numeric("difference", gap)
	b := bin(&c, ordinary, 20, nil, nil, false)
	codes := make([]uint8, len(gap))
	b.apply(&c, codes)
	part := learner{s: sample{y: y, weight: w}}
	from := len(gap) * 2 / 3
	shares := part.shares(&coded{codes: codes, bins: b.bins}, w[:from])
	scores := make([]float64, len(gap)-from)
	for i := range scores {
		scores[i] = shares[codes[from+i]]
	}
	auc, _ := area(scores, y[from:], w[from:])
	return auc
}
