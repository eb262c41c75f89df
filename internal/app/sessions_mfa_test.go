package app

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/identitystore"

	"github.com/atrium-iam/atrium/internal/assignment"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/permissionset"
	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/store"
)

// TestSecondFactorsReachPolicies has a permission set ask for a second factor,
// not older than an hour: what is opened in a portal session tells policies
// when the person proved one there.
func TestSecondFactorsReachPolicies(t *testing.T) {
	onEachEngine(t, func(t *testing.T, c *cluster) {
		admin := c.person("admin")
		c.do(func(tx *store.Tx) error {
			now := ident.Millis(c.now())
			s, err := permissionset.Create(tx, now, c.ids, c.in, permissionset.New{Name: "Careful"})
			if err != nil {
				return err
			}
			if err := permissionset.PutInlinePolicy(tx, s, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"identitystore:ListUsers","Resource":"*",
				"Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"},"NumericLessThan":{"aws:MultiFactorAuthAge":"3600"}}}]}`); err != nil {
				return err
			}
			_, err = assignment.Create(tx, now, c.ids, c.in, s, sampleManagement, assignment.Principal{Type: assignment.User, ID: admin})
			return err
		})
		portal := c.signIn(admin)
		token := c.logIn(portal)
		list := func() string {
			t.Helper()
			got, err := c.nodes[0].roleCredentials(t.Context(), token, sampleManagement, "Careful")
			if err != nil {
				t.Fatal(err)
			}
			key := keyPair{*got.AccessKeyId, *got.SecretAccessKey, *got.SessionToken}
			_, err = c.last().directory(key).ListUsers(t.Context(), &identitystore.ListUsersInput{IdentityStoreId: &c.in.IdentityStoreID})
			return codeOf(err)
		}
		for _, tt := range []struct {
			name string
			ago  time.Duration
			want string
		}{
			{"with a password only", -1, "AccessDeniedException"},
			{"with a second factor", time.Minute, ""},
			{"with one of yesterday", 24 * time.Hour, "AccessDeniedException"},
		} {
			if tt.ago >= 0 {
				c.do(func(tx *store.Tx) error {
					return session.Strengthen(tx, ident.Millis(c.now().Add(-tt.ago)), portal.ID)
				})
			}
			if got := list(); got != tt.want {
				t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
			}
		}
	})
}
