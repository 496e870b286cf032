package problem_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// A caller who went away or waited long enough is no fault of the system's own, wherever the error
// was met.
func TestTheProblemOfAnyError(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want problemv1.Reason
	}{
		"cancelled":                 {context.Canceled, problemv1.Reason_REASON_UNAVAILABLE},
		"cancelled on the way":      {fmt.Errorf("read leads: %w", context.Canceled), problemv1.Reason_REASON_UNAVAILABLE},
		"cancelled elsewhere":       {fmt.Errorf("ask: %w", status.Error(codes.Canceled, "gone")), problemv1.Reason_REASON_UNAVAILABLE},
		"out of time":               {fmt.Errorf("read leads: %w", context.DeadlineExceeded), problemv1.Reason_REASON_DEADLINE_EXCEEDED},
		"one of ours, on the way":   {fmt.Errorf("read: %w", problem.NotFound("lead")), problemv1.Reason_REASON_NOT_FOUND},
		"one of ours, with a cause": {problem.NotFound("lead").Because(context.Canceled), problemv1.Reason_REASON_NOT_FOUND},
		"anything else":             {errors.New("no such file"), problemv1.Reason_REASON_INTERNAL},
	} {
		t.Run(name, func(t *testing.T) {
			p := problem.From(c.err)
			if p.Reason != c.want {
				t.Errorf("%s, want %s", p.Reason, c.want)
			}
			if !errors.Is(p, problem.From(p)) {
				t.Error("the problem of a problem is another one")
			}
		})
	}
	if p := problem.From(nil); p != nil {
		t.Errorf("nothing is %v", p)
	}
}
