package main

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/leadmesh/leadmesh/deploy/sample/people"
)

func TestPeopleWritesAList(t *testing.T) {
	path := filepath.Join(t.TempDir(), "people.csv")
	var out, errs bytes.Buffer
	if code := run([]string{"people", "--count", "300", "--seed", "4", "--out", path}, &out, &errs); code != 0 {
		t.Fatalf("exit %d: %s", code, errs.String())
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 301 || !slices.Equal(rows[0], people.Header()) {
		t.Fatalf("%d rows below %q", len(rows)-1, rows[0])
	}
	if code := run([]string{"people", "--count", "300", "--seed", "4"}, &out, &errs); code != 0 || !bytes.Equal(out.Bytes(), raw) {
		t.Errorf("exit %d; the terminal gets other people than the file", code)
	}
	if code := run([]string{"people", "--count", "-3"}, &out, &errs); code == 0 {
		t.Error("fewer than no people are made")
	}
}
