package rpc

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// InProcess serves callers of the same process. Interceptors, metadata, deadlines, cancellation,
// status errors, panics and traces are those of the other servers; only the wire is left out:
// nothing is encoded, and the limits of a wire (message size, streams of a connection) do not
// apply. Safe for concurrent use.
type InProcess struct {
	chain    chain
	watch    stats.Handler
	clients  stats.Handler
	unary    map[string]unaryMethod // written by RegisterService only, before the first call
	streams  map[string]streamMethod
	base     context.Context // of every call; ends with Stop
	stop     context.CancelFunc
	mu       sync.Mutex
	stopping bool
	running  int
	idle     chan struct{} // closed when stopping and nothing runs
}

type unaryMethod struct {
	impl    any
	handler grpc.MethodHandler
}

type streamMethod struct {
	impl any
	desc *grpc.StreamDesc
}

// NewInProcessServer makes the server for callers of the same process, who get their connections
// from Conn.
func NewInProcessServer(t Telemetry) *InProcess {
	s := &InProcess{
		chain: chain{log: t.Log, caller: callerInProcess},
		watch: otelgrpc.NewServerHandler(t.observe()...), clients: otelgrpc.NewClientHandler(t.observe()...),
		unary: map[string]unaryMethod{}, streams: map[string]streamMethod{}, idle: make(chan struct{}),
	}
	s.base, s.stop = context.WithCancel(context.Background())
	return s
}

// RegisterService implements grpc.ServiceRegistrar. All services are registered before the first call.
func (s *InProcess) RegisterService(desc *grpc.ServiceDesc, impl any) {
	for i := range desc.Methods {
		m := &desc.Methods[i]
		s.unary["/"+desc.ServiceName+"/"+m.MethodName] = unaryMethod{impl, m.Handler}
	}
	for i := range desc.Streams {
		d := &desc.Streams[i]
		s.streams["/"+desc.ServiceName+"/"+d.StreamName] = streamMethod{impl, d}
	}
}

// Conn returns the connection by which a service calls.
func (s *InProcess) Conn(service string) grpc.ClientConnInterface { return &inProcessConn{s, service} }

// GracefulStop refuses further calls and returns when those that run have ended, or at Stop.
func (s *InProcess) GracefulStop() {
	s.mu.Lock()
	if !s.stopping {
		s.stopping = true
		if s.running == 0 {
			close(s.idle)
		}
	}
	s.mu.Unlock()
	select {
	case <-s.idle:
	case <-s.base.Done():
	}
}

// Stop refuses further calls and cuts those that run.
func (s *InProcess) Stop() { s.stop() }

// enter counts a call in; false if none is taken any more.
func (s *InProcess) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping || s.base.Err() != nil {
		return false
	}
	s.running++
	return true
}

func (s *InProcess) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running--; s.running == 0 && s.stopping {
		close(s.idle)
	}
}

// cut is how a call ended whose handler failed: what the caller or Stop cut short was not the
// handler's fault.
func (k *call) cut(err error) error {
	switch {
	case err == nil:
		return nil
	case k.client.Err() != nil:
		return statusOf(k.client.Err())
	case k.server.base.Err() != nil:
		return errStopped
	}
	return err
}

var errStopped = status.Error(codes.Unavailable, "the server is stopping")

// inProcessConn is a service's connection.
type inProcessConn struct {
	server  *InProcess
	service string
}

// call is one call from both sides. It is what a handler sets headers by.
type call struct {
	server *InProcess
	method string
	begun  time.Time
	client context.Context // of the caller
	served context.Context // of the handler
	cancel context.CancelFunc
	ended  sync.Once
	after  []func(error) // what to do when the caller's side ends

	mu              sync.Mutex
	header, trailer metadata.MD
	headerSent      chan struct{}
}

