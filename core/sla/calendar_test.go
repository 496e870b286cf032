package sla_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/leadmesh/leadmesh/core/sla"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func calendar(t testing.TB, name, hours string) *sla.Calendar {
	t.Helper()
	h, err := sla.ParseHours(hours)
	if err != nil {
		t.Fatal(err)
	}
	c, err := sla.NewCalendar(zone(t, name), h)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// at reads an RFC 3339 instant.
func at(t testing.TB, s string) time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

const storeHours = "mo-fr 08:30-18:00; sa 09:00-16:00; su closed; 2026-12-25 closed; 2026-12-24 09:00-12:00; 2026-12-20 12:00-17:00"

func TestAdd(t *testing.T) {
	const ny, berlin, lordHowe = "America/New_York", "Europe/Berlin", "Australia/Lord_Howe"
	tests := []struct {
		name, zone, hours, from string
		d                       time.Duration
		want                    string
	}{
		{"inside", ny, storeHours, "2026-06-10T10:00:00-04:00", 15 * time.Minute, "2026-06-10T10:15:00-04:00"},
		{"keeps nanoseconds", ny, storeHours, "2026-06-10T10:00:00.000000007-04:00", time.Minute, "2026-06-10T10:01:00.000000007-04:00"},
		{"to the instant of closing", ny, storeHours, "2026-06-10T17:00:00-04:00", time.Hour, "2026-06-10T18:00:00-04:00"},
		{"over the night", ny, storeHours, "2026-06-10T17:50:00-04:00", 15 * time.Minute, "2026-06-11T08:35:00-04:00"},
		{"over the night with nanoseconds", ny, storeHours, "2026-06-10T17:59:59.5-04:00", time.Second, "2026-06-11T08:30:00.5-04:00"},
		{"before opening", ny, storeHours, "2026-06-10T03:00:00-04:00", time.Hour, "2026-06-10T09:30:00-04:00"},
		{"at closing nothing is left", ny, storeHours, "2026-06-10T18:00:00-04:00", 0, "2026-06-11T08:30:00-04:00"},
		{"over the weekend", ny, storeHours, "2026-06-13T15:30:00-04:00", time.Hour, "2026-06-15T09:00:00-04:00"},
		{"caller in another zone", ny, storeHours, "2026-06-10T14:00:00Z", 15 * time.Minute, "2026-06-10T14:15:00Z"},
		{"holiday and half day", ny, storeHours, "2026-12-24T11:30:00-05:00", time.Hour, "2026-12-26T09:30:00-05:00"},
		{"open on one Sunday", ny, storeHours, "2026-12-19T16:00:00-05:00", time.Hour, "2026-12-20T13:00:00-05:00"},
		{"lunch break", ny, "mo-fr 08:00-12:00,13:00-18:00", "2026-06-10T11:45:00-04:00", time.Hour, "2026-06-10T13:45:00-04:00"},
		{"to midnight and on", ny, "mo-su 18:00-24:00,00:00-02:00", "2026-06-10T23:30:00-04:00", time.Hour, "2026-06-11T00:30:00-04:00"},
		{"to midnight, closed after", ny, "mo 18:00-24:00; we 10:00-12:00", "2026-06-08T23:30:00-04:00", 30 * time.Minute, "2026-06-09T00:00:00-04:00"},
		{"several days", ny, "mo-fr 08:00-18:00", "2026-06-10T08:00:00-04:00", 24 * time.Hour, "2026-06-12T12:00:00-04:00"},

		{"spring night is an hour short", ny, "mo-su 00:00-06:00", "2026-03-08T00:00:00-05:00", 4 * time.Hour, "2026-03-08T05:00:00-04:00"},
		{"autumn night is an hour long", ny, "mo-su 00:00-06:00", "2026-11-01T00:00:00-04:00", 7 * time.Hour, "2026-11-01T06:00:00-05:00"},
		{"span that begins in the gap", ny, "mo-su 02:30-04:00", "2026-03-08T00:00:00-05:00", 30 * time.Minute, "2026-03-08T03:30:00-04:00"},
		{"span inside the gap is empty", ny, "su 02:00-02:45", "2026-03-08T00:00:00-05:00", time.Minute, "2026-03-15T02:01:00-04:00"},
		{"over the weekend of the change", ny, storeHours, "2026-03-07T15:59:00-05:00", 2 * time.Minute, "2026-03-09T08:31:00-04:00"},
		{"Berlin spring", berlin, "mo-su 00:00-06:00", "2026-03-29T00:00:00+01:00", 4 * time.Hour, "2026-03-29T05:00:00+02:00"},
		{"Berlin autumn", berlin, "mo-su 00:00-06:00", "2026-10-25T00:00:00+02:00", 6 * time.Hour, "2026-10-25T05:00:00+01:00"},
		{"Berlin repeated hour is its first", berlin, "su 02:30-08:00", "2026-10-25T00:00:00+02:00", time.Hour, "2026-10-25T02:30:00+01:00"},
		{"Lord Howe moves by half an hour, forward", lordHowe, "mo-su 00:00-06:00", "2026-10-04T00:00:00+10:30", 3 * time.Hour, "2026-10-04T03:30:00+11:00"},
		{"Lord Howe moves by half an hour, back", lordHowe, "mo-su 00:00-06:00", "2026-04-05T00:00:00+11:00", 3 * time.Hour, "2026-04-05T02:30:00+10:30"},
		{"clock goes back over midnight", "America/Havana", "su 00:30-02:00", "2026-11-01T00:00:00-04:00", 2 * time.Hour, "2026-11-01T01:30:00-05:00"},
		{"a day that never was", "Pacific/Apia", "mo-su 09:00-10:00", "2011-12-29T09:30:00-10:00", time.Hour, "2011-12-31T09:30:00+14:00"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := calendar(t, tt.zone, tt.hours)
			from, want := at(t, tt.from), at(t, tt.want)
			got, ok := c.Add(from, tt.d)
			if !ok || !got.Equal(want) {
				t.Fatalf("Add = %s, %t; want %s", got.In(want.Location()), ok, want)
			}
			if between := c.Between(from, got); between != tt.d {
				t.Errorf("Between = %s, want %s", between, tt.d)
			}
		})
	}
}

