package capture

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/leadmesh/leadmesh/core/form"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/capture/internal/graph"
	store "github.com/leadmesh/leadmesh/services/capture/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/outbox"
	"golang.org/x/sync/errgroup"
)

// How forms that are known by id are fetched. Meta itself gives up telling of a lead after 36 h, and
// keeps a form for 90 days: so long it is worth asking.
const (
	fetchBatch    = 32
	fetchParallel = 8
	fetchLease    = 2 * time.Minute // longer than a batch of calls that all time out
	fetchEagerly  = 72 * time.Hour
	fetchUntil    = 90 * 24 * time.Hour
	limitedPause  = time.Minute // at least, after a rate limit
	deniedPause   = 15 * time.Minute
)

// fetchWaits are the waits after each attempt that failed; the last one holds on.
var fetchWaits = [...]time.Duration{2 * time.Second, 10 * time.Second, 30 * time.Second, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour}

// runFetches fetches the forms of leads of which only the id is known, until ctx ends.
func (s *Service) runFetches(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		wait := s.cfg.PollEvery
		n, err := s.fetchForms(ctx)
		switch {
		case err != nil:
			s.warn(ctx, "forms not fetched", err)
			wait = max(wait, downPause)
		case n == fetchBatch:
			wait = 0
		}
		timer.Reset(wait)
	}
}

