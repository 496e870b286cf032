// Package telemetry sets up tracing, metrics and logging, and carries trace contexts per lead
// through batches, streams, rows and jobs.
package telemetry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/exemplar"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Config says what to record and where it goes.
type Config struct {
	Service     string                // name of the process
	Version     string                // build version
	SampleRatio float64               // share of new roots recorded, 0 to 1
	Spans       sdktrace.SpanExporter // nil: by the standard OTEL_* environment, else nowhere
	LogWriter   io.Writer             // nil: standard error
	LogLevel    slog.Level
}

// Telemetry is everything a service records with. Safe for concurrent use.
type Telemetry struct {
	Log     *slog.Logger
	Tracer  trace.Tracer
	Meter   metric.Meter
	Tracing trace.TracerProvider
	Metrics metric.MeterProvider
	Stages  *Stages

	registry *prometheus.Registry
	dropped  *drops
	shutdown []func(context.Context) error
}

// New sets everything up. Nothing global is touched.
func New(ctx context.Context, cfg Config) (*Telemetry, error) {
	w := cfg.LogWriter
	if w == nil {
		w = os.Stderr
	}
	t := &Telemetry{
		Log:      slog.New(newRepeats(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: cfg.LogLevel}))),
		registry: prometheus.NewRegistry(), dropped: &drops{},
	}
	res := resource.NewSchemaless(serviceName(cfg.Service), serviceVersion(cfg.Version))
	if err := t.startTraces(ctx, cfg, res); err != nil {
		return nil, err
	}
	if err := t.startMetrics(ctx, res); err != nil {
		return nil, errors.Join(err, t.Shutdown(ctx))
	}
	t.Tracer = t.Tracing.Tracer(Scope)
	t.Meter = t.Metrics.Meter(Scope)
	stages, err := newStages(t.Meter)
	if err != nil {
		return nil, errors.Join(err, t.Shutdown(ctx))
	}
	t.Stages = stages
	if err := t.dropped.register(t.Meter); err != nil {
		return nil, errors.Join(err, t.Shutdown(ctx))
	}
	return t, nil
}

func (t *Telemetry) startTraces(ctx context.Context, cfg Config, res *resource.Resource) error {
	exporter := cfg.Spans
	if exporter == nil && wants("OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") {
		otlp, err := otlptracegrpc.New(ctx)
		if err != nil {
			return fmt.Errorf("open the OTLP trace exporter: %w", err)
		}
		exporter = otlp
	}
	if exporter == nil {
		// Nobody listens: spans still get identifiers, so that logs and answers can name a trace.
		t.Tracing = sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample()))
		return nil
	}
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithResource(res),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(cfg.SampleRatio))),
		sdktrace.WithSpanProcessor(countDrops(exporter, t.dropped, sdktrace.WithMaxExportBatchSize(1_024))),
	)
	t.Tracing = provider
	t.shutdown = append(t.shutdown, provider.Shutdown)
	return nil
}

func (t *Telemetry) startMetrics(ctx context.Context, res *resource.Resource) error {
	t.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	prom, err := otelprom.New(otelprom.WithRegisterer(t.registry), otelprom.WithoutScopeInfo())
	if err != nil {
		return fmt.Errorf("open the Prometheus exporter: %w", err)
	}
	options := []sdkmetric.Option{
		sdkmetric.WithResource(res), sdkmetric.WithReader(prom),
		sdkmetric.WithExemplarFilter(exemplar.TraceBasedFilter),
		sdkmetric.WithView(durationView()),
	}
	if wants("OTEL_METRICS_EXPORTER", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT") {
		otlp, err := otlpmetricgrpc.New(ctx)
		if err != nil {
			return fmt.Errorf("open the OTLP metric exporter: %w", err)
		}
		options = append(options, sdkmetric.WithReader(sdkmetric.NewPeriodicReader(otlp)))
	}
	provider := sdkmetric.NewMeterProvider(options...)
	t.Metrics = provider
	t.shutdown = append(t.shutdown, provider.Shutdown)
	return nil
}

// durationView replaces the default buckets, which begin at 5 ms, by ones that begin at 50 us.
func durationView() sdkmetric.View {
	bounds := []float64{
		.00005, .0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 60,
	}
	return sdkmetric.NewView(
		sdkmetric.Instrument{Kind: sdkmetric.InstrumentKindHistogram, Unit: "s"},
		sdkmetric.Stream{Aggregation: sdkmetric.AggregationExplicitBucketHistogram{Boundaries: bounds}},
	)
}

// wants reports whether the environment asks for OTLP for one signal.
func wants(exporterVar, endpointVar string) bool {
	if choice := os.Getenv(exporterVar); choice != "" {
		return choice == "otlp"
	}
	return os.Getenv(endpointVar) != "" || os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != ""
}

// MetricsHandler serves the metrics with exemplars in OpenMetrics text.
func (t *Telemetry) MetricsHandler() http.Handler {
	return promhttp.HandlerFor(t.registry, promhttp.HandlerOpts{EnableOpenMetrics: true})
}

// Shutdown sends what is left and closes. The context limits how long that may take.
func (t *Telemetry) Shutdown(ctx context.Context) error {
	var errs []error
	for i := len(t.shutdown) - 1; i >= 0; i-- {
		errs = append(errs, t.shutdown[i](ctx))
	}
	t.shutdown = nil
	return errors.Join(errs...)
}
