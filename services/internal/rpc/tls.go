package rpc

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// Certificates are a key pair and the authorities it trusts, read from files and read again when
// the files change. Safe for concurrent use.
type Certificates struct {
	certFile, keyFile string
	pool              *x509.CertPool

	mu      sync.Mutex
	checked time.Time
	changed time.Time
	pair    *tls.Certificate
}

// recheck is how often the files are looked at, at most.
const recheck = 10 * time.Second

// ReadCertificates reads a PEM key pair and, if caFile is not empty, the authorities that sign the
// other side.
func ReadCertificates(certFile, keyFile, caFile string) (*Certificates, error) {
	c := &Certificates{certFile: certFile, keyFile: keyFile}
	if caFile != "" {
		raw, err := os.ReadFile(caFile)
		if err != nil {
			return nil, fmt.Errorf("read the certificate authority: %w", err)
		}
		c.pool = x509.NewCertPool()
		if !c.pool.AppendCertsFromPEM(raw) {
			return nil, errors.New("the certificate authority file holds no PEM certificate")
		}
	}
	if _, err := c.current(time.Now()); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *Certificates) current(now time.Time) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pair != nil && now.Sub(c.checked) < recheck {
		return c.pair, nil
	}
	c.checked = now
	info, err := os.Stat(c.certFile)
	if err == nil && (c.pair == nil || info.ModTime().After(c.changed)) {
		var pair tls.Certificate
		if pair, err = tls.LoadX509KeyPair(c.certFile, c.keyFile); err == nil {
			c.pair, c.changed = &pair, info.ModTime()
		}
	}
	if c.pair == nil {
		return nil, fmt.Errorf("read the certificate: %w", err)
	}
	return c.pair, nil // a broken new file does not take a working pair away
}

// Server is the configuration of a listener. With mutual, callers must show a certificate of the
// trusted authorities.
func (c *Certificates) Server(mutual bool) *tls.Config {
	cfg := &tls.Config{
		MinVersion:     tls.VersionTLS13,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current(time.Now()) },
		NextProtos:     []string{"h2", "http/1.1"},
	}
	if mutual {
		cfg.ClientAuth = tls.RequireAndVerifyClientCert
		cfg.ClientCAs = c.pool
	}
	return cfg
}

// Client is the configuration of a connection to a service of the house.
func (c *Certificates) Client(service string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		ServerName: CertificateName(service),
		RootCAs:    c.pool,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return c.current(time.Now())
		},
	}
}
