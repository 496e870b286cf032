package routing

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/sla"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
	"github.com/leadmesh/leadmesh/services/routing/internal/webhook"
	"github.com/riverqueue/river"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// pushArgs are what a job holds: identifiers only.
type pushArgs struct {
	DeliveryID string `json:"delivery_id"`
	LeadID     string `json:"lead_id"`
}

// Kind names the job in River's table.
func (pushArgs) Kind() string { return "push" }

// pushWorker works the jobs.
type pushWorker struct {
	river.WorkerDefaults[pushArgs]
	p *pusher
}

// NextRetry follows our schedule instead of River's.
func (w *pushWorker) NextRetry(job *river.Job[pushArgs]) time.Time { return w.p.nextRetry(job.Attempt) }

// Work makes one attempt.
func (w *pushWorker) Work(ctx context.Context, job *river.Job[pushArgs]) error {
	id, err := lead.ParseID(job.Args.DeliveryID)
	if err != nil {
		return river.JobCancel(errors.New("no delivery id"))
	}
	d, err := w.p.s.store.Delivery(ctx, id)
	if err != nil {
		return plain(err)
	}
	if d.State != postgres.DeliveryPending || d.JobID != 0 && d.JobID != job.ID {
		return nil // done, given up, or another job's
	}
	last := job.Attempt >= job.MaxAttempts || time.Since(job.CreatedAt) > 2*w.p.schedule.Span()+time.Hour
	return w.p.attempt(ctx, d, job.Attempt, last)
}

// plain keeps texts of errors, which may name what they are about, out of River's rows.
func plain(err error) error {
	if err == nil {
		return nil
	}
	return errors.New(problem.From(err).Code())
}

// What ends a push without an attempt, as its last answer.
const (
	answerMoved    = "moved"    // the lead is another's or closed by now
	answerConsent  = "consent"  // the customer does not want it shared
	answerDisabled = "disabled" // nobody listens at the address any more
)

// attempt makes one attempt at a delivery. last: there will be no other.
func (p *pusher) attempt(ctx context.Context, d *postgres.Delivery, number int, last bool) error {
	rb, err := p.s.rules()
	if err != nil {
		return river.JobSnooze(time.Second)
	}
	hook, err := p.s.store.Webhook(ctx, d.WebhookID)
	switch {
	case problem.From(err) != nil && problem.From(err).Reason == problemv1.Reason_REASON_NOT_FOUND, err == nil && !hook.Enabled:
		return p.giveUp(ctx, rb, d, answerDisabled)
	case err != nil:
		return plain(err)
	}
	wait, ok := p.gates.Enter(ctx, hook.ID)
	if !ok {
		if last && number > 1 {
			return p.giveUp(ctx, rb, d, d.LastAnswer)
		}
		return river.JobSnooze(wait)
	}
	start := time.Now()
	answer, sent, err := p.send(ctx, rb, d, hook)
	p.gates.Leave(hook.ID, !sent || !answer.Unwell(), time.Since(start))
	if err != nil {
		return plain(err)
	}
	if !sent {
		return p.giveUp(ctx, rb, d, answer.Word)
	}
	return p.judge(ctx, rb, d, hook, answer, number, last)
}

// send sends a delivery if it still stands; sent is false with the reason as the answer's word if
// it does not.
func (p *pusher) send(ctx context.Context, rb *rulebook, d *postgres.Delivery, hook *postgres.Webhook) (a webhook.Answer, sent bool, err error) {
	var span trace.Span
	if d.Attempts == 0 {
		ctx, span = telemetry.StartLead(ctx, p.s.tel.Tracer, telemetry.SpanDeliver, d.Traceparent, d.LeadID.String())
	} else {
		ctx, span = telemetry.StartRoot(ctx, p.s.tel.Tracer, telemetry.SpanDeliver, d.Traceparent, d.LeadID.String())
	}
	defer span.End()
	k, err := p.s.store.Case(ctx, d.LeadID)
	if err != nil {
		return webhook.Answer{}, false, err
	}
	if k.Owner == nil || k.Owner.Sequence != d.Sequence || k.Owner.DealerID != d.DealerID {
		return webhook.Answer{Word: answerMoved}, false, nil
	}
	body, ok, err := p.body(rb, d, k)
	if err != nil || !ok {
		return webhook.Answer{Word: answerConsent}, false, err
	}
	a = p.sender.Send(ctx, webhook.Message{ID: d.ID.String(), URL: hook.URL, Secret: hook.Secret, Body: body, At: p.s.now()})
	if !a.Delivered() {
		span.SetStatus(codes.Error, a.Word)
		return a, true, nil
	}
	p.s.tel.Stages.Record(ctx, telemetry.StageDelivered, p.s.now().Sub(d.CreatedAt))
	return a, true, nil
}

