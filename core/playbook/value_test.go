package playbook

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leadmesh/leadmesh/core/sla"
)

// parsed runs a parser over texts; an error gives "wrong".
func parsed[T any](parse func(string) (T, error), texts ...string) []any {
	var out []any
	for _, s := range texts {
		v, err := parse(s)
		if err != nil {
			out = append(out, "wrong")
			continue
		}
		out = append(out, v)
	}
	return out
}

func TestParseValues(t *testing.T) {
	const wrong = "wrong"
	for _, tt := range []struct {
		name      string
		got, want []any
	}{
		{"durations", parsed(parseDuration, "15m", "1h 30m", "14d", "60 min", "2 hours", "1w", "18 months", "90s", "0m"),
			[]any{15 * time.Minute, 90 * time.Minute, 14 * 24 * time.Hour, time.Hour, 2 * time.Hour, 7 * 24 * time.Hour, 18 * meanMonth, 90 * time.Second, time.Duration(0)}},
		{"no durations", parsed(parseDuration, "", "15", "m", "-5m", "1.5h", "5 parsecs", "9999999999d", "999999999 months", "1h-2h"),
			[]any{wrong, wrong, wrong, wrong, wrong, wrong, wrong, wrong, wrong}},
		{"terms", parsed(parseTerm, "15m", "15m store hours", "1m wall clock", "24h then open", "24h later"),
			[]any{sla.Term{Duration: 15 * time.Minute}, sla.Term{Duration: 15 * time.Minute}, sla.Term{Duration: time.Minute, Base: sla.WallClock},
				sla.Term{Duration: 24 * time.Hour, Base: sla.WallThenOpen}, wrong}},
		{"distances", parsed(parseDistance, "40 km", "25mi", "800 m", "1.5 km", "40", "-1 km", "km", "99999999 km"),
			[]any{int32(40_000), int32(40_234), int32(800), int32(1_500), wrong, wrong, wrong, wrong}},
		{"money", parsed(parseMoney("USD"), "1800 USD", "0.50 USD", "1_800 USD", "1800", "1800 EUR", "-1 USD", "1.001 USD"),
			[]any{int64(180_000), int64(50), int64(180_000), wrong, wrong, wrong, wrong}},
		{"yen have no cents", parsed(parseMoney("JPY"), "5000 JPY", "1.5 JPY"), []any{int64(5000), wrong}},
		{"factors", parsed(parseTimes, "2", "1.5", "x"), []any{int32(2000), int32(1500), wrong}},
		{"half-lives", parsed(parseHalfLife, "30d", "1s", "100000w"), []any{int32(30 * 86400), wrong, wrong}},
	} {
		if diff := cmp.Diff(tt.want, tt.got); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}
