package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// compareViews reads leads through both programs: what the old one shows, the new one shows too,
// and may show more.
func compareViews(t *testing.T, before, after *world, ids []string) {
	t.Helper()
	for _, id := range ids {
		var diff string
		eventually(t, patience, "both programs show lead "+id+" alike", func() bool { // it may move between two reads
			var a, b any
			for _, read := range []struct {
				w    *world
				into *any
			}{{before, &a}, {after, &b}} {
				code, raw := read.w.call(t, "ops", http.MethodGet, "/v1/leads/"+id, nil, "")
				if code != http.StatusOK {
					t.Fatalf("lead %s answered %d: %s", id, code, raw)
				}
				if err := json.Unmarshal(raw, read.into); err != nil {
					t.Fatal(err)
				}
			}
			last := diff
			diff = lacks(a, b, "lead")
			if diff != "" && diff != last {
				t.Logf("lead %s: %s", id, diff)
			}
			return diff == ""
		})
	}
}

// lacks names the first thing of a JSON value that another one does not have.
func lacks(want, got any, at string) string {
	switch want := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return at + " is no object"
		}
		for k, v := range want {
			if diff := lacks(v, g[k], at+"."+k); diff != "" {
				return diff
			}
		}
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) < len(want) {
			return fmt.Sprintf("%s has fewer elements: %v, want %v", at, got, want)
		}
		for i, v := range want {
			if diff := lacks(v, g[i], fmt.Sprintf("%s[%d]", at, i)); diff != "" {
				return diff
			}
		}
	case string:
		// For a kind of evidence that came after it the old program has no words, only the weight.
		if g, ok := got.(string); ok && strings.HasPrefix(want, " (") && strings.HasSuffix(g, want) {
			return ""
		}
		if want != got {
			return fmt.Sprintf("%s is %v, want %v", at, got, want)
		}
	default:
		if want != got && !sameReason(want, got) {
			return fmt.Sprintf("%s is %v, want %v", at, got, want)
		}
	}
	return ""
}

// sameReason reports that a reason for a match differs by its words alone: a program has none for
// evidence that is newer than it, and shows the weight.
func sameReason(want, got any) bool {
	w, _ := want.(string)
	g, _ := got.(string)
	return strings.HasPrefix(w, " (") && strings.HasSuffix(g, w)
}

// some are leads of a load that are decided.
func (l *load) some(n int) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var ids []string
	for i := len(l.sent) - 1; i >= 0 && len(ids) < n; i-- {
		for _, r := range l.sent[i].held {
			if r.GetDecision() != nil {
				ids = append(ids, r.GetLeadId())
				break
			}
		}
	}
	return ids
}
