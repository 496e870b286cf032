package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestComplain(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want []string
	}{
		"plain":  {errors.New("no such thing"), []string{"leadmesh: no such thing"}},
		"joined": {errors.Join(errors.New("give a key"), errors.New("give tokens")), []string{"leadmesh: give a key", "leadmesh: give tokens"}},
		"answered": {
			problem.Invalid(problem.Violation{Field: "revision", Description: "give at least the first 8 characters"}).GRPCStatus().Err(),
			[]string{"leadmesh: the request has wrong fields; each is named with its remedy", "leadmesh:   revision: give at least the first 8 characters"},
		},
		"a file": {
			inFile("sales.yaml", problem.Invalid(problem.Violation{Field: "text:4:5", Description: "no such feature"}, problem.Violation{Field: "text", Description: "is required"},
				problem.Violation{Field: "line", Description: "is none of ours"}).GRPCStatus().Err()),
			[]string{"leadmesh: the request has wrong fields; each is named with its remedy", "leadmesh:   sales.yaml:4:5: no such feature", "leadmesh:   sales.yaml: is required", "leadmesh:   line: is none of ours"},
		},
		"no answer, a file": {inFile("sales.yaml", errors.New("no such thing")), []string{"leadmesh: no such thing"}},
		"a part is down":    {problem.Unavailable(errors.New("secret")).GRPCStatus().Err(), []string{"leadmesh: a part of the system is down; nothing was stored, try again"}},
		"nobody there": {
			status.Error(codes.Unavailable, "connection refused"),
			[]string{"leadmesh: connection refused", "leadmesh:   no leadmesh answers there: start one, say where it is with --grpc, or give --ca if it speaks TLS"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			complain(&out, c.err)
			if diff := cmp.Diff(c.want, strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")); diff != "" {
				t.Error(diff)
			}
		})
	}
}
