package gateway_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	"github.com/leadmesh/leadmesh/services/gateway"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
)

func TestOpenDoorsAreForThisMachineByName(t *testing.T) {
	unlocked := open(t, func(c *gateway.Config, _ *gateway.Deps) { c.Tokens = rpc.OpenTokens() })
	locked := open(t, nil)
	for host, want := range map[string]int{
		"localhost": 200, "localhost:8080": 200, "LOCALHOST.": 200, "a.localhost:1": 200, "127.0.0.1:8080": 200, "[::1]:8080": 200, "10.0.0.7": 200,
		"rebound.example": 403, "rebound.example:8080": 403, "127.0.0.1.rebound.example": 403, "localhost.example": 403,
	} {
		for _, route := range []string{"/healthz", "/metrics", "/v1/reports/scorecard"} {
			if got := unlocked.raw(t, "GET "+route+" HTTP/1.1\r\nHost: "+host+"\r\n\r\n"); got.code != want {
				t.Errorf("open, %s of %s: %d %s", route, host, got.code, got.body)
			}
		}
	}
	if got := locked.raw(t, "GET /v1/reports/scorecard HTTP/1.1\r\nHost: leads.example\r\nAuthorization: Bearer "+oemToken+"\r\n\r\n"); got.code != 200 {
		t.Errorf("with a token any name is fine: %d %s", got.code, got.body)
	}
	if got := locked.raw(t, "GET /metrics HTTP/1.1\r\nHost: rebound.example\r\n\r\n"); got.code != 401 {
		t.Errorf("metrics without a token under another name: %d %s", got.code, got.body)
	}
}

func TestWhatNoSenderOfGoodFaithSends(t *testing.T) {
	d := open(t, nil)
	auth := "Host: x\r\nAuthorization: Bearer " + oemToken + "\r\n"
	for name, tc := range map[string]struct {
		request string
		code    int
		reason  string
	}{
		"NUL in the path":          {"GET /v1/leads/a%00b HTTP/1.1\r\n" + auth + "\r\n", 400, "INVALID_ARGUMENT"},
		"newline in the path":      {"GET /v1/leads/a%0Ab HTTP/1.1\r\n" + auth + "\r\n", 400, "INVALID_ARGUMENT"},
		"no UTF-8 in the path":     {"GET /v1/leads/%ff HTTP/1.1\r\n" + auth + "\r\n", 400, "INVALID_ARGUMENT"},
		"encoded slash":            {"GET /v1/leads/..%2f..%2fmetrics HTTP/1.1\r\n" + auth + "\r\n", 404, "NOT_FOUND"},
		"dot segments":             {"GET /v1/../metrics HTTP/1.1\r\n" + auth + "\r\n", 404, "NOT_FOUND"},
		"NUL in the query":         {"GET /v1/reports/scorecard?market=%00 HTTP/1.1\r\n" + auth + "\r\n", 400, "INVALID_ARGUMENT"},
		"two authorizations":       {"GET /v1/codes HTTP/1.1\r\n" + auth + "Authorization: Bearer x\r\n\r\n", 400, "INVALID_ARGUMENT"},
		"two content types":        {"POST /v1/leads HTTP/1.1\r\n" + auth + "Content-Type: application/json\r\nContent-Type: text/xml\r\nContent-Length: 2\r\n\r\n{}", 400, "INVALID_ARGUMENT"},
		"two idempotency keys":     {"POST /v1/leads HTTP/1.1\r\n" + auth + "Idempotency-Key: a\r\nIdempotency-Key: b\r\nContent-Length: 2\r\n\r\n{}", 400, "INVALID_ARGUMENT"},
		"compressed":               {"POST /v1/leads HTTP/1.1\r\n" + auth + "Content-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", 415, "UNSUPPORTED_MEDIA_TYPE"},
		"another method by header": {"POST /v1/leads/L1 HTTP/1.1\r\n" + auth + "X-HTTP-Method-Override: GET\r\nContent-Length: 0\r\n\r\n", 405, "INVALID_ARGUMENT"},
	} {
		got := d.raw(t, tc.request)
		if p := got.problem(t); got.code != tc.code || p.Reason != tc.reason || p.Message == "" {
			t.Errorf("%s: %d %s", name, got.code, got.body)
		}
	}
	// These the server of HTTP itself refuses.
	for name, request := range map[string]string{
		"two lengths":         "POST /v1/leads HTTP/1.1\r\n" + auth + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
		"length and chunks":   "POST /v1/leads HTTP/1.1\r\n" + auth + "Content-Length: 2\r\nTransfer-Encoding: chunked, x\r\n\r\n{}",
		"header with NUL":     "GET /v1/codes HTTP/1.1\r\n" + auth + "X-A: a\x00b\r\n\r\n",
		"two hosts":           "GET /v1/codes HTTP/1.1\r\n" + auth + "Host: y\r\n\r\n",
		"no host":             "GET /v1/codes HTTP/1.1\r\n\r\n",
		"ten thousand fields": "GET /v1/codes HTTP/1.1\r\n" + auth + strings.Repeat("A: b\r\n", 10_000) + "\r\n",
	} {
		if got := d.raw(t, request); got.code < 400 || got.code > 499 && got.code != 501 {
			t.Errorf("%s: %d %s", name, got.code, got.body)
		}
	}
}

