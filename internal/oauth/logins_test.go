package oauth_test

import (
	"slices"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/oauth"
	"github.com/atrium-iam/atrium/internal/store"
)

// logins are sam's, as a page shows them.
func (w *world) logins(limit int) (all []oauth.Family) {
	w.t.Helper()
	w.must(func(tx *store.Tx) (err error) {
		all, err = oauth.Logins(tx, w.now, w.in.IdentityStoreID, w.sam.ID, limit)
		return err
	})
	return all
}

// TestLogins lists what programs a person lets in, as long as that is good for
// something.
func TestLogins(t *testing.T) {
	each(t, func(w *world) {
		w.session = w.signIn(w.sam, 24*time.Hour)
		renewing := w.register(oauth.NewClient{Name: "renewing", Scopes: []string{oauth.ScopeAccountAccess}})
		tokens := w.logIn(renewing)
		w.now = w.now.Add(time.Minute)
		w.logIn(w.register(oauth.NewClient{Name: "long"}))
		first := w.logins(10)
		if len(first) != 2 || first[0].ClientName != "long" || first[1].ClientName != "renewing" {
			t.Fatalf("the logins are %+v", first)
		}
		if first[0].Renews() || !first[0].Until().Equal(w.now.Add(8*time.Hour)) {
			t.Errorf("a login that cannot be refreshed: %t, until %v", first[0].Renews(), first[0].Until())
		}
		if !first[1].Renews() || !first[1].Until().Equal(w.session.ExpiresAt) || !first[1].RenewedAt().IsZero() {
			t.Errorf("a login that can be refreshed: %t, until %v, renewed %v", first[1].Renews(), first[1].Until(), first[1].RenewedAt())
		}
		if got := w.logins(1); len(got) != 1 || got[0].ID != first[0].ID {
			t.Errorf("the newest is %+v", got)
		}
		w.now = w.now.Add(9 * time.Hour)
		if _, err := w.refresh(renewing, tokens.Refresh); err != nil {
			t.Fatal(err)
		}
		left := w.logins(10)
		if len(left) != 1 || !left[0].RenewedAt().Equal(w.now) {
			t.Errorf("nine hours later: %+v", left)
		}
		w.now = w.session.ExpiresAt
		if left := w.logins(10); len(left) != 0 {
			t.Errorf("after the session: %+v", left)
		}
	})
}

// TestRevokeLogin takes a program's access away: that person's only, and no
// other program's.
func TestRevokeLogin(t *testing.T) {
	each(t, func(w *world) {
		c := w.deviceClient()
		gone, stays := w.logIn(c), w.logIn(c)
		revoke := func(storeID, userID string) (f oauth.Family, found bool) {
			w.must(func(tx *store.Tx) (err error) {
				f, found, err = oauth.RevokeLogin(tx, w.now, storeID, userID, gone.Family.ID)
				return err
			})
			return f, found
		}
		for _, who := range [][2]string{{w.in.IdentityStoreID, w.user(w.in, "jo").ID}, {"d-0000000000", w.sam.ID}} {
			if f, found := revoke(who[0], who[1]); found || f.ID != "" {
				t.Errorf("%q revoked somebody else's login", who)
			}
		}
		w.works(gone.Access)
		if f, found := revoke(w.in.IdentityStoreID, w.sam.ID); !found || f.ClientID != c.ID || !slices.Equal(f.Scopes, c.Scopes) {
			t.Errorf("revoked %+v (%t)", f, found)
		}
		w.dead(gone.Access)
		_, err := w.refresh(c, gone.Refresh)
		w.refused(err, "invalid_grant")
		w.works(stays.Access)
		if _, found := revoke(w.in.IdentityStoreID, w.sam.ID); found {
			t.Error("revoked twice")
		}
	})
}
