package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// look is what a house answers of a run.
type look struct {
	at   string // "": it is done
	fail error
}

func looks(list []look) *runKind[look] {
	return &runKind[look]{
		words: "training",
		get: func(context.Context, string) (look, error) {
			l := list[0]
			list = list[1:]
			return l, l.fail
		},
		state:    func(l look) (running, done bool) { return l.at != "", l.at == "" },
		progress: func(l look) string { return l.at },
		print:    func(out io.Writer, _ look) { fmt.Fprintln(out, "done") },
	}
}

// A command that waits for a run stays when the house goes away and comes back, tells how far it is once
// for each change, and gives up where waiting is of no use.
func TestFollow(t *testing.T) {
	t.Parallel()
	away, gone := status.Error(codes.Unavailable, "refused"), status.Error(codes.NotFound, "no such run")
	for name, test := range map[string]struct {
		looks     []look
		told, out string
		err       error
	}{
		"to the end":     {looks: []look{{at: "1"}, {at: "1"}, {at: "2"}, {}}, told: "1\n2\n", out: "done\n"},
		"over a restart": {looks: []look{{at: "1"}, {fail: away}, {fail: away}, {at: "1"}, {}}, told: "1\nthe house can not be reached; trying again\n1\n", out: "done\n"},
		"never there":    {looks: []look{{fail: away}}, err: away},
		"not there":      {looks: []look{{at: "1"}, {fail: gone}}, told: "1\n", err: gone},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var out, told bytes.Buffer
				if err := looks(test.looks).follow(t.Context(), streams{out: &out, err: &told}, "7"); !errors.Is(err, test.err) {
					t.Errorf("it ends with %v", err)
				}
				if diff := cmp.Diff([]string{test.told, test.out}, []string{told.String(), out.String()}); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestFollowStops(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	k := looks([]look{{at: "1"}})
	k.progress = func(look) string { stop(); return "1" }
	if err := k.follow(ctx, streams{err: &bytes.Buffer{}}, "7"); err == nil || err.Error() != "stopped waiting; the training 7 goes on" {
		t.Errorf("it ends with %v", err)
	}
}

func TestSoFar(t *testing.T) {
	t.Parallel()
	for want, got := range map[string]string{"0 leads so far": soFar(0, 0, "leads"), "20 of about 64 leads": soFar(20, 64, "leads")} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
