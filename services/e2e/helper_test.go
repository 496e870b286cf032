package e2e_test

import (
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

func unmarshal(raw []byte, into proto.Message) error {
	return protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(raw, into)
}

// routing is the connection to the public listener that serves Routing: that of the one process,
// or of the routing process.
func (w *world) routing(t *testing.T) *grpc.ClientConn {
	t.Helper()
	if w.routingConn != nil {
		return w.routingConn
	}
	return w.grpc
}

// body writes a message as REST takes it.
func body(t *testing.T, m proto.Message) string {
	t.Helper()
	raw, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
