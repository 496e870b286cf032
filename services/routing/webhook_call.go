package routing

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/internal/outbox"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"github.com/leadmesh/leadmesh/services/routing/internal/adfpost"
	"github.com/leadmesh/leadmesh/services/routing/internal/mailer"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
	"github.com/leadmesh/leadmesh/services/routing/internal/webhook"
)

const (
	mostSubject       = 200
	mostAuthorization = 2_000
	defaultOverlap    = 24
	mostOverlap       = 720 // hours
)

// PutWebhook makes or replaces the push address of a dealer's department. Replacing without a
// secret keeps the one there is. An address is pushed to unless the request says otherwise.
func (s *Service) PutWebhook(ctx context.Context, req *routingv1.PutWebhookRequest) (*routingv1.PutWebhookResponse, error) {
	if err := ownDealer(ctx, req.GetDealerId()); err != nil {
		return nil, err
	}
	w, wrong := s.readWebhook(ctx, req)
	if len(wrong) > 0 {
		return nil, problem.Invalid(wrong...)
	}
	if _, err := s.store.Dealer(ctx, req.GetDealerId()); err != nil {
		return nil, err
	}
	made := webhook.NewSecret()
	id, used, err := s.store.PutWebhook(ctx, *w, made, s.now())
	if err != nil {
		return nil, err
	}
	s.push.gates.Forget(id)
	s.networkChanged()
	if err := s.push.wake(ctx, id); err != nil {
		return nil, err
	}
	resp := &routingv1.PutWebhookResponse{WebhookId: id, Enabled: w.Enabled}
	if used && w.Kind != postgres.KindADFEmail { // mail is not signed; the secret waits for another kind
		resp.Secret = made
	}
	return resp, nil
}

// readWebhook reads the address that a request sets, and everything that is wrong with it.
func (s *Service) readWebhook(ctx context.Context, req *routingv1.PutWebhookRequest) (*postgres.Webhook, []problem.Violation) {
	var wrong []problem.Violation
	refuse := func(field, description string) {
		wrong = append(wrong, problem.Violation{Field: field, Description: description})
	}
	w := &postgres.Webhook{
		WebhookTarget: postgres.WebhookTarget{
			ID: "wh_" + outbox.NewEventID().String(), DealerID: req.GetDealerId(), Department: lead.Department(req.GetDepartment()),
		},
		Secret: req.GetSecret(), Enabled: req.Enabled == nil || req.GetEnabled(), NightlyTest: req.GetNightlyTest(),
	}
	if w.Department != lead.DepartmentUnspecified && w.Department.String() == "" {
		refuse("department", "is none of NEW, USED, SERVICE, PARTS, BODY, FLEET")
	}
	only := func(kind, field string, given bool) {
		if given && kind != kindName(w.Kind) {
			refuse(field, "is for kind "+kind+" only")
		}
	}
	switch req.GetKind() {
	case "", deliveryWebhook:
		w.Kind = postgres.KindWebhook
	case deliveryADFHTTP:
		w.Kind = postgres.KindADFHTTP
	case deliveryADFEmail:
		w.Kind = postgres.KindADFEmail
	default:
		refuse("kind", "must be webhook, adf_http or adf_email")
		return w, wrong
	}
	only(deliveryADFHTTP, "content_type", req.GetContentType() != "")
	only(deliveryADFHTTP, "authorization", req.GetAuthorization() != "")
	only(deliveryADFEmail, "email", req.GetEmail() != "")
	only(deliveryADFEmail, "attachment", req.GetAttachment())
	only(deliveryADFEmail, "subject", req.GetSubject() != "")
	if w.Kind == postgres.KindADFEmail {
		w.Address, w.Attachment, w.Subject = req.GetEmail(), req.GetAttachment(), req.GetSubject()
		if err := mailer.CheckAddress(w.Address); err != nil {
			refuse("email", err.Error())
		}
		if s.push.mail == nil {
			refuse("kind", "adf_email needs a mail relay: start the server with --smtp-relay and --mail-from")
		}
		if len(w.Subject) > mostSubject || strings.ContainsAny(w.Subject, "\r\n") {
			refuse("subject", "must be one line of at most 200 bytes")
		}
		if req.GetUrl() != "" || req.GetSecret() != "" {
			refuse("url", "url and secret are for kinds webhook and adf_http only")
		}
		return w, wrong
	}
	w.Address = req.GetUrl()
	allowed := s.push.network
	if rpc.CallerFrom(ctx).OnlyDealer() { // what listens on our machine is not a dealer's
		allowed.Loopback = allowed.Loopback && allowed.Private
	}
	if err := allowed.CheckURL(w.Address); err != nil {
		refuse("url", err.Error())
	}
	if w.Secret != "" {
		if err := webhook.CheckSecret(w.Secret); err != nil {
			refuse("secret", err.Error())
		}
	}
	if w.Kind == postgres.KindADFHTTP {
		w.ContentType, w.Authorization = cmp.Or(req.GetContentType(), adfpost.TypeADF), req.GetAuthorization()
		if w.ContentType != adfpost.TypeADF && w.ContentType != adfpost.TypeXML {
			refuse("content_type", "must be application/x-adf+xml or application/xml")
		}
		if len(w.Authorization) > mostAuthorization || strings.ContainsFunc(w.Authorization, func(r rune) bool { return r < ' ' || r > '~' }) {
			refuse("authorization", "must be the value of an Authorization header: printable ASCII, at most 2,000 bytes")
		}
	}
	return w, wrong
}

