package doctor_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/leadmesh/leadmesh/services/house"
	"github.com/leadmesh/leadmesh/services/internal/doctor"
	"github.com/leadmesh/leadmesh/services/internal/pgtest"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
)

// want is what a check must find.
type want struct {
	check  string
	status doctor.Status
	says   string
}

func examine(t *testing.T, name string, cfg doctor.Config, wants ...want) {
	t.Helper()
	if cfg.Data == "" {
		cfg.Data = t.TempDir()
	}
	findings := doctor.Run(t.Context(), cfg)
	for _, w := range wants {
		found := false
		for _, f := range findings {
			if f.Check != w.check {
				continue
			}
			found = true
			if f.Status != w.status || !strings.Contains(f.Found, w.says) {
				t.Errorf("%s: %s is %s %q, want %s %q", name, f.Check, f.Status, f.Found, w.status, w.says)
			}
			if f.Status != doctor.OK && f.Remedy == "" {
				t.Errorf("%s: %s says what is wrong and not what to do", name, f.Check)
			}
		}
		if !found {
			t.Errorf("%s: no check %s in %v", name, w.check, findings)
		}
	}
}

// TestDatabase breaks a database in one way after the other; each is found and nothing else is
// touched by looking.
func TestDatabase(t *testing.T) {
	for _, c := range []struct {
		name, sql string
		want      want
	}{
		{"whole", "SELECT 1", want{"schema.capture", doctor.OK, "is what its migrations make"}},
		{"asynchronous", "DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || ' SET synchronous_commit = off'; END $$", want{"setting.synchronous_commit", doctor.Fail, "acknowledged"}},
		{"a lost index", "DROP INDEX capture.pending_due", want{"schema.capture", doctor.Fail, "pending_due"}},
		{"another type", "ALTER TABLE scoring.activation ALTER COLUMN note TYPE varchar(3)", want{"schema.scoring", doctor.Fail, "note"}},
		{"a further index", "CREATE INDEX mine ON identity.person (person_id)", want{"schema.identity", doctor.Warn, "mine"}},
		{"behind", "DELETE FROM routing.goose_db_version WHERE version_id = 3", want{"schema.routing", doctor.Fail, "00003_delivery.sql"}},
		{"ahead", "INSERT INTO feedback.goose_db_version (version_id, is_applied) VALUES (99, true)", want{"schema.feedback", doctor.OK, "ahead"}},
		{"an old pending lead", pendingLead, want{"work.pending", doctor.Fail, "1 leads wait for their decision, the oldest for 1h0m"}},
		{"too few connections", "DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || ' CONNECTION LIMIT 20'; END $$", want{"connections", doctor.Fail, "may open 66; the database takes 20"}},
		{"no schema", "DROP SCHEMA feedback CASCADE", want{"schema.feedback", doctor.Fail, "no schema feedback"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			db := pgtest.New(t, house.Modules()...)
			conn, err := pgx.Connect(t.Context(), db.URL())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Exec(t.Context(), c.sql); err != nil {
				t.Fatal(err)
			}
			before := fingerprint(t, conn)
			examine(t, c.name, doctor.Config{DatabaseURL: db.URL(), Modules: house.Modules(), Connections: 66}, c.want,
				want{"database", doctor.OK, "PostgreSQL"}, want{"clock", doctor.OK, "agree"}, want{"roles", doctor.OK, "all 6"}, want{"setting.fsync", doctor.Fail, "fsync = off"}) // of the tests' server
			if after := fingerprint(t, conn); after != before {
				t.Errorf("looking changed the database from %s to %s", before, after)
			}
			if err := conn.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	examine(t, "nothing loaded", doctor.Config{DatabaseURL: pgtest.New(t, house.Modules()...).URL(), Modules: house.Modules()},
		want{"playbook", doctor.Fail, "no playbook is active"}, want{"network", doctor.Fail, "no network is loaded"})
	examine(t, "nobody there", doctor.Config{DatabaseURL: "postgres://somebody:hidden@127.0.0.1:1/none"}, want{"database", doctor.Fail, "none at 127.0.0.1:1 cannot be reached"})
	for _, f := range doctor.Run(t.Context(), doctor.Config{Data: t.TempDir(), DatabaseURL: "postgres://somebody:hidden@127.0.0.1:port/none"}) {
		if strings.Contains(f.Found, "hidden") {
			t.Errorf("a password is printed: %s", f.Found)
		}
	}
}

const pendingLead = `SET session_replication_role = replica; INSERT INTO capture.pending (bucket, lead_id, since, attempts, next_attempt_at) VALUES (1, gen_random_uuid(), now() - interval '1 hour 1 second', 3, now())`

// fingerprint says what objects and rows there are.
func fingerprint(t *testing.T, conn *pgx.Conn) string {
	t.Helper()
	var out string
	if err := conn.QueryRow(t.Context(), `SELECT md5(string_agg(n.nspname || c.relname || c.oid::text || c.relkind::text, ',' ORDER BY c.oid)) || (SELECT count(*) FROM pg_namespace WHERE nspname NOT LIKE 'pg_%')
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname NOT LIKE 'pg_toast%' AND n.nspname NOT LIKE 'pg_temp%'`).Scan(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	ca, other := newAuthority(t), newAuthority(t)
	caFile := file("ca.pem", ca.pem, 0o644)
	pair := func(name string, a *authority, rest time.Duration, services ...string) (string, string) {
		cert, key := a.pair(t, rest, services...)
		return file(name+".pem", cert, 0o644), file(name+".key", key, 0o600)
	}
	good, goodKey := pair("good", ca, 90*24*time.Hour, "routing")
	ending, endingKey := pair("ending", ca, 10*24*time.Hour+time.Minute, "routing")
	ended, endedKey := pair("ended", ca, -time.Minute, "routing")
	foreign, foreignKey := pair("foreign", other, 90*24*time.Hour, "routing")
	open := file("open.key", readFile(t, goodKey), 0o644)
	const tokens = "oem-token-0123456789abcdef backend oem\nops-token-0123456789abcdef watch ops\n"
	mesh := func(cert, key string, services ...string) doctor.Config {
		return doctor.Config{MeshCert: cert, MeshKey: key, MeshCA: caFile, Services: services}
	}
	for _, c := range []struct {
		name string
		cfg  doctor.Config
		want want
	}{
		{"good", mesh(good, goodKey, "routing"), want{"tls.mesh", doctor.OK, "match"}},
		{"good names", mesh(good, goodKey, "routing"), want{"tls.mesh.names", doctor.OK, "every service"}},
		{"good authority", mesh(good, goodKey, "routing"), want{"tls.mesh.authority", doctor.OK, "trusts"}},
		{"two processes' pair", mesh(good, goodKey, "routing", "capture"), want{"tls.mesh.names", doctor.Fail, "capture.leadmesh.internal"}},
		{"another's authority", mesh(foreign, foreignKey, "routing"), want{"tls.mesh.authority", doctor.Fail, "not trusted"}},
		{"no pair", mesh(good, endingKey, "routing"), want{"tls.mesh", doctor.Fail, "private key"}},
		{"gone", mesh(good, dir+"/nothing", "routing"), want{"tls.mesh", doctor.Fail, "no such file"}},
		{"ending", doctor.Config{TLSCert: ending, TLSKey: endingKey}, want{"tls.public", doctor.Warn, "ends in 10 days"}},
		{"ended", doctor.Config{TLSCert: ended, TLSKey: endedKey}, want{"tls.public", doctor.Fail, "ended at"}},
		{"open key", doctor.Config{TLSCert: good, TLSKey: open}, want{"tls.public.key", doctor.Warn, "mode 0644"}},
		{"tokens", doctor.Config{Tokens: file("tokens", tokens, 0o600)}, want{"tokens", doctor.OK, "2 tokens"}},
		{"twice", doctor.Config{Tokens: file("twice", tokens+"# again\noem-token-0123456789abcdef other mops\n", 0o600)}, want{"tokens", doctor.Warn, "line 4 repeats 1"}},
		{"open tokens", doctor.Config{Tokens: file("open", tokens, 0o640)}, want{"tokens.mode", doctor.Warn, "mode 0640"}},
		{"broken tokens", doctor.Config{Tokens: file("broken", "short backend oem\n", 0o600)}, want{"tokens", doctor.Fail, "line 1"}},
		{"no data yet", doctor.Config{}, want{"database", doctor.Warn, "no database"}},
	} {
		examine(t, c.name, c.cfg, c.want)
	}
}

// TestWhoListens asks whoever is at the addresses.
func TestWhoListens(t *testing.T) {
	serve := func(code int, body string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			_, _ = w.Write([]byte(body))
		}))
		t.Cleanup(s.Close)
		return strings.TrimPrefix(s.URL, "http://")
	}
	for _, c := range []struct {
		name, addr string
		want       want
	}{
		{"well", serve(200, `{"status":"ok","version":"v1"}`), want{"health.http", doctor.OK, "version v1"}},
		{"ill", serve(503, `{"code":14,"message":"a part of the system does not work: routing: reach database"}`), want{"health.http", doctor.Fail, "reach database"}},
		{"stale", serve(200, `{"status":"ok","warnings":["tokens: the changed file cannot be used"]}`), want{"health.http", doctor.Warn, "tokens"}},
		{"a stranger", serve(200, `<html>`), want{"port.http", doctor.Fail, "is no leadmesh"}},
		{"nobody", "127.0.0.1:1", want{"port.http", doctor.OK, "is free"}},
	} {
		examine(t, c.name, doctor.Config{HTTP: c.addr}, c.want)
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  string
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: rand.Text()}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(1000 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{cert, key, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))}
}

func (a *authority) pair(t *testing.T, rest time.Duration, services ...string) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(rest), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, s := range services {
		template.DNSNames = append(template.DNSNames, rpc.CertificateName(s))
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &k.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
}