// judge notes what an attempt came to.
func (p *pusher) judge(ctx context.Context, rb *rulebook, d *postgres.Delivery, hook *postgres.Webhook, a webhook.Answer, number int, last bool) error {
	d.Attempts++
	d.LastAnswer = a.Word
	switch {
	case a.Delivered():
		d.State, d.At = postgres.DeliveryDelivered, p.s.now()
		return p.delivered(ctx, rb, d, a.Acknowledged)
	case a.Gone():
		if err := p.s.store.DisableWebhook(ctx, hook.ID, p.s.now()); err != nil {
			return plain(err)
		}
		p.s.networkChanged()
		if err := p.giveUp(ctx, rb, d, a.Word); err != nil {
			return err
		}
		return plain(p.wake(ctx, hook.ID))
	case last:
		return p.giveUp(ctx, rb, d, a.Word)
	case a.Later():
		d.At = p.s.now().Add(a.RetryAfter)
		if err := p.s.store.SaveDelivery(ctx, d); err != nil {
			return plain(err)
		}
		return river.JobSnooze(a.RetryAfter)
	}
	wait, _ := p.schedule.Next(number, 0.5)
	d.At = p.s.now().Add(wait)
	if err := p.s.store.SaveDelivery(ctx, d); err != nil {
		return plain(err)
	}
	return errors.New(a.Word)
}

// giveUp ends a delivery that nobody took. A lead that is still the dealer's waits in our inbox
// from now on, so that its clocks run and its ladder tells somebody.
func (p *pusher) giveUp(ctx context.Context, rb *rulebook, d *postgres.Delivery, word string) error {
	d.State, d.LastAnswer, d.At = postgres.DeliveryDead, word, p.s.now()
	if word == answerMoved || word == answerConsent {
		return plain(p.s.store.SaveDelivery(ctx, d))
	}
	p.s.log.LogAttrs(ctx, slog.LevelWarn, "a push was given up, the lead waits in the inbox", slog.String("delivery", d.ID.String()),
		slog.String("lead", d.LeadID.String()), slog.String("dealer", d.DealerID), slog.String("answer", word))
	return p.delivered(ctx, rb, d, false)
}

// delivered saves a delivery that ended, and starts the store's clock.
func (p *pusher) delivered(ctx context.Context, rb *rulebook, d *postgres.Delivery, acknowledged bool) error {
	err := p.s.store.Change(ctx, []lead.ID{d.LeadID}, func(c *postgres.Change) error {
		if err := c.SaveDelivery(d); err != nil {
			return err
		}
		k := c.Cases[d.LeadID]
		if k == nil || k.Owner == nil || k.Owner.Sequence != d.Sequence || k.Owner.DealerID != d.DealerID {
			if k != nil {
				c.Leave(d.LeadID)
			}
			return nil
		}
		w := p.s.work(ctx, rb, c, k)
		first := k.Owner.DeliveredAt.IsZero()
		bot := acknowledged && k.Owner.Clock.AcknowledgedAt.IsZero()
		if !first && !bot {
			c.Leave(d.LeadID)
			return nil
		}
		if first {
			k.Owner.DeliveredAt = w.now
			w.apply(sla.Event{Kind: sla.EventDelivered, At: w.now})
			channel := deliveryWebhook
			if d.State != postgres.DeliveryDelivered {
				channel = deliveryInbox
			}
			w.add(eventDelivered, w.now, &leadv1.EventFacts{DeliveredAt: leadconv.Time(w.now), Kind: channel})
		}
		if bot {
			w.apply(sla.Event{Kind: sla.EventAcknowledged, At: w.now})
			w.add(eventAcknowledged, w.now, &leadv1.EventFacts{
				Actor: deliveryWebhook, Verdict: w.shown(sla.Judge(k.Owner.Clock, w.now).Acknowledge),
			})
		}
		return w.finish()
	})
	if err != nil {
		return plain(err)
	}
	p.s.relay.Wake()
	return nil
}
