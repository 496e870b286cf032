package e2e_test

import (
	"bytes"
	"net"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/dynamicpb"
)

// rapidReset opens streams on an HTTP/2 door and takes each back at once, and floods it with pings
// and settings.
func rapidReset(t *testing.T, addr string) {
	t.Helper()
	together(4, func(int) {
		conn, err := (&net.Dialer{Timeout: patience}).DialContext(t.Context(), "tcp", addr)
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Error(err)
			return
		}
		var block bytes.Buffer
		encode := hpack.NewEncoder(&block)
		for _, f := range [][2]string{
			{":method", "POST"}, {":scheme", "http"}, {":path", "/leadmesh.capture.v1.CaptureService/Ingest"}, {":authority", addr},
			{"content-type", "application/grpc"}, {"te", "trailers"},
		} {
			if err := encode.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]}); err != nil {
				t.Error(err)
				return
			}
		}
		headers := bytes.Clone(block.Bytes())
		if _, err := conn.Write([]byte(http2.ClientPreface)); err != nil {
			return
		}
		framer := http2.NewFramer(conn, conn)
		if framer.WriteSettings() != nil {
			return
		}
		for id := uint32(1); id < 40_000; id += 2 { // until the door has had enough
			if framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: headers, EndHeaders: true}) != nil ||
				framer.WriteRSTStream(id, http2.ErrCodeCancel) != nil {
				return
			}
			if id%101 == 0 && (framer.WritePing(false, [8]byte{}) != nil || framer.WriteSettings() != nil) {
				return
			}
		}
	})
}

func marshalLoose(m *dynamicpb.Message) ([]byte, error) { return proto.Marshal(m) }

func unmarshalWire(raw []byte, m proto.Message) error { return proto.Unmarshal(raw, m) }
