package scoring_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/playbook"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
)

func TestRescoring(t *testing.T) {
	t.Parallel()
	pool := newPool(t)
	w := newRebasing(t, pool, newBase(t, -1))
	w.house.apply(t, sample(t), "")
	w.base.fails = 1 // Identity is not there at first
	_, err := w.s.ListPersonScores(w.ctx, &scoringv1.ListPersonScoresRequest{})
	wantReason(t, err, problemv1.Reason_REASON_WRONG_STATE)
	begun := w.begin("")
	if begun.GetStartedBy() != "mona" || begun.GetNote() != "every night" || !begun.GetAsOf().AsTime().Equal(start) || len(begun.GetPlaybookRevision()) != 64 || begun.GetReport() != nil {
		t.Errorf("begun: %v", begun)
	}
	_, err = w.s.StartRescoring(w.ctx, &scoringv1.StartRescoringRequest{})
	wantReason(t, err, problemv1.Reason_REASON_WRONG_STATE)
	w.runs()
	first := w.done(begun.GetRescoringId())
	if first.GetPersonCount() != basePersons || first.GetProgressPpm() != 1_000_000 || first.GetEstimatedPersonCount() != basePersons || first.GetBeforeRescoringId() != "" {
		t.Errorf("done: %v", first)
	}
	for _, req := range w.base.asked {
		if !req.GetAt().AsTime().Equal(start) || req.GetPageSize() == 0 {
			t.Errorf("asked for %v", req)
		}
	}
	r := first.GetReport()
	const ofAKind = basePersons / 5
	if r.GetPersonCount() != basePersons || r.GetNoConsentCount() != 3*ofAKind || r.GetEnteredCount() != basePersons || r.GetBeforePersonCount() != 0 {
		t.Errorf("first report: %d persons, %d without profiling, %d entered", r.GetPersonCount(), r.GetNoConsentCount(), r.GetEnteredCount())
	}
	if len(r.GetIndices()) != 2 || r.GetIndices()[1].GetCurrency() == "" {
		t.Errorf("indices: %v", r.GetIndices())
	}
	renewal := segmentOf(r, leadv1.Segment_SEGMENT_RENEWAL_INTENDER)
	if diff := cmp.Diff(map[string]int64{"active": 2 * ofAKind}, levels(renewal)); diff != "" { // contracts count without profiling
		t.Error(diff)
	}
	accessory := segmentOf(r, leadv1.Segment_SEGMENT_ACCESSORY_PROSPECT)
	if diff := cmp.Diff(map[string]int64{"cart": ofAKind}, levels(accessory)); diff != "" { // tracked behaviour does not
		t.Error(diff)
	}
	if renewal.GetActiveCount() != 2*ofAKind || accessory.GetActiveCount() != ofAKind || renewal.GetPlay() == "" {
		t.Errorf("active plays: %d of %q, %d of %q", renewal.GetActiveCount(), renewal.GetPlay(), accessory.GetActiveCount(), accessory.GetPlay())
	}

	// Everybody's scores are what the playbook makes of what Identity answered.
	rules, _ := playbook.Read(sample(t))
	for i, person := range w.base.all {
		resp, err := w.s.GetPersonScores(w.ctx, &scoringv1.GetPersonScoresRequest{PersonId: person.GetPersonId()})
		if err != nil {
			t.Fatal(err)
		}
		got := map[leadv1.Line]int32{}
		for _, l := range resp.GetScores().GetLines() {
			got[l.GetLine()] = l.GetPoints()
		}
		want, indices := wantScores(rules, person, start, t)
		if diff := cmp.Diff(indices, resp.GetScores().GetIndices(), protocmp.Transform()); diff != "" {
			t.Errorf("person %d: %s", i, diff)
		}
		if diff := cmp.Diff(want, got); diff != "" || resp.GetScores().GetNoConsent() == person.GetProfiling() {
			t.Errorf("person %d: %s", i, diff)
		}
	}

	// Who is listed by segment, level and stage; one statement looks at few persons only.
	w.s.LookAtOnce(5)
	if n := len(w.find(&scoringv1.ListPersonScoresRequest{})); n != basePersons {
		t.Errorf("%d persons are listed", n)
	}
	for _, tt := range []struct {
		level string
		want  int
	}{{"", 2 * ofAKind}, {"warm", 2 * ofAKind}, {"active", 2 * ofAKind}, {"hot", 0}} {
		list := w.find(&scoringv1.ListPersonScoresRequest{Segment: leadv1.Segment_SEGMENT_RENEWAL_INTENDER, Level: tt.level})
		if len(list) != tt.want {
			t.Errorf("%q: %d persons, want %d", tt.level, len(list), tt.want)
		}
		for _, p := range list {
			want := []*scoringv1.PersonSegment{{Segment: leadv1.Segment_SEGMENT_RENEWAL_INTENDER, Level: "active"}}
			if diff := cmp.Diff(want, p.GetSegments(), protocmp.Transform()); diff != "" || p.GetActiveSegment() != leadv1.Segment_SEGMENT_RENEWAL_INTENDER || p.GetPlay() != renewal.GetPlay() {
				t.Errorf("%s %v", diff, p)
			}
		}
	}
	for line := leadv1.Line_LINE_SALES; line <= leadv1.Line_LINE_CARE; line++ {
		for stage := leadv1.Stage_STAGE_AWARENESS; stage <= leadv1.Stage_STAGE_READY; stage++ {
			want := int64(0)
			for _, l := range r.GetLines() {
				for _, s := range l.GetStages() {
					if l.GetLine() == line && s.GetStage() >= stage {
						want += s.GetPersonCount()
					}
				}
			}
			if n := len(w.ids(&scoringv1.ListPersonScoresRequest{Line: line, MinStage: stage})); int64(n) != want {
				t.Errorf("%d persons are in %v of %v or beyond, want %d", n, stage, line, want)
			}
		}
	}

	// Twenty days later the contracts are about to end and the carts are old; two persons are gone, one is new.
	page, err := w.s.ListPersonScores(w.ctx, &scoringv1.ListPersonScoresRequest{PageSize: 5})
	if err != nil {
		t.Fatal(err)
	}
	w.now.Add(int64(20 * 24 * time.Hour))
	gone := []string{basePerson(t, 0).GetPersonId(), basePerson(t, 2).GetPersonId()}
	w.base.mu.Lock()
	w.base.all = slices.DeleteFunc(w.base.all, func(p *identityv1.PersonProfile) bool { return slices.Contains(gone, p.GetPersonId()) })
	w.base.all = append(w.base.all, basePerson(t, 5*basePersons))
	w.base.sort()
	w.base.mu.Unlock()
	second := w.done(w.begin("").GetRescoringId())
	r = second.GetReport()
	if second.GetBeforeRescoringId() != first.GetRescoringId() || r.GetBeforePersonCount() != basePersons || r.GetEnteredCount() != 1 || r.GetLeftCount() != 2 {
		t.Errorf("second report: %d before, %d entered, %d left", r.GetBeforePersonCount(), r.GetEnteredCount(), r.GetLeftCount())
	}
	renewal = segmentOf(r, leadv1.Segment_SEGMENT_RENEWAL_INTENDER)
	want := &scoringv1.RescoredSegment{PersonCount: 2 * ofAKind, BeforePersonCount: 2 * ofAKind, EnteredCount: 1, LeftCount: 1}
	for _, l := range renewal.GetLevels() {
		switch l.GetLevel() {
		case "hot":
			want.Levels = append(want.Levels, &scoringv1.RescoredLevel{Level: "hot", PersonCount: 2 * ofAKind, EnteredCount: 2 * ofAKind})
		case "active":
			want.Levels = append(want.Levels, &scoringv1.RescoredLevel{Level: "active", BeforePersonCount: 2 * ofAKind, LeftCount: 2 * ofAKind})
		default:
			want.Levels = append(want.Levels, &scoringv1.RescoredLevel{Level: l.GetLevel()})
		}
	}
	if diff := cmp.Diff(want, renewal, protocmp.Transform(), protocmp.IgnoreFields(&scoringv1.RescoredSegment{}, "segment", "play", "active_count")); diff != "" {
		t.Error(diff)
	}
	up := int64(0)
	for _, l := range r.GetLines() {
		if l.GetLine() == leadv1.Line_LINE_RENEWAL {
			up = l.GetUpCount()
		}
	}
	if up == 0 {
		t.Error("nobody moved up as contracts came to their end")
	}
	for _, id := range gone {
		_, err := w.s.GetPersonScores(w.ctx, &scoringv1.GetPersonScoresRequest{PersonId: id})
		wantReason(t, err, problemv1.Reason_REASON_NOT_FOUND)
	}
	if n := len(w.ids(&scoringv1.ListPersonScoresRequest{Segment: leadv1.Segment_SEGMENT_RENEWAL_INTENDER, Level: "hot"})); n != 2*ofAKind {
		t.Errorf("%d are hot", n)
	}

	// A list begun before goes on within the scores it began with, and is refused once they are gone.
	on, err := w.s.ListPersonScores(w.ctx, &scoringv1.ListPersonScoresRequest{PageSize: 5, PageToken: page.GetNextPageToken()})
	if err != nil || on.GetRescoringId() != first.GetRescoringId() || !on.GetAsOf().AsTime().Equal(start) {
		t.Errorf("the page after is of %s: %v", on.GetRescoringId(), err)
	}
	third := w.done(w.begin("").GetRescoringId())
	if up := third.GetReport().GetLines()[0].GetUpCount() + third.GetReport().GetEnteredCount() + third.GetReport().GetLeftCount(); up != 0 {
		t.Errorf("of the same persons at the same moment %d moved", up)
	}
	_, err = w.s.ListPersonScores(w.ctx, &scoringv1.ListPersonScoresRequest{PageSize: 5, PageToken: page.GetNextPageToken()})
	wantReason(t, err, problemv1.Reason_REASON_WRONG_STATE)

	// The list of re-scorings, the latest first, without reports.
	var got []string
	req := &scoringv1.ListRescoringsRequest{PageSize: 2}
	for {
		resp, err := w.s.ListRescorings(w.ctx, req)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range resp.GetRescorings() {
			if got = append(got, x.GetRescoringId()); x.GetReport() != nil {
				t.Error("a list has reports")
			}
		}
		if req.PageToken = resp.GetNextPageToken(); req.PageToken == "" {
			break
		}
	}
	if diff := cmp.Diff([]string{third.GetRescoringId(), second.GetRescoringId(), first.GetRescoringId()}, got); diff != "" {
		t.Error(diff)
	}
}

