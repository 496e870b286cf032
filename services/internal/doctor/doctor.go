// Package doctor looks at an installation and says what an operator would otherwise find out by
// pain: one finding per check, with the remedy. It works with the server running or stopped and
// changes nothing.
package doctor

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/leadmesh/leadmesh/services/internal/postgres"
)

// Status says how bad a finding is.
type Status string

// The statuses. A failure keeps leads from flowing, or loses data in a power cut, now or at the
// next start; a warning will become one if nobody looks.
const (
	OK   Status = "ok"
	Warn Status = "warn"
	Fail Status = "fail"
)

// Finding is the result of one check.
type Finding struct {
	Check  string `json:"check"` // stable name
	Status Status `json:"status"`
	Found  string `json:"found"`
	Remedy string `json:"remedy,omitempty"`
}

// Config says what to look at; what is empty is not looked at.
type Config struct {
	Data, DatabaseURL, PGBin string
	HTTP, GRPC, Ops, Mesh    string
	TLSCert, TLSKey, Tokens  string
	MeshCert, MeshKey        string
	MeshCA                   string
	Services                 []string               // that the process is to run
	Connections              int                    // its budget of database connections
	Playbook                 func() (string, error) // reads a folder of rules: its name, and what is wrong with it; nil: none
	Modules                  []postgres.Module
	Now                      func() time.Time
}

// exam collects findings.
type exam struct {
	cfg      Config
	findings []Finding
	running  bool // a leadmesh holds the data directory
}

// Run makes every check that applies.
func Run(ctx context.Context, cfg Config) []Finding {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	x := &exam{cfg: cfg}
	url := x.machine(ctx)
	x.doors()
	x.files()
	if url != "" {
		x.database(ctx, url)
	}
	return x.findings
}

// Failed reports whether a finding is a failure.
func Failed(findings []Finding) bool {
	for _, f := range findings {
		if f.Status == Fail {
			return true
		}
	}
	return false
}

func (x *exam) ok(check, format string, args ...any) {
	x.findings = append(x.findings, Finding{Check: check, Status: OK, Found: fmt.Sprintf(format, args...)})
}

func (x *exam) warn(check, remedy, format string, args ...any) {
	x.findings = append(x.findings, Finding{Check: check, Status: Warn, Found: fmt.Sprintf(format, args...), Remedy: remedy})
}

func (x *exam) fail(check, remedy, format string, args ...any) {
	x.findings = append(x.findings, Finding{Check: check, Status: Fail, Found: fmt.Sprintf(format, args...), Remedy: remedy})
}

// oneLine keeps a cause to what fits a line.
func oneLine(err error) string {
	line, _, _ := strings.Cut(strings.TrimSpace(err.Error()), "\n")
	return line
}
