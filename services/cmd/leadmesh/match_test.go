package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What a person or a script sees: exit codes, what is told where, and that nothing is there when it
// did not work.
func TestMatchCommand(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	whole := file("whole.csv", "First Name,Last Name,Email\nAda,Lindqvist,ada@example.com\nAda,Lindqvist,ada@example.com\nBo,Okafor,bo@example.org\n")
	broken := file("broken.csv", "First Name,Last Name,Email\nAda,Lindqvist\nAda,Lindqvist,ada@example.com\nBo,\"Okafor,bo@example.org\n")
	strange := file("strange.csv", "a,b\n1,2\n")
	params := file("params.yaml", "prior: [1\n")
	for name, tt := range map[string]struct {
		args     []string
		code     int
		out, err []string
	}{
		"all read":      {[]string{"--in", whole}, 0, []string{"rows read", "3", "duplicates", "Last Name", "family_name", "time", "peak memory"}, nil},
		"rows skipped":  {[]string{"--in", broken}, 3, []string{"rows skipped"}, []string{"broken.csv:2: skipped: has 2 cells where the header has 3", "broken.csv:4: skipped: the quote in cell 2"}},
		"no input":      {nil, 2, nil, []string{"--in"}},
		"no such file":  {[]string{"--in", filepath.Join(dir, "none.csv")}, 1, nil, []string{"none.csv"}},
		"nothing known": {[]string{"--in", strange}, 2, nil, []string{"no column tells people apart", "--map given_name=COLUMN", "date_of_birth"}},
		"unknown field": {[]string{"--in", whole, "--map", "shoe=Email"}, 2, nil, []string{"there is no field shoe", "given_name"}},
		"no column":     {[]string{"--in", whole, "--map", "email=Mail"}, 2, nil, []string{"there is no column Mail", "First Name, Last Name, Email"}},
		"no threshold":  {[]string{"--in", whole, "--threshold", "1.5"}, 2, nil, []string{"--threshold 1.5", "between 0 and 1"}},
		"threshold 0":   {[]string{"--in", whole, "--threshold", "0"}, 2, nil, []string{"--threshold 0: ", "between 0 and 1"}},
		"threshold nan": {[]string{"--in", whole, "--threshold", "nan"}, 2, nil, []string{"--threshold NaN", "between 0 and 1"}},
		"no folder":     {[]string{"--in", whole, "--pairs", filepath.Join(dir, "none", "pairs.csv")}, 1, nil, []string{"open " + filepath.Join(dir, "none", "pairs.csv") + ": no such file"}},
		"no country":    {[]string{"--in", whole, "--country", "Atlantis"}, 2, nil, []string{"--country Atlantis"}},
		"one list":      {[]string{"--in", whole, "--across"}, 2, nil, []string{"--link"}},
		"bad params":    {[]string{"--in", whole, "--params", params}, 2, nil, []string{"params.yaml", "line 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			result := filepath.Join(t.TempDir(), "out.csv")
			var stdout, stderr bytes.Buffer
			code := run(append([]string{"match", "--out", result}, tt.args...), &stdout, &stderr)
			if code != tt.code {
				t.Errorf("exit %d, want %d", code, tt.code)
			}
			for _, want := range tt.out {
				if !strings.Contains(stdout.String(), want) {
					t.Errorf("%q is not in\n%s", want, stdout.String())
				}
			}
			for _, want := range tt.err {
				if !strings.Contains(stderr.String(), want) {
					t.Errorf("%q is not in\n%s", want, stderr.String())
				}
			}
			if _, err := os.Stat(result); (err == nil) != (code == 0 || code == 3) {
				t.Errorf("exit %d and the output: %v", code, err)
			}
			if left, _ := filepath.Glob(filepath.Join(filepath.Dir(result), ".*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// With the output on standard output nothing else is.
func TestMatchToStandardOutput(t *testing.T) {
	in := filepath.Join(t.TempDir(), "people.csv")
	if err := os.WriteFile(in, []byte("first,last,email\nAda,Lindqvist,ada@example.com\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	if code := run([]string{"match", "--in", in, "--out", "-"}, &stdout, &stderr); code != 0 {
		t.Fatalf("exit %d: %s", code, stderr.String())
	}
	if want := "first,last,email,cluster_id\nAda,Lindqvist,ada@example.com,2\n"; stdout.String() != want {
		t.Errorf("%q, want %q", stdout.String(), want)
	}
	if !strings.Contains(stderr.String(), "rows read") {
		t.Error("the summary is not on standard error")
	}
}