func TestOpen(t *testing.T) {
	c := calendar(t, "America/New_York", storeHours)
	tests := []struct {
		at   string
		want bool
	}{
		{"2026-06-10T08:29:59.999999999-04:00", false},
		{"2026-06-10T08:30:00-04:00", true},
		{"2026-06-10T17:59:59.999999999-04:00", true},
		{"2026-06-10T18:00:00-04:00", false},
		{"2026-06-14T12:00:00-04:00", false}, // Sunday
		{"2026-12-25T12:00:00-05:00", false}, // holiday
		{"2026-12-24T11:59:00-05:00", true},
		{"2026-12-24T12:00:00-05:00", false}, // half day
		{"2026-12-20T12:30:00-05:00", true},  // special Sunday
	}
	for _, tt := range tests {
		if got := c.Open(at(t, tt.at)); got != tt.want {
			t.Errorf("Open(%s) = %t", tt.at, got)
		}
	}
	// Havana's clock goes from 01:00 back to 00:00: both belong to Sunday.
	havana := calendar(t, "America/Havana", "su 00:00-01:00")
	for s, want := range map[string]bool{
		"2026-11-01T00:30:00-04:00": true, "2026-10-31T23:59:00-04:00": false, "2026-11-01T01:30:00-05:00": false,
	} {
		if got := havana.Open(at(t, s)); got != want {
			t.Errorf("Havana: Open(%s) = %t", s, got)
		}
	}
	// Nuuk's clock goes from 00:00 back to 23:00 of the day before: the hour
	// after the first midnight belongs to the new day.
	nuuk := calendar(t, "America/Godthab", "su 00:00-02:00; sa 22:00-24:00")
	if !nuuk.Open(at(t, "2023-10-29T01:30:00Z")) || !nuuk.Open(at(t, "2026-10-25T00:30:00Z")) {
		t.Error("closed in the hour repeated at midnight")
	}
}

