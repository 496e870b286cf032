package doctor

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/leadmesh/leadmesh/services/internal/rpc"
)

// soon is how long before its end a certificate is warned of.
const soon = 30 * 24 * time.Hour

// files looks at the files a process reads.
func (x *exam) files() {
	if x.cfg.TLSCert != "" || x.cfg.TLSKey != "" {
		x.certificate("tls.public", x.cfg.TLSCert, x.cfg.TLSKey, "--tls-cert and --tls-key")
	}
	if x.cfg.MeshCert != "" || x.cfg.MeshKey != "" || x.cfg.MeshCA != "" {
		if leaf := x.certificate("tls.mesh", x.cfg.MeshCert, x.cfg.MeshKey, "--mesh-cert and --mesh-key"); leaf != nil {
			x.meshNames(leaf)
			x.authority(leaf)
		}
	}
	if x.cfg.Tokens != "" {
		x.tokens()
	}
	if x.cfg.Playbook != nil {
		if name, err := x.cfg.Playbook(); err != nil {
			x.fail("playbook.files", "leadmesh policy check names every mistake with file and line", "%s: %s", name, oneLine(err))
		} else {
			x.ok("playbook.files", "%s has no mistakes", name)
		}
	}
}

// certificate looks at a key pair and returns its certificate; nil if it cannot be used.
func (x *exam) certificate(check, certFile, keyFile, flags string) *x509.Certificate {
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		x.fail(check, "give "+flags+" the two files of one pair, readable by the account that runs leadmesh", "%s, %s: %s", certFile, keyFile, oneLine(err))
		return nil
	}
	if info, err := os.Stat(keyFile); err == nil && info.Mode().Perm()&0o077 != 0 {
		x.warn(check+".key", "chmod 600 "+keyFile, "others on this machine may read %s (mode %04o)", keyFile, info.Mode().Perm())
	}
	now, leaf := x.cfg.Now(), pair.Leaf
	left := leaf.NotAfter.Sub(now)
	const remedy = "put a new pair in its place; it is taken up within seconds, without a restart"
	switch {
	case now.Before(leaf.NotBefore):
		x.fail(check, "set the clock of this machine, or wait", "%s is not valid before %s", certFile, leaf.NotBefore.Format(time.RFC3339))
	case left <= 0:
		x.fail(check, remedy, "%s ended at %s", certFile, leaf.NotAfter.Format(time.RFC3339))
	case left < soon:
		x.warn(check, remedy, "%s ends in %d days, at %s", certFile, int(left.Hours()/24), leaf.NotAfter.Format(time.RFC3339))
	default:
		x.ok(check, "%s and its key match; it ends in %d days", certFile, int(left.Hours()/24))
	}
	return leaf
}

// meshNames checks that the certificate stands for the services of the process: the others know it
// by those names.
func (x *exam) meshNames(leaf *x509.Certificate) {
	var lacks []string
	for _, service := range x.cfg.Services {
		if name := rpc.CertificateName(service); !slices.Contains(leaf.DNSNames, name) {
			lacks = append(lacks, name)
		}
	}
	if len(lacks) > 0 {
		x.fail("tls.mesh.names", "issue it with these DNS names (subject alternative names), or run the services it names with --only",
			"%s does not name %s", x.cfg.MeshCert, strings.Join(lacks, ", "))
		return
	}
	x.ok("tls.mesh.names", "%s names every service of this process", x.cfg.MeshCert)
}

// authority checks that the other processes will trust the certificate, as far as one machine can.
func (x *exam) authority(leaf *x509.Certificate) {
	raw, err := os.ReadFile(x.cfg.MeshCA)
	pool := x509.NewCertPool()
	switch {
	case err != nil:
		x.fail("tls.mesh.authority", "give --mesh-ca the certificate of the authority", "%s", oneLine(err))
		return
	case !pool.AppendCertsFromPEM(raw):
		x.fail("tls.mesh.authority", "give --mesh-ca the certificate of the authority", "%s holds no PEM certificate", x.cfg.MeshCA)
		return
	}
	for _, use := range []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth} {
		if _, err := leaf.Verify(x509.VerifyOptions{Roots: pool, CurrentTime: x.cfg.Now(), KeyUsages: []x509.ExtKeyUsage{use}}); err != nil {
			x.fail("tls.mesh.authority", "sign it with the authority of --mesh-ca, for use as server and as client", "%s is not trusted by %s: %s", x.cfg.MeshCert, x.cfg.MeshCA, oneLine(err))
			return
		}
	}
	x.ok("tls.mesh.authority", "%s trusts it", x.cfg.MeshCA)
}

func (x *exam) tokens() {
	file := x.cfg.Tokens
	if _, err := rpc.ReadTokens(file); err != nil {
		x.fail("tokens", "mend the line; a running server keeps the tokens it read before", "%s: %s", file, oneLine(err))
		return
	}
	if info, err := os.Stat(file); err == nil && info.Mode().Perm()&0o077 != 0 {
		x.warn("tokens.mode", "chmod 600 "+file, "others on this machine may read %s (mode %04o)", file, info.Mode().Perm())
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		x.fail("tokens", "give the account that runs leadmesh the right to read it", "%s", oneLine(err))
		return
	}
	first, lines, number, count := map[string]int{}, []string{}, 0, 0
	for line := range strings.Lines(string(raw)) {
		number++
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		count++
		if at := first[fields[0]]; at > 0 {
			lines = append(lines, fmt.Sprintf("%d repeats %d", number, at))
		} else {
			first[fields[0]] = number
		}
	}
	if len(lines) > 0 {
		x.warn("tokens", "give each caller a token of its own: of two lines with one token the last counts", "%s: line %s", file, strings.Join(lines, ", "))
		return
	}
	x.ok("tokens", "%s has %d tokens, each once", file, count)
}
