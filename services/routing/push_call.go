package routing

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/internal/outbox"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
	"github.com/leadmesh/leadmesh/services/routing/internal/webhook"
)

// PutWebhook makes or replaces the push address of a dealer's department. Replacing without a
// secret keeps the one there is. An address is pushed to unless the request says otherwise.
func (s *Service) PutWebhook(ctx context.Context, req *routingv1.PutWebhookRequest) (*routingv1.PutWebhookResponse, error) {
	if err := ownDealer(ctx, req.GetDealerId()); err != nil {
		return nil, err
	}
	allowed := s.push.network
	if rpc.CallerFrom(ctx).OnlyDealer() { // what listens on our machine is not a dealer's
		allowed.Loopback = allowed.Loopback && allowed.Private
	}
	var wrong []problem.Violation
	if err := allowed.CheckURL(req.GetUrl()); err != nil {
		wrong = append(wrong, problem.Violation{Field: "url", Description: err.Error()})
	}
	if req.GetSecret() != "" {
		if err := webhook.CheckSecret(req.GetSecret()); err != nil {
			wrong = append(wrong, problem.Violation{Field: "secret", Description: err.Error()})
		}
	}
	department := lead.Department(req.GetDepartment())
	if department != lead.DepartmentUnspecified && department.String() == "" {
		wrong = append(wrong, problem.Violation{Field: "department", Description: "is none of NEW, USED, SERVICE, PARTS, BODY, FLEET"})
	}
	if len(wrong) > 0 {
		return nil, problem.Invalid(wrong...)
	}
	if _, err := s.store.Dealer(ctx, req.GetDealerId()); err != nil {
		return nil, err
	}
	made, enabled := webhook.NewSecret(), req.Enabled == nil || req.GetEnabled()
	id, used, err := s.store.PutWebhook(ctx, postgres.Webhook{
		WebhookTarget: postgres.WebhookTarget{ID: "wh_" + outbox.NewEventID().String(), DealerID: req.GetDealerId(), Department: department},
		URL:           req.GetUrl(), Secret: req.GetSecret(), Enabled: enabled,
	}, made, s.now())
	if err != nil {
		return nil, err
	}
	s.push.gates.Forget(id)
	s.networkChanged()
	if err := s.push.wake(ctx, id); err != nil {
		return nil, err
	}
	resp := &routingv1.PutWebhookResponse{WebhookId: id, Enabled: enabled}
	if used {
		resp.Secret = made
	}
	return resp, nil
}

const (
	defaultPage = 50
	largestPage = 500
)

// ListDeliveries answers pushes, the newest first.
func (s *Service) ListDeliveries(ctx context.Context, req *routingv1.ListDeliveriesRequest) (*routingv1.ListDeliveriesResponse, error) {
	page := postgres.DeliveryPage{DealerID: req.GetDealerId(), Size: int(req.GetPageSize())}
	if c := rpc.CallerFrom(ctx); c.OnlyDealer() {
		if page.DealerID == "" {
			page.DealerID = c.DealerID
		}
		if err := ownDealer(ctx, page.DealerID); err != nil {
			return nil, err
		}
	}
	var wrong []problem.Violation
	if page.Size == 0 {
		page.Size = defaultPage
	}
	if page.Size < 1 || page.Size > largestPage {
		wrong = append(wrong, problem.Violation{Field: "page_size", Description: "must be 1 to 500"})
	}
	var ok bool
	if page.State, ok = deliveryState(req.GetState()); !ok {
		wrong = append(wrong, problem.Violation{Field: "state", Description: "must be pending, delivered or dead"})
	}
	if page.Before, page.BeforeID, ok = readDeliveryToken(req.GetPageToken()); !ok {
		wrong = append(wrong, problem.Violation{Field: "page_token", Description: "is none that an answer carried; leave it empty for the first page"})
	}
	if len(wrong) > 0 {
		return nil, problem.Invalid(wrong...)
	}
	size := page.Size
	page.Size++ // one more shows whether there is a next page
	list, err := s.store.Deliveries(ctx, page)
	if err != nil {
		return nil, err
	}
	resp := &routingv1.ListDeliveriesResponse{}
	if len(list) > size {
		list = list[:size]
		last := list[size-1]
		resp.NextPageToken = deliveryToken(last.CreatedAt, last.ID)
	}
	for _, d := range list {
		resp.Deliveries = append(resp.Deliveries, deliveryProto(d))
	}
	return resp, nil
}

// RedeliverDelivery sends a delivery again, at once.
func (s *Service) RedeliverDelivery(ctx context.Context, req *routingv1.RedeliverDeliveryRequest) (*routingv1.RedeliverDeliveryResponse, error) {
	id, err := lead.ParseID(req.GetDeliveryId())
	if err != nil {
		return nil, problem.Invalid(problem.Violation{Field: "delivery_id", Description: err.Error()})
	}
	d, err := s.store.Delivery(ctx, id)
	if err != nil {
		return nil, err
	}
	if c := rpc.CallerFrom(ctx); c.OnlyDealer() && c.DealerID != d.DealerID {
		return nil, problem.New(problemv1.Reason_REASON_NOT_YOUR_DEALER, "the delivery is another dealer's")
	}
	if err := s.push.again(ctx, d.ID, d.LeadID); err != nil {
		return nil, err
	}
	if d, err = s.store.Delivery(ctx, id); err != nil {
		return nil, err
	}
	return &routingv1.RedeliverDeliveryResponse{Delivery: deliveryProto(d)}, nil
}

// deliveryState reads a state as answers spell it; empty text is every state.
func deliveryState(text string) (postgres.DeliveryState, bool) {
	switch text {
	case "":
		return 0, true
	case "pending":
		return postgres.DeliveryPending, true
	case "delivered":
		return postgres.DeliveryDelivered, true
	case "dead":
		return postgres.DeliveryDead, true
	}
	return 0, false
}

func deliveryProto(d *postgres.Delivery) *routingv1.Delivery {
	state := [...]string{"", "pending", "delivered", "dead"}[d.State]
	return &routingv1.Delivery{
		DeliveryId: d.ID.String(), LeadId: d.LeadID.String(), DealerId: d.DealerID, State: state, Attempts: int32(d.Attempts),
		LastAnswer: d.LastAnswer, CreatedAt: leadconv.Time(d.CreatedAt), At: leadconv.Time(d.At),
	}
}

// deliveryToken writes where a page ended.
func deliveryToken(at time.Time, id lead.ID) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(at.UnixMicro()))
	return base64.RawURLEncoding.EncodeToString(append(b, id[:]...))
}

// readDeliveryToken reads what deliveryToken wrote; empty text is the first page.
func readDeliveryToken(text string) (at time.Time, id lead.ID, ok bool) {
	if text == "" {
		return time.Time{}, lead.ID{}, true
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) != 8+len(id) {
		return time.Time{}, lead.ID{}, false
	}
	copy(id[:], b[8:])
	return time.UnixMicro(int64(binary.BigEndian.Uint64(b))).UTC(), id, true
}
