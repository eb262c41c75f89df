package app

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sso"

	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/oauth"
	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/store"
)

// Signing out ends the portal session and the tokens that hang on it. Role
// credentials go on to their end, as in AWS, until somebody ends all that the
// person has.
func TestSigningOutKeepsRoleSessions(t *testing.T) {
	onEachEngine(t, func(t *testing.T, c *cluster) {
		sam := c.person("sam.lee")
		signedIn := c.signIn(sam)
		token := c.logIn(signedIn)
		got, err := c.nodes[0].roleCredentials(t.Context(), token, sampleDevelopment, "Builder")
		if err != nil {
			t.Fatal(err)
		}
		key := keyPair{*got.AccessKeyId, *got.SecretAccessKey, *got.SessionToken}
		c.do(func(tx *store.Tx) error { return session.SignOut(tx, signedIn.ID) })
		if _, err := c.last().portal().ListAccounts(t.Context(), &sso.ListAccountsInput{AccessToken: &token}); codeOf(err) != "UnauthorizedException" {
			t.Errorf("the token: %v", err)
		}
		if _, code := c.last().whoami(t.Context(), key); code != "" {
			t.Errorf("the role's credentials: %s", code)
		}
		// Whoever signs out everywhere afterwards ends them too.
		c.do(func(tx *store.Tx) error { _, err := session.EndAll(tx, c.in.IdentityStoreID, sam); return err })
		if _, code := c.nodes[0].whoami(t.Context(), key); code != "ExpiredToken" {
			t.Errorf("after all was ended: %q", code)
		}
	})
}

// Taking the access of a program away ends its tokens at once, like its own
// signing out: what it has opened in an account goes on, and ends with the
// session.
func TestRemovingAccessKeepsRoleSessions(t *testing.T) {
	onEachEngine(t, func(t *testing.T, c *cluster) {
		sam := c.person("sam.lee")
		signedIn := c.signIn(sam)
		token, other := c.logIn(signedIn), c.logIn(signedIn)
		got, err := c.nodes[0].roleCredentials(t.Context(), token, sampleDevelopment, "Builder")
		if err != nil {
			t.Fatal(err)
		}
		key := keyPair{*got.AccessKeyId, *got.SecretAccessKey, *got.SessionToken}
		c.do(func(tx *store.Tx) error {
			all, err := oauth.Logins(tx, ident.Millis(c.now()), c.in.IdentityStoreID, sam, 10)
			if err != nil {
				return err
			}
			for _, f := range all {
				if _, _, err := oauth.RevokeLogin(tx, ident.Millis(c.now()), c.in.IdentityStoreID, sam, f.ID); err != nil {
					return err
				}
			}
			return nil
		})
		for _, gone := range []string{token, other} {
			if _, err := c.last().portal().ListAccounts(t.Context(), &sso.ListAccountsInput{AccessToken: &gone}); codeOf(err) != "UnauthorizedException" {
				t.Errorf("a token: %v", err)
			}
		}
		if _, code := c.last().whoami(t.Context(), key); code != "" {
			t.Errorf("the role's credentials: %s", code)
		}
		c.do(func(tx *store.Tx) error { return session.End(tx, signedIn.ID) })
		if _, code := c.nodes[0].whoami(t.Context(), key); code != "ExpiredToken" {
			t.Errorf("after the session was ended: %q", code)
		}
	})
}
