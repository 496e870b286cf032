package postgres

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// LockedError says that another leadmesh uses the data directory.
type LockedError struct {
	DataDir string
	// PID is the other process, 0 if it could not be told.
	PID int
}

// Error names the data directory and the process that holds it.
func (e *LockedError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("data directory %s is in use by another leadmesh", e.DataDir)
	}
	return fmt.Sprintf("data directory %s is in use by another leadmesh, process %d", e.DataDir, e.PID)
}

// lockDataDir takes the data directory for this process, until the file is
// closed or the process ends in whatever way.
func lockDataDir(dir string) (*os.File, error) {
	path := filepath.Join(dir, "leadmesh.lock")
	// Go opens files close-on-exec: the server does not inherit the lock.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lock data directory: %w", err)
	}
	err = flock(f, syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, errors.Join(&LockedError{DataDir: dir, PID: readPID(f)}, f.Close())
	}
	if err == nil {
		err = writePID(f)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), f.Close())
	}
	return f, nil
}

func flock(f *os.File, how int) error {
	for {
		err := syscall.Flock(int(f.Fd()), how)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

func writePID(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
	return err
}
