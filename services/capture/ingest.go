package capture

import (
	"bytes"
	"context"
	"slices"
	"strings"

	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
)

// Ingest takes a document as it was received and answers per lead found in it, in order.
func (s *Service) Ingest(ctx context.Context, req *capturev1.IngestRequest) (*capturev1.IngestResponse, error) {
	if why := badKey(req.GetIdempotencyKey()); why != "" {
		return nil, problem.Invalid(problem.Violation{Field: "Idempotency-Key", Description: why})
	}
	items, err := s.open(req)
	if err != nil {
		return nil, err
	}
	for i, in := range items {
		if in.contentType == "" {
			in.contentType = printable(req.GetContentType())
		}
		s.label(in, req, i, len(items))
	}
	if len(items) == 1 {
		items[0].traceparent = req.GetTraceparent()
	}
	results := make([]*capturev1.LeadResult, 0, len(items))
	for chunk := range slices.Chunk(items, maxBatch) { // only ADF documents and mails hold more than one
		answered, err := s.take(ctx, chunk)
		if err != nil && len(results) == 0 {
			return nil, err
		}
		for i := 0; err != nil && i < len(chunk); i++ { // those before are stored: say so
			answered = append(answered, &capturev1.LeadResult{Problem: problem.From(err).Proto()})
		}
		results = append(results, answered...)
	}
	return &capturev1.IngestResponse{Results: results}, nil
}

// open finds the leads of a document.
func (s *Service) open(req *capturev1.IngestRequest) ([]*intake, error) {
	body := req.GetBody()
	switch req.GetKind() {
	case capturev1.DocumentKind_DOCUMENT_KIND_ADF:
		if p := fits(body, "an ADF document"); p != nil {
			return nil, p
		}
		return readADF(body), nil
	case capturev1.DocumentKind_DOCUMENT_KIND_MAIL:
		if p := fits(body, "a mail"); p != nil {
			return nil, p
		}
		return readMail(body), nil
	case capturev1.DocumentKind_DOCUMENT_KIND_FORM, capturev1.DocumentKind_DOCUMENT_KIND_GOOGLE_FORM,
		capturev1.DocumentKind_DOCUMENT_KIND_META_NOTIFICATION, capturev1.DocumentKind_DOCUMENT_KIND_STAR:
		return s.openForm(req)
	case capturev1.DocumentKind_DOCUMENT_KIND_LEAD, capturev1.DocumentKind_DOCUMENT_KIND_LEAD_BATCH:
		body = bytes.TrimPrefix(body, []byte("\ufeff"))
		if p := validate(body); p != nil {
			return nil, p
		}
		if req.GetKind() == capturev1.DocumentKind_DOCUMENT_KIND_LEAD {
			return s.openLead(body)
		}
		return s.openBatch(body)
	default:
		return nil, problem.Invalid(problem.Violation{Field: "kind", Description: "send LEAD, LEAD_BATCH, ADF, MAIL, FORM, GOOGLE_FORM, META_NOTIFICATION or STAR"})
	}
}

// fits reports why a body is not read at all; nil if it is.
func fits(body []byte, want string) *problem.Error {
	if len(body) > maxBody {
		return problem.New(problemv1.Reason_REASON_TOO_LARGE, "the body is larger than 4 MiB; send fewer leads at once")
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return problem.New(problemv1.Reason_REASON_UNREADABLE_BODY, "the body is empty; send %s", want)
	}
	return nil
}

func (s *Service) openLead(body []byte) ([]*intake, error) {
	trimmed := bytes.TrimSpace(body)
	if trimmed[0] != '{' {
		return nil, problem.New(problemv1.Reason_REASON_UNREADABLE_BODY, "the body is not a JSON object; send one lead as an object, or many to /v1/leads:batch")
	}
	in := s.readJSON(trimmed)
	in.raw = body
	return []*intake{in}, nil
}

// openBatch takes {"leads": [...]} and a bare array.
func (s *Service) openBatch(body []byte) ([]*intake, error) {
	w := &jsonWalk{src: body}
	var list []byte
	switch w.peek() {
	case '[':
		list = body
	case '{':
		for name := range w.members() {
			if v := w.skip(); name == "leads" {
				list = v
			}
		}
	}
	if len(list) == 0 || bytes.TrimSpace(list)[0] != '[' {
		return nil, problem.Invalid(problem.Violation{Field: "leads", Description: `send {"leads": [...]} with 1 to 1,000 leads`})
	}
	var items []*intake
	w = &jsonWalk{src: list}
	for range w.elements() {
		element := w.skip()
		if len(items) == maxBatch {
			return nil, problem.Invalid(problem.Violation{Field: "leads", Description: "holds more than 1,000 leads; send them in several batches"})
		}
		if element[0] != '{' {
			items = append(items, &intake{raw: element, problem: problem.New(problemv1.Reason_REASON_UNREADABLE_BODY, "the element is not a JSON object; send each lead as an object")})
			continue
		}
		in := s.readJSON(element)
		in.raw = element
		items = append(items, in)
	}
	if len(items) == 0 {
		return nil, problem.Invalid(problem.Violation{Field: "leads", Description: "is empty; send 1 to 1,000 leads"})
	}
	return items, nil
}

func (s *Service) readJSON(object []byte) *intake {
	in := &intake{}
	read := s.json.read(object)
	var violations []problem.Violation
	if in.lead, violations = parse(read.message); len(violations) > 0 {
		in.problem = problem.Invalid(violations...)
	}
	in.lead.Flags = read.flags
	return in
}

// label gives a lead what the request says about all its leads: the source, and a key of its own.
func (s *Service) label(in *intake, req *capturev1.IngestRequest, i, n int) {
	if in.problem != nil {
		return
	}
	l := &in.lead
	if in.mail != nil {
		labelMail(in, req)
	}
	if l.Source.Source == "" && l.Source.Provider == "" {
		l.Source.Source = printable(req.GetSource())
	}
	key := req.GetIdempotencyKey()
	switch {
	case key == "":
	case n > 1:
		if l.IdempotencyKey == "" { // a batch that is sent again keeps its order
			l.IdempotencyKey = key + "#" + itoa(i)
		}
	case l.IdempotencyKey != "" && l.IdempotencyKey != key:
		in.problem = problem.Invalid(problem.Violation{Field: "idempotency_key", Description: "differs from the Idempotency-Key header; send one of them"})
	default:
		l.IdempotencyKey = key
	}
}

// printable keeps what of a header can be stored and shown.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\uFFFD' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	return strings.ToValidUTF8(s[:min(len(s), 200)], "")
}
