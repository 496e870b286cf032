package measure

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Unit is what a figure counts in.
type Unit string

// The values of Unit.
const (
	Count   Unit = "count"
	Share   Unit = "share"   // 0 to 1
	Seconds Unit = "seconds" // the value is the median
)

// Figure is one KPI of a group of leads.
type Figure struct {
	Name  string
	Value float64
	Unit  Unit
	// Rate is, for a share, what it is made of; for seconds, Denominator is how many were measured.
	Rate Rate
	// Low and High bound the 95 % interval of a share.
	Low, High float64
	// Quantiles are, for seconds, by their name: p50, p90, p95, p99.
	Quantiles map[string]float64
	// StillOpen is the share that can still change: not won and not lost yet, or not answered yet.
	StillOpen float64
	// Note is a word on how it was counted, without personal data.
	Note string
}

// Card gathers the figures of one group of leads. It is not safe for concurrent use.
type Card struct {
	at      time.Time
	leads   int64
	tallies []tally
}

// tally is what one KPI has gathered.
type tally struct {
	num, den int64 // of a count: num only
	open     int64 // still running: of den for a share; beside the measured ones for seconds
	unseen   int64 // due, but at dealers not observed well enough
	spans    []time.Duration
}

// NewCard makes an empty card of figures as they stand at the moment at: what can still happen
// after it is still open.
func NewCard(at time.Time) *Card {
	return &Card{at: at, tallies: make([]tally, len(kpis))}
}

// Add counts a lead. Test leads are left out of everything.
func (c *Card) Add(f *LeadFact) {
	if f.Test {
		return
	}
	c.leads++
	for i := range kpis {
		kpis[i].count(f, c.at, &c.tallies[i])
	}
}

// Leads returns how many leads were counted.
func (c *Card) Leads() int64 { return c.leads }

// Figures computes what the leads added so far support, in the order of Names. A share of nothing
// and a duration that was never measured are absent. The card can be added to afterwards.
func (c *Card) Figures() []Figure {
	out := make([]Figure, 0, len(kpis))
	for i := range kpis {
		if f, ok := kpis[i].figure(&c.tallies[i]); ok {
			out = append(out, f)
		}
	}
	return out
}

// Names lists the figures there are, in the order of a card.
func Names() []string {
	names := make([]string, len(kpis))
	for i := range kpis {
		names[i] = kpis[i].name
	}
	return names
}

// Part says how a lead takes part in a figure as it stands at the moment at: counted, if it adds
// to the numerator or was measured; missing, if it is in the denominator without (or not only)
// adding to the numerator, or was not answered. ok is false if there is no such figure.
func Part(figure string, f *LeadFact, at time.Time) (counted, missing, ok bool) {
	i := slices.IndexFunc(kpis[:], func(k kpi) bool { return k.name == figure })
	if i < 0 {
		return false, false, false
	}
	if f.Test {
		return false, false, true
	}
	var t tally
	kpis[i].count(f, at, &t)
	if kpis[i].unit == Seconds {
		return len(t.spans) > 0, t.open > 0, true
	}
	return t.num > 0, t.den > t.num, true
}

func (k *kpi) figure(t *tally) (Figure, bool) {
	f := Figure{Name: k.name, Unit: k.unit, Note: k.note}
	switch k.unit {
	case Count:
		f.Value = float64(t.num) / k.scale()
		return f, true
	case Share:
		f.Rate = Rate{Numerator: t.num, Denominator: t.den}
		value, ok := f.Rate.Share()
		if !ok {
			return Figure{}, false
		}
		f.Value = value
		f.Low, f.High = f.Rate.Wilson()
		f.StillOpen = float64(t.open) / float64(t.den)
		if k.observed {
			f.Note = fmt.Sprintf("observed dealers only: %s %% of %d due", percent(t.den, t.den+t.unseen), t.den+t.unseen)
		}
		return f, true
	}
	if len(t.spans) == 0 {
		return Figure{}, false
	}
	slices.Sort(t.spans)
	measured := int64(len(t.spans))
	f.Rate.Denominator = measured
	f.Quantiles = make(map[string]float64, len(k.percents))
	for _, p := range k.percents {
		q, _ := Quantile(t.spans, p)
		f.Quantiles["p"+strconv.Itoa(p)] = q.Seconds()
	}
	f.Value = f.Quantiles["p50"]
	f.StillOpen = float64(t.open) / float64(measured+t.open)
	if t.open > 0 && k.openWord != "" {
		f.Note = fmt.Sprintf("%d of %d %s", t.open, measured+t.open, k.openWord)
	}
	return f, true
}

// percent writes a share in whole percent, rounded down: 100 % means all.
func percent(part, whole int64) string {
	return strconv.FormatInt(part*100/max(whole, 1), 10)
}
