// Package store keeps Atrium's data in one SQL database: SQLite, embedded, or
// PostgreSQL, shared by the nodes of a cluster. It is the only package that
// speaks SQL. The domain packages declare the reads and writes they need as
// small interfaces; *Tx satisfies all of them.
//
// Every access is a transaction: Update reads and writes, View only reads, from
// one consistent snapshot. When Update returns nil the change is durable. The
// function given to either may run more than once, so it must have no effect
// but through its Tx, and must set, never add to, what it hands out.
//
// All SQL is written once, in the subset that both engines speak, with $1
// placeholders. Text is ordered by its UTF-8 bytes.
package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Dialect names the SQL engine behind a Store.
type Dialect uint8

// The engines.
const (
	SQLite Dialect = iota
	PostgreSQL
)

// String returns the engine's name as its makers write it.
func (d Dialect) String() string {
	if d == PostgreSQL {
		return "PostgreSQL"
	}
	return "SQLite"
}

// Config says where the data is and how to reach it. Exactly one of SQLitePath
// and PostgresDSN is set.
type Config struct {
	// SQLitePath is the path of the database file. It is created when it does
	// not exist; its directory must exist.
	SQLitePath string
	// PostgresDSN is a connection string as libpq knows it, in URL or
	// key-value form. It may hold a password: it is never logged.
	PostgresDSN string
	// PostgresInsecure allows connections over the network whose other end is
	// not verified.
	PostgresInsecure bool
	// Clock tells the time. Required.
	Clock func() time.Time
	// Log takes what an operator should know. Required.
	Log *slog.Logger
	// ReadOnly opens a database that is there for View alone, beside whoever
	// writes it: Update fails. The schema must be of the newest version.
	ReadOnly bool
	// Readers is the number of concurrent reads of a SQLite database, and
	// Connections the size of the PostgreSQL pool. Zero means a default.
	Readers, Connections int
	// RunTwice makes every transaction run its function once, take all of it
	// back, and run it again for real. Tests set it to find functions that
	// cannot run more than once.
	RunTwice bool
	// Inspect, when set, is called with each query before its first run on a
	// connection, and SQLite's plan of it (sqlite.org/eqp.html), a step each.
	// Tests set it to find queries that no index serves. It may be called by
	// several goroutines at once.
	Inspect func(query string, plan []string)
	// Trace, when set, is called with each query that runs, in their order.
	// Tests set it to compare what is done for one caller and for another. It
	// may be called by several goroutines at once.
	Trace func(query string)
}

var errReadOnly = errors.New("store: the database is open for reading only")

// Store is an open database. It is safe for concurrent use.
type Store struct {
	engine   engine
	dialect  Dialect
	clock    func() time.Time
	runTwice bool
	readOnly bool
	inspect  func(query string, plan []string)
	trace    func(query string)

	heard     atomic.Int64 // see HeardChange
	closeOnce sync.Once
}

// engine runs transactions on one kind of database.
type engine interface {
	update(ctx context.Context, fn func(*Tx) error) error
	updateSnapshot(ctx context.Context, fn func(*Tx) error) error
	view(ctx context.Context, fn func(*Tx) error) error
	// listen hears of other nodes' changes until ctx ends or it fails.
	listen(ctx context.Context) error
	ping(ctx context.Context) error
	close() error
}

