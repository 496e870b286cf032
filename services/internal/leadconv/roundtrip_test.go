package leadconv_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/leadmesh/leadmesh/core/lead"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"google.golang.org/protobuf/proto"
)

// TestEveryFieldSurvivesTheProtoForm fills every field of a lead, whatever fields it has, and
// takes it to its stored form and back.
func TestEveryFieldSurvivesTheProtoForm(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		want := lead.Lead{}
		fill(t, r, reflect.ValueOf(&want).Elem())
		body, err := proto.Marshal(leadconv.ToProto(&want))
		if err != nil {
			t.Fatal(err)
		}
		message := &leadv1.Lead{}
		if err := proto.Unmarshal(body, message); err != nil {
			t.Fatal(err)
		}
		got, violations := leadconv.FromProto(message)
		if len(violations) > 0 {
			t.Fatalf("seed %d: %v", seed, violations)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("seed %d (-want +got):\n%s", seed, diff)
		}
	}
}

// TestReadLeavesNothingBehind reads leads one after the other into the same and finds each as if it
// were the first; reading one again takes next to no memory.
func TestReadLeavesNothingBehind(t *testing.T) {
	var got lead.Lead
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 2))
		want := lead.Lead{}
		fill(t, r, reflect.ValueOf(&want).Elem())
		message := leadconv.ToProto(&want)
		if violations := leadconv.Read(&got, message); len(violations) > 0 {
			t.Fatalf("seed %d: %v", seed, violations)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("seed %d (-want +got):\n%s", seed, diff)
		}
	}
	message := &leadv1.Lead{
		Parties: []*leadv1.Party{{
			Emails: []*leadv1.Email{{Address: "ada@byron.example.com", Valid: true}}, Phones: []*leadv1.Phone{{Number: "1"}},
			Address: &leadv1.Address{Streets: []string{"1 Main Street"}},
		}},
		Vehicles: []*leadv1.Vehicle{{Make: "Norrvind"}}, Consents: []*leadv1.Consent{{}, {}}, Identifiers: []*leadv1.Identifier{{}},
	}
	if n := testing.AllocsPerRun(100, func() { leadconv.Read(&got, message) }); n > 0 {
		t.Errorf("a lead read into the room of another allocates %v times", n)
	}
}

// fill sets a value at random; a third of everything stays empty.
func fill(t *testing.T, r *rand.Rand, v reflect.Value) {
	t.Helper()
	switch v.Interface().(type) {
	case lead.ID:
		v.Set(reflect.ValueOf(lead.NewID([]byte("test"), fmt.Sprint(r.Uint64()))))
		return
	case time.Time:
		if r.IntN(3) > 0 {
			v.Set(reflect.ValueOf(time.UnixMicro(r.Int64N(4e15)).UTC()))
		}
		return
	case lead.Email:
		v.Set(reflect.ValueOf(email(r)))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, r, v.Field(i))
		}
		if car, ok := v.Addr().Interface().(*lead.Vehicle); ok && r.IntN(3) == 0 {
			car.Odometer = -1
		}
	case reflect.Slice:
		n := r.IntN(4)
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			fill(t, r, v.Index(i))
		}
	case reflect.String:
		if r.IntN(3) > 0 {
			v.SetString(fmt.Sprintf("%c%d ü\n", 'a'+r.IntN(26), r.Uint32()))
		}
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.Int, reflect.Int64:
		v.SetInt(r.Int64N(10_000))
	case reflect.Uint8: // one of the codes
		v.SetUint(uint64(r.IntN(30)))
		if named, ok := v.Interface().(fmt.Stringer); !ok || named.String() == "" {
			v.SetUint(0)
		}
	default:
		t.Fatalf("a lead holds a %s: fill it", v.Type())
	}
}

// email is an address that was read, or one that could not be.
func email(r *rand.Rand) lead.Email {
	return lead.ParseEmail([...]string{
		"Ada+cars@Byron.example.com", fmt.Sprintf("a%d@byron.example.com", r.Uint32()), "no address", "mailto:a.b@gmail.com",
	}[r.IntN(4)])
}

// A violation names the place where it stands.
func TestViolationsNameTheirPlace(t *testing.T) {
	l := &leadv1.Lead{
		Line: 99, Identifiers: []*leadv1.Identifier{{}, {Kind: 99}},
		Parties:  []*leadv1.Party{{Role: 99, Phones: []*leadv1.Phone{{Type: 99}}}},
		Vehicles: []*leadv1.Vehicle{{}, {Status: 99}}, Consents: []*leadv1.Consent{{State: 99}},
	}
	_, violations := leadconv.FromProto(l)
	var got []string
	for _, v := range violations {
		got = append(got, v.Field)
	}
	want := []string{"line", "identifiers[1].kind", "parties[0].role", "parties[0].phones[0].type", "vehicles[1].status", "consents[0].state"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("violations (-want +got):\n%s", d)
	}
	_, violations = leadconv.PartyFromProto("signals[3].party", l.Parties[0])
	if len(violations) != 2 || violations[0].Field != "signals[3].party.role" {
		t.Errorf("violations of a party: %v", violations)
	}
}

// A sound lead costs what it holds and nothing for the names of its fields.
func TestFromProtoIsSparing(t *testing.T) {
	l := &leadv1.Lead{
		LeadId: "d2f852fe-596b-880e-9238-2b0724f35504", Identifiers: []*leadv1.Identifier{{Value: "1"}, {Value: "2"}},
		Parties:  []*leadv1.Party{{Phones: []*leadv1.Phone{{Number: "1"}}, Emails: []*leadv1.Email{{Address: "a@example.com"}}}},
		Vehicles: []*leadv1.Vehicle{{}, {}}, Consents: []*leadv1.Consent{{}, {}},
	}
	if n := testing.AllocsPerRun(100, func() { leadconv.FromProto(l) }); n > 7 {
		t.Errorf("reading a lead makes %.0f allocations", n)
	}
}
