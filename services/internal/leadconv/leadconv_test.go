package leadconv_test

import (
	"strings"
	"testing"

	"github.com/leadmesh/leadmesh/core/lead"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// listed names the codes of a list that core only lists, by number.
func listed(kind string) func(uint8) string {
	codes := append([]string{""}, lead.Codes(kind)...)
	return func(n uint8) string {
		if int(n) < len(codes) {
			return codes[n]
		}
		return ""
	}
}

// The codes of core and of the protos must agree in number and name, since they are cast.
func TestCodesAgree(t *testing.T) {
	cases := []struct {
		enum protoreflect.EnumDescriptor
		name func(uint8) string
	}{
		{leadv1.Line(0).Descriptor(), func(n uint8) string { return lead.Line(n).String() }},
		{leadv1.RequestType(0).Descriptor(), func(n uint8) string { return lead.RequestType(n).String() }},
		{leadv1.Origin(0).Descriptor(), func(n uint8) string { return lead.Origin(n).String() }},
		{leadv1.DealerChoice(0).Descriptor(), func(n uint8) string { return lead.DealerChoice(n).String() }},
		{leadv1.Role(0).Descriptor(), func(n uint8) string { return lead.Role(n).String() }},
		{leadv1.Department(0).Descriptor(), func(n uint8) string { return lead.Department(n).String() }},
		{leadv1.Segment(0).Descriptor(), func(n uint8) string { return lead.Segment(n).String() }},
		{leadv1.Stage(0).Descriptor(), func(n uint8) string { return lead.Stage(n).String() }},
		{leadv1.State(0).Descriptor(), func(n uint8) string { return lead.State(n).String() }},
		{leadv1.RejectCode(0).Descriptor(), func(n uint8) string { return lead.RejectCode(n).String() }},
		{leadv1.DeclineCode(0).Descriptor(), func(n uint8) string { return lead.DeclineCode(n).String() }},
		{leadv1.ReturnCode(0).Descriptor(), func(n uint8) string { return lead.ReturnCode(n).String() }},
		{leadv1.LostCode(0).Descriptor(), func(n uint8) string { return lead.LostCode(n).String() }},
		{leadv1.CallResult(0).Descriptor(), listed("call_result")},
		{leadv1.PauseCode(0).Descriptor(), listed("pause")},
		{leadv1.ParkReason(0).Descriptor(), func(n uint8) string { return lead.ParkReason(n).String() }},
		{leadv1.Milestone(0).Descriptor(), func(n uint8) string { return lead.Milestone(n).String() }},
		{leadv1.PartyRole(0).Descriptor(), func(n uint8) string { return lead.PartyRole(n).String() }},
		{leadv1.VehicleRole(0).Descriptor(), func(n uint8) string { return lead.VehicleRole(n).String() }},
		{leadv1.VehicleStatus(0).Descriptor(), func(n uint8) string { return lead.VehicleStatus(n).String() }},
		{leadv1.Interest(0).Descriptor(), func(n uint8) string { return lead.Interest(n).String() }},
		{leadv1.Powertrain(0).Descriptor(), func(n uint8) string { return lead.Powertrain(n).String() }},
		{leadv1.Channel(0).Descriptor(), func(n uint8) string { return lead.Channel(n).String() }},
		{leadv1.Purpose(0).Descriptor(), func(n uint8) string { return lead.Purpose(n).String() }},
		{leadv1.ConsentState(0).Descriptor(), func(n uint8) string { return lead.ConsentState(n).String() }},
		{leadv1.Controller(0).Descriptor(), func(n uint8) string { return lead.Controller(n).String() }},
		{leadv1.PhoneType(0).Descriptor(), func(n uint8) string { return lead.PhoneType(n).String() }},
		{leadv1.OdometerUnit(0).Descriptor(), func(n uint8) string { return lead.OdometerUnit(n).String() }},
		{leadv1.IdentifierKind(0).Descriptor(), func(n uint8) string { return lead.IDKind(n).String() }},
		{leadv1.SignalKind(0).Descriptor(), func(n uint8) string { return lead.SignalKind(n).String() }},
	}
	for _, c := range cases {
		t.Run(string(c.enum.Name()), func(t *testing.T) {
			values := c.enum.Values()
			prefix := strings.TrimSuffix(string(values.Get(0).Name()), "UNSPECIFIED")
			for i := 1; i < values.Len(); i++ {
				v := values.Get(i)
				if v.Number() != protoreflect.EnumNumber(i) { // reading counts on it
					t.Errorf("%s has the number %d after %d others", v.Name(), v.Number(), i)
				}
				if got, want := c.name(uint8(v.Number())), strings.TrimPrefix(string(v.Name()), prefix); got != want {
					t.Errorf("number %d is %q in core and %q in the proto", v.Number(), got, want)
				}
			}
			if extra := c.name(uint8(values.Len())); extra != "" {
				t.Errorf("core has %q, which the proto lacks", extra)
			}
		})
	}
}
