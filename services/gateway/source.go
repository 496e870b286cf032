package gateway

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/leadmesh/leadmesh/core/form"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"github.com/leadmesh/leadmesh/services/internal/sources"
)

// Senders of forms hold no bearer token: each shows that it is itself in the way that its platform
// has, which the sources file declares.

// sourcePrefixes begin the routes of senders.
var sourcePrefixes = [...]string{"/v1/meta/", "/v1/google/", "/v1/forms/", "/v1/star/"}

// ofSource reports whether a path is a sender's, who is authenticated with the body in hand.
func ofSource(path string) bool {
	for _, prefix := range sourcePrefixes {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}

// sources are the senders that are declared; nil if no file is given.
func (s *Server) sources() *sources.File {
	if s.cfg.Sources == nil {
		return nil
	}
	return s.cfg.Sources()
}

// crossSite reports whether a page of another site may post to a path: a form of a source that shows
// a key of its own holds nothing that the page would borrow from whoever looks at it.
func (s *Server) crossSite(path string) bool {
	name, ok := strings.CutPrefix(path, "/v1/forms/")
	src := s.sources().Find(name)
	return ok && src != nil && src.Auth.By != "" && src.Auth.By != sources.ByNone
}

// source finds the sender that a request is addressed to. Without a sources file every name is one,
// for callers that a bearer token or loopback lets in.
func (s *Server) source(r *http.Request, name string, kinds ...sources.Kind) (*sources.Source, *problem.Error) {
	file := s.sources()
	if file == nil {
		if len(rpc.CallerFrom(r.Context()).Roles) == 0 {
			return nil, problem.New(problemv1.Reason_REASON_UNAUTHENTICATED, "send a bearer token, or declare the source in the file of --sources")
		}
		if name == "" || len(name) > 64 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_.-") != "" {
			return nil, problem.New(problemv1.Reason_REASON_NOT_FOUND, "the name of a source has small letters, digits, -, _ and .")
		}
		return &sources.Source{Name: name, Kind: kinds[0]}, nil
	}
	src := file.Find(name)
	if src == nil {
		return nil, problem.New(problemv1.Reason_REASON_NOT_FOUND, "the sources file has no source of this name")
	}
	for _, k := range kinds {
		if src.Kind == k {
			return src, nil
		}
	}
	return nil, problem.New(problemv1.Reason_REASON_NOT_FOUND, "this source is of kind %s, which has another address", src.Kind)
}

// declared reports whether a source comes from a file, so that its own authentication counts.
func declared(src *sources.Source) bool {
	return src.Auth.By != "" || len(src.Keys) > 0 || !src.AppSecret.Empty()
}

// as lets a request in as a source. A caller with a bearer token stays who it is.
func (s *Server) as(r *http.Request, src *sources.Source) *http.Request {
	if !declared(src) || s.bearer(r) {
		return r
	}
	caller := rpc.Caller{Name: "source:" + src.Name, Roles: []rpc.Role{rpc.RoleOEM}, Test: src.Spec.Test}
	exchangeOf(r.Context()).caller = caller.String()
	return r.WithContext(rpc.WithCaller(r.Context(), caller))
}

// bearer reports whether the caller has shown a token of the tokens file.
func (s *Server) bearer(r *http.Request) bool {
	if s.cfg.Tokens.Open() || r.Header.Get("Authorization") == "" {
		return false
	}
	_, ok := s.cfg.Tokens.Caller(r.Header.Get("Authorization"))
	return ok
}

func notItself(format string, args ...any) *problem.Error {
	return problem.New(problemv1.Reason_REASON_UNAUTHENTICATED, format, args...)
}

// signed checks the signature over a body as it came.
func signed(secret sources.Secret, body []byte, signature, prefix, encoding string) bool {
	text, ok := strings.CutPrefix(strings.TrimSpace(signature), prefix)
	if !ok || secret.Empty() {
		return false
	}
	have, err := hex.DecodeString(text)
	if encoding == "base64" {
		have, err = base64.StdEncoding.DecodeString(text)
	}
	return err == nil && hmac.Equal(have, sign(secret, body))
}

// sign is the HMAC-SHA256 of a text that comes in parts.
func sign(secret sources.Secret, parts ...[]byte) []byte {
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	for _, part := range parts {
		mac.Write(part)
	}
	return mac.Sum(nil)
}

// knowLinkedIn checks the signature of a webhook call of LinkedIn, which is made over the body behind
// the name of its algorithm; that name comes before it in the header too, or does not.
func knowLinkedIn(r *http.Request, src *sources.Source, body []byte) *problem.Error {
	const header, algorithm = "X-LI-Signature", "hmacsha256="
	text := strings.TrimPrefix(strings.TrimSpace(r.Header.Get(header)), algorithm)
	have, err := hex.DecodeString(text)
	if err == nil && (hmac.Equal(have, sign(src.AppSecret, []byte(algorithm), body)) || hmac.Equal(have, sign(src.AppSecret, body))) {
		return nil
	}
	return notItself("%s is missing, or is not the signature of this body", header)
}

// knowMeta checks the signature of a webhook call of Meta.
func knowMeta(r *http.Request, src *sources.Source, body []byte) *problem.Error {
	const header = "X-Hub-Signature-256"
	if !declared(src) || signed(src.AppSecret, body, r.Header.Get(header), "sha256=", "hex") {
		return nil
	}
	return notItself("%s is missing, or is not the signature of this body", header)
}

// knowGoogle checks the key in a lead form of Google and returns the body without it.
func knowGoogle(r *http.Request, src *sources.Source, body []byte) ([]byte, *problem.Error) {
	keys, rest := form.Without(r.Header.Get("Content-Type"), body, "google_key")
	if !declared(src) {
		return rest, nil
	}
	var ids struct {
		FormID json.RawMessage `json:"form_id"`
	}
	_ = json.Unmarshal(body, &ids) // a body that is no JSON holds no key either
	if len(keys) != 1 || !src.CheckKey(strings.Trim(string(ids.FormID), `"`), keys[0]) {
		return nil, notItself("google_key is missing, or is not the key of this form")
	}
	return rest, nil
}

// knowForm checks a post by what its source declares and returns the body without a key in it.
func (s *Server) knowForm(r *http.Request, src *sources.Source, body []byte) ([]byte, *problem.Error) {
	a := &src.Auth
	ok := false
	rest := body
	switch a.By {
	case "":
		return body, nil // no file: a token or loopback has let it in
	case sources.ByNone:
		if !s.loopback {
			return nil, problem.New(problemv1.Reason_REASON_PERMISSION_DENIED, "this source shows nothing of itself, which is for loopback only")
		}
		return body, nil
	case sources.ByKey:
		var keys []string
		switch a.In {
		case "header":
			keys = r.Header.Values(a.Name)
		case "query":
			keys = r.URL.Query()[a.Name]
		default:
			keys, rest = form.Without(r.Header.Get("Content-Type"), body, a.Name)
		}
		ok = len(keys) == 1 && a.Secret.Is(keys[0])
	case sources.ByHMAC:
		ok = signed(a.Secret, body, r.Header.Get(a.Name), a.Prefix, a.Encoding)
	case sources.ByBasic:
		user, password, found := r.BasicAuth()
		same := sources.NewSecret(a.User).Is(user)
		ok = a.Secret.Is(password) && same && found
	}
	if ok || s.bearer(r) {
		return rest, nil
	}
	return nil, notItself("this source shows itself by %s, which is missing or wrong", a.By)
}
