package scoring_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/leadmesh/leadmesh/core/lead"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"github.com/leadmesh/leadmesh/services/scoring"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// decisions holds what one lead was decided from.
type decisions struct {
	asked *routingv1.GetScoreInputsRequest
	one   *routingv1.GetScoreInputsResponse
}

func (d *decisions) GetScoreInputs(_ context.Context, in *routingv1.GetScoreInputsRequest, _ ...grpc.CallOption) (*routingv1.GetScoreInputsResponse, error) {
	d.asked = in
	if in.GetDealerId() == "other" {
		return nil, problem.New(problemv1.Reason_REASON_NOT_YOUR_DEALER, "the lead belongs to another dealer")
	}
	if in.GetAttempt() > d.one.GetAttempt() {
		return nil, problem.NotFound("receipt")
	}
	return d.one, nil
}

func input(name string, value int64) *routingv1.ScoreInput {
	return &routingv1.ScoreInput{Name: name, Value: value}
}

// explaining is a house that knows the decision d.
func explaining(t *testing.T) (*house, *decisions) {
	t.Helper()
	d := &decisions{}
	h := newHouseWith(t, scoring.Config{}, scoring.Deps{Pool: newPool(t), Receipts: d})
	applied := h.apply(t, sample(t), "")
	d.one = &routingv1.GetScoreInputsResponse{
		Attempt: 2, Line: leadv1.Line_LINE_SALES, PlaybookRevision: applied.GetRevision(), DecidedAt: timestamppb.New(start),
		Inputs: []*routingv1.ScoreInput{input("request_type", int64(lead.RequestTypeQuote)), input("has_phone", 1), input("has_email", 0),
			input("page_view.count", 0), input("inventory_view.recency", 3600)},
	}
	return h, d
}

func change(feature, value, in string) *scoringv1.FeatureChange {
	return &scoringv1.FeatureChange{Feature: feature, Value: value, In: in}
}

// What a lead would score if signals were otherwise: the differences add up, what else changes is said,
// and the bins say what other values would give.
func TestWhatIf(t *testing.T) {
	h, d := explaining(t)
	id := lead.NewID([]byte("test"), "a").String()
	resp, err := h.service.ExplainScore(t.Context(), &scoringv1.ExplainScoreRequest{LeadId: id, Attempt: 2, Changes: []*scoringv1.FeatureChange{
		change("request_type", "ORDER", ""), change("page_view.count", "2.5", "times"),
		{Feature: "inventory_view.recency", Missing: true}, change("configurator_saved.count", "2", "times"), change("configurator_saved.recency", "10", ""),
		change("time_frame_days", "10", ""),
	}})
	if err != nil {
		t.Fatal(err)
	}
	if d.asked.GetLeadId() != id || d.asked.GetAttempt() != 2 || d.asked.GetDealerId() != "" || resp.GetAttempt() != 2 || !resp.GetAt().AsTime().Equal(start) {
		t.Errorf("asked for %v, answered %v", d.asked, resp)
	}
	before, after := resp.GetBefore(), resp.GetAfter()
	if resp.GetDifference() != after.GetPoints()-before.GetPoints() || resp.GetDifference() <= 0 {
		t.Errorf("from %d to %d is a difference of %d", before.GetPoints(), after.GetPoints(), resp.GetDifference())
	}
	sum := int32(0)
	for _, x := range resp.GetDifferences() {
		sum += x.GetAfterPoints() - x.GetBeforePoints()
	}
	if sum != resp.GetDifference() {
		t.Errorf("differences add up to %d of %d: %v", sum, resp.GetDifference(), resp.GetDifferences())
	}
	first := resp.GetDifferences()[0]
	if first.GetFeature() != "request_type" || first.GetBefore() != "asked for a quote" || first.GetAfter() != "ordered a car" || first.GetAfterPoints() != 3600 {
		t.Errorf("first of all %v", first)
	}
	if !slices.Contains(resp.GetChanged(), "stage: from "+code(before.GetStage())+" to "+code(after.GetStage())) || !slices.Contains(resp.GetChanged(), "ready: from no to yes") {
		t.Errorf("changed: %v, stages %v and %v", resp.GetChanged(), before.GetStage(), after.GetStage())
	}
	for _, g := range resp.GetGroups() {
		if g.GetLabel() == "" || g.GetBeforePoints() == g.GetAfterPoints() {
			t.Errorf("group %v", g)
		}
	}
	if len(resp.GetFeatures()) != 6 {
		t.Fatalf("features: %v", resp.GetFeatures())
	}
	for i, want := range []struct{ feature, before, after, now, then string }{
		{"request_type", "QUOTE", "ORDER", "QUOTE", "ORDER"},
		{"page_view.count", "0 times", "2.5 times", "below 2 times", "2 times up to 6 times"},
		{"inventory_view.recency", "1 hour", "", "below 4 days", "not known"},
		{"configurator_saved.count", "", "2 times", "", ""},
		{"configurator_saved.recency", "", "10 days", "not known", "8 days up to 31 days"},
	} {
		f := resp.GetFeatures()[i]
		if f.GetFeature() != want.feature || f.GetBefore() != want.before || f.GetAfter() != want.after {
			t.Errorf("%v, want %v", f, want)
		}
		was, is := "", ""
		for _, b := range f.GetBins() {
			if b.GetBefore() {
				was = b.GetValues()
			}
			if b.GetAfter() {
				is = b.GetValues()
			}
		}
		if was != want.now || is != want.then {
			t.Errorf("%s: from bin %q to %q, want %v", want.feature, was, is, want)
		}
	}
	if note := resp.GetFeatures()[3].GetNote(); note != "SALES does not look at it, but at configurator_saved.recency" {
		t.Errorf("noted: %q", note)
	}
	for _, s := range []*leadv1.Score{before, after} {
		if i := s.GetProbabilityInterval(); i.GetLowPpm() > s.GetProbabilityPpm() || i.GetHighPpm() < s.GetProbabilityPpm() || i.GetBasis() == "" || len(s.GetGroups()) != 4 {
			t.Errorf("score %v", s)
		}
	}
}

