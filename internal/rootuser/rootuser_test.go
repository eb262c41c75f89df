package rootuser_test

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/organization"
	"github.com/atrium-iam/atrium/internal/rootuser"
	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

const accountID = "123456789012"

type world struct {
	t       *testing.T
	s       *store.Store
	ids     ident.Source
	account organization.Account
}

func newWorld(t *testing.T, s *store.Store) *world {
	t.Helper()
	w := &world{t: t, s: s, ids: ident.NewSource(rand.Reader)}
	w.must(func(tx *store.Tx) (err error) {
		w.account, err = organization.CreateStandaloneAccount(tx, storetest.Now(), w.ids, organization.NewAccount{ID: accountID, Name: "management", Email: "Root@Example.com"})
		return err
	})
	return w
}

func (w *world) must(f func(tx *store.Tx) error) {
	w.t.Helper()
	if err := w.s.Update(w.t.Context(), f); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) reset(hash string) (token string) {
	w.t.Helper()
	w.must(func(tx *store.Tx) (err error) {
		token, err = rootuser.Reset(tx, storetest.Now(), w.ids, w.account, hash)
		return err
	})
	return token
}

func (w *world) redeem(after time.Duration, token string) (u directory.User, p credential.Password, err error) {
	w.t.Helper()
	err = w.s.Update(w.t.Context(), func(tx *store.Tx) (err error) {
		u, p, err = rootuser.Redeem(tx, storetest.Now().Add(after), token)
		return err
	})
	return u, p, err
}

func TestALinkWorksOnceAndForADay(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		first := w.reset("hash-1")
		if _, _, err := w.redeem(rootuser.LinkLifetime, first); !fault.Is(err, fault.NotFound) {
			t.Errorf("a link that has expired: %v", err)
		}
		second := w.reset("hash-2")
		if _, _, err := w.redeem(0, first); !fault.Is(err, fault.NotFound) {
			t.Errorf("a link that was replaced: %v", err)
		}
		u, p, err := w.redeem(rootuser.LinkLifetime-time.Millisecond, second)
		if err != nil || u.UserName != "Root@Example.com" || u.StoreID != "root-"+accountID || p.Hash != "hash-2" || !p.OneTime {
			t.Errorf("%+v %+v %v", u, p, err)
		}
		for name, token := range map[string]string{"again": second, "nothing": "", "another": second + "x"} {
			if _, _, err := w.redeem(0, token); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// TestResetTakesEverything gives the root user a password and a session, and
// has both be gone.
func TestResetTakesEverything(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		u, p, err := w.redeem(0, w.reset("unknown"))
		if err != nil {
			t.Fatal(err)
		}
		var token string
		w.must(func(tx *store.Tx) (err error) {
			if err := credential.Replace(tx, storetest.Now(), p, "chosen"); err != nil {
				return err
			}
			_, token, err = session.Start(tx, storetest.Now(), w.ids, u.StoreID, u.ID, time.Hour, session.Client{})
			return err
		})
		link := w.reset("unknown-again")
		w.must(func(tx *store.Tx) error {
			if _, found, err := session.ByToken(tx, storetest.Now(), token); err != nil || found {
				t.Errorf("the session is still there: %v", err)
			}
			got, _, err := tx.PasswordOf(u.StoreID, u.ID)
			if got.Hash != "unknown-again" || !got.OneTime {
				t.Errorf("the password is %+v", got)
			}
			return err
		})
		if again, _, err := w.redeem(0, link); err != nil || again.ID != u.ID {
			t.Errorf("the root user is %s, was %s: %v", again.ID, u.ID, err)
		}
	})
}
