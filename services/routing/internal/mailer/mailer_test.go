package mailer_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/http/httptest"
	netmail "net/mail"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/leadmesh/leadmesh/services/routing/internal/endpoint"
	"github.com/leadmesh/leadmesh/services/routing/internal/mailer"
	"github.com/leadmesh/leadmesh/services/routing/internal/mailertest"
)

func TestParseRelay(t *testing.T) {
	for raw, want := range map[string]mailer.Relay{
		"smtp://u:p%40ss@relay.example.com":      {Host: "relay.example.com", Port: 587, User: "u", Password: "p@ss"},
		"smtps://relay.example.com":              {Host: "relay.example.com", Port: 465, TLS: true},
		"smtp://127.0.0.1:2525":                  {Host: "127.0.0.1", Port: 2525, Clear: true},
		"smtp://relay.example.com:25?tls=none":   {Host: "relay.example.com", Port: 25, Clear: true},
		"smtp://u:p@relay.example.com?tls=none":  {},
		"smtps://relay.example.com?tls=none":     {},
		"relay.example.com:25":                   {},
		"smtp://relay.example.com:0":             {},
		"smtp://relay.example.com:70000":         {},
		"https://relay.example.com":              {},
		"smtp://relay.example.com/path":          {},
		"smtp://relay.example.com?tls=sometimes": {},
	} {
		got, err := mailer.ParseRelay(raw)
		if got != want || (err == nil) != (want != mailer.Relay{}) {
			t.Errorf("%s: %+v, %v", raw, got, err)
		}
	}
}

// certificate is one for 127.0.0.1, with what makes clients trust it.
func certificate(t *testing.T) (*tls.Certificate, *tls.Config) {
	t.Helper()
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return &s.TLS.Certificates[0], &tls.Config{RootCAs: pool}
}

func relayOf(t *testing.T, s *mailertest.Server) mailer.Relay {
	t.Helper()
	host, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return mailer.Relay{Host: host, Port: n, Clear: true}
}

