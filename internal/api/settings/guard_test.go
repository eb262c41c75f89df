package settings_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sso"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"
	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/api/settings"
	"github.com/atrium-iam/atrium/internal/authsettings"
	wire "github.com/atrium-iam/atrium/internal/awsapi/settings"
	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/mfa"
	"github.com/atrium-iam/atrium/internal/oauth"
	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/signin"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/wire/gateway"
	"github.com/atrium-iam/atrium/test/node"
)

// asPerson signs a person in and returns a caller in a role that the person has
// in an account.
func asPerson(t *testing.T, n *node.Node, user, account, role string) *node.Caller {
	t.Helper()
	return inSession(t, n, signIn(t, n, user, time.Hour), account, role)
}

// asProved is asPerson for somebody who has just used an MFA device.
func asProved(t *testing.T, n *node.Node, user, account, role string) *node.Caller {
	t.Helper()
	s := signIn(t, n, user, time.Hour)
	change(t, n, func(tx *store.Tx) error { return session.Strengthen(tx, ident.Millis(n.Clock.Now()), s.ID) })
	s.MFAAt = ident.Millis(n.Clock.Now())
	return inSession(t, n, s, account, role)
}

func inSession(t *testing.T, n *node.Node, signedIn session.Session, account, role string) *node.Caller {
	t.Helper()
	anybody := n.Session(t, "", "", "")
	r, err := anybody.OIDC.RegisterClient(t.Context(), &ssooidc.RegisterClientInput{
		ClientName: new("test"), ClientType: new("public"), Scopes: []string{oauth.ScopeAccountAccess},
	})
	if err != nil {
		t.Fatal(err)
	}
	d, err := anybody.OIDC.StartDeviceAuthorization(t.Context(), &ssooidc.StartDeviceAuthorizationInput{
		ClientId: r.ClientId, ClientSecret: r.ClientSecret, StartUrl: new(n.Instance.StartURL()),
	})
	if err != nil {
		t.Fatal(err)
	}
	change(t, n, func(tx *store.Tx) error {
		_, err := oauth.ApproveDevice(tx, ident.Millis(n.Clock.Now()), signedIn, *d.UserCode)
		return err
	})
	token, err := anybody.OIDC.CreateToken(t.Context(), &ssooidc.CreateTokenInput{
		ClientId: r.ClientId, ClientSecret: r.ClientSecret, DeviceCode: d.DeviceCode, GrantType: new(oauth.GrantDeviceCode),
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := anybody.SSO.GetRoleCredentials(t.Context(), &sso.GetRoleCredentialsInput{AccessToken: token.AccessToken, AccountId: &account, RoleName: &role})
	if err != nil {
		t.Fatal(err)
	}
	return n.Session(t, *got.RoleCredentials.AccessKeyId, *got.RoleCredentials.SecretAccessKey, *got.RoleCredentials.SessionToken)
}

func change(t *testing.T, n *node.Node, fn func(tx *store.Tx) error) {
	t.Helper()
	if err := n.Store.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// lockOut are the changes that shut the only administrator of the sample data
// out, who has one device where one is needed.
func lockOut(t *testing.T, n *node.Node) map[string]func(*node.Caller) node.Answer {
	t.Helper()
	admin := userID(t, n, "admin")
	device := addDevice(t, n, admin, authsettings.Totp)
	change(t, n, func(tx *store.Tx) error {
		_, err := authsettings.Change(tx, n.Instance.IdentityStoreID, func(s *authsettings.Settings) {
			s.MfaMode, s.NoMfa = authsettings.MfaAlwaysOn, authsettings.NoMfaBlock
		})
		return err
	})
	return map[string]func(*node.Caller) node.Answer{
		"disabling": func(c *node.Caller) node.Answer {
			return call(t, n, c, "DisableUser", &wire.DisableUserRequest{IdentityStoreId: &n.Instance.IdentityStoreID, UserId: &admin})
		},
		"taking the device": func(c *node.Caller) node.Answer {
			return call(t, n, c, "DeleteMfaDeviceForUser", &wire.DeleteMfaDeviceForUserRequest{IdentityStoreId: &n.Instance.IdentityStoreID, UserId: &admin, DeviceId: &device})
		},
		"allowing other devices only": func(c *node.Caller) node.Answer {
			return call(t, n, c, "UpdateSSOConfiguration", &wire.UpdateSSOConfigurationRequest{
				InstanceArn: new(n.Instance.ARN()), ConfigurationType: new("APP_AUTHENTICATION_CONFIGURATION"),
				SsoConfiguration: &wire.SsoConfiguration{AllowedMfaTypes: []string{"WEBAUTHN"}},
			})
		},
	}
}

const lastOne = "Nobody could administer IAM Identity Center any more"

// TestTheLastAdministratorStays has the only administrator, and a help desk,
// shut the only administrator out; and expects that this can be done when
// somebody else is there who can undo it.
func TestTheLastAdministratorStays(t *testing.T) {
	node.Run(t, func(t *testing.T, n *node.Node) {
		admin, sam := userID(t, n, "admin"), userID(t, n, "sam.lee")
		enabled := func(want directory.Status, who string) {
			t.Helper()
			if status, _, _ := statusOf(t, n, admin); status != want {
				t.Errorf("%s: the administrator is %s", who, status)
			}
		}
		oneself := asProved(t, n, admin, node.Management, "Administrator")
		helpDesk := n.User(t, node.Management, "help-desk", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Resource":"*",
			"Action":["sso-directory:*","sso:Get*","sso:UpdateSSOConfiguration"]}]}`)
		ways := lockOut(t, n)
		for name, shut := range ways {
			refused(t, shut(oneself), "ConflictException", lastOne)
			refused(t, shut(helpDesk), "ConflictException", lastOne)
			enabled(directory.Enabled, name)
		}
		// Somebody else may always be shut out.
		done[nothing](t, n, oneself, "DisableUser", &wire.DisableUserRequest{IdentityStoreId: &n.Instance.IdentityStoreID, UserId: &sam})
		done[nothing](t, n, oneself, "EnableUser", &wire.EnableUserRequest{IdentityStoreId: &n.Instance.IdentityStoreID, UserId: &sam})

		// A second administrator, who cannot sign in yet, does not count; one who
		// can does.
		second := secondAdministrator(t, n)
		shut := ways["disabling"]
		refused(t, shut(oneself), "ConflictException", lastOne)
		change(t, n, func(tx *store.Tx) error {
			return credential.SetOneTime(tx, ident.Millis(n.Clock.Now()), n.Instance.IdentityStoreID, second, "hash")
		})
		refused(t, shut(oneself), "ConflictException", lastOne)
		addDevice(t, n, second, authsettings.Totp)
		if a := shut(helpDesk); a.Status != 200 {
			t.Errorf("with a second administrator: %s", a.Body)
		}
		enabled(directory.Disabled, "with a second administrator")
	})
}

// TestTheLastAdministratorKeepsAPassword has the password of the only
// administrator reset by mail, where that leaves no way in but the letter's.
func TestTheLastAdministratorKeepsAPassword(t *testing.T) {
	node.Run(t, func(t *testing.T, n *node.Node) {
		admin := userID(t, n, "admin")
		s := settings.Service{Policies: everything{}, Mail: &mail.Outbox{Keys: plainKeys{}, IDs: nodeIDs()}}
		reset := func(kind iam.Kind) error {
			return store.Bind[settings.Tx](n.Store).Update(t.Context(), func(tx settings.Tx) error {
				_, err := s.UpdatePassword(&gateway.Context[settings.Tx]{
					Context: t.Context(), Tx: tx, IDs: nodeIDs(), Request: gateway.Request{Time: ident.Millis(n.Clock.Now())},
					Caller: iam.Principal{Kind: kind, AccountID: node.Management}, Op: wire.Descriptor().OperationByName("UpdatePassword"),
				}, &wire.UpdatePasswordRequest{IdentityStoreId: &n.Instance.IdentityStoreID, UserId: &admin, PasswordMode: new("EMAIL")})
				return err
			})
		}
		if err := reset(iam.KindRoleSession); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), lastOne) {
			t.Errorf("by a role: %v", err)
		}
		if err := reset(iam.KindRoot); err != nil {
			t.Errorf("by the root user: %v", err)
		}
	})
}

// secondAdministrator makes a person who is in the administrators' group, and
// has no password.
func secondAdministrator(t *testing.T, n *node.Node) (id string) {
	t.Helper()
	storeID, by := n.Instance.IdentityStoreID, directory.Stamp{At: ident.Millis(n.Clock.Now()), By: "test"}
	change(t, n, func(tx *store.Tx) error {
		group, _, err := tx.DirectoryGroupIDByName(storeID, directory.Key("Operations"))
		if err != nil {
			return err
		}
		u, err := directory.CreateUser(tx, nodeIDs(), by, storeID, directory.NewUser{Attributes: directory.Attributes{
			UserName: "second", DisplayName: "Second", Name: directory.Name{GivenName: "Second", FamilyName: "Second"},
			Emails: []directory.Email{{Value: "second@example.com", Type: "work", Primary: new(true)}},
		}})
		if err != nil {
			return err
		}
		id = u.ID
		_, err = directory.CreateMembership(tx, nodeIDs(), by, storeID, group, u.ID)
		return err
	})
	return id
}

// TestAnExpiredPasswordIsNoWayIn has a second administrator who has never used a
// one-time password, until it is too late.
func TestAnExpiredPasswordIsNoWayIn(t *testing.T) {
	node.Run(t, func(t *testing.T, n *node.Node) {
		admin, second := userID(t, n, "admin"), secondAdministrator(t, n)
		set := func(ago time.Duration) {
			change(t, n, func(tx *store.Tx) error {
				return credential.SetOneTime(tx, ident.Millis(n.Clock.Now().Add(-ago)), n.Instance.IdentityStoreID, second, "hash")
			})
		}
		oneself := asPerson(t, n, admin, node.Management, "Administrator")
		disable := func() node.Answer {
			return call(t, n, oneself, "DisableUser", &wire.DisableUserRequest{IdentityStoreId: &n.Instance.IdentityStoreID, UserId: &admin})
		}
		set(credential.OneTimeLifetime)
		refused(t, disable(), "ConflictException", lastOne)
		set(credential.OneTimeLifetime - time.Hour)
		if a := disable(); a.Status != 200 {
			t.Errorf("before it expires: %s", a.Body)
		}
	})
}

// TestIAMUsersMayShutPeopleOut holds that who administers the account by other
// ways than signing in here is not kept from shutting out anybody: perhaps
// somebody else signs in as the administrator.
func TestIAMUsersMayShutPeopleOut(t *testing.T) {
	node.Run(t, func(t *testing.T, n *node.Node) {
		by := n.Administrator(t, node.Management)
		ways := lockOut(t, n)
		for _, name := range []string{"allowing other devices only", "taking the device", "disabling"} {
			if a := ways[name](by); a.Status != 200 {
				t.Errorf("%s: %s", name, a.Body)
			}
		}
		// And where nobody was, nobody is lost.
		helpDesk := n.User(t, node.Management, "help-desk", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Resource":"*","Action":"sso-directory:*"}]}`)
		sam := userID(t, n, "sam.lee")
		done[nothing](t, n, helpDesk, "DisableUser", &wire.DisableUserRequest{IdentityStoreId: &n.Instance.IdentityStoreID, UserId: &sam})
	})
}

