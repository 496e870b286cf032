package postbox_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"github.com/leadmesh/leadmesh/services/internal/mailtest"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
	"github.com/leadmesh/leadmesh/services/postbox"
)

func readMetrics(t *testing.T, tel *telemetry.Telemetry) string {
	t.Helper()
	rec := httptest.NewRecorder()
	tel.MetricsHandler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return rec.Body.String()
}

var letter = mailtest.Mail("m1", "Content-Type: text/plain\n", []byte("<adf>\r\n.<prospect/>\r\n.\r\n</adf>\r\n"))

func TestAMailIsPassedOnAsReceived(t *testing.T) {
	w := open(t, nil)
	if code := w.dial().hello().send("Desk@Portal.example.com", "Leads@EXAMPLE.com", letter); code != 250 {
		t.Fatalf("answered %d", code)
	}
	got := w.got()
	if len(got) != 1 {
		t.Fatalf("%d calls", len(got))
	}
	if want := "Return-Path: <desk@portal.example.com>\r\n" + string(letter); string(got[0].GetBody()) != want {
		t.Errorf("passed on %q, want %q", got[0].GetBody(), want)
	}
	if got[0].GetTraceparent() == "" {
		t.Error("no trace")
	}
	got[0].Body, got[0].Traceparent = nil, ""
	if got[0].GetKind() != capturev1.DocumentKind_DOCUMENT_KIND_MAIL || got[0].GetSource() != "portal_mail" || got[0].GetProvider() != "Portal Inc" || got[0].GetContentType() != "message/rfc822" {
		t.Errorf("passed on as %v", got[0])
	}
	if diff := cmp.Diff(rpc.Caller{Name: "mail:leads@example.com", Roles: []rpc.Role{rpc.RoleOEM}}, callerOf(t, w.as[0])); diff != "" {
		t.Error(diff)
	}
}

// TestAMailboxSendsAsWhatItStandsFor gives a store's mailbox the rights of the store, and a test
// mailbox test leads.
func TestAMailboxSendsAsWhatItStandsFor(t *testing.T) {
	w := open(t, nil)
	r := w.dial().hello()
	for i, c := range []struct {
		to   string
		want rpc.Caller
	}{
		{"store@example.com", rpc.Caller{Name: "mail:store@example.com", Roles: []rpc.Role{rpc.RoleDealer}, DealerID: "nv-co-001"}},
		{"test@example.com", rpc.Caller{Name: "mail:test@example.com", Roles: []rpc.Role{rpc.RoleOEM}, Test: true}},
	} {
		if code := r.send("a@b.example", c.to, letter); code != 250 {
			t.Fatalf("%s: answered %d", c.to, code)
		}
		if diff := cmp.Diff(c.want, callerOf(t, w.as[i])); diff != "" {
			t.Error(diff)
		}
	}
}

func TestWhatIsRefusedAtTheDoor(t *testing.T) {
	w := open(t, nil)
	r := w.dial().hello()
	big := append(bytes.Clone(letter), bytes.Repeat([]byte("x"), 1000)...)
	for _, c := range []struct {
		name, from, to string
		mail           []byte
		code           int
		outcome        string
	}{
		{"unknown mailbox", "a@b.example", "nobody@example.com", letter, 550, "unknown_mailbox"},
		{"no relay", "a@b.example", "someone@elsewhere.example", letter, 550, "unknown_mailbox"},
		{"another network", "a@b.example", "narrow@example.com", letter, 550, "sender_not_allowed"},
		{"another domain", "a@notportal.example.org", "known@example.com", letter, 550, "sender_not_allowed"},
		{"nobody's domain", "", "known@example.com", letter, 550, "sender_not_allowed"},
		{"too large", "a@b.example", "small@example.com", big, 552, "too_large"},
		{"empty", "a@b.example", "leads@example.com", nil, 554, "empty"},
	} {
		before := w.mailsBy(c.outcome)
		if code := r.send(c.from, c.to, c.mail); code != c.code {
			t.Errorf("%s: answered %d, want %d", c.name, code, c.code)
		}
		if n := w.mailsBy(c.outcome) - before; n != 1 {
			t.Errorf("%s: counted %d times as %s", c.name, n, c.outcome)
		}
	}
	if len(w.got()) != 0 {
		t.Errorf("%d mails were passed on", len(w.got()))
	}
	for _, from := range []string{"a@portal.example.org", "a@mx.portal.example.org"} {
		if code := r.send(from, "known@example.com", letter); code != 250 {
			t.Errorf("%s: answered %d", from, code)
		}
	}
	if n := w.mailsBy("accepted"); n != 2 {
		t.Errorf("%d counted as accepted", n)
	}
	if code := r.say("MAIL FROM:<a@b.example> SIZE=20000000"); code != 552 {
		t.Errorf("an announced size: answered %d", code)
	}
	if code := r.say("MAIL FROM:<a@b.example> SIZE=2000"); code != 250 {
		t.Errorf("answered %d", code)
	}
	if code := r.say("RCPT TO:<small@example.com>"); code != 552 {
		t.Errorf("an announced size above the mailbox's: answered %d", code)
	}
	if code := r.say("VRFY leads@example.com"); code != 252 {
		t.Errorf("VRFY tells who is here: %d", code)
	}
	if strings.Contains(w.logs.String(), "@") {
		t.Errorf("the log names an address:\n%s", w.logs)
	}
}

