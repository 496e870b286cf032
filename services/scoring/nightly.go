package scoring

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/leadmesh/leadmesh/services/internal/problem"
)

const (
	nightEvery = 5 * time.Second
	// A night that was missed is made up for this long, so that nobody is scored at noon because a
	// process was started then.
	nightMissed = 6 * time.Hour
	nightBy     = "leadmesh"
	nightNote   = "every night"
)

// night is the time of day at which everybody is scored; the zero value is never.
type night struct {
	set          bool
	hour, minute int
}

// parseNight reads hours and minutes such as 02:30; "" is never.
func parseNight(text string) (night, error) {
	if text == "" {
		return night{}, nil
	}
	t, err := time.Parse("15:04", text)
	if err != nil {
		return night{}, fmt.Errorf("%q is no time of day: give hours and minutes such as 02:30", text)
	}
	return night{true, t.Hour(), t.Minute()}, nil
}

// before is the last moment, in a zone, at which everybody was due.
func (n night) before(now time.Time, zone *time.Location) time.Time {
	local := now.In(zone)
	due := time.Date(local.Year(), local.Month(), local.Day(), n.hour, n.minute, 0, 0, zone)
	if due.After(now) {
		due = time.Date(local.Year(), local.Month(), local.Day()-1, n.hour, n.minute, 0, 0, zone)
	}
	return due
}

// rescoreNightly begins a re-scoring each night until ctx ends. What was begun stands in the database,
// so of several replicas one begins it, and a process that starts after the time knows it is done.
func (s *Service) rescoreNightly(ctx context.Context) error {
	ticker := time.NewTicker(nightEvery)
	defer ticker.Stop()
	for begun := (time.Time{}); ; {
		due, err := s.rescoreDue(ctx, begun)
		switch {
		case err == nil:
			begun = due
		case ctx.Err() == nil:
			s.log.LogAttrs(ctx, slog.LevelWarn, "nobody is scored tonight yet, trying again", slog.String("cause", problem.From(err).Code()))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// rescoreDue begins the re-scoring of the night if none was and it is not begun already; it answers the
// night that is settled.
func (s *Service) rescoreDue(ctx context.Context, begun time.Time) (time.Time, error) {
	h := s.held.Load()
	if h == nil {
		return begun, nil // nothing to score by yet
	}
	zone, err := time.LoadLocation(h.playbook.TimeZone)
	if err != nil {
		return begun, problem.Internal(err) // it was there when the playbook was applied
	}
	now := s.now()
	due := s.night.before(now, zone)
	if due.Equal(begun) || now.Sub(due) > nightMissed {
		return begun, nil
	}
	if done, err := s.store.BegunSince(ctx, due); err != nil || done {
		return due, err
	}
	if _, err := s.beginRescoring(ctx, h, "", nightBy, nightNote); err != nil {
		return begun, err
	}
	return due, nil
}