// begin opens a call on the caller's side.
func (c *inProcessConn) begin(ctx context.Context, method string, desc *grpc.StreamDesc, opts []grpc.CallOption) *call {
	ctx = metadata.AppendToOutgoingContext(ctx, peerHeader, c.service)
	k := &call{server: c.server, method: method, begun: time.Now(), headerSent: make(chan struct{})}
	k.client = c.server.clients.TagRPC(ctx, &stats.RPCTagInfo{FullMethodName: method, FailFast: true})
	c.server.clients.HandleRPC(k.client, k.beginning(true, desc))
	for _, o := range opts {
		if f, ok := o.(grpc.OnFinishCallOption); ok {
			k.after = append(k.after, f.OnFinish)
		}
	}
	return k
}

// end closes the caller's side, once.
func (k *call) end(err error) {
	k.ended.Do(func() {
		k.server.clients.HandleRPC(k.client, &stats.End{Client: true, BeginTime: k.begun, EndTime: time.Now(), Error: err})
		for _, f := range k.after {
			f(err)
		}
	})
}

// serve runs a handler with the context that a call from elsewhere would have: nothing of the
// caller's but metadata, deadline and end. It returns the status to answer with.
func (k *call) serve(desc *grpc.StreamDesc, handler func(context.Context) error) error {
	s := k.server
	defer s.leave()
	defer k.cancel()
	ctx := s.watch.TagRPC(k.served, &stats.RPCTagInfo{FullMethodName: k.method})
	s.watch.HandleRPC(ctx, k.beginning(false, desc))
	err := statusOf(handler(ctx))
	s.watch.HandleRPC(ctx, &stats.End{BeginTime: k.begun, EndTime: time.Now(), Error: err})
	return err
}

// open makes the handler's context; false if the server stops.
func (k *call) open() bool {
	if !k.server.enter() {
		return false
	}
	md, _ := metadata.FromOutgoingContext(k.client)
	ctx := metadata.NewIncomingContext(k.server.base, md)
	ctx = peer.NewContext(ctx, &peer.Peer{Addr: address{}, LocalAddr: address{}})
	ctx = grpc.NewContextWithServerTransportStream(ctx, k)
	if deadline, ok := k.client.Deadline(); ok {
		ctx, k.cancel = context.WithDeadline(ctx, deadline)
	} else {
		ctx, k.cancel = context.WithCancel(ctx)
	}
	k.served = ctx
	return true
}

func (k *call) beginning(client bool, desc *grpc.StreamDesc) *stats.Begin {
	b := &stats.Begin{Client: client, BeginTime: k.begun, FailFast: client}
	if desc != nil {
		b.IsClientStream, b.IsServerStream = desc.ClientStreams, desc.ServerStreams
	}
	return b
}

// Invoke makes a unary call.
func (c *inProcessConn) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	k := c.begin(ctx, method, nil, opts)
	answer, err := k.invoke(args)
	if err == nil {
		err = handOver(reply, answer)
	}
	k.tell(opts)
	k.end(err)
	return err
}

type unaryAnswer struct {
	message any
	err     error
}

func (k *call) invoke(args any) (any, error) {
	m, ok := k.server.unary[k.method]
	switch {
	case k.client.Err() != nil:
		return nil, statusOf(k.client.Err())
	case !ok:
		return nil, status.Errorf(codes.Unimplemented, "unknown method %s", k.method)
	case !k.open():
		return nil, errStopped
	}
	// A caller that gives up may use its message again while the handler still reads.
	args, err := k.outgoing(args)
	if err != nil {
		k.cancel()
		k.server.leave()
		return nil, err
	}
	unfollow := context.AfterFunc(k.client, k.cancel)
	defer unfollow()
	done := make(chan unaryAnswer, 1)
	go func() {
		var a unaryAnswer
		a.err = k.serve(nil, func(ctx context.Context) (err error) {
			a.message, err = m.handler(m.impl, ctx, func(into any) error { return handOver(into, args) }, k.server.chain.unary())
			if err == nil {
				a.message, err = k.outgoing(a.message)
			}
			return err
		})
		done <- a
	}()
	select {
	case a := <-done:
		return a.message, k.cut(a.err)
	case <-k.client.Done():
		return nil, statusOf(k.client.Err())
	case <-k.server.base.Done():
		return nil, errStopped
	}
}

