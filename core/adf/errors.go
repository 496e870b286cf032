package adf

import (
	"errors"
	"fmt"
)

// The reasons a text cannot be read at all; they arrive wrapped in ParseError.
var (
	ErrNoProspect = errors.New("no prospect found")
	ErrTooLarge   = errors.New("input too large")
	ErrTooDeep    = errors.New("elements nested too deeply")
	ErrTooMany    = errors.New("too many elements or attributes")
)

// ParseError says where reading stopped and what the sender can do. Line and
// Column count from 1; they are 0 when the whole text is meant. Its text holds
// no part of the input.
type ParseError struct {
	Line, Column int
	Remedy       string
	Err          error
}

func (e *ParseError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("adf: %v; %s", e.Err, e.Remedy)
	}
	return fmt.Sprintf("adf: line %d, column %d: %v; %s", e.Line, e.Column, e.Err, e.Remedy)
}

// Unwrap gives the reason, one of the errors above.
func (e *ParseError) Unwrap() error { return e.Err }

// Limits of what Parse accepts. They leave room for a file of thousands of
// leads and keep memory within a small multiple of the input.
const (
	// MaxInput is the largest input in bytes.
	MaxInput = 4 << 20
	// MaxDepth is the deepest nesting of elements within a lead file.
	MaxDepth = 64

	maxElements  = 200_000
	maxTokens    = 700_000
	maxAttrs     = 64
	maxAttrBytes = 64 << 10
	maxName      = 64
	maxRepairs   = 1000
	maxFlags     = 500
	maxPathBytes = 16 << 20
	maxEscapes   = 3
)
