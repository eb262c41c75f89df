package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// migrations are the steps of the schema, for both engines. A step that has
// been released is never edited.
//
//go:embed migrations/*.sql
var migrations embed.FS

// Migrations returns the steps of the schema, a file each.
func Migrations() fs.FS {
	tree, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // only a malformed name fails
	}
	return tree
}

// migrate brings the schema to the newest version; of a database to be read
// only it expects that. On PostgreSQL nodes that
// start together take turns; a SQLite file is locked already.
func migrate(ctx context.Context, db *sql.DB, dialect Dialect, cfg Config) error {
	options := []goose.ProviderOption{goose.WithSlog(cfg.Log), goose.WithDisableGlobalRegistry(true)}
	kind := goose.DialectSQLite3
	if dialect == PostgreSQL {
		kind = goose.DialectPostgres
		locker, err := lock.NewPostgresTableLocker(lock.WithTableLockTimeout(500*time.Millisecond, 600))
		if err != nil {
			return err
		}
		options = append(options, goose.WithLocker(locker))
	}
	provider, err := goose.NewProvider(kind, db, Migrations(), options...)
	if err != nil {
		return fmt.Errorf("reading the migrations: %w", err)
	}
	have, want, err := provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("reading the schema's version: %w", err)
	}
	if have > want {
		return fmt.Errorf("the database has schema version %d and this program knows %d: run a newer version of the program", have, want)
	}
	if cfg.ReadOnly {
		if have < want {
			return fmt.Errorf("the database has schema version %d and this program reads version %d: run atrium migrate", have, want)
		}
		return nil
	}
	results, err := provider.Up(ctx)
	if err != nil {
		return fmt.Errorf("migrating the schema: %w", err)
	}
	if len(results) > 0 {
		cfg.Log.InfoContext(ctx, "database schema migrated", "from", have, "to", want)
	}
	return nil
}
