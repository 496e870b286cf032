package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
)

// Routes of the gateway itself.
const (
	healthRoute   = "/healthz"
	metricsRoute  = "/metrics"
	documentRoute = "/openapi.yaml"
	eventsRoute   = "/v1/events" // of http.yaml; its requests may wait
)

// newMux registers the routes of http.yaml, then the gateway's own, which win where both match.
func (s *Server) newMux(deps Deps) (*runtime.ServeMux, error) {
	none := func(string) (string, bool) { return "", false }
	mux := runtime.NewServeMux(
		runtime.WithMarshalerOption(runtime.MIMEWildcard, newCodec()),
		runtime.WithMiddlewares(s.admit),
		runtime.WithErrorHandler(func(_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, err error) {
			s.fail(w, r, err)
		}),
		runtime.WithRoutingErrorHandler(s.unrouted),
		// No header of a request becomes metadata of a call, and none of an answer a header.
		runtime.WithIncomingHeaderMatcher(none), runtime.WithOutgoingHeaderMatcher(none), runtime.WithOutgoingTrailerMatcher(none),
		runtime.WithDisablePathLengthFallback(), runtime.WithDisableHTTPMethodOverride(),
		runtime.WithWriteContentLength(),
	)
	ctx := context.Background()
	err := errors.Join(
		capturev1.RegisterCaptureServiceHandlerClient(ctx, mux, s.capture),
		identityv1.RegisterIdentityServiceHandlerClient(ctx, mux, identityv1.NewIdentityServiceClient(acting{deps.Identity})),
		identityv1.RegisterReviewServiceHandlerClient(ctx, mux, identityv1.NewReviewServiceClient(acting{deps.Identity})),
		identityv1.RegisterMatchingServiceHandlerClient(ctx, mux, identityv1.NewMatchingServiceClient(acting{deps.Identity})),
		scoringv1.RegisterScoringServiceHandlerClient(ctx, mux, scoringv1.NewScoringServiceClient(acting{deps.Scoring})),
		scoringv1.RegisterModelServiceHandlerClient(ctx, mux, scoringv1.NewModelServiceClient(acting{deps.Scoring})),
		scoringv1.RegisterModelReportServiceHandlerClient(ctx, mux, scoringv1.NewModelReportServiceClient(acting{deps.Scoring})),
		scoringv1.RegisterRescoringServiceHandlerClient(ctx, mux, scoringv1.NewRescoringServiceClient(acting{deps.Scoring})),
		routingv1.RegisterRoutingServiceHandlerClient(ctx, mux, s.routing),
		feedbackv1.RegisterFeedbackServiceHandlerClient(ctx, mux, feedbackv1.NewFeedbackServiceClient(acting{deps.Feedback})),

		mux.HandlePath(http.MethodPost, "/v1/leads", s.ingestOne),
		mux.HandlePath(http.MethodPost, "/v1/leads:batch", s.ingestMany(capturev1.DocumentKind_DOCUMENT_KIND_LEAD_BATCH)),
		mux.HandlePath(http.MethodPost, "/v1/adf", s.ingestMany(capturev1.DocumentKind_DOCUMENT_KIND_ADF)),
		mux.HandlePath(http.MethodPost, "/v1/adf:validate", s.validateADF),
		mux.HandlePath(http.MethodGet, "/v1/meta/{source}", s.shakeHands),
		mux.HandlePath(http.MethodPost, "/v1/meta/{source}", s.ingestMeta),
		mux.HandlePath(http.MethodPost, "/v1/google/{source}", s.ingestGoogle),
		mux.HandlePath(http.MethodGet, "/v1/forms/{source}", s.answerChallenge),
		mux.HandlePath(http.MethodPost, "/v1/forms/{source}", s.ingestForm),
		mux.HandlePath(http.MethodPost, "/v1/star", s.ingestSTAR),
		mux.HandlePath(http.MethodPost, "/v1/star/{source}", s.ingestSTAR),
		mux.HandlePath(http.MethodGet, "/v1/leads/{lead_id}/receipt", s.receipt),
		mux.HandlePath(http.MethodGet, "/v1/codes", s.codes),
		mux.HandlePath(http.MethodGet, healthRoute, s.health),
		mux.HandlePath(http.MethodGet, metricsRoute, func(w http.ResponseWriter, r *http.Request, _ map[string]string) {
			s.tel.MetricsHandler().ServeHTTP(w, r)
		}),
		mux.HandlePath(http.MethodGet, documentRoute, func(w http.ResponseWriter, _ *http.Request, _ map[string]string) {
			w.Header().Set("Content-Type", "application/yaml")
			_, _ = w.Write(s.document) // a client that is gone needs no answer
		}),
	)
	if err != nil {
		return nil, fmt.Errorf("register the REST routes: %w", err)
	}
	return mux, nil
}

// enter refuses what no route could take, then finds the route.
func (s *Server) enter(w http.ResponseWriter, r *http.Request) {
	if p := s.guard(r); p != nil {
		s.fail(w, r, p)
		return
	}
	r.Header.Del("Grpc-Timeout") // or the mux would take its deadline from it
	if r.Method == http.MethodHead {
		get := *r // net/http itself leaves the body out, and looks at the original for that
		get.Method = http.MethodGet
		r = &get
	}
	s.mux.ServeHTTP(w, r)
}

