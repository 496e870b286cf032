package sla

import (
	"encoding/binary"
	"errors"
	"time"
)

// stateVersion begins every encoded State. A field is added at the end with a new version.
const stateVersion = 1

// ErrState is returned for bytes that MarshalState did not write.
var ErrState = errors.New("not an encoded clock state")

// MarshalState encodes a state compactly and always the same way.
func MarshalState(s State) []byte {
	w := stateWriter{b: make([]byte, 0, 160)}
	w.b = append(w.b, stateVersion)
	d := &s.Deadlines
	for _, t := range [...]time.Time{
		d.Start, d.AcknowledgeBy, d.AcceptBy, d.WarnAt, d.RespondBy, d.ManagerAt, d.FieldAt, d.AttemptsUntil,
		s.AssignedAt, s.DeliveredAt, s.AcknowledgedAt, s.AcceptedAt, s.RespondedAt, s.EngagedAt,
		s.LevelAt, s.StepFrom, s.StepDue, s.TouchedAt, s.AskedAt, s.AskedDue, s.PausedAt, s.PausedUntil, s.ClosedAt,
	} {
		w.time(t)
	}
	w.flags(d.AfterHours, d.WallClock, s.AcknowledgeMissed, s.AcceptMissed, s.Warned, s.Breached, s.Closed)
	w.int(int64(s.Level))
	w.int(int64(s.Slot))
	w.int(int64(s.Step))
	w.int(int64(s.StepIndex))
	w.int(int64(s.PausedFor))
	w.int(int64(s.Expired))
	w.int(int64(len(s.Attempts)))
	for _, a := range s.Attempts {
		w.time(a.At)
		w.int(int64(a.Channel))
	}
	w.int(int64(len(s.Appointments)))
	for i := range s.Appointments {
		a := &s.Appointments[i]
		w.int(int64(len(a.ID)))
		w.b = append(w.b, a.ID...)
		w.time(a.At)
		w.time(a.OutcomeAt)
		w.flags(a.Reminded, a.Asked)
	}
	return w.b
}

// UnmarshalState reads what MarshalState wrote. Times come back in UTC.
func UnmarshalState(b []byte) (State, error) {
	var s State
	if len(b) == 0 || b[0] != stateVersion {
		return State{}, ErrState
	}
	r := stateReader{b: b[1:]}
	d := &s.Deadlines
	for _, t := range [...]*time.Time{
		&d.Start, &d.AcknowledgeBy, &d.AcceptBy, &d.WarnAt, &d.RespondBy, &d.ManagerAt, &d.FieldAt, &d.AttemptsUntil,
		&s.AssignedAt, &s.DeliveredAt, &s.AcknowledgedAt, &s.AcceptedAt, &s.RespondedAt, &s.EngagedAt,
		&s.LevelAt, &s.StepFrom, &s.StepDue, &s.TouchedAt, &s.AskedAt, &s.AskedDue, &s.PausedAt, &s.PausedUntil, &s.ClosedAt,
	} {
		*t = r.time()
	}
	r.flags(&d.AfterHours, &d.WallClock, &s.AcknowledgeMissed, &s.AcceptMissed, &s.Warned, &s.Breached, &s.Closed)
	s.Level, s.Slot, s.Step = Level(r.int()), int(r.int()), StepKind(r.int())
	s.StepIndex, s.PausedFor, s.Expired = int(r.int()), time.Duration(r.int()), ExpiredReason(r.int())
	for n := r.count(); n > 0; n-- {
		s.Attempts = append(s.Attempts, Attempt{At: r.time(), Channel: Channel(r.int())})
	}
	for n := r.count(); n > 0; n-- {
		a := Appointment{ID: r.text(), At: r.time(), OutcomeAt: r.time()}
		r.flags(&a.Reminded, &a.Asked)
		s.Appointments = append(s.Appointments, a)
	}
	if r.bad || len(r.b) != 0 {
		return State{}, ErrState
	}
	return s, nil
}

type stateWriter struct{ b []byte }

func (w *stateWriter) int(v int64) { w.b = binary.AppendVarint(w.b, v) }

// time writes microseconds since 1970, which is what every time of a State is whole in.
func (w *stateWriter) time(t time.Time) {
	if t.IsZero() {
		w.b = append(w.b, 0)
		return
	}
	w.b = append(w.b, 1)
	w.int(t.UnixMicro())
}

func (w *stateWriter) flags(flags ...bool) {
	var v byte
	for i, f := range flags {
		if f {
			v |= 1 << i
		}
	}
	w.b = append(w.b, v)
}

type stateReader struct {
	b   []byte
	bad bool
}

func (r *stateReader) byte() byte {
	if len(r.b) == 0 {
		r.bad = true
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

func (r *stateReader) int() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

// count is a length that the rest of the bytes can hold.
func (r *stateReader) count() int {
	n := r.int()
	if n < 0 || n > int64(len(r.b)) {
		r.bad = true
		return 0
	}
	return int(n)
}

func (r *stateReader) time() time.Time {
	if r.byte() != 1 {
		return time.Time{}
	}
	return time.UnixMicro(r.int()).UTC()
}

func (r *stateReader) flags(flags ...*bool) {
	v := r.byte()
	for i, f := range flags {
		*f = v>>i&1 == 1
	}
}

func (r *stateReader) text() string {
	n := r.count()
	v := string(r.b[:n])
	r.b = r.b[n:]
	return v
}
