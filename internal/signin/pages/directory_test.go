package pages_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/store"
)

// TestSessionsOfAnotherDirectory brings the token of a session of another
// directory's person: it opens nothing here.
func TestSessionsOfAnotherDirectory(t *testing.T) {
	s := newSite(t)
	open := func(storeID string) *browser {
		var token string
		s.update(func(tx *store.Tx) error {
			u, err := directory.CreateUser(tx, s.flow.IDs, directory.Stamp{At: s.now, By: "test"}, storeID, directory.NewUser{Attributes: directory.Attributes{
				UserName: "kim", DisplayName: "Kim Poe", Name: directory.Name{GivenName: "Kim", FamilyName: "Poe"},
			}})
			if err != nil {
				return err
			}
			_, token, err = session.Start(tx, s.now, s.flow.IDs, storeID, u.ID, time.Hour, session.Client{})
			return err
		})
		b := s.browser()
		at, err := url.Parse(s.url)
		if err != nil {
			t.Fatal(err)
		}
		b.client.Jar.SetCookies(at, []*http.Cookie{{Name: "atrium_" + installation, Value: token}})
		return b.get("/start")
	}
	open(s.in.IdentityStoreID).shows(200, "Kim Poe")
	open("d-0987654321").shows(200, "Username")
}
