package telemetry

import (
	"context"
	"errors"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// stuck exports when it is let go, and fails if it is told to.
type stuck struct {
	entered, free chan struct{}
	err           error
	taken         int
}

func (s *stuck) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	select {
	case s.entered <- struct{}{}:
	default:
	}
	<-s.free
	s.taken += len(spans)
	return s.err
}

func (s *stuck) Shutdown(context.Context) error { return nil }

func TestEveryLostSpanIsCounted(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
	}{{"a slow backend", nil}, {"a backend that refuses", errors.New("refused")}} {
		t.Run(c.name, func(t *testing.T) {
			s := &stuck{entered: make(chan struct{}, 1), free: make(chan struct{}), err: c.err}
			d := &drops{}
			p := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(countDrops(s, d, sdktrace.WithMaxExportBatchSize(64))))
			tracer := p.Tracer("test")
			end := func(n int) {
				for range n {
					_, span := tracer.Start(t.Context(), "span")
					span.End()
				}
			}
			const first, more = 64, maxQueued + 100
			end(first)
			<-s.entered // the first batch is with the exporter, which does not come back
			end(more)
			if got, want := d.overflow.Load(), int64(more-maxQueued); got != want {
				t.Errorf("%d were lost for want of room, want %d", got, want)
			}
			close(s.free)
			if err := p.Shutdown(context.WithoutCancel(t.Context())); err != nil && c.err == nil {
				t.Error(err)
			}
			if want := first + maxQueued; s.taken != want || d.queued.Load() != 0 {
				t.Errorf("%d came to the exporter, want %d; %d are still counted as queued", s.taken, want, d.queued.Load())
			}
			failed := int64(0)
			if c.err != nil {
				failed = first + maxQueued
			}
			if got := d.failed.Load(); got != failed {
				t.Errorf("%d were lost at the exporter, want %d", got, failed)
			}
		})
	}
}

func TestALeadThatIsNotRecordedCostsLittle(t *testing.T) {
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.AlwaysSample()))).Tracer("test")
	const unrecordedLead = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
	ctx, span := StartLead(t.Context(), tracer, SpanDecide, unrecordedLead, "lead")
	span.End()
	if sc := trace.SpanContextFromContext(ctx); sc.IsSampled() || Traceparent(ctx) != unrecordedLead {
		t.Errorf("the lead goes on with %s", Traceparent(ctx))
	}
	if n := testing.AllocsPerRun(100, func() {
		_, span := StartSampled(ctx, tracer, SpanCommit, "lead")
		span.End()
	}); n > 1 {
		t.Errorf("a span that is not begun allocates %v times", n)
	}
	ctx, span = StartLead(t.Context(), tracer, SpanDecide, unrecordedLead[:len(unrecordedLead)-1]+"1", "lead")
	if !span.IsRecording() || trace.SpanContextFromContext(ctx).SpanID() == trace.SpanContextFromContext(t.Context()).SpanID() {
		t.Error("a recorded lead has no span")
	}
	_, commit := StartSampled(ctx, tracer, SpanCommit, "lead")
	if !commit.IsRecording() || commit.SpanContext().TraceID() != span.SpanContext().TraceID() {
		t.Error("its commit has none")
	}
	commit.End()
	span.End()
}
