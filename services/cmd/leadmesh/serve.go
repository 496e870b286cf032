package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"github.com/leadmesh/leadmesh/services/house"
	"github.com/leadmesh/leadmesh/services/routing"
	"github.com/leadmesh/leadmesh/services/scoring"
)

// houseFlags are common to the commands that run services.
type houseFlags struct {
	Data          string `help:"Directory of the private Postgres; unless given, leadmesh in your data home." placeholder:"DIR"`
	HTTP          string `name:"http" default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Address of REST, health and metrics; 127.0.0.1:8080 unless given."`
	GRPC          string `name:"grpc" default:"127.0.0.1:9090" placeholder:"HOST:PORT" help:"Address of gRPC with reflection and health; 127.0.0.1:9090 unless given."`
	Ops           string `placeholder:"HOST:PORT" help:"Address of health and metrics of this process, also without the gateway: /healthz, /livez, /metrics; none unless given."`
	DatabaseURL   string `name:"database-url" placeholder:"URL" help:"A Postgres whose owner may create roles and migrate; without one a private server is started."`
	DBConnections int    `name:"db-connections" placeholder:"N" help:"Database connections this process opens at most, divided over its services; 66 for all services unless given."`
	PGBin         string `name:"pg-bin" placeholder:"DIR" help:"Folder of PostgreSQL's binaries for the private server."`

	SMTP      string `name:"smtp" placeholder:"HOST:PORT" help:"Address that takes leads by mail, with STARTTLS where there is a certificate; none unless given."`
	Mailboxes string `placeholder:"FILE" help:"Which mailboxes take mail at --smtp, in YAML: address to source, provider, dealer, test, networks, domains, per_minute, max_bytes."`

	TLSCert string `name:"tls-cert" placeholder:"FILE" help:"Certificate of the public listeners."`
	TLSKey  string `name:"tls-key" placeholder:"FILE" help:"Its key."`
	Tokens  string `placeholder:"FILE" help:"Bearer tokens: a line per token, TOKEN NAME ROLE[,ROLE...]; roles are oem, mops, ops, dealer:DEALER_ID, test."`

	Sources string `placeholder:"FILE" help:"Senders of forms (Meta, Google, LinkedIn, web forms, STAR) with their secrets and mappings; read again when it changes."`

	MaxInFlight int `placeholder:"LEADS" help:"Leads taken in at once; beyond it senders are told to come back (429). 20,000 unless given."`
	Window      int `placeholder:"LEADS" help:"Leads unanswered at once on the Decide streams of this process. 4,096 unless given."`

	ModelMinAUC                   float64 `name:"model-min-auc" placeholder:"AUC" help:"Least AUC of a model that is promoted, on rows it was not learned from; 0.6 unless given."`
	ModelMaxCalibrationError      float64 `placeholder:"SHARE" help:"Greatest calibration error of such a model; 0.03 unless given."`
	ModelMinRows                  int64   `placeholder:"ROWS" help:"Least number of these rows; 500 unless given."`
	ModelMinWins                  int64   `placeholder:"ROWS" help:"Least number of them that were won; 30 unless given."`
	ModelMinGroupAUC              float64 `name:"model-min-group-auc" placeholder:"AUC" help:"Least AUC of a model in a brand, region or segment, beyond chance; 0.55 unless given."`
	ModelMaxGroupCalibrationError float64 `placeholder:"SHARE" help:"Greatest calibration error there, beyond chance; 0.08 unless given."`
	ModelMaxLoss                  float64 `placeholder:"AUC" help:"How much worse than what scores now a model may be on past leads, on all and in a brand, region or segment, beyond chance; 0.02 unless given."`
	ModelBacktestDays             int     `placeholder:"DAYS" help:"How long a backtest counts for a shadow that is to score; 14 unless given."`
	ModelMeasured                 bool    `help:"Promote only models that carry such figures, no expert's tables."`
	ModelFourEyes                 bool    `help:"Who uploaded a model may not promote it."`

	RescoreAt string `placeholder:"HH:MM" help:"Score everybody each night at this time, in the playbook's time zone. Off unless given: then by leadmesh models rescore alone."`

	AllowPrivateWebhooks bool `help:"Push to addresses of private networks too."`

	SMTPRelay        string `name:"smtp-relay" env:"LEADMESH_SMTP_RELAY" placeholder:"URL" help:"Mail relay for ADF by e-mail: smtp://USER@HOST:PORT (STARTTLS) or smtps://USER@HOST:PORT. Without one, departments that get ADF by e-mail read the inbox."`
	SMTPPassword     string `name:"smtp-password" env:"LEADMESH_SMTP_PASSWORD" hidden:""`
	SMTPPasswordFile string `name:"smtp-password-file" placeholder:"FILE" help:"The relay's password; or in LEADMESH_SMTP_PASSWORD."`
	MailFrom         string `name:"mail-from" placeholder:"ADDRESS" help:"Who mail is from: leads@oem.example or \"OEM Leads <leads@oem.example>\"."`
	MailReplyTo      string `name:"mail-reply-to" placeholder:"ADDRESS" help:"Where answers to mail go."`
	ADFProvider      string `name:"adf-provider" placeholder:"NAME" help:"provider/name of ADF documents; CRMs tell senders apart by it, so keep it. leadmesh unless given."`

	TraceRatio float64 `default:"0.01" help:"Share of new traces recorded, 0 to 1; they go where OTEL_EXPORTER_OTLP_ENDPOINT says."`
	LogLevel   string  `default:"info" enum:"debug,info,warn,error" help:"Least level logged: debug, info, warn, error."`
}