// ownWebhook reads a push address that the caller may see.
func (s *Service) ownWebhook(ctx context.Context, rb *rulebook, id string) (*postgres.Webhook, error) {
	if id == "" {
		return nil, problem.Invalid(problem.Violation{Field: "webhook_id", Description: "is required"})
	}
	w, err := s.endpoint(ctx, rb, id)
	if err != nil {
		return nil, err
	}
	if c := rpc.CallerFrom(ctx); c.OnlyDealer() && c.DealerID != w.DealerID {
		return nil, problem.New(problemv1.Reason_REASON_NOT_YOUR_DEALER, "the webhook is another dealer's")
	}
	return w, nil
}

// ListWebhooks answers push addresses by dealer and department.
func (s *Service) ListWebhooks(ctx context.Context, req *routingv1.ListWebhooksRequest) (*routingv1.ListWebhooksResponse, error) {
	rb, err := s.rules()
	if err != nil {
		return nil, err
	}
	dealerID, err := dealerScope(ctx, req.GetDealerId())
	if err != nil {
		return nil, err
	}
	size, wrong := pageSize(req.GetPageSize())
	if len(wrong) > 0 {
		return nil, problem.Invalid(wrong...)
	}
	list, err := s.store.Webhooks(ctx, dealerID)
	if err != nil {
		return nil, err
	}
	list = append(list, rb.network.departmentEndpoints(dealerID)...)
	slices.SortFunc(list, func(a, b *postgres.Webhook) int { return strings.Compare(webhookPlace(a), webhookPlace(b)) })
	if token := req.GetPageToken(); token != "" {
		list = list[lenBefore(list, token):]
	}
	resp := &routingv1.ListWebhooksResponse{}
	if len(list) > size {
		list = list[:size]
		resp.NextPageToken = webhookPlace(list[size-1])
	}
	for _, w := range list {
		resp.Webhooks = append(resp.Webhooks, s.webhookProto(w))
	}
	return resp, nil
}

// webhookPlace is where an address stands in the list.
func webhookPlace(w *postgres.Webhook) string {
	return w.DealerID + "." + string('0'+rune(w.Department)) + "." + w.ID
}

// lenBefore counts the addresses up to a place, it included.
func lenBefore(list []*postgres.Webhook, place string) int {
	n, found := slices.BinarySearchFunc(list, place, func(w *postgres.Webhook, place string) int { return strings.Compare(webhookPlace(w), place) })
	if found {
		n++
	}
	return n
}

