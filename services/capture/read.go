package capture

import (
	"context"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	store "github.com/leadmesh/leadmesh/services/capture/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"google.golang.org/protobuf/proto"
)

// partLimit is how long another part may take to add its share to an answer.
const partLimit = time.Second

// GetLead answers everything held about a lead. Parts of the system that are down are left out;
// only whether a store may see the lead is never guessed. While Routing, the authority for a lead
// that was handed over, is down, the lead's state is the newest that its events tell; a copy here
// would cost every lead a row or a second write. Without an event the answer is UNAVAILABLE.
func (s *Service) GetLead(ctx context.Context, req *capturev1.GetLeadRequest) (*capturev1.GetLeadResponse, error) {
	id, err := parseID(req.GetLeadId())
	if err != nil {
		return nil, err
	}
	rec, err := s.store.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	decided, caseErr := s.decidedCase(ctx, id)
	if err := mayRead(rpc.CallerFrom(ctx), rec.Credential, decided, caseErr); err != nil {
		return nil, err
	}
	resp := &capturev1.GetLeadResponse{LeadId: id.String(), State: stateOf(rec.Place), Code: rec.Code}
	if len(rec.Body) > 0 {
		resp.Lead = &leadv1.Lead{}
		if err := proto.Unmarshal(rec.Body, resp.Lead); err != nil {
			return nil, problem.Internal(err)
		}
		if err := s.addUpdates(ctx, id, resp.Lead); err != nil {
			return nil, err
		}
	}
	if decided == nil {
		s.addStanding(resp, rec)
	} else {
		resp.State, resp.Code, resp.Decision = decided.GetState(), decided.GetClosedCode(), decided.GetDecision()
		resp.SiblingCount, resp.MergedLeadIds = decided.GetSiblingCount(), decided.GetMergedLeadIds()
	}
	s.addPerson(ctx, resp, decided.GetPersonId(), rpc.CallerFrom(ctx).OnlyDealer())
	s.addTimeline(ctx, resp)
	if caseErr != nil && rec.Place == store.HandedOver {
		if resp.State = toldState(resp.GetTimeline()); resp.State == leadv1.State_STATE_UNSPECIFIED {
			p := problem.New(problemv1.Reason_REASON_UNAVAILABLE, "the lead is held and safe, but where it stands cannot be read now; ask again").Because(caseErr)
			p.RetryAfter = time.Second
			return nil, p
		}
	}
	return resp, nil
}

// addUpdates puts what the lead's source sent later over what it sent first.
func (s *Service) addUpdates(ctx context.Context, id lead.ID, l *leadv1.Lead) error {
	updates, err := s.store.Updates(ctx, id)
	if err != nil {
		return err
	}
	for _, body := range updates {
		u := &leadv1.Lead{}
		if err := proto.Unmarshal(body, u); err != nil {
			return problem.Internal(err)
		}
		overlay(l, u)
	}
	return nil
}

// toldState is the state of a handed-over lead by the newest event that tells one. PENDING is what
// was before it was handed over: Routing's events are still on their way then.
func toldState(timeline []*leadv1.Event) leadv1.State {
	for i := len(timeline) - 1; i >= 0; i-- {
		if s, ok := lead.ParseState(timeline[i].GetFacts().GetState()); ok && s != lead.StatePending {
			return leadv1.State(s)
		}
	}
	return leadv1.State_STATE_UNSPECIFIED
}

// addStanding writes what Capture itself knows of a lead that is not decided.
func (s *Service) addStanding(resp *capturev1.GetLeadResponse, rec store.Record) {
	if rec.Place != store.Parked {
		return
	}
	resp.Decision = &leadv1.Decision{
		LeadId: resp.GetLeadId(), Disposition: leadv1.Disposition_DISPOSITION_PARKED, State: leadv1.State_STATE_PARKED,
		Parking: &leadv1.Parking{
			Reason: leadv1.ParkReason_PARK_REASON_DATA, Owner: rec.Owner, ReviewAt: leadconv.Time(rec.ReviewAt), Detail: rec.Detail,
		},
	}
}

