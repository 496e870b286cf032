package rpc

import (
	"bytes"
	"errors"
	"io"
	"strings"

	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"google.golang.org/grpc/encoding"
	grpcproto "google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Limits of a message from outside. An empty message within a message costs its sender two bytes
// and its reader hundreds, so the number of them is looked at before any is made; a message too
// short to hold many is not looked at.
const (
	maxParts  = 200_000 // messages and repeated texts within a message
	maxLevels = 64
	unlooked  = 64 << 10 // bytes
)

// lenient is the codec of a public server. What cannot be read becomes an empty message with a mark
// that the interceptors find: an error here would reach the caller as one of the system itself.
type lenient struct{ encoding.CodecV2 }

func newLenient() lenient { return lenient{encoding.GetCodecV2(grpcproto.Name)} }

// Unmarshal reads a message, or marks it as unreadable.
func (c lenient) Unmarshal(data mem.BufferSlice, v any) error {
	m, ok := v.(proto.Message)
	if !ok {
		return errors.New("a message is no protobuf")
	}
	buf := data.MaterializeToBuffer(mem.DefaultBufferPool())
	defer buf.Free()
	raw := buf.ReadOnlyData()
	why := unreadable(0)
	left := maxParts
	switch {
	case bytes.Equal(raw, compressed.mark()):
		why = compressed
	case len(raw) > unlooked && !sparse(m.ProtoReflect().Descriptor(), raw, &left, maxLevels):
		why = overfull
	case proto.Unmarshal(raw, m) != nil:
		why = malformed
	default:
		return nil
	}
	proto.Reset(m)
	m.ProtoReflect().SetUnknown(why.mark())
	return nil
}

// unreadable is why a message could not be read.
type unreadable uint64

const (
	malformed unreadable = iota + 1
	overfull
	compressed
)

// mark is what stands in for the message: a field that no message of ours has.
func (u unreadable) mark() []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, protowire.MaxValidNumber, protowire.VarintType), uint64(u))
}

// readable reports what was wrong with a message that lenient read; nil if nothing.
func readable(v any) error {
	m, ok := v.(proto.Message)
	if !ok {
		return nil
	}
	unknown := m.ProtoReflect().GetUnknown()
	if len(unknown) == 0 {
		return nil
	}
	switch {
	case bytes.Equal(unknown, malformed.mark()):
		return problem.New(problemv1.Reason_REASON_UNREADABLE_BODY, "the message is not of the method's type, or a text in it is not UTF-8")
	case bytes.Equal(unknown, overfull.mark()):
		return problem.New(problemv1.Reason_REASON_TOO_LARGE, "the message holds more than %d messages and texts, or nests them deeper than %d levels; send less at once", maxParts, maxLevels)
	case bytes.Equal(unknown, compressed.mark()):
		return problem.New(problemv1.Reason_REASON_UNSUPPORTED_MEDIA_TYPE, "send messages without compression")
	}
	return nil
}

// storable reports an identifier, key or filter that no database can hold: a text of the request
// itself with a NUL in it. What leads and reports hold within is for their readers to mend.
func storable(v any) error {
	m, ok := v.(proto.Message)
	if !ok {
		return nil
	}
	var field string
	m.ProtoReflect().Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if fd.Kind() == protoreflect.StringKind && fd.Cardinality() != protoreflect.Repeated && strings.ContainsRune(v.String(), 0) {
			field = string(fd.Name())
		}
		return field == ""
	})
	if field == "" {
		return nil
	}
	return problem.Invalid(problem.Violation{Field: field, Description: "holds a NUL character; leave it out"})
}

// sparse reports whether a message in wire form holds no more parts than are left, at most so many
// levels deep. What is malformed is sparse up to there: reading it will say so.
func sparse(md protoreflect.MessageDescriptor, raw []byte, left *int, levels int) bool {
	fields := md.Fields()
	for len(raw) > 0 {
		number, kind, n := protowire.ConsumeTag(raw)
		if n < 0 {
			return true
		}
		raw = raw[n:]
		if kind != protowire.BytesType {
			if n = protowire.ConsumeFieldValue(number, kind, raw); n < 0 {
				return true
			}
			raw = raw[n:]
			continue
		}
		value, n := protowire.ConsumeBytes(raw)
		if n < 0 {
			return true
		}
		raw = raw[n:]
		fd := fields.ByNumber(number)
		if fd == nil {
			continue
		}
		inner := fd.Message()
		if inner == nil && (!fd.IsList() || fd.IsPacked()) {
			continue
		}
		if *left--; *left < 0 {
			return false
		}
		if inner != nil && (levels == 0 || !sparse(inner, value, left, levels-1)) {
			return false
		}
	}
	return true
}

// refuseCompressed is the decompressor of a public server: a few kilobytes would become megabytes
// before anyone can look at them. It hands on a mark instead.
type refuseCompressed struct{}

// Do leaves the message as it is.
func (refuseCompressed) Do(io.Reader) ([]byte, error) { return compressed.mark(), nil }

// Type is the compression that the house knows.
func (refuseCompressed) Type() string { return "gzip" }
