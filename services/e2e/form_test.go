package e2e_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/house"
)

// TestMetaLeadFromItsNotification: a signed call is durable before its form is fetched, and becomes
// a decided lead once the Graph API, which is out of order at first, gives the form away.
func TestMetaLeadFromItsNotification(t *testing.T) {
	var broken atomic.Bool
	broken.Store(true)
	graph := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if broken.Load() || r.URL.Query().Get("access_token") != "page-token" {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		_, _ = w.Write([]byte(`{"id":"4711","created_time":"` + time.Now().UTC().Format("2006-01-02T15:04:05+0000") + `","campaign_name":"Spring","field_data":[
			{"name":"full_name","values":["Frida Formby"]},{"name":"email","values":["frida.formby@example.org"]},{"name":"post_code","values":["80205"]},{"name":"vehicle_model","values":["Norrvind Lomvi 5"]}]}`))
	}))
	defer graph.Close()
	path := filepath.Join(t.TempDir(), "sources.yaml")
	content := fmt.Sprintf("graph: {url: %q}\nsources:\n  - {name: ads, kind: meta, app_secret: the-app-secret, verify_token: the-verify-token, pages: [{token: page-token}]}\n", graph.URL)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	w := inProcess(t, func(c *house.Config) { c.Sources = path })

	if code, raw := w.call(t, "", "GET", "/v1/meta/ads?hub.mode=subscribe&hub.verify_token=the-verify-token&hub.challenge=815", nil, ""); code != 200 || string(raw) != "815" {
		t.Fatalf("handshake: %d %s", code, raw)
	}
	call := `{"object":"page","entry":[{"id":"1","time":1,"changes":[{"field":"leadgen","value":{"leadgen_id":4711,"page_id":1,"form_id":9}}]}]}`
	mac := hmac.New(sha256.New, []byte("the-app-secret"))
	mac.Write([]byte(call))
	signature := map[string]string{"X-Hub-Signature-256": "sha256=" + hex.EncodeToString(mac.Sum(nil)), "Content-Type": "application/json"}
	if code, raw := w.call(t, "", "POST", "/v1/meta/ads", signature, strings.Replace(call, "4711", "4712", 1)); code != 401 {
		t.Fatalf("an altered body: %d %s", code, raw)
	}
	code, raw := w.call(t, "", "POST", "/v1/meta/ads", signature, call)
	got := &capturev1.IngestResponse{}
	if err := unmarshal(raw, got); code != 200 || err != nil || got.GetResults()[0].GetState() != leadv1.State_STATE_PARKED {
		t.Fatalf("notification: %d %s, %v", code, raw, err)
	}
	broken.Store(false)
	deadline, tick := time.Now().Add(patience), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for {
		l := &capturev1.GetLeadResponse{}
		w.get(t, "oem", "/v1/leads/"+got.GetResults()[0].GetLeadId(), l)
		if l.GetState() == leadv1.State_STATE_ASSIGNED {
			if l.GetLead().GetCampaign().GetName() != "Spring" || l.GetLead().GetVehicles()[0].GetModel() != "Lomvi 5" || l.GetDecision().GetAssignment().GetDealerId() == "" {
				t.Errorf("lead: %v", l)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("not decided in time: %v", l)
		}
		<-tick.C
	}
	if logs := w.logs.String(); strings.Contains(logs, "page-token") || strings.Contains(logs, "frida") || strings.Contains(logs, "the-app-secret") {
		t.Error("a secret or a person is in the log")
	}
}

// TestKilledBeforeItsFormIsFetched: a process that is killed after it took a call of Meta, and before
// the form was fetched, leaves nothing to lose: the next one fetches it, once.
func TestKilledBeforeItsFormIsFetched(t *testing.T) {
	var working atomic.Bool
	var given atomic.Int64
	graph := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !working.Load() {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		given.Add(1)
		_, _ = w.Write([]byte(`{"id":"4711","field_data":[{"name":"full_name","values":["Frida Formby"]},{"name":"email","values":["frida.formby@example.org"]}]}`))
	}))
	defer graph.Close()
	dir := openDir(t)
	file := filepath.Join(t.TempDir(), "sources.yaml")
	content := fmt.Sprintf("graph: {url: %q}\nsources:\n  - {name: ads, kind: meta, app_secret: the-app-secret, verify_token: v, pages: [{token: page-token}]}\n", graph.URL)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	w, p := privateProcess(t, dir, "--sources", file)

	call := `{"object":"page","entry":[{"id":"1","time":1,"changes":[{"field":"leadgen","value":{"leadgen_id":4711,"page_id":1,"form_id":9}}]}]}`
	mac := hmac.New(sha256.New, []byte("the-app-secret"))
	mac.Write([]byte(call))
	notify := func() *capturev1.LeadResult {
		t.Helper()
		code, raw := w.call(t, "", "POST", "/v1/meta/ads", map[string]string{"X-Hub-Signature-256": "sha256=" + hex.EncodeToString(mac.Sum(nil)), "Content-Type": "application/json"}, call)
		got := &capturev1.IngestResponse{}
		if err := unmarshal(raw, got); code != 200 || err != nil || len(got.GetResults()) != 1 {
			t.Fatalf("notification: %d %s, %v", code, raw, err)
		}
		return got.GetResults()[0]
	}
	id := notify().GetLeadId()
	l := &capturev1.GetLeadResponse{}
	// Not amid an attempt, whose lease would make the next one wait for minutes.
	eventually(t, patience, "the first attempt failed", func() bool {
		w.get(t, "oem", "/v1/leads/"+id, l)
		return strings.Contains(l.GetDecision().GetParking().GetDetail(), "out of order")
	})
	p.kill(t)
	working.Store(true)
	p.again(t)
	w.awaitHealthy(t)
	eventually(t, patience, "decided", func() bool {
		w.get(t, "oem", "/v1/leads/"+id, l)
		return l.GetState() == leadv1.State_STATE_ASSIGNED
	})
	if again := notify(); again.GetLeadId() != id || !again.GetDuplicateRequest() || again.GetState() != leadv1.State_STATE_ASSIGNED {
		t.Errorf("told again: %v", again)
	}
	if n := given.Load(); n != 1 {
		t.Errorf("fetched %d times", n)
	}
}
