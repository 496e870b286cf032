package product

import (
	"context"
	"net"
	"sync/atomic"

	collectorv1 "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
)

// Sink takes the spans that programs export and counts them, so that they are measured with tracing
// that goes somewhere.
type Sink struct {
	collectorv1.UnimplementedTraceServiceServer
	Addr  string
	spans atomic.Int64

	server *grpc.Server
}

// NewSink starts a sink on loopback. Close stops it.
func NewSink() (*Sink, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Sink{Addr: l.Addr().String(), server: grpc.NewServer(grpc.MaxRecvMsgSize(64 << 20))}
	collectorv1.RegisterTraceServiceServer(s.server, s)
	go func() { _ = s.server.Serve(l) }() // it ends with Stop, and what breaks it shows as spans that are missing
	return s, nil
}

// Env tells a program to export its spans here.
func (s *Sink) Env() []string {
	return []string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://" + s.Addr, "OTEL_EXPORTER_OTLP_TRACES_INSECURE=true"}
}

// Spans is how many came so far.
func (s *Sink) Spans() int64 { return s.spans.Load() }

// Close stops the sink.
func (s *Sink) Close() { s.server.Stop() }

// Export counts spans.
func (s *Sink) Export(_ context.Context, r *collectorv1.ExportTraceServiceRequest) (*collectorv1.ExportTraceServiceResponse, error) {
	for _, resource := range r.GetResourceSpans() {
		for _, scope := range resource.GetScopeSpans() {
			s.spans.Add(int64(len(scope.GetSpans())))
		}
	}
	return &collectorv1.ExportTraceServiceResponse{}, nil
}
