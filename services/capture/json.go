package capture

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// jsonReader reads leads from JSON, leniently on purpose: what integrators send is never lost and
// seldom refused. A field that no table holds, or a value that its field cannot hold, goes to the
// lead's extra fields and is flagged. Safe for concurrent use.
type jsonReader struct{ lead *shape }

// Limits of a JSON document.
const (
	maxBody       = 4 << 20
	maxDepth      = 32
	maxValues     = 250_000 // of all leads together: an empty object is three bytes here and hundreds once read
	maxExtra      = 200
	maxExtraBytes = 4 << 10
	maxJSONFlags  = 50
)

// Doubts about the document itself.
const (
	flagDuplicateKey    = "duplicate_key"    // a name came twice in one object: the last one counts
	flagUnreadableValue = "unreadable_value" // a value does not fit its field: it was kept in extra
	flagExtraCut        = "extra_cut"        // more unknown fields came than are kept beside the raw form
)

// jsonLead is a lead read from JSON with the doubts about its form.
type jsonLead struct {
	message *leadv1.Lead
	flags   []lead.Flag
}

// validate reports what keeps a body from being read at all. The answer names the place and never
// quotes the body.
func validate(body []byte) *problem.Error {
	if len(body) > maxBody {
		return problem.New(problemv1.Reason_REASON_TOO_LARGE, "the body is larger than 4 MiB; send fewer leads at once")
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return problem.New(problemv1.Reason_REASON_UNREADABLE_BODY, "the body is empty; send a JSON object")
	}
	depth, values, at := measure(body)
	if depth > maxDepth {
		return problem.New(problemv1.Reason_REASON_UNREADABLE_BODY, "the JSON is nested deeper than %d levels at %s; send a flatter object", maxDepth, place(body, at))
	}
	if values > maxValues {
		return problem.New(problemv1.Reason_REASON_TOO_LARGE, "the body holds more than %d values; send fewer leads at once", maxValues)
	}
	if json.Valid(body) {
		return nil
	}
	var syntax *json.SyntaxError
	at = len(body)
	if err := json.Unmarshal(body, new(json.RawMessage)); errors.As(err, &syntax) {
		at = int(syntax.Offset) - 1
	}
	return problem.New(problemv1.Reason_REASON_UNREADABLE_BODY, "the body is not JSON at %s; send a JSON object in UTF-8", place(body, at))
}

// place names an offset as people count.
func place(body []byte, at int) string {
	at = max(0, min(at, len(body)))
	line := 1 + bytes.Count(body[:at], []byte{'\n'})
	column := at - bytes.LastIndexByte(body[:at], '\n')
	return "line " + strconv.Itoa(line) + ", column " + strconv.Itoa(column)
}

// measure returns the depth of nesting and the number of values, and where one of them first exceeds
// its limit.
func measure(body []byte) (depth, values, at int) {
	now, quoted := 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case quoted:
			switch c {
			case '\\':
				i++
			case '"':
				quoted = false
			}
		case c == '"':
			quoted = true
		case c == '{' || c == '[':
			if now++; now > depth {
				depth = now
			}
			values++
		case c == '}' || c == ']':
			now--
		case c == ',':
			values++
		}
		if depth > maxDepth || values > maxValues {
			return depth, values, i
		}
	}
	return depth, values, 0
}

// read reads one lead from an object that validate has passed.
func (r *jsonReader) read(object []byte) jsonLead {
	w := &jsonWalk{src: object}
	message := &leadv1.Lead{}
	w.object(r.lead, message.ProtoReflect())
	return jsonLead{message: message, flags: w.flags}
}

// jsonWalk walks over one lead's object. Its source is valid JSON, so it never looks for errors.
type jsonWalk struct {
	src   []byte
	pos   int
	path  []step
	root  *leadv1.Lead
	flags []lead.Flag
	extra int
}

