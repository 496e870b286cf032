package scoring

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/playbook"
	"github.com/leadmesh/leadmesh/core/scoring"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/cursor"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/scoreconv"
	store "github.com/leadmesh/leadmesh/services/scoring/internal/postgres"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

const (
	lookAtOnce = 50_000 // persons that one statement of a list looks at
	// A list that finds hardly anybody answers what it has after this long.
	lookFor = time.Second
)

// ListPersonScores answers a page of persons by the latest re-scoring that is done, or by that of the
// page before.
func (s *Service) ListPersonScores(ctx context.Context, req *scoringv1.ListPersonScoresRequest) (*scoringv1.ListPersonScoresResponse, error) {
	q, sequence, err := parseScoreQuery(req)
	if err != nil {
		return nil, err
	}
	r, err := s.scoresAt(ctx, sequence)
	if err != nil {
		return nil, err
	}
	names, err := namesOf(r)
	if err != nil {
		return nil, err
	}
	if q.Segment != lead.SegmentUnspecified {
		if q.Level, err = names.rank(q.Segment, req.GetLevel()); err != nil {
			return nil, err
		}
	}
	q.Slot, q.Look = r.Slot, s.look
	resp := &scoringv1.ListPersonScoresResponse{RescoringId: r.ID.String(), AsOf: timestamppb.New(r.AsOf)}
	for begun := time.Now(); ; {
		found, last, err := s.store.FindScores(ctx, q)
		if err != nil {
			return nil, err
		}
		for i := range found {
			resp.Persons = append(resp.Persons, names.proto(&found[i]))
		}
		if last.IsZero() {
			break
		}
		if q.After, q.Most = last, q.Most-int32(len(found)); q.Most == 0 || time.Since(begun) > lookFor {
			resp.NextPageToken = cursor.Text(append(binary.BigEndian.AppendUint64(nil, uint64(r.Sequence)), last[:]...))
			break
		}
	}
	return resp, s.stillKept(ctx, r)
}

// GetPersonScores answers the scores of one person.
func (s *Service) GetPersonScores(ctx context.Context, req *scoringv1.GetPersonScoresRequest) (*scoringv1.GetPersonScoresResponse, error) {
	id, err := lead.ParseID(req.GetPersonId())
	if err != nil {
		return nil, problem.Invalid(problem.Violation{Field: "person_id", Description: err.Error()})
	}
	r, err := s.scoresAt(ctx, 0)
	if err != nil {
		return nil, err
	}
	names, err := namesOf(r)
	if err != nil {
		return nil, err
	}
	score, ok, err := s.store.Score(ctx, r.Slot, id)
	if err != nil {
		return nil, err
	}
	if err := s.stillKept(ctx, r); err != nil {
		return nil, err
	}
	if !ok {
		return nil, problem.NotFound("person in the latest re-scoring")
	}
	return &scoringv1.GetPersonScoresResponse{Scores: names.proto(&score)}, nil
}

// parseScoreQuery reads what is asked for and within which re-scoring; 0 is the latest. The level needs
// that one's playbook.
func parseScoreQuery(req *scoringv1.ListPersonScoresRequest) (q store.ScoreQuery, sequence int64, err error) {
	var wrong []problem.Violation
	bad := func(field, why string) {
		wrong = append(wrong, problem.Violation{Field: field, Description: why})
	}
	q.Most, wrong = pageSize(req.GetPageSize())
	if _, ok := leadv1.Segment_name[int32(req.GetSegment())]; !ok {
		bad("segment", "is none of ours")
	}
	if _, ok := leadv1.Line_name[int32(req.GetLine())]; !ok {
		bad("line", "is none of ours")
	}
	if _, ok := leadv1.Stage_name[int32(req.GetMinStage())]; !ok {
		bad("min_stage", "is none of ours")
	}
	q.Segment, q.Line, q.Stage = lead.Segment(req.GetSegment()), lead.Line(req.GetLine()), lead.Stage(req.GetMinStage())
	if req.GetLevel() != "" && q.Segment == lead.SegmentUnspecified {
		bad("level", "is of a segment; name the segment too")
	}
	switch {
	case q.Line == lead.LineUnspecified && q.Stage != lead.StageUnspecified:
		bad("min_stage", "is of a line; name the line too")
	case q.Line != lead.LineUnspecified && q.Stage == lead.StageUnspecified:
		q.Stage = lead.StageReady
	}
	if token := req.GetPageToken(); token != "" {
		place, ok := cursor.Bytes(token)
		if ok = ok && len(place) == 8+len(q.After); ok {
			sequence = int64(binary.BigEndian.Uint64(place))
			ok = sequence > 0
		}
		if !ok {
			bad("page_token", "is none that ListPersonScores answered")
		} else {
			q.After = lead.ID(place[8:])
		}
	}
	if len(wrong) > 0 {
		return q, 0, problem.Invalid(wrong...)
	}
	return q, sequence, nil
}

