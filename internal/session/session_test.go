package session_test

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

const storeID = "d-1234567890"

func ids() ident.Source { return ident.NewSource(rand.Reader) }

func newUser(t *testing.T, s *store.Store, name string) string {
	t.Helper()
	var id string
	update(t, s, func(tx *store.Tx) error {
		u, err := directory.CreateUser(tx, ids(), directory.Stamp{At: storetest.Now(), By: "test"}, storeID,
			directory.NewUser{Attributes: directory.Attributes{UserName: name, DisplayName: name, Name: directory.Name{GivenName: name, FamilyName: name}}})
		id = u.ID
		return err
	})
	return id
}

func update(t *testing.T, s *store.Store, f func(*store.Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

func start(t *testing.T, s *store.Store, user string) (out session.Session, token string) {
	t.Helper()
	update(t, s, func(tx *store.Tx) (err error) {
		out, token, err = session.Start(tx, storetest.Now(), ids(), storeID, user, time.Hour,
			session.NewClient("203.0.113.9", "Browser\n"+strings.Repeat("é", 400)))
		return err
	})
	return out, token
}

func byToken(t *testing.T, s *store.Store, now time.Time, token string) (out session.Session, found bool) {
	t.Helper()
	err := s.View(t.Context(), func(tx *store.Tx) (err error) {
		out, found, err = session.ByToken(tx, now, token)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out, found
}

func TestByToken(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		want, token := start(t, s, newUser(t, s, "sam"))
		got, found := byToken(t, s, want.ExpiresAt.Add(-time.Millisecond), token)
		if diff := cmp.Diff(want, got); !found || diff != "" {
			t.Errorf("found = %t (-want +got):\n%s", found, diff)
		}
		if len(got.Client.UserAgent) != 256 || !strings.HasPrefix(got.Client.UserAgent, "Browser???") {
			t.Errorf("user agent %q is not clipped to printable ASCII", got.Client.UserAgent)
		}
		for name, c := range map[string]struct {
			now   time.Time
			token string
		}{
			"expired": {want.ExpiresAt, token},
			"empty":   {want.CreatedAt, ""},
			"id":      {want.CreatedAt, want.ID},
			"other":   {want.CreatedAt, token[:len(token)-1]},
		} {
			if _, found := byToken(t, s, c.now, c.token); found {
				t.Errorf("%s: a session was found", name)
			}
		}
	})
}

// TestTokenIsNotStored reads every column that could hold it.
func TestTokenIsNotStored(t *testing.T) {
	s := storetest.Open(t, store.Config{})
	_, token := start(t, s, newUser(t, s, "sam"))
	_, other := start(t, s, newUser(t, s, "kim"))
	if token == other || len(token) != 43 {
		t.Errorf("tokens %q and %q are not two of 256 random bits", token, other)
	}
	err := s.View(t.Context(), func(tx *store.Tx) error {
		_, found, err := tx.PortalSessionByToken(session.TokenHash([]byte(token)[:32]))
		if found {
			t.Error("the token itself is stored")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestEnding(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		sam, kim := newUser(t, s, "sam"), newUser(t, s, "kim")
		first, firstToken := start(t, s, sam)
		_, secondToken := start(t, s, sam)
		_, kimToken := start(t, s, kim)
		open := func(token string) bool {
			_, found := byToken(t, s, storetest.Now(), token)
			return found
		}

		update(t, s, func(tx *store.Tx) error { return session.End(tx, first.ID) })
		if open(firstToken) || !open(secondToken) || !open(kimToken) {
			t.Error("ending one session ended not exactly that one")
		}
		if err := s.Update(t.Context(), func(tx *store.Tx) error { return session.End(tx, first.ID) }); !fault.Is(err, fault.NotFound) {
			t.Errorf("ending a session twice: %v", err)
		}
		update(t, s, func(tx *store.Tx) error {
			n, err := session.EndAll(tx, storeID, sam)
			if n != 1 {
				t.Errorf("ended %d sessions, want 1", n)
			}
			return err
		})
		if open(secondToken) || !open(kimToken) {
			t.Error("ending a person's sessions ended not exactly those")
		}
		update(t, s, func(tx *store.Tx) error {
			_, _, err := directory.DeleteUser(tx, storeID, kim)
			return err
		})
		if open(kimToken) {
			t.Error("a session outlived its person")
		}
	})
}

func TestList(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		sam := newUser(t, s, "sam")
		want := make(map[string]bool)
		for range 5 {
			one, _ := start(t, s, sam)
			want[one.ID] = true
		}
		start(t, s, newUser(t, s, "kim"))
		list := func(now time.Time) map[string]bool {
			got := make(map[string]bool)
			update(t, s, func(tx *store.Tx) error {
				clear(got)
				after := ""
				for {
					page, next, err := session.List(tx, now, storeID, sam, after, 2)
					for _, one := range page {
						got[one.ID] = true
					}
					if err != nil || next == "" {
						return err
					}
					after = next
				}
			})
			return got
		}
		if diff := cmp.Diff(want, list(storetest.Now())); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if got := list(storetest.Now().Add(time.Hour)); len(got) != 0 {
			t.Errorf("expired sessions are listed: %v", got)
		}
		update(t, s, func(tx *store.Tx) error {
			n, err := tx.DeleteExpiredPortalSessions(storetest.Now().Add(time.Hour), 4)
			if n != 4 {
				t.Errorf("deleted %d, want 4", n)
			}
			return err
		})
	})
}

// A second factor that is proved later is the session's from then on.
func TestStrengthen(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		one, token := start(t, s, newUser(t, s, "sam"))
		if !one.MFAAt.IsZero() {
			t.Errorf("a session begins with a second factor at %v", one.MFAAt)
		}
		at := one.CreatedAt.Add(time.Minute)
		update(t, s, func(tx *store.Tx) error { return session.Strengthen(tx, at, one.ID) })
		got, found := byToken(t, s, at, token)
		one.MFAAt = at
		if diff := cmp.Diff(one, got); !found || diff != "" {
			t.Errorf("found = %t (-want +got):\n%s", found, diff)
		}
		err := s.Update(t.Context(), func(tx *store.Tx) error { return session.Strengthen(tx, at, "no-such-session") })
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("of a session that has ended: %v", err)
		}
	})
}

