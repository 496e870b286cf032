package gateway

import (
	"bytes"
	"encoding/hex"
	"mime"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/leadmesh/leadmesh/core/star"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/sources"
)

// shakeHands answers Meta's question whether the address is ours.
func (s *Server) shakeHands(w http.ResponseWriter, r *http.Request, params map[string]string) {
	src, p := s.source(r, params["source"], sources.Meta)
	if p != nil {
		s.fail(w, r, p)
		return
	}
	query := r.URL.Query()
	if query.Get("hub.mode") != "subscribe" || !src.VerifyToken.Is(query.Get("hub.verify_token")) {
		s.fail(w, r, problem.New(problemv1.Reason_REASON_PERMISSION_DENIED, "hub.mode is not subscribe, or hub.verify_token is not the source's"))
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write([]byte(query.Get("hub.challenge"))) // a client that is gone needs no answer
}

// answerChallenge answers LinkedIn's question whether the address is the app's, which it asks again
// every few hours. A code that is no UUID is refused: with the same secret LinkedIn signs its calls,
// and whoever could have any text signed here could sign a call.
func (s *Server) answerChallenge(w http.ResponseWriter, r *http.Request, params map[string]string) {
	src, p := s.source(r, params["source"], sources.LinkedIn, sources.Form)
	if p == nil && src.AppSecret.Empty() {
		p = problem.New(problemv1.Reason_REASON_PERMISSION_DENIED, "only a source of kind linkedin with an app_secret answers a challenge")
	}
	code := r.URL.Query().Get("challengeCode")
	if p == nil && !regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`).MatchString(code) {
		p = problem.New(problemv1.Reason_REASON_PERMISSION_DENIED, "challengeCode is missing, or no UUID such as LinkedIn sends")
	}
	if p != nil {
		s.fail(w, r, p)
		return
	}
	s.answer(w, r, http.StatusOK, struct {
		Code     string `json:"challengeCode"`
		Response string `json:"challengeResponse"`
	}{code, hex.EncodeToString(sign(src.AppSecret, []byte(code)))})
}

// ingestMeta takes a webhook call of Meta: 200 when every lead in it is durable, else Meta calls
// again.
func (s *Server) ingestMeta(w http.ResponseWriter, r *http.Request, params map[string]string) {
	src, body, p := s.openPost(r, params, sources.Meta)
	if p == nil {
		p = knowMeta(r, src, body)
	}
	s.ingestPost(w, r, src, body, p, capturev1.DocumentKind_DOCUMENT_KIND_META_NOTIFICATION, s.answerLeads)
}

// ingestGoogle takes a lead form of Google: 200 with {} when it is durable. The key in it goes no
// further than here.
func (s *Server) ingestGoogle(w http.ResponseWriter, r *http.Request, params map[string]string) {
	src, body, p := s.openPost(r, params, sources.Google)
	if p == nil {
		body, p = knowGoogle(r, src, body)
	}
	s.ingestPost(w, r, src, body, p, capturev1.DocumentKind_DOCUMENT_KIND_GOOGLE_FORM, func(w http.ResponseWriter, _ *http.Request, _ []*capturev1.LeadResult) {
		write(w, http.StatusOK, []byte("{}"))
	})
}

// ingestForm takes a form of any other sender.
func (s *Server) ingestForm(w http.ResponseWriter, r *http.Request, params map[string]string) {
	src, body, p := s.openPost(r, params, sources.Form, sources.LinkedIn)
	switch {
	case p != nil:
	case !src.AppSecret.Empty():
		p = knowLinkedIn(r, src, body)
	default:
		body, p = s.knowForm(r, src, body)
	}
	s.ingestPost(w, r, src, body, p, capturev1.DocumentKind_DOCUMENT_KIND_FORM, s.answerLeads)
}

// ingestSTAR takes a STAR document and answers as the sender accepts: a ConfirmBOD or JSON.
func (s *Server) ingestSTAR(w http.ResponseWriter, r *http.Request, params map[string]string) {
	src := &sources.Source{Kind: sources.STAR}
	var body []byte
	var p *problem.Error
	if _, named := params["source"]; named {
		if src, body, p = s.openPost(r, params, sources.STAR); p == nil {
			body, p = s.knowForm(r, src, body)
		}
	} else {
		body, p = readBody(r)
	}
	s.ingestPost(w, r, src, body, p, capturev1.DocumentKind_DOCUMENT_KIND_STAR, func(w http.ResponseWriter, r *http.Request, results []*capturev1.LeadResult) {
		if !acceptsXML(r.Header.Get("Accept")) {
			s.answerLeads(w, r, results)
			return
		}
		doc, _ := star.Parse(body) // what cannot be read is parked: the answer names no document then
		told := make([]star.Result, len(results))
		for i, result := range results {
			told[i] = star.Result{LeadID: result.GetLeadId(), OK: result.GetProblem() == nil, Reason: result.GetCode()}
			if result.GetProblem() != nil {
				told[i].Reason = strings.TrimPrefix(result.GetProblem().GetReason().String(), "REASON_")
			}
		}
		w.Header().Set("Content-Type", "application/xml; charset=utf-8")
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write(star.Confirm(doc, told, time.Now())) // a client that is gone needs no answer
	})
}

// acceptsXML reports whether a sender names XML before JSON.
func acceptsXML(accept string) bool {
	for part := range strings.SplitSeq(accept, ",") {
		media, _, err := mime.ParseMediaType(part)
		switch {
		case err != nil:
		case strings.HasSuffix(media, "xml"):
			return true
		case strings.HasSuffix(media, "json"):
			return false
		}
	}
	return false
}

// openPost finds the source of a request and reads its body.
func (s *Server) openPost(r *http.Request, params map[string]string, kinds ...sources.Kind) (*sources.Source, []byte, *problem.Error) {
	src, p := s.source(r, params["source"], kinds...)
	if p != nil {
		return nil, nil, p
	}
	raw, p := readBody(r)
	return src, raw, p
}

func readBody(r *http.Request) ([]byte, *problem.Error) { return r.Body.(*body).read() }

// ingestPost passes a body that its source has sent to Capture and answers. Where nothing could be
// stored for a reason that passes the answer is that reason; a single lead that is refused for good
// is answered as refused.
func (s *Server) ingestPost(w http.ResponseWriter, r *http.Request, src *sources.Source, body []byte, p *problem.Error,
	kind capturev1.DocumentKind, answer func(http.ResponseWriter, *http.Request, []*capturev1.LeadResult),
) {
	if p == nil && len(bytes.TrimSpace(body)) == 0 {
		p = problem.New(problemv1.Reason_REASON_UNREADABLE_BODY, "the body is empty")
	}
	if p != nil {
		s.fail(w, r, p)
		return
	}
	r = s.as(r, src)
	results, p := s.pass(r, &capturev1.IngestRequest{Kind: kind, Body: body, Intake: src.Name})
	if p == nil && len(results) > 0 { // none: the call told of no lead
		p = nothingStored(results)
	}
	if p == nil && len(results) == 1 && results[0].GetProblem() != nil {
		p = problem.FromProto(results[0].GetProblem())
	}
	if p == nil && kind == capturev1.DocumentKind_DOCUMENT_KIND_META_NOTIFICATION {
		p = notAllStored(results)
	}
	if p != nil {
		s.fail(w, r, p)
		return
	}
	answer(w, r, results)
}

// notAllStored is the problem of a call that must come again as a whole, since its sender looks at
// the status only.
func notAllStored(results []*capturev1.LeadResult) *problem.Error {
	for _, result := range results {
		if result.GetProblem() != nil && passing(result.GetProblem().GetReason()) {
			return problem.FromProto(result.GetProblem())
		}
	}
	return nil
}
