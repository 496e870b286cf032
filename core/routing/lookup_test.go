package routing_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/routing"
)

func TestFindCode(t *testing.T) {
	n := row("abc")
	dealerOf(&n, "a").Codes = []routing.Code{{Brand: "TOY", Scheme: "oem", Code: "02036"}, {Scheme: "crm", Code: "77", Department: lead.DepartmentService}}
	dealerOf(&n, "b").Codes = []routing.Code{{Brand: "LEX", Scheme: "oem", Code: "02036"}, {Scheme: "old", Code: "9", Valid: routing.Span{To: now}},
		{Brand: "LEX", Scheme: "oem", Code: "5"}, {Brand: "LEX", Scheme: "oem", Code: "6", Valid: routing.Span{To: now}}}
	c := dealerOf(&n, "c")
	c.Codes = []routing.Code{{Scheme: "old", Code: "9", Valid: routing.Span{From: now}}, {Code: "x1"}, {Code: "shared", SubCode: "1"}}
	c.Status, c.SucceededBy = routing.StatusClosed, "a"
	s := compile(t, n, policy())
	tests := []struct {
		name string
		q    routing.CodeQuery
		want routing.Found
		ok   bool
	}{
		{"by brand", routing.CodeQuery{Brand: "LEX", Code: "02036", At: now}, routing.Found{Dealer: "b"}, true},
		{"two dealers fit", routing.CodeQuery{Code: "02036", At: now}, routing.Found{}, false},
		{"another brand's lead, two stores", routing.CodeQuery{Brand: "NOR", Scheme: "oem", Code: "02036", At: now}, routing.Found{}, false},
		{"another brand's lead, one store", routing.CodeQuery{Brand: "TOY", Scheme: "oem", Code: "5", At: now}, routing.Found{Dealer: "b"}, true},
		{"another scheme, two stores", routing.CodeQuery{Brand: "LEX", Scheme: "erp", Code: "02036", At: now}, routing.Found{}, false},
		{"another brand and scheme", routing.CodeQuery{Brand: "TOY", Scheme: "erp", Code: "5", At: now}, routing.Found{Dealer: "b"}, true},
		{"another brand, ended", routing.CodeQuery{Brand: "TOY", Scheme: "oem", Code: "6", At: now}, routing.Found{}, false},
		{"leading zeros count", routing.CodeQuery{Brand: "TOY", Code: "2036", At: now}, routing.Found{}, false},
		{"a department's code", routing.CodeQuery{Brand: "TOY", Code: "77", At: now}, routing.Found{Dealer: "a", Department: lead.DepartmentService}, true},
		{"for another department", routing.CodeQuery{Code: "77", Department: lead.DepartmentNew, At: now}, routing.Found{}, false},
		{"before the change", routing.CodeQuery{Code: "9", At: now - 1}, routing.Found{Dealer: "b"}, true},
		{"after the change, succeeded", routing.CodeQuery{Code: "9", At: now}, routing.Found{Dealer: "a", Succeeded: true}, true},
		{"case and space", routing.CodeQuery{Code: " X1", At: now}, routing.Found{Dealer: "a", Succeeded: true}, true},
		{"sub-code", routing.CodeQuery{Code: "SHARED", SubCode: "2", At: now}, routing.Found{}, false},
		{"empty", routing.CodeQuery{At: now}, routing.Found{}, false},
	}
	for _, tt := range tests {
		got, ok := s.FindCode(tt.q)
		if got != tt.want || ok != tt.ok {
			t.Errorf("%s: got %+v %v, want %+v %v", tt.name, got, ok, tt.want, tt.ok)
		}
	}
}

func TestFindName(t *testing.T) {
	n := row("abcd")
	dealerOf(&n, "a").Name = "Autohaus Müller & Söhne GmbH & Co. KG"
	dealerOf(&n, "b").Name = "O'Neill Toyota, L.L.C."
	dealerOf(&n, "c").Name = "City Cars"
	dealerOf(&n, "d").Name = "city-cars Ltd"
	s := compile(t, n, policy())
	for name, want := range map[string]string{
		"autohaus muller & sohne": "a", "AUTOHAUS MÜLLER UND SÖHNE": "", "The ONeill Toyota LLC": "b", "City Cars": "", "": "", "nobody": "",
	} {
		got, ok := s.FindName(name)
		if got.Dealer != want || ok != (want != "") {
			t.Errorf("%q: got %q %v, want %q", name, got.Dealer, ok, want)
		}
	}
}

