package main

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"

	"github.com/leadmesh/leadmesh/core/scoring/frame"
	"github.com/leadmesh/leadmesh/core/scoring/train"
)

//go:embed compare.py
var compareScript []byte

// peer runs XGBoost and logistic regression in a Python that has them.
type peer struct {
	python, dir string
}

// compared is what the peers gave: seconds of XGBoost, and the chances of the rows after the cut.
type compared struct {
	clock, processor  float64
	boosted, straight []float64
}

// newPeer finds a Python with xgboost and numpy. The error says what to install.
func newPeer(ctx context.Context) (*peer, error) {
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if exec.CommandContext(ctx, python, "-c", "import numpy, xgboost").Run() != nil {
			continue
		}
		dir, err := os.MkdirTemp("", "leadmesh-learn-")
		if err != nil {
			return nil, err
		}
		return &peer{python: python, dir: dir}, os.WriteFile(filepath.Join(dir, "compare.py"), compareScript, 0o644)
	}
	return nil, errors.New("no XGBoost to compare with; install python3-xgboost")
}

func (p *peer) close() error { return os.RemoveAll(p.dir) }

// compare learns from the rows before cut. Names become one column each of zeros and ones where
// hot, else their number.
func (p *peer) compare(ctx context.Context, f *frame.Frame, outcomes []train.Outcome, cut int, hot bool) (compared, error) {
	var c compared
	table, out := filepath.Join(p.dir, "table"), filepath.Join(p.dir, "out")
	columns, err := writeMatrix(table, f, outcomes, hot)
	if err != nil {
		return c, err
	}
	cmd := exec.CommandContext(ctx, p.python, filepath.Join(p.dir, "compare.py"), table,
		strconv.Itoa(f.Rows), strconv.Itoa(columns), strconv.Itoa(cut), strconv.Itoa(runtime.NumCPU()), out)
	var told, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &told, &errs
	if err := cmd.Run(); err != nil {
		return c, fmt.Errorf("XGBoost: %w: %s", err, errs.String())
	}
	if _, err := fmt.Sscan(told.String(), &c.clock, &c.processor); err != nil {
		return c, fmt.Errorf("XGBoost said %q: %w", told.String(), err)
	}
	if cut == f.Rows {
		return c, nil
	}
	raw, err := os.ReadFile(out)
	if err != nil {
		return c, err
	}
	chances := make([]float64, len(raw)/4)
	for i := range chances {
		chances[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:])))
	}
	c.boosted, c.straight = chances[:f.Rows-cut], chances[f.Rows-cut:]
	return c, nil
}

// writeMatrix writes a frame as the script reads it and returns the number of columns.
func writeMatrix(path string, f *frame.Frame, outcomes []train.Outcome, hot bool) (columns int, err error) {
	file, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	w := bufio.NewWriterSize(file, 1<<20)
	column := func(value func(row int) float64) {
		var four [4]byte
		for row := range f.Rows {
			binary.LittleEndian.PutUint32(four[:], math.Float32bits(float32(value(row))))
			_, _ = w.Write(four[:]) // the first error comes again from Flush
		}
	}
	for j := range f.Columns {
		c := &f.Columns[j]
		switch {
		case c.Kind == frame.Number:
			column(func(row int) float64 { return c.Numbers[row] })
			columns++
		case !hot:
			column(func(row int) float64 { return float64(c.Codes[row]) })
			columns++
		default:
			for v := range int32(len(c.Values)) {
				column(func(row int) float64 {
					if c.Codes[row] == v {
						return 1
					}
					return 0
				})
				columns++
			}
		}
	}
	column(func(row int) float64 { return float64(outcomes[row]) })
	return columns, w.Flush()
}
