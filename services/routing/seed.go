package routing

import (
	"context"
	"fmt"

	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
)

// SeedNetwork imports files into an installation that has no network; one that has a network keeps
// it, and the files are not read.
func (s *Service) SeedNetwork(ctx context.Context, files func() ([]*routingv1.NetworkFile, error)) error {
	revision, err := s.store.NetworkRevision(ctx)
	if err != nil || revision != "0" {
		return err
	}
	list, err := files()
	if err != nil {
		return err
	}
	resp, err := s.importNetwork(ctx, &routingv1.ImportNetworkRequest{Files: list})
	if err != nil {
		return err
	}
	if m := resp.GetMistakes(); len(m) > 0 {
		return fmt.Errorf("%d rows were not taken, the first: %s line %d: %s", len(m), m[0].GetFile(), m[0].GetLine(), m[0].GetMessage())
	}
	return nil
}
