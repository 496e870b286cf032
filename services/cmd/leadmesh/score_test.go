package main

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/playbook"
	"github.com/leadmesh/leadmesh/core/scoring"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/scoreconv"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/testing/protocmp"
)

// answering is a server that explains one score, whatever it is asked.
type answering struct {
	scoringv1.UnimplementedScoringServiceServer
	asked    *scoringv1.ExplainScoreRequest
	playbook *playbook.Playbook
}

func (a *answering) ExplainScore(_ context.Context, req *scoringv1.ExplainScoreRequest) (*scoringv1.ExplainScoreResponse, error) {
	a.asked = req
	var before, after scoring.Inputs
	before.Reset()
	before.Values[scoring.FeatureRequestType], before.Values[scoring.FeatureHasPhone] = int32(lead.RequestTypeQuote), 1
	change := []scoring.Change{{Feature: scoring.FeatureRequestType, Value: int32(lead.RequestTypeOrder)}, {Feature: scoring.FeatureConfiguratorSavedRecency, Value: 2 * 86400}}
	after = before.With(change)
	c := scoreconv.Comparison{Playbook: a.playbook, Line: lead.LineSales, Before: &before, After: &after, Changes: change}
	return c.ToProto(), nil
}

func (a *answering) ListFeatures(_ context.Context, req *scoringv1.ListFeaturesRequest) (*scoringv1.ListFeaturesResponse, error) {
	g, _ := scoring.ParseGroup(req.GetGroup())
	return &scoringv1.ListFeaturesResponse{Features: scoreconv.Features(a.playbook, scoreconv.FeatureQuery{Line: lead.Line(req.GetLine()), Group: g})}, nil
}

func answers(t *testing.T) (*answering, string) {
	t.Helper()
	files, err := readPlaybook(os.DirFS(samplePolicy()))
	if err != nil {
		t.Fatal(err)
	}
	a := &answering{}
	if a.playbook, _ = playbook.Read(files); a.playbook == nil {
		t.Fatal("the sample has mistakes")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	scoringv1.RegisterScoringServiceServer(server, a)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return a, listener.Addr().String()
}

func runs(t *testing.T, args ...string) (int, string, string) {
	t.Helper()
	var out, errs bytes.Buffer
	code := run(args, &out, &errs)
	return code, out.String(), errs.String()
}

func TestScoreExplain(t *testing.T) {
	a, addr := answers(t)
	code, out, errs := runs(t, "score", "explain", "--grpc", addr, "01JD0000000000000000000000", "--attempt", "2", "--line", "sales", "--profiling",
		"--set", "request_type=ORDER", "--set", "configurator_saved.recency = 2 days", "--set", "has_email=", "--playbook", "abcdefgh", "--model", "ijklmnop")
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	want := &scoringv1.ExplainScoreRequest{
		LeadId: "01JD0000000000000000000000", Attempt: 2, Line: leadv1.Line_LINE_SALES, AssumeProfiling: true, PlaybookRevision: "abcdefgh", ModelRevision: "ijklmnop",
		Changes: []*scoringv1.FeatureChange{{Feature: "request_type", Value: "ORDER"}, {Feature: "configurator_saved.recency", Value: "2", In: "days"}, {Feature: "has_email", Missing: true}},
	}
	if diff := cmp.Diff(want, a.asked, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	for _, line := range []string{
		"asked for a quote +18", "points, of 100 37 CONSIDERATION", "probability 5.2 % 2.9 % to 9.2 %: an expert's table, taken for as much as 200 leads",
		"engagement 22", "before after difference", "ordered a car (was: asked for a quote) 18 36 +18", "saved a configuration 2 days ago 0 7 +7",
		"all of vehicle interest and program readiness 0 7 +7", "points, of 100 37 62 +25", "probability 5.2 % 18.6 % from 2.9 %", "stage: from CONSIDERATION to READY",
		"request_type: from QUOTE to ORDER", "ORDER +36 after", "configurator_saved.recency: from not known to 2 days", "below 8 days +7 after",
	} {
		if !strings.Contains(spaced(out), line) {
			t.Errorf("does not say %q:\n%s", line, out)
		}
	}

	file := filepath.Join(t.TempDir(), "lead.json")
	if err := os.WriteFile(file, []byte(`{"requestType":"REQUEST_TYPE_QUOTE"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := runs(t, "score", "explain", "--grpc", addr, "--lead", file); code != 0 || a.asked.GetLead().GetRequestType() != leadv1.RequestType_REQUEST_TYPE_QUOTE {
		t.Errorf("exit code %d: %s, asked %v", code, errs, a.asked)
	}
	for _, args := range [][]string{{}, {"x", "--lead", file}, {"x", "--set", "request_type"}, {"x", "--line", "SALE"}, {"--lead", file + "x"}, {"--lead", "score_test.go"}} {
		if code, _, errs := runs(t, append([]string{"score", "explain", "--grpc", addr}, args...)...); code != 2 || errs == "" {
			t.Errorf("%v: exit code %d, %s", args, code, errs)
		}
	}
}

// spaced is a text with every run of blanks as one.
func spaced(text string) string { return strings.Join(strings.Fields(text), " ") }

// A folder and a server list the same facts.
func TestFeatures(t *testing.T) {
	_, addr := answers(t)
	for _, more := range [][]string{{}, {"--line", "SALES"}, {"--group", "value"}} {
		code, folder, errs := runs(t, append([]string{"features", "--playbook", samplePolicy()}, more...)...)
		served, remote, _ := runs(t, append([]string{"features", "--grpc", addr}, more...)...)
		if code != 0 || served != 0 || errs != "" {
			t.Fatalf("%v: exit codes %d and %d: %s", more, code, served, errs)
		}
		if diff := cmp.Diff(folder, remote); diff != "" || folder == "" {
			t.Errorf("%v: %s", more, diff)
		}
	}
	_, out, _ := runs(t, "features", "--playbook", samplePolicy(), "--line", "SALES")
	for _, line := range []string{"engagement (ENGAGEMENT)", "request_type 0 to +36 QUOTE, TEST_DRIVE,", "configurator_saved.recency needs profiling 0 to +7 days, hours, minutes, seconds"} {
		if !strings.Contains(spaced(out), line) {
			t.Errorf("does not say %q:\n%s", line, out)
		}
	}
	_, out, _ = runs(t, "features", "--playbook", samplePolicy())
	for _, line := range []string{"RENEWAL_INTENDER (hot at most 90 days, active at most 180 days,", "; CUSTOMER_VALUE 0 to +"} {
		if !strings.Contains(spaced(out), line) {
			t.Errorf("does not say %q:\n%s", line, out)
		}
	}
	_, out, _ = runs(t, "features", "--playbook", samplePolicy(), "--line", "RENEWAL")
	if !strings.Contains(out, "RENEWAL can be the next line") {
		t.Errorf("does not say from when on renewal is the next line:\n%s", out)
	}
	_, out, _ = runs(t, "features", "--playbook", samplePolicy(), "--line", "SALES")
	if strings.Contains(out, "finance_method") {
		t.Error("lists a fact that SALES does not look at")
	}
	for _, args := range [][]string{{"--group", "values"}, {"--line", "SALE"}, {"--playbook", filepath.Join(samplePolicy(), "nowhere")}} {
		if code, _, errs := runs(t, append([]string{"features"}, args...)...); code != 2 || errs == "" {
			t.Errorf("%v: exit code %d, %s", args, code, errs)
		}
	}
}
