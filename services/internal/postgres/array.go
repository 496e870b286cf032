package postgres

import (
	"encoding/binary"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// arrayCodec encodes lists of one element type as pgx does, but without boxing each element: the hot
// statements carry a list for each column, so that pgx's way costs two allocations for each value of
// each row. What is no such list is left to pgx, and so is the reading.
type arrayCodec[T any] struct {
	*pgtype.ArrayCodec
	add func(buf []byte, v T) []byte // appends an element after its length; nil for NULL
}

// registerArrays makes a connection's map encode the lists that statements take for their columns.
func registerArrays(m *pgtype.Map) {
	register(m, pgtype.BoolArrayOID, addBool)
	register(m, pgtype.Int2ArrayOID, addInt16)
	register(m, pgtype.Int4ArrayOID, addInt32)
	register(m, pgtype.TextArrayOID, addString)
	register(m, pgtype.ByteaArrayOID, addBytes)
	register(m, pgtype.UUIDArrayOID, addUUID)
	register(m, pgtype.TimestamptzArrayOID, addTimestamptz)
}

func register[T any](m *pgtype.Map, oid uint32, add func([]byte, T) []byte) {
	known, ok := m.TypeForOID(oid)
	if !ok {
		return
	}
	if c, ok := known.Codec.(*pgtype.ArrayCodec); ok {
		m.RegisterType(&pgtype.Type{Name: known.Name, OID: oid, Codec: &arrayCodec[T]{ArrayCodec: c, add: add}})
	}
}

// PlanEncode is how a value is encoded.
func (c *arrayCodec[T]) PlanEncode(m *pgtype.Map, oid uint32, format int16, value any) pgtype.EncodePlan {
	if _, ok := value.([]T); ok && format == pgtype.BinaryFormatCode {
		return &arrayPlan[T]{element: c.ElementType.OID, add: c.add}
	}
	return c.ArrayCodec.PlanEncode(m, oid, format, value)
}

type arrayPlan[T any] struct {
	element uint32
	add     func([]byte, T) []byte
}

// Encode appends a list as array_recv reads it: dimensions, whether there is a NULL, the element's
// type, length and lower bound, then each element after its own length.
func (p *arrayPlan[T]) Encode(value any, buf []byte) ([]byte, error) {
	list := value.([]T)
	if list == nil {
		return nil, nil
	}
	buf = room(buf, list)
	hasNull := len(buf) + 4
	buf = addUint32(buf, 1)
	buf = addUint32(buf, 0)
	buf = addUint32(buf, p.element)
	buf = addUint32(buf, uint32(len(list)))
	buf = addUint32(buf, 1)
	for i := range list {
		at := len(buf)
		buf = addUint32(buf, 0)
		if element := p.add(buf, list[i]); element != nil {
			buf = element
			binary.BigEndian.PutUint32(buf[at:], uint32(len(buf)-at-4))
		} else {
			binary.BigEndian.PutUint32(buf[at:], 1<<32-1) // -1
			binary.BigEndian.PutUint32(buf[hasNull:], 1)
		}
	}
	return buf, nil
}

// room makes room for a list and as much again as is there already. pgx begins each statement with a
// small buffer, and growing it by the quarter, as append does, takes five times what it will hold.
func room[T any](buf []byte, list []T) []byte {
	const header, length, value = 20, 4, 16
	need := header + len(list)*(length+value)
	switch list := any(list).(type) {
	case []string:
		for i := range list {
			need += len(list[i])
		}
	case [][]byte:
		for i := range list {
			need += len(list[i])
		}
	}
	if cap(buf)-len(buf) >= need {
		return buf
	}
	return append(make([]byte, 0, 2*len(buf)+need), buf...)
}

func addUint32(buf []byte, v uint32) []byte { return binary.BigEndian.AppendUint32(buf, v) }

func addBool(buf []byte, v bool) []byte {
	if v {
		return append(buf, 1)
	}
	return append(buf, 0)
}

func addInt16(buf []byte, v int16) []byte { return binary.BigEndian.AppendUint16(buf, uint16(v)) }

func addInt32(buf []byte, v int32) []byte { return addUint32(buf, uint32(v)) }

func addInt64(buf []byte, v int64) []byte { return binary.BigEndian.AppendUint64(buf, uint64(v)) }

func addString(buf []byte, v string) []byte { return append(buf, v...) }

func addBytes(buf []byte, v []byte) []byte {
	if v == nil {
		return nil
	}
	return append(buf, v...)
}

func addUUID(buf []byte, v pgtype.UUID) []byte {
	if !v.Valid {
		return nil
	}
	return append(buf, v.Bytes[:]...)
}

// Moments are counted in microseconds from the year 2000; the ends of time are the ends of the count.
func addTimestamptz(buf []byte, v pgtype.Timestamptz) []byte {
	if !v.Valid {
		return nil
	}
	const epoch = 946_684_800_000_000 // 2000-01-01 in microseconds of Unix
	at := v.Time.Unix()*int64(time.Second/time.Microsecond) + int64(v.Time.Nanosecond())/1000 - epoch
	switch v.InfinityModifier {
	case pgtype.Infinity:
		at = 1<<63 - 1
	case pgtype.NegativeInfinity:
		at = -1 << 63
	}
	return binary.BigEndian.AppendUint64(buf, uint64(at))
}
