package signin

import (
	"context"
	"time"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/mfa"
	"github.com/atrium-iam/atrium/internal/throttle"
)

// factorLimit slows down who guesses at the second factors of a person, after
// having got past the password, at a sign-in or later.
func factorLimit() throttle.Limit {
	return throttle.Limit{Scope: "factor/account", Free: 5, First: 2 * time.Second, Most: 5 * time.Minute, Forget: 24 * time.Hour}
}

// guessedFactor is what a try at a person's second factors counts against. A
// browser in which the person has signed in before has a budget of its own.
func (f *Flow) guessedFactor(v Visit, u directory.User) throttle.Subject {
	s := throttle.Subject{Limit: factorLimit(), Key: u.StoreID + "/" + u.ID}
	if id, by := f.known(v, Attempt{StoreID: u.StoreID, UserName: u.UserName}); by == knownBySignIn {
		s.Limit.Scope, s.Key = "factor/browser", id
	}
	return s
}

// Asked is what a person can prove a second factor with.
type Asked struct {
	Devices []mfa.Device
	// Key is what the browser has to ask security keys and built-in
	// authenticators, in JSON; nil when the person has none.
	Key []byte
	// Trust tells whether the browser can be remembered.
	Trust bool
}

// App tells whether one of the devices shows codes.
func (a *Asked) App() bool {
	for _, d := range a.Devices {
		if d.Type == authsettings.Totp {
			return true
		}
	}
	return false
}

// AskFactor begins, or goes on with, the step in which a person proves a second
// factor.
func (f *Flow) AskFactor(ctx context.Context, v Visit, id string) (Asked, error) {
	var asked Asked
	err := f.DB.Update(ctx, func(tx Tx) error {
		c, s, err := f.authenticating(tx, v, id, StepFactor)
		if err != nil {
			return err
		}
		asked, err = f.ask(tx, c.attempt.ID, c.user, s)
		return err
	})
	return asked, err
}

// ask asks a person for any of their usable devices, on behalf of a holder: an
// attempt or a session.
func (f *Flow) ask(tx Tx, holder string, u directory.User, s authsettings.Settings) (Asked, error) {
	all, err := mfa.List(tx, u.StoreID, u.ID)
	if err != nil {
		return Asked{}, err
	}
	asked := Asked{Devices: mfa.Usable(all, s), Trust: s.MfaMode == authsettings.MfaContextAware}
	for _, d := range asked.Devices {
		if d.Type == authsettings.Webauthn {
			asked.Key, err = f.Factors.AskKey(tx, f.now(), holder, u)
			break
		}
	}
	return asked, err
}

// Proof is what a person proves a second factor with: a code of an
// authenticator app, or what a key answered to the browser, in JSON.
type Proof struct {
	Code string
	Key  []byte
	// Trust asks to remember the browser.
	Trust bool
}

func (p *Proof) credentialType() string {
	if p.Key != nil {
		return typeWebauthn
	}
	return typeTotp
}

// Factor is the step in which a person proves a second factor. A wrong proof
// is fault.Denied with the subject "factor", whatever is wrong with it.
// fault.Throttled when too many were wrong; fault.NotFound, subject
// "mfa_challenge", when a key answered too late.
func (f *Flow) Factor(ctx context.Context, v Visit, id string, p Proof) (Outcome, error) {
	var out Outcome
	var refused error // is to commit, with the try that it counted
	err := f.DB.Update(ctx, func(tx Tx) error {
		c, s, err := f.authenticating(tx, v, id, StepFactor)
		if err != nil {
			return err
		}
		a := c.attempt
		if refused, err = f.prove(tx, v, a, c.user, s, p); err != nil || refused != nil {
			return err
		}
		a.FactorVerifiedAt, a.Factor, a.Trust = f.now(), p.credentialType(), p.Trust
		out, err = f.settle(tx, v, a)
		return err
	})
	if err == nil {
		err = refused
	}
	return out, err
}

// prove verifies a proof on behalf of the attempt a, counts it and records it.
// refused is the answer to a wrong one.
func (f *Flow) prove(tx Tx, v Visit, a Attempt, u directory.User, s authsettings.Settings, p Proof) (refused, err error) {
	if err := throttle.Take(tx, f.now(), f.guessedFactor(v, u)); err != nil {
		return nil, err
	}
	var right bool
	switch {
	case !s.Allows(authsettings.MfaType(p.credentialType())):
	case p.Key != nil:
		_, right, err = f.Factors.VerifyKey(tx, f.now(), a.ID, u, p.Key)
	default:
		_, right, err = f.Factors.VerifyCode(tx, f.now(), u.StoreID, u.ID, p.Code)
	}
	if err != nil {
		return nil, err
	}
	if right {
		if err := throttle.Clear(tx, f.guessedFactor(v, u)); err != nil {
			return nil, err
		}
	} else {
		refused = errWrongFactor()
	}
	r, err := f.record(tx, v, a, "CredentialVerification", p.credentialType(), right)
	if err != nil {
		return nil, err
	}
	return refused, audit.Append(tx, r)
}

func errWrongFactor() error {
	return fault.New(fault.Denied, "factor", "The MFA device could not be verified.")
}

// authenticating reads an attempt that is at a step after the password, whom it
// is about and the settings. It is over when the password was changed
// meanwhile, or the person disabled; the error is a fault.NotFound with the
// subject "signin_step" when the step is not what the person needs any longer.
func (f *Flow) authenticating(tx Tx, v Visit, id string, step Step) (claim, authsettings.Settings, error) {
	a, err := find(tx, f.now(), v.Browser, id, step)
	if err != nil {
		return claim{}, authsettings.Settings{}, err
	}
	c, err := f.claimed(tx, a)
	if err != nil {
		return c, authsettings.Settings{}, err
	}
	s, err := authsettings.Of(tx, a.StoreID)
	if err != nil {
		return c, s, err
	}
	if !c.usable() || c.user.ID != a.UserID || c.password.Version != a.PasswordVersion {
		return c, s, errGone()
	}
	next, err := f.next(tx, v, a, s)
	if err == nil && next != step {
		err = errMoved()
	}
	return c, s, err
}

// challenge records what a person is asked for by the step of an attempt.
func (f *Flow) challenge(tx Tx, v Visit, a Attempt, s authsettings.Settings) error {
	var types []string
	switch a.Step {
	case StepFactor:
		devices, err := mfa.List(tx, a.StoreID, a.UserID)
		if err != nil {
			return err
		}
		for _, of := range []authsettings.MfaType{authsettings.Totp, authsettings.Webauthn} {
			for _, d := range mfa.Usable(devices, s) {
				if d.Type == of {
					types = append(types, string(of))
					break
				}
			}
		}
	case StepEmailCode:
		types = []string{typeEmailCode}
		if err := f.sendCode(tx, v, a); err != nil {
			return err
		}
	default:
	}
	for _, t := range types {
		r, err := f.record(tx, v, a, "CredentialChallenge", t, true)
		if err != nil {
			return err
		}
		if err := audit.Append(tx, r); err != nil {
			return err
		}
	}
	return nil
}
