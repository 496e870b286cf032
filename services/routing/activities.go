package routing

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// report is one activity or outcome on its way into a lead.
type report struct {
	place    int // in the answer
	id       string
	leadID   lead.ID
	dealerID string // "" is taken for the owner
	personID string
	at       time.Time
	activity *feedbackv1.Activity
	outcome  *feedbackv1.Outcome
}

func (r *report) name() postgres.ReportID {
	return postgres.ReportID{ID: r.id, Outcome: r.outcome != nil}
}

// Why a report was not applied, as answers spell it.
const (
	reasonUnknownLead = "unknown_lead"
	reasonNotOwner    = "not_owner"
	reasonClosed      = "closed"
)

// applyLeads is how many leads are changed in one transaction.
const applyLeads = 100

// ApplyActivities moves leads by what dealers did and by what became of them. Each report counts
// once, by its id; a report about the past counts for the time at which it happened, in whatever
// order reports come. An answer that says why a report was not applied is final for the lead as it
// stands; the same report may be sent again when the lead has moved on.
func (s *Service) ApplyActivities(ctx context.Context, req *routingv1.ApplyActivitiesRequest) (*routingv1.ApplyActivitiesResponse, error) {
	rb, err := s.rules()
	if err != nil {
		return nil, err
	}
	reports, err := parseReports(req, s.now())
	if err != nil {
		return nil, err
	}
	resp := &routingv1.ApplyActivitiesResponse{Applications: make([]*routingv1.Application, len(reports))}
	byLead := map[lead.ID][]*report{}
	var order []lead.ID
	for _, r := range reports {
		resp.Applications[r.place] = &routingv1.Application{Id: r.id}
		if byLead[r.leadID] == nil {
			order = append(order, r.leadID)
		}
		byLead[r.leadID] = append(byLead[r.leadID], r)
	}
	// Leads of one bucket go together: a statement then looks into few parts of a table.
	slices.SortFunc(order, func(a, b lead.ID) int {
		if d := int(a.Bucket()) - int(b.Bucket()); d != 0 {
			return d
		}
		return slices.Compare(a[:], b[:])
	})
	for chunk := range slices.Chunk(order, applyLeads) {
		if err := s.applyChunk(ctx, rb, chunk, byLead, resp.Applications); err != nil {
			return nil, err
		}
	}
	s.relay.Wake()
	return resp, nil
}

func (s *Service) applyChunk(ctx context.Context, rb *rulebook, chunk []lead.ID, byLead map[lead.ID][]*report, answers []*routingv1.Application) error {
	cases := map[lead.ID]*postgres.Case{}
	err := s.store.Change(ctx, chunk, func(c *postgres.Change) error {
		clear(cases)
		var works []*applyWork
		for _, id := range chunk {
			w := &applyWork{reports: byLead[id], answers: answers}
			if k := c.Cases[id]; k != nil {
				w.caseWork = *s.work(ctx, rb, c, k)
				cases[id] = k
			}
			if err := w.run(); err != nil {
				return err
			}
			works = append(works, w)
		}
		return finishAllWork(c, works)
	})
	if err != nil {
		return err
	}
	for _, id := range chunk {
		k := cases[id]
		if k == nil {
			continue
		}
		c := rb.network.leadCase(k)
		for _, r := range byLead[id] {
			answers[r.place].LeadCase = c
		}
	}
	return nil
}

// finishAllWork gives reopened leads back to their persons, all books locked together and last, and
// finishes what changed.
func finishAllWork(c *postgres.Change, works []*applyWork) error {
	var dealers []string
	for _, w := range works {
		if w.returning() {
			dealers = append(dealers, w.k.Owner.DealerID)
		}
	}
	if len(dealers) > 0 {
		if _, err := c.Books(dealers...); err != nil {
			return err
		}
	}
	for _, w := range works {
		if w.k == nil {
			continue
		}
		if !w.changed {
			c.Leave(w.k.LeadID)
			continue
		}
		if w.returning() {
			c.Book(w.k.Owner.DealerID).Take(w.k.Owner.Role, w.k.Owner.PersonID, w.now)
		}
		if err := w.finish(); err != nil {
			return err
		}
	}
	return nil
}

