package rpc

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// reserve is kept back of every unary deadline, so that the callee reports the timeout and not
// the transport.
const reserve = 20 * time.Millisecond

// chain is the one list of interceptors, outer to inner, the same for unary and stream: request
// id, log, deadline budget (unary only: a stream's budget is per message), caller, problem
// mapping, recovery. Recovery is innermost so that a panic passes through log and mapping as an
// error.
type chain struct {
	log    *slog.Logger
	caller func(ctx context.Context) Caller
	tokens *Tokens // that may change while a stream lasts; nil: callers are known by their connection
}

func (c chain) unary() grpc.UnaryServerInterceptor {
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		start, id, asked := time.Now(), requestID(ctx), ctx
		ctx, cancel := budget(ctx, info.FullMethod)
		defer cancel()
		caller := c.caller(ctx)
		var resp any
		err := Authorize(caller, info.FullMethod)
		if err == nil {
			err = readable(req)
		}
		if err == nil && !caller.Has(RoleService) {
			err = storable(req)
		}
		if err == nil {
			resp, err = recovered(func() (any, error) { return next(WithCaller(ctx, caller), req) })
		}
		if p := problem.From(err); p != nil && p.Reason == problemv1.Reason_REASON_DEADLINE_EXCEEDED && ctx.Err() != nil && asked.Err() == nil {
			err = problem.Unavailable(err) // of our own limit, while the caller waits on
		}
		err = c.report(ctx, info.FullMethod, id, caller, start, err)
		return resp, err
	}
}

func (c chain) stream() grpc.StreamServerInterceptor {
	return func(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
		start, id := time.Now(), requestID(ss.Context())
		caller := c.caller(ss.Context())
		err := Authorize(caller, info.FullMethod)
		if err == nil {
			_, err = recovered(func() (any, error) {
				return nil, next(srv, &withContext{ServerStream: ss, ctx: WithCaller(ss.Context(), caller), still: c.still(ss.Context(), info.FullMethod)})
			})
		}
		return c.report(ss.Context(), info.FullMethod, id, caller, start, err)
	}
}

// report logs what is worth it and gives the error its face on the wire.
func (c chain) report(ctx context.Context, method, id string, caller Caller, start time.Time, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(ctx.Err(), context.Canceled) || status.Code(err) == codes.Canceled { // nobody waits for an answer
		return status.FromContextError(context.Canceled).Err()
	}
	p := problem.From(err)
	level := slog.LevelInfo // the caller's own mistake, and told so
	switch p.Reason {
	case problemv1.Reason_REASON_INTERNAL:
		level = slog.LevelError
	case problemv1.Reason_REASON_UNAVAILABLE, problemv1.Reason_REASON_OVERLOADED, problemv1.Reason_REASON_DEADLINE_EXCEEDED:
		level = slog.LevelWarn
	case problemv1.Reason_REASON_NOT_READY: // every start passes through it
		level = slog.LevelDebug
	}
	c.log.LogAttrs(ctx, level, "call not done", slog.String("method", method), slog.String("request_id", id),
		slog.String("caller", caller.String()), slog.String("reason", p.Code()),
		slog.Float64("took_ms", float64(time.Since(start).Microseconds())/1000), slog.String("cause", causeOf(p)))
	return p.GRPCStatus().Err()
}

// causeOf keeps the log to what our own code and the database said: violations and messages carry
// no personal data, and drivers' errors are shortened to their first line.
func causeOf(p *problem.Error) string {
	cause := p.Unwrap()
	if cause == nil {
		return ""
	}
	line, _, _ := strings.Cut(cause.Error(), "\n")
	return line
}

func recovered(f func() (any, error)) (resp any, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = problem.Internal(fmt.Errorf("panic: %v at %s", kindOf(r), firstFrames(debug.Stack())))
		}
	}()
	return f()
}

// kindOf keeps values that a panic may carry out of the log: only runtime errors say what they are.
func kindOf(r any) string {
	if e, ok := r.(interface{ RuntimeError() }); ok {
		return fmt.Sprint(e)
	}
	return fmt.Sprintf("%T", r)
}

func firstFrames(stack []byte) string {
	var frames []string
	for line := range strings.Lines(string(stack)) {
		line = strings.TrimSpace(line)
		if strings.Contains(line, ".go:") && !strings.Contains(line, "/runtime/") && !strings.Contains(line, "interceptor.go") {
			file, _, _ := strings.Cut(line, " ")
			frames = append(frames, file[strings.LastIndexByte(file, '/')+1:])
		}
	}
	return strings.Join(frames[:min(len(frames), 6)], " < ")
}

func requestID(ctx context.Context) string {
	if id := first(ctx, "x-request-id"); id != "" && len(id) <= 64 {
		return id
	}
	var b [8]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

func first(ctx context.Context, key string) string {
	md, _ := metadata.FromIncomingContext(ctx)
	if v := md.Get(key); len(v) > 0 {
		return v[0]
	}
	return ""
}

// callerByToken is how a public listener learns who calls.
func callerByToken(tokens *Tokens) func(context.Context) Caller {
	return func(ctx context.Context) Caller {
		c, _ := tokens.Caller(first(ctx, "authorization"))
		return c
	}
}

// callerInProcess is how the in-process listener does: only code of this process can reach it,
// and each of its connections names its service.
func callerInProcess(ctx context.Context) Caller { return onBehalf(ctx, first(ctx, peerHeader)) }

// callerByCertificate is how the listener between processes does: the certificate names the
// services its holder runs.
func callerByCertificate(ctx context.Context) Caller {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return Caller{}
	}
	info, ok := p.AuthInfo.(credentials.TLSInfo)
	if !ok || len(info.State.VerifiedChains) == 0 {
		return Caller{}
	}
	named := first(ctx, peerHeader)
	if !slices.Contains(info.State.VerifiedChains[0][0].DNSNames, CertificateName(named)) {
		return Caller{}
	}
	return onBehalf(ctx, named)
}

// CertificateName is the DNS name that stands for a service in a certificate.
func CertificateName(service string) string { return service + ".leadmesh.internal" }

// onBehalf lets the gateway act for the caller it has authenticated.
func onBehalf(ctx context.Context, service string) Caller {
	if service == "" {
		return Caller{}
	}
	if service == "gateway" {
		c, _ := decodeCaller(first(ctx, callerHeader))
		return c
	}
	return Caller{Name: service, Service: service, Roles: []Role{RoleService}}
}

// withContext is a stream of a known caller.
type withContext struct {
	grpc.ServerStream
	ctx   context.Context
	still func() error // nil: the caller's rights last as long as the stream
}

func (w *withContext) Context() context.Context { return w.ctx }

// RecvMsg receives a message; one that cannot be read ends the stream, as does the next one of a
// caller whose rights have been taken away.
func (w *withContext) RecvMsg(m any) error {
	if err := w.ServerStream.RecvMsg(m); err != nil {
		return err
	}
	if w.still != nil {
		if err := w.still(); err != nil {
			return err
		}
	}
	return readable(m)
}

// still makes the check of a stream's messages: it looks at the caller again when the tokens have
// changed since it did.
func (c chain) still(ctx context.Context, method string) func() error {
	if c.tokens == nil {
		return nil
	}
	seen := c.tokens.current.Load()
	return func() error {
		now := c.tokens.current.Load()
		if now == seen {
			return nil
		}
		if err := Authorize(c.caller(ctx), method); err != nil {
			return err
		}
		seen = now
		return nil
	}
}
