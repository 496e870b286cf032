// Command bench runs core/scoring beside general rule engines on the same scorecards: nine lines,
// 60 features, rules compiled and inputs bound beforehand, one thread. It builds each engine by
// itself, so that one which does not resolve is skipped and the others still run; it checks that
// all of them compute the same points; and it measures them in turn, round after round, so that
// whatever else the machine does hits all of them alike.
//
// It prints one JSON row per engine. Run it in its own folder with GOWORK=off.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/leadmesh/leadmesh/deploy/bench/rules"
)

// row is what is printed of one engine.
type row struct {
	Name    string  `json:"name"`
	Median  float64 `json:"ns_median,omitempty"`
	Min     float64 `json:"ns_min,omitempty"`
	Max     float64 `json:"ns_max,omitempty"`
	Ratio   float64 `json:"ratio_to_leadmesh,omitempty"` // median of the rounds' ratios
	Least   float64 `json:"ratio_min,omitempty"`
	Most    float64 `json:"ratio_max,omitempty"`
	Skipped string  `json:"skipped,omitempty"`
}

func main() {
	pairs := flag.Int("pairs", 5, "rounds in which every engine is measured, at least 5 for a figure to quote")
	small := flag.Bool("small", false, "measure 100 ms instead of 500 ms per round and engine")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, max(*pairs, 1), *small); err != nil {
		stop()
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, pairs int, small bool) error {
	dir, err := os.MkdirTemp("", "leadmesh-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // what is left there is the system's to clean
	names := []string{"leadmesh", "cel", "expr", "grule", "opa"}
	rows := make([]row, len(names))
	engines := make([]*engine, len(names))
	defer func() {
		for _, e := range engines {
			e.stop()
		}
	}()
	for i, name := range names {
		rows[i].Name = name
		e, err := start(ctx, dir, name)
		switch {
		case ctx.Err() != nil:
			return errors.New("interrupted")
		case err != nil && i == 0:
			return err
		case err != nil:
			rows[i].Skipped = err.Error()
			fmt.Fprintf(os.Stderr, "bench: %s is skipped: %v\n", name, err)
		case i > 0 && e.points != engines[0].points:
			e.stop()
			return fmt.Errorf("%s computes other points than core/scoring", name)
		default:
			engines[i] = e
		}
	}
	ms := 500
	if small {
		ms = 100
	}
	figures := make([][]float64, len(names))
	for range pairs {
		for i, e := range engines {
			if e == nil {
				continue
			}
			ns, err := e.measure(ms)
			if err != nil {
				return fmt.Errorf("%s: %w", names[i], err)
			}
			figures[i] = append(figures[i], ns)
		}
	}
	encoder := json.NewEncoder(out)
	for i := range rows {
		if ns := figures[i]; len(ns) > 0 {
			var ratios []float64
			for k := range ns {
				ratios = append(ratios, ns[k]/figures[0][k])
			}
			rows[i].Median, rows[i].Min, rows[i].Max = median(ns), slices.Min(ns), slices.Max(ns)
			rows[i].Ratio, rows[i].Least, rows[i].Most = median(ratios), slices.Min(ratios), slices.Max(ratios)
		}
		if err := encoder.Encode(rows[i]); err != nil {
			return err
		}
	}
	return nil
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	n := len(v)
	return (v[(n-1)/2] + v[n/2]) / 2
}

// engine is a running engine.
type engine struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	stderr  *bytes.Buffer
	points  [rules.Samples][rules.Lines]int32
}

// start builds and starts an engine and reads the points it computes.
func start(ctx context.Context, dir, name string) (*engine, error) {
	binary := filepath.Join(dir, name)
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", binary, "./engine/"+name).CombinedOutput(); err != nil {
		return nil, errors.New(firstLine(out, err))
	}
	e := &engine{command: exec.CommandContext(ctx, binary), stderr: &bytes.Buffer{}}
	e.command.Env = append(os.Environ(), "GOMAXPROCS=2")
	e.command.Stderr = e.stderr
	var err error
	if e.in, err = e.command.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := e.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	e.out = bufio.NewReader(out)
	if err := e.command.Start(); err != nil {
		return nil, err
	}
	if err := e.read(&e.points); err != nil {
		e.stop()
		return nil, errors.New(firstLine(e.stderr.Bytes(), err))
	}
	return e, nil
}

// measure lets the engine run for some milliseconds and returns nanoseconds per lead.
func (e *engine) measure(ms int) (float64, error) {
	if _, err := fmt.Fprintln(e.in, ms); err != nil {
		return 0, err
	}
	var ns float64
	err := e.read(&ns)
	return ns, err
}

func (e *engine) read(v any) error {
	line, err := e.out.ReadBytes('\n')
	if err != nil {
		return err
	}
	return json.Unmarshal(line, v)
}

// stop ends the engine; it ends by itself when its input does.
func (e *engine) stop() {
	if e == nil {
		return
	}
	_ = e.in.Close()
	_ = e.command.Wait() // its exit code tells nothing once the figures are read
}

func firstLine(out []byte, err error) string {
	for line := range strings.Lines(string(out)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			return line
		}
	}
	return err.Error()
}
