package ssoadmin

import (
	"path"

	wire "github.com/atrium-iam/atrium/internal/awsapi/ssoadmin"
	"github.com/atrium-iam/atrium/internal/permissionset"
)

// AttachManagedPolicyToPermissionSet attaches an AWS managed policy.
func (Service) AttachManagedPolicyToPermissionSet(c Context, in *wire.AttachManagedPolicyToPermissionSetRequest) (*wire.AttachManagedPolicyToPermissionSetResponse, error) {
	return answer(&wire.AttachManagedPolicyToPermissionSetResponse{}, edit(c, in.InstanceArn, in.PermissionSetArn, func(s permissionset.PermissionSet) error {
		return permissionset.AttachManagedPolicy(c.Tx, s, *in.ManagedPolicyArn)
	}))
}

// DetachManagedPolicyFromPermissionSet detaches an AWS managed policy.
func (Service) DetachManagedPolicyFromPermissionSet(c Context, in *wire.DetachManagedPolicyFromPermissionSetRequest) (*wire.DetachManagedPolicyFromPermissionSetResponse, error) {
	return answer(&wire.DetachManagedPolicyFromPermissionSetResponse{}, edit(c, in.InstanceArn, in.PermissionSetArn, func(s permissionset.PermissionSet) error {
		return permissionset.DetachManagedPolicy(c.Tx, s, *in.ManagedPolicyArn)
	}))
}

// ListManagedPoliciesInPermissionSet lists the attached AWS managed policies.
func (Service) ListManagedPoliciesInPermissionSet(c Context, in *wire.ListManagedPoliciesInPermissionSetRequest) (*wire.ListManagedPoliciesInPermissionSetResponse, error) {
	_, s, err := permissionSet(c, in.InstanceArn, in.PermissionSetArn)
	if err != nil {
		return nil, err
	}
	page, err := c.Page(in.NextToken, in.MaxResults, pageSize, s.ID)
	if err != nil {
		return nil, err
	}
	arns, next, err := permissionset.ListManagedPolicies(c.Tx, s, page.After, page.Limit)
	return answer(&wire.ListManagedPoliciesInPermissionSetResponse{
		AttachedManagedPolicies: each(arns, func(arn string) wire.AttachedManagedPolicy {
			return wire.AttachedManagedPolicy{Arn: &arn, Name: new(path.Base(arn))}
		}),
		NextToken: c.NextToken(next, s.ID),
	}, err)
}

// AttachCustomerManagedPolicyReferenceToPermissionSet attaches a reference to
// a policy that accounts keep.
func (Service) AttachCustomerManagedPolicyReferenceToPermissionSet(c Context, in *wire.AttachCustomerManagedPolicyReferenceToPermissionSetRequest) (*wire.AttachCustomerManagedPolicyReferenceToPermissionSetResponse, error) {
	return answer(&wire.AttachCustomerManagedPolicyReferenceToPermissionSetResponse{}, edit(c, in.InstanceArn, in.PermissionSetArn, func(s permissionset.PermissionSet) error {
		return permissionset.AttachCustomerPolicy(c.Tx, s, referenceOf(in.CustomerManagedPolicyReference))
	}))
}

// DetachCustomerManagedPolicyReferenceFromPermissionSet detaches such a
// reference.
func (Service) DetachCustomerManagedPolicyReferenceFromPermissionSet(c Context, in *wire.DetachCustomerManagedPolicyReferenceFromPermissionSetRequest) (*wire.DetachCustomerManagedPolicyReferenceFromPermissionSetResponse, error) {
	return answer(&wire.DetachCustomerManagedPolicyReferenceFromPermissionSetResponse{}, edit(c, in.InstanceArn, in.PermissionSetArn, func(s permissionset.PermissionSet) error {
		return permissionset.DetachCustomerPolicy(c.Tx, s, referenceOf(in.CustomerManagedPolicyReference))
	}))
}

