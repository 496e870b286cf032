package scoring_test

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/leadmesh/leadmesh/core/playbook"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/pgtest"
	"github.com/leadmesh/leadmesh/services/internal/playbookfeed"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
	"github.com/leadmesh/leadmesh/services/scoring"
	"google.golang.org/protobuf/testing/protocmp"
)

var start = time.Date(2026, 11, 20, 15, 0, 0, 0, time.UTC)

// house is one Scoring replica behind an in-process listener, with its clock.
type house struct {
	service  *scoring.Service
	scoring  scoringv1.ScoringServiceClient
	snapshot scoringv1.SnapshotServiceClient
	tel      *telemetry.Telemetry
	now      time.Time
}

func newHouse(t *testing.T, pool *pgxpool.Pool) *house {
	t.Helper()
	return newRuledHouse(t, pool, scoring.ModelRules{})
}

func newRuledHouse(t *testing.T, pool *pgxpool.Pool, rules scoring.ModelRules) *house {
	t.Helper()
	return newTryingHouse(t, pool, rules, nil)
}

// newTryingHouse is one whose backtests find past decisions.
func newTryingHouse(t *testing.T, pool *pgxpool.Pool, rules scoring.ModelRules, past scoring.PastDecisions) *house {
	t.Helper()
	return newHouseWith(t, scoring.Config{Models: rules}, scoring.Deps{Pool: pool, Past: past})
}

