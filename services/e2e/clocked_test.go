package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/leadmesh/leadmesh/services/house"
	"google.golang.org/grpc/credentials/insecure"
)

// runningClock is a clock that runs faster than the wall's, the same in every process.
type runningClock struct {
	Since time.Time // on the wall
	At    time.Time // what it showed then
	Pace  int       // how many times faster it runs
}

func (c runningClock) now() time.Time {
	return c.At.Add(time.Duration(c.Pace) * time.Since(c.Since)).UTC()
}

// clockedEnv tells a process of the test binary to be a house with a running clock, and how.
const clockedEnv = "LEADMESH_E2E_CLOCKED"

// clocked is what such a process is told.
type clocked struct {
	Database, Data, HTTP, GRPC string
	Clock                      runningClock
}

// runClocked is the process: a whole house that ends well when told to.
func runClocked(told string) int {
	var c clocked
	err := json.Unmarshal([]byte(told), &c)
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		err = c.run(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func (c clocked) run(ctx context.Context) error {
	h, err := house.Open(ctx, house.Config{
		Version: "test", DatabaseURL: c.Database, Data: c.Data, HTTP: c.HTTP, GRPC: c.GRPC, Sample: true,
		LogWriter: os.Stderr, LogLevel: slog.LevelInfo, AllowPrivateWebhooks: true, Now: c.Clock.now,
	})
	if err != nil {
		return err
	}
	if err := h.Run(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

// clockedProcess starts one more whole house on a database, in a process of its own.
func clockedProcess(t *testing.T, database string, clock runningClock) (*world, *process) {
	t.Helper()
	c := clocked{Database: database, Data: t.TempDir(), HTTP: freeAddr(t), GRPC: freeAddr(t), Clock: clock}
	told, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: exec.Command(self), log: &buffer{}}
	p.cmd.Env = append(os.Environ(), clockedEnv+"="+string(told))
	p.start(t)
	w := &world{base: "http://" + c.HTTP, addr: c.GRPC, db: database, logs: p.log, http: &http.Client{Timeout: callLimit}}
	w.connect(t, insecure.NewCredentials())
	return w, p
}
