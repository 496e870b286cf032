package scoring_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/core/lead"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/playbookfeed"
	"google.golang.org/protobuf/testing/protocmp"
)

// Feeds follow models without any change of the playbook, and fetch what scored once.
func TestFeedsFollowModels(t *testing.T) {
	pool := newPool(t)
	h, other := newHouse(t, pool), newHouse(t, pool)
	h.apply(t, sample(t), "")
	m := h.models(t, "anna")
	feed := playbookfeed.New(other.snapshot, other.tel.Log)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	next := feed.Changed()
	go func() { ended <- feed.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	<-next
	plain := feed.Current()
	if plain.Shadow != nil || plain.Playbook.Scorer() != plain.Playbook.Revision {
		t.Fatalf("without models the scorer is %s", plain.Playbook.Scorer())
	}
	follow := func(what func()) *playbookfeed.Snapshot {
		t.Helper()
		next := feed.Changed()
		what()
		<-next
		if feed.Health(t.Context()) != nil || feed.Current().Playbook.Revision != plain.Playbook.Revision || string(feed.Current().Secret) != string(plain.Secret) {
			t.Errorf("health %v", feed.Health(t.Context()))
		}
		return feed.Current()
	}
	one, two := m.upload(salesCard(12)), m.upload(strings.Replace(salesCard(13), "SALES", "SERVICE", 1))
	beside := follow(func() { m.promote(one.GetRevision(), shadow) })
	if beside.Playbook.Models[lead.LineSales] != "" || beside.Shadow.Playbook.Models[lead.LineSales] != one.GetRevision() ||
		beside.Shadow.Episodes[lead.LineSales] == 0 || beside.Shadow.Episodes[lead.LineService] != 0 {
		t.Errorf("the shadow is %v", beside.Shadow)
	}
	first := follow(func() { m.promote(one.GetRevision(), active) })
	if first.Shadow != nil || first.Playbook.Scorer() != one.GetRevision() {
		t.Errorf("the scorer is %s", first.Playbook.Scorer())
	}
	follow(func() { m.promote(two.GetRevision(), shadow) })
	both := follow(func() { m.promote(two.GetRevision(), active) })
	if both.Playbook.Scorer() != one.GetRevision()+" "+two.GetRevision() {
		t.Errorf("the scorers are %s", both.Playbook.Scorer())
	}
	if none := follow(func() { m.rollback() }); none.Playbook.Scorer() != two.GetRevision() {
		t.Errorf("rolled back, the scorer is %s", none.Playbook.Scorer())
	}
	again, err := feed.Fetch(t.Context(), plain.Playbook.Revision, []string{one.GetRevision(), two.GetRevision()})
	if err != nil || again.Playbook.Scorer() != both.Playbook.Scorer() {
		t.Errorf("fetched %v, %v", again, err)
	}
	if alone, err := feed.Fetch(t.Context(), plain.Playbook.Revision, nil); err != nil || alone.Playbook.Scorer() != plain.Playbook.Revision {
		t.Errorf("fetched %v, %v", alone, err)
	}
	_, err = feed.Fetch(t.Context(), plain.Playbook.Revision, []string{strings.Repeat("1", 64)})
	wantReason(t, err, problemv1.Reason_REASON_NOT_FOUND)
}

// Who knows the playbook and of no models, as a process of an earlier version, hears of a model once
// and not every second; who knows of models hears of every change.
func TestSnapshotsForOldAndNew(t *testing.T) {
	h := newHouse(t, newPool(t))
	revision := h.apply(t, sample(t), "").GetRevision()
	m := h.models(t, "anna")
	ask := func(models *string) *scoringv1.GetSnapshotResponse {
		t.Helper()
		resp, err := h.snapshot.GetSnapshot(t.Context(), &scoringv1.GetSnapshotRequest{KnownRevision: revision, KnownModelsRevision: models})
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	none := ""
	if a := ask(&none); !a.GetUnchanged() {
		t.Errorf("without models: %v", a.GetModelsRevision())
	}
	m.promote(m.upload(salesCard(12)).GetRevision(), shadow, active)
	if a := ask(nil); !a.GetUnchanged() || len(a.GetBundle()) > 0 {
		t.Error("who knows of no models is told of one again and again")
	}
	a := ask(&none)
	if a.GetUnchanged() || len(a.GetModels()) != 1 || a.GetModels()[0].GetShadow() {
		t.Errorf("who knows of models gets %v", a.GetModels())
	}
	known := a.GetModelsRevision()
	if a := ask(&known); !a.GetUnchanged() {
		t.Error("the same models are new")
	}
}

// What a replica reports twice counts once, replicas add up, and a shadow that comes back begins anew.
func TestShadowFigures(t *testing.T) {
	h := newHouse(t, newPool(t))
	h.apply(t, sample(t), "")
	m := h.models(t, "anna")
	one := m.upload(salesCard(12))
	if m.get(one.GetRevision()).GetShadow() != nil {
		t.Error("a model that was no shadow has figures of one")
	}
	episode := func() int64 {
		t.Helper()
		s, err := h.snapshot.GetSnapshot(t.Context(), &scoringv1.GetSnapshotRequest{})
		if err != nil {
			t.Fatal(err)
		}
		return s.GetModels()[0].GetEpisode()
	}
	report := func(replica byte, episode int64, c *playbookfeed.ShadowCount) {
		t.Helper()
		p := c.Proto()
		p.Revision, p.Episode = one.GetRevision(), episode
		req := &scoringv1.ReportShadowRequest{Replica: []byte(strings.Repeat(string(rune('a'+replica)), 16)), Counts: []*scoringv1.ShadowCount{p}}
		for range 2 {
			if _, err := h.snapshot.ReportShadow(t.Context(), req); err != nil {
				t.Fatal(err)
			}
		}
	}
	m.promote(one.GetRevision(), shadow)
	first := episode()
	var a, b playbookfeed.ShadowCount
	a.Add(0, lead.StageAwareness, 10000, lead.StageReady)
	report(0, first, &a)
	a.Add(999, lead.StageAwareness, 1000, lead.StageAwareness)
	report(0, first, &a)
	b.Add(9999, lead.StageReady, 4200, lead.StageIntent)
	report(1, first, &b)
	got := m.get(one.GetRevision()).GetShadow()
	if got.GetSince().AsTime() != start {
		t.Errorf("since %v", got.GetSince().AsTime())
	}
	var buckets [10][2]int64
	for i, x := range got.GetBuckets() {
		buckets[i] = [2]int64{x.GetDecidedCount(), x.GetShadowCount()}
		if int(x.GetFromPoints()) != i*1000 {
			t.Errorf("bucket %d begins at %d", i, x.GetFromPoints())
		}
	}
	if want := [10][2]int64{0: {2, 0}, 1: {0, 1}, 4: {0, 1}, 9: {1, 1}}; buckets != want {
		t.Errorf("buckets %v", buckets)
	}
	got.Buckets, got.Since = nil, nil
	want := &scoringv1.ShadowFigures{LeadCount: 3, ChangedCount: 2, Moves: []*scoringv1.StageMove{
		{Decided: leadv1.Stage_STAGE_AWARENESS, Shadow: leadv1.Stage_STAGE_AWARENESS, LeadCount: 1},
		{Decided: leadv1.Stage_STAGE_AWARENESS, Shadow: leadv1.Stage_STAGE_READY, LeadCount: 1},
		{Decided: leadv1.Stage_STAGE_READY, Shadow: leadv1.Stage_STAGE_INTENT, LeadCount: 1},
	}}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	if _, err := m.s.RetireModel(m.ctx, &scoringv1.RetireModelRequest{Revision: one.GetRevision()}); err != nil {
		t.Fatal(err)
	}
	m.promote(one.GetRevision(), shadow)
	report(0, first, &a) // late
	if n := m.get(one.GetRevision()).GetShadow().GetLeadCount(); n != 0 || episode() == first {
		t.Errorf("a shadow that came back has %d leads", n)
	}
	_, err := h.snapshot.ReportShadow(t.Context(), &scoringv1.ReportShadowRequest{Replica: make([]byte, 16), Counts: []*scoringv1.ShadowCount{{}}})
	wantReason(t, err, problemv1.Reason_REASON_INVALID_ARGUMENT)
}
