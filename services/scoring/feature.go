package scoring

import (
	"context"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/scoring"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/scoreconv"
)

// ListFeatures answers the facts that points tables may look at, and what those in force make of them.
func (s *Service) ListFeatures(ctx context.Context, req *scoringv1.ListFeaturesRequest) (*scoringv1.ListFeaturesResponse, error) {
	var wrong []problem.Violation
	if _, ok := leadv1.Line_name[int32(req.GetLine())]; !ok {
		wrong = append(wrong, problem.Violation{Field: "line", Description: "is none of ours"})
	}
	q := scoreconv.FeatureQuery{Line: lead.Line(req.GetLine())}
	if code := req.GetGroup(); code != "" {
		var ok bool
		if q.Group, ok = scoring.ParseGroup(code); !ok {
			wrong = append(wrong, problem.Violation{Field: "group", Description: "there is no such group" + lead.Suggest(code, scoring.GroupCodes())})
		}
	}
	if len(wrong) > 0 {
		return nil, problem.Invalid(wrong...)
	}
	h, err := s.active(ctx)
	if err != nil {
		return nil, err
	}
	return &scoringv1.ListFeaturesResponse{Features: scoreconv.Features(h.playbook, q), PlaybookRevision: h.playbook.Revision}, nil
}