func TestCompileNamesEveryMistake(t *testing.T) {
	n, p := row("abc"), policy()
	n.Dealers = append(n.Dealers, store("a", 0, 0, "TOY"))
	b := dealerOf(&n, "b")
	b.Latitude, b.Status, b.Overflow, b.SucceededBy = 91_000_000, 0, "b", "c"
	b.Departments[1].Kind = lead.DepartmentNew
	b.Departments[0].PersonSetting, b.Departments[0].Brands = routing.PersonSettingGroupBDC, nil
	b.Certificates = []routing.Certificate{{Program: "EV"}}
	c := dealerOf(&n, "c")
	c.SucceededBy, c.Overflow = "b", "desk"
	dealerOf(&n, "a").Codes = []routing.Code{{Code: "1", Valid: routing.Span{To: 20}}}
	c.Codes = []routing.Code{{Code: "1", Valid: routing.Span{From: 10}}}
	area(&n, "a")
	area(&n, "c")
	area(&n, "nobody")
	n.Programs = []routing.Program{{Code: "HALO", Mandatory: true}}
	n.Persons = []routing.Person{{ID: "p", Dealer: "z", Shifts: "noon"}}
	n.Points = append(n.Points, routing.PostalPoint{Country: "germany", Postal: "-"})
	p.Desk = "a"
	p.Markets[0].K = 0
	p.Rules[0].Equals, p.Rules[0].NormalDistance = 1_000_001, 0
	p.Rules = append(p.Rules, p.Rules[0])
	s, problems := routing.Compile(n, p)
	if s != nil {
		t.Error("a snapshot in spite of problems")
	}
	var got []string
	for _, x := range problems {
		got = append(got, x.Path)
	}
	want := strings.Fields(`programs[0].fallback dealers[4].id dealers[2].status dealers[2].latitude dealers[2].overflow dealers[2].succeeded_by
		dealers[2].departments[0].brands dealers[2].departments[0].bdc dealers[2].departments[1].kind dealers[2].certificates[0].program
		dealers[3].overflow dealers[3].succeeded_by dealers[3].codes[0].code territories[1] territories[2].dealer territories[2] territories[2]
		roster[0].dealer roster[0].shifts points[3].country points[3].postal policy.desk policy.markets[0].k
		policy.rules[0].normal_distance policy.rules[0].equals policy.rules[1].normal_distance policy.rules[1].equals policy.rules[1]`)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("paths (-want +got):\n%s\n%v", d, problems)
	}
	if _, problems := routing.Compile(routing.Network{}, routing.Policy{}); len(problems) != 1 || problems[0].Path != "policy.desk" {
		t.Errorf("an empty network: %v", problems)
	}
}

func TestChance(t *testing.T) {
	id := lead.NewID(secret(), "lead")
	base := routing.Chance(secret(), id, routing.PurposeDraw, 1)
	if base != routing.Chance(secret(), id, routing.PurposeDraw, 1) {
		t.Error("the same parts gave another chance")
	}
	lots := routing.NewLots(secret())
	for attempt := range 20 {
		id := lead.NewID(secret(), strconv.Itoa(attempt))
		text := append(append([]byte(nil), id[:]...), 0, 0, 0, 0, 0, 0, 0, 12)
		text = append(append(text, "routing.draw"...), 0, 0, 0, 0, 0, 0, 0, byte(attempt))
		mac := hmac.New(sha256.New, secret())
		mac.Write(text)
		want := binary.BigEndian.Uint64(mac.Sum(nil))
		if got := lots.Draw(id, routing.PurposeDraw, attempt); got != want {
			t.Errorf("lot %d is %d, want %d", attempt, got, want)
		}
	}
	if n := testing.AllocsPerRun(100, func() { lots.Draw(id, routing.PurposeDraw, 1) }); n > 0 {
		t.Errorf("a lot allocates %v times", n)
	}
	for name, other := range map[string]uint64{
		"secret":  routing.Chance([]byte("another"), id, routing.PurposeDraw, 1),
		"lead":    routing.Chance(secret(), lead.NewID(secret(), "other"), routing.PurposeDraw, 1),
		"purpose": routing.Chance(secret(), id, "other", 1),
		"attempt": routing.Chance(secret(), id, routing.PurposeDraw, 2),
	} {
		if other == base {
			t.Errorf("another %s gave the same chance", name)
		}
	}
}
