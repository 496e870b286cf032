package scoring

import (
	"context"
	"fmt"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/playbook"
	"github.com/leadmesh/leadmesh/core/scoring"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	store "github.com/leadmesh/leadmesh/services/scoring/internal/postgres"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Cares is the part of Routing that knows who waits for an answer to a complaint or recall question.
type Cares interface {
	ListOpenCare(ctx context.Context, in *routingv1.ListOpenCareRequest, opts ...grpc.CallOption) (*routingv1.ListOpenCareResponse, error)
}

// openCares is what those of a page of persons asked who wait. A Routing that is too old to say knows
// nobody.
func (s *Service) openCares(ctx context.Context, page []*identityv1.PersonProfile) (map[lead.ID]lead.RequestType, error) {
	if s.cares == nil || len(page) == 0 {
		return nil, nil
	}
	resp, err := s.cares.ListOpenCare(ctx, &routingv1.ListOpenCareRequest{FromPersonId: page[0].GetPersonId(), ToPersonId: page[len(page)-1].GetPersonId()})
	if status.Code(err) == codes.Unimplemented {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	out := make(map[lead.ID]lead.RequestType, len(resp.GetCares()))
	for _, c := range resp.GetCares() {
		id, err := lead.ParseID(c.GetPersonId())
		if err != nil {
			return nil, problem.Internal(fmt.Errorf("an open complaint of %q: %w", c.GetPersonId(), err))
		}
		out[id] = lead.RequestType(c.GetRequestType())
	}
	return out, nil
}

// care puts in what a person's open complaint or recall question means, as the decision on it did: the
// line CARE scores what they asked, and nothing is sold to them. Without one the line says nothing
// of them, whatever its base.
func (w *rescorer) care(p *playbook.Playbook, asked lead.RequestType, open bool, out *store.PersonScore) {
	const line = lead.LineCare
	if !open {
		out.Points[line], out.Stages[line] = 0, 0
		return
	}
	in := w.inputs
	in.Values[scoring.FeatureTrigger] = 0
	if asked != lead.RequestTypeUnspecified {
		in.Values[scoring.FeatureRequestType] = int32(asked)
	}
	p.Scoring.Score(&in, &w.result)
	out.Points[line], out.Stages[line] = int16(w.result.Points[line]), uint8(w.result.Stage[line])
	out.Next = p.Scoring.Next(&w.result, line)
}
