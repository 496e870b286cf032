package routing

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/routing"
	"github.com/leadmesh/leadmesh/core/sla"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"github.com/leadmesh/leadmesh/services/internal/outbox"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/protobuf/proto"
)

// job is one lead that waits for its commit.
type job struct {
	ctx      context.Context // of the lead's span
	inquiry  *inquiry
	started  time.Time
	deadline time.Time
	finish   func(*leadv1.Decision, error)

	rules    *rulebook // that decided
	decided  time.Time // on the process's clock
	verdict  *verdict
	proposal *postgres.Proposal
}

// committer stores decisions in groups: it commits when idle and gathers while a group is in
// flight, so that nobody waits for company and a crowd shares one fsync.
type committer struct {
	s    *Service
	jobs []chan *job // one queue per commit loop, by person
}

func newCommitter(s *Service) *committer {
	c := &committer{s: s}
	for range s.cfg.Committers {
		// The stream's window bounds what can wait here, so a send never blocks a reader.
		c.jobs = append(c.jobs, make(chan *job, s.cfg.Window))
	}
	return c
}

// submit decides a lead and hands it to the commit loop of its person: two leads of one person
// never wait for each other's transaction in different groups.
func (c *committer) submit(rb *rulebook, j *job) {
	c.propose(rb, j)
	c.s.tel.Stages.Record(j.ctx, telemetry.StageDecided, time.Since(j.started))
	c.jobs[int(j.inquiry.person.Bucket())%len(c.jobs)] <- j
}

// run commits the groups of one queue until ctx ends; then what still waits is answered as
// draining.
func (c *committer) run(ctx context.Context, queue int) error {
	for {
		select {
		case <-ctx.Done():
			c.refuseRest(queue)
			return nil
		case first := <-c.jobs[queue]:
			c.group(ctx, c.gather(queue, first))
		}
	}
}

func (c *committer) gather(queue int, first *job) []*job {
	group := []*job{first}
	for len(group) < c.s.cfg.Group {
		select {
		case j := <-c.jobs[queue]:
			group = append(group, j)
		default:
			return group
		}
	}
	return group
}

func (c *committer) refuseRest(queue int) {
	for {
		select {
		case j := <-c.jobs[queue]:
			j.finish(nil, problem.New(problemv1.Reason_REASON_DRAINING, "this replica goes away; send the lead on a new stream"))
		default:
			return
		}
	}
}

// maxAttempts bounds how often a lead is decided in one go: each refusal excludes a dealer, and the
// desk never refuses.
const maxAttempts = 8

// group decides and commits jobs, and decides again those that were refused for capacity.
func (c *committer) group(ctx context.Context, jobs []*job) {
	for try := 0; len(jobs) > 0; try++ {
		rb, err := c.s.rules()
		if err != nil {
			finishAll(jobs, err)
			return
		}
		jobs = c.late(jobs)
		group := make([]*postgres.Proposal, 0, len(jobs))
		for _, j := range jobs {
			if try > 0 || j.rules != rb { // refused, or the rules changed since
				c.propose(rb, j)
			}
			group = append(group, j.proposal)
		}
		if len(group) == 0 {
			return
		}
		// The group outlives a shutdown that begins now: its leads are answered either way.
		store, cancel := context.WithTimeout(context.WithoutCancel(ctx), 8*time.Second)
		end := c.startSpans(jobs)
		err = c.s.store.Commit(store, group, c.hooks(rb, jobs))
		end(err)
		cancel()
		switch {
		case err != nil && len(jobs) > 1 && problem.From(err).Reason != problemv1.Reason_REASON_UNAVAILABLE:
			c.apart(ctx, rb, jobs)
			return
		case err != nil:
			finishAll(jobs, err)
			return
		}
		c.s.relay.Wake()
		var again []*job
		for _, j := range jobs {
			if more := c.settle(rb, j, try); more {
				again = append(again, j)
			}
		}
		jobs = again
	}
}

// apart commits jobs one by one: what the store refuses for good is the fault of one of them, which
// must not end its company.
func (c *committer) apart(ctx context.Context, rb *rulebook, jobs []*job) {
	for _, j := range jobs {
		c.propose(rb, j) // the failed transaction left its marks on the last proposal
		c.group(ctx, []*job{j})
	}
}

