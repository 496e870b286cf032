package routing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/sla"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"
)

const (
	sweepBatch    = 200 // leads in one transaction
	sweepWorkers  = 4   // buckets at once; they share the log's flush
	sweepSoonest  = 10 * time.Millisecond
	sweepLatest   = 500 * time.Millisecond // another replica may have made a deadline meanwhile
	sweepRecovery = time.Second            // after an error
)

// sweep carries out what is due until ctx ends: deadlines of owners, reviews of parked leads, and
// transfers nobody answered. Replicas sweep side by side: each takes what no other has locked, and
// all that one batch brings about is committed at once or not at all.
func (s *Service) sweep(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.followEvidence(ctx) })
	g.Go(func() error { return s.sweepLoop(ctx) })
	return g.Wait()
}

func (s *Service) sweepLoop(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		wait, err := s.sweepOnce(ctx)
		if err != nil && ctx.Err() == nil {
			s.log.LogAttrs(ctx, slog.LevelWarn, "sweep cut short, it goes on", slog.String("cause", err.Error()))
			wait = sweepRecovery
		}
		timer.Reset(wait)
	}
}

// sweepOnce carries out everything that is due now and returns how long nothing else is.
func (s *Service) sweepOnce(ctx context.Context) (time.Duration, error) {
	rb := s.engine.rules.Load()
	if rb == nil {
		return sweepLatest, nil
	}
	now := s.now()
	due, err := s.store.Due(ctx)
	if err != nil {
		return 0, err
	}
	offer, err := s.store.NextOffer(ctx)
	if err != nil {
		return 0, err
	}
	next := now.Add(sweepLatest)
	sooner := func(at time.Time) bool {
		if at.IsZero() {
			return false
		}
		next = earliest(next, at)
		return !at.After(now)
	}
	var oldest time.Duration
	rand.Shuffle(len(due), func(i, j int) { due[i], due[j] = due[j], due[i] }) // replicas begin elsewhere
	var g errgroup.Group                                                       // without a common context: what ails one bucket must not stop the others
	g.SetLimit(sweepWorkers)
	if sooner(offer) {
		g.Go(func() error { return s.lapseOffers(ctx, rb) })
	}
	for _, d := range due {
		if sooner(d.Deadline) {
			oldest = max(oldest, now.Sub(d.Deadline))
			g.Go(func() error { return s.sweepDeadlines(ctx, rb, d.Bucket) })
		}
		if sooner(d.ReviewAt) {
			g.Go(func() error { return s.wakeParked(ctx, rb, d.Bucket) })
		}
	}
	s.metrics.sweepLag.Store(int64(oldest))
	err = g.Wait()
	s.relay.Wake()
	return max(next.Sub(now), sweepSoonest), err
}

// sweepDeadlines fires the deadlines of a bucket until none is due that nobody else has locked.
func (s *Service) sweepDeadlines(ctx context.Context, rb *rulebook, bucket int16) error {
	for {
		var spans []trace.Span
		n, err := s.store.SweepDeadlines(ctx, bucket, s.now(), sweepBatch, func(c *postgres.Change) error {
			endSpans(spans)
			spans = spans[:0]
			for _, k := range c.Cases {
				_, span := telemetry.StartRoot(ctx, s.tel.Tracer, telemetry.SpanSweep, k.Traceparent, k.LeadID.String())
				spans = append(spans, span)
			}
			s.reportBroken(ctx, c)
			return s.fireAll(ctx, rb, c)
		})
		endSpans(spans)
		if err != nil || n < sweepBatch {
			return err
		}
	}
}

func endSpans(spans []trace.Span) {
	for _, span := range spans {
		span.End()
	}
}

func (s *Service) reportBroken(ctx context.Context, c *postgres.Change) {
	for _, id := range c.Broken {
		s.log.LogAttrs(ctx, slog.LevelError, "the row of a lead cannot be read, its clock stands still", slog.String("lead_id", id.String()))
	}
}

