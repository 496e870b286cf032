package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
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

// follow waits for a report and prints it; how far it is goes to where errors go, whenever that is
// something else. A house that can not be reached is waited for: what it has begun goes on when it is
// back, and whoever waits over a night or an upgrade wants the end and not the gap.
func (k *runKind[R]) follow(ctx context.Context, s streams, id string) error {
	last := ""
	for {
		r, err := k.get(ctx, id)
		at := "the house can not be reached; trying again"
		switch {
		case ctx.Err() != nil:
			return k.stopped(id)
		case err == nil:
			running, done := k.state(r)
			if !running {
				k.print(s.out, r)
				if !done {
					return exitError(1)
				}
				return nil
			}
			at = k.progress(r)
		case last == "" || status.Code(err) != codes.Unavailable:
			return err // at the first look it is the address that is wrong
		}
		if at != last {
			last = at
			fmt.Fprintln(s.err, at)
		}
		select {
		case <-ctx.Done():
			return k.stopped(id)
		case <-time.After(runPoll):
		}
	}
}

func (k *runKind[R]) stopped(id string) error {
	return errors.New("stopped waiting; the " + k.words + " " + id + " goes on")
}

// soFar says how many of a run's things are done, of about how many; 0 where that is not known yet.
func soFar(done, about int64, things string) string {
	if about == 0 {
		return fmt.Sprintf("%d %s so far", done, things)
	}
	return fmt.Sprintf("%d of about %d %s", done, about, things)
}
