package capture

import (
	"context"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	store "github.com/leadmesh/leadmesh/services/capture/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/internal/outbox"
)

// runReviews wakes parked leads whose review date has come, until ctx ends.
func (s *Service) runReviews(ctx context.Context) error {
	var y yielding
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		wait := s.cfg.PollEvery
		if err := s.reviewParked(ctx); err != nil {
			s.warn(ctx, "parked leads not reviewed", err)
			wait = max(wait, downPause)
		}
		if err := s.yield(ctx, &y); err != nil {
			s.warn(ctx, "parked leads not compared with decided ones", err)
			wait = max(wait, downPause)
		}
		timer.Reset(wait)
	}
}

const reviewBatch = 100

// reviewParked looks once at every parked lead whose review date has come.
func (s *Service) reviewParked(ctx context.Context) error {
	now := s.deps.Now()
	buckets, err := s.store.ReviewBuckets(ctx, now)
	if err != nil {
		return err
	}
	for _, bucket := range buckets {
		for {
			n, err := s.store.ReviewParked(ctx, bucket, now, reviewBatch, func(r store.Review, events *outbox.Rows) (store.Woken, error) {
				return s.review(r, events, now)
			})
			if err != nil {
				return err
			}
			if n > 0 {
				s.relay.Wake()
			}
			if n < reviewBatch {
				break
			}
		}
	}
	return nil
}

// review decides on one parked lead: with the playbook of today it is rejected, goes on its way
// again, or stays parked with a new review date.
func (s *Service) review(r store.Review, events *outbox.Rows, now time.Time) (store.Woken, error) {
	stay := store.Woken{ReviewAt: now.Add(reviewAfter), Detail: r.Detail}
	g, revision := s.governor()
	l, err := s.reread(r)
	if err != nil {
		return store.Woken{}, err
	}
	if l == nil || g == nil {
		bare := &lead.Lead{ID: r.ID, Test: r.Test, ReceivedAt: r.ReceivedAt}
		if l != nil {
			bare = l
		}
		e := s.reviewEvent(bare, eventParked, r, now)
		e.Facts.State, e.Facts.Code, e.Facts.Note = lead.StateParked.String(), lead.ParkReasonData.String(), r.Detail
		e.Facts.DueAt = leadconv.Time(stay.ReviewAt)
		return stay, events.Add(r.ID, e, now)
	}
	s.placeTimes(g, l)
	verdict := g.Apply(l, now)
	governed, _, err := governedForm(l, revision)
	if err != nil {
		return store.Woken{}, err
	}
	if !verdict.Accepted() {
		e := s.reviewEvent(l, eventRejected, r, now)
		e.Facts.State, e.Facts.Code, e.Facts.Note = lead.StateRejected.String(), verdict.Reject.String(), verdict.Rule
		return store.Woken{Code: verdict.Reject.String(), Detail: verdict.Rule, Governed: &governed}, events.Add(r.ID, e, now)
	}
	e := s.reviewEvent(l, eventWoken, r, now)
	e.Facts.State = lead.StatePending.String()
	return store.Woken{Governed: &governed}, events.Add(r.ID, e, now)
}

func (s *Service) reviewEvent(l *lead.Lead, kind string, r store.Review, now time.Time) *leadv1.Event {
	e := leadEvent(l, kind, now)
	e.Traceparent, e.Facts.Actor = r.Traceparent, r.Owner
	return e
}

// readAgain finds the leads of a parked document: its mapping may have changed since.
func (s *Service) readAgain(r store.Review) []*intake {
	switch kind := capturev1.DocumentKind(r.Kind); kind {
	case capturev1.DocumentKind_DOCUMENT_KIND_UNSPECIFIED, capturev1.DocumentKind_DOCUMENT_KIND_ADF:
		if r.ContentType == mailType {
			return readMail(r.Raw)
		}
		return readADF(r.Raw)
	case capturev1.DocumentKind_DOCUMENT_KIND_META_NOTIFICATION:
		return nil // until its form is fetched
	default:
		items, err := s.openForm(&capturev1.IngestRequest{Kind: kind, Body: r.Raw, ContentType: r.ContentType, Intake: r.Intake})
		if err != nil {
			return nil
		}
		return items
	}
}

// reread returns the lead of a parked row; nil if its document still cannot be read.
func (s *Service) reread(r store.Review) (*lead.Lead, error) {
	if len(r.Body) > 0 {
		return decode(r.Body)
	}
	items := s.readAgain(r)
	if len(items) != 1 || items[0].bare() {
		return nil, nil
	}
	l := items[0].lead
	l.ID, l.ReceivedAt, l.Test = r.ID, r.ReceivedAt, r.Test || l.Test
	return &l, nil
}
