package routing

import (
	"context"
	"encoding/binary"
	"math"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/cursor"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
	"google.golang.org/protobuf/types/known/timestamppb"
)

const (
	defaultPage   = 50
	largestPage   = 500
	mostRequestID = 64
	rangeChunk    = 2_000 // deliveries of a range made pending in one transaction
)

// dealerScope is the dealer whose things a list shows: the one asked for, or a dealer's own; "" is
// everybody's.
func dealerScope(ctx context.Context, asked string) (string, error) {
	c := rpc.CallerFrom(ctx)
	if !c.OnlyDealer() {
		return asked, nil
	}
	if asked == "" {
		asked = c.DealerID
	}
	return asked, ownDealer(ctx, asked)
}

func pageSize(asked int32) (int, []problem.Violation) {
	switch {
	case asked == 0:
		return defaultPage, nil
	case asked < 1 || asked > largestPage:
		return 0, []problem.Violation{{Field: "page_size", Description: "must be 1 to 500"}}
	}
	return int(asked), nil
}

// ListDeliveries answers pushes, the newest first.
func (s *Service) ListDeliveries(ctx context.Context, req *routingv1.ListDeliveriesRequest) (*routingv1.ListDeliveriesResponse, error) {
	dealerID, err := dealerScope(ctx, req.GetDealerId())
	if err != nil {
		return nil, err
	}
	size, wrong := pageSize(req.GetPageSize())
	page := postgres.DeliveryPage{
		DealerID: dealerID, WebhookID: req.GetWebhookId(), LastAnswer: req.GetLastAnswer(),
		Size: size + 1, // one more shows whether there is a next page
	}
	var ok bool
	if page.State, ok = deliveryState(req.GetState()); !ok {
		wrong = append(wrong, problem.Violation{Field: "state", Description: "must be pending, delivered or dead"})
	}
	if page.Before, page.BeforeID, ok = readDeliveryToken(req.GetPageToken()); !ok {
		wrong = append(wrong, problem.Violation{Field: "page_token", Description: "is none that an answer carried; leave it empty for the first page"})
	}
	if text := req.GetLeadId(); text != "" {
		if page.LeadID, err = lead.ParseID(text); err != nil {
			wrong = append(wrong, problem.Violation{Field: "lead_id", Description: err.Error()})
		}
	}
	var more []problem.Violation
	page.From, page.To, more = readSpan(req.GetFrom(), req.GetTo())
	if wrong = append(wrong, more...); len(wrong) > 0 {
		return nil, problem.Invalid(wrong...)
	}
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

// readSpan reads the two ends of a span of time; what is not given is open.
func readSpan(from, to *timestamppb.Timestamp) (begin, end time.Time, wrong []problem.Violation) {
	for _, x := range [...]struct {
		field string
		given *timestamppb.Timestamp
		to    *time.Time
	}{{"from", from, &begin}, {"to", to, &end}} {
		switch {
		case x.given == nil:
		case !x.given.IsValid():
			wrong = append(wrong, problem.Violation{Field: x.field, Description: "is no valid time"})
		default:
			*x.to = x.given.AsTime()
		}
	}
	if !begin.IsZero() && !end.IsZero() && !begin.Before(end) {
		wrong = append(wrong, problem.Violation{Field: "to", Description: "must be after from"})
	}
	return begin, end, wrong
}

// ownDelivery reads a delivery that the caller may see.
func (s *Service) ownDelivery(ctx context.Context, text string) (*delivery, error) {
	id, err := lead.ParseID(text)
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
	return d, nil
}

// GetDelivery answers a delivery with its last attempts.
func (s *Service) GetDelivery(ctx context.Context, req *routingv1.GetDeliveryRequest) (*routingv1.GetDeliveryResponse, error) {
	d, err := s.ownDelivery(ctx, req.GetDeliveryId())
	if err != nil {
		return nil, err
	}
	resp := &routingv1.GetDeliveryResponse{Delivery: deliveryProto(d)}
	for _, t := range d.Tries {
		resp.Attempts = append(resp.Attempts, &routingv1.DeliveryAttempt{At: leadconv.Time(t.At), Answer: t.Answer, TookMs: milliseconds(t.Took)})
	}
	return resp, nil
}

func milliseconds(d time.Duration) int32 { return int32(min(d.Milliseconds(), math.MaxInt32)) }

// RedeliverDelivery sends a delivery again, at once.
func (s *Service) RedeliverDelivery(ctx context.Context, req *routingv1.RedeliverDeliveryRequest) (*routingv1.RedeliverDeliveryResponse, error) {
	d, err := s.ownDelivery(ctx, req.GetDeliveryId())
	if err != nil {
		return nil, err
	}
	if err := s.push.again(ctx, d); err != nil {
		return nil, err
	}
	if d, err = s.store.Delivery(ctx, d.ID); err != nil {
		return nil, err
	}
	return &routingv1.RedeliverDeliveryResponse{Delivery: deliveryProto(d)}, nil
}

// RedeliverDeliveries makes a range of deliveries pending; they are sent as their address has room.
func (s *Service) RedeliverDeliveries(ctx context.Context, req *routingv1.RedeliverDeliveriesRequest) (*routingv1.RedeliverDeliveriesResponse, error) {
	rb, err := s.rules()
	if err != nil {
		return nil, err
	}
	dealerID, err := dealerScope(ctx, req.GetDealerId())
	if err != nil {
		return nil, err
	}
	r, wrong := readRange(req, dealerID)
	if len(wrong) > 0 {
		return nil, problem.Invalid(wrong...)
	}
	if r.WebhookID != "" {
		if err := s.rangeOf(ctx, rb, &r); err != nil {
			return nil, err
		}
	}
	if r.To.IsZero() { // what is made meanwhile is not meant
		r.To = s.now()
	}
	resp := &routingv1.RedeliverDeliveriesResponse{}
	for place := (postgres.Place{}); ; {
		n, last, err := s.store.QueueRange(ctx, r, place, rangeChunk, s.now())
		if err != nil {
			return nil, err
		}
		resp.Count += int32(n)
		if place = last; n < rangeChunk {
			return resp, nil
		}
	}
}

func readRange(req *routingv1.RedeliverDeliveriesRequest, dealerID string) (r postgres.Range, wrong []problem.Violation) {
	r = postgres.Range{DealerID: dealerID, WebhookID: req.GetWebhookId(), RequestID: req.GetRequestId(), State: postgres.DeliveryDead}
	if r.DealerID == "" && r.WebhookID == "" {
		wrong = append(wrong, problem.Violation{Field: "dealer_id", Description: "is required, or webhook_id"})
	}
	switch req.GetState() {
	case "", "dead":
	case "delivered":
		r.State = postgres.DeliveryDelivered
		if r.RequestID == "" {
			wrong = append(wrong, problem.Violation{Field: "request_id", Description: "is required for state delivered: it keeps a repeated request from sending everything twice"})
		}
	default:
		wrong = append(wrong, problem.Violation{Field: "state", Description: "must be dead or delivered; those pending are sent anyway"})
	}
	if len(r.RequestID) > mostRequestID {
		wrong = append(wrong, problem.Violation{Field: "request_id", Description: "must be at most 64 characters"})
	}
	var more []problem.Violation
	r.From, r.To, more = readSpan(req.GetFrom(), req.GetTo())
	return r, append(wrong, more...)
}

// rangeOf finds whose the address of a range is. An address that was removed has deliveries still:
// then the dealer must be named.
func (s *Service) rangeOf(ctx context.Context, rb *rulebook, r *postgres.Range) error {
	w, err := s.ownWebhook(ctx, rb, r.WebhookID)
	switch {
	case isNotFound(err) && r.DealerID != "":
		return nil
	case err != nil:
		return err
	case r.DealerID != "" && r.DealerID != w.DealerID:
		return problem.Invalid(problem.Violation{Field: "webhook_id", Description: "is not of this dealer_id; leave one of them empty"})
	}
	r.DealerID = w.DealerID
	return nil
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
		LastAnswer: d.LastAnswer, CreatedAt: leadconv.Time(d.CreatedAt), At: leadconv.Time(d.At), WebhookId: d.WebhookID, Reason: explain(d.LastAnswer),
	}
}

// deliveryToken writes where a page ended.
func deliveryToken(at time.Time, id lead.ID) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(at.UnixMicro()))
	return cursor.Text(append(b, id[:]...))
}

// readDeliveryToken reads what deliveryToken wrote; empty text is the first page.
func readDeliveryToken(text string) (at time.Time, id lead.ID, ok bool) {
	if text == "" {
		return time.Time{}, lead.ID{}, true
	}
	b, read := cursor.Bytes(text)
	if !read || len(b) != 8+len(id) {
		return time.Time{}, lead.ID{}, false
	}
	copy(id[:], b[8:])
	return time.UnixMicro(int64(binary.BigEndian.Uint64(b))).UTC(), id, true
}
