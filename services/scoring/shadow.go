package scoring

import (
	"context"

	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/playbookfeed"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	store "github.com/leadmesh/leadmesh/services/scoring/internal/postgres"
)

// ReportShadow keeps what a replica counted for shadow models so far.
func (s *Service) ReportShadow(ctx context.Context, req *scoringv1.ReportShadowRequest) (*scoringv1.ReportShadowResponse, error) {
	if len(req.GetReplica()) != 16 {
		return nil, problem.Invalid(problem.Violation{Field: "replica", Description: "must be 16 bytes"})
	}
	for _, c := range req.GetCounts() {
		if len(c.GetDecidedPoints()) != playbookfeed.PointsBuckets || len(c.GetShadowPoints()) != playbookfeed.PointsBuckets ||
			len(c.GetMoves()) != playbookfeed.Stages*playbookfeed.Stages {
			return nil, problem.Invalid(problem.Violation{Field: "counts", Description: "must be of ten buckets and of four stages times four"})
		}
		err := s.store.PutShadowCount(ctx, c.GetRevision(), c.GetEpisode(), [16]byte(req.GetReplica()),
			store.ShadowCount{Decided: c.GetDecidedPoints(), Shadow: c.GetShadowPoints(), Moves: c.GetMoves()})
		if err != nil {
			return nil, err
		}
	}
	return &scoringv1.ReportShadowResponse{}, nil
}

// shadowProto adds up what the replicas counted.
func shadowProto(counts []store.ShadowCount) *scoringv1.ShadowFigures {
	var decided, shadow [playbookfeed.PointsBuckets]int64
	var moves [playbookfeed.Stages * playbookfeed.Stages]int64
	for _, c := range counts {
		add(decided[:], c.Decided)
		add(shadow[:], c.Shadow)
		add(moves[:], c.Moves)
	}
	out := &scoringv1.ShadowFigures{}
	for i, n := range moves {
		from, to := leadv1.Stage_STAGE_AWARENESS+leadv1.Stage(i/playbookfeed.Stages), leadv1.Stage_STAGE_AWARENESS+leadv1.Stage(i%playbookfeed.Stages)
		out.LeadCount += n
		if from != to {
			out.ChangedCount += n
		}
		if n > 0 {
			out.Moves = append(out.Moves, &scoringv1.StageMove{Decided: from, Shadow: to, LeadCount: n})
		}
	}
	for i := range decided {
		out.Buckets = append(out.Buckets, &scoringv1.PointsBucket{
			FromPoints: int32(i * playbookfeed.BucketPoints), DecidedCount: decided[i], ShadowCount: shadow[i],
		})
	}
	return out
}

func add(sum, counts []int64) {
	for i := range min(len(sum), len(counts)) {
		sum[i] += counts[i]
	}
}
