package app

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sso"

	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/store"
)

// TestDisabledPeopleDoNotComeBack disables a person and enables them again:
// what they were signed in to before stays ended, and only that of theirs.
func TestDisabledPeopleDoNotComeBack(t *testing.T) {
	onEachEngine(t, func(t *testing.T, c *cluster) {
		sam := c.person("sam.lee")
		session := c.signIn(sam)
		token := c.logIn(session)
		key := c.open(sam, sampleDevelopment, "Builder")
		bystander := c.signIn(c.person("admin"))

		c.do(func(tx *store.Tx) error {
			_, _, err := directory.DisableUser(tx, c.stamp(), c.in.IdentityStoreID, sam)
			return err
		})
		late := c.signIn(sam) // by a sign-in that had begun before, and overlooked it
		c.do(func(tx *store.Tx) error {
			_, _, err := directory.EnableUser(tx, c.stamp(), c.in.IdentityStoreID, sam)
			return err
		})
		if _, err := c.last().portal().ListAccounts(t.Context(), &sso.ListAccountsInput{AccessToken: &token}); codeOf(err) != "UnauthorizedException" {
			t.Errorf("the access token of before: %v", err)
		}
		if _, code := c.last().whoami(t.Context(), key); code != "ExpiredToken" {
			t.Errorf("the credentials of before: %q", code)
		}
		c.do(func(tx *store.Tx) error {
			for _, id := range []string{session.ID, late.ID} {
				if _, found, err := tx.PortalSession(id); err != nil || found {
					t.Errorf("a portal session of before is there: %t (%v)", found, err)
				}
			}
			if _, found, err := tx.PortalSession(bystander.ID); err != nil || !found {
				t.Errorf("somebody else's session is there: %t (%v)", found, err)
			}
			return nil
		})
		again := c.logIn(c.signIn(sam))
		if _, err := c.last().roleCredentials(t.Context(), again, sampleDevelopment, "Builder"); err != nil {
			t.Errorf("a new login: %v", err)
		}
	})
}
