package iam

import (
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/policy"
)

// Authorize decides whether the principal's policies allow the action on
// every one of the resources. If not it fails with fault.Denied, in AWS's
// words.
func Authorize(set policy.Set, p Principal, action string, resources []string, values *policy.Values) error {
	for _, resource := range resources {
		d := set.Decide(policy.Request{Action: action, Resource: resource, Context: values})
		if d.Effect != policy.Allow {
			return denied(p, action, resource, d)
		}
	}
	return nil
}

func denied(p Principal, action, resource string, d policy.Decision) error {
	return fault.New(fault.Denied, "", "User: %s is not authorized to perform: %s on resource: %s %s", p.ARN, action, resource, Because(action, d))
}

// Because tells why a decision about an action is a denial, in the words with
// which AWS's messages end.
func Because(action string, d policy.Decision) string {
	if d.Effect != policy.ExplicitDeny {
		return "because no " + policyKind(d.Kind) + " allows the " + action + " action"
	}
	article := "a "
	if d.Kind == policy.IdentityPolicy {
		article = "an "
	}
	return "with an explicit deny in " + article + policyKind(d.Kind)
}

// policyKind names a kind of policy as AWS's messages do.
func policyKind(k policy.Kind) string {
	switch k {
	case policy.PermissionsBoundary:
		return "permissions boundary"
	case policy.SessionPolicy:
		return "session policy"
	case policy.ServiceControlPolicy:
		return "service control policy"
	default:
		return "identity-based policy"
	}
}
