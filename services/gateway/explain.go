package gateway

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/leadmesh/leadmesh/services/internal/problem"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// maxViolations is how many wrong fields an answer names.
const maxViolations = 50

// explainer finds every field of a JSON document that a message does not take. It tries each value
// alone with the reader of messages itself, so that both always agree.
type explainer struct{ violations []problem.Violation }

// full reports whether enough is found: a hostile body has a hundred thousand wrong fields.
func (e *explainer) full() bool { return len(e.violations) >= maxViolations }

func (e *explainer) add(path, description string) {
	if !e.full() {
		e.violations = append(e.violations, problem.Violation{Field: path, Description: description})
	}
}

// object looks at the fields of one JSON object.
func (e *explainer) object(m protoreflect.Message, raw json.RawMessage, path string) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(raw, &object); err != nil || object == nil {
		e.add(path, "takes an object")
		return
	}
	for _, key := range slices.Sorted(maps.Keys(object)) {
		if e.full() {
			return
		}
		fields := m.Descriptor().Fields()
		fd := fields.ByJSONName(key)
		if fd == nil {
			fd = fields.ByTextName(key)
		}
		at := strings.TrimPrefix(path+"."+key, ".")
		switch value := object[key]; {
		case fd == nil:
			e.add(at, "is no field here; "+fieldNames(m.Descriptor()))
		case fits(m, key, value):
		case fd.IsList():
			e.list(m, fd, key, value, at)
		case nested(fd):
			e.object(m.NewField(fd).Message(), value, at)
		default:
			e.add(at, takes(fd))
		}
	}
}

// list looks at the elements of one JSON array.
func (e *explainer) list(m protoreflect.Message, fd protoreflect.FieldDescriptor, key string, raw json.RawMessage, path string) {
	var elements []json.RawMessage
	if err := json.Unmarshal(raw, &elements); err != nil {
		e.add(path, "takes a list")
		return
	}
	for i, element := range elements {
		if e.full() {
			return
		}
		at := fmt.Sprintf("%s[%d]", path, i)
		switch {
		case fits(m, key, append(append(json.RawMessage{'['}, element...), ']')):
		case nested(fd):
			e.object(m.NewField(fd).List().NewElement().Message(), element, at)
		default:
			e.add(at, takes(fd))
		}
	}
}

// fits reports whether a message takes a value under a key.
func fits(m protoreflect.Message, key string, value json.RawMessage) bool {
	raw, err := json.Marshal(map[string]json.RawMessage{key: value})
	return err == nil && protojson.Unmarshal(raw, m.New().Interface()) == nil
}

// nested reports whether a field's values are objects with fields of their own.
func nested(fd protoreflect.FieldDescriptor) bool {
	return fd.Message() != nil && !fd.IsMap() && fd.Message().FullName().Parent() != "google.protobuf"
}

// maxNames is how many fields an answer lists of an object that has no field of a given name.
const maxNames = 24

// fieldNames says which fields an object has.
func fieldNames(md protoreflect.MessageDescriptor) string {
	fields := md.Fields()
	switch n := fields.Len(); {
	case n == 0:
		return "there is none: send {}"
	case n > maxNames:
		return "remove it or correct its name; " + documentRoute + " lists them"
	}
	var names []string
	for i := range fields.Len() {
		names = append(names, fields.Get(i).TextName())
	}
	return "there are " + strings.Join(names, ", ")
}

// takes says what a field takes.
func takes(fd protoreflect.FieldDescriptor) string {
	if fd.IsMap() {
		return "takes an object"
	}
	switch fd.Kind() {
	case protoreflect.BoolKind:
		return "takes true or false"
	case protoreflect.StringKind:
		return "takes text"
	case protoreflect.BytesKind:
		return "takes bytes as base64 text"
	case protoreflect.FloatKind, protoreflect.DoubleKind:
		return "takes a number"
	case protoreflect.EnumKind:
		return "takes one of " + strings.Join(enumNames(fd.Enum()), ", ")
	case protoreflect.MessageKind, protoreflect.GroupKind:
		switch fd.Message().Name() {
		case "Timestamp":
			return "takes a time such as 2026-05-04T09:30:00Z"
		case "Duration":
			return "takes seconds such as 1.5s"
		}
		return "takes an object"
	default:
		return "takes a whole number"
	}
}

func enumNames(ed protoreflect.EnumDescriptor) []string {
	var names []string
	for i := range ed.Values().Len() {
		if v := ed.Values().Get(i); v.Number() != 0 {
			names = append(names, string(v.Name()))
		}
	}
	return names
}
