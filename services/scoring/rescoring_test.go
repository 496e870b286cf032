package scoring_test

import (
	"bufio"
	"bytes"
	gocmp "cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/playbook"
	corescoring "github.com/leadmesh/leadmesh/core/scoring"
	"github.com/leadmesh/leadmesh/core/signal"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/pgtest"
	"github.com/leadmesh/leadmesh/services/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"github.com/leadmesh/leadmesh/services/internal/scoreconv"
	"github.com/leadmesh/leadmesh/services/scoring"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/testing/protocmp"
)

const (
	basePersons = 60
	watched     = basePersons * 2 / 5 // who granted profiling
	leaseDays   = 100                 // left at start
)

// basePerson is somebody of five kinds: a lessee who looks around, one who does not allow to be watched,
// one who left a cart behind, one who did and does not allow it, and one of whom nothing is known.
func basePerson(t *testing.T, i int) *identityv1.PersonProfile {
	t.Helper()
	var p signal.Profile
	var half signal.HalfLives
	day := func(n int) time.Time { return start.Add(time.Duration(n) * 24 * time.Hour) }
	apply := func(list ...signal.Signal) {
		for _, s := range list {
			if err := signal.Apply(&p, s, &half); err != nil {
				t.Fatal(err)
			}
		}
	}
	switch i % 5 {
	case 0, 1:
		apply(
			signal.Signal{Kind: lead.SignalKindLeaseStarted, At: day(-900), VIN: "KMHC0000000000001", Lease: signal.LeaseTerms{Maturity: day(leaseDays), ContractedKM: 60000}},
			signal.Signal{Kind: lead.SignalKindConfiguratorSaved, At: day(-2), Powertrain: lead.PowertrainElectric},
		)
	case 2, 3:
		apply(signal.Signal{Kind: lead.SignalKindPartsPageView, At: day(-3)}, signal.Signal{Kind: lead.SignalKindPartsPageView, At: day(-2)},
			signal.Signal{Kind: lead.SignalKindCartAbandoned, At: day(-1)})
	}
	return &identityv1.PersonProfile{
		PersonId: lead.NewID([]byte("base"), strconv.Itoa(i)).String(), Profile: p.Marshal(),
		Profiling: i%5 == 0 || i%5 == 2, HasEmail: true, HasPhone: i%2 == 0, Country: "US", Region: "CO", PostalCode: "80205",
	}
}

// base is Identity with everybody.
type base struct {
	t      *testing.T
	stopAt atomic.Int32 // the page that is not answered before goOn; -1: none
	stuck  chan struct{}
	goOn   chan struct{}
	once   sync.Once

	mu    sync.Mutex
	all   []*identityv1.PersonProfile
	fails int
	asked []*identityv1.ListProfilesRequest
}

func newBase(t *testing.T, stopAt int32) *base {
	b := &base{t: t, stuck: make(chan struct{}), goOn: make(chan struct{})}
	b.stopAt.Store(stopAt)
	for i := range basePersons {
		b.all = append(b.all, basePerson(t, i))
	}
	b.sort()
	return b
}

func (b *base) sort() {
	slices.SortFunc(b.all, func(x, y *identityv1.PersonProfile) int {
		a, errA := lead.ParseID(x.GetPersonId())
		c, errC := lead.ParseID(y.GetPersonId())
		if errA != nil || errC != nil {
			b.t.Fatal(errA, errC)
		}
		return gocmp.Or(gocmp.Compare(a.Bucket(), c.Bucket()), bytes.Compare(a[:], c[:]))
	})
}

