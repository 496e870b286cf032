package routing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/sla"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
	"github.com/leadmesh/leadmesh/services/routing/internal/endpoint"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
	"github.com/riverqueue/river"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/protobuf/proto"
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
	answerUnfit    = "unfit"    // the lead cannot be written in the format
)

// explain says a last answer in a sentence.
func explain(word string) string {
	switch word {
	case "":
		return ""
	case answerMoved:
		return "not sent: the lead is another dealer's by now, or closed"
	case answerConsent:
		return "not sent: the customer does not want the lead shared"
	case answerDisabled:
		return "not sent: the address was removed or switched off; the lead waits in the inbox"
	case answerUnfit:
		return "not sent: the lead cannot be written in the address's format; it waits in the inbox"
	}
	return endpoint.Explain(word)
}

func isNotFound(err error) bool {
	return err != nil && problem.From(err).Reason == problemv1.Reason_REASON_NOT_FOUND
}

// attempt makes one attempt at a delivery. last: there will be no other.
func (p *pusher) attempt(ctx context.Context, d *postgres.Delivery, number int, last bool) error {
	rb, err := p.s.rules()
	if err != nil {
		return river.JobSnooze(time.Second)
	}
	hook, err := p.s.endpoint(ctx, rb, d.WebhookID)
	switch {
	case isNotFound(err), err == nil && !hook.Enabled:
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
	start, began := time.Now(), p.s.now()
	answer, sent, err := p.send(ctx, rb, d, hook)
	p.gates.Leave(hook.ID, !sent || !answer.Unwell, time.Since(start))
	if err != nil {
		return plain(err)
	}
	if !sent {
		return p.giveUp(ctx, rb, d, answer.Word)
	}
	d.Tried(postgres.Try{At: began, Took: time.Since(start), Answer: answer.Word})
	return p.judge(ctx, rb, d, hook, answer, number, last)
}

// send sends a delivery if it still stands; sent is false with the reason as the answer's word if
// it does not.
func (p *pusher) send(ctx context.Context, rb *rulebook, d *delivery, hook *postgres.Webhook) (a endpoint.Answer, sent bool, err error) {
	var span trace.Span
	if d.Attempts == 0 {
		ctx, span = telemetry.StartLead(ctx, p.s.tel.Tracer, telemetry.SpanDeliver, d.Traceparent, d.LeadID.String())
	} else {
		ctx, span = telemetry.StartRoot(ctx, p.s.tel.Tracer, telemetry.SpanDeliver, d.Traceparent, d.LeadID.String())
	}
	defer span.End()
	k, err := p.s.store.Case(ctx, d.LeadID)
	if err != nil {
		return endpoint.Answer{}, false, err
	}
	if k.Owner == nil || k.Owner.Sequence != d.Sequence || k.Owner.DealerID != d.DealerID {
		return endpoint.Answer{Word: answerMoved}, false, nil
	}
	stored := &leadv1.Lead{}
	if err := proto.Unmarshal(k.Lead, stored); err != nil {
		return endpoint.Answer{}, false, fmt.Errorf("decode the lead: %w", err)
	}
	l, wrong := leadconv.FromProto(stored)
	if len(wrong) > 0 {
		return endpoint.Answer{}, false, fmt.Errorf("a stored lead has %d wrong fields", len(wrong))
	}
	now := p.s.now()
	if !lead.MayShare(l.Consents, d.DealerID, now) || !rb.mayShare(&l, now) {
		return endpoint.Answer{Word: answerConsent}, false, nil
	}
	held := d.Sent
	parcel, err := p.parcel(rb, d, k, stored, &l, hook)
	if err != nil {
		p.s.log.LogAttrs(ctx, slog.LevelError, "a lead cannot be written for its dealer", slog.String("lead", d.LeadID.String()), slog.String("cause", err.Error()))
		return endpoint.Answer{Word: answerUnfit}, false, nil
	}
	if hook.Kind != postgres.KindWebhook && !held { // if this process dies now, the next one says that it may be a repetition
		if err := p.s.store.MarkSent(ctx, d.ID); err != nil {
			return endpoint.Answer{}, false, err
		}
	}
	a = parcel(ctx)
	d.Sent = held || a.Reached
	if !a.Delivered() {
		span.SetStatus(codes.Error, a.Word)
		return a, true, nil
	}
	p.s.tel.Stages.Record(ctx, telemetry.StageDelivered, now.Sub(d.CreatedAt))
	return a, true, nil
}

// judge notes what an attempt came to.
func (p *pusher) judge(ctx context.Context, rb *rulebook, d *delivery, hook *postgres.Webhook, a endpoint.Answer, number int, last bool) error {
	switch {
	case a.Delivered():
		d.State, d.At = postgres.DeliveryDelivered, p.s.now()
		return p.delivered(ctx, rb, d, kindName(hook.Kind), a.Acknowledged)
	case a.Outcome == endpoint.Gone:
		if err := p.s.store.DisableWebhook(ctx, hook.ID, p.s.now()); err != nil {
			return plain(err)
		}
		p.s.networkChanged()
		if err := p.giveUp(ctx, rb, d, a.Word); err != nil {
			return err
		}
		return plain(p.wake(ctx, hook.ID))
	case last, a.Outcome == endpoint.Refused:
		return p.giveUp(ctx, rb, d, a.Word)
	case a.RetryAfter > 0:
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
	return p.delivered(ctx, rb, d, deliveryInbox, false)
}

// delivered saves a delivery that ended, and starts the store's clock. channel is where the lead is
// to be seen now.
func (p *pusher) delivered(ctx context.Context, rb *rulebook, d *delivery, channel string, acknowledged bool) error {
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
			w.add(eventDelivered, w.now, &leadv1.EventFacts{DeliveredAt: leadconv.Time(w.now), Kind: channel})
		}
		if bot {
			w.apply(sla.Event{Kind: sla.EventAcknowledged, At: w.now})
			w.add(eventAcknowledged, w.now, &leadv1.EventFacts{
				Actor: channel, Verdict: w.shown(sla.Judge(k.Owner.Clock, w.now).Acknowledge),
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