// admit stands before every route: it names the route, lets the caller in, and refuses queries,
// content types and sizes that the OpenAPI document does not allow.
func (s *Server) admit(next runtime.HandlerFunc) runtime.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request, params map[string]string) {
		x, path := exchangeOf(r.Context()), pathOf(r.Context())
		x.route = path
		caller, err := s.authenticate(r, path)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		x.caller = caller.String()
		r = r.WithContext(rpc.WithCaller(r.Context(), caller))
		if p := s.routes.check(r, path, s.cfg.MaxBody); p != nil {
			s.fail(w, r, p)
			return
		}
		b := &body{
			ReadCloser: http.MaxBytesReader(w, r.Body, s.cfg.MaxBody),
			length:     r.ContentLength, limit: s.cfg.MaxBody, within: s.cfg.ReadLimit, budget: &s.budget,
		}
		r.Body = b
		if path != healthRoute && path != metricsRoute { // who watches a house in distress is let in
			if p := s.budget.enter(); p != nil {
				s.fail(w, r, p)
				return
			}
			defer func() { s.budget.leave(b.held) }()
		}
		next(w, r, params)
	}
}

// pathOf is the path of the matched route as the OpenAPI document writes it.
func pathOf(ctx context.Context) string {
	pattern, _ := runtime.HTTPPattern(ctx)
	return strings.ReplaceAll(pattern.String(), "=*}", "}")
}

// authenticate finds the caller. A probe and the document need none, senders of forms show themselves
// later; metrics need one beyond loopback.
func (s *Server) authenticate(r *http.Request, path string) (rpc.Caller, error) {
	caller, ok := s.cfg.Tokens.Caller(r.Header.Get("Authorization"))
	switch {
	case path == healthRoute, path == documentRoute, path == metricsRoute && s.loopback && rpc.NamesThisMachine(r.Host), ofSource(path):
		return caller, nil
	case !ok:
		return caller, problem.New(problemv1.Reason_REASON_UNAUTHENTICATED, "send a bearer token in the authorization header")
	case path == metricsRoute && !caller.Has(rpc.RoleOps):
		return caller, problem.New(problemv1.Reason_REASON_PERMISSION_DENIED, "metrics need a token with the role ops")
	}
	return caller, nil
}

// unrouted answers for paths and methods that do not exist.
func (s *Server) unrouted(_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, code int) {
	if verbs := s.routes.verbs(r.URL.Path); len(verbs) > 0 && (code == http.StatusNotFound || code == http.StatusMethodNotAllowed && r.Method == http.MethodPost) {
		s.fail(w, r, problem.New(problemv1.Reason_REASON_NOT_FOUND, "there is no such verb here; there are %s", strings.Join(verbs, ", ")))
		return
	}
	switch code {
	case http.StatusMethodNotAllowed:
		allow := strings.Join(s.routes.methods(r.URL.Path), ", ")
		w.Header().Set("Allow", allow)
		s.failAs(w, r, code, problem.New(problemv1.Reason_REASON_INVALID_ARGUMENT, "this address takes %s only", allow))
	case http.StatusNotFound:
		s.fail(w, r, problem.New(problemv1.Reason_REASON_NOT_FOUND, "no such address; %s lists them", documentRoute))
	default:
		s.fail(w, r, problem.New(problemv1.Reason_REASON_INVALID_ARGUMENT, "the path is malformed"))
	}
}

// health answers a probe: 200 while the process works and takes requests, else 503. What is wrong
// is told on loopback and to callers with the role ops.
func (s *Server) health(w http.ResponseWriter, r *http.Request, _ map[string]string) {
	if s.draining.Load() {
		s.fail(w, r, problem.New(problemv1.Reason_REASON_DRAINING, "the server is going away"))
		return
	}
	if s.healthy != nil {
		ctx, cancel := context.WithTimeout(r.Context(), time.Second)
		defer cancel()
		if err := s.healthy(ctx); err != nil {
			p := problem.New(problemv1.Reason_REASON_NOT_READY, "a part of the system does not work").Because(err)
			if s.loopback || rpc.CallerFrom(r.Context()).Has(rpc.RoleOps) {
				p.Message += ": " + err.Error()
			}
			s.fail(w, r, p)
			return
		}
	}
	s.answer(w, r, http.StatusOK, struct {
		Status  string `json:"status"`
		Version string `json:"version,omitempty"`
	}{"ok", s.cfg.Version})
}

// answer writes a plain value as JSON.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, code int, v any) {
	raw, err := json.Marshal(v)
	if err != nil {
		s.fail(w, r, problem.Internal(err))
		return
	}
	write(w, code, raw)
}

// write sends a JSON answer.
func write(w http.ResponseWriter, code int, raw []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write(raw) // a client that is gone needs no answer
}

// queryOf reads the query strictly: what url.Query drops in silence is an error.
func queryOf(u *url.URL) (url.Values, bool) {
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, false
	}
	for key, list := range values {
		for _, v := range append(list, key) {
			if !utf8.ValidString(v) || strings.ContainsFunc(v, control) {
				return nil, false
			}
		}
	}
	return values, true
}