func (b *base) ListProfiles(ctx context.Context, req *identityv1.ListProfilesRequest, _ ...grpc.CallOption) (*identityv1.ListProfilesResponse, error) {
	b.mu.Lock()
	fails := b.fails > 0
	b.fails--
	if !fails {
		b.asked = append(b.asked, req)
	}
	all := slices.Clone(b.all)
	b.mu.Unlock()
	if fails {
		return nil, problem.New(problemv1.Reason_REASON_UNAVAILABLE, "not now")
	}
	page := 0
	if req.GetPageToken() != "" {
		var err error
		if page, err = strconv.Atoi(req.GetPageToken()); err != nil {
			return nil, err
		}
	}
	if int32(page) == b.stopAt.Load() {
		b.once.Do(func() { close(b.stuck) })
		select {
		case <-b.goOn:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	end := min((page+1)*ofAPage, len(all))
	resp := &identityv1.ListProfilesResponse{Profiles: all[min(page*ofAPage, end):end], ProgressPpm: int32(end * 1_000_000 / max(1, len(all)))}
	if end < len(all) {
		resp.NextPageToken = strconv.Itoa(page + 1)
	}
	return resp, nil
}

// rebasing is a house with everybody, and a clock of its own.
type rebasing struct {
	models
	house *house
	base  *base
	now   *atomic.Int64
}

func newRebasing(t *testing.T, pool *pgxpool.Pool, b *base, change ...func(*scoring.Config)) *rebasing {
	t.Helper()
	now := &atomic.Int64{}
	now.Store(start.UnixNano())
	var cfg scoring.Config
	for _, f := range change {
		f(&cfg)
	}
	h := newHouseWith(t, cfg, scoring.Deps{Pool: pool, Profiles: b, Now: func() time.Time { return time.Unix(0, now.Load()).UTC() }})
	return &rebasing{h.models(t, "mona"), h, b, now}
}

func (w *rebasing) runs() {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.s.Run(ctx) }()
	w.t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			w.t.Error(err)
		}
	})
}

func (w *rebasing) begin(revision string) *scoringv1.Rescoring {
	w.t.Helper()
	resp, err := w.s.StartRescoring(w.ctx, &scoringv1.StartRescoringRequest{Revision: revision, Note: "every night"})
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.GetRescoring()
}

func (w *rebasing) look(id string) *scoringv1.Rescoring {
	w.t.Helper()
	resp, err := w.s.GetRescoring(w.ctx, &scoringv1.GetRescoringRequest{RescoringId: id})
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.GetRescoring()
}

func (w *rebasing) done(id string) *scoringv1.Rescoring {
	w.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); ; <-tick.C {
		r := w.look(id)
		if r.GetState() == scoringv1.RescoringState_RESCORING_STATE_DONE {
			checkCensus(w.t, r.GetReport())
			return r
		}
		if time.Now().After(deadline) || r.GetState() != scoringv1.RescoringState_RESCORING_STATE_RUNNING {
			w.t.Fatalf("it is %v", r)
		}
	}
}

// find lists persons in small pages.
func (w *rebasing) find(req *scoringv1.ListPersonScoresRequest) (all []*scoringv1.PersonScores) {
	w.t.Helper()
	for req.PageSize = 7; ; {
		resp, err := w.s.ListPersonScores(w.ctx, req)
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, resp.GetPersons()...)
		if req.PageToken = resp.GetNextPageToken(); req.PageToken == "" {
			return all
		}
	}
}

func (w *rebasing) ids(req *scoringv1.ListPersonScoresRequest) (ids []string) {
	w.t.Helper()
	for _, p := range w.find(req) {
		ids = append(ids, p.GetPersonId())
	}
	slices.Sort(ids)
	return ids
}

