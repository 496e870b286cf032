package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1" // the registry of messages
	"github.com/leadmesh/leadmesh/services/internal/audit"
	"github.com/leadmesh/leadmesh/services/internal/pgtest"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"go.yaml.in/yaml/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"
)

// peakMemory is what the process may use while everything hostile is fired at it: the soft limit of
// its heap is 2 GiB, so what is beyond this bound is held and not merely uncollected.
const peakMemory = 1_500 << 20

// TestHostileInput fires everything hostile at every door of a house in a process of its own. No
// answer is an error of the system itself, good leads pass meanwhile and afterwards, memory stays
// bounded, nothing is half written, and the process lives.
func TestHostileInput(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a house")
	}
	w, p := ownProcess(t)
	good := w.sendGood(t)
	for _, attack := range []struct {
		name string
		fire func(*testing.T, *world)
	}{
		{"documents", hostileLeads}, {"every route", hostileRoutes}, {"every call", hostileCalls},
		{"the stream", hostileStreams}, {"connections", hostileConnections},
	} {
		t.Run(attack.name, func(t *testing.T) {
			attack.fire(t, w)
			t.Logf("peak memory is %d MiB", p.peak(t)>>20)
		})
	}
	slowest, sent := good()
	t.Logf("%d good leads passed meanwhile, the slowest in %s; peak memory %d MiB", sent, slowest, p.peak(t)>>20)
	if sent == 0 {
		t.Error("no good lead passed meanwhile")
	}
	if peak := p.peak(t); peak > peakMemory {
		t.Errorf("the process used %d MiB", peak>>20)
	}
	if log := p.log.String(); strings.Contains(log, "panic") || strings.Contains(log, `"INTERNAL"`) {
		t.Errorf("the log tells of errors of the system itself:\n%s", tail(log, 30))
	}
	db := w.database(t)
	eventually(t, patience, "everything is decided", func() bool {
		return db.count(t, `SELECT count(*) FROM capture.pending`) == 0
	})
	var report *audit.Report
	eventually(t, patience, "the audit is clean", func() bool {
		var err error
		if report, err = audit.Run(t.Context(), w.db, time.Now()); err != nil {
			t.Fatal(err)
		}
		return report.Clean()
	})
}

// ownProcess runs the house in a process whose memory can be measured.
func ownProcess(t *testing.T) (*world, *process) {
	t.Helper()
	w := &world{logs: &buffer{}, db: pgtest.New(t).URL(), http: &http.Client{Timeout: callLimit}}
	rest := freeAddr(t)
	w.base, w.addr = "http://"+rest, freeAddr(t)
	p := spawn(t, "serve", "--database-url", w.db, "--data", t.TempDir(), "--sample", "--http", rest, "--grpc", w.addr)
	w.connect(t, insecure.NewCredentials())
	w.awaitHealthy(t)
	return w, p
}

// peak is the most memory that the process has used so far, in bytes.
func (p *process) peak(t *testing.T) int {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Skip("this system does not tell the memory of a process: ", err)
	}
	for line := range strings.Lines(string(raw)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "VmHWM:" {
			kilobytes, err := strconv.Atoi(f[1])
			if err != nil {
				t.Fatal(err)
			}
			return kilobytes << 10
		}
	}
	t.Fatal("the process does not live")
	return 0
}

// sendGood sends good leads, one after the other, until the returned function is called. Each must
// be taken at once.
func (w *world) sendGood(t *testing.T) (halt func() (slowest time.Duration, sent int)) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	var slowest time.Duration
	sent, done := 0, make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for ctx.Err() == nil {
			start := time.Now()
			a := w.submit(t.Context(), newSubmission("lead", 1_000_000+sent))
			took := time.Since(start)
			if a.code != http.StatusOK && a.code != http.StatusAccepted || took > callLimit {
				t.Errorf("a good lead meanwhile was answered %d %s %v after %s", a.code, a.reason, a.err, took)
			}
			slowest = max(slowest, took)
			sent++
			select {
			case <-ctx.Done():
			case <-tick.C:
			}
		}
	}()
	return func() (time.Duration, int) {
		stop()
		<-done
		return slowest, sent
	}
}

