// Command leadmesh carries automotive leads from wherever they arise to the right person at the
// right dealer, and proves what became of them.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	_ "time/tzdata" // store hours need zones on machines that have none

	"github.com/alecthomas/kong"
)

// version is set by the build.
var version = "dev"

// commands are what the binary can be told to do.
type commands struct {
	Serve    serveCmd    `cmd:"" help:"Run the services and keep serving."`
	Demo     demoCmd     `cmd:"" help:"Load the sample network and playbook, send the sample leads, print what became of each."`
	Audit    auditCmd    `cmd:"" help:"Check the laws on a database; exits 1 and names the offenders if one is broken."`
	Doctor   doctorCmd   `cmd:"" help:"Look at the installation and say what is wrong and what to do; exits 1 if something fails. Changes nothing."`
	Replay   replayCmd   `cmd:"" help:"Decide a lead again from its receipts and compare the bytes."`
	Policy   policyCmd   `cmd:"" help:"Check, apply, list and roll back playbooks."`
	Network  networkCmd  `cmd:"" help:"Import dealers, territories, programs and the catalogue."`
	Match    matchCmd    `cmd:"" help:"Clean a list of people: find the rows that are one person. Needs no server."`
	Model    modelCmd    `cmd:"" help:"Learn points tables from outcomes, judge them, score and explain with them. Needs no server."`
	Sources  sourcesCmd  `cmd:"" help:"Check the file of the senders of forms and try samples."`
	Models   modelsCmd   `cmd:"" help:"Keep points tables on a running server: upload, promote, retire, roll back."`
	Score    scoreCmd    `cmd:"" help:"Show how a lead came to its score on a running server, and ask what if."`
	Features featuresCmd `cmd:"" help:"List the facts that points tables may look at, of a running server or of a playbook's folder."`
	Backup   backupCmd   `cmd:"" help:"Write everything leadmesh holds to a file, as of one moment, while it runs."`
	Restore  restoreCmd  `cmd:"" help:"Fill an empty database with a backup, bring it up to date and audit it."`
	Migrate  migrateCmd  `cmd:"" help:"Bring a database's schemas up to date."`
	Certs    certsCmd    `cmd:"" help:"Make certificates for development: an authority and a key pair per service."`
	People   peopleCmd   `cmd:"" hidden:"" help:"Make up a list of people, with the truth of who is who, to measure matching with."`
	Version  versionCmd  `cmd:"" help:"Print the version."`
}

func main() {
	collect()
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// collect sets the garbage collector for a server that makes much short-lived garbage on few
// cores: it runs a quarter as often as by default while the heap is small, and as often as it must
// near the soft limit. GOGC and GOMEMLIMIT, where set, win.
func collect() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(2 << 30)
	}
}

// streams are where commands write.
type streams struct{ out, err io.Writer }

// exitError ends a command with a code and no further word.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit %d", int(e)) }

func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var cli commands
	code := -1
	parser, err := kong.New(&cli, kong.Name("leadmesh"), kong.UsageOnError(), kong.Writers(stdout, stderr),
		kong.Description("Carries every automotive lead to the right person at the right dealer, and proves what became of it."),
		kong.DefaultEnvars("LEADMESH"), kong.Exit(func(c int) { code = c }),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(streams{stdout, stderr}))
	if err != nil {
		fmt.Fprintln(stderr, "leadmesh:", err)
		return 2
	}
	command, err := parser.Parse(args)
	if code >= 0 { // --help has answered
		return code
	}
	if err != nil {
		fmt.Fprintln(stderr, "leadmesh:", err)
		return 2
	}
	err = command.Run()
	var exit exitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return int(exit)
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return 0
	}
	complain(stderr, err)
	return 1
}

type versionCmd struct{}

func (versionCmd) Run(s streams) error {
	_, err := fmt.Fprintln(s.out, "leadmesh", version)
	return err
}
