package routing

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/playbookfeed"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

func sampleNetwork(tb testing.TB) []*routingv1.NetworkFile {
	tb.Helper()
	var files []*routingv1.NetworkFile
	for _, pattern := range []string{"network/*", "postal/*.gz"} {
		names, err := filepath.Glob(filepath.Join("..", "..", "deploy", "sample", filepath.FromSlash(pattern)))
		if err != nil {
			tb.Fatal(err)
		}
		for _, name := range names {
			content, err := os.ReadFile(name)
			if err != nil {
				tb.Fatal(err)
			}
			files = append(files, &routingv1.NetworkFile{Name: filepath.Base(name), Content: content})
		}
	}
	return files
}

func TestImportNetwork(t *testing.T) {
	w := newWorld(t)
	w.s.playbooks = playbookfeed.New(nil, w.s.log)
	dry, err := w.s.ImportNetwork(t.Context(), &routingv1.ImportNetworkRequest{Files: sampleNetwork(t), DryRun: true})
	if err != nil || dry.GetNetworkRevision() != "0" || dry.GetAccepted()["dealers.csv"] == 0 {
		t.Fatalf("dry run: revision %q, %v", dry.GetNetworkRevision(), err)
	}
	resp, err := w.s.ImportNetwork(t.Context(), &routingv1.ImportNetworkRequest{Files: sampleNetwork(t), AllOrNothing: true})
	if err != nil || resp.GetNetworkRevision() != "1" || len(resp.GetMistakes()) > 0 {
		t.Fatalf("revision %q, %v, mistakes %v", resp.GetNetworkRevision(), err, resp.GetMistakes())
	}
	rows, err := w.s.store.Network(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	view, err := newNetworkView(rows)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := newRulebook(&playbookfeed.Snapshot{Playbook: w.rb.playbook, Secret: w.rb.secret}, view); err != nil {
		t.Errorf("the sample's network and playbook do not fit together: %v", err)
	}
	_, err = w.s.ImportNetwork(t.Context(), &routingv1.ImportNetworkRequest{})
	wantReason(t, err, problemv1.Reason_REASON_INVALID_ARGUMENT)
}

func TestDealerIsPutPausedAndResumed(t *testing.T) {
	w := newPushWorld(t, nil)
	d := proto.CloneOf(testNetwork().Dealers[2])
	d.Name = "Store c, renamed"
	put, err := w.s.PutDealer(t.Context(), &routingv1.PutDealerRequest{DealerId: "c", Dealer: d})
	if err != nil || put.GetDealer().GetName() != d.GetName() {
		t.Fatalf("%v, %v", put, err)
	}
	_, err = w.s.PutDealer(w.as("c"), &routingv1.PutDealerRequest{DealerId: "c", Dealer: d})
	wantReason(t, err, problemv1.Reason_REASON_PERMISSION_DENIED)
	d.TimeZone = "Nowhere"
	_, err = w.s.PutDealer(t.Context(), &routingv1.PutDealerRequest{DealerId: "c", Dealer: d})
	wantReason(t, err, problemv1.Reason_REASON_INVALID_ARGUMENT)

	for _, bad := range []*routingv1.PauseDealerRequest{
		{DealerId: "c"},
		{DealerId: "c", Reason: "move", Until: timestamppb.New(w.now)},
		{DealerId: "c", Reason: "move", Until: timestamppb.New(w.now.AddDate(2, 0, 0))},
		{DealerId: "c", Reason: "move", From: timestamppb.New(time.Unix(-1, 0))},
	} {
		_, err = w.s.PauseDealer(w.as("c"), bad)
		wantReason(t, err, problemv1.Reason_REASON_INVALID_ARGUMENT)
	}
	until := w.now.Add(48 * time.Hour)
	paused, err := w.s.PauseDealer(w.as("c"), &routingv1.PauseDealerRequest{DealerId: "c", Reason: "move", Until: timestamppb.New(until), OverflowDealerId: "b"})
	if err != nil || paused.GetDealer().GetStatus() != "PAUSED" || !paused.GetDealer().GetPausedUntil().AsTime().Equal(until) {
		t.Fatalf("%v, %v", paused, err)
	}
	w.reload()
	if k := w.kase(w.customer(chooses("c"))); k.DealerID != "b" {
		t.Errorf("a lead for a paused store went to %s", k.DealerID)
	}
	for range 2 { // resuming again changes nothing
		resumed, err := w.s.ResumeDealer(w.as("c"), &routingv1.ResumeDealerRequest{DealerId: "c"})
		if err != nil || resumed.GetDealer().GetStatus() != "LIVE" || resumed.GetDealer().GetPausedUntil() != nil {
			t.Fatalf("%v, %v", resumed, err)
		}
	}
	w.reload()
	w.customer(chooses("c"))
	got, err := w.s.GetDealer(w.as("c"), &routingv1.GetDealerRequest{DealerId: "c"})
	if err != nil || got.GetOpenCount() != 1 || got.GetEvidenceGrades()["SERVICE"] != "OBSERVED" {
		t.Errorf("%v, %v", got, err)
	}
	_, err = w.s.GetDealer(w.as("b"), &routingv1.GetDealerRequest{DealerId: "c"})
	wantReason(t, err, problemv1.Reason_REASON_NOT_YOUR_DEALER)
	_, err = w.s.GetDealer(t.Context(), &routingv1.GetDealerRequest{DealerId: "zz"})
	wantReason(t, err, problemv1.Reason_REASON_NOT_FOUND)
}

func TestAPauseWithoutEndLastsUntilFurtherNotice(t *testing.T) {
	w := newPushWorld(t, nil)
	paused, err := w.s.PauseDealer(w.as("c"), &routingv1.PauseDealerRequest{DealerId: "c", Reason: "fire", OverflowDealerId: "b"})
	if d := paused.GetDealer(); err != nil || d.GetStatus() != "PAUSED" || d.GetPausedFrom() == nil || d.GetPausedUntil() != nil {
		t.Fatalf("%v, %v", paused, err)
	}
	w.reload()
	if k := w.kase(w.customer(chooses("c"))); k.DealerID != "b" {
		t.Errorf("a lead for a paused store went to %s", k.DealerID)
	}
	w.now = w.now.AddDate(3, 0, 0)
	if k := w.kase(w.customer(chooses("c"))); k.DealerID != "b" {
		t.Errorf("three years later a lead for a paused store went to %s", k.DealerID)
	}
	if _, err := w.s.ResumeDealer(w.as("c"), &routingv1.ResumeDealerRequest{DealerId: "c"}); err != nil {
		t.Fatal(err)
	}
	w.reload()
	if k := w.kase(w.customer(chooses("c"))); k.DealerID != "c" {
		t.Errorf("a lead for a resumed store went to %s", k.DealerID)
	}
}

// BenchmarkLoadNetwork is what a start does with the sample's network, step by step.
func BenchmarkLoadNetwork(b *testing.B) {
	w := newWorld(b)
	w.s.playbooks = playbookfeed.New(nil, w.s.log)
	if _, err := w.s.ImportNetwork(b.Context(), &routingv1.ImportNetworkRequest{Files: sampleNetwork(b)}); err != nil {
		b.Fatal(err)
	}
	var read, view, compile time.Duration
	for b.Loop() {
		start := time.Now()
		rows, err := w.s.store.Network(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		read += time.Since(start)
		start = time.Now()
		v, err := newNetworkView(rows)
		if err != nil {
			b.Fatal(err)
		}
		view += time.Since(start)
		start = time.Now()
		if _, err := newRulebook(&playbookfeed.Snapshot{Playbook: w.rb.playbook, Secret: w.rb.secret}, v); err != nil {
			b.Fatal(err)
		}
		compile += time.Since(start)
	}
	n := float64(b.N)
	b.ReportMetric(read.Seconds()*1000/n, "ms-read/op")
	b.ReportMetric(view.Seconds()*1000/n, "ms-view/op")
	b.ReportMetric(compile.Seconds()*1000/n, "ms-compile/op")
}

// TestAStoresOwnLeadAboutAnotherBrandReachesIt decides the sample's lead of a store's own website
// about a brand that the store's code is not for.
func TestAStoresOwnLeadAboutAnotherBrandReachesIt(t *testing.T) {
	w := newPushWorld(t, nil)
	if _, err := w.s.ImportNetwork(t.Context(), &routingv1.ImportNetworkRequest{Files: sampleNetwork(t)}); err != nil {
		t.Fatal(err)
	}
	w.reload()
	raw, err := os.ReadFile(filepath.Join("..", "..", "deploy", "sample", "leads", "52-stores-own-website.json"))
	if err != nil {
		t.Fatal(err)
	}
	id := w.customer(func(p *leadv1.Lead) {
		own, base := strings.ReplaceAll(string(raw), "{now-36m}", monday.Format(time.RFC3339)), proto.CloneOf(p)
		if err := protojson.Unmarshal([]byte(own), p); err != nil {
			t.Fatal(err)
		}
		p.LeadId, p.Line, p.Market, p.ReceivedAt, p.Brand = base.LeadId, base.Line, "US", base.ReceivedAt, "SOLVANE"
	})
	k := w.kase(id)
	if k.DealerID != "nv-tx-006" || len(k.Decision.GetFlags()) > 0 { // it sells that brand too, so there is nothing to say
		t.Errorf("the lead went to %s, flags %v", k.DealerID, k.Decision.GetFlags())
	}
}