// A model is held against what is in force on the same persons at the same moment, and changes nothing.
func TestRescoringByAModel(t *testing.T) {
	t.Parallel()
	w := newRebasing(t, newPool(t), newBase(t, -1))
	w.house.apply(t, sample(t), "")
	w.runs()
	kept := w.done(w.begin("").GetRescoringId())
	model := w.upload(salesCard(41)).GetRevision() // 81 points for whoever may be watched, 41 for others
	w.now.Add(int64(time.Hour))
	dry := w.done(w.begin(model[:8]).GetRescoringId())
	if dry.GetRevision() != model || dry.GetBeforeRescoringId() != "" || dry.GetReport().GetPersonCount() != basePersons || dry.GetReport().GetBeforePersonCount() != basePersons {
		t.Errorf("by a model: %v", dry)
	}
	for _, l := range dry.GetReport().GetLines() {
		moved := l.GetUpCount() + l.GetDownCount()
		if l.GetLine() != leadv1.Line_LINE_SALES {
			if moved != 0 {
				t.Errorf("%v: %d moved", l.GetLine(), moved)
			}
			continue
		}
		if ready := l.GetStages()[3]; ready.GetPersonCount() != watched || ready.GetBeforePersonCount() != 0 || moved != basePersons {
			t.Errorf("SALES: %v, %d moved", ready, moved)
		}
	}
	list, err := w.s.ListPersonScores(w.ctx, &scoringv1.ListPersonScoresRequest{})
	if err != nil || list.GetRescoringId() != kept.GetRescoringId() {
		t.Errorf("afterwards the scores are of %s: %v", list.GetRescoringId(), err)
	}

	// Promoted, it is what scores and is kept.
	w.promote(model, scoringv1.ModelState_MODEL_STATE_SHADOW, scoringv1.ModelState_MODEL_STATE_ACTIVE)
	after := w.done(w.begin("").GetRescoringId())
	if diff := cmp.Diff([]string{model}, after.GetModelRevisions()); diff != "" {
		t.Error(diff)
	}
	for _, p := range w.find(&scoringv1.ListPersonScoresRequest{}) {
		want := int32(8100)
		if p.GetNoConsent() {
			want = 4100
		}
		if p.GetLines()[0].GetPoints() != want || p.GetLines()[0].GetReady() == p.GetNoConsent() || !slices.Equal(p.GetModelRevisions(), []string{model}) {
			t.Fatalf("by the model: %v", p)
		}
	}
}

