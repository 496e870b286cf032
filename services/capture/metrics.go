package capture

import (
	"context"
	"fmt"
	"time"

	store "github.com/leadmesh/leadmesh/services/capture/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// meters counts what Capture does.
type meters struct {
	leads    metric.Int64Counter
	refused  metric.Int64Counter
	ignored  metric.Int64Counter
	outcomes map[string]metric.MeasurementOption
	service  metric.MeasurementOption
}

// The outcomes of leads.
const (
	outcomePending   = "pending"
	outcomeRejected  = "rejected"
	outcomeParked    = "parked"
	outcomeDuplicate = "duplicate"
	outcomeUpdated   = "updated"
	outcomeRefused   = "refused"
)

func (m *meters) register(s *Service) (err error) {
	meter := s.deps.Tel.Meter
	if m.leads, err = meter.Int64Counter(telemetry.MetricLeads, metric.WithDescription("Leads sent, by what became of them.")); err != nil {
		return fmt.Errorf("make the lead counter: %w", err)
	}
	if m.refused, err = meter.Int64Counter(telemetry.MetricShed, metric.WithDescription("Requests refused for overload.")); err != nil {
		return fmt.Errorf("make the overload counter: %w", err)
	}
	if m.ignored, err = meter.Int64Counter(telemetry.MetricIgnored, metric.WithDescription("Parts of webhook calls that tell of no lead.")); err != nil {
		return fmt.Errorf("make the counter of what is ignored: %w", err)
	}
	m.outcomes = map[string]metric.MeasurementOption{}
	for _, o := range []string{outcomePending, outcomeRejected, outcomeParked, outcomeDuplicate, outcomeUpdated, outcomeRefused} {
		m.outcomes[o] = metric.WithAttributeSet(attribute.NewSet(attribute.String(telemetry.AttrOutcome, o)))
	}
	m.service = metric.WithAttributeSet(attribute.NewSet(attribute.String(telemetry.AttrService, "capture")))
	m.refused.Add(context.Background(), 0, m.service) // an alert on its rate needs to see where it began
	_, err = meter.Float64ObservableGauge(telemetry.MetricPendingAge, metric.WithUnit("s"),
		metric.WithDescription("Age of the oldest pending lead."),
		metric.WithFloat64Callback(func(_ context.Context, o metric.Float64Observer) error {
			age := 0.0
			if at := s.oldest.Load(); at != 0 {
				age = max(0, s.deps.Now().Sub(time.Unix(0, at)).Seconds())
			}
			o.Observe(age)
			return nil
		}))
	if err != nil {
		return fmt.Errorf("make the gauge of pending leads: %w", err)
	}
	_, err = meter.Float64ObservableGauge(telemetry.MetricOutboxLag, metric.WithUnit("s"),
		metric.WithDescription("Age of the oldest event that was not handed over."),
		metric.WithFloat64Callback(func(_ context.Context, o metric.Float64Observer) error {
			o.Observe(s.relay.Lag().Seconds(), m.service)
			return nil
		}))
	if err != nil {
		return fmt.Errorf("make the gauge of the outbox: %w", err)
	}
	return nil
}

// count notes what became of a lead.
func (m *meters) count(ctx context.Context, in *intake) {
	outcome := outcomePending
	switch {
	case in.problem != nil:
		outcome = outcomeRefused
	case in.outcome == duplicate:
		outcome = outcomeDuplicate
	case in.outcome == updated:
		outcome = outcomeUpdated
	case in.place == store.Rejected:
		outcome = outcomeRejected
	case in.place == store.Parked:
		outcome = outcomeParked
	}
	m.leads.Add(ctx, 1, m.outcomes[outcome])
}

// shed notes a request that was refused for overload.
func (m *meters) shed(ctx context.Context) { m.refused.Add(ctx, 1, m.service) }
