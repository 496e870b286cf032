package scoring

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/scoring"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
	"github.com/leadmesh/leadmesh/core/scoring/train"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"google.golang.org/protobuf/proto"
)

// mostValues bounds the memory of learning: so many numbers of eight bytes, a feature of a lead each.
// With what learning needs beside them that is about 700 MB: 400,000 leads of 40 features.
const mostValues = 16_000_000

// gathered is what a training learns from: leads in the order of their receipt.
type gathered struct {
	frame    *frame.Frame // a column per feature that any lead has
	outcomes []train.Outcome
	received []int64 // seconds of Unix time
	ages     []float64
	points   []int32 // by what decides now, 1/100
	chances  []int32 // by the same, parts per million
	brands   names
	regions  names
	brandOf  []int32
	regionOf []int32
	segments []byte
	expired  int64
	unread   int64 // leads whose receipt can not be read
}

// gather makes columns of the leads that a training read, at most as many as mostValues allows.
func (s *Service) gather(ctx context.Context, id lead.ID) (*gathered, error) {
	var p plan
	each := func(take func(rows *scoringv1.TrainingRows) error) error {
		return s.store.TrainingParts(ctx, id, func(part []byte) error {
			rows := &scoringv1.TrainingRows{}
			if err := proto.Unmarshal(part, rows); err != nil {
				return problem.Internal(fmt.Errorf("decode leads of a training: %w", err))
			}
			return take(rows)
		})
	}
	if err := each(p.add); err != nil {
		return nil, err
	}
	g := p.finish()
	at := 0
	err := each(func(rows *scoringv1.TrainingRows) error {
		n := len(rows.GetDraws())
		if at+n > len(p.places) {
			return problem.Internal(fmt.Errorf("leads of a training became more"))
		}
		g.take(rows, p.places[at:at+n])
		at += n
		return nil
	})
	return g, err
}

// plan finds out how many leads there are and where each goes.
type plan struct {
	draws    []uint32
	received []int64
	below    uint32
	unread   int64
	has      [scoring.NumFeatures]bool
	places   []int32 // row of each, -1 for those left out
}

func (p *plan) add(rows *scoringv1.TrainingRows) error {
	n := len(rows.GetDraws())
	for _, length := range []int{
		len(rows.GetOutcomes()), len(rows.GetReceived()), len(rows.GetAges()), len(rows.GetDecidingPoints()), len(rows.GetDecidingPpm()),
		len(rows.GetBrandOf()), len(rows.GetRegionOf()), len(rows.GetSegments()),
	} {
		if length != n {
			return problem.Internal(fmt.Errorf("leads of a training have columns of %d and %d rows", n, length))
		}
	}
	p.draws, p.received = append(p.draws, rows.GetDraws()...), append(p.received, rows.GetReceived()...)
	p.unread += rows.GetUnreadableCount()
	if b := rows.GetBelow(); b > 0 && (p.below == 0 || b < p.below) {
		p.below = b
	}
	for _, c := range rows.GetColumns() {
		if f, ok := scoring.ParseFeature(c.GetFeature()); ok {
			p.has[f] = true
		}
	}
	return nil
}

// finish gives each lead its row and makes the columns.
func (p *plan) finish() *gathered {
	columns := 0
	for _, has := range p.has {
		if has {
			columns++
		}
	}
	limit := uint64(math.MaxUint32) + 1
	if p.below > 0 {
		limit = uint64(p.below)
	}
	limit = min(limit, firstOut(p.draws, min(mostTrained, mostValues/max(columns, 1))))
	var kept []int32
	for i, d := range p.draws {
		if uint64(d) < limit {
			kept = append(kept, int32(i))
		}
	}
	slices.SortFunc(kept, func(a, b int32) int {
		return cmp.Or(cmp.Compare(p.received[a], p.received[b]), cmp.Compare(p.draws[a], p.draws[b]))
	})
	p.places = make([]int32, len(p.draws))
	for i := range p.places {
		p.places[i] = -1
	}
	for row, i := range kept {
		p.places[i] = int32(row)
	}
	n := len(kept)
	g := &gathered{
		frame: &frame.Frame{Rows: n}, outcomes: make([]train.Outcome, n), received: make([]int64, n), ages: make([]float64, n),
		points: make([]int32, n), chances: make([]int32, n), brandOf: make([]int32, n), regionOf: make([]int32, n), segments: make([]byte, n), unread: p.unread,
	}
	for f, has := range p.has {
		if has {
			g.frame.Columns = append(g.frame.Columns, emptyColumn(scoring.Feature(f), n))
		}
	}
	return g
}

// firstOut is the number of the draw from which leads are left out so that at most so many stay.
func firstOut(draws []uint32, most int) uint64 {
	if len(draws) <= most {
		return uint64(math.MaxUint32) + 1
	}
	sorted := slices.Clone(draws)
	slices.Sort(sorted)
	return uint64(sorted[most])
}

// emptyColumn is the column of a feature that no lead has yet.
func emptyColumn(f scoring.Feature, rows int) frame.Column {
	if f.Unit() == scoring.UnitCategory {
		c := frame.Column{Name: f.String(), Kind: frame.Category, Values: f.Values(), Codes: make([]int32, rows)}
		for i := range c.Codes {
			c.Codes[i] = -1
		}
		return c
	}
	numbers := make([]float64, rows)
	for i := range numbers {
		numbers[i] = math.NaN()
	}
	return frame.Numeric(f.String(), numbers)
}

// take puts leads of a part in their places.
func (g *gathered) take(rows *scoringv1.TrainingRows, places []int32) {
	for i, row := range places {
		if row < 0 {
			continue
		}
		switch outcome(rows.GetOutcomes()[i]) {
		case outcomeWon:
			g.outcomes[row] = train.Won
		case outcomeOpen:
			g.outcomes[row] = train.Open
		case outcomeExpired:
			g.expired++
			g.outcomes[row] = train.Lost
		default:
			g.outcomes[row] = train.Lost
		}
		g.received[row], g.ages[row] = rows.GetReceived()[i], float64(rows.GetAges()[i])
		g.points[row], g.chances[row] = rows.GetDecidingPoints()[i], rows.GetDecidingPpm()[i]
		g.brandOf[row] = g.brands.number(rows.GetBrands()[rows.GetBrandOf()[i]])
		g.regionOf[row] = g.regions.number(rows.GetRegions()[rows.GetRegionOf()[i]])
		g.segments[row] = rows.GetSegments()[i]
	}
	for _, c := range rows.GetColumns() {
		f, ok := scoring.ParseFeature(c.GetFeature())
		if !ok {
			continue // of another version
		}
		column := g.frame.Column(f.String())
		for k, i := range c.GetRows() {
			row := places[i]
			if row < 0 {
				continue
			}
			v := c.GetValues()[k]
			if column.Kind == frame.Number {
				column.Numbers[row] = float64(v)
			} else if v -= f.FirstValue(); v >= 0 && int(v) < len(column.Values) {
				column.Codes[row] = v
			}
		}
	}
}

// count is how many leads have an outcome.
func (g *gathered) count(o train.Outcome) int64 {
	n := int64(0)
	for _, x := range g.outcomes {
		if x == o {
			n++
		}
	}
	return n
}
