package load

import (
	"errors"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
)

// Frame is a message as its bytes. The load is encoded before the clock runs and answers are only
// looked through, so that the caller takes little of the machine that it measures.
type Frame struct{ Bytes []byte }

// Frames makes a connection send and receive [Frame]s.
func Frames() grpc.CallOption { return grpc.ForceCodecV2(frames{}) }

type frames struct{}

func (frames) Name() string { return "proto" }

func (frames) Marshal(v any) (mem.BufferSlice, error) {
	f, ok := v.(*Frame)
	if !ok {
		return nil, fmt.Errorf("load sends frames, not %T", v)
	}
	return mem.BufferSlice{mem.SliceBuffer(f.Bytes)}, nil
}

func (frames) Unmarshal(data mem.BufferSlice, v any) error {
	f, ok := v.(*Frame)
	if !ok {
		return fmt.Errorf("load receives frames, not %T", v)
	}
	f.Bytes = data.Materialize()
	return nil
}

// Fields goes through the fields of an encoded message. Of a varint, number holds the value; of a
// message or text, bytes do.
func Fields(message []byte, take func(field protowire.Number, number uint64, bytes []byte) error) error {
	for len(message) > 0 {
		field, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return protowire.ParseError(n)
		}
		message = message[n:]
		var number uint64
		var bytes []byte
		switch kind {
		case protowire.VarintType:
			number, n = protowire.ConsumeVarint(message)
		case protowire.BytesType:
			bytes, n = protowire.ConsumeBytes(message)
		default:
			n = protowire.ConsumeFieldValue(field, kind, message)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		message = message[n:]
		if err := take(field, number, bytes); err != nil {
			return err
		}
	}
	return nil
}

// errAnswer is an answer without the one field that it must have.
var errAnswer = errors.New("the answer has neither a decision nor a problem")
