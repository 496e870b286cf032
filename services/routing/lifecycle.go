package routing

import (
	"context"
	"slices"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	corerouting "github.com/leadmesh/leadmesh/core/routing"
	"github.com/leadmesh/leadmesh/core/sla"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
	"google.golang.org/protobuf/proto"
)

// How owners stop being one, as past_assignment.ended_by spells it.
const (
	endedDeclined    = "declined"
	endedTransferred = "transferred"
	endedReturned    = "returned"
	endedClosed      = "closed"
	endedExpired     = "expired"
)

// Types of events beside those of a decision.
const (
	eventAcknowledged    = "leadmesh.lead.acknowledged.v1"
	eventTransferDecline = "leadmesh.lead.transfer_declined.v1"
	eventWon             = "leadmesh.lead.won.v1"
	eventLost            = "leadmesh.lead.lost.v1"
	eventExpired         = "leadmesh.lead.expired.v1"
	eventUnwound         = "leadmesh.lead.unwound.v1"
	eventReopened        = "leadmesh.lead.reopened.v1"
)

// AcceptLead notes that the owner takes the lead on, or, while a transfer is offered, that the
// receiving dealer does. A caller who is no dealer answers the open offer, since only that waits
// for an answer.
func (s *Service) AcceptLead(ctx context.Context, req *routingv1.AcceptLeadRequest) (*routingv1.AcceptLeadResponse, error) {
	caller := rpc.CallerFrom(ctx)
	at, err := happenedAt("at", req.GetAt(), s.now())
	if err != nil {
		return nil, err
	}
	k, err := s.move(ctx, req.GetLeadId(), func(w *caseWork) (bool, error) {
		a, err := w.open()
		if err != nil {
			return false, err
		}
		if answersOffer(caller, a) {
			if err := w.offerStands(); err != nil {
				return false, err
			}
			if err := w.rb.mayWork(a.OfferTo, w.rb.receiving(a.OfferTo, a.Department), req.GetPersonId()); err != nil {
				return false, err
			}
			return true, w.takeOver(req.GetPersonId(), caller)
		}
		if at := latest(at, a.AssignedAt); a.Clock.AcceptedAt.IsZero() || at.Before(a.Clock.AcceptedAt) {
			if req.GetPersonId() != a.PersonID {
				if err := w.rb.mayWork(a.DealerID, a.Department, req.GetPersonId()); err != nil {
					return false, err
				}
			}
			return true, w.accept(at, req.GetPersonId(), caller)
		}
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	return &routingv1.AcceptLeadResponse{LeadCase: k}, nil
}

// mayWork refuses a person who is on the roster neither of the dealer nor of its BDC: the lead would
// be with somebody whom nobody knows. Where the store's own system names persons we know none of
// them; an empty name is nobody.
func (rb *rulebook) mayWork(dealerID string, department lead.Department, personID string) error {
	d := rb.network.dealers[dealerID]
	if personID == "" || d == nil {
		return nil
	}
	works := func(d *dealerView) bool {
		return d != nil && slices.ContainsFunc(d.roster, func(p corerouting.Person) bool { return p.ID == personID })
	}
	if works(d) {
		return nil
	}
	if v := d.department(department); v != nil && !d.desk {
		setting, _ := corerouting.ParsePersonSetting(v.row.GetPersonSetting())
		if setting == corerouting.PersonSettingCRM || works(rb.network.dealers[v.row.GetBdcDealerId()]) {
			return nil
		}
	}
	return problem.Invalid(problem.Violation{
		Field: "person_id", Description: "is on the roster neither of the dealer nor of its BDC; add the person there, or leave the field empty",
	})
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// accept stamps the acceptance of the present owner. The person who accepted has the lead from
// then on.
func (w *caseWork) accept(at time.Time, personID string, caller rpc.Caller) error {
	if a := w.k.Owner; personID != "" && personID != a.PersonID {
		if !w.k.Test {
			if _, err := w.c.Books(a.DealerID); err != nil {
				return err
			}
		}
		w.c.Reassign(w.k, personID, w.now)
	}
	w.apply(sla.Event{Kind: sla.EventAccepted, At: at})
	w.accepted(at, actor(personID, caller))
	return nil
}

// accepted moves the state of a lead whose clock is stamped and tells of it.
func (w *caseWork) accepted(at time.Time, actor string) {
	a := w.k.Owner
	if w.k.State == lead.StateAssigned {
		w.k.State = lead.StateAccepted
	}
	w.add(eventAccepted, at, &leadv1.EventFacts{
		Actor: actor, PersonId: a.PersonID, Department: a.Department.String(), Role: a.Role.String(),
		Verdict: w.shown(sla.Judge(a.Clock, w.now).Accept),
	})
}

// DeclineLead refuses an assignment that was not accepted, or an offered transfer. A caller who is
// no dealer answers the open offer if there is one.
func (s *Service) DeclineLead(ctx context.Context, req *routingv1.DeclineLeadRequest) (*routingv1.DeclineLeadResponse, error) {
	caller := rpc.CallerFrom(ctx)
	code := lead.DeclineCode(req.GetCode())
	if code.String() == "" {
		return nil, problem.Invalid(problem.Violation{Field: "code", Description: "is required: say why, such as DECLINE_CODE_NO_CAPACITY"})
	}
	k, err := s.move(ctx, req.GetLeadId(), func(w *caseWork) (bool, error) {
		a, err := w.open()
		if err != nil {
			return false, err
		}
		if answersOffer(caller, a) {
			if err := w.offerStands(); err != nil {
				return false, err
			}
			w.dropOffer(eventTransferDecline, w.now, &leadv1.EventFacts{
				Code: code.String(), Actor: actor(req.GetPersonId(), caller), Note: req.GetNote(),
			})
			return true, nil
		}
		switch {
		case !a.Clock.AcceptedAt.IsZero():
			return false, wrongState("the lead was accepted; give it back with POST /v1/leads/%s:return", w.k.LeadID)
		case w.rb.desk(a.DealerID):
			return false, wrongState("the manufacturer's desk has what nobody else may take; transfer the lead to a store instead")
		}
		return true, w.decline(code, req.GetNote(), actor(req.GetPersonId(), caller))
	})
	if err != nil {
		return nil, err
	}
	return &routingv1.DeclineLeadResponse{LeadCase: k}, nil
}

// decline decides the lead again without the dealers that declined it.
func (w *caseWork) decline(code lead.DeclineCode, note, actor string) error {
	k := w.k
	exclusions, err := w.decliners()
	if err != nil {
		return err
	}
	from := *k.Owner
	w.apply(sla.Event{Kind: sla.EventClosed, At: w.now})
	w.add(eventDeclined, w.now, &leadv1.EventFacts{Code: code.String(), Actor: actor, Note: note, Department: from.Department.String()})
	if err := w.c.End(k, postgres.Ending{By: endedDeclined, Code: code.String(), At: w.now}); err != nil {
		return err
	}
	return w.decideAgain(append(exclusions, from.DealerID), from)
}

// decliners are the dealers that declined the lead so far, each once, in that order.
func (w *caseWork) decliners() ([]string, error) {
	list, err := w.c.Past(w.k.LeadID)
	if err != nil {
		return nil, err
	}
	var out []string
	seen := map[string]bool{}
	for i := range list {
		if p := &list[i]; p.By == endedDeclined && !seen[p.DealerID] {
			seen[p.DealerID] = true
			out = append(out, p.DealerID)
		}
	}
	return out, nil
}

// returnWithin is how long after its assignment a lead may be given back.
const returnWithin = 30 * 24 * time.Hour

// ReturnLead gives an accepted lead back as unusable: it is rejected with its return code, out of
// every valid count, credited to its source.
func (s *Service) ReturnLead(ctx context.Context, req *routingv1.ReturnLeadRequest) (*routingv1.ReturnLeadResponse, error) {
	caller := rpc.CallerFrom(ctx)
	code := lead.ReturnCode(req.GetCode())
	if code.String() == "" {
		return nil, problem.Invalid(problem.Violation{Field: "code", Description: "is required: say why, such as RETURN_CODE_WRONG_NUMBER"})
	}
	k, err := s.move(ctx, req.GetLeadId(), func(w *caseWork) (bool, error) {
		a, err := w.open()
		if err != nil {
			return false, err
		}
		switch {
		case caller.OnlyDealer() && caller.DealerID != a.DealerID:
			return false, wrongState("the lead is offered to you and not yours yet; accept or decline it")
		case a.Clock.AcceptedAt.IsZero():
			return false, wrongState("the lead was not accepted yet; refuse it with POST /v1/leads/%s:decline", w.k.LeadID)
		case w.now.Sub(a.AssignedAt) > returnWithin:
			return false, wrongState("a lead can be given back within 30 days of its assignment; report it lost instead")
		}
		facts := w.source()
		facts.Actor, facts.Note = actor(req.GetPersonId(), caller), req.GetNote()
		return true, w.close(eventReturned, lead.StateRejected, postgres.Ending{By: endedReturned, Code: code.String(), At: w.now}, facts)
	})
	if err != nil {
		return nil, err
	}
	return &routingv1.ReturnLeadResponse{LeadCase: k}, nil
}

// source names where the lead came from, for what is credited to it.
func (w *caseWork) source() *leadv1.EventFacts {
	l := &leadv1.Lead{}
	if err := proto.Unmarshal(w.k.Lead, l); err != nil {
		return &leadv1.EventFacts{}
	}
	return &leadv1.EventFacts{
		Source: l.GetSource().GetSource(), Channel: l.GetSource().GetChannel(), Campaign: l.GetCampaign().GetCampaignId(),
		Origin: lead.Origin(l.GetOrigin()).String(),
	}
}

// desk reports whether a dealer is a desk, which takes what no store may.
func (rb *rulebook) desk(dealerID string) bool {
	d := rb.network.dealers[dealerID]
	return d != nil && d.desk
}
