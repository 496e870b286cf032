package telemetry

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// RepeatEvery is how often a process logs the same warning at most.
const RepeatEvery = 10 * time.Second

// maxRemembered bounds the warnings that are told apart at a time; beyond it each is logged.
const maxRemembered = 1_024

// repeats logs a warning that comes again and again, as those of loops do during an outage, once in a
// while, with the number that were left out. Warnings are the same if their words are: message and
// attributes but numbers and durations, so that what names a lead or a request always appears.
type repeats struct {
	slog.Handler
	own  string // attributes that the logger adds
	seen *remembered
}

type remembered struct {
	mu    sync.Mutex
	lines map[string]*line
}

type line struct {
	logged time.Time
	left   int // out since
}

func newRepeats(h slog.Handler) *repeats {
	return &repeats{Handler: h, seen: &remembered{lines: map[string]*line{}}}
}

// Handle logs a record or counts it.
func (r *repeats) Handle(ctx context.Context, rec slog.Record) error {
	if rec.Level != slog.LevelWarn {
		return r.Handler.Handle(ctx, rec)
	}
	var key strings.Builder
	key.WriteString(rec.Message + r.own)
	rec.Attrs(func(a slog.Attr) bool {
		key.WriteString(words(a))
		return true
	})
	left, again := r.seen.note(key.String(), rec.Time)
	if again {
		return nil
	}
	if left > 0 {
		rec = rec.Clone()
		rec.AddAttrs(slog.Int("left_out", left))
	}
	return r.Handler.Handle(ctx, rec)
}

// words are what of an attribute tells lines apart.
func words(a slog.Attr) string {
	switch v := a.Value.Resolve(); v.Kind() {
	case slog.KindInt64, slog.KindUint64, slog.KindFloat64, slog.KindDuration, slog.KindTime:
		return ""
	default:
		return "\x00" + a.Key + "\x00" + v.String()
	}
}

// note reports whether a line was logged a moment ago; if not, how many were left out since it was.
func (m *remembered) note(key string, at time.Time) (left int, again bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if l := m.lines[key]; l != nil {
		if at.Sub(l.logged) < RepeatEvery {
			l.left++
			return 0, true
		}
		left, l.left, l.logged = l.left, 0, at
		return left, false
	}
	if len(m.lines) >= maxRemembered {
		for k, l := range m.lines {
			if at.Sub(l.logged) >= RepeatEvery {
				delete(m.lines, k)
			}
		}
	}
	if len(m.lines) < maxRemembered {
		m.lines[key] = &line{logged: at}
	}
	return 0, false
}

// WithAttrs makes a handler whose lines are told apart by the attributes too.
func (r *repeats) WithAttrs(attrs []slog.Attr) slog.Handler {
	own := r.own
	for _, a := range attrs {
		own += words(a)
	}
	return &repeats{Handler: r.Handler.WithAttrs(attrs), own: own, seen: r.seen}
}

// WithGroup makes a handler whose lines are told apart by the group too.
func (r *repeats) WithGroup(name string) slog.Handler {
	return &repeats{Handler: r.Handler.WithGroup(name), own: r.own + "\x00" + name, seen: r.seen}
}
