package administrator

import (
	"time"

	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/epoch"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/mfa"
	"github.com/atrium-iam/atrium/internal/session"
)

// ProofReader reads what people can prove, and have proved.
type ProofReader interface {
	authsettings.Reader
	mfa.Reader
	session.Reader
}

// StepUp asks people in roles to prove who they are.
type StepUp struct {
	// At is the address of the page where they do.
	At string
}

// Proved refuses, with fault.Denied and subject "step_up", a caller who is a
// person of the instance in a role and did not use an MFA device less than
// session.StepUpAge ago; who has none has to have given the password since then.
// Whoever has got hold of a role's credentials must not be able to let
// themselves in for good. It counts what was proved before the role was opened,
// through chains of roles too, and what was proved since in the session at the
// portal that the role was opened from. action is what the caller wants to do.
//
// Callers who are no people of an instance, IAM users and root users, pass: they
// have nothing to prove here.
func (s StepUp) Proved(tx ProofReader, now time.Time, in instance.Instance, caller iam.Principal, action string) error {
	if caller.IdentityStoreUserID == "" || session.Lately(now, caller.MFAAt) {
		return nil
	}
	has, err := hasDevice(tx, in, caller)
	if err != nil {
		return err
	}
	signedIn, live, err := signedInAt(tx, now, caller)
	if err != nil || live && signedIn.Fresh(now, has) {
		return err
	}
	needs := "an MFA device to be used"
	if !has {
		needs = "the password to be given"
	}
	next := "Sign in again, and open the role again."
	if live {
		next = "Verify that it is you at " + s.At + ", in the browser in which you signed in. Then repeat this with the same credentials."
	}
	return fault.New(fault.Denied, "step_up",
		"User: %s is not authorized to perform: %s because that needs %s less than 15 minutes ago. %s", caller.ARN, action, needs, next)
}

// signedInAt returns the session at the portal from which a person's role was
// opened, if it has not ended.
func signedInAt(tx session.Reader, now time.Time, caller iam.Principal) (s session.Session, live bool, err error) {
	if caller.Session == nil {
		return s, false, nil
	}
	for _, ref := range caller.Session.DependsOn {
		if ref.Scope != epoch.PortalSession {
			continue
		}
		if s, live, err = session.ByID(tx, now, ref.ID); err != nil || live {
			return s, live && s.UserID == caller.IdentityStoreUserID, err
		}
	}
	return session.Session{}, false, nil
}

func hasDevice(tx ProofReader, in instance.Instance, caller iam.Principal) (bool, error) {
	s, err := authsettings.Of(tx, in.IdentityStoreID)
	if err != nil {
		return false, err
	}
	devices, err := mfa.List(tx, in.IdentityStoreID, caller.IdentityStoreUserID)
	return len(mfa.Usable(devices, s)) > 0, err
}
