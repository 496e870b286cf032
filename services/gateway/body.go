package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// body is a request's body that remembers what was wrong with it: the generated handlers keep only
// the text of a decoder's error.
type body struct {
	io.ReadCloser
	length  int64 // as announced, -1 if not
	limit   int64
	within  time.Duration // of the request's start
	budget  *budget
	held    int64 // bytes of the budget that this body has taken
	problem *problem.Error
}

// chunk is how much of a body is taken at once.
const chunk = 16 << 10

// read reads everything; a problem if it is too much, too slow or breaks off, or if all bodies
// together are too much.
func (b *body) read() ([]byte, *problem.Error) {
	var raw []byte
	var err error
	for err == nil {
		if len(raw) == cap(raw) {
			more := chunk
			if len(raw) == 0 && b.length > 0 {
				more = int(min(b.length+1, chunk)) // no more on the word of a sender alone
			}
			more = max(more, len(raw))
			if b.problem = b.budget.hold(int64(more), b.held); b.problem != nil {
				return nil, b.problem
			}
			b.held += int64(more)
			raw = slices.Grow(raw, more)[: len(raw) : len(raw)+more]
		}
		var n int
		n, err = b.Read(raw[len(raw):cap(raw)])
		raw = raw[:len(raw)+n]
	}
	var large *http.MaxBytesError
	var network net.Error
	switch {
	case errors.Is(err, io.EOF):
		return raw, nil
	case errors.As(err, &large):
		b.problem = tooLarge(b.limit)
	case errors.As(err, &network) && network.Timeout():
		b.problem = problem.New(problemv1.Reason_REASON_UNREADABLE_BODY, "the body came too slowly; the whole request has %s", b.within)
	default:
		b.problem = problem.New(problemv1.Reason_REASON_UNREADABLE_BODY, "the body broke off")
	}
	return nil, b.problem
}

func tooLarge(limit int64) *problem.Error {
	return problem.New(problemv1.Reason_REASON_TOO_LARGE, "the body is larger than %d bytes; send less at once", limit)
}

// wholeLead is the answer that holds what several parts of the system know of a lead.
const wholeLead protoreflect.FullName = "leadmesh.capture.v1.GetLeadResponse"

// codec reads and writes JSON with the names of the protos. It refuses unknown fields.
type codec struct{ runtime.JSONPb }

func newCodec() *codec {
	return &codec{runtime.JSONPb{MarshalOptions: protojson.MarshalOptions{UseProtoNames: true}}}
}

// Marshal writes a message. An empty list of an answer is written as []: that nothing was found is
// an answer too. Everything else that is empty stays absent.
func (c *codec) Marshal(v any) ([]byte, error) {
	raw, err := c.JSONPb.Marshal(v)
	m, ok := v.(proto.Message)
	if err != nil || !ok || len(raw) < 2 || raw[0] != '{' {
		return raw, err
	}
	for _, name := range emptyLists(m.ProtoReflect()) {
		if raw = raw[:len(raw)-1]; len(raw) > 1 {
			raw = append(raw, ',')
		}
		raw = append(raw, `"`+name+`":[]}`...)
	}
	return raw, nil
}

// emptyLists names the empty lists of an answer. Those of a lead are left out where the part of the
// system that knows them is down, so of them none is told to be empty.
func emptyLists(m protoreflect.Message) (names []string) {
	d := m.Descriptor()
	if !strings.HasSuffix(string(d.Name()), "Response") || d.FullName() == wholeLead {
		return nil
	}
	for i := range d.Fields().Len() {
		if f := d.Fields().Get(i); f.IsList() && m.Get(f).List().Len() == 0 {
			names = append(names, string(f.Name()))
		}
	}
	return names
}

// NewDecoder reads a request's body into a message and explains what does not fit.
func (c *codec) NewDecoder(r io.Reader) runtime.Decoder {
	return runtime.DecoderFunc(func(v any) error {
		b, ok := r.(*body)
		if !ok {
			return c.JSONPb.NewDecoder(r).Decode(v)
		}
		raw, p := b.read()
		if p != nil {
			return p
		}
		if len(bytes.TrimSpace(raw)) == 0 {
			return io.EOF // the generated handlers take it for an empty message
		}
		m, ok := messageOf(v)
		if !ok {
			return c.Unmarshal(raw, v)
		}
		if b.problem = crowdedBody(raw); b.problem != nil {
			return b.problem
		}
		if err := protojson.Unmarshal(raw, m); err != nil {
			b.problem = explain(raw, m)
			return b.problem
		}
		return nil
	})
}

// maxValues is how many values the body of one call holds: a batch of 1,000 with 100 values each.
// An empty object costs a sender three bytes and a reader hundreds.
const maxValues = 100_000

// crowdedBody is the problem of a body that holds too many values to be read; nil if it does not.
// What stands in quotes is no value of its own.
func crowdedBody(raw []byte) *problem.Error {
	values, quoted := 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ',' || c == '{' || c == '['):
			if values++; values > maxValues {
				return problem.New(problemv1.Reason_REASON_TOO_LARGE, "the body holds more than %d values; send less at once", maxValues)
			}
		}
	}
	return nil
}

// messageOf is the message to fill: v itself, or where one field of the request is the body, what
// the pointer to the field points to.
func messageOf(v any) (proto.Message, bool) {
	if m, ok := v.(proto.Message); ok {
		return m, true
	}
	field := reflect.ValueOf(v)
	if field.Kind() != reflect.Pointer || field.Elem().Kind() != reflect.Pointer {
		return nil, false
	}
	if field = field.Elem(); field.IsNil() {
		field.Set(reflect.New(field.Type().Elem()))
	}
	m, ok := field.Interface().(proto.Message)
	return m, ok
}

// explain says why a body is not JSON of a message: where its syntax ends, or every field that does
// not fit. No value of the body is repeated.
func explain(raw []byte, m proto.Message) *problem.Error {
	var syntax *json.SyntaxError
	var document any
	if err := json.Unmarshal(raw, &document); errors.As(err, &syntax) {
		line, column := position(raw, syntax.Offset)
		return problem.New(problemv1.Reason_REASON_UNREADABLE_BODY, "the body is not JSON: see line %d, column %d", line, column)
	}
	e := &explainer{}
	e.object(m.ProtoReflect().New(), raw, "")
	if len(e.violations) == 0 {
		return problem.New(problemv1.Reason_REASON_UNREADABLE_BODY,
			"the body does not fit: a field is given twice under its two spellings, or text is not UTF-8")
	}
	return problem.Invalid(e.violations...)
}

// position counts lines and columns from 1, in bytes.
func position(raw []byte, offset int64) (line, column int) {
	before := raw[:min(int64(len(raw)), max(offset-1, 0))]
	return bytes.Count(before, []byte("\n")) + 1, len(before) - bytes.LastIndexByte(before, '\n')
}
