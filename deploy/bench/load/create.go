package load

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// Batches encodes leads of a maker as n requests of size leads each.
func Batches(m *Maker, n, size int) ([]Frame, error) {
	out := make([]Frame, n)
	now := time.Now()
	for i := range out {
		req := &capturev1.BatchCreateLeadsRequest{}
		for range size {
			req.Leads = append(req.Leads, m.Sent(now))
		}
		raw, err := proto.Marshal(req)
		if err != nil {
			return nil, fmt.Errorf("encode a batch: %w", err)
		}
		out[i].Bytes = raw
	}
	return out, nil
}

// Created is how a run of batches went.
type Created struct {
	States  map[leadv1.State]int // of the answers
	Refused int                  // not taken, with a problem
	Problem string               // of one of them
	Took    time.Duration
	Times   []time.Duration // of the batches
}

// Decided is the number of leads that were answered with what became of them.
func (c Created) Decided() int {
	n := 0
	for state, count := range c.States {
		if state != leadv1.State_STATE_PENDING && state != leadv1.State_STATE_UNSPECIFIED {
			n += count
		}
	}
	return n
}

// Rate is decided leads per second.
func (c Created) Rate() float64 { return float64(c.Decided()) / c.Took.Seconds() }

// Create sends the batches with as many callers at once as said and returns when all are answered.
func Create(ctx context.Context, conn *grpc.ClientConn, batches []Frame, callers int) (Created, error) {
	c := Created{States: map[leadv1.State]int{}}
	var mu sync.Mutex
	var next atomic.Int64
	var calls sync.WaitGroup
	var failed error
	start := time.Now()
	for range callers {
		calls.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(batches) || ctx.Err() != nil {
					return
				}
				began := time.Now()
				var answer Frame
				err := conn.Invoke(ctx, capturev1.CaptureService_BatchCreateLeads_FullMethodName, &batches[i], &answer, Frames())
				took := time.Since(began)
				mu.Lock()
				if err == nil {
					err = c.add(answer.Bytes, took)
				}
				if err != nil && failed == nil {
					failed = fmt.Errorf("send a batch: %w", err)
				}
				mu.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	calls.Wait()
	c.Took = time.Since(start)
	return c, failed
}

func (c *Created) add(message []byte, took time.Duration) error {
	c.Times = append(c.Times, took)
	return Fields(message, func(field protowire.Number, _ uint64, result []byte) error {
		if field != 1 {
			return nil
		}
		var state leadv1.State
		var problem []byte
		err := Fields(result, func(field protowire.Number, number uint64, bytes []byte) error {
			switch field {
			case 2:
				state = leadv1.State(number)
			case 4:
				problem = bytes
			}
			return nil
		})
		if problem != nil {
			c.Refused++
			c.Problem = fmt.Sprintf("%q", problem)
			return err
		}
		c.States[state]++
		return err
	})
}
