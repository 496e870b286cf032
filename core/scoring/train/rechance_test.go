package train_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/leadmesh/leadmesh/core/scoring/card"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
	"github.com/leadmesh/leadmesh/core/scoring/train"
)

// aYear is rows of 360 days, whose chances are those of the card at first and odds times as much in odds
// from a day on. Losses are known within days and wins within months.
func aYear(rows int, odds float64, since int, seed uint64) train.Scored {
	r := rand.New(rand.NewPCG(seed, 1))
	var s train.Scored
	for i := range rows {
		day := float64(i) * 360 / float64(rows)
		points := int32(r.IntN(card.MaxPoints + 1))
		said := 0.05 + 0.4*float64(points)/card.MaxPoints // as the card's calibration
		p := said
		if day >= float64(since) {
			p = p * odds / (p*odds + 1 - p)
		}
		outcome, age := train.Lost, 8*r.ExpFloat64()
		if r.Float64() < p {
			outcome, age = train.Won, 60*r.ExpFloat64()
		}
		if age > 360-day {
			outcome, age = train.Open, 360-day
		}
		s.Points, s.PPM = append(s.Points, points), append(s.PPM, int32(said*card.Certain))
		s.Outcomes, s.Age = append(s.Outcomes, outcome), append(s.Age, age)
	}
	return s
}

// The share won doubled half a year ago, and of the recent rows mostly the lost are known: chances follow
// all the same, and the points stay.
func TestRecalibrateScored(t *testing.T) {
	c := &card.Card{
		Target: card.Target{Line: "SALES"}, Base: 1000,
		Calibration: []card.Knot{{PPM: 50_000, Low: 50_000, High: 50_000}, {Points: card.MaxPoints, PPM: 450_000, Low: 450_000, High: 450_000}},
		Rows:        []card.Row{{Feature: "has_phone", Kind: frame.Category, Bins: []card.Bin{{Values: []string{"yes"}, Points: 500}, {Other: true}}}},
	}
	rows := aYear(20_000, 2.5, 180, 1)
	again, r, err := train.RecalibrateScored(c, rows, 1)
	if err != nil {
		t.Fatal(err)
	}
	if problems := again.Check(); len(problems) > 0 {
		t.Fatal(problems)
	}
	if again.Base != c.Base || again.Rows[0].Bins[0].Points != 500 {
		t.Errorf("the points are others: %v", again.Rows)
	}
	if r.Open < 1000 || r.Unseen.Rows == 0 || again.Learned.Unseen.Rows != r.Unseen.Rows {
		t.Errorf("%d open, measured on %d rows, the card says %d", r.Open, r.Unseen.Rows, again.Learned.Unseen.Rows)
	}
	worst := 0.0
	for points := int32(500); points < card.MaxPoints; points += 500 {
		p := 0.05 + 0.4*float64(points)/card.MaxPoints
		want := p * 2.5 / (p*2.5 + 1 - p)
		worst = max(worst, math.Abs(chanceAt(again, points)-want))
	}
	if worst > 0.05 {
		t.Errorf("chances are up to %.3f off; %v", worst, again.Calibration)
	}
	if r.Unseen.CalibrationError > 0.04 {
		t.Errorf("the calibration error on the newest rows is %.3f", r.Unseen.CalibrationError)
	}
}

// With nothing changed nothing changes, and of few outcomes nothing is made.
func TestRecalibrateScoredHolds(t *testing.T) {
	c := &card.Card{
		Target:      card.Target{Line: "SALES"},
		Calibration: []card.Knot{{PPM: 50_000, Low: 50_000, High: 50_000}, {Points: card.MaxPoints, PPM: 450_000, Low: 450_000, High: 450_000}},
		Rows:        []card.Row{{Feature: "has_phone", Kind: frame.Category, Bins: []card.Bin{{Values: []string{"yes"}, Points: 500}, {Other: true}}}},
	}
	rows := aYear(20_000, 1, 0, 2)
	again, _, err := train.RecalibrateScored(c, rows, 1)
	if err != nil {
		t.Fatal(err)
	}
	for points := int32(1000); points < card.MaxPoints; points += 1000 {
		want := 0.05 + 0.4*float64(points)/card.MaxPoints
		if got := chanceAt(again, points); math.Abs(got-want) > 0.05 {
			t.Errorf("%d points are given %.3f instead of %.3f", points, got, want)
		}
	}
	few := aYear(30, 1, 0, 2)
	var tooFew *train.TooFewError
	if _, _, err := train.RecalibrateScored(c, few, 1); !errors.As(err, &tooFew) {
		t.Errorf("calibrated on 30 rows: %v", err)
	}
}

// chanceAt reads the calibration of a card.
func chanceAt(c *card.Card, points int32) float64 {
	k := c.Calibration
	if points <= k[0].Points {
		return float64(k[0].PPM) / card.Certain
	}
	for i := 1; i < len(k); i++ {
		if points <= k[i].Points {
			a, b := k[i-1], k[i]
			return (float64(a.PPM) + float64(b.PPM-a.PPM)*float64(points-a.Points)/float64(b.Points-a.Points)) / card.Certain
		}
	}
	return float64(k[len(k)-1].PPM) / card.Certain
}
