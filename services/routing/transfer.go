package routing

import (
	"context"
	"slices"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/routing"
	"github.com/leadmesh/leadmesh/core/sla"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
)

// TransferLead offers the lead to another dealer. The giver stays owner, with the clock running,
// until the other one accepts.
//
// When an offer lapses is kept beside the one next deadline, not in it: the deadline is the
// owner's, and the receiver's time runs on its own. The sweep looks at the few open offers apart.
func (s *Service) TransferLead(ctx context.Context, req *routingv1.TransferLeadRequest) (*routingv1.TransferLeadResponse, error) {
	caller := rpc.CallerFrom(ctx)
	if req.GetToDealerId() == "" {
		return nil, problem.Invalid(problem.Violation{Field: "to_dealer_id", Description: "is required"})
	}
	k, err := s.move(ctx, req.GetLeadId(), func(w *caseWork) (bool, error) {
		a, err := w.open()
		if err != nil {
			return false, err
		}
		if caller.OnlyDealer() && caller.DealerID != a.DealerID {
			return false, wrongState("the lead is offered to you and not yours yet; accept or decline it")
		}
		if a.OfferTo != "" && w.now.Before(a.OfferUntil) {
			if a.OfferTo == req.GetToDealerId() {
				return false, nil
			}
			return false, wrongState("the lead is offered to %s until %s; wait for the answer", a.OfferTo, a.OfferUntil.UTC().Format(time.RFC3339))
		}
		if err := w.mayReceive(req.GetToDealerId()); err != nil {
			return false, err
		}
		if a.OfferTo != "" {
			w.dropOffer(eventTransferLapse, a.OfferUntil, &leadv1.EventFacts{})
		}
		policy, _ := w.rb.policyOf(w.k)
		department := w.rb.receiving(req.GetToDealerId(), a.Department)
		a.OfferTo = req.GetToDealerId()
		a.OfferUntil = policy.HandOffBy(w.rb.network.calendar(a.OfferTo, department), w.now, req.GetCustomerOnSite()).Truncate(time.Microsecond)
		w.add(eventTransferOffer, w.now, &leadv1.EventFacts{
			RelatedId: a.OfferTo, DueAt: leadconv.Time(a.OfferUntil), Actor: actor(req.GetPersonId(), caller), Note: req.GetNote(),
		})
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	return &routingv1.TransferLeadResponse{LeadCase: k}, nil
}

// mayReceive reports why a dealer may not get the lead: a transfer obeys the first step of routing.
func (w *caseWork) mayReceive(dealerID string) error {
	bad := func(why string) error {
		return problem.Invalid(problem.Violation{Field: "to_dealer_id", Description: why})
	}
	d := w.rb.network.dealers[dealerID]
	switch {
	case d == nil:
		return bad("no dealer has this identifier")
	case dealerID == w.k.Owner.DealerID:
		return bad("is the owner already")
	case d.desk:
		return nil
	case d.dealer.GetStatus() != "LIVE":
		return bad("the dealer takes no leads now")
	}
	v := d.department(w.k.Owner.Department)
	if v == nil || len(v.row.GetBrands()) > 0 && w.k.Brand != "" && !slices.Contains(v.row.GetBrands(), w.k.Brand) {
		return bad("the dealer has no franchise for this brand and department")
	}
	l, err := storedLead(w.k)
	if err != nil {
		return err
	}
	if !lead.MayShare(l.Consents, dealerID, w.now) {
		return bad("the customer does not want the inquiry shared with this dealer")
	}
	return nil
}

// receiving is the department of a dealer that works what another dealer's department gives.
func (rb *rulebook) receiving(dealerID string, given lead.Department) lead.Department {
	if d := rb.network.dealers[dealerID]; d != nil {
		if v := d.department(given); v != nil {
			return lead.Department(v.row.GetDepartment())
		}
	}
	return given
}

// answersOffer reports whether what a caller says is the answer to an open offer.
func answersOffer(caller rpc.Caller, a *postgres.Assignment) bool {
	return a.OfferTo != "" && (!caller.OnlyDealer() || caller.DealerID == a.OfferTo)
}

func (w *caseWork) offerStands() error {
	if a := w.k.Owner; !w.now.Before(a.OfferUntil) {
		return wrongState("the offer lapsed at %s; the giver has kept the lead", a.OfferUntil.UTC().Format(time.RFC3339))
	}
	return nil
}

// dropOffer ends an offer that was declined or lapsed: the giver has the lead as before.
func (w *caseWork) dropOffer(kind string, at time.Time, f *leadv1.EventFacts) {
	a := w.k.Owner
	f.RelatedId = a.OfferTo
	a.OfferTo, a.OfferUntil = "", time.Time{}
	w.add(kind, at, f)
}

// takeOver makes the receiving dealer of an offer the owner. It gets a clock of its own, the lead
// keeps its age. Its capacity is neither asked nor used, but its people take turns as ever.
func (w *caseWork) takeOver(personID string, caller rpc.Caller) error {
	k, from := w.k, *w.k.Owner
	w.apply(sla.Event{Kind: sla.EventClosed, At: w.now})
	if err := w.c.End(k, postgres.Ending{By: endedTransferred, At: w.now}); err != nil {
		return err
	}
	a := &postgres.Assignment{
		Sequence: from.Sequence + 1, Attempt: from.Attempt, DealerID: from.OfferTo, Role: from.Role,
		Department: w.rb.receiving(from.OfferTo, from.Department), AssignedAt: w.now,
	}
	k.Owner, k.DealerID, w.entered = a, a.DealerID, true
	if err := w.c.MoveInterest(k, from.DealerID, a.DealerID); err != nil {
		return err
	}
	if err := w.takeTurn(a, from, personID); err != nil {
		return err
	}
	stage := lead.Stage(k.Decision.GetScore().GetStage())
	if err := w.rb.start(a, k.Line, stage, a.Role == lead.RoleFleet, w.s.cfg.Sender); err != nil {
		return err
	}
	if k.State != lead.StateOrdered {
		k.State = lead.StateAccepted
	}
	w.add(eventTransferred, w.now, &leadv1.EventFacts{
		RelatedId: from.DealerID, Department: a.Department.String(), Role: a.Role.String(), PersonId: a.PersonID,
		DeliveredAt: leadconv.Time(a.DeliveredAt), Desk: w.rb.desk(a.DealerID), Actor: actor(personID, caller),
		ProbabilityPpm: k.Decision.GetScore().GetProbabilityPpm(),
	})
	w.apply(sla.Event{Kind: sla.EventAccepted, At: w.now})
	w.accepted(w.now, actor(personID, caller))
	return nil
}

// takeTurn names the person who gets a lead that was handed over: the one who took it, else the
// next in turn.
func (w *caseWork) takeTurn(a *postgres.Assignment, from postgres.Assignment, personID string) error {
	a.Grant = routing.GrantFacts{Role: a.Role, Verdict: routing.VerdictGranted}
	if w.k.Test {
		a.PersonID = personID
		return nil
	}
	books, err := w.c.Books(from.DealerID, a.DealerID)
	if err != nil {
		return err
	}
	b := books[a.DealerID]
	if a.PersonID = personID; personID == "" {
		if facts, ok := w.rb.rotate(w.k, a, b, "", w.now); ok {
			a.Grant, a.PersonID = facts, facts.Person
		}
	}
	b.Take(a.Role, a.PersonID, w.now)
	return nil
}

// rotate names the next person of an owner, where the store lets us, leaving one of them out. The
// facts are those of a lead that takes no capacity. ok is false where somebody else names persons.
func (rb *rulebook) rotate(k *postgres.Case, a *postgres.Assignment, b *postgres.Book, except string, at time.Time) (facts routing.GrantFacts, ok bool) {
	d := rb.network.dealers[a.DealerID]
	if d == nil || b == nil {
		return facts, false
	}
	roster := d.roster
	if !d.desk {
		v := d.department(a.Department)
		if v == nil {
			return facts, false
		}
		switch setting, _ := routing.ParsePersonSetting(v.row.GetPersonSetting()); setting {
		case routing.PersonSettingLeadmesh:
		case routing.PersonSettingGroupBDC:
			desk := rb.network.dealers[v.row.GetBdcDealerId()]
			if desk == nil {
				return facts, false
			}
			roster = desk.roster
		default:
			return facts, false
		}
	}
	roster = slices.DeleteFunc(slices.Clone(roster), func(p routing.Person) bool { return p.ID == except })
	turn := routing.Turn{At: at.Unix(), WeekMinute: weekMinute(at, d.zone), Role: a.Role, Last: b.Last[a.Role.String()]}
	if l, err := storedLead(k); err == nil {
		if p := l.Primary(); p != nil && p.Language != "" {
			turn.Skills = append(turn.Skills, primarySubtag(p.Language))
		}
	}
	standing := make([]routing.Standing, 0, len(b.Persons))
	for id, work := range b.Persons {
		standing = append(standing, routing.Standing{Person: id, LastTurn: work.LastTurn, Open: work.Open})
	}
	facts, err := routing.Rotate(roster, standing, turn)
	if err != nil {
		return facts, false
	}
	facts.Verdict = routing.VerdictGranted
	return facts, true
}
