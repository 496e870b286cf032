// Package outcomes makes up a list of leads with what became of them, and the probability by which each
// was decided: a table to learn points from whose truth is known. Nobody in it is real.
//
// What decides is written in Truth, and a score can be no better than that. Beside it the list has what
// real lists have: columns that tell nothing, one that changes over the years, one that is written only
// after somebody called, one that no score may look at, cells that say "Select", customers who ask twice,
// and leads that are not decided yet.
package outcomes

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"math/rand/v2"
	"strconv"
	"time"
)

// Options say what to make up. Equal options give equal leads.
type Options struct {
	Seed  uint64
	Count int
}

// Lead is one row, before anything of it is hidden from who reads the list.
type Lead struct {
	ID, Customer string
	Created      time.Time
	Source       string
	Request      string
	Model        string
	Visits       int
	Minutes      float64 // on the website
	Distance     float64 // to the store, km
	LeaseEnds    int     // days; noLease for who has none
	TradeIn      bool
	Newsletter   string // the colour of the last one that was sent: tells nothing
	Campaign     string // runs out and is followed by the next: changes over time
	Age          int
	Call         float64 // minutes, written after somebody called
	Comment      string

	Probability float64 // of a win, the truth
	Won, Open   bool
	Decided     time.Time
}

const noLease = math.MaxInt

var (
	start    = time.Date(2025, 1, 6, 0, 0, 0, 0, time.UTC)
	sources  = []string{"website", "portal", "phone", "walk-in", "social media", "fair", "mailing"}
	sourced  = []float64{0, -0.5, 0.5, 1.1, -0.9, -0.2, -0.4}
	requests = []string{"quote", "test drive", "brochure", "finance", "trade-in"}
	asked    = []float64{0.2, 0.8, -1, 0.5, 0.1}
	models   = []string{"Tindra", "Lomvi 5", "Brattli", "Orvane", "Ferdal"}
	colours  = []string{"blue", "green", "red"}
	comments = []string{"asked about the %s on %s", "would like to see a %s after %s"}
)

// days is the time that the leads span.
const days = 540

// Leads returns the leads in the order in which they came.
func Leads(o Options) iter.Seq[Lead] {
	return func(yield func(Lead) bool) {
		r := rand.New(rand.NewPCG(o.Seed, 20260101))
		for i := range o.Count {
			if !yield(lead(r, i, o.Count)) {
				return
			}
		}
	}
}

func pick[T any](r *rand.Rand, from []T) (T, int) {
	i := r.IntN(len(from))
	return from[i], i
}

func lead(r *rand.Rand, i, count int) Lead {
	part := float64(i) / float64(max(count, 1))
	l := Lead{
		ID: fmt.Sprintf("L-%06d", i+1), Customer: fmt.Sprintf("C-%06d", 1+r.IntN(max(1, 3*count))),
		Created:  start.Add(time.Duration(part*days*24*60) * time.Minute),
		Visits:   int(r.ExpFloat64() * 3),
		Distance: math.Round(10*math.Exp(2.6+0.9*r.NormFloat64())) / 10,
		TradeIn:  r.Float64() < 0.35, LeaseEnds: noLease,
		Age: 18 + r.IntN(62),
	}
	var source, request int
	l.Source, source = pick(r, sources)
	l.Request, request = pick(r, requests)
	l.Model, _ = pick(r, models)
	l.Newsletter, _ = pick(r, colours)
	l.Campaign = fmt.Sprintf("wave %d", 1+int(part*6+0.4*r.Float64()))
	if l.Visits > 0 {
		l.Minutes = math.Round(10*float64(l.Visits)*r.ExpFloat64()*4) / 10
	}
	if r.Float64() < 0.4 {
		l.LeaseEnds = r.IntN(720)
	}
	l.Comment = fmt.Sprintf(comments[r.IntN(len(comments))], l.Model, l.Created.Add(-time.Duration(r.IntN(90000))*time.Second).Format("2 Jan at 15:04"))
	odds := Truth(&l, source, request)
	l.Probability = 1 / (1 + math.Exp(-odds))
	l.Won = r.Float64() < l.Probability
	l.Call = math.Round(10*(2+6*r.ExpFloat64())) / 10
	if l.Won {
		l.Call = math.Round(10*(9+9*r.ExpFloat64())) / 10
	}
	l.Decided = l.Created.Add(time.Duration((3 + r.ExpFloat64()*18) * 24 * float64(time.Hour)))
	l.Open = l.Decided.After(start.AddDate(0, 0, days))
	return l
}

// Truth is the log-odds of a win: what each column adds, and one pair of columns. Source and request are
// the places in their lists.
func Truth(l *Lead, source, request int) float64 {
	odds := -1.9 + sourced[source] + asked[request]
	odds += 1.6 * math.Tanh(l.Minutes/25)
	odds -= 0.8 * min(1.5, max(0, math.Log(l.Distance/10)))
	switch {
	case l.LeaseEnds < 90:
		odds += 1.4
	case l.LeaseEnds < 180:
		odds += 0.8
	case l.LeaseEnds < 270:
		odds += 0.3
	}
	if l.TradeIn {
		odds += 0.5
	}
	if sources[source] == "social media" && requests[request] == "test drive" { // clicked by chance
		odds -= 1
	}
	return odds
}

// Header names the columns of Row.
func Header() []string {
	return []string{"lead_id", "customer_id", "created", "source", "request", "model", "visits", "minutes_on_site", "distance_km",
		"lease_days_to_end", "trade_in", "newsletter", "campaign", "age", "call_minutes", "comment", "decided", "outcome"}
}

// Row writes a lead as the list has it: without the truth.
func (l *Lead) Row() []string {
	lease, trade, model, outcome, decided := "", "no", l.Model, "lost", l.Decided.Format(time.DateOnly)
	if l.LeaseEnds != noLease {
		lease = strconv.Itoa(l.LeaseEnds)
	}
	if l.TradeIn {
		trade = "yes"
	}
	if l.Visits == 0 {
		model = "Select" // never looked at any
	}
	call := strconv.FormatFloat(l.Call, 'f', 1, 64)
	switch {
	case l.Open:
		outcome, decided, call = "", "", ""
	case l.Won:
		outcome = "won"
	}
	return []string{l.ID, l.Customer, l.Created.Format("2006-01-02 15:04"), l.Source, l.Request, model, strconv.Itoa(l.Visits),
		strconv.FormatFloat(l.Minutes, 'f', 1, 64), strconv.FormatFloat(l.Distance, 'f', 1, 64), lease, trade, l.Newsletter, l.Campaign,
		strconv.Itoa(l.Age), call, l.Comment, decided, outcome}
}

// Write writes the list as CSV.
func Write(out io.Writer, o Options) error {
	w := csv.NewWriter(out)
	err := w.Write(Header())
	for l := range Leads(o) {
		err = errors.Join(err, w.Write(l.Row()))
	}
	w.Flush()
	return errors.Join(err, w.Error())
}
