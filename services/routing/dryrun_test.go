package routing

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"path"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/signal"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/playbookfeed"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"github.com/leadmesh/leadmesh/services/internal/stream"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
	"github.com/leadmesh/leadmesh/services/routing/internal/network"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// newDesk is a service that can answer dry runs with the sample's network and playbook, and nothing
// else: it has no database.
func newDesk(tb testing.TB, sender bool) *Service {
	tb.Helper()
	var files []network.File
	for _, f := range sampleNetwork(tb) {
		files = append(files, network.File{Name: path.Base(f.GetName()), Content: f.GetContent()})
	}
	taken, err := network.Import(&postgres.NetworkRows{}, files, network.Options{AllOrNothing: true})
	if err != nil || taken.Rows == nil {
		tb.Fatalf("the sample network was not taken: %v, %d mistakes", err, len(taken.Mistakes))
	}
	view, err := newNetworkView(taken.Rows)
	if err != nil {
		tb.Fatal(err)
	}
	rb, err := newRulebook(&playbookfeed.Snapshot{Playbook: samplePlaybook(tb), Secret: []byte("0123456789abcdef0123456789abcdef")}, view)
	if err != nil {
		tb.Fatal(err)
	}
	rb.tellOpen(monday)
	tel, err := telemetry.New(tb.Context(), telemetry.Config{Service: "routing", LogWriter: io.Discard})
	if err != nil {
		tb.Fatal(err)
	}
	s := &Service{
		cfg: Config{Sender: sender}, stream: stream.NewServer(4_096), relay: nil, tel: tel, log: tel.Log,
		now: func() time.Time { return monday },
	}
	s.verdicts.New, s.inquiries.New = func() any { return &verdict{} }, func() any { return &inquiry{} }
	if s.metrics, err = newMetrics(s); err != nil {
		tb.Fatal(err)
	}
	s.engine.rules.Store(rb)
	return s
}

// questions are encoded dry runs of people who tell a lot and of whom 60 signals are known.
func questions(tb testing.TB, n int) [][]byte {
	tb.Helper()
	random := rand.New(rand.NewPCG(7, 11))
	out := make([][]byte, n)
	for i := range out {
		raw, err := proto.Marshal(question(tb, random, i))
		if err != nil {
			tb.Fatal(err)
		}
		out[i] = raw
	}
	return out
}

