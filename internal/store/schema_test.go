package store_test

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

var updateGolden = flag.Bool("update", false, "write schema.golden.sql anew")

// inside reports whether name is a table of the migration tool, or SQLite's.
func inside(name string) bool {
	return strings.HasPrefix(name, "goose_") || strings.HasPrefix(name, "sqlite_")
}

// TestSchema compares the schema that the migrations make with the golden
// file: what a change of the migrations does to the schema is seen in review,
// and that a released migration was edited, too.
func TestSchema(t *testing.T) {
	const golden = "schema.golden.sql"
	s := storetest.Open(t, store.Config{})
	got := strings.Join(sqliteSchema(t, s), "\n\n") + "\n"
	if *updateGolden {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("the schema is not that of %s; if the change is meant, run go test ./internal/store -run TestSchema -update (-want +got):\n%s", golden, diff)
	}
}

var spaces = regexp.MustCompile(`[ \t]+`)

// sqliteSchema returns the statements that make the schema, ordered by table,
// with white space made even.
func sqliteSchema(t *testing.T, s *store.Store) []string {
	t.Helper()
	var statements []string
	err := s.View(t.Context(), func(tx *store.Tx) error {
		statements = nil
		return tx.Rows(`SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY tbl_name, type DESC, name`, nil,
			func(scan func(...any) error) error {
				var name, text string
				err := scan(&name, &text)
				if err == nil && !inside(name) {
					statements = append(statements, spaces.ReplaceAllString(text, " ")+";")
				}
				return err
			})
	})
	if err != nil {
		t.Fatal(err)
	}
	return statements
}

// TestSchemaRules holds the rules that the engines' differences ask for.
func TestSchemaRules(t *testing.T) {
	s := storetest.Open(t, store.Config{})
	rules := []struct {
		forbidden *regexp.Regexp
		because   string
	}{
		{regexp.MustCompile(`(?i)\bDEFERRABLE\b`), "the check would fail the commit of everyone in the group"},
		{regexp.MustCompile(`(?i)\b(AUTOINCREMENT|SERIAL|BIGSERIAL|GENERATED)\b`), "sequences are not in both engines, and ids are made in Go"},
		{regexp.MustCompile(`(?i)\b(DATE|TIME|DATETIME|TIMESTAMP|TIMESTAMPTZ|JSON|JSONB|UUID|BLOB|VARCHAR|CHAR)\b`), "the type is not the same on both engines: use BIGINT milliseconds, TEXT, BYTEA"},
		{regexp.MustCompile(`(?i)\bCOLLATE\b`), "all text is ordered by bytes"},
	}
	for _, statement := range sqliteSchema(t, s) {
		code := regexp.MustCompile(`--.*|'[^']*'`).ReplaceAllString(statement, "")
		for _, rule := range rules {
			if found := rule.forbidden.FindString(code); found != "" {
				t.Errorf("%s in the schema: %s\n%s", found, rule.because, statement)
			}
		}
	}
}

// TestForeignKeysHaveIndexes wants an index that begins with the columns of each
// foreign key, in any order: without it, deleting a parent reads the whole
// child table.
func TestForeignKeysHaveIndexes(t *testing.T) {
	s := storetest.Open(t, store.Config{})
	keys := readColumnLists(t, s, `SELECT t.name, f.id, f."from" FROM sqlite_schema t, pragma_foreign_key_list(t.name) f
		WHERE t.type = 'table' ORDER BY f.seq`)
	indexes := readColumnLists(t, s, `SELECT t.name, i.name, COALESCE(c.name, '')
		FROM sqlite_schema t, pragma_index_list(t.name) i, pragma_index_info(i.name) c
		WHERE t.type = 'table' AND NOT i.partial ORDER BY c.seqno`)
	for _, key := range keys {
		serves := func(index columnList) bool {
			if index.table != key.table || len(index.columns) < len(key.columns) {
				return false
			}
			head := slices.Values(index.columns[:len(key.columns)])
			return slices.Equal(slices.Sorted(head), slices.Sorted(slices.Values(key.columns)))
		}
		if !slices.ContainsFunc(indexes, serves) {
			t.Errorf("no index begins with the columns of the foreign key %s(%s)", key.table, strings.Join(key.columns, ", "))
		}
	}
}

// columnList is the columns of a key or an index.
type columnList struct {
	table, name string
	columns     []string
}

