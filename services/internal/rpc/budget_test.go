package rpc

import (
	"context"
	"testing"
	"time"
)

func TestBudget(t *testing.T) {
	for _, c := range []struct {
		method      string
		asked, want time.Duration // 0: the caller sets no limit
	}{
		{"/leadmesh.capture.v1.CaptureService/GetLead", 0, callBudget},
		{"/leadmesh.capture.v1.CaptureService/GetLead", time.Hour, callBudget},
		{"/leadmesh.capture.v1.CaptureService/GetLead", 8 * time.Second, 8*time.Second - reserve},
		{"/leadmesh.feedback.v1.FeedbackService/ListEvents", 0, waitBudget},
		{"/leadmesh.routing.v1.RoutingService/ImportNetwork", 0, fileBudget},
	} {
		ctx, stop := context.Background(), context.CancelFunc(func() {})
		if c.asked > 0 {
			ctx, stop = context.WithTimeout(ctx, c.asked)
		}
		limited, cancel := budget(ctx, c.method)
		at, ok := limited.Deadline()
		if left := time.Until(at); !ok || left > c.want || left < c.want-5*time.Second {
			t.Errorf("%s, asked for %s, has %s, want %s", c.method, c.asked, left, c.want)
		}
		cancel()
		stop()
	}
}