func TestEachMailboxAnswersForItself(t *testing.T) {
	w := open(t, nil)
	r := w.dial().hello()
	r.say("MAIL FROM:<a@b.example>")
	if code := r.say("RCPT TO:<leads@example.com>"); code != 250 {
		t.Fatal(code)
	}
	if code := r.say("RCPT TO:<store@example.com>"); code != 452 {
		t.Errorf("a second mailbox in one mail: answered %d, want 452 so that it is sent on its own", code)
	}
}

// TestNothingIsPromisedThatIsNotStored answers 4xx for whatever passes, so that the sender's relay
// keeps the mail.
func TestNothingIsPromisedThatIsNotStored(t *testing.T) {
	of := func(reason problemv1.Reason) func(context.Context) (*capturev1.IngestResponse, error) {
		return func(context.Context) (*capturev1.IngestResponse, error) {
			return nil, problem.New(reason, "as the test says")
		}
	}
	for name, c := range map[string]struct {
		answer func(context.Context) (*capturev1.IngestResponse, error)
		code   int
	}{
		"down":                    {of(problemv1.Reason_REASON_UNAVAILABLE), 451},
		"overloaded":              {of(problemv1.Reason_REASON_OVERLOADED), 451},
		"an older Capture":        {of(problemv1.Reason_REASON_INVALID_ARGUMENT), 451},
		"a fault":                 {func(context.Context) (*capturev1.IngestResponse, error) { return nil, errors.New("broken") }, 451},
		"an answer without leads": {func(context.Context) (*capturev1.IngestResponse, error) { return &capturev1.IngestResponse{}, nil }, 451},
		"one lead of two": {func(context.Context) (*capturev1.IngestResponse, error) {
			return &capturev1.IngestResponse{Results: []*capturev1.LeadResult{{LeadId: "L1"}, {Problem: problem.New(problemv1.Reason_REASON_UNAVAILABLE, "x").Proto()}}}, nil
		}, 451},
		"too large for Capture": {of(problemv1.Reason_REASON_TOO_LARGE), 552},
	} {
		t.Run(name, func(t *testing.T) {
			w := open(t, nil)
			w.answers(c.answer)
			r := w.dial().hello()
			if code := r.send("a@b.example", "leads@example.com", letter); code != c.code {
				t.Errorf("answered %d, want %d", code, c.code)
			}
			w.answers(nil)
			if code := r.send("a@b.example", "leads@example.com", letter); code != 250 {
				t.Errorf("sent again: %d", code)
			}
		})
	}
}

func TestAMailboxTakesItsNumberInAMinute(t *testing.T) {
	w := open(t, nil)
	r := w.dial().hello()
	want := []int{250, 250, 451}
	for i := range want {
		if code := r.send("a@b.example", "slow@example.com", letter); code != want[i] {
			t.Errorf("mail %d: answered %d, want %d", i+1, code, want[i])
		}
	}
	if code := r.send("a@b.example", "leads@example.com", letter); code != 250 {
		t.Errorf("another mailbox: %d", code)
	}
	w.mu.Lock()
	w.now = w.now.Add(31 * time.Second)
	w.mu.Unlock()
	if err := w.boxes.Use([]byte(boxes)); err != nil { // a changed file gives no new allowance
		t.Fatal(err)
	}
	for i, want := range []int{250, 451} {
		if code := r.send("a@b.example", "slow@example.com", letter); code != want {
			t.Errorf("half a minute later, mail %d: answered %d, want %d", i+1, code, want)
		}
	}
}

func TestAChangedFileIsTakenUp(t *testing.T) {
	w := open(t, nil)
	r := w.dial().hello()
	if err := w.boxes.Use([]byte("mailboxes: {new@example.com: {source: x}}")); err != nil {
		t.Fatal(err)
	}
	if code := r.send("a@b.example", "leads@example.com", letter); code != 550 {
		t.Errorf("a mailbox that is gone: %d", code)
	}
	if err := w.boxes.Use([]byte("mailboxes: {broken: {source: x}}")); err == nil {
		t.Error("a broken file is taken up")
	}
	if code := r.send("a@b.example", "new@example.com", letter); code != 250 {
		t.Errorf("a new mailbox: %d", code)
	}
}

