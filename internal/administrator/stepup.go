package administrator

import (
	"time"

	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/mfa"
)

// StepUpAge is how long ago a person may have proved a second factor to delete
// Identity Center.
const StepUpAge = 15 * time.Minute

// ProofReader reads what people can prove.
type ProofReader interface {
	authsettings.Reader
	mfa.Reader
}

// Proved refuses, with fault.Denied and subject "step_up", a caller who is a
// person of the instance in a role, has an MFA device, and did not use one less
// than StepUpAge before the role was opened or since. It lets in callers who
// are no person, and people without a device, who have nothing to prove.
func Proved(tx ProofReader, now time.Time, in instance.Instance, caller iam.Principal) error {
	if caller.IdentityStoreUserID == "" || now.Sub(caller.MFAAt) < StepUpAge {
		return nil
	}
	s, err := authsettings.Of(tx, in.IdentityStoreID)
	if err != nil {
		return err
	}
	devices, err := mfa.List(tx, in.IdentityStoreID, caller.IdentityStoreUserID)
	if err == nil && len(mfa.Usable(devices, s)) > 0 {
		err = fault.New(fault.Denied, "step_up",
			"User: %s is not authorized to delete %s because that needs an MFA device to be used less than 15 minutes ago. Sign in again, and open the role again.", caller.ARN, in.ARN())
	}
	return err
}
