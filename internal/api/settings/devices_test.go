package settings_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

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
	"github.com/atrium-iam/atrium/internal/policy"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/wire/gateway"
	"github.com/atrium-iam/atrium/test/node"
)

const seed = "the sealed seed of a device"

// addDevice gives a person a device, whose secret is seed.
func addDevice(t *testing.T, n *node.Node, user string, of authsettings.MfaType) (id string) {
	t.Helper()
	id = nodeIDs().UUID()
	change(t, n, func(tx *store.Tx) error {
		return tx.InsertMfaDevice(mfa.Record{
			Device: mfa.Device{
				StoreID: n.Instance.IdentityStoreID, UserID: user, ID: id, Name: "Phone", Type: of,
				CreatedAt: ident.Millis(n.Clock.Now()), Version: 1,
			},
			Handle: id, Secret: []byte(seed),
		})
	})
	return id
}

func TestMfaDevices(t *testing.T) {
	node.Run(t, func(t *testing.T, n *node.Node) {
		who := n.Callers(t)
		storeID, sam, owner := &n.Instance.IdentityStoreID, userID(t, n, "sam.lee"), userID(t, n, "admin")
		app, key := addDevice(t, n, sam, authsettings.Totp), addDevice(t, n, sam, authsettings.Webauthn)
		other := addDevice(t, n, owner, authsettings.Totp)
		names := func(c *node.Caller, user string) (found []string) {
			t.Helper()
			a := call(t, n, c, "ListMfaDevicesForUser", &wire.ListMfaDevicesForUserRequest{IdentityStoreId: storeID, UserId: &user})
			if strings.Contains(string(a.Body), "seed") || strings.Contains(string(a.Body), "Secret") {
				t.Errorf("what proves a device is shown: %s", a.Body)
			}
			type device struct{ DeviceId, DeviceName, MfaType string }
			for _, d := range done[struct{ MfaDevices []device }](t, n, c, "ListMfaDevicesForUser", &wire.ListMfaDevicesForUserRequest{IdentityStoreId: storeID, UserId: &user}).MfaDevices {
				found = append(found, d.DeviceId+" "+d.DeviceName+" "+d.MfaType)
			}
			slices.Sort(found)
			return found
		}
		want := []string{app + " Phone TOTP", key + " Phone WEBAUTHN"}
		slices.Sort(want)
		if diff := cmp.Diff(want, names(who.Delegated, sam)); diff != "" {
			t.Errorf("listed (-want +got):\n%s", diff)
		}

		rename := func(c *node.Caller, user, id, name string) node.Answer {
			return call(t, n, c, "UpdateMfaDeviceForUser", &wire.UpdateMfaDeviceForUserRequest{IdentityStoreId: storeID, UserId: &user, DeviceId: &id, DeviceName: &name})
		}
		remove := func(c *node.Caller, user, id string) node.Answer {
			return call(t, n, c, "DeleteMfaDeviceForUser", &wire.DeleteMfaDeviceForUserRequest{IdentityStoreId: storeID, UserId: &user, DeviceId: &id})
		}
		for what, a := range map[string]node.Answer{
			"renamed":            rename(who.Delegated, owner, other, "Mine"),
			"removed":            remove(who.Delegated, owner, other),
			"sent the link":      call(t, n, who.Delegated, "StartVirtualMfaDeviceRegistration", &wire.StartVirtualMfaDeviceRegistrationRequest{IdentityStoreId: storeID, UserId: &owner}),
			"sent the other one": call(t, n, who.Delegated, "VerifyEmail", &wire.VerifyEmailRequest{IdentityStoreId: storeID, UserId: &owner}),
		} {
			if a.Code != "AccessDeniedException" {
				t.Errorf("an administrator of the management account is %s: %s", what, a.Body)
			}
		}
		refused(t, rename(who.Admin, sam, other, "Mine"), "ResourceNotFoundException", "")
		refused(t, remove(who.Admin, sam, other), "ResourceNotFoundException", "")
		refused(t, rename(who.Admin, sam, app, "\u200b"), "ValidationException", "")

		if a := rename(who.Delegated, sam, app, "Old phone"); a.Status != 200 {
			t.Errorf("renaming: %s", a.Body)
		}
		signIn(t, n, sam, time.Hour)
		if a := remove(who.Delegated, sam, key); a.Status != 200 {
			t.Errorf("removing: %s", a.Body)
		}
		if diff := cmp.Diff([]string{app + " Old phone TOTP"}, names(who.Admin, sam)); diff != "" {
			t.Errorf("afterwards (-want +got):\n%s", diff)
		}
		if _, sessions, revoked := statusOf(t, n, sam); sessions != 0 || !revoked {
			t.Errorf("the person is still signed in: %d sessions, revoked: %t", sessions, revoked)
		}
		if len(names(who.Admin, owner)) != 1 {
			t.Error("another person's device is gone")
		}
	})
}

