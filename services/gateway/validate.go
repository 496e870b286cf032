package gateway

import (
	"mime"
	"net/http"

	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
)

// mailType is the content type of an e-mail as received.
const mailType = "message/rfc822"

// adfKind tells an ADF document from a mail with such documents by the content type.
func adfKind(h http.Header) capturev1.DocumentKind {
	if media, _, err := mime.ParseMediaType(h.Get("Content-Type")); err == nil && media == mailType {
		return capturev1.DocumentKind_DOCUMENT_KIND_MAIL
	}
	return capturev1.DocumentKind_DOCUMENT_KIND_ADF
}

// validateADF passes a document to Capture to be explained.
func (s *Server) validateADF(w http.ResponseWriter, r *http.Request, _ map[string]string) {
	raw, p := r.Body.(*body).read()
	if p != nil {
		s.fail(w, r, p)
		return
	}
	resp, err := s.capture.ValidateDocument(r.Context(), &capturev1.ValidateDocumentRequest{Kind: adfKind(r.Header), Body: raw, Source: r.URL.Query().Get("source")})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	out, err := newCodec().Marshal(resp)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	write(w, http.StatusOK, out)
}
