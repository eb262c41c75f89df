package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	_ "modernc.org/sqlite" // the database/sql driver "sqlite"
)

// sqliteEngine is a SQLite database in WAL mode: one writer, which commits in
// groups, and several readers beside it.
type sqliteEngine struct {
	store  *Store
	lock   *fileLock
	driver driver.Driver
	reads  string // how readers open the database
	writer *writer
	closed chan struct{}

	reading chan struct{} // a place for each view that runs
	mu      sync.Mutex
	idle    []*session // readers; the one used last is last, with a warm cache
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
	e.reads = sqliteDSN(path, "busy_timeout(10000)", "query_only(1)", "cache_size(-16384)")
	n := cfg.Readers
	if n <= 0 {
		n = max(4, runtime.GOMAXPROCS(0))
	}
	e.reading = make(chan struct{}, n)
	if cfg.ReadOnly {
		if _, err := os.Stat(path); err != nil {
			return nil, err
		}
		e.driver, err = e.migrate(ctx, e.reads, cfg)
		return e, err
	}
	if err := createPrivate(path); err != nil {
		return nil, err
	}
	if e.lock, err = lockFile(path + ".lock"); err != nil {
		return nil, err
	}
	writes := sqliteDSN(path, "busy_timeout(10000)", "journal_mode(WAL)",
		"synchronous(FULL)", "foreign_keys(1)", "cache_size(-16384)", "journal_size_limit(67108864)")
	if e.driver, err = e.migrate(ctx, writes, cfg); err != nil {
		return nil, err
	}
	e.writer = startWriter(e.driver, writes, s)
	return e, nil
}

// migrate brings the schema up to date, and returns the driver that opens the
// database for the sessions to come.
func (e *sqliteEngine) migrate(ctx context.Context, dsn string, cfg Config) (driver.Driver, error) {
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	err = migrate(ctx, db, SQLite, cfg)
	return db.Driver(), errors.Join(err, db.Close())
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

// updateSnapshot is update: with one writer, nothing changes meanwhile.
func (e *sqliteEngine) updateSnapshot(ctx context.Context, fn func(*Tx) error) error {
	return e.writer.update(ctx, fn)
}

func (e *sqliteEngine) view(ctx context.Context, fn func(*Tx) error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case e.reading <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	case <-e.closed:
		return errClosed
	}
	defer func() { <-e.reading }()
	reader, err := e.reader()
	if err != nil {
		return translate("connect", err)
	}
	defer func() { e.keep(reader) }()
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

// reader returns an idle reader, or a new one.
func (e *sqliteEngine) reader() (*session, error) {
	e.mu.Lock()
	if n := len(e.idle); n > 0 {
		defer e.mu.Unlock()
		reader := e.idle[n-1]
		e.idle = e.idle[:n-1]
		return reader, nil
	}
	e.mu.Unlock()
	return e.store.newSession(e.driver, e.reads)
}

// keep takes a reader back; nil stands for one that was discarded.
func (e *sqliteEngine) keep(reader *session) {
	if reader == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.idle = append(e.idle, reader)
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
	close(e.closed)
	if e.writer != nil {
		e.writer.stop()
	}
	for range cap(e.reading) { // waits for those that run
		e.reading <- struct{}{}
	}
	for _, reader := range e.idle {
		reader.discard()
	}
	if e.lock != nil {
		return e.lock.unlock()
	}
	return nil
}

// createPrivate creates the database's file, unless it is there, so that only
// its owner can read it; SQLite gives its other files the same mode.
func createPrivate(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}
