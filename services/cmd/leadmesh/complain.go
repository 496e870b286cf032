package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/anypb"
)

// complain writes why a command did not work, a line for each thing that is wrong. What a running
// house answered is written in its own words with every wrong field.
func complain(w io.Writer, err error) {
	for _, line := range complaints(err) {
		fmt.Fprintln(w, "leadmesh:", line)
	}
}

func complaints(err error) []string {
	var answer interface{ GRPCStatus() *status.Status }
	if text := err.Error(); strings.Contains(text, "\n") || !errors.As(err, &answer) {
		return splitLines(text)
	}
	st := answer.GRPCStatus()
	lines, informed := []string{st.Message()}, false
	for _, detail := range st.Details() {
		switch d := detail.(type) {
		case *errdetails.ErrorInfo:
			informed = true
		case *errdetails.BadRequest:
			for _, v := range d.GetFieldViolations() {
				lines = append(lines, fmt.Sprintf("  %s: %s", v.GetField(), v.GetDescription()))
			}
		}
	}
	// Every answer of a house carries an ErrorInfo, so this one is of the connection.
	if st.Code() == codes.Unavailable && !informed {
		lines = append(lines, "  no leadmesh answers there: start one, say where it is with --grpc, or give --ca if it speaks TLS")
	}
	return lines
}

// inFile names a file where an answer of a house speaks of the text that was read from it.
func inFile(path string, err error) error {
	st, ok := status.FromError(err)
	if !ok {
		return err
	}
	p := st.Proto()
	for i, detail := range st.Details() {
		wrong, ok := detail.(*errdetails.BadRequest)
		if !ok {
			continue
		}
		for _, v := range wrong.GetFieldViolations() {
			if place, found := strings.CutPrefix(v.GetField(), "text"); found {
				v.Field = path + place
			}
		}
		if named, err := anypb.New(wrong); err == nil {
			p.Details[i] = named
		}
	}
	return status.FromProto(p).Err()
}

func splitLines(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}