func TestBodiesOfManyValues(t *testing.T) {
	d := open(t, nil)
	for name, body := range map[string]string{
		"empty objects": `{"signals": [` + strings.Repeat("{},", 1_000_000) + `{}]}`,
		"other fields":  `{"a":1` + strings.Repeat(`,"b":0`, 500_000) + `}`,
		"levels":        strings.Repeat("[", 2_000_000),
	} {
		got := d.send("POST", "/v1/signals:batch", body)
		if p := got.problem(t); got.code != 413 || p.Reason != "TOO_LARGE" || !strings.Contains(p.Message, "100000 values") {
			t.Errorf("%s: %d %s", name, got.code, got.body)
		}
	}
	if got := d.send("POST", "/v1/signals:batch", strings.Repeat("[", 90_000)); got.code != 400 {
		t.Errorf("deep: %d %s", got.code, got.body)
	}
	quoted := `{"signals": [{"detail": "` + strings.Repeat(`{[,\",`, 50_000) + `"}]}`
	if got := d.send("POST", "/v1/signals:batch", quoted); strings.Contains(got.body, "values") {
		t.Errorf("what is quoted is no value: %d %s", got.code, got.body)
	}
}

// hold makes the backend keep every lead until release is called; arrived counts them.
func (d *door) hold() (arrived chan struct{}, release func()) {
	arrived, gate := make(chan struct{}, 64), make(chan struct{})
	d.backend.ingest = func(*capturev1.IngestRequest) (*capturev1.IngestResponse, error) {
		arrived <- struct{}{}
		<-gate
		return &capturev1.IngestResponse{Results: []*capturev1.LeadResult{{LeadId: "L1"}}}, nil
	}
	return arrived, func() { close(gate) }
}

func TestRequestsInProgressAreLimited(t *testing.T) {
	d := open(t, func(c *gateway.Config, _ *gateway.Deps) { c.MaxCalls = 3 })
	arrived, release := d.hold()
	codes := make(chan int, 3)
	for range 3 {
		go func() { codes <- d.send("POST", "/v1/leads", "{}").code }()
		<-arrived
	}
	for _, route := range []string{"/v1/leads", "/v1/signals:batch"} {
		got := d.send("POST", route, "{}")
		if p := got.problem(t); got.code != 429 || p.Reason != "OVERLOADED" || got.header.Get("Retry-After") != "1" {
			t.Errorf("%s beyond the limit: %d %s", route, got.code, got.body)
		}
	}
	if got := d.send("GET", "/healthz", ""); got.code != 200 {
		t.Errorf("a probe meanwhile: %d", got.code)
	}
	if got := d.send("GET", "/v1/codes", "", "Authorization:"); got.code != 401 {
		t.Errorf("who may not come in is told so: %d", got.code)
	}
	release()
	for range 3 {
		if code := <-codes; code != 200 {
			t.Errorf("inside the limit: %d", code)
		}
	}
	if got := d.send("POST", "/v1/signals:batch", "{}"); got.code != 200 {
		t.Errorf("afterwards: %d %s", got.code, got.body)
	}
}

