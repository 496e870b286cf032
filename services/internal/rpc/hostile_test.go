package rpc_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"go.opentelemetry.io/otel/metric/noop"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/gzip" // as the exporter of traces brings it into the product
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

const token = "oem-token-for-the-tests-0001"

// house stands for the services behind a public server and counts what reaches them.
type house struct {
	identityv1.UnimplementedIdentityServiceServer
	routingv1.UnimplementedDecisionServiceServer
	signals chan int
	hold    chan struct{} // nil: answers at once
}

func (h *house) BatchCreateSignals(_ context.Context, req *identityv1.BatchCreateSignalsRequest) (*identityv1.BatchCreateSignalsResponse, error) {
	h.signals <- len(req.GetSignals())
	if h.hold != nil {
		<-h.hold
	}
	return &identityv1.BatchCreateSignalsResponse{}, nil
}

func (h *house) Decide(st grpc.BidiStreamingServer[routingv1.DecideRequest, routingv1.DecideResponse]) error {
	for {
		r, err := st.Recv()
		if err != nil {
			return err
		}
		if err := st.Send(&routingv1.DecideResponse{Sequence: r.GetSequence()}); err != nil {
			return err
		}
	}
}

func serve(t *testing.T, h *house) *grpc.ClientConn { t.Helper(); return serveMany(t, h, 1)[0] }

// serveMany serves and connects several times.
func serveMany(t *testing.T, h *house, n int) (conns []*grpc.ClientConn) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(file, []byte(token+" web oem\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tokens, err := rpc.ReadTokens(file)
	if err != nil {
		t.Fatal(err)
	}
	s := rpc.NewPublicServer(rpc.Telemetry{Log: slog.New(slog.DiscardHandler), Tracing: tracenoop.NewTracerProvider(), Metrics: noop.NewMeterProvider()}, tokens, nil)
	identityv1.RegisterIdentityServiceServer(s, h)
	routingv1.RegisterDecisionServiceServer(s, h)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	for range n {
		conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(128<<20)))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		conns = append(conns, conn)
	}
	return conns
}

// raw is a codec that sends bytes as they are.
type raw struct{}

func (raw) Marshal(v any) ([]byte, error) { return *v.(*[]byte), nil }
func (raw) Unmarshal(b []byte, v any) error {
	*v.(*[]byte) = bytes.Clone(b)
	return nil
}
func (raw) Name() string { return "proto" }

var _ encoding.Codec = raw{}

const batch = "/leadmesh.identity.v1.IdentityService/BatchCreateSignals"

func authorized(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
}

func TestHostileMessages(t *testing.T) {
	h := &house{signals: make(chan int, 100)}
	conn := serve(t, h)
	empties := func(m proto.Message, field protoreflect.Name) []byte {
		tag := protowire.AppendTag(nil, m.ProtoReflect().Descriptor().Fields().ByName(field).Number(), protowire.BytesType)
		return bytes.Repeat(append(tag, 0), 1_000_000)
	}
	signal := empties(&identityv1.Signal{}, "identifiers")
	within := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), signal)
	text, err := proto.Marshal(&identityv1.BatchCreateSignalsRequest{Signals: []*identityv1.Signal{{Vin: "A"}}})
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		message []byte
		code    codes.Code
		reason  string
	}{
		"not protobuf":            {[]byte("\xff\xff\xff\xff"), codes.InvalidArgument, "UNREADABLE_BODY"},
		"another wire type":       {[]byte{0x08, 0x01, 0x0a}, codes.InvalidArgument, "UNREADABLE_BODY"},
		"longer than it is":       {[]byte{0x0a, 0x7f, 0x00}, codes.InvalidArgument, "UNREADABLE_BODY"},
		"text that is not UTF-8":  {bytes.Replace(text, []byte("A"), []byte("\xff"), 1), codes.InvalidArgument, "UNREADABLE_BODY"},
		"a group without end":     {bytes.Repeat([]byte{0x0b}, 100_000), codes.InvalidArgument, "UNREADABLE_BODY"},
		"a million empties":       {empties(&identityv1.BatchCreateSignalsRequest{}, "signals"), codes.InvalidArgument, "TOO_LARGE"},
		"a million within one":    {within, codes.InvalidArgument, "TOO_LARGE"},
		"larger than any message": {make([]byte, 64<<20), codes.ResourceExhausted, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var answer []byte
			err := conn.Invoke(authorized(t), batch, &tc.message, &answer, grpc.ForceCodec(raw{}))
			if got := status.Code(err); got != tc.code {
				t.Errorf("code %s: %v", got, err)
			}
			if p := problem.From(err); p != nil && tc.reason != "" && p.Code() != tc.reason {
				t.Errorf("reason %s, want %s", p.Code(), tc.reason)
			}
		})
	}
	if n := len(h.signals); n != 0 {
		t.Errorf("%d hostile messages reached the service", n)
	}
	good := &identityv1.BatchCreateSignalsRequest{Signals: make([]*identityv1.Signal, 1_000)}
	for i := range good.Signals {
		good.Signals[i] = &identityv1.Signal{Vin: strings.Repeat("V", 200)}
	}
	if _, err := identityv1.NewIdentityServiceClient(conn).BatchCreateSignals(authorized(t), good); err != nil || <-h.signals != 1_000 {
		t.Errorf("a full batch afterwards: %v", err)
	}
}

