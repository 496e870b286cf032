package identity

import (
	"fmt"

	"github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/core/lead"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"google.golang.org/protobuf/proto"
)

func (s *Service) parseResolve(req *identityv1.BatchResolveRequest) ([]*item, error) {
	if n := len(req.GetLeads()); n == 0 || n > maxResolve {
		return nil, problem.Invalid(problem.Violation{Field: "leads", Description: fmt.Sprintf("send 1 to %d leads", maxResolve)})
	}
	items := make([]*item, len(req.GetLeads()))
	var wrong []problem.Violation
	for i, pb := range req.GetLeads() {
		it, violations, err := s.parseLead(pb)
		if err != nil {
			return nil, problem.Internal(err)
		}
		for _, v := range violations {
			wrong = append(wrong, problem.Violation{Field: fmt.Sprintf("leads[%d].%s", i, v.Field), Description: v.Description})
		}
		items[i] = it
	}
	if len(wrong) > 0 {
		return nil, problem.Invalid(wrong...)
	}
	return items, nil
}

// parseLead reads what identity needs of a lead that Capture has normalised.
func (s *Service) parseLead(pb *leadv1.Lead) (*item, []problem.Violation, error) {
	l, wrong := leadconv.FromProto(pb)
	if pb.GetLeadId() == "" {
		wrong = append(wrong, problem.Violation{Field: "lead_id", Description: "is required: resolve leads that are stored"})
	}
	if len(wrong) > 0 {
		return nil, wrong, nil
	}
	for i := range l.Identifiers {
		l.Identifiers[i] = s.homeSource(l.Identifiers[i])
	}
	it := &item{leadID: l.ID, test: l.Test}
	it.party = l.Primary()
	it.record = identity.RecordOf(&l, it.party)
	it.askedAt = it.record.At
	it.accountKeys = accountKeys(it.party)
	it.keys = hashKeys(s.matching.current.Load().Keys(&it.record))
	it.sourceKeys = hashKeys(identity.SourceKeys(&l))
	it.points = pointsOf(&it.record)
	for _, c := range pb.GetConsents() {
		f, err := newFact(s.normalConsent(c, &l))
		if err != nil {
			return nil, nil, err
		}
		it.facts = append(it.facts, f)
	}
	body, err := recordBody(pb, &l)
	if err != nil {
		return nil, nil, err
	}
	it.body = body
	it.id = hash(append(l.ID[:], body...))
	return it, nil, nil
}

// normalConsent spells the contact point as facts are compared and dates an undated fact.
func (s *Service) normalConsent(c *leadv1.Consent, l *lead.Lead) *leadv1.Consent {
	market := l.Market
	if market == "" {
		market = s.cfg.Market
	}
	point := lead.ContactPoint(c.GetContactPoint(), market)
	if point == c.GetContactPoint() && c.GetAt() != nil {
		return c
	}
	c = proto.CloneOf(c)
	c.ContactPoint = point
	if c.GetAt() == nil {
		c.At = leadconv.Time(l.ReceivedAt)
	}
	return c
}

// homeSource names the store of a customer number by the network's identifier, whatever code of the
// store the sender used.
func (s *Service) homeSource(id lead.Identifier) lead.Identifier {
	if id.Source != "" && (id.Kind == lead.IDKindDMSCustomer || id.Kind == lead.IDKindCRMCustomer) {
		if dealer, ok := s.deps.DealerID(id.Source); ok {
			id.Source = dealer
		}
	}
	return id
}

// recordBody keeps what the lead says of its primary party: name and contact points, identifiers,
// the vehicles it owns and the store it names. The person can be told again from it: see story.
func recordBody(pb *leadv1.Lead, l *lead.Lead) ([]byte, error) {
	body := &leadv1.Lead{Identifiers: pb.GetIdentifiers(), RequestedAt: pb.GetRequestedAt(), Dealer: pb.GetDealer(), Test: pb.GetTest()}
	if body.RequestedAt == nil {
		body.ReceivedAt = pb.GetReceivedAt()
	}
	for _, id := range pb.GetIdentifiers() {
		if id.GetKind() == leadv1.IdentifierKind_IDENTIFIER_KIND_SOURCE_LEAD && id.GetSource() == "" && pb.GetSource().GetSource() != "" {
			body.Source = &leadv1.Source{Source: pb.GetSource().GetSource()}
		}
	}
	if primary := l.Primary(); primary != nil {
		for i := range l.Parties {
			if &l.Parties[i] == primary {
				body.Parties = []*leadv1.Party{pb.GetParties()[i]}
			}
		}
	}
	for _, v := range pb.GetVehicles() {
		if r := v.GetRole(); v.GetVin() != "" && (r == leadv1.VehicleRole_VEHICLE_ROLE_OWNED || r == leadv1.VehicleRole_VEHICLE_ROLE_TRADED) {
			body.Vehicles = append(body.Vehicles, &leadv1.Vehicle{Role: r, Vin: v.GetVin()})
		}
	}
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("encode a record: %w", err)
	}
	return raw, nil
}
