package scoring_test

import (
	"flag"
	"fmt"
	"io"
	"syscall"
	"testing"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/identity"
	"github.com/leadmesh/leadmesh/services/internal/pgtest"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
	"github.com/leadmesh/leadmesh/services/scoring"
	"google.golang.org/protobuf/types/known/timestamppb"
)

var benchPersons = flag.Int("persons", 20_000, "how many persons BenchmarkRescoring scores")

// BenchmarkRescoring scores persons of Identity on Postgres: the second re-scoring of everybody, which
// counts against the first. cpu-us/person is the time of this process, so without Postgres; run it with
// -benchtime 1x.
func BenchmarkRescoring(b *testing.B) {
	db := pgtest.New(b, identity.Migrations(), scoring.Migrations())
	tel, err := telemetry.New(b.Context(), telemetry.Config{Service: "bench", LogWriter: io.Discard})
	if err != nil {
		b.Fatal(err)
	}
	who, err := identity.New(identity.Config{}, identity.Deps{Pool: db.Pool("identity"), Tel: tel, Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	for from := 0; from < *benchPersons; from += 1000 {
		fill(b, who, from, min(from+1000, *benchPersons))
	}
	server := rpc.NewInProcessServer(rpc.Telemetry{Log: tel.Log, Tracing: tel.Tracing, Metrics: tel.Metrics})
	identityv1.RegisterProfileServiceServer(server, who)
	b.Cleanup(server.Stop)
	s, err := scoring.New(scoring.Config{}, scoring.Deps{Pool: db.Pool("scoring"), Profiles: identityv1.NewProfileServiceClient(server.Conn("scoring")), Tel: tel, Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	ctx := rpc.WithCaller(b.Context(), rpc.Caller{Name: "bench", Roles: []rpc.Role{rpc.RoleMOPS}})
	if _, err := s.ApplyPlaybook(ctx, &scoringv1.ApplyPlaybookRequest{Files: send(sample(b))}); err != nil {
		b.Fatal(err)
	}
	go func() { _ = s.Run(b.Context()) }() // ends with the benchmark
	run := func() time.Duration {
		begun := time.Now()
		resp, err := s.StartRescoring(ctx, &scoringv1.StartRescoringRequest{})
		if err != nil {
			b.Fatal(err)
		}
		for ; ; time.Sleep(10 * time.Millisecond) {
			r, err := s.GetRescoring(ctx, &scoringv1.GetRescoringRequest{RescoringId: resp.GetRescoring().GetRescoringId()})
			if err != nil {
				b.Fatal(err)
			}
			if r.GetRescoring().GetState() == scoringv1.RescoringState_RESCORING_STATE_DONE {
				if n := r.GetRescoring().GetPersonCount(); n < int64(*benchPersons)*9/10 {
					b.Fatalf("%d persons", n)
				}
				return time.Since(begun)
			}
		}
	}
	run()
	var wall, cpu time.Duration
	for b.Loop() {
		before := used(b)
		wall += run()
		cpu += used(b) - before
	}
	persons := float64(b.N) * float64(*benchPersons)
	b.ReportMetric(float64(cpu.Microseconds())/persons, "cpu-us/person")
	b.ReportMetric(persons/wall.Seconds(), "persons/s")
}

// used is the processor time of this process.
func used(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// fill makes persons known: with a leased car, visits to a workshop and some browsing, half of whom allow
// to be watched.
func fill(b *testing.B, who *identity.Service, from, to int) {
	ctx, now := b.Context(), time.Now()
	leads, signals := &identityv1.BatchResolveRequest{}, &identityv1.BatchCreateSignalsRequest{}
	for i := from; i < to; i++ {
		party := &leadv1.Party{
			Name:    &leadv1.Name{Given: fmt.Sprintf("Given%d", i%977), Family: fmt.Sprintf("Family%d", i)},
			Emails:  []*leadv1.Email{{Address: fmt.Sprintf("p%d@example.com", i)}},
			Address: &leadv1.Address{Streets: []string{fmt.Sprintf("%d Main Street", i)}, City: "Austin", Region: "TX", PostalCode: "78745", Country: "US"},
		}
		l := &leadv1.Lead{LeadId: lead.NewID([]byte("bench"), fmt.Sprint(i)).String(), Market: "US", ReceivedAt: timestamppb.New(now), Parties: []*leadv1.Party{party}}
		if i%2 == 0 {
			l.Consents = []*leadv1.Consent{{
				Controller: leadv1.Controller_CONTROLLER_OEM, Purpose: leadv1.Purpose_PURPOSE_PROFILING,
				State: leadv1.ConsentState_CONSENT_STATE_GRANTED, At: timestamppb.New(now.AddDate(0, 0, -1)),
			}}
		}
		leads.Leads = append(leads.Leads, l)
		vin := fmt.Sprintf("5ZNLM5E2%09d", i)
		add := func(kind leadv1.SignalKind, days int, change func(*identityv1.Signal)) {
			x := &identityv1.Signal{SignalId: fmt.Sprintf("%d-%d-%d", i, kind, days), Kind: kind, OccurredAt: timestamppb.New(now.AddDate(0, 0, -days)), Party: party}
			if change != nil {
				change(x)
			}
			signals.Signals = append(signals.Signals, x)
		}
		add(leadv1.SignalKind_SIGNAL_KIND_LEASE_STARTED, 900, func(x *identityv1.Signal) {
			x.Vin, x.EndsAt = vin, timestamppb.New(now.AddDate(0, 0, i%400-30))
		})
		add(leadv1.SignalKind_SIGNAL_KIND_SERVICE_VISIT, 300+i%200, func(x *identityv1.Signal) { x.Vin = vin })
		add(leadv1.SignalKind_SIGNAL_KIND_PAGE_VIEW, 1+i%50, nil)
		add(leadv1.SignalKind_SIGNAL_KIND_CONFIGURATOR_SAVED, 1+i%20, nil)
	}
	if _, err := who.BatchResolve(ctx, leads); err != nil {
		b.Fatal(err)
	}
	resp, err := who.BatchCreateSignals(ctx, signals)
	if err != nil || len(resp.GetProblems()) > 0 {
		b.Fatal(err, resp.GetProblems())
	}
}
