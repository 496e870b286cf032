// Package watch_test checks that Prometheus takes the alerts and the dashboard's expressions, and that
// each alert fires when it should and not before.
package watch_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
)

func alerts(t *testing.T) map[string]rulefmt.Rule {
	t.Helper()
	groups, errs := rulefmt.ParseFile("alerts.yaml", false)
	for _, err := range errs {
		t.Error(err)
	}
	if groups == nil {
		t.Fatal("no alerts")
	}
	out := map[string]rulefmt.Rule{}
	for _, g := range groups.Groups {
		for _, r := range g.Rules {
			out[r.Alert] = r
		}
	}
	return out
}

func TestAlertsSayWhatToDo(t *testing.T) {
	for name, r := range alerts(t) {
		if !slices.Contains([]string{"page", "ticket"}, r.Labels["severity"]) {
			t.Errorf("%s has the severity %q", name, r.Labels["severity"])
		}
		if r.Annotations["summary"] == "" || r.Annotations["action"] == "" {
			t.Errorf("%s says not what it means and what to do", name)
		}
	}
}

// Each alert with series that must make its expression true after a quarter of an hour or, where it
// looks at a day, after more than one, and with series that must not.
var cases = map[string]struct{ fires, quiet string }{
	"LeadmeshDown":    {`up{job="leadmesh",instance="a"} 1 0x4000`, `up{job="leadmesh",instance="a"} 1x4000`},
	"LeadsPending":    {`leadmesh_capture_pending_age_seconds{instance="a"} 0+1x4000`, `leadmesh_capture_pending_age_seconds{instance="a"} 5x4000`},
	"DeadlinesLate":   {`leadmesh_routing_sweep_lag_seconds{instance="a"} 11x4000`, `leadmesh_routing_sweep_lag_seconds{instance="a"} 0.4x4000`},
	"LeadsTurnedAway": {`leadmesh_rpc_shed_total{instance="a",service="capture"} 0+3x4000`, `leadmesh_rpc_shed_total{instance="a",service="capture"} 40x4000`},
	"RequestsFailing": {
		`http_server_request_duration_seconds_count{instance="a",http_route="/v1/leads",http_response_status_code="503"} 0+2x4000
http_server_request_duration_seconds_count{instance="a",http_route="/v1/leads",http_response_status_code="200"} 0+98x4000`,
		`http_server_request_duration_seconds_count{instance="a",http_route="/healthz",http_response_status_code="503"} 0+50x4000
http_server_request_duration_seconds_count{instance="a",http_route="/v1/leads",http_response_status_code="404"} 0+50x4000
http_server_request_duration_seconds_count{instance="a",http_route="/v1/leads",http_response_status_code="200"} 0+100x4000`,
	},
	"DecisionsSlow": {
		`leadmesh_decision_duration_seconds_bucket{instance="a",le="0.5"} 0+90x4000
leadmesh_decision_duration_seconds_bucket{instance="a",le="1"} 0+95x4000
leadmesh_decision_duration_seconds_bucket{instance="a",le="+Inf"} 0+100x4000`,
		`leadmesh_decision_duration_seconds_bucket{instance="a",le="0.1"} 0+99.5x4000
leadmesh_decision_duration_seconds_bucket{instance="a",le="+Inf"} 0+100x4000`,
	},
	"PersonsSlow": {
		`leadmesh_identity_resolve_duration_seconds_bucket{instance="a",le="1"} 0+90x4000
leadmesh_identity_resolve_duration_seconds_bucket{instance="a",le="2.5"} 0+95x4000
leadmesh_identity_resolve_duration_seconds_bucket{instance="a",le="+Inf"} 0+100x4000`,
		`leadmesh_identity_resolve_duration_seconds_bucket{instance="a",le="1"} 0+99.5x4000
leadmesh_identity_resolve_duration_seconds_bucket{instance="a",le="+Inf"} 0+100x4000`,
	},
	"ReviewsWaiting": {`leadmesh_identity_reviews{instance="a"} 1200x4000`, `leadmesh_identity_reviews{instance="a"} 900x4000`},
	"EventsLate":     {`leadmesh_outbox_lag_seconds{instance="a",service="routing"} 61x4000`, `leadmesh_outbox_lag_seconds{instance="a",service="routing"} 2x4000`},
	"PushesLate":     {`leadmesh_routing_delivery_lag_seconds{instance="a"} 1000x4000`, `leadmesh_routing_delivery_lag_seconds{instance="a"} 300x4000`},
	"JobsLate":       {`leadmesh_river_lag_seconds{instance="a",service="routing"} 90x4000`, `leadmesh_river_lag_seconds{instance="a",service="routing"} 1x4000`},
	"NoLeads": {`leadmesh_capture_leads_total{instance="a",outcome="pending"} 0+1x2000 2000x2000`,
		`leadmesh_capture_leads_total{instance="a",outcome="pending"} 0+1x4000`},
	"CertificateEnds":     {`leadmesh_certificate_rest_seconds{instance="a",what="public certificate"} 1000000x4000`, `leadmesh_certificate_rest_seconds{instance="a",what="public certificate"} 3000000x4000`},
	"ChangedFileUnusable": {`leadmesh_files_stale{instance="a",what="tokens"} 1x4000`, `leadmesh_files_stale{instance="a",what="tokens"} 0x4000`},
	"ConnectionsBusy": {
		`leadmesh_db_connections{instance="a",service="routing",state="busy"} 20x4000
leadmesh_db_connections{instance="a",service="routing",state="max"} 20x4000`,
		`leadmesh_db_connections{instance="a",service="routing",state="busy"} 19x4000
leadmesh_db_connections{instance="a",service="routing",state="max"} 20x4000`,
	},
	"SpansLost":  {`leadmesh_telemetry_spans_dropped_total{instance="a",reason="queue_full"} 0+1x4000`, `leadmesh_telemetry_spans_dropped_total{instance="a",reason="queue_full"} 7x4000`},
	"MemoryHigh": {`process_resident_memory_bytes{job="leadmesh",instance="a"} 4000000000x4000`, `process_resident_memory_bytes{job="leadmesh",instance="a"} 2000000000x4000`},
}

