package feedback

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/leadmesh/leadmesh/core/lead"
	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	store "github.com/leadmesh/leadmesh/services/feedback/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Limits of what dealers report.
const (
	maxReports    = 1_000
	clockSkew     = 5 * time.Minute // how far ahead of ours a sender's clock may be
	longestPause  = 90 * 24 * time.Hour
	maxID         = 200
	maxText       = 20_000
	maxTalk       = 24 * 60 * 60
	earliestYears = 10 // reports of older things are mistakes
)

// fields gathers the violations of one message.
type fields struct {
	path string
	bad  []problem.Violation
}

func (f *fields) wrong(field, format string, args ...any) {
	f.bad = append(f.bad, problem.Violation{Field: f.path + field, Description: fmt.Sprintf(format, args...)})
}

func (f *fields) err() error {
	if len(f.bad) == 0 {
		return nil
	}
	return problem.Invalid(f.bad...)
}

func (f *fields) leadID(s string) lead.ID {
	id, err := lead.ParseID(s)
	if err != nil {
		f.wrong("lead_id", "%v", err)
	}
	return id
}

func (f *fields) text(field, s string, limit int) {
	if !utf8.ValidString(s) || len(s) > limit {
		f.wrong(field, "is longer than %d bytes or no valid UTF-8", limit)
	}
}

// happened reads when something happened; absent means now.
func (f *fields) happened(t *timestamppb.Timestamp, now time.Time) time.Time {
	switch {
	case t == nil:
		return now.Truncate(time.Microsecond)
	case !t.IsValid():
		f.wrong("occurred_at", "is no valid time")
	case t.AsTime().After(now.Add(clockSkew)):
		f.wrong("occurred_at", "lies more than %s in the future", clockSkew)
	case t.AsTime().Before(now.AddDate(-earliestYears, 0, 0)):
		f.wrong("occurred_at", "lies more than %d years back", earliestYears)
	default:
		return t.AsTime().Truncate(time.Microsecond)
	}
	return time.Time{}
}

// dealer answers whose report it is: a store speaks for itself only.
func dealerOf(caller rpc.Caller, given string) (string, error) {
	if !caller.OnlyDealer() {
		return given, nil
	}
	if given != "" && given != caller.DealerID {
		return "", problem.New(problemv1.Reason_REASON_NOT_YOUR_DEALER, "a store reports for itself only; leave dealer_id out")
	}
	return caller.DealerID, nil
}

// parsed is a report ready to be stored and applied; exactly one of the two messages is set.
type parsed struct {
	store.Report
	activity *feedbackv1.Activity
	outcome  *feedbackv1.Outcome
}

// parseActivity checks an activity and fills in what is absent.
func parseActivity(path string, in *feedbackv1.Activity, caller rpc.Caller, now time.Time) (parsed, error) {
	f := &fields{path: path}
	a := &feedbackv1.Activity{}
	if in != nil {
		proto.Merge(a, in)
	}
	leadID := f.leadID(a.GetLeadId())
	at := f.happened(a.GetOccurredAt(), now)
	f.activityKind(a, now)
	f.text("activity_id", a.GetActivityId(), maxID)
	f.text("raw_text", a.GetRawText(), maxText)
	f.text("raw_code", a.GetRawCode(), maxID)
	f.text("person_id", a.GetPersonId(), maxID)
	f.text("template_id", a.GetTemplateId(), maxID)
	if a.GetTalkSeconds() < 0 || a.GetTalkSeconds() > maxTalk {
		f.wrong("talk_seconds", "is not within 0 to %d", maxTalk)
	}
	if _, ok := leadv1.Channel_name[int32(a.GetChannel())]; !ok {
		f.wrong("channel", "is no known channel")
	}
	if err := f.err(); err != nil {
		return parsed{}, err
	}
	dealerID, err := dealerOf(caller, a.GetDealerId())
	if err != nil {
		return parsed{}, err
	}
	a.LeadId, a.DealerId = leadID.String(), dealerID
	if a.GetActivityId() == "" {
		a.ActivityId = contentID(a, a.GetOccurredAt() == nil, now)
	}
	a.OccurredAt = timestamppb.New(at)
	return newParsed(store.Activity, leadID, a.GetActivityId(), dealerID, at, a, nil)
}

func (f *fields) activityKind(a *feedbackv1.Activity, now time.Time) {
	if _, ok := feedbackv1.ActivityKind_name[int32(a.GetKind())]; !ok || a.GetKind() == feedbackv1.ActivityKind_ACTIVITY_KIND_UNSPECIFIED {
		f.wrong("kind", "is required: what was done, such as ACTIVITY_KIND_CALL")
	}
	_, known := leadv1.Milestone_name[int32(a.GetMilestone())]
	given := known && a.GetMilestone() != leadv1.Milestone_MILESTONE_UNSPECIFIED
	isMilestone := a.GetKind() == feedbackv1.ActivityKind_ACTIVITY_KIND_MILESTONE
	switch {
	case isMilestone && !given:
		f.wrong("milestone", "is required for a milestone")
	case !isMilestone && given:
		f.wrong("milestone", "belongs to ACTIVITY_KIND_MILESTONE only")
	}
	if _, ok := leadv1.CallResult_name[int32(a.GetCallResult())]; !ok {
		f.wrong("call_result", "is no known result of a call")
	} else if a.GetCallResult() != leadv1.CallResult_CALL_RESULT_UNSPECIFIED && a.GetKind() != feedbackv1.ActivityKind_ACTIVITY_KIND_CALL {
		f.wrong("call_result", "belongs to ACTIVITY_KIND_CALL only")
	}
	if t := a.GetAppointmentAt(); t != nil && !t.IsValid() {
		f.wrong("appointment_at", "is no valid time")
	} else if t == nil && a.GetMilestone() == leadv1.Milestone_MILESTONE_APPOINTMENT_SET {
		f.wrong("appointment_at", "is required when an appointment was set")
	}
	switch a.GetMilestone() {
	case leadv1.Milestone_MILESTONE_APPOINTMENT_SET, leadv1.Milestone_MILESTONE_APPOINTMENT_KEPT,
		leadv1.Milestone_MILESTONE_APPOINTMENT_NO_SHOW, leadv1.Milestone_MILESTONE_APPOINTMENT_CANCELLED:
		f.text("appointment_id", a.GetAppointmentId(), maxID)
	default:
		if a.GetAppointmentId() != "" {
			f.wrong("appointment_id", "belongs to the milestones of appointments only")
		}
	}
	f.nextStep(a, now)
}

