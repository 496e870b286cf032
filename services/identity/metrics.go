package identity

import (
	"context"
	"fmt"
	"time"

	"github.com/leadmesh/leadmesh/services/identity/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// metrics are the service's instruments.
type metrics struct {
	duration metric.Float64Histogram
	resolved metric.Int64Counter
	joined   metric.Int64Counter
	common   metric.Int64Counter
	outcomes map[outcome]metric.MeasurementOption
}

// outcome is what resolving made of a lead.
type outcome string

// The outcomes of leads. The share of LINKED is the match rate.
const (
	outcomeLinked   outcome = "linked"   // to somebody known
	outcomeCreated  outcome = "created"  // somebody new
	outcomePossible outcome = "possible" // somebody new who may be somebody known: a person is to look
	outcomeRepeated outcome = "repeated" // resolved before
)

func newMetrics(s *Service) (*metrics, error) {
	m := &metrics{outcomes: map[outcome]metric.MeasurementOption{}}
	meter := s.deps.Tel.Meter
	var err error
	if m.duration, err = meter.Float64Histogram(telemetry.MetricResolveDuration, metric.WithUnit("s"),
		metric.WithDescription("Time from a call to resolve leads to its answer.")); err != nil {
		return nil, fmt.Errorf("make the histogram of resolving: %w", err)
	}
	if m.resolved, err = meter.Int64Counter(telemetry.MetricResolved, metric.WithDescription("Leads resolved, by what became of them.")); err != nil {
		return nil, fmt.Errorf("make the counter of leads: %w", err)
	}
	if m.joined, err = meter.Int64Counter(telemetry.MetricJoined, metric.WithDescription("Persons found to be another one known.")); err != nil {
		return nil, fmt.Errorf("make the counter of persons joined: %w", err)
	}
	if m.common, err = meter.Int64Counter(telemetry.MetricCommonKeys,
		metric.WithDescription("Keys left out since too many persons hold them to tell anybody apart.")); err != nil {
		return nil, fmt.Errorf("make the counter of common keys: %w", err)
	}
	for _, o := range []outcome{outcomeLinked, outcomeCreated, outcomePossible, outcomeRepeated} {
		m.outcomes[o] = metric.WithAttributeSet(attribute.NewSet(attribute.String(telemetry.AttrOutcome, string(o))))
	}
	_, err = meter.Int64ObservableGauge(telemetry.MetricReviews, metric.WithDescription("Pairs of persons that wait for somebody to say whether they are one."),
		metric.WithInt64Callback(func(ctx context.Context, o metric.Int64Observer) error {
			// Without the database the gauge is absent; the other metrics are not lost with it, nor is the
			// last collection of a process whose pool is closed.
			_ = s.store.Read(ctx, func(tx *postgres.Tx) error {
				n, err := tx.OpenReviews(ctx)
				if err == nil {
					o.Observe(n)
				}
				return err
			})
			return nil
		}))
	if err != nil {
		return nil, fmt.Errorf("make the gauge of reviews: %w", err)
	}
	return m, nil
}

// took notes how long a call took.
func (m *metrics) took(ctx context.Context, d time.Duration) { m.duration.Record(ctx, d.Seconds()) }

// count notes what a committed transaction did.
func (m *metrics) count(ctx context.Context, w *people, items []*item) {
	done := map[outcome]int64{}
	for _, it := range items {
		done[it.outcome()]++
	}
	for o, n := range done {
		m.resolved.Add(ctx, n, m.outcomes[o])
	}
	m.note(ctx, w)
}

// note counts what resolving and signals have in common.
func (m *metrics) note(ctx context.Context, w *people) {
	m.joined.Add(ctx, int64(len(w.changes.Merges))) // also when none was: a counter that was never added to is not shown
	m.common.Add(ctx, w.ignored)
}