// GetWebhook answers a push address.
func (s *Service) GetWebhook(ctx context.Context, req *routingv1.GetWebhookRequest) (*routingv1.GetWebhookResponse, error) {
	rb, err := s.rules()
	if err != nil {
		return nil, err
	}
	w, err := s.ownWebhook(ctx, rb, req.GetWebhookId())
	if err != nil {
		return nil, err
	}
	return &routingv1.GetWebhookResponse{Webhook: s.webhookProto(w)}, nil
}

func (s *Service) webhookProto(w *postgres.Webhook) *routingv1.Webhook {
	out := &routingv1.Webhook{
		WebhookId: w.ID, DealerId: w.DealerID, Department: leadv1.Department(w.Department), Kind: kindName(w.Kind), Enabled: w.Enabled,
		ContentType: w.ContentType, Attachment: w.Attachment, Subject: w.Subject, Authorized: w.Authorization != "", NightlyTest: w.NightlyTest,
		TestedAt: leadconv.Time(w.TestedAt), TestAnswer: w.TestAnswer, OfDepartment: ofDepartment(w),
	}
	if w.Kind == postgres.KindADFEmail {
		out.Email, out.Enabled = w.Address, w.Enabled && s.push.mail != nil
		if out.Subject == "" {
			out.Subject = defaultSubject
		}
	} else {
		out.Url = w.Address
	}
	if now := s.now(); len(w.Secrets(now)) > 1 {
		out.OldSecretUntil = leadconv.Time(w.OldSecretUntil)
	}
	return out
}

func ofDepartment(w *postgres.Webhook) bool { return strings.HasPrefix(w.ID, departmentPrefix) }

// DeleteWebhook removes a push address.
func (s *Service) DeleteWebhook(ctx context.Context, req *routingv1.DeleteWebhookRequest) (*routingv1.DeleteWebhookResponse, error) {
	rb, err := s.rules()
	if err != nil {
		return nil, err
	}
	w, err := s.ownWebhook(ctx, rb, req.GetWebhookId())
	if err != nil {
		return nil, err
	}
	if ofDepartment(w) {
		return nil, problem.New(problemv1.Reason_REASON_WRONG_STATE, "the address is the department's own; put the dealer with another delivery for it")
	}
	if err := s.store.DeleteWebhook(ctx, w.ID, s.now()); err != nil {
		return nil, err
	}
	s.networkChanged()
	return &routingv1.DeleteWebhookResponse{}, s.push.wake(ctx, w.ID)
}

// RotateWebhook makes a new signing secret.
func (s *Service) RotateWebhook(ctx context.Context, req *routingv1.RotateWebhookRequest) (*routingv1.RotateWebhookResponse, error) {
	rb, err := s.rules()
	if err != nil {
		return nil, err
	}
	w, err := s.ownWebhook(ctx, rb, req.GetWebhookId())
	if err != nil {
		return nil, err
	}
	if w.Kind == postgres.KindADFEmail {
		return nil, problem.New(problemv1.Reason_REASON_WRONG_STATE, "mail is not signed: there is no secret to rotate")
	}
	hours := int32(defaultOverlap)
	if req.OverlapHours != nil {
		hours = req.GetOverlapHours()
	}
	var wrong []problem.Violation
	if hours < 0 || hours > mostOverlap {
		wrong = append(wrong, problem.Violation{Field: "overlap_hours", Description: "must be 0 to 720"})
	}
	secret, resp := req.GetSecret(), &routingv1.RotateWebhookResponse{}
	if secret == "" {
		secret = webhook.NewSecret()
		resp.Secret = secret
	} else if err := webhook.CheckSecret(secret); err != nil {
		wrong = append(wrong, problem.Violation{Field: "secret", Description: err.Error()})
	} else if secret == w.Secret {
		wrong = append(wrong, problem.Violation{Field: "secret", Description: "is the present one; leave it empty and one is made"})
	}
	if len(wrong) > 0 {
		return nil, problem.Invalid(wrong...)
	}
	now := s.now()
	until := now.Add(time.Duration(hours) * time.Hour)
	if err := s.store.RotateWebhook(ctx, w.ID, secret, until, now); err != nil {
		return nil, err
	}
	if hours > 0 {
		resp.OldSecretUntil = leadconv.Time(until)
	}
	return resp, nil
}
