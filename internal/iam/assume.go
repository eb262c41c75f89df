package iam

import (
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/policy"
)

// AuthorizeOnRole decides whether p may do an action of STS on a role: the
// role's trust policy must allow it, and p's policies, unless the trust policy
// of a role of p's own account names p. If not it fails with CannotAssume.
func AuthorizeOnRole(set policy.Set, p Principal, action string, r Role, trust *policy.Trust, values *policy.Values) error {
	names := []string{p.ARN}
	if p.Kind == KindRoleSession {
		names = append(names, policyARN(p))
	}
	request := policy.Request{Action: action, Resource: r.ARN(), Context: values}
	decide := set.Decide
	switch trust.Decide(action, values, p.AccountID, names...) {
	case policy.TrustsNot, policy.TrustDenies:
		return CannotAssume(p, action, r.ARN())
	case policy.TrustsCaller:
		if p.AccountID == r.AccountID {
			decide = set.DecideGranted
		}
	case policy.TrustsAccount:
	}
	if decide(request).Effect != policy.Allow {
		return CannotAssume(p, action, r.ARN())
	}
	return nil
}

// CannotAssume is the fault.Denied of a role that p may not assume, or that
// does not exist: STS does not tell which.
func CannotAssume(p Principal, action, roleARN string) error {
	return fault.New(fault.Denied, "", "User: %s is not authorized to perform: %s on resource: %s", p.ARN, action, roleARN)
}
