package postbox_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/smtp"
	"net/textproto"
	"testing"
	"time"

	"github.com/leadmesh/leadmesh/services/postbox"
)

func TestStartTLS(t *testing.T) {
	w := open(t, func(c *postbox.Config) { c.TLS = selfSigned(t) })
	c, err := smtp.Dial(w.server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if ok, _ := c.Extension("STARTTLS"); !ok {
		t.Fatal("STARTTLS is not offered")
	}
	if err := c.StartTLS(&tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12}); err != nil { //nolint:gosec // the test's own certificate
		t.Fatal(err)
	}
	for _, step := range []error{c.Mail("a@b.example"), c.Rcpt("leads@example.com")} {
		if step != nil {
			t.Fatal(step)
		}
	}
	d, err := c.Data()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Write(letter); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.Quit(); err != nil {
		t.Fatal(err)
	}
	if len(w.got()) != 1 {
		t.Error("nothing was passed on")
	}
}

// TestWhatWasSaidBeforeTLSDoesNotCount keeps somebody in the middle from putting commands before
// the encrypted ones.
func TestWhatWasSaidBeforeTLSDoesNotCount(t *testing.T) {
	w := open(t, func(c *postbox.Config) { c.TLS = selfSigned(t) })
	r := w.dial().hello()
	if _, err := r.conn.Write([]byte("STARTTLS\r\nMAIL FROM:<evil@b.example>\r\nRCPT TO:<leads@example.com>\r\n")); err != nil {
		t.Fatal(err)
	}
	if code := r.read(); code != 220 {
		t.Fatal(code)
	}
	c := tls.Client(r.conn, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // the test's own certificate
	if err := c.Handshake(); err != nil {
		return // what came before took the handshake's place: refused as well
	}
	text := textproto.NewConn(c)
	if err := text.PrintfLine("DATA"); err != nil {
		t.Fatal(err)
	}
	if code, _, err := text.ReadResponse(0); err != nil || code < 500 {
		t.Errorf("answered %d, %v", code, err)
	}
}

func selfSigned(t *testing.T) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mx.example.com"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, NextProtos: []string{"h2"}}
}
