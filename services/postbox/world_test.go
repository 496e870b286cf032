package postbox_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"

	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
	"github.com/leadmesh/leadmesh/services/postbox"
	tracetest "go.opentelemetry.io/otel/sdk/trace/tracetest"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
)

const boxes = `
mailboxes:
  leads@example.com: {source: portal_mail, provider: Portal Inc}
  Store@example.com: {source: store_mail, dealer: nv-co-001}
  test@example.com: {source: portal_mail, test: true}
  narrow@example.com: {source: x, networks: [192.0.2.0/24, "2001:db8::1"]}
  known@example.com: {source: x, domains: [portal.example.org]}
  slow@example.com: {source: x, per_minute: 2}
  small@example.com: {source: x, max_bytes: 1000}
`

// world is a postbox before a Capture that the test plays.
type world struct {
	t      *testing.T
	server *postbox.Server
	spans  *tracetest.InMemoryExporter
	tel    *telemetry.Telemetry
	boxes  *postbox.Mailboxes
	logs   *lines

	mu     sync.Mutex
	now    time.Time
	taken  []*capturev1.IngestRequest
	as     []string
	answer func(context.Context) (*capturev1.IngestResponse, error)
}

// lines is a log that is safe to read while it is written.
type lines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func open(t *testing.T, change func(*postbox.Config)) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), spans: tracetest.NewInMemoryExporter(), boxes: &postbox.Mailboxes{}, logs: &lines{}}
	if err := w.boxes.Use([]byte(boxes)); err != nil {
		t.Fatal(err)
	}
	var err error
	if w.tel, err = telemetry.New(t.Context(), telemetry.Config{Service: "test", LogWriter: w.logs, SampleRatio: 1, Spans: w.spans}); err != nil {
		t.Fatal(err)
	}
	cfg := postbox.Config{Addr: "127.0.0.1:0"}
	if change != nil {
		change(&cfg)
	}
	if w.server, err = postbox.New(cfg, postbox.Deps{Capture: w, Mailboxes: w.boxes, Tel: w.tel, Now: w.clock}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- w.server.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the postbox ended with %v", err)
		}
	})
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// Invoke plays Capture.
func (w *world) Invoke(ctx context.Context, method string, args, reply any, _ ...grpc.CallOption) error {
	req, ok := args.(*capturev1.IngestRequest)
	if !ok || method != capturev1.CaptureService_Ingest_FullMethodName {
		return errors.New("not what a postbox calls")
	}
	md, _ := metadata.FromOutgoingContext(ctx)
	w.mu.Lock()
	w.taken, w.as = append(w.taken, proto.CloneOf(req)), append(w.as, strings.Join(md.Get("leadmesh-caller"), ""))
	answer := w.answer
	w.mu.Unlock()
	resp := &capturev1.IngestResponse{Results: []*capturev1.LeadResult{{LeadId: "L1"}}}
	if answer != nil {
		var err error
		if resp, err = answer(ctx); err != nil {
			return err
		}
	}
	proto.Merge(reply.(proto.Message), resp)
	return nil
}

// NewStream is never called.
func (w *world) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, errors.New("not what a postbox calls")
}

func (w *world) answers(answer func(context.Context) (*capturev1.IngestResponse, error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answer = answer
}

func (w *world) got() []*capturev1.IngestRequest {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.taken
}

// relay is a mail server that sends.
type relay struct {
	t    *testing.T
	conn net.Conn
	text *textproto.Conn
}

func (w *world) dial() *relay {
	w.t.Helper()
	conn, err := net.Dial("tcp", w.server.Addr())
	if err != nil {
		w.t.Fatal(err)
	}
	if err := conn.SetDeadline(time.Now().Add(60 * time.Second)); err != nil {
		w.t.Fatal(err)
	}
	r := &relay{t: w.t, conn: conn, text: textproto.NewConn(conn)}
	w.t.Cleanup(func() { r.text.Close() })
	return r
}

// read returns the code of the next answer.
func (r *relay) read() int {
	r.t.Helper()
	code, _, err := r.text.ReadResponse(0)
	var answered *textproto.Error
	if err != nil && !errors.As(err, &answered) {
		r.t.Fatalf("no answer: %v", err)
	}
	return code
}

func (r *relay) say(format string, args ...any) int {
	r.t.Helper()
	if err := r.text.PrintfLine(format, args...); err != nil {
		r.t.Fatal(err)
	}
	return r.read()
}

// hello opens a session.
func (r *relay) hello() *relay {
	r.t.Helper()
	if code := r.read(); code != 220 {
		r.t.Fatalf("greeted with %d", code)
	}
	if code := r.say("EHLO relay.example.net"); code != 250 {
		r.t.Fatalf("EHLO: %d", code)
	}
	return r
}

// send sends a mail and returns the code of the step that decided.
func (r *relay) send(from, to string, mail []byte) int {
	r.t.Helper()
	if code := r.say("MAIL FROM:<%s>", from); code != 250 {
		return code
	}
	if code := r.say("RCPT TO:<%s>", to); code != 250 {
		r.say("RSET")
		return code
	}
	if code := r.say("DATA"); code != 354 {
		return code
	}
	b := bufio.NewWriter(r.conn)
	w := textproto.NewWriter(b).DotWriter()
	if _, err := w.Write(mail); err != nil {
		r.t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		r.t.Fatal(err)
	}
	return r.read()
}

// mailsBy reads the metric of mails.
func (w *world) mailsBy(outcome string) int {
	w.t.Helper()
	page := readMetrics(w.t, w.tel)
	for line := range strings.Lines(page) {
		var n int
		if strings.HasPrefix(line, "leadmesh_postbox_mails_total{outcome=\""+outcome+"\"}") {
			if _, err := fmt.Sscan(line[strings.LastIndexByte(line, '}')+1:], &n); err != nil {
				w.t.Fatal(err)
			}
			return n
		}
	}
	return 0
}

func callerOf(t *testing.T, as string) rpc.Caller {
	t.Helper()
	parts := strings.Split(as, "|")
	if len(parts) != 4 {
		t.Fatalf("caller %q", as)
	}
	return rpc.Caller{Name: parts[0], Roles: []rpc.Role{rpc.Role(parts[1])}, DealerID: parts[2], Test: parts[3] == "test"}
}
