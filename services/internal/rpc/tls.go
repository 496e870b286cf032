package rpc

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/credentials"
)

// Certificates are a key pair and the authorities it trusts, read from files. New handshakes use
// what a [Reloader] took up last; connections that exist live on. Safe for concurrent use.
type Certificates struct {
	current atomic.Pointer[identity]
}

// identity is what one handshake needs.
type identity struct {
	pair *tls.Certificate
	pool *x509.CertPool // nil without authorities
}

// ReadCertificates reads a PEM key pair and, if caFile is not empty, the authorities that sign the
// other side.
func ReadCertificates(certFile, keyFile, caFile string) (*Certificates, error) {
	c := &Certificates{}
	var contents [][]byte
	for _, path := range []string{certFile, keyFile, caFile} {
		if path == "" {
			continue
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read the certificate: %w", err)
		}
		contents = append(contents, raw)
	}
	return c, c.use(contents)
}

// use puts a certificate, its key and, if there is a third content, authorities in force.
func (c *Certificates) use(contents [][]byte) error {
	pair, err := tls.X509KeyPair(contents[0], contents[1])
	if err != nil {
		return fmt.Errorf("read the certificate: %w", err)
	}
	next := &identity{pair: &pair}
	if len(contents) > 2 {
		next.pool = x509.NewCertPool()
		if !next.pool.AppendCertsFromPEM(contents[2]) {
			return errors.New("the certificate authority file holds no PEM certificate")
		}
	}
	c.current.Store(next)
	return nil
}

// Expiry is when the certificate in force ends.
func (c *Certificates) Expiry() time.Time {
	pair := c.current.Load().pair
	if pair.Leaf == nil {
		return time.Time{}
	}
	return pair.Leaf.NotAfter
}

// Server is the configuration of a listener. With mutual, callers must show a certificate of the
// trusted authorities.
func (c *Certificates) Server(mutual bool) *tls.Config {
	cfg := &tls.Config{
		MinVersion:     tls.VersionTLS13,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current.Load().pair, nil },
		NextProtos:     []string{"h2", "http/1.1"},
	}
	if !mutual {
		return cfg
	}
	demanding := func() *tls.Config {
		next := cfg.Clone()
		next.ClientAuth = tls.RequireAndVerifyClientCert
		next.ClientCAs = c.current.Load().pool
		// A resumed session would not be verified again by authorities that changed meanwhile.
		next.SessionTicketsDisabled = true
		return next
	}
	outer := demanding()
	outer.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return demanding(), nil }
	return outer
}

// Client is how connections to a service of the house are secured.
func (c *Certificates) Client(service string) credentials.TransportCredentials {
	return dialing{c.client(service), func() credentials.TransportCredentials { return c.client(service) }}
}

func (c *Certificates) client(service string) credentials.TransportCredentials {
	now := c.current.Load()
	return credentials.NewTLS(&tls.Config{
		MinVersion: tls.VersionTLS13, ServerName: CertificateName(service), RootCAs: now.pool, Certificates: []tls.Certificate{*now.pair},
	})
}

// dialing makes the credentials anew for each handshake, so that a connection that is opened again
// trusts the authorities of now.
type dialing struct {
	credentials.TransportCredentials
	now func() credentials.TransportCredentials
}

// ClientHandshake secures a new connection.
func (d dialing) ClientHandshake(ctx context.Context, authority string, conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return d.now().ClientHandshake(ctx, authority, conn)
}

// Clone copies the credentials.
func (d dialing) Clone() credentials.TransportCredentials {
	return dialing{d.TransportCredentials.Clone(), d.now}
}
