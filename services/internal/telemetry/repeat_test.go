package telemetry

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestRepeatedWarnings logs a line a tenth of a second for a minute, as a loop does during an outage.
func TestRepeatedWarnings(t *testing.T) {
	var out bytes.Buffer
	h := newRepeats(slog.NewTextHandler(&out, nil))
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	log := func(h slog.Handler, level slog.Level, message string, attrs ...slog.Attr) {
		rec := slog.NewRecord(at, level, message, 0)
		rec.AddAttrs(attrs...)
		if err := h.Handle(context.Background(), rec); err != nil {
			t.Fatal(err)
		}
	}
	down := errors.New("connection refused")
	for i := range 600 {
		log(h, slog.LevelWarn, "not applied yet", slog.Int("reports", i), slog.Any("error", down))
		log(h.WithAttrs([]slog.Attr{slog.String("service", "b")}), slog.LevelWarn, "not applied yet", slog.Any("error", down))
		if i < 2 {
			log(h, slog.LevelWarn, "not applied yet", slog.Any("error", errors.New("too many connections")))
			log(h, slog.LevelWarn, "given up", slog.String("lead", strconv.Itoa(i)), slog.Any("error", down))
			log(h, slog.LevelError, "bad", slog.Any("error", down))
		}
		at = at.Add(100 * time.Millisecond)
	}
	count := func(what ...string) (n int) {
		for l := range strings.Lines(out.String()) {
			has := true
			for _, w := range what {
				has = has && strings.Contains(l, w)
			}
			if has {
				n++
			}
		}
		return n
	}
	for _, c := range []struct {
		what []string
		want int
	}{
		{[]string{"not applied", "reports=", "refused"}, 6}, {[]string{"reports=", "left_out=99"}, 5},
		{[]string{"service=b"}, 6}, {[]string{"too many"}, 1}, {[]string{"given up"}, 2}, {[]string{"ERROR"}, 2},
	} {
		if n := count(c.what...); n != c.want {
			t.Errorf("%d lines with %q, want %d", n, c.what, c.want)
		}
	}
}

func TestRepeatedWarningsAreBounded(t *testing.T) {
	m := remembered{lines: map[string]*line{}}
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for i := range 3 * maxRemembered {
		if _, again := m.note(strconv.Itoa(i), at); again || len(m.lines) > maxRemembered {
			t.Fatalf("line %d was left out, or %d are remembered", i, len(m.lines))
		}
	}
	if m.note("new", at.Add(RepeatEvery)); len(m.lines) != 1 {
		t.Errorf("%d lines are remembered for ever", len(m.lines))
	}
}