// fireAll fires the deadlines of locked cases. The books of the dealers whose work moves to another
// person, or ends, are locked together and last.
func (s *Service) fireAll(ctx context.Context, rb *rulebook, c *postgres.Change) error {
	var works []*caseWork
	var second []*caseWork // breached: somebody else in the store is to do it
	var dealers []string
	for id, k := range c.Cases {
		if k.Owner == nil {
			c.Leave(id)
			continue
		}
		w := s.work(ctx, rb, c, k)
		fired := w.fire()
		if !fired.any {
			c.Leave(id)
			continue
		}
		if fired.stuck {
			s.log.LogAttrs(ctx, slog.LevelError, "an open lead has no next deadline, its clock stands still", slog.String("lead_id", id.String()))
			c.Leave(id)
			continue
		}
		works = append(works, w)
		if fired.expired == nil && fired.person && k.Owner.PersonID != "" && !k.Test {
			second = append(second, w)
			dealers = append(dealers, k.Owner.DealerID)
		}
		if e := fired.expired; e != nil {
			if k.Owner.PersonID != "" {
				dealers = append(dealers, k.Owner.DealerID)
			}
			ending := postgres.Ending{By: endedExpired, Code: expiredCode(e.Reason), At: e.At}
			if err := w.close(eventExpired, lead.StateExpired, ending, &leadv1.EventFacts{}); err != nil {
				return err
			}
		}
	}
	if len(dealers) > 0 {
		if _, err := c.Books(dealers...); err != nil {
			return err
		}
	}
	for _, w := range second {
		w.secondPerson()
	}
	for _, w := range works {
		if err := w.finish(); err != nil {
			return err
		}
	}
	return nil
}

// firing is what a sweep brought about for one case.
type firing struct {
	any     bool
	stuck   bool // the clock says that nothing is due, ever
	person  bool // the ladder told a second person or the BDC
	expired *sla.Effect
}

// maxFirings bounds one sweep of one case: after a long outage each step of the ladder, attempt and
// appointment that was passed fires on its own.
const maxFirings = 1_000

// fire sweeps every deadline of the case that is due. A stored deadline that the rules in force do
// not know any more counts too: it gives way to the next one.
func (w *caseWork) fire() firing {
	k := w.k
	policy, calendar := w.rb.policyOf(k)
	var out firing
	for range maxFirings {
		d, ok := sla.Next(policy, calendar, k.Owner.Clock)
		if out.stuck = !ok; out.stuck || d.At.After(w.now) {
			out.any = out.any || out.stuck || !d.At.Equal(k.Owner.Deadline.At) || d.Kind != k.Owner.Deadline.Kind
			break
		}
		out.any = true
		state, effects := sla.Fire(policy, calendar, k.Owner.Clock, d, w.now)
		k.Owner.Clock = state
		w.effects(effects)
		for i := range effects {
			switch e := &effects[i]; {
			case e.Kind == sla.Escalated && e.Level == sla.LevelPerson:
				out.person = true
			case e.Kind == sla.Expired:
				out.expired = e
			}
		}
		if out.expired != nil {
			break
		}
	}
	return out
}

// secondPerson gives a breached lead to the next person in turn, where the store lets us name
// persons and has another one. Else the store was told, and that is all.
func (w *caseWork) secondPerson() {
	a := w.k.Owner
	facts, ok := w.rb.rotate(w.k, a, w.c.Book(a.DealerID), a.PersonID, w.now)
	if !ok || facts.Person == "" {
		return
	}
	facts.Capacity, facts.Ask, facts.Verdict = a.Grant.Capacity, a.Grant.Ask, a.Grant.Verdict
	w.c.Reassign(w.k, facts.Person, w.now)
	a.Grant = facts
	for _, e := range w.events {
		if e.GetType() == eventEscalated && e.GetFacts().GetKind() == levelName(sla.LevelPerson) {
			e.Facts.PersonId = facts.Person
		}
	}
}

func expiredCode(r sla.ExpiredReason) string {
	if r == sla.ExpiredUnreachable {
		return lead.LostCodeUnreachable.String()
	}
	return "CLOSED_UNWORKED"
}

