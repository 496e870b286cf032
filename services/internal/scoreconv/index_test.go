package scoreconv_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/routing"
	"github.com/leadmesh/leadmesh/core/scoring"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/internal/scoreconv"
	"google.golang.org/protobuf/testing/protocmp"
)

// loyal is somebody whose lease ends, who looks at electric cars and comes to the workshop.
func loyal() scoring.Inputs {
	var in scoring.Inputs
	in.Reset()
	for f, v := range map[scoring.Feature]int32{
		scoring.FeatureRequestType: int32(lead.RequestTypeServiceBooking), scoring.FeatureHasPhone: 1,
		scoring.FeatureLeaseDaysToEnd: 150, scoring.FeatureVisits24M: 4, scoring.FeatureSpend24M: 2500, scoring.FeatureVehiclesOwned: 2,
		scoring.FeatureHomeChargerCount: 2000, scoring.FeatureEVSought: 1, scoring.FeaturePowertrainSought: int32(lead.PowertrainElectric),
		scoring.FeatureInventoryViewRecency: 86400, scoring.FeatureCartAbandonedRecency: 3 * 86400,
	} {
		in.Values[f] = v
	}
	return in
}

func TestIndices(t *testing.T) {
	p, in := sample(t), loyal()
	got := scoreconv.Indices(p, &in)
	if len(got) != 2 {
		t.Fatalf("%d indices", len(got))
	}
	ev, value := got[0], got[1]
	for _, s := range got {
		sum, groups := int32(0), int32(0)
		for _, c := range s.GetContributions() {
			sum += c.GetPoints()
			if c.GetGroup() == "" {
				groups += c.GetPoints()
			}
			if c.GetLabel() == "" {
				t.Errorf("%s: a contribution without words: %v", s.GetLabel(), c)
			}
		}
		for _, g := range s.GetGroups() {
			groups += g.GetPoints()
		}
		if sum != s.GetPoints() || groups != s.GetPoints() {
			t.Errorf("%s: %d contributed, %d by groups, %d points", s.GetLabel(), sum, groups, s.GetPoints())
		}
	}
	if ev.GetIndex() != leadv1.Index_INDEX_EV_READINESS || ev.GetLabel() != "EV readiness" || ev.GetBand() != "open" ||
		ev.GetProbabilityPpm() <= ev.GetProbabilityInterval().GetLowPpm() || ev.GetProbabilityPpm() >= ev.GetProbabilityInterval().GetHighPpm() ||
		ev.GetExpectedRevenue() != nil || len(ev.GetReasons()) == 0 || ev.GetReasons()[0] != "charges a car at home" {
		t.Errorf("%v", ev)
	}
	low, high := value.GetRevenueInterval().GetLow(), value.GetRevenueInterval().GetHigh()
	if r := value.GetExpectedRevenue(); value.GetIndex() != leadv1.Index_INDEX_CUSTOMER_VALUE || r.GetCurrency() != "USD" || r.GetMinor() < 5_000_00 ||
		low.GetMinor() >= r.GetMinor() || high.GetMinor() <= r.GetMinor() || value.GetMonths() != 36 || value.GetBand() == "" || value.GetProbabilityPpm() != 0 {
		t.Errorf("%v", value)
	}

	// The receipt's inputs give the same, and without consent tracked facts say nothing.
	again := scoreconv.Inputs(&routing.Receipt{Inputs: scoreconv.AppendInputs(nil, &in)})
	if diff := cmp.Diff(got, scoreconv.Indices(p, &again), protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	in.DropTracked()
	without := scoreconv.Indices(p, &in)[0]
	if without.GetPoints() >= ev.GetPoints() || len(without.GetNoConsentGroups()) != 1 {
		t.Errorf("without consent: %v", without)
	}
}

// Each segment comes with its level, in short answers too, and the next line is another one that is
// worth a call.
func TestLevelsAndNextLine(t *testing.T) {
	p, in := sample(t), loyal()
	var res scoring.Result
	p.Scoring.Score(&in, &res)
	want := []*leadv1.ScoreSegment{
		{Segment: leadv1.Segment_SEGMENT_RENEWAL_INTENDER, Level: "active"},
		{Segment: leadv1.Segment_SEGMENT_SERVICE_LOYALIST, Level: "three visits"},
		{Segment: leadv1.Segment_SEGMENT_ACCESSORY_PROSPECT, Level: "cart"},
	}
	short := scoreconv.ToProto(p, &in, &res, lead.LineService, false)
	if diff := cmp.Diff(want, short.GetSegmentDetails(), protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	if short.GetNextLine() != nil {
		t.Errorf("a short answer says %v", short.GetNextLine())
	}
	for i, label := range []string{"Renewal intender", "Service loyalist", "Accessory prospect"} {
		want[i].Label = label
	}
	full := scoreconv.ToProto(p, &in, &res, lead.LineService, true)
	if diff := cmp.Diff(want, full.GetSegmentDetails(), protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	next := full.GetNextLine()
	chance := int64(res.Probability[lead.LineRenewal])
	if next.GetLine() != leadv1.Line_LINE_RENEWAL || next.GetPoints() != res.Points[lead.LineRenewal] || next.GetPoints() < next.GetThreshold() || next.GetThreshold() != 3500 ||
		next.GetExpectedValue().GetCurrency() != "USD" || next.GetExpectedValue().GetMinor() != (chance*260_000+500_000)/1_000_000 ||
		len(next.GetReasons()) == 0 || next.GetReasons()[0] != "lease ends in 150 days" {
		t.Errorf("next line %v", next)
	}
	if next := scoreconv.ToProto(p, &in, &res, lead.LineRenewal, true).GetNextLine(); next.GetLine() == leadv1.Line_LINE_RENEWAL || next == nil {
		t.Errorf("beside renewal: %v", next)
	}
	if next := scoreconv.ToProto(p, &in, &res, lead.LineCare, true).GetNextLine(); next != nil {
		t.Errorf("while a complaint is open something is sold: %v", next)
	}
}
