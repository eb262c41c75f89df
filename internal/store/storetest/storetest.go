// Package storetest gives tests a store with an empty database of their own:
// SQLite always, and PostgreSQL when the environment names a server.
package storetest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/atrium-iam/atrium/internal/store"
)

// The environment that storetest reads.
const (
	// PostgresVariable holds the connection string of a PostgreSQL server and a
	// role that may create databases.
	PostgresVariable = "ATRIUM_TEST_POSTGRES"
	// RequireVariable, set to 1, makes a test fail that would be skipped for
	// want of PostgreSQL.
	RequireVariable = "ATRIUM_TEST_REQUIRE"
)

// Now is the time that stores opened here are told, unless Config.Clock says
// another.
func Now() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }

// Run runs test on every engine, each time with a new and empty store that runs
// every transaction twice.
func Run(t *testing.T, test func(t *testing.T, s *store.Store)) {
	t.Helper()
	RunConfig(t, store.Config{RunTwice: true}, test)
}

// RunConfig is Run with the given configuration; what it leaves empty is filled
// in.
func RunConfig(t *testing.T, cfg store.Config, test func(t *testing.T, s *store.Store)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) { test(t, Open(t, cfg)) })
	t.Run("PostgreSQL", func(t *testing.T) {
		cfg.PostgresDSN = pooled(t)
		test(t, Open(t, cfg))
	})
}

// Open opens a store for the test's duration: on a new SQLite database when cfg
// names none.
func Open(t testing.TB, cfg store.Config) *store.Store {
	t.Helper()
	if cfg.PostgresDSN == "" && cfg.SQLitePath == "" {
		cfg.SQLitePath = filepath.Join(t.TempDir(), "atrium.db")
	}
	if cfg.Clock == nil {
		cfg.Clock = Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.RunTwice && cfg.Inspect == nil {
		cfg.Inspect = func(query string, plan []string) { checkPlan(t, query, plan) }
	}
	s, err := store.Open(t.Context(), cfg)
	if err != nil {
		t.Fatalf("opening the store: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("closing the store: %v", err)
		}
	})
	return s
}

// wholeTables are the tables of which queries may read all rows, and why.
var wholeTables = map[string]string{
	"audit_pending":  "holds the records of about a second, and all are wanted",
	"key_generation": "holds a few rows, and all are wanted",
}

// checkPlan fails the test when SQLite would read a whole table to answer query,
// because an index is missing, or would compile query anew each time it is run.
func checkPlan(t testing.TB, query string, plan []string) {
	t.Helper()
	if strings.Contains(query, "LIMIT $") {
		// The planner looks at the value of such a LIMIT, and again at each
		// new one. A cast hides the value.
		t.Errorf("write LIMIT CAST($n AS BIGINT): SQLite compiles this anew each time:\n%s", query)
	}
	for _, step := range plan {
		rest, isScan := strings.CutPrefix(step, "SCAN ")
		table, how, _ := strings.Cut(rest, " ")
		switch {
		case !isScan, table == "CONSTANT", wholeTables[table] != "":
		case slices.Contains(plan, "CO-ROUTINE "+table), slices.Contains(plan, "MATERIALIZE "+table):
			// A subquery's result; how that is read is another step.
		case strings.Contains(how, "INDEX") && strings.Contains(query, "LIMIT"):
			// The first rows of an index.
		default:
			t.Errorf("no index serves this query (%s):\n%s", step, query)
		}
	}
}

// Postgres gives the test an empty PostgreSQL schema of its own and returns the
// connection string. It skips the test when the environment names no server.
func Postgres(t testing.TB) string {
	t.Helper()
	dsn := testDatabase(t)
	db := connect(t, dsn)
	schema := randomName()
	run(t, db, "CREATE SCHEMA "+schema)
	t.Cleanup(func() { run(t, db, "DROP SCHEMA "+schema+" CASCADE") })
	return with(dsn, "search_path", schema)
}

// testDatabase returns the connection string of the database that holds the
// tests' schemas. It is created when it does not exist, and stays: to make a
// database takes a quarter of a second.
func testDatabase(t testing.TB) string {
	t.Helper()
	const name = "atrium_test"
	server := server(t)
	db := connect(t, server)
	if len(list(t, db, `SELECT datname FROM pg_database WHERE datname = $1`, name)) == 0 {
		_, err := db.ExecContext(t.Context(), createDatabase(name, byBytes))
		// Another process may have been faster: duplicate_database, or a
		// unique_violation when it was at the same moment.
		if e, ok := errors.AsType[*pgconn.PgError](err); err != nil && (!ok || e.Code != "42P04" && e.Code != "23505") {
			t.Fatalf("creating the database %s: %v", name, err)
		}
	}
	return with(server, "dbname", name)
}

// Database creates an empty PostgreSQL database for the test's duration and
// returns its connection string. locale is the part of CREATE DATABASE that
// says how text is ordered; empty for the order that Atrium needs. It skips the
// test when the environment names no server.
func Database(t testing.TB, locale string) string {
	t.Helper()
	server := server(t)
	db := connect(t, server)
	name := randomName()
	if locale == "" {
		locale = byBytes
	}
	run(t, db, createDatabase(name, locale))
	t.Cleanup(func() { run(t, db, "DROP DATABASE "+name+" WITH (FORCE)") })
	return with(server, "dbname", name)
}

const byBytes = "LC_COLLATE 'C' LC_CTYPE 'C'"

func createDatabase(name, locale string) string {
	return fmt.Sprintf("CREATE DATABASE %s TEMPLATE template0 ENCODING 'UTF8' %s", name, locale)
}

func randomName() string { return "atrium_test_" + strings.ToLower(rand.Text()[:16]) }

// server returns the connection string of the server to test on.
func server(t testing.TB) string {
	t.Helper()
	dsn := os.Getenv(PostgresVariable)
	if dsn == "" {
		if os.Getenv(RequireVariable) == "1" {
			t.Fatalf("%s is not set", PostgresVariable)
		}
		t.Skipf("%s is not set", PostgresVariable)
	}
	return dsn
}

// connect opens dsn until the test has ended, and its later cleanups too.
func connect(t testing.TB, dsn string) *sql.DB {
	t.Helper()
	conf, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatalf("%s: %v", PostgresVariable, err)
	}
	db := stdlib.OpenDB(*conf)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func run(t testing.TB, db *sql.DB, query string) {
	t.Helper()
	// Cleanups run after the test's own context has ended.
	if _, err := db.ExecContext(context.Background(), query); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// with returns the connection string dsn with one more setting, which wins
// over one that dsn has. Names and values hold only letters, digits and "_".
func with(dsn, name, value string) string {
	if !strings.Contains(dsn, "://") {
		return dsn + " " + name + "=" + value // the last one counts
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return dsn // connecting will tell
	}
	query := u.Query()
	query.Set(name, value)
	u.RawQuery = query.Encode()
	if name == "dbname" {
		u.Path = "/" + value
	}
	return u.String()
}
