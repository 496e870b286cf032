package main

import (
	"bytes"
	"context"
	"errors"
	"testing"
)

// TestStopped: only a house that was told to stop says so, and only if nothing went wrong.
func TestStopped(t *testing.T) {
	told, stop := context.WithCancel(t.Context())
	stop()
	broken := errors.New("broken")
	for _, c := range []struct {
		name string
		ctx  context.Context
		err  error
		want string
	}{
		{"told", told, nil, "stopped\n"},
		{"told, and the context's error came back", told, context.Canceled, "stopped\n"},
		{"told and broken", told, broken, ""},
		{"broken", t.Context(), broken, ""},
		{"ended by itself", t.Context(), nil, ""},
	} {
		var out bytes.Buffer
		if err := stopped(c.ctx, c.err, &out); !errors.Is(err, c.err) || out.String() != c.want {
			t.Errorf("%s: %v, %q; want %v, %q", c.name, err, out.String(), c.err, c.want)
		}
	}
}
