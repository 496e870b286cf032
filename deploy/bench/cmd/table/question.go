package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/leadmesh/leadmesh/deploy/bench/load"
	"github.com/leadmesh/leadmesh/deploy/bench/product"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

const (
	questionStreams = 4
	questionWindow  = 64 // on each stream
	questionSignals = 60
)

// questioning measures the Decide stream with DRY_RUN over TCP beside an echo behind the same
// listener: what deciding costs on top of carrying the messages.
func (b *bench) questioning(ctx context.Context) (rows []Row, err error) {
	sink, err := product.NewSink()
	if err != nil {
		return nil, err
	}
	defer sink.Close()
	b.env = sink.Env()
	s, err := b.stage(ctx)
	b.env = nil
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	conn, err := s.process.DialAs("capture")
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	maker, err := load.NewMaker("p2", uint64(time.Now().UnixNano()))
	if err != nil {
		return nil, err
	}
	requests, err := load.Questions(maker, amount(b, 6_000, 30_000), questionSignals)
	if err != nil {
		return nil, err
	}
	size := 0
	for _, r := range requests {
		size += len(r.Bytes)
	}
	answer, err := ask(ctx, conn, requests[0])
	if err != nil {
		return nil, err
	}
	echo, err := startEcho(ctx, s, answer)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, echo.Stop()) }()
	echoConn, err := echo.DialAs("capture")
	if err != nil {
		return nil, err
	}
	defer echoConn.Close()

	run := func(conn *grpc.ClientConn, requests []load.Frame, streams, window int) (load.Outcome, error) {
		o, err := load.Decide{Conn: conn, Streams: streams}.Run(ctx, requests, window, 0)
		if err == nil && o.Refused > 0 {
			err = fmt.Errorf("%d of %d leads were refused, one because of %s", o.Refused, len(requests), o.Problem)
		}
		return o, err
	}
	alone := requests[:amount(b, 1_000, 5_000)]
	var rates, limits, ratios []float64
	var times, others []time.Duration
	var worse []float64
	var work, carry time.Duration // processor time of the product and of the echo under load
	err = b.profiled(ctx, s, "P2", int(amount(b, 5, 30)), func() error {
		for pair := range b.pairs + 1 {
			busy := product.CPU(s.process.PID, false)
			o, err := run(conn, requests, questionStreams, questionWindow)
			busy = product.CPU(s.process.PID, false) - busy
			if err != nil {
				return fmt.Errorf("%w; the product said: %s", err, s.process.LastWords())
			}
			plain := product.CPU(echo.PID, false)
			e, err := run(echoConn, requests, questionStreams, questionWindow)
			plain = product.CPU(echo.PID, false) - plain
			if err != nil {
				return fmt.Errorf("the echo: %w", err)
			}
			one, err := run(conn, alone, 1, 1)
			if err != nil {
				return err
			}
			other, err := run(echoConn, alone, 1, 1)
			if err != nil {
				return fmt.Errorf("the echo: %w", err)
			}
			if pair == 0 {
				continue // to warm up
			}
			work, carry = work+busy, carry+plain
			rates, limits, ratios = append(rates, o.Rate()), append(limits, e.Rate()), append(ratios, o.Rate()/e.Rate())
			times, others = append(times, one.Times...), append(others, other.Times...)
			worse = append(worse, ratioAt(one.Times, other.Times, 0.99))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for wait := 0; sink.Spans() == 0 && wait < 100; wait++ { // they come every few seconds
		time.Sleep(100 * time.Millisecond)
	}
	if sink.Spans() == 0 {
		return nil, errors.New("no span arrived: the product was measured without tracing")
	}
	asked := time.Duration(b.pairs * len(requests))
	return []Row{
		{What: "Decide stream, DRY_RUN", Figure: perSecond(median(rates)), Limit: perSecond(median(limits)), Ratio: rangeOf(ratios),
			Goal: ">= 0.6", Held: held(median(ratios) >= 0.6),
			Note: fmt.Sprintf("%d streams, window %d, requests of %d bytes with the profile of %d signals, answers of %d bytes; limit: an echo of such answers "+
				"in a process of its own; mutual TLS and tracing at 1 %% on both sides; processor time a lead %s, of the echo %s",
				questionStreams, questionWindow, size/len(requests), questionSignals, len(answer), took(work/asked), took(carry/asked))},
		{What: "its p99 at one in flight", Figure: took(load.Quantile(times, 0.99)), Limit: took(load.Quantile(others, 0.99)), Ratio: rangeOf(worse),
			Goal: "<= 1.5x", Held: held(median(worse) <= 1.5), Note: quantiles(times) + "; the echo " + quantiles(others)},
	}, nil
}

// ask sends one request and returns the answer as it came.
func ask(ctx context.Context, conn *grpc.ClientConn, request load.Frame) ([]byte, error) {
	st, err := routingv1.NewDecisionServiceClient(conn).Decide(ctx)
	if err != nil {
		return nil, err
	}
	r := &routingv1.DecideRequest{}
	if err := proto.Unmarshal(request.Bytes, r); err != nil {
		return nil, err
	}
	if err := errors.Join(st.Send(r), st.CloseSend()); err != nil {
		return nil, err
	}
	resp, err := st.Recv()
	if err != nil {
		return nil, err
	}
	if resp.GetDecision() == nil {
		return nil, fmt.Errorf("the product did not decide: %s", resp.GetProblem().GetReason())
	}
	return proto.Marshal(resp)
}

// startEcho builds the echo and starts it beside the product.
func startEcho(ctx context.Context, s *stage, answer []byte) (*product.Process, error) {
	binary := filepath.Join(s.home.Dir, "echo")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", binary, "./cmd/echo")
	build.Dir = filepath.Join("..", "..", "services")
	build.Env = append(os.Environ(), "GOWORK=")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the echo: %w: %s", err, out)
	}
	return s.home.StartEcho(ctx, binary, answer)
}
