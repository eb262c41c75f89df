package signin

import (
	"context"
	"encoding/json"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/maillink"
	"github.com/atrium-iam/atrium/internal/mfa"
	"github.com/atrium-iam/atrium/internal/throttle"
)

// Registering is what a person can register.
type Registering struct {
	Types []authsettings.MfaType
	// Trust tells whether the browser can be remembered.
	Trust bool
}

// Offers tells whether a type can be registered.
func (r *Registering) Offers(t authsettings.MfaType) bool {
	for _, offered := range r.Types {
		if offered == t {
			return true
		}
	}
	return false
}

// registering is what can be registered under settings.
func (f *Flow) registering(s authsettings.Settings) Registering {
	r := Registering{Trust: s.MfaMode == authsettings.MfaContextAware}
	for _, t := range []authsettings.MfaType{authsettings.Totp, authsettings.Webauthn} {
		if s.Allows(t) {
			r.Types = append(r.Types, t)
		}
	}
	return r
}

// Registering tells what a person can register in the step that asks for it.
func (f *Flow) Registering(ctx context.Context, v Visit, id string) (Registering, error) {
	var r Registering
	err := f.DB.View(ctx, func(tx Tx) error {
		_, s, err := f.authenticating(tx, v, id, StepRegister)
		r = f.registering(s)
		return err
	})
	return r, err
}

// BeginApp sets up an authenticator app in that step.
func (f *Flow) BeginApp(ctx context.Context, v Visit, id string) (mfa.NewApp, error) {
	var app mfa.NewApp
	err := f.DB.Update(ctx, func(tx Tx) error {
		c, s, err := f.authenticating(tx, v, id, StepRegister)
		if err != nil {
			return err
		}
		app, err = f.beginApp(tx, v, c.attempt, c.user, s)
		return err
	})
	return app, err
}

// BeginKey begins the registration of a security key or built-in authenticator
// in that step. It returns the options for the browser, in JSON.
func (f *Flow) BeginKey(ctx context.Context, v Visit, id string, builtIn bool) ([]byte, error) {
	var options []byte
	err := f.DB.Update(ctx, func(tx Tx) error {
		c, s, err := f.authenticating(tx, v, id, StepRegister)
		if err != nil {
			return err
		}
		options, err = f.beginKey(tx, v, c.attempt, c.user, s, builtIn)
		return err
	})
	return options, err
}

// NewDevice is what a person registers: an authenticator app that showed two
// codes, or a key that answered to the browser.
type NewDevice struct {
	Name          string
	First, Second string
	Key           []byte
	// Trust asks to remember the browser.
	Trust bool
}

func (n *NewDevice) mfaType() authsettings.MfaType {
	if n.Key != nil {
		return authsettings.Webauthn
	}
	return authsettings.Totp
}

// Register is the step in which a person registers a second factor. Wrong codes, or a wrong answer of a key, are fault.Denied with the
// subject "factor".
func (f *Flow) Register(ctx context.Context, v Visit, id string, n NewDevice) (Outcome, error) {
	var out Outcome
	var refused error // is to commit
	err := f.DB.Update(ctx, func(tx Tx) error {
		c, s, err := f.authenticating(tx, v, id, StepRegister)
		if err != nil {
			return err
		}
		a := c.attempt
		if refused, err = f.register(tx, v, a, c.user, s, n); err != nil || refused != nil {
			return err
		}
		if err := f.enrolled(tx, a); err != nil {
			return err
		}
		a.FactorVerifiedAt, a.Factor, a.Trust, a.Enroll = f.now(), string(n.mfaType()), n.Trust, false
		out, err = f.settle(tx, v, a)
		return err
	})
	if err == nil {
		err = refused
	}
	return out, err
}

