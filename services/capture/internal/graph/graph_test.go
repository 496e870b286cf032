package graph

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestSlowServersAreBounded: a server that answers late, byte by byte or without end takes no more of
// the caller's time and memory than a call may, and what it says is worth asking for again.
func TestSlowServersAreBounded(t *testing.T) {
	trickle := func(w http.ResponseWriter, r *http.Request) {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-r.Context().Done():
				return
			case <-tick.C:
				_, _ = w.Write([]byte(" "))
				w.(http.Flusher).Flush()
			}
		}
	}
	for name, tt := range map[string]struct {
		serve http.HandlerFunc
		limit time.Duration
	}{
		"says nothing": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, 200 * time.Millisecond},
		"byte by byte": {trickle, 200 * time.Millisecond},
		"slow the second time": {func(w http.ResponseWriter, r *http.Request) {
			if !strings.Contains(r.URL.RawQuery, "custom_disclaimer_responses") {
				trickle(w, r)
				return
			}
			w.WriteHeader(http.StatusBadRequest)
			_, _ = fmt.Fprint(w, `{"error":{"code":100}}`)
		}, 200 * time.Millisecond},
		"without end": {func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		}, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(tt.serve)
			defer server.Close()
			c := New()
			c.limit = tt.limit
			start := time.Now()
			_, err := c.Lead(t.Context(), Request{URL: server.URL, Version: "v1.0", LeadID: "1", Token: "page-token", AppSecret: "s"})
			var e *Error
			if !errors.As(err, &e) || e.Failure != Unavailable || strings.Contains(e.Error(), "page-token") {
				t.Errorf("%v", err)
			}
			if took := time.Since(start); took > 30*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}

// TestTheCallersEndIsNoFailure: a process that ends asks again later, without a mark on the form.
func TestTheCallersEndIsNoFailure(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := New().Lead(ctx, Request{URL: server.URL, Version: "v1.0", LeadID: "1"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

// TestTheTokenGoesNowhereElse: a redirect is not followed.
func TestTheTokenGoesNowhereElse(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") }))
	defer elsewhere.Close()
	server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusFound))
	defer server.Close()
	if body, err := New().Lead(t.Context(), Request{URL: server.URL, Version: "v1.0", LeadID: "1", Token: "page-token"}); err == nil {
		t.Errorf("%s", body)
	}
}
