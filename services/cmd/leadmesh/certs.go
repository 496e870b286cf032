package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/leadmesh/leadmesh/services/house"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
)

type certsCmd struct {
	Dir   string        `required:"" placeholder:"DIR" help:"Where to put them."`
	Valid time.Duration `default:"8760h" help:"How long they are valid."`
	Host  []string      `default:"localhost,127.0.0.1" help:"Further names and addresses of the public listeners."`
}

// Run makes an authority, a key pair for each service between processes, and one for the public
// listeners. They are for development: keep the authority's key of a real installation elsewhere.
func (c *certsCmd) Run(s streams) error {
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return fmt.Errorf("make the folder: %w", err)
	}
	authority, key, err := c.authority()
	if err != nil {
		return err
	}
	for _, service := range house.All() {
		if err := c.pair(service, []string{rpc.CertificateName(service)}, authority, key); err != nil {
			return err
		}
	}
	// Capture and the gateway usually share a process: its certificate names both.
	if err := c.pair("front", []string{rpc.CertificateName(house.Capture), rpc.CertificateName(house.Gateway)}, authority, key); err != nil {
		return err
	}
	if err := c.pair("public", c.Host, authority, key); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "made ca.pem and key pairs for %v, front (capture and gateway) and public in %s\n", house.All(), c.Dir)
	return err
}

func (c *certsCmd) authority() (*x509.Certificate, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("make a key: %w", err)
	}
	template := c.template("leadmesh development authority")
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, nil, fmt.Errorf("sign the authority: %w", err)
	}
	if err := c.write("ca", der, key); err != nil {
		return nil, nil, err
	}
	authority, err := x509.ParseCertificate(der)
	return authority, key, err
}

func (c *certsCmd) pair(name string, hosts []string, authority *x509.Certificate, signer *ecdsa.PrivateKey) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	template := c.template(name)
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, h)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, authority, &key.PublicKey, signer)
	if err != nil {
		return fmt.Errorf("sign %s: %w", name, err)
	}
	return c.write(name, der, key)
}

func (c *certsCmd) template(name string) *x509.Certificate {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		serial = big.NewInt(time.Now().UnixNano())
	}
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(c.Valid),
	}
}

func (c *certsCmd) write(name string, der []byte, key *ecdsa.PrivateKey) error {
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("encode a key: %w", err)
	}
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := os.WriteFile(filepath.Join(c.Dir, name+".pem"), cert, 0o644); err != nil {
		return fmt.Errorf("write a certificate: %w", err)
	}
	raw := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
	if err := os.WriteFile(filepath.Join(c.Dir, name+".key"), raw, 0o600); err != nil {
		return fmt.Errorf("write a key: %w", err)
	}
	return nil
}
