package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/keys"
	"github.com/atrium-iam/atrium/internal/store"
)

// Database says where an installation's data is: one of both is set.
type Database struct {
	SQLitePath, PostgresDSN string
	// PostgresInsecure allows connections to PostgreSQL whose other end is not
	// verified.
	PostgresInsecure bool
	// MustExist refuses a SQLite database that is not there yet: a mistyped
	// path must not become an empty installation.
	MustExist bool
}

// OpenStore opens the database and brings its schema up to date.
func OpenStore(ctx context.Context, d Database, now func() time.Time, log *slog.Logger) (*store.Store, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	if d.SQLitePath != "" {
		if err := os.MkdirAll(filepath.Dir(d.SQLitePath), 0o700); err != nil {
			return nil, err
		}
	}
	return store.Open(ctx, d.config(now, log))
}

func (d Database) config(now func() time.Time, log *slog.Logger) store.Config {
	return store.Config{SQLitePath: d.SQLitePath, PostgresDSN: d.PostgresDSN, PostgresInsecure: d.PostgresInsecure, Clock: now, Log: log}
}

func (d Database) check() error {
	if !d.MustExist || d.SQLitePath == "" {
		return nil
	}
	if _, err := os.Stat(d.SQLitePath); err != nil {
		return fmt.Errorf("there is no database: %w (check database.path and data_dir; atrium init makes a new installation)", err)
	}
	return nil
}

// ErrNotInitialized is the answer to whoever asks for an installation where
// there is none.
var ErrNotInitialized = errors.New("the database holds no installation; atrium init makes one")

// Trail reads the audit trail of an installation. It only reads: nodes may run
// beside it, on the embedded database too.
type Trail struct {
	db   *store.Store
	ring *keys.Ring
}

// OpenTrail opens an installation's trail. previous are root keys that root is
// to replace, or has replaced.
func OpenTrail(ctx context.Context, d Database, root keys.Root, now func() time.Time, rand io.Reader, log *slog.Logger, previous ...keys.Root) (*Trail, error) {
	d.MustExist = true
	if err := d.check(); err != nil {
		return nil, err
	}
	c := d.config(now, log)
	c.ReadOnly = true
	db, err := store.Open(ctx, c)
	if err != nil {
		return nil, err
	}
	t := &Trail{db: db}
	initialized, err := anyAccount(ctx, db)
	switch {
	case err != nil:
	case !initialized:
		err = ErrNotInitialized
	default:
		t.ring, err = keys.Load(ctx, store.Bind[keys.Tx](db), root, now, rand, previous...)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return t, nil
}

// Verify checks the trail. It tells too how many records are in no batch yet
// (10,000 stands for more), which nothing protects so far. Setting up an
// installation leaves a record, so a trail that is empty was emptied.
func (t *Trail) Verify(ctx context.Context, anchors ...audit.Anchor) (report *audit.Report, pending int, err error) {
	db := store.Bind[audit.ChainTx](t.db)
	if report, err = audit.Verify(ctx, db, auditSigner{t.ring}, anchors...); err != nil {
		return nil, 0, err
	}
	err = db.View(ctx, func(tx audit.ChainTx) error {
		waiting, err := tx.PendingAudit(10_000)
		pending = len(waiting)
		return err
	})
	if err == nil && report.LastBatch == 0 && pending == 0 {
		err = errors.New("the trail is empty: its records were removed")
	}
	return report, pending, err
}

// Read returns records of the trail after a sequence number, and the number to
// go on after. Those of the last second may not be in it yet.
func (t *Trail) Read(ctx context.Context, after int64, limit int) (entries []audit.Entry, next int64, err error) {
	err = store.Bind[audit.ChainTx](t.db).View(ctx, func(tx audit.ChainTx) error {
		entries, next, err = audit.Read(tx, after, limit)
		return err
	})
	return entries, next, err
}

// Close gives the database back.
func (t *Trail) Close() error { return t.db.Close() }

// anyAccount tells whether the store holds an installation.
func anyAccount(ctx context.Context, db *store.Store) (found bool, err error) {
	err = db.View(ctx, func(tx *store.Tx) (err error) {
		found, err = tx.AnyAccount()
		return err
	})
	return found, err
}

// exists tells whether there is a file.
func exists(path string) bool {
	_, err := os.Stat(path) //nolint:gosec // in the directory that the operator names
	return !errors.Is(err, fs.ErrNotExist)
}
