// Package problem is the one kind of error that leaves a service: a reason from the proto enum,
// a sentence for a person, every wrong field with its remedy, and when to try again. Errors of
// drivers and libraries stop here: they are kept for the log as the cause and never answered.
package problem

import (
	"errors"
	"fmt"
	"strings"
	"time"

	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

// Domain is the ErrorInfo domain of every error of the product.
const Domain = "leadmesh"

// Error is an answerable error. It carries no personal data in Message and Violations.
type Error struct {
	Reason     problemv1.Reason
	Message    string
	Violations []Violation
	RetryAfter time.Duration // zero: trying again does not help
	cause      error
}

// Violation names one wrong field and the remedy.
type Violation struct {
	Field, Description string
}

// New makes an error with a reason and a sentence.
func New(reason problemv1.Reason, format string, args ...any) *Error {
	return &Error{Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// Invalid makes the error for wrong fields.
func Invalid(violations ...Violation) *Error {
	return &Error{
		Reason:     problemv1.Reason_REASON_INVALID_ARGUMENT,
		Message:    "the request has wrong fields; each is named with its remedy",
		Violations: violations,
	}
}

// NotFound says that nothing of this kind has the given identifier.
func NotFound(kind string) *Error {
	return New(problemv1.Reason_REASON_NOT_FOUND, "no %s has this identifier", kind)
}

// Unavailable says that a part the work needs is down; the cause is kept for the log.
func Unavailable(cause error) *Error {
	return &Error{
		Reason:     problemv1.Reason_REASON_UNAVAILABLE,
		Message:    "a part of the system is down; nothing was stored, try again",
		RetryAfter: time.Second,
		cause:      cause,
	}
}

// Internal wraps an error that nobody outside can do anything about.
func Internal(cause error) *Error {
	return &Error{
		Reason:  problemv1.Reason_REASON_INTERNAL,
		Message: "an error of the system itself; its log and the trace say more",
		cause:   cause,
	}
}

// Because returns a copy of e that keeps a cause for the log.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// Error writes reason, sentence, fields and cause; it is for logs, not for answers.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Code())
	b.WriteString(": ")
	b.WriteString(e.Message)
	for _, v := range e.Violations {
		fmt.Fprintf(&b, "; %s: %s", v.Field, v.Description)
	}
	if e.cause != nil {
		b.WriteString(": ")
		b.WriteString(e.cause.Error())
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// Code is the reason as ErrorInfo spells it: the enum's name without its prefix.
func (e *Error) Code() string { return strings.TrimPrefix(e.Reason.String(), "REASON_") }

// GRPCStatus gives the error its face on the wire.
func (e *Error) GRPCStatus() *status.Status {
	st := status.New(codeOf(e.Reason), e.Message)
	info := &errdetails.ErrorInfo{Reason: e.Code(), Domain: Domain}
	detailed, err := st.WithDetails(info)
	if err != nil {
		return st
	}
	if len(e.Violations) > 0 {
		bad := &errdetails.BadRequest{}
		for _, v := range e.Violations {
			bad.FieldViolations = append(bad.FieldViolations, &errdetails.BadRequest_FieldViolation{Field: v.Field, Description: v.Description})
		}
		if with, err := detailed.WithDetails(bad); err == nil {
			detailed = with
		}
	}
	if e.RetryAfter > 0 {
		if with, err := detailed.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(e.RetryAfter)}); err == nil {
			detailed = with
		}
	}
	return detailed
}

// Proto gives the error as a value for batches and streams.
func (e *Error) Proto() *problemv1.Problem {
	p := &problemv1.Problem{Reason: e.Reason, Message: e.Message}
	for _, v := range e.Violations {
		p.FieldViolations = append(p.FieldViolations, &problemv1.FieldViolation{Field: v.Field, Description: v.Description})
	}
	if e.RetryAfter > 0 {
		p.RetryAfter = durationpb.New(e.RetryAfter)
	}
	return p
}

// FromProto reads what Proto wrote; nil gives nil.
func FromProto(p *problemv1.Problem) *Error {
	if p == nil {
		return nil
	}
	e := &Error{Reason: p.GetReason(), Message: p.GetMessage(), RetryAfter: p.GetRetryAfter().AsDuration()}
	for _, v := range p.GetFieldViolations() {
		e.Violations = append(e.Violations, Violation{Field: v.GetField(), Description: v.GetDescription()})
	}
	return e
}

// From finds the problem in an error: one of ours, one that came over the wire, that of a context
// that ended, else an internal one. nil gives nil.
func From(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	st, ok := status.FromError(err)
	if !ok {
		st = status.FromContextError(err)
	}
	return fromStatus(st, err)
}

func fromStatus(st *status.Status, err error) *Error {
	e := &Error{Message: st.Message(), cause: err}
	for _, d := range st.Details() {
		switch d := d.(type) {
		case *errdetails.ErrorInfo:
			if d.GetDomain() == Domain {
				e.Reason = problemv1.Reason(problemv1.Reason_value["REASON_"+d.GetReason()])
			}
		case *errdetails.BadRequest:
			for _, v := range d.GetFieldViolations() {
				e.Violations = append(e.Violations, Violation{Field: v.GetField(), Description: v.GetDescription()})
			}
		case *errdetails.RetryInfo:
			e.RetryAfter = d.GetRetryDelay().AsDuration()
		}
	}
	if e.Reason != problemv1.Reason_REASON_UNSPECIFIED {
		return e
	}
	switch st.Code() {
	case codes.Unavailable, codes.Canceled, codes.Aborted:
		return Unavailable(err)
	case codes.DeadlineExceeded:
		return New(problemv1.Reason_REASON_DEADLINE_EXCEEDED, "the work took longer than allowed").Because(err)
	case codes.ResourceExhausted:
		o := New(problemv1.Reason_REASON_OVERLOADED, "more was sent than is taken at once").Because(err)
		o.RetryAfter = time.Second
		return o
	default:
		return Internal(err)
	}
}

func codeOf(r problemv1.Reason) codes.Code {
	switch r {
	case problemv1.Reason_REASON_INVALID_ARGUMENT, problemv1.Reason_REASON_UNREADABLE_BODY,
		problemv1.Reason_REASON_PLAYBOOK_INVALID, problemv1.Reason_REASON_TOO_LARGE,
		problemv1.Reason_REASON_UNSUPPORTED_MEDIA_TYPE, problemv1.Reason_REASON_MODEL_INVALID:
		return codes.InvalidArgument
	case problemv1.Reason_REASON_IDEMPOTENCY_KEY_REUSED:
		return codes.AlreadyExists
	case problemv1.Reason_REASON_NOT_FOUND:
		return codes.NotFound
	case problemv1.Reason_REASON_COMMIT_NOT_ALLOWED, problemv1.Reason_REASON_PERMISSION_DENIED,
		problemv1.Reason_REASON_NOT_YOUR_DEALER, problemv1.Reason_REASON_FOUR_EYES:
		return codes.PermissionDenied
	case problemv1.Reason_REASON_UNAUTHENTICATED:
		return codes.Unauthenticated
	case problemv1.Reason_REASON_OVERLOADED:
		return codes.ResourceExhausted
	case problemv1.Reason_REASON_UNAVAILABLE, problemv1.Reason_REASON_DRAINING, problemv1.Reason_REASON_NOT_READY:
		return codes.Unavailable
	case problemv1.Reason_REASON_DEADLINE_EXCEEDED:
		return codes.DeadlineExceeded
	case problemv1.Reason_REASON_WRONG_STATE, problemv1.Reason_REASON_MODEL_GUARDS:
		return codes.FailedPrecondition
	default:
		return codes.Internal
	}
}
