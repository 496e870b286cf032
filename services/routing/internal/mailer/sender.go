package mailer

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/textproto"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/leadmesh/leadmesh/services/routing/internal/endpoint"
	gomail "github.com/wneessen/go-mail"
)

// Config is who sends, and through what.
type Config struct {
	Relay   Relay
	From    string // an address, with or without a name
	ReplyTo string // an address; "": none
	Timeout time.Duration
}

// Message is one mail to one mailbox.
type Message struct {
	ID         string // before the @ of the Message-ID; the same over all attempts
	To         string
	Subject    string
	Text       string
	Attachment []byte // nil: none
	Name, Type string // of the attachment
	At         time.Time
}

// Sender sends mail, each over a connection of its own. Safe for concurrent use.
type Sender struct {
	cfg    Config
	domain string
}

// NewSender makes a sender; an attempt takes no longer than the timeout.
func NewSender(cfg Config) (*Sender, error) {
	if err := CheckSender(cfg.From); err != nil {
		return nil, fmt.Errorf("sender of mail: %w", err)
	}
	if cfg.ReplyTo != "" {
		if err := CheckSender(cfg.ReplyTo); err != nil {
			return nil, fmt.Errorf("reply address of mail: %w", err)
		}
	}
	from, err := mail.ParseAddress(cfg.From)
	if err != nil {
		return nil, fmt.Errorf("sender of mail: %w", err)
	}
	_, domain, _ := strings.Cut(from.Address, "@")
	return &Sender{cfg: cfg, domain: domain}, nil
}

// Send hands a message to the relay once. What the relay refuses for good because of the mailbox or
// the message is Refused; what it refuses of us (our address, our password) is tried again, since
// it is not the dealer's fault and somebody can mend it.
func (s *Sender) Send(ctx context.Context, m Message) (a endpoint.Answer) {
	start := time.Now()
	defer func() { a.Timings.Total = time.Since(start) }()
	msg, err := s.message(m)
	if err != nil {
		return endpoint.Answer{Outcome: endpoint.Refused, Word: endpoint.WordBadAddress}
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	line := &line{ctx: ctx}
	if s.cfg.Relay.TLS {
		line.secure = s.tls()
	}
	defer line.close()
	client, err := s.client(line)
	if err != nil {
		return endpoint.Answer{Word: endpoint.WordBadAddress}
	}
	session, err := client.DialToSMTPClientWithContext(ctx)
	a.Timings.Connect = time.Since(start)
	if err != nil {
		a.Unwell = true
		a.Status, a.Word = status(ctx, err)
		return a
	}
	err = client.SendWithSMTPClient(session, msg)
	if msg.IsDelivered() { // whatever went wrong afterwards
		_ = session.Quit() // the mail is the relay's already
		a.Outcome, a.Reached, a.Status, a.Word, a.Said = endpoint.Taken, true, 250, "smtp_250", msg.ServerResponse()
		return a
	}
	a.Status, a.Word = status(ctx, err)
	var failure *gomail.SendError
	if !errors.As(err, &failure) {
		a.Unwell = true
		return a
	}
	late := failure.Reason == gomail.ErrWriteContent || failure.Reason == gomail.ErrSMTPDataClose
	a.Reached = late && a.Status == 0 // the connection broke before it was said who has the mail
	if ofMessage := late || failure.Reason == gomail.ErrSMTPRcptTo || failure.Reason == gomail.ErrSMTPData; ofMessage && a.Status >= 500 {
		a.Outcome = endpoint.Refused
	}
	a.Unwell = a.Outcome != endpoint.Refused
	return a
}

// client is made for each message: it keeps state.
func (s *Sender) client(l *line) (*gomail.Client, error) {
	r := s.cfg.Relay
	policy := gomail.TLSMandatory
	if r.Clear || r.TLS { // what line dialled with TLS is known to be encrypted
		policy = gomail.TLSOpportunistic
	}
	options := []gomail.Option{
		gomail.WithPort(r.Port), gomail.WithTimeout(s.cfg.Timeout + time.Second), // the context ends first, and says why
		gomail.WithTLSPolicy(policy), gomail.WithoutNoop(), gomail.WithHELO(s.domain),
	}
	options = append(options, gomail.WithTLSConfig(s.tls()), gomail.WithDialContextFunc(l.dial))
	if r.User != "" {
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(r.User), gomail.WithPassword(r.Password))
	}
	return gomail.NewClient(r.Host, options...)
}