func code(s leadv1.Stage) string { return lead.Stage(s).String() }

// A lead in the request is scored as Score does; without changes nothing stands beside it.
func TestWhatIfOfALeadInTheRequest(t *testing.T) {
	h, _ := explaining(t)
	scored, err := h.service.Score(t.Context(), &scoringv1.ScoreRequest{Lead: testDrive()})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := h.service.ExplainScore(t.Context(), &scoringv1.ExplainScoreRequest{Lead: testDrive()})
	if err != nil || !proto.Equal(resp.GetBefore(), scored.GetScore()) || resp.GetAfter() != nil || len(resp.GetDifferences())+len(resp.GetChanged()) != 0 {
		t.Errorf("%v, %v", resp, err)
	}
	resp, err = h.service.ExplainScore(t.Context(), &scoringv1.ExplainScoreRequest{Lead: testDrive(), Line: leadv1.Line_LINE_SERVICE,
		Changes: []*scoringv1.FeatureChange{change("visits_24m", "5", "")}})
	if err != nil || resp.GetBefore().GetLine() != leadv1.Line_LINE_SERVICE || resp.GetDifference() == 0 {
		t.Errorf("on another line: %v, %v", resp, err)
	}
}

// Tracked behaviour takes no part without consent, and can be asked for as if there were one.
func TestWhatIfWithoutConsent(t *testing.T) {
	h, d := explaining(t)
	d.one.Inputs = []*routingv1.ScoreInput{input("request_type", int64(lead.RequestTypeQuote)), input("no_consent", 1)}
	req := &scoringv1.ExplainScoreRequest{LeadId: lead.NewID([]byte("test"), "a").String(), Changes: []*scoringv1.FeatureChange{change("configurator_saved.recency", "3", "")}}
	_, err := h.service.ExplainScore(t.Context(), req)
	wantViolations(t, err, "changes[0].feature: configurator_saved.recency is tracked behaviour")
	req.AssumeProfiling = true
	resp, err := h.service.ExplainScore(t.Context(), req)
	if err != nil || resp.GetDifference() <= 0 || len(resp.GetBefore().GetNoConsentGroups()) == 0 || len(resp.GetAfter().GetNoConsentGroups()) != 0 ||
		!slices.Contains(resp.GetChanged(), "profiling: as if it were granted") {
		t.Errorf("%v, %v", resp, err)
	}
	noted := false
	for _, g := range resp.GetBefore().GetGroups() {
		noted = noted || strings.Contains(g.GetNote(), "profiling is not granted")
	}
	if !noted {
		t.Errorf("no group says that tracked behaviour is left out: %v", resp.GetBefore().GetGroups())
	}
}

