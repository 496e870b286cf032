package telemetry

import (
	"context"
	"fmt"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// maxQueued is how many ended spans may wait for their export.
const maxQueued = 16_384

// drops counts spans that were recorded and lost.
type drops struct {
	queued           atomic.Int64 // ended, not handed to the exporter yet
	overflow, failed atomic.Int64
}

// register makes the metric.
func (d *drops) register(meter metric.Meter) error {
	reason := func(word string) metric.MeasurementOption {
		return metric.WithAttributeSet(attribute.NewSet(attribute.String(AttrReason, word)))
	}
	full, export := reason("queue_full"), reason("export_failed")
	_, err := meter.Int64ObservableCounter(MetricSpansDropped, metric.WithDescription("Recorded spans that were lost."),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(d.overflow.Load(), full)
			o.Observe(d.failed.Load(), export)
			return nil
		}))
	if err != nil {
		return fmt.Errorf("make the counter of lost spans: %w", err)
	}
	return nil
}

// countDrops exports spans in batches and counts what is lost. The SDK's own processor drops in
// silence when its queue is full, so the bound is kept here and never reached there.
func countDrops(exporter sdktrace.SpanExporter, d *drops, options ...sdktrace.BatchSpanProcessorOption) sdktrace.SpanProcessor {
	options = append(options, sdktrace.WithMaxQueueSize(maxQueued))
	return bounded{sdktrace.NewBatchSpanProcessor(counted{exporter, d}, options...), d}
}

// bounded stands before the queue.
type bounded struct {
	sdktrace.SpanProcessor
	drops *drops
}

// OnEnd passes a span on while there is room.
func (b bounded) OnEnd(s sdktrace.ReadOnlySpan) {
	if !s.SpanContext().IsSampled() {
		return
	}
	if b.drops.queued.Add(1) > maxQueued {
		b.drops.queued.Add(-1)
		b.drops.overflow.Add(1)
		return
	}
	b.SpanProcessor.OnEnd(s)
}

// counted stands behind the queue.
type counted struct {
	sdktrace.SpanExporter
	drops *drops
}

// ExportSpans exports and counts what the exporter did not take.
func (c counted) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	c.drops.queued.Add(-int64(len(spans)))
	err := c.SpanExporter.ExportSpans(ctx, spans)
	if err != nil {
		c.drops.failed.Add(int64(len(spans)))
	}
	return err
}