// A card may leave the line it scores to who uploads it.
func TestRescoringByAModelUploadedForALine(t *testing.T) {
	t.Parallel()
	w := newRebasing(t, newPool(t), newBase(t, -1))
	w.house.apply(t, sample(t), "")
	text := strings.Replace(salesCard(41), "{line: SALES}", "{column: won}", 1)
	resp, err := w.s.UploadModel(w.ctx, &scoringv1.UploadModelRequest{Line: leadv1.Line_LINE_SALES, Text: text})
	if err != nil {
		t.Fatal(err)
	}
	w.runs()
	if r := w.done(w.begin(resp.GetModel().GetRevision()).GetRescoringId()); r.GetReport().GetPersonCount() != basePersons {
		t.Errorf("by the model: %v", r)
	}
}

func TestRescoringIsCancelled(t *testing.T) {
	t.Parallel()
	w := newRebasing(t, newPool(t), newBase(t, -1))
	w.house.apply(t, sample(t), "")
	w.runs()
	kept := w.done(w.begin("").GetRescoringId())
	w.base.stopAt.Store(3)
	w.now.Add(int64(20 * 24 * time.Hour))
	id := w.begin("").GetRescoringId()
	w.base.await(t)
	if r := w.look(id); r.GetPersonCount() != 3*ofAPage || r.GetProgressPpm() != 350_000 || r.GetEstimatedPersonCount() != basePersons || r.GetReport() != nil {
		t.Errorf("at work it is %v", r)
	}
	for range 2 {
		resp, err := w.s.CancelRescoring(w.ctx, &scoringv1.CancelRescoringRequest{RescoringId: id})
		if err != nil || resp.GetRescoring().GetState() != scoringv1.RescoringState_RESCORING_STATE_CANCELLED {
			t.Fatalf("cancelled: %v, %v", resp, err)
		}
	}
	w.base.open()
	for _, p := range w.find(&scoringv1.ListPersonScoresRequest{}) {
		if p.GetRescoringId() != kept.GetRescoringId() || !p.GetAsOf().AsTime().Equal(start) {
			t.Fatalf("while one runs and after it was cancelled: %v", p)
		}
	}
	next := w.done(w.begin("").GetRescoringId())
	if next.GetBeforeRescoringId() != kept.GetRescoringId() || next.GetReport().GetBeforePersonCount() != basePersons {
		t.Errorf("the one after is counted against %v", next)
	}
	if n := len(w.find(&scoringv1.ListPersonScoresRequest{})); n != basePersons {
		t.Errorf("%d persons are listed", n)
	}
	if r := w.look(id); r.GetState() != scoringv1.RescoringState_RESCORING_STATE_CANCELLED || r.GetPersonCount() != 3*ofAPage {
		t.Errorf("the cancelled one is %v", r)
	}
	_, err := w.s.CancelRescoring(w.ctx, &scoringv1.CancelRescoringRequest{RescoringId: next.GetRescoringId()})
	wantReason(t, err, problemv1.Reason_REASON_WRONG_STATE)
}

