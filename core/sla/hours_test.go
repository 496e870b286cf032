package sla_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leadmesh/leadmesh/core/sla"
)

func TestParseHours(t *testing.T) {
	tests := []struct{ in, want string }{
		{"mo-fr 08:30-18:00; sa 09:00-16:00; su closed", "mo-fr 08:30-18:00; sa 09:00-16:00; su closed"},
		{"mo-fr 08:00-12:00,13:00-18:00", "mo-fr 08:00-12:00,13:00-18:00; sa-su closed"},
		{"MO, We - Th  8:00 - 12:00 , 12:00-18:00 ;", "mo 08:00-18:00; tu closed; we-th 08:00-18:00; fr-su closed"},
		{"sa-mo 10:00-24:00", "mo 10:00-24:00; tu-fr closed; sa-su 10:00-24:00"},
		{"monday-friday 08:00-18:00; saturday closed; 2026-12-24 08:00-12:00; 2026-12-25 closed", "mo-fr 08:00-18:00; sa-su closed; 2026-12-24 08:00-12:00; 2026-12-25 closed"},
		{"mo 13:00-18:00,08:00-12:00", "mo 08:00-12:00,13:00-18:00; tu-su closed"},
		{"24/7", "mo-su 00:00-24:00"},
		{" Closed ", "mo-su closed"},
	}
	for _, tt := range tests {
		h, err := sla.ParseHours(tt.in)
		if err != nil {
			t.Errorf("%q: %v", tt.in, err)
			continue
		}
		if got := written(h); got != tt.want {
			t.Errorf("%q = %q, want %q", tt.in, got, tt.want)
		}
	}
	h, err := sla.ParseHours("tu 09:00-10:00; 2026-12-25 closed")
	if err != nil {
		t.Fatal(err)
	}
	want := sla.Hours{Exceptions: []sla.Exception{{Date: sla.Date{Year: 2026, Month: 12, Day: 25}}}}
	want.Week[time.Tuesday] = []sla.Span{{From: 540, To: 600}}
	if diff := cmp.Diff(want, h); diff != "" {
		t.Error(diff)
	}
}

func TestParseHoursErrors(t *testing.T) {
	tests := []struct{ in, part string }{
		{"", ""},
		{";", ";"},
		{"mo-fr", "mo-fr"},
		{"mo-fr 08:30-18:00; xx 09:00-16:00", "xx"},
		{"mo-xy 08:30-18:00", "mo-xy"},
		{"m 08:30-18:00", "m"},
		{"mo-fr 08:30-18:00; fr 09:00-16:00", "fr"},
		{"mo 08:30", "08:30"},
		{"mo 8-18:00", "8-18:00"},
		{"mo 08:00-25:00", "08:00-25:00"},
		{"mo 08:00-12:60", "08:00-12:60"},
		{"mo 24:00-24:00", "24:00-24:00"},
		{"mo 22:00-02:00", "22:00-02:00"},
		{"mo 08:00-12:00,11:00-13:00", "08:00-12:00,11:00-13:00"},
		{"mo 08:00-12:00,", ""},
		{"mo closed 08:00-12:00", "closed 08:00-12:00"},
		{"2026-02-30 closed", "2026-02-30"},
		{"2026-2-3 closed", "2026-2-3"},
		{"2026-12-25 closed; 2026-12-25 08:00-12:00", "2026-12-25"},
	}
	for _, tt := range tests {
		_, err := sla.ParseHours(tt.in)
		var he *sla.HoursError
		if !errors.As(err, &he) {
			t.Errorf("%q: error %v", tt.in, err)
			continue
		}
		if he.Part != tt.part || he.Reason == "" {
			t.Errorf("%q: %v, want part %q", tt.in, err, tt.part)
		}
	}
}

// FuzzParseHours: what is read compiles, and what is written reads the same.
func FuzzParseHours(f *testing.F) {
	for _, s := range []string{storeHours, "24/7", "closed", "mo,we - fr 8:00-12:00,13:00-24:00;", "sa-mo 00:00-24:00; 2026-01-01 closed", "mo 22:00-02:00", "mo\t1:00-2:00", "-;,"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		h, err := sla.ParseHours(s)
		if err != nil {
			var he *sla.HoursError
			if !errors.As(err, &he) {
				t.Fatalf("error of another type: %v", err)
			}
			return
		}
		if _, err := sla.NewCalendar(time.UTC, h); err != nil {
			t.Fatalf("%q does not compile: %v", s, err)
		}
		again, err := sla.ParseHours(written(h))
		if err != nil {
			t.Fatalf("%q written as %q: %v", s, written(h), err)
		}
		if diff := cmp.Diff(h, again); diff != "" {
			t.Fatalf("%q written as %q: %s", s, written(h), diff)
		}
	})
}

// written gives the hours in the form ParseHours reads, days in a row with the same hours together.
func written(h sla.Hours) string {
	var parts []string
	day := func(i int) time.Weekday { return time.Weekday((i + 1) % 7) } // Monday first
	for i := 0; i < 7; {
		j := i
		for j+1 < 7 && slices.Equal(h.Week[day(j+1)], h.Week[day(i)]) {
			j++
		}
		name := shortDay(day(i))
		if j > i {
			name += "-" + shortDay(day(j))
		}
		parts = append(parts, name+" "+spansText(h.Week[day(i)]))
		i = j + 1
	}
	for _, e := range h.Exceptions {
		parts = append(parts, e.Date.String()+" "+spansText(e.Spans))
	}
	return strings.Join(parts, "; ")
}

func shortDay(d time.Weekday) string { return strings.ToLower(d.String()[:2]) }

func spansText(spans []sla.Span) string {
	if len(spans) == 0 {
		return "closed"
	}
	words := make([]string, len(spans))
	for i, s := range spans {
		words[i] = s.String()
	}
	return strings.Join(words, ",")
}
