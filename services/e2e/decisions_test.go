package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"maps"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/routing"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/house"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/internal/pgtest"
	"github.com/leadmesh/leadmesh/services/internal/scoreconv"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protojson"
)

var update = flag.Bool("update", false, "write what is decided now into testdata/decisions")

// decidedAt is when every golden case is decided: a Tuesday on which all stores between the coasts
// are open.
var decidedAt = time.Date(2026, time.November, 24, 18, 0, 0, 0, time.UTC)

// decisionCase is one file of testdata/decisions.
type decisionCase struct {
	name    string
	About   string         `yaml:"about"`
	Signals []any          `yaml:"signals,omitempty"` // what is known of the person before; only the REST door knows people
	Request map[string]any `yaml:"request"`
	Want    decided        `yaml:"want"`

	lead leadv1.Lead // the request as it was sent
}

// decided is what matters of a decision.
type decided struct {
	Line    string   `yaml:"line"`
	Points  int32    `yaml:"points"` // 1/100
	Stage   string   `yaml:"stage"`
	Reasons []string `yaml:"reasons,flow"`
	Parked  string   `yaml:"parked,omitempty"`
	Step    string   `yaml:"step,omitempty"`
	Role    string   `yaml:"role,omitempty"`
	// The flags of the decision by the dealer who wins; several dealers where a draw decides.
	Dealers map[string][]string `yaml:"dealers,omitempty"`
}

// TestDecisions runs the golden cases at every door: the core alone, Score and Explain, the stream in
// plain text and behind TLS, and REST through Capture.
func TestDecisions(t *testing.T) {
	if testing.Short() {
		t.Skip("starts whole houses")
	}
	core := newThinker(t)
	plain := inProcess(t, func(c *house.Config) { c.Now = func() time.Time { return decidedAt } })
	tls := securedAt(t, decidedAt)
	cases := readCases(t)
	governed := make([]*leadv1.Lead, len(cases))
	for i, c := range cases {
		governed[i] = core.govern(t, &c.lead)
	}
	byStream := map[string][]*leadv1.Decision{"stream": dryRuns(t, plain, governed), "stream behind TLS": dryRuns(t, tls, governed)}
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			rest := c.submit(t, plain)
			if *update {
				c.Want = essence(rest)
				if len(c.Signals) == 0 {
					c.Want = core.decide(t, governed[i])
				}
				c.write(t)
			}
			c.compare(t, "REST", essence(rest))
			if len(c.Signals) > 0 {
				replays(t, plain, rest.GetLeadId())
				return
			}
			if diff := cmp.Diff(c.Want, core.decide(t, governed[i])); diff != "" {
				t.Errorf("core (-want +got):\n%s", diff)
			}
			for _, door := range slices.Sorted(maps.Keys(byStream)) {
				c.compare(t, door, essence(byStream[door][i]))
			}
			c.unary(t, plain, governed[i])
		})
	}
}

// compare checks what a door answered. Where a draw decides, one of its dealers must have won.
func (c *decisionCase) compare(t *testing.T, door string, got decided) {
	t.Helper()
	want := c.Want
	for dealer := range got.Dealers {
		if flags, ok := want.Dealers[dealer]; ok {
			want.Dealers = map[string][]string{dealer: flags}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", door, diff)
	}
}

// unary checks Score and Explain.
func (c *decisionCase) unary(t *testing.T, w *world, l *leadv1.Lead) {
	t.Helper()
	client := scoringv1.NewScoringServiceClient(w.grpc)
	one, err := client.Score(t.Context(), &scoringv1.ScoreRequest{Lead: l})
	if err != nil {
		t.Fatal(err)
	}
	all, err := client.Explain(t.Context(), &scoringv1.ExplainRequest{Lead: l})
	if err != nil {
		t.Fatal(err)
	}
	for door, s := range map[string]*leadv1.Score{"Score": one.GetScore(), "Explain": all.GetScores()[0]} {
		got := scoreOf(s)
		want := decided{Line: c.Want.Line, Points: c.Want.Points, Stage: c.Want.Stage, Reasons: c.Want.Reasons}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", door, diff)
		}
		var sum int32
		for _, x := range s.GetContributions() {
			sum += x.GetPoints()
		}
		if sum != s.GetPoints() {
			t.Errorf("%s: contributions add up to %d, points are %d", door, sum, s.GetPoints())
		}
	}
}