func (f houseFlags) config(s streams) (house.Config, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.LogLevel)); err != nil {
		return house.Config{}, fmt.Errorf("--log-level: %w", err)
	}
	password := f.SMTPPassword
	if f.SMTPPasswordFile != "" {
		raw, err := os.ReadFile(f.SMTPPasswordFile)
		if err != nil {
			return house.Config{}, fmt.Errorf("--smtp-password-file: %w", err)
		}
		password = strings.TrimRight(string(raw), "\r\n")
	}
	return house.Config{
		RescoreAt: f.RescoreAt,
		Models: scoring.ModelRules{
			MinAUC: f.ModelMinAUC, MaxCalibrationError: f.ModelMaxCalibrationError, MinRows: f.ModelMinRows, MinWins: f.ModelMinWins,
			MinGroupAUC: f.ModelMinGroupAUC, MaxGroupCalibrationError: f.ModelMaxGroupCalibrationError, MaxLoss: f.ModelMaxLoss,
			BacktestAge: time.Duration(f.ModelBacktestDays) * 24 * time.Hour, Measured: f.ModelMeasured, FourEyes: f.ModelFourEyes,
		},
		Mail: routing.MailConfig{Relay: f.SMTPRelay, Password: password, From: f.MailFrom, ReplyTo: f.MailReplyTo}, ADFProvider: f.ADFProvider,
		Version: version, Data: f.Data, PGBin: f.PGBin, DatabaseURL: f.DatabaseURL, DBConnections: f.DBConnections, HTTP: f.HTTP, GRPC: f.GRPC, Ops: f.Ops,
		TLSCert: f.TLSCert, TLSKey: f.TLSKey, Tokens: f.Tokens, Sources: f.Sources, AllowPrivateWebhooks: f.AllowPrivateWebhooks,
		SMTP: f.SMTP, Mailboxes: f.Mailboxes,
		MaxInFlight: f.MaxInFlight, Window: f.Window, TraceRatio: f.TraceRatio, LogLevel: level, LogWriter: s.err,
	}, nil
}

