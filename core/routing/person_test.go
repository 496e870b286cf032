package routing_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/routing"
)

func roster() []routing.Person {
	sales := []lead.Role{lead.RoleSales}
	return []routing.Person{
		{ID: "ann", Roles: sales, Active: true, Skills: []string{"de", "EV"}},
		{ID: "bob", Roles: sales, Active: true, Skills: []string{"de"}},
		{ID: "cem", Roles: sales, Active: true, Skills: []string{"de", "tr"}, Shifts: "mo-fr 14:00-20:00"},
		{ID: "dan", Roles: sales, Active: false},
		{ID: "eve", Roles: []lead.Role{lead.RoleManager}, Active: true},
	}
}

func TestRotate(t *testing.T) {
	const mondayTen, mondayThree, sunday = 10 * 60, 15 * 60, 6*24*60 + 600
	absent := routing.Span{From: now - 1, To: now + 1}
	tests := []struct {
		name     string
		turn     routing.Turn
		standing []routing.Standing
		absent   []string
		want     string
	}{
		{"first by name", routing.Turn{WeekMinute: mondayTen}, nil, nil, "ann"},
		{"not twice in a row", routing.Turn{WeekMinute: mondayTen, Last: "ann"}, nil, nil, "bob"},
		{"unless alone", routing.Turn{WeekMinute: mondayTen, Last: "ann"}, nil, []string{"bob"}, "ann"},
		{"off shift waits", routing.Turn{WeekMinute: mondayTen, Last: "ann"}, []routing.Standing{{Person: "bob", Open: 50}}, nil, "bob"},
		{"on shift counts", routing.Turn{WeekMinute: mondayThree, Last: "ann"}, []routing.Standing{{Person: "bob", Open: 50}}, nil, "cem"},
		{"least open work", routing.Turn{WeekMinute: mondayTen}, []routing.Standing{{Person: "ann", Open: 3}, {Person: "bob", Open: 2}}, nil, "bob"},
		{"longest wait", routing.Turn{WeekMinute: mondayTen}, []routing.Standing{{Person: "ann", LastTurn: 9}, {Person: "bob", LastTurn: 8}}, nil, "bob"},
		{"skills before work", routing.Turn{WeekMinute: mondayTen, Skills: []string{"EV"}}, []routing.Standing{{Person: "ann", Open: 9}}, nil, "ann"},
		{"own salesperson", routing.Turn{WeekMinute: mondayTen, Salesperson: "bob", Last: "bob"}, nil, nil, "bob"},
		{"own salesperson absent", routing.Turn{WeekMinute: mondayTen, Salesperson: "bob"}, nil, []string{"bob"}, "ann"},
		{"own salesperson off shift", routing.Turn{WeekMinute: mondayTen, Salesperson: "cem"}, nil, nil, "ann"},
		{"own salesperson left", routing.Turn{WeekMinute: mondayTen, Salesperson: "dan"}, nil, nil, "ann"},
		{"nobody on shift", routing.Turn{WeekMinute: sunday}, nil, []string{"ann", "bob"}, "cem"},
		{"nobody there", routing.Turn{WeekMinute: mondayTen}, nil, []string{"ann", "bob", "cem"}, ""},
		{"another role", routing.Turn{WeekMinute: mondayTen, Role: lead.RoleManager}, nil, nil, "eve"},
		{"a role nobody has", routing.Turn{WeekMinute: mondayTen, Role: lead.RoleFleet}, nil, nil, ""},
	}
	for _, tt := range tests {
		people := roster()
		for i := range people {
			for _, a := range tt.absent {
				if people[i].ID == a {
					people[i].Absences = []routing.Span{absent}
				}
			}
		}
		if tt.turn.Role == 0 {
			tt.turn.Role = lead.RoleSales
		}
		tt.turn.At = now
		g, err := routing.Rotate(people, tt.standing, tt.turn)
		if err != nil {
			t.Fatal(err)
		}
		if g.Person != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, g.Person, tt.want)
		}
		g.Verdict = routing.VerdictGranted
		if err := g.Check(); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if g.Person = "somebody"; !errors.Is(g.Check(), routing.ErrGrant) {
			t.Errorf("%s: another person went unnoticed", tt.name)
		}
	}
}

// Over many turns nobody of several gets two in a row, and the turns are shared fairly.
func TestRotationIsFair(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for people := 2; people < 8; people++ {
		var staff []routing.Person
		standing := make([]routing.Standing, people)
		for i := range people {
			id := strconv.Itoa(i)
			staff = append(staff, routing.Person{ID: id, Roles: []lead.Role{lead.RoleSales}, Active: true})
			standing[i].Person = id
		}
		got, last := map[string]int{}, ""
		for turn := range 100 * people {
			r.Shuffle(len(staff), func(i, j int) { staff[i], staff[j] = staff[j], staff[i] })
			g, err := routing.Rotate(staff, standing, routing.Turn{At: now, Role: lead.RoleSales, Last: last})
			if err != nil {
				t.Fatal(err)
			}
			if g.Person == last {
				t.Fatalf("%s twice in a row", last)
			}
			last = g.Person
			got[last]++
			n, _ := strconv.Atoi(last)
			standing[n].LastTurn = int64(turn + 1)
		}
		for id, n := range got {
			if n != 100 {
				t.Errorf("%d people: %s got %d of 100", people, id, n)
			}
		}
	}
}

