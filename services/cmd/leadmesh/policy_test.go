package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/core/playbook"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"google.golang.org/grpc"
)

func samplePolicy() string { return filepath.Join("..", "..", "..", "deploy", "sample", "playbook") }

func TestCheckPolicyNamesFileAndLine(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(samplePolicy())); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "signals.yaml"), []byte("# ours\nhalf_life: 30d\nkinds: {PAGE_VIEW: soon}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if code := checkPolicy(dir, &out); code != 1 {
		t.Errorf("exit code %d", code)
	}
	want := "signals.yaml:3:20: PAGE_VIEW: must be a time such as 15m, 4h, 14d or 18 months, is \"soon\"\n1 mistake\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
	out.Reset()
	nowhere := filepath.Join(dir, "nowhere")
	if code := checkPolicy(nowhere, &out); code != 2 || !strings.HasPrefix(out.String(), nowhere+": ") {
		t.Errorf("exit code %d for a directory that is not there: %s", code, out.String())
	}
}

func TestReadPlaybookPassesOverWhatEditorsLeave(t *testing.T) {
	files, err := readPlaybook(fstest.MapFS{
		"playbook.yaml": {Data: []byte("a")}, "playbook.yaml~": {Data: []byte("b")}, ".git/config": {Data: []byte("c")},
		".DS_Store": {Data: []byte("d")}, "plays/.x.md.swp": {Data: []byte("e")}, "plays/x.md": {Data: []byte("f")},
	})
	if err != nil || len(files) != 2 {
		t.Errorf("read %d files, %v", len(files), err)
	}
	if _, err := readPlaybook(fstest.MapFS{}); err == nil {
		t.Error("an empty folder is a playbook")
	}
}

// oneScoring remembers what was applied.
type oneScoring struct {
	policies
	applied *scoringv1.ApplyPlaybookRequest
}

func (s *oneScoring) ApplyPlaybook(_ context.Context, in *scoringv1.ApplyPlaybookRequest, _ ...grpc.CallOption) (*scoringv1.ApplyPlaybookResponse, error) {
	s.applied = in
	return &scoringv1.ApplyPlaybookResponse{Revision: "r"}, nil
}

func TestApplyPolicySendsTheFiles(t *testing.T) {
	var out bytes.Buffer
	client := &oneScoring{}
	code, err := applyPolicy(t.Context(), client, samplePolicy(), "spring", &out)
	if code != 0 || err != nil || !strings.HasSuffix(out.String(), "active now: r\n") {
		t.Fatalf("%d, %v: %s", code, err, out.String())
	}
	n := 0
	if err := fs.WalkDir(os.DirFS(samplePolicy()), ".", func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			n++
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if len(client.applied.GetFiles()) != n || client.applied.GetNote() != "spring" {
		t.Errorf("sent %d of %d files", len(client.applied.GetFiles()), n)
	}
}

func TestPolicySchema(t *testing.T) {
	for _, kind := range append(playbook.SchemaKinds(), "card") {
		code, out, errs := runs(t, "policy", "schema", kind)
		var schema map[string]any
		if err := json.Unmarshal([]byte(out), &schema); err != nil || code != 0 || schema["$schema"] == nil {
			t.Errorf("%s: exit code %d, %s: %v, %v", kind, code, errs, err, schema)
		}
	}
	if code, _, errs := runs(t, "policy", "schema", "plays"); code != exitUsage || !strings.Contains(errs, "catalogue") {
		t.Errorf("exit code %d, %s", code, errs)
	}
}