type serveCmd struct {
	houseFlags
	Sample bool `help:"Fill an empty installation with the sample network and playbook."`

	Only     []string          `placeholder:"SERVICE" help:"Run some services only: capture, identity, scoring, routing, feedback, gateway; needs --database-url."`
	Mesh     string            `placeholder:"HOST:PORT" help:"Address at which the other processes reach this one, with mutual TLS."`
	MeshCert string            `placeholder:"FILE" help:"Certificate of this process between processes."`
	MeshKey  string            `placeholder:"FILE" help:"Its key."`
	MeshCA   string            `name:"mesh-ca" placeholder:"FILE" help:"Authority that signs the other processes."`
	Peer     map[string]string `placeholder:"SERVICE=HOST:PORT" help:"Where a service is that this process does not run; may be repeated."`

	Pprof string `hidden:"" placeholder:"HOST:PORT" help:"Loopback address of the runtime's profiles."`
}

func (c *serveCmd) Run(ctx context.Context, s streams) error {
	cfg, err := c.config(s)
	if err != nil {
		return err
	}
	cfg.Only, cfg.Mesh, cfg.MeshCert, cfg.MeshKey, cfg.MeshCA, cfg.Peers, cfg.Sample = c.Only, c.Mesh, c.MeshCert, c.MeshKey, c.MeshCA, c.Peer, c.Sample
	if err := profiles(ctx, c.Pprof); err != nil {
		return err
	}
	h, err := house.Open(ctx, cfg)
	if err != nil {
		return err
	}
	go announce(ctx, h, scheme(c.TLSCert), s.out)
	return stopped(ctx, h.Run(ctx), s.out)
}

// stopped says that a house which was told to stop has done so, with everything it had to end.
func stopped(ctx context.Context, err error, out io.Writer) error {
	if ctx.Err() != nil && (err == nil || errors.Is(err, context.Canceled)) {
		fmt.Fprintln(out, "stopped")
	}
	return err
}

// announce says where the house is reachable, and when it is healthy.
func announce(ctx context.Context, h *house.House, scheme string, out io.Writer) {
	addresses(h, scheme, out)
	ready, cancel := context.WithTimeout(ctx, time.Hour)
	defer cancel()
	start := time.Now()
	if err := h.Ready(ready); err != nil {
		return
	}
	fmt.Fprintf(out, "healthy after %s\n", time.Since(start).Round(time.Millisecond))
}

func addresses(h *house.House, scheme string, out io.Writer) {
	if a := h.HTTPAddr(); a != "" {
		a = scheme + reachable(a)
		fmt.Fprintf(out, "  REST      %s/v1/leads\n  OpenAPI   %s/openapi.yaml\n  health    %s/healthz\n  metrics   %s/metrics\n", a, a, a, a)
	}
	if a := h.GRPCAddr(); a != "" {
		fmt.Fprintf(out, "  gRPC      %s (with reflection)\n", reachable(a))
	}
	if a := h.OpsAddr(); a != "" {
		a = scheme + reachable(a)
		fmt.Fprintf(out, "  watch     %s/healthz, /livez, /metrics\n", a)
	}
	if a := h.SMTPAddr(); a != "" {
		fmt.Fprintf(out, "  SMTP      %s\n", reachable(a))
	}
	if a := h.MeshAddr(); a != "" {
		fmt.Fprintf(out, "  mesh      %s (mutual TLS)\n", reachable(a))
	}
}

// reachable is an address that a caller on this machine can use for a listener's.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err == nil && ip.IsUnspecified() {
		return net.JoinHostPort("localhost", port)
	}
	return addr
}

type migrateCmd struct {
	DatabaseURL string `name:"database-url" required:"" placeholder:"URL" help:"A Postgres whose owner may create roles."`
}

func (c *migrateCmd) Run(ctx context.Context, s streams) error {
	if err := house.Migrate(ctx, c.DatabaseURL); err != nil {
		return err
	}
	_, err := fmt.Fprintln(s.out, "the schemas are up to date")
	return err
}