// All that is wrong is said at once, by the field it stands in.
func TestWhatIfNamesEveryMistake(t *testing.T) {
	h, _ := explaining(t)
	id := lead.NewID([]byte("test"), "a").String()
	for _, c := range []struct {
		req  *scoringv1.ExplainScoreRequest
		want []string
	}{
		{&scoringv1.ExplainScoreRequest{}, []string{"lead_id: is missing"}},
		{&scoringv1.ExplainScoreRequest{LeadId: "x", PlaybookRevision: "abc", ModelRevision: "abc", Attempt: -1, Line: 99}, []string{
			"lead_id: ", "attempt: counts from 1", "line: is none of ours", "playbook_revision: give at least", "model_revision: give at least",
		}},
		{&scoringv1.ExplainScoreRequest{LeadId: id, Lead: testDrive()}, []string{"lead: give either"}},
		{&scoringv1.ExplainScoreRequest{Lead: testDrive(), Attempt: 1}, []string{"attempt: is for lead_id"}},
		{&scoringv1.ExplainScoreRequest{LeadId: id, Changes: []*scoringv1.FeatureChange{
			change("configurator_save.count", "1", ""), change("request_type", "TEST_DRIV", "times"), change("visit_days", "-1", "hours"),
			change("visits_24m", "many", ""), change("visits_24m", "1", ""), {Feature: "has_phone"}, {Feature: "has_email", Value: "yes", Missing: true},
			change("page_view.count", "99999999999", ""),
		}}, []string{
			`changes[0].feature: there is no feature "configurator_save.count"; did you mean configurator_saved.count?`,
			"changes[1].in: request_type has values and no unit",
			`changes[2].in: visit_days is not written in "hours"; there are days`,
			`changes[3].value: visits_24m takes a number such as 2 or 1.5, not "many"`,
			"changes[4].feature: visits_24m stands twice",
			"changes[5].value: is missing", "changes[6].value: give either", "changes[7].value: page_view.count is at most 2147483, not 99999999999",
		}},
		{&scoringv1.ExplainScoreRequest{Lead: &leadv1.Lead{LeadId: "x"}, Changes: []*scoringv1.FeatureChange{change("has_phone", "maybe", "")}}, []string{
			`changes[0].value: has_phone has no value "maybe"; there are no, yes`, "lead.lead_id: ",
		}},
		{&scoringv1.ExplainScoreRequest{LeadId: id, Changes: []*scoringv1.FeatureChange{change("request_type", "TEST_DRIV", "")}}, []string{
			`changes[0].value: request_type has no value "TEST_DRIV"; did you mean TEST_DRIVE?`,
		}},
	} {
		_, err := h.service.ExplainScore(t.Context(), c.req)
		wantViolations(t, err, c.want...)
	}
}

// wantViolations checks that exactly these fields are wrong, each beginning so.
func wantViolations(t *testing.T, err error, want ...string) {
	t.Helper()
	p := problem.From(err)
	ok := err != nil && len(p.Violations) == len(want)
	for i := 0; ok && i < len(want); i++ {
		ok = strings.HasPrefix(p.Violations[i].Field+": "+p.Violations[i].Description, want[i])
	}
	if !ok {
		t.Errorf("%v, want %q", err, want)
	}
}

