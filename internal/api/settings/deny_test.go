package settings_test

import (
	"crypto/sha256"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/api/settings"
	"github.com/atrium-iam/atrium/internal/authsettings"
	wire "github.com/atrium-iam/atrium/internal/awsapi/settings"
	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/maillink"
	"github.com/atrium-iam/atrium/internal/mfa"
	"github.com/atrium-iam/atrium/internal/signin"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/wire/gateway"
	"github.com/atrium-iam/atrium/test/node"
)

// posted is an outbox in which tests can read.
func posted() *mail.Outbox { return &mail.Outbox{Keys: plainKeys{}, IDs: nodeIDs()} }

// noticeTo has a person told of a change, and returns the token of the link that
// takes it back.
func noticeTo(t *testing.T, n *node.Node, user string, told maillink.Notice) (token string) {
	t.Helper()
	now := ident.Millis(n.Clock.Now())
	change(t, n, func(tx *store.Tx) error {
		u, _, err := tx.DirectoryUser(n.Instance.IdentityStoreID, user)
		if err != nil {
			return err
		}
		if err := maillink.Notify(tx, now, posted(), u, told); err != nil {
			return err
		}
		all, err := tx.DueLetters(now.Add(time.Hour), 100)
		for _, l := range all {
			var c mail.Content
			if l.Kind != told.Kind {
				continue
			}
			if err := json.Unmarshal(l.Sealed, &c); err != nil {
				return err
			}
			token = strings.TrimPrefix(c.NotMe, "/link/")
		}
		return err
	})
	return token
}

// TestThisWasNotTheLastAdministrator has whoever reads the only administrator's
// mail say that what the administrator has done was somebody else: sessions end,
// and what is needed to administer stays, unless a letter leads back in.
func TestThisWasNotTheLastAdministrator(t *testing.T) {
	for name, tt := range map[string]struct {
		noMfa        authsettings.NoMfa
		about        mail.Kind
		second       bool // there is another administrator
		kept, mailed bool
		devices      int
		password     bool
		barred       bool
	}{
		"the device is needed":              {noMfa: authsettings.NoMfaBlock, about: mail.FactorAdded, kept: true, devices: 1, password: true},
		"the device can be registered":      {noMfa: authsettings.NoMfaEnroll, about: mail.FactorAdded, kept: true, password: true, barred: true},
		"there is another":                  {noMfa: authsettings.NoMfaEnroll, about: mail.FactorAdded, second: true, barred: true},
		"the password, which mail replaces": {noMfa: authsettings.NoMfaBlock, about: mail.PasswordChanged, mailed: true, devices: 1},
	} {
		t.Run(name, func(t *testing.T) {
			node.Run(t, func(t *testing.T, n *node.Node) {
				storeID, admin := n.Instance.IdentityStoreID, userID(t, n, "admin")
				device := addDevice(t, n, admin, authsettings.Totp)
				if tt.second {
					id := secondAdministrator(t, n)
					change(t, n, func(tx *store.Tx) error {
						return credential.SetOneTime(tx, ident.Millis(n.Clock.Now()), storeID, id, "hash")
					})
				}
				change(t, n, func(tx *store.Tx) error {
					_, err := authsettings.Change(tx, storeID, func(s *authsettings.Settings) { s.MfaMode, s.NoMfa = authsettings.MfaAlwaysOn, tt.noMfa })
					return err
				})
				signIn(t, n, admin, time.Hour)
				told := maillink.Notice{Kind: tt.about}
				if tt.about == mail.FactorAdded {
					told.Undo = device
				}
				token := noticeTo(t, n, admin, told)
				flow := &signin.Flow{DB: store.BindSnapshot[signin.Tx](n.Store), Policies: everything{}, Mail: posted(), IDs: nodeIDs(), Now: n.Clock.Now}
				got, err := flow.DenyChange(t.Context(), signin.Visit{}, token)
				if want := (signin.Denied{Mailed: tt.mailed, Kept: tt.kept}); err != nil || got != want {
					t.Fatalf("%+v, %v; want %+v", got, err, want)
				}
				var devices []mfa.Device
				var link maillink.Link
				read(t, n, func(tx *store.Tx) (err error) {
					if link, _, err = tx.MailLink(sha256.Sum256([]byte(token))); err != nil {
						return err
					}
					devices, err = mfa.List(tx, storeID, admin)
					return err
				})
				if link.UsedAt.IsZero() {
					t.Error("the link is still good")
				}
				p := passwordOf(t, n, "admin")
				if len(devices) != tt.devices || (p.Hash != "") != tt.password || p.Barred != tt.barred {
					t.Errorf("%d devices, password %t, barred %t", len(devices), p.Hash != "", p.Barred)
				}
				if _, sessions, revoked := statusOf(t, n, admin); sessions != 0 || !revoked {
					t.Errorf("%d sessions go on, revoked: %t", sessions, revoked)
				}
			})
		})
	}
}

// TestCodesThatReachNobody has the only administrator, who has no device, set
// that those who have none sign in with a code by mail: not where none is sent,
// nor where it must not go to the administrator's address.
func TestCodesThatReachNobody(t *testing.T) {
	for name, tt := range map[string]struct {
		box     *mail.Outbox
		prepare func(tx *store.Tx, u directory.User) error
		want    fault.Category
	}{
		"a first address": {box: posted(), prepare: func(*store.Tx, directory.User) error { return nil }},
		"no mail":         {prepare: func(*store.Tx, directory.User) error { return nil }, want: fault.Invalid},
		"another address was verified": {box: posted(), prepare: func(tx *store.Tx, u directory.User) error {
			return tx.PutVerifiedEmail(u.StoreID, u.ID, "former@example.com", time.UnixMilli(1))
		}, want: fault.Conflict},
	} {
		t.Run(name, func(t *testing.T) {
			node.Run(t, func(t *testing.T, n *node.Node) {
				admin := userID(t, n, "admin")
				change(t, n, func(tx *store.Tx) error {
					u, _, err := tx.DirectoryUser(n.Instance.IdentityStoreID, admin)
					if err != nil {
						return err
					}
					return tt.prepare(tx, u)
				})
				s := settings.Service{Policies: everything{}, Mail: tt.box}
				err := store.Bind[settings.Tx](n.Store).Update(t.Context(), func(tx settings.Tx) error {
					_, err := s.UpdateSSOConfiguration(&gateway.Context[settings.Tx]{
						Context: t.Context(), Tx: tx, IDs: nodeIDs(), Request: gateway.Request{Time: ident.Millis(n.Clock.Now())},
						Caller: iam.Principal{Kind: iam.KindRoleSession, AccountID: node.Management}, Op: wire.Descriptor().OperationByName("UpdateSSOConfiguration"),
					}, &wire.UpdateSSOConfigurationRequest{
						InstanceArn: new(n.Instance.ARN()), ConfigurationType: new("APP_AUTHENTICATION_CONFIGURATION"),
						SsoConfiguration: &wire.SsoConfiguration{MfaMode: new("ALWAYS_ON"), NoMfaSignInBehavior: new("EMAIL_OTP")},
					})
					return err
				})
				if tt.want == 0 && err != nil || tt.want != 0 && fault.Of(err) != tt.want {
					t.Errorf("%v", err)
				}
			})
		})
	}
}
