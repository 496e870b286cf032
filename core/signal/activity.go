package signal

import "math/bits"

const week = 7 * 86400

// ActivityWeeks is how far back an Activity reaches.
const ActivityWeeks = 64

// Activity remembers in which of the last ActivityWeeks weeks a person did something, so that a
// silence that has just ended can still be seen. Weeks are counted from 1970-01-01.
type Activity struct {
	Newest int32  // the latest week with activity; 0 when there was none
	Weeks  uint64 // bit i is week Newest-i; bit 0 is set unless Newest is 0
	Last   int64  // unix seconds of the latest activity
}

// Add marks the week of a second.
func (a *Activity) Add(at int64) {
	if at > 0 {
		a.join(Activity{Newest: int32(min(at/week, 1<<30)), Weeks: 1, Last: at})
	}
}

func (a *Activity) join(o Activity) {
	if o.Last == 0 {
		return
	}
	if a.Last == 0 {
		*a = o
		return
	}
	if o.Newest > a.Newest {
		*a, o = o, *a
	}
	a.Weeks |= o.Weeks << uint(a.Newest-o.Newest)
	a.Last = max(a.Last, o.Last)
}

// Active counts the weeks with activity among the last n up to and with that of the second at.
func (a Activity) Active(at int64, n int) int32 {
	return int32(bits.OnesCount64(a.window(at) & (1<<uint(min(max(n, 0), ActivityWeeks)) - 1)))
}

// Comeback returns the days of the silence that ended at most recent weeks before a second: the
// longest run of weeks without activity that was followed by activity. It is Unknown when nobody
// came back, or when nothing is known of the time before. It is known to the week: the days from
// the week of the last sign to that of the next.
func (a Activity) Comeback(at int64, recent int) int32 {
	w := a.window(at)
	days := Unknown
	for i := 0; i < min(recent, ActivityWeeks); i++ {
		if w>>uint(i)&1 == 0 {
			continue
		}
		older := w >> uint(i+1)
		if older == 0 {
			break
		}
		if gap := int32(bits.TrailingZeros64(older)); gap > 0 {
			days = max(days, (gap+1)*7)
		}
	}
	return days
}

// window returns the weeks as seen from a second: bit 0 is its own week.
func (a Activity) window(at int64) uint64 {
	if a.Last == 0 {
		return 0
	}
	d := at/week - int64(a.Newest)
	if d >= 0 {
		return a.Weeks << uint(min(d, 64))
	}
	return a.Weeks >> uint(min(-d, 64))
}

// Union returns the activity of a and b together.
func Union(a, b Activity) Activity {
	a.join(b)
	return a
}
