package scoring

import (
	"fmt"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/playbook"
	"github.com/leadmesh/leadmesh/core/scoring"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/playbookfeed"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	store "github.com/leadmesh/leadmesh/services/scoring/internal/postgres"
	"google.golang.org/protobuf/proto"
)

// stages are those of somebody who is there and of one who is not.
const stages = playbookfeed.Stages + 1

// census counts persons now and before, page by page. Between pages it is a report in which every line
// has every move and every line to work for stands, also those of nobody.
type census struct {
	report   *scoringv1.RescoringReport
	lines    [scoring.NumLines]*scoringv1.RescoredLine // nil: no scorecard
	segments [scoring.NumSegments]*scoringv1.RescoredSegment
	indices  [scoring.NumIndices]*scoringv1.RescoredIndex
}

// newCensus begins to count by a playbook.
func newCensus(p *playbook.Playbook) *census {
	r := &scoringv1.RescoringReport{}
	for line := lead.LineUnspecified; int(line) < scoring.NumLines; line++ {
		if _, ok := p.Scorecards.Lines[line.String()]; ok {
			r.Lines = append(r.Lines, emptyLine(line))
			r.NextLines = append(r.NextLines, &scoringv1.RescoredNextLine{Line: leadv1.Line(line)})
		}
	}
	r.NextLines = append(r.NextLines, &scoringv1.RescoredNextLine{})
	for code := lead.SegmentUnspecified; int(code) < scoring.NumSegments; code++ {
		s, ok := p.Scorecards.Segments[code.String()]
		if !ok {
			continue
		}
		out := &scoringv1.RescoredSegment{Segment: leadv1.Segment(code), Play: playOf(p, code)}
		for _, rule := range s.Rules {
			out.Levels = append(out.Levels, &scoringv1.RescoredLevel{Level: rule.Level})
		}
		r.Segments = append(r.Segments, out)
	}
	for code := lead.IndexUnspecified; int(code) < scoring.NumIndices; code++ {
		x, ok := p.Scorecards.Indices[code.String()]
		if !ok {
			continue
		}
		out := &scoringv1.RescoredIndex{Index: leadv1.Index(code), Bands: []*scoringv1.RescoredBand{{}}}
		if scoring.Money(code) {
			out.Currency = p.Currency
		}
		for _, band := range x.Bands {
			out.Bands = append(out.Bands, &scoringv1.RescoredBand{Band: band.Name})
		}
		r.Indices = append(r.Indices, out)
	}
	return arrange(r)
}

func emptyLine(line lead.Line) *scoringv1.RescoredLine {
	l := &scoringv1.RescoredLine{Line: leadv1.Line(line)}
	for i := range playbookfeed.PointsBuckets {
		l.Points = append(l.Points, &scoringv1.RescoredPoints{FromPoints: int32(i * playbookfeed.BucketPoints)})
	}
	for stage := lead.StageAwareness; stage <= lead.StageReady; stage++ {
		l.Stages = append(l.Stages, &scoringv1.RescoredStage{Stage: leadv1.Stage(stage)})
	}
	for i := range stages * stages {
		l.Moves = append(l.Moves, &scoringv1.RescoredMove{Before: leadv1.Stage(i / stages), Now: leadv1.Stage(i % stages)})
	}
	return l
}

// readCensus goes on where another job left off.
func readCensus(stored []byte) (*census, error) {
	r := &scoringv1.RescoringReport{}
	if err := proto.Unmarshal(stored, r); err != nil {
		return nil, problem.Internal(fmt.Errorf("decode what is counted: %w", err))
	}
	for _, l := range r.GetLines() {
		if len(l.GetPoints()) != playbookfeed.PointsBuckets || len(l.GetStages()) != stages-1 || len(l.GetMoves()) != stages*stages {
			return nil, problem.Internal(fmt.Errorf("what is counted of %s is of another version", l.GetLine()))
		}
	}
	return arrange(r), nil
}

// arrange finds what is counted by its code.
func arrange(r *scoringv1.RescoringReport) *census {
	c := &census{report: r}
	for _, l := range r.GetLines() {
		if int(l.GetLine()) < len(c.lines) {
			c.lines[l.GetLine()] = l
		}
	}
	for _, s := range r.GetSegments() {
		if int(s.GetSegment()) < len(c.segments) {
			c.segments[s.GetSegment()] = s
		}
	}
	for _, x := range r.GetIndices() {
		if int(x.GetIndex()) < len(c.indices) {
			c.indices[x.GetIndex()] = x
		}
	}
	return c
}

