package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/leadmesh/leadmesh/core/playbook"
	"github.com/leadmesh/leadmesh/core/scoring/card"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
)

// remoteFlags reach a running house.
type remoteFlags struct {
	GRPC  string `name:"grpc" default:"127.0.0.1:9090" placeholder:"HOST:PORT" help:"Address of the running house."`
	Token string `placeholder:"TOKEN" help:"Bearer token."`
	CA    string `name:"ca" placeholder:"FILE" help:"Authority of the house's certificate; turns TLS on."`
}

// dial connects to the house. A token is sent over TLS, or to loopback.
func (f remoteFlags) dial() (*grpc.ClientConn, error) {
	options := []grpc.DialOption{grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(64<<20), grpc.MaxCallRecvMsgSize(64<<20))}
	if f.CA == "" {
		options = append(options, grpc.WithTransportCredentials(insecure.NewCredentials()))
	} else {
		raw, err := os.ReadFile(f.CA)
		if err != nil {
			return nil, fmt.Errorf("read the authority: %w", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(raw) {
			return nil, errors.New("the authority file holds no PEM certificate")
		}
		options = append(options, grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS13})))
	}
	return grpc.NewClient(f.GRPC, options...)
}

func (f remoteFlags) context(ctx context.Context) context.Context {
	if f.Token == "" {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+f.Token)
}

type policyCmd struct {
	Check    policyCheckCmd    `cmd:"" help:"Name every mistake of a playbook with file and line."`
	Apply    policyApplyCmd    `cmd:"" help:"Make a playbook active."`
	Rollback policyRollbackCmd `cmd:"" help:"Make an earlier playbook active again."`
	List     policyListCmd     `cmd:"" help:"List the playbooks held."`
	Schema   policySchemaCmd   `cmd:"" help:"Print the JSON Schema of a kind of file, for editors that check and complete."`
}

type policyCheckCmd struct {
	Dir string `arg:"" help:"Folder of the playbook."`
}

func (c *policyCheckCmd) Run(s streams) error {
	if code := checkPolicy(c.Dir, s.out); code != 0 {
		return exitError(code)
	}
	return nil
}

type policySchemaCmd struct {
	Kind string `arg:"" enum:"playbook,governance,catalogue,offers,incentives,chargers,signals,routing,sla,scorecard,index,segments,play,card" help:"A file of a playbook by its name (of chargers.csv its rows, by the first line); scorecard (of a line), index or segments of its folder scoring; play for the keys of a play; card for the points table of a model."`
}

func (c *policySchemaCmd) Run(s streams) error {
	text, err := card.Schema(), error(nil)
	if c.Kind != "card" {
		text, err = playbook.Schema(c.Kind)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%s\n", bytes.TrimSpace(text))
	return err
}

type policyApplyCmd struct {
	remoteFlags
	Dir  string `arg:"" help:"Folder of the playbook."`
	Note string `help:"Why, for the record."`
}

func (c *policyApplyCmd) Run(ctx context.Context, s streams) error {
	conn, err := c.dial()
	if err != nil {
		return err
	}
	defer conn.Close()
	code, err := applyPolicy(c.context(ctx), scoringv1.NewScoringServiceClient(conn), c.Dir, c.Note, s.out)
	if err == nil && code != 0 {
		return exitError(code)
	}
	return err
}

type policyRollbackCmd struct {
	remoteFlags
	Revision string `arg:"" optional:"" help:"The revision, by at least its first eight characters; absent: the one before."`
	Note     string `help:"Why, for the record."`
}

func (c *policyRollbackCmd) Run(ctx context.Context, s streams) error {
	conn, err := c.dial()
	if err != nil {
		return err
	}
	defer conn.Close()
	return rollbackPolicy(c.context(ctx), scoringv1.NewScoringServiceClient(conn), c.Revision, c.Note, s.out)
}

type policyListCmd struct{ remoteFlags }

func (c *policyListCmd) Run(ctx context.Context, s streams) error {
	conn, err := c.dial()
	if err != nil {
		return err
	}
	defer conn.Close()
	return listPolicies(c.context(ctx), scoringv1.NewScoringServiceClient(conn), s.out)
}

type networkCmd struct {
	Import networkImportCmd `cmd:"" help:"Import network files and report every bad row."`
}

type networkImportCmd struct {
	remoteFlags
	Files        []string `arg:"" help:"Files such as dealers.csv, territories.csv.gz, catalogue.yaml, or folders of them."`
	Replace      bool     `help:"Remove rows that are not in the files, per kind of file given."`
	AllOrNothing bool     `help:"Refuse everything if one row is bad."`
	DryRun       bool     `help:"Only report."`
}

// Run imports the files and prints every bad row; it exits 1 if there was one.
func (c *networkImportCmd) Run(ctx context.Context, s streams) error {
	req := &routingv1.ImportNetworkRequest{Replace: c.Replace, AllOrNothing: c.AllOrNothing, DryRun: c.DryRun}
	for _, name := range c.Files {
		files, err := networkFiles(name)
		if err != nil {
			return err
		}
		req.Files = append(req.Files, files...)
	}
	conn, err := c.dial()
	if err != nil {
		return err
	}
	defer conn.Close()
	resp, err := routingv1.NewRoutingServiceClient(conn).ImportNetwork(c.context(ctx), req)
	if err != nil {
		return err
	}
	for _, m := range resp.GetMistakes() {
		fmt.Fprintf(s.out, "%s:%d: %s: %s\n", m.GetFile(), m.GetLine(), m.GetColumn(), m.GetMessage())
	}
	names := make([]string, 0, len(resp.GetAccepted()))
	for name := range resp.GetAccepted() {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(s.out, "%s: %d rows taken\n", name, resp.GetAccepted()[name])
	}
	fmt.Fprintf(s.out, "network revision %s\n", resp.GetNetworkRevision())
	if len(resp.GetMistakes()) > 0 {
		return exitError(1)
	}
	return nil
}

// networkFiles reads a file, or the files of a folder that a network can be made of.
func networkFiles(name string) ([]*routingv1.NetworkFile, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		content, err := os.ReadFile(name)
		return []*routingv1.NetworkFile{{Name: filepath.Base(name), Content: content}}, err
	}
	entries, err := os.ReadDir(name)
	if err != nil {
		return nil, err
	}
	var out []*routingv1.NetworkFile
	for _, e := range entries {
		base := strings.TrimSuffix(e.Name(), ".gz")
		if e.IsDir() || !strings.HasSuffix(base, ".csv") && !strings.HasSuffix(base, ".yaml") {
			continue
		}
		content, err := os.ReadFile(filepath.Join(name, e.Name()))
		if err != nil {
			return nil, err
		}
		out = append(out, &routingv1.NetworkFile{Name: e.Name(), Content: content})
	}
	return out, nil
}
