package capture

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	store "github.com/leadmesh/leadmesh/services/capture/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/internal/outbox"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
	"google.golang.org/protobuf/proto"
)

const (
	claimBatch = 500
	downPause  = 2 * time.Second // while a part of the road is down
)

// runPending drives pending leads that are due until ctx ends. What a process before this one left
// behind is due at once: driving a lead that another replica drives too is harmless.
func (s *Service) runPending(ctx context.Context) error {
	woken := false
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		wait := s.cfg.PollEvery
		if !woken {
			_, err := s.store.WakeAll(ctx, s.deps.Now())
			woken = err == nil
			s.warn(ctx, "pending leads not woken", err)
		}
		down, err := s.drivePending(ctx)
		s.warn(ctx, "pending leads not driven", err)
		woken = woken && err == nil // what the database's absence left half done is due at its return
		if down || err != nil {
			wait = max(wait, downPause)
		}
		timer.Reset(wait)
	}
}

// drivePending drives everything that is due once. It stops early when a part of the road is down.
func (s *Service) drivePending(ctx context.Context) (down bool, err error) {
	now := s.deps.Now()
	since, _, err := s.store.OldestPending(ctx)
	if err != nil {
		return false, err
	}
	s.oldest.Store(0)
	if !since.IsZero() {
		s.oldest.Store(since.UnixNano())
	}
	if g, _ := s.governor(); g == nil {
		return false, nil // nothing can be decided without a playbook
	}
	buckets, err := s.store.DueBuckets(ctx, now)
	if err != nil {
		return false, err
	}
	// Replicas begin at different buckets, so that they seldom want the same rows.
	rand.Shuffle(len(buckets), func(i, k int) { buckets[i], buckets[k] = buckets[k], buckets[i] })
	var claimed []store.Claimed
	for i, bucket := range buckets {
		for {
			got, err := s.store.Claim(ctx, bucket, now, now.Add(driverLease), claimBatch-len(claimed))
			if err != nil {
				return false, err
			}
			claimed = append(claimed, got...)
			full := len(claimed) == claimBatch
			if len(claimed) == 0 || !full && i < len(buckets)-1 {
				break
			}
			down := s.driveClaimed(ctx, claimed)
			claimed = claimed[:0]
			if down {
				return true, nil
			}
			if err := ctx.Err(); err != nil {
				return false, err
			}
			if !full {
				break
			}
		}
	}
	return false, nil
}

// driveClaimed drives leads that were claimed; leads captured without a playbook are governed
// first.
func (s *Service) driveClaimed(ctx context.Context, claimed []store.Claimed) (down bool) {
	drives := make([]*drive, 0, len(claimed))
	for i := range claimed {
		c := &claimed[i]
		message := &leadv1.Lead{}
		if err := proto.Unmarshal(c.Body, message); err != nil {
			s.warn(ctx, "stored lead cannot be read", problem.Internal(err))
			continue
		}
		d := &drive{id: c.ID, message: message, attempts: c.Attempts, since: c.ReceivedAt, traceparent: c.Traceparent}
		if c.Revision == "" && !s.governLate(ctx, c, d) {
			continue
		}
		lctx, span := telemetry.StartRoot(ctx, s.deps.Tel.Tracer, telemetry.SpanCapture, c.Traceparent, c.ID.String())
		defer span.End()
		d.ctx = lctx
		drives = append(drives, d)
	}
	if len(drives) == 0 {
		return false
	}
	return s.drive(ctx, s.cfg.DriveWithin, drives)
}

// governLate governs a lead that was captured while there was no playbook; false if it cannot be
// driven now.
func (s *Service) governLate(ctx context.Context, c *store.Claimed, d *drive) bool {
	g, revision := s.governor()
	if g == nil {
		return false // due again when its lease ends
	}
	l, err := decodeMessage(d.message)
	if err != nil {
		s.warn(ctx, "stored lead cannot be read", err)
		return false
	}
	now := s.deps.Now()
	s.placeTimes(g, l)
	verdict := g.Apply(l, l.ReceivedAt)
	governed, message, err := governedForm(l, revision)
	if err != nil {
		s.warn(ctx, "governed lead cannot be written", err)
		return false
	}
	code, events := "", &outbox.Rows{}
	if !verdict.Accepted() {
		code = verdict.Reject.String()
		e := leadEvent(l, eventRejected, now)
		e.Traceparent, e.Facts.State, e.Facts.Code, e.Facts.Note = c.Traceparent, lead.StateRejected.String(), code, verdict.Rule
		if err := events.Add(c.ID, e, now); err != nil {
			s.warn(ctx, "event not made", err)
			return false
		}
	}
	if err := s.store.Govern(ctx, governed, now, code, verdict.Rule, events); err != nil {
		s.warn(ctx, "late governance not stored", err)
		return false
	}
	s.relay.Wake()
	d.message = message
	return code == ""
}

// governedForm writes a governed lead as the store takes it.
func governedForm(l *lead.Lead, revision string) (store.Governed, *leadv1.Lead, error) {
	message := leadconv.ToProto(l)
	body, err := proto.Marshal(message)
	if err != nil {
		return store.Governed{}, nil, problem.Internal(err)
	}
	requested, _ := lead.RequestedAt(l.RequestedAt, l.ReceivedAt)
	return store.Governed{LeadID: l.ID, Body: body, Flags: len(l.Flags), RequestedAt: requested, Revision: revision}, message, nil
}

// parkWith parks a pending lead and records it.
func (s *Service) parkWith(ctx context.Context, l *lead.Lead, traceparent string, p store.Parking) error {
	events := &outbox.Rows{}
	e := leadEvent(l, eventParked, p.At)
	e.Traceparent, e.Facts.State, e.Facts.Code = traceparent, lead.StateParked.String(), lead.ParkReasonData.String()
	e.Facts.DueAt, e.Facts.Actor, e.Facts.Note = leadconv.Time(p.ReviewAt), p.Owner, p.Detail
	if err := events.Add(p.LeadID, e, p.At); err != nil {
		return problem.Internal(err)
	}
	moved, err := s.store.ParkPending(ctx, p, events)
	if moved {
		s.relay.Wake()
	}
	return err
}

func decodeMessage(p *leadv1.Lead) (*lead.Lead, error) {
	l, violations := leadconv.FromProto(p)
	if len(violations) > 0 {
		return nil, problem.Internal(problem.Invalid(violations...))
	}
	return &l, nil
}