// EndOthers leaves the session itself, and nothing that was opened from it.
func TestEndOthers(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		sam, jo := newUser(t, s, "sam"), newUser(t, s, "jo")
		own, token := start(t, s, sam)
		_, other := start(t, s, sam)
		_, strangers := start(t, s, jo)
		var before, after int64
		update(t, s, func(tx *store.Tx) (err error) {
			if before, err = tx.Change(); err != nil {
				return err
			}
			n, err := session.EndOthers(tx, own)
			if n != 1 {
				t.Errorf("%d others ended, want 1", n)
			}
			return err
		})
		for name, c := range map[string]struct {
			token string
			want  bool
		}{"itself": {token, true}, "another": {other, false}, "somebody else's": {strangers, true}} {
			if _, found := byToken(t, s, own.CreatedAt, c.token); found != c.want {
				t.Errorf("%s: found = %t", name, found)
			}
		}
		update(t, s, func(tx *store.Tx) (err error) {
			after, err = tx.Change()
			return err
		})
		if after <= before {
			t.Error("what was opened in accounts goes on")
		}
	})
}

// TestRenew replaces the token of a session: once for each token.
func TestRenew(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		begun, token := start(t, s, newUser(t, s, "sam"))
		renew := func(token string) (renewed string) {
			update(t, s, func(tx *store.Tx) (err error) {
				renewed, err = session.Renew(tx, ids(), begun.ID, token)
				return err
			})
			return renewed
		}
		opens := func(token string) bool {
			_, found := byToken(t, s, begun.CreatedAt, token)
			return found
		}
		next := renew(token)
		if next == "" || next == token || opens(token) || !opens(next) {
			t.Errorf("renewed %q to %q", token, next)
		}
		for _, other := range []string{token, "", "made up"} {
			if again := renew(other); again != "" || !opens(next) {
				t.Errorf("%q was renewed to %q", other, again)
			}
		}
	})
}
