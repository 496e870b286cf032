package rpc

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"
)

// far is the service at the other end of both ways.
type far struct {
	feedbackv1.UnimplementedEventServiceServer
	routingv1.UnimplementedDecisionServiceServer

	mu    sync.Mutex
	got   proto.Message // the last request
	sends proto.Message // the last answer
	waits chan struct{} // when a handler begins to wait for the end of its context
	ended chan struct{} // when a handler's context has ended that was waited for
}

// called reports whether a request has come.
func (f *far) called() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.got != nil
}

func (f *far) ListLeadEvents(ctx context.Context, r *feedbackv1.ListLeadEventsRequest) (*feedbackv1.ListLeadEventsResponse, error) {
	f.mu.Lock()
	f.got = r
	f.mu.Unlock()
	switch r.GetLeadId() {
	case "problem":
		return nil, problem.Invalid(problem.Violation{Field: "lead_id", Description: "is none"})
	case "status":
		return nil, status.Error(codes.DataLoss, "gone")
	case "plain":
		return nil, errors.New("plain")
	case "panic":
		panic("personal data")
	case "nothing":
		return nil, nil
	case "wait":
		f.waits <- struct{}{}
		<-ctx.Done()
		f.ended <- struct{}{}
		return nil, ctx.Err()
	}
	if err := grpc.SetHeader(ctx, metadata.Pairs("answer", "header")); err != nil {
		return nil, err
	}
	if err := grpc.SetTrailer(ctx, metadata.Pairs("answer", "trailer")); err != nil {
		return nil, err
	}
	caller := CallerFrom(ctx)
	deadline := "none"
	if d, ok := ctx.Deadline(); ok {
		deadline = "some"
		if left := time.Until(d); left > time.Minute-reserve {
			deadline = "all of it"
		}
	}
	said := &leadv1.Event{
		Type: caller.String(), Source: strings.Join(metadata.ValueFromIncomingContext(ctx, "said"), ","), EventId: deadline,
		Traceparent: strings.Repeat("x", len(first(ctx, "traceparent"))), LeadId: r.GetLeadId(),
	}
	if ctx.Value(secretKey{}) != nil {
		said.LeadVersion = 1
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	resp := &feedbackv1.ListLeadEventsResponse{Events: []*leadv1.Event{said}}
	f.sends = resp
	return resp, nil
}

type secretKey struct{}

// BatchAppendEvents is one of the methods whose messages are handed over.
func (f *far) BatchAppendEvents(_ context.Context, r *feedbackv1.BatchAppendEventsRequest) (*feedbackv1.BatchAppendEventsResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.got = r
	return &feedbackv1.BatchAppendEventsResponse{Added: int32(len(r.GetEvents()))}, nil
}

func (f *far) Decide(st grpc.BidiStreamingServer[routingv1.DecideRequest, routingv1.DecideResponse]) error {
	if err := st.SendHeader(metadata.Pairs("window", "7", "caller", CallerFrom(st.Context()).String())); err != nil {
		return err
	}
	st.SetTrailer(metadata.Pairs("so", "long"))
	for {
		r, err := st.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			f.ended <- struct{}{}
			return err
		}
		switch r.GetPersonId() {
		case "problem":
			return problem.New(problemv1.Reason_REASON_NOT_READY, "no playbook yet")
		case "panic":
			panic("personal data")
		}
		if err := st.Send(&routingv1.DecideResponse{Sequence: r.GetSequence() + 1}); err != nil {
			return err
		}
	}
}

// way is one of the two ways from a caller to the service.
type way struct {
	conn    grpc.ClientConnInterface
	far     *far
	spans   *tracetest.SpanRecorder
	tracing *trace.TracerProvider
	stop    func()
}

// ways are a connection in process and one over a wire, to services of their own.
func ways(t *testing.T) map[string]*way {
	t.Helper()
	out := map[string]*way{}
	for _, name := range []string{"in process", "over a wire"} {
		w := &way{far: &far{waits: make(chan struct{}, 1), ended: make(chan struct{}, 1)}, spans: tracetest.NewSpanRecorder()}
		w.tracing = trace.NewTracerProvider(trace.WithSpanProcessor(w.spans))
		tel := Telemetry{Log: slog.New(slog.DiscardHandler), Tracing: w.tracing, Metrics: noop.NewMeterProvider()}
		register := func(r grpc.ServiceRegistrar) {
			feedbackv1.RegisterEventServiceServer(r, w.far)
			routingv1.RegisterDecisionServiceServer(r, w.far)
		}
		if name == "in process" {
			s := NewInProcessServer(tel)
			register(s)
			w.conn, w.stop = s.Conn("capture"), s.Stop
		} else {
			s, l := newServer(tel, nil, callerInProcess, nil), bufconn.Listen(1<<20)
			register(s)
			go func() { _ = s.Serve(l) }()
			conn, err := grpc.NewClient("passthrough:///wire", append(clientOptions(tel, "capture"),
				grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return l.DialContext(ctx) }),
				grpc.WithTransportCredentials(insecure.NewCredentials()))...)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = conn.Close() })
			w.conn, w.stop = conn, s.Stop
		}
		t.Cleanup(w.stop)
		out[name] = w
	}
	return out
}

