package routing

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// metrics are the service's instruments.
type metrics struct {
	duration metric.Float64Histogram
	outcomes metric.Int64Counter
	answers  [outcomes]answerOptions
	sweepLag atomic.Int64 // nanoseconds
	delivery atomic.Int64 // nanoseconds
	queueLag atomic.Int64 // nanoseconds
}

// outcome is what became of a request on the stream.
type outcome uint8

const (
	outcomeAssigned outcome = iota
	outcomeMerged
	outcomeParked
	outcomeDryRun
	outcomeProblem
	outcomes
)

// answerOptions label the measurements of one outcome. They are made once: leads pass by the ten
// thousand.
type answerOptions struct {
	add    []metric.AddOption
	record []metric.RecordOption
}

func newMetrics(s *Service) (*metrics, error) {
	m := &metrics{}
	meter := s.tel.Meter
	var err error
	if m.duration, err = meter.Float64Histogram(telemetry.MetricDecisionDuration, metric.WithUnit("s"),
		metric.WithDescription("Time from a lead's arrival on the stream to its answer.")); err != nil {
		return nil, fmt.Errorf("make a histogram: %w", err)
	}
	if m.outcomes, err = meter.Int64Counter(telemetry.MetricDecisionOutcomes,
		metric.WithDescription("Leads answered on the stream, by outcome.")); err != nil {
		return nil, fmt.Errorf("make a counter: %w", err)
	}
	for i, name := range [outcomes]string{"assigned", "merged", "parked", "dry_run", "problem"} {
		label := metric.WithAttributeSet(attribute.NewSet(attribute.String(telemetry.AttrOutcome, name)))
		m.answers[i] = answerOptions{[]metric.AddOption{label}, []metric.RecordOption{label}}
	}
	gauges := []struct {
		name, unit, about string
		read              func() float64
	}{
		{telemetry.MetricDecisionInflight, "", "Leads on the streams that are not answered yet.", func() float64 { return float64(s.stream.InFlight()) }},
		{telemetry.MetricSweepLag, "s", "Age of the oldest deadline that was due when the sweep looked.", func() float64 { return time.Duration(m.sweepLag.Load()).Seconds() }},
		{telemetry.MetricDeliveryLag, "s", "Age of the oldest push delivery under way when last looked at.", func() float64 { return time.Duration(m.delivery.Load()).Seconds() }},
	}
	for _, g := range gauges {
		if _, err := meter.Float64ObservableGauge(g.name, metric.WithUnit(g.unit), metric.WithDescription(g.about), metric.WithFloat64Callback(
			func(_ context.Context, o metric.Float64Observer) error { o.Observe(g.read()); return nil })); err != nil {
			return nil, fmt.Errorf("make a gauge: %w", err)
		}
	}
	own := metric.WithAttributeSet(attribute.NewSet(attribute.String(telemetry.AttrService, "routing")))
	_, err = meter.Float64ObservableGauge(telemetry.MetricQueueLag, metric.WithUnit("s"), metric.WithDescription("Wait of the oldest job that could run."),
		metric.WithFloat64Callback(func(_ context.Context, o metric.Float64Observer) error {
			o.Observe(time.Duration(m.queueLag.Load()).Seconds(), own)
			return nil
		}))
	if err != nil {
		return nil, fmt.Errorf("make a gauge: %w", err)
	}
	_, err = meter.Float64ObservableGauge(telemetry.MetricOutboxLag, metric.WithUnit("s"), metric.WithDescription("Age of the oldest event not handed over."),
		metric.WithFloat64Callback(func(_ context.Context, o metric.Float64Observer) error {
			o.Observe(s.relay.Lag().Seconds(), own)
			return nil
		}))
	if err != nil {
		return nil, fmt.Errorf("make a gauge: %w", err)
	}
	return m, nil
}

// decided notes one answer. The span in ctx becomes the exemplar.
func (m *metrics) decided(ctx context.Context, d *leadv1.Decision, err error, took time.Duration) {
	as := outcomeAssigned
	switch {
	case err != nil:
		m.outcomes.Add(ctx, 1, metric.WithAttributes(
			attribute.String(telemetry.AttrOutcome, "problem"), attribute.String(telemetry.AttrReason, problem.From(err).Code())))
		m.duration.Record(ctx, took.Seconds(), m.answers[outcomeProblem].record...)
		return
	case d.GetDryRun():
		as = outcomeDryRun
	case d.GetDisposition() == leadv1.Disposition_DISPOSITION_MERGED:
		as = outcomeMerged
	case d.GetDisposition() == leadv1.Disposition_DISPOSITION_PARKED:
		as = outcomeParked
	}
	m.outcomes.Add(ctx, 1, m.answers[as].add...)
	m.duration.Record(ctx, took.Seconds(), m.answers[as].record...)
}
