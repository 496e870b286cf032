package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"time"

	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
	"go.opentelemetry.io/otel/attribute"
	otelcodes "go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
	"go.opentelemetry.io/otel/trace"
)

// exchange is what becomes known of a request on its way: for its span, its metric and its log
// line. One goroutine works on it.
type exchange struct {
	route         string // as the OpenAPI document writes it; "" if none matched
	caller        string
	reason, cause string // of an error
	told          bool   // a service said that a part is down, and wrote why into its log
}

type exchangeKey struct{}

func exchangeOf(ctx context.Context) *exchange {
	if x, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		return x
	}
	return &exchange{}
}

func requestDuration(meter metric.Meter) (metric.Float64Histogram, error) {
	h, err := meter.Float64Histogram("http.server.request.duration", metric.WithUnit("s"),
		metric.WithDescription("Time from a REST request's header to its answer."))
	if err != nil {
		return nil, fmt.Errorf("make the request histogram: %w", err)
	}
	return h, nil
}

// observe gives every request a span, a metric and, if it went wrong on our side or took long, a
// log line. The span is made here and not by a ready instrumentation because that would note the
// path, the address and the browser of the sender, which may be a customer; only the route's name
// is noted.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start, x := time.Now(), &exchange{}
		method := methodName(r.Method)
		ctx := context.WithValue(r.Context(), exchangeKey{}, x)
		span := trace.SpanFromContext(ctx) // none: a probe each second is not worth one
		if r.URL.Path != healthRoute && r.URL.Path != metricsRoute {
			ctx = propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(r.Header))
			ctx, span = s.tel.Tracer.Start(ctx, method, trace.WithSpanKind(trace.SpanKindServer),
				trace.WithAttributes(semconv.HTTPRequestMethodKey.String(method)))
			defer span.End()
		}
		rec := &recorder{ResponseWriter: w}
		head(rec.Header(), ctx)
		s.recovered(rec, r.WithContext(ctx), next)
		s.report(ctx, span, x, method, rec.code, time.Since(start))
	})
}

// head sets the headers of every answer. traceresponse and X-Trace-Id let who got the answer name
// the trace to who runs the system.
func head(h http.Header, ctx context.Context) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	if sc := trace.SpanContextFromContext(ctx); sc.IsValid() {
		h.Set("Traceresponse", telemetry.Traceparent(ctx))
		h.Set("X-Trace-Id", sc.TraceID().String())
	}
}

func (s *Server) report(ctx context.Context, span trace.Span, x *exchange, method string, code int, took time.Duration) {
	if code == 0 {
		code = http.StatusOK
	}
	attributes := []attribute.KeyValue{
		semconv.HTTPRequestMethodKey.String(method), semconv.HTTPRoute(x.route), semconv.HTTPResponseStatusCode(code),
	}
	span.SetName(strings.TrimSpace(method + " " + x.route))
	span.SetAttributes(attributes[1:]...)
	if x.reason != "" {
		span.SetAttributes(attribute.String(telemetry.AttrReason, x.reason))
	}
	if code >= http.StatusInternalServerError {
		span.SetStatus(otelcodes.Error, x.reason)
	}
	s.duration.Record(ctx, took.Seconds(), metric.WithAttributes(attributes...))

	level, message := slog.LevelWarn, "slow request"
	switch {
	case code == http.StatusServiceUnavailable && x.route == healthRoute: // a probe asks again and again; whoever answered wrote the reason
		level, message = slog.LevelDebug, "probe refused"
	case x.told: // one line for each request; the request id there is the trace id here
		level, message = slog.LevelDebug, "request not done"
	case code >= http.StatusInternalServerError:
		level, message = slog.LevelError, "request not done"
	case took < slowRequest, x.route == eventsRoute: // pollers wait for events as long as they like
		return
	}
	s.log.LogAttrs(ctx, level, message, slog.String("method", method), slog.String("route", x.route),
		slog.Int("status", code), slog.Float64("took_ms", float64(took.Microseconds())/1000), slog.String("caller", x.caller),
		slog.String("trace_id", trace.SpanContextFromContext(ctx).TraceID().String()),
		slog.String("reason", x.reason), slog.String("cause", x.cause))
}

// methodName keeps invented methods out of metrics.
func methodName(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "_OTHER"
}

// recovered answers a panic as an internal error.
func (s *Server) recovered(w *recorder, r *http.Request, next http.Handler) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
			panic(v)
		}
		p := problem.Internal(fmt.Errorf("panic: %s at %s", kindOf(v), panicSite()))
		if w.code != 0 { // too late for another answer
			x := exchangeOf(r.Context())
			x.reason, x.cause, w.code = p.Code(), causeOf(p), http.StatusInternalServerError
			return
		}
		s.fail(w, r, p)
	}()
	next.ServeHTTP(w, r)
}

// kindOf keeps values that a panic may carry out of the log: only runtime errors say what they are.
func kindOf(v any) string {
	if e, ok := v.(runtime.Error); ok {
		return e.Error()
	}
	return fmt.Sprintf("%T", v)
}

// panicSite names the function of this module that panicked.
func panicSite() string {
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	for {
		f, more := frames.Next()
		if f.Function != "" && !strings.HasPrefix(f.Function, "runtime.") {
			return fmt.Sprintf("%s:%d", f.Function, f.Line)
		}
		if !more {
			return "an unknown place"
		}
	}
}

// recorder notes the status of an answer.
type recorder struct {
	http.ResponseWriter
	code int
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// WriteHeader notes the status and passes it on.
func (r *recorder) WriteHeader(code int) {
	if r.code == 0 && code >= http.StatusOK {
		r.code = code
	}
	r.ResponseWriter.WriteHeader(code)
}

// Write passes on; without a status before it the status is 200.
func (r *recorder) Write(b []byte) (int, error) {
	if r.code == 0 {
		r.code = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}