// scoresAt is the re-scoring whose scores are asked for, by its Sequence; 0 is the latest.
func (s *Service) scoresAt(ctx context.Context, sequence int64) (*store.Rescoring, error) {
	if sequence != 0 {
		r, err := s.store.RescoringAt(ctx, sequence)
		if err == nil && (!r.Kept() || r.State != store.Done) {
			err = replaced()
		}
		return r, err
	}
	r, err := s.store.LatestKept(ctx)
	if err == nil && r == nil {
		err = wrongState("nobody has been scored yet; start a re-scoring and wait until it is done")
	}
	return r, err
}

// stillKept is a problem if the scores of a re-scoring were removed while they were read.
func (s *Service) stillKept(ctx context.Context, r *store.Rescoring) error {
	taken, err := s.store.SlotTaken(ctx, r)
	if err == nil && taken {
		err = replaced()
	}
	return err
}

func replaced() error {
	return wrongState("these scores have been replaced by newer ones; begin again without a page_token")
}

// scoreNames is what the playbook of a re-scoring calls what its scores say.
type scoreNames struct {
	rescoring *store.Rescoring
	report    *scoringv1.RescoringReport
	models    []string
}

func namesOf(r *store.Rescoring) (*scoreNames, error) {
	n := &scoreNames{rescoring: r, report: &scoringv1.RescoringReport{}, models: playbook.ScorerModels(r.Playbook, r.Scorer)}
	if err := proto.Unmarshal(r.Report, n.report); err != nil {
		return nil, problem.Internal(fmt.Errorf("decode a report: %w", err))
	}
	return n, nil
}

func (n *scoreNames) segment(code lead.Segment) *scoringv1.RescoredSegment {
	for _, s := range n.report.GetSegments() {
		if s.GetSegment() == leadv1.Segment(code) {
			return s
		}
	}
	return nil
}

// rank is the weakest level meant by a name; without one it is any.
func (n *scoreNames) rank(code lead.Segment, level string) (int32, error) {
	if level == "" {
		return scoring.MaxPoints, nil
	}
	var known []string
	for i, l := range n.segment(code).GetLevels() {
		if l.GetLevel() == level {
			return int32(i + 1), nil
		}
		known = append(known, l.GetLevel())
	}
	return 0, problem.Invalid(problem.Violation{Field: "level", Description: fmt.Sprintf("is none of %s in the playbook, which has %q", code, known)})
}

func (n *scoreNames) level(code lead.Segment, rank uint8) string {
	if levels := n.segment(code).GetLevels(); int(rank) <= len(levels) {
		return levels[rank-1].GetLevel()
	}
	return ""
}

func (n *scoreNames) proto(p *store.PersonScore) *scoringv1.PersonScores {
	out := &scoringv1.PersonScores{
		PersonId: p.ID.String(), AsOf: timestamppb.New(n.rescoring.AsOf), NoConsent: p.NoConsent, ActiveSegment: leadv1.Segment(p.Active),
		Play: n.segment(p.Active).GetPlay(), NextLine: leadv1.Line(p.Next),
		RescoringId: n.rescoring.ID.String(), PlaybookRevision: n.rescoring.Playbook, ModelRevisions: n.models,
	}
	for line, stage := range p.Stages {
		if stage != 0 {
			out.Lines = append(out.Lines, &scoringv1.PersonLineScore{
				Line: leadv1.Line(line), Points: int32(p.Points[line]), Stage: leadv1.Stage(stage), Ready: lead.Stage(stage) == lead.StageReady,
			})
		}
	}
	for code, rank := range p.Levels {
		if rank != 0 {
			out.Segments = append(out.Segments, &scoringv1.PersonSegment{Segment: leadv1.Segment(code), Level: n.level(lead.Segment(code), rank)})
		}
	}
	for _, x := range n.report.GetIndices() {
		if at := int(x.GetIndex()); at < len(p.Indices) && p.Indices[at].Points >= 0 {
			out.Indices = append(out.Indices, indexScore(x, &p.Indices[at]))
		}
	}
	return out
}

func indexScore(x *scoringv1.RescoredIndex, of *store.IndexScore) *leadv1.IndexScore {
	out := &leadv1.IndexScore{Index: x.GetIndex(), Label: scoreconv.IndexLabel(lead.Index(x.GetIndex())), Points: int32(of.Points)}
	if int(of.Band) < len(x.GetBands()) {
		out.Band = x.GetBands()[of.Band].GetBand()
	}
	if scoring.Money(lead.Index(x.GetIndex())) {
		out.ExpectedRevenue, out.Months = &leadv1.Money{Minor: of.Expected, Currency: x.GetCurrency()}, scoring.ValueMonths
	} else {
		out.ProbabilityPpm = int32(of.Expected)
	}
	return out
}
