package routing

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/playbook"
	"github.com/leadmesh/leadmesh/core/sla"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/cursor"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
)

const (
	inboxPage    = 50
	inboxPageMax = 500
)

// ListInbox answers the open leads of a dealer and those that are offered to it, the next deadline
// first. What is offered is shown without name and contact points: they come with the lead.
func (s *Service) ListInbox(ctx context.Context, req *routingv1.ListInboxRequest) (*routingv1.ListInboxResponse, error) {
	q, err := parseInbox(rpc.CallerFrom(ctx), req)
	if err != nil {
		return nil, err
	}
	rb, err := s.rules()
	if err != nil {
		return nil, err
	}
	if rb.network.dealers[q.DealerID] == nil { // one that was made a moment ago is in the database only
		if _, err := s.store.Dealer(ctx, q.DealerID); err != nil {
			return nil, err
		}
	}
	size := q.Limit
	q.Limit++ // one more tells whether there is a next page
	cases, err := s.store.Inbox(ctx, q)
	if err != nil {
		return nil, err
	}
	resp := &routingv1.ListInboxResponse{}
	if resp.OpenCount, err = s.store.CountOpen(ctx, q.DealerID); err != nil {
		return nil, err
	}
	if len(cases) > size {
		cases = cases[:size]
		last := cases[size-1]
		resp.NextPageToken = inboxToken{last.Owner.Deadline.At, last.LeadID}.String()
	}
	now := s.now()
	for _, k := range cases {
		item, err := rb.inboxItem(k, q.DealerID, now)
		if err != nil {
			return nil, problem.Internal(err)
		}
		resp.Items = append(resp.Items, item)
	}
	return resp, nil
}

func parseInbox(caller rpc.Caller, req *routingv1.ListInboxRequest) (postgres.InboxQuery, error) {
	q := postgres.InboxQuery{
		DealerID: req.GetDealerId(), Department: lead.Department(req.GetDepartment()), PersonID: req.GetPersonId(), Limit: int(req.GetPageSize()),
	}
	if caller.OnlyDealer() {
		if q.DealerID == "" {
			q.DealerID = caller.DealerID
		}
		if q.DealerID != caller.DealerID {
			return q, problem.New(problemv1.Reason_REASON_NOT_YOUR_DEALER, "the inbox belongs to another dealer")
		}
	}
	var bad []problem.Violation
	if q.DealerID == "" {
		bad = append(bad, problem.Violation{Field: "dealer_id", Description: "is required"})
	}
	if q.Limit == 0 {
		q.Limit = inboxPage
	}
	if q.Limit < 1 || q.Limit > inboxPageMax {
		bad = append(bad, problem.Violation{Field: "page_size", Description: "is 1 to 500, or absent for 50"})
	}
	if t := req.GetPageToken(); t != "" {
		token, ok := parseInboxToken(t)
		if !ok {
			bad = append(bad, problem.Violation{Field: "page_token", Description: "is none that an answer of this call held; leave it out to begin anew"})
		}
		q.After, q.AfterID = token.at, token.id
	}
	if len(bad) > 0 {
		return q, problem.Invalid(bad...)
	}
	return q, nil
}

// inboxToken is the place of the last item of a page.
type inboxToken struct {
	at time.Time // its deadline, whole microseconds
	id lead.ID
}

const inboxTokenVersion = 1

// String writes the token as callers carry it: opaque to them.
func (t inboxToken) String() string {
	b := binary.BigEndian.AppendUint64([]byte{inboxTokenVersion}, uint64(t.at.UnixMicro()))
	return cursor.Text(append(b, t.id[:]...))
}

// parseInboxToken reads what String wrote, and nothing else. Its time is one the database can hold.
func parseInboxToken(text string) (t inboxToken, ok bool) {
	b, read := cursor.Bytes(text)
	if !read || len(b) != 1+8+len(t.id) || b[0] != inboxTokenVersion {
		return inboxToken{}, false
	}
	t.at = time.UnixMicro(int64(binary.BigEndian.Uint64(b[1:]))).UTC()
	copy(t.id[:], b[9:])
	if year := t.at.Year(); year < 1 || year > 9999 || t.id.IsZero() || t.at.IsZero() {
		return inboxToken{}, false
	}
	return t, true
}

func (rb *rulebook) inboxItem(k *postgres.Case, dealerID string, now time.Time) (*routingv1.InboxItem, error) {
	l, err := storedLead(k)
	if err != nil {
		return nil, err
	}
	item := &routingv1.InboxItem{LeadCase: rb.network.leadCase(k), Summary: rb.summary(&l, k), NextStep: rb.nextStep(k, now)}
	if k.DealerID != dealerID { // only offered
		item.NextStep = "accept or decline the lead that is offered to you"
		return item, nil
	}
	p := l.Primary()
	if p == nil || !mayContact(&l, dealerID, lead.ChannelUnspecified, "", now) {
		return item, nil
	}
	item.CustomerName = fullName(p)
	item.ContactPoints = contactPoints(&l, p, dealerID, now)
	return item, nil
}

// mayContact reports whether neither we nor the dealer were told not to answer by a channel at a
// contact point.
func mayContact(l *lead.Lead, dealerID string, channel lead.Channel, point string, now time.Time) bool {
	return lead.MayAnswer(l.Consents, lead.ConsentKey{Controller: lead.ControllerOEM, Channel: channel, ContactPoint: point}, now) &&
		lead.MayAnswer(l.Consents, lead.ConsentKey{Controller: lead.ControllerDealer, ControllerID: dealerID, Channel: channel, ContactPoint: point}, now)
}

