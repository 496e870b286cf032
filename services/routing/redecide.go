package routing

import (
	"errors"
	"fmt"
	"slices"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/signal"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
	"google.golang.org/protobuf/proto"
)

// storedLead reads back the lead of a case.
func storedLead(k *postgres.Case) (lead.Lead, error) {
	p := &leadv1.Lead{}
	if err := proto.Unmarshal(k.Lead, p); err != nil {
		return lead.Lead{}, fmt.Errorf("decode the stored lead: %w", err)
	}
	l, violations := leadconv.FromProto(p)
	if len(violations) > 0 {
		return lead.Lead{}, fmt.Errorf("the stored lead's %s %s", violations[0].Field, violations[0].Description)
	}
	return l, nil
}

// inquiryOf makes the inquiry of a stored case, for the attempt after its last.
func inquiryOf(k *postgres.Case) (*inquiry, error) {
	l, err := storedLead(k)
	if err != nil {
		return nil, err
	}
	q := &inquiry{
		lead: l, rawLead: k.Lead, rawProfile: k.Profile, person: k.PersonID, traceparent: k.Traceparent,
		attempt: k.Attempt + 1, mergeable: mergeable(&l),
	}
	if len(k.Profile) > 0 {
		if q.profile, err = signal.Unmarshal(k.Profile); err != nil {
			return nil, fmt.Errorf("decode the stored profile: %w", err)
		}
	}
	return q, nil
}

// decideAgain decides the lead with the rules in force, without the dealers excluded, and makes
// the winner its owner. The last owner, if there is one, has been ended. A winner without capacity
// left is excluded too; attempts that came to nothing leave no receipt.
func (w *caseWork) decideAgain(exclusions []string, from postgres.Assignment) error {
	q, err := inquiryOf(w.k)
	if err != nil {
		return err
	}
	q.exclusions = slices.Clone(exclusions)
	j := &job{ctx: w.ctx, inquiry: q, verdict: &verdict{}, proposal: &postgres.Proposal{Case: w.k}}
	claimed := from.DealerID
	for try := 0; ; try++ {
		w.rb.decide(q, w.now, j.verdict)
		if j.verdict.park != lead.ParkReasonUnspecified {
			break
		}
		winner := j.verdict.choice.Receipt.Winner
		if winner == "" && w.k.State == lead.StateParked {
			j.verdict.parkFor(q, w.k.Parking.Reason, "nobody may take the lead", w.now)
			break
		}
		if winner == "" || try >= maxAttempts {
			return wrongState("nobody else may take the lead, not even a desk")
		}
		w.k.Owner = j.verdict.owner(q)
		w.k.Owner.Sequence = from.Sequence + 1
		if q.mergeable {
			holder, err := w.claim(j, claimed, winner)
			if err != nil {
				return err
			}
			if !holder.IsZero() {
				return w.mergeInto(j, holder)
			}
			claimed = winner
		}
		granted, err := w.take(j, from.DealerID)
		if err != nil {
			return err
		}
		if granted {
			break
		}
		q.exclusions = append(q.exclusions, winner)
		q.attempt++
	}
	return w.settle(j)
}

// claim makes the winner the dealer of the lead's open interest. A lead that nobody owned before,
// or that is of another line by the rules in force, may turn out to be a duplicate: then the open
// lead that holds the interest is returned.
func (w *caseWork) claim(j *job, last, winner string) (holder lead.ID, err error) {
	switch {
	case last != "" && w.k.Line == j.verdict.line:
		return lead.ID{}, w.c.MoveInterest(w.k, last, winner)
	case last != "":
		if err := w.c.ReleaseInterest(w.k.LeadID); err != nil {
			return lead.ID{}, err
		}
	default:
		w.k.Chosen = chosen(&j.verdict.choice.Receipt)
	}
	w.k.Line = j.verdict.line
	return w.c.ClaimInterest(w.k, winner)
}

// mergeInto closes a lead that turned out to be a duplicate of an open one.
func (w *caseWork) mergeInto(j *job, holderID lead.ID) error {
	k := w.k
	if err := w.c.ReleaseInterest(k.LeadID); err != nil {
		return err
	}
	holder, err := w.c.Lock(holderID)
	if err != nil {
		return err
	}
	if holder == nil || !holder.Open() {
		return problem.Unavailable(errors.New("the lead's holder closed at the same moment"))
	}
	v := j.verdict
	k.Attempt, k.DecidedAt, k.Playbook = j.inquiry.attempt, v.decidedAt, w.rb.playbook.Revision
	k.Owner, k.State, k.MergedInto, k.Parking = nil, lead.StateMerged, holderID, postgres.Parking{}
	k.Decision = v.decision(j.inquiry)
	k.Decision.Disposition, k.Decision.MergedInto = leadv1.Disposition_DISPOSITION_MERGED, holderID.String()
	if err := w.c.Receipt(k.LeadID, k.Attempt, slices.Clone(v.receipt())); err != nil {
		return err
	}
	w.add(eventDecided, k.DecidedAt, w.s.decidedFacts(w.rb, k))
	events, err := w.s.askedAgain(w.rb, holder, []*postgres.Proposal{{Case: k}})
	if err != nil {
		return err
	}
	for _, e := range events {
		if err := w.c.Out.Add(holderID, e, w.now); err != nil {
			return err
		}
	}
	return nil
}

// take asks the winner's book for capacity and a person.
func (w *caseWork) take(j *job, last string) (granted bool, err error) {
	if w.k.Test {
		return true, nil
	}
	dealers := []string{w.k.Owner.DealerID}
	if last != "" {
		dealers = append(dealers, last)
	}
	books, err := w.c.Books(dealers...)
	if err != nil {
		return false, err
	}
	return w.s.committer.grant(w.rb, j, books[w.k.Owner.DealerID]), nil
}

// settle writes a renewed decision into the case.
func (w *caseWork) settle(j *job) error {
	k, q, v := w.k, j.inquiry, j.verdict
	k.Attempt, k.DecidedAt, k.Playbook = q.attempt, v.decidedAt, w.rb.playbook.Revision
	k.Decision = v.decision(q)
	if err := w.c.Receipt(k.LeadID, k.Attempt, slices.Clone(v.receipt())); err != nil {
		return err
	}
	k.Line = v.line
	if v.park != lead.ParkReasonUnspecified {
		k.Owner, k.DealerID, k.State = nil, "", lead.StateParked
		k.Parking = postgres.Parking{Reason: v.park, Owner: v.parkOwner(), ReviewAt: v.reviewAt}
		if err := w.c.ReleaseInterest(k.LeadID); err != nil {
			return err
		}
	} else {
		k.State, k.Parking, k.DealerID, w.entered = lead.StateAssigned, postgres.Parking{}, k.Owner.DealerID, true
		if err := w.rb.start(k.Owner, v.line, v.result.Stage[v.line], v.fleet(q), w.s.cfg.Sender); err != nil {
			return err
		}
	}
	w.add(eventDecided, k.DecidedAt, w.s.decidedFacts(w.rb, k))
	return nil
}
