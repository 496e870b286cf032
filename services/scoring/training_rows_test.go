package scoring

import (
	"math"
	"strconv"
	"testing"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/scoring/train"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
)

// pages are leads as trainings keep them, ten a page, received in no order. The page length is 10 leads
// less those that the draw left out.
func pages(n int, below func(page int) uint32) (out []*scoringv1.TrainingRows) {
	for from := 0; from < n; from += 10 {
		b := below(from / 10)
		rows := &scoringv1.TrainingRows{Below: b, Brands: []string{"A", "B"}, Regions: []string{""}}
		phone := &scoringv1.TrainingColumn{Feature: "has_phone"}
		days := &scoringv1.TrainingColumn{Feature: "time_frame_days"}
		other := &scoringv1.TrainingColumn{Feature: "of another version"}
		for i := from; i < min(from+10, n); i++ {
			draw := drawn(lead.NewID([]byte("draw"), strconv.Itoa(i)))
			if b > 0 && draw >= b {
				continue
			}
			row := int32(len(rows.Draws))
			rows.Draws, rows.Outcomes = append(rows.Draws, draw), append(rows.Outcomes, byte(1+i%4))
			rows.Received, rows.Ages = append(rows.Received, int64(i*7919%n)), append(rows.Ages, int64(i))
			rows.DecidingPoints, rows.DecidingPpm = append(rows.DecidingPoints, int32(i)), append(rows.DecidingPpm, int32(2*i))
			rows.BrandOf, rows.RegionOf, rows.Segments = append(rows.BrandOf, int32(i%2)), append(rows.RegionOf, 0), append(rows.Segments, byte(i%8))
			if i%3 == 0 {
				phone.Rows, phone.Values = append(phone.Rows, row), append(phone.Values, int32(i%2))
			}
			days.Rows, days.Values = append(days.Rows, row), append(days.Values, int32(-i))
			other.Rows, other.Values = append(other.Rows, row), append(other.Values, 1)
		}
		rows.Columns = []*scoringv1.TrainingColumn{phone, days, other}
		out = append(out, rows)
	}
	return out
}

func gatherPages(t *testing.T, pages []*scoringv1.TrainingRows) *gathered {
	t.Helper()
	var p plan
	for _, rows := range pages {
		if err := p.add(rows); err != nil {
			t.Fatal(err)
		}
	}
	g := p.finish()
	at := 0
	for _, rows := range pages {
		n := len(rows.GetDraws())
		g.take(rows, p.places[at:at+n])
		at += n
	}
	return g
}

// Every lead stands in one row, in the order of receipt, with all that was kept of it.
func TestGather(t *testing.T) {
	const n = 1000
	g := gatherPages(t, pages(n, func(int) uint32 { return 0 }))
	if err := g.frame.Check(); err != nil {
		t.Fatal(err)
	}
	if g.frame.Rows != n || len(g.frame.Columns) != 2 {
		t.Fatalf("%d rows and %q", g.frame.Rows, g.frame.Names())
	}
	phone, days := g.frame.Column("has_phone"), g.frame.Column("time_frame_days")
	for row := range n {
		i := int(g.ages[row])
		if g.received[row] != int64(row) || g.received[row] != int64(i*7919%n) || g.points[row] != int32(i) || g.chances[row] != int32(2*i) {
			t.Fatalf("row %d is lead %d, received %d", row, i, g.received[row])
		}
		if days.Numbers[row] != float64(-i) || phone.Missing(row) != (i%3 != 0) || i%3 == 0 && phone.Text(row) != []string{"no", "yes"}[i%2] {
			t.Fatalf("features of lead %d: %f, %q", i, days.Numbers[row], phone.Text(row))
		}
		if g.brands.list[g.brandOf[row]] != []string{"A", "B"}[i%2] || g.segments[row] != byte(i%8) {
			t.Fatalf("lead %d is of brand %d and segments %d", i, g.brandOf[row], g.segments[row])
		}
		if want := []train.Outcome{train.Won, train.Lost, train.Lost, train.Open}[i%4]; g.outcomes[row] != want {
			t.Fatalf("lead %d ended as %d", i, g.outcomes[row])
		}
	}
	if g.expired != n/4 || g.count(train.Open) != n/4 {
		t.Errorf("%d expired, %d open", g.expired, g.count(train.Open))
	}
}

// Where the estimate of leads grew while they were read, the early pages give no more of theirs than the
// late ones.
func TestTheDrawIsEven(t *testing.T) {
	const n = 20_000
	half := uint32(math.MaxUint32 / 2)
	g := gatherPages(t, pages(n, func(page int) uint32 {
		switch {
		case page < n/20:
			return 0
		case page < n/15:
			return math.MaxUint32 / 10 * 9
		}
		return half
	}))
	early := 0
	for _, age := range g.ages {
		if age < n/2 {
			early++
		}
	}
	if got := g.frame.Rows; math.Abs(float64(got)-n/2) > 300 || math.Abs(float64(early)-float64(got)/2) > 300 {
		t.Errorf("%d of %d leads, %d of the first half", got, n, early)
	}
	if drawBelow(mostTrained) != 0 || drawBelow(mostTrained+1) == 0 || math.Abs(float64(drawBelow(4*mostTrained))-math.MaxUint32/4.) > 2 {
		t.Errorf("of 4,000,000 leads those below %d are kept", drawBelow(4*mostTrained))
	}
	if at := firstOut([]uint32{9, 1, 5, 3}, 2); at != 5 {
		t.Errorf("of 1, 3, 5 and 9 two are below %d", at)
	}
	if at := firstOut([]uint32{9, math.MaxUint32}, 2); at != math.MaxUint32+1 {
		t.Errorf("all are below %d", at)
	}
}

func TestColumnsOfUnequalLengthAreRefused(t *testing.T) {
	rows := pages(10, func(int) uint32 { return 0 })[0]
	rows.Ages = rows.Ages[1:]
	if err := new(plan).add(rows); err == nil {
		t.Error("they are taken")
	}
}