// Two replicas work on the same database: each page is done once.
func TestRescoringWithTwoReplicas(t *testing.T) {
	t.Parallel()
	pool := newPool(t)
	one, other := newRebasing(t, pool, newBase(t, -1)), newRebasing(t, pool, newBase(t, -1))
	one.house.apply(t, sample(t), "")
	one.runs()
	other.runs()
	for range 3 {
		id := one.begin("").GetRescoringId()
		_, err := other.s.StartRescoring(other.ctx, &scoringv1.StartRescoringRequest{})
		if err != nil {
			wantReason(t, err, problemv1.Reason_REASON_WRONG_STATE)
		}
		if r := one.done(id); r.GetReport().GetPersonCount() != basePersons {
			t.Errorf("%d persons", r.GetReport().GetPersonCount())
		}
		latest, err := one.s.ListRescorings(one.ctx, &scoringv1.ListRescoringsRequest{PageSize: 1})
		if err != nil {
			t.Fatal(err)
		}
		one.done(latest.GetRescorings()[0].GetRescoringId())
		if n := len(one.find(&scoringv1.ListPersonScoresRequest{})); n != basePersons {
			t.Errorf("%d persons are kept", n)
		}
	}
}

// Persons who can not be read cost nobody else the score: also the last of a page, a whole page, and the
// last of all.
func TestRescoringGoesOnPastUnreadablePersons(t *testing.T) {
	t.Parallel()
	w := newRebasing(t, newPool(t), newBase(t, -1))
	w.house.apply(t, sample(t), "")
	w.runs()
	w.done(w.begin("").GetRescoringId())
	broken := []int{ofAPage - 1, basePersons - 1}
	for i := range ofAPage {
		broken = append(broken, ofAPage+i)
	}
	lost := map[string]bool{}
	w.base.mu.Lock()
	for _, i := range broken {
		p := proto.CloneOf(w.base.all[i])
		p.Profile, w.base.all[i] = []byte("?"), p
		lost[p.GetPersonId()] = true
	}
	w.base.unread = map[int][]string{0: {lead.NewID([]byte("x"), "1").String()}, 2: {lead.NewID([]byte("x"), "2").String()}}
	w.base.mu.Unlock()
	x := w.done(w.begin("").GetRescoringId())
	r, readable := x.GetReport(), int64(basePersons-len(broken))
	if r.GetUnreadableCount() != int64(len(broken))+2 || r.GetPersonCount() != readable || x.GetPersonCount() != readable || r.GetLeftCount() != int64(len(broken)) || r.GetEnteredCount() != 0 {
		t.Errorf("%d scored, %d counted, %d entered, %d left, %d are unreadable", x.GetPersonCount(), r.GetPersonCount(), r.GetEnteredCount(), r.GetLeftCount(), r.GetUnreadableCount())
	}
	ids := w.ids(&scoringv1.ListPersonScoresRequest{})
	if len(ids) != int(readable) || slices.ContainsFunc(ids, func(id string) bool { return lost[id] }) {
		t.Errorf("%d persons have scores, want the %d others", len(ids), readable)
	}
}

