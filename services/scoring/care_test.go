package scoring_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"

	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
)

// The line CARE counts those whose complaint or recall question is open, by what they asked, and nobody
// else, whatever its base; nothing is to be sold to them meanwhile, and all else they score stays.
func TestRescoringKnowsOpenComplaints(t *testing.T) {
	t.Parallel()
	b := newBase(t, -1)
	w := newRebasing(t, newPool(t), b)
	w.house.apply(t, sample(t), "")
	w.runs()
	care := func(id string) (r *scoringv1.Rescoring, line *scoringv1.RescoredLine) {
		t.Helper()
		r = w.done(id)
		for _, l := range r.GetReport().GetLines() {
			if l.GetLine() == leadv1.Line_LINE_CARE {
				return r, l
			}
		}
		t.Fatal("the report has no CARE")
		return nil, nil
	}
	count := func(l *scoringv1.RescoredLine) (now, before int64) {
		for _, s := range l.GetStages() {
			now, before = now+s.GetPersonCount(), before+s.GetBeforePersonCount()
		}
		return now, before
	}
	scores := func(person string) *scoringv1.PersonScores {
		t.Helper()
		resp, err := w.s.GetPersonScores(w.ctx, &scoringv1.GetPersonScoresRequest{PersonId: person})
		if err != nil {
			t.Fatal(err)
		}
		return resp.GetScores()
	}

	b.complain(nil, status.Error(codes.Unimplemented, "a Routing of before"))
	_, line := care(w.begin("").GetRescoringId())
	if now, _ := count(line); now != 0 {
		t.Errorf("%d persons are on CARE, nobody complained", now)
	}
	lessee, unknown := basePerson(t, 0).GetPersonId(), basePerson(t, 4).GetPersonId()
	before := scores(lessee)
	if before.GetNextLine() == leadv1.Line_LINE_UNSPECIFIED {
		t.Fatalf("nothing is to be sold to a lessee: %v", before)
	}

	b.complain(map[string]leadv1.RequestType{lessee: leadv1.RequestType_REQUEST_TYPE_COMPLAINT, unknown: leadv1.RequestType_REQUEST_TYPE_RECALL}, nil)
	w.now.Add(int64(time.Second))
	_, line = care(w.begin("").GetRescoringId())
	if now, _ := count(line); now != 2 || line.GetStages()[3].GetPersonCount() != 2 {
		t.Errorf("two wait for an answer: %v", line)
	}
	found := w.ids(&scoringv1.ListPersonScoresRequest{Line: leadv1.Line_LINE_CARE, MinStage: leadv1.Stage_STAGE_AWARENESS})
	if len(found) != 2 {
		t.Errorf("listed are %v", found)
	}
	after := scores(lessee)
	if n := len(after.GetLines()); n != len(before.GetLines())+1 || after.GetLines()[n-1].GetLine() != leadv1.Line_LINE_CARE || after.GetLines()[n-1].GetPoints() < 7000 ||
		after.GetNextLine() != leadv1.Line_LINE_UNSPECIFIED {
		t.Errorf("who complained scores %v", after)
	}
	if diff := cmp.Diff(before.GetLines(), after.GetLines()[:len(before.GetLines())], protocmp.Transform()); diff != "" {
		t.Errorf("a complaint changes other lines: %s", diff)
	}
	if got := scores(basePerson(t, 10).GetPersonId()); got.GetNextLine() != before.GetNextLine() {
		t.Errorf("who complains of nothing: %v", got)
	}

	// It is settled.
	b.complain(nil, nil)
	w.now.Add(int64(time.Second))
	_, line = care(w.begin("").GetRescoringId())
	if now, before := count(line); now != 0 || before != 2 || line.GetDownCount() != 0 {
		t.Errorf("all is settled: %v", line)
	}
	if got := scores(lessee); got.GetNextLine() != before.GetNextLine() {
		t.Errorf("afterwards: %v", got)
	}
}
