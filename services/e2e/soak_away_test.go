package e2e_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/connectivity"
)

// absences takes each of the five processes away in turn, and Postgres, for a long time under load:
// callers are answered 200, 202 or 503 by whatever is there, nothing is lost, and everything
// recovers by itself.
func (s *soak) absences(t *testing.T, away time.Duration) {
	s.longest = away
	s.open(t)
	s.load.calm = 8        // what waits must be decided in the end, and the time is long
	var noDoor atomic.Bool // whether the process is away that callers talk to
	s.load.tolerate = func(error) bool { return noDoor.Load() }
	s.begin(t)
	for _, part := range []string{"routing", "identity", "scoring", "feedback", "capture", "postgres"} {
		taken, refused := s.load.leads(), s.load.count(http.StatusServiceUnavailable)
		switch part {
		case "postgres":
			s.server.stop(t, away)
		default:
			noDoor.Store(part == "capture")
			s.processes[part].kill(t)
			rest(away)
			s.processes[part] = s.processes[part].again(t)
		}
		if noDoor.Load() { // a gRPC client tries again ever more seldom
			conn := s.load.w.grpc
			conn.ResetConnectBackoff()
			eventually(t, patience, "its callers are connected", func() bool { conn.Connect(); return conn.GetState() == connectivity.Ready })
			noDoor.Store(false)
		}
		taken, refused = s.load.leads()-taken, s.load.count(http.StatusServiceUnavailable)-refused
		back := time.Now()
		s.load.flows(t, 10)
		t.Logf("%s was away for %s: %d leads were taken and %d requests refused; decided again %s after its return",
			part, away, taken, refused, time.Since(back).Round(time.Millisecond))
		s.sum.fault(part + " away for " + away.String())
		switch {
		case part == "postgres" && refused == 0:
			t.Error("nobody was told that nothing can be taken")
		case part != "postgres" && part != "capture" && taken == 0:
			t.Errorf("nothing was taken while %s was away", part)
		}
	}
	s.halt(t)
	s.check(t)
	s.advance(t)
}