func question(tb testing.TB, random *rand.Rand, i int) *routingv1.DecideRequest {
	tb.Helper()
	postals := []string{"10001", "60601", "80202", "94103", "33101", "75201", "98101", "02108"}
	models := []string{"Vik", "Fjell", "Strand", "Aurel", "Monte"}
	requests := []leadv1.RequestType{
		leadv1.RequestType_REQUEST_TYPE_QUOTE, leadv1.RequestType_REQUEST_TYPE_TEST_DRIVE, leadv1.RequestType_REQUEST_TYPE_SERVICE_BOOKING,
		leadv1.RequestType_REQUEST_TYPE_TRADE_VALUE,
	}
	lines := []leadv1.Line{leadv1.Line_LINE_SALES, leadv1.Line_LINE_SALES, leadv1.Line_LINE_SERVICE, leadv1.Line_LINE_SALES}
	kind := random.IntN(len(requests))
	home := &leadv1.Address{
		Streets: []string{fmt.Sprintf("%d Main Street", i)}, City: "Somewhere", Region: "CO", PostalCode: postals[random.IntN(len(postals))], Country: "US",
	}
	consent := func(p leadv1.Purpose) *leadv1.Consent {
		return &leadv1.Consent{
			Controller: leadv1.Controller_CONTROLLER_OEM, Purpose: p, State: leadv1.ConsentState_CONSENT_STATE_GRANTED,
			TextVersion: "web-2026-02", Place: "norrvind.example/quote",
		}
	}
	l := &leadv1.Lead{
		LeadId: lead.NewID([]byte("dry"), "lead", fmt.Sprint(i)).String(), IdempotencyKey: fmt.Sprintf("dry-%d", i), Line: lines[kind], RequestType: requests[kind],
		Origin: leadv1.Origin_ORIGIN_OEM, Brand: testBrand, Market: "US", DealerChoice: leadv1.DealerChoice_DEALER_CHOICE_NONE,
		Source:   &leadv1.Source{Channel: "web", Source: "configurator", Provider: "load", Form: "request"},
		Campaign: &leadv1.Campaign{CampaignId: "C-07", Medium: "cpc", Term: "cars near me"},
		Parties: []*leadv1.Party{
			{
				Role: leadv1.PartyRole_PARTY_ROLE_PRIMARY, Name: &leadv1.Name{Given: "Anna", Family: "Abbott"}, Address: home,
				Emails: []*leadv1.Email{{Address: fmt.Sprintf("anna.abbott.%d@example.com", i), Valid: true}},
				Phones: []*leadv1.Phone{{Number: "(212) 555-0142", E164: "+12125550142", Valid: true}},
			},
			{
				Role: leadv1.PartyRole_PARTY_ROLE_CO_BUYER, Name: &leadv1.Name{Given: "Ben", Family: "Abbott"}, Address: home,
				Emails: []*leadv1.Email{{Address: fmt.Sprintf("ben.abbott.%d@example.com", i), Valid: true}},
			},
		},
		TimeFrame: &leadv1.TimeFrame{Text: "within 30 days"}, RequestedAt: timestamppb.New(monday.Add(-time.Minute)), ReceivedAt: timestamppb.New(monday),
		Consents: []*leadv1.Consent{consent(leadv1.Purpose_PURPOSE_ANSWER_INQUIRY), consent(leadv1.Purpose_PURPOSE_SHARE_WITH_DEALER)},
		Comments: "What matters to us: room for two child seats and a dog, a tow hook that carries two bicycles, and enough range to reach my parents " +
			"in winter without a stop. We can charge at home and at work. Weekday mornings are best, or any time on Saturdays.",
	}
	for k, role := range []leadv1.VehicleRole{leadv1.VehicleRole_VEHICLE_ROLE_SOUGHT, leadv1.VehicleRole_VEHICLE_ROLE_OWNED, leadv1.VehicleRole_VEHICLE_ROLE_TRADED} {
		v := &leadv1.Vehicle{Role: role, Status: leadv1.VehicleStatus_VEHICLE_STATUS_NEW, Make: "Norrvind", Model: models[random.IntN(len(models))], Year: 2026}
		if k > 0 {
			v.Status, v.Year, v.Vin, v.Color = leadv1.VehicleStatus_VEHICLE_STATUS_USED, 2019, fmt.Sprintf("1NV%08d%06d", k, i), "deep forest green"
		}
		l.Vehicles = append(l.Vehicles, v)
	}
	for _, source := range []string{"load", "google", "meta", "configurator", "owner_app"} {
		l.Identifiers = append(l.Identifiers, &leadv1.Identifier{
			Kind: leadv1.IdentifierKind_IDENTIFIER_KIND_CLICK, Source: source, Value: fmt.Sprintf("dry.%016x%016x", random.Uint64(), random.Uint64()),
		})
	}
	return &routingv1.DecideRequest{Sequence: uint64(i + 1), Mode: routingv1.DecideMode_DECIDE_MODE_DRY_RUN, Lead: l, Profile: history(tb, random, i)}
}

