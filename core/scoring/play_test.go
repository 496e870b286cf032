package scoring_test

import (
	"testing"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/scoring"
)

func TestSegmentsAndPlay(t *testing.T) {
	m := compile(t, example())
	type set map[scoring.Feature]int32
	tests := []struct {
		name  string
		set   set
		want  scoring.SegmentSet
		level string // of RENEWAL_INTENDER
		play  lead.Segment
	}{
		{"nothing known", set{}, 0, "", lead.SegmentUnspecified},
		{"lease ends in 90 days", set{scoring.FeatureLeaseDaysToEnd: 90}, 1, "hot", lead.SegmentRenewalIntender},
		{"in 91", set{scoring.FeatureLeaseDaysToEnd: 91}, 1, "active", lead.SegmentRenewalIntender},
		{"in 270", set{scoring.FeatureLeaseDaysToEnd: 270}, 1, "warm", lead.SegmentRenewalIntender},
		{"in 271", set{scoring.FeatureLeaseDaysToEnd: 271}, 0, "", lead.SegmentUnspecified},
		{"over pace", set{scoring.FeatureLeaseDaysToEnd: 400, scoring.FeatureLeaseMileagePace: 1001}, 1, "over_pace", lead.SegmentRenewalIntender},
		{"equity and a payment within 5 %", set{scoring.FeatureEquity: 1, scoring.FeaturePaymentChange: 50}, 1, "equity", lead.SegmentRenewalIntender},
		{"equity and a payment beyond", set{scoring.FeatureEquity: 1, scoring.FeaturePaymentChange: 51}, 0, "", lead.SegmentUnspecified},
		{"three visits", set{scoring.FeatureVisits24M: 3}, 2, "", lead.SegmentServiceLoyalist},
		{"80 % of the services", set{scoring.FeatureServicesDone: 800}, 2, "", lead.SegmentServiceLoyalist},
		{"warranty over", set{scoring.FeatureWarrantyDaysLeft: -1}, 0, "", lead.SegmentUnspecified},
		{"cart of seven days ago", set{scoring.FeatureCartAbandonedRecency: 7 * 86400}, 8, "", lead.SegmentAccessoryProspect},
		{"two visits to parts pages", set{scoring.FeaturePartsPageViewCount: 2000}, 8, "", lead.SegmentAccessoryProspect},
		{"all four, the most valuable plays", set{scoring.FeatureLeaseDaysToEnd: 30, scoring.FeatureVisits24M: 3, scoring.FeatureWarrantyDaysLeft: 20, scoring.FeaturePartsPageViewCount: 2000}, 15, "hot", lead.SegmentRenewalIntender},
		{"loyalist near the end of the warranty", set{scoring.FeatureVisits24M: 3, scoring.FeatureWarrantyDaysLeft: 20}, 6, "", lead.SegmentWarrantyExpiring},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var in scoring.Inputs
			var res scoring.Result
			in.Reset()
			for f, v := range tt.set {
				in.Values[f] = v
			}
			m.Score(&in, &res)
			if res.Segments != tt.want || res.Active != tt.play || m.Level(&res, lead.SegmentRenewalIntender) != tt.level {
				t.Errorf("segments %b, play %v, level %q; want %b, %v, %q", res.Segments, res.Active, m.Level(&res, lead.SegmentRenewalIntender), tt.want, tt.play, tt.level)
			}
		})
	}
}

func TestReadyBySegmentAndNurture(t *testing.T) {
	m := compile(t, example())
	var in scoring.Inputs
	var res scoring.Result
	in.Reset()
	m.Score(&in, &res)
	if !m.Nurture(&res) || m.Triggered(&res) != lead.LineUnspecified {
		t.Errorf("nobody known is worth a trigger lead: %v", res.Points)
	}
	in.Values[scoring.FeatureLeaseDaysToEnd], in.Values[scoring.FeatureLeaseMileagePace] = 60, 1200
	in.Values[scoring.FeatureEquity], in.Values[scoring.FeatureHasPhone] = 5000, 1
	m.Score(&in, &res)
	if got := res.Points[lead.LineRenewal]; got != 5300 { // base 500, no request -500, lease 3000, pace 1000, equity 900, phone 400
		t.Errorf("renewal points = %d", got)
	}
	in.Values[scoring.FeatureVehicleAgeDays] = 2000
	m.Score(&in, &res)
	if !scoring.Ready(lead.LineRenewal, &res) {
		t.Errorf("a renewal intender with %d points is not upsell-ready at 5500", res.Points[lead.LineRenewal])
	}
	if m.Nurture(&res) || m.Triggered(&res) != lead.LineRenewal {
		t.Errorf("nurture %v, triggered %v", m.Nurture(&res), m.Triggered(&res))
	}
	in.Values[scoring.FeatureLeaseDaysToEnd] = 400
	in.Values[scoring.FeatureLeaseMileagePace] = 1000
	in.Values[scoring.FeatureRequestType], in.Values[scoring.FeatureEquity] = int32(lead.RequestTypeQuote), -1
	in.Values[scoring.FeatureTimeFrameDays] = 3
	m.Score(&in, &res)
	if scoring.Ready(lead.LineRenewal, &res) || res.Segments != 0 || res.Points[lead.LineRenewal] < 4500 {
		t.Errorf("without a segment %d points are ready, segments %b", res.Points[lead.LineRenewal], res.Segments)
	}
}

// The next line is the worthiest of the others that are worth a person's work.
func TestNext(t *testing.T) {
	line := func(points int32, value int64, trigger *int32) scoring.Line {
		return scoring.Line{Base: points, Value: value, Trigger: trigger, Calibration: calibration(0, 500_000, 1_000_000), Stages: stages()}
	}
	m := compile(t, scoring.Definition{Lines: map[string]scoring.Line{
		"SALES":       line(6000, 1000, p32(3000)),
		"RENEWAL":     line(5000, 2000, p32(3000)), // the greatest chance times value
		"SERVICE":     line(9000, 500, p32(3000)),
		"ACCESSORIES": line(2900, 1<<40, p32(3000)), // below its threshold
		"NURTURE":     line(9000, 1<<40, nil),       // makes no trigger leads
		"CARE":        line(9000, 0, nil),
	}})
	var in scoring.Inputs
	var res scoring.Result
	m.Score(&in, &res)
	for beside, want := range map[lead.Line]lead.Line{
		lead.LineUnspecified: lead.LineRenewal, lead.LineSales: lead.LineRenewal, lead.LineNurture: lead.LineRenewal,
		lead.LineRenewal: lead.LineSales, // 600 of it against 450 of SERVICE
		lead.LineCare:    lead.LineUnspecified,
	} {
		if got := m.Next(&res, beside); got != want {
			t.Errorf("beside %s: %s, want %s", beside, got, want)
		}
	}
	if p, ok := m.Trigger(lead.LineSales); p != 3000 || !ok {
		t.Errorf("trigger %d", p)
	}
	for _, none := range []lead.Line{lead.LineUnspecified, lead.LineNurture, lead.LineWarranty, 200} {
		if p, ok := m.Trigger(none); ok {
			t.Errorf("%d makes trigger leads from %d points", none, p)
		}
	}
}