// fire sends a request and reports what no answer may be: an error of the system itself, or an
// error that does not say what is wrong.
func (w *world) fire(t *testing.T, name, method, route, contentType string, body []byte) (code int, raw []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, w.base+route, bytes.NewReader(body))
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return 0, nil
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := w.http.Do(req)
	if err != nil { // a server that has refused a large body stops reading it
		if len(body) <= megabyte {
			t.Errorf("%s: %s %.80s: %v", name, method, route, err)
		}
		return http.StatusRequestEntityTooLarge, nil
	}
	defer resp.Body.Close()
	raw, err = io.ReadAll(resp.Body)
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	explained(t, fmt.Sprintf("%s: %s %.80s", name, method, route), resp.StatusCode, raw)
	return resp.StatusCode, raw
}

// explained checks the shape of an answer: below 500, and every error with a reason and a sentence.
func explained(t *testing.T, name string, code int, raw []byte) {
	t.Helper()
	if code >= 500 {
		t.Errorf("%s was answered %d %.300s", name, code, raw)
	}
	if code < 400 || code == http.StatusRequestHeaderFieldsTooLarge { // that the server of HTTP itself says
		return
	}
	var status struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}
	if err := json.Unmarshal(raw, &status); err != nil || status.Code == 0 || status.Message == "" || reason(raw) == "" || len(raw) > 64<<10 {
		t.Errorf("%s was answered %d with no proper error: %.300s", name, code, raw)
	}
}

func hostileLeads(t *testing.T, w *world) {
	for _, d := range hostileDocuments() {
		contentType := "application/json"
		if d.route == adfDoor {
			contentType = "application/xml"
		}
		quickest := time.Duration(math.MaxInt64)
		for tries := 0; tries < 3 && quickest > 15*time.Second; tries++ { // what is slow may be the machine
			start := time.Now()
			code, raw := w.fire(t, d.name, http.MethodPost, d.route, contentType, d.body)
			if len(d.codes) > 0 && !slices.Contains(d.codes, code) {
				t.Errorf("%s was answered %d %.200s, want one of %v", d.name, code, raw, d.codes)
			}
			quickest = min(quickest, time.Since(start))
		}
		if quickest > 15*time.Second {
			t.Errorf("%s took %s", d.name, quickest)
		}
	}
}

// rule is one line of http.yaml.
type rule struct {
	Selector string
	Get      string
	Put      string
	Post     string
	Body     string
}

// method is the call, the verb and the path of the rule.
func (r rule) method(t *testing.T) (protoreflect.MethodDescriptor, string, string) {
	t.Helper()
	d, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(r.Selector))
	if err != nil {
		t.Fatal(err)
	}
	m := d.(protoreflect.MethodDescriptor)
	switch {
	case r.Get != "":
		return m, http.MethodGet, r.Get
	case r.Put != "":
		return m, http.MethodPut, r.Put
	}
	return m, http.MethodPost, r.Post
}