func scoreOf(s *leadv1.Score) decided {
	return decided{
		Line: strings.TrimPrefix(s.GetLine().String(), "LINE_"), Points: s.GetPoints(),
		Stage: strings.TrimPrefix(s.GetStage().String(), "STAGE_"), Reasons: slices.Clone(s.GetReasons()),
	}
}

// essence is what matters of an answer.
func essence(d *leadv1.Decision) decided {
	e := scoreOf(d.GetScore())
	if d.GetDisposition() == leadv1.Disposition_DISPOSITION_PARKED {
		e.Parked = strings.TrimPrefix(d.GetParking().GetReason().String(), "PARK_REASON_")
		return e
	}
	e.Step, e.Role = d.GetStep(), strings.TrimPrefix(d.GetAssignment().GetRole().String(), "ROLE_")
	e.Dealers = map[string][]string{d.GetAssignment().GetDealerId(): append([]string{}, d.GetFlags()...)}
	return e
}

// draws is how many chances the core is asked with, to know all whom a draw may choose.
const draws = 64

// decide is the answer of the core.
func (c *thinker) decide(t *testing.T, l *leadv1.Lead) decided {
	t.Helper()
	in := fromProto(t, l)
	var out decided
	for i := range draws {
		v := c.think(&in, decidedAt, uint64(i)*(math.MaxUint64/draws))
		if i == 0 {
			out = scoreOf(scoreconv.ToProto(c.playbook, &v.inputs, &v.result, v.line, false))
			if v.park != lead.ParkReasonUnspecified {
				out.Parked = v.park.String()
				return out
			}
			out.Step, out.Role, out.Dealers = v.receipt.Step.String(), v.receipt.WinRole.String(), map[string][]string{}
		}
		out.Dealers[v.receipt.Winner] = flagNames(v.receipt.Flags)
	}
	return out
}

// flagNames spells the flags of a receipt as answers do.
func flagNames(f routing.Flag) []string {
	out := []string{}
	for _, x := range []struct {
		bit  routing.Flag
		name string
	}{
		{routing.FlagReferralPlay, "referral_play"}, {routing.FlagProgramFallback, "program_fallback"}, {routing.FlagChosenNotAllowed, "chosen_not_allowed"},
		{routing.FlagChosenDeclined, "chosen_declined"}, {routing.FlagChosenUnknown, "chosen_unknown"}, {routing.FlagOwnerNotAllowed, "owner_not_allowed"},
		{routing.FlagOwnerUnknown, "owner_unknown"}, {routing.FlagOutsideFranchise, "outside_franchise"}, {routing.FlagUnassigned, "unassigned"},
	} {
		if f.Has(x.bit) {
			out = append(out, x.name)
		}
	}
	return out
}

// govern does what Capture does to a lead before it goes on.
func (c *thinker) govern(t *testing.T, l *leadv1.Lead) *leadv1.Lead {
	t.Helper()
	in := fromProto(t, l)
	in.ReceivedAt = decidedAt
	if v := c.playbook.Governor.Apply(&in, decidedAt); !v.Accepted() {
		t.Fatalf("the lead is refused: %s", v.Reject)
	}
	return leadconv.ToProto(&in)
}

func fromProto(t *testing.T, l *leadv1.Lead) lead.Lead {
	t.Helper()
	in, wrong := leadconv.FromProto(l)
	if len(wrong) > 0 {
		t.Fatal(wrong)
	}
	return in
}