// history is the profile of somebody of whom 60 signals are known, a third of them of three vehicles.
func history(tb testing.TB, random *rand.Rand, i int) []byte {
	tb.Helper()
	browsing := []lead.SignalKind{
		lead.SignalKindPageView, lead.SignalKindInventoryView, lead.SignalKindConfiguratorStarted, lead.SignalKindConfiguratorSaved,
		lead.SignalKindFinanceCalculator, lead.SignalKindRangeTool, lead.SignalKindChargerQuote, lead.SignalKindEmailOpen,
		lead.SignalKindEmailClick, lead.SignalKindAppUse, lead.SignalKindPartsPageView, lead.SignalKindIncentiveView,
	}
	owning := []lead.SignalKind{
		lead.SignalKindVehicleSold, lead.SignalKindWarrantyStarted, lead.SignalKindLeaseStarted, lead.SignalKindMaintenancePlan,
		lead.SignalKindServiceVisit, lead.SignalKindServiceVisit, lead.SignalKindMileage, lead.SignalKindServiceDeclined,
	}
	var p signal.Profile
	p.Inquired(monday.Unix())
	var half signal.HalfLives
	for k := range 60 {
		s := signal.Signal{ID: fmt.Sprint(i, k), At: monday.Add(-time.Duration(1+random.IntN(730*24)) * time.Hour), ModelCode: "NV-VIK"}
		if k%3 != 0 {
			s.Kind = browsing[k%len(browsing)]
		} else {
			car := k / 3
			s.Kind, s.VIN, s.DealerID = owning[(car/3)%len(owning)], fmt.Sprintf("1NV%08d%06d", car%3, i), "nv-co-001"
			s.Odometer, s.OdometerUnit = int64(9_000+car*1_000), lead.OdometerUnitMI
			s.Lease.Maturity, s.Warranty.Until, s.Until = monday.AddDate(0, 8, 0), monday.AddDate(1, 0, 0), monday.AddDate(1, 0, 0)
		}
		if err := signal.Apply(&p, s, &half); err != nil {
			tb.Fatal(err)
		}
	}
	return p.Marshal()
}

// wire is a stream whose caller sends encoded requests, n of them in turn, and looks at no answer.
type wire struct {
	grpc.ServerStream
	ctx      context.Context
	requests [][]byte
	n, next  int
	bytes    int
}

func (w *wire) Context() context.Context     { return w.ctx }
func (w *wire) SendHeader(metadata.MD) error { return nil }
func (w *wire) SetHeader(metadata.MD) error  { return nil }
func (w *wire) SetTrailer(metadata.MD)       {}
func (w *wire) RecvMsg(m any) error {
	if w.next == w.n {
		return io.EOF
	}
	w.next++
	return proto.Unmarshal(w.requests[w.next%len(w.requests)], m.(proto.Message))
}

func (w *wire) SendMsg(m any) error {
	raw, err := proto.Marshal(m.(proto.Message))
	w.bytes += len(raw)
	return err
}

// spent is the processor time that the process has used. On a machine that others use too it says
// more than the clock.
func spent(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestDryRunRemembersNobody asks about very different leads in turn: each is answered as by a service
// that was never asked before.
func TestDryRunRemembersNobody(t *testing.T) {
	used, random := newDesk(t, true), rand.New(rand.NewPCG(3, 4))
	caller := rpc.Caller{Name: "capture", Service: "capture"}
	for i := range 60 {
		r := question(t, random, i)
		switch i % 4 {
		case 1:
			r.Profile, r.Lead.Parties = nil, r.GetLead().GetParties()[:1]
		case 2:
			r = &routingv1.DecideRequest{Mode: r.GetMode(), Lead: &leadv1.Lead{Line: leadv1.Line_LINE_SALES, Market: "US"}}
		case 3:
			r.Lead.Vehicles, r.Lead.Consents = nil, nil
			r.Lead.Parties[0].Emails, r.Lead.Parties[0].Phones = nil, nil
		}
		fresh := &Service{cfg: used.cfg, tel: used.tel, log: used.log, now: used.now, metrics: used.metrics}
		fresh.verdicts.New, fresh.inquiries.New = func() any { return &verdict{} }, func() any { return &inquiry{} }
		fresh.engine.rules.Store(used.engine.rules.Load())
		want, got := fresh.answer(t.Context(), caller, r, nil), used.answer(t.Context(), caller, r, nil)
		if want.GetDecision() == nil {
			t.Fatal(want.GetProblem())
		}
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Fatalf("question %d (-as the first +after others):\n%s", i, diff)
		}
	}
}

