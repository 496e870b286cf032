package identity_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"
	"time"

	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/identity"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
)

// What the dashboard and the alerts look at is counted.
func TestMetrics(t *testing.T) {
	t.Parallel()
	tel, err := telemetry.New(t.Context(), telemetry.Config{Service: "identity-test", LogWriter: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	measured := func(_ *identity.Config, d *identity.Deps) { d.Tel, d.CommonKeyCap = tel, 2 }
	w := newWorld(t, measured)
	known := party("Carmen", "Delgadillo", "carmen@example.com", "")
	first := w.newLead(known)
	w.resolve(first)
	w.resolve(first)                                                     // repeated
	w.resolve(w.newLead(known))                                          // linked
	for _, name := range []string{"Howard", "Irene", "Max", "Yolanda"} { // the last one finds three who hold the number already
		w.resolve(w.newLead(party(name, "Ostrander", "", shared)))
	}
	a := w.resolve(w.newLead(&leadv1.Party{}, identifier(account, "x", "1")))[0]
	w.advance(time.Hour)
	w.resolve(w.newLead(&leadv1.Party{}, identifier(account, "y", "1")))
	w.advance(time.Hour)
	if r := w.resolve(w.newLead(&leadv1.Party{}, identifier(account, "x", "1"), identifier(account, "y", "1")))[0]; r.PersonId != a.PersonId {
		t.Fatal("the bridge is somebody else's")
	}
	done := w.careful(measured)
	w.resolve(w.newLead(known)) // possible
	done()

	rec := httptest.NewRecorder()
	tel.MetricsHandler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	page := rec.Body.String()
	for _, line := range []string{
		`leadmesh_identity_resolved_total\{[^}]*outcome="created"[^}]*\} 7`,
		`leadmesh_identity_resolved_total\{[^}]*outcome="linked"[^}]*\} 2`,
		`leadmesh_identity_resolved_total\{[^}]*outcome="repeated"[^}]*\} 1`,
		`leadmesh_identity_resolved_total\{[^}]*outcome="possible"[^}]*\} 1`,
		`leadmesh_identity_joined_total(\{[^}]*\})? 1`,
		`leadmesh_identity_common_keys_total(\{[^}]*\})? 1`,
		`leadmesh_identity_reviews(\{[^}]*\})? 1`,
		`leadmesh_identity_resolve_duration_seconds_count(\{[^}]*\})? 11`,
	} {
		if !regexp.MustCompile(line + `\b`).MatchString(page) {
			t.Errorf("no %s in\n%s", line, regexp.MustCompile(`(?m)^leadmesh_identity.*(_total|_count|reviews).*$`).FindAllString(page, -1))
		}
	}
}
