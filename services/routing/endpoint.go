package routing

import (
	"context"
	"strings"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/routing/internal/mailer"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
)

// The ways a department gets its leads.
const (
	deliveryInbox    = "inbox"
	deliveryWebhook  = "webhook"
	deliveryADFHTTP  = "adf_http"
	deliveryADFEmail = "adf_email"
)

// kindName is a kind of push address as requests and answers spell it.
func kindName(k postgres.EndpointKind) string {
	switch k {
	case postgres.KindADFHTTP:
		return deliveryADFHTTP
	case postgres.KindADFEmail:
		return deliveryADFEmail
	}
	return deliveryWebhook
}

// endpointRef names a push address; the zero value is none.
type endpointRef struct {
	id   string
	kind postgres.EndpointKind
}

// delivery is how a dealer's department gets its leads: pushed where there is an enabled address for
// them, whatever the department's row says; by e-mail where the row says so; else by our inbox, so
// that no lead waits for a channel that does not exist. The inbox can be read either way.
func (n *networkView) delivery(dealerID string, kind lead.Department) string {
	if e := n.endpoint(dealerID, kind); e.id != "" {
		return kindName(e.kind)
	}
	return deliveryInbox
}

// endpoint is the push address for the leads of a dealer's department: its own, that of the
// department which stands in for it, the dealer's, or the mailbox of its row. Without a mail relay
// no mailbox counts.
func (n *networkView) endpoint(dealerID string, kind lead.Department) endpointRef {
	d := n.dealers[dealerID]
	if d == nil {
		return endpointRef{}
	}
	v := d.department(kind)
	keys := [3]endpointKey{{dealerID, kind}, {dealerID, kind}, {dealerID, lead.DepartmentUnspecified}}
	if v != nil {
		keys[1].department = lead.Department(v.row.GetDepartment())
	}
	for _, k := range keys {
		if e := n.endpoints[k]; e.id != "" && (e.kind != postgres.KindADFEmail || n.mail) {
			return e
		}
	}
	if v != nil && n.mail && d.mailbox(v) != "" {
		return endpointRef{departmentEndpointID(dealerID, lead.Department(v.row.GetDepartment())), postgres.KindADFEmail}
	}
	return endpointRef{}
}

// mailbox is where a department whose row says adf_email gets its leads: its own address, else the
// dealer's; "" if it gets none by e-mail.
func (d *dealerView) mailbox(v *departmentView) string {
	if v.row.GetDelivery() != deliveryADFEmail {
		return ""
	}
	for _, address := range [...]string{v.row.GetEmail(), d.dealer.GetEmail()} {
		if mailer.CheckAddress(address) == nil {
			return address
		}
	}
	return ""
}

// departmentPrefix begins the identifier of an address that is a department's own delivery setting.
const departmentPrefix = "dp_"

func departmentEndpointID(dealerID string, kind lead.Department) string {
	return departmentPrefix + dealerID + "." + kind.String()
}

// departmentEndpoint is the address that is a department's own delivery setting; ok is false if the
// identifier is no such one, or the department gets nothing by e-mail.
func (n *networkView) departmentEndpoint(id string) (w *postgres.Webhook, ok bool) {
	rest, ok := strings.CutPrefix(id, departmentPrefix)
	dot := strings.LastIndexByte(rest, '.')
	if !ok || dot < 0 {
		return nil, false
	}
	kind, ok := lead.ParseDepartment(rest[dot+1:])
	d := n.dealers[rest[:dot]]
	if !ok || d == nil || d.departments[kind] == nil {
		return nil, false
	}
	address := d.mailbox(d.departments[kind])
	return &postgres.Webhook{
		WebhookTarget: postgres.WebhookTarget{ID: id, DealerID: rest[:dot], Department: kind, Kind: postgres.KindADFEmail},
		Address:       address, Enabled: true,
	}, address != ""
}

// departmentEndpoints are the addresses that are delivery settings of departments, of one dealer or,
// with "", of all; in no order.
func (n *networkView) departmentEndpoints(dealerID string) []*postgres.Webhook {
	var out []*postgres.Webhook
	for id, d := range n.dealers {
		if dealerID != "" && id != dealerID {
			continue
		}
		for kind := range d.departments {
			if w, ok := n.departmentEndpoint(departmentEndpointID(id, kind)); ok {
				out = append(out, w)
			}
		}
	}
	return out
}

// endpoint reads a push address of either sort; the problem NOT_FOUND if there is none.
func (s *Service) endpoint(ctx context.Context, rb *rulebook, id string) (*postgres.Webhook, error) {
	if !strings.HasPrefix(id, departmentPrefix) {
		return s.store.Webhook(ctx, id)
	}
	if w, ok := rb.network.departmentEndpoint(id); ok {
		return w, nil
	}
	return nil, problem.NotFound("webhook")
}

// kindOf is what an address takes. One that is gone takes nothing: a push there finds that out.
func (p *pusher) kindOf(ctx context.Context, id string) (postgres.EndpointKind, error) {
	if strings.HasPrefix(id, departmentPrefix) {
		return postgres.KindADFEmail, nil
	}
	w, err := p.s.store.Webhook(ctx, id)
	switch {
	case isNotFound(err):
		return postgres.KindWebhook, nil
	case err != nil:
		return 0, err
	}
	return w.Kind, nil
}
