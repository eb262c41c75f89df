// Package storetest gives tests a store with an empty database of their own:
// SQLite always, and PostgreSQL when the environment names a server.
package storetest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
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
		cfg.PostgresDSN = Postgres(t)
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

// Postgres creates an empty PostgreSQL database for the test's duration and
// returns its connection string. It skips the test when the environment names
// no server.
func Postgres(t testing.TB) string {
	t.Helper()
	server := os.Getenv(PostgresVariable)
	if server == "" {
		if os.Getenv(RequireVariable) == "1" {
			t.Fatalf("%s is not set", PostgresVariable)
		}
		t.Skipf("%s is not set", PostgresVariable)
	}
	return createDatabase(t, server, "LC_COLLATE 'C' LC_CTYPE 'C'")
}

func createDatabase(t testing.TB, server, locale string) string {
	t.Helper()
	conf, err := pgx.ParseConfig(server)
	if err != nil {
		t.Fatalf("%s: %v", PostgresVariable, err)
	}
	db := stdlib.OpenDB(*conf)
	name := "atrium_test_" + strings.ToLower(rand.Text()[:16])
	run(t, db, fmt.Sprintf("CREATE DATABASE %s TEMPLATE template0 ENCODING 'UTF8' %s", name, locale))
	t.Cleanup(func() {
		run(t, db, "DROP DATABASE "+name+" WITH (FORCE)")
		_ = db.Close()
	})
	return withDatabase(server, name)
}

func run(t testing.TB, db *sql.DB, query string) {
	t.Helper()
	// Cleanups run after the test's own context has ended.
	if _, err := db.ExecContext(context.Background(), query); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// withDatabase returns dsn with the database's name replaced.
func withDatabase(dsn, name string) string {
	if !strings.HasPrefix(dsn, "postgres://") && !strings.HasPrefix(dsn, "postgresql://") {
		return dsn + " dbname=" + name // the last one counts
	}
	head, query, _ := strings.Cut(dsn, "?")
	scheme, rest, _ := strings.Cut(head, "://")
	host, _, _ := strings.Cut(rest, "/")
	out := scheme + "://" + host + "/" + name
	if query != "" {
		out += "?" + query
	}
	return out
}
