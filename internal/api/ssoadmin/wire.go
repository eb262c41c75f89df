package ssoadmin

import (
	"github.com/atrium-iam/atrium/internal/assignment"
	wire "github.com/atrium-iam/atrium/internal/awsapi/ssoadmin"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/permissionset"
)

// text returns what p points to, "" for nil.
func text(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

// optional is the inverse of text.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// each maps a list. An empty one is sent as such, not left out.
func each[A, B any](in []A, f func(A) B) []B {
	out := make([]B, len(in))
	for i := range in {
		out[i] = f(in[i])
	}
	return out
}

func tagsOf(in []wire.Tag) []instance.Tag {
	return each(in, func(t wire.Tag) instance.Tag { return instance.Tag{Key: *t.Key, Value: *t.Value} })
}

func wireTag(t instance.Tag) wire.Tag { return wire.Tag{Key: &t.Key, Value: &t.Value} }

func wireInstance(i instance.Instance) wire.InstanceMetadata {
	return wire.InstanceMetadata{
		InstanceArn: new(i.ARN()), IdentityStoreId: &i.IdentityStoreID, OwnerAccountId: &i.OwnerAccountID,
		Name: optional(i.Name), CreatedDate: &i.CreatedAt, Status: new(instance.StatusActive),
	}
}

func wirePermissionSet(in instance.Instance, s permissionset.PermissionSet) *wire.PermissionSet {
	return &wire.PermissionSet{
		Name: &s.Name, PermissionSetArn: new(in.PermissionSetARN(s.ID)), Description: optional(s.Description),
		CreatedDate: &s.CreatedAt, SessionDuration: &s.SessionDuration, RelayState: optional(s.RelayState),
	}
}

// permissionSetARNs turns ids into ARNs.
func permissionSetARNs(in instance.Instance, ids []string) []string {
	return each(ids, in.PermissionSetARN)
}

func referenceOf(r *wire.CustomerManagedPolicyReference) permissionset.PolicyReference {
	if r == nil {
		return permissionset.PolicyReference{}
	}
	return permissionset.PolicyReference{Path: text(r.Path), Name: *r.Name}
}

func wireReference(r permissionset.PolicyReference) wire.CustomerManagedPolicyReference {
	return wire.CustomerManagedPolicyReference{Name: &r.Name, Path: &r.Path}
}

func wireBoundary(b permissionset.Boundary) *wire.PermissionsBoundary {
	if b.ManagedPolicyARN != "" {
		return &wire.PermissionsBoundary{ManagedPolicyArn: &b.ManagedPolicyARN}
	}
	return &wire.PermissionsBoundary{CustomerManagedPolicyReference: new(wireReference(b.Customer))}
}

// assignmentStatus tells of a request to assign or unassign; status is r's own
// or what the answer to the operation itself says.
func assignmentStatus(in instance.Instance, r assignment.Request, status assignment.Status) *wire.AccountAssignmentOperationStatus {
	out := &wire.AccountAssignmentOperationStatus{
		Status: new(string(status)), RequestId: &r.ID, CreatedDate: &r.CreatedAt,
		TargetId: &r.AccountID, TargetType: new(wire.TargetTypeAwsAccount), PermissionSetArn: new(in.PermissionSetARN(r.PermissionSetID)),
		PrincipalType: new(string(r.Principal.Type)), PrincipalId: &r.Principal.ID,
	}
	if status == assignment.Failed {
		out.FailureReason = &r.FailureReason
	}
	return out
}

func assignmentStatusMetadata(r assignment.Request) wire.AccountAssignmentOperationStatusMetadata {
	return wire.AccountAssignmentOperationStatusMetadata{Status: new(string(r.Status)), RequestId: &r.ID, CreatedDate: &r.CreatedAt}
}

// provisioningStatus is assignmentStatus for a request to provision.
func provisioningStatus(in instance.Instance, r assignment.Request, status assignment.Status) *wire.PermissionSetProvisioningStatus {
	out := &wire.PermissionSetProvisioningStatus{
		Status: new(string(status)), RequestId: &r.ID, CreatedDate: &r.CreatedAt,
		AccountId: optional(r.AccountID), PermissionSetArn: new(in.PermissionSetARN(r.PermissionSetID)),
	}
	if status == assignment.Failed {
		out.FailureReason = &r.FailureReason
	}
	return out
}

// statusOf returns the status that a filter names, "" for any.
func statusOf(f *wire.OperationStatusFilter) assignment.Status {
	if f == nil {
		return ""
	}
	return assignment.Status(text(f.Status))
}
