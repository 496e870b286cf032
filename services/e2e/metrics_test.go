package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/leadmesh/leadmesh/services/internal/telemetry"
)

// openMetrics reads the metrics page as a scraper does that wants exemplars.
func (w *world) openMetrics(t *testing.T) string {
	t.Helper()
	code, raw := w.call(t, "ops", http.MethodGet, "/metrics", map[string]string{"Accept": "application/openmetrics-text; version=1.0.0"}, "")
	if code != http.StatusOK || !strings.HasSuffix(string(raw), "# EOF\n") {
		t.Fatalf("/metrics answered %d: %.300s", code, raw)
	}
	return string(raw)
}

// Stages by the process that measures them.
var (
	stagesOfCapture = []string{telemetry.StageDurable, telemetry.StageResolved}
	stagesOfRouting = []string{telemetry.StageDecided, telemetry.StageCommitted, telemetry.StageDelivered}
)

func metrics(t *testing.T, w *world, c *watch) {
	apart := len(w.processes) > 0
	want := []string{
		"leadmesh_capture_pending_age_seconds", `leadmesh_outbox_lag_seconds\{[^}]*service="capture"`,
		`leadmesh_telemetry_spans_dropped_total\{[^}]*reason="queue_full"`, `leadmesh_telemetry_spans_dropped_total\{[^}]*reason="export_failed"`,
		`leadmesh_capture_leads_total\{[^}]*outcome="pending"`, "http_server_request_duration_seconds_bucket",
		"process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds", "go_goroutines",
	}
	stages := stagesOfCapture
	if !apart {
		stages = append(stages[:len(stages):len(stages)], stagesOfRouting...)
		want = append(want, "leadmesh_routing_sweep_lag_seconds", "leadmesh_routing_delivery_lag_seconds", `leadmesh_river_lag_seconds\{[^}]*service="routing"`,
			`leadmesh_outbox_lag_seconds\{[^}]*service="routing"`, `leadmesh_decision_outcomes_total\{[^}]*outcome="assigned"`, "leadmesh_decision_duration_seconds_bucket",
			"leadmesh_decision_inflight")
	}
	for _, stage := range stages {
		bucket := func(le string) string {
			return fmt.Sprintf(`leadmesh_lead_stage_duration_seconds_bucket\{[^}]*stage="%s"[^}]*le="%s"[^}]*}`, stage, le)
		}
		want = append(want, bucket("5e-05"), bucket(`\+Inf`), bucket("[^\"]*")+` \d+ # \{[^}]*trace_id="[0-9a-f]{32}"[^}]*}`)
	}
	var page string
	for _, pattern := range want {
		re := regexp.MustCompile("(?m)^" + pattern)
		eventually(t, patience, "/metrics shows "+pattern, func() bool {
			page = w.openMetrics(t)
			return re.MatchString(page)
		})
	}
	if strings.Contains(page, telemetry.AttrLeadID) || strings.Contains(page, "leadmesh_lead_id") {
		t.Error("a lead's id stands on a metric")
	}
	if !apart {
		watched(t, w)
		return
	}
	for _, name := range []string{
		telemetry.MetricSweepLag, telemetry.MetricDeliveryLag, telemetry.MetricQueueLag, telemetry.MetricOutboxLag, telemetry.MetricDecisionDuration,
		telemetry.MetricStageDuration, telemetry.MetricSpansDropped, telemetry.MetricPendingAge,
	} {
		eventually(t, patience, "the processes send "+name, func() bool { return c.reported(name) })
	}
}

// watched checks that every metric the alerts and the dashboard look at is there.
func watched(t *testing.T, w *world) {
	names := map[string]bool{}
	pattern := regexp.MustCompile(`\b(leadmesh|http_server|rpc_server|process|go)_[a-z_]+[a-z]\b`)
	for _, file := range []string{"alerts.yaml", "dashboard.json"} {
		raw, err := os.ReadFile(filepath.Join("..", "..", "deploy", "watch", file))
		if err != nil {
			t.Fatal(err)
		}
		found := pattern.FindAllString(string(raw), -1)
		if len(found) < 10 {
			t.Errorf("%s looks at %d metrics", file, len(found))
		}
		for _, name := range found {
			names[name] = true
		}
	}
	for name := range names {
		if w.ca == "" && (strings.HasPrefix(name, "leadmesh_certificate_") || strings.HasPrefix(name, "leadmesh_files_")) {
			continue // this house reads no such files
		}
		re := regexp.MustCompile("(?m)^" + name + `(\{| )`)
		eventually(t, patience, "/metrics shows "+name+", which deploy/watch looks at", func() bool { return re.MatchString(w.openMetrics(t)) })
	}
}
