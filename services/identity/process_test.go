package identity_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/identity"
	"github.com/leadmesh/leadmesh/services/internal/pgtest"
	"github.com/leadmesh/leadmesh/services/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
	"google.golang.org/protobuf/types/known/timestamppb"
)

const (
	crowd      = 40 // new people whom all processes hear of at once
	perProcess = 6  // callers of each
)

// otherProcess names the database when the test binary is to be one of the processes.
const otherProcess = "LEADMESH_TEST_RESOLVE"

// Two processes and many callers in each hear of the same new people at the same time, some of them
// of the same lead. One person each comes out, and one row per lead.
func TestProcessesMakeOnePerson(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, identity.Migrations())
	var starts []io.WriteCloser
	var answers []*bufio.Scanner
	for i := range 2 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestResolveAsAnotherProcess$", "-test.v")
		cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d %s", otherProcess, i, db.URL()))
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = in.Close() // ends it, if the test failed before it began
			if err := cmd.Wait(); err != nil && !t.Failed() {
				t.Error(err)
			}
		})
		starts, answers = append(starts, in), append(answers, bufio.NewScanner(out))
	}
	line := func(i int, word string) string {
		for answers[i].Scan() {
			if rest, ok := strings.CutPrefix(answers[i].Text(), word+" "); ok {
				return rest
			}
		}
		t.Fatalf("process %d ended without saying %s", i, word)
		return ""
	}
	for i := range starts {
		line(i, "ready")
	}
	for _, in := range starts {
		if _, err := fmt.Fprintln(in, "go"); err != nil {
			t.Fatal(err)
		}
	}
	persons := map[string]string{}
	for i := range starts {
		for range crowd * perProcess {
			who, person, _ := strings.Cut(line(i, "resolved"), " ")
			if other, ok := persons[who]; ok && other != person {
				t.Errorf("person %s is both %s and %s", who, other, person)
			}
			persons[who] = person
		}
	}
	var roots, leads, told int
	if err := db.Pool("identity").QueryRow(t.Context(), `SELECT (SELECT count(*) FROM person),
		(SELECT count(*) FROM lead_person), (SELECT count(DISTINCT lead_id) FROM record)`).Scan(&roots, &leads, &told); err != nil {
		t.Fatal(err)
	}
	if want := crowd * (perProcess + perProcess/2); len(persons) != crowd || roots != crowd || leads != want || told != want {
		t.Errorf("%d persons answered, %d stored, want %d; %d leads, %d of them recorded, want %d", len(persons), roots, crowd, leads, told, want)
	}
}

// TestResolveAsAnotherProcess is one process of TestProcessesMakeOnePerson.
func TestResolveAsAnotherProcess(t *testing.T) {
	number, url, ok := strings.Cut(os.Getenv(otherProcess), " ")
	if !ok {
		t.Skip("is started by another test")
	}
	pool, err := postgres.Open(t.Context(), postgres.PoolConfig{
		URL: url, Role: postgres.ServiceRole("identity"), Schema: "identity", MaxConns: perProcess,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	tel, err := telemetry.New(t.Context(), telemetry.Config{Service: "identity-test", LogWriter: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	// Each caller has a service of its own, so that callers do not wait for each other.
	services := make([]*identity.Service, perProcess)
	for i := range services {
		if services[i], err = identity.New(identity.Config{}, identity.Deps{Pool: pool, Tel: tel, Now: func() time.Time { return start }}); err != nil {
			t.Fatal(err)
		}
	}
	fmt.Println("ready", number)
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	var said sync.Mutex
	var group sync.WaitGroup
	for c, s := range services {
		group.Go(func() {
			for n := range crowd {
				who := n // all at once
				p := party("Ada", fmt.Sprintf("Byron%c%c", 'a'+who%26, 'a'+who/26), fmt.Sprintf("ada%d@example.com", who), "")
				if c%2 == 1 {
					p.Phones = []*leadv1.Phone{{E164: fmt.Sprintf("+1512555%04d", who), Valid: true}}
				}
				name := fmt.Sprint(number, c)
				if c < perProcess/2 {
					name = fmt.Sprint("both", c) // the lead that the other process resolves too
				}
				l := &leadv1.Lead{
					LeadId: lead.NewID([]byte(name), fmt.Sprint(who)).String(), Market: "US",
					RequestedAt: timestamppb.New(start), ReceivedAt: timestamppb.New(start), Parties: []*leadv1.Party{p},
				}
				resp, err := s.BatchResolve(context.Background(), &identityv1.BatchResolveRequest{Leads: []*leadv1.Lead{l}})
				if err != nil {
					t.Error(err)
					return
				}
				said.Lock()
				fmt.Println("resolved", who, resp.Resolutions[0].PersonId)
				said.Unlock()
			}
		})
	}
	group.Wait()
}