func readColumnLists(t *testing.T, s *store.Store, query string) []columnList {
	t.Helper()
	var lists []columnList
	err := s.View(t.Context(), func(tx *store.Tx) error {
		lists = nil
		return tx.Rows(query, nil, func(scan func(...any) error) error {
			var l columnList
			var column string
			err := scan(&l.table, &l.name, &column)
			i := slices.IndexFunc(lists, func(o columnList) bool { return o.table == l.table && o.name == l.name })
			if i < 0 {
				i = len(lists)
				lists = append(lists, l)
			}
			lists[i].columns = append(lists[i].columns, column)
			return err
		})
	})
	if err != nil || len(lists) == 0 {
		t.Fatalf("%d lists of columns, %v", len(lists), err)
	}
	return lists
}

// column is what is compared of a column: names in order, types as families.
type column struct {
	Table, Name, Type string
	NotNull           bool
}

// TestEnginesHaveTheSameSchema compares tables, columns, keys and indexes.
func TestEnginesHaveTheSameSchema(t *testing.T) {
	lite := storetest.Open(t, store.Config{})
	pg := storetest.Open(t, store.Config{PostgresDSN: storetest.Postgres(t)})
	columns := map[store.Dialect]string{
		store.SQLite: `SELECT t.name, c.name, c.type, c."notnull" FROM sqlite_schema t, pragma_table_info(t.name) c
			WHERE t.type = 'table' ORDER BY t.name, c.cid`,
		store.PostgreSQL: `SELECT table_name, column_name, data_type, is_nullable = 'NO' FROM information_schema.columns
			WHERE table_schema = current_schema() ORDER BY table_name, ordinal_position`,
	}
	indexes := map[store.Dialect]string{
		store.SQLite: `SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY name`,
		store.PostgreSQL: `SELECT indexname FROM pg_indexes WHERE schemaname = current_schema() AND indexname NOT IN
			(SELECT conname FROM pg_constraint) ORDER BY indexname`,
	}
	if diff := cmp.Diff(readColumns(t, lite, columns[store.SQLite]), readColumns(t, pg, columns[store.PostgreSQL])); diff != "" {
		t.Errorf("columns (-SQLite +PostgreSQL):\n%s", diff)
	}
	if diff := cmp.Diff(readNames(t, lite, indexes[store.SQLite]), readNames(t, pg, indexes[store.PostgreSQL])); diff != "" {
		t.Errorf("indexes (-SQLite +PostgreSQL):\n%s", diff)
	}
}

func readColumns(t *testing.T, s *store.Store, query string) []column {
	t.Helper()
	types := strings.NewReplacer("character varying", "text")
	var all []column
	err := s.View(t.Context(), func(tx *store.Tx) error {
		all = nil
		return tx.Rows(query, nil, func(scan func(...any) error) error {
			var c column
			err := scan(&c.Table, &c.Name, &c.Type, &c.NotNull)
			if c.Type = types.Replace(strings.ToLower(c.Type)); !inside(c.Table) {
				all = append(all, c)
			}
			return err
		})
	})
	if err != nil || len(all) == 0 {
		t.Fatalf("%d columns, %v", len(all), err)
	}
	return all
}

func readNames(t *testing.T, s *store.Store, query string) []string {
	t.Helper()
	var all []string
	err := s.View(t.Context(), func(tx *store.Tx) error {
		all = nil
		return tx.Rows(query, nil, func(scan func(...any) error) error {
			var name string
			err := scan(&name)
			if !inside(name) {
				all = append(all, name)
			}
			return err
		})
	})
	if err != nil || len(all) == 0 {
		t.Fatalf("%d names, %v", len(all), err)
	}
	return all
}

// TestReopening opens a database again: the migrations have run, and the data
// are there.
func TestReopening(t *testing.T) {
	reopen := func(t *testing.T, cfg store.Config) {
		for round, want := range []string{"", "kept", "kept"} {
			t.Run("open", func(t *testing.T) {
				s := storetest.Open(t, cfg)
				if got := allMeta(t, s)["a"]; got != want {
					t.Errorf("round %d: read %q, want %q", round, got, want)
				}
				if err := setMeta(t.Context(), s, "a", "kept"); err != nil {
					t.Error(err)
				}
			})
		}
	}
	t.Run("SQLite", func(t *testing.T) {
		reopen(t, store.Config{SQLitePath: filepath.Join(t.TempDir(), "atrium.db")})
	})
	t.Run("PostgreSQL", func(t *testing.T) { reopen(t, store.Config{PostgresDSN: storetest.Postgres(t)}) })
}

