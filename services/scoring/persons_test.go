package scoring_test

import (
	"bytes"
	gocmp "cmp"
	"context"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/signal"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/scoring"
	"google.golang.org/grpc"
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
	stopAt atomic.Int32 // the page that is not answered before the gate opens; -1: none
	gate

	mu     sync.Mutex
	all    []*identityv1.PersonProfile
	unread map[int][]string // persons that can not be read, by page
	fails  int
	asked  []*identityv1.ListProfilesRequest

	// Routing's part: what persons asked who wait for an answer, and what it answers instead, if anything.
	cares    map[string]leadv1.RequestType
	careless error
}

func newBase(t *testing.T, stopAt int32) *base {
	b := &base{t: t, gate: newGate()}
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
	all, unread := slices.Clone(b.all), b.unread
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
		if err := b.hold(ctx); err != nil {
			return nil, err
		}
	}
	end := min((page+1)*ofAPage, len(all))
	resp := &identityv1.ListProfilesResponse{UnreadablePersonIds: unread[page], Profiles: all[min(page*ofAPage, end):end], ProgressPpm: int32(end * 1_000_000 / max(1, len(all)))}
	if end < len(all) {
		resp.NextPageToken = strconv.Itoa(page + 1)
	}
	return resp, nil
}

func (b *base) ListOpenCare(_ context.Context, req *routingv1.ListOpenCareRequest, _ ...grpc.CallOption) (*routingv1.ListOpenCareResponse, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.careless != nil {
		return nil, b.careless
	}
	resp := &routingv1.ListOpenCareResponse{}
	inside := false
	for _, p := range b.all {
		inside = inside || p.GetPersonId() == req.GetFromPersonId()
		if asked, ok := b.cares[p.GetPersonId()]; inside && ok {
			resp.Cares = append(resp.Cares, &routingv1.OpenCare{PersonId: p.GetPersonId(), RequestType: asked})
		}
		if p.GetPersonId() == req.GetToPersonId() {
			break
		}
	}
	return resp, nil
}

func (b *base) complain(cares map[string]leadv1.RequestType, careless error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cares, b.careless = cares, careless
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
	h := newHouseWith(t, cfg, scoring.Deps{Pool: pool, Profiles: b, Cares: b, Now: func() time.Time { return time.Unix(0, now.Load()).UTC() }})
	return &rebasing{h.models(t, "mona"), h, b, now}
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
	r := until(w.t, func() *scoringv1.Rescoring { return w.look(id) }, func(r *scoringv1.Rescoring) bool {
		return r.GetState() != scoringv1.RescoringState_RESCORING_STATE_RUNNING
	})
	if r.GetState() != scoringv1.RescoringState_RESCORING_STATE_DONE {
		w.t.Fatalf("it is %v", r)
	}
	checkCensus(w.t, r.GetReport())
	return r
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