// A few kilobytes of gzip would be megabytes of message.
func TestCompressedMessagesAreRefused(t *testing.T) {
	h := &house{signals: make(chan int, 1)}
	conn := serve(t, h)
	large := make([]byte, 30<<20)
	var answer []byte
	err := conn.Invoke(authorized(t), batch, &large, &answer, grpc.UseCompressor("gzip"), grpc.ForceCodec(raw{}))
	if p := problem.From(err); status.Code(err) != codes.InvalidArgument || p.Code() != "UNSUPPORTED_MEDIA_TYPE" {
		t.Errorf("gzip: %v", err)
	}
	if len(h.signals) > 0 {
		t.Error("a compressed message reached the service")
	}
}

func TestHostileMessageOfAStream(t *testing.T) {
	conn := serve(t, &house{})
	st, err := conn.NewStream(authorized(t), &grpc.StreamDesc{ClientStreams: true, ServerStreams: true},
		"/leadmesh.routing.v1.DecisionService/Decide", grpc.ForceCodec(raw{}))
	if err != nil {
		t.Fatal(err)
	}
	good, err := proto.Marshal(&routingv1.DecideRequest{Sequence: 7})
	if err != nil {
		t.Fatal(err)
	}
	var answer []byte
	if err := st.SendMsg(&good); err != nil || st.RecvMsg(&answer) != nil || !bytes.Equal(answer, good) {
		t.Fatalf("a good message: %v %x", err, answer)
	}
	bad := []byte("\xff\xff")
	if err := st.SendMsg(&bad); err != nil {
		t.Fatal(err)
	}
	if err := st.RecvMsg(&answer); status.Code(err) != codes.InvalidArgument {
		t.Errorf("a message that is none: %v", err)
	}
}

// An identifier with a NUL is refused at the door; what stands within a message is for its reader.
func TestIdentifiersWithNUL(t *testing.T) {
	h := &house{signals: make(chan int, 1)}
	client := identityv1.NewIdentityServiceClient(serve(t, h))
	_, err := client.GetPerson(authorized(t), &identityv1.GetPersonRequest{PersonId: "a\x00b"})
	if p := problem.From(err); p.Code() != "INVALID_ARGUMENT" || len(p.Violations) != 1 || p.Violations[0].Field != "person_id" {
		t.Errorf("in an identifier: %v", err)
	}
	if _, err := client.BatchCreateSignals(authorized(t), &identityv1.BatchCreateSignalsRequest{Signals: []*identityv1.Signal{{Vin: "a\x00b"}}}); err != nil {
		t.Errorf("within: %v", err)
	}
}

// Who may not call is told so before its message is read.
func TestUnauthenticatedMessagesAreNotRead(t *testing.T) {
	conn := serve(t, &house{})
	st, err := conn.NewStream(t.Context(), &grpc.StreamDesc{ClientStreams: true}, batch, grpc.ForceCodec(raw{}))
	if err != nil {
		t.Fatal(err)
	}
	var answer []byte // nothing is ever sent
	if err := st.RecvMsg(&answer); status.Code(err) != codes.Unauthenticated || problem.From(err).Code() != "UNAUTHENTICATED" {
		t.Errorf("without a token: %v", err)
	}
}

// Calls beyond the limit are told to come back, and those inside it are answered.
func TestCallsInProgressAreLimited(t *testing.T) {
	const most, each = 4_096, 900
	h := &house{signals: make(chan int, most), hold: make(chan struct{})}
	conns := serveMany(t, h, most/each+2)
	ctx, answers := authorized(t), make(chan error, most)
	call := func(i int) error {
		_, err := identityv1.NewIdentityServiceClient(conns[i/each]).BatchCreateSignals(ctx, &identityv1.BatchCreateSignalsRequest{})
		return err
	}
	for i := range most {
		go func() { answers <- call(i) }()
	}
	for range most {
		select {
		case <-h.signals:
		case err := <-answers:
			t.Fatalf("inside the limit: %v", err)
		}
	}
	err := call(len(conns)*each - 1)
	if p := problem.From(err); status.Code(err) != codes.ResourceExhausted || p.Code() != "OVERLOADED" || p.RetryAfter <= 0 {
		t.Errorf("beyond the limit: %v", err)
	}
	close(h.hold)
	for range most {
		if err := <-answers; err != nil {
			t.Fatalf("inside the limit: %v", err)
		}
	}
	if err := call(0); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestConnectionsAreLimited(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := rpc.Limit(inner, 3)
	t.Cleanup(func() { _ = l.Close() })
	var clients, servers []net.Conn
	for i := range 6 {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		s, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		clients, servers = append(clients, c), append(servers, s)
		if i < 2 {
			continue
		}
		for _, k := range []int{0, 1} { // two go on talking, the others are silent
			fmt.Fprint(clients[k], "x")
			if _, err := servers[k].Read(make([]byte, 1)); err != nil {
				t.Fatalf("connection %d talks and was closed when %d came: %v", k, i, err)
			}
		}
	}
	for i := 2; i < 5; i++ {
		if _, err := clients[i].Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("silent connection %d lives: %v", i, err)
		}
	}
}
