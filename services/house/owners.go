package house

import (
	"context"
	"fmt"
	"slices"

	"github.com/leadmesh/leadmesh/core/lead"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"google.golang.org/grpc"
)

// ownersAtOnce is how many leads Routing answers in one call.
const ownersAtOnce = 1_000

// caseSource is the part of Routing that answers the cases of leads.
type caseSource interface {
	BatchGetCases(ctx context.Context, in *routingv1.BatchGetCasesRequest, opts ...grpc.CallOption) (*routingv1.BatchGetCasesResponse, error)
}

// owners asks Routing which stores own leads. Leads that no store owns are left out.
func owners(cases caseSource) func(context.Context, []lead.ID) (map[lead.ID]string, error) {
	return func(ctx context.Context, leads []lead.ID) (map[lead.ID]string, error) {
		out := map[lead.ID]string{}
		for part := range slices.Chunk(leads, ownersAtOnce) {
			req := &routingv1.BatchGetCasesRequest{}
			for _, id := range part {
				req.LeadIds = append(req.LeadIds, id.String())
			}
			resp, err := cases.BatchGetCases(ctx, req)
			if err != nil {
				return nil, fmt.Errorf("ask for the owners of leads: %w", err)
			}
			for _, c := range resp.GetCases() {
				id, err := lead.ParseID(c.GetLeadId())
				if err != nil {
					return nil, fmt.Errorf("an owner's lead: %w", err)
				}
				if owner := c.GetDecision().GetAssignment().GetDealerId(); owner != "" {
					out[id] = owner
				}
			}
		}
		return out, nil
	}
}
