package routing

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/leadmesh/leadmesh/core/playbook"
	corerouting "github.com/leadmesh/leadmesh/core/routing"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
)

// GetReceipt answers the record of a decision.
func (s *Service) GetReceipt(ctx context.Context, req *routingv1.GetReceiptRequest) (*routingv1.GetReceiptResponse, error) {
	id, err := parseLeadID(req.GetLeadId())
	if err != nil {
		return nil, err
	}
	if req.GetAttempt() < 0 {
		return nil, wrongAttempt()
	}
	if caller := rpc.CallerFrom(ctx); caller.OnlyDealer() {
		k, err := s.store.Case(ctx, id)
		if err != nil {
			return nil, err
		}
		if err := owns(caller, k); err != nil {
			return nil, err
		}
	}
	r, err := s.store.Receipt(ctx, id, int(req.GetAttempt()))
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(r.Canonical)
	return &routingv1.GetReceiptResponse{
		Receipt: &routingv1.Receipt{Canonical: string(r.Canonical)}, Digest: hex.EncodeToString(digest[:]),
		Attempts: int32(r.Kept), Attempt: int32(r.Attempt),
	}, nil
}

// GetScoreInputs answers what a decision was scored from, to the dealer who may see its receipt.
func (s *Service) GetScoreInputs(ctx context.Context, req *routingv1.GetScoreInputsRequest) (*routingv1.GetScoreInputsResponse, error) {
	id, err := parseLeadID(req.GetLeadId())
	if err != nil {
		return nil, err
	}
	if req.GetAttempt() < 0 {
		return nil, wrongAttempt()
	}
	if req.GetDealerId() != "" {
		k, err := s.store.Case(ctx, id)
		if err != nil {
			return nil, err
		}
		if !sees(req.GetDealerId(), k) {
			return nil, notYours()
		}
	}
	kept, err := s.store.Receipt(ctx, id, int(req.GetAttempt()))
	if err != nil {
		return nil, err
	}
	r, err := corerouting.ParseReceipt(kept.Canonical)
	if err != nil {
		return nil, problem.Internal(fmt.Errorf("lead %s: %w", id, err))
	}
	return &routingv1.GetScoreInputsResponse{
		Attempt: int32(kept.Attempt), Line: leadv1.Line(r.Line), Inputs: scoreInputs(r), PlaybookRevision: r.Playbook,
		ModelRevisions: playbook.ScorerModels(r.Playbook, r.Model), DecidedAt: leadconv.Time(time.Unix(r.DecidedAt, 0)), Points: r.Points,
	}, nil
}

func wrongAttempt() error {
	return problem.Invalid(problem.Violation{Field: "attempt", Description: "counts from 1; leave it empty for the last"})
}
