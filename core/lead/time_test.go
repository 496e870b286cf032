package lead_test

import (
	"testing"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
)

var wednesday = time.Date(2026, 7, 15, 21, 30, 0, 0, time.FixedZone("EDT", -4*3600))

func TestParseTimeFrame(t *testing.T) {
	tests := []struct{ text, earliest, latest string }{
		{"asap", "2026-07-15", "2026-07-22"},
		{"As soon as possible!", "2026-07-15", "2026-07-22"},
		{"within 30 days", "2026-07-15", "2026-08-14"},
		{"30 days", "2026-07-15", "2026-08-14"},
		{"WITHIN_30_DAYS", "2026-07-15", "2026-08-14"},
		{"less than 3 months", "2026-07-15", "2026-10-15"},
		{"LESS_THAN_ONE_MONTH", "2026-07-15", "2026-08-15"},
		{"1-3 months", "2026-08-15", "2026-10-15"},
		{"1 to 3 months", "2026-08-15", "2026-10-15"},
		{"ONE_TO_THREE_MONTHS", "2026-08-15", "2026-10-15"},
		{"0–30 days", "2026-07-15", "2026-08-14"},
		{"more than 6 months", "2027-01-15", ""},
		{"6+ months", "2027-01-15", ""},
		{"6 months or more", "2027-01-15", ""},
		{"MORE_THAN_SIX_MONTHS", "2027-01-15", ""},
		{"48 hours", "2026-07-15", "2026-07-17"},
		{"next couple of weeks", "2026-07-15", "2026-07-29"},
		{"today", "2026-07-15", "2026-07-15"},
		{"tomorrow", "2026-07-16", "2026-07-16"},
		{"this week", "2026-07-15", "2026-07-19"},
		{"next week", "2026-07-20", "2026-07-26"},
		{"this month", "2026-07-15", "2026-07-31"},
		{"next month", "2026-08-01", "2026-08-31"},
		{"this weekend", "2026-07-18", "2026-07-19"},
		{"2026-12", "2026-12-01", "2026-12-31"},
		{"2027", "2027-01-01", "2027-12-31"},
		{"Q1 2027", "2027-01-01", "2027-03-31"},
		{"2026-12-01 to 2027-01-15", "2026-12-01", "2027-01-15"},
		{"2026-12-01/2026-12-24", "2026-12-01", "2026-12-24"},
		{"December", "2026-12-01", "2026-12-31"},
		{"March 2027", "2027-03-01", "2027-03-31"},
		{"in 3 Monaten", "2026-07-15", "2026-10-15"},
		{"innerhalb von 30 Tagen", "2026-07-15", "2026-08-14"},
		{"mehr als 6 Monate", "2027-01-15", ""},
		{"so schnell wie möglich", "2026-07-15", "2026-07-22"},
		{"nächste Woche", "2026-07-20", "2026-07-26"},
		{"dans 2 semaines", "2026-07-15", "2026-07-29"},
		{"dès que possible", "2026-07-15", "2026-07-22"},
		{"la semaine prochaine", "2026-07-20", "2026-07-26"},
		{"más de 6 meses", "2027-01-15", ""},
		{"lo antes posible", "2026-07-15", "2026-07-22"},
		{"just looking", "", ""},
		{"not sure yet", "", ""},
		{"99999 days", "", ""},
		{"9999 months", "", ""},
		{"", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			got := lead.ParseTimeFrame(tt.text, wednesday)
			if got.Text != tt.text || day(got.Earliest) != tt.earliest || day(got.Latest) != tt.latest {
				t.Errorf("ParseTimeFrame(%q) = %q to %q, want %q to %q", tt.text, day(got.Earliest), day(got.Latest), tt.earliest, tt.latest)
			}
		})
	}
}

func TestParseTimeFrameKeepsInsideShortMonths(t *testing.T) {
	got := lead.ParseTimeFrame("1 month", time.Date(2027, 1, 31, 12, 0, 0, 0, time.UTC))
	if day(got.Latest) != "2027-02-28" {
		t.Errorf("a month after January 31st is %s", day(got.Latest))
	}
}

func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}