func newHouseWith(t *testing.T, cfg scoring.Config, deps scoring.Deps) *house {
	t.Helper()
	tel, err := telemetry.New(t.Context(), telemetry.Config{Service: "test", LogWriter: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{tel: tel, now: start}
	if deps.Tel = tel; deps.Now == nil {
		deps.Now = func() time.Time { return h.now }
	}
	h.service, err = scoring.New(cfg, deps)
	if err != nil {
		t.Fatal(err)
	}
	wires := rpc.Telemetry{Log: tel.Log, Tracing: tel.Tracing, Metrics: tel.Metrics}
	server := rpc.NewInProcessServer(wires)
	scoringv1.RegisterScoringServiceServer(server, h.service)
	scoringv1.RegisterSnapshotServiceServer(server, h.service)
	conn := server.Conn("capture")
	t.Cleanup(func() {
		server.Stop()
		if err := tel.Shutdown(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	h.scoring, h.snapshot = scoringv1.NewScoringServiceClient(conn), scoringv1.NewSnapshotServiceClient(conn)
	return h
}

func newPool(t *testing.T) *pgxpool.Pool {
	t.Helper()
	return pgtest.New(t, scoring.Migrations()).Pool("scoring")
}

// sample is the sample playbook's files; changed adds a remark to one, which makes it another
// revision.
func sample(t testing.TB) playbook.Files {
	t.Helper()
	files := playbook.Files{}
	root := os.DirFS(filepath.Join("..", "..", "deploy", "sample", "playbook"))
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files[name], err = fs.ReadFile(root, name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func changed(files playbook.Files, remark string) playbook.Files {
	files["routing.yaml"] = append(files["routing.yaml"], "# "+remark+"\n"...)
	return files
}

func send(files playbook.Files) []*scoringv1.PlaybookFile {
	var out []*scoringv1.PlaybookFile
	for name, content := range files {
		out = append(out, &scoringv1.PlaybookFile{Path: name, Content: content})
	}
	return out
}

func (h *house) apply(t *testing.T, files playbook.Files, note string) *scoringv1.ApplyPlaybookResponse {
	t.Helper()
	resp, err := h.scoring.ApplyPlaybook(t.Context(), &scoringv1.ApplyPlaybookRequest{Files: send(files), Note: note})
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

func (h *house) list(t *testing.T) (lines []string) {
	t.Helper()
	resp, err := h.scoring.ListPlaybooks(t.Context(), &scoringv1.ListPlaybooksRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range resp.GetPlaybooks() {
		lines = append(lines, fmt.Sprint(p.GetRevision()[:8], " ", p.GetActive(), " ", p.GetNote(), " ", len(p.GetProblems())))
	}
	return lines
}

func wantReason(t *testing.T, err error, want problemv1.Reason) {
	t.Helper()
	if p := problem.From(err); p == nil || p.Reason != want {
		t.Fatalf("got %v, want %v", err, want)
	}
}

func TestApplyListAndRollback(t *testing.T) {
	h := newHouse(t, newPool(t))
	ctx := t.Context()
	_, err := h.scoring.Score(ctx, &scoringv1.ScoreRequest{Lead: &leadv1.Lead{}})
	wantReason(t, err, problemv1.Reason_REASON_NOT_READY)
	_, err = h.snapshot.GetSnapshot(ctx, &scoringv1.GetSnapshotRequest{})
	wantReason(t, err, problemv1.Reason_REASON_NOT_READY)
	_, err = h.scoring.RollbackPlaybook(ctx, &scoringv1.RollbackPlaybookRequest{})
	wantReason(t, err, problemv1.Reason_REASON_WRONG_STATE)

	first := h.apply(t, sample(t), "begin")
	if again := h.apply(t, sample(t), "again"); !again.GetUnchanged() || again.GetRevision() != first.GetRevision() || first.GetUnchanged() {
		t.Errorf("the same content: %v, then %v", first, again)
	}
	second := h.apply(t, changed(sample(t), "two"), "more")
	back, err := h.scoring.RollbackPlaybook(ctx, &scoringv1.RollbackPlaybookRequest{Note: "worse"})
	if err != nil || back.GetRevision() != first.GetRevision() {
		t.Fatalf("rollback to %v, %v; want %s", back, err, first.GetRevision())
	}
	forth, err := h.scoring.RollbackPlaybook(ctx, &scoringv1.RollbackPlaybookRequest{Revision: second.GetRevision()[:10]})
	if err != nil || forth.GetRevision() != second.GetRevision() {
		t.Fatalf("rollback by the beginning of a revision: %v, %v", forth, err)
	}
	want := []string{second.GetRevision()[:8] + " true  0", first.GetRevision()[:8] + " false worse 0"}
	if diff := cmp.Diff(want, h.list(t)); diff != "" {
		t.Error(diff)
	}
	_, err = h.scoring.RollbackPlaybook(ctx, &scoringv1.RollbackPlaybookRequest{Revision: strings.Repeat("0", 64)})
	wantReason(t, err, problemv1.Reason_REASON_NOT_FOUND)
	_, err = h.scoring.RollbackPlaybook(ctx, &scoringv1.RollbackPlaybookRequest{Revision: "abc"})
	wantReason(t, err, problemv1.Reason_REASON_INVALID_ARGUMENT)
}

func TestMistakesChangeNothing(t *testing.T) {
	h := newHouse(t, newPool(t))
	files := sample(t)
	files["sla.yaml"] = []byte(strings.Replace(string(files["sla.yaml"]), "warn: 80 %", "warn: eighty", 1))
	checked, err := h.scoring.CheckPlaybook(t.Context(), &scoringv1.CheckPlaybookRequest{Files: send(files)})
	if err != nil {
		t.Fatal(err)
	}
	if len(checked.GetMistakes()) == 0 || checked.GetRevision() != "" || checked.GetMistakes()[0].GetFile() != "sla.yaml" || checked.GetMistakes()[0].GetLine() == 0 {
		t.Errorf("check says %v", checked)
	}
	_, err = h.scoring.ApplyPlaybook(t.Context(), &scoringv1.ApplyPlaybookRequest{Files: send(files)})
	wantReason(t, err, problemv1.Reason_REASON_PLAYBOOK_INVALID)
	if p := problem.From(err); len(p.Violations) == 0 || !strings.HasPrefix(p.Violations[0].Field, "sla.yaml:") {
		t.Errorf("violations %v", p.Violations)
	}
	files = sample(t)
	files["playbook.yaml"] = []byte(strings.Replace(string(files["playbook.yaml"]), "America/Detroit", "America/Nowhere", 1))
	_, err = h.scoring.ApplyPlaybook(t.Context(), &scoringv1.ApplyPlaybookRequest{Files: send(files)})
	wantReason(t, err, problemv1.Reason_REASON_PLAYBOOK_INVALID)
	_, err = h.scoring.ApplyPlaybook(t.Context(), &scoringv1.ApplyPlaybookRequest{Files: send(sample(t)), Note: strings.Repeat("x", 501)})
	wantReason(t, err, problemv1.Reason_REASON_INVALID_ARGUMENT)
	if got := h.list(t); len(got) != 0 {
		t.Errorf("stored nevertheless: %v", got)
	}
}

func TestSeedOnlyOnce(t *testing.T) {
	h := newHouse(t, newPool(t))
	for _, remark := range []string{"one", "two"} {
		if err := h.service.Seed(t.Context(), changed(sample(t), remark), remark); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{playbook.Revision(changed(sample(t), "one"))[:8] + " true one 0"}
	if diff := cmp.Diff(want, h.list(t)); diff != "" {
		t.Error(diff)
	}
}

// A replica that does not take the active playbook keeps the one before, says so, and is well
// again with the next.
func TestReplicaKeepsTheOldOne(t *testing.T) {
	pool := newPool(t)
	h := newHouse(t, pool)
	first := h.apply(t, sample(t), "good")
	bad := strings.Repeat("ab", 32)
	for _, sql := range []string{
		"INSERT INTO playbook VALUES ('" + bad + "', 'of a later version', decode(repeat('00', 32), 'hex'), '2026-11-20')",
		"INSERT INTO activation (revision, activated_at, activated_by, note) VALUES ('" + bad + "', '2026-11-20', 'x', 'later version')",
	} {
		if _, err := pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	snapshot, err := h.snapshot.GetSnapshot(t.Context(), &scoringv1.GetSnapshotRequest{})
	if err != nil || snapshot.GetRevision() != first.GetRevision() {
		t.Fatalf("in force: %v, %v", snapshot.GetRevision(), err)
	}
	if err := h.service.Health(t.Context()); err == nil {
		t.Error("healthy with a playbook it does not take")
	}
	want := []string{bad[:8] + " true later version 1", first.GetRevision()[:8] + " false good 0"}
	if diff := cmp.Diff(want, h.list(t)); diff != "" {
		t.Error(diff)
	}
	h.now = h.now.Add(time.Minute)
	if got := h.list(t)[0]; got != bad[:8]+" true later version 0" {
		t.Errorf("a stale note still counts: %s", got)
	}
	if _, err := h.scoring.RollbackPlaybook(t.Context(), &scoringv1.RollbackPlaybookRequest{}); err != nil {
		t.Fatal(err)
	}
	if err := h.service.Health(t.Context()); err != nil {
		t.Error(err)
	}
}

// Replicas and feeds follow a change made elsewhere, and the secret stays that of the revision.
func TestFollowers(t *testing.T) {
	pool := newPool(t)
	h, other := newHouse(t, pool), newHouse(t, pool)
	feed := playbookfeed.New(other.snapshot, other.tel.Log)
	if feed.Current() != nil || feed.Health(t.Context()) == nil {
		t.Error("a feed has a playbook before it asked")
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- feed.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()

	next := feed.Changed()
	first := h.apply(t, sample(t), "")
	<-next
	one := feed.Current()
	if one.Playbook.Revision != first.GetRevision() || len(one.Secret) != 32 || feed.Health(t.Context()) != nil {
		t.Fatalf("the feed holds %s, health %v", one.Playbook.Revision, feed.Health(t.Context()))
	}
	next = feed.Changed()
	h.apply(t, changed(sample(t), "two"), "")
	<-next
	two := feed.Current()
	if string(one.Secret) == string(two.Secret) {
		t.Error("two revisions share a secret")
	}
	fetched, err := feed.Fetch(t.Context(), first.GetRevision(), nil)
	if err != nil || string(fetched.Secret) != string(one.Secret) || fetched.Playbook.Revision != first.GetRevision() {
		t.Errorf("fetched %v, %v", fetched, err)
	}
	if feed.Current() != two {
		t.Error("fetching changed what is in force")
	}
	_, err = feed.Fetch(t.Context(), strings.Repeat("1", 64), nil)
	wantReason(t, err, problemv1.Reason_REASON_NOT_FOUND)
	unchanged, err := other.snapshot.GetSnapshot(t.Context(), &scoringv1.GetSnapshotRequest{KnownRevision: two.Playbook.Revision})
	if err != nil || !unchanged.GetUnchanged() || len(unchanged.GetBundle())+len(unchanged.GetSecret()) != 0 {
		t.Errorf("asked again: %v, %v", unchanged, err)
	}
}

func testDrive() *leadv1.Lead {
	return &leadv1.Lead{
		RequestType: leadv1.RequestType_REQUEST_TYPE_TEST_DRIVE, Origin: leadv1.Origin_ORIGIN_OEM, Brand: "NORRVIND",
		Parties: []*leadv1.Party{{
			Role:   leadv1.PartyRole_PARTY_ROLE_PRIMARY,
			Phones: []*leadv1.Phone{{Number: "+12065550125", Valid: true}},
			Emails: []*leadv1.Email{{Address: "a@example.com", Valid: true}},
		}},
	}
}

func TestScoreAndExplain(t *testing.T) {
	h := newHouse(t, newPool(t))
	h.apply(t, sample(t), "")
	scored, err := h.scoring.Score(t.Context(), &scoringv1.ScoreRequest{Lead: testDrive()})
	if err != nil {
		t.Fatal(err)
	}
	s := scored.GetScore()
	if s.GetLine() != leadv1.Line_LINE_SALES || len(s.GetReasons()) == 0 || s.GetReasons()[0] != "asked for a test drive" || s.GetPlay() != "first-hour" {
		t.Errorf("score %v", s)
	}
	explained, err := h.scoring.Explain(t.Context(), &scoringv1.ExplainRequest{Lead: testDrive()})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(explained.GetScores()); n != 9 || explained.GetScores()[0].GetLine() != s.GetLine() {
		t.Errorf("%d lines, the first is %v", n, explained.GetScores()[0].GetLine())
	}
	for _, line := range explained.GetScores() {
		sum := int32(0)
		for _, c := range line.GetContributions() {
			sum += c.GetPoints()
			if c.GetLabel() == "" || c.GetFeature() == "" {
				t.Errorf("%v: a contribution without words: %v", line.GetLine(), c)
			}
		}
		if sum != line.GetPoints() {
			t.Errorf("%v: contributions add up to %d, points are %d", line.GetLine(), sum, line.GetPoints())
		}
	}
	if diff := cmp.Diff(s.GetIndices(), explained.GetIndices(), protocmp.Transform()); diff != "" || len(s.GetIndices()) != 2 {
		t.Errorf("%d indices, %s", len(s.GetIndices()), diff)
	}
	if len(s.GetNoConsentGroups()) == 0 {
		t.Error("profiling was not granted and no group says so")
	}
	_, err = h.scoring.Score(t.Context(), &scoringv1.ScoreRequest{})
	wantReason(t, err, problemv1.Reason_REASON_INVALID_ARGUMENT)
	_, err = h.scoring.Score(t.Context(), &scoringv1.ScoreRequest{Lead: testDrive(), Profile: []byte("x")})
	wantReason(t, err, problemv1.Reason_REASON_INVALID_ARGUMENT)
}

// Only the house knows persons: a caller from outside may not bring a profile.
func TestProfileOnlyFromServices(t *testing.T) {
	h := newHouse(t, newPool(t))
	h.apply(t, sample(t), "")
	ctx := rpc.WithCaller(t.Context(), rpc.Caller{Name: "portal", Roles: []rpc.Role{rpc.RoleOEM}})
	_, err := h.service.Score(ctx, &scoringv1.ScoreRequest{Lead: testDrive(), Profile: []byte{1}})
	wantReason(t, err, problemv1.Reason_REASON_PERMISSION_DENIED)
}