// checkCensus holds a report against the laws that every report keeps.
func checkCensus(t *testing.T, r *scoringv1.RescoringReport) {
	t.Helper()
	if r.GetBeforePersonCount()+r.GetEnteredCount()-r.GetLeftCount() != r.GetPersonCount() {
		t.Errorf("%d persons before, %d entered, %d left, %d are there", r.GetBeforePersonCount(), r.GetEnteredCount(), r.GetLeftCount(), r.GetPersonCount())
	}
	for _, l := range r.GetLines() {
		var points, staged, pointsBefore, stagedBefore, up, down int64
		stage := map[leadv1.Stage]int64{}
		for _, p := range l.GetPoints() {
			points, pointsBefore = points+p.GetPersonCount(), pointsBefore+p.GetBeforePersonCount()
		}
		for _, s := range l.GetStages() {
			staged, stagedBefore = staged+s.GetPersonCount(), stagedBefore+s.GetBeforePersonCount()
			stage[s.GetStage()] = s.GetPersonCount() - s.GetBeforePersonCount()
		}
		for _, m := range l.GetMoves() {
			if m.GetPersonCount() <= 0 || m.GetBefore() == m.GetNow() {
				t.Errorf("%v has the move %v", l.GetLine(), m)
			}
			stage[m.GetBefore()] += m.GetPersonCount()
			stage[m.GetNow()] -= m.GetPersonCount()
			switch {
			case m.GetBefore() == 0 || m.GetNow() == 0:
			case m.GetNow() > m.GetBefore():
				up += m.GetPersonCount()
			default:
				down += m.GetPersonCount()
			}
		}
		delete(stage, 0)
		for s, n := range stage {
			if n != 0 {
				t.Errorf("%v %v: the moves lack %d persons", l.GetLine(), s, n)
			}
		}
		if points != r.GetPersonCount() || staged != r.GetPersonCount() || pointsBefore != stagedBefore || up != l.GetUpCount() || down != l.GetDownCount() {
			t.Errorf("%v: %d persons, %d by points, %d by stage, %d and %d before, %d up, %d down", l.GetLine(), r.GetPersonCount(), points, staged, pointsBefore, stagedBefore, up, down)
		}
	}
	active, next := int64(0), int64(0)
	for _, s := range r.GetSegments() {
		active += s.GetActiveCount()
		if s.GetBeforePersonCount()+s.GetEnteredCount()-s.GetLeftCount() != s.GetPersonCount() {
			t.Errorf("%v does not add up", s)
		}
		sum := int64(0)
		for _, l := range s.GetLevels() {
			if sum += l.GetPersonCount(); l.GetBeforePersonCount()+l.GetEnteredCount()-l.GetLeftCount() != l.GetPersonCount() {
				t.Errorf("%v: %v does not add up", s.GetSegment(), l)
			}
		}
		if sum != s.GetPersonCount() {
			t.Errorf("%v has %d persons, %d in levels", s.GetSegment(), s.GetPersonCount(), sum)
		}
	}
	for _, n := range r.GetNextLines() {
		next += n.GetPersonCount()
	}
	for _, x := range r.GetIndices() {
		now, before := int64(0), int64(0)
		for _, b := range x.GetBands() {
			now, before = now+b.GetPersonCount(), before+b.GetBeforePersonCount()
		}
		if now != r.GetPersonCount() || before != r.GetBeforePersonCount() {
			t.Errorf("%v has %d persons, %d before", x.GetIndex(), now, before)
		}
	}
	if active > r.GetPersonCount() || next != r.GetPersonCount() {
		t.Errorf("%d persons, %d with an active play, %d by the line to work for", r.GetPersonCount(), active, next)
	}
}

func segmentOf(r *scoringv1.RescoringReport, code leadv1.Segment) *scoringv1.RescoredSegment {
	for _, s := range r.GetSegments() {
		if s.GetSegment() == code {
			return s
		}
	}
	return nil
}

func levels(s *scoringv1.RescoredSegment) map[string]int64 {
	out := map[string]int64{}
	for _, l := range s.GetLevels() {
		if l.GetPersonCount() > 0 {
			out[l.GetLevel()] = l.GetPersonCount()
		}
	}
	return out
}

