// Package mailertest is a mail server for tests that can be as difficult as real ones.
package mailertest

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/mail"
	"sync"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Server takes mail on loopback until the test ends. Its hooks may be set before it is used; nil
// ones let everything pass.
type Server struct {
	Addr       string
	OnRcpt     func(to string) error
	OnData     func(to string) error // before the mail is read; net.ErrClosed drops the connection in the middle of it
	OnReceived func(to string) error // after it was read
	User       string                // "": nobody logs in
	Password   string

	mu   sync.Mutex
	mail []Mail
}

// Mail is one mail that was taken.
type Mail struct {
	From, To string
	Header   mail.Header
	Raw      []byte
}

// New starts a server. With a certificate it offers STARTTLS, or speaks TLS from the first byte on.
func New(t testing.TB, certificate *tls.Certificate, implicit bool) *Server {
	t.Helper()
	s := &Server{}
	server := smtp.NewServer(s)
	server.Domain, server.AllowInsecureAuth, server.ErrorLog = "mail.test", false, quiet{}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Addr = listener.Addr().String()
	if certificate != nil {
		config := &tls.Config{Certificates: []tls.Certificate{*certificate}}
		if implicit {
			listener = tls.NewListener(listener, config)
		} else {
			server.TLSConfig = config
		}
	}
	go func() { _ = server.Serve(listener) }() // it ends with the test
	t.Cleanup(func() { _ = server.Close() })
	return s
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

// Got is the mail taken so far.
func (s *Server) Got() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Mail(nil), s.mail...)
}

// NewSession begins a conversation.
func (s *Server) NewSession(c *smtp.Conn) (smtp.Session, error) { return &session{s: s, conn: c}, nil }

type session struct {
	s        *Server
	conn     *smtp.Conn
	in       bool
	from, to string
}

func (x *session) AuthMechanisms() []string {
	if x.s.User == "" {
		return nil
	}
	return []string{sasl.Plain}
}

func (x *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != x.s.User || password != x.s.Password {
			return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: "no such user"}
		}
		x.in = true
		return nil
	}), nil
}

func (x *session) Mail(from string, _ *smtp.MailOptions) error {
	if x.s.User != "" && !x.in {
		return &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "log in first"}
	}
	x.from = from
	return nil
}

func (x *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	x.to = to
	if x.s.OnRcpt != nil {
		return x.s.OnRcpt(to)
	}
	return nil
}

func (x *session) Data(r io.Reader) error {
	if x.s.OnData != nil {
		if err := x.s.OnData(x.to); errors.Is(err, net.ErrClosed) {
			_, _ = io.ReadFull(r, make([]byte, 64))
			return x.conn.Close()
		} else if err != nil {
			return err
		}
	}
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if x.s.OnReceived != nil {
		if err := x.s.OnReceived(x.to); err != nil {
			return err
		}
	}
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	x.s.mail = append(x.s.mail, Mail{From: x.from, To: x.to, Header: m.Header, Raw: raw})
	return nil
}

func (*session) Reset()        {}
func (*session) Logout() error { return nil }
