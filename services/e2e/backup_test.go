package e2e_test

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/leadmesh/leadmesh/services/internal/pgtest"
)

// TestBackup takes a backup under load, loses the original, and goes on from the backup: what was
// promised before it is held under the same identifiers, what came later gets the ones it had.
func TestBackup(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	dir := openDir(t)
	first, p := privateProcess(t, dir)
	l := startLoad(t, first)
	l.flows(t, 40)
	l.mu.Lock()
	before := l.sent[:len(l.sent):len(l.sent)]
	l.mu.Unlock()
	file := filepath.Join(dir, "night.dump")
	command(t, 0, "backup", "--data", dir, "--out", file)
	l.flows(t, 10)
	l.halt()
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the backup is %v %v", info, err)
	}
	if out := command(t, 1, "backup", "--data", dir, "--out", file); !strings.Contains(out, "is there already") {
		t.Errorf("a second backup over the first: %s", out)
	}
	receipts := map[string][]byte{}
	for _, s := range before {
		for _, r := range s.held {
			if r.GetDecision() != nil && len(receipts) < 10 {
				_, receipts[r.GetLeadId()] = first.call(t, "ops", http.MethodGet, "/v1/leads/"+r.GetLeadId()+"/receipt?attempt=1", nil, "")
			}
		}
	}
	if out := command(t, 1, "restore", "--data", dir, file); !strings.Contains(out, "in use by another leadmesh") {
		t.Errorf("a restore over a running house: %s", out)
	}
	p.stop(t)
	if out := command(t, 1, "restore", "--data", dir, file); !strings.Contains(out, "restore into an empty one") {
		t.Errorf("a restore over a stopped house: %s", out)
	}

	again := openDir(t)
	if out := command(t, 0, "restore", "--data", again, file); !strings.Contains(out, "every law holds") {
		t.Errorf("the restored database: %s", out)
	}
	w, second := privateProcess(t, again)
	for _, s := range before {
		a := w.insist(t.Context(), s)
		for i, r := range a.results {
			if diff := l.differs(s.held, i, r); diff != "" {
				t.Errorf("%s from before the backup (-first +again):\n%s", s.name, diff)
			}
		}
	}
	for _, s := range l.sent[len(before):] {
		a := w.insist(t.Context(), s)
		for i, r := range a.results {
			if i < len(s.held) && s.held[i].GetProblem() == nil && r.GetLeadId() != s.held[i].GetLeadId() {
				t.Errorf("%s from after the backup is %s now, it was %s", s.name, r.GetLeadId(), s.held[i].GetLeadId())
			}
		}
	}
	for id, want := range receipts {
		if code, raw := w.call(t, "ops", http.MethodGet, "/v1/leads/"+id+"/receipt?attempt=1", nil, ""); code != http.StatusOK || !bytes.Equal(raw, want) {
			t.Errorf("the receipt of %s answers %d %s, it was %s", id, code, raw, want)
		}
	}
	db := w.database(t)
	eventually(t, patience, "nothing is pending", func() bool {
		return db.count(t, `SELECT (SELECT count(*) FROM capture.pending) + (SELECT count(*) FROM capture.outbox) + (SELECT count(*) FROM routing.outbox)`) == 0
	})
	lawsKept(t, w, db.count(t, "SELECT count(*) FROM capture.lead"))
	second.stop(t)

	// Into a database of others, as a rehearsal; a copy that is not whole leaves nothing behind.
	url := pgtest.New(t).URL()
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	half := filepath.Join(dir, "half.dump")
	if err := os.WriteFile(half, whole[:len(whole)*3/4], 0o600); err != nil {
		t.Fatal(err)
	}
	command(t, 1, "restore", "--database-url", url, half)
	if out := command(t, 0, "restore", "--database-url", url, "--hold-pushes", file); !strings.Contains(out, "every law holds") || !strings.Contains(out, "pushes to dealers are switched off") {
		t.Errorf("a rehearsal: %s", out)
	}
	if out := command(t, 0, "backup", "--database-url", url, "--out", "-"); !strings.HasPrefix(out, "PGDMP") {
		t.Errorf("a backup to standard output begins with %.20q", out)
	}
}

// command runs the binary, which must end with a code, and returns what it said.
func command(t *testing.T, code int, args ...string) string {
	t.Helper()
	cmd := exec.Command(binary(t), args...)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != code {
		t.Fatalf("%v ended with %v, want code %d: %.2000s", args, err, code, out)
	}
	return string(out)
}
