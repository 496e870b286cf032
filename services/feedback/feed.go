package feedback

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"
	"sync"
	"time"

	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	store "github.com/leadmesh/leadmesh/services/feedback/internal/postgres"
	"github.com/leadmesh/leadmesh/services/feedback/internal/projection"
	"github.com/leadmesh/leadmesh/services/internal/cursor"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

const (
	feedKept      = 30 * 24 * time.Hour // how long events stay in the feed
	feedPage      = 100
	feedPageMax   = 1_000
	feedRead      = 2_000 // events read for one answer, about; most of them may not match
	maxTypes      = 50
	longestWait   = 20 * time.Second
	feedPoll      = 250 * time.Millisecond // another replica may have appended
	maxWaiting    = 256                    // callers that may wait at once in one process; more are answered at once
	answerReserve = 200 * time.Millisecond // of a caller's deadline, to answer that there is nothing
)

// feedBell wakes the callers that wait for events in this process.
type feedBell struct {
	mu      sync.Mutex
	rung    chan struct{} // closed when the bell rings; nil while nobody waits
	waiting int
	drained bool
}

// ring tells that events were appended.
func (b *feedBell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rung != nil {
		close(b.rung)
		b.rung = nil
	}
}

// hear returns what is closed at the next ring.
func (b *feedBell) hear() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rung == nil {
		b.rung = make(chan struct{})
	}
	return b.rung
}

// enter reports whether one more caller may wait.
func (b *feedBell) enter() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.drained || b.waiting >= maxWaiting {
		return false
	}
	b.waiting++
	return true
}

func (b *feedBell) leave() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting--
}

func (b *feedBell) silent() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.drained
}

// Drain answers the callers that wait for events, so that they do not hold up a shutdown.
func (s *Service) Drain() {
	s.bell.mu.Lock()
	s.bell.drained = true
	s.bell.mu.Unlock()
	s.bell.ring()
}

// feedQuery is a request for events that has been checked.
type feedQuery struct {
	from     store.FeedPlace
	limit    int
	types    []string // as stored; none: all
	dealerID string
	own      bool // the caller sees its own store only
	wait     time.Duration
}

// ListEvents answers the events after a cursor. It gives numbers to what was appended since, so
// that what it passes over, if anything, comes after the cursor it answers.
func (s *Service) ListEvents(ctx context.Context, req *feedbackv1.ListEventsRequest) (*feedbackv1.ListEventsResponse, error) {
	if err := s.store.NumberFeed(ctx); err != nil {
		return nil, err
	}
	ends, err := s.store.FeedEnds(ctx)
	if err != nil {
		return nil, err
	}
	q, err := parseFeed(rpc.CallerFrom(ctx), req, ends)
	if err != nil {
		return nil, err
	}
	resp := &feedbackv1.ListEventsResponse{}
	place, err := s.readFeed(ctx, q, q.from, resp)
	if err != nil {
		return nil, err
	}
	if q.wait > 0 && len(resp.Events) == 0 && s.bell.enter() {
		place, err = s.awaitFeed(ctx, q, place, resp)
		s.bell.leave()
		if err != nil {
			return nil, err
		}
	}
	resp.Cursor = formatCursor(ends.Secret, place)
	return resp, nil
}

// awaitFeed reads on until there is an event for the caller, or it waits no longer.
func (s *Service) awaitFeed(ctx context.Context, q feedQuery, place store.FeedPlace, resp *feedbackv1.ListEventsResponse) (store.FeedPlace, error) {
	wait := q.wait
	if deadline, ok := ctx.Deadline(); ok {
		wait = min(wait, time.Until(deadline)-answerReserve)
	}
	over := time.NewTimer(max(wait, 0))
	defer over.Stop()
	tick := time.NewTicker(feedPoll)
	defer tick.Stop()
	for len(resp.Events) == 0 && !s.bell.silent() {
		rung := s.bell.hear()
		if !resp.More {
			select {
			case <-ctx.Done():
				return place, problem.Unavailable(ctx.Err())
			case <-over.C:
				return place, nil
			case <-rung:
			case <-tick.C:
			}
		}
		if err := s.store.NumberFeed(ctx); err != nil {
			return place, err
		}
		var err error
		if place, err = s.readFeed(ctx, q, place, resp); err != nil {
			return place, err
		}
		select {
		case <-over.C:
			return place, nil
		default:
		}
	}
	return place, nil
}

// readFeed adds the events that the caller may see and wants, as far as one reading goes, and
// returns the place behind what it looked at.
func (s *Service) readFeed(ctx context.Context, q feedQuery, from store.FeedPlace, resp *feedbackv1.ListEventsResponse) (store.FeedPlace, error) {
	read, err := s.store.ReadFeed(ctx, from, feedRead)
	if err != nil {
		return from, err
	}
	for i := range read.Events {
		if len(resp.Events) == q.limit {
			resp.More = true
			return read.Events[i-1].Next, nil
		}
		e, err := q.tell(&read.Events[i].Event)
		if err != nil {
			return from, problem.Internal(err)
		}
		if e != nil {
			resp.Events = append(resp.Events, e)
		}
	}
	resp.More = read.More
	return read.Next, nil
}

