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
	kinds := map[policy.Kind]string{
		policy.IdentityPolicy: "identity-based policy", policy.PermissionsBoundary: "permissions boundary",
		policy.SessionPolicy: "session policy", policy.ServiceControlPolicy: "service control policy",
	}
	because := "because no " + kinds[d.Kind] + " allows the " + action + " action"
	if d.Effect == policy.ExplicitDeny {
		article := "a "
		if d.Kind == policy.IdentityPolicy {
			article = "an "
		}
		because = "with an explicit deny in " + article + kinds[d.Kind]
	}
	return fault.New(fault.Denied, "", "User: %s is not authorized to perform: %s on resource: %s %s", p.ARN, action, resource, because)
}
