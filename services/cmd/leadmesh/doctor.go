package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/leadmesh/leadmesh/core/playbook"
	"github.com/leadmesh/leadmesh/services/house"
	"github.com/leadmesh/leadmesh/services/internal/doctor"
)

// doctorCmd takes the flags of serve, and their environment, so that it looks at what serve uses.
type doctorCmd struct {
	Data          string   `help:"Data directory of the private Postgres; unless given, leadmesh in your data home." placeholder:"DIR"`
	DatabaseURL   string   `name:"database-url" placeholder:"URL" help:"The database, if it is not the private one."`
	PGBin         string   `name:"pg-bin" placeholder:"DIR" help:"Folder of PostgreSQL's binaries."`
	DBConnections int      `name:"db-connections" placeholder:"N" help:"Database connections the process may open."`
	HTTP          string   `name:"http" default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Address of REST."`
	GRPC          string   `name:"grpc" default:"127.0.0.1:9090" placeholder:"HOST:PORT" help:"Address of gRPC."`
	Ops           string   `placeholder:"HOST:PORT" help:"Address of health and metrics."`
	TLSCert       string   `name:"tls-cert" placeholder:"FILE" help:"Certificate of the public listeners."`
	TLSKey        string   `name:"tls-key" placeholder:"FILE" help:"Its key."`
	Tokens        string   `placeholder:"FILE" help:"Bearer tokens."`
	Only          []string `placeholder:"SERVICE" help:"The services the process runs; all unless given."`
	Mesh          string   `placeholder:"HOST:PORT" help:"Address between processes."`
	MeshCert      string   `placeholder:"FILE" help:"Certificate between processes."`
	MeshKey       string   `placeholder:"FILE" help:"Its key."`
	MeshCA        string   `name:"mesh-ca" placeholder:"FILE" help:"Authority between processes."`
	Playbook      string   `placeholder:"DIR" help:"A folder of rules to check as well."`
	JSON          bool     `name:"json" help:"Print the findings as JSON."`
}

// Run looks at everything; it exits 1 if a check fails.
func (c *doctorCmd) Run(ctx context.Context, s streams) error {
	if c.Data == "" {
		c.Data = house.DefaultData()
	}
	services := c.Only
	if len(services) == 0 {
		services = house.All()
	}
	budget, err := house.Budget(c.DBConnections, services)
	if err != nil {
		return err
	}
	cfg := doctor.Config{
		Data: c.Data, DatabaseURL: c.DatabaseURL, PGBin: c.PGBin, HTTP: c.HTTP, GRPC: c.GRPC, Ops: c.Ops, Mesh: c.Mesh,
		TLSCert: c.TLSCert, TLSKey: c.TLSKey, Tokens: c.Tokens, MeshCert: c.MeshCert, MeshKey: c.MeshKey, MeshCA: c.MeshCA,
		Services: services, Modules: house.Modules(),
	}
	for _, n := range budget {
		cfg.Connections += n
	}
	if c.Playbook != "" {
		cfg.Playbook = func() (string, error) { return c.Playbook, playbookError(c.Playbook) }
	}
	findings := doctor.Run(ctx, cfg)
	if err := printFindings(s.out, findings, c.JSON); err != nil {
		return err
	}
	if doctor.Failed(findings) {
		return exitError(1)
	}
	return nil
}

// playbookError is the first mistake of a folder of rules.
func playbookError(dir string) error {
	files, err := readPlaybook(os.DirFS(dir))
	if err != nil {
		return err
	}
	if _, mistakes := playbook.Read(files); len(mistakes) > 0 {
		return fmt.Errorf("%d mistakes, the first: %s", len(mistakes), mistakes[0])
	}
	return nil
}

func printFindings(w io.Writer, findings []doctor.Finding, asJSON bool) error {
	if asJSON {
		out := json.NewEncoder(w)
		out.SetIndent("", "  ")
		out.SetEscapeHTML(false)
		return out.Encode(findings)
	}
	count := map[doctor.Status]int{}
	for _, f := range findings {
		count[f.Status]++
		line := fmt.Sprintf("%-5s %-25s %s", f.Status, f.Check, f.Found)
		if f.Remedy != "" {
			line += "  => " + f.Remedy
		}
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "%d checks: %d ok, %d warn, %d fail\n", len(findings), count[doctor.OK], count[doctor.Warn], count[doctor.Fail])
	return err
}