func TestParseTime(t *testing.T) {
	zone := time.FixedZone("store", -6*3600)
	tests := []struct {
		text     string
		dayFirst bool
		want     string
		assumed  bool
	}{
		{"2024-01-02T03:04:05-05:00", false, "2024-01-02T08:04:05Z", false},
		{"2024-01-15T10:30:00Z", false, "2024-01-15T10:30:00Z", false},
		{"2024-01-15T10:30:00.123Z", false, "2024-01-15T10:30:00Z", false},
		{"2026-01-19 16:40:00 -0600", false, "2026-01-19T22:40:00Z", false},
		{"2024-01-15T10:30:00", false, "2024-01-15T16:30:00Z", true},
		{"2008-06-25T8:47:50", false, "2008-06-25T14:47:50Z", true},
		{"2008-06-25T8:47:50-08:0", false, "2008-06-25T16:47:50Z", false},
		{"2024-01-15 10:30", false, "2024-01-15T16:30:00Z", true},
		{"2024-01-15 4:30 pm", false, "2024-01-15T22:30:00Z", true},
		{"2024-01-15 16:30:00 EST", false, "2024-01-15T21:30:00Z", false},
		{"2024-01-15", false, "2024-01-15T06:00:00Z", true},
		{"08/14/25", false, "2025-08-14T06:00:00Z", true},
		{"08/14/2025 3:05 PM", false, "2025-08-14T21:05:00Z", true},
		{"03/04/2026", false, "2026-03-04T06:00:00Z", true},
		{"03/04/2026", true, "2026-04-03T06:00:00Z", true},
		{"14/08/2025 15:05", false, "2025-08-14T21:05:00Z", true},
		{"14.08.2025 15:05", false, "2025-08-14T21:05:00Z", true},
		{"1705314600", false, "2024-01-15T10:30:00Z", false},
		{"1705314600000", false, "2024-01-15T10:30:00Z", false},
		{"Mon, 15 Jan 2024 10:30:00 +0100", false, "2024-01-15T09:30:00Z", false},
		{"not-a-date", false, "", false},
		{"[fdt]", false, "", false},
		{"0001-01-01T00:00:00Z", false, "", false},
		{"2024-13-45", false, "", false},
		{"", false, "", false},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			got, assumed, ok := lead.ParseTime(tt.text, zone, tt.dayFirst)
			have := ""
			if ok {
				have = got.UTC().Format(time.RFC3339)
			}
			if have != tt.want || assumed != tt.assumed {
				t.Errorf("ParseTime(%q) = %q assumed %v, want %q assumed %v", tt.text, have, assumed, tt.want, tt.assumed)
			}
		})
	}
}

func TestRequestedAt(t *testing.T) {
	received := wednesday
	for _, tt := range []struct {
		name      string
		source    time.Time
		want      time.Time
		plausible bool
	}{
		{"none given", time.Time{}, received, true},
		{"an hour before", received.Add(-time.Hour), received.Add(-time.Hour), true},
		{"72 h before", received.Add(-72 * time.Hour), received.Add(-72 * time.Hour), true},
		{"older", received.Add(-72*time.Hour - time.Second), received, false},
		{"clock a little fast", received.Add(20 * time.Second), received, true},
		{"future", received.Add(2 * time.Minute), received, false},
	} {
		got, plausible := lead.RequestedAt(tt.source, received)
		if !got.Equal(tt.want) || plausible != tt.plausible {
			t.Errorf("%s: %v %v, want %v %v", tt.name, got, plausible, tt.want, tt.plausible)
		}
		if again, _ := lead.RequestedAt(got, received); !again.Equal(got) {
			t.Errorf("%s: not stable", tt.name)
		}
	}
}

func FuzzParseTimeFrame(f *testing.F) {
	for _, s := range []string{"within 30 days", "1-3 months", "2026-12", "more than 6 months", "Q1 2027", "next week", "9999 years", "a to b", "31 May"} {
		f.Add(s, int64(1784000000))
	}
	f.Fuzz(func(t *testing.T, s string, unix int64) {
		at := time.Unix(unix%4e9, 0).UTC()
		tf := lead.ParseTimeFrame(s, at)
		if tf.Text != s {
			t.Fatalf("text %q became %q", s, tf.Text)
		}
		if !tf.Earliest.IsZero() && !tf.Latest.IsZero() && tf.Latest.Before(tf.Earliest) {
			t.Fatalf("%q at %v: %v to %v", s, at, tf.Earliest, tf.Latest)
		}
		for _, d := range []time.Time{tf.Earliest, tf.Latest} {
			if !d.Equal(d.Truncate(24 * time.Hour)) {
				t.Fatalf("%q: %v is no day", s, d)
			}
		}
	})
}

func FuzzParseTime(f *testing.F) {
	for _, s := range []string{"2024-01-15T10:30:00Z", "08/14/25", "14.08.2025 15:05", "1705314600", "2008-06-25T8:47:50-08:0", "1/2/3", "Jan 2, 2026 3:04 PM", "//////"} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, s string, dayFirst bool) {
		got, assumed, ok := lead.ParseTime(s, time.UTC, dayFirst)
		if !ok {
			if assumed || !got.IsZero() {
				t.Fatalf("%q: %v %v", s, got, assumed)
			}
			return
		}
		again, assumed, ok := lead.ParseTime(got.Format(time.RFC3339Nano), time.UTC, dayFirst)
		if !ok || assumed || !again.Equal(got) {
			t.Fatalf("%q reads %v, which reads %v", s, got, again)
		}
	})
}
