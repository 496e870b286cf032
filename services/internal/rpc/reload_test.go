package rpc_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"go.opentelemetry.io/otel/metric/noop"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
)

// authority signs certificates of services.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority " + rand.Text()}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.pem = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return a
}

func (a *authority) pair(t *testing.T, service string) (cert, key []byte) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: service}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{rpc.CertificateName(service)}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &k.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
}

// party is one process: its files and what follows them.
type party struct {
	dir   string
	files *rpc.Reloader
	certs *rpc.Certificates
}

func newParty(t *testing.T, a *authority, service string) *party {
	t.Helper()
	p := &party{dir: t.TempDir(), files: rpc.NewReloader(slog.New(slog.DiscardHandler))}
	cert, key := a.pair(t, service)
	p.write(t, "cert", cert)
	p.write(t, "key", key)
	p.write(t, "ca", a.pem)
	var err error
	if p.certs, err = p.files.Certificates("mesh certificate", p.path("cert"), p.path("key"), p.path("ca")); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.files.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return p
}

func (p *party) path(name string) string { return filepath.Join(p.dir, name) }

func (p *party) write(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(p.path(name), content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
		<-tick.C
	}
}

// TestMeshChangesAuthority moves two processes from one authority to another without a restart and
// without a moment in which they cannot talk: both trust both, then show the new, then trust it only.
func TestMeshChangesAuthority(t *testing.T) {
	before, after := newAuthority(t), newAuthority(t)
	server, client := newParty(t, before, "routing"), newParty(t, before, "capture")
	tel := rpc.Telemetry{Log: slog.New(slog.DiscardHandler), Tracing: tracenoop.NewTracerProvider(), Metrics: noop.NewMeterProvider()}
	s := rpc.NewMeshServer(tel, server.certs.Server(true))
	hs := health.NewServer()
	healthv1.RegisterHealthServer(s, hs)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	dial := func(c *rpc.Certificates) *grpc.ClientConn {
		conn, err := rpc.DialMesh(tel, "capture", l.Addr().String(), c.Client("routing"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	answers := func(conn *grpc.ClientConn) error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := healthv1.NewHealthClient(conn).Check(ctx, &healthv1.HealthCheckRequest{})
		return err
	}
	fresh := func(c *rpc.Certificates) error { // a handshake of now
		conn := dial(c)
		defer conn.Close()
		return answers(conn)
	}
	lasting := dial(client.certs)
	if err := answers(lasting); err != nil {
		t.Fatal(err)
	}
	stranger := newParty(t, after, "capture") // of the new authority only
	stranger.write(t, "ca", append(append([]byte{}, before.pem...), after.pem...))
	if err := fresh(stranger.certs); err == nil {
		t.Fatal("a certificate of an authority that is not trusted yet is let in")
	}

	both := append(append([]byte{}, before.pem...), after.pem...)
	server.write(t, "ca", both)
	client.write(t, "ca", both)
	until(t, "the server trusts the new authority", func() bool { return fresh(stranger.certs) == nil })
	if err := fresh(client.certs); err != nil {
		t.Fatalf("the old certificate while both are trusted: %v", err)
	}

	cert, key := after.pair(t, "routing")
	server.write(t, "cert", cert)
	server.write(t, "key", key)
	onlyNew := newParty(t, after, "capture") // trusts the new authority only
	until(t, "the server shows its new certificate", func() bool { return fresh(onlyNew.certs) == nil })
	until(t, "the client takes it", func() bool { return fresh(client.certs) == nil })

	cert, key = after.pair(t, "capture")
	client.write(t, "cert", cert)
	client.write(t, "key", key)
	client.write(t, "ca", after.pem)
	server.write(t, "ca", after.pem)
	old := newParty(t, before, "capture")
	old.write(t, "ca", both)
	until(t, "the old authority is trusted no more", func() bool { return fresh(old.certs) != nil })
	until(t, "the client shows its new certificate", func() bool { return fresh(client.certs) == nil })
	if err := answers(lasting); err != nil {
		t.Errorf("a connection that existed all the time: %v", err)
	}
}

// TestBrokenFilesStayOut: a broken new file is told and leaves what was read before in force, and
// mending it is enough.
func TestBrokenFilesStayOut(t *testing.T) {
	a := newAuthority(t)
	p := newParty(t, a, "routing")
	expiry := p.certs.Expiry()
	whole, err := os.ReadFile(p.path("cert"))
	if err != nil {
		t.Fatal(err)
	}
	for name, broken := range map[string][]byte{"half": whole[:len(whole)/2], "none": nil, "another's": a.pem} {
		p.write(t, "cert", broken)
		until(t, name+" certificate is told", func() bool { return p.files.Stale()["mesh certificate"] != nil })
		if p.certs.Expiry() != expiry {
			t.Errorf("%s: another certificate is in force", name)
		}
		p.write(t, "cert", whole)
		until(t, "the mended certificate is in force", func() bool { return len(p.files.Stale()) == 0 })
	}
	if err := os.Remove(p.path("key")); err != nil {
		t.Fatal(err)
	}
	until(t, "a key that is gone is told", func() bool { return p.files.Stale()["mesh certificate"] != nil })
}