// Open opens the database, creates it when it is a SQLite file that does not
// exist, and migrates its schema to the newest version. It fails when another
// process has the same SQLite database open, unless it is to be read only.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if cfg.Clock == nil || cfg.Log == nil {
		return nil, errors.New("store: Config needs a Clock and a Log")
	}
	s := &Store{clock: cfg.Clock, runTwice: cfg.RunTwice, readOnly: cfg.ReadOnly, inspect: cfg.Inspect, trace: cfg.Trace}
	var err error
	switch {
	case cfg.SQLitePath != "" && cfg.PostgresDSN != "":
		return nil, errors.New("store: SQLitePath and PostgresDSN are both set; set one")
	case cfg.SQLitePath != "":
		s.dialect = SQLite
		s.engine, err = openSQLite(ctx, cfg, s)
	case cfg.PostgresDSN != "":
		s.dialect = PostgreSQL
		s.engine, err = openPostgres(ctx, cfg, s)
	default:
		return nil, errors.New("store: neither SQLitePath nor PostgresDSN is set; set one")
	}
	if err != nil {
		return nil, fmt.Errorf("store: opening the %s database: %w", s.dialect, err)
	}
	return s, nil
}

// Close waits for running transactions and closes the database. Transactions
// after Close fail. Close may be called again and then does nothing.
func (s *Store) Close() error {
	var err error
	s.closeOnce.Do(func() { err = s.engine.close() })
	return err
}

// Ping reports whether the database can be reached.
func (s *Store) Ping(ctx context.Context) error { return s.engine.ping(ctx) }

// Dialect returns which engine holds the data.
func (s *Store) Dialect() Dialect { return s.dialect }

// Update runs fn in a transaction that reads and writes, as if it were alone.
// It commits when fn returns nil, and returns nil only when the change is
// durable; otherwise nothing of fn is kept and the error is fn's own or says
// why the database could not do it. A cancelled ctx stops fn from being
// started, or started again; it does not interrupt fn. fn may run more than
// once, and must return the first error that a Tx method gives it: a
// transaction in which a statement failed is never committed.
func (s *Store) Update(ctx context.Context, fn func(*Tx) error) error {
	if s.readOnly {
		return errReadOnly
	}
	return s.engine.update(ctx, fn)
}

// UpdateSnapshot is Update for functions that decide by the rows which they
// change. On PostgreSQL fn reads from one snapshot and is run again when a row
// that it changes was changed since; what it only reads may have changed when
// it commits. So it never waits for, or loses against, functions that change
// other rows: many logins at once need that. See
// docs/adr/0003-logins-on-snapshots.md before using it for anything else.
func (s *Store) UpdateSnapshot(ctx context.Context, fn func(*Tx) error) error {
	if s.readOnly {
		return errReadOnly
	}
	return s.engine.updateSnapshot(ctx, fn)
}

// View runs fn in a transaction that only reads: all of it from one snapshot,
// which holds every change whose Update returned before View was called. fn may
// run more than once.
func (s *Store) View(ctx context.Context, fn func(*Tx) error) error {
	return s.engine.view(ctx, fn)
}

// Bound gives transactions as a T: the interface of what one package needs of
// a Tx.
type Bound[T any] struct {
	store  *Store
	update func(context.Context, func(*Tx) error) error
}

// Bind returns s with its transactions seen as T. It panics when *Tx is not a
// T, which is a mistake in the program.
func Bind[T any](s *Store) *Bound[T] { return bind[T](s, s.Update) }

// BindSnapshot is Bind with UpdateSnapshot in place of Update.
func BindSnapshot[T any](s *Store) *Bound[T] { return bind[T](s, s.UpdateSnapshot) }

func bind[T any](s *Store, update func(context.Context, func(*Tx) error) error) *Bound[T] {
	if _, ok := any((*Tx)(nil)).(T); !ok {
		panic(fmt.Sprintf("store: *Tx does not implement %T", new(T)))
	}
	return &Bound[T]{store: s, update: update}
}

// Update is Store.Update or, of BindSnapshot, Store.UpdateSnapshot.
func (b *Bound[T]) Update(ctx context.Context, fn func(T) error) error {
	return b.update(ctx, func(tx *Tx) error { return fn(any(tx).(T)) })
}

// View is Store.View.
func (b *Bound[T]) View(ctx context.Context, fn func(T) error) error {
	return b.store.View(ctx, func(tx *Tx) error { return fn(any(tx).(T)) })
}
