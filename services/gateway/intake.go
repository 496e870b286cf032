package gateway

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"time"

	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
	"google.golang.org/protobuf/encoding/protojson"
)

// errNoAnswer is the cause of an answer of Capture that names no lead and no problem.
var errNoAnswer = errors.New("capture answered without a lead and without a problem")

// ingestOne takes one JSON lead: 200 when it is decided or held as rejected or parked, 202 while
// it is pending. An answer below 300 means that the lead is durable.
func (s *Server) ingestOne(w http.ResponseWriter, r *http.Request, _ map[string]string) {
	results, p := s.ingest(r, capturev1.DocumentKind_DOCUMENT_KIND_LEAD)
	switch {
	case p != nil:
		s.fail(w, r, p)
		return
	case len(results) != 1:
		s.fail(w, r, unsure(errNoAnswer))
		return
	}
	result := results[0]
	if result.GetProblem() != nil {
		s.fail(w, r, problem.FromProto(result.GetProblem()))
		return
	}
	raw, err := marshalResult(result)
	if err != nil {
		s.fail(w, r, unsure(err))
		return
	}
	code := http.StatusOK
	if result.GetState() == leadv1.State_STATE_PENDING {
		code = http.StatusAccepted
	}
	write(w, code, raw)
}

// ingestMany takes a document of many leads and answers 200 with a result or problem for each, in
// order. Where not one could be stored for a reason that passes, the answer is that reason, so that
// a sender who looks at the status only sends the document again.
func (s *Server) ingestMany(kind capturev1.DocumentKind) func(http.ResponseWriter, *http.Request, map[string]string) {
	return func(w http.ResponseWriter, r *http.Request, _ map[string]string) {
		results, p := s.ingest(r, kind)
		if p == nil {
			p = nothingStored(results)
		}
		if p != nil {
			s.fail(w, r, p)
			return
		}
		s.answerLeads(w, r, results)
	}
}

// answerLeads answers 200 with a result or problem for each lead, in order.
func (s *Server) answerLeads(w http.ResponseWriter, r *http.Request, results []*capturev1.LeadResult) {
	var out bytes.Buffer
	out.WriteString(`{"results":[`)
	for i, result := range results {
		raw, err := marshalResult(result)
		if err != nil {
			s.fail(w, r, unsure(err))
			return
		}
		if i > 0 {
			out.WriteByte(',')
		}
		out.Write(raw)
	}
	out.WriteString(`]}`)
	write(w, http.StatusOK, out.Bytes())
}

// ingest passes a document to Capture as it was received.
func (s *Server) ingest(r *http.Request, kind capturev1.DocumentKind) ([]*capturev1.LeadResult, *problem.Error) {
	raw, p := r.Body.(*body).read()
	if p != nil {
		return nil, p
	}
	if len(bytes.TrimSpace(raw)) == 0 {
		return nil, problem.New(problemv1.Reason_REASON_UNREADABLE_BODY, "the body is empty")
	}
	if kind == capturev1.DocumentKind_DOCUMENT_KIND_ADF {
		kind = adfKind(r.Header)
	}
	return s.pass(r, &capturev1.IngestRequest{Kind: kind, Body: raw, Source: r.URL.Query().Get("source")})
}

// pass hands a document to Capture with what the headers say of it.
func (s *Server) pass(r *http.Request, req *capturev1.IngestRequest) ([]*capturev1.LeadResult, *problem.Error) {
	req.ContentType = utf8Text(r.Header.Get("Content-Type"))
	req.IdempotencyKey = utf8Text(r.Header.Get("Idempotency-Key"))
	req.Traceparent = telemetry.Traceparent(r.Context())
	resp, err := s.capture.Ingest(r.Context(), req)
	if err == nil {
		return resp.GetResults(), nil
	}
	p := problem.From(err)
	if code := httpStatus(p.Reason); code >= http.StatusInternalServerError {
		retry := p.RetryAfter
		p = unsure(err)
		p.RetryAfter = max(p.RetryAfter, retry)
	}
	return nil, p
}

// unsure is the problem of leads of which it is not known whether they are stored.
func unsure(cause error) *problem.Error {
	p := problem.New(problemv1.Reason_REASON_UNAVAILABLE,
		"it is not certain that the lead is stored; send the same again, with the same idempotency key").Because(cause)
	p.RetryAfter = time.Second
	return p
}

// nothingStored is the problem of a document none of whose leads is stored although they may be
// when it comes again; nil otherwise.
func nothingStored(results []*capturev1.LeadResult) *problem.Error {
	if len(results) == 0 {
		return problem.New(problemv1.Reason_REASON_UNREADABLE_BODY, "the document holds no lead")
	}
	for _, result := range results {
		if result.GetProblem() == nil || !passing(result.GetProblem().GetReason()) {
			return nil
		}
	}
	return problem.FromProto(results[0].GetProblem())
}

// marshalResult writes the result of one lead; an error if it would say that all is well with a
// lead that does not exist.
func marshalResult(result *capturev1.LeadResult) ([]byte, error) {
	if result.GetProblem() == nil && result.GetLeadId() == "" {
		return nil, errNoAnswer
	}
	return protojson.MarshalOptions{UseProtoNames: true}.Marshal(result)
}

// utf8Text makes a header's value fit for a message; Capture refuses the replacement character in
// keys.
func utf8Text(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
