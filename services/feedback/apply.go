package feedback

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	store "github.com/leadmesh/leadmesh/services/feedback/internal/postgres"
	"google.golang.org/protobuf/proto"
)

// Reasons of Routing for not applying a report.
const (
	unknownLead = "unknown_lead"
	notOwner    = "not_owner"
)

// applied is a report with Routing's answer.
type applied struct {
	parsed
	application *routingv1.Application
}

// apply hands reports to Routing in the order in which they happened and returns its answers.
func (s *Service) apply(ctx context.Context, reports []parsed) ([]applied, error) {
	sorted := slices.Clone(reports)
	slices.SortStableFunc(sorted, func(a, b parsed) int { return a.OccurredAt.Compare(b.OccurredAt) })
	req := &routingv1.ApplyActivitiesRequest{}
	var activities, outcomes []parsed
	for _, r := range sorted {
		if r.activity != nil {
			activities = append(activities, r)
			req.Activities = append(req.Activities, r.activity)
		} else {
			outcomes = append(outcomes, r)
			req.Outcomes = append(req.Outcomes, r.outcome)
		}
	}
	resp, err := s.cases.ApplyActivities(ctx, req)
	if err != nil {
		return nil, err
	}
	inOrder := slices.Concat(activities, outcomes)
	if len(resp.GetApplications()) != len(inOrder) {
		return nil, errors.New("routing answered another number of reports than it was given")
	}
	answers := make([]applied, len(inOrder))
	for i, r := range inOrder {
		answers[i] = applied{parsed: r, application: resp.GetApplications()[i]}
	}
	return answers, nil
}

// settle decides what becomes of a report after an attempt. Only an unknown lead is worth another.
func (s *Service) settle(o applied, attempts int, recordedAt, now time.Time) store.Settlement {
	st := store.Settlement{ReportKey: o.ReportKey, Status: store.Applied}
	switch reason := o.application.GetReason(); {
	case o.application.GetApplied():
	case reason == unknownLead && now.Sub(recordedAt) < s.cfg.KeepUnknown:
		st.Status, st.Reason, st.NextAttemptAt = store.Waiting, reason, now.Add(backoff(attempts))
	case reason == "":
		st.Status, st.Reason = store.Refused, "refused"
	default:
		st.Status, st.Reason = store.Refused, reason
	}
	return st
}

// backoff doubles from a second to five minutes.
func backoff(attempts int) time.Duration {
	return min(time.Second<<min(max(attempts-1, 0), 9), 5*time.Minute)
}

const (
	claimSize  = 200
	claimLease = 30 * time.Second
)

// RetryUnapplied goes once through the reports that are due and returns how many it settled or
// postponed. Several replicas may do it at once. If Routing is down it stops with its error and
// what was claimed falls due again.
func (s *Service) RetryUnapplied(ctx context.Context) (tried int, err error) {
	buckets, err := s.store.DueBuckets(ctx, s.now())
	if err != nil {
		return 0, err
	}
	for _, bucket := range buckets {
		n, err := s.retryBucket(ctx, bucket)
		tried += n
		if err != nil {
			return tried, err
		}
	}
	return tried, nil
}

func (s *Service) retryBucket(ctx context.Context, bucket int16) (tried int, err error) {
	for {
		now := s.now()
		claimed, err := s.store.ClaimUnapplied(ctx, bucket, now, now.Add(claimLease), claimSize)
		if err != nil || len(claimed) == 0 {
			return tried, err
		}
		if err := s.retry(ctx, claimed, now); err != nil {
			return tried, err
		}
		tried += len(claimed)
		if len(claimed) < claimSize {
			return tried, nil
		}
	}
}

func (s *Service) retry(ctx context.Context, claimed []store.Unapplied, now time.Time) error {
	reports := make([]parsed, len(claimed))
	byKey := make(map[store.ReportKey]store.Unapplied, len(claimed))
	for i, c := range claimed {
		p, err := restore(c)
		if err != nil {
			return err
		}
		reports[i], byKey[c.ReportKey] = p, c
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.ApplyTimeout)
	defer cancel()
	outcomes, err := s.apply(ctx, reports)
	if err != nil {
		return errors.Join(err, s.postpone(ctx, claimed, now))
	}
	settlements := make([]store.Settlement, len(outcomes))
	for i, o := range outcomes {
		c := byKey[o.ReportKey]
		settlements[i] = s.settle(o, c.Attempts, c.RecordedAt, now)
	}
	return s.settleAll(ctx, outcomes, settlements, now)
}

// postpone spreads the attempts while Routing does not answer.
func (s *Service) postpone(ctx context.Context, claimed []store.Unapplied, now time.Time) error {
	settlements := make([]store.Settlement, len(claimed))
	for i, c := range claimed {
		settlements[i] = store.Settlement{
			ReportKey: c.ReportKey, Status: store.Waiting, Reason: "routing_unavailable",
			NextAttemptAt: now.Add(backoff(c.Attempts)),
		}
	}
	return s.store.Settle(context.WithoutCancel(ctx), settlements)
}

// restore reads a stored report back.
func restore(c store.Unapplied) (parsed, error) {
	p := parsed{Report: store.Report{ReportKey: c.ReportKey, Payload: c.Payload}}
	if c.Type == store.Outcome {
		p.outcome = &feedbackv1.Outcome{}
		err := proto.Unmarshal(c.Payload, p.outcome)
		p.OccurredAt = p.outcome.GetOccurredAt().AsTime()
		return p, err
	}
	p.activity = &feedbackv1.Activity{}
	err := proto.Unmarshal(c.Payload, p.activity)
	p.OccurredAt = p.activity.GetOccurredAt().AsTime()
	return p, err
}

// name is an enum's value without its prefix.
func name(v interface{ String() string }, prefix string) string {
	return strings.TrimPrefix(v.String(), prefix)
}
