package gateway

import (
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
)

// lingering is how long the rest of a refused request's body is waited for, so that a sender who
// writes first and reads then sees the refusal.
const lingering = 500 * time.Millisecond

// onceOnly are the headers that mean one thing: two of them are read differently by whoever stands
// in between.
var onceOnly = [...]string{"Authorization", "Content-Type", "Content-Encoding", "Idempotency-Key", "Traceparent"}

// guard refuses, before a route is looked for and for all of them alike, what no sender of good
// faith sends: a page of another site that a browser of this machine shows, addresses that hold
// control characters, headers that contradict each other.
func (s *Server) guard(r *http.Request) *problem.Error {
	if err := s.sites.Check(r); err != nil && !s.crossSite(r.URL.Path) {
		return problem.New(problemv1.Reason_REASON_PERMISSION_DENIED, "requests of a page of another site are not taken")
	}
	// Where no token is asked for, a name that its owner makes point to this machine would let the
	// page under that name in: to its browser the request is one within the site.
	if s.cfg.Tokens.Open() && !rpc.NamesThisMachine(r.Host) {
		return problem.New(problemv1.Reason_REASON_PERMISSION_DENIED,
			"without tokens requests are taken for localhost or an IP address only; send one of them as the host, or start with --tokens")
	}
	if !utf8.ValidString(r.URL.Path) {
		return problem.New(problemv1.Reason_REASON_INVALID_ARGUMENT, "the path is not UTF-8")
	}
	if strings.ContainsFunc(r.URL.Path, control) {
		return problem.New(problemv1.Reason_REASON_INVALID_ARGUMENT, "the path holds control characters; leave them out")
	}
	for _, name := range onceOnly {
		if len(r.Header[name]) > 1 {
			return problem.Invalid(problem.Violation{Field: name, Description: "is given more than once; send the header once"})
		}
	}
	return nil
}

// control reports whether a character is one that no name, key or text of an address holds.
func control(r rune) bool { return r < ' ' || r == 0x7f }

// hurry ends the wait for the rest of a refused body: its sender may hold neither the connection
// nor the goroutine behind it for as long as a request may take.
func hurry(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength == 0 || r.ProtoMajor != 1 {
		return // over HTTP/2 the stream alone is reset
	}
	// Where there is no connection to hurry, none is held up either.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(lingering))
}