// submit sends the case through Capture.
func (c *decisionCase) submit(t *testing.T, w *world) *leadv1.Decision {
	t.Helper()
	if len(c.Signals) > 0 {
		raw, err := json.Marshal(map[string]any{"signals": c.Signals})
		if err != nil {
			t.Fatal(err)
		}
		if code, answer := w.call(t, "oem", http.MethodPost, "/v1/signals:batch", nil, string(raw)); code != http.StatusOK || strings.Contains(string(answer), `"problem"`) {
			t.Fatalf("signals answered %d: %s", code, answer)
		}
	}
	raw, err := json.Marshal(c.Request)
	if err != nil {
		t.Fatal(err)
	}
	code, answer := w.sendLead(t, map[string]string{"Idempotency-Key": "decisions/" + c.name}, string(raw))
	r := &capturev1.LeadResult{}
	if err := unmarshal(answer, r); code != http.StatusOK || err != nil || r.GetDecision() == nil {
		t.Fatalf("answered %d: %s", code, answer)
	}
	r.Decision.LeadId = r.GetLeadId()
	return r.GetDecision()
}

// dryRuns asks the stream about leads.
func dryRuns(t *testing.T, w *world, leads []*leadv1.Lead) []*leadv1.Decision {
	t.Helper()
	return dryRunsOf(t, w, leads, false)
}

func dryRunsOf(t *testing.T, w *world, leads []*leadv1.Lead, explain bool) []*leadv1.Decision {
	t.Helper()
	ctx, cancel := context.WithTimeout(w.as(t.Context(), "oem"), 2*patience)
	defer cancel()
	st, err := routingv1.NewDecisionServiceClient(w.grpc).Decide(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for i, l := range leads {
		if err := st.Send(&routingv1.DecideRequest{Sequence: uint64(i + 1), Mode: routingv1.DecideMode_DECIDE_MODE_DRY_RUN, Lead: l, Explain: explain}); err != nil {
			t.Fatal(err)
		}
	}
	if err := st.CloseSend(); err != nil {
		t.Fatal(err)
	}
	out := make([]*leadv1.Decision, len(leads))
	for {
		a, err := st.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if a.GetDecision() == nil {
			t.Fatalf("lead %d: %v", a.GetSequence(), a.GetProblem())
		}
		out[a.GetSequence()-1] = a.GetDecision()
	}
	if i := slices.Index(out, nil); i >= 0 {
		t.Fatalf("lead %d was not answered", i+1)
	}
	return out
}

const casesDir = "testdata/decisions"

func readCases(t *testing.T) []*decisionCase {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(casesDir, "*.yaml"))
	if err != nil || len(files) < 20 {
		t.Fatalf("%d cases, %v", len(files), err)
	}
	var out []*decisionCase
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		c := &decisionCase{name: strings.TrimSuffix(filepath.Base(file), ".yaml")}
		d := yaml.NewDecoder(bytes.NewReader(raw))
		d.KnownFields(true)
		if err := d.Decode(c); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if raw, err = json.Marshal(c.Request); err != nil {
			t.Fatal(err)
		}
		if err := protojson.Unmarshal(raw, &c.lead); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		out = append(out, c)
	}
	return out
}

func (c *decisionCase) write(t *testing.T) {
	t.Helper()
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := errors.Join(e.Encode(c), e.Close(), os.WriteFile(filepath.Join(casesDir, c.name+".yaml"), b.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
}

// securedAt is a house behind TLS and tokens whose clock stands still.
func securedAt(t *testing.T, at time.Time) *world {
	t.Helper()
	dir := t.TempDir()
	certs := certificates(t, dir)
	tokens, file := tokensFile(t, dir)
	w := &world{logs: &buffer{}, db: pgtest.New(t).URL(), ca: filepath.Join(certs, "ca.pem"), token: tokens}
	h, err := house.Open(t.Context(), house.Config{
		Version: "test", DatabaseURL: w.db, Data: t.TempDir(), HTTP: "127.0.0.1:0", GRPC: "127.0.0.1:0", Sample: true, LogWriter: w.logs,
		TLSCert: filepath.Join(certs, "public.pem"), TLSKey: filepath.Join(certs, "public.key"), Tokens: file, Now: func() time.Time { return at },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the house ended with: %v", err)
		}
	})
	w.base, w.addr = "https://"+h.HTTPAddr(), h.GRPCAddr()
	w.trust(t)
	w.awaitHealthy(t)
	return w
}
