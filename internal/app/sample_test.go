package app_test

import (
	"testing"

	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/test/node"
)

// TestSamplePasswordsStayGood starts a node with sample data again after weeks:
// the one-time passwords in its file are still those that open it.
func TestSamplePasswordsStayGood(t *testing.T) {
	node.Run(t, func(t *testing.T, n *node.Node) {
		passwords := func() (all []credential.Password) {
			t.Helper()
			err := n.Store.View(t.Context(), func(tx *store.Tx) error {
				all = nil
				for _, name := range []string{"admin", "sam.lee"} {
					id, _, err := tx.DirectoryUserIDByName(n.Instance.IdentityStoreID, name)
					if err != nil {
						return err
					}
					p, _, err := tx.PasswordOf(n.Instance.IdentityStoreID, id)
					if err != nil {
						return err
					}
					all = append(all, p)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			return all
		}
		before := passwords()
		n.Clock.Advance(3 * credential.OneTimeLifetime)
		if !before[0].Expired(n.Clock.Now()) {
			t.Fatal("the password does not expire")
		}
		made, err := n.Program.CreateSample(t.Context())
		if err != nil || made.Created {
			t.Fatalf("%+v, %v", made, err)
		}
		for i, p := range passwords() {
			if p.Hash != before[i].Hash || !p.OneTime || p.Expired(n.Clock.Now()) {
				t.Errorf("password %d: %+v, before %+v", i, p, before[i])
			}
		}
	})
}
