package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/instance"
)

// Tx is a running transaction. Its methods are the reads and writes that the
// domain packages ask for. It is used by one goroutine, and only until the
// function that was given it returns.
type Tx struct {
	ctx     context.Context
	conn    statements
	dialect Dialect
	now     time.Time
	err     error // the first failure; it stays
	change  int64 // the change counter after BumpChange; 0 when not called
	reading bool  // a result set is open

	// known is the instance that was read last, if no instance was written
	// since: the gateway, the operation and its audit record all ask for it.
	known instance.Instance
}

// statements runs SQL on one connection that is inside a transaction.
type statements interface {
	exec(ctx context.Context, query string, args []any) (rowsAffected int64, err error)
	query(ctx context.Context, query string, args []any) (cursor, error)
}

// traced tells of each statement before it runs.
type traced struct {
	statements
	tell func(query string)
}

func (c traced) exec(ctx context.Context, query string, args []any) (rowsAffected int64, err error) {
	c.tell(query)
	return c.statements.exec(ctx, query, args)
}

func (c traced) query(ctx context.Context, query string, args []any) (cursor, error) {
	c.tell(query)
	return c.statements.query(ctx, query, args)
}

// cursor reads the rows of a result in turn, as *sql.Rows does.
type cursor interface {
	Next() bool
	Scan(dest ...any) error
	// Err is why Next ended the result early, if it did.
	Err() error
	Close() error
}

var (
	errEnded   = errors.New("store: the transaction has ended")
	errNested  = errors.New("store: a statement while a result set is open")
	errExited  = errors.New("store: the transaction's function did not return")
	errBadText = fault.New(fault.Invalid, "text", "The request contains text that is not valid UTF-8 or contains a null character.")
)

func (s *Store) newTx(ctx context.Context, conn statements) *Tx {
	if s.trace != nil {
		conn = traced{conn, s.trace}
	}
	return &Tx{ctx: ctx, conn: conn, dialect: s.dialect, now: s.clock().UTC().Truncate(time.Millisecond)}
}

// Dialect returns the engine, for the rare statement that must differ.
func (t *Tx) Dialect() Dialect { return t.dialect }

// outcome is what the transaction amounts to when its function returned err: a
// failed statement that the function swallowed counts, and one that asks for
// another attempt always does.
func (t *Tx) outcome(err error) error {
	if t.err != nil && (err == nil || retryable(t.err)) {
		return t.err
	}
	return err
}

// end makes every later use of t fail.
func (t *Tx) end() { t.err = errEnded }

// exec runs a statement that returns no rows and tells how many rows it
// inserted, updated or deleted. A row that collides with another, or that
// refers to one which does not exist, is a fault.Conflict. Any failure ends the
// transaction's work: later statements fail with the same error.
func (t *Tx) exec(query string, args ...any) (rowsAffected int64, err error) {
	if err := t.ready(args); err != nil {
		return 0, err
	}
	if strings.Contains(query, "instances") { // the only way to change one: nothing cascades to that table
		t.known = instance.Instance{}
	}
	n, err := t.conn.exec(t.ctx, query, args)
	if err != nil {
		return 0, t.fail(query, err)
	}
	return n, nil
}

// row runs a query for at most one row and reads its columns into dest. found
// is false when there is no row. It fails when there are more.
func (t *Tx) row(query string, args []any, dest ...any) (found bool, err error) {
	err = t.rows(query, args, func(scan func(...any) error) error {
		if found {
			return fmt.Errorf("store: more than one row for %s", compact(query))
		}
		found = true
		return scan(dest...)
	})
	return found && err == nil, err
}

// rows runs a query and calls each for every row; each reads the row's columns
// by calling scan, and must not use t. An error of each ends the reading and
// is returned.
func (t *Tx) rows(query string, args []any, each func(scan func(dest ...any) error) error) error {
	if err := t.ready(args); err != nil {
		return err
	}
	rows, err := t.conn.query(t.ctx, query, args)
	if err != nil {
		return t.fail(query, err)
	}
	t.reading = true
	defer func() {
		t.reading = false
		_ = rows.Close() // its error is also rows.Err's
	}()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return t.fail(query, err)
	}
	return nil
}

// ready tells why no statement with these arguments can run now, if so.
func (t *Tx) ready(args []any) error {
	if t.err == nil {
		t.err = t.refuse(args)
	}
	return t.err
}

func (t *Tx) refuse(args []any) error {
	if t.reading {
		return errNested
	}
	for _, arg := range args {
		// PostgreSQL stores no such text. SQLite would.
		if s, ok := arg.(string); ok && (strings.IndexByte(s, 0) >= 0 || !utf8.ValidString(s)) {
			return errBadText
		}
	}
	return t.ctx.Err()
}

// fail notes the first failure of a statement and returns it in the domain's
// words.
func (t *Tx) fail(query string, err error) error {
	t.err = translate(query, err)
	return t.err
}

// compact returns query on one line, for error messages. Queries hold no data:
// that is in their arguments.
func compact(query string) string { return strings.Join(strings.Fields(query), " ") }