// wantScores works the scores of a person out from what Identity answered, without the service.
func wantScores(p *playbook.Playbook, person *identityv1.PersonProfile, at time.Time, t *testing.T) (map[leadv1.Line]int32, []*leadv1.IndexScore) {
	t.Helper()
	profile, err := signal.Unmarshal(person.GetProfile())
	if err != nil {
		t.Fatal(err)
	}
	l := lead.Lead{Trigger: true, Market: p.Market, Parties: []lead.Party{{Address: lead.Address{Country: person.GetCountry(), Region: person.GetRegion(), Postal: person.GetPostalCode()}}}}
	if person.GetHasEmail() {
		l.Parties[0].Emails = []lead.Email{{Address: "x@example.com"}}
	}
	if person.GetHasPhone() {
		l.Parties[0].Phones = []lead.Phone{{E164: "+15125550163"}}
	}
	facts := corescoring.Facts{Profiling: lead.ConsentStateDenied, Catalogue: p.Catalogue, Currency: p.Currency}
	if person.GetProfiling() {
		facts.Profiling = lead.ConsentStateGranted
	}
	var in corescoring.Inputs
	var res corescoring.Result
	corescoring.Extract(&l, &profile, at, facts, &in)
	p.Scoring.Score(&in, &res)
	want := map[leadv1.Line]int32{}
	for line, stage := range res.Stage {
		if stage != lead.StageUnspecified {
			want[leadv1.Line(line)] = res.Points[line]
		}
	}
	indices := scoreconv.Indices(p, &in)
	for _, x := range indices { // the rest is for whoever asks why
		x.Reasons, x.Contributions, x.Groups, x.NoConsentGroups, x.ProbabilityInterval, x.RevenueInterval = nil, nil, nil, nil, nil, nil
	}
	return want, indices
}

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
	select {
	case <-w.base.stuck:
	case <-time.After(time.Minute):
		t.Fatal("it never came to the page")
	}
	if r := w.look(id); r.GetPersonCount() != 3*ofAPage || r.GetProgressPpm() != 350_000 || r.GetEstimatedPersonCount() != basePersons || r.GetReport() != nil {
		t.Errorf("at work it is %v", r)
	}
	for range 2 {
		resp, err := w.s.CancelRescoring(w.ctx, &scoringv1.CancelRescoringRequest{RescoringId: id})
		if err != nil || resp.GetRescoring().GetState() != scoringv1.RescoringState_RESCORING_STATE_CANCELLED {
			t.Fatalf("cancelled: %v, %v", resp, err)
		}
	}
	close(w.base.goOn)
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

// rescoringProcess names the database when the test binary is to be the process that is killed.
const rescoringProcess = "LEADMESH_TEST_RESCORING"

// A process that is killed in the middle costs the page it was at; another goes on behind it.
func TestRescoringSurvivesAKilledProcess(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, scoring.Migrations())
	w := newRebasing(t, db.Pool("scoring"), newBase(t, -1))
	w.house.apply(t, sample(t), "")
	id := w.begin("").GetRescoringId()

	cmd := exec.Command(os.Args[0], "-test.run=^TestRescoringAsAnotherProcess$", "-test.v")
	cmd.Env = append(os.Environ(), rescoringProcess+"="+db.URL())
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := bufio.NewScanner(out)
	for said.Scan() && said.Text() != "stuck" {
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("the other process ended by itself")
	}
	if r := w.look(id); r.GetPersonCount() != 3*ofAPage || r.GetState() != scoringv1.RescoringState_RESCORING_STATE_RUNNING {
		t.Fatalf("left behind: %v", r)
	}
	w.now.Add(int64(2 * time.Minute))
	w.runs()
	r := w.done(id)
	if r.GetReport().GetPersonCount() != basePersons || !r.GetAsOf().AsTime().Equal(start) || len(w.find(&scoringv1.ListPersonScoresRequest{})) != basePersons {
		t.Errorf("done: %v", r)
	}
	if n := len(w.base.asked); n != 6 || w.base.asked[0].GetPageToken() != "3" || !w.base.asked[0].GetAt().AsTime().Equal(start) {
		t.Errorf("%d pages were asked for, the first being %v", n, w.base.asked[0])
	}
}

// TestRescoringAsAnotherProcess is the process that TestRescoringSurvivesAKilledProcess kills.
func TestRescoringAsAnotherProcess(t *testing.T) {
	url, ok := os.LookupEnv(rescoringProcess)
	if !ok {
		t.Skip("is started by another test")
	}
	pool, err := postgres.Open(t.Context(), postgres.PoolConfig{URL: url, Role: postgres.ServiceRole("scoring"), Schema: "scoring", MaxConns: 4})
	if err != nil {
		t.Fatal(err)
	}
	w := newRebasing(t, pool, newBase(t, 3))
	go func() {
		<-w.base.stuck
		fmt.Println("stuck")
	}()
	if err := w.s.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}
