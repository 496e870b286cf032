package e2e_test

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/house"
)

// hands are a clock that stands until it is moved.
type hands struct{ at atomic.Int64 }

func (h *hands) now() time.Time    { return time.UnixMicro(h.at.Load()).UTC() }
func (h *hands) move(to time.Time) { h.at.Store(to.UnixMicro()) }

// clockStore is open from 08:30 to 20:00 in Denver, closed on Thanksgiving, and reads our inbox.
const clockStore = tokenDealer

// TestClocks lets weeks pass over leads that nobody answers.
func TestClocks(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a whole house")
	}
	denver, err := time.LoadLocation("America/Denver")
	if err != nil {
		t.Fatal(err)
	}
	on := func(day, hour, minute, second int) time.Time {
		return time.Date(2026, time.November, day, hour, minute, second, 0, denver)
	}
	clock := &hands{}
	clock.move(on(25, 21, 0, 0)) // the evening before Thanksgiving
	w := inProcess(t, func(c *house.Config) { c.Now = clock.now })

	evening := ready(t, w, "clock-evening")
	if got, want := evening.GetRespondBy().AsTime(), on(27, 9, 0, 0); !got.Equal(want) {
		t.Errorf("a lead of the evening before the holiday is due %s, want %s", got.In(denver), want)
	}
	slow := ready(t, w, "clock-slow")
	if got, want := slow.GetRespondBy().AsTime(), on(27, 9, 0, 0); !got.Equal(want) {
		t.Errorf("it is due %s, want %s", got.In(denver), want)
	}
	later := chosen(t, w, "clock-later", "REQUEST_TYPE_BROCHURE")
	if got, want := later.GetRespondBy().AsTime(), on(27, 10, 0, 0); !got.Equal(want) {
		t.Errorf("one that is not ready is due %s, want %s", got.In(denver), want)
	}
	clock.move(on(27, 8, 59, 0))
	w.happens(t, evening.lead, "WARNED")
	if w.happened(t, evening.lead, "BREACHED") {
		t.Error("breached while the store was closed for the holiday")
	}
	clock.move(on(27, 9, 0, 30))
	w.happens(t, evening.lead, "BREACHED")

	clock.move(on(27, 10, 30, 0))
	lost, late := ready(t, w, "clock-lost"), ready(t, w, "clock-late")
	if got, want := lost.GetRespondBy().AsTime(), on(27, 10, 45, 0); !got.Equal(want) {
		t.Errorf("a lead in opening hours is due %s, want %s", got.In(denver), want)
	}
	for _, step := range []struct {
		to    time.Time
		kinds []string
	}{
		{on(27, 10, 37, 40), []string{"MISSED_ACCEPT"}},
		{on(27, 10, 42, 10), []string{"WARNED"}},
		{on(27, 10, 45, 10), []string{"BREACHED", "PERSON"}},
	} {
		clock.move(step.to)
		for _, kind := range step.kinds {
			w.happens(t, lost.lead, kind)
			w.happens(t, late.lead, kind)
		}
	}
	lateReport(t, w, late, on(27, 10, 40, 0))
	for _, step := range []struct {
		to    time.Time
		kinds []string
	}{
		{on(27, 11, 0, 10), []string{"MANAGER"}},
		{on(27, 11, 30, 10), []string{"FIELD"}},
		{on(28, 11, 30, 10), []string{"DAILY"}},
	} {
		clock.move(step.to)
		for _, kind := range step.kinds {
			w.happens(t, lost.lead, kind)
		}
	}
	if w.happened(t, late.lead, "MANAGER") {
		t.Error("the ladder climbed on after the response was reported")
	}
	leaks(t, w, lost.lead, "open_past_deadline")
	clock.move(on(27, 10, 30, 0).AddDate(0, 0, 14).Add(time.Minute))
	r := &capturev1.GetLeadResponse{}
	eventually(t, patience, "the lead expires", func() bool {
		r.Reset()
		w.get(t, "oem", "/v1/leads/"+lost.lead, r)
		return r.GetState() == leadv1.State_STATE_EXPIRED
	})
	if r.GetCode() != "CLOSED_UNWORKED" {
		t.Errorf("it expired with %q", r.GetCode())
	}
	clock.move(clock.now().Add(time.Minute))
	leaks(t, w, lost.lead, "closed_unworked")
}

