package rpc

import (
	"context"
	"sync/atomic"
	"time"

	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"google.golang.org/grpc/tap"
)

// maxCalls is how many calls a public server has in progress at once, over all connections.
const maxCalls = 4_096

// door stands before a public server: who may not call is told so, and who comes when it is full,
// before a byte of the message is read. Safe for concurrent use.
type door struct {
	tokens *Tokens
	most   int64
	calls  atomic.Int64
}

// enter is the server's tap. It runs in the goroutine that reads the connection and never waits.
func (d *door) enter(ctx context.Context, info *tap.Info) (context.Context, error) {
	authorization := ""
	if v := info.Header.Get("authorization"); len(v) > 0 {
		authorization = v[0]
	}
	caller, _ := d.tokens.Caller(authorization)
	if err := Authorize(caller, info.FullMethodName); err != nil {
		return nil, problem.From(err).GRPCStatus().Err()
	}
	if openMethod(info.FullMethodName) { // who watches a house in distress is let in
		return ctx, nil
	}
	if d.calls.Add(1) > d.most {
		d.calls.Add(-1)
		p := problem.New(problemv1.Reason_REASON_OVERLOADED, "more calls are in progress than are taken at once; try again")
		p.RetryAfter = time.Second
		return nil, p.GRPCStatus().Err()
	}
	context.AfterFunc(ctx, func() { d.calls.Add(-1) }) // the stream's context ends with the stream
	return ctx, nil
}
