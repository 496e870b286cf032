package e2e_test

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/leadmesh/leadmesh/services/house"
)

var (
	soakRounds = flag.Int("soak.rounds", 0, "rounds of the soak; 0: a short one in two shapes")
	soakLeads  = flag.Int("soak.leads", 0, "leads taken in each round; 0: 2,000, and 300 in a short one")
	soakSeed   = flag.Uint64("soak.seed", 1, "seed of the first round; each round has the next one")
	soakAway   = flag.Duration("soak.away", time.Minute, "how long each part is away before the rounds of a long soak; 0: not at all")
)

// TestSoak kills, stops and freezes processes and Postgres at random moments while leads, reports
// and hand-overs come and deadlines pass, and checks afterwards that nothing was lost, doubled or
// forgotten. The short form is a small round each in the first two shapes.
func TestSoak(t *testing.T) {
	if testing.Short() {
		t.Skip("starts and kills processes")
	}
	form := soakForm{
		leads: *soakLeads, faults: 7, away: 3 * time.Second,
		passes: []time.Duration{20 * time.Minute, 3 * time.Hour, 26 * time.Hour, 15 * 24 * time.Hour},
	}
	rounds, short := *soakRounds, *soakRounds == 0
	if short {
		rounds, form.faults, form.away = 2, 3, 700*time.Millisecond
		form.leads, form.passes = max(form.leads, 300), form.passes[2:]
	}
	if form.leads == 0 {
		form.leads = 2_000
	}
	sum := soakSum{faults: map[string]int{}}
	if *soakRounds > 0 && *soakAway > 0 {
		t.Run("five processes, each part away for "+soakAway.String(), func(t *testing.T) {
			defer sum.end(t)
			s := &soak{form: form, shape: soakShape{open: (*soak).apart}, random: rand.New(rand.NewPCG(*soakSeed, 1)), sum: &sum}
			s.absences(t, *soakAway)
		})
	}
	t.Run("rounds", func(t *testing.T) {
		for i := range rounds {
			seed := *soakSeed + uint64(i)
			shape := soakShapes[(seed+uint64(len(soakShapes))-1)%uint64(len(soakShapes))]
			t.Run(fmt.Sprintf("%s, seed %d", shape.name, seed), func(t *testing.T) {
				if short { // most of a short round is waiting for what was away
					t.Parallel()
				}
				defer sum.end(t)
				s := &soak{form: form, shape: shape, random: rand.New(rand.NewPCG(seed, 1)), sum: &sum}
				s.round(t)
			})
		}
	})
	t.Logf("%d rounds, %d of them failed; %d leads and %d events checked; faults: %s", sum.rounds, sum.failed, sum.leads, sum.events, sum.tally())
}

// soakForm is how large a round is.
type soakForm struct {
	leads  int             // taken at least
	faults int             // brought about while they come
	passes []time.Duration // of time, afterwards
	away   time.Duration   // how long a part is away or frozen at most
}

// soakSum is what all rounds did together.
type soakSum struct {
	mu                            sync.Mutex
	rounds, failed, leads, events int
	faults                        map[string]int
}

// end counts a round.
func (s *soakSum) end(t *testing.T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rounds++; t.Failed() {
		s.failed++
	}
}

func (s *soakSum) fault(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[what]++
}

func (s *soakSum) checked(leads, events int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leads, s.events = s.leads+leads, s.events+events
}

func (s *soakSum) tally() string {
	var parts []string
	for _, what := range slices.Sorted(maps.Keys(s.faults)) {
		parts = append(parts, fmt.Sprintf("%s %d", what, s.faults[what]))
	}
	return strings.Join(parts, ", ")
}

// soakShape is a way to run the product on a server that can be killed.
type soakShape struct {
	name string
	open func(s *soak, t *testing.T)
}

var soakShapes = []soakShape{
	{"one process with its private server", (*soak).privately},
	{"two replicas on a running clock", (*soak).twice},
	{"five processes", (*soak).apart},
	{"one process, TLS and tokens", (*soak).securely},
}

func (s *soak) privately(t *testing.T) {
	dir := openDir(t)
	w, p := privateProcess(t, dir)
	s.worlds, s.processes, s.server = []*world{w}, map[string]*process{"leadmesh": p}, &server{dir: dir}
}

func (s *soak) apart(t *testing.T) {
	s.server = startServer(t)
	w := fiveProcessesOf(t, binary(t), s.server.url)
	s.worlds, s.processes = []*world{w}, w.processes
}

// paceOfSoak lets a round of a minute see the first deadlines, reminders and escalations pass.
const paceOfSoak = 60

func (s *soak) twice(t *testing.T) {
	s.server = startServer(t)
	clock := runningClock{Since: time.Now(), At: decidedAt, Pace: paceOfSoak}
	s.now, s.processes = clock.now, map[string]*process{}
	for _, name := range []string{"first", "second"} {
		w, p := clockedProcess(t, s.server.url, clock)
		s.worlds, s.processes[name] = append(s.worlds, w), p
		w.awaitHealthy(t) // one after the other: only one of them makes the schemas
	}
}

