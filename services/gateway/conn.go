package gateway

import (
	"context"

	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// acting is a connection whose every call is made for the caller that the gateway has
// authenticated, with nothing else of the HTTP request's headers: a header can then never pass for
// one that only the house may set.
type acting struct{ grpc.ClientConnInterface }

// Invoke calls for the caller in ctx, within callLimit. The trace id is the request id in the
// services' logs.
func (a acting) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	md := metadata.MD{}
	if sc := trace.SpanContextFromContext(ctx); sc.HasTraceID() {
		md.Set("x-request-id", sc.TraceID().String())
	}
	ctx = rpc.ActingFor(metadata.NewOutgoingContext(ctx, md), rpc.CallerFrom(ctx))
	return a.ClientConnInterface.Invoke(ctx, method, args, reply, opts...)
}
