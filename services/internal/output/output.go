// Package output writes files that are there whole or not at all.
package output

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Set is the outputs of one run: none is in its place unless all are. It is for one goroutine; Discard
// must be called at the end, whatever became of the run.
type Set struct {
	Mode   fs.FileMode // of the files, beside 0600
	Stdout io.Writer   // written for "-"

	files []*file
	seen  map[string]bool
	undo  []func()
}

// file is a regular file on its way.
type file struct {
	path string
	temp *os.File
}

// TakenError is returned for a path that is read or written already.
type TakenError struct{ Path string }

func (e *TakenError) Error() string {
	return fmt.Sprintf("%s is read or written already: give another name", e.Path)
}

// Read tells that files are read: they are no outputs. "" and "-" are none. Who may read the first may
// read what comes of it.
func (s *Set) Read(paths ...string) {
	for i, path := range paths {
		if path == "-" || path == "" {
			continue
		}
		s.take(path)
		if info, err := os.Stat(path); i == 0 && err == nil {
			s.Mode |= info.Mode().Perm()
		}
	}
}

func (s *Set) take(path string) (free bool) {
	key := absolute(path)
	if s.seen == nil {
		s.seen = map[string]bool{}
	}
	free = !s.seen[key]
	s.seen[key] = true
	return free
}

// Open makes an output beside where it is to be, so that what cannot be written is known before the
// work; nil for the path "". Commit puts the outputs in their places in the order of Open.
func (s *Set) Open(path string) (io.Writer, error) {
	if path == "" {
		return nil, nil
	}
	if !s.take(path) {
		return nil, &TakenError{path}
	}
	if path == "-" {
		return s.Stdout, nil
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return nil, err
		}
		s.undo = append(s.undo, func() { _ = f.Close() })
		return f, nil
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if e := (*os.PathError)(nil); errors.As(err, &e) {
		return nil, &os.PathError{Op: e.Op, Path: path, Err: e.Err} // not the name that it has until it is whole
	} else if err != nil {
		return nil, err
	}
	s.undo = append(s.undo, func() { _, _ = f.Close(), os.Remove(f.Name()) })
	if err := f.Chmod(0o600 | s.Mode); err != nil {
		return nil, err
	}
	s.files = append(s.files, &file{path, f})
	return f, nil
}

func absolute(path string) string {
	if path == "-" {
		return path
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	return path
}

// Commit puts the outputs where they are to be.
func (s *Set) Commit() error {
	for _, f := range s.files {
		if err := errors.Join(f.temp.Sync(), f.temp.Close()); err != nil {
			return err
		}
	}
	for _, f := range s.files {
		if err := os.Rename(f.temp.Name(), f.path); err != nil {
			return err
		}
	}
	return nil
}

// Discard removes what is not in its place.
func (s *Set) Discard() {
	for i := len(s.undo) - 1; i >= 0; i-- {
		s.undo[i]()
	}
	s.undo = nil
}
