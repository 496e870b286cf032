// Command echo answers every request of the Decide stream with one given answer, behind the very
// listener, interceptors and telemetry that Routing has. What it manages is what the transport
// allows: `make bench` measures the real stream beside it. It decides nothing and keeps nothing.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/mesh"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "echo:", err)
		return 1
	}
	return 0
}

func serve(ctx context.Context) (err error) {
	listen := flag.String("mesh", "127.0.0.1:0", "address to listen on")
	cert := flag.String("mesh-cert", "", "certificate")
	key := flag.String("mesh-key", "", "its key")
	ca := flag.String("mesh-ca", "", "authority of the callers")
	ratio := flag.Float64("trace-ratio", 0.01, "share of new traces recorded")
	file := flag.String("answer", "", "file with the DecideResponse to answer with, encoded")
	flag.Parse()

	raw, err := os.ReadFile(*file)
	if err != nil {
		return fmt.Errorf("read the answer (--answer): %w", err)
	}
	answer := &routingv1.DecideResponse{}
	if err := proto.Unmarshal(raw, answer); err != nil {
		return fmt.Errorf("decode the answer (--answer): %w", err)
	}
	certs, err := rpc.ReadCertificates(*cert, *key, *ca)
	if err != nil {
		return err
	}
	tel, err := telemetry.New(ctx, telemetry.Config{Service: "echo", SampleRatio: *ratio, LogLevel: slog.LevelWarn})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tel.Shutdown(context.WithoutCancel(ctx))) }()
	host, err := mesh.New(mesh.Config{Runs: []string{"routing"}, Mesh: *listen, Certs: certs, Tokens: rpc.OpenTokens()},
		rpc.Telemetry{Log: tel.Log, Tracing: tel.Tracing, Metrics: tel.Metrics})
	if err != nil {
		return err
	}
	host.Add(mesh.Service{Name: "routing", Internal: func(r grpc.ServiceRegistrar) {
		routingv1.RegisterDecisionServiceServer(r, &echo{answer: answer})
	}})
	fmt.Printf("mesh %s\n", host.MeshAddr())
	return host.Run(ctx)
}

// echo answers with the same decision whatever the lead.
type echo struct {
	routingv1.UnsafeDecisionServiceServer
	answer *routingv1.DecideResponse
}

// Decide answers each request in turn.
func (e *echo) Decide(st grpc.BidiStreamingServer[routingv1.DecideRequest, routingv1.DecideResponse]) error {
	for {
		r, err := st.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := st.Send(&routingv1.DecideResponse{Sequence: r.GetSequence(), Answer: e.answer.GetAnswer()}); err != nil {
			return err
		}
	}
}
