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

// StepUpAge is how long ago a person may have proved a second factor to delete
// Identity Center, or to change what guards the person's own sign-in.
const StepUpAge = 15 * time.Minute

// ProofReader reads what people can prove.
type ProofReader interface {
	authsettings.Reader
	mfa.Reader
}

// SelfReader reads what people can prove about themselves.
type SelfReader interface {
	ProofReader
	session.Reader
}

// Proved refuses, with fault.Denied and subject "step_up", a caller who is a
// person of the instance in a role, has an MFA device, and did not use one less
// than StepUpAge before the role was opened or since. It lets in callers who
// are no person, and people without a device, who have nothing to prove.
func Proved(tx ProofReader, now time.Time, in instance.Instance, caller iam.Principal) error {
	if caller.IdentityStoreUserID == "" || now.Sub(caller.MFAAt) < StepUpAge {
		return nil
	}
	has, err := hasDevice(tx, in, caller)
	if err == nil && has {
		err = unproved(caller, "delete "+in.ARN(), "an MFA device to be used")
	}
	return err
}

// ProvedSelf is Proved for a change of what guards the sign-in of the person
// userID, where the caller is that person in a role: whoever has got hold of
// the role's credentials must not become the person for good. People without a
// device have to have given the password less than StepUpAge ago.
func ProvedSelf(tx SelfReader, now time.Time, in instance.Instance, caller iam.Principal, userID string) error {
	if caller.IdentityStoreUserID != userID || now.Sub(caller.MFAAt) < StepUpAge {
		return nil
	}
	needs := "an MFA device to be used"
	has, err := hasDevice(tx, in, caller)
	if err != nil {
		return err
	}
	if !has {
		needs = "the password to be given"
		if fresh, err := signedIn(tx, now, caller); err != nil || fresh {
			return err
		}
	}
	return unproved(caller, "change how that user signs in", needs)
}

// signedIn tells whether the session at the portal from which a person's role
// was opened began less than StepUpAge ago, or saw the password since.
func signedIn(tx SelfReader, now time.Time, caller iam.Principal) (bool, error) {
	if caller.Session == nil {
		return false, nil
	}
	for _, ref := range caller.Session.DependsOn {
		if ref.Scope != epoch.PortalSession {
			continue
		}
		s, found, err := tx.PortalSession(ref.ID)
		if err != nil || found {
			return found && min(now.Sub(s.CreatedAt), now.Sub(s.PasswordAt)) < StepUpAge, err
		}
	}
	return false, nil
}

func hasDevice(tx ProofReader, in instance.Instance, caller iam.Principal) (bool, error) {
	s, err := authsettings.Of(tx, in.IdentityStoreID)
	if err != nil {
		return false, err
	}
	devices, err := mfa.List(tx, in.IdentityStoreID, caller.IdentityStoreUserID)
	return len(mfa.Usable(devices, s)) > 0, err
}

func unproved(caller iam.Principal, what, needs string) error {
	return fault.New(fault.Denied, "step_up",
		"User: %s is not authorized to %s because that needs %s less than 15 minutes ago. Sign in again, and open the role again.", caller.ARN, what, needs)
}