func TestAlertsFire(t *testing.T) {
	rules := alerts(t)
	if len(rules) != len(cases) {
		t.Errorf("%d alerts, %d of them tried out", len(rules), len(cases))
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r, ok := rules[name]
			if !ok {
				t.Fatal("there is no such alert")
			}
			if got := evaluate(t, c.fires, r.Expr); got == 0 {
				t.Errorf("does not fire on\n%s", c.fires)
			}
			if got := evaluate(t, c.quiet, r.Expr); got != 0 {
				t.Errorf("fires on\n%s", c.quiet)
			}
			if got := evaluate(t, "", r.Expr); got != 0 {
				t.Error("fires when there is nothing to look at")
			}
		})
	}
}

// evaluate counts what an expression yields after 2,500 minutes of series with a value a minute.
func evaluate(t *testing.T, series, expr string) int {
	t.Helper()
	load := "load 1m\n"
	for line := range strings.Lines(series) {
		load += "  " + strings.TrimSpace(line) + "\n"
	}
	store := promqltest.LoadedStorage(t, load)
	defer store.Close()
	engine := promqltest.NewTestEngine(t, false, 0, promqltest.DefaultMaxSamplesPerQuery)
	query, err := engine.NewInstantQuery(context.Background(), store, nil, expr, time.Unix(0, 0).Add(2_500*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	defer query.Close()
	result := query.Exec(context.Background())
	if result.Err != nil {
		t.Fatal(result.Err)
	}
	vector, err := result.Vector()
	if err != nil {
		t.Fatal(err)
	}
	return len(slices.DeleteFunc(vector, func(s promql.Sample) bool { return s.Metric.Has(labels.MetricName) && s.F != s.F }))
}

type panel struct {
	ID      int                      `json:"id"`
	Type    string                   `json:"type"`
	Title   string                   `json:"title"`
	GridPos struct{ H, W, X, Y int } `json:"gridPos"`
	Targets []struct {
		Expr  string `json:"expr"`
		RefID string `json:"refId"`
	} `json:"targets"`
}

func TestDashboard(t *testing.T) {
	raw, err := os.ReadFile("dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		UID           string  `json:"uid"`
		SchemaVersion int     `json:"schemaVersion"`
		Panels        []panel `json:"panels"`
	}
	if err := json.Unmarshal(raw, &d); err != nil {
		t.Fatal(err)
	}
	if d.UID == "" || d.SchemaVersion < 36 || len(d.Panels) == 0 {
		t.Fatal("this is no dashboard")
	}
	ids, taken := map[int]bool{}, map[[2]int]string{}
	variables := regexp.MustCompile(`\$__rate_interval|\$instance`)
	for _, x := range d.Panels {
		if ids[x.ID] {
			t.Errorf("%s has an identifier that another panel has", x.Title)
		}
		ids[x.ID] = true
		for dx := range x.GridPos.W {
			for dy := range x.GridPos.H {
				at := [2]int{x.GridPos.X + dx, x.GridPos.Y + dy}
				if other, ok := taken[at]; ok {
					t.Fatalf("%s lies over %s", x.Title, other)
				}
				taken[at] = x.Title
			}
		}
		if x.GridPos.X+x.GridPos.W > 24 {
			t.Errorf("%s is wider than the dashboard", x.Title)
		}
		if x.Type != "row" && len(x.Targets) == 0 {
			t.Errorf("%s shows nothing", x.Title)
		}
		for _, q := range x.Targets {
			expr := variables.ReplaceAllStringFunc(q.Expr, func(v string) string {
				return map[string]string{"$__rate_interval": "5m", "$instance": ".*"}[v]
			})
			if _, err := parser.ParseExpr(expr); err != nil {
				t.Errorf("%s: %v", x.Title, fmt.Errorf("%s: %w", q.Expr, err))
			}
		}
	}
}