// TestUsedSchemasAreAsNew compares what is in a PostgreSQL schema that a test
// has used before with what the migrations make.
func TestUsedSchemasAreAsNew(t *testing.T) {
	rowsOf := func(s *store.Store) map[string]int {
		counts := map[string]int{}
		err := s.View(t.Context(), func(tx *store.Tx) error {
			var tables []string
			err := tx.Rows(`SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()`, nil,
				func(scan func(...any) error) error {
					var name string
					err := scan(&name)
					tables = append(tables, name)
					return err
				})
			for _, table := range tables {
				var n int
				if err == nil {
					_, err = tx.Row(`SELECT COUNT(*) FROM `+table, nil, &n)
				}
				counts[table] = n
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return counts
	}
	want := rowsOf(storetest.Open(t, store.Config{PostgresDSN: storetest.Postgres(t)}))
	want["goose_lock"] = 0
	for range 2 {
		storetest.Run(t, func(t *testing.T, s *store.Store) {
			if s.Dialect() == store.SQLite {
				return
			}
			got := rowsOf(s)
			got["goose_lock"] = 0
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("rows by table (-new +used):\n%s", diff)
			}
			if n, err := s.Change(t.Context()); err != nil || n != 0 {
				t.Errorf("the change counter is %d, %v", n, err)
			}
			err := s.Update(t.Context(), func(tx *store.Tx) error {
				if _, err := tx.BumpChange(); err != nil {
					return err
				}
				return tx.SetMeta("left", "behind")
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestNodesMigrateTogether starts several nodes of a cluster on an empty
// database at once.
func TestNodesMigrateTogether(t *testing.T) {
	dsn := storetest.Postgres(t)
	var nodes sync.WaitGroup
	for range 4 {
		nodes.Go(func() {
			s, err := store.Open(t.Context(), store.Config{PostgresDSN: dsn, Clock: storetest.Now, Log: discard, Connections: 2})
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := s.Change(t.Context()); err != nil {
				t.Error(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	nodes.Wait()
}

func TestNewerSchemaIsRefused(t *testing.T) {
	run := func(t *testing.T, cfg store.Config) {
		s := storetest.Open(t, cfg)
		err := s.Update(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (90000, TRUE)`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		cfg.Clock, cfg.Log = storetest.Now, discard
		s, err = store.Open(t.Context(), cfg)
		if err == nil {
			_ = s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "run a newer version of the program") {
			t.Errorf("opening a database with a newer schema: %v", err)
		}
	}
	t.Run("SQLite", func(t *testing.T) { run(t, store.Config{SQLitePath: filepath.Join(t.TempDir(), "atrium.db")}) })
	t.Run("PostgreSQL", func(t *testing.T) { run(t, store.Config{PostgresDSN: storetest.Postgres(t)}) })
}

// TestLinguisticCollationIsRefused opens a PostgreSQL database that orders text
// as a dictionary does.
func TestLinguisticCollationIsRefused(t *testing.T) {
	dsn := storetest.Database(t, "LC_COLLATE 'C' LC_CTYPE 'C' LOCALE_PROVIDER icu ICU_LOCALE 'en-US'")
	s, err := store.Open(context.Background(), store.Config{PostgresDSN: dsn, Clock: storetest.Now, Log: discard})
	if err == nil {
		_ = s.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "CREATE DATABASE atrium") {
		t.Errorf("got %v, want a refusal with its remedy", err)
	}
	storetest.Open(t, store.Config{PostgresDSN: storetest.Database(t, "")})
}

// TestMigrationsAreNumbered wants no gap: a migration with a number below one
// that has been applied would never run.
func TestMigrationsAreNumbered(t *testing.T) {
	files, err := filepath.Glob("migrations/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	slices.Sort(files)
	form := regexp.MustCompile(`^migrations/\d{5}_[a-z_]+\.sql$`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !form.MatchString(file) || !strings.HasPrefix(string(text), "-- +goose Up\n") {
			t.Errorf("%s: want a name such as 00001_core.sql and -- +goose Up as the first line", file)
		}
		if strings.Contains(string(text), "+goose Down") {
			t.Errorf("%s has a way back, which nothing runs", file)
		}
	}
}