// add counts somebody; before is nil for one who was not there, now for one who is not any more.
func (c *census) add(before, now *store.PersonScore) {
	var nobody store.PersonScore
	was, is := int64(1), int64(1)
	switch {
	case before == nil:
		before, was = &nobody, 0
		c.report.EnteredCount++
	case now == nil:
		now, is = &nobody, 0
		c.report.LeftCount++
	}
	c.report.BeforePersonCount += was
	c.report.PersonCount += is
	if is == 1 && now.NoConsent {
		c.report.NoConsentCount++
	}
	for line, l := range c.lines {
		if l != nil {
			countLine(l, before.Stages[line], now.Stages[line], before.Points[line], now.Points[line])
		}
	}
	for code, s := range c.segments {
		if s == nil {
			continue
		}
		countSegment(s, int(before.Levels[code]), int(now.Levels[code]))
		if is == 1 && now.Active == lead.Segment(code) {
			s.ActiveCount++
		}
	}
	for code, x := range c.indices {
		if x == nil {
			continue
		}
		if band := int(before.Indices[code].Band); was == 1 && before.Indices[code].Points >= 0 && band < len(x.Bands) {
			x.Bands[band].BeforePersonCount++
		}
		if band := int(now.Indices[code].Band); is == 1 && now.Indices[code].Points >= 0 && band < len(x.Bands) {
			x.Bands[band].PersonCount++
		}
	}
	for _, n := range c.report.GetNextLines() {
		if n.GetLine() == leadv1.Line(before.Next) {
			n.BeforePersonCount += was
		}
		if n.GetLine() == leadv1.Line(now.Next) {
			n.PersonCount += is
		}
	}
}

// countLine counts somebody on a line; stage 0 is of somebody who is not there.
func countLine(l *scoringv1.RescoredLine, before, now uint8, pointsBefore, points int16) {
	if int(before) >= stages || int(now) >= stages {
		return // of a later version
	}
	if before > 0 {
		l.Stages[before-1].BeforePersonCount++
		l.Points[bucketOf(pointsBefore)].BeforePersonCount++
	}
	if now > 0 {
		l.Stages[now-1].PersonCount++
		l.Points[bucketOf(points)].PersonCount++
	}
	if before == now {
		return
	}
	l.Moves[int(before)*stages+int(now)].PersonCount++
	switch {
	case before == 0 || now == 0:
	case now > before:
		l.UpCount++
	default:
		l.DownCount++
	}
}

func bucketOf(points int16) int {
	return min(max(int(points), 0)/playbookfeed.BucketPoints, playbookfeed.PointsBuckets-1)
}

// countSegment counts somebody in a segment; level 0 is of somebody who does not belong.
func countSegment(s *scoringv1.RescoredSegment, before, now int) {
	if before > 0 {
		s.BeforePersonCount++
	}
	if now > 0 {
		s.PersonCount++
	}
	switch {
	case before == 0 && now > 0:
		s.EnteredCount++
	case before > 0 && now == 0:
		s.LeftCount++
	}
	// A level of before that the playbook has no more is of no level now.
	if before > 0 && before <= len(s.Levels) {
		s.Levels[before-1].BeforePersonCount++
		if before != now {
			s.Levels[before-1].LeftCount++
		}
	}
	if now > 0 && now <= len(s.Levels) {
		s.Levels[now-1].PersonCount++
		if before != now {
			s.Levels[now-1].EnteredCount++
		}
	}
}

// stored is what is counted so far; done leaves out the moves that nobody made.
func (c *census) stored(done bool) ([]byte, error) {
	if done {
		for _, l := range c.report.GetLines() {
			moves := l.GetMoves()[:0]
			for _, m := range l.GetMoves() {
				if m.GetPersonCount() > 0 {
					moves = append(moves, m)
				}
			}
			l.Moves = moves
		}
	}
	b, err := proto.Marshal(c.report)
	if err != nil {
		return nil, problem.Internal(err)
	}
	return b, nil
}

// playOf is the play of a segment's persons, "" for none.
func playOf(p *playbook.Playbook, code lead.Segment) string {
	line, _ := lead.ParseLine(p.Scorecards.Segments[code.String()].Line)
	if play := p.Play(line, code); play != nil {
		return play.ID
	}
	return ""
}
