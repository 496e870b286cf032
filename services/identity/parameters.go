package identity

import (
	"context"
	"strings"

	"github.com/leadmesh/leadmesh/core/identity"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	"github.com/leadmesh/leadmesh/services/identity/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
)

const (
	maxParameters    = 1 << 20 // bytes
	maxParameterList = 50
)

// UploadParameters keeps a revision of the matching parameters.
func (s *Service) UploadParameters(ctx context.Context, req *identityv1.UploadParametersRequest) (*identityv1.UploadParametersResponse, error) {
	var r reader
	by := r.edit(ctx, req.GetNote())
	var p *identity.Params
	switch n := len(req.GetText()); {
	case strings.TrimSpace(req.GetText()) == "":
		r.bad("text", "is required: the YAML that GET /v1/match-parameters lists and leadmesh match --params takes")
	case n > maxParameters:
		r.bad("text", "is longer than %d bytes", maxParameters)
	default:
		var err error
		if p, err = identity.ParseParams([]byte(req.GetText())); err == nil {
			_, err = s.matching.matcher(p)
		}
		if err != nil {
			r.bad("text", "%.1000s", err.Error())
		}
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	resp := &identityv1.UploadParametersResponse{}
	err := s.store.Write(ctx, func(tx *postgres.Tx) error {
		held, err := s.keepParameters(ctx, tx, p, by)
		resp.Parameters = parameters(&held)
		return err
	})
	return resp, err
}

func (s *Service) keepParameters(ctx context.Context, tx *postgres.Tx, p *identity.Params, by edit) (postgres.Parameters, error) {
	if err := tx.KeepParameters(ctx, postgres.Parameters{
		Revision: p.Revision(), Body: string(p.Marshal()), Why: by.note, By: by.actor, At: s.deps.Now(),
	}); err != nil {
		return postgres.Parameters{}, err
	}
	return tx.Revision(ctx, p.Revision())
}

func parameters(p *postgres.Parameters) *identityv1.Parameters {
	return &identityv1.Parameters{
		Revision: p.Revision, Text: p.Body, Note: p.Why, UploadedBy: p.By, UploadedAt: leadconv.Time(p.At), Active: p.Active,
	}
}

// ListParameters answers every revision, the latest first.
func (s *Service) ListParameters(ctx context.Context, _ *identityv1.ListParametersRequest) (*identityv1.ListParametersResponse, error) {
	resp := &identityv1.ListParametersResponse{ShippedRevision: identity.Default().Revision()}
	err := s.store.Read(ctx, func(tx *postgres.Tx) error {
		rows, err := tx.AllParameters(ctx, maxParameterList)
		for i := range rows {
			resp.Parameters = append(resp.Parameters, parameters(&rows[i]))
		}
		return err
	})
	return resp, err
}

// ActivateParameters weighs new records by a revision.
func (s *Service) ActivateParameters(ctx context.Context, req *identityv1.ActivateParametersRequest) (*identityv1.ActivateParametersResponse, error) {
	if req.GetRevision() == "" {
		return nil, problem.Invalid(problem.Violation{Field: "revision", Description: "is required; GET /v1/match-parameters lists them"})
	}
	if err := s.store.Write(ctx, func(tx *postgres.Tx) error {
		return s.activate(ctx, tx, req.GetRevision(), rpc.CallerFrom(ctx).String())
	}); err != nil {
		return nil, err
	}
	if err := s.matching.refresh(ctx, s.store); err != nil {
		return nil, problem.From(err)
	}
	return &identityv1.ActivateParametersResponse{}, nil
}

// activate makes a revision the active one: one that is held, or the program's own.
func (s *Service) activate(ctx context.Context, tx *postgres.Tx, revision, actor string) error {
	if shipped := identity.Default(); shipped.Revision() == revision {
		if _, err := s.keepParameters(ctx, tx, shipped, edit{actor, "those that the program carries"}); err != nil {
			return err
		}
	}
	found, err := tx.Activate(ctx, revision)
	if err == nil && !found {
		err = problem.NotFound("revision of parameters")
	}
	return err
}

// revisionOf makes a matcher of a revision.
func (s *Service) revisionOf(ctx context.Context, tx *postgres.Tx, revision string) (*identity.Matcher, error) {
	p := identity.Default()
	if p.Revision() != revision {
		held, err := tx.Revision(ctx, revision)
		if err != nil {
			return nil, err
		}
		if p, err = identity.ParseParams([]byte(held.Body)); err != nil {
			return nil, err
		}
	}
	return s.matching.matcher(p)
}
