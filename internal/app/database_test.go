package app

import (
	"crypto/rand"
	"database/sql"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// documented makes the database that docs/database.md tells operators to make,
// with the role that owns it, both named otherwise, and returns how to connect
// to it.
func documented(t *testing.T) pgx.ConnConfig {
	t.Helper()
	server := os.Getenv(storetest.PostgresVariable)
	if server == "" {
		if os.Getenv(storetest.RequireVariable) == "1" {
			t.Fatalf("%s is not set", storetest.PostgresVariable)
		}
		t.Skipf("%s is not set", storetest.PostgresVariable)
	}
	page, err := os.ReadFile("../../docs/database.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```sql\n(.*?)```").FindSubmatch(page)
	if block == nil {
		t.Fatal("docs/database.md has no SQL")
	}
	conf, err := pgx.ParseConfig(server)
	if err != nil {
		t.Fatal(err)
	}
	db := stdlib.OpenDB(*conf)
	name := "atrium_test_" + strings.ToLower(rand.Text()[:16])
	exec := func(query string) {
		t.Helper()
		if _, err := db.Exec(query); err != nil { // cleanups run after the test's own context has ended
			t.Fatalf("%s: %v", query, err)
		}
	}
	t.Cleanup(func() {
		exec("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)")
		exec("DROP ROLE IF EXISTS " + name)
		_ = db.Close()
	})
	text := regexp.MustCompile(`\batrium\b`).ReplaceAllString(string(block[1]), name)
	for query := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		exec(query)
	}
	conf.Database, conf.User, conf.Password = name, name, "change this"
	return *conf
}

// TestTheDatabasesRoleNeedsLittle runs a node with the role that operators are
// told to make: it migrates, creates the sample data, signs a person in and hears
// of changes.
func TestTheDatabasesRoleNeedsLittle(t *testing.T) {
	conf := documented(t)
	db := stdlib.OpenDB(conf)
	defer db.Close()
	rights := rightsOf(t, db)
	if want := "super=false createdb=false createrole=false replication=false bypassrls=false memberships=0"; rights != want {
		t.Errorf("the role has %s, want %s", rights, want)
	}
	host, _, _ := strings.Cut(conf.Host, ",")
	dsn := fmt.Sprintf("host=%s port=%d user=%s dbname=%s password='%s' sslmode=disable", host, conf.Port, conf.User, conf.Database, conf.Password)
	s, err := OpenStore(t.Context(), Database{PostgresDSN: dsn, PostgresInsecure: true}, time.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	log := new(strings.Builder)
	n := startNode(t, Options{Store: s, Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelWarn}))})
	if err := n.choose(t, "admin", "Quiet-Lagoon-31"); err != nil {
		t.Error(err)
	}
	if _, err := n.RotateKeys(t.Context(), Operator{User: "tester"}, true); err != nil {
		t.Error(err)
	}
	n.stop(t)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if log.Len() > 0 {
		t.Errorf("the node complains:\n%s", log)
	}
}

// rightsOf returns what the role of a connection may do to the server.
func rightsOf(t *testing.T, db *sql.DB) (rights string) {
	t.Helper()
	err := db.QueryRowContext(t.Context(), `SELECT format('super=%s createdb=%s createrole=%s replication=%s bypassrls=%s memberships=%s',
		rolsuper::text, rolcreatedb::text, rolcreaterole::text, rolreplication::text, rolbypassrls::text,
		(SELECT count(*) FROM pg_auth_members WHERE member = r.oid)) FROM pg_roles r WHERE rolname = current_user`).Scan(&rights)
	if err != nil {
		t.Fatal(err)
	}
	return rights
}
