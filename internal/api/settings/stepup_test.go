package settings_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	"github.com/aws/aws-sdk-go-v2/service/identitystore/document"
	"github.com/aws/aws-sdk-go-v2/service/identitystore/types"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"

	"github.com/atrium-iam/atrium/internal/administrator"
	"github.com/atrium-iam/atrium/internal/authsettings"
	wire "github.com/atrium-iam/atrium/internal/awsapi/settings"
	"github.com/atrium-iam/atrium/internal/epoch"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/rolesession"
	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/test/node"
)

// The words of refusals.
const (
	needsDevice   = "because that needs an MFA device to be used less than 15 minutes ago"
	needsPassword = "because that needs the password to be given less than 15 minutes ago"
)

// guardedChanges are all operations that change what guards sign-ins, of one
// person or of everybody, or end it all.
func guardedChanges(t *testing.T, n *node.Node, user, device string) map[string]any {
	t.Helper()
	storeID, arn := &n.Instance.IdentityStoreID, new(n.Instance.ARN())
	return map[string]any{
		"UpdatePassword":         &wire.UpdatePasswordRequest{IdentityStoreId: storeID, UserId: &user, PasswordMode: new("OTP")},
		"VerifyEmail":            &wire.VerifyEmailRequest{IdentityStoreId: storeID, UserId: &user},
		"DeleteMfaDeviceForUser": &wire.DeleteMfaDeviceForUserRequest{IdentityStoreId: storeID, UserId: &user, DeviceId: &device},
		"StartVirtualMfaDeviceRegistration": &wire.StartVirtualMfaDeviceRegistrationRequest{
			IdentityStoreId: storeID, UserId: &user,
		},
		"UpdateSSOConfiguration": &wire.UpdateSSOConfigurationRequest{
			InstanceArn: arn, ConfigurationType: new("SESSION"),
			SsoConfiguration: &wire.SsoConfiguration{SessionConfiguration: &wire.SessionConfiguration{MaxAuthenticationAge: new("PT1H")}},
		},
		"PutMfaDeviceManagementForDirectory": &wire.PutMfaDeviceManagementForDirectoryRequest{InstanceArn: arn, UserPermission: new("READ_ACTIONS")},
		"DeleteInstance":                     &wire.DeleteInstanceRequest{InstanceArn: arn, Confirmation: &n.Instance.ID},
	}
}

// TestChangesOfWhatGuardsNeedProof has an administrator who has a device, and
// did not use it, change what guards others; and expects that an IAM user may.
func TestChangesOfWhatGuardsNeedProof(t *testing.T) {
	node.Run(t, func(t *testing.T, n *node.Node) {
		admin, sam := userID(t, n, "admin"), userID(t, n, "sam.lee")
		addDevice(t, n, admin, authsettings.Totp)
		device := addDevice(t, n, sam, authsettings.Totp)
		s := signIn(t, n, admin, time.Hour)
		byRole, byUser := inSession(t, n, s, node.Management, "Administrator"), n.Administrator(t, node.Management)
		for operation, in := range guardedChanges(t, n, sam, device) {
			a := call(t, n, byRole, operation, in)
			refused(t, a, "AccessDeniedException", needsDevice)
			if !strings.Contains(a.Message, "Verify that it is you at "+n.URL+"/account/verify") || !strings.Contains(a.Message, "repeat this with the same credentials") {
				t.Errorf("%s: %q does not say what to do", operation, a.Message)
			}
		}
		if _, err := byRole.SSOAdmin.DeleteInstance(t.Context(), &ssoadmin.DeleteInstanceInput{InstanceArn: new(n.Instance.ARN())}); err == nil || !strings.Contains(err.Error(), needsDevice) {
			t.Errorf("DeleteInstance of sso-admin: %v", err)
		}
		// What guards nothing needs nothing, nor does an address of somebody else.
		done[nothing](t, n, byRole, "DisableUser", &wire.DisableUserRequest{IdentityStoreId: &n.Instance.IdentityStoreID, UserId: &sam})
		done[nothing](t, n, byRole, "EnableUser", &wire.EnableUserRequest{IdentityStoreId: &n.Instance.IdentityStoreID, UserId: &sam})
		if err := readdress(t, n, byRole, sam, "emails", []any{map[string]any{"value": "lee@example.org"}}); err != nil {
			t.Errorf("somebody else's address: %v", err)
		}

		// As the message says: proved at the portal, the same credentials do.
		change(t, n, func(tx *store.Tx) error { return session.Strengthen(tx, ident.Millis(n.Clock.Now()), s.ID) })
		for operation, in := range guardedChanges(t, n, sam, device) {
			if operation == "DeleteInstance" {
				continue
			}
			if a := call(t, n, byRole, operation, in); a.Code == "AccessDeniedException" {
				t.Errorf("%s after it was proved: %s", operation, a.Body)
			}
		}
		n.Clock.Advance(session.StepUpAge)
		changes := guardedChanges(t, n, sam, device)
		refused(t, call(t, n, byRole, "UpdatePassword", changes["UpdatePassword"]), "AccessDeniedException", needsDevice)
		if a := call(t, n, byUser, "UpdatePassword", changes["UpdatePassword"]); a.Status != 200 {
			t.Errorf("an IAM user: %s", a.Body)
		}
		done[nothing](t, n, byUser, "DeleteInstance", changes["DeleteInstance"])
	})
}

