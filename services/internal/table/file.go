package table

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// File is a table that can be read several times. It is for one goroutine.
type File struct {
	Label   string // what people call it: its name without its folder
	Path    string // "-" is standard input
	Dialect Dialect
	Header  Row

	spool string // where standard input was kept, to be read again
}

// OpenFile finds a table and reads its header. Standard input, for the path "-", is kept in a file that
// only this user may read; Close removes it.
func OpenFile(ctx context.Context, path string, stdin io.Reader) (_ *File, err error) {
	f := &File{Path: path, Label: filepath.Base(path)}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	if path == "-" {
		f.Label = "standard input"
		if err := f.keep(ctx, stdin); err != nil {
			return nil, err
		}
	}
	r, closer, err := f.open()
	if err != nil {
		return nil, err
	}
	f.Header, f.Dialect = r.Header(), r.Dialect()
	_ = closer.Close()
	return f, nil
}

// Close removes what was kept. f may be nil.
func (f *File) Close() {
	if f != nil && f.spool != "" {
		_ = os.Remove(f.spool)
		f.spool = ""
	}
}

func (f *File) keep(ctx context.Context, stdin io.Reader) error {
	t, err := os.CreateTemp("", "leadmesh-*.csv")
	if err != nil {
		return err
	}
	f.spool = t.Name()
	_, err = io.Copy(t, untilDone{ctx, stdin})
	return errors.Join(err, t.Close())
}

// untilDone ends a reader with its context.
type untilDone struct {
	ctx context.Context
	r   io.Reader
}

func (u untilDone) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(p)
}

func (f *File) open() (*Reader, io.Closer, error) {
	path := f.Path
	if f.spool != "" {
		path = f.spool
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	r, err := NewReader(file)
	if err != nil {
		_ = file.Close()
		return nil, nil, fmt.Errorf("%s: %w", f.Label, err)
	}
	return r, file, nil
}

// Each calls fn for each row that can be read, with its place in the table, and bad, unless it is nil,
// for each other. It stops with the first error of fn. Behind it the dialect's encoding is known.
func (f *File) Each(ctx context.Context, fn func(row int, r *Row) error, bad func(*RowError)) error {
	r, file, err := f.open()
	if err != nil {
		return err
	}
	defer file.Close()
	for row := 0; ; {
		if row%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		read, err := r.Next()
		var broken *RowError
		switch {
		case errors.Is(err, io.EOF):
			f.Dialect = r.Dialect()
			return nil
		case errors.As(err, &broken):
			if bad != nil {
				bad(broken)
			}
			continue
		case err != nil:
			return fmt.Errorf("%s: %w", f.Label, err)
		}
		if err := fn(row, read); err != nil {
			return err
		}
		row++
	}
}

// ErrChanged is the error for a file whose rows are others when it is read again.
func (f *File) ErrChanged() error { return errors.New(f.Label + " changed while it was read") }