// decidedCase asks Routing for a lead; nil without an error if it has not decided it.
func (s *Service) decidedCase(ctx context.Context, id lead.ID) (*routingv1.LeadCase, error) {
	ctx, cancel := context.WithTimeout(ctx, partLimit)
	defer cancel()
	resp, err := s.deps.Cases.BatchGetCases(ctx, &routingv1.BatchGetCasesRequest{LeadIds: []string{id.String()}})
	if err != nil {
		s.warn(ctx, "case left out of an answer", err)
		return nil, err
	}
	if len(resp.GetCases()) == 0 {
		return nil, nil
	}
	return resp.GetCases()[0], nil
}

// mayRead keeps stores to the leads they own, and to those they sent while nobody owns them.
func mayRead(caller rpc.Caller, credential string, decided *routingv1.LeadCase, caseErr error) error {
	if !caller.OnlyDealer() {
		return nil
	}
	if caseErr != nil {
		return problem.Unavailable(caseErr)
	}
	owner := decided.GetDecision().GetAssignment().GetDealerId()
	if owner == caller.DealerID && owner != "" || owner == "" && credential == caller.String() {
		return nil
	}
	return problem.New(problemv1.Reason_REASON_NOT_YOUR_DEALER, "the lead is not one of your store's")
}

// addPerson adds who the lead is from, in short. How much is known of the person, and why the lead
// was found to be theirs, is told by records that may be other stores', so stores do not learn it.
func (s *Service) addPerson(ctx context.Context, resp *capturev1.GetLeadResponse, personID string, forStore bool) {
	if personID == "" {
		return
	}
	resp.Customer = &capturev1.Customer{PersonId: personID}
	if s.deps.Persons == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, partLimit)
	defer cancel()
	p, err := s.deps.Persons.ExplainLead(ctx, &identityv1.ExplainLeadRequest{LeadId: resp.GetLeadId(), ForStore: forStore})
	if err != nil {
		s.warn(ctx, "person left out of an answer", err)
		return
	}
	resp.Customer = &capturev1.Customer{
		PersonId: p.GetPersonId(), HouseholdId: p.GetHouseholdId(), RecordCount: p.GetRecordCount(), SignalCount: p.GetSignalCount(),
		VehicleCount: p.GetVehicleCount(), MatchReasons: p.GetReasons(), MatchWeightMillibits: p.GetWeightMillibits(), MatchEvidence: p.GetEvidence(),
	}
}

// addTimeline adds what happened to the lead.
func (s *Service) addTimeline(ctx context.Context, resp *capturev1.GetLeadResponse) {
	ctx, cancel := context.WithTimeout(ctx, partLimit)
	defer cancel()
	events, err := s.deps.Events.ListLeadEvents(ctx, &feedbackv1.ListLeadEventsRequest{LeadId: resp.GetLeadId()})
	if err != nil {
		s.warn(ctx, "timeline left out of an answer", err)
		return
	}
	resp.Timeline = events.GetEvents()
}

// GetRawLead answers the document of a lead as it was received.
func (s *Service) GetRawLead(ctx context.Context, req *capturev1.GetRawLeadRequest) (*capturev1.GetRawLeadResponse, error) {
	id, err := parseID(req.GetLeadId())
	if err != nil {
		return nil, err
	}
	raw, err := s.store.GetRaw(ctx, id)
	if err != nil {
		return nil, err
	}
	if caller := rpc.CallerFrom(ctx); caller.OnlyDealer() {
		decided, caseErr := s.decidedCase(ctx, id)
		if err := mayRead(caller, raw.Credential, decided, caseErr); err != nil {
			return nil, err
		}
	}
	return &capturev1.GetRawLeadResponse{ContentType: raw.ContentType, Body: raw.Body}, nil
}

func parseID(text string) (lead.ID, error) {
	id, err := lead.ParseID(text)
	if err != nil {
		return lead.ID{}, problem.Invalid(problem.Violation{Field: "lead_id", Description: err.Error()})
	}
	return id, nil
}