// startSpans begins the commit's span in the trace of every lead of the group that is recorded, and
// returns what ends them all.
func (c *committer) startSpans(jobs []*job) func(error) {
	var spans []trace.Span
	for _, j := range jobs {
		if trace.SpanContextFromContext(j.ctx).IsSampled() {
			_, span := telemetry.StartSampled(j.ctx, c.s.tel.Tracer, telemetry.SpanCommit, j.inquiry.lead.ID.String())
			spans = append(spans, span)
		}
	}
	return func(err error) {
		for _, span := range spans {
			if err != nil {
				span.SetStatus(codes.Error, problem.From(err).Code())
			}
			span.End()
		}
	}
}

// late answers leads whose caller does not wait any more; they are driven again.
func (c *committer) late(jobs []*job) []*job {
	now := time.Now()
	kept := jobs[:0]
	for _, j := range jobs {
		if now.After(j.deadline) {
			j.finish(nil, problem.New(problemv1.Reason_REASON_DEADLINE_EXCEEDED, "the budget was used up waiting"))
			continue
		}
		kept = append(kept, j)
	}
	return kept
}

func finishAll(jobs []*job, err error) {
	for _, j := range jobs {
		j.finish(nil, err)
	}
}

// propose decides a lead and writes what is to be stored.
func (c *committer) propose(rb *rulebook, j *job) {
	q := j.inquiry
	if j.verdict == nil {
		j.verdict = c.s.verdicts.Get().(*verdict)
	}
	v := j.verdict
	rb.decide(q, c.s.now(), v)
	j.rules, j.decided = rb, time.Now()
	k := &postgres.Case{
		LeadID: q.lead.ID, Version: 1, State: lead.StateAssigned, PersonID: q.person, Brand: q.lead.Brand, Line: v.line, Test: q.lead.Test,
		Chosen: chosen(&v.choice.Receipt), Attempt: q.attempt, ReceivedAt: q.lead.ReceivedAt, DecidedAt: v.decidedAt,
		Playbook: rb.playbook.Revision, Traceparent: q.traceparent, Lead: q.rawLead, Profile: q.rawProfile, Decision: v.decision(q),
	}
	if k.ReceivedAt.IsZero() {
		k.ReceivedAt = v.decidedAt
	}
	p := &postgres.Proposal{Case: k, Receipt: c.s.store.Pack(v.receipt()), Lead: c.s.store.Pack(q.rawLead), Mergeable: q.mergeable}
	j.proposal = p
	if v.park != lead.ParkReasonUnspecified {
		k.State = lead.StateParked
		k.Parking = postgres.Parking{Reason: v.park, Owner: v.parkOwner(), ReviewAt: v.reviewAt}
		return
	}
	k.Owner = v.owner(q)
	k.DealerID, p.Dealer = k.Owner.DealerID, k.Owner.DealerID
	p.Settle = func() error {
		return rb.start(k.Owner, v.line, v.result.Stage[v.line], v.fleet(q), c.s.cfg.Sender)
	}
	if !q.lead.Test {
		p.Grant = func(b *postgres.Book) bool { return c.grant(rb, j, b) }
	}
}

// chosen reports whether the customer chose the store that got the lead.
func chosen(r *routing.Receipt) bool {
	return r.Step == routing.StepChosen || r.Step == routing.StepOwner
}

// hooks are what the service does inside the transaction of a group.
func (c *committer) hooks(rb *rulebook, jobs []*job) postgres.GroupHooks {
	byProposal := make(map[*postgres.Proposal]*job, len(jobs))
	for _, j := range jobs {
		byProposal[j.proposal] = j
	}
	return postgres.GroupHooks{
		Merged: func(out *outbox.Rows, holder *postgres.Case, merged []*postgres.Proposal) error {
			events, err := c.s.askedAgain(rb, holder, merged)
			if err != nil {
				return err
			}
			for _, e := range events {
				if err := out.Add(holder.LeadID, e, c.s.now()); err != nil {
					return err
				}
			}
			return nil
		},
		Events: func(out *outbox.Rows) error {
			now := c.s.now()
			for _, j := range jobs {
				if e := c.decidedEvent(rb, j); e != nil {
					if err := out.Add(j.proposal.Case.LeadID, e, now); err != nil {
						return err
					}
				}
			}
			return nil
		},
		Deliver: func(ctx context.Context, tx pgx.Tx) error {
			var list []delivery
			for _, j := range jobs {
				k := j.proposal.Case
				if j.proposal.Outcome == postgres.OutcomeStored && k.Owner != nil && k.Owner.DeliveredAt.IsZero() {
					list = append(list, c.s.push.assigned(rb, k))
				}
			}
			return c.s.push.enqueue(ctx, tx, list)
		},
	}
}

