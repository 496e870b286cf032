package routing

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"github.com/leadmesh/leadmesh/services/routing/internal/network"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// GetDealer answers a dealer, the leads it holds, and how well it can be seen.
func (s *Service) GetDealer(ctx context.Context, req *routingv1.GetDealerRequest) (*routingv1.GetDealerResponse, error) {
	id := req.GetDealerId()
	if err := ownDealer(ctx, id); err != nil {
		return nil, err
	}
	d, err := s.store.Dealer(ctx, id)
	if err != nil {
		return nil, err
	}
	open, err := s.store.OpenCounts(ctx, []string{id})
	if err != nil {
		return nil, err
	}
	resp := &routingv1.GetDealerResponse{Dealer: d, OpenCount: open[id], EvidenceGrades: map[string]string{}}
	rb := s.engine.rules.Load()
	if rb == nil || rb.network.dealers[id] == nil { // nothing is decided yet, so nothing was seen
		return resp, nil
	}
	for _, row := range d.GetDepartments() {
		kind := lead.Department(row.GetDepartment())
		resp.EvidenceGrades[kind.String()] = s.evidenceGrade(rb, id, kind).String()
	}
	return resp, nil
}

// ownDealer refuses a dealer that asks about another.
func ownDealer(ctx context.Context, id string) error {
	if id == "" {
		return problem.Invalid(problem.Violation{Field: "dealer_id", Description: "is required"})
	}
	if c := rpc.CallerFrom(ctx); c.OnlyDealer() && c.DealerID != id {
		return problem.New(problemv1.Reason_REASON_NOT_YOUR_DEALER, "the token is for another dealer")
	}
	return nil
}

// PutDealer makes or replaces a dealer with all its parts.
func (s *Service) PutDealer(ctx context.Context, req *routingv1.PutDealerRequest) (*routingv1.PutDealerResponse, error) {
	if rpc.CallerFrom(ctx).OnlyDealer() {
		return nil, problem.New(problemv1.Reason_REASON_PERMISSION_DENIED, "the manufacturer puts dealers")
	}
	if req.GetDealer() == nil {
		return nil, problem.Invalid(problem.Violation{Field: "dealer", Description: "is required"})
	}
	d := proto.CloneOf(req.GetDealer())
	if d.GetDealerId() == "" {
		d.DealerId = req.GetDealerId()
	}
	if d.GetDealerId() != req.GetDealerId() {
		return nil, problem.Invalid(problem.Violation{Field: "dealer.dealer_id", Description: "differs from the one in the path"})
	}
	if err := s.putDealer(ctx, func(*routingv1.Dealer) (*routingv1.Dealer, error) { return d, nil }, d.GetDealerId()); err != nil {
		return nil, err
	}
	stored, err := s.store.Dealer(ctx, d.GetDealerId())
	if err != nil {
		return nil, err
	}
	return &routingv1.PutDealerResponse{Dealer: stored}, nil
}

// putDealer stores what change makes of a dealer, which is nil if there is none yet.
func (s *Service) putDealer(ctx context.Context, change func(*routingv1.Dealer) (*routingv1.Dealer, error), id string) error {
	_, err := s.store.EditNetwork(ctx, s.now(), func(now *postgres.NetworkRows) (*postgres.NetworkRows, error) {
		var present *routingv1.Dealer
		if i := slices.IndexFunc(now.Dealers, func(d *routingv1.Dealer) bool { return d.GetDealerId() == id }); i >= 0 {
			present = proto.CloneOf(now.Dealers[i])
		}
		d, err := change(present)
		if err != nil || d == nil {
			return nil, err
		}
		rows, violations := network.PutDealer(now, d, network.Options{Check: s.checkNetwork})
		if len(violations) > 0 {
			return nil, problem.Invalid(violations...)
		}
		return rows, nil
	})
	if err != nil {
		return err
	}
	s.networkChanged()
	return nil
}

// maxPause bounds a pause with an end: one farther away is a slip of the pen.
const maxPause = 366 * 24 * time.Hour