// TestPeopleWithoutADeviceGiveThePassword has an administrator without a device
// change what guards somebody else, and delete Identity Center, long after
// signing in.
func TestPeopleWithoutADeviceGiveThePassword(t *testing.T) {
	node.Run(t, func(t *testing.T, n *node.Node) {
		admin, sam := userID(t, n, "admin"), userID(t, n, "sam.lee")
		device := addDevice(t, n, sam, authsettings.Totp)
		changes := guardedChanges(t, n, sam, device)
		byRole := inSession(t, n, signIn(t, n, admin, time.Hour), node.Management, "Administrator")
		if a := call(t, n, byRole, "UpdatePassword", changes["UpdatePassword"]); a.Status != 200 {
			t.Errorf("right after signing in: %s", a.Body)
		}
		s := signInAt(t, n, admin, n.Clock.Now().Add(-session.StepUpAge), time.Hour)
		byRole = inSession(t, n, s, node.Management, "Administrator")
		for operation, in := range changes {
			refused(t, call(t, n, byRole, operation, in), "AccessDeniedException", needsPassword)
		}
		if _, err := byRole.SSOAdmin.DeleteInstance(t.Context(), &ssoadmin.DeleteInstanceInput{InstanceArn: new(n.Instance.ARN())}); err == nil || !strings.Contains(err.Error(), needsPassword) {
			t.Errorf("DeleteInstance of sso-admin: %v", err)
		}
		change(t, n, func(tx *store.Tx) error { return session.GavePassword(tx, ident.Millis(n.Clock.Now()), s.ID) })
		if a := call(t, n, byRole, "UpdatePassword", changes["UpdatePassword"]); a.Status != 200 {
			t.Errorf("after the password: %s", a.Body)
		}
		// A session that the person has left cannot be proved in any more.
		n.Clock.Advance(session.StepUpAge)
		change(t, n, func(tx *store.Tx) error { return session.SignOut(tx, s.ID) })
		refused(t, call(t, n, byRole, "UpdatePassword", changes["UpdatePassword"]), "AccessDeniedException", "Sign in again, and open the role again.")
	})
}

// TestProofPassesThroughRoles asks for the proof of who has assumed another role
// with the one that the portal opened.
func TestProofPassesThroughRoles(t *testing.T) {
	node.Run(t, func(t *testing.T, n *node.Node) {
		admin := userID(t, n, "admin")
		addDevice(t, n, admin, authsettings.Totp)
		s := signIn(t, n, admin, time.Hour)
		at := ident.Millis(n.Clock.Now())
		opened := iam.Principal{
			Kind: iam.KindRoleSession, AccountID: node.Management, IdentityStoreUserID: admin,
			Session: &iam.Session{DependsOn: []epoch.Ref{{Scope: epoch.User, ID: admin}, {Scope: epoch.PortalSession, ID: s.ID}}},
		}
		prove := func(now time.Time, caller iam.Principal) (err error) {
			chained, err := rolesession.Assume(now, 1, caller, rolesession.Assumption{
				Role: iam.Role{AccountID: node.Management, ID: "AROAEXAMPLE", Name: "other", MaxSessionDuration: time.Hour}, SessionName: "s",
			})
			if err != nil {
				t.Fatal(err)
			}
			read(t, n, func(tx *store.Tx) error {
				err = administrator.StepUp{}.Proved(tx, now, n.Instance, chained, "sso:DeleteInstance")
				return nil
			})
			return err
		}
		if err := prove(at, opened); !fault.Is(err, fault.Denied) || !strings.Contains(err.Error(), needsDevice) {
			t.Errorf("not proved: %v", err)
		}
		proved := opened
		proved.MFAAt = at.Add(time.Second - session.StepUpAge)
		if err := prove(at, proved); err != nil {
			t.Errorf("proved before the role was opened: %v", err)
		}
		if err := prove(at.Add(time.Second), proved); !fault.Is(err, fault.Denied) {
			t.Errorf("a second later: %v", err)
		}
		change(t, n, func(tx *store.Tx) error { return session.Strengthen(tx, at, s.ID) })
		if err := prove(at, opened); err != nil {
			t.Errorf("proved since: %v", err)
		}
		somebody := opened
		somebody.IdentityStoreUserID = userID(t, n, "sam.lee")
		if err := prove(at.Add(session.StepUpAge), somebody); !fault.Is(err, fault.Denied) {
			t.Errorf("by another's session: %v", err)
		}
	})
}

// readdress changes an attribute of a person by identitystore.
func readdress(t *testing.T, n *node.Node, by *node.Caller, user, path string, value any) error {
	t.Helper()
	_, err := by.IdentityStore.UpdateUser(t.Context(), &identitystore.UpdateUserInput{
		IdentityStoreId: &n.Instance.IdentityStoreID, UserId: &user,
		Operations: []types.AttributeOperation{{AttributePath: &path, AttributeValue: document.NewLazyDocument(value)}},
	})
	return err
}

// TestOneselfNeedsAFactor has the administrator change what guards the
// administrator's own sign-in, an address by identitystore too, with a device
// that was not used.
func TestOneselfNeedsAFactor(t *testing.T) {
	node.Run(t, func(t *testing.T, n *node.Node) {
		admin := userID(t, n, "admin")
		device := addDevice(t, n, admin, authsettings.Totp)
		oneself := asPerson(t, n, admin, node.Management, "Administrator")
		for operation, in := range guardedChanges(t, n, admin, device) {
			refused(t, call(t, n, oneself, operation, in), "AccessDeniedException", needsDevice)
		}
		if err := readdress(t, n, oneself, admin, "title", "Chief"); err != nil {
			t.Errorf("a title: %v", err)
		}
		address := []any{map[string]any{"value": "eve@example.org"}}
		if err := readdress(t, n, oneself, admin, "emails", address); err == nil || !strings.Contains(err.Error(), needsDevice) {
			t.Errorf("an e-mail address: %v", err)
		}
		if err := readdress(t, n, asProved(t, n, admin, node.Management, "Administrator"), admin, "emails", address); err != nil {
			t.Errorf("an e-mail address, proved: %v", err)
		}
	})
}
