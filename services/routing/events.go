package routing

import (
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/sla"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
)

// The types of the events that Routing records.
const (
	eventDecided       = "leadmesh.lead.decided.v1"
	eventMergedIn      = "leadmesh.lead.merged_in.v1"
	eventDelivered     = "leadmesh.lead.delivered.v1"
	eventAccepted      = "leadmesh.lead.accepted.v1"
	eventDeclined      = "leadmesh.lead.declined.v1"
	eventTransferOffer = "leadmesh.lead.transfer_offered.v1"
	eventTransferLapse = "leadmesh.lead.transfer_lapsed.v1"
	eventTransferred   = "leadmesh.lead.transferred.v1"
	eventReturned      = "leadmesh.lead.returned.v1"
	eventMilestone     = "leadmesh.lead.milestone.v1"
	eventDeadline      = "leadmesh.lead.deadline.v1"
	eventEscalated     = "leadmesh.lead.escalated.v1"
	eventNeedless      = "leadmesh.lead.escalation_needless.v1"
	eventState         = "leadmesh.lead.state.v1"
	eventWoken         = "leadmesh.lead.woken.v1"
	eventUpdated       = "leadmesh.lead.updated.v1"
	eventRejected      = "leadmesh.lead.rejected.v1"
)

// event makes an event of a case. The store raises the version of a changed case by one when it
// saves, so the event carries the version after the change.
func (s *Service) event(k *postgres.Case, kind string, at time.Time, facts *leadv1.EventFacts) *leadv1.Event {
	facts.Test, facts.Line, facts.Brand, facts.CustomerId = k.Test, k.Line.String(), k.Brand, k.PersonID.String()
	if facts.GetState() == "" {
		facts.State = k.State.String()
	}
	if facts.GetAttempt() == 0 && k.Owner != nil {
		facts.Attempt = int32(k.Owner.Sequence)
	}
	return &leadv1.Event{
		Type: kind, LeadId: k.LeadID.String(), LeadVersion: k.Version + 1, OccurredAt: leadconv.Time(at),
		RecordedAt: leadconv.Time(s.now()), Traceparent: k.Traceparent, Source: "routing", Facts: facts,
	}
}

// decidedEvent says what became of a lead in its first decision; nil if this group stored nothing.
func (c *committer) decidedEvent(rb *rulebook, j *job) *leadv1.Event {
	k := j.proposal.Case
	if o := j.proposal.Outcome; o != postgres.OutcomeStored && o != postgres.OutcomeMerged {
		return nil
	}
	e := c.s.event(k, eventDecided, k.DecidedAt, c.s.decidedFacts(rb, k))
	e.LeadVersion = 1
	return e
}

// decidedFacts are the facts of a decision, first or renewed.
func (s *Service) decidedFacts(rb *rulebook, k *postgres.Case) *leadv1.EventFacts {
	f := &leadv1.EventFacts{
		State: k.State.String(), Points: k.Decision.GetScore().GetPoints(), ProbabilityPpm: k.Decision.GetScore().GetProbabilityPpm(),
		ReceivedAt: leadconv.Time(k.ReceivedAt), Attempt: int32(k.Attempt), DealerId: k.DealerID,
	}
	switch k.State {
	case lead.StateMerged:
		f.RelatedId = k.MergedInto.String()
	case lead.StateParked:
		f.Code, f.DueAt, f.Actor = k.Parking.Reason.String(), leadconv.Time(k.Parking.ReviewAt), k.Parking.Owner
	}
	if a := k.Owner; a != nil {
		f.DealerId, f.Department, f.Role, f.PersonId = a.DealerID, a.Department.String(), a.Role.String(), a.PersonID
		f.DeliveredAt, f.DueAt, f.DeadlineKind = leadconv.Time(a.DeliveredAt), leadconv.Time(a.Deadline.At), a.Deadline.Kind.String()
		if d := rb.network.dealers[a.DealerID]; d != nil {
			f.Desk = d.desk
		}
	}
	return f
}

// milestone makes the event of a milestone of the present owner.
func (s *Service) milestone(rb *rulebook, k *postgres.Case, m lead.Milestone, at time.Time, actor string) *leadv1.Event {
	f := &leadv1.EventFacts{Kind: m.String(), DealerId: k.DealerID, Actor: actor}
	if m == lead.MilestoneResponded && k.Owner != nil {
		_, calendar := rb.policyOf(k)
		if took, _, ok := sla.StoreTime(calendar, k.Owner.Clock); ok {
			f.StoreSeconds = int64(took / time.Second)
		}
	}
	return s.event(k, eventMilestone, at, f)
}

// What became of a clock, as events spell it.
const (
	verdictMet      = "met"
	verdictBreached = "breached"
	verdictUnknown  = "unknown"
)

// effectEvents turns what the clock of an open case brought about into events. A figure of a store
// that cannot be seen well enough is "unknown".
func (s *Service) effectEvents(rb *rulebook, k *postgres.Case, effects []sla.Effect) []*leadv1.Event {
	breached := verdictBreached
	if !s.evidenceGrade(rb, k.Owner.DealerID, k.Owner.Department).ShowsFigures() {
		breached = verdictUnknown
	}
	var out []*leadv1.Event
	for _, e := range effects {
		f := &leadv1.EventFacts{DealerId: k.DealerID, DeadlineKind: e.Deadline.String(), DueAt: leadconv.Time(e.At)}
		kind := eventDeadline
		switch e.Kind {
		case sla.MissedAcknowledge:
			f.DeadlineKind, f.Verdict, f.Kind = "ACKNOWLEDGE", breached, "MISSED_ACKNOWLEDGE"
		case sla.MissedAccept:
			f.Verdict, f.Kind = breached, "MISSED_ACCEPT"
		case sla.Breached:
			f.Verdict, f.Kind = breached, "BREACHED"
		case sla.Warned:
			f.Kind = "WARNED"
		case sla.Escalated:
			kind, f.Kind, f.Role = eventEscalated, levelName(e.Level), recipientName(e.To)
		case sla.EscalationNeedless:
			kind, f.Kind = eventNeedless, "NEEDLESS"
		case sla.AttemptMissed:
			f.Kind, f.Attempt, f.Verdict = "ATTEMPT_MISSED", int32(e.Slot+1), breached
		case sla.StepDue:
			f.Kind = "STEP_DUE"
		case sla.StepMissed:
			f.Kind, f.Verdict = "STEP_MISSED", breached
		case sla.AskedAgain:
			f.Kind = "ASKED_AGAIN"
		case sla.AskedAgainMissed:
			f.Kind, f.Verdict = "ASKED_AGAIN_MISSED", breached
		case sla.AppointmentReminder:
			f.Kind = "APPOINTMENT_REMINDER"
		case sla.AppointmentOutcomeDue:
			f.Kind = "APPOINTMENT_OUTCOME_DUE"
		case sla.ReviewDue:
			f.Kind = "REVIEW_DUE"
		case sla.PauseShortened:
			f.Kind = "PAUSE_SHORTENED"
		case sla.Expired:
			continue // a state event of its own says so
		}
		out = append(out, s.event(k, kind, e.At, f))
	}
	return out
}

func levelName(l sla.Level) string {
	return [...]string{"", "PERSON", "MANAGER", "FIELD", "DAILY"}[min(int(l), 4)]
}

func recipientName(r sla.Recipient) string {
	return [...]string{"", "OWNER", "SECOND_PERSON_OR_BDC", "MANAGER", "DEALER_PRINCIPAL", "FIELD_TEAM", "HUB"}[min(int(r), 6)]
}