// askedAgain notes on an open lead that the same customer inquired again: the score rises, and if
// the lead was responded to, its owner has an hour to answer.
func (s *Service) askedAgain(rb *rulebook, holder *postgres.Case, merged []*postgres.Proposal) ([]*leadv1.Event, error) {
	policy, calendar := rb.policyOf(holder)
	var events []*leadv1.Event
	for _, p := range merged {
		if !holder.Owner.Clock.RespondedAt.IsZero() {
			state, effects := sla.Apply(policy, calendar, holder.Owner.Clock, sla.Event{Kind: sla.EventAskedAgain, At: p.Case.DecidedAt})
			holder.Owner.Clock = state
			events = append(events, s.effectEvents(rb, holder, effects)...)
		}
		raise(holder.Decision.GetScore(), p.Case.Decision.GetScore())
		events = append(events, s.event(holder, eventMergedIn, p.Case.DecidedAt, &leadv1.EventFacts{
			RelatedId: p.Case.LeadID.String(), DealerId: holder.DealerID, Kind: "ASKED_AGAIN",
		}))
	}
	return events, setDeadline(holder.Owner, policy, calendar)
}

// raise lifts a score to that of another inquiry of the same customer.
func raise(score, other *leadv1.Score) {
	if score == nil || other == nil || other.GetPoints() <= score.GetPoints() {
		return
	}
	score.Points, score.ProbabilityPpm, score.Stage, score.Ready = other.GetPoints(), other.GetProbabilityPpm(), other.GetStage(), other.GetReady()
	score.Reasons, score.ModelRevision = other.GetReasons(), other.GetModelRevision()
}

// policyOf is the clock policy and calendar of an open case.
func (rb *rulebook) policyOf(k *postgres.Case) (*sla.Policy, *sla.Calendar) {
	stage := lead.Stage(k.Decision.GetScore().GetStage())
	return rb.clock(k.Line, stage, k.Owner.Role == lead.RoleFleet), rb.network.calendar(k.Owner.DealerID, k.Owner.Department)
}

// settle answers a job by its outcome; true if it has to be decided again.
func (c *committer) settle(rb *rulebook, j *job, try int) bool {
	p := j.proposal
	switch p.Outcome {
	case postgres.OutcomeRefused:
		if try >= maxAttempts {
			j.finish(nil, problem.Internal(errors.New("no dealer took the lead after many attempts")))
			return false
		}
		j.inquiry.exclusions = append(j.inquiry.exclusions, p.Case.Owner.DealerID)
		j.inquiry.attempt++
		return true
	case postgres.OutcomeRetry:
		if try < maxAttempts {
			return true
		}
		j.finish(nil, problem.Unavailable(errors.New("the lead's holder kept closing")))
		return false
	case postgres.OutcomeKnown:
		j.finish(proto.CloneOf(rb.network.decisionOf(p.Stored)), nil) // several of a group may ask for it
		return false
	}
	c.s.tel.Stages.Record(j.ctx, telemetry.StageCommitted, time.Since(j.decided))
	j.finish(rb.network.decisionOf(p.Case), nil)
	c.s.shadows.observe(j.ctx, rb.shadow, j.verdict)
	c.s.verdicts.Put(j.verdict)
	j.verdict = nil
	return false
}

// decisionOf writes a case as its last decision with the present owner. That the owner is over its
// capacity is known only once the decision is stored: the grant tells.
func (n *networkView) decisionOf(k *postgres.Case) *leadv1.Decision {
	d := k.Decision
	d.State = leadv1.State(k.State)
	if k.Owner != nil {
		d.Assignment = n.assignment(k.Owner)
		if k.Owner.Grant.Verdict == routing.VerdictOverCapacity && !slices.Contains(d.Flags, lead.FlagOverCapacity) {
			d.Flags = append(d.Flags, lead.FlagOverCapacity)
		}
	}
	return d
}