// owned is a lead with its first owner.
type owned struct {
	*leadv1.Assignment
	lead string
}

// ready submits a lead that must be answered within 15 minutes.
func ready(t *testing.T, w *world, key string) owned {
	t.Helper()
	return chosen(t, w, key, "REQUEST_TYPE_ORDER")
}

func chosen(t *testing.T, w *world, key, request string) owned {
	t.Helper()
	given := map[string]string{"clock-evening": "Alma", "clock-late": "Boris", "clock-later": "Chiara", "clock-lost": "Dolores", "clock-slow": "Edmund"}[key]
	r := submit(t, w, fmt.Sprintf(`{"idempotency_key":%q,"request_type":%q,"origin":"ORIGIN_OEM","source":{"channel":"web","source":"oem_site"},
		"parties":[{"name":{"given":%q,"family":"Clocktest"},"emails":[{"address":"%s@example.com"}],"phones":[{"number":"+1 303-555-0%d"}],
		"address":{"postal_code":"80205","country":"US"}}],"vehicles":[{"make":"Norrvind","model":"Tindra","year":2026}]%s}`,
		key, request, given, given, 120+len(key)%60, chosenStore(clockStore)))
	stage := r.GetDecision().GetScore().GetStage()
	if a := r.GetDecision().GetAssignment(); a.GetDealerId() != clockStore || (stage == leadv1.Stage_STAGE_READY) != (request == "REQUEST_TYPE_ORDER") {
		t.Fatalf("%s: %s at %s", key, stage, a.GetDealerId())
	}
	return owned{r.GetDecision().GetAssignment(), r.GetLeadId()}
}

// happened reports whether something of a kind stands on a lead's timeline.
func (w *world) happened(t *testing.T, leadID, kind string) bool {
	t.Helper()
	r := &capturev1.GetLeadResponse{}
	w.get(t, "oem", "/v1/leads/"+leadID, r)
	return slices.ContainsFunc(r.GetTimeline(), func(e *leadv1.Event) bool { return e.GetFacts().GetKind() == kind })
}

func (w *world) happens(t *testing.T, leadID, kind string) {
	t.Helper()
	eventually(t, patience, kind+" on the timeline", func() bool { return w.happened(t, leadID, kind) })
}

// lateReport tells of a call that happened before the breach.
func lateReport(t *testing.T, w *world, o owned, at time.Time) {
	t.Helper()
	respond := func() (met, due int64) {
		card := &feedbackv1.GetScorecardResponse{}
		w.get(t, "oem", "/v1/reports/scorecard", card)
		for _, f := range card.GetGroups()[0].GetFigures() {
			if f.GetName() == "sla_compliance_respond" {
				return f.GetNumerator(), f.GetDenominator()
			}
		}
		return 0, 0
	}
	var before int64
	eventually(t, patience, "the breaches are counted", func() bool {
		met, due := respond()
		before = due
		return met == 0 && due > 0
	})
	got := w.report(t, "oem", fmt.Sprintf(`{"activity_id":"late","lead_id":%q,"dealer_id":%q,"person_id":"p-1",
		"kind":"ACTIVITY_KIND_CALL","call_result":"CALL_RESULT_CONNECTED","talk_seconds":180,"occurred_at":%q}`, o.lead, clockStore, at.UTC().Format(time.RFC3339)))
	if !got.GetAssignment().GetRespondedAt().AsTime().Equal(at) {
		t.Fatalf("the late report: %v", got)
	}
	w.happens(t, o.lead, "NEEDLESS")
	if !w.happened(t, o.lead, "PERSON") {
		t.Error("the needless escalation left the timeline")
	}
	eventually(t, patience, "what counts is when it happened", func() bool {
		met, due := respond()
		return met == 1 && due >= before
	})
}

// leaks checks that a lead is listed as a leak.
func leaks(t *testing.T, w *world, leadID, stage string) {
	t.Helper()
	report := &feedbackv1.GetLeakageResponse{}
	eventually(t, patience, "the lead leaks as "+stage, func() bool {
		report.Reset()
		w.get(t, "oem", "/v1/reports/leakage", report)
		return slices.ContainsFunc(report.GetLeaks(), func(l *feedbackv1.Leak) bool {
			return l.GetLeadId() == leadID && l.GetStage() == stage && l.GetOwner() == clockStore
		})
	})
}
