package routing

import (
	"context"

	corerouting "github.com/leadmesh/leadmesh/core/routing"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/routing/internal/network"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
)

// maxFiles is how many files one import takes.
const maxFiles = 400

// ImportNetwork takes files of the network and answers every row that it could not take.
func (s *Service) ImportNetwork(ctx context.Context, req *routingv1.ImportNetworkRequest) (*routingv1.ImportNetworkResponse, error) {
	return s.importNetwork(ctx, req)
}

func (s *Service) importNetwork(ctx context.Context, req *routingv1.ImportNetworkRequest) (*routingv1.ImportNetworkResponse, error) {
	if n := len(req.GetFiles()); n == 0 || n > maxFiles {
		return nil, problem.Invalid(problem.Violation{Field: "files", Description: "send 1 to 400 files"})
	}
	files := make([]network.File, 0, len(req.GetFiles()))
	for _, f := range req.GetFiles() {
		files = append(files, network.File{Name: f.GetName(), Content: f.GetContent()})
	}
	var result *network.Result
	revision, err := s.store.EditNetwork(ctx, s.now(), func(now *postgres.NetworkRows) (*postgres.NetworkRows, error) {
		var err error
		result, err = network.Import(now, files, network.Options{
			AllOrNothing: req.GetAllOrNothing(), Replace: req.GetReplace(), Check: s.checkNetwork,
			Open: func(dealers []string) (map[string]int32, error) { return s.store.OpenCounts(ctx, dealers) },
		})
		if err != nil || req.GetDryRun() {
			return nil, err
		}
		return result.Rows, nil
	})
	if err != nil {
		return nil, err
	}
	s.networkChanged()
	resp := &routingv1.ImportNetworkResponse{Accepted: result.Accepted, NetworkRevision: revision}
	for _, m := range result.Mistakes {
		resp.Mistakes = append(resp.Mistakes, &routingv1.RowMistake{File: m.File, Line: int32(m.Line), Column: m.Column, Message: m.Message})
	}
	return resp, nil
}

// checkNetwork compiles a network as it would be, with the playbook in force. Before there is one
// only the network itself is judged.
func (s *Service) checkNetwork(rows *postgres.NetworkRows) []corerouting.Problem {
	view, err := newNetworkView(rows)
	if err != nil {
		return []corerouting.Problem{{Message: err.Error()}}
	}
	var policy corerouting.Policy
	snapshot := s.playbooks.Current()
	if snapshot != nil {
		policy = snapshot.Playbook.Routing
	}
	_, problems := corerouting.Compile(view.definition, policy)
	if snapshot != nil {
		return problems
	}
	kept := problems[:0]
	for _, p := range problems {
		if !isPolicy(p) {
			kept = append(kept, p)
		}
	}
	return kept
}

// isPolicy reports whether a problem is about the playbook, not the network.
func isPolicy(p corerouting.Problem) bool { return len(p.Path) >= 6 && p.Path[:6] == "policy" }
