package adf_test

import (
	"slices"
	"testing"
	"time"

	"github.com/leadmesh/leadmesh/core/adf"
)

func TestParseDate(t *testing.T) {
	zone := time.FixedZone("store", -6*3600)
	cases := []struct {
		in, want string
		assumed  bool
		flag     adf.FlagCode // one that must be set; none at all if ""
	}{
		{"2000-03-30T15:30:20-08:00", "2000-03-30T15:30:20-08:00", false, ""},
		{"20000330T153020-0800", "2000-03-30T15:30:20-08:00", false, ""},
		{"2018-04-12T16:30:20Z", "2018-04-12T16:30:20Z", false, ""},
		{"2018-04-12T16:30:20.125Z", "2018-04-12T16:30:20.125Z", false, ""},
		{"2018-04-12T16:30+05", "2018-04-12T16:30:00+05:00", false, ""},
		{"2008-06-25T8:47:50", "2008-06-25T08:47:50-06:00", true, adf.FlagDateTimeOdd},
		{"2008-07-25T8:47:50-08:0", "2008-07-25T08:47:50-08:00", false, adf.FlagDateZoneOdd},
		{"2026-01-19 16:40:00 -0600", "2026-01-19T16:40:00-06:00", false, adf.FlagDateNotISO},
		{"2025-08-14 16:30:59", "2025-08-14T16:30:59-06:00", true, adf.FlagDateWithoutZone},
		{"2025-08-14T16:30:08-03:00", "2025-08-14T16:30:08-03:00", false, adf.FlagSecondsAreMonth},
		{"08/14/25", "2025-08-14T00:00:00-06:00", true, adf.FlagDateOnly},
		{"8/4/2025", "2025-08-04T00:00:00-06:00", true, adf.FlagDateAmbiguous},
		{"14/08/2025 10:00", "2025-08-14T10:00:00-06:00", true, adf.FlagDateAmbiguous},
		{"14.08.2025 10:00", "2025-08-14T10:00:00-06:00", true, adf.FlagDateNotISO},
		{"08/31/2019 04:30pm", "2019-08-31T16:30:00-06:00", true, adf.FlagDateNotISO},
		{"8/31/2019 12:05:09 AM", "2019-08-31T00:05:09-06:00", true, adf.FlagDateNotISO},
		{"2024-01-15T04:30:00 PM", "2024-01-15T16:30:00-06:00", true, adf.FlagDateNotISO},
		{"2024-01-15 4:30 p.m.", "2024-01-15T16:30:00-06:00", true, adf.FlagDateNotISO},
		{"2024-01-15 16:30:00 PM", "2024-01-15T16:30:00-06:00", true, adf.FlagDateTimeOdd},
		{"2024-01-15 24:00:00", "2024-01-16T00:00:00-06:00", true, adf.FlagDateTimeOdd},
		{"Mon, 02 Jan 2006 15:04:05 -0700", "2006-01-02T15:04:05-07:00", false, adf.FlagDateNotISO},
		{"02 Jan 06 15:04 EST", "2006-01-02T15:04:00-05:00", false, adf.FlagDateNotISO},
		{"Mon Jan  2 15:04:05 2006", "2006-01-02T15:04:05-06:00", true, adf.FlagDateNotISO},
		{"Mon Jan 02 15:04:05 PST 2006", "2006-01-02T15:04:05-08:00", false, adf.FlagDateNotISO},
		{"Mon Jan 02 2006 15:04:05 GMT-0800 (Pacific Standard Time)", "2006-01-02T15:04:05-08:00", false, adf.FlagDateNotISO},
		{"January 15th, 2024 at 4:30 PM CST", "2024-01-15T16:30:00-06:00", false, adf.FlagDateNotISO},
		{"2024-01-15T10:30:00 05:30", "2024-01-15T10:30:00+05:30", false, adf.FlagDateZoneOdd},
		{"2024-01-15T10:30:00+99:00", "2024-01-15T10:30:00-06:00", true, adf.FlagDateZoneOdd},
		{"2024/01/15 10:30", "2024-01-15T10:30:00-06:00", true, adf.FlagDateNotISO},
		{"2024-02-01", "2024-02-01T00:00:00-06:00", true, adf.FlagDateOnly},
		{"1705314600", "2024-01-15T10:30:00Z", false, adf.FlagDateNotISO},
		{"1705314600000", "2024-01-15T10:30:00Z", false, adf.FlagDateNotISO},
	}
	for _, c := range cases {
		got, assumed, flags, ok := adf.ParseDate(c.in, zone)
		if !ok {
			t.Errorf("%q: not read", c.in)
			continue
		}
		want, err := time.Parse(time.RFC3339Nano, c.want)
		if err != nil {
			t.Fatal(err)
		}
		if !got.Equal(want) || assumed != c.assumed {
			t.Errorf("%q: got %v, assumed %v", c.in, got, assumed)
		}
		if c.flag == "" && len(flags) > 0 || c.flag != "" && !slices.Contains(flags, c.flag) {
			t.Errorf("%q: flags %v, want %q", c.in, flags, c.flag)
		}
	}
	for _, bad := range []string{"", "not-a-date", "{now}", "2024-02-30", "2024-13-01T00:00:00Z", "one", "12", "2024-01-15T25:00:00Z",
		"13/13/2024", "2024-01-15T10:30:00-05:00 trailing words", "0000-00-00 00:00:00", "99999999999999999999", "{Y-m-d}T{H:i:m}-08:00"} {
		if got, _, _, ok := adf.ParseDate(bad, zone); ok {
			t.Errorf("%q read as %v", bad, got)
		}
	}
}

func FuzzParseDate(f *testing.F) {
	for _, s := range []string{"2000-03-30T15:30:20-08:00", "08/14/25", "Mon, 02 Jan 2006 15:04:05 -0700", "Jan 2 15:04:05 PST 2006", "2024-01-15 4:30 p.m.", "1705314600", "20000330T153020-0800"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, _, _, ok := adf.ParseDate(s, nil)
		if !ok {
			return
		}
		iso := got.Format("2006-01-02T15:04:05-07:00")
		again, assumed, _, ok := adf.ParseDate(iso, nil)
		if !ok || assumed || !again.Equal(got.Truncate(time.Second)) {
			t.Fatalf("%q -> %s -> %v", s, iso, again)
		}
	})
}
