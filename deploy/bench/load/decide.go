package load

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/leadmesh/leadmesh/core/signal"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// Decide sends leads over Decide streams.
type Decide struct {
	Conn    *grpc.ClientConn
	Streams int
}

// Requests encodes n leads of a maker for COMMIT; their sequences are 1 to n.
func Requests(m *Maker, n int) ([]Frame, error) {
	now := time.Now()
	var known signal.Profile // what Identity answers of somebody who asks for the first time
	known.Inquired(now.Unix())
	profile := known.Marshal()
	return encode(n, func(i int) (*routingv1.DecideRequest, error) {
		l, person := m.Captured(now)
		return &routingv1.DecideRequest{Mode: routingv1.DecideMode_DECIDE_MODE_COMMIT, Lead: l, PersonId: person, Profile: profile}, nil
	})
}

// Questions encodes n leads of a maker for DRY_RUN, of people who tell a lot and of whom signals
// signals are known.
func Questions(m *Maker, n, signals int) ([]Frame, error) {
	now := time.Now()
	return encode(n, func(i int) (*routingv1.DecideRequest, error) {
		l, _ := m.Captured(now)
		m.tellMore(l)
		profile, err := m.profile(now, signals)
		return &routingv1.DecideRequest{Mode: routingv1.DecideMode_DECIDE_MODE_DRY_RUN, Lead: l, Profile: profile}, err
	})
}

func encode(n int, request func(i int) (*routingv1.DecideRequest, error)) ([]Frame, error) {
	out := make([]Frame, n)
	for i := range out {
		r, err := request(i)
		if err != nil {
			return nil, err
		}
		r.Sequence = uint64(i + 1)
		raw, err := proto.Marshal(r)
		if err != nil {
			return nil, fmt.Errorf("encode a lead: %w", err)
		}
		out[i].Bytes = raw
	}
	return out, nil
}

// Outcome is how a run went.
type Outcome struct {
	Decided, Refused int
	Problem          string // of one that was refused
	Took             time.Duration
	Times            []time.Duration // of the decided ones, from when they were due or sent
}

// Rate is decided leads per second.
func (o Outcome) Rate() float64 { return float64(o.Decided) / o.Took.Seconds() }

// Run sends the requests, with at most window unanswered on each stream, as fast as they are
// answered; or, with a rate above 0, when they are due. It returns when all are answered.
func (d Decide) Run(ctx context.Context, requests []Frame, window int, rate float64) (Outcome, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := &decideRun{requests: requests, sent: make([]time.Time, len(requests)), times: make([]time.Duration, len(requests))}
	r.due = Due{Start: time.Now(), Rate: rate}
	errs := make(chan error, d.Streams)
	for s := range d.Streams {
		go func() { errs <- r.stream(ctx, d.Conn, s, d.Streams, window) }()
	}
	var failed error
	for range d.Streams {
		if err := <-errs; err != nil && failed == nil {
			failed = err
			cancel()
		}
	}
	o := Outcome{Refused: int(r.refused.Load()), Took: time.Since(r.due.Start)}
	for _, t := range r.times {
		if t > 0 {
			o.Times = append(o.Times, t)
		}
	}
	o.Decided = len(o.Times)
	if p, ok := r.problem.Load().(string); ok {
		o.Problem = p
	}
	return o, failed
}

type decideRun struct {
	requests []Frame
	due      Due
	sent     []time.Time
	times    []time.Duration
	refused  atomic.Int64
	problem  atomic.Value
}

// stream sends every streams-th request from the s-th on over one stream.
func (r *decideRun) stream(ctx context.Context, conn *grpc.ClientConn, s, streams, window int) error {
	desc := &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}
	st, err := conn.NewStream(ctx, desc, routingv1.DecisionService_Decide_FullMethodName, Frames())
	if err != nil {
		return fmt.Errorf("open a stream: %w", err)
	}
	slots := make(chan struct{}, window)
	var sending sync.WaitGroup
	sending.Add(1)
	go func() {
		defer sending.Done()
		for i := s; i < len(r.requests); i += streams {
			if r.due.Rate > 0 {
				r.sent[i] = r.due.At(i)
				time.Sleep(time.Until(r.sent[i]))
			}
			select {
			case slots <- struct{}{}:
			case <-ctx.Done():
				return
			}
			if r.due.Rate == 0 {
				r.sent[i] = time.Now()
			}
			if st.SendMsg(&r.requests[i]) != nil {
				return // the receiver learns why
			}
		}
		_ = st.CloseSend() // it always returns nil
	}()
	defer sending.Wait()
	for i := s; i < len(r.requests); i += streams {
		var f Frame
		if err := st.RecvMsg(&f); err != nil {
			return errors.Join(errors.New("the stream ended with leads unanswered"), err)
		}
		<-slots
		if err := r.answer(f.Bytes); err != nil {
			return err
		}
	}
	return nil
}

func (r *decideRun) answer(message []byte) error {
	var sequence uint64
	var decided bool
	var problem []byte
	err := Fields(message, func(field protowire.Number, number uint64, bytes []byte) error {
		switch field {
		case 1:
			sequence = number
		case 2:
			decided = true
		case 3:
			problem = bytes
		}
		return nil
	})
	if err != nil {
		return err
	}
	i := int(sequence) - 1
	switch {
	case i < 0 || i >= len(r.requests) || !decided && problem == nil:
		return errAnswer
	case decided:
		r.times[i] = max(time.Since(r.sent[i]), 1)
	default:
		r.refused.Add(1)
		r.problem.CompareAndSwap(nil, fmt.Sprintf("%q", problem))
	}
	return nil
}