// tell gives the caller what it asked for beside the answer. Options about a wire mean nothing here.
func (k *call) tell(opts []grpc.CallOption) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, o := range opts {
		switch o := o.(type) {
		case grpc.HeaderCallOption:
			*o.HeaderAddr = k.header.Copy()
		case grpc.TrailerCallOption:
			*o.TrailerAddr = k.trailer.Copy()
		case grpc.PeerCallOption:
			*o.PeerAddr = peer.Peer{Addr: address{}, LocalAddr: address{}}
		}
	}
}

// Method implements grpc.ServerTransportStream.
func (k *call) Method() string { return k.method }

// SetHeader implements grpc.ServerTransportStream.
func (k *call) SetHeader(md metadata.MD) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.sent() {
		return status.Error(codes.Internal, "the header was sent already")
	}
	k.header = metadata.Join(k.header, md)
	return nil
}

// SendHeader implements grpc.ServerTransportStream.
func (k *call) SendHeader(md metadata.MD) error {
	if err := k.SetHeader(md); err != nil {
		return err
	}
	k.send()
	return nil
}

// send lets the caller see the header, at the latest with the first message.
func (k *call) send() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.sent() {
		close(k.headerSent)
	}
}

func (k *call) sent() bool {
	select {
	case <-k.headerSent:
		return true
	default:
		return false
	}
}

// SetTrailer implements grpc.ServerTransportStream.
func (k *call) SetTrailer(md metadata.MD) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.trailer = metadata.Join(k.trailer, md)
	return nil
}

// statusOf gives an error the face that it has after a wire.
func statusOf(err error) error {
	if err == nil {
		return nil
	}
	if s, ok := status.FromError(err); ok {
		return s.Err()
	}
	return status.FromContextError(err).Err()
}

// handedOver are the methods whose messages go from one end to the other as they are. Their two
// ends keep this rule: a message that was sent is changed by nobody, nor is anything it holds; what
// the other end got is its own only on the outside. All other messages are copied.
var handedOver = map[string]bool{
	"/leadmesh.identity.v1.ResolveService/BatchResolve":    true,
	"/leadmesh.routing.v1.DecisionService/Decide":          true,
	"/leadmesh.feedback.v1.EventService/BatchAppendEvents": true,
}

// outgoing readies a message to be sent: as it is, or a copy made like a wire makes it, which finds
// text that is none and what is too large.
func (k *call) outgoing(message any) (any, error) {
	if handedOver[k.method] {
		return message, nil
	}
	m, ok := message.(proto.Message)
	if !ok {
		return nil, status.Errorf(codes.Internal, "%T is no message", message)
	}
	raw, err := proto.Marshal(m)
	if err != nil {
		return nil, status.Errorf(codes.Internal, "grpc: error while marshaling: %v", err)
	}
	if len(raw) > MaxMessage {
		return nil, status.Errorf(codes.ResourceExhausted, "trying to send message larger than max (%d vs. %d)", len(raw), MaxMessage)
	}
	copied := m.ProtoReflect().New().Interface()
	if err := proto.Unmarshal(raw, copied); err != nil {
		return nil, status.Errorf(codes.Internal, "grpc: error unmarshalling: %v", err)
	}
	return copied, nil
}

// handOver makes into what from is; they share what from holds.
func handOver(into, from any) error {
	dst, ok := into.(proto.Message)
	src, same := from.(proto.Message)
	if !ok || !same {
		return status.Errorf(codes.Internal, "%T and %T are not both messages", into, from)
	}
	if !src.ProtoReflect().IsValid() {
		return status.Error(codes.Internal, "there is no message")
	}
	d, s := dst.ProtoReflect(), src.ProtoReflect()
	if d.Type() != s.Type() {
		return status.Errorf(codes.Internal, "%T is not %T", from, into)
	}
	share(d, s)
	return nil
}

// address is where both ends of a call in process are.
type address struct{}

func (address) Network() string { return "in-process" }
func (address) String() string  { return "in-process" }