func TestNeverAndAlwaysOpen(t *testing.T) {
	now := at(t, "2026-06-10T08:00:00Z")
	for name, c := range map[string]*sla.Calendar{
		"nil": nil, "zero": {}, "closed": calendar(t, "Europe/Berlin", "closed"),
	} {
		if got, ok := c.Add(now, time.Hour); ok || !got.Equal(now.Add(time.Hour)) || !c.NeverOpen() || c.Open(now) || c.Between(now, now.Add(time.Hour)) != 0 {
			t.Errorf("%s: Add = %s, %t", name, got, ok)
		}
	}
	for name, c := range map[string]*sla.Calendar{"always": sla.Always(), "24/7": calendar(t, "Europe/Berlin", "24/7")} {
		if got, ok := c.Add(now, time.Hour); !ok || !got.Equal(now.Add(time.Hour)) || c.NeverOpen() || !c.Open(now) || c.Between(now, now.Add(time.Hour)) != time.Hour {
			t.Errorf("%s: Add = %s, %t", name, got, ok)
		}
	}
	// Only one special day, and it is over: the search ends.
	past := calendar(t, "Europe/Berlin", "2026-06-01 10:00-12:00")
	if got, ok := past.NextOpen(now); ok || !got.Equal(now) {
		t.Errorf("NextOpen = %s, %t after the last opening", got, ok)
	}
	if next, ok := past.NextOpen(at(t, "2026-05-01T00:00:00Z")); !ok || !next.Equal(at(t, "2026-06-01T10:00:00+02:00")) {
		t.Errorf("NextOpen = %s, %t", next, ok)
	}
}

func TestNewCalendarErrors(t *testing.T) {
	week := func(s ...sla.Span) (h sla.Hours) { h.Week[1] = s; return h }
	day := sla.Date{Year: 2026, Month: 2, Day: 3}
	tests := map[string]sla.Hours{
		"calendar: Monday: 08:00-24:01 leaves the day":            week(sla.Span{From: 480, To: 1441}),
		"calendar: Monday: 09:00-09:00 ends before it begins":     week(sla.Span{From: 540, To: 540}),
		"calendar: Monday: 09:00-11:00 overlaps 08:00-10:00":      week(sla.Span{From: 540, To: 660}, sla.Span{From: 480, To: 600}),
		"calendar: 2026-02-30 is no date":                         {Exceptions: []sla.Exception{{Date: sla.Date{Year: 2026, Month: 2, Day: 30}}}},
		"calendar: two exceptions for 2026-02-03":                 {Exceptions: []sla.Exception{{Date: day}, {Date: day}}},
		"calendar: 2026-02-03: 10:00-09:00 ends before it begins": {Exceptions: []sla.Exception{{Date: day, Spans: []sla.Span{{From: 600, To: 540}}}}},
	}
	for want, h := range tests {
		if _, err := sla.NewCalendar(time.UTC, h); err == nil || err.Error() != want {
			t.Errorf("error = %v, want %s", err, want)
		}
	}
	if _, err := sla.NewCalendar(nil, sla.Hours{}); err == nil {
		t.Error("no error without a zone")
	}
}

// instant is the definition: the first instant at which the wall clock shows
// the local time or a later one, found by looking at every minute.
func instant(loc *time.Location, local time.Time) time.Time {
	for u := local.Add(-16 * time.Hour); ; u = u.Add(time.Minute) {
		_, off := u.In(loc).Zone()
		if !u.Add(time.Duration(off) * time.Second).Before(local) {
			return u
		}
	}
}

// TestAgainstMinutes compares the calendar with its definition, minute by
// minute, around changes of the clock.
func TestAgainstMinutes(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, z := range []struct {
		zone       string
		y, m, d    int
		days, runs int
	}{
		{"America/New_York", 2026, 3, 6, 4, 8}, {"America/New_York", 2026, 10, 30, 4, 8},
		{"Europe/Berlin", 2026, 3, 27, 4, 8}, {"Europe/Berlin", 2026, 10, 23, 4, 8},
		{"Australia/Lord_Howe", 2026, 4, 3, 4, 8}, {"Australia/Lord_Howe", 2026, 10, 2, 4, 8},
		{"America/Havana", 2026, 10, 30, 4, 8}, {"Pacific/Apia", 2011, 12, 28, 5, 4}, {"America/New_York", 2026, 7, 3, 3, 2},
	} {
		loc := zone(t, z.zone)
		for range z.runs {
			var h sla.Hours
			for d := range h.Week {
				for from := rng.IntN(300); from < 24*60; {
					to := min(from+1+rng.IntN(400), 24*60)
					h.Week[d] = append(h.Week[d], sla.Span{From: from, To: to})
					from = to + 1 + rng.IntN(200)
				}
			}
			c, err := sla.NewCalendar(loc, h)
			if err != nil {
				t.Fatal(err)
			}
			open := map[int64]bool{} // by minute
			for day := -1; day <= z.days; day++ {
				midnight := time.Date(z.y, time.Month(z.m), z.d+day, 0, 0, 0, 0, time.UTC)
				for _, s := range h.Week[midnight.Weekday()] {
					to := instant(loc, midnight.Add(time.Duration(s.To)*time.Minute))
					for u := instant(loc, midnight.Add(time.Duration(s.From)*time.Minute)); u.Before(to); u = u.Add(time.Minute) {
						open[u.Unix()/60] = true
					}
				}
			}
			first := instant(loc, time.Date(z.y, time.Month(z.m), z.d, 0, 0, 0, 0, time.UTC))
			last := instant(loc, time.Date(z.y, time.Month(z.m), z.d+z.days-1, 0, 0, 0, 0, time.UTC))
			var sum time.Duration
			for u := first; u.Before(last); u = u.Add(time.Minute) {
				if got := c.Open(u); got != open[u.Unix()/60] {
					t.Fatalf("%s: Open(%s) = %t, hours %s", z.zone, u.In(loc), got, h)
				}
				if open[u.Unix()/60] {
					if got, ok := c.Add(first, sum+time.Minute); !ok || !got.Equal(u.Add(time.Minute)) {
						t.Fatalf("%s: Add(%s) = %s, want %s, hours %s", z.zone, sum+time.Minute, got.In(loc), u.Add(time.Minute).In(loc), h)
					}
					sum += time.Minute
				}
			}
			if got := c.Between(first, last); got != sum {
				t.Fatalf("%s: Between = %s, want %s, hours %s", z.zone, got, sum, h)
			}
		}
	}
}

