package network_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/core/routing"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/routing/internal/network"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
	"google.golang.org/protobuf/proto"
)

const (
	dealersHead     = "dealer_id,name,kind,country,time_zone,status,latitude,longitude,succeeded_by,overflow_dealer_id\n"
	departmentsHead = "dealer_id,department,brands,hours\n"
	territoriesHead = "brand,country,postal_code,dealer_id,valid_from,valid_to\n"
)

func csv(name, head string, rows ...string) network.File {
	return network.File{Name: name, Content: []byte(head + strings.Join(rows, "\n") + "\n")}
}

// base is a network of the stores s1 and s2, the closed s9 and the desk.
func base(t *testing.T) *postgres.NetworkRows {
	t.Helper()
	r := run(t, &postgres.NetworkRows{}, network.Options{AllOrNothing: true},
		csv("dealers.csv", dealersHead, "s1,One,ROOFTOP,US,America/Chicago,LIVE,41,-87,,", "s2,Two,ROOFTOP,US,America/Chicago,LIVE,42,-87,,",
			"s9,Nine,ROOFTOP,US,America/Chicago,CLOSED,42,-88,s1,", "desk,Desk,DESK,US,America/Chicago,LIVE,,,,"),
		csv("departments.csv", departmentsHead, "s1,NEW,BR,mo-fr 09:00-18:00", "s2,NEW,BR,24/7", "s9,NEW,BR,closed"),
		csv("programs.csv", "program,name,applies_to,mandatory,fallback\n", "EV,EV store,powertrain:ELECTRIC,true,DESK"))
	if r.Rows == nil {
		t.Fatalf("base network: %+v", r.Mistakes)
	}
	return r.Rows
}

