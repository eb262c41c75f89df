package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"

	"github.com/atrium-iam/atrium/internal/fault"
)

// SQLite's result codes that mean something to us (sqlite.org/rescode.html).
const (
	sqliteBusy       = 5    // the low byte of a family of codes
	sqliteFull       = 13   // the disk is full
	sqliteForeignKey = 787  // a row refers to one that does not exist
	sqlitePrimaryKey = 1555 // a primary key is taken
	sqliteTrigger    = 1811 // among others, ON DELETE RESTRICT
	sqliteUnique     = 2067 // a unique key is taken
	sqliteRowID      = 2579 // an INTEGER PRIMARY KEY is taken
)

// PostgreSQL's (Appendix A of its manual).
const (
	pgRestrict      = "23001"
	pgForeignKey    = "23503"
	pgUnique        = "23505"
	pgSerialization = "40001"
	pgDeadlock      = "40P01"
	pgAdminShutdown = "57P01"
	pgCrashShutdown = "57P02"
	pgCannotConnect = "57P03"
)

// translate returns err, which query met, in the domain's words.
func translate(query string, err error) error {
	err = fmt.Errorf("%s: %w", compact(query), err)
	switch {
	case isConflict(err):
		return fault.New(fault.Conflict, "", "The request conflicts with existing data.").WithCause(err)
	case isUnavailable(err):
		return unavailable(err)
	}
	return err
}

func unavailable(err error) error {
	return fault.New(fault.Unavailable, "", "The service cannot reach its database or is busy. Try again.").WithCause(err)
}

func isConflict(err error) bool {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		switch e.Code() {
		case sqliteForeignKey, sqlitePrimaryKey, sqliteTrigger, sqliteUnique, sqliteRowID:
			return true
		}
	}
	switch pgCode(err) {
	case pgRestrict, pgForeignKey, pgUnique:
		return true
	}
	return false
}

// isUnavailable reports whether err is the database being away or overloaded:
// not the statement's fault, and gone after a while.
func isUnavailable(err error) bool {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code()&0xff == sqliteBusy || e.Code() == sqliteFull
	}
	switch code := pgCode(err); {
	case strings.HasPrefix(code, "53"), strings.HasPrefix(code, "57"), strings.HasPrefix(code, "58"):
		return true // resources, operator, system
	}
	return retryable(err) || lostConnection(err) || errors.Is(err, context.DeadlineExceeded)
}

// retryable reports whether the same transaction can succeed when it is run
// again: it lost against others, or its connection was lost before the commit.
func retryable(err error) bool {
	switch pgCode(err) {
	case pgSerialization, pgDeadlock:
		return true
	}
	_, uncertain := errors.AsType[*uncertainError](err)
	return !uncertain && lostConnection(err)
}

// lostConnection reports whether err is a connection that was cut or could not
// be made.
func lostConnection(err error) bool {
	switch code := pgCode(err); {
	case code == pgAdminShutdown, code == pgCrashShutdown, code == pgCannotConnect, strings.HasPrefix(code, "08"):
		return true
	case code != "", errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return false
	}
	_, isNet := errors.AsType[*net.OpError](err)
	_, isConnect := errors.AsType[*pgconn.ConnectError](err)
	return isNet || isConnect || pgconn.SafeToRetry(err) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone)
}

// uncertainError is the failure of a commit whose outcome nobody knows: the
// answer did not come. The transaction must not be run again.
type uncertainError struct{ err error }

func (e *uncertainError) Error() string {
	return "the outcome of the commit is unknown: " + e.err.Error()
}
func (e *uncertainError) Unwrap() error { return e.err }

// pgCode returns PostgreSQL's code of err, or "".
func pgCode(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return ""
}
