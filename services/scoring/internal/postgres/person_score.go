package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/scoring"
	pg "github.com/leadmesh/leadmesh/services/internal/postgres"
	"github.com/leadmesh/leadmesh/services/scoring/internal/postgres/db"
)

// scoresAtOnce bounds the rows that one reading of scores holds in memory.
const scoresAtOnce = 2000

// lastPerson stands behind everybody.
var lastPerson = lead.ID{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}

// PersonScore is the scores of one person.
type PersonScore struct {
	ID        lead.ID
	Points    [scoring.NumLines]int16    // 1/100
	Stages    [scoring.NumLines]uint8    // lead.Stage; 0 where the line has no scorecard
	Levels    [scoring.NumSegments]uint8 // rank of the level, 1 is the strongest; 0: does not belong
	Active    lead.Segment               // whose play is worth most
	Next      lead.Line                  // to work for now; unspecified: none yet
	NoConsent bool
	Indices   [scoring.NumIndices]IndexScore
}

// IndexScore is what an index says of somebody.
type IndexScore struct {
	Points   int16 // 1/100; negative: the playbook has no such index
	Expected int64 // parts per million, or minor units of the market's currency
	Band     uint8 // rank, 1 is the lowest; 0 for none
}

// ScoresUpTo hands over the scores of a slot after one person and up to another, in the order of
// buckets and identifiers; the zero ID stands for the beginning as after and for the end as last.
func (s *Store) ScoresUpTo(ctx context.Context, slot int16, after, last lead.ID, take func(*PersonScore)) error {
	if last.IsZero() {
		last = lastPerson
	}
	for {
		rows, err := s.q.PersonScoresBetween(ctx, slot, after.Bucket(), uuid(after), last.Bucket(), uuid(last), scoresAtOnce)
		if err != nil {
			return mapped(err)
		}
		for i := range rows {
			score := scoreOf(&rows[i])
			take(&score)
			after = score.ID
		}
		if len(rows) < scoresAtOnce {
			return nil
		}
	}
}

// ScoreQuery asks for persons; the zero value of a bound asks for everybody.
type ScoreQuery struct {
	Slot    int16
	After   lead.ID // the last of the page before
	Segment lead.Segment
	Level   int32 // rank of the weakest level asked for; goes with Segment
	Line    lead.Line
	Stage   lead.Stage // least; goes with Line
	Most    int32
	Look    int32 // at so many persons at most
}

// FindScores looks at the next persons in the order of ScoresUpTo and returns those that are asked for,
// and the last one looked at; that is the zero ID once nobody stands behind.
func (s *Store) FindScores(ctx context.Context, q ScoreQuery) (found []PersonScore, last lead.ID, err error) {
	rows, err := s.q.FindPersonScores(ctx, db.FindPersonScoresParams{
		Slot: q.Slot, AfterBucket: q.After.Bucket(), AfterPerson: uuid(q.After), Segment: int32(q.Segment), Level: q.Level,
		Line: int32(q.Line), Stage: int32(q.Stage), Most: q.Most, Look: q.Look,
	})
	if err != nil {
		return nil, last, mapped(err)
	}
	for i := range rows {
		found = append(found, scoreOf(&rows[i]))
	}
	if len(rows) == int(q.Most) {
		return found, found[len(found)-1].ID, nil
	}
	behind, err := s.q.PersonScoreAfter(ctx, q.Slot, q.After.Bucket(), uuid(q.After), q.Look-1)
	if err != nil || len(behind) == 0 {
		return found, last, mapped(err)
	}
	return found, behind[0].Bytes, nil
}

// Score returns the scores of one person in a slot; ok is false without any.
func (s *Store) Score(ctx context.Context, slot int16, id lead.ID) (score PersonScore, ok bool, err error) {
	rows, err := s.q.GetPersonScore(ctx, slot, id.Bucket(), uuid(id))
	if err != nil || len(rows) == 0 {
		return score, false, mapped(err)
	}
	return scoreOf(&rows[0]), true, nil
}

// SlotTaken reports whether the slot of a re-scoring was filled anew since.
func (s *Store) SlotTaken(ctx context.Context, r *Rescoring) (bool, error) {
	taken, err := s.q.SlotTaken(ctx, r.Sequence, pgtype.Int2{Int16: r.Slot, Valid: true})
	return taken, mapped(err)
}

func copyScores(ctx context.Context, tx pgx.Tx, slot int16, list []PersonScore) error {
	numbers := make([]int16, max(scoring.NumLines, scoring.NumSegments, scoring.NumIndices))
	amounts := make([]int64, scoring.NumIndices-1)
	small := func(list []uint8) []int16 {
		for i, v := range list {
			numbers[i] = int16(v)
		}
		return numbers[:len(list)]
	}
	return pg.Copy(ctx, tx.Conn(), "person_score", len(list),
		pg.Col("slot", func(int) int16 { return slot }),
		pg.Col("bucket", func(i int) int16 { return list[i].ID.Bucket() }),
		pg.Col("person_id", func(i int) pgtype.UUID { return uuid(list[i].ID) }),
		pg.Col("points", func(i int) []int16 { return list[i].Points[1:] }), // lists of SQL count from 1
		pg.Col("stages", func(i int) []int16 { return small(list[i].Stages[1:]) }),
		pg.Col("levels", func(i int) []int16 { return small(list[i].Levels[1:]) }),
		pg.Col("active", func(i int) int16 { return int16(list[i].Active) }),
		pg.Col("next_line", func(i int) int16 { return int16(list[i].Next) }),
		pg.Col("no_consent", func(i int) bool { return list[i].NoConsent }),
		pg.Col("index_points", func(i int) []int16 {
			for k, x := range list[i].Indices[1:] {
				numbers[k] = x.Points
			}
			return numbers[:scoring.NumIndices-1]
		}),
		pg.Col("index_expected", func(i int) []int64 {
			for k, x := range list[i].Indices[1:] {
				amounts[k] = x.Expected
			}
			return amounts
		}),
		pg.Col("index_bands", func(i int) []int16 {
			for k, x := range list[i].Indices[1:] {
				numbers[k] = int16(x.Band)
			}
			return numbers[:scoring.NumIndices-1]
		}),
	)
}

// scoreOf reads a row, of another version too: what that has more of is left out.
func scoreOf(r *db.PersonScore) PersonScore {
	p := PersonScore{ID: r.PersonID.Bytes, Active: lead.Segment(r.Active), Next: lead.Line(r.NextLine), NoConsent: r.NoConsent}
	copy(p.Points[1:], r.Points)
	for i := range min(len(r.Stages), len(p.Stages)-1) {
		p.Stages[i+1] = uint8(r.Stages[i])
	}
	for i := range min(len(r.Levels), len(p.Levels)-1) {
		p.Levels[i+1] = uint8(r.Levels[i])
	}
	for i := range p.Indices {
		p.Indices[i].Points = -1
		if at := i - 1; at >= 0 && at < min(len(r.IndexPoints), len(r.IndexExpected), len(r.IndexBands)) {
			p.Indices[i] = IndexScore{r.IndexPoints[at], r.IndexExpected[at], uint8(r.IndexBands[at])}
		}
	}
	return p
}