// hostileRoutes fills the request of every route of http.yaml in every temper.
func hostileRoutes(t *testing.T, w *world) {
	raw, err := os.ReadFile(filepath.Join("..", "..", "proto", "http.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var document struct{ HTTP struct{ Rules []rule } }
	if err := yaml.Unmarshal(raw, &document); err != nil || len(document.HTTP.Rules) == 0 {
		t.Fatalf("http.yaml: %v, %d rules", err, len(document.HTTP.Rules))
	}
	for _, r := range document.HTTP.Rules {
		m, verb, template := r.method(t)
		for _, h := range tempers() {
			message := h.fill(m.Input(), 4)
			for _, id := range []string{h.text, tokenDealer} {
				name, path := m.Name(), fillPath(template, id)
				var body []byte
				if verb == http.MethodGet {
					path += "?" + query(message).Encode()
				} else {
					content := loose(message)
					if r.Body != "*" {
						content = content.(map[string]any)[r.Body]
					}
					if body, err = json.Marshal(content); err != nil {
						t.Fatal(err)
					}
				}
				w.fire(t, string(name)+", "+h.name, verb, path, "application/json", body)
			}
		}
		if verb != http.MethodGet {
			for name, body := range map[string][]byte{
				"levels": bytes.Repeat([]byte(`{"a":`), 100_000), "empties": []byte(`{"a":[` + strings.Repeat("{},", 1_000_000) + "{}]}"),
				"20 MB": make([]byte, 20*megabyte), "no UTF-8": []byte("{\"\xff\":\"\xfe\"}"), "text": []byte("hello"), "cut": []byte(`{"a":"`),
			} {
				code, raw := w.fire(t, string(m.Name())+", "+name, verb, fillPath(template, tokenDealer), "application/json", body)
				if code < 400 {
					t.Errorf("%s, %s: %d %.200s", m.Name(), name, code, raw)
				}
			}
			for _, contentType := range []string{"", "text/plain", "application/json; charset=\xff", strings.Repeat("a/", 5_000)} {
				if strings.Contains(contentType, "\xff") {
					contentType = "application/json;;;"
				}
				w.fire(t, string(m.Name())+", content type "+contentType[:min(20, len(contentType))], verb, fillPath(template, tokenDealer), contentType, []byte("{}"))
			}
		}
	}
}

func fillPath(template, value string) string {
	for {
		open := strings.IndexByte(template, '{')
		if open < 0 {
			return template
		}
		end := strings.IndexByte(template, '}')
		template = template[:open] + url.PathEscape(value[:min(len(value), 4_000)]) + template[end+1:]
	}
}

// query writes the plain fields of a message as a query.
func query(m protoreflect.Message) url.Values {
	q := url.Values{}
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if fd.Message() == nil && !fd.IsList() {
			text := fmt.Sprint(v.Interface())
			q.Set(string(fd.Name()), text[:min(len(text), 4_000)])
		}
		return true
	})
	return q
}

// hostileCalls fills the request of every gRPC call of the house in every temper, those that only
// the house may make included.
func hostileCalls(t *testing.T, w *world) {
	calls := 0
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		if !strings.HasPrefix(string(file.Package()), "leadmesh.") {
			return true
		}
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			for k := range service.Methods().Len() {
				m := service.Methods().Get(k)
				if m.IsStreamingClient() || m.IsStreamingServer() {
					continue
				}
				for _, h := range tempers() {
					calls++
					if !w.fireCall(t, fmt.Sprintf("/%s/%s", service.FullName(), m.Name()), h, m) {
						break
					}
				}
			}
		}
		return true
	})
	if calls < 200 {
		t.Errorf("only %d calls were found", calls)
	}
}

// fireCall makes a call; false if the public listener does not know it.
func (w *world) fireCall(t *testing.T, path string, h temper, m protoreflect.MethodDescriptor) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), callLimit)
	defer cancel()
	err := w.grpc.Invoke(ctx, path, h.fill(m.Input(), 4), dynamicpb.NewMessage(m.Output()))
	switch status.Code(err) {
	case codes.OK, codes.InvalidArgument, codes.NotFound, codes.PermissionDenied, codes.AlreadyExists, codes.FailedPrecondition:
	case codes.Unimplemented: // only the house may call it
		return false
	default:
		if !strings.Contains(err.Error(), "grpc: error while marshaling") { // else refused before it left
			t.Errorf("%s, %s: %v", path, h.name, err)
		}
		return true
	}
	if err != nil && problem.From(err).Message == "" {
		t.Errorf("%s, %s: no sentence in %v", path, h.name, err)
	}
	return true
}

// together runs a function many times at once.
func together(n int, f func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}
