package routing

import "sync/atomic"

// Live holds what changes by the minute about the departments of one snapshot: open or closed,
// what is left of the day's cap, performance. One word per department, so that the chooser reads
// one place. Safe for concurrent use. What it says of capacity is a hint; only the committer,
// with Grant, is exact.
type Live struct {
	words []atomic.Uint64 // open 1 bit, performance 31 bits, free 32 bits
}

// MaxPerformance is the farthest from neutral that a Live keeps a performance, either way.
const MaxPerformance = 100 * million

// NewLive returns a Live for a snapshot: everything open, every cap unused, performance neutral.
func NewLive(s *Snapshot) *Live {
	l := &Live{words: make([]atomic.Uint64, len(s.units))}
	for i := range l.words {
		l.words[i].Store(packLive(true, 0, max(s.units[i].cap, 0)))
	}
	return l
}

func packLive(open bool, performance, free int32) uint64 {
	w := uint64(uint32(performance)&(1<<31-1))<<32 | uint64(uint32(free))
	if open {
		w |= 1 << 63
	}
	return w
}

func unpackLive(w uint64) (open bool, performance, free int32) {
	return w>>63 != 0, int32(uint32(w>>32)<<1) >> 1, int32(uint32(w))
}

// SetOpen says whether a department is open.
func (l *Live) SetOpen(unit int, open bool) {
	l.update(unit, func(_ bool, performance, free int32) uint64 { return packLive(open, performance, free) })
}

// SetFree says what is left of a department's cap; below zero after leads over the cap.
func (l *Live) SetFree(unit int, free int32) {
	l.update(unit, func(open bool, performance, _ int32) uint64 { return packLive(open, performance, free) })
}

// SetPerformance sets the shrunk performance of a department: parts per million above or below
// what its case mix lets expect. It is kept within MaxPerformance.
func (l *Live) SetPerformance(unit int, ppm int32) {
	ppm = min(max(ppm, -MaxPerformance), MaxPerformance)
	l.update(unit, func(open bool, _, free int32) uint64 { return packLive(open, ppm, free) })
}

func (l *Live) update(unit int, change func(open bool, performance, free int32) uint64) {
	for w := &l.words[unit]; ; {
		old := w.Load()
		if w.CompareAndSwap(old, change(unpackLive(old))) {
			return
		}
	}
}
