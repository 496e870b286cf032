package capture

import (
	"context"
	"time"

	"github.com/leadmesh/leadmesh/core/governance"
	"github.com/leadmesh/leadmesh/core/lead"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	store "github.com/leadmesh/leadmesh/services/capture/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/internal/outbox"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// judged is a lead with everything that was said of it since, as the rules of now see it.
type judged struct {
	lead     *lead.Lead
	message  *leadv1.Lead
	governed store.Governed
	verdict  governance.Verdict
}

// judge reads a held lead, puts over it what its source and operators said since, then the given
// change, and governs it anew; nil if there is no lead because its document cannot be read.
func (s *Service) judge(m *store.Mending, change *change) (*judged, error) {
	g, revision := s.governor()
	if g == nil {
		return nil, problem.New(problemv1.Reason_REASON_NOT_READY, "no playbook is loaded to judge the lead by; try again in moments")
	}
	base, err := s.baseOf(m, change)
	if base == nil || err != nil {
		return nil, err
	}
	undecided := m.Place != store.HandedOver
	for _, u := range m.Unfolded {
		said := &leadv1.Lead{}
		if err := proto.Unmarshal(u.Body, said); err != nil {
			return nil, problem.Internal(err)
		}
		if undecided && u.Actor != "" {
			overlayBut(submitted, ruleMended, base, said)
		} else {
			overlay(base, said)
		}
	}
	if change != nil && change.lead != nil {
		kept := submitted
		if !undecided {
			kept = settled
		}
		overlayBut(kept, ruleMended, base, change.lead)
	}
	l, err := decodeMessage(base)
	if err != nil {
		return nil, err
	}
	s.placeTimes(g, l)
	j := &judged{lead: l, verdict: g.Apply(l, l.ReceivedAt)}
	if j.governed, j.message, err = governedForm(l, revision); err != nil {
		return nil, err
	}
	if len(j.governed.Body) > maxLeadBytes {
		return nil, problem.New(problemv1.Reason_REASON_TOO_LARGE, "the lead would be larger than 256 KiB; send less text with it")
	}
	return j, nil
}

// baseOf is the lead that changes are put over: the one that is held, else that of a readable
// document, else, where somebody tells what it says, an empty one.
func (s *Service) baseOf(m *store.Mending, change *change) (*leadv1.Lead, error) {
	base := &leadv1.Lead{}
	switch {
	case len(m.Body) > 0:
		if err := proto.Unmarshal(m.Body, base); err != nil {
			return nil, problem.Internal(err)
		}
	case change != nil && change.document != nil:
		base = proto.Clone(change.document).(*leadv1.Lead)
	default:
		l, err := s.reread(m.Document)
		if err != nil {
			return nil, err
		}
		if l != nil {
			base = leadconv.ToProto(l)
		} else if change == nil {
			return nil, nil
		}
	}
	base.LeadId, base.ReceivedAt, base.Test = m.ID.String(), timestamppb.New(m.ReceivedAt), m.Test || base.GetTest()
	return base, nil
}

// wokenEvent tells that a lead that stood still is on its way again.
func (j *judged) wokenEvent(m *store.Mending, actor, note string, now time.Time) *leadv1.Event {
	e := leadEvent(j.lead, eventWoken, now)
	e.LeadId, e.Traceparent = m.ID.String(), m.Traceparent
	e.Facts.State, e.Facts.Code, e.Facts.Actor, e.Facts.Note = lead.StatePending.String(), m.Code, actor, note
	return e
}

// rejectedEvent tells that a lead is rejected, by the rules or by hand.
func rejectedEvent(l *lead.Lead, m *store.Mending, code, actor, note string, now time.Time) *leadv1.Event {
	e := leadEvent(l, eventRejected, now)
	e.LeadId, e.Traceparent = m.ID.String(), m.Traceparent
	e.Facts.State, e.Facts.Code, e.Facts.Actor, e.Facts.Note = lead.StateRejected.String(), code, actor, note
	return e
}

// route decides where a judged lead goes: on its way if the rules take it, to the rejected ones if
// not. A pending lead may be deciding this moment, so that it stays pending whatever the rules say.
func (j *judged) route(m *store.Mending, actor, note string, dueAt, now time.Time, events *outbox.Rows) (store.Mended, error) {
	done := store.Mended{Governed: &j.governed, Keys: lookupKeys(j.lead), To: store.Pending, DueAt: dueAt}
	switch {
	case m.Place == store.HandedOver:
		return store.Mended{Keys: done.Keys}, nil
	case m.Place == store.Pending && !j.verdict.Accepted():
		return store.Mended{}, nil
	case m.Place == store.Pending:
		return done, nil
	case j.verdict.Accepted():
		return done, events.Add(m.ID, j.wokenEvent(m, actor, note, now), now)
	}
	done.To, done.DueAt = store.Rejected, now
	done.Code, done.Detail = j.verdict.Reject.String(), j.verdict.Rule
	if m.Place == store.Rejected && m.Code == done.Code {
		return done, nil
	}
	return done, events.Add(m.ID, rejectedEvent(j.lead, m, done.Code, "system", done.Detail, now), now)
}

// driveNow drives one lead that was just made pending and waits for its decision for as long as a
// sender does.
func (s *Service) driveNow(ctx context.Context, m *store.Mending, message *leadv1.Lead) {
	ctx, span := telemetry.StartRoot(context.WithoutCancel(ctx), s.deps.Tel.Tracer, telemetry.SpanCapture, m.Traceparent, m.ID.String())
	defer span.End()
	s.drive(ctx, s.cfg.AnswerWithin, []*drive{{ctx: ctx, id: m.ID, message: message, traceparent: m.Traceparent, since: m.ReceivedAt}})
}
