package gateway

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"

	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
)

// clientGone is the status noted for a request whose sender did not wait for the answer.
const clientGone = 499

// fail answers an error as google.rpc.Status.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(r, err)
	s.failAs(w, r, httpStatus(p.Reason), p)
}

// failAs answers an error with an HTTP status of its own.
func (s *Server) failAs(w http.ResponseWriter, r *http.Request, code int, p *problem.Error) {
	x := exchangeOf(r.Context())
	x.reason, x.cause, x.told = p.Code(), causeOf(p), code == http.StatusServiceUnavailable && answered(p)
	if gone(r) {
		w.WriteHeader(clientGone)
		return
	}
	hurry(w, r)
	if code == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="leadmesh"`)
	}
	if p.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(p.RetryAfter.Seconds()))))
	}
	raw, err := protojson.Marshal(p.GRPCStatus().Proto())
	if err != nil {
		x.cause = "the error could not be written"
		raw = []byte(`{"code":13,"message":"an error of the system itself; its log and the trace say more"}`)
	}
	write(w, code, raw)
}

// gone reports whether the sender does not wait for the answer any more. A body that did not come
// whole ends the context too, but its sender may still listen.
func gone(r *http.Request) bool {
	if b, ok := r.Body.(*body); ok && b.problem != nil {
		return false
	}
	return errors.Is(r.Context().Err(), context.Canceled)
}

// problemOf finds the problem of a request: what was wrong with its body, what a service said, or
// what the gateway itself found in the path or query.
func problemOf(r *http.Request, err error) *problem.Error {
	if b, ok := r.Body.(*body); ok && b.problem != nil {
		return b.problem
	}
	// Every error of a service carries an ErrorInfo, so this one is from reading the parameters.
	if st, ok := status.FromError(err); ok && st.Code() == codes.InvalidArgument && !informed(st) {
		return problem.New(problemv1.Reason_REASON_INVALID_ARGUMENT,
			"a parameter of the path or query has a value that it does not take; %s says which it does", documentRoute)
	}
	return problem.From(err)
}

// answered reports whether a service said that a part is down: not a connection to a service that is
// away itself, and not an error of the service's own.
func answered(p *problem.Error) bool {
	cause := p.Unwrap()
	if cause == nil {
		return false
	}
	st, ok := status.FromError(cause)
	return ok && informed(st) && problem.From(cause).Reason == problemv1.Reason_REASON_UNAVAILABLE
}

func informed(st *status.Status) bool {
	for _, d := range st.Details() {
		if _, ok := d.(*errdetails.ErrorInfo); ok {
			return true
		}
	}
	return false
}

// httpStatus is the one table of reasons and HTTP statuses.
func httpStatus(r problemv1.Reason) int {
	switch r {
	case problemv1.Reason_REASON_INVALID_ARGUMENT, problemv1.Reason_REASON_UNREADABLE_BODY,
		problemv1.Reason_REASON_PLAYBOOK_INVALID, problemv1.Reason_REASON_MODEL_INVALID:
		return http.StatusBadRequest
	case problemv1.Reason_REASON_UNAUTHENTICATED:
		return http.StatusUnauthorized
	case problemv1.Reason_REASON_PERMISSION_DENIED, problemv1.Reason_REASON_NOT_YOUR_DEALER,
		problemv1.Reason_REASON_COMMIT_NOT_ALLOWED, problemv1.Reason_REASON_FOUR_EYES:
		return http.StatusForbidden
	case problemv1.Reason_REASON_NOT_FOUND:
		return http.StatusNotFound
	case problemv1.Reason_REASON_IDEMPOTENCY_KEY_REUSED, problemv1.Reason_REASON_WRONG_STATE,
		problemv1.Reason_REASON_MODEL_GUARDS:
		return http.StatusConflict
	case problemv1.Reason_REASON_TOO_LARGE:
		return http.StatusRequestEntityTooLarge
	case problemv1.Reason_REASON_UNSUPPORTED_MEDIA_TYPE:
		return http.StatusUnsupportedMediaType
	case problemv1.Reason_REASON_OVERLOADED:
		return http.StatusTooManyRequests
	case problemv1.Reason_REASON_UNAVAILABLE, problemv1.Reason_REASON_DRAINING, problemv1.Reason_REASON_NOT_READY:
		return http.StatusServiceUnavailable
	case problemv1.Reason_REASON_DEADLINE_EXCEEDED:
		return http.StatusGatewayTimeout
	default:
		return http.StatusInternalServerError
	}
}

// passing reports whether a problem may be gone when the same request comes again.
func passing(r problemv1.Reason) bool {
	code := httpStatus(r)
	return code >= http.StatusInternalServerError || code == http.StatusTooManyRequests
}

// causeOf is the first line of what stands behind a problem, for the log.
func causeOf(p *problem.Error) string {
	cause := p.Unwrap()
	if cause == nil {
		return ""
	}
	line, _, _ := strings.Cut(cause.Error(), "\n")
	return line
}
