package endpoint

import "time"

// Schedule is the waits between attempts.
type Schedule []time.Duration

// DefaultSchedule gives an endpoint about three days to come back: 5 s, 5 min, 30 min, 2 h, 5 h,
// 10 h, 14 h, 20 h, 24 h.
func DefaultSchedule() Schedule {
	return Schedule{
		5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour,
		10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
	}
}

// jitter is the share of a wait by which it may be longer or shorter.
const jitter = 0.1

// Attempts is how many attempts the schedule allows.
func (s Schedule) Attempts() int { return len(s) + 1 }

// Span is how long all of it takes at most.
func (s Schedule) Span() time.Duration {
	var sum time.Duration
	for _, w := range s {
		sum += w
	}
	return time.Duration(float64(sum) * (1 + jitter))
}

// Next is the wait after the given attempt, counted from 1. chance is from 0 to 1 and moves it
// within 10 %; ok is false after the last.
func (s Schedule) Next(attempt int, chance float64) (wait time.Duration, ok bool) {
	if attempt < 1 || attempt > len(s) {
		return 0, false
	}
	return time.Duration(float64(s[attempt-1]) * (1 - jitter + 2*jitter*chance)), true
}