// each runs a case over both ways and compares what it says of them.
func each(t *testing.T, run func(t *testing.T, w *way) []string) {
	t.Helper()
	said := map[string][]string{}
	for name, w := range ways(t) {
		t.Run(name, func(t *testing.T) { said[name] = run(t, w) })
	}
	if d := cmp.Diff(said["over a wire"], said["in process"]); d != "" {
		t.Errorf("a call in process differs from one over a wire (-wire +process):\n%s", d)
	}
}

// face is an error as a caller sees it.
func face(err error) string {
	if err == nil {
		return "none"
	}
	s, ok := status.FromError(err)
	if !ok {
		return "no status: " + err.Error()
	}
	var details []string
	for _, d := range s.Details() {
		if m, ok := d.(proto.Message); ok {
			details = append(details, string(m.ProtoReflect().Descriptor().Name()))
		}
	}
	return s.Code().String() + " " + s.Message() + " " + strings.Join(details, ",")
}

func TestUnaryLikeOverAWire(t *testing.T) {
	for _, id := range []string{"a lead", "problem", "status", "plain", "panic", "nothing", "\xff", strings.Repeat("x", MaxMessage+1)} {
		t.Run(id[:min(len(id), 10)], func(t *testing.T) {
			each(t, func(t *testing.T, w *way) []string {
				ctx, cancel := context.WithTimeout(context.WithValue(t.Context(), secretKey{}, true), time.Minute)
				defer cancel()
				ctx = metadata.AppendToOutgoingContext(ctx, "Said", "one", "said", "two")
				var header, trailer metadata.MD
				finished := 0
				resp, err := feedbackv1.NewEventServiceClient(w.conn).ListLeadEvents(ctx, &feedbackv1.ListLeadEventsRequest{LeadId: id},
					grpc.Header(&header), grpc.Trailer(&trailer), grpc.OnFinish(func(error) { finished++ }))
				out := append([]string{face(err)}, header.Get("answer")...)
				for _, e := range resp.GetEvents() {
					out = append(out, e.GetType(), e.GetSource(), e.GetEventId(), e.GetTraceparent(), e.GetLeadId())
					if e.GetLeadVersion() != 0 {
						t.Error("a value of the caller's context reached the handler")
					}
				}
				if finished != 1 {
					t.Errorf("the end was told %d times", finished)
				}
				return append(out, trailer.Get("answer")...)
			})
		})
	}
}

func TestUnknownMethodLikeOverAWire(t *testing.T) {
	each(t, func(t *testing.T, w *way) []string {
		err := w.conn.Invoke(t.Context(), "/leadmesh.feedback.v1.EventService/Nothing", &leadv1.Lead{}, &leadv1.Lead{})
		return []string{status.Code(err).String()}
	})
}

func TestEndsLikeOverAWire(t *testing.T) {
	for name, end := range map[string]func(context.Context, *far) (context.Context, context.CancelFunc){
		"deadline": func(ctx context.Context, _ *far) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 2*time.Second)
		},
		"cancelled": func(ctx context.Context, far *far) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			go func() {
				select {
				case <-far.waits:
				case <-ctx.Done():
				}
				cancel()
			}()
			return ctx, cancel
		},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, w *way) []string {
				ctx, cancel := end(t.Context(), w.far)
				defer cancel()
				_, err := feedbackv1.NewEventServiceClient(w.conn).ListLeadEvents(ctx, &feedbackv1.ListLeadEventsRequest{LeadId: "wait"})
				select {
				case <-w.far.ended:
				case <-time.After(30 * time.Second):
					t.Error("the handler does not learn that nobody waits")
				}
				return []string{status.Code(err).String()}
			})
		})
	}
}

func TestStreamLikeOverAWire(t *testing.T) {
	for name, persons := range map[string][]string{
		"closed": {"", "", ""}, "problem": {"", "problem"}, "panic": {"panic"}, "nothing sent": {},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, w *way) []string {
				st, err := routingv1.NewDecisionServiceClient(w.conn).Decide(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				for i, p := range persons {
					if err := st.Send(&routingv1.DecideRequest{Sequence: uint64(10 * i), PersonId: p}); err != nil {
						t.Fatal(err)
					}
				}
				if err := st.CloseSend(); err != nil {
					t.Fatal(err)
				}
				header, err := st.Header()
				out := []string{face(err), strings.Join(header.Get("window"), ","), strings.Join(header.Get("caller"), ",")}
				for {
					a, err := st.Recv()
					if errors.Is(err, io.EOF) {
						out = append(out, "end")
					} else if err != nil {
						out = append(out, face(err))
					}
					if err != nil {
						return append(out, st.Trailer().Get("so")...)
					}
					out = append(out, string(rune('0'+a.GetSequence())))
				}
			})
		})
	}
}

