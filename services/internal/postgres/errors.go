package postgres

import (
	"context"
	"errors"
	"io"
	"net"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/puddle/v2"
	"github.com/leadmesh/leadmesh/services/internal/problem"
)

// SQLSTATE codes, from appendix A of the PostgreSQL manual.
const (
	codeUniqueViolation      = "23505"
	codeReadOnlyTransaction  = "25006"
	codeIdleInTxTimeout      = "25P03"
	codeSerializationFailure = "40001"
	codeDeadlockDetected     = "40P01"
	codeUndefinedTable       = "42P01"
	codeDuplicateObject      = "42710"
	codeLockNotAvailable     = "55P03"
	codeQueryCanceled        = "57014"
	codeAdminShutdown        = "57P01"
	codeCrashShutdown        = "57P02"
	codeCannotConnectNow     = "57P03"
	codeIdleSessionTimeout   = "57P05"
	codeIOError              = "58030"
	codeInternalError        = "XX000"

	classConnection        = "08"
	classInsufficientSpace = "53"
)

// Unavailable reports whether err says that the database could not do its work
// now, though the same request may succeed later: it cannot be reached, is
// starting, stopping or read-only after a failover, is out of disk, memory or
// connections, took longer than a limit, or kept losing against other
// transactions. It is false for nil, for errors of the request itself, for
// wrong credentials and for a caller who cancelled: see [Problem].
func Unavailable(err error) bool {
	if err == nil {
		return false
	}
	// The server's own word decides first: a connect error may carry both a
	// refused password and a network error of another address.
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		return unavailableCode(pgErr.Code)
	}
	if errors.Is(err, context.Canceled) {
		return false
	}
	if errors.Is(err, context.DeadlineExceeded) || pgconn.Timeout(err) {
		return true
	}
	var connectErr *pgconn.ConnectError
	if errors.As(err, &connectErr) {
		return true
	}
	for _, lost := range []error{
		io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, pgconn.ErrConnClosed, puddle.ErrClosedPool,
		syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.ECONNABORTED, syscall.EPIPE,
		syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.ETIMEDOUT,
	} {
		if errors.Is(err, lost) {
			return true
		}
	}
	var netErr net.Error
	return errors.As(err, &netErr) && netErr.Timeout()
}

func unavailableCode(code string) bool {
	switch code {
	case codeAdminShutdown, codeCrashShutdown, codeCannotConnectNow, codeIdleSessionTimeout,
		codeQueryCanceled, codeLockNotAvailable, codeIdleInTxTimeout,
		codeSerializationFailure, codeDeadlockDetected,
		codeReadOnlyTransaction, codeIOError:
		return true
	}
	return len(code) == 5 && (code[:2] == classConnection || code[:2] == classInsufficientSpace)
}

// Problem makes an error of the driver answerable, once: nil stays nil and a
// problem stays as it is, wrapped or not. What was cut short because its caller
// went away, or because this process stops, is no fault of the system: it is
// UNAVAILABLE as what is [Unavailable] is, and may be asked for again. The rest
// is INTERNAL.
func Problem(err error) error {
	var p *problem.Error
	switch {
	case err == nil, errors.As(err, &p):
		return err
	case Unavailable(err), errors.Is(err, context.Canceled):
		return problem.Unavailable(err)
	}
	return problem.Internal(err)
}

// UniqueViolation reports whether err says that a row would repeat the key of
// the named unique constraint or index; an empty name stands for any.
func UniqueViolation(err error, constraint string) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && pgErr.Code == codeUniqueViolation &&
		(constraint == "" || pgErr.ConstraintName == constraint)
}

// conflict holds for errors that end a transaction only because of what
// another one did at the same time.
func conflict(err error) bool { return hasCode(err, codeSerializationFailure, codeDeadlockDetected) }

func hasCode(err error, codes ...string) bool {
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) {
		return false
	}
	for _, code := range codes {
		if pgErr.Code == code {
			return true
		}
	}
	return false
}
