package rpc

import (
	"context"
	"crypto/tls"
	"log/slog"
	"math"
	"strings"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"
)

// MaxMessage is the largest message taken or sent, in bytes: a batch of 1,000 leads fits.
const MaxMessage = 32 << 20

// Telemetry is what servers and clients record with.
type Telemetry struct {
	Log     *slog.Logger
	Tracing trace.TracerProvider
	Metrics metric.MeterProvider
}

// NewPublicServer makes the server for callers from outside, who show a bearer token.
func NewPublicServer(t Telemetry, tokens *Tokens, tlsConfig *tls.Config) *grpc.Server {
	at := &door{tokens: tokens, most: maxCalls}
	return newServer(t, tokens, callerByToken(tokens), tlsConfig,
		grpc.InTapHandle(at.enter), grpc.ForceServerCodecV2(newLenient()),
		grpc.RPCDecompressor(refuseCompressed{})) //nolint:staticcheck // the one way to refuse a compression that a dependency registers for all servers
}

// NewMeshServer makes the server between processes. The TLS configuration must demand and verify
// client certificates.
func NewMeshServer(t Telemetry, tlsConfig *tls.Config) *grpc.Server {
	return newServer(t, nil, callerByCertificate, tlsConfig)
}

func newServer(t Telemetry, tokens *Tokens, caller func(context.Context) Caller, tlsConfig *tls.Config, more ...grpc.ServerOption) *grpc.Server {
	c := chain{log: t.Log, caller: caller, tokens: tokens}
	options := []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(c.unary()),
		grpc.ChainStreamInterceptor(c.stream()),
		grpc.MaxRecvMsgSize(MaxMessage), grpc.MaxSendMsgSize(MaxMessage),
		grpc.MaxConcurrentStreams(1_000),
		grpc.MaxHeaderListSize(32 << 10),
		grpc.ConnectionTimeout(10 * time.Second),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: time.Minute, Timeout: 20 * time.Second}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true}),
		grpc.StatsHandler(otelgrpc.NewServerHandler(t.observe()...)),
	}
	if tlsConfig != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(tlsConfig)))
	}
	return grpc.NewServer(append(options, more...)...)
}

// observe says what is recorded of calls.
func (t Telemetry) observe() []otelgrpc.Option {
	return []otelgrpc.Option{
		otelgrpc.WithTracerProvider(t.Tracing), otelgrpc.WithMeterProvider(t.Metrics),
		otelgrpc.WithPropagators(propagation.TraceContext{}), otelgrpc.WithFilter(observed),
	}
}

// observed leaves health checks, reflection and the long-lived stream out: one span for a stream
// that lives for days says nothing, its leads have spans of their own.
func observed(info *stats.RPCTagInfo) bool {
	return !strings.HasPrefix(info.FullMethodName, "/grpc.") &&
		info.FullMethodName != "/leadmesh.routing.v1.DecisionService/Decide"
}

// clientOptions are common to every connection of the house.
func clientOptions(t Telemetry, service string) []grpc.DialOption {
	name := func(ctx context.Context) context.Context {
		return metadata.AppendToOutgoingContext(ctx, peerHeader, service)
	}
	return []grpc.DialOption{
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(MaxMessage), grpc.MaxCallSendMsgSize(MaxMessage)),
		grpc.WithChainUnaryInterceptor(func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
			return invoke(name(ctx), method, req, reply, cc, opts...)
		}),
		grpc.WithChainStreamInterceptor(func(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, streamer grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
			return streamer(name(ctx), desc, cc, method, opts...)
		}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: time.Minute, Timeout: 20 * time.Second, PermitWithoutStream: true}),
		grpc.WithMaxCallAttempts(2),
		// A peer that comes back after minutes is found within seconds; the default waits up to two minutes.
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 2 * time.Second},
			MinConnectTimeout: 5 * time.Second,
		}),
		grpc.WithInitialConnWindowSize(1 << 20), grpc.WithInitialWindowSize(1 << 20),
		grpc.WithMaxHeaderListSize(math.MaxUint16),
		grpc.WithStatsHandler(otelgrpc.NewClientHandler(t.observe()...)),
	}
}
