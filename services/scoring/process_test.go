package scoring_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/pgtest"
	"github.com/leadmesh/leadmesh/services/internal/postgres"
	"github.com/leadmesh/leadmesh/services/scoring"
)

// anotherProcess names the database when the test binary is to be the process that is killed.
const anotherProcess = "LEADMESH_TEST_DATABASE"

// process is the test binary as another process.
type process struct {
	t   *testing.T
	cmd *exec.Cmd
	out *bufio.Scanner
}

// startAnother runs one test, which begins with asAnother, in another process.
func startAnother(t *testing.T, db *pgtest.DB, test string) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^"+test+"$", "-test.v")
	cmd.Env = append(os.Environ(), anotherProcess+"="+db.URL())
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return &process{t, cmd, bufio.NewScanner(out)}
}

// says waits until it says a line, or ends.
func (p *process) says(line string) {
	for p.out.Scan() && p.out.Text() != line {
	}
}

func (p *process) kill() {
	p.t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		p.t.Fatal(err)
	}
	if err := p.cmd.Wait(); err == nil {
		p.t.Fatal("the other process ended by itself")
	}
}

// asAnother opens the database of the process that startAnother started; by itself the test is skipped.
func asAnother(t *testing.T) *pgxpool.Pool {
	t.Helper()
	url, ok := os.LookupEnv(anotherProcess)
	if !ok {
		t.Skip("is started by another test")
	}
	pool, err := postgres.Open(t.Context(), postgres.PoolConfig{URL: url, Role: postgres.ServiceRole("scoring"), Schema: "scoring", MaxConns: 4})
	if err != nil {
		t.Fatal(err)
	}
	return pool
}

// A process that is killed in the middle costs the page it was at; another goes on behind it.
func TestBacktestSurvivesAKilledProcess(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, scoring.Migrations())
	w := newTrying(t, db.Pool("scoring"), newSource(-1))
	id := w.begin().GetBacktestId()
	other := startAnother(t, db, "TestBacktestAsAnotherProcess")
	other.says("stuck")
	other.kill()
	if b := w.look(id); b.GetLeadCount() != 3*ofAPage || b.GetState() != scoringv1.BacktestState_BACKTEST_STATE_RUNNING {
		t.Fatalf("left behind: %v", b)
	}
	w.house.now = start.Add(2 * time.Minute)
	w.runs()
	checkReport(t, w.done(id).GetReport())
	if n := len(w.source.asked); n != 12 || w.source.asked[0].GetPageToken() != "3" {
		t.Errorf("%d pages were asked for, the first being %v", n, w.source.asked[0])
	}
}

// TestBacktestAsAnotherProcess is the process that TestBacktestSurvivesAKilledProcess kills.
func TestBacktestAsAnotherProcess(t *testing.T) {
	source := newSource(3)
	h := newTryingHouse(t, asAnother(t), scoring.ModelRules{}, source)
	go func() {
		<-source.came
		fmt.Println("stuck")
	}()
	if err := h.service.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// A process that is killed while it learns costs what it learned; another reads no lead again.
func TestTrainingSurvivesAKilledProcess(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, scoring.Migrations())
	w := newTrying(t, db.Pool("scoring"), newPast(4000, -1))
	id := w.train("").GetTrainingId()
	other := startAnother(t, db, "TestTrainingAsAnotherProcess")
	w.until(id, func(x *scoringv1.Training) bool { return x.GetStep() == scoringv1.TrainingStep_TRAINING_STEP_LEARNING })
	other.kill()
	if x := w.training(id); x.GetLeadCount() != 4000 || x.GetState() != scoringv1.TrainingState_TRAINING_STATE_RUNNING {
		t.Fatalf("left behind: %v", x)
	}
	w.house.now = start.Add(2 * time.Minute)
	w.runs()
	if x := w.trained(id); x.GetReport().GetLearnedCount() != 4000 || x.GetRevision() == "" {
		t.Errorf("done: %v", x)
	}
	if n := len(w.source.asked); n != 0 {
		t.Errorf("%d pages were read again", n)
	}
}

// TestTrainingAsAnotherProcess is the process that TestTrainingSurvivesAKilledProcess kills.
func TestTrainingAsAnotherProcess(t *testing.T) {
	h := newTryingHouse(t, asAnother(t), scoring.ModelRules{}, newPast(4000, -1))
	if err := h.service.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// A process that is killed in the middle costs the page it was at; another goes on behind it.
func TestRescoringSurvivesAKilledProcess(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, scoring.Migrations())
	w := newRebasing(t, db.Pool("scoring"), newBase(t, -1))
	w.house.apply(t, sample(t), "")
	id := w.begin("").GetRescoringId()
	other := startAnother(t, db, "TestRescoringAsAnotherProcess")
	other.says("stuck")
	other.kill()
	if r := w.look(id); r.GetPersonCount() != 3*ofAPage || r.GetState() != scoringv1.RescoringState_RESCORING_STATE_RUNNING {
		t.Fatalf("left behind: %v", r)
	}
	w.now.Add(int64(2 * time.Minute))
	w.runs()
	r := w.done(id)
	if r.GetReport().GetPersonCount() != basePersons || !r.GetAsOf().AsTime().Equal(start) || len(w.find(&scoringv1.ListPersonScoresRequest{})) != basePersons {
		t.Errorf("done: %v", r)
	}
	if n := len(w.base.asked); n != 6 || w.base.asked[0].GetPageToken() != "3" || !w.base.asked[0].GetAt().AsTime().Equal(start) {
		t.Errorf("%d pages were asked for, the first being %v", n, w.base.asked[0])
	}
}

// TestRescoringAsAnotherProcess is the process that TestRescoringSurvivesAKilledProcess kills.
func TestRescoringAsAnotherProcess(t *testing.T) {
	w := newRebasing(t, asAnother(t), newBase(t, 3))
	go func() {
		<-w.base.came
		fmt.Println("stuck")
	}()
	if err := w.s.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}