func TestRescoringMistakes(t *testing.T) {
	t.Parallel()
	w := newRebasing(t, newPool(t), newBase(t, -1))
	_, err := w.s.StartRescoring(w.ctx, &scoringv1.StartRescoringRequest{})
	wantReason(t, err, problemv1.Reason_REASON_NOT_READY)
	w.house.apply(t, sample(t), "")
	for field, req := range map[string]*scoringv1.StartRescoringRequest{
		"note":     {Note: string(make([]byte, 501))},
		"revision": {Revision: "abc"},
	} {
		_, err := w.s.StartRescoring(w.ctx, req)
		if p := problem.From(err); p == nil || len(p.Violations) != 1 || p.Violations[0].Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	_, err = w.s.StartRescoring(w.ctx, &scoringv1.StartRescoringRequest{Revision: "00000000"})
	wantReason(t, err, problemv1.Reason_REASON_NOT_FOUND)
	_, err = w.s.GetRescoring(w.ctx, &scoringv1.GetRescoringRequest{RescoringId: lead.NewID(nil).String()})
	wantReason(t, err, problemv1.Reason_REASON_NOT_FOUND)
	_, err = w.s.CancelRescoring(w.ctx, &scoringv1.CancelRescoringRequest{RescoringId: "x"})
	wantReason(t, err, problemv1.Reason_REASON_INVALID_ARGUMENT)
	_, err = w.s.ListRescorings(w.ctx, &scoringv1.ListRescoringsRequest{PageSize: 501, PageToken: "AAAA"})
	wantReason(t, err, problemv1.Reason_REASON_INVALID_ARGUMENT)
	w.runs()
	w.done(w.begin("").GetRescoringId())
	for field, req := range map[string]*scoringv1.ListPersonScoresRequest{
		"segment":    {Segment: 99},
		"line":       {Line: 99},
		"min_stage":  {MinStage: leadv1.Stage_STAGE_READY},
		"page_size":  {PageSize: 501},
		"page_token": {PageToken: "AAAA"},
		"level":      {Segment: leadv1.Segment_SEGMENT_RENEWAL_INTENDER, Level: "glowing"},
	} {
		_, err := w.s.ListPersonScores(w.ctx, req)
		if p := problem.From(err); p == nil || len(p.Violations) != 1 || p.Violations[0].Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	_, err = w.s.ListPersonScores(w.ctx, &scoringv1.ListPersonScoresRequest{Level: "hot"})
	wantReason(t, err, problemv1.Reason_REASON_INVALID_ARGUMENT)
	_, err = w.s.GetPersonScores(w.ctx, &scoringv1.GetPersonScoresRequest{PersonId: "x"})
	wantReason(t, err, problemv1.Reason_REASON_INVALID_ARGUMENT)

	for _, role := range []rpc.Role{rpc.RoleMOPS, rpc.RoleOps, rpc.RoleOEM, rpc.RoleDealer} {
		for _, method := range []string{"StartRescoring", "GetRescoring", "ListRescorings", "CancelRescoring", "ListPersonScores", "GetPersonScores"} {
			err := rpc.Authorize(rpc.Caller{Name: "x", Roles: []rpc.Role{role}}, "/leadmesh.scoring.v1.RescoringService/"+method)
			if (err == nil) == (role == rpc.RoleDealer) {
				t.Errorf("%v calls %s: %v", role, method, err)
			}
		}
		if err := rpc.Authorize(rpc.Caller{Name: "x", Roles: []rpc.Role{role}}, "/leadmesh.identity.v1.ProfileService/ListProfiles"); err == nil {
			t.Errorf("%v reads everybody", role)
		}
	}
}