// step is one part of the path to where the walk stands.
type step struct {
	name  string
	index int // of a list; -1 for a field
}

// object reads an object into a message.
func (w *jsonWalk) object(s *shape, message protoreflect.Message) {
	if w.root == nil {
		w.root, _ = message.Interface().(*leadv1.Lead)
	}
	var seen [2]uint64
	for name := range w.members() {
		m := s.members[name]
		if m != nil {
			name = string(m.field.Name())
		}
		w.path = append(w.path, step{name: name, index: -1})
		switch {
		case m == nil || m.output:
			w.keep(w.skip(), lead.FlagUnknownField)
		default:
			i := m.field.Index()
			if seen[i/64%2]&(1<<(i%64)) != 0 {
				message.Clear(m.field)
				w.flag(flagDuplicateKey)
			}
			seen[i/64%2] |= 1 << (i % 64)
			w.value(m, message)
		}
		w.path = w.path[:len(w.path)-1]
	}
}

// value reads one field's value; a single one stands for a list of one.
func (w *jsonWalk) value(m *member, message protoreflect.Message) {
	if w.peek() == 'n' {
		w.skip()
		return
	}
	if !m.field.IsList() {
		w.single(m, message)
		return
	}
	list := message.Mutable(m.field).List()
	if w.peek() != '[' {
		w.element(m, list)
		return
	}
	for i := range w.elements() {
		if w.peek() == 'n' {
			w.skip()
			continue
		}
		w.path = append(w.path, step{index: i})
		w.element(m, list)
		w.path = w.path[:len(w.path)-1]
	}
}

func (w *jsonWalk) element(m *member, list protoreflect.List) {
	if m.shape != nil {
		e := list.NewElement()
		if w.message(m.shape, e.Message()) {
			list.Append(e)
		}
		return
	}
	if v, ok := w.scalar(m); ok {
		list.Append(v)
	}
}

func (w *jsonWalk) single(m *member, message protoreflect.Message) {
	if m.shape != nil {
		v := message.NewField(m.field)
		if w.message(m.shape, v.Message()) {
			message.Set(m.field, v)
		}
		return
	}
	if m.field.FullName() == odometerName && w.peek() == '"' {
		w.odometer(m, message)
		return
	}
	if v, ok := w.scalar(m); ok {
		message.Set(m.field, v)
	}
}

// odometer reads a reading with or without its unit, such as "45,000 km".
func (w *jsonWalk) odometer(m *member, vehicle protoreflect.Message) {
	raw := w.skip()
	reading, unit, ok := lead.ParseOdometer(text(raw), lead.OdometerUnitUnspecified)
	if !ok {
		if text(raw) != "" {
			w.keep(raw, flagUnreadableValue)
		}
		return
	}
	vehicle.Set(m.field, protoreflect.ValueOfInt64(reading))
	if unit != lead.OdometerUnitUnspecified {
		vehicle.Set(vehicle.Descriptor().Fields().ByName("odometer_unit"), protoreflect.ValueOfEnum(protoreflect.EnumNumber(unit)))
	}
}

// message reads a message from an object or from the text that may stand for it; false if neither
// is there, or nothing of it could be read.
func (w *jsonWalk) message(s *shape, into protoreflect.Message) bool {
	switch c := w.peek(); {
	case s.name == timestampName:
		return w.timestamp(into)
	case c == '{':
		w.object(s, into)
		return true
	case s.name == moneyName && c != '[':
		return w.money(into)
	case len(s.short) > 0 && c != '[':
		raw := w.skip()
		for _, m := range s.short {
			into.Set(m.field, protoreflect.ValueOfString(text(raw)))
		}
		return true
	}
	w.keep(w.skip(), flagUnreadableValue)
	return false
}

