package postgres

import (
	"context"
	"time"

	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
)

// Persist does work, and does it again after every pause while the database is
// away. It returns nil once the work is done, the [Problem] of an error that
// waiting does not mend, and that of the last try when ctx ends.
func Persist(ctx context.Context, pause time.Duration, work func() error) error {
	for {
		err := Problem(work())
		if err == nil || problem.From(err).Reason != problemv1.Reason_REASON_UNAVAILABLE {
			return err
		}
		if wait(ctx, pause) != nil {
			return err
		}
	}
}
