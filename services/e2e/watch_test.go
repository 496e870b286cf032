package e2e_test

import (
	"context"
	"encoding/hex"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/leadmesh/leadmesh/services/house"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	collectormetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	collectortrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// seenSpan is a span as a backend of traces got it.
type seenSpan struct {
	name, trace, id, parent string
	links                   []string // trace ids
	lead                    string
	text                    string // everything that stands in it
}

// watch collects what leadmesh tells its observers: spans and, from processes of their own, metrics.
type watch struct {
	collectortrace.UnimplementedTraceServiceServer

	mu      sync.Mutex
	spans   []seenSpan
	metrics strings.Builder
	names   map[string]bool // of metrics
}

// ExportSpans takes spans of a house in this process.
func (c *watch) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range spans {
		n := seenSpan{name: s.Name(), trace: s.SpanContext().TraceID().String(), id: s.SpanContext().SpanID().String()}
		if s.Parent().IsValid() {
			n.parent = s.Parent().SpanID().String()
		}
		for _, l := range s.Links() {
			n.links = append(n.links, l.SpanContext.TraceID().String())
		}
		words := []string{s.Name(), s.Status().Description}
		for _, a := range s.Attributes() {
			words = append(words, string(a.Key), a.Value.String())
			if a.Key == telemetry.AttrLeadID {
				n.lead = a.Value.AsString()
			}
		}
		for _, e := range s.Events() {
			words = append(words, e.Name)
			for _, a := range e.Attributes {
				words = append(words, string(a.Key), a.Value.String())
			}
		}
		n.text = strings.Join(words, " ")
		c.spans = append(c.spans, n)
	}
	return nil
}

// Shutdown does nothing: what was collected is still looked at.
func (c *watch) Shutdown(context.Context) error { return nil }

// Export takes spans over OTLP.
func (c *watch) Export(_ context.Context, req *collectortrace.ExportTraceServiceRequest) (*collectortrace.ExportTraceServiceResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range req.GetResourceSpans() {
		for _, scope := range r.GetScopeSpans() {
			for _, s := range scope.GetSpans() {
				n := seenSpan{
					name: s.GetName(), trace: hex.EncodeToString(s.GetTraceId()), id: hex.EncodeToString(s.GetSpanId()),
					parent: hex.EncodeToString(s.GetParentSpanId()), text: protojson.Format(s),
				}
				for _, l := range s.GetLinks() {
					n.links = append(n.links, hex.EncodeToString(l.GetTraceId()))
				}
				for _, a := range s.GetAttributes() {
					if a.GetKey() == telemetry.AttrLeadID {
						n.lead = a.GetValue().GetStringValue()
					}
				}
				c.spans = append(c.spans, n)
			}
		}
	}
	return &collectortrace.ExportTraceServiceResponse{}, nil
}

// metricsDoor takes metrics over OTLP: both services have a method Export.
type metricsDoor struct {
	collectormetrics.UnimplementedMetricsServiceServer
	watch *watch
}

// Export takes metrics over OTLP.
func (d metricsDoor) Export(_ context.Context, req *collectormetrics.ExportMetricsServiceRequest) (*collectormetrics.ExportMetricsServiceResponse, error) {
	d.watch.mu.Lock()
	defer d.watch.mu.Unlock()
	for _, r := range req.GetResourceMetrics() {
		for _, scope := range r.GetScopeMetrics() {
			for _, m := range scope.GetMetrics() {
				d.watch.names[m.GetName()] = true
				d.watch.metrics.WriteString(protojson.MarshalOptions{}.Format(proto.Message(m)))
			}
		}
	}
	return &collectormetrics.ExportMetricsServiceResponse{}, nil
}

// seen are the spans so far that fit.
func (c *watch) seen(fits func(seenSpan) bool) []seenSpan {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []seenSpan
	for _, s := range c.spans {
		if fits(s) {
			out = append(out, s)
		}
	}
	return out
}

// ofTrace are the names of the spans of a trace, sorted.
func (c *watch) ofTrace(id string) []string {
	var names []string
	for _, s := range c.seen(func(s seenSpan) bool { return s.trace == id }) {
		names = append(names, s.name)
	}
	slices.Sort(names)
	return names
}

// reported are the names of the metrics that processes have sent.
func (c *watch) reported(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.names[name]
}

// told is everything that was collected, as text.
func (c *watch) told() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var b strings.Builder
	for _, s := range c.spans {
		b.WriteString(s.text)
		b.WriteByte('\n')
	}
	b.WriteString(c.metrics.String())
	return b.String()
}

// watchedShapes are one process and five, every trace recorded and the log at its most talkative.
func watchedShapes(t *testing.T, run func(t *testing.T, w *world, c *watch)) {
	t.Run("one process", func(t *testing.T) {
		c := &watch{names: map[string]bool{}}
		t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
		run(t, inProcess(t, func(cfg *house.Config) {
			cfg.Spans, cfg.TraceRatio, cfg.LogLevel = c, 1, -8
		}), c)
	})
	t.Run("five processes", func(t *testing.T) {
		c := &watch{names: map[string]bool{}}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		s := grpc.NewServer(grpc.MaxRecvMsgSize(64 << 20))
		collectortrace.RegisterTraceServiceServer(s, c)
		collectormetrics.RegisterMetricsServiceServer(s, metricsDoor{watch: c})
		go s.Serve(l) //nolint:errcheck // ends with the test
		t.Cleanup(s.Stop)
		for name, value := range map[string]string{
			"OTEL_EXPORTER_OTLP_ENDPOINT": "http://" + l.Addr().String(), "OTEL_BSP_SCHEDULE_DELAY": "50",
			"OTEL_METRIC_EXPORT_INTERVAL": "1000", "LEADMESH_TRACE_RATIO": "1", "LEADMESH_LOG_LEVEL": "debug",
		} {
			t.Setenv(name, value)
		}
		run(t, fiveProcesses(t), c)
	})
}

// written is what every process has written to its log so far.
func (w *world) written() string {
	var b strings.Builder
	b.WriteString(w.logs.String())
	for _, p := range w.processes {
		b.WriteString(p.log.String())
	}
	return b.String()
}