// tell writes an event as the caller may read it; nil if it is not for the caller.
func (q *feedQuery) tell(e *store.Event) (*feedbackv1.CloudEvent, error) {
	if len(q.types) > 0 && !slices.Contains(q.types, e.Type) {
		return nil, nil
	}
	facts := &leadv1.EventFacts{}
	if err := proto.Unmarshal(e.Facts, facts); err != nil {
		return nil, err
	}
	if q.dealerID != "" {
		if facts = shareOf(q.dealerID, q.own, projection.Kind(e.Type), facts); facts == nil {
			return nil, nil
		}
	}
	return &feedbackv1.CloudEvent{
		Specversion: "1.0", Id: e.ID.String(), Source: "leadmesh/" + e.Source, Type: e.Type, Subject: e.LeadID.String(),
		Time: timestamppb.New(e.OccurredAt), Recordedtime: timestamppb.New(e.RecordedAt), Datacontenttype: "application/json",
		Traceparent: e.Traceparent, Test: facts.GetTest(),
		Data: &feedbackv1.EventData{LeadVersion: e.LeadVersion, Facts: facts},
	}, nil
}

// shareOf is what of an event's facts concerns a dealer; nil if nothing does. What a dealer's own
// token reads of a hand-over to or from another store is that it happened.
func shareOf(dealerID string, own bool, kind string, f *leadv1.EventFacts) *leadv1.EventFacts {
	handOver := strings.HasPrefix(kind, "transfer")
	switch {
	case f.GetDealerId() == dealerID:
	case handOver && f.GetRelatedId() == dealerID:
		if own {
			return &leadv1.EventFacts{
				Test: f.GetTest(), Line: f.GetLine(), Brand: f.GetBrand(), DealerId: f.GetDealerId(), RelatedId: f.GetRelatedId(),
				State: f.GetState(), DueAt: f.GetDueAt(),
			}
		}
	default:
		return nil
	}
	if own {
		f.CustomerId = "" // whom else the person is known as is the manufacturer's
	}
	return f
}

func parseFeed(caller rpc.Caller, req *feedbackv1.ListEventsRequest, ends store.FeedEnds) (feedQuery, error) {
	f := &fields{}
	q := feedQuery{
		from: store.FeedPlace{Number: ends.Forgotten + 1}, limit: int(req.GetLimit()), dealerID: req.GetDealerId(),
		own: caller.OnlyDealer(), wait: time.Duration(req.GetWait()) * time.Second,
	}
	if q.own {
		if q.dealerID != "" && q.dealerID != caller.DealerID {
			return q, problem.New(problemv1.Reason_REASON_NOT_YOUR_DEALER, "a store reads its own events only; leave dealer_id out")
		}
		q.dealerID = caller.DealerID
	}
	if q.limit == 0 {
		q.limit = feedPage
	}
	if q.limit < 1 || q.limit > feedPageMax {
		f.wrong("limit", "is 1 to %d, or absent for %d", feedPageMax, feedPage)
	}
	if q.wait < 0 || q.wait > longestWait {
		f.wrong("wait", "is 0 to %d seconds", int(longestWait.Seconds()))
	}
	if len(req.GetTypes()) > maxTypes {
		f.wrong("types", "has more than %d", maxTypes)
	}
	for _, t := range req.GetTypes() {
		for one := range strings.SplitSeq(t, ",") {
			if one = strings.TrimSpace(one); one == "" {
				f.wrong("types", "names a type such as leadmesh.lead.decided.v1 or decided")
			} else if !strings.Contains(one, ".") {
				one = "leadmesh.lead." + one + ".v1"
			}
			q.types = append(q.types, one)
		}
	}
	if text := req.GetAfter(); text != "" {
		place, ok := parseCursor(ends.Secret, text)
		switch {
		case !ok:
			f.wrong("after", "is no cursor that this installation answered; leave it out to begin with the oldest event kept")
		case place.Number <= ends.Forgotten:
			f.wrong("after", "is older than the %d days that events are kept: some after it are gone; leave it out to begin with the oldest, and read the leads' present state from /v1/leads", int(feedKept.Hours()/24))
		case place.Number > ends.Numbered+1:
			f.wrong("after", "lies beyond the newest event: the database was set back since; leave it out to begin with the oldest event kept")
		}
		q.from = place
	}
	return q, f.err()
}

const (
	cursorVersion = 1
	cursorSeal    = 8 // bytes of the HMAC
)

// formatCursor writes a place as callers carry it: opaque, and not to be made up.
func formatCursor(secret []byte, p store.FeedPlace) string {
	b := binary.BigEndian.AppendUint64([]byte{cursorVersion}, uint64(p.Number))
	b = binary.BigEndian.AppendUint32(b, uint32(p.Position))
	return cursor.Text(append(b, seal(secret, b)...))
}

// parseCursor reads what formatCursor wrote with the same secret, and nothing else.
func parseCursor(secret []byte, text string) (p store.FeedPlace, ok bool) {
	b, read := cursor.Bytes(text)
	if !read || len(b) != 1+8+4+cursorSeal || b[0] != cursorVersion {
		return p, false
	}
	said, given := b[:13], b[13:]
	if !hmac.Equal(seal(secret, said), given) {
		return p, false
	}
	return store.FeedPlace{Number: int64(binary.BigEndian.Uint64(said[1:])), Position: int(binary.BigEndian.Uint32(said[9:]))}, true
}

func seal(secret, b []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("feed cursor\x00"))
	mac.Write(b)
	return mac.Sum(nil)[:cursorSeal]
}
