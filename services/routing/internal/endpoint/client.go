// Package endpoint holds what pushes of every kind share: addresses that may be sent to, what an
// answer means, waits between attempts, and the gate that keeps an endpoint that hangs or fails from
// slowing others.
package endpoint

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"sync"
	"time"
)

const answerLimit = 64 << 10 // bytes of an answer that are read

// Client posts to endpoints. Safe for concurrent use.
type Client struct {
	http *http.Client
}

// NewClient makes a client; an attempt takes no longer than timeout.
func NewClient(n Network, timeout time.Duration) *Client {
	transport := &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			host, _, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			d := net.Dialer{Timeout: timeout, Control: n.control(host)}
			return d.DialContext(ctx, network, address)
		},
		MaxIdleConns: 256, MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute,
		TLSHandshakeTimeout: timeout, ResponseHeaderTimeout: timeout, MaxResponseHeaderBytes: 64 << 10, ForceAttemptHTTP2: true,
	}
	return &Client{http: &http.Client{
		Transport: transport, Timeout: timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Post posts a body once and answers what came back, with the body of the answer as far as it could
// be read. Whatever goes wrong is in the answer. A header field of several values is sent as such.
func (c *Client) Post(ctx context.Context, url string, header http.Header, body []byte, at time.Time) (Answer, []byte) {
	a := Answer{Unwell: true}
	start, w := time.Now(), watcher{}
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, w.trace()), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		a.Word = WordBadAddress
		return a, nil
	}
	for k, v := range header {
		req.Header[k] = v
	}
	req.Header.Set("User-Agent", "leadmesh")
	resp, err := c.http.Do(req)
	if err != nil {
		w.tell(&a, start)
		a.Word = Cause(err)
		return a, nil
	}
	defer resp.Body.Close()
	a.Status, a.Word = resp.StatusCode, strconv.Itoa(resp.StatusCode)
	a.Unwell = a.Status >= 500 || a.Status == http.StatusTooManyRequests
	switch {
	case a.Status/100 == 2:
		a.Outcome = Taken
	case a.Status == http.StatusGone:
		a.Outcome = Gone
	}
	switch a.Status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		a.RetryAfter = retryAfter(resp.Header.Get("Retry-After"), at)
	}
	// A body that cannot be read does not take back what the status said.
	said, err := io.ReadAll(io.LimitReader(resp.Body, answerLimit))
	w.tell(&a, start)
	a.Reached, a.Said = true, beginning(said)
	if err != nil {
		return a, nil
	}
	return a, said
}

// watcher notes the parts of an attempt, and whether the message went out. Dials that lost their
// race may go on telling after the attempt has ended.
type watcher struct {
	mu                     sync.Mutex
	lookup, connect, shake time.Time
	timings                Timings
	wrote                  bool
}

func (w *watcher) trace() *httptrace.ClientTrace {
	begin := func(at *time.Time) {
		w.mu.Lock()
		defer w.mu.Unlock()
		*at = time.Now()
	}
	end := func(took *time.Duration, from *time.Time) {
		w.mu.Lock()
		defer w.mu.Unlock()
		*took = time.Since(*from)
	}
	return &httptrace.ClientTrace{
		DNSStart:          func(httptrace.DNSStartInfo) { begin(&w.lookup) },
		DNSDone:           func(httptrace.DNSDoneInfo) { end(&w.timings.Lookup, &w.lookup) },
		ConnectStart:      func(string, string) { begin(&w.connect) },
		ConnectDone:       func(string, string, error) { end(&w.timings.Connect, &w.connect) },
		TLSHandshakeStart: func() { begin(&w.shake) },
		TLSHandshakeDone:  func(tls.ConnectionState, error) { end(&w.timings.TLS, &w.shake) },
		WroteHeaders: func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.wrote = true
		},
	}
}

// tell writes what was noted into an answer.
func (w *watcher) tell(a *Answer, start time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	a.Timings, a.Reached = w.timings, w.wrote
	a.Timings.Total = time.Since(start)
}

// beginning is the start of an answer that a person can read.
func beginning(said []byte) string {
	const most = 500
	text := strings.ToValidUTF8(string(said[:min(len(said), most)]), "")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, text))
}

// retryAfter reads seconds or a date; nothing longer than a day.
func retryAfter(text string, now time.Time) time.Duration {
	if text == "" {
		return 0
	}
	var d time.Duration
	if n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64); err == nil {
		d = time.Duration(min(n, 86_400)) * time.Second
	} else if t, err := http.ParseTime(text); err == nil {
		d = t.Sub(now)
	}
	return min(max(d, 0), 24*time.Hour)
}
