package routing

import (
	"context"
	"fmt"

	"github.com/leadmesh/leadmesh/core/lead"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"google.golang.org/protobuf/proto"
)

// mostCare is how many persons ListOpenCare answers at most.
const mostCare = 10_000

// ListOpenCare answers who of some persons has an open lead of the line CARE, by the rows that make a
// second inquiry a duplicate: a lead gives them up in the transaction that closes it.
func (s *Service) ListOpenCare(ctx context.Context, req *routingv1.ListOpenCareRequest) (*routingv1.ListOpenCareResponse, error) {
	var wrong []problem.Violation
	parse := func(field, text string) lead.ID {
		id, err := lead.ParseID(text)
		if err != nil {
			wrong = append(wrong, problem.Violation{Field: field, Description: err.Error()})
		}
		return id
	}
	from, to := parse("from_person_id", req.GetFromPersonId()), parse("to_person_id", req.GetToPersonId())
	if len(wrong) > 0 {
		return nil, problem.Invalid(wrong...)
	}
	open, err := s.store.OpenOfLine(ctx, lead.LineCare, from, to, mostCare+1)
	if err != nil {
		return nil, err
	}
	if len(open) > mostCare {
		return nil, problem.Invalid(problem.Violation{Field: "to_person_id", Description: fmt.Sprintf("more than %d persons between the two wait; ask for fewer", mostCare)})
	}
	leads := make([]lead.ID, len(open))
	for i := range open {
		leads[i] = open[i].LeadID
	}
	cases, err := s.store.Cases(ctx, leads)
	if err != nil {
		return nil, err
	}
	asked := make(map[lead.ID]leadv1.RequestType, len(cases))
	for _, k := range cases {
		l := &leadv1.Lead{}
		if err := proto.Unmarshal(k.Lead, l); err != nil {
			return nil, problem.Internal(fmt.Errorf("decode lead %s: %w", k.LeadID, err))
		}
		asked[k.LeadID] = l.GetRequestType()
	}
	resp := &routingv1.ListOpenCareResponse{}
	for _, o := range open {
		resp.Cares = append(resp.Cares, &routingv1.OpenCare{PersonId: o.PersonID.String(), LeadId: o.LeadID.String(), RequestType: asked[o.LeadID]})
	}
	return resp, nil
}
