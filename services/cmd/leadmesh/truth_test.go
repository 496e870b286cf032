package main

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

// A list of made-up people goes through the command as a user has it, and is judged by the column of
// the truth, which is no evidence.
func TestMatchIsJudgedByTheTruth(t *testing.T) {
	dir := t.TempDir()
	list, out := filepath.Join(dir, "people.csv"), filepath.Join(dir, "clusters.csv")
	command := func(args ...string) string {
		t.Helper()
		var told, errs bytes.Buffer
		if code := run(args, &told, &errs); code != 0 {
			t.Fatalf("%s: exit %d: %s", args[0], code, errs.String())
		}
		return told.String()
	}
	clusters := func() (ids []string) {
		t.Helper()
		raw, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows[1:] {
			ids = append(ids, row[len(row)-1])
		}
		return ids
	}
	command("people", "--count", "3000", "--seed", "9", "--out", list)
	told := command("match", "--in", list, "--out", out, "--truth", "truth_person")
	for name, least := range map[string]float64{"precision": 0.95, "recall": 0.9, "F1": 0.93, "compared": 0.97} {
		m := regexp.MustCompile(`(?m)^  ` + name + ` +([0-9.]+)`).FindStringSubmatch(told)
		if m == nil {
			t.Fatalf("no %s in %s", name, told)
		}
		if v, err := strconv.ParseFloat(m[1], 64); err != nil || v < least || v > 1 {
			t.Errorf("%s is %s, not at least %v", name, m[1], least)
		}
	}
	judged := clusters()
	if len(judged) != 3000 {
		t.Fatalf("%d rows came out", len(judged))
	}
	command("match", "--in", list, "--out", out)
	for i, id := range clusters() {
		if id != judged[i] {
			t.Fatalf("row %d is in cluster %s, with the truth in %s", i+1, id, judged[i])
		}
	}
	var told2, errs bytes.Buffer
	if code := run([]string{"match", "--in", list, "--out", out, "--truth", "nowhere"}, &told2, &errs); code != exitUsage {
		t.Errorf("a column that is not there gives exit %d", code)
	}
}
