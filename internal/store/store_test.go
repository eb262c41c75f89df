package store_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

func setMeta(ctx context.Context, s *store.Store, name, value string) error {
	return s.Update(ctx, func(tx *store.Tx) error { return tx.SetMeta(name, value) })
}

// runTwice is storetest.Run for tests with SQL of their own, which reads whole
// tables.
func runTwice(t *testing.T, test func(t *testing.T, s *store.Store)) {
	t.Helper()
	storetest.RunConfig(t, store.Config{RunTwice: true, Inspect: func(string, []string) {}}, test)
}

// allMeta returns the table meta: what the tests write to.
func allMeta(t *testing.T, s *store.Store) map[string]string {
	t.Helper()
	var all map[string]string
	err := s.View(t.Context(), func(tx *store.Tx) (err error) {
		all, err = metaOf(tx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func metaOf(tx *store.Tx) (map[string]string, error) {
	all := map[string]string{}
	err := tx.Rows(`SELECT name, value FROM meta`, nil, func(scan func(...any) error) error {
		var name, value string
		err := scan(&name, &value)
		all[name] = value
		return err
	})
	return all, err
}

func wantMeta(t *testing.T, s *store.Store, want map[string]string) {
	t.Helper()
	if diff := cmp.Diff(want, allMeta(t, s)); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
}

func TestUpdateCommitsOrLeavesNothing(t *testing.T) {
	runTwice(t, func(t *testing.T, s *store.Store) {
		if err := setMeta(t.Context(), s, "a", "1"); err != nil {
			t.Fatal(err)
		}
		own := fault.New(fault.Denied, "", "no")
		err := s.Update(t.Context(), func(tx *store.Tx) error {
			return errors.Join(tx.SetMeta("a", "2"), tx.SetMeta("b", "2"), own)
		})
		if !errors.Is(err, own) {
			t.Errorf("Update returned %v, want the function's own error", err)
		}
		wantMeta(t, s, map[string]string{"a": "1"})
	})
}

func TestConstraintViolationsAreConflicts(t *testing.T) {
	const insertChild = `INSERT INTO child (id, parent_id) VALUES ($1, $2)`
	tests := map[string]struct {
		query string
		args  []any
	}{
		"primary key":         {`INSERT INTO parent (id, name) VALUES ($1, $2)`, []any{"p1", "other"}},
		"integer primary key": {`INSERT INTO change_counter (id, value) VALUES (1, 0)`, nil},
		"unique":              {`INSERT INTO parent (id, name) VALUES ($1, $2)`, []any{"p2", "first"}},
		"no such parent":      {insertChild, []any{"c2", "none"}},
		"parent with child":   {`DELETE FROM parent WHERE id = $1`, []any{"p1"}},
		"restricted parent":   {`UPDATE parent SET id = $1`, []any{"p9"}},
	}
	runTwice(t, func(t *testing.T, s *store.Store) {
		err := s.Update(t.Context(), func(tx *store.Tx) error {
			_, err1 := tx.Exec(`CREATE TABLE parent (id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL UNIQUE)`)
			_, err2 := tx.Exec(`CREATE TABLE child (id TEXT NOT NULL PRIMARY KEY, parent_id TEXT NOT NULL
				REFERENCES parent (id) ON DELETE RESTRICT)`)
			_, err3 := tx.Exec(`INSERT INTO parent (id, name) VALUES ($1, $2)`, "p1", "first")
			_, err4 := tx.Exec(insertChild, "c1", "p1")
			return errors.Join(err1, err2, err3, err4)
		})
		if err != nil {
			t.Fatal(err)
		}
		for name, test := range tests {
			t.Run(name, func(t *testing.T) {
				err := s.Update(t.Context(), func(tx *store.Tx) error {
					_, err := tx.Exec(test.query, test.args...)
					return err
				})
				if !fault.Is(err, fault.Conflict) {
					t.Errorf("got %v, want a conflict", err)
				}
			})
		}
	})
}

func TestOtherSQLErrorsAreInternal(t *testing.T) {
	queries := []string{
		`INSERT INTO meta (name, value) VALUES ($1, NULL)`,
		`INSERT INTO change_counter (id, value) VALUES (2, $1)`,
		`SELECT $1 FROM nowhere`,
	}
	runTwice(t, func(t *testing.T, s *store.Store) {
		for _, query := range queries {
			err := s.Update(t.Context(), func(tx *store.Tx) error {
				_, err := tx.Exec(query, "5551234")
				return err
			})
			if err == nil || fault.Of(err) != fault.Internal {
				t.Errorf("%s: got %v, want an internal error", query, err)
			} else if strings.Contains(err.Error(), "5551234") {
				t.Errorf("the error shows an argument: %v", err)
			}
		}
	})
}

func TestSwallowedFailureIsNotCommitted(t *testing.T) {
	runTwice(t, func(t *testing.T, s *store.Store) {
		err := s.Update(t.Context(), func(tx *store.Tx) error {
			if err := tx.SetMeta("a", "1"); err != nil {
				return err
			}
			_, _ = tx.Exec(`INSERT INTO meta (name, value) VALUES ('a', 'taken')`)
			if err := tx.SetMeta("b", "1"); !fault.Is(err, fault.Conflict) {
				t.Errorf("a statement after a failed one returned %v, want the first failure", err)
			}
			return nil
		})
		if !fault.Is(err, fault.Conflict) {
			t.Errorf("Update returned %v, want the conflict", err)
		}
		wantMeta(t, s, map[string]string{})
	})
}

func TestTextThatCannotBeStored(t *testing.T) {
	runTwice(t, func(t *testing.T, s *store.Store) {
		for _, text := range []string{"nul\x00", "\xff", "\xed\xa0\x80"} {
			if err := setMeta(t.Context(), s, "a", text); !fault.Is(err, fault.Invalid) {
				t.Errorf("storing %q: %v, want it refused as invalid", text, err)
			}
		}
		wantMeta(t, s, map[string]string{})
	})
}

func TestPlaceholdersAndTypes(t *testing.T) {
	runTwice(t, func(t *testing.T, s *store.Store) {
		type row struct {
			ID    string
			Big   int64
			Yes   bool
			Blob  []byte
			Maybe *string
		}
		text := "ünï😀"
		want := []row{{"a", 1 << 60, true, []byte{0, 255}, nil}, {"b", -1, false, []byte("{}"), &text}}
		var got []row
		err := s.Update(t.Context(), func(tx *store.Tx) error {
			if _, err := tx.Exec(`CREATE TABLE kinds (id TEXT, big BIGINT, yes BOOLEAN, bytes BYTEA, maybe TEXT)`); err != nil {
				return err
			}
			for _, r := range want {
				_, err := tx.Exec(`INSERT INTO kinds (maybe, bytes, yes, big, id) VALUES ($5, $4, $3, $2, $1)`, r.ID, r.Big, r.Yes, r.Blob, r.Maybe)
				if err != nil {
					return err
				}
			}
			got = nil
			return tx.Rows(`SELECT id, big, yes, bytes, maybe FROM kinds
				WHERE (id = $1 OR $1 = '') AND ($2 OR NOT yes OR big > 0) ORDER BY id LIMIT CAST($3 AS BIGINT)`, []any{"", false, 10},
				func(scan func(...any) error) error {
					var r row
					err := scan(&r.ID, &r.Big, &r.Yes, &r.Blob, &r.Maybe)
					got = append(got, r)
					return err
				})
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("read back (-want +got):\n%s", diff)
		}
	})
}

func TestTextIsOrderedByBytes(t *testing.T) {
	names := []string{"", " ", "-", "A", "B", "Z", "Zz", "_", "a", "a b", "a-b", "aB", "aZ", "a_b", "aa", "ab", "z", "~", "ß", "é", "日本", "\uffff", "😀"}
	if !slices.IsSorted(names) {
		t.Fatal("the test's own names are not in byte order")
	}
	runTwice(t, func(t *testing.T, s *store.Store) {
		err := s.Update(t.Context(), func(tx *store.Tx) error {
			for i := len(names) - 1; i >= 0; i-- {
				if err := tx.SetMeta(names[i], "x"); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		var paged []string
		err = s.View(t.Context(), func(tx *store.Tx) error {
			paged = []string{""}
			for {
				var next string
				found, err := tx.Row(`SELECT name FROM meta WHERE (name, value) > ($1, $2) ORDER BY name, value LIMIT 1`,
					[]any{paged[len(paged)-1], "x"}, &next)
				if err != nil || !found {
					return err
				}
				paged = append(paged, next)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(names, paged); diff != "" {
			t.Errorf("paged by key (-want +got):\n%s", diff)
		}
	})
}

func TestMisuseOfATransactionFails(t *testing.T) {
	runTwice(t, func(t *testing.T, s *store.Store) {
		var kept *store.Tx
		err := s.View(t.Context(), func(tx *store.Tx) error {
			kept = tx
			return tx.Rows(`SELECT 1`, nil, func(func(...any) error) error {
				_, _, err := tx.Meta("a")
				return err
			})
		})
		if !errors.Is(err, store.ErrNested) {
			t.Errorf("a query within a query: %v", err)
		}
		if _, _, err := kept.Meta("a"); !errors.Is(err, store.ErrEnded) {
			t.Errorf("a query after the transaction: %v", err)
		}
		err = s.View(t.Context(), func(tx *store.Tx) error {
			var n int
			_, err := tx.Row(`SELECT 1 UNION SELECT 2`, nil, &n)
			return err
		})
		if err == nil {
			t.Error("row accepted two rows")
		}
	})
}

func TestViewCannotWrite(t *testing.T) {
	runTwice(t, func(t *testing.T, s *store.Store) {
		err := s.View(t.Context(), func(tx *store.Tx) error { return tx.SetMeta("a", "1") })
		if err == nil {
			t.Error("a View wrote")
		}
		wantMeta(t, s, map[string]string{})
	})
}

func TestViewSeesOneSnapshot(t *testing.T) {
	runTwice(t, func(t *testing.T, s *store.Store) {
		if err := setMeta(t.Context(), s, "a", "before"); err != nil {
			t.Fatal(err)
		}
		err := s.View(t.Context(), func(tx *store.Tx) error {
			first, err := metaOf(tx)
			if err != nil {
				return err
			}
			// Updates of another transaction commit while this one reads.
			if err := setMeta(t.Context(), s, "a", first["a"]+"+"); err != nil {
				return err
			}
			if err := setMeta(t.Context(), s, "b", "new"); err != nil {
				return err
			}
			second, err := metaOf(tx)
			if diff := cmp.Diff(first, second); diff != "" {
				t.Errorf("two reads of one View differ (-first +second):\n%s", diff)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := allMeta(t, s); got["b"] != "new" {
			t.Errorf("the updates are lost: %v", got)
		}
	})
}

func TestFunctionsRunTwice(t *testing.T) {
	runTwice(t, func(t *testing.T, s *store.Store) {
		runs := 0
		err := s.Update(t.Context(), func(tx *store.Tx) error {
			runs++
			_, err := tx.Exec(`INSERT INTO meta (name, value) VALUES ('run', $1)`, fmt.Sprint(runs))
			return err
		})
		if err != nil || runs != 2 {
			t.Errorf("ran %d times with %v, want twice", runs, err)
		}
		wantMeta(t, s, map[string]string{"run": "2"})
	})
}

func TestPanicTakesBackItsOwnWorkOnly(t *testing.T) {
	storetest.RunConfig(t, store.Config{}, func(t *testing.T, s *store.Store) {
		got := func() (v any) {
			defer func() { v = recover() }()
			return s.Update(t.Context(), func(tx *store.Tx) error {
				if err := tx.SetMeta("panic", "1"); err != nil {
					return err
				}
				panic("the function's own")
			})
		}()
		if got != "the function's own" {
			t.Errorf("the caller recovered %v, want the function's own panic", got)
		}
		var exited sync.WaitGroup
		exited.Go(func() {
			_ = s.Update(t.Context(), func(tx *store.Tx) error {
				_ = tx.SetMeta("exit", "1")
				runtime.Goexit() // what t.Fatal does
				return nil
			})
		})
		exited.Wait()
		func() {
			defer func() { _ = recover() }()
			_ = s.View(t.Context(), func(tx *store.Tx) error {
				return tx.Rows(`SELECT 1`, nil, func(func(...any) error) error { panic("while reading") })
			})
		}()
		if err := setMeta(t.Context(), s, "after", "1"); err != nil {
			t.Errorf("Update after a panic: %v", err)
		}
		wantMeta(t, s, map[string]string{"after": "1"})
	})
}

func TestCancelledCallersDoNotStart(t *testing.T) {
	storetest.RunConfig(t, store.Config{}, func(t *testing.T, s *store.Store) {
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		never := func(*store.Tx) error {
			t.Error("the function of a cancelled caller ran")
			return nil
		}
		if err := s.Update(cancelled, never); !errors.Is(err, context.Canceled) {
			t.Errorf("Update: %v", err)
		}
		if err := s.View(cancelled, never); !errors.Is(err, context.Canceled) {
			t.Errorf("View: %v", err)
		}
	})
}

func TestCancelledCallerInTheQueueIsDropped(t *testing.T) {
	s := storetest.Open(t, store.Config{})
	running, release := make(chan struct{}), make(chan struct{})
	var holder sync.WaitGroup
	holder.Go(func() {
		err := s.Update(t.Context(), func(tx *store.Tx) error {
			close(running)
			<-release
			return tx.SetMeta("holder", "1")
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-running
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := setMeta(ctx, s, "late", "1"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Update behind a long one: %v, want the caller's deadline", err)
	}
	close(release)
	holder.Wait()
	wantMeta(t, s, map[string]string{"holder": "1"})
}

func TestARunningUpdateIsNotCancelled(t *testing.T) {
	storetest.RunConfig(t, store.Config{}, func(t *testing.T, s *store.Store) {
		ctx, cancel := context.WithCancel(t.Context())
		err := s.Update(ctx, func(tx *store.Tx) error {
			cancel()
			return tx.SetMeta("a", "1")
		})
		if err != nil {
			t.Errorf("Update whose caller went away: %v", err)
		}
		wantMeta(t, s, map[string]string{"a": "1"})
	})
}

func TestARunningViewIsCancelled(t *testing.T) {
	storetest.RunConfig(t, store.Config{}, func(t *testing.T, s *store.Store) {
		ctx, cancel := context.WithCancel(t.Context())
		err := s.View(ctx, func(tx *store.Tx) error {
			cancel()
			_, _, err := tx.Meta("a")
			return err
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("View whose caller went away: %v", err)
		}
	})
}
