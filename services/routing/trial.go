package routing

import (
	"context"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/internal/outbox"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"github.com/leadmesh/leadmesh/services/routing/internal/endpoint"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// TestWebhook sends a lead marked as a test to an address, the way leads are sent, and answers what
// became of it.
func (s *Service) TestWebhook(ctx context.Context, req *routingv1.TestWebhookRequest) (*routingv1.TestWebhookResponse, error) {
	rb, err := s.rules()
	if err != nil {
		return nil, err
	}
	w, err := s.ownWebhook(ctx, rb, req.GetWebhookId())
	if err != nil {
		return nil, err
	}
	a, id, err := s.push.trial(ctx, rb, w)
	if err != nil {
		return nil, err
	}
	if a.Delivered() {
		s.push.gates.Forget(w.ID) // what broke is mended
	}
	if rpc.CallerFrom(ctx).OnlyDealer() && s.push.network.Private {
		a.Said = "" // what private addresses answer is not for dealers
	}
	return &routingv1.TestWebhookResponse{
		Delivered: a.Delivered(), Answer: a.Word, Reason: explain(a.Word), Status: int32(a.Status), Said: a.Said, LeadId: id.String(),
		LookupMs: milliseconds(a.Timings.Lookup), ConnectMs: milliseconds(a.Timings.Connect), TlsMs: milliseconds(a.Timings.TLS),
		TotalMs: milliseconds(a.Timings.Total),
	}, nil
}

// trial sends a made-up lead to an address, switched on or off. Nothing of it is stored.
func (p *pusher) trial(ctx context.Context, rb *rulebook, w *postgres.Webhook) (endpoint.Answer, lead.ID, error) {
	d, k, stored, err := p.trialLead(rb, w)
	if err != nil {
		return endpoint.Answer{}, lead.ID{}, err
	}
	l, wrong := leadconv.FromProto(stored)
	if len(wrong) > 0 {
		return endpoint.Answer{}, d.ID, problem.Invalid(wrong...)
	}
	send, err := p.parcel(rb, d, k, stored, &l, w)
	if err != nil {
		return endpoint.Answer{}, d.ID, problem.Internal(err)
	}
	return send(ctx), d.LeadID, nil
}

// trialLead is a lead that everybody can tell from a customer's: its number and addresses are of the
// ranges that belong to nobody.
func (p *pusher) trialLead(rb *rulebook, w *postgres.Webhook) (*delivery, *postgres.Case, *leadv1.Lead, error) {
	now := p.s.now().Truncate(time.Microsecond)
	department, brand, line := w.Department, "", lead.LineSales
	if department == lead.DepartmentUnspecified {
		department = lead.DepartmentNew
	}
	if department == lead.DepartmentService {
		line = lead.LineService
	}
	country := "US"
	if d := rb.network.dealers[w.DealerID]; d != nil {
		if v := d.department(department); v != nil && len(v.row.GetBrands()) > 0 {
			brand = v.row.GetBrands()[0]
		}
		if c := d.dealer.GetCountry(); c != "" {
			country = c
		}
	}
	id := outbox.NewEventID()
	stored := &leadv1.Lead{
		LeadId: id.String(), Test: true, Line: leadv1.Line(line), RequestType: leadv1.RequestType_REQUEST_TYPE_QUOTE, Origin: leadv1.Origin_ORIGIN_OEM,
		Brand: brand, Market: country, ReceivedAt: timestamppb.New(now), RequestedAt: timestamppb.New(now), Language: "en",
		Source: &leadv1.Source{Source: "leadmesh test"}, Comments: "This is a test of the connection. There is no customer behind it.",
		Parties: []*leadv1.Party{{
			Role: leadv1.PartyRole_PARTY_ROLE_PRIMARY, Name: &leadv1.Name{Given: "Test", Family: "Lead"},
			Phones:  []*leadv1.Phone{{Number: "+12025550100", E164: "+12025550100", Valid: true}},
			Emails:  []*leadv1.Email{{Raw: "test@example.com", Address: "test@example.com", Valid: true}},
			Address: &leadv1.Address{Country: country},
		}},
		Vehicles: []*leadv1.Vehicle{{Role: leadv1.VehicleRole_VEHICLE_ROLE_SOUGHT, Make: brand, Model: "Test"}},
	}
	k := &postgres.Case{
		LeadID: id, Version: 1, State: lead.StateAssigned, Brand: brand, Line: line, Test: true, DealerID: w.DealerID, Attempt: 1, ReceivedAt: now,
		DecidedAt: now, Decision: &leadv1.Decision{LeadId: id.String(), Attempt: 1, Why: "a test of the connection"},
		Owner: &postgres.Assignment{
			Sequence: 1, Attempt: 1, DealerID: w.DealerID, Department: department, Role: lead.RoleSales, AssignedAt: now,
		},
	}
	if err := rb.start(k.Owner, line, lead.StageUnspecified, false, false); err != nil {
		return nil, nil, nil, problem.Internal(err)
	}
	d := &delivery{ID: outbox.NewEventID(), LeadID: id, Sequence: 1, DealerID: w.DealerID, WebhookID: w.ID, State: postgres.DeliveryPending, CreatedAt: now}
	return d, k, stored, nil
}