func TestStreamEndsLikeOverAWire(t *testing.T) {
	each(t, func(t *testing.T, w *way) []string {
		ctx, cancel := context.WithCancel(t.Context())
		st, err := routingv1.NewDecisionServiceClient(w.conn).Decide(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := st.Header(); err != nil {
			t.Fatal(err)
		}
		cancel()
		_, err = st.Recv()
		select {
		case <-w.far.ended:
		case <-time.After(30 * time.Second):
			t.Error("the handler does not learn that nobody waits")
		}
		return []string{status.Code(err).String(), face(st.Send(&routingv1.DecideRequest{}))}
	})
}

// The same spans come of both ways, each the child of the same one.
func TestTracedLikeOverAWire(t *testing.T) {
	each(t, func(t *testing.T, w *way) []string {
		ctx, root := w.tracing.Tracer("test").Start(t.Context(), "root")
		for _, id := range []string{"a lead", "status"} {
			_, _ = feedbackv1.NewEventServiceClient(w.conn).ListLeadEvents(ctx, &feedbackv1.ListLeadEventsRequest{LeadId: id})
		}
		root.End()
		await(t, "all spans have ended", func() bool { return len(w.spans.Ended()) == 5 }) // a server's ends after the answer
		names := map[string]string{}
		for _, s := range w.spans.Ended() {
			names[s.SpanContext().SpanID().String()] = s.SpanKind().String() + " " + s.Name()
		}
		var out []string
		for _, s := range w.spans.Ended() {
			var attributes []string
			for _, a := range s.Attributes() {
				if strings.HasPrefix(string(a.Key), "rpc.") {
					attributes = append(attributes, string(a.Key)+"="+a.Value.String())
				}
			}
			out = append(out, names[s.SpanContext().SpanID().String()]+" in "+names[s.Parent().SpanID().String()]+" "+
				s.Status().Code.String()+" "+strings.Join(attributes, " "))
		}
		slices.Sort(out)
		return out
	})
}

func TestStoppedLikeOverAWire(t *testing.T) {
	each(t, func(t *testing.T, w *way) []string {
		st, err := routingv1.NewDecisionServiceClient(w.conn).Decide(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := st.Header(); err != nil {
			t.Fatal(err)
		}
		w.stop()
		_, err = st.Recv()
		_, later := feedbackv1.NewEventServiceClient(w.conn).ListLeadEvents(t.Context(), &feedbackv1.ListLeadEventsRequest{})
		return []string{status.Code(err).String(), status.Code(later).String()}
	})
}

func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 30 s", what)
		}
	}
}

// GracefulStop waits for what runs and takes nothing more.
func TestGracefulStop(t *testing.T) {
	s := NewInProcessServer(Telemetry{Log: slog.New(slog.DiscardHandler), Tracing: trace.NewTracerProvider(), Metrics: noop.NewMeterProvider()})
	f := &far{waits: make(chan struct{}, 1), ended: make(chan struct{}, 1)}
	feedbackv1.RegisterEventServiceServer(s, f)
	client := feedbackv1.NewEventServiceClient(s.Conn("capture"))
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		_, _ = client.ListLeadEvents(ctx, &feedbackv1.ListLeadEventsRequest{LeadId: "wait"})
	}()
	await(t, "the call runs", f.called)
	stopped := make(chan struct{})
	go func() { s.GracefulStop(); close(stopped) }()
	await(t, "calls are refused", func() bool {
		_, err := client.ListLeadEvents(t.Context(), &feedbackv1.ListLeadEventsRequest{})
		return status.Code(err) == codes.Unavailable
	})
	select {
	case <-stopped:
		t.Fatal("it did not wait")
	default:
	}
	cancel()
	select {
	case <-stopped:
	case <-time.After(30 * time.Second):
		t.Fatal("it does not end")
	}
}

// What a method's two ends hold is their own, unless they keep the rule of those handed over.
func TestMessagesAreCopied(t *testing.T) {
	w := ways(t)["in process"]
	events := feedbackv1.NewEventServiceClient(w.conn)
	e := &leadv1.Event{EventId: "1"}
	if _, err := events.BatchAppendEvents(t.Context(), &feedbackv1.BatchAppendEventsRequest{Events: []*leadv1.Event{e}}); err != nil {
		t.Fatal(err)
	}
	if got, ok := w.far.got.(*feedbackv1.BatchAppendEventsRequest); !ok || got.GetEvents()[0] != e {
		t.Error("the event was copied: the hot road hands it over")
	}
	resp, err := feedbackv1.NewEventServiceClient(w.conn).ListLeadEvents(t.Context(), &feedbackv1.ListLeadEventsRequest{LeadId: "a lead"})
	if err != nil {
		t.Fatal(err)
	}
	if sent, ok := w.far.sends.(*feedbackv1.ListLeadEventsResponse); !ok || sent.GetEvents()[0] == resp.GetEvents()[0] {
		t.Error("an answer is shared by both ends")
	}
}