// contactPoints are the phones and addresses that may be used, the preferred one first. A phone is
// shown if it may be called or texted.
func contactPoints(l *lead.Lead, p *lead.Party, dealerID string, now time.Time) []string {
	var out []string
	for i := range p.Phones {
		number := p.Phones[i].E164
		if number == "" {
			if number = p.Phones[i].Raw; number == "" {
				continue
			}
		}
		point := lead.ContactPoint(number, l.Market)
		if !mayContact(l, dealerID, lead.ChannelCall, point, now) && !mayContact(l, dealerID, lead.ChannelSMS, point, now) {
			continue
		}
		if p.Phones[i].Preferred {
			out = append([]string{number}, out...)
		} else {
			out = append(out, number)
		}
	}
	for i := range p.Emails {
		if address := p.Emails[i].Address; address != "" && mayContact(l, dealerID, lead.ChannelEmail, lead.ContactPoint(address, l.Market), now) {
			out = append(out, address)
		}
	}
	return out
}

func fullName(p *lead.Party) string {
	if p.Name.Full != "" {
		return p.Name.Full
	}
	if name := strings.Join(strings.Fields(p.Name.Given+" "+p.Name.Family), " "); name != "" {
		return name
	}
	return p.Name.Company
}

// summary says in one line what the customer wants: "test drive, NORRVIND E-Lastar, wants it within
// 2 weeks".
func (rb *rulebook) summary(l *lead.Lead, k *postgres.Case) string {
	const language = "en"
	what := lead.Label(language, "line", k.Line.String())
	if l.RequestType != lead.RequestTypeUnspecified {
		what = lead.Label(language, "request_type", l.RequestType.String())
	}
	parts := []string{strings.ToLower(what)}
	role := lead.VehicleRoleSought
	if l.Vehicle(role) == nil {
		role = lead.VehicleRoleOwned
	}
	brand := k.Brand
	if v := l.Vehicle(role); v != nil {
		if role == lead.VehicleRoleOwned && v.Make != "" {
			brand = v.Make
		}
		year := ""
		if v.Year > 0 {
			year = fmt.Sprint(v.Year)
		}
		parts = append(parts, strings.Join(strings.Fields(strings.Join([]string{brand, v.Model, v.Trim, year}, " ")), " "))
	} else {
		parts = append(parts, brand)
	}
	if until := l.TimeFrame.Latest; !until.IsZero() {
		parts = append(parts, "wants it "+within(until.Sub(l.ReceivedAt)))
	}
	kept := parts[:0]
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, ", ")
}

// within puts a time frame into words.
func within(d time.Duration) string {
	days := int((d + 23*time.Hour) / (24 * time.Hour))
	count := func(n int, unit string) string {
		if n == 1 {
			return "within a " + unit
		}
		return fmt.Sprintf("within %d %ss", n, unit)
	}
	switch {
	case days <= 1:
		return "now"
	case days < 14:
		return count(days, "day")
	case days < 60:
		return count((days+3)/7, "week")
	}
	return count((days+15)/30, "month")
}

// nextStep says what the owner does next: what the deadline is for, and the step of the play that
// the lead has come to.
func (rb *rulebook) nextStep(k *postgres.Case, now time.Time) string {
	a := k.Owner
	text := stepText(a.Deadline.Kind, len(a.Clock.Attempts))
	if !a.Clock.EngagedAt.IsZero() {
		return text
	}
	play := rb.playOf(k)
	if play == nil {
		return text
	}
	do := ""
	for _, step := range play.Steps { // by hour
		if do == "" || now.Sub(a.AssignedAt) >= time.Duration(step.Hour)*time.Hour {
			do = step.Do
		}
	}
	if do == "" {
		return text
	}
	return text + "; " + play.Title + ": " + do
}

// playOf is the play that the decision named, else the one of the lead's line.
func (rb *rulebook) playOf(k *postgres.Case) *playbook.Play {
	if id := k.Decision.GetScore().GetPlay(); id != "" {
		for i := range rb.playbook.Plays {
			if rb.playbook.Plays[i].ID == id {
				return &rb.playbook.Plays[i]
			}
		}
	}
	return rb.playbook.Play(k.Line, lead.SegmentUnspecified)
}

func stepText(kind sla.DeadlineKind, attempts int) string {
	switch kind {
	case sla.DueAccept:
		return "accept the lead and reach the customer"
	case sla.DueWarn, sla.DueRespond:
		return "reach the customer: call, or write in your own words"
	case sla.DueEscalatePerson, sla.DueEscalateManager, sla.DueEscalateField, sla.DueEscalateDaily:
		return "the first response is overdue: reach the customer now"
	case sla.DueAskedAgain:
		return "the customer asked again: answer"
	case sla.DueNextStep:
		return "take the next step with the customer"
	case sla.DueAppointmentRemind:
		return "remind the customer of the appointment"
	case sla.DueAppointmentOutcome:
		return "say whether the customer came"
	case sla.DueAttempt:
		return fmt.Sprintf("try again to reach the customer, attempt %d", attempts+1)
	case sla.DueReview:
		return "the pause is over then: take the lead up again"
	case sla.DueWindowEnd:
		return "last days to reach the customer before the lead expires"
	}
	return "look at the lead"
}
