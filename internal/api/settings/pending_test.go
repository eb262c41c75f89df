package settings_test

import (
	"testing"

	wire "github.com/atrium-iam/atrium/internal/awsapi/settings"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/maillink"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/throttle"
	"github.com/atrium-iam/atrium/test/node"
)

// TestDisablingEndsWhatIsPending disables a person, and expects that links sent
// before, and sign-ins with the password of before, are void.
func TestDisablingEndsWhatIsPending(t *testing.T) {
	node.Run(t, func(t *testing.T, n *node.Node) {
		sam := userID(t, n, "sam.lee")
		token := noticeTo(t, n, sam, maillink.Notice{Kind: mail.PasswordChanged})
		before := passwordOf(t, n, "sam.lee").Version
		by := n.Administrator(t, node.Management)
		for _, operation := range []string{"DisableUser", "EnableUser"} {
			done[nothing](t, n, by, operation, &wire.DisableUserRequest{IdentityStoreId: &n.Instance.IdentityStoreID, UserId: &sam})
		}
		read(t, n, func(tx *store.Tx) error {
			if _, _, err := maillink.Look(tx, ident.Millis(n.Clock.Now()), token); err == nil {
				t.Error("a link from before opens")
			}
			return nil
		})
		if passwordOf(t, n, "sam.lee").Version == before {
			t.Error("sign-ins from before go on")
		}
	})
}

// TestUpdatePasswordForgetsGuesses has an administrator help a person at whom
// others have guessed.
func TestUpdatePasswordForgetsGuesses(t *testing.T) {
	node.Run(t, func(t *testing.T, n *node.Node) {
		sam := userID(t, n, "sam.lee")
		limit := throttle.Limit{Scope: "factor/account", Forget: 1e12, First: 1e12, Most: 1e12}
		key := n.Instance.IdentityStoreID + "/" + sam
		change(t, n, func(tx *store.Tx) error {
			return throttle.Count(tx, ident.Millis(n.Clock.Now()), throttle.Subject{Limit: limit, Key: key}, throttle.Subject{Limit: limit, Key: key + "0"})
		})
		done[wire.UpdatePasswordResponse](t, n, n.Administrator(t, node.Management), "UpdatePassword",
			&wire.UpdatePasswordRequest{IdentityStoreId: &n.Instance.IdentityStoreID, UserId: &sam, PasswordMode: new("OTP")})
		read(t, n, func(tx *store.Tx) error {
			tries, err := tx.Throttle(limit.Scope, key)
			if err != nil {
				return err
			}
			other, err := tx.Throttle(limit.Scope, key+"0")
			if tries.Count != 0 || other.Count != 1 {
				t.Errorf("%d tries count, and %d of somebody else", tries.Count, other.Count)
			}
			return err
		})
	})
}
