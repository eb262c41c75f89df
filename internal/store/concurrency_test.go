package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
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

var discard = slog.New(slog.DiscardHandler)

const clients = 64

// inParallel runs fn for each client at once.
func inParallel(fn func(client int)) {
	var all sync.WaitGroup
	for client := range clients {
		all.Go(func() { fn(client) })
	}
	all.Wait()
}

// TestFailingClientsLeaveNothing has many clients at once, of which some fail,
// panic or collide: what was acknowledged is there, and nothing else is.
func TestFailingClientsLeaveNothing(t *testing.T) {
	const rounds = 10
	refusal := errors.New("refused")
	storetest.RunConfig(t, store.Config{}, func(t *testing.T, s *store.Store) {
		var mu sync.Mutex
		want := map[string]string{}
		inParallel(func(client int) {
			for round := range rounds {
				name := fmt.Sprintf("%d/%d", client, round)
				err := update(s, t, func(tx *store.Tx) error {
					if err := errors.Join(tx.SetMeta(name, "1"), tx.SetMeta(name+"+", "1")); err != nil {
						return err
					}
					switch client % 4 {
					case 1:
						return refusal
					case 2:
						panic(refusal)
					case 3:
						_, err := tx.Exec(`INSERT INTO meta (name, value) VALUES ($1, 'again')`, name)
						return err
					}
					return nil
				})
				mu.Lock()
				if err == nil {
					want[name], want[name+"+"] = "1", "1"
				}
				mu.Unlock()
				if ok := client%4 == 0; ok != (err == nil) {
					t.Errorf("client %d: %v", client, err)
				}
			}
		})
		wantMeta(t, s, want)
	})
}

// update is s.Update with a panic returned as an error.
func update(s *store.Store, t *testing.T, fn func(tx *store.Tx) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	return s.Update(t.Context(), fn)
}

// TestContention has many clients raise one counter: no update is lost, and
// each sees a value of its own.
func TestContention(t *testing.T) {
	const rounds = 5
	storetest.RunConfig(t, store.Config{}, func(t *testing.T, s *store.Store) {
		var mu sync.Mutex
		var got []int64
		inParallel(func(client int) {
			for range rounds {
				var value int64
				err := s.Update(t.Context(), func(tx *store.Tx) (err error) {
					value, err = tx.BumpChange()
					return err
				})
				if err != nil {
					t.Errorf("client %d: %v", client, err)
					return
				}
				mu.Lock()
				got = append(got, value)
				mu.Unlock()
			}
		})
		slices.Sort(got)
		for i, value := range got {
			if value != int64(i+1) {
				t.Fatalf("the values handed out are %v", got)
			}
		}
		last, err := s.Change(t.Context())
		if err != nil || last != clients*rounds {
			t.Errorf("the counter ends at %d, %v; want %d", last, err, clients*rounds)
		}
	})
}

// TestUpdatesAreSerializable has every client read a sum and write a row that
// depends on it. Under weaker isolation two of them would both write.
func TestUpdatesAreSerializable(t *testing.T) {
	storetest.RunConfig(t, store.Config{}, func(t *testing.T, s *store.Store) {
		full := fault.New(fault.Quota, "", "full")
		inParallel(func(client int) {
			err := s.Update(t.Context(), func(tx *store.Tx) error {
				all, err := metaOf(tx)
				if err != nil {
					return err
				}
				if len(all) >= 3 {
					return full
				}
				return tx.SetMeta(fmt.Sprint(client), "1")
			})
			if err != nil && !errors.Is(err, full) {
				t.Errorf("client %d: %v", client, err)
			}
		})
		if got := allMeta(t, s); len(got) != 3 {
			t.Errorf("%d rows under a quota of 3: %v", len(got), got)
		}
	})
}

// TestLosersSpeakForThemselves has all clients create the same thing after
// having looked: one wins, and the others give their own answer, not SQL's.
func TestLosersSpeakForThemselves(t *testing.T) {
	storetest.RunConfig(t, store.Config{}, func(t *testing.T, s *store.Store) {
		taken := errors.New("taken")
		var mu sync.Mutex
		won := 0
		inParallel(func(client int) {
			err := s.Update(t.Context(), func(tx *store.Tx) error {
				_, found, err := tx.Meta("the one")
				if err != nil {
					return err
				}
				if found {
					return taken
				}
				_, err = tx.Exec(`INSERT INTO meta (name, value) VALUES ('the one', $1)`, fmt.Sprint(client))
				return err
			})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else if !errors.Is(err, taken) {
				t.Errorf("client %d: %v", client, err)
			}
		})
		if won != 1 {
			t.Errorf("%d clients won", won)
		}
	})
}