func (f *Flow) beginApp(tx Tx, v Visit, a Attempt, u directory.User, s authsettings.Settings) (mfa.NewApp, error) {
	if !s.Allows(authsettings.Totp) {
		return mfa.NewApp{}, errType()
	}
	app, err := f.Factors.BeginApp(tx, f.now(), a.ID, u.StoreID, u.ID, u.UserName)
	if err != nil {
		return app, err
	}
	return app, f.recordStart(tx, v, a, "StartVirtualMfaDeviceRegistration", authsettings.Totp)
}

func (f *Flow) beginKey(tx Tx, v Visit, a Attempt, u directory.User, s authsettings.Settings, builtIn bool) ([]byte, error) {
	if !s.Allows(authsettings.Webauthn) {
		return nil, errType()
	}
	options, err := f.Factors.BeginKey(tx, f.now(), a.ID, u, builtIn)
	if err != nil {
		return nil, err
	}
	return options, f.recordStart(tx, v, a, "StartWebAuthnDeviceRegistration", authsettings.Webauthn)
}

// register registers a device on behalf of the attempt a, records it and has
// the person told. refused is the answer to what is not right.
func (f *Flow) register(tx Tx, v Visit, a Attempt, u directory.User, s authsettings.Settings, n NewDevice) (refused, err error) {
	if !s.Allows(n.mfaType()) {
		return nil, errType()
	}
	var d mfa.Device
	var right bool
	event := "CompleteVirtualMfaDeviceRegistration"
	if n.Key != nil {
		event = "CompleteWebAuthnDeviceRegistration"
		d, right, err = f.Factors.FinishKey(tx, f.now(), a.ID, u, n.Name, n.Key)
	} else {
		d, right, err = f.Factors.FinishApp(tx, f.now(), a.ID, u.StoreID, u.ID, n.Name, n.First, n.Second)
	}
	if err != nil {
		return nil, err
	}
	if !right {
		return errWrongFactor(), nil
	}
	if err := f.recordDevice(tx, v, a, event, d); err != nil {
		return nil, err
	}
	return nil, f.tell(tx, v, u, mail.FactorAdded, d)
}

func errType() error {
	return fault.New(fault.Denied, "mfa_type", "MFA devices of this type are not in use here.")
}

// startsRecorded has the beginning of a registration recorded once in a
// sign-in, and once in as long at a portal session, however often its page is
// opened.
func startsRecorded() throttle.Limit {
	return throttle.Limit{Scope: "record/registration", First: AttemptLifetime, Most: AttemptLifetime, Forget: 2 * AttemptLifetime}
}

// recordStart records that the registration of a device was begun.
func (f *Flow) recordStart(tx Tx, v Visit, a Attempt, event string, t authsettings.MfaType) error {
	err := throttle.Take(tx, f.now(), throttle.Subject{Limit: startsRecorded(), Key: a.ID + " " + event})
	if fault.Is(err, fault.Throttled) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.recordDevice(tx, v, a, event, mfa.Device{Type: t})
}

// recordDevice records what was done to a device, as AWS's directory does.
func (f *Flow) recordDevice(tx Tx, v Visit, a Attempt, event string, d mfa.Device) error {
	r, err := f.record(tx, v, a, event, string(d.Type), true)
	if err != nil {
		return err
	}
	r.EventSource = directorySource
	r.ServiceEventDetails = nil
	data := map[string]string{"mfaDeviceType": string(d.Type)}
	if d.ID != "" {
		data["mfaDeviceId"] = d.ID
	}
	if r.AdditionalEventData, err = json.Marshal(data); err != nil {
		return err
	}
	return audit.Append(tx, r)
}

// tell has a person told of a change to a device, for the case that it was
// somebody else's doing.
func (f *Flow) tell(tx Tx, v Visit, u directory.User, what mail.Kind, d mfa.Device) error {
	n := f.notice(v)
	n.Kind, n.About, n.Undo = what, d.Name, d.ID
	return maillink.Notify(tx, f.now(), f.Mail, u, n)
}
