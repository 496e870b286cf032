package rpc

import (
	"context"
	"io"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// streamWindow is how many messages may be under way in each direction before a sender waits.
const streamWindow = 256

// inProcessStream is what the two ends of a stream share. Like a stream over a wire, each end may be
// used by one sender and one receiver at once.
type inProcessStream struct {
	*call
	requests, answers chan any
	done              chan struct{} // closed when the handler has returned
	err               error         // its status; read after done
}

// NewStream opens a stream.
func (c *inProcessConn) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	k := c.begin(ctx, method, desc, opts)
	st, err := k.stream()
	if err != nil {
		k.end(err)
		return nil, err
	}
	unfollow := context.AfterFunc(k.client, func() {
		k.cancel()
		k.end(statusOf(k.client.Err())) // the caller may never read to the end
	})
	return &clientEnd{inProcessStream: st, opts: opts, unfollow: unfollow}, nil
}

func (k *call) stream() (*inProcessStream, error) {
	m, ok := k.server.streams[k.method]
	switch {
	case k.client.Err() != nil:
		return nil, statusOf(k.client.Err())
	case !ok:
		return nil, status.Errorf(codes.Unimplemented, "unknown method %s", k.method)
	case !k.open():
		return nil, errStopped
	}
	st := &inProcessStream{
		call: k, requests: make(chan any, streamWindow), answers: make(chan any, streamWindow), done: make(chan struct{}),
	}
	info := &grpc.StreamServerInfo{FullMethod: k.method, IsClientStream: m.desc.ClientStreams, IsServerStream: m.desc.ServerStreams}
	go func() {
		st.err = k.serve(m.desc, func(ctx context.Context) error {
			return k.server.chain.stream()(m.impl, serverEnd{st, ctx}, info, m.desc.Handler)
		})
		close(st.done)
	}()
	return st, nil
}

// clientEnd is the caller's end.
type clientEnd struct {
	*inProcessStream
	opts     []grpc.CallOption
	unfollow func() bool
	close    sync.Once
}

// Context implements grpc.ClientStream.
func (c *clientEnd) Context() context.Context { return c.client }

// Header waits for the header, or the end of a stream without one.
func (c *clientEnd) Header() (metadata.MD, error) {
	select {
	case <-c.headerSent:
	case <-c.done:
	case <-c.client.Done():
		return nil, statusOf(c.client.Err())
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.header.Copy(), nil
}

// Trailer implements grpc.ClientStream.
func (c *clientEnd) Trailer() metadata.MD {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.trailer.Copy()
}

// CloseSend implements grpc.ClientStream.
func (c *clientEnd) CloseSend() error {
	c.close.Do(func() { close(c.requests) })
	return nil
}

// SendMsg hands a message to the handler; io.EOF if it has ended, RecvMsg says why.
func (c *clientEnd) SendMsg(m any) error {
	select {
	case <-c.done:
		return io.EOF
	case <-c.served.Done():
		return io.EOF
	default:
	}
	sent, err := c.outgoing(m)
	if err != nil {
		return err
	}
	select {
	case c.requests <- sent:
		return nil
	case <-c.done:
	case <-c.served.Done():
	}
	return io.EOF
}

// RecvMsg waits for the next answer; io.EOF after the last.
func (c *clientEnd) RecvMsg(m any) error {
	var a any
	select {
	case a = <-c.answers: // what was sent before an end counts
	default:
		select {
		case a = <-c.answers:
		case <-c.client.Done():
			return c.finish(c.client.Err())
		case <-c.server.base.Done():
			return c.finish(errStopped)
		case <-c.done:
			select {
			case a = <-c.answers:
			default:
				return c.finish(c.cut(c.err))
			}
		}
	}
	return handOver(m, a)
}

func (c *clientEnd) finish(err error) error {
	err = statusOf(err)
	c.unfollow()
	c.tell(c.opts)
	c.end(err)
	if err == nil {
		return io.EOF
	}
	return err
}

// serverEnd is the handler's end.
type serverEnd struct {
	*inProcessStream
	ctx context.Context
}

// Context implements grpc.ServerStream.
func (s serverEnd) Context() context.Context { return s.ctx }

// SetTrailer implements grpc.ServerStream.
func (s serverEnd) SetTrailer(md metadata.MD) {
	_ = s.call.SetTrailer(md) // it always returns nil
}

// SendMsg hands a message to the caller.
func (s serverEnd) SendMsg(m any) error {
	sent, err := s.outgoing(m)
	if err != nil {
		return err
	}
	s.send()
	select {
	case s.answers <- sent:
		return nil
	case <-s.ctx.Done():
		return statusOf(s.ctx.Err())
	}
}

// RecvMsg waits for the next message; io.EOF when the caller has closed its side.
func (s serverEnd) RecvMsg(m any) error {
	select {
	case r, ok := <-s.requests:
		if !ok {
			return io.EOF
		}
		return handOver(m, r)
	case <-s.ctx.Done():
		return statusOf(s.ctx.Err())
	}
}

// share sets every field of a fresh message to that of another.
func share(into, from protoreflect.Message) {
	from.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		into.Set(f, v)
		return true
	})
	into.SetUnknown(from.GetUnknown())
}
