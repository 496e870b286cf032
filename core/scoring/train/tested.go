package train

import "github.com/leadmesh/leadmesh/core/scoring/assess"

// Tested are rows that a card of the older rows had not seen, to hold another card against it on the
// same rows.
type Tested []TestedRow

// TestedRow is one of them.
type TestedRow struct {
	Row    int32   // of the frame that was learned from
	Score  float64 // log-odds before the calibration
	Chance float64 // after it
	// Odds is by how much the age of an open row moves the odds of a win; below 0 for a row that is won or
	// lost.
	Odds   float64
	Won    bool
	Weight float64
}

// Said is what another card says of a row of the frame: a number that puts rows in order, and a chance.
type Said func(row int32) (score, chance float64)

func (t Tested) said(r *TestedRow, other Said) (score, chance float64) {
	if other == nil {
		return r.Score, r.Chance
	}
	return other(r.Row)
}

// Decided is the sample of the rows that are won or lost, by what was learned, or by another card. It
// tells how rows are put in order; where wins come later than losses, it has too few of them to
// tell whether chances are true.
func (t Tested) Decided(other Said) assess.Sample {
	var s assess.Sample
	for i := range t {
		if r := &t[i]; r.Odds < 0 {
			score, chance := t.said(r, other)
			grow(&s, score, chance, r.Won, r.Weight)
		}
	}
	return s
}

// All is the sample of all rows: an open one counts in part as won and in part as lost, by the chance
// that it had on arrival and by its age. That chance is the mean of what those say who are to judge,
// nil being what was learned; with none it is what the sample itself says, so that chances that are
// true are found to be so.
func (t Tested) All(other Said, judges []Said) assess.Sample {
	var s assess.Sample
	for i := range t {
		r := &t[i]
		score, said := t.said(r, other)
		if r.Odds < 0 {
			grow(&s, score, said, r.Won, r.Weight)
			continue
		}
		arrival := said
		if len(judges) > 0 {
			arrival = 0
			for _, judge := range judges {
				_, p := t.said(r, judge)
				arrival += p / float64(len(judges))
			}
		}
		won := chance(arrival, r.Odds)
		grow(&s, score, said, true, r.Weight*won)
		grow(&s, score, said, false, r.Weight*(1-won))
	}
	return s
}

func grow(s *assess.Sample, score, chance float64, won bool, weight float64) {
	s.Score, s.Probability = append(s.Score, score), append(s.Probability, chance)
	s.Won, s.Weight = append(s.Won, won), append(s.Weight, weight)
}
