package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/leadmesh/leadmesh/services/house"
)

type demoCmd struct {
	houseFlags
	Serve bool `help:"Keep serving after the sample leads."`
}

func (c *demoCmd) Run(ctx context.Context, s streams) error {
	cfg, err := c.config(s)
	if err != nil {
		return err
	}
	cfg.Sample = true
	cfg.LogLevel = max(cfg.LogLevel, slog.LevelWarn) // the demo's own lines are what there is to read
	if cfg.Data == "" {
		cfg.Data = house.DefaultData()
	}
	h, err := house.Open(ctx, cfg)
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- h.Run(running) }()

	shown := make(chan error, 1)
	go func() { shown <- c.show(running, h, cfg.Data, s.out) }()
	select {
	case err = <-shown:
	case err = <-ended:
		return err
	}
	if err == nil && c.Serve {
		fmt.Fprintf(s.out, "\nServing; Ctrl-C stops it, the data stays in %s.\n", cfg.Data)
		addresses(h, scheme(c.TLSCert), s.out)
		return stopped(ctx, <-ended, s.out)
	}
	stop()
	return errors.Join(err, <-ended)
}

// show sends the sample and prints what became of each lead, then the scorecard.
func (c *demoCmd) show(ctx context.Context, h *house.House, data string, out io.Writer) error {
	ready, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	if err := h.Ready(ready); err != nil {
		return err
	}
	at, again, err := demoTime(data)
	if err != nil {
		return err
	}
	token := ""
	if c.Tokens != "" {
		if token, err = firstToken(c.Tokens); err != nil {
			return err
		}
	}
	d := &demo{base: scheme(c.TLSCert) + h.HTTPAddr(), token: token, at: at, out: out, zones: map[string]*time.Location{}, held: map[string]sent{}}
	if again {
		fmt.Fprintf(out, "The sample was sent %s ago and is sent again: nothing changes, since every lead is known by its idempotency key.\nTo begin anew, remove %s.\n\n", time.Since(at).Round(time.Second), data)
	}
	signals, err := d.sendSignals(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Noted %d signals of existing customers. Now the leads:\n\n", signals)
	counted, err := d.sendLeads(ctx)
	if err != nil {
		return err
	}
	return d.scorecard(ctx, counted)
}

func scheme(cert string) string {
	if cert != "" {
		return "https://"
	}
	return "http://"
}

// firstToken is the first token of a tokens file, for the demo's own calls.
func firstToken(path string) (string, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read the tokens file: %w", err)
	}
	for line := range strings.Lines(string(raw)) {
		if fields := strings.Fields(line); len(fields) > 1 && !strings.HasPrefix(fields[0], "#") {
			return fields[0], nil
		}
	}
	return "", errors.New("the tokens file holds no token")
}

// demoTime is the moment that the sample's relative times count from. It is kept, so that a second
// run sends the very same leads and gets the very same answers.
func demoTime(data string) (at time.Time, again bool, err error) {
	file := filepath.Join(data, "demo.time")
	if raw, err := os.ReadFile(file); err == nil {
		if at, err = time.Parse(time.RFC3339, strings.TrimSpace(string(raw))); err == nil {
			return at, true, nil
		}
	}
	at = time.Now().UTC().Truncate(time.Second)
	if err := os.MkdirAll(data, 0o755); err != nil {
		return at, false, fmt.Errorf("make the data directory: %w", err)
	}
	if err := os.WriteFile(file, []byte(at.Format(time.RFC3339)+"\n"), 0o644); err != nil {
		return at, false, fmt.Errorf("note the time of the demo: %w", err)
	}
	return at, false, nil
}
