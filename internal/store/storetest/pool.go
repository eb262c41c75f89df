package storetest

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"io/fs"
	"log/slog"
	"testing"

	"github.com/atrium-iam/atrium/internal/store"
)

// PostgreSQL takes some hundred milliseconds to make a schema with its tables,
// and ten to empty one. So schemas are used again, by all test processes. The
// name of a free one begins with "free_" and a hash of the migrations. A test
// takes it by renaming it, which only one can do, and gives it back empty.

// pooled gives the test a migrated schema without data of its own and returns
// the connection string.
func pooled(t testing.TB) string {
	t.Helper()
	dsn := testDatabase(t)
	db := connect(t, dsn)
	schema, prefix := randomName(), "free_"+migrationsHash(t)+"_"
	own := with(dsn, "search_path", schema)
	if !take(t, db, prefix, schema) {
		run(t, db, "CREATE SCHEMA "+schema)
		s, err := store.Open(t.Context(), store.Config{PostgresDSN: own, Clock: Now, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatalf("migrating a schema: %v", err)
		}
		_ = s.Close()
	}
	tables := len(tablesOf(t, db, schema))
	t.Cleanup(func() {
		if len(tablesOf(t, db, schema)) != tables { // the test has made some
			run(t, db, "DROP SCHEMA "+schema+" CASCADE")
			return
		}
		empty(t, db, schema)
		run(t, db, "ALTER SCHEMA "+schema+" RENAME TO "+prefix+schema[len(schema)-16:])
	})
	return own
}

// take renames a free schema to name, unless there is none.
func take(t testing.TB, db *sql.DB, prefix, name string) bool {
	t.Helper()
	free := list(t, db, `SELECT nspname FROM pg_namespace WHERE starts_with(nspname, $1) ORDER BY random()`, prefix)
	for _, schema := range free {
		// It fails when another test was faster.
		if _, err := db.ExecContext(t.Context(), "ALTER SCHEMA "+schema+" RENAME TO "+name); err == nil {
			return true
		}
	}
	return false
}

// empty deletes what tests have written.
func empty(t testing.TB, db *sql.DB, schema string) {
	t.Helper()
	tx, err := db.BeginTx(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	queries := []string{"SET LOCAL search_path TO " + schema}
	for _, table := range tablesOf(t, db, schema) {
		switch table {
		case "goose_db_version", "goose_lock":
		case "change_counter":
			queries = append(queries, "UPDATE change_counter SET value = 0")
		default:
			queries = append(queries, "DELETE FROM "+table)
		}
	}
	for _, query := range queries {
		if _, err := tx.ExecContext(context.Background(), query); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// tablesOf lists the tables of a schema, the newest first: those that refer to
// others come before them.
func tablesOf(t testing.TB, db *sql.DB, schema string) []string {
	t.Helper()
	return list(t, db, `SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace =
		(SELECT oid FROM pg_namespace WHERE nspname = $1) ORDER BY oid DESC`, schema)
}

func list(t testing.TB, db *sql.DB, query, arg string) (names []string) {
	t.Helper()
	rows, err := db.QueryContext(context.Background(), query, arg)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return names
}

// migrationsHash tells versions of the schema apart.
func migrationsHash(t testing.TB) string {
	t.Helper()
	hash := sha256.New()
	files, err := fs.Glob(store.Migrations(), "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := fs.ReadFile(store.Migrations(), file)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(hash, "%s %d\n%s", file, len(text), text)
	}
	return fmt.Sprintf("%x", hash.Sum(nil)[:6])
}