// TestWaysInByMailCount has a second administrator without a password: a code
// by mail is a way in, if the settings allow it.
func TestWaysInByMailCount(t *testing.T) {
	node.Run(t, func(t *testing.T, n *node.Node) {
		admin := userID(t, n, "admin")
		oneself := asPerson(t, n, admin, node.Management, "Administrator")
		second := secondAdministrator(t, n)
		remove := func(user string) node.Answer {
			return call(t, n, oneself, "DisableUser", &wire.DisableUserRequest{IdentityStoreId: &n.Instance.IdentityStoreID, UserId: &user})
		}
		change(t, n, func(tx *store.Tx) error {
			_, err := authsettings.Change(tx, n.Instance.IdentityStoreID, func(s *authsettings.Settings) { s.NoPassword = authsettings.NoPasswordEmail })
			return err
		})
		if a := remove(second); a.Status != 200 {
			t.Errorf("the second: %s", a.Body)
		}
		refused(t, remove(admin), "ConflictException", lastOne)
		change(t, n, func(tx *store.Tx) error {
			_, _, err := directory.EnableUser(tx, directory.Stamp{At: ident.Millis(n.Clock.Now()), By: "test"}, n.Instance.IdentityStoreID, second)
			return err
		})
		refused(t, remove(admin), "ConflictException", lastOne) // this server sends no mail
		s := settings.Service{Policies: everything{}, Mail: posted()}
		err := store.Bind[settings.Tx](n.Store).Update(t.Context(), func(tx settings.Tx) error {
			_, err := s.DisableUser(&gateway.Context[settings.Tx]{
				Context: t.Context(), Tx: tx, IDs: nodeIDs(), Request: gateway.Request{Time: ident.Millis(n.Clock.Now())},
				Caller: iam.Principal{Kind: iam.KindRoleSession, AccountID: node.Management}, Op: wire.Descriptor().OperationByName("DisableUser"),
			}, &wire.DisableUserRequest{IdentityStoreId: &n.Instance.IdentityStoreID, UserId: &admin})
			return err
		})
		if err != nil {
			t.Errorf("the first, with a second who signs in by mail: %v", err)
		}
	})
}

