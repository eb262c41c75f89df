package store_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

func TestOneProcessPerSQLiteDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b%?#.db")
	cfg := store.Config{SQLitePath: path}
	t.Run("first", func(t *testing.T) {
		s := storetest.Open(t, cfg)
		if err := setMeta(t.Context(), s, "a", "1"); err != nil {
			t.Fatal(err)
		}
		second, err := store.Open(t.Context(), store.Config{SQLitePath: path, Clock: storetest.Now, Log: discard})
		if err == nil {
			second.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "another process uses this database") {
			t.Errorf("opening it again: %v", err)
		}
	})
	wantMeta(t, storetest.Open(t, cfg), map[string]string{"a": "1"})
}

func TestConfigIsChecked(t *testing.T) {
	for _, cfg := range []store.Config{
		{},
		{Clock: storetest.Now, Log: discard},
		{Clock: storetest.Now, Log: discard, SQLitePath: "x", PostgresDSN: "y"},
		{Clock: storetest.Now, Log: discard, SQLitePath: filepath.Join(t.TempDir(), "missing", "x")},
		{Clock: storetest.Now, Log: discard, PostgresDSN: "host=/nonexistent user=a password=hunter2"},
		{Clock: storetest.Now, Log: discard, PostgresDSN: "postgres://a:hunter2@[bad"},
	} {
		_, err := store.Open(t.Context(), cfg)
		if err == nil {
			t.Errorf("Open(%+v) succeeded", cfg)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}

func TestClosedStoreFails(t *testing.T) {
	runTwice(t, func(t *testing.T, s *store.Store) {
		if err := s.Ping(t.Context()); err != nil {
			t.Errorf("Ping: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err := setMeta(t.Context(), s, "a", "1"); err == nil {
			t.Error("Update of a closed store succeeded")
		}
		if err := s.Ping(t.Context()); err == nil {
			t.Error("Ping of a closed store succeeded")
		}
	})
}

type metaReader interface {
	Meta(name string) (string, bool, error)
}

func TestBind(t *testing.T) {
	runTwice(t, func(t *testing.T, s *store.Store) {
		bound := store.Bind[interface {
			metaReader
			SetMeta(name, value string) error
		}](s)
		err := bound.Update(t.Context(), func(tx interface {
			metaReader
			SetMeta(name, value string) error
		},
		) error {
			return tx.SetMeta("a", "1")
		})
		if err != nil {
			t.Fatal(err)
		}
		var got string
		err = store.Bind[metaReader](s).View(t.Context(), func(tx metaReader) (err error) {
			got, _, err = tx.Meta("a")
			return err
		})
		if err != nil || got != "1" {
			t.Errorf("read %q, %v", got, err)
		}
		defer func() {
			if recover() == nil {
				t.Error("Bind accepted an interface that *Tx does not have")
			}
		}()
		store.Bind[interface{ NoSuchMethod() }](s)
	})
}
