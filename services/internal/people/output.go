package people

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// output is a file that is there whole or not at all.
type output struct {
	io.Writer // nil for what is not wanted
	path      string
	temp      *os.File // nil for what is no regular file
}

// outputs returns what is written, in the order in which it is put in its place: whoever sees the
// clusters sees all.
func (w *work) outputs() []*output { return []*output{&w.params, &w.pairs, &w.page, &w.clusters} }

// openOutputs makes the outputs beside where they are to be, so that what cannot be written is known
// before the work.
func (w *work) openOutputs() error {
	mode := os.FileMode(0o600)
	if info, err := os.Stat(w.In); w.In != "-" && err == nil {
		mode |= info.Mode().Perm() // who may read the list may read what comes of it
	}
	w.params.path, w.pairs.path, w.page.path, w.clusters.path = w.SaveParams, w.Pairs, w.Report, w.Out
	seen := map[string]bool{}
	for _, in := range []string{w.In, w.Link} {
		if in != "-" && in != "" {
			seen[absolute(in)] = true
		}
	}
	for _, o := range w.outputs() {
		path := o.path
		if path == "" {
			continue
		}
		if seen[absolute(path)] {
			return fmt.Errorf("%w%s is read or written already: give another name", ErrMapping, path)
		}
		seen[absolute(path)] = true
		if path == "-" {
			o.Writer = w.Stdout
			continue
		}
		if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			w.undo = append(w.undo, func() { _ = f.Close() })
			o.Writer = f
			continue
		}
		f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
		if e := (*os.PathError)(nil); errors.As(err, &e) {
			return &os.PathError{Op: e.Op, Path: path, Err: e.Err} // not the name that it has until it is whole
		} else if err != nil {
			return err
		}
		w.undo = append(w.undo, func() { _, _ = f.Close(), os.Remove(f.Name()) })
		if err := f.Chmod(mode); err != nil {
			return err
		}
		o.Writer, o.temp = f, f
	}
	return nil
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

// commit puts the outputs where they are to be.
func (w *work) commit() error {
	for _, o := range w.outputs() {
		if o.temp == nil {
			continue
		}
		if err := errors.Join(o.temp.Sync(), o.temp.Close()); err != nil {
			return err
		}
	}
	for _, o := range w.outputs() {
		if o.temp == nil {
			continue
		}
		if err := os.Rename(o.temp.Name(), o.path); err != nil {
			return err
		}
	}
	return nil
}
