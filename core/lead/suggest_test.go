package lead_test

import (
	"fmt"
	"testing"

	"github.com/leadmesh/leadmesh/core/lead"
)

func TestSuggest(t *testing.T) {
	lines := []string{"SALES", "RENEWAL", "SERVICE", "WARRANTY"}
	many := make([]string, 40)
	for i := range many {
		many[i] = fmt.Sprintf("feature_%02d_long", i)
	}
	for _, c := range []struct {
		word  string
		names []string
		want  string
	}{
		{"SALE", lines, "; did you mean SALES?"},
		{"SERIVCE", lines, "; did you mean SERVICE?"},
		{"renewal", lines, "; did you mean RENEWAL?"},
		{"WARRANTIES", lines, "; did you mean WARRANTY?"},
		{"WASHING", lines, "; there are SALES, RENEWAL, SERVICE, WARRANTY"},
		{"", lines, "; there are SALES, RENEWAL, SERVICE, WARRANTY"},
		{"feature_7_long", many, "; did you mean feature_07_long?"},
		{"Feature 07", many, "; did you mean feature_07_long?"},
		{"horoscope", many, ""},
		{"SALES", nil, ""},
	} {
		if got := lead.Suggest(c.word, c.names); got != c.want {
			t.Errorf("%q: %q, want %q", c.word, got, c.want)
		}
	}
}