// timestamp reads a time as text in any usual form, or as seconds or milliseconds since 1970.
func (w *jsonWalk) timestamp(into protoreflect.Message) bool {
	raw := w.skip()
	t, err := time.Parse(time.RFC3339Nano, text(raw))
	if err != nil {
		var assumed, ok bool
		if t, assumed, ok = lead.ParseTime(text(raw), time.UTC, false); !ok {
			w.keep(raw, lead.FlagTimeUnreadable)
			return false
		}
		if assumed && w.path[0].name != "time_frame" { // those are days
			w.flag(lead.FlagZoneAssumed)
		}
	}
	stamp := timestamppb.New(t)
	if stamp.CheckValid() != nil {
		w.keep(raw, lead.FlagTimeUnreadable)
		return false
	}
	fields := into.Descriptor().Fields()
	into.Set(fields.ByName("seconds"), protoreflect.ValueOfInt64(stamp.GetSeconds()))
	into.Set(fields.ByName("nanos"), protoreflect.ValueOfInt32(stamp.GetNanos()))
	return true
}

// money reads an amount from a number or a text such as "25,000 EUR".
func (w *jsonWalk) money(into protoreflect.Message) bool {
	raw := w.skip()
	m, ok := lead.ParseMoney(text(raw), "")
	if !ok {
		w.keep(raw, flagUnreadableValue)
		return false
	}
	fields := into.Descriptor().Fields()
	into.Set(fields.ByName("minor"), protoreflect.ValueOfInt64(m.Minor))
	into.Set(fields.ByName("currency"), protoreflect.ValueOfString(m.Currency))
	return true
}

// scalar reads a text, number, truth or code; numbers as text and texts as numbers are fine.
func (w *jsonWalk) scalar(m *member) (protoreflect.Value, bool) {
	raw := w.skip()
	if raw[0] == '{' || raw[0] == '[' {
		w.keep(raw, flagUnreadableValue)
		return protoreflect.Value{}, false
	}
	s := text(raw)
	switch m.field.Kind() {
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(s), true
	case protoreflect.BoolKind:
		switch strings.ToLower(strings.TrimSpace(s)) {
		case "true", "yes", "y", "1", "on":
			return protoreflect.ValueOfBool(true), true
		case "false", "no", "n", "0", "off", "":
			return protoreflect.ValueOfBool(false), true
		}
	case protoreflect.Int32Kind:
		if n, ok := whole(s); ok && n >= math.MinInt32 && n <= math.MaxInt32 {
			return protoreflect.ValueOfInt32(int32(n)), true
		}
	case protoreflect.Int64Kind:
		if n, ok := whole(s); ok {
			return protoreflect.ValueOfInt64(n), true
		}
	case protoreflect.EnumKind:
		if n, ok := m.code(s); ok {
			return protoreflect.ValueOfEnum(n), true
		}
		if s == "" {
			return protoreflect.Value{}, false
		}
		if m.field.Name() == "request_type" {
			if w.root.RawRequestType == "" {
				w.root.RawRequestType = s
			}
			return protoreflect.Value{}, false
		}
		w.keep(raw, lead.FlagUnknownCode)
		return protoreflect.Value{}, false
	}
	if s != "" {
		w.keep(raw, flagUnreadableValue)
	}
	return protoreflect.Value{}, false
}

// code finds an enum's number by name in any spelling, or by the number itself.
func (m *member) code(s string) (protoreflect.EnumNumber, bool) {
	if n, ok := m.codes[s]; ok {
		return n, true
	}
	if n, err := strconv.ParseInt(s, 10, 32); err == nil {
		known := m.field.Enum().Values().ByNumber(protoreflect.EnumNumber(n)) != nil
		return protoreflect.EnumNumber(n), known
	}
	n, ok := m.codes[lead.Fold(s)]
	return n, ok && s != ""
}

// whole reads a whole number, also with thousands separators or a fraction of zero.
func whole(s string) (int64, bool) {
	s = strings.ReplaceAll(strings.TrimSpace(s), ",", "")
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, false
	}
	return int64(f), true
}
