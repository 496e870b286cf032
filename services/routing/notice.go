package routing

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/leadmesh/leadmesh/core/lead"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/routing/internal/endpoint"
	"github.com/leadmesh/leadmesh/services/routing/internal/mailer"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// noticeArgs are what the job of an escalation notice holds: identifiers only.
type noticeArgs struct {
	LeadID   string `json:"lead_id"`
	Sequence int    `json:"sequence"` // of the owner
	Role     string `json:"role"`     // MANAGER, DEALER_PRINCIPAL or FIELD_TEAM
}

// Kind names the job in River's table.
func (noticeArgs) Kind() string { return "escalation_notice" }

const noticeAttempts = 5

// noticeWorker mails the notices.
type noticeWorker struct {
	river.WorkerDefaults[noticeArgs]
	p *pusher
}

// NextRetry follows our schedule instead of River's.
func (w *noticeWorker) NextRetry(job *river.Job[noticeArgs]) time.Time {
	return w.p.nextRetry(job.Attempt)
}

// notify makes the notices of rungs that were climbed, in the transaction that climbed them. The
// rung that repeats daily tells nobody anew.
func (p *pusher) notify(ctx context.Context, tx pgx.Tx, k *postgres.Case, events []*leadv1.Event) error {
	if p.mail == nil || k.Owner == nil || k.Test {
		return nil
	}
	var jobs []river.InsertManyParams
	for _, e := range events {
		f := e.GetFacts()
		if e.GetType() != eventEscalated || f.GetKind() != "MANAGER" && f.GetKind() != "FIELD" {
			continue
		}
		jobs = append(jobs, river.InsertManyParams{
			Args:       noticeArgs{k.LeadID.String(), k.Owner.Sequence, f.GetRole()},
			InsertOpts: &river.InsertOpts{Queue: mailQueue, MaxAttempts: noticeAttempts},
		})
	}
	if len(jobs) == 0 {
		return nil
	}
	if _, err := p.client.InsertManyFastTx(ctx, tx, jobs); err != nil {
		return fmt.Errorf("queue the notices: %w", err)
	}
	return nil
}

// Work mails one notice, unless the lead was responded to or moved meanwhile.
func (w *noticeWorker) Work(ctx context.Context, job *river.Job[noticeArgs]) error {
	p := w.p
	id, err := lead.ParseID(job.Args.LeadID)
	if err != nil {
		return river.JobCancel(errors.New("no lead id"))
	}
	if p.mail == nil || mayHaveBeenSent(job.Errors) {
		return nil
	}
	rb, err := p.s.rules()
	if err != nil {
		return river.JobSnooze(time.Second)
	}
	k, err := p.s.store.Case(ctx, id)
	if err != nil {
		return errors.New(noticeUnsent + plain(err).Error())
	}
	if k.Owner == nil || k.Owner.Sequence != job.Args.Sequence || !k.Owner.Clock.RespondedAt.IsZero() {
		return nil
	}
	to := rb.network.addressOf(k.Owner, job.Args.Role)
	if to == "" {
		return nil
	}
	a := p.mail.Send(ctx, p.notice(rb, k, job.Args.Role, to))
	if a.Delivered() || a.Reached || a.Outcome == endpoint.Refused {
		return nil // rather none than two
	}
	return errors.New(noticeUnsent + a.Word)
}

// noticeUnsent begins the error of an attempt that surely sent nothing.
const noticeUnsent = "unsent: "

// mayHaveBeenSent reports whether an attempt ended without saying so, as one does whose process died.
func mayHaveBeenSent(list []rivertype.AttemptError) bool {
	return slices.ContainsFunc(list, func(e rivertype.AttemptError) bool { return !strings.HasPrefix(e.Error, noticeUnsent) })
}

// addressOf is the mailbox of a rung: a manager's is the department's, else the dealer's; a
// principal's the dealer's; the field team's that of the manufacturer's desk. "" if there is none.
func (n *networkView) addressOf(a *postgres.Assignment, role string) string {
	d := n.dealers[a.DealerID]
	if d == nil {
		return ""
	}
	var candidates []string
	switch role {
	case "MANAGER":
		if v := d.department(a.Department); v != nil {
			candidates = append(candidates, v.row.GetEmail())
		}
		candidates = append(candidates, d.dealer.GetEmail())
	case "DEALER_PRINCIPAL":
		candidates = append(candidates, d.dealer.GetEmail())
	case "FIELD_TEAM":
		for _, desk := range n.dealers {
			if desk.desk && desk.dealer.GetKind() == "DESK" {
				candidates = append(candidates, desk.dealer.GetEmail())
			}
		}
		slices.Sort(candidates)
	}
	for _, c := range candidates {
		if mailer.CheckAddress(c) == nil {
			return c
		}
	}
	return ""
}

// notice is the mail of a rung. It names no customer: who gets it looks into the inbox.
func (p *pusher) notice(rb *rulebook, k *postgres.Case, role, to string) mailer.Message {
	d, zone := rb.network.dealers[k.Owner.DealerID], time.UTC
	name := k.Owner.DealerID
	if d != nil {
		zone, name = d.zone, d.dealer.GetName()
	}
	by := k.Owner.Clock.Deadlines.RespondBy.In(zone).Format("2006-01-02 15:04 MST")
	return mailer.Message{
		ID: "notice-" + strings.ToLower(role) + "-" + k.LeadID.String() + "." + fmt.Sprint(k.Owner.Sequence), To: to, At: p.s.now(),
		Subject: "Lead not responded to: " + name,
		Text: strings.Join([]string{
			"A lead at " + name + " has had no first response.", "",
			"Lead:        " + k.LeadID.String(), "Line:        " + strings.ToLower(k.Line.String()), "Brand:       " + k.Brand,
			"Department:  " + strings.ToLower(k.Owner.Department.String()), "Respond by:  " + by, "",
			"The customer and what to do next are in the dealer's inbox.", "",
		}, "\n"),
	}
}