// TestDryRunAllocatesLittle holds what a dry run takes beside its request: the answer and its texts,
// and the context of its trace.
func TestDryRunAllocatesLittle(t *testing.T) {
	s, requests, i := newDesk(t, false), make([]*routingv1.DecideRequest, 16), 0
	for i, raw := range questions(t, len(requests)) {
		requests[i] = &routingv1.DecideRequest{}
		if err := proto.Unmarshal(raw, requests[i]); err != nil {
			t.Fatal(err)
		}
	}
	caller := rpc.Caller{Name: "capture", Service: "capture"}
	ask := func() {
		i++
		s.answer(t.Context(), caller, requests[i%len(requests)], nil)
	}
	for range requests {
		ask()
	}
	// 21, and more while the race detector runs: it makes pools forget.
	if n := testing.AllocsPerRun(320, ask); n > 40 {
		t.Errorf("a dry run allocates %v times, want at most 40", n)
	}
}

// BenchmarkDryRun is what one dry run costs from the decoded request to the answer.
func BenchmarkDryRun(b *testing.B) {
	s := newDesk(b, false)
	requests := make([]*routingv1.DecideRequest, 64)
	for i, raw := range questions(b, len(requests)) {
		requests[i] = &routingv1.DecideRequest{}
		if err := proto.Unmarshal(raw, requests[i]); err != nil {
			b.Fatal(err)
		}
	}
	capture, i := rpc.Caller{Name: "capture", Service: "capture"}, 0
	b.ReportAllocs()
	before := spent(b)
	for b.Loop() {
		i++
		if r := s.answer(b.Context(), capture, requests[i%len(requests)], nil); r.GetDecision() == nil {
			b.Fatal(r.GetProblem())
		}
	}
	b.ReportMetric(float64(spent(b)-before)/float64(b.N), "cpu-ns/op")
}

// BenchmarkDryRunStream is what one dry run costs on a stream: reading, deciding, writing.
func BenchmarkDryRunStream(b *testing.B) {
	s := newDesk(b, false)
	ctx := rpc.WithCaller(b.Context(), rpc.Caller{Name: "capture", Service: "capture"})
	w := &wire{ctx: ctx, requests: questions(b, 64), n: b.N}
	b.ReportAllocs()
	b.ResetTimer()
	before := spent(b)
	if err := s.Decide(&grpc.GenericServerStream[routingv1.DecideRequest, routingv1.DecideResponse]{ServerStream: w}); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(spent(b)-before)/float64(b.N), "cpu-ns/op")
}

// BenchmarkDryRunEcho is the same stream with an answer that is known before: what reading and
// writing alone cost.
func BenchmarkDryRunEcho(b *testing.B) {
	s := newDesk(b, false)
	raw := questions(b, 64)
	r := &routingv1.DecideRequest{}
	if err := proto.Unmarshal(raw[0], r); err != nil {
		b.Fatal(err)
	}
	answer := s.answer(b.Context(), rpc.Caller{Name: "capture", Service: "capture"}, r, nil)
	w := &wire{ctx: b.Context(), requests: raw, n: b.N}
	st := &grpc.GenericServerStream[routingv1.DecideRequest, routingv1.DecideResponse]{ServerStream: w}
	b.ReportAllocs()
	b.ResetTimer()
	before := spent(b)
	for {
		r, err := st.Recv()
		if err != nil {
			b.ReportMetric(float64(spent(b)-before)/float64(b.N), "cpu-ns/op")
			break
		}
		if err := st.Send(&routingv1.DecideResponse{Sequence: r.GetSequence(), Answer: answer.GetAnswer()}); err != nil {
			b.Fatal(err)
		}
	}
}
