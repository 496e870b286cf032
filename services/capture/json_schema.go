package capture

import (
	"strings"

	"github.com/leadmesh/leadmesh/core/lead"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// shape is what the reader knows of one message of a lead: the table it walks by.
type shape struct {
	members map[string]*member // by proto name and by its camel case
	short   []*member          // what a bare text in the message's place stands for
	name    protoreflect.FullName
}

// member is one field of a shape.
type member struct {
	field  protoreflect.FieldDescriptor
	shape  *shape // of a message field
	codes  map[string]protoreflect.EnumNumber
	output bool // only the house sets it: kept like an unknown field
}

const (
	timestampName = protoreflect.FullName("google.protobuf.Timestamp")
	moneyName     = protoreflect.FullName("leadmesh.lead.v1.Money")
	odometerName  = protoreflect.FullName("leadmesh.lead.v1.Vehicle.odometer")
)

// shorthands name the fields that a bare text stands for where an object is expected. A dealer's
// text may be the network's identifier or any code: the first that is found decides.
var shorthands = map[protoreflect.FullName][]protoreflect.Name{
	"leadmesh.lead.v1.Phone":           {"number"},
	"leadmesh.lead.v1.Email":           {"address"},
	"leadmesh.lead.v1.Name":            {"full"},
	"leadmesh.lead.v1.DealerReference": {"dealer_id", "code"},
	"leadmesh.lead.v1.Source":          {"source"},
	"leadmesh.lead.v1.Campaign":        {"campaign_id"},
	"leadmesh.lead.v1.TimeFrame":       {"text"},
}

// aliases are names that well-known senders use for fields of ours.
var aliases = map[protoreflect.FullName]map[string]string{
	"leadmesh.lead.v1.Lead": {"is_test": "test", "isTest": "test"},
}

// outputs are the fields that only the house sets.
var outputs = map[protoreflect.FullName]bool{
	"leadmesh.lead.v1.Lead.lead_id": true, "leadmesh.lead.v1.Lead.received_at": true, "leadmesh.lead.v1.Lead.changes": true,
	"leadmesh.lead.v1.Lead.flags": true, "leadmesh.lead.v1.Lead.digital_only": true, "leadmesh.lead.v1.Email.raw": true,
	"leadmesh.lead.v1.Email.valid": true, "leadmesh.lead.v1.Phone.e164": true, "leadmesh.lead.v1.Phone.valid": true,
	"leadmesh.lead.v1.Vehicle.vin_valid": true,
}

func newJSONReader() *jsonReader {
	shapes := map[protoreflect.FullName]*shape{}
	return &jsonReader{lead: shapeOf((&leadv1.Lead{}).ProtoReflect().Descriptor(), shapes)}
}

// shapeOf makes the table of a message and of all below it.
func shapeOf(d protoreflect.MessageDescriptor, known map[protoreflect.FullName]*shape) *shape {
	if s := known[d.FullName()]; s != nil {
		return s
	}
	s := &shape{members: map[string]*member{}, name: d.FullName()}
	known[d.FullName()] = s
	fields := d.Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		m := &member{field: f, output: outputs[f.FullName()]}
		switch f.Kind() {
		case protoreflect.MessageKind:
			m.shape = shapeOf(f.Message(), known)
		case protoreflect.EnumKind:
			m.codes = codesOf(f.Enum())
		}
		s.members[string(f.Name())] = m
		s.members[f.JSONName()] = m
	}
	for alias, name := range aliases[d.FullName()] {
		s.members[alias] = s.members[name]
	}
	for _, name := range shorthands[d.FullName()] {
		s.short = append(s.short, s.members[string(name)])
	}
	return s
}

// codesOf gives an enum's numbers by name, with and without the prefix, and by the sense of both.
func codesOf(d protoreflect.EnumDescriptor) map[string]protoreflect.EnumNumber {
	values := d.Values()
	prefix := strings.TrimSuffix(string(values.Get(0).Name()), "UNSPECIFIED")
	codes := make(map[string]protoreflect.EnumNumber, 4*values.Len())
	for i := range values.Len() {
		v := values.Get(i)
		full := string(v.Name())
		short := strings.TrimPrefix(full, prefix)
		for _, name := range []string{full, short, lead.Fold(full), lead.Fold(short)} {
			codes[name] = v.Number()
		}
	}
	return codes
}
