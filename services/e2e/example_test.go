package e2e_test

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// submitOutput is what the example client prints: three answers of the stream in any order, then
// two leads in the order in which they were sent.
var submitOutput = []*regexp.Regexp{
	regexp.MustCompile(`^postal code (80205|10001|94110) would go to \S.*: \S`),
	regexp.MustCompile(`^postal code (80205|10001|94110) would go to \S.*: \S`),
	regexp.MustCompile(`^postal code (80205|10001|94110) would go to \S.*: \S`),
	regexp.MustCompile(`^[0-9a-f-]{36} is STATE_ASSIGNED at \S.*, [A-Z_]+ by 20\d\d-\d\d-\d\dT`),
	regexp.MustCompile(`^[0-9a-f-]{36} is STATE_ASSIGNED at \S.*, [A-Z_]+ by 20\d\d-\d\d-\d\dT`),
}

// TestExample builds the client that integrators begin with and runs it.
func TestExample(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and starts whole houses")
	}
	client := filepath.Join(t.TempDir(), "submit")
	if out, err := exec.Command("go", "build", "-o", client, "github.com/leadmesh/leadmesh/gen/examples/submit").CombinedOutput(); err != nil {
		t.Fatalf("build the example: %v: %s", err, out)
	}
	t.Run("plain", func(t *testing.T) {
		w := inProcess(t, nil)
		first := runExample(t, client, "--addr", w.addr)
		if again := runExample(t, client, "--addr", w.addr); again[3][:36] != first[3][:36] || again[4][:36] != first[4][:36] {
			t.Errorf("sent again, the leads became others: %q and %q", first, again)
		}
	})
	t.Run("TLS and token", func(t *testing.T) {
		w := secured(t)
		runExample(t, client, "--addr", w.addr, "--ca", w.ca, "--token", w.token["oem"])
		for name, args := range map[string][]string{
			"no token":         {"--addr", w.addr, "--ca", w.ca},
			"no authority":     {"--addr", w.addr, "--token", w.token["oem"]},
			"a dealer's token": {"--addr", w.addr, "--ca", w.ca, "--token", w.token["dealer"]},
		} {
			if out, err := exec.Command(client, args...).CombinedOutput(); err == nil {
				t.Errorf("%s: it went through: %s", name, out)
			}
		}
	})
}

func runExample(t *testing.T, client string, args ...string) []string {
	t.Helper()
	out, err := exec.Command(client, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("the example ended with %v: %s", err, out)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != len(submitOutput) {
		t.Fatalf("it printed %d lines: %s", len(lines), out)
	}
	for i, want := range submitOutput {
		if !want.MatchString(lines[i]) {
			t.Errorf("line %d is %q, want %s", i+1, lines[i], want)
		}
	}
	return lines
}
