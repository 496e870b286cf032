package scoring

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	store "github.com/leadmesh/leadmesh/services/scoring/internal/postgres"
)

// lines hands over what is written to it, a line at a time.
type lines chan string

func (l lines) Write(p []byte) (int, error) {
	select {
	case l <- string(p):
	default: // one is enough
	}
	return len(p), nil
}

// A training that learns while the database is away goes on, and says so.
func TestASignOfLifeThatIsLostIsTold(t *testing.T) {
	t.Parallel()
	pool, err := pgxpool.New(t.Context(), "postgres://nobody@127.0.0.1:1/nowhere")
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	said := make(lines, 1)
	s := &Service{store: store.New(pool), log: slog.New(slog.NewTextHandler(said, nil)), now: time.Now}
	e := &effort{s: s, id: newJobID()}
	stop := e.beat(t.Context())
	defer stop()
	select {
	case line := <-said:
		if !strings.Contains(line, "no sign of life") || !strings.Contains(line, e.id.String()) || !strings.Contains(line, "UNAVAILABLE") {
			t.Errorf("it says %q", line)
		}
	case <-time.After(time.Minute):
		t.Fatal("nothing is said")
	}
	if !e.goOn(t.Context(), 1, 2) {
		t.Error("it does not go on")
	}
}
