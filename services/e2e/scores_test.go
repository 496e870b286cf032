package e2e_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/house"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/internal/scoreconv"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// TestScoresAgree checks on random leads that Score, the stream and the core give the same score.
func TestScoresAgree(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a whole house")
	}
	core := newThinker(t)
	w := inProcess(t, func(c *house.Config) { c.Now = func() time.Time { return decidedAt } })
	const n = 500
	random := rand.New(rand.NewPCG(2026, 11))
	leads := make([]*leadv1.Lead, n)
	for i := range leads {
		leads[i] = core.random(t, random, i)
	}
	client := scoringv1.NewScoringServiceClient(w.grpc)
	lines, points := map[leadv1.Line]bool{}, map[int32]bool{}
	var explained []*leadv1.Decision
	for some := range slices.Chunk(leads, 20) { // what waits to be read ends a stream, and these are large
		explained = append(explained, dryRunsOf(t, w, some, true)...)
	}
	for i, d := range dryRuns(t, w, leads) {
		in, v := fromProto(t, leads[i]), &thought{}
		core.score(&in, decidedAt, v)
		want := scoreconv.ToProto(core.playbook, &v.inputs, &v.result, v.line, false)
		one, err := client.Score(t.Context(), &scoringv1.ScoreRequest{Lead: leads[i], At: timestamppb.New(decidedAt)})
		if err != nil {
			t.Fatal(err)
		}
		full := scoreconv.ToProto(core.playbook, &v.inputs, &v.result, v.line, true)
		unary := proto.CloneOf(one.GetScore())
		unary.Indices = nil
		for _, c := range []struct {
			door      string
			want, got *leadv1.Score
		}{{"stream", want, d.GetScore()}, {"stream that explains", full, explained[i].GetScore()}, {"Score", full, unary}} {
			if diff := cmp.Diff(c.want, c.got, protocmp.Transform()); diff != "" {
				t.Fatalf("%s of lead %d (-core +got):\n%s%s", c.door, i, diff, protojson.Format(leads[i]))
			}
		}
		lines[want.GetLine()], points[want.GetPoints()] = true, true
	}
	if len(lines) < 8 || len(points) < 50 {
		t.Errorf("the leads are too much alike: %d lines, %d scores", len(lines), len(points))
	}
}

// random makes a lead as Capture would pass it on.
func (c *thinker) random(t *testing.T, r *rand.Rand, i int) *leadv1.Lead {
	t.Helper()
	some := func(share float64) bool { return r.Float64() < share }
	l := &leadv1.Lead{
		Line: leadv1.Line(r.IntN(10)), RequestType: leadv1.RequestType(r.IntN(len(leadv1.RequestType_name))), Origin: leadv1.Origin_ORIGIN_OEM,
		Trigger: some(.2), Market: "US", Brand: []string{"NORRVIND", "SOLVANE", ""}[r.IntN(3)],
		Parties: []*leadv1.Party{{
			Name:    &leadv1.Name{Given: fmt.Sprintf("Given%d", i), Family: "Random"},
			Emails:  []*leadv1.Email{{Address: fmt.Sprintf("random%d@example.com", i)}},
			Address: &leadv1.Address{PostalCode: []string{"80205", "10001", "94110", "33131", "60614"}[r.IntN(5)], Country: "US"},
		}},
		Source: &leadv1.Source{Channel: "web", Source: "oem_site"},
	}
	if some(.5) {
		l.Parties[0].Phones = []*leadv1.Phone{{Number: fmt.Sprintf("+1303555%04d", 100+i%100)}}
	}
	codes := slices.SortedFunc(maps.Keys(c.models), func(a, b [2]string) int { return strings.Compare(a[0]+a[1], b[0]+b[1]) })
	for role := range 3 {
		if some(.5) {
			m := codes[r.IntN(len(codes))]
			v := &leadv1.Vehicle{Role: leadv1.VehicleRole(role + 1), ModelCode: m[1], Year: int32(2014 + r.IntN(13)), Status: leadv1.VehicleStatus(r.IntN(3))}
			if some(.3) {
				v.ModelCode, v.Powertrain = "UNKNOWN", leadv1.Powertrain(r.IntN(5))
			}
			if some(.4) {
				odometer := r.Int64N(150_000)
				v.Odometer, v.OdometerUnit = &odometer, leadv1.OdometerUnit_ODOMETER_UNIT_MI
			}
			if some(.2) {
				v.Stock = "A-1"
			}
			l.Vehicles = append(l.Vehicles, v)
		}
	}
	if some(.5) {
		l.Consents = append(l.Consents, &leadv1.Consent{Controller: leadv1.Controller_CONTROLLER_OEM, Purpose: leadv1.Purpose_PURPOSE_PROFILING,
			State: leadv1.ConsentState(r.IntN(5)), At: timestamppb.New(decidedAt.Add(-time.Hour))})
	}
	if some(.3) {
		l.DealerChoice = leadv1.DealerChoice(r.IntN(5))
	}
	if some(.3) {
		l.TimeFrame = &leadv1.TimeFrame{Text: []string{"within 2 weeks", "this month", "3 months", "no hurry"}[r.IntN(4)]}
	}
	in := fromProto(t, l)
	in.ReceivedAt = decidedAt
	c.playbook.Governor.Apply(&in, decidedAt) // refused ones can be scored all the same
	return leadconv.ToProto(&in)
}
