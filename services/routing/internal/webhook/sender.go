// Package webhook sends signed events to addresses that dealers gave: signing after Standard
// Webhooks 1.0, addresses that may be sent to, waits between attempts, and the gate that keeps an
// endpoint that hangs or fails from slowing others.
package webhook

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

const (
	secretPrefix = "whsec_"
	leastSecret  = 24 // bytes
	mostSecret   = 64
	madeSecret   = 32

	contentType = "application/cloudevents+json; charset=utf-8"
	answerLimit = 64 << 10 // bytes of an answer that are read
	maxURL      = 2_000
)

// NewSecret makes a signing secret.
func NewSecret() string {
	key := make([]byte, madeSecret)
	rand.Read(key) // never fails
	return secretPrefix + base64.StdEncoding.EncodeToString(key)
}

// CheckSecret reports what is wrong with a secret: it is whsec_ and base64 of 24 to 64 bytes.
func CheckSecret(secret string) error {
	text, ok := strings.CutPrefix(secret, secretPrefix)
	key, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil || len(key) < leastSecret || len(key) > mostSecret {
		return fmt.Errorf("must be %s and base64 of %d to %d bytes", secretPrefix, leastSecret, mostSecret)
	}
	return nil
}

// Network says which addresses may be sent to.
type Network struct {
	Loopback bool // this machine
	Private  bool // private networks, and everything else that is not the open internet
}

// CheckURL reports what is wrong with an address: https, http on loopback only, no user name, no
// literal address that may not be sent to. What a name resolves to is checked at each sending.
func (n Network) CheckURL(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "" || len(raw) > maxURL:
		return errors.New("must be an address such as https://crm.example.com/leads")
	case u.User != nil:
		return errors.New("must not carry a user name or password; deliveries are signed instead")
	case u.Fragment != "":
		return errors.New("must not have a fragment")
	case u.Scheme != "https" && u.Scheme != "http":
		return errors.New("must begin with https://")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return errors.New("must begin with https://; http is for loopback only")
	}
	if addr, err := netip.ParseAddr(u.Hostname()); err == nil {
		return n.allow(addr, u.Hostname())
	}
	if isLoopback(u.Hostname()) && !n.Loopback {
		return errBarred
	}
	return nil
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

var errBarred = errors.New("leads into a private network, where no webhook is sent to")

// allow reports why an address may not be sent to. Loopback must be meant: a public name that
// leads there is an attack.
func (n Network) allow(addr netip.Addr, host string) error {
	addr = addr.Unmap()
	switch {
	case addr.IsLoopback():
		if n.Loopback && isLoopback(host) {
			return nil
		}
	case n.Private && !addr.IsUnspecified() && !addr.IsMulticast():
		return nil
	case addr.IsGlobalUnicast() && !addr.IsPrivate() && !barred(addr):
		return nil
	}
	return errBarred
}

// barred holds for ranges that are global by form but lead nowhere public: carrier-grade NAT,
// this-network, benchmarks, translation prefixes that wrap an IPv4 address, reserved.
func barred(addr netip.Addr) bool {
	for _, p := range []string{"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "198.18.0.0/15", "240.0.0.0/4", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16"} {
		if netip.MustParsePrefix(p).Contains(addr) {
			return true
		}
	}
	return false
}

// Message is one signed sending.
type Message struct {
	ID     string // the same over all attempts
	URL    string
	Secret string
	Body   []byte
	At     time.Time
}

// Answer is what an endpoint said.
type Answer struct {
	Status       int           // 0: none came
	Word         string        // status or cause in one word, without personal data
	RetryAfter   time.Duration // 0: it did not say
	Acknowledged bool          // it says that somebody, or a bot, answered the customer
}

// Delivered reports whether the endpoint took the message.
func (a Answer) Delivered() bool { return a.Status/100 == 2 }

// Gone reports whether the endpoint wants no more messages.
func (a Answer) Gone() bool { return a.Status == http.StatusGone }

// Unwell reports whether the endpoint itself is the trouble, not the message.
func (a Answer) Unwell() bool {
	return a.Status == 0 || a.Status >= 500 || a.Status == http.StatusTooManyRequests
}

// Later reports whether the endpoint asks to come back after a while.
func (a Answer) Later() bool {
	switch a.Status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return a.RetryAfter > 0
	}
	return false
}

// Sender sends messages. Safe for concurrent use.
type Sender struct {
	client *http.Client
}

// NewSender makes a sender; an attempt takes no longer than timeout.
func NewSender(n Network, timeout time.Duration) *Sender {
	transport := &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			host, _, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			d := net.Dialer{Timeout: timeout, Control: func(_, resolved string, _ syscall.RawConn) error {
				ap, err := netip.ParseAddrPort(resolved)
				if err != nil {
					return errBarred
				}
				return n.allow(ap.Addr(), host)
			}}
			return d.DialContext(ctx, network, address)
		},
		MaxIdleConns: 256, MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute,
		TLSHandshakeTimeout: timeout, ResponseHeaderTimeout: timeout, MaxResponseHeaderBytes: 64 << 10, ForceAttemptHTTP2: true,
	}
	return &Sender{client: &http.Client{
		Transport: transport, Timeout: timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Send sends a message once. Whatever goes wrong is in the answer.
func (s *Sender) Send(ctx context.Context, m Message) Answer {
	hook, err := standardwebhooks.NewWebhook(m.Secret)
	if err != nil {
		return Answer{Word: "bad_secret"}
	}
	signature, err := hook.Sign(m.ID, m.At, m.Body)
	if err != nil {
		return Answer{Word: "bad_secret"}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.URL, bytes.NewReader(m.Body))
	if err != nil {
		return Answer{Word: "bad_url"}
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("User-Agent", "leadmesh")
	req.Header.Set(standardwebhooks.HeaderWebhookID, m.ID)
	req.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(m.At.Unix(), 10))
	req.Header.Set(standardwebhooks.HeaderWebhookSignature, signature)
	resp, err := s.client.Do(req)
	if err != nil {
		return Answer{Word: cause(err)}
	}
	defer resp.Body.Close()
	a := Answer{Status: resp.StatusCode, Word: strconv.Itoa(resp.StatusCode), RetryAfter: retryAfter(resp.Header.Get("Retry-After"), m.At)}
	// A body that cannot be read does not take back what the status said.
	body, err := io.ReadAll(io.LimitReader(resp.Body, answerLimit))
	var said struct {
		Acknowledged bool `json:"acknowledged"`
	}
	if err == nil && a.Delivered() && json.Unmarshal(body, &said) == nil {
		a.Acknowledged = said.Acknowledged
	}
	return a
}

// cause is an error as one word: texts of errors name addresses.
func cause(err error) string {
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.Is(err, errBarred):
		return "barred"
	case errors.As(err, &dns):
		return "unknown_host"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case errors.Is(err, context.Canceled):
		return "stopped"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case strings.Contains(err.Error(), "tls:"), strings.Contains(err.Error(), "x509:"):
		return "tls"
	}
	return "broken"
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