func (s *Sender) tls() *tls.Config {
	config := s.cfg.Relay.Config
	if config == nil {
		config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	config = config.Clone()
	if config.ServerName == "" {
		config.ServerName = s.cfg.Relay.Host
	}
	return config
}

func (s *Sender) message(m Message) (*gomail.Msg, error) {
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := msg.From(s.cfg.From); err != nil {
		return nil, err
	}
	if s.cfg.ReplyTo != "" {
		if err := msg.ReplyTo(s.cfg.ReplyTo); err != nil {
			return nil, err
		}
	}
	if err := msg.To(m.To); err != nil {
		return nil, err
	}
	msg.Subject(m.Subject)
	msg.SetMessageIDWithValue(m.ID + "@" + s.domain)
	msg.SetDateWithValue(m.At)
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // no vacation notes
	msg.SetBodyString(gomail.TypeTextPlain, m.Text, plain(m.Text)...)
	if m.Attachment != nil {
		if err := msg.AttachReader(m.Name, strings.NewReader(string(m.Attachment)), gomail.WithFileContentType(gomail.ContentType(m.Type))); err != nil {
			return nil, err
		}
	}
	return msg, nil
}

const longestLine = 900 // bytes; SMTP allows 998

// plain keeps text that can go as it is unencoded: some readers look for a document in the raw mail.
func plain(text string) []gomail.PartOption {
	for row := range strings.SplitSeq(text, "\n") {
		if len(row) > longestLine {
			return []gomail.PartOption{gomail.WithPartEncoding(gomail.EncodingQP), gomail.WithPartCharset(gomail.CharsetUTF8)}
		}
	}
	for i := range len(text) {
		if text[i] >= 0x80 {
			return []gomail.PartOption{gomail.WithPartEncoding(gomail.EncodingQP), gomail.WithPartCharset(gomail.CharsetUTF8)}
		}
	}
	// Called 8bit, since the library encodes what it calls 7bit; without a byte of eight bits it is both.
	return []gomail.PartOption{gomail.WithPartEncoding(gomail.NoEncoding), gomail.WithPartCharset(gomail.CharsetASCII)}
}

// line is the connection of one attempt. It is closed when its context ends, which stops a relay
// that hangs, and at the end of the attempt in any case.
type line struct {
	ctx    context.Context
	secure *tls.Config // nil: not encrypted from the first byte on
	mu     sync.Mutex
	conn   net.Conn
	stop   func() bool
}

func (l *line) dial(ctx context.Context, network, address string) (net.Conn, error) {
	var conn net.Conn
	var err error
	if l.secure != nil {
		conn, err = (&tls.Dialer{Config: l.secure}).DialContext(ctx, network, address)
	} else {
		conn, err = (&net.Dialer{}).DialContext(ctx, network, address)
	}
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn, l.stop = conn, context.AfterFunc(l.ctx, func() { _ = conn.Close() })
	return conn, nil
}

func (l *line) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn != nil {
		l.stop()
		_ = l.conn.Close() // it may be closed already
	}
}

// status is the relay's code for an error, or 0 with the cause in a word.
func status(ctx context.Context, err error) (code int, word string) {
	var failure *gomail.SendError
	var answer *textproto.Error
	switch {
	case ctx.Err() != nil:
		return 0, endpoint.Cause(ctx.Err())
	case errors.As(err, &failure) && failure.ErrorCode() >= 400:
		code = failure.ErrorCode()
	case errors.As(err, &answer):
		code = answer.Code
	case errors.Is(err, gomail.ErrNoSupportedAuthDiscovered), strings.Contains(err.Error(), "SMTP AUTH"):
		return 0, endpoint.WordNoAuth
	case strings.Contains(err.Error(), "not support STARTTLS"):
		return 0, endpoint.WordNoStartTLS
	default:
		return 0, endpoint.Cause(err)
	}
	return code, "smtp_" + strconv.Itoa(code)
}
