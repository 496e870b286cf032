package e2e_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/leadmesh/leadmesh/services/internal/doctor"
)

// TestDoctor looks at an installation while it runs and after it stopped.
func TestDoctor(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	dir := openDir(t)
	w, p := privateProcess(t, dir)
	look := func(more ...string) (map[string]doctor.Finding, int) {
		t.Helper()
		args := append([]string{"doctor", "--json", "--data", dir, "--http", strings.TrimPrefix(w.base, "http://"), "--grpc", w.addr}, more...)
		out, err := exec.Command(binary(t), args...).Output()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		var findings []doctor.Finding
		if err := json.Unmarshal(out, &findings); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		by := map[string]doctor.Finding{}
		for _, f := range findings {
			by[f.Check] = f
		}
		if exit != nil {
			return by, exit.ExitCode()
		}
		return by, 0
	}
	var running map[string]doctor.Finding
	var code int
	eventually(t, patience, "a house that works is found well", func() bool { // on a busy machine a probe may be late
		running, code = look()
		failed := false
		for check, f := range running {
			if f.Status == doctor.Fail {
				failed = true
				t.Logf("of a house that works: %s %s", check, f.Found)
			}
		}
		return !failed && code == 0
	})
	if running["health.http"].Status != doctor.OK || running["schema.routing"].Status != doctor.OK || running["network"].Status != doctor.OK {
		t.Errorf("exit %d with %v", code, running)
	}
	if bad, code := look("--tokens", "/nowhere"); code != 1 || bad["tokens"].Status != doctor.Fail {
		t.Errorf("without its tokens: exit %d with %v", code, bad["tokens"])
	}
	p.stop(t)
	before := tree(t, dir)
	stopped, code := look()
	if code != 0 || stopped["database"].Status != doctor.Warn || stopped["lock"].Status != doctor.OK || stopped["port.http"].Status != doctor.OK {
		t.Errorf("of a stopped house: exit %d with %v", code, stopped)
	}
	if after := tree(t, dir); after != before {
		t.Errorf("looking changed the data directory:\n%s\n%s", before, after)
	}
}

// tree lists a folder with sizes and times.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && !d.IsDir() {
			fmt.Fprintln(&b, name, info.Size(), info.ModTime().UnixNano())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}
