package capture

import (
	"strconv"
	"strings"
	"time"

	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// ruleUpdate names, in the changes of a lead, what its source sent later under the same id.
const ruleUpdate = "update"

// settled are the fields of a lead that its first form keeps: what it is known, credited and
// decided by, and what belongs to one submission.
var settled = map[protoreflect.Name]bool{
	"lead_id": true, "test": true, "line": true, "origin": true, "trigger": true, "digital_only": true, "market": true, "brand": true,
	"dealer_choice": true, "dealer": true, "source": true, "requested_at": true, "received_at": true, "resend": true,
	"idempotency_key": true, "changes": true, "flags": true,
}

// overlay puts what an update says over a lead, for display: the newest values count, entries of
// lists are added or, where they are of the same thing, renewed; nothing is taken away. Every value
// that changes is listed in the lead's changes.
func overlay(l, update *leadv1.Lead) { overlayBut(settled, ruleUpdate, l, update) }

// overlayBut is overlay that keeps other fields, and names another rule in the lead's changes.
func overlayBut(kept map[protoreflect.Name]bool, rule string, l, update *leadv1.Lead) {
	o := &over{l: l, rule: rule}
	from, into := update.ProtoReflect(), l.ProtoReflect()
	from.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if !kept[f.Name()] {
			o.field(string(f.Name()), f, into, v)
		}
		return true
	})
}

// submitted are the fields that belong to one submission: nobody changes them.
var submitted = map[protoreflect.Name]bool{
	"lead_id": true, "test": true, "trigger": true, "digital_only": true, "source": true, "requested_at": true, "received_at": true,
	"resend": true, "idempotency_key": true, "changes": true, "flags": true,
}

type over struct {
	l    *leadv1.Lead
	rule string
}

// message puts one message over another of the same type.
func (o *over) message(path string, into, from protoreflect.Message) {
	from.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		o.field(path+"."+string(f.Name()), f, into, v)
		return true
	})
}

func (o *over) field(path string, f protoreflect.FieldDescriptor, into protoreflect.Message, v protoreflect.Value) {
	switch {
	case f.IsList():
		o.list(path, f, into, v.List())
	case f.Message() != nil && undivided[f.Message().Name()]:
		if !into.Has(f) || !proto.Equal(into.Get(f).Message().Interface(), v.Message().Interface()) {
			o.change(path, "", "")
			into.Set(f, protoreflect.ValueOfMessage(proto.Clone(v.Message().Interface()).ProtoReflect()))
		}
	case f.Message() != nil:
		o.message(path, into.Mutable(f).Message(), v.Message())
	case !into.Get(f).Equal(v):
		before := "" // a field that was not there reads as its type's zero
		if into.Has(f) {
			before = written(f, into.Get(f))
		}
		o.change(path, before, written(f, v))
		into.Set(f, v)
	}
}

// undivided are messages whose fields say nothing apart.
var undivided = map[protoreflect.Name]bool{"Timestamp": true, "Money": true}

func (o *over) list(path string, f protoreflect.FieldDescriptor, into protoreflect.Message, from protoreflect.List) {
	list := into.Mutable(f).List()
	for i := range from.Len() {
		v := from.Get(i)
		at := entryOf(list, f, v)
		here := path + "[" + strconv.Itoa(at) + "]"
		switch {
		case at < list.Len() && f.Message() != nil:
			o.message(here, list.Get(at).Message(), v.Message())
		case at < list.Len():
		case f.Message() != nil:
			o.change(here, "", keyOf(v.Message()))
			list.Append(protoreflect.ValueOfMessage(proto.Clone(v.Message().Interface()).ProtoReflect()))
		default:
			o.change(here, "", written(f, v))
			list.Append(v)
		}
	}
}

// entryOf finds the entry that is of the same thing; the length of the list if there is none.
func entryOf(list protoreflect.List, f protoreflect.FieldDescriptor, v protoreflect.Value) int {
	for i := range list.Len() {
		have := list.Get(i)
		if f.Message() != nil && keyOf(have.Message()) == keyOf(v.Message()) || f.Message() == nil && have.Equal(v) {
			return i
		}
	}
	return list.Len()
}

// keyOf is what tells the entries of a list apart; parties by their part, vehicles by what they are.
func keyOf(m protoreflect.Message) string {
	switch e := m.Interface().(type) {
	case *leadv1.Party:
		return e.GetRole().String()
	case *leadv1.Email:
		return strings.ToLower(e.GetAddress())
	case *leadv1.Phone:
		if e.GetE164() != "" {
			return strings.TrimSuffix(e.GetE164()+" "+e.GetExtension(), " ")
		}
		return e.GetNumber()
	case *leadv1.Vehicle:
		if e.GetVin() != "" {
			return e.GetRole().String() + " " + e.GetVin()
		}
		return strings.Join([]string{e.GetRole().String(), e.GetMake(), e.GetModel()}, " ")
	case *leadv1.Identifier:
		return strings.Join([]string{e.GetKind().String(), e.GetSource(), e.GetValue()}, " ")
	case *leadv1.Consent:
		return strings.Join([]string{e.GetController().String(), e.GetControllerId(), e.GetPurpose().String(), e.GetChannel().String(),
			e.GetContactPoint(), e.GetState().String(), when(e.GetAt())}, " ")
	case *leadv1.Field:
		return e.GetPath() + " " + e.GetValue()
	}
	return ""
}

func when(t *timestamppb.Timestamp) string {
	if t == nil {
		return ""
	}
	return t.AsTime().Format(time.RFC3339)
}

func written(f protoreflect.FieldDescriptor, v protoreflect.Value) string {
	if f.Kind() != protoreflect.EnumKind {
		return v.String()
	}
	if name := f.Enum().Values().ByNumber(v.Enum()); name != nil {
		return string(name.Name())
	}
	return ""
}

func (o *over) change(path, before, after string) {
	o.l.Changes = append(o.l.Changes, &leadv1.Change{Field: path, Rule: o.rule, Before: before, After: after})
}
