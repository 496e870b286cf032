package telemetry

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
)

// Stages measures how long a lead takes from one stage of the road to the next.
type Stages struct {
	duration metric.Float64Histogram
	options  map[string]metric.MeasurementOption
}

func newStages(meter metric.Meter) (*Stages, error) {
	h, err := meter.Float64Histogram(MetricStageDuration, metric.WithUnit("s"),
		metric.WithDescription("Time from one stage of a lead's road to the next."))
	if err != nil {
		return nil, fmt.Errorf("make the stage histogram: %w", err)
	}
	s := &Stages{duration: h, options: map[string]metric.MeasurementOption{}}
	for _, stage := range []string{StageDurable, StageResolved, StageDecided, StageCommitted, StageDelivered} {
		s.options[stage] = metric.WithAttributeSet(attribute.NewSet(attribute.String(AttrStage, stage)))
	}
	return s, nil
}

// Record notes that a stage took d. The span in ctx becomes the exemplar.
func (s *Stages) Record(ctx context.Context, stage string, d time.Duration) {
	if s == nil {
		return
	}
	s.duration.Record(ctx, d.Seconds(), s.options[stage])
}

func serviceName(v string) attribute.KeyValue    { return semconv.ServiceName(v) }
func serviceVersion(v string) attribute.KeyValue { return semconv.ServiceVersion(v) }