func (s *soak) securely(t *testing.T) {
	s.server = startServer(t)
	dir := t.TempDir()
	certs := certificates(t, dir)
	tokens, file := tokensFile(t, dir)
	addr := freeAddr(t)
	w := &world{logs: &buffer{}, addr: freeAddr(t), base: "https://" + addr, db: s.server.url, ca: filepath.Join(certs, "ca.pem"), token: tokens}
	p := spawn(t, "serve", "--sample", "--data", filepath.Join(dir, "data"), "--database-url", s.server.url, "--http", addr, "--grpc", w.addr,
		"--tls-cert", filepath.Join(certs, "public.pem"), "--tls-key", filepath.Join(certs, "public.key"), "--tokens", file)
	w.trust(t)
	s.worlds, s.processes = []*world{w}, map[string]*process{"leadmesh": p}
}

// soak is one round.
type soak struct {
	form   soakForm
	shape  soakShape
	random *rand.Rand // of the faults
	sum    *soakSum
	now    func() time.Time // the product's clock

	longest time.Duration // that a part was away beyond the form's

	worlds    []*world // one for each replica
	processes map[string]*process
	server    *server
	load      *load
	moves     *moves
}

func (s *soak) round(t *testing.T) {
	phase, began := time.Now(), time.Now()
	took := func() time.Duration {
		d := time.Since(phase).Round(time.Millisecond)
		phase = time.Now()
		return d
	}
	s.open(t)
	start := took()
	s.begin(t)
	for n := range s.form.faults {
		due := s.form.leads * (n + 1) / (s.form.faults + 1)
		eventually(t, 2*patience, "leads are taken in", func() bool { return s.load.leads() >= due })
		s.fault(t)
		s.load.flows(t, 10)
	}
	eventually(t, 2*patience, "leads are taken in", func() bool { return s.load.leads() >= s.form.leads })
	s.halt(t)
	load := took()
	s.check(t)
	check := took()
	s.advance(t)
	t.Logf("%s: start %s, load %s, check %s, time that passes %s", time.Since(began).Round(time.Millisecond), start, load, check, took())
}

// open starts the product in its shape.
func (s *soak) open(t *testing.T) {
	t.Helper()
	s.now = time.Now
	s.shape.open(s, t)
	for _, w := range s.worlds {
		w.awaitHealthy(t)
	}
	s.load = newLoad(s.worlds...)
	s.load.moved = true
	s.load.make = newMix(s.random.Uint64()).submission
}

// begin has leads come and dealers work.
func (s *soak) begin(t *testing.T) {
	t.Helper()
	s.load.start(t, []string{"lead", "lead", "list", "adf", "batch"})
	s.moves = startMoves(t, s.load, s.random.Uint64())
	s.load.flows(t, 10)
}

// halt ends that; the product must be well.
func (s *soak) halt(t *testing.T) {
	t.Helper()
	s.moves.halt()
	s.load.halt()
	for _, w := range s.worlds {
		w.awaitHealthy(t)
	}
}

// fault brings about one fault and mends what does not mend itself.
func (s *soak) fault(t *testing.T) {
	t.Helper()
	all := []struct {
		what string
		do   func(t *testing.T)
	}{
		{"process killed", s.killProcess}, {"process killed", s.killProcess}, {"process killed", s.killProcess},
		{"process frozen", s.freezeProcess}, {"all processes killed", s.killAll},
		{"postgres stopped", func(t *testing.T) { s.server.stop(t, s.away()) }},
		{"postgres stopped at once", func(t *testing.T) { s.server.abort(t, s.away()) }},
		{"postgres killed", func(t *testing.T) { s.server.kill(t, s.away()) }},
		{"backend killed", func(t *testing.T) { s.server.killBackend(t, s.random) }},
		{"postgres frozen", func(t *testing.T) { s.server.freeze(t, s.away()) }},
	}
	f := all[s.random.IntN(len(all))]
	t.Logf("%s after %d leads", f.what, s.load.leads())
	f.do(t)
	s.sum.fault(f.what)
}

// away is for how long something is away.
func (s *soak) away() time.Duration {
	return time.Duration(s.random.Int64N(int64(s.form.away)))
}

func (s *soak) anyProcess() string {
	names := slices.Sorted(maps.Keys(s.processes))
	return names[s.random.IntN(len(names))]
}

func (s *soak) killProcess(t *testing.T) {
	t.Helper()
	s.killed(t, s.anyProcess())
}

func (s *soak) killAll(t *testing.T) {
	t.Helper()
	s.killed(t, slices.Sorted(maps.Keys(s.processes))...)
}

// killed kills processes and starts them again later.
func (s *soak) killed(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		s.processes[name].kill(t)
	}
	rest(s.away())
	for _, name := range names {
		s.processes[name] = s.processes[name].again(t)
	}
	if len(names) == len(s.processes) {
		for _, w := range s.worlds {
			w.awaitHealthy(t)
		}
	}
}

func (s *soak) freezeProcess(t *testing.T) {
	t.Helper()
	p := s.processes[s.anyProcess()]
	p.signal(t, stopSignal)
	rest(s.away())
	p.signal(t, contSignal)
}

// advance ends the processes and lets time pass over the leads that are open, in a house whose
// clock is moved: each deadline is found, and in the end nothing is open that nobody works.
func (s *soak) advance(t *testing.T) {
	t.Helper()
	clock := &hands{}
	clock.move(s.now())
	s.server.keep(t)
	for _, name := range slices.Sorted(maps.Keys(s.processes)) {
		s.processes[name].stop(t)
	}
	s.server.back(t)
	w := inProcess(t, func(c *house.Config) { c.DatabaseURL, c.Now = s.server.url, clock.now })
	for _, pass := range s.form.passes {
		clock.move(clock.now().Add(pass))
		s.swept(t, w, clock.now())
	}
	w.grpc.Close()
}
