package routing

import (
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/sla"
	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
)

// outcome applies what became of the lead: it closes an open one, and restates a closed one.
func (w *applyWork) outcome(r *report) error {
	isNew, err := w.admit(r, w.whyNoOutcome(r))
	if err != nil || !isNew {
		return err
	}
	k := w.k
	if w.late != nil { // the clock lent for late activities goes back before the lead changes
		w.late.Clock, k.Owner = k.Owner.Clock, nil
		if err := w.c.SavePast(k.LeadID, w.late); err != nil {
			return err
		}
		w.late = nil
	}
	actor := r.personID
	switch r.outcome.GetKind() {
	case feedbackv1.OutcomeKind_OUTCOME_KIND_ORDERED:
		w.apply(sla.Event{Kind: sla.EventOrdered, At: r.at})
		if k.State != lead.StateOrdered {
			k.State = lead.StateOrdered
			w.add(eventState, r.at, &leadv1.EventFacts{Actor: actor})
		}
	case feedbackv1.OutcomeKind_OUTCOME_KIND_WON:
		switch {
		case k.Owner != nil:
			err = w.win(w.after(r.at), actor)
		case k.State != lead.StateWon: // sold after all
			w.restate(eventWon, lead.StateWon, "", r.at, actor)
		default:
			return nil
		}
	case feedbackv1.OutcomeKind_OUTCOME_KIND_LOST:
		code := lostCode(r.outcome)
		switch {
		case k.Owner != nil:
			err = w.lose(eventLost, code, r.at, actor)
		case k.ClosedCode != code.String():
			w.restate(eventLost, lead.StateLost, code.String(), k.ClosedAt, actor)
		default:
			return nil
		}
	case feedbackv1.OutcomeKind_OUTCOME_KIND_UNWOUND:
		switch {
		case k.Owner != nil:
			err = w.lose(eventUnwound, lead.LostCodeUnwound, r.at, actor)
		case k.ClosedCode != lead.LostCodeUnwound.String():
			w.restate(eventUnwound, lead.StateLost, lead.LostCodeUnwound.String(), latest(r.at, k.ClosedAt), actor)
		default:
			return nil
		}
	case feedbackv1.OutcomeKind_OUTCOME_KIND_REOPENED:
		if k.Owner != nil {
			return nil
		}
		err = w.reopen(r.at, actor)
	}
	w.changed = true
	return err
}

// whyNoOutcome says why an outcome may not be applied; "" if it may.
func (w *applyWork) whyNoOutcome(r *report) string {
	k := w.k
	switch {
	case k.State == lead.StateParked:
		return reasonNotOwner
	case k.State == lead.StateMerged || k.State == lead.StateRejected:
		return reasonClosed
	case !w.byOwner(r.dealerID):
		return reasonNotOwner
	case k.State < lead.StateWon:
		return ""
	}
	possible := false
	switch r.outcome.GetKind() {
	case feedbackv1.OutcomeKind_OUTCOME_KIND_WON:
		possible = true
	case feedbackv1.OutcomeKind_OUTCOME_KIND_LOST:
		possible = k.State == lead.StateLost && k.ClosedCode != lead.LostCodeUnwound.String()
	case feedbackv1.OutcomeKind_OUTCOME_KIND_UNWOUND:
		possible = k.State == lead.StateWon || k.State == lead.StateLost && k.ClosedCode == lead.LostCodeUnwound.String()
	case feedbackv1.OutcomeKind_OUTCOME_KIND_REOPENED:
		possible = k.State == lead.StateLost || k.State == lead.StateExpired
	}
	if !possible {
		return reasonClosed
	}
	return ""
}

// after is a time not before the owner got the lead: nobody ends what has not begun.
func (w *applyWork) after(at time.Time) time.Time { return latest(at, w.k.Owner.AssignedAt) }

func (w *applyWork) lose(kind string, code lead.LostCode, at time.Time, actor string) error {
	ending := postgres.Ending{By: endedClosed, Code: code.String(), At: w.after(at)}
	return w.close(kind, lead.StateLost, ending, &leadv1.EventFacts{Actor: actor})
}

// restate corrects what became of a closed lead; the figures follow by the event.
func (w *applyWork) restate(kind string, state lead.State, code string, at time.Time, actor string) {
	w.k.State, w.k.ClosedCode, w.k.ClosedAt = state, code, at
	w.add(kind, at, &leadv1.EventFacts{Code: code, Actor: actor})
}

// reopen gives a lost or expired lead back to its last dealer. It counts as a duplicate again for
// what its customer asks next, unless another open lead does already.
func (w *applyWork) reopen(at time.Time, actor string) error {
	k := w.k
	past, err := w.c.Past(k.LeadID)
	if err != nil {
		return err
	}
	if len(past) == 0 {
		return wrongState("the lead never had an owner to go back to")
	}
	a := past[len(past)-1].Assignment
	at = latest(at, past[len(past)-1].At)
	a.Sequence, a.AssignedAt = a.Sequence+1, at
	k.Owner, k.DealerID, k.State, k.ClosedCode, k.ClosedAt = &a, a.DealerID, lead.StateWorking, "", time.Time{}
	w.claimed = true
	l, err := storedLead(k)
	if err != nil {
		return err
	}
	if mergeable(&l) {
		if _, err := w.c.ClaimInterest(k, a.DealerID); err != nil {
			return err
		}
	}
	w.apply(sla.Event{Kind: sla.EventReopened, At: at})
	w.add(eventReopened, at, &leadv1.EventFacts{
		Actor: actor, Department: a.Department.String(), Role: a.Role.String(), PersonId: a.PersonID,
	})
	return nil
}

func lostCode(o *feedbackv1.Outcome) lead.LostCode {
	if code := lead.LostCode(o.GetLostCode()); code.String() != "" {
		return code
	}
	return lead.LostCodeOther
}
