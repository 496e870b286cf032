package postbox

import (
	"context"
	"fmt"

	"github.com/leadmesh/leadmesh/services/internal/telemetry"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// What became of mails and of attempts to send some.
const (
	reasonAccepted    = "accepted"
	reasonUnknown     = "unknown_mailbox"
	reasonSender      = "sender_not_allowed"
	reasonRate        = "rate_limited"
	reasonTooLarge    = "too_large"
	reasonEmpty       = "empty"
	reasonUnavailable = "unavailable"
	reasonBusy        = "busy"
	reasonDraining    = "draining"
	reasonBroken      = "broken_off"
	reasonConnections = "too_many_connections"
)

// meters counts mails.
type meters struct {
	mails    metric.Int64Counter
	outcomes map[string]metric.MeasurementOption
}

func (m *meters) register(meter metric.Meter) (err error) {
	m.mails, err = meter.Int64Counter(telemetry.MetricMails, metric.WithDescription("Mails sent to the postbox, by what became of them."))
	if err != nil {
		return fmt.Errorf("make the mail counter: %w", err)
	}
	m.outcomes = map[string]metric.MeasurementOption{}
	for _, o := range []string{reasonAccepted, reasonUnknown, reasonSender, reasonRate, reasonTooLarge, reasonEmpty, reasonUnavailable, reasonBusy,
		reasonDraining, reasonBroken, reasonConnections} {
		m.outcomes[o] = metric.WithAttributeSet(attribute.NewSet(attribute.String(telemetry.AttrOutcome, o)))
	}
	return nil
}

// count notes a mail; in a trace that is recorded it becomes the exemplar.
func (m *meters) count(ctx context.Context, outcome string) {
	m.mails.Add(ctx, 1, m.outcomes[outcome])
}