func TestBytesInProgressAreLimited(t *testing.T) {
	d := open(t, func(c *gateway.Config, _ *gateway.Deps) { c.MaxHeld = 3 << 20 })
	arrived, release := d.hold()
	large := `{"comments": "` + strings.Repeat("a", 900<<10) + `"}`
	codes := make(chan int, 2)
	go func() { codes <- d.send("POST", "/v1/leads", large).code }()
	<-arrived
	got := d.send("POST", "/v1/leads", `{"comments": "`+strings.Repeat("a", 1900<<10)+`"}`)
	if p := got.problem(t); got.code != 429 || p.Reason != "OVERLOADED" || got.header.Get("Retry-After") != "1" {
		t.Errorf("beyond the limit: %d %s", got.code, got.body)
	}
	go func() { codes <- d.send("POST", "/v1/leads", `{"comments": "a good lead"}`).code }()
	<-arrived
	release()
	for range 2 {
		if code := <-codes; code != 200 {
			t.Errorf("inside the limit: %d", code)
		}
	}
	if got := d.send("POST", "/v1/leads", large); got.code != 200 {
		t.Errorf("afterwards: %d %s", got.code, got.body)
	}
}

// What is announced and not sent takes no room.
func TestAnnouncedBytesTakeNoRoom(t *testing.T) {
	d := open(t, func(c *gateway.Config, _ *gateway.Deps) { c.MaxHeld = 4 << 20 })
	d.backend.ingest = func(*capturev1.IngestRequest) (*capturev1.IngestResponse, error) {
		return &capturev1.IngestResponse{Results: []*capturev1.LeadResult{{LeadId: "L1"}}}, nil
	}
	for range 64 {
		conn := d.dial()
		if _, err := fmt.Fprintf(conn, "POST /v1/leads HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: 4000000\r\n\r\n{", oemToken); err != nil {
			t.Fatal(err)
		}
	}
	if got := d.send("POST", "/v1/leads", `{"comments": "`+strings.Repeat("a", 900<<10)+`"}`); got.code != 200 {
		t.Errorf("beside slow senders: %d %s", got.code, got.body)
	}
}

func TestQuietConnectionsMakeRoom(t *testing.T) {
	d := open(t, func(c *gateway.Config, _ *gateway.Deps) { c.MaxConns = 8 })
	var first net.Conn
	for i := range 40 {
		conn := d.dial()
		if i == 0 {
			first = conn
		}
	}
	if got := d.raw(t, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"); got.code != 200 {
		t.Errorf("behind 40 quiet connections: %d", got.code)
	}
	if _, err := first.Read(make([]byte, 1)); err == nil {
		t.Error("the quietest connection lives")
	}
}

// A refused sender may not hold its connection for as long as a body may take.
func TestRefusedSendersAreLetGo(t *testing.T) {
	d := open(t, nil)
	conn := d.dial()
	if _, err := fmt.Fprint(conn, "POST /v1/leads HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	raw, err := io.ReadAll(conn)
	if took := time.Since(start); err != nil || !strings.Contains(string(raw), " 401 ") || took > 15*time.Second {
		t.Errorf("after %s: %v %s", took, err, raw)
	}
}

// raw sends a request as it is written and reads the answer.
func (d *door) raw(t *testing.T, request string) answer {
	t.Helper()
	conn := d.dial()
	defer func() { _ = conn.Close() }()
	go func() { _, _ = io.WriteString(conn, request) }() // a server that has heard enough stops reading
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Errorf("%.80q: %v", request, err)
		return answer{}
	}
	defer func() { _ = resp.Body.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	raw, _ := io.ReadAll(resp.Body) // one that breaks off is short
	return answer{resp.StatusCode, resp.Header, string(raw)}
}