// TestNobodyIsBlockedWithoutADevice sets that whoever has no device is blocked,
// when nobody has one.
func TestNobodyIsBlockedWithoutADevice(t *testing.T) {
	node.Run(t, func(t *testing.T, n *node.Node) {
		admin := userID(t, n, "admin")
		oneself := asProved(t, n, admin, node.Management, "Administrator")
		block := func() node.Answer {
			return call(t, n, oneself, "UpdateSSOConfiguration", &wire.UpdateSSOConfigurationRequest{
				InstanceArn: new(n.Instance.ARN()), ConfigurationType: new("APP_AUTHENTICATION_CONFIGURATION"),
				SsoConfiguration: &wire.SsoConfiguration{MfaMode: new("ALWAYS_ON"), NoMfaSignInBehavior: new("BLOCKED")},
			})
		}
		before := stored(t, n)
		refused(t, block(), "ConflictException", lastOne)
		if diff := cmp.Diff(before, stored(t, n)); diff != "" {
			t.Errorf("refused, but changed (-before +after):\n%s", diff)
		}
		addDevice(t, n, admin, authsettings.Webauthn)
		if a := block(); a.Status != 200 {
			t.Errorf("with a device: %s", a.Body)
		}
	})
}

// TestTheLastAdministratorKeepsADevice has the only administrator remove the
// only device on the person's own page, where whoever has none is blocked.
func TestTheLastAdministratorKeepsADevice(t *testing.T) {
	node.Run(t, func(t *testing.T, n *node.Node) {
		admin := userID(t, n, "admin")
		lockOut(t, n) // the device, and that one is needed
		second := addDevice(t, n, admin, authsettings.Webauthn)
		s := signIn(t, n, admin, time.Hour)
		change(t, n, func(tx *store.Tx) error { return session.Strengthen(tx, ident.Millis(n.Clock.Now()), s.ID) })
		flow := &signin.Flow{DB: store.BindSnapshot[signin.Tx](n.Store), Policies: everything{}, IDs: nodeIDs(), Now: n.Clock.Now}
		if err := flow.RemoveDevice(t.Context(), signin.Visit{}, s.ID, second); err != nil {
			t.Errorf("one of two: %v", err)
		}
		var devices []mfa.Device
		read(t, n, func(tx *store.Tx) (err error) {
			devices, err = mfa.List(tx, n.Instance.IdentityStoreID, admin)
			return err
		})
		err := flow.RemoveDevice(t.Context(), signin.Visit{}, s.ID, devices[0].ID)
		if !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), lastOne) {
			t.Errorf("the last one: %v", err)
		}
	})
}
