package postgres_test

import (
	"context"
	"errors"
	"syscall"
	"testing"
	"time"

	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"github.com/leadmesh/leadmesh/services/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/problem"
)

func TestPersist(t *testing.T) {
	broken := errors.New("no such table")
	for _, tt := range []struct {
		name  string
		tries []error // the last one stays
		want  problemv1.Reason
		calls int
	}{
		{"at once", []error{nil}, problemv1.Reason_REASON_UNSPECIFIED, 1},
		{"once the database is back", []error{syscall.ECONNREFUSED, problem.Unavailable(syscall.EPIPE), nil}, problemv1.Reason_REASON_UNSPECIFIED, 3},
		{"not what waiting does not mend", []error{syscall.ECONNREFUSED, broken}, problemv1.Reason_REASON_INTERNAL, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			calls := 0
			err := postgres.Persist(t.Context(), time.Microsecond, func() error {
				calls++
				return tt.tries[min(calls, len(tt.tries))-1]
			})
			if got := reasonOf(err); got != tt.want || calls != tt.calls {
				t.Errorf("%v (%s) after %d calls, want %s after %d", err, got, calls, tt.want, tt.calls)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	err := postgres.Persist(ctx, time.Hour, func() error { cancel(); return syscall.ECONNREFUSED })
	if got := reasonOf(err); got != problemv1.Reason_REASON_UNAVAILABLE {
		t.Errorf("ended with %v", err)
	}
}

func reasonOf(err error) problemv1.Reason {
	if err == nil {
		return problemv1.Reason_REASON_UNSPECIFIED
	}
	return problem.From(err).Reason
}