// fetchForms fetches once what is due and returns how many it tried.
func (s *Service) fetchForms(ctx context.Context) (int, error) {
	if s.sources() == nil { // another process may know the tokens
		return 0, nil
	}
	now := s.deps.Now()
	due, err := s.store.ClaimFetches(ctx, now, now.Add(fetchLease), fetchBatch)
	if err != nil {
		return 0, err
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(fetchParallel)
	for _, f := range due {
		g.Go(func() error { return s.fetch(gctx, f) })
	}
	return len(due), g.Wait()
}

// fetch asks for one form and moves its lead on.
func (s *Service) fetch(ctx context.Context, f store.Fetch) error {
	notice, err := form.ReadNotice(f.Raw)
	if err != nil {
		return s.setFetch(ctx, f, time.Time{}, "the notification could not be read again")
	}
	file := s.sources()
	src := file.Find(f.Intake)
	if src == nil {
		return s.again(ctx, f, deniedPause, fmt.Sprintf("the sources file has no source %q", f.Intake))
	}
	token := src.PageToken(notice.PageID)
	if token.Empty() {
		return s.again(ctx, f, deniedPause, fmt.Sprintf("the source %q has no token for page %s", f.Intake, printable(notice.PageID)))
	}
	body, err := s.graph.Lead(ctx, graph.Request{
		URL: file.Graph.URL, Version: file.Graph.Version, LeadID: notice.LeadID, Token: token.Reveal(), AppSecret: src.AppSecret.Reveal(),
	})
	var refused *graph.Error
	switch {
	case err == nil:
		return s.fetched(ctx, f, &notice, body)
	case !errors.As(err, &refused):
		return err // the process ends: the lease makes it due again
	case refused.Failure == graph.Gone:
		return s.setFetch(ctx, f, time.Time{}, refused.Error())
	case refused.Failure == graph.Limited:
		return s.again(ctx, f, max(limitedPause, refused.RetryAfter), refused.Error())
	case refused.Failure == graph.Denied:
		return s.again(ctx, f, deniedPause, refused.Error())
	}
	return s.again(ctx, f, refused.RetryAfter, refused.Error())
}

// again sets a form to be asked for later: no sooner than the least wait, spread so that those that
// failed together do not come back together.
func (s *Service) again(ctx context.Context, f store.Fetch, least time.Duration, why string) error {
	now := s.deps.Now()
	wait := max(fetchWaits[min(f.Attempts, len(fetchWaits)-1)], least)
	switch age := now.Sub(f.ReceivedAt); {
	case age > fetchUntil:
		return s.setFetch(ctx, f, time.Time{}, "given up after 90 days: "+why)
	case age > fetchEagerly:
		wait = 24 * time.Hour
	}
	wait += wait * time.Duration(f.ID[0]) / 1024
	return s.setFetch(ctx, f, now.Add(wait), why)
}

// setFetch notes why a form is not there and when it is asked for again. That it never is, and the
// first reason why it waits, are told as events.
func (s *Service) setFetch(ctx context.Context, f store.Fetch, at time.Time, why string) error {
	events := &outbox.Rows{}
	now := s.deps.Now()
	if at.IsZero() || f.Attempts == 0 {
		e := leadEvent(&lead.Lead{ID: f.ID, Test: f.Test, ReceivedAt: f.ReceivedAt, Source: lead.Source{Source: s.sourceOf(f.Intake)}}, eventParked, now)
		e.Traceparent, e.Facts.Actor, e.Facts.Note = f.Traceparent, f.Owner, why
		e.Facts.State, e.Facts.Code = lead.StateParked.String(), lead.ParkReasonData.String()
		if err := events.Add(f.ID, e, now); err != nil {
			return err
		}
		s.log.WarnContext(ctx, "a form was not fetched", "lead_id", f.ID.String(), "intake", f.Intake, "cause", why, "again", !at.IsZero())
	}
	if err := s.store.DelayFetch(ctx, f.ID, at, why, events); err != nil {
		return err
	}
	if len(events.Events) > 0 {
		s.relay.Wake()
	}
	return nil
}

// sourceOf is the source that leads of a sender are counted under.
func (s *Service) sourceOf(intake string) string {
	if src := s.sources().Find(intake); src != nil && src.Spec.Set.Source.Source != "" {
		return src.Spec.Set.Source.Source
	}
	return "meta"
}

// fetched governs a form that has come and lets its lead go on its way.
func (s *Service) fetched(ctx context.Context, f store.Fetch, notice *form.Notice, body []byte) error {
	forms, _, err := form.Read(form.Meta, "application/json", body)
	if err != nil || len(forms) != 1 {
		return s.again(ctx, f, deniedPause, "the Graph API's answer is no form")
	}
	notice.Merge(&forms[0])
	spec, err := s.spec(f.Intake)
	if err != nil {
		return s.again(ctx, f, 0, "the source is not known any more")
	}
	l := s.forms.Lead(&forms[0], spec)
	for _, name := range notice.Unknown {
		l.AddFlag(lead.FlagUnknownField, "notification."+printable(name), "")
	}
	now := s.deps.Now()
	l.ID, l.ReceivedAt, l.Test = f.ID, f.ReceivedAt, l.Test || f.Test
	out := store.Fetched{ID: f.ID, ContentType: "application/json", Test: l.Test, Since: f.ReceivedAt, Raw: slices.Concat([]byte(`{"notification":`), f.Raw, []byte(`,"lead":`), body, []byte(`}`))}
	events := &outbox.Rows{}
	kind, state, revision := eventWoken, lead.StatePending, ""
	if g, active := s.governor(); g != nil {
		revision = active
		s.placeTimes(g, &l)
		if verdict := g.Apply(&l, l.ReceivedAt); !verdict.Accepted() {
			kind, state = eventRejected, lead.StateRejected
			out.Woken.Code, out.Woken.Detail = verdict.Reject.String(), verdict.Rule
		}
	}
	governed, _, err := governedForm(&l, revision)
	if err != nil {
		return err
	}
	out.Woken.Governed = &governed
	e := leadEvent(&l, kind, now)
	e.Traceparent, e.Facts.State, e.Facts.Code, e.Facts.Note = f.Traceparent, state.String(), out.Woken.Code, out.Woken.Detail
	if err := events.Add(f.ID, e, now); err != nil {
		return err
	}
	moved, err := s.store.Fetched(ctx, out, now, events)
	if moved {
		s.relay.Wake()
	}
	return err
}