func TestMailboxesFile(t *testing.T) {
	for content, want := range map[string]string{
		"":                                                   "no mailbox",
		"mailboxes: {}":                                      "no mailbox",
		"mailboxes: {a@b.example: {}}":                       "a@b.example: has no source",
		"mailboxes: {a@b.example: }":                         "a@b.example: has no source",
		"mailboxes: {ab: {source: x}}":                       "ab: is no address",
		"mailboxes: {a@b@c: {source: x}}":                    "is no address",
		"mailboxes: {'a|b@c': {source: x}}":                  "is no address",
		"mailboxes: {a@b: {source: x, dealer: 'a|b'}}":       "dealer",
		"mailboxes: {a@b: {source: x, colour: red}}":         "colour",
		"mailboxes: {a@b: {source: x, networks: [here]}}":    "here is no network",
		"mailboxes: {a@b: {source: x, domains: ['a b']}}":    "a b is no domain",
		"mailboxes: {a@b: {source: x, per_minute: -1}}":      "per_minute",
		"mailboxes: {a@b: {source: x, max_bytes: 99999999}}": "max_bytes",
		"mailboxes: {a@b: {source: x}, A@B: {source: y}}":    "twice",
		"- a": "mailboxes file",
	} {
		err := new(postbox.Mailboxes).Use([]byte(content))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", content, err, want)
		}
	}
	if err := new(postbox.Mailboxes).Use([]byte(boxes)); err != nil {
		t.Error(err)
	}
}

// TestALargeMailIsReadToItsEndAndRefused sends 20 MB: the sender learns that it is too large, and
// the door holds no more of it than a mail may have.
func TestALargeMailIsReadToItsEndAndRefused(t *testing.T) {
	w := open(t, nil)
	r := w.dial().hello()
	line := append(bytes.Repeat([]byte("x"), 998), "\r\n"...)
	mail := append(bytes.Clone(letter), bytes.Repeat(line, 20<<10)...)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if code := r.send("a@b.example", "leads@example.com", mail); code != 552 {
		t.Errorf("answered %d", code)
	}
	runtime.ReadMemStats(&after)
	if made := after.TotalAlloc - before.TotalAlloc; made > 32<<20 {
		t.Errorf("made %d MB", made>>20)
	}
	if code := r.send("a@b.example", "leads@example.com", letter); code != 250 {
		t.Errorf("the next mail: %d", code)
	}
	whole := append(bytes.Clone(letter), bytes.Repeat([]byte("x"), postbox.MaxMail-len(letter)-2)...) // in one line
	if code := r.send("a@b.example", "leads@example.com", append(whole, "\r\n"...)); code != 250 {
		t.Errorf("a mail of just the size: %d", code)
	}
}

func TestMailsTogetherHoldABoundedRoom(t *testing.T) {
	w := open(t, func(c *postbox.Config) { c.MaxHeld = 256 << 10 })
	r := w.dial().hello()
	if code := r.send("a@b.example", "leads@example.com", append(bytes.Clone(letter), bytes.Repeat([]byte("x\r\n"), 300<<10)...)); code != 452 {
		t.Errorf("answered %d", code)
	}
	for range 20 { // what was held is given back
		if code := r.send("a@b.example", "leads@example.com", letter); code != 250 {
			t.Fatalf("a small one: %d", code)
		}
	}
}

// TestDrainKeepsWhatIsUnderWay lets a mail that is being stored end and refuses the next.
func TestDrainKeepsWhatIsUnderWay(t *testing.T) {
	w := open(t, nil)
	begun, goOn := make(chan struct{}), make(chan struct{})
	w.answers(func(context.Context) (*capturev1.IngestResponse, error) {
		close(begun)
		<-goOn
		return &capturev1.IngestResponse{Results: []*capturev1.LeadResult{{LeadId: "L1"}}}, nil
	})
	r, other := w.dial().hello(), w.dial().hello()
	code := make(chan int, 1)
	go func() { code <- r.send("a@b.example", "leads@example.com", letter) }()
	<-begun
	drained := make(chan struct{})
	go func() { w.server.Drain(); close(drained) }()
	deadline := time.Now().Add(30 * time.Second)
	for other.say("MAIL FROM:<a@b.example>") != 421 {
		if time.Now().After(deadline) {
			t.Fatal("mails are taken while the door closes")
		}
		other.say("RSET")
	}
	close(goOn)
	<-drained
	if c := <-code; c != 250 {
		t.Errorf("the mail under way was answered %d", c)
	}
	if got := len(w.got()); got != 1 {
		t.Errorf("%d mails stored", got)
	}
	if c, err := net.Dial("tcp", w.server.Addr()); err == nil {
		c.Close()
		t.Error("the door is open")
	}
}

func TestATracePerMail(t *testing.T) {
	w := open(t, nil)
	r := w.dial().hello()
	r.send("a@b.example", "leads@example.com", letter)
	r.send("a@b.example", "leads@example.com", letter)
	got := w.got()
	if a, b := got[0].GetTraceparent(), got[1].GetTraceparent(); a == "" || a[:35] == b[:35] {
		t.Errorf("traces %q and %q of two mails over one connection", a, b)
	}
}
