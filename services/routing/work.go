package routing

import (
	"context"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/sla"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// caseWork is the work on one case inside a transaction: what happens to it, and the events that
// tell of it. The events are written when everything has happened, so that each of them carries
// the state and the deadline that the lead is left with.
type caseWork struct {
	s   *Service
	ctx context.Context
	rb  *rulebook
	c   *postgres.Change
	k   *postgres.Case
	now time.Time

	events  []*leadv1.Event
	late    *postgres.Past // stands in for the owner of a closed lead while a late report is read
	entered bool           // the lead got another owner
	claimed bool           // open interest was taken here
}

// move changes one lead on behalf of a caller who may, and answers how it stands. f reports
// whether it changed anything; it may run again, as Store.Change says.
func (s *Service) move(ctx context.Context, leadID string, f func(w *caseWork) (changed bool, err error)) (*routingv1.LeadCase, error) {
	id, err := parseLeadID(leadID)
	if err != nil {
		return nil, err
	}
	rb, err := s.rules()
	if err != nil {
		return nil, err
	}
	caller := rpc.CallerFrom(ctx)
	var k *postgres.Case
	err = s.store.Change(ctx, []lead.ID{id}, func(c *postgres.Change) error {
		if k = c.Cases[id]; k == nil {
			return problem.NotFound("decided lead")
		}
		if err := owns(caller, k); err != nil {
			return err
		}
		w := s.work(ctx, rb, c, k)
		changed, err := f(w)
		if err != nil {
			return err
		}
		if !changed {
			c.Leave(id)
			return nil
		}
		return w.finish()
	})
	if err != nil {
		return nil, err
	}
	s.relay.Wake()
	return rb.network.leadCase(k), nil
}

func (s *Service) work(ctx context.Context, rb *rulebook, c *postgres.Change, k *postgres.Case) *caseWork {
	return &caseWork{s: s, ctx: ctx, rb: rb, c: c, k: k, now: s.now().Truncate(time.Microsecond)}
}

// add notes an event. Facts that say where the lead stands are filled in by finish; the owner at
// this moment counts.
func (w *caseWork) add(kind string, at time.Time, f *leadv1.EventFacts) *leadv1.Event {
	if f.GetDealerId() == "" {
		f.DealerId = w.k.DealerID
	}
	e := w.s.event(w.k, kind, at, f)
	w.events = append(w.events, e)
	return e
}

// apply tells the clock of the present owner what happened.
func (w *caseWork) apply(e sla.Event) {
	policy, calendar := w.rb.policyOf(w.k)
	state, effects := sla.Apply(policy, calendar, w.k.Owner.Clock, e)
	w.k.Owner.Clock = state
	w.effects(effects)
}

// effects writes down what the clock brought about.
func (w *caseWork) effects(list []sla.Effect) {
	w.events = append(w.events, w.s.effectEvents(w.rb, w.k, list)...)
	for _, e := range list {
		if e.Kind == sla.Expired && w.late != nil { // a late report shows that the plan was done
			w.k.ClosedCode, w.late.Code = expiredCode(e.Reason), expiredCode(e.Reason)
			w.add(eventExpired, e.At, &leadv1.EventFacts{Code: w.k.ClosedCode})
		}
	}
}

func (w *caseWork) grade() sla.Grade {
	return w.s.evidenceGrade(w.rb, w.k.Owner.DealerID, w.k.Owner.Department)
}

// shown is a verdict as the owner's grade lets it be shown; "" while the clock runs or is not due.
func (w *caseWork) shown(v sla.Verdict) string {
	switch w.grade().Shown(v) {
	case sla.Met:
		return verdictMet
	case sla.Missed:
		return verdictBreached
	case sla.Unknown:
		return verdictUnknown
	}
	return ""
}

// close ends the work of the present owner: the lead is closed, its interest and its person's turn
// are given back when the change is saved.
func (w *caseWork) close(kind string, state lead.State, e postgres.Ending, f *leadv1.EventFacts) error {
	k := w.k
	w.apply(sla.Event{Kind: sla.EventClosed, At: e.At})
	f.Code = e.Code
	w.add(kind, e.At, f)
	if err := w.c.End(k, e); err != nil {
		return err
	}
	k.Owner, k.State, k.ClosedCode, k.ClosedAt = nil, state, e.Code, e.At
	if !w.claimed {
		return nil
	}
	return w.c.ReleaseInterest(k.LeadID)
}

// finish sets the one next deadline and hands the events over.
func (w *caseWork) finish() error {
	k := w.k
	if w.late != nil {
		w.late.Clock, k.Owner = k.Owner.Clock, nil
		if err := w.c.SavePast(k.LeadID, w.late); err != nil {
			return err
		}
	}
	if k.Owner != nil {
		policy, calendar := w.rb.policyOf(k)
		if err := setDeadline(k.Owner, policy, calendar); err != nil {
			return err
		}
		if w.entered && k.Owner.DeliveredAt.IsZero() {
			if err := w.s.push.enqueue(w.ctx, w.c.Tx(), []delivery{w.s.push.assigned(w.rb, k)}); err != nil {
				return err
			}
		}
	}
	if err := w.s.push.notify(w.ctx, w.c.Tx(), k, w.events); err != nil {
		return err
	}
	for _, e := range w.events {
		if e.Facts.State = k.State.String(); e.GetType() == eventUpdated { // it moves nothing
			e.Facts.State = ""
		}
		if k.Owner != nil && tellsDeadline(e) {
			e.Facts.DueAt, e.Facts.DeadlineKind = leadconv.Time(k.Owner.Deadline.At), k.Owner.Deadline.Kind.String()
		}
		if err := w.c.Out.Add(k.LeadID, e, w.now); err != nil {
			return err
		}
	}
	return nil
}

// tellsDeadline reports whether an event says what is due next: those that moved the clock do, and
// those that only tell somebody something. One that was missed says what was missed.
func tellsDeadline(e *leadv1.Event) bool {
	switch e.GetType() {
	case eventAccepted, eventAcknowledged, eventTransferred, eventState, eventReopened, eventMilestone:
		return true
	case eventDeadline:
		return e.GetFacts().GetVerdict() == ""
	}
	return false
}

// clockSkew is how far ahead of ours a caller's clock may be.
const clockSkew = 5 * time.Minute

// happenedAt reads when something happened: absent means now, and nothing happens in the future.
func happenedAt(field string, t *timestamppb.Timestamp, now time.Time) (time.Time, error) {
	if t == nil {
		return now, nil
	}
	if err := t.CheckValid(); err != nil {
		return time.Time{}, problem.Invalid(problem.Violation{Field: field, Description: "is no valid time"})
	}
	at := t.AsTime().Truncate(time.Microsecond)
	if at.After(now.Add(clockSkew)) {
		return time.Time{}, problem.Invalid(problem.Violation{Field: field, Description: "lies in the future"})
	}
	return earliest(at, now), nil
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func wrongState(format string, args ...any) error {
	return problem.New(problemv1.Reason_REASON_WRONG_STATE, format, args...)
}

// open is the owner of a lead that must have one.
func (w *caseWork) open() (*postgres.Assignment, error) {
	k := w.k
	switch {
	case k.Owner != nil:
		return k.Owner, nil
	case k.State == lead.StateMerged:
		return nil, wrongState("the lead was merged into %s; work on that one", k.MergedInto)
	case k.State == lead.StateParked:
		return nil, wrongState("the lead is parked until %s and has no owner", k.Parking.ReviewAt.UTC().Format(time.RFC3339))
	}
	return nil, wrongState("the lead is closed (%s)", k.State)
}

// actor says who did something: the person, else the caller.
func actor(personID string, caller rpc.Caller) string {
	if personID != "" {
		return personID
	}
	return caller.String()
}
