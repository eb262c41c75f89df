package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"runtime"
	"strings"

	_ "modernc.org/sqlite" // the database/sql driver "sqlite"
)

// sqliteEngine is a SQLite database in WAL mode: one writer, which commits in
// groups, and several readers beside it.
type sqliteEngine struct {
	store   *Store
	lock    *fileLock
	writes  *sql.DB
	reads   *sql.DB
	writer  *writer
	readers chan *session // idle ones; nil stands for one not yet opened
	closed  chan struct{}
}

func openSQLite(ctx context.Context, cfg Config, s *Store) (_ engine, err error) {
	path, err := filepath.Abs(cfg.SQLitePath)
	if err != nil {
		return nil, err
	}
	e := &sqliteEngine{store: s, closed: make(chan struct{})}
	defer func() {
		if err != nil {
			_ = e.close()
		}
	}()
	if e.lock, err = lockFile(path + ".lock"); err != nil {
		return nil, err
	}
	if e.writes, err = sql.Open("sqlite", sqliteDSN(path, "busy_timeout(10000)", "journal_mode(WAL)",
		"synchronous(FULL)", "foreign_keys(1)", "cache_size(-16384)", "journal_size_limit(67108864)")); err != nil {
		return nil, err
	}
	e.writes.SetMaxOpenConns(1)
	if err := migrate(ctx, e.writes, SQLite, cfg.Log); err != nil {
		return nil, err
	}
	if e.reads, err = sql.Open("sqlite", sqliteDSN(path, "busy_timeout(10000)", "query_only(1)", "cache_size(-16384)")); err != nil {
		return nil, err
	}
	n := cfg.Readers
	if n <= 0 {
		n = max(4, runtime.GOMAXPROCS(0))
	}
	e.readers = make(chan *session, n)
	for range n {
		e.readers <- nil
	}
	e.writer = startWriter(e.writes, s)
	return e, nil
}

// sqliteDSN returns the URI that opens the file at path with the pragmas set on
// every connection.
func sqliteDSN(path string, pragmas ...string) string {
	u := url.URL{Scheme: "file", Path: path, RawQuery: url.Values{"_pragma": pragmas, "_txlock": {"immediate"}}.Encode()}
	// SQLite wants file:///path; url.URL leaves the empty authority out.
	return strings.Replace(u.String(), "file:/", "file:///", 1)
}

func (e *sqliteEngine) update(ctx context.Context, fn func(*Tx) error) error {
	return e.writer.update(ctx, fn)
}

func (e *sqliteEngine) view(ctx context.Context, fn func(*Tx) error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	var reader *session
	select {
	case reader = <-e.readers:
	case <-ctx.Done():
		return ctx.Err()
	case <-e.closed:
		return errClosed
	}
	defer func() { e.readers <- reader }()
	if reader == nil {
		if reader, err = e.store.newSession(e.reads); err != nil {
			return translate("connect", err)
		}
	}
	if err := reader.run("BEGIN"); err != nil {
		reader = reader.discard()
		return translate("BEGIN", err)
	}
	defer func() {
		if reader.run("ROLLBACK") != nil {
			reader = reader.discard()
		}
	}()
	runs := 1
	if e.store.runTwice {
		runs = 2
	}
	for range runs {
		err = e.runView(ctx, reader, fn)
	}
	return err
}

func (e *sqliteEngine) runView(ctx context.Context, reader *session, fn func(*Tx) error) error {
	tx := e.store.newTx(ctx, reader)
	defer tx.end()
	err := fn(tx)
	return tx.outcome(err)
}

// listen has nothing to hear: the database file is this process's alone.
func (e *sqliteEngine) listen(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

func (e *sqliteEngine) ping(ctx context.Context) error {
	return e.view(ctx, func(tx *Tx) error {
		var one int
		_, err := tx.row("SELECT 1", nil, &one)
		return err
	})
}

func (e *sqliteEngine) close() error {
	var errs []error
	close(e.closed)
	if e.writer != nil {
		e.writer.stop()
	}
	for range cap(e.readers) { // waits for those in use
		if r := <-e.readers; r != nil {
			r.discard()
		}
	}
	for _, db := range []*sql.DB{e.reads, e.writes} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	if e.lock != nil {
		errs = append(errs, e.lock.unlock())
	}
	return errors.Join(errs...)
}

// maxPrepared bounds the prepared statements of a connection. The queries of
// this package are a few hundred; only lists of ids in them vary.
const maxPrepared = 1000

// session is one connection to a SQLite database, with the statements that it
// has prepared, by their text.
type session struct {
	conn    *sql.Conn
	stmts   map[string]*sql.Stmt
	inspect func(query string, plan []string)
}

func (s *Store) newSession(db *sql.DB) (*session, error) {
	conn, err := db.Conn(context.Background())
	if err != nil {
		return nil, err
	}
	return &session{conn: conn, stmts: make(map[string]*sql.Stmt), inspect: s.inspect}, nil
}

func (c *session) forget() {
	for _, stmt := range c.stmts {
		_ = stmt.Close()
	}
	clear(c.stmts)
}

// discard closes the connection for good and returns nil.
func (c *session) discard() *session {
	c.forget()
	_ = c.conn.Raw(func(any) error { return driver.ErrBadConn })
	_ = c.conn.Close()
	return nil
}

func (c *session) prepare(query string) (*sql.Stmt, error) {
	if stmt := c.stmts[query]; stmt != nil {
		return stmt, nil
	}
	if len(c.stmts) >= maxPrepared {
		c.forget()
	}
	stmt, err := c.conn.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, err
	}
	c.stmts[query] = stmt
	if c.inspect != nil {
		if err := c.explain(query); err != nil {
			return nil, err
		}
	}
	return stmt, nil
}

// explain tells inspect how SQLite will run query.
func (c *session) explain(query string) error {
	var none [64]any // the plan does not depend on the arguments
	rows, err := c.conn.QueryContext(context.Background(), "EXPLAIN QUERY PLAN "+query, none[:]...)
	if err != nil {
		return err
	}
	defer rows.Close()
	var plan []string
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			return err
		}
		plan = append(plan, detail)
	}
	c.inspect(query, plan)
	return rows.Err()
}

// exec and query ignore the context: to interrupt a statement would cost the
// connection, and none runs long. Tx looks at the context before each.

func (c *session) exec(_ context.Context, query string, args []any) (sql.Result, error) {
	stmt, err := c.prepare(query)
	if err != nil {
		return nil, err
	}
	return stmt.ExecContext(context.Background(), args...)
}

func (c *session) query(_ context.Context, query string, args []any) (*sql.Rows, error) {
	stmt, err := c.prepare(query)
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(context.Background(), args...)
}

// run executes a statement that has neither arguments nor a result.
func (c *session) run(query string) error {
	if _, err := c.exec(context.Background(), query, nil); err != nil {
		return fmt.Errorf("%s: %w", query, err)
	}
	return nil
}