// Another playbook or model can be asked what it would say.
func TestWhatIfByOtherRules(t *testing.T) {
	h, d := explaining(t)
	files := sample(t)
	files["scoring/sales.yaml"] = []byte(strings.Replace(string(files["scoring/sales.yaml"]), "base: 15", "base: 20", 1))
	second := h.apply(t, files, "")
	id := lead.NewID([]byte("test"), "a").String()
	explain := func(req *scoringv1.ExplainScoreRequest) *scoringv1.ExplainScoreResponse {
		t.Helper()
		req.LeadId = id
		resp, err := h.service.ExplainScore(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	first := explain(&scoringv1.ExplainScoreRequest{})
	by := explain(&scoringv1.ExplainScoreRequest{PlaybookRevision: second.GetRevision()[:10]})
	if first.GetPlaybookRevision() != d.one.GetPlaybookRevision() || by.GetPlaybookRevision() != second.GetRevision() || by.GetBefore().GetPoints() != first.GetBefore().GetPoints()+500 {
		t.Errorf("by the first %v, by the second %v", first.GetBefore(), by.GetBefore())
	}
	m := h.models(t, "anna")
	model := m.upload(salesCard(12))
	scored := explain(&scoringv1.ExplainScoreRequest{ModelRevision: model.GetRevision()[:8]})
	if scored.GetBefore().GetModelRevision() != model.GetRevision() || scored.GetBefore().GetPoints() == first.GetBefore().GetPoints() {
		t.Errorf("by a model: %v", scored.GetBefore())
	}
	if i := scored.GetBefore().GetProbabilityInterval(); i.GetBasis() == first.GetBefore().GetProbabilityInterval().GetBasis() {
		t.Errorf("by a model: %v", i)
	}
	_, err := h.service.ExplainScore(t.Context(), &scoringv1.ExplainScoreRequest{LeadId: id, ModelRevision: model.GetRevision(), Line: leadv1.Line_LINE_SERVICE})
	wantViolations(t, err, "model_revision: does not score SERVICE")
	for _, req := range []*scoringv1.ExplainScoreRequest{{LeadId: id, PlaybookRevision: "00000000"}, {LeadId: id, ModelRevision: "00000000"}, {LeadId: id, Attempt: 9}} {
		_, err := h.service.ExplainScore(t.Context(), req)
		wantReason(t, err, problemv1.Reason_REASON_NOT_FOUND)
	}
}

// A store asks about its own leads by what decided, and nothing else.
func TestWhatIfOfStores(t *testing.T) {
	h, d := explaining(t)
	id := lead.NewID([]byte("test"), "a").String()
	store := func(dealer string) context.Context {
		return rpc.WithCaller(t.Context(), rpc.Caller{Name: "store", Roles: []rpc.Role{rpc.RoleDealer}, DealerID: dealer})
	}
	if resp, err := h.service.ExplainScore(store("mine"), &scoringv1.ExplainScoreRequest{LeadId: id}); err != nil || d.asked.GetDealerId() != "mine" || resp.GetBefore().GetPoints() == 0 {
		t.Errorf("%v, %v, asked %v", resp, err, d.asked)
	}
	_, err := h.service.ExplainScore(store("other"), &scoringv1.ExplainScoreRequest{LeadId: id})
	wantReason(t, err, problemv1.Reason_REASON_NOT_YOUR_DEALER)
	for _, req := range []*scoringv1.ExplainScoreRequest{{Lead: testDrive()}, {LeadId: id, PlaybookRevision: "00000000"}, {LeadId: id, ModelRevision: "00000000"}} {
		_, err := h.service.ExplainScore(store("mine"), req)
		wantReason(t, err, problemv1.Reason_REASON_PERMISSION_DENIED)
	}
	_, err = h.service.ExplainScore(store(""), &scoringv1.ExplainScoreRequest{LeadId: id})
	wantReason(t, err, problemv1.Reason_REASON_PERMISSION_DENIED)
	for method, ok := range map[string]bool{"ExplainScore": true, "ListFeatures": false} {
		if err := rpc.Authorize(rpc.Caller{Roles: []rpc.Role{rpc.RoleDealer}}, "/leadmesh.scoring.v1.ScoringService/"+method); (err == nil) != ok {
			t.Errorf("%s by a store: %v", method, err)
		}
	}
}

func TestListFeatures(t *testing.T) {
	h, _ := explaining(t)
	all, err := h.service.ListFeatures(t.Context(), &scoringv1.ListFeaturesRequest{})
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]*scoringv1.Feature{}
	for _, f := range all.GetFeatures() {
		by[f.GetFeature()] = f
	}
	kind, saved, lease := by["request_type"], by["configurator_saved.count"], by["lease_days_to_end"]
	if len(by) < 80 || !slices.Contains(kind.GetValues(), "TEST_DRIVE") || !slices.Contains(kind.GetValueLabels(), "a test drive") || len(kind.GetValueLabels()) != len(kind.GetValues()) || kind.GetTracked() || len(kind.GetUnits()) != 0 || kind.Most != nil ||
		!saved.GetTracked() || !slices.Equal(saved.GetUnits(), []string{"times", "count_1_1000"}) || saved.GetGroupLabel() == "" || saved.Least == nil ||
		lease.Least != nil {
		t.Errorf("%d features; %v; %v; %v", len(by), kind, saved, lease)
	}
	for _, u := range kind.GetUses() {
		if u.GetLine() == leadv1.Line_LINE_SALES && (u.GetMostPoints() != 3600 || u.GetLeastPoints() != 0) {
			t.Errorf("in SALES a request gives %v", u)
		}
	}
	few, err := h.service.ListFeatures(t.Context(), &scoringv1.ListFeaturesRequest{Line: leadv1.Line_LINE_SALES, Group: "VALUE"})
	if err != nil || len(few.GetFeatures()) == 0 || len(few.GetFeatures()) > 7 {
		t.Errorf("%v, %v", few, err)
	}
	_, err = h.service.ListFeatures(t.Context(), &scoringv1.ListFeaturesRequest{Line: 99, Group: "VALUES"})
	wantViolations(t, err, "line: is none", "group: there is no such group; did you mean VALUE?")
}
