package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the engines under measurement
	_ "modernc.org/sqlite"
)

// engine is where a node keeps its data: the PostgreSQL database that dsn
// names, or SQLite when it is empty.
type engine struct{ dsn string }

func (e engine) String() string {
	if e.dsn == "" {
		return "SQLite"
	}
	return "PostgreSQL"
}

// newPostgres makes a database of the kind that Atrium asks for on the server
// that dsn names. drop removes it.
func newPostgres(ctx context.Context, dsn string) (_ engine, drop func(), err error) {
	if strings.Contains(dsn, "://") {
		return engine{}, nil, errors.New("-postgres takes a connection string of the form host=… user=…")
	}
	server, err := sql.Open("pgx", dsn)
	if err != nil {
		return engine{}, nil, err
	}
	name := fmt.Sprintf("atrium_bench_%d", os.Getpid())
	if _, err := server.ExecContext(ctx, "CREATE DATABASE "+name+" TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"); err != nil {
		return engine{}, nil, errors.Join(err, server.Close())
	}
	drop = func() {
		server.ExecContext(context.WithoutCancel(ctx), "DROP DATABASE "+name+" WITH (FORCE)")
		server.Close()
	}
	return engine{dsn + " dbname=" + name}, drop, nil // the last one counts
}

// ceiling is what an engine itself commits, in rows per second.
type ceiling struct {
	name    string // e.g. "64 rows per commit"
	clients int
	rate    float64
}

const (
	// batchRows is how many rows a grouped commit of SQLite holds.
	batchRows = 64
	// connections is how many PostgreSQL connections commit side by side: as
	// many as a node has.
	connections = 16
)

// ceilings measures what the engine itself commits, with the settings that
// Atrium uses. First comes one row per commit, one after the other; then what
// the engine has for many at once: SQLite one writer and many rows per commit,
// PostgreSQL many connections. SQLite's file is in dir.
func (e engine) ceilings(ctx context.Context, dir string, d time.Duration) ([]ceiling, error) {
	list := []ceiling{{name: "one row per commit", clients: 1}, {name: fmt.Sprintf("%d rows per commit", batchRows), clients: 1}}
	driver, source, rows := "sqlite", "file:"+filepath.Join(dir, "ceiling.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)", batchRows
	if e.dsn != "" {
		list[1] = ceiling{name: "one row per commit", clients: connections}
		driver, source, rows = "pgx", e.dsn, 1
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	db.SetMaxOpenConns(list[1].clients)
	db.SetMaxIdleConns(list[1].clients)
	if _, err := db.ExecContext(ctx, `CREATE TABLE bench_rows (id BIGINT PRIMARY KEY, body TEXT NOT NULL)`); err != nil {
		return nil, err
	}
	defer db.ExecContext(context.WithoutCancel(ctx), `DROP TABLE bench_rows`)
	w := &rowWriter{db: db}
	if list[0].rate, err = w.rate(ctx, d, 1, 1); err != nil {
		return nil, err
	}
	list[1].rate, err = w.rate(ctx, d, list[1].clients, rows)
	return list, err
}

// rowWriter inserts rows into the table bench_rows.
type rowWriter struct {
	db  *sql.DB
	ids atomic.Int64
}

// rate is how many rows per second several clients commit, some at a time.
func (w *rowWriter) rate(ctx context.Context, d time.Duration, clients, rows int) (float64, error) {
	begin := time.Now()
	counts, errs := make([]int, clients), make([]error, clients)
	var group sync.WaitGroup
	for i := range clients {
		group.Go(func() {
			for time.Since(begin) < d && errs[i] == nil {
				if errs[i] = w.commit(ctx, rows); errs[i] == nil {
					counts[i] += rows
				}
			}
		})
	}
	group.Wait()
	total := 0
	for _, n := range counts {
		total += n
	}
	return float64(total) / time.Since(begin).Seconds(), errors.Join(errs...)
}

func (w *rowWriter) commit(ctx context.Context, rows int) error {
	tx, err := w.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after a commit
	for range rows {
		if _, err := tx.ExecContext(ctx, `INSERT INTO bench_rows (id, body) VALUES ($1, $2)`, w.ids.Add(1), body); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// body is what a row holds: as much as a user.
var body = strings.Repeat("x", 400)
