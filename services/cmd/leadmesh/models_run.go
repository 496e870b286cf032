package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// runPoll is how often a waiting command asks how far a run is.
const runPoll = time.Second

// runKind is a kind of long work of the house, backtests, trainings or re-scorings, as commands show it.
type runKind[R any] struct {
	words       string // what people call one
	command     string // of leadmesh models, that shows one
	get, cancel func(ctx context.Context, id string) (R, error)
	state       func(R) (running, done bool)
	progress    func(R) string
	print       func(out io.Writer, r R)
}

// begun says how to look at one that was begun, or waits for it.
func (k *runKind[R]) begun(ctx context.Context, s streams, id string, wait bool) error {
	if wait {
		return k.follow(ctx, s, id)
	}
	fmt.Fprintf(s.out, "%s: begun; leadmesh models %s %s prints what came out\n", id, k.command, id)
	return nil
}

// show prints how far one is, or its report, after it was ended or waited for if that is asked.
func (k *runKind[R]) show(ctx context.Context, s streams, id string, wait, cancel bool) error {
	call := k.get
	switch {
	case cancel:
		call = k.cancel
	case wait:
		return k.follow(ctx, s, id)
	}
	r, err := call(ctx, id)
	if err == nil {
		k.print(s.out, r)
	}
	return err
}

// follow waits for a report and prints it; how far it is goes to where errors go.
func (k *runKind[R]) follow(ctx context.Context, s streams, id string) error {
	last := ""
	for {
		r, err := k.get(ctx, id)
		if err != nil {
			return err
		}
		running, done := k.state(r)
		if !running {
			k.print(s.out, r)
			if !done {
				return exitError(1)
			}
			return nil
		}
		if at := k.progress(r); at != last {
			last = at
			fmt.Fprintln(s.err, at)
		}
		select {
		case <-ctx.Done():
			return errors.New("stopped waiting; the " + k.words + " " + id + " goes on")
		case <-time.After(runPoll):
		}
	}
}
