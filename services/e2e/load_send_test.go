package e2e_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// submission is one request with leads, sent until it is answered and once more at the end.
type submission struct {
	name  string // unique; the idempotency key, or what the keys of a batch begin with
	kind  string // lead, adf or batch
	body  string
	leads []*leadv1.Lead
	held  []*capturev1.LeadResult // what was promised; nil: nothing
}

// answer is what came back for a submission. An err means that nothing came back.
type answer struct {
	code       int
	reason     string
	retryAfter string
	results    []*capturev1.LeadResult
	err        error
}

var postalCodes = []string{"80205", "10001", "60614", "94110", "33131", "75201", "98101", "73301"}

// newSubmission makes the n-th request. Every eighth single lead is of a customer who asks again.
func newSubmission(kind string, n int) *submission {
	s := &submission{name: "load-" + strconv.Itoa(n), kind: kind}
	postal := postalCodes[n%len(postalCodes)]
	switch kind {
	case "lead":
		who := n
		if n%8 == 0 {
			who = n / 64
		}
		s.body = fmt.Sprintf(`{"request_type":"REQUEST_TYPE_QUOTE","origin":"ORIGIN_OEM","source":{"channel":"web","source":"oem_site"},
			"parties":[{"name":{"given":"Load","family":"Tester%d"},"emails":[{"address":"load%d@example.com"}],"address":{"postal_code":%q,"country":"US"}}],
			"vehicles":[{"make":"Norrvind","model":"Tindra","year":2026}],"comments":"inquiry %d"}`, who, who, postal, n)
	case "adf":
		var b strings.Builder
		b.WriteString(`<?xml version="1.0"?><?adf version="1.0"?><adf>`)
		for i := range 2 {
			fmt.Fprintf(&b, `<prospect><vehicle interest="buy" status="new"><year>2026</year><make>Norrvind</make><model>Tindra</model></vehicle>
				<customer><contact><name part="full">Adf Tester%d</name><email>adf%d-%d@example.com</email><address><postalcode>%s</postalcode><country>US</country></address></contact></customer></prospect>`, n, n, i, postal)
		}
		s.body = b.String() + `</adf>`
	case "batch":
		for i := range 10 {
			s.leads = append(s.leads, &leadv1.Lead{
				IdempotencyKey: s.name + "-" + strconv.Itoa(i), RequestType: leadv1.RequestType_REQUEST_TYPE_BROCHURE, Origin: leadv1.Origin_ORIGIN_OEM,
				Parties: []*leadv1.Party{{
					Name: &leadv1.Name{Given: "Batch", Family: "Tester" + strconv.Itoa(n)}, Emails: []*leadv1.Email{{Address: fmt.Sprintf("batch%d-%d@example.com", n, i)}},
					Address: &leadv1.Address{PostalCode: postal, Country: "US"},
				}},
				Vehicles: []*leadv1.Vehicle{{Make: "Norrvind", Model: "Tindra"}},
			})
		}
	}
	return s
}

// submit sends a submission once.
func (w *world) submit(ctx context.Context, s *submission) answer {
	if s.kind == "batch" {
		return w.submitBatch(ctx, s)
	}
	route, contentType := "/v1/leads", "application/json"
	key := s.name
	switch s.kind {
	case "adf":
		route, contentType = "/v1/adf", "application/xml"
	case "list": // each lead has its own key
		route, key = "/v1/leads:batch", ""
	}
	code, raw, header, err := w.exchange(ctx, http.MethodPost, route, contentType, s.body, key)
	if err != nil {
		return answer{err: err}
	}
	a := answer{code: code, reason: reason(raw), retryAfter: header.Get("Retry-After")}
	if code >= http.StatusMultipleChoices {
		return a
	}
	if s.kind != "lead" {
		resp := &capturev1.IngestResponse{}
		if err := unmarshal(raw, resp); err != nil {
			return answer{code: http.StatusTeapot, reason: "an answer that cannot be read"}
		}
		a.results = resp.GetResults()
		return a
	}
	r := &capturev1.LeadResult{}
	if err := unmarshal(raw, r); err != nil {
		return answer{code: http.StatusTeapot, reason: "an answer that cannot be read"}
	}
	a.results = []*capturev1.LeadResult{r}
	return a
}

func (w *world) submitBatch(ctx context.Context, s *submission) answer {
	ctx, cancel := context.WithTimeout(w.as(ctx, "oem"), callLimit)
	defer cancel()
	resp, err := capturev1.NewCaptureServiceClient(w.grpc).BatchCreateLeads(ctx, &capturev1.BatchCreateLeadsRequest{Leads: s.leads})
	if err == nil {
		return answer{code: http.StatusOK, results: resp.GetResults()}
	}
	a := answer{code: http.StatusInternalServerError}
	for _, d := range status.Convert(err).Details() {
		switch d := d.(type) {
		case *errdetails.ErrorInfo:
			a.reason = d.GetReason()
		case *errdetails.RetryInfo:
			a.retryAfter = d.GetRetryDelay().AsDuration().String()
		}
	}
	switch status.Code(err) {
	case codes.Unavailable:
		if a.reason == "" { // of the connection, not of the product
			return answer{err: err}
		}
		a.code = http.StatusServiceUnavailable
	case codes.ResourceExhausted:
		a.code = http.StatusTooManyRequests
	default:
		a.reason = err.Error()
	}
	return a
}

// exchange sends a REST request as the manufacturer and reads the whole answer.
func (w *world) exchange(ctx context.Context, method, route, contentType, body, key string) (int, []byte, http.Header, error) {
	req, err := http.NewRequestWithContext(ctx, method, w.base+route, strings.NewReader(body))
	if err != nil {
		return 0, nil, nil, err
	}
	if contentType == "" {
		contentType = "application/json"
	}
	req.Header.Set("Content-Type", contentType)
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	if tok := w.token["oem"]; tok != "" {
		req.Header.Set("Authorization", "Bearer "+tok)
	}
	resp, err := w.http.Do(req)
	if err != nil {
		return 0, nil, nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	return resp.StatusCode, raw, resp.Header, err
}