func (f *fields) nextStep(a *feedbackv1.Activity, now time.Time) {
	if _, ok := leadv1.PauseCode_name[int32(a.GetPauseCode())]; !ok {
		f.wrong("pause_code", "is no known code")
	}
	t := a.GetNextStepAt()
	switch {
	case t == nil:
		if a.GetKind() == feedbackv1.ActivityKind_ACTIVITY_KIND_PAUSE {
			f.wrong("next_step_at", "is required for a pause: until when")
		}
	case !t.IsValid():
		f.wrong("next_step_at", "is no valid time")
	case t.AsTime().After(now.Add(longestPause)):
		f.wrong("next_step_at", "lies more than 90 days ahead")
	case a.GetOccurredAt().IsValid() && t.AsTime().Before(a.GetOccurredAt().AsTime()):
		f.wrong("next_step_at", "lies before occurred_at")
	}
}

// parseOutcome checks an outcome and fills in what is absent.
func parseOutcome(path string, in *feedbackv1.Outcome, caller rpc.Caller, now time.Time) (parsed, error) {
	f := &fields{path: path}
	o := &feedbackv1.Outcome{}
	if in != nil {
		proto.Merge(o, in)
	}
	leadID := f.leadID(o.GetLeadId())
	at := f.happened(o.GetOccurredAt(), now)
	if _, ok := feedbackv1.OutcomeKind_name[int32(o.GetKind())]; !ok || o.GetKind() == feedbackv1.OutcomeKind_OUTCOME_KIND_UNSPECIFIED {
		f.wrong("kind", "is required: what became of the lead, such as OUTCOME_KIND_WON")
	}
	_, known := leadv1.LostCode_name[int32(o.GetLostCode())]
	lost := o.GetKind() == feedbackv1.OutcomeKind_OUTCOME_KIND_LOST
	switch unspecified := o.GetLostCode() == leadv1.LostCode_LOST_CODE_UNSPECIFIED; {
	case !known:
		f.wrong("lost_code", "is no known code")
	case lost && unspecified:
		f.wrong("lost_code", "is required for a lost lead: why")
	case !lost && !unspecified && o.GetKind() != feedbackv1.OutcomeKind_OUTCOME_KIND_UNWOUND:
		f.wrong("lost_code", "belongs to OUTCOME_KIND_LOST and OUTCOME_KIND_UNWOUND only")
	}
	if m := o.GetRevenue(); m != nil {
		if _, known := lead.CurrencyExponent(m.GetCurrency()); !known {
			f.wrong("revenue.currency", "is required: an ISO 4217 code of three capital letters, such as USD")
		}
		if m.GetMinor() < 0 {
			f.wrong("revenue.minor", "is negative; a sale that is taken back is OUTCOME_KIND_UNWOUND")
		}
	}
	f.text("outcome_id", o.GetOutcomeId(), maxID)
	f.text("raw_text", o.GetRawText(), maxText)
	f.text("raw_code", o.GetRawCode(), maxID)
	f.text("other_make", o.GetOtherMake(), maxID)
	f.text("vin", o.GetVin(), maxID)
	f.text("person_id", o.GetPersonId(), maxID)
	if err := f.err(); err != nil {
		return parsed{}, err
	}
	dealerID, err := dealerOf(caller, o.GetDealerId())
	if err != nil {
		return parsed{}, err
	}
	o.LeadId, o.DealerId = leadID.String(), dealerID
	if o.GetOutcomeId() == "" {
		o.OutcomeId = contentID(o, o.GetOccurredAt() == nil, now)
	}
	o.OccurredAt = timestamppb.New(at)
	return newParsed(store.Outcome, leadID, o.GetOutcomeId(), dealerID, at, nil, o)
}

func newParsed(t store.ReportType, leadID lead.ID, id, dealerID string, at time.Time, a *feedbackv1.Activity, o *feedbackv1.Outcome) (parsed, error) {
	var message proto.Message = a
	if o != nil {
		message = o
	}
	payload, err := proto.Marshal(message)
	if err != nil {
		return parsed{}, problem.Internal(err)
	}
	return parsed{
		Report: store.Report{
			ReportKey: store.ReportKey{LeadID: leadID, Type: t, ID: id},
			DealerID:  dealerID, OccurredAt: at, Payload: payload,
		},
		activity: a, outcome: o,
	}, nil
}

// contentID names a report by its content. One without a time of its own is the same only within
// a minute: a call made twice a day is two calls.
func contentID(m proto.Message, timeless bool, now time.Time) string {
	content, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		content = nil // a message that was just parsed always marshals
	}
	if timeless {
		content = now.UTC().Truncate(time.Minute).AppendFormat(content, time.RFC3339)
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:16])
}