// PauseDealer takes a dealer out of the choice for a while, or without an end until further notice.
func (s *Service) PauseDealer(ctx context.Context, req *routingv1.PauseDealerRequest) (*routingv1.PauseDealerResponse, error) {
	if err := ownDealer(ctx, req.GetDealerId()); err != nil {
		return nil, err
	}
	from, until := s.now(), req.GetUntil().AsTime()
	if req.GetFrom() != nil {
		from = req.GetFrom().AsTime()
	}
	var wrong []problem.Violation
	if req.GetFrom() != nil && (!req.GetFrom().IsValid() || req.GetFrom().GetSeconds() <= 0) {
		wrong = append(wrong, problem.Violation{Field: "from", Description: "is no time after 1970"})
	}
	switch {
	case req.GetUntil() == nil:
	case !req.GetUntil().IsValid():
		wrong = append(wrong, problem.Violation{Field: "until", Description: "is no valid time"})
	case !until.After(from) || !until.After(s.now()):
		wrong = append(wrong, problem.Violation{Field: "until", Description: "must be after from, and in the future"})
	case until.Sub(from) > maxPause:
		wrong = append(wrong, problem.Violation{Field: "until", Description: "a pause with an end lasts a year at most; leave it empty to pause until further notice"})
	}
	if r := strings.TrimSpace(req.GetReason()); r == "" || len(r) > 500 {
		wrong = append(wrong, problem.Violation{Field: "reason", Description: "is required, at most 500 characters"})
	}
	if len(wrong) > 0 {
		return nil, problem.Invalid(wrong...)
	}
	err := s.putDealer(ctx, func(d *routingv1.Dealer) (*routingv1.Dealer, error) {
		switch {
		case d == nil:
			return nil, problem.NotFound("dealer")
		case d.GetKind() != "ROOFTOP":
			return nil, problem.New(problemv1.Reason_REASON_WRONG_STATE, "a desk cannot be paused")
		case d.GetStatus() != "LIVE" && d.GetStatus() != "PAUSED":
			return nil, problem.New(problemv1.Reason_REASON_WRONG_STATE, "a dealer that is %s cannot be paused", d.GetStatus())
		}
		d.Status, d.PauseReason = "PAUSED", strings.TrimSpace(req.GetReason())
		d.PausedFrom, d.PausedUntil = timestamppb.New(from), nil
		if req.GetUntil() != nil {
			d.PausedUntil = timestamppb.New(until)
		}
		d.OverflowDealerId = req.GetOverflowDealerId()
		return d, nil
	}, req.GetDealerId())
	if err != nil {
		return nil, err
	}
	d, err := s.store.Dealer(ctx, req.GetDealerId())
	if err != nil {
		return nil, err
	}
	return &routingv1.PauseDealerResponse{Dealer: d}, nil
}

// ResumeDealer ends a pause; a dealer that is not paused stays as it is.
func (s *Service) ResumeDealer(ctx context.Context, req *routingv1.ResumeDealerRequest) (*routingv1.ResumeDealerResponse, error) {
	if err := ownDealer(ctx, req.GetDealerId()); err != nil {
		return nil, err
	}
	err := s.putDealer(ctx, func(d *routingv1.Dealer) (*routingv1.Dealer, error) {
		switch {
		case d == nil:
			return nil, problem.NotFound("dealer")
		case d.GetStatus() == "LIVE":
			return nil, nil
		case d.GetStatus() != "PAUSED":
			return nil, problem.New(problemv1.Reason_REASON_WRONG_STATE, "a dealer that is %s is not paused", d.GetStatus())
		}
		d.Status, d.PauseReason, d.PausedFrom, d.PausedUntil = "LIVE", "", nil, nil
		return d, nil
	}, req.GetDealerId())
	if err != nil {
		return nil, err
	}
	d, err := s.store.Dealer(ctx, req.GetDealerId())
	if err != nil {
		return nil, err
	}
	return &routingv1.ResumeDealerResponse{Dealer: d}, nil
}