func TestCalendarLaws(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	calendars := []*sla.Calendar{
		calendar(t, "America/New_York", storeHours), calendar(t, "Europe/Berlin", "mo-sa 07:00-12:00,12:30-19:00"),
		calendar(t, "Australia/Lord_Howe", "mo-su 18:00-24:00,00:00-05:15"), calendar(t, "Asia/Kathmandu", "tu 10:00-11:00"), sla.Always(),
	}
	base := at(t, "2026-01-01T00:00:00Z")
	for range 20000 {
		c := calendars[rng.IntN(len(calendars))]
		from := base.Add(time.Duration(rng.Int64N(int64(366 * 24 * time.Hour))))
		a, b := time.Duration(rng.Int64N(int64(40*time.Hour))), time.Duration(1+rng.Int64N(int64(5*time.Hour)))
		x, ok := c.Add(from, a)
		if !ok {
			t.Fatalf("Add(%s, %s) found no opening", from, a)
		}
		if got := c.Between(from, x); got != a {
			t.Fatalf("Between(t, Add(t, %s)) = %s from %s", a, got, from)
		}
		y, _ := c.Add(from, a+b)
		if !y.After(x) {
			t.Fatalf("Add(%s, %s) is not after Add(_, %s)", from, a+b, a)
		}
		if z, _ := c.Add(x, b); !z.Equal(y) {
			t.Fatalf("Add(Add(t, %s), %s) = %s, want %s", a, b, z, y)
		}
		later := from.Add(b)
		if l, _ := c.Add(later, a); l.Before(x) {
			t.Fatalf("Add runs backwards: %s from %s, %s from %s", x, from, l, later)
		}
		if next, _ := c.NextOpen(from); !c.Open(next) || next.Before(from) || c.Open(from) != next.Equal(from) {
			t.Fatalf("NextOpen(%s) = %s", from, next)
		}
	}
}

func TestNoAllocations(t *testing.T) {
	c := calendar(t, "America/New_York", storeHours)
	now := at(t, "2026-06-10T14:00:00Z")
	night := at(t, "2026-11-01T01:30:00-05:00")
	for name, f := range map[string]func(){
		"Open":            func() { c.Open(now) },
		"Add same day":    func() { c.Add(now, 15*time.Minute) },
		"Add over change": func() { c.Add(night, 30*time.Hour) },
		"Between":         func() { c.Between(now, now.Add(100*time.Hour)) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkCalendar(b *testing.B) {
	c := calendar(b, "America/New_York", storeHours)
	now := at(b, "2026-06-10T14:00:00Z")
	b.Run("Open", func(b *testing.B) {
		for b.Loop() {
			c.Open(now)
		}
	})
	for _, d := range []time.Duration{15 * time.Minute, 32 * time.Hour, 300 * time.Hour} {
		b.Run(fmt.Sprintf("Add/%s", d), func(b *testing.B) {
			for b.Loop() {
				c.Add(now, d)
			}
		})
	}
	b.Run("Between/30d", func(b *testing.B) {
		then := now.AddDate(0, 0, 30)
		for b.Loop() {
			c.Between(now, then)
		}
	})
}
