package telemetry

import (
	"context"

	"github.com/leadmesh/leadmesh/core/lead"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Traceparent writes the span context of ctx in W3C form; "" if there is none.
func Traceparent(ctx context.Context) string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier["traceparent"]
}

// WithTraceparent returns ctx with the remote span context that a W3C traceparent names; ctx
// itself if the text is none.
func WithTraceparent(ctx context.Context, traceparent string) context.Context {
	if traceparent == "" {
		return ctx
	}
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": traceparent})
}

// Lead returns the attribute that names a lead on a span. A text that is no lead id is left out: a
// caller may have written anything there, and spans are begun before requests are checked.
func Lead(id string) attribute.KeyValue {
	if _, err := lead.ParseID(id); err != nil {
		id = ""
	}
	return attribute.String(AttrLeadID, id)
}

// StartLead begins the span of one lead in a batch or stream: a child of the lead's own
// traceparent, linked to the span of the call that carries it. In a trace that is not recorded it
// begins none: leads pass here by the ten thousand, and the sampler would only say the same at a
// price. The returned span may be ended all the same.
func StartLead(ctx context.Context, tracer trace.Tracer, name, traceparent, leadID string) (context.Context, trace.Span) {
	carrier := trace.SpanContextFromContext(ctx)
	ctx = WithTraceparent(ctx, traceparent)
	own := trace.SpanContextFromContext(ctx)
	if own.IsValid() && !own.IsSampled() {
		return ctx, unrecorded{trace.SpanFromContext(ctx)}
	}
	started, span := tracer.Start(ctx, name)
	if span.IsRecording() { // what it says is put together for those that are recorded only
		span.SetAttributes(Lead(leadID))
		if carrier.IsValid() && carrier.TraceID() != own.TraceID() {
			span.AddLink(trace.Link{SpanContext: carrier})
		}
	}
	return started, span
}

// StartSampled begins a span of one lead below the span in ctx, if that is recorded; else it
// returns ctx and a span that does nothing.
func StartSampled(ctx context.Context, tracer trace.Tracer, name, leadID string) (context.Context, trace.Span) {
	if !trace.SpanContextFromContext(ctx).IsSampled() {
		return ctx, unrecorded{trace.SpanFromContext(ctx)}
	}
	return tracer.Start(ctx, name, trace.WithAttributes(Lead(leadID)))
}

// unrecorded stands for a span that was not begun: ending it must not end the one in its place.
type unrecorded struct{ trace.Span }

// End does nothing.
func (unrecorded) End(...trace.SpanEndOption) {}

// StartRoot begins a new trace for one lead and links it to the span of ctx: what a batch does for
// each of its leads, and what work that comes long after its cause does.
func StartRoot(ctx context.Context, tracer trace.Tracer, name, causeTraceparent, leadID string) (context.Context, trace.Span) {
	options := []trace.SpanStartOption{trace.WithNewRoot(), trace.WithAttributes(Lead(leadID))}
	if sc := trace.SpanContextFromContext(ctx); sc.IsValid() {
		options = append(options, trace.WithLinks(trace.Link{SpanContext: sc}))
	}
	if causeTraceparent != "" {
		cause := trace.SpanContextFromContext(WithTraceparent(context.Background(), causeTraceparent))
		if cause.IsValid() {
			options = append(options, trace.WithLinks(trace.Link{SpanContext: cause}))
		}
	}
	return tracer.Start(ctx, name, options...)
}