// described is what DescribeUser answers, with the numbers of dates as they
// come.
type described struct {
	UserStatus, PasswordStatus string
	EmailVerified              bool
	MfaDeviceCount             int
	PasswordChangedDate        float64
}

func TestDescribeUser(t *testing.T) {
	node.Run(t, func(t *testing.T, n *node.Node) {
		admin, storeID, sam := n.Administrator(t, node.Management), n.Instance.IdentityStoreID, userID(t, n, "sam.lee")
		look := func() described {
			t.Helper()
			return done[described](t, n, admin, "DescribeUser", &wire.DescribeUserRequest{IdentityStoreId: &storeID, UserId: &sam})
		}
		want := look()
		if want.PasswordChangedDate == 0 {
			t.Error("no date of the password")
		}
		want = described{UserStatus: "ENABLED", PasswordStatus: "ONE_TIME", PasswordChangedDate: want.PasswordChangedDate}
		for _, step := range []struct {
			name   string
			change func(tx *store.Tx) error
			edit   func()
		}{
			{"new", func(*store.Tx) error { return nil }, func() {}},
			{
				"with a password", func(tx *store.Tx) error {
					p, _, err := tx.PasswordOf(storeID, sam)
					if err != nil {
						return err
					}
					return credential.Replace(tx, p.ChangedAt, p, "hash")
				}, func() { want.PasswordStatus = "SET" },
			},
			{
				"verified", func(tx *store.Tx) error {
					return tx.PutVerifiedEmail(storeID, sam, directory.Key("sam.lee@example.com"), ident.Millis(n.Clock.Now()))
				}, func() { want.EmailVerified = true },
			},
			{
				"another address", func(tx *store.Tx) error {
					_, _, err := directory.UpdateUser(tx, directory.Stamp{At: ident.Millis(n.Clock.Now()), By: "test"}, storeID, sam,
						[]directory.Operation{{Path: "emails", Value: []any{map[string]any{"value": "lee@example.com", "type": "work", "primary": true}}}})
					return err
				}, func() { want.EmailVerified = false },
			},
			{"without a password", func(tx *store.Tx) error {
				p, _, err := tx.PasswordOf(storeID, sam)
				if err != nil {
					return err
				}
				return credential.Void(tx, p.ChangedAt, storeID, sam)
			}, func() { want.PasswordStatus = "NONE" }},
		} {
			change(t, n, step.change)
			step.edit()
			if diff := cmp.Diff(want, look()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", step.name, diff)
			}
		}
		addDevice(t, n, sam, authsettings.Totp)
		if got := look().MfaDeviceCount; got != 1 {
			t.Errorf("%d devices", got)
		}
	})
}

// plainKeys seal nothing.
type plainKeys struct{}

func (plainKeys) Seal(plaintext, _ []byte) ([]byte, error) { return plaintext, nil }
func (plainKeys) Open(sealed, _ []byte) ([]byte, error)    { return sealed, nil }
func (plainKeys) Sign(data []byte) ([]byte, error)         { h := sha256.Sum256(data); return h[:], nil }
func (plainKeys) Verify([]byte, []byte) error              { return errors.New("not in this test") }

// everything lets everybody do everything.
type everything struct{}

func (everything) PoliciesOf(iam.PolicyReader, iam.Principal) (policy.Set, error) {
	p, err := policy.Compile(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)
	return policy.Set{Identity: []*policy.Policy{p}}, err
}

