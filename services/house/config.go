// Package house wires the services of one process together by hand: it is the one place that
// knows them all, and a reader sees every dependency in it.
package house

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/leadmesh/leadmesh/services/routing"
	"github.com/leadmesh/leadmesh/services/scoring"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// The services of the house, in the order in which they are started.
const (
	Scoring  = "scoring"
	Feedback = "feedback"
	Identity = "identity"
	Routing  = "routing"
	Capture  = "capture"
	Gateway  = "gateway"
)

// All are all services.
func All() []string { return []string{Scoring, Feedback, Identity, Routing, Capture, Gateway} }

// Config is everything a process can be told. The zero value runs everything on a private Postgres.
type Config struct {
	Version string
	Only    []string // services to run; empty: all

	Data        string // directory of the private Postgres and of what else is kept
	PGBin       string // folder of PostgreSQL's binaries
	DatabaseURL string // a database that an owner may migrate; empty: a private Postgres

	DBConnections int // the process may open at most; 0: the usual number of each service

	HTTP string // HOST:PORT of REST
	GRPC string // HOST:PORT of gRPC
	Ops  string // HOST:PORT of probes and metrics of this process; "": none beside REST's

	SMTP      string // HOST:PORT of the postbox, beside the gateway; "": none
	Mailboxes string // file of its mailboxes

	TLSCert, TLSKey string // key pair of the public listeners
	Tokens          string // file of bearer tokens
	Sources         string // file of the senders of forms; Gateway and Capture read it

	Mesh                      string // HOST:PORT of the listener between processes
	MeshCert, MeshKey, MeshCA string
	Peers                     map[string]string  // service -> HOST:PORT
	Sample                    bool               // fill an empty data directory with the sample network and playbook
	AllowPrivateWebhooks      bool               // push to addresses of private networks
	Mail                      routing.MailConfig // the relay that ADF by e-mail goes through; zero: none
	ADFProvider               string             // provider/name of ADF documents; "": leadmesh
	MaxInFlight               int                // leads that Capture takes in at once, beyond it OVERLOADED; 0: 20,000
	AnswerWithin              time.Duration      // how long a sender's request waits for decisions; 0: 2 s
	Models                    scoring.ModelRules // what a model must be before it scores leads
	RescoreAt                 string             // time of day at which everybody is scored, such as 02:30; "": never
	Window                    int                // leads unanswered at once on Routing's streams, beyond it OVERLOADED; 0: 4,096
	TraceRatio                float64            // share of new traces recorded
	LogLevel                  slog.Level
	LogWriter                 io.Writer

	Spans sdktrace.SpanExporter // tests collect spans here
	Now   func() time.Time      // tests move time
}

// complete fills in defaults and refuses what cannot be safe.
func (c Config) complete() (Config, error) {
	if len(c.Only) == 0 {
		c.Only = All()
	}
	for _, s := range c.Only {
		if !slices.Contains(All(), s) {
			return c, fmt.Errorf("--only %s: there is no such service; there are %s", s, strings.Join(All(), ", "))
		}
	}
	if len(c.Only) < len(All()) && c.DatabaseURL == "" {
		return c, errors.New("--only needs --database-url: processes that share the work share one database")
	}
	if err := c.postbox(); err != nil {
		return c, err
	}
	if c.Data == "" {
		c.Data = DefaultData()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.TraceRatio == 0 {
		c.TraceRatio = 0.01
	}
	return c, c.safe()
}

// postbox refuses a door for mails that nobody could use.
func (c Config) postbox() error {
	switch {
	case c.SMTP != "" && c.Mailboxes == "":
		return errors.New("--smtp needs --mailboxes: the file says which addresses take mail")
	case c.SMTP != "" && !c.runs(Gateway):
		return errors.New("--smtp needs the gateway in the same process: add --only gateway")
	case c.SMTP == "" && c.Mailboxes != "":
		return errors.New("--mailboxes needs --smtp: the address that takes their mail")
	}
	return nil
}

// safe refuses to open a door to other machines without a lock.
func (c Config) safe() error {
	var errs []error
	for _, listener := range []struct{ flag, addr string }{{"--http", c.HTTP}, {"--grpc", c.GRPC}, {"--ops", c.Ops}, {"--smtp", c.SMTP}} {
		if listener.addr == "" {
			continue
		}
		if !isAddress(listener.addr) {
			errs = append(errs, fmt.Errorf("%s %s is no HOST:PORT, such as 127.0.0.1:8080", listener.flag, listener.addr))
			continue
		}
		if loopback(listener.addr) {
			continue
		}
		if c.TLSCert == "" || c.TLSKey == "" {
			errs = append(errs, fmt.Errorf("%s %s is reachable from other machines: give --tls-cert and --tls-key, or listen on 127.0.0.1", listener.flag, listener.addr))
		}
		if c.Tokens == "" && listener.flag != "--smtp" { // senders of mail show none
			errs = append(errs, fmt.Errorf("%s %s is reachable from other machines: give --tokens, or listen on 127.0.0.1", listener.flag, listener.addr))
		}
	}
	return errors.Join(errs...)
}

// isAddress reports whether an address has the form HOST:PORT; an empty host means every one.
func isAddress(addr string) bool {
	host, port, err := net.SplitHostPort(addr)
	if err != nil || strings.ContainsAny(host, " /") {
		return false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil
}

// loopback reports whether an address is reachable from this machine only.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// DefaultData is where data is kept when nobody says where: under the user's data home.
func DefaultData() string {
	if dir := os.Getenv("XDG_DATA_HOME"); dir != "" {
		return dir + "/leadmesh"
	}
	home, err := os.UserHomeDir()
	if err != nil || home == "" {
		return ".leadmesh"
	}
	return home + "/.local/share/leadmesh"
}

func (c Config) runs(service string) bool { return slices.Contains(c.Only, service) }

// reaches reports whether a service runs in this process or in one it knows.
func (c Config) reaches(service string) bool { return c.runs(service) || c.Peers[service] != "" }