// ListCustomerManagedPolicyReferencesInPermissionSet lists such references.
func (Service) ListCustomerManagedPolicyReferencesInPermissionSet(c Context, in *wire.ListCustomerManagedPolicyReferencesInPermissionSetRequest) (*wire.ListCustomerManagedPolicyReferencesInPermissionSetResponse, error) {
	_, s, err := permissionSet(c, in.InstanceArn, in.PermissionSetArn)
	if err != nil {
		return nil, err
	}
	page, err := c.Page(in.NextToken, in.MaxResults, pageSize, s.ID)
	if err != nil {
		return nil, err
	}
	refs, next, err := permissionset.ListCustomerPolicies(c.Tx, s, page.After, page.Limit)
	return answer(&wire.ListCustomerManagedPolicyReferencesInPermissionSetResponse{
		CustomerManagedPolicyReferences: each(refs, wireReference), NextToken: c.NextToken(next, s.ID),
	}, err)
}

// PutInlinePolicyToPermissionSet sets the inline policy.
func (Service) PutInlinePolicyToPermissionSet(c Context, in *wire.PutInlinePolicyToPermissionSetRequest) (*wire.PutInlinePolicyToPermissionSetResponse, error) {
	return answer(&wire.PutInlinePolicyToPermissionSetResponse{}, edit(c, in.InstanceArn, in.PermissionSetArn, func(s permissionset.PermissionSet) error {
		return permissionset.PutInlinePolicy(c.Tx, s, *in.InlinePolicy)
	}))
}

// GetInlinePolicyForPermissionSet returns the inline policy, empty when there
// is none.
func (Service) GetInlinePolicyForPermissionSet(c Context, in *wire.GetInlinePolicyForPermissionSetRequest) (*wire.GetInlinePolicyForPermissionSetResponse, error) {
	_, s, err := permissionSet(c, in.InstanceArn, in.PermissionSetArn)
	return answer(&wire.GetInlinePolicyForPermissionSetResponse{InlinePolicy: &s.InlinePolicy}, err)
}

// DeleteInlinePolicyFromPermissionSet removes the inline policy.
func (Service) DeleteInlinePolicyFromPermissionSet(c Context, in *wire.DeleteInlinePolicyFromPermissionSetRequest) (*wire.DeleteInlinePolicyFromPermissionSetResponse, error) {
	return answer(&wire.DeleteInlinePolicyFromPermissionSetResponse{}, edit(c, in.InstanceArn, in.PermissionSetArn, func(s permissionset.PermissionSet) error {
		return permissionset.DeleteInlinePolicy(c.Tx, s)
	}))
}

// PutPermissionsBoundaryToPermissionSet sets the permissions boundary.
func (Service) PutPermissionsBoundaryToPermissionSet(c Context, in *wire.PutPermissionsBoundaryToPermissionSetRequest) (*wire.PutPermissionsBoundaryToPermissionSetResponse, error) {
	return answer(&wire.PutPermissionsBoundaryToPermissionSetResponse{}, edit(c, in.InstanceArn, in.PermissionSetArn, func(s permissionset.PermissionSet) error {
		return permissionset.PutBoundary(c.Tx, s, permissionset.Boundary{
			ManagedPolicyARN: text(in.PermissionsBoundary.ManagedPolicyArn),
			Customer:         referenceOf(in.PermissionsBoundary.CustomerManagedPolicyReference),
		})
	}))
}

// GetPermissionsBoundaryForPermissionSet returns the permissions boundary.
func (Service) GetPermissionsBoundaryForPermissionSet(c Context, in *wire.GetPermissionsBoundaryForPermissionSetRequest) (*wire.GetPermissionsBoundaryForPermissionSetResponse, error) {
	i, s, err := permissionSet(c, in.InstanceArn, in.PermissionSetArn)
	if err != nil {
		return nil, err
	}
	b, err := permissionset.BoundaryOf(i, s)
	return answer(&wire.GetPermissionsBoundaryForPermissionSetResponse{PermissionsBoundary: wireBoundary(b)}, err)
}

// DeletePermissionsBoundaryFromPermissionSet removes the permissions boundary.
func (Service) DeletePermissionsBoundaryFromPermissionSet(c Context, in *wire.DeletePermissionsBoundaryFromPermissionSetRequest) (*wire.DeletePermissionsBoundaryFromPermissionSetResponse, error) {
	return answer(&wire.DeletePermissionsBoundaryFromPermissionSetResponse{}, edit(c, in.InstanceArn, in.PermissionSetArn, func(s permissionset.PermissionSet) error {
		return permissionset.DeleteBoundary(c.Tx, s)
	}))
}
