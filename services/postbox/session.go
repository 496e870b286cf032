package postbox

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/emersion/go-smtp"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
	"go.opentelemetry.io/otel/attribute"
	otelcodes "go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/metadata"
)

const (
	keepLimit   = 30 * time.Second // of the call that stores a mail
	maxOfOne    = 100              // mails taken over one connection
	maxSender   = 512              // bytes of an envelope sender that is noted
	mailboxUser = "mail:"          // begins the names by which mailboxes send leads
)

// answers to a sender. A relay tries again after 4xx for days; 5xx returns the mail to its sender.
func refuse(code int, enhanced smtp.EnhancedCode, message string) *smtp.SMTPError {
	return &smtp.SMTPError{Code: code, EnhancedCode: enhanced, Message: message}
}

// session is one connection after its greeting. The library calls it from one goroutine at a time.
type session struct {
	s      *Server
	client net.IP
	conn   *gatedConn
	taken  int

	from string
	size int64 // as announced
	to   *Mailbox

	keeping atomic.Bool // from before the mail is stored until its sender has the answer
}

func (s *Server) session(c *smtp.Conn) (smtp.Session, error) {
	if s.draining.Load() {
		return nil, refuse(421, smtp.EnhancedCode{4, 3, 2}, "going away; try again")
	}
	return &session{s: s, client: addressOf(c.Conn().RemoteAddr()), conn: gated(c.Conn())}, nil
}

// Reset forgets the mail under way. The library calls it when a mail has been read to its end, too,
// also one that was refused before.
func (t *session) Reset() {
	t.from, t.size, t.to = "", 0, nil
	t.conn.end()
	t.kept()
}

// kept ends what begins in keep.
func (t *session) kept() {
	if t.keeping.CompareAndSwap(true, false) {
		t.s.keeping.Done()
	}
}

// Logout ends the session with its connection.
func (t *session) Logout() error {
	t.kept()
	return nil
}

// Mail begins a mail.
func (t *session) Mail(from string, opts *smtp.MailOptions) error {
	if t.s.draining.Load() {
		return t.refuse(reasonDraining, refuse(421, smtp.EnhancedCode{4, 3, 2}, "going away; try again"))
	}
	if t.taken >= maxOfOne {
		return t.refuse(reasonBusy, refuse(421, smtp.EnhancedCode{4, 7, 0}, "enough mails over one connection; open another"))
	}
	if opts != nil && opts.Size > MaxMail {
		return t.refuse(reasonTooLarge, tooLarge)
	}
	t.from, t.size = strings.ToLower(from), 0
	if opts != nil {
		t.size = opts.Size
	}
	return nil
}

var tooLarge = refuse(552, smtp.EnhancedCode{5, 3, 4}, "the mail is larger than is taken here")

// Rcpt names the mailbox.
func (t *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	box := t.s.deps.Mailboxes.find(to)
	switch {
	case box == nil:
		return t.refuse(reasonUnknown, refuse(550, smtp.EnhancedCode{5, 1, 1}, "no such mailbox here"))
	case !box.allows(t.client, t.from):
		return t.refuse(reasonSender, refuse(550, smtp.EnhancedCode{5, 7, 1}, "this mailbox takes no mail from this sender"))
	case t.size > box.MaxBytes:
		return t.refuse(reasonTooLarge, tooLarge)
	case !box.admit(t.s.deps.Now()):
		return t.refuse(reasonRate, refuse(451, smtp.EnhancedCode{4, 7, 1}, "more mails than this mailbox takes in a minute; try again"))
	}
	t.to = box
	return nil
}

