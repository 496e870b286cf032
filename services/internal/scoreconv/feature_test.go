package scoreconv_test

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/scoring"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/scoreconv"
)

func usesOf(t *testing.T, name string) []*scoringv1.FeatureUse {
	t.Helper()
	for _, f := range scoreconv.Features(sample(t), scoreconv.FeatureQuery{}) {
		if f.GetFeature() == name {
			return f.GetUses()
		}
	}
	t.Fatalf("no %s", name)
	return nil
}

// A fact names the lines, segments and indices that look at it, with what each makes of it.
func TestFeatureUses(t *testing.T) {
	var segments, indices []*scoringv1.FeatureUse
	next := map[leadv1.Line]int32{}
	for _, u := range usesOf(t, "lease_days_to_end") {
		switch {
		case u.GetSegment() != 0:
			segments = append(segments, u)
		case u.GetIndex() != 0:
			indices = append(indices, u)
		case u.NextLinePoints != nil:
			next[u.GetLine()] = u.GetNextLinePoints()
		}
	}
	want := []*scoringv1.FeatureUse{{Segment: leadv1.Segment_SEGMENT_RENEWAL_INTENDER, Rules: []*scoringv1.FeatureRule{
		{Level: "hot", Asks: "at most 90 days"}, {Level: "active", Asks: "at most 180 days"}, {Level: "warm", Asks: "at most 270 days"},
	}}}
	if diff := cmp.Diff(want, segments, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	if len(indices) != 1 || indices[0].GetIndex() != leadv1.Index_INDEX_CUSTOMER_VALUE || indices[0].GetMostPoints() <= 0 {
		t.Errorf("indices: %v", indices)
	}
	if from, ok := sample(t).Scoring.Trigger(lead.LineRenewal); !ok || next[leadv1.Line_LINE_RENEWAL] != from {
		t.Errorf("RENEWAL is the next line from %d on, should be %d", next[leadv1.Line_LINE_RENEWAL], from)
	}
	for _, u := range usesOf(t, "payment_change") {
		if u.GetSegment() != leadv1.Segment_SEGMENT_RENEWAL_INTENDER {
			continue
		}
		want := &scoringv1.FeatureRule{Level: "equity, app", Asks: "-5 percent to 5 percent", TogetherWith: []string{"equity", "app_use.recency"}}
		if diff := cmp.Diff(want, u.GetRules()[0], protocmp.Transform()); diff != "" {
			t.Error(diff)
		}
	}
}

// Whatever an index reads is among the uses of that fact, within the points that stand there.
func TestIndicesAreAmongTheUses(t *testing.T) {
	p := sample(t)
	uses := map[string]map[leadv1.Index]*scoringv1.FeatureUse{}
	for _, f := range scoreconv.Features(p, scoreconv.FeatureQuery{}) {
		uses[f.GetFeature()] = map[leadv1.Index]*scoringv1.FeatureUse{}
		for _, u := range f.GetUses() {
			if u.GetIndex() != 0 {
				uses[f.GetFeature()][u.GetIndex()] = u
			}
		}
	}
	r, read := rand.New(rand.NewPCG(3, 4)), 0
	for range 200 {
		var in scoring.Inputs
		in.Reset()
		for f := scoring.FeatureNone + 1; f < scoring.NumFeatures; f++ {
			if f.Unit() == scoring.UnitCategory {
				in.Values[f] = f.FirstValue() + r.Int32N(int32(len(f.Values())))
			} else {
				in.Values[f] = r.Int32N(3000)
			}
		}
		for code := lead.Index(1); int(code) < scoring.NumIndices; code++ {
			reading, ok := p.Scoring.Read(code, &in)
			if !ok {
				t.Fatalf("the sample has no %v", code)
			}
			for _, c := range reading.Contributions {
				if c.Feature == scoring.FeatureNone {
					continue
				}
				read++
				u := uses[c.Feature.String()][leadv1.Index(code)]
				if u == nil || c.Points < u.GetLeastPoints() || c.Points > u.GetMostPoints() {
					t.Fatalf("%v gives %v %d points, the use says %v", c.Feature, code, c.Points, u)
				}
			}
		}
	}
	if read == 0 {
		t.Error("no index read anything")
	}
}