func TestParseShifts(t *testing.T) {
	tests := []struct {
		text string
		want []routing.Shift
		ok   bool
	}{
		{"", nil, true},
		{"su closed", []routing.Shift{}, true},
		{"mo 09:00-17:00", []routing.Shift{{From: 540, To: 1020}}, true},
		{"mo-tu 09:00-12:00 13:00-17:00; we closed", []routing.Shift{{From: 540, To: 720}, {From: 780, To: 1020}, {From: 1980, To: 2160}, {From: 2220, To: 2460}}, true},
		{"su 22:00-06:00", []routing.Shift{{From: 0, To: 360}, {From: 9960, To: 10080}}, true},
		{"sa-mo 00:00-24:00", []routing.Shift{{From: 0, To: 1440}, {From: 7200, To: 8640}, {From: 8640, To: 10080}}, true},
		{"noon", nil, false},
		{"mo", nil, false},
		{"xx 09:00-10:00", nil, false},
		{"Mon, Wed 9:00-12:00, 13:00-17:00;", []routing.Shift{{From: 540, To: 720}, {From: 780, To: 1020}, {From: 3420, To: 3600}, {From: 3660, To: 3900}}, true},
		{"24/7", nil, true},
		{"closed", []routing.Shift{}, true},
		{"; ;", nil, false},
		{"m 09:00-10:00", nil, false},
		{"mo-fr 09:00-10:00 lunch", nil, false},
		{"mo 09:60-10:00", nil, false},
		{"mo 24:00-10:00", nil, false},
	}
	for _, tt := range tests {
		got, err := routing.ParseShifts(tt.text)
		if (err == nil) != tt.ok {
			t.Errorf("%q: %v", tt.text, err)
		}
		if d := cmp.Diff(tt.want, got); tt.ok && d != "" {
			t.Errorf("%q (-want +got):\n%s", tt.text, d)
		}
	}
}

func TestGrant(t *testing.T) {
	free := []routing.Capacity{{Declared: true, Free: 2}, {}}
	queue := []routing.Ask{
		{Row: 0, Refusable: true}, {Row: 0, Test: true}, {Row: 1, Refusable: true}, {Row: 0},
		{Row: 0, Refusable: true}, {Row: 0}, {Row: 0, Refusable: true, Test: true}, {Row: 9, Refusable: true},
	}
	granted, over, refused := routing.VerdictGranted, routing.VerdictOverCapacity, routing.VerdictRefused
	got := routing.Grant(free, queue, nil)
	if d := cmp.Diff([]routing.Verdict{granted, granted, granted, granted, refused, over, granted, granted}, got); d != "" {
		t.Errorf("verdicts (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]routing.Capacity{{Declared: true, Free: -1}, {}}, free); d != "" {
		t.Errorf("left (-want +got):\n%s", d)
	}
	g := routing.GrantFacts{Capacity: routing.Capacity{Declared: true}, Ask: routing.Ask{Refusable: true}, Verdict: granted}
	if !errors.Is(g.Check(), routing.ErrGrant) {
		t.Error("a grant without capacity went unnoticed")
	}
}

func FuzzParseShifts(f *testing.F) {
	for _, s := range []string{"", "mo-fr 09:00-18:00; sa 10:00-14:00; su closed", "su 22:00-06:00", "mo", ";", "mo 00:00-24:00", "mo,we-fr 9:00-12:00, 13:00-18:00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		shifts, err := routing.ParseShifts(text)
		for _, s := range shifts {
			if err != nil || s.From < 0 || s.To <= s.From || s.To > 7*24*60 {
				t.Errorf("%q: %+v %v", text, s, err)
			}
		}
	})
}

// Stored facts leave out what is zero, and a reader that knows the fields by their names alone, as the
// first release does, reads them as they were.
func TestGrantFactsAreStoredWithoutZeros(t *testing.T) {
	type firstRelease struct {
		Capacity struct {
			Declared bool
			Free     int64
		}
		Ask struct {
			Row             int
			Refusable, Test bool
		}
		Verdict           routing.Verdict
		Role              lead.Role
		Salesperson, Last string
		Persons           []struct {
			Person              string
			Absent, OnShift     bool
			MissingSkills, Open int32
			LastTurn            int64
		}
		Person string
	}
	for _, want := range []string{
		`{}`,
		`{"Capacity":{"Declared":true},"Ask":{"Refusable":true},"Verdict":1,"Role":2,"Persons":[{"Person":"a","OnShift":true},{"Person":"b","Open":3}],"Person":"a"}`,
		`{"Capacity":{"Declared":true,"Free":-1},"Ask":{"Row":1,"Refusable":true,"Test":true},"Verdict":2,"Role":1,"Salesperson":"a","Last":"b","Persons":[{"Person":"c","Absent":true,"OnShift":true,"MissingSkills":1,"Open":2,"LastTurn":3}],"Person":"d"}`,
	} {
		var facts routing.GrantFacts
		if err := json.Unmarshal([]byte(want), &facts); err != nil {
			t.Fatal(err)
		}
		stored, err := json.Marshal(&facts)
		if err != nil || string(stored) != want {
			t.Errorf("stored as %s, %v; want %s", stored, err, want)
		}
		var first firstRelease
		if err := json.Unmarshal(stored, &first); err != nil {
			t.Fatal(err)
		}
		whole, err := json.Marshal(&first)
		if err != nil {
			t.Fatal(err)
		}
		var back routing.GrantFacts
		if err := json.Unmarshal(whole, &back); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(facts, back); d != "" {
			t.Errorf("the first release reads and writes:\n%s", d)
		}
	}
}
