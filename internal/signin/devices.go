package signin

import (
	"context"
	"encoding/json"

	"github.com/atrium-iam/atrium/internal/administrator"
	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/mfa"
	"github.com/atrium-iam/atrium/internal/session"
)

// Own is what signed-in people have of second factors.
type Own struct {
	Devices  []mfa.Device
	Browsers []mfa.Browser // that are trusted
	// May tells whether they may change their devices themselves.
	May         bool
	Registering Registering
}

// Own returns what the person of a session has of second factors.
func (f *Flow) Own(ctx context.Context, sessionID string) (Own, error) {
	var own Own
	err := f.DB.View(ctx, func(tx Tx) error {
		a, err := f.act(tx, sessionID)
		if err != nil {
			return err
		}
		own = Own{May: a.settings.ManagesOwnDevices(), Registering: f.registering(a.settings)}
		if own.Devices, err = mfa.List(tx, a.user.StoreID, a.user.ID); err != nil {
			return err
		}
		own.Browsers, err = mfa.Browsers(tx, f.now(), a.user.StoreID, a.user.ID)
		return err
	})
	return own, err
}

// ownDevices runs what a signed-in person changes about their devices, if they
// may.
func (f *Flow) ownDevices(ctx context.Context, sessionID string, do func(Tx, acting) error) error {
	return f.DB.Update(ctx, func(tx Tx) error {
		a, err := f.act(tx, sessionID)
		if err != nil {
			return err
		}
		if !a.settings.ManagesOwnDevices() {
			return fault.New(fault.Denied, "own_devices", "Ask an administrator of IAM Identity Center to change your MFA devices.")
		}
		return do(tx, a)
	})
}

// changeDevices is ownDevices for those who have proved who they are lately.
func (f *Flow) changeDevices(ctx context.Context, sessionID string, do func(Tx, acting) error) error {
	return f.ownDevices(ctx, sessionID, func(tx Tx, a acting) error {
		if err := a.fresh(f.now()); err != nil {
			return err
		}
		return do(tx, a)
	})
}

// NewApp sets up another authenticator app of a signed-in person.
func (f *Flow) NewApp(ctx context.Context, v Visit, sessionID string) (mfa.NewApp, error) {
	var app mfa.NewApp
	err := f.changeDevices(ctx, sessionID, func(tx Tx, a acting) (err error) {
		app, err = f.beginApp(tx, v, a.attempt(), a.user, a.settings)
		return err
	})
	return app, err
}

// NewKey begins the registration of another key of a signed-in person.
func (f *Flow) NewKey(ctx context.Context, v Visit, sessionID string, builtIn bool) ([]byte, error) {
	var options []byte
	err := f.changeDevices(ctx, sessionID, func(tx Tx, a acting) (err error) {
		options, err = f.beginKey(tx, v, a.attempt(), a.user, a.settings, builtIn)
		return err
	})
	return options, err
}

// AddDevice registers another device of a signed-in person. Its errors are
// those of Register.
func (f *Flow) AddDevice(ctx context.Context, v Visit, sessionID string, n NewDevice) error {
	var refused error // is to commit
	err := f.changeDevices(ctx, sessionID, func(tx Tx, a acting) error {
		var err error
		if refused, err = f.register(tx, v, a.attempt(), a.user, a.settings, n); err != nil || refused != nil {
			return err
		}
		// Who has just registered a device has it.
		return session.Strengthen(tx, f.now(), a.session.ID)
	})
	if err == nil {
		err = refused
	}
	return err
}

// RenameDevice gives a device of a signed-in person another name. A name guards
// nothing, so that nothing is asked for first.
func (f *Flow) RenameDevice(ctx context.Context, v Visit, sessionID, deviceID, name string) error {
	return f.ownDevices(ctx, sessionID, func(tx Tx, a acting) error {
		d, err := mfa.Rename(tx, a.user.StoreID, a.user.ID, deviceID, name)
		if err != nil {
			return err
		}
		return f.recordDevice(tx, v, a.attempt(), "UpdateMfaDeviceForUser", d)
	})
}

// RemoveDevice takes a device from a signed-in person, and the trust in every
// browser.
func (f *Flow) RemoveDevice(ctx context.Context, v Visit, sessionID, deviceID string) error {
	return f.changeDevices(ctx, sessionID, func(tx Tx, a acting) error {
		return f.keeping(tx, a.user, a.session.ID, func() error {
			d, err := mfa.Remove(tx, a.user.StoreID, a.user.ID, deviceID)
			if err != nil {
				return err
			}
			if err := f.recordDevice(tx, v, a.attempt(), "DeleteMfaDeviceForUser", d); err != nil {
				return err
			}
			return f.tell(tx, v, a.user, mail.FactorRemoved, d)
		})
	})
}

// ForgetBrowsers ends the trust in every browser of a signed-in person. It makes
// signing in harder only, so that nothing is asked for first.
func (f *Flow) ForgetBrowsers(ctx context.Context, v Visit, sessionID string) error {
	return f.DB.Update(ctx, func(tx Tx) error {
		a, err := f.act(tx, sessionID)
		if err != nil {
			return err
		}
		n, err := mfa.ForgetBrowsers(tx, a.user.StoreID, a.user.ID)
		if err != nil {
			return err
		}
		in, err := instanceOf(tx, a.user.StoreID)
		if err != nil {
			return err
		}
		r := f.personRecord(in, v, a.user.ID, a.session.ID, "DeleteTrustedDevices")
		if r.AdditionalEventData, err = json.Marshal(map[string]int64{"deletedCount": n}); err != nil {
			return err
		}
		return audit.Append(tx, r)
	})
}

// keeping makes a change that a person makes, in a session or by mail, unless
// that would leave nobody who can administer Identity Center.
func (f *Flow) keeping(tx Tx, u directory.User, sessionID string, change func() error) error {
	if f.Policies == nil {
		return change()
	}
	in, found, err := tx.InstanceByIdentityStore(u.StoreID)
	if err != nil {
		return err
	}
	if !found { // a root user's
		return change()
	}
	person := iam.IdentityCenterUser(in.OwnerAccountID, u.StoreID, u.ID, sessionID)
	return administrator.Guard{Policies: f.Policies, Mail: f.Mail, Now: f.now()}.Keep(tx, in, person, change)
}