func sender(t *testing.T, r mailer.Relay, timeout time.Duration) *mailer.Sender {
	t.Helper()
	s, err := mailer.NewSender(mailer.Config{Relay: r, From: "Norrvind Leads <leads@oem.example.com>", ReplyTo: "desk@oem.example.com", Timeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var message = mailer.Message{ID: "lead-1.1", To: "new@store.example.com", Subject: "New lead", Text: "<?xml version=\"1.0\"?>\n<adf>\n..dots\n</adf>\n", At: time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC)}

func TestSend(t *testing.T) {
	cert, trust := certificate(t)
	for _, tt := range []struct {
		name            string
		cert            *tls.Certificate
		implicit, login bool
	}{
		{"clear", nil, false, false}, {"starttls", cert, false, false}, {"tls", cert, true, false}, {"starttls and login", cert, false, true}, {"tls and login", cert, true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := mailertest.New(t, tt.cert, tt.implicit)
			r := relayOf(t, s)
			r.TLS, r.Clear, r.Config = tt.implicit, tt.cert == nil, trust
			if tt.login {
				s.User, s.Password = "us", "secret"
				r.User, r.Password = "us", "secret"
			}
			a := sender(t, r, 20*time.Second).Send(t.Context(), message)
			if !a.Delivered() || a.Word != "smtp_250" || !a.Reached || a.Timings.Total <= 0 {
				t.Fatalf("%+v", a)
			}
			got := s.Got()
			if len(got) != 1 || got[0].To != message.To || got[0].From != "leads@oem.example.com" {
				t.Fatalf("%+v", got)
			}
			h := got[0].Header
			if h.Get("Message-ID") != "<lead-1.1@oem.example.com>" || h.Get("Subject") != "New lead" || !strings.Contains(h.Get("Reply-To"), "desk@oem.example.com") ||
				h.Get("Auto-Submitted") != "auto-generated" || !strings.Contains(h.Get("From"), "Norrvind Leads") {
				t.Errorf("header %v", h)
			}
			if _, body, _ := strings.Cut(strings.ReplaceAll(string(got[0].Raw), "\r\n", "\n"), "\n\n"); strings.TrimSpace(body) != strings.TrimSpace(message.Text) {
				t.Errorf("the text does not stand in the mail as it is:\n%s", got[0].Raw)
			}
		})
	}
}

func TestLongTextAndAttachmentSurvive(t *testing.T) {
	s := mailertest.New(t, nil, false)
	m := message
	m.Text = strings.Repeat("länge ", 400)
	m.Attachment, m.Name, m.Type = []byte("<adf>ä</adf>"), "lead.xml", "application/x-adf+xml"
	if a := sender(t, relayOf(t, s), 20*time.Second).Send(t.Context(), m); !a.Delivered() {
		t.Fatalf("%+v", a)
	}
	got := s.Got()[0]
	for row := range bytes.SplitSeq(got.Raw, []byte("\n")) {
		if len(row) > 998 {
			t.Errorf("a line of %d bytes", len(row))
		}
	}
	read, err := netmail.ReadMessage(bytes.NewReader(got.Raw))
	if err != nil {
		t.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(read.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(read.Body, params["boundary"])
	text, err := parts.NextRawPart()
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(quotedprintable.NewReader(text))
	if err != nil || strings.TrimSpace(string(plain)) != strings.TrimSpace(m.Text) {
		t.Errorf("%v %q", err, plain)
	}
	file, err := parts.NextRawPart()
	if err != nil {
		t.Fatal(err)
	}
	document, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, file))
	if err != nil || string(document) != string(m.Attachment) || !strings.HasPrefix(file.Header.Get("Content-Type"), m.Type) || !strings.Contains(file.Header.Get("Content-Disposition"), m.Name) {
		t.Errorf("%v %q %v", err, document, file.Header)
	}
}

func TestAnswers(t *testing.T) {
	cert, _ := certificate(t)
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	refuse := func(code int) func(string) error {
		return func(string) error { return &smtp.SMTPError{Code: code, Message: "no"} }
	}
	for _, tt := range []struct {
		name string
		cert *tls.Certificate
		set  func(s *mailertest.Server, r *mailer.Relay)
		want endpoint.Answer
	}{
		{"mailbox unknown", nil, func(s *mailertest.Server, _ *mailer.Relay) { s.OnRcpt = refuse(550) }, endpoint.Answer{Outcome: endpoint.Refused, Word: "smtp_550", Status: 550}},
		{"greylisted", nil, func(s *mailertest.Server, _ *mailer.Relay) { s.OnRcpt = refuse(451) }, endpoint.Answer{Word: "smtp_451", Status: 451, Unwell: true}},
		{"too large", nil, func(s *mailertest.Server, _ *mailer.Relay) { s.OnReceived = refuse(552) }, endpoint.Answer{Outcome: endpoint.Refused, Word: "smtp_552", Status: 552}},
		{"full for now", nil, func(s *mailertest.Server, _ *mailer.Relay) { s.OnReceived = refuse(452) }, endpoint.Answer{Word: "smtp_452", Status: 452, Unwell: true}},
		{"dropped in the middle", nil, func(s *mailertest.Server, _ *mailer.Relay) { s.OnData = func(string) error { return net.ErrClosed } },
			endpoint.Answer{Word: endpoint.WordBroken, Unwell: true, Reached: true}},
		{"hangs after the mail", nil, func(s *mailertest.Server, _ *mailer.Relay) {
			s.OnReceived = func(string) error { <-release; return errors.New("late") }
		},
			endpoint.Answer{Word: endpoint.WordTimeout, Unwell: true, Reached: true}},
		{"hangs before the mail", nil, func(s *mailertest.Server, _ *mailer.Relay) {
			s.OnRcpt = func(string) error { <-release; return errors.New("late") }
		},
			endpoint.Answer{Word: endpoint.WordTimeout, Unwell: true}},
		{"wrong password", cert, func(s *mailertest.Server, r *mailer.Relay) {
			s.User, s.Password, r.User, r.Password = "us", "secret", "us", "other"
		},
			endpoint.Answer{Word: "smtp_535", Status: 535, Unwell: true}},
		{"password in the clear", nil, func(s *mailertest.Server, r *mailer.Relay) {
			s.User, s.Password, r.User, r.Password = "us", "secret", "us", "secret"
		},
			endpoint.Answer{Word: endpoint.WordNoAuth, Unwell: true}},
		{"no starttls", nil, func(_ *mailertest.Server, r *mailer.Relay) { r.Clear = false }, endpoint.Answer{Word: endpoint.WordNoStartTLS, Unwell: true}},
		{"nobody there", nil, func(_ *mailertest.Server, r *mailer.Relay) { r.Port = 1 }, endpoint.Answer{Word: endpoint.WordRefused, Unwell: true}},
		{"unknown authority", cert, func(_ *mailertest.Server, r *mailer.Relay) { r.Config = nil }, endpoint.Answer{Word: endpoint.WordTLS, Unwell: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := mailertest.New(t, tt.cert, false)
			r := relayOf(t, s)
			if tt.cert != nil {
				_, r.Config = certificate(t)
			}
			tt.set(s, &r)
			timeout := 20 * time.Second
			if strings.HasPrefix(tt.name, "hangs") {
				timeout = 3 * time.Second
			}
			a := sender(t, r, timeout).Send(t.Context(), message)
			a.Timings, a.Said = endpoint.Timings{}, ""
			if a != tt.want {
				t.Errorf("%+v, want %+v", a, tt.want)
			}
			if endpoint.Explain(a.Word) == "" {
				t.Errorf("nothing explains %s", a.Word)
			}
			if len(s.Got()) > 0 {
				t.Error("taken in spite of it")
			}
		})
	}
}