// posting runs an operation, as the root user of the management account, on a
// service that sends mail, and returns the kinds of the letters that it wrote.
func posting[I, O any](t *testing.T, n *node.Node, operation string, op func(settings.Service, settings.Context, I) (O, error), in I) (kinds []mail.Kind, err error) {
	t.Helper()
	now := ident.Millis(n.Clock.Now())
	s := settings.Service{Policies: everything{}, Mail: &mail.Outbox{Keys: plainKeys{}, IDs: nodeIDs()}}
	var last []mail.Stored
	letters := func(tx *store.Tx) (list []mail.Stored, err error) { return tx.DueLetters(now.Add(time.Hour), 100) }
	read(t, n, func(tx *store.Tx) (err error) { last, err = letters(tx); return err })
	err = store.Bind[settings.Tx](n.Store).Update(t.Context(), func(tx settings.Tx) error {
		_, err := op(s, &gateway.Context[settings.Tx]{
			Context: context.WithoutCancel(t.Context()), Tx: tx, Caller: iam.Root(node.Management), IDs: nodeIDs(),
			Request: gateway.Request{Time: now, Region: node.Region}, Op: wire.Descriptor().OperationByName(operation),
		}, in)
		return err
	})
	read(t, n, func(tx *store.Tx) error {
		all, err := letters(tx)
		kinds = nil
		for _, l := range all {
			if !slices.ContainsFunc(last, func(b mail.Stored) bool { return b.ID == l.ID }) {
				kinds = append(kinds, l.Kind)
			}
		}
		return err
	})
	return kinds, err
}

// TestLetters has each operation that writes to people write: to whom is
// reached, and not to others.
func TestLetters(t *testing.T) {
	node.Run(t, func(t *testing.T, n *node.Node) {
		storeID, sam := &n.Instance.IdentityStoreID, userID(t, n, "sam.lee")
		fresh := secondAdministrator(t, n)
		device := addDevice(t, n, sam, authsettings.Totp)
		email := func(user string) ([]mail.Kind, error) {
			return posting(t, n, "UpdatePassword", settings.Service.UpdatePassword, &wire.UpdatePasswordRequest{IdentityStoreId: storeID, UserId: &user, PasswordMode: new("EMAIL")})
		}
		expect := func(what string, want ...mail.Kind) func([]mail.Kind, error) {
			return func(got []mail.Kind, err error) {
				t.Helper()
				if diff := cmp.Diff(want, got); err != nil || diff != "" {
					t.Errorf("%s: %v, letters (-want +got):\n%s", what, err, diff)
				}
			}
		}
		expect("a user who never had a password", mail.Invitation)(email(fresh))
		expect("a second invitation", mail.Invitation)(email(fresh))
		signIn(t, n, sam, time.Hour)
		change(t, n, func(tx *store.Tx) error {
			p, _, err := tx.PasswordOf(*storeID, sam)
			if err != nil {
				return err
			}
			return credential.Replace(tx, p.ChangedAt, p, "hash")
		})
		expect("a user with a password", mail.AdministratorReset)(email(sam))
		if p := passwordOf(t, n, "sam.lee"); p.Hash != "" {
			t.Error("the password still opens")
		}
		if _, sessions, revoked := statusOf(t, n, sam); sessions != 0 || !revoked {
			t.Errorf("the user is still signed in: %d sessions, revoked: %t", sessions, revoked)
		}
		expect("again", mail.AdministratorReset)(email(sam))
		expect("verification", mail.EmailVerification)(posting(t, n, "VerifyEmail", settings.Service.VerifyEmail, &wire.VerifyEmailRequest{IdentityStoreId: storeID, UserId: &sam}))
		expect("enrolment", mail.Enrollment)(posting(t, n, "StartVirtualMfaDeviceRegistration", settings.Service.StartVirtualMfaDeviceRegistration,
			&wire.StartVirtualMfaDeviceRegistrationRequest{IdentityStoreId: storeID, UserId: &sam}))
		expect("a device removed", mail.FactorRemoved)(posting(t, n, "DeleteMfaDeviceForUser", settings.Service.DeleteMfaDeviceForUser,
			&wire.DeleteMfaDeviceForUserRequest{IdentityStoreId: storeID, UserId: &sam, DeviceId: &device}))

		change(t, n, func(tx *store.Tx) error {
			_, _, err := directory.DisableUser(tx, directory.Stamp{At: ident.Millis(n.Clock.Now()), By: "test"}, *storeID, sam)
			return err
		})
		if letters, err := email(sam); fault.Of(err) != fault.Invalid || len(letters) != 0 {
			t.Errorf("a user who is disabled is sent %v, %v", letters, err)
		}
	})
}