// Data takes the mail: nil means that its leads are durable.
func (t *session) Data(r io.Reader) error {
	t.conn.begin()
	// One trace per mail, whatever the connection carries.
	ctx, span := t.s.deps.Tel.Tracer.Start(context.Background(), telemetry.SpanMail, trace.WithSpanKind(trace.SpanKindServer))
	defer span.End()
	before := returnPath(t.from)
	raw, release, err := t.s.receive(r, t.to.MaxBytes, before)
	defer release()
	switch {
	case errors.Is(err, errTooLarge), errors.Is(err, smtp.ErrDataTooLarge):
		return t.refuseIn(span, reasonTooLarge, tooLarge)
	case errors.Is(err, errBusy):
		return t.refuseIn(span, reasonBusy, refuse(452, smtp.EnhancedCode{4, 3, 1}, "too much mail at once; try again"))
	case err != nil:
		return t.refuseIn(span, reasonBroken, refuse(451, smtp.EnhancedCode{4, 4, 2}, "the mail broke off; try again"))
	}
	if len(bytes.TrimSpace(raw[len(before):])) == 0 {
		return t.refuseIn(span, reasonEmpty, refuse(554, smtp.EnhancedCode{5, 6, 0}, "the mail is empty"))
	}
	span.SetAttributes(attribute.Int("leadmesh.mail.bytes", len(raw)))
	reason, answer := t.keep(ctx, raw)
	if answer != nil {
		return t.refuseIn(span, reason, answer)
	}
	t.taken++
	t.s.meters.count(ctx, reasonAccepted)
	return nil
}

func (t *session) refuse(reason string, answer *smtp.SMTPError) error {
	t.s.meters.count(context.Background(), reason)
	return answer
}

func (t *session) refuseIn(span trace.Span, reason string, answer *smtp.SMTPError) error {
	span.SetStatus(otelcodes.Error, reason)
	return t.refuse(reason, answer)
}

// returnPath is the line that whoever delivers a mail last puts before it (RFC 5321, 4.4): it says
// where bounces go, and that a bounce comes from nobody.
func returnPath(from string) []byte {
	from = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, from)
	return []byte("Return-Path: <" + from[:min(len(from), maxSender)] + ">\r\n")
}

// keep has Capture store a mail. A nil answer means that it has.
func (t *session) keep(ctx context.Context, raw []byte) (reason string, answer *smtp.SMTPError) {
	s, to := t.s, t.to
	s.keepMu.Lock()
	if s.draining.Load() {
		s.keepMu.Unlock()
		return reasonDraining, refuse(421, smtp.EnhancedCode{4, 3, 2}, "going away; try again")
	}
	s.keeping.Add(1)
	t.keeping.Store(true) // until Reset: the sender must have the answer, or it sends again
	s.keepMu.Unlock()

	ctx, cancel := context.WithTimeout(ctx, keepLimit)
	defer cancel()
	md := metadata.MD{}
	if sc := trace.SpanContextFromContext(ctx); sc.HasTraceID() {
		md.Set("x-request-id", sc.TraceID().String())
	}
	resp, err := s.capture.Ingest(rpc.ActingFor(metadata.NewOutgoingContext(ctx, md), to.caller()), &capturev1.IngestRequest{
		Kind: capturev1.DocumentKind_DOCUMENT_KIND_MAIL, Body: raw, ContentType: "message/rfc822",
		Source: to.Source, Provider: to.Provider, Traceparent: telemetry.Traceparent(ctx),
	})
	if err == nil && len(resp.GetResults()) == 0 {
		err = errors.New("capture answered without a lead")
	}
	for _, r := range resp.GetResults() {
		if p := problem.FromProto(r.GetProblem()); p != nil && err == nil {
			err = p
		}
	}
	if err == nil {
		return reasonAccepted, nil
	}
	p := problem.From(err)
	switch p.Reason {
	case problemv1.Reason_REASON_TOO_LARGE:
		return reasonTooLarge, tooLarge
	case problemv1.Reason_REASON_OVERLOADED, problemv1.Reason_REASON_UNAVAILABLE, problemv1.Reason_REASON_DEADLINE_EXCEEDED, problemv1.Reason_REASON_DRAINING:
	default: // an older Capture that knows no mails, or a fault: the relay keeps the mail meanwhile
		s.log.WarnContext(ctx, "mail not kept", "reason", p.Code(), "mailbox", to.Source)
	}
	return reasonUnavailable, refuse(451, smtp.EnhancedCode{4, 3, 0}, "the mail cannot be stored now; try again")
}