// parseReports reads a request. Feedback has checked it; what it would have refused is an error of
// the house and refused whole.
func parseReports(req *routingv1.ApplyActivitiesRequest, now time.Time) ([]*report, error) {
	reports := make([]*report, 0, len(req.GetActivities())+len(req.GetOutcomes()))
	add := func(field string, r *report, leadID string, at *timestamppb.Timestamp) error {
		id, err := lead.ParseID(leadID)
		if err != nil {
			return problem.Invalid(problem.Violation{Field: field + ".lead_id", Description: err.Error()})
		}
		if r.id == "" {
			return problem.Invalid(problem.Violation{Field: field, Description: "has no identifier"})
		}
		r.leadID, r.at, r.place = id, now.Truncate(time.Microsecond), len(reports)
		if at != nil {
			r.at = earliest(at.AsTime().Truncate(time.Microsecond), r.at)
		}
		reports = append(reports, r)
		return nil
	}
	for i, a := range req.GetActivities() {
		r := &report{id: a.GetActivityId(), dealerID: a.GetDealerId(), personID: a.GetPersonId(), activity: a}
		if err := add(fmt.Sprintf("activities[%d]", i), r, a.GetLeadId(), a.GetOccurredAt()); err != nil {
			return nil, err
		}
	}
	for i, o := range req.GetOutcomes() {
		r := &report{id: o.GetOutcomeId(), dealerID: o.GetDealerId(), personID: o.GetPersonId(), outcome: o}
		if err := add(fmt.Sprintf("outcomes[%d]", i), r, o.GetLeadId(), o.GetOccurredAt()); err != nil {
			return nil, err
		}
	}
	return reports, nil
}

// applyWork applies the reports about one lead.
type applyWork struct {
	caseWork
	reports []*report
	answers []*routingv1.Application
	changed bool
}

// returning reports whether the lead came back to a person.
func (w *applyWork) returning() bool {
	return w.k != nil && w.claimed && w.k.Owner != nil && w.k.Owner.PersonID != "" && !w.k.Test
}

// run applies first what was done, all of it together, then what became of the lead.
func (w *applyWork) run() error {
	if w.k == nil {
		for _, r := range w.reports {
			w.answers[r.place].Applied, w.answers[r.place].Reason = false, reasonUnknownLead
		}
		return nil
	}
	var fresh []*report
	for _, r := range w.reports {
		if r.activity == nil {
			continue
		}
		isNew, err := w.admit(r, w.whyNot(r))
		if err != nil {
			return err
		}
		if isNew {
			fresh = append(fresh, r)
		}
	}
	if len(fresh) > 0 {
		w.changed = true
		if err := w.work(fresh); err != nil {
			return err
		}
	}
	for _, r := range w.reports {
		if r.outcome == nil {
			continue
		}
		if err := w.outcome(r); err != nil {
			return err
		}
	}
	return nil
}

// whyNot says why an activity may not be applied; "" if it may. A closed lead takes what happened
// before it was closed: that was its owner's work, whenever it is reported.
func (w *applyWork) whyNot(r *report) string {
	k := w.k
	switch {
	case k.State == lead.StateParked:
		return reasonNotOwner
	case k.State == lead.StateMerged || k.State == lead.StateRejected:
		return reasonClosed
	case !w.byOwner(r.dealerID):
		return reasonNotOwner
	case k.Owner == nil && r.at.After(k.ClosedAt):
		return reasonClosed
	}
	return ""
}

// byOwner reports whether a dealer owns the lead, owned it last, or works it as the owner's BDC.
func (w *applyWork) byOwner(dealerID string) bool {
	if dealerID == "" || dealerID == w.k.DealerID {
		return true
	}
	d := w.rb.network.dealers[w.k.DealerID]
	if d == nil || w.k.Owner == nil {
		return false
	}
	v := d.department(w.k.Owner.Department)
	return v != nil && v.row.GetBdcDealerId() == dealerID
}

// admit notes a report and answers for it; true if it has to be applied now.
func (w *applyWork) admit(r *report, whyNot string) (bool, error) {
	answer := w.answers[r.place]
	answer.Applied, answer.Reason, answer.CountedAs = false, "", nil
	if whyNot != "" {
		before, err := w.c.WasApplied(w.k.LeadID, r.name())
		if answer.Applied = before; !before {
			answer.Reason = whyNot
		}
		return false, err
	}
	kept := []byte{}
	if r.activity != nil {
		a := proto.CloneOf(r.activity)
		a.OccurredAt, a.RawText, a.RawCode = timestamppb.New(r.at), "", "" // what is kept here is for the clock only
		a.DealerId = w.k.DealerID
		var err error
		if kept, err = proto.Marshal(a); err != nil {
			return false, fmt.Errorf("encode an activity: %w", err)
		}
	}
	answer.Applied = true
	before, err := w.c.Applied(w.k.LeadID, r.name(), r.at, kept)
	return !before, err
}