func run(t *testing.T, present *postgres.NetworkRows, o network.Options, files ...network.File) *network.Result {
	t.Helper()
	r, err := network.Import(present, files, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEveryBadRowIsNamed(t *testing.T) {
	for _, c := range []struct {
		name string
		file network.File
		want string // line, column and a part of the message
	}{
		{"unknown file", csv("stores.csv", "a\n"), "0  name does not say what the file holds"},
		{"empty file", network.File{Name: "roster.csv"}, "0  is empty"},
		{"missing column", csv("dealers.csv", "dealer_id,name,kind,country,status\n"), "1 time_zone column is missing"},
		{"unknown column", csv("departments.csv", "dealer_id,department,hours,colour\n"), "1 colour unknown column"},
		{"column twice", csv("departments.csv", "dealer_id,dealer_id,department,hours\n"), "1 dealer_id stands twice"},
		{"too few fields", csv("departments.csv", departmentsHead, "s1,NEW"), "2  has 2 fields, the header has 4"},
		{"quotes", csv("departments.csv", departmentsHead, `s1,NEW,"BR"x,24/7`), "2  the quotes do not match"},
		{"not UTF-8", csv("departments.csv", departmentsHead, "s1,NEW,\xff,24/7"), "2  is not UTF-8"},
		{"no id", csv("dealers.csv", dealersHead, ",X,ROOFTOP,US,America/Chicago,LIVE,1,1,,"), "2 dealer_id is empty"},
		{"odd id", csv("dealers.csv", dealersHead, "a b,X,ROOFTOP,US,America/Chicago,LIVE,1,1,,"), "2 dealer_id no identifier"},
		{"kind", csv("dealers.csv", dealersHead, "x,X,SHOP,US,America/Chicago,LIVE,1,1,,"), "2 kind none of ROOFTOP, BDC, DESK"},
		{"status", csv("dealers.csv", dealersHead, "x,X,ROOFTOP,US,America/Chicago,OPEN,1,1,,"), "2 status none of ONBOARDING"},
		{"country", csv("dealers.csv", dealersHead, "x,X,ROOFTOP,USA,America/Chicago,LIVE,1,1,,"), "2 country two letters"},
		{"zone", csv("dealers.csv", dealersHead, "x,X,ROOFTOP,US,Central,LIVE,1,1,,"), "2 time_zone America/Chicago"},
		{"coordinate", csv("dealers.csv", dealersHead, "x,X,ROOFTOP,US,America/Chicago,LIVE,91,1,,"), "2 latitude -90 to 90"},
		{"no place", csv("dealers.csv", dealersHead, "x,X,ROOFTOP,US,America/Chicago,LIVE,,,,"), "2 latitude needs latitude and longitude"},
		{"no department", csv("dealers.csv", dealersHead, "x,X,ROOFTOP,US,America/Chicago,LIVE,1,1,,"), "2 dealer_id has no department"},
		{"own overflow", csv("dealers.csv", dealersHead, "s1,X,ROOFTOP,US,America/Chicago,LIVE,1,1,,s1"), "2 overflow_dealer_id names the dealer itself"},
		{"desk as heir", csv("dealers.csv", dealersHead, "s1,X,ROOFTOP,US,America/Chicago,LIVE,1,1,desk,"), "2 succeeded_by is a DESK"},
		{"twice", csv("dealers.csv", dealersHead, "s1,X,ROOFTOP,US,America/Chicago,LIVE,1,1,,", "s1,Y,ROOFTOP,US,America/Chicago,LIVE,1,1,,"), "3 dealer_id stands already in line 2"},
		{"unknown dealer", csv("departments.csv", departmentsHead, "zz,NEW,BR,24/7"), `2 dealer_id "zz" is no dealer`},
		{"department", csv("departments.csv", departmentsHead, "s1,SALES,BR,24/7"), "2 department none of NEW, USED"},
		{"no brands", csv("departments.csv", departmentsHead, "s1,NEW,,24/7"), "2 brands franchise"},
		{"hours", csv("departments.csv", departmentsHead, "s1,NEW,BR,mo-fr 9-18"), "2 hours mo-fr 08:30-18:00"},
		{"holiday", csv("departments.csv", "dealer_id,department,brands,hours,holidays\n", "s1,NEW,BR,24/7,christmas"), "2 holidays is no day"},
		{"capacity", csv("departments.csv", "dealer_id,department,brands,hours,capacity_per_day\n", "s1,NEW,BR,24/7,-1"), "2 capacity_per_day whole number"},
		{"desk of a BDC", csv("departments.csv", "dealer_id,department,brands,hours,person_setting\n", "s1,NEW,BR,24/7,GROUP_BDC"), "2 bdc_dealer_id needs the desk"},
		{"closed dealer's area", csv("territories.csv", territoriesHead, "BR,US,60601,s9,2026-01-01,"), "2 dealer_id successor s1"},
		{"overlap", csv("territories.csv", territoriesHead, "BR,US,60601,s1,2026-01-01,", "BR,US,60601,s2,2026-06-01,"), "3 valid_from overlaps with line 2 of territories.csv"},
		{"postal code", csv("territories.csv", territoriesHead, "BR,US,6060,s1,,"), ""},
		{"no postal code", csv("territories.csv", territoriesHead, "BR,US,ABC,s1,,"), "2 postal_code no postal code of US"},
		{"days", csv("territories.csv", territoriesHead, "BR,US,60601,s1,2026-06-01,2026-05-31"), "2 valid_to is before"},
		{"unknown program", csv("certificates.csv", "dealer_id,program\n", "s1,H2"), `2 program "H2" is no program`},
		{"model's program", csv("catalogue.csv", "brand,model_code,model,required_program\n", "BR,M1,One,H2"), "2 required_program is no program"},
		{"powertrain", csv("catalogue.csv", "brand,model_code,model,powertrain\n", "BR,M1,One,STEAM"), "2 powertrain write COMBUSTION"},
		{"condition", csv("programs.csv", "program,applies_to\n", "P,everything"), "2 applies_to none of powertrain:ELECTRIC"},
		{"fallback", csv("programs.csv", "program,mandatory\n", "P,yes"), "2 fallback DESK or UNCERTIFIED"},
		{"role", csv("roster.csv", "person_id,dealer_id,name,roles\n", "p1,s1,Ann,BOSS"), "2 roles none of BDC, SALES"},
		{"shifts", csv("roster.csv", "person_id,dealer_id,name,roles,shifts\n", "p1,s1,Ann,SALES,mornings"), "2 shifts mo-fr 09:00-17:00"},
		{"absence", csv("roster.csv", "person_id,dealer_id,name,roles,absent\n", "p1,s1,Ann,SALES,2026-12-24..2026-12-01"), "2 absent no absence"},
		{"shared code", csv("dealer_codes.csv", "dealer_id,scheme,code\n", "s1,oem,7", "s2,oem,7"), `2 code also the code of dealer "s2"`},
		{"postal twice", csv("us.csv", "country,postal,lat,lon\n", "US,60601,41,-87", "US,60601,41,-87"), "3 country stands already in line 2"},
		{"YAML", network.File{Name: "programs.yaml", Content: []byte("- program: P\n  colour: red\n")}, "2 colour unknown column"},
		{"YAML alias", network.File{Name: "programs.yaml", Content: []byte("- program: &a P\n  name: *a\n")}, "2 name neither a value nor a list"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := run(t, base(t), network.Options{}, c.file)
			if c.want == "" {
				if len(r.Mistakes) > 0 {
					t.Errorf("%+v", r.Mistakes)
				}
				return
			}
			place, rest, _ := strings.Cut(c.want, " ")
			column, message, _ := strings.Cut(rest, " ")
			for _, m := range r.Mistakes {
				if fmt.Sprint(m.Line) == place && m.Column == column && strings.Contains(m.Message, message) && m.File == c.file.Name {
					return
				}
			}
			t.Errorf("want %q among %+v", c.want, r.Mistakes)
		})
	}
}

func TestGoodRowsAreTakenUnlessAllOrNothing(t *testing.T) {
	file := csv("territories.csv", territoriesHead, "BR,US,60601,s1,,", "BR,US,60602,zz,,", "BR,US,60603,s2,,")
	r := run(t, base(t), network.Options{}, file)
	if len(r.Rows.Territories) != 2 || r.Accepted["territories.csv"] != 2 || len(r.Mistakes) != 1 || r.Mistakes[0].Line != 3 {
		t.Errorf("%d areas, accepted %v, %+v", len(r.Rows.Territories), r.Accepted, r.Mistakes)
	}
	r = run(t, base(t), network.Options{AllOrNothing: true}, file)
	if r.Rows != nil || r.Accepted["territories.csv"] != 0 || len(r.Mistakes) != 1 {
		t.Errorf("accepted %v, %+v", r.Accepted, r.Mistakes)
	}
}

func TestBadDealerTakesItsPartsAlong(t *testing.T) {
	r := run(t, base(t), network.Options{},
		csv("dealers.csv", dealersHead, "s3,Three,ROOFTOP,US,Nowhere,LIVE,41,-87,,"),
		csv("departments.csv", departmentsHead, "s3,NEW,BR,24/7"))
	var got []string
	for _, m := range r.Mistakes {
		got = append(got, fmt.Sprintf("%s:%d %s", m.File, m.Line, m.Column))
	}
	if d := cmp.Diff([]string{"dealers.csv:2 time_zone", "departments.csv:2 dealer_id"}, got); d != "" {
		t.Error(d)
	}
	if !strings.Contains(r.Mistakes[1].Message, "was refused itself") {
		t.Errorf("%q does not say why there is no such dealer", r.Mistakes[1].Message)
	}
}

func TestReplaceRemovesWhatNoFileNames(t *testing.T) {
	present := base(t)
	only := csv("dealers.csv", dealersHead, "s1,One,ROOFTOP,US,America/Chicago,LIVE,41,-87,,", "s9,Nine,ROOFTOP,US,Nowhere,CLOSED,42,-88,s1,",
		"desk,Desk,DESK,US,America/Chicago,LIVE,,,,")
	ids := func(r *network.Result) (out []string) {
		for _, d := range r.Rows.Dealers {
			out = append(out, d.GetDealerId())
		}
		return out
	}
	r := run(t, present, network.Options{Replace: true}, only)
	if d := cmp.Diff([]string{"desk", "s1", "s9"}, ids(r)); d != "" { // s9's row is bad: it stays as it was
		t.Errorf("dealers (-want +got):\n%s", d)
	}
	r = run(t, present, network.Options{Replace: true, Open: func([]string) (map[string]int32, error) { return map[string]int32{"s2": 3}, nil }}, only)
	if d := cmp.Diff([]string{"desk", "s1", "s2", "s9"}, ids(r)); d != "" {
		t.Errorf("a dealer with open leads (-want +got):\n%s", d)
	}
	if len(r.Rows.Programs) != 1 {
		t.Error("programs were removed though no file of that kind was given")
	}
}

func TestWhatDoesNotHoldTogetherIsRefused(t *testing.T) {
	check := func(rows *postgres.NetworkRows) []routing.Problem {
		for _, d := range rows.Dealers {
			if d.GetKind() == "DESK" {
				return nil
			}
		}
		return []routing.Problem{{Path: "policy.desk", Message: "is no dealer of kind DESK"}}
	}
	r := run(t, &postgres.NetworkRows{}, network.Options{Check: check},
		csv("dealers.csv", dealersHead, "s1,One,ROOFTOP,US,America/Chicago,LIVE,41,-87,,"), csv("departments.csv", departmentsHead, "s1,NEW,BR,24/7"))
	if r.Rows != nil || r.Accepted["dealers.csv"] != 0 || len(r.Mistakes) != 1 || !strings.Contains(r.Mistakes[0].Message, "policy.desk") {
		t.Errorf("accepted %v, %+v", r.Accepted, r.Mistakes)
	}
}

func TestProblemsOfCompilingAreMappedToRows(t *testing.T) {
	bad := func(rows *postgres.NetworkRows) []routing.Problem {
		var out []routing.Problem
		for i, d := range rows.Dealers {
			for j, c := range d.GetCodes() {
				if c.GetCode() == "7" {
					out = append(out, routing.Problem{Path: fmt.Sprintf("dealers[%d].codes[%d].code", i, j), Message: "is unlucky"})
				}
			}
		}
		return out
	}
	r := run(t, base(t), network.Options{Check: bad}, csv("dealer_codes.csv", "dealer_id,scheme,code\n", "s1,oem,6", "s1,oem,7", "s2,oem,8"))
	if d := cmp.Diff([]network.Mistake{{File: "dealer_codes.csv", Line: 3, Column: "code", Message: "is unlucky"}}, r.Mistakes); d != "" {
		t.Error(d)
	}
	if r.Accepted["dealer_codes.csv"] != 2 {
		t.Errorf("accepted %v", r.Accepted)
	}
}

func TestBombsAreBounded(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	chunk := bytes.Repeat([]byte("x,"), 1<<19)
	for range 70 {
		if _, err := z.Write(chunk); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	r := run(t, base(t), network.Options{}, network.File{Name: "postal.csv.gz", Content: b.Bytes()})
	if len(r.Mistakes) != 1 || !strings.Contains(r.Mistakes[0].Message, "64 MiB") {
		t.Errorf("%+v", r.Mistakes)
	}
	head, row := "country,postal,lat,lon\n", "US,60601,41,-87\n"
	r = run(t, base(t), network.Options{}, network.File{Name: "postal.csv", Content: []byte(head + strings.Repeat(row, network.MaxRows+1))})
	last := r.Mistakes[len(r.Mistakes)-1]
	if !strings.Contains(last.Message, "200000 rows") || len(r.Mistakes) > 3_000 {
		t.Errorf("%d mistakes, the last %+v", len(r.Mistakes), last)
	}
}

func TestSpellingsOfFiles(t *testing.T) {
	want := run(t, base(t), network.Options{}, csv("roster.csv", "person_id,dealer_id,name,roles,languages\n", "p1,s1,Ann,SALES|BDC,en|es")).Rows
	for name, content := range map[string]string{
		"roster.yaml":           "- {person_id: p1, dealer_id: s1, name: Ann, roles: [SALES, BDC], languages: en|es}\n",
		"roster.yml":            "roster:\n  - person_id: p1\n    dealer_id: s1\n    name: Ann\n    roles: [SALES, BDC]\n    languages: [en, es]\n",
		"Roster.CSV":            "\xef\xbb\xbfPerson_ID;dealer_id;name;roles;languages\r\np1;s1;Ann;SALES|BDC;en|es\r\n",
		`c:\network\roster.csv`: "person_id\tdealer_id\tname\troles\tlanguages\np1\ts1\tAnn\tSALES|BDC\ten|es",
	} {
		r := run(t, base(t), network.Options{}, network.File{Name: name, Content: []byte(content)})
		if len(r.Mistakes) > 0 {
			t.Errorf("%s: %+v", name, r.Mistakes)
			continue
		}
		for i := range want.Dealers {
			if !proto.Equal(want.Dealers[i], r.Rows.Dealers[i]) {
				t.Errorf("%s: %v instead of %v", name, r.Rows.Dealers[i], want.Dealers[i])
			}
		}
	}
}

func TestPutDealer(t *testing.T) {
	present := base(t)
	d := proto.CloneOf(present.Dealers[1])
	d.Name = "One and only"
	d.Certificates = []*routingv1.Certificate{{Program: "EV", ValidTo: "2027-12-31"}}
	rows, violations := network.PutDealer(present, d, network.Options{})
	if len(violations) > 0 || !proto.Equal(rows.Dealers[1], d) {
		t.Fatalf("%v %+v", violations, rows)
	}
	d.Status, d.TimeZone, d.Departments[0].Hours, d.Certificates[0].Program = "OPEN", "Nowhere", "always", "H2"
	_, violations = network.PutDealer(present, d, network.Options{})
	var fields []string
	for _, v := range violations {
		fields = append(fields, v.Field)
	}
	if diff := cmp.Diff([]string{"dealer.time_zone", "dealer.status", "dealer.certificates[0].program", "dealer.departments[0].hours"}, fields,
		cmp.Transformer("set", func(list []string) map[string]int {
			m := map[string]int{}
			for _, s := range list {
				m[s]++
			}
			return m
		})); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}

func FuzzImport(f *testing.F) {
	for _, s := range []string{
		dealersHead + "s1,One,ROOFTOP,US,America/Chicago,LIVE,41,-87,,\n", "- {dealer_id: x}\n", "a;b\n1;2\n", "\x1f\x8b", `"`, "dealer_id\n\"\n",
	} {
		for _, name := range []string{"dealers.csv", "departments.yaml", "territories.csv.gz", "us.csv"} {
			f.Add(name, []byte(s))
		}
	}
	f.Fuzz(func(t *testing.T, name string, content []byte) {
		r, err := network.Import(&postgres.NetworkRows{}, []network.File{{Name: name, Content: content}}, network.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range r.Mistakes {
			if m.Message == "" || m.Line < 0 {
				t.Errorf("%+v", m)
			}
		}
		for file, n := range r.Accepted {
			if n < 0 || n > network.MaxRows {
				t.Errorf("%d rows of %s", n, file)
			}
		}
		again, err := network.Import(&postgres.NetworkRows{}, []network.File{{Name: name, Content: content}}, network.Options{})
		if err != nil || cmp.Diff(r.Mistakes, again.Mistakes) != "" || cmp.Diff(r.Accepted, again.Accepted) != "" {
			t.Errorf("the same file is read differently: %v", err)
		}
		if r.Rows == nil {
			return
		}
		twice, err := network.Import(r.Rows, []network.File{{Name: name, Content: content}}, network.Options{})
		if err != nil || cmp.Diff(r.Accepted, twice.Accepted) != "" {
			t.Errorf("what is taken once is taken again: %v\n%s", err, cmp.Diff(r.Accepted, twice.Accepted))
		}
	})
}