func TestReadYourWrites(t *testing.T) {
	storetest.RunConfig(t, store.Config{}, func(t *testing.T, s *store.Store) {
		inParallel(func(client int) {
			for round := range 5 {
				name, value := fmt.Sprint(client), fmt.Sprint(round)
				if err := setMeta(t.Context(), s, name, value); err != nil {
					t.Error(err)
					return
				}
				var got string
				err := s.View(t.Context(), func(tx *store.Tx) (err error) {
					got, _, err = tx.Meta(name)
					return err
				})
				if err != nil || got != value {
					t.Errorf("client %d read %q after having written %q: %v", client, got, value, err)
				}
			}
		})
	})
}

// TestFailedCommitAcknowledgesNobody makes the commit of a group fail: a row
// breaks a foreign key that is checked only then.
func TestFailedCommitAcknowledgesNobody(t *testing.T) {
	storetest.RunConfig(t, store.Config{}, func(t *testing.T, s *store.Store) {
		err := s.Update(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec(`CREATE TABLE late (name TEXT NOT NULL REFERENCES meta (name) DEFERRABLE INITIALLY DEFERRED)`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		want := map[string]string{}
		failed := 0
		inParallel(func(client int) {
			name := fmt.Sprint(client)
			err := s.Update(t.Context(), func(tx *store.Tx) error {
				if client%16 == 0 {
					if _, err := tx.Exec(`INSERT INTO late (name) VALUES ('missing')`); err != nil {
						return err
					}
				}
				return tx.SetMeta(name, "1")
			})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				want[name] = "1"
			} else {
				failed++
			}
		})
		if failed < clients/16 {
			t.Errorf("%d updates failed, want at least %d", failed, clients/16)
		}
		wantMeta(t, s, want)
		if err := setMeta(t.Context(), s, "after", "1"); err != nil {
			t.Errorf("Update after a failed commit: %v", err)
		}
	})
}

// TestFullDisk makes SQLite run out of space in the middle of a group.
func TestFullDisk(t *testing.T) {
	s := storetest.Open(t, store.Config{})
	err := s.Update(t.Context(), func(tx *store.Tx) error {
		var pages int
		if _, err := tx.Row(`PRAGMA page_count`, nil, &pages); err != nil {
			return err
		}
		_, err := tx.Row(fmt.Sprintf(`PRAGMA max_page_count = %d`, pages+4), nil, &pages)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	want := map[string]string{}
	refused := 0
	big := strings.Repeat("x", 50_000)
	inParallel(func(client int) {
		name, value := fmt.Sprint(client), "small"
		if client%4 == 0 {
			value = big
		}
		err := setMeta(t.Context(), s, name, value)
		mu.Lock()
		defer mu.Unlock()
		if err == nil {
			want[name] = value
			return
		}
		refused++
		if !fault.Is(err, fault.Unavailable) {
			t.Errorf("client %d: %v, want it told to try again later", client, err)
		}
	})
	// The limit ends with the connection, which is closed by the first failure.
	if refused == 0 || len(want) == 0 {
		t.Errorf("%d updates refused and %d kept", refused, len(want))
	}
	wantMeta(t, s, want)
}

// TestLostConnections cuts the connections of a PostgreSQL store while many
// clients use it. They notice nothing, unless it happened in a commit: then the
// client is told to try again, and whether the change was kept is open.
func TestLostConnections(t *testing.T) {
	dsn := storetest.Database(t, "") // its own, lest other tests lose theirs
	s := storetest.Open(t, store.Config{PostgresDSN: dsn})
	done := make(chan struct{})
	var killer sync.WaitGroup
	killer.Go(func() {
		other := storetest.Open(t, store.Config{PostgresDSN: dsn, Connections: 1})
		for {
			select {
			case <-done:
				return
			case <-time.After(20 * time.Millisecond):
			}
			err := other.View(t.Context(), func(tx *store.Tx) error {
				return tx.Rows(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()
					AND datname = current_database() AND application_name = 'atrium' AND query LIKE '%meta%'`, nil, func(func(...any) error) error { return nil })
			})
			if err != nil {
				t.Error(err)
			}
		}
	})
	var mu sync.Mutex
	acknowledged, unsure := map[string]bool{}, 0
	inParallel(func(client int) {
		for round := range 20 {
			name := fmt.Sprintf("%d/%d", client, round)
			err := setMeta(t.Context(), s, name, "1")
			mu.Lock()
			switch {
			case err == nil:
				acknowledged[name] = true
			case fault.Is(err, fault.Unavailable) && strings.Contains(err.Error(), "outcome"):
				unsure++
			default:
				t.Errorf("client %d: %v", client, err)
			}
			mu.Unlock()
			if err := s.View(t.Context(), func(tx *store.Tx) error { _, _, err := tx.Meta(name); return err }); err != nil {
				t.Errorf("client %d: %v", client, err)
			}
		}
	})
	close(done)
	killer.Wait()
	stored := allMeta(t, s)
	for name := range acknowledged {
		if stored[name] == "" {
			t.Errorf("%s was acknowledged and is lost", name)
		}
	}
	if extra := len(stored) - len(acknowledged); extra > unsure {
		t.Errorf("%d changes are stored that were refused, %d commits were uncertain", extra, unsure)
	}
	t.Logf("%d acknowledged, %d uncertain", len(acknowledged), unsure)
}

const crashVariable = "ATRIUM_TEST_CRASH_DATABASE"

// writeUntilKilled is the body of the process that TestCrash kills: many
// clients write, and each line on standard output is an acknowledged name.
func writeUntilKilled() {
	s, err := store.Open(context.Background(), store.Config{SQLitePath: os.Getenv(crashVariable), Clock: storetest.Now, Log: discard})
	if err != nil {
		panic(err)
	}
	var mu sync.Mutex
	inParallel(func(client int) {
		for round := 0; ; round++ {
			name := fmt.Sprintf("%d/%d", client, round)
			if err := setMeta(context.Background(), s, name, "1"); err != nil {
				panic(err)
			}
			mu.Lock()
			fmt.Println(name)
			mu.Unlock()
		}
	})
}

// TestCrash kills a process while it writes: what it had acknowledged is there,
// and of what it had not, at most one update of each client.
func TestCrash(t *testing.T) {
	path := filepath.Join(t.TempDir(), "atrium.db")
	for range 3 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), crashVariable+"="+path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		acknowledged := map[string]bool{}
		lines := bufio.NewScanner(out)
		stop := 200 + rand.IntN(400)
		for lines.Scan() {
			acknowledged[lines.Text()] = true
			if len(acknowledged) == stop {
				_ = cmd.Process.Kill()
			}
		}
		if err := cmd.Wait(); err == nil || len(acknowledged) < stop {
			t.Fatalf("the writer ended by itself after %d lines: %v", len(acknowledged), err)
		}
		s := storetest.Open(t, store.Config{SQLitePath: path})
		stored := allMeta(t, s)
		for name := range acknowledged {
			if stored[name] == "" {
				t.Errorf("%s was acknowledged and is lost", name)
			}
			delete(stored, name)
		}
		if len(stored) > clients+1 { // the last line may be cut
			t.Errorf("%d updates are stored and were not acknowledged", len(stored))
		}
		err = s.Update(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec(`DELETE FROM meta`)
			return err
		})
		if err := errors.Join(err, s.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestIdempotentResponses(t *testing.T) {
	now := storetest.Now()
	storetest.RunConfig(t, store.Config{RunTwice: true, Clock: func() time.Time { return now }}, func(t *testing.T, s *store.Store) {
		now = storetest.Now()
		save := func(account, response string) error {
			return s.Update(t.Context(), func(tx *store.Tx) error {
				return tx.SaveIdempotentResponse(account, "CreateUser", "token", []byte("hash"), []byte(response), now.Add(time.Hour))
			})
		}
		read := func(account string) (got string) {
			err := s.View(t.Context(), func(tx *store.Tx) error {
				hash, response, found, err := tx.IdempotentResponse(account, "CreateUser", "token")
				got = fmt.Sprintf("%s %s %v", hash, response, found)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		if err := save("1", "first"); err != nil {
			t.Fatal(err)
		}
		if err := save("1", "second"); !fault.Is(err, fault.Conflict) {
			t.Errorf("saving over a response that holds: %v", err)
		}
		want := []string{"hash first true", "  false"}
		if diff := cmp.Diff(want, []string{read("1"), read("2")}); diff != "" {
			t.Errorf("before it expires (-want +got):\n%s", diff)
		}
		now = now.Add(time.Hour)
		if got := read("1"); got != "  false" {
			t.Errorf("after it expired: %s", got)
		}
		if err := save("1", "third"); err != nil {
			t.Fatal(err)
		}
		if got := read("1"); got != "hash third true" {
			t.Errorf("saved anew: %s", got)
		}
		now = now.Add(time.Hour)
		var deleted int64
		err := s.Update(t.Context(), func(tx *store.Tx) (err error) {
			deleted, err = tx.DeleteExpiredResponses(10)
			return err
		})
		if err != nil || deleted != 1 {
			t.Errorf("deleted %d, %v", deleted, err)
		}
	})
}
