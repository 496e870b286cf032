package output_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/leadmesh/leadmesh/services/internal/output"
)

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

// All outputs appear with Commit, none before, and nothing else stays.
func TestOutputsAreWholeOrAbsent(t *testing.T) {
	for _, commit := range []bool{true, false} {
		dir := t.TempDir()
		set := output.Set{}
		for _, name := range []string{"a", "b"} {
			w, err := set.Open(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(w, name); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
				t.Error("an output is there before it is whole")
			}
		}
		want := 0
		if commit {
			want = 2
			if err := set.Commit(); err != nil {
				t.Fatal(err)
			}
		}
		set.Discard()
		if left := names(t, dir); len(left) != want {
			t.Errorf("committed %v: %v is there", commit, left)
		}
	}
}

func TestNothingIsReadAndWritten(t *testing.T) {
	in := filepath.Join(t.TempDir(), "in")
	if err := os.WriteFile(in, []byte("x"), 0o640); err != nil {
		t.Fatal(err)
	}
	var stdout bytes.Buffer
	set := output.Set{Stdout: &stdout}
	defer set.Discard()
	set.Read(in, "-", "")
	var taken *output.TakenError
	if _, err := set.Open(in); !errors.As(err, &taken) {
		t.Errorf("what is read may be written: %v", err)
	}
	if w, err := set.Open(""); w != nil || err != nil {
		t.Errorf("no path is %v, %v", w, err)
	}
	if w, err := set.Open("-"); w != &stdout || err != nil {
		t.Errorf("standard output is %v, %v", w, err)
	}
	if _, err := set.Open("-"); !errors.As(err, &taken) {
		t.Errorf("standard output may be written twice: %v", err)
	}
	out := filepath.Join(filepath.Dir(in), "out")
	if _, err := set.Open(out); err != nil {
		t.Fatal(err)
	}
	if err := set.Commit(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(out); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("who may read the input may not read the output: %v, %v", info.Mode(), err)
	}
}