// lapseOffers ends the transfers that were not answered in time: the giver keeps the lead.
func (s *Service) lapseOffers(ctx context.Context, rb *rulebook) error {
	for {
		n, err := s.store.SweepOffers(ctx, s.now(), sweepBatch, func(c *postgres.Change) error {
			s.reportBroken(ctx, c)
			for id, k := range c.Cases {
				w := s.work(ctx, rb, c, k)
				if k.Owner == nil || k.Owner.OfferTo == "" || w.now.Before(k.Owner.OfferUntil) {
					c.Leave(id)
					continue
				}
				w.dropOffer(eventTransferLapse, k.Owner.OfferUntil, &leadv1.EventFacts{})
				if err := w.finish(); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || n < sweepBatch {
			return err
		}
	}
}

// wakeParked looks again at parked leads whose review has come: consent may have been given, points
// may have risen. One that may still not be worked is parked again, with a new date. Each lead has
// its own transaction: it may lock a dealer's book, and there is no hurry.
func (s *Service) wakeParked(ctx context.Context, rb *rulebook, bucket int16) error {
	for {
		n, err := s.store.SweepReviews(ctx, bucket, s.now(), 1, func(c *postgres.Change) error {
			s.reportBroken(ctx, c)
			for _, k := range lockedCases(c) {
				if err := s.wake(ctx, rb, c, k); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return errors.Join(err, s.postpone(ctx, bucket))
		}
		if n == 0 {
			return nil
		}
	}
}

// postponed is when a parked lead is looked at again that could not be woken.
const postponed = 15 * time.Minute

// postpone moves the review of the first parked lead of a bucket, so that one that cannot be
// decided does not hold up those behind it.
func (s *Service) postpone(ctx context.Context, bucket int16) error {
	now := s.now()
	_, err := s.store.SweepReviews(ctx, bucket, now, 1, func(c *postgres.Change) error {
		for _, k := range c.Cases {
			k.Parking.ReviewAt = now.Add(postponed)
		}
		return nil
	})
	return err
}

// lockedCases are the cases locked so far; the work on one may lock more.
func lockedCases(c *postgres.Change) []*postgres.Case {
	out := make([]*postgres.Case, 0, len(c.Cases))
	for _, k := range c.Cases {
		out = append(out, k)
	}
	return out
}

func (s *Service) wake(ctx context.Context, rb *rulebook, c *postgres.Change, k *postgres.Case) error {
	w := s.work(ctx, rb, c, k)
	if k.State != lead.StateParked || k.Parking.ReviewAt.After(w.now) {
		c.Leave(k.LeadID)
		return nil
	}
	return w.rouse(k.Parking.Owner, "")
}

// rouse decides a parked lead anew, on behalf of somebody, with what is known of its customer now.
func (w *caseWork) rouse(actor, note string) error {
	k, c := w.k, w.c
	past, err := c.Past(k.LeadID)
	if err != nil {
		return err
	}
	from := postgres.Assignment{}
	if n := len(past); n > 0 {
		from.Sequence = past[n-1].Sequence
	}
	exclusions, err := w.decliners()
	if err != nil {
		return err
	}
	if err := w.s.learn(w.ctx, c, k); err != nil {
		return err
	}
	w.add(eventWoken, w.now, &leadv1.EventFacts{Code: k.Parking.Reason.String(), Actor: actor, Note: note})
	if err := w.decideAgain(exclusions, from); err != nil {
		return err
	}
	if k.State == lead.StateParked {
		w.events = slices.DeleteFunc(w.events, func(e *leadv1.Event) bool { return e.GetType() == eventWoken })
	}
	return w.finish()
}

// learn asks Identity anew about the customer of a parked lead: consent may have been given or
// revoked, and points may have risen, since the lead was parked. While Identity is away the lead
// waits rather than being judged by old facts.
func (s *Service) learn(ctx context.Context, c *postgres.Change, k *postgres.Case) error {
	if s.identity == nil {
		return nil
	}
	l := &leadv1.Lead{}
	if err := proto.Unmarshal(k.Lead, l); err != nil {
		return fmt.Errorf("decode the stored lead: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	resp, err := s.identity.BatchResolve(ctx, &identityv1.BatchResolveRequest{Leads: []*leadv1.Lead{l}, Traceparents: []string{k.Traceparent}})
	if err != nil {
		return fmt.Errorf("ask who the customer is: %w", err)
	}
	if len(resp.GetResolutions()) != 1 {
		return fmt.Errorf("asked about one lead, told of %d", len(resp.GetResolutions()))
	}
	known := resp.GetResolutions()[0]
	l.Consents = known.GetConsents()
	if k.Lead, err = proto.Marshal(l); err != nil {
		return fmt.Errorf("encode the lead: %w", err)
	}
	if profile := known.GetProfile(); len(profile) > 0 {
		k.Profile = profile
	}
	return c.SaveLead(k)
}
