package scoring_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/leadmesh/leadmesh/core/scoring"
)

func TestFeaturesAreComplete(t *testing.T) {
	name := regexp.MustCompile(`^[a-z][a-z0-9_]*(\.count|\.recency)?$`)
	seen := map[string]bool{}
	for f := scoring.FeatureNone + 1; f < scoring.NumFeatures; f++ {
		if !name.MatchString(f.String()) || seen[f.String()] {
			t.Errorf("feature %d has the name %q", f, f)
		}
		seen[f.String()] = true
		if got, ok := scoring.ParseFeature(f.String()); !ok || got != f {
			t.Errorf("ParseFeature(%q) = %v, %v", f, got, ok)
		}
		if g, ok := scoring.ParseGroup(f.Group().String()); !ok || g != f.Group() {
			t.Errorf("%v has no group", f)
		}
		if f.Label() == "" || f.Unit().String() == "" {
			t.Errorf("%v has no label or no unit", f)
		}
		if (f.Unit() == scoring.UnitCategory) != (len(f.Values()) > 0) {
			t.Errorf("%v is in %v and has %d values", f, f.Unit(), len(f.Values()))
		}
		if len(f.Values()) > 60 {
			t.Errorf("%v has more values than a condition can hold", f)
		}
		if c, ok := strings.CutSuffix(f.String(), ".count"); ok && (f+1).String() != c+".recency" {
			t.Errorf("%v is not followed by its recency", f)
		}
	}
}

func TestForbiddenInputsDoNotExist(t *testing.T) {
	forbidden := regexp.MustCompile(`(^|_)(age|born|birth|sex|gender|race|religion|origin_country|nationality|marital|name|postal|zip|address|language)(_|$)`)
	for f := scoring.FeatureNone + 1; f < scoring.NumFeatures; f++ {
		if name := strings.ReplaceAll(f.String(), "vehicle_age_days", ""); forbidden.MatchString(name) {
			t.Errorf("%v must not be an input", f)
		}
	}
}
