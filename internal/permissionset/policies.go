package permissionset

import (
	"strings"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/policy"
	"github.com/atrium-iam/atrium/internal/policy/awsmanaged"
)

// MaxPolicies is how many managed policies, AWS's and the accounts' own
// together, a permission set may have (AWS's quota).
const MaxPolicies = 20

// Policies are all the policies of a permission set.
type Policies struct {
	Managed  []string
	Customer []PolicyReference
	Inline   string
	Boundary Boundary
}

// PoliciesOf returns all the policies of the permission set.
func PoliciesOf(tx Reader, s PermissionSet) (Policies, error) {
	managed, err := tx.PermissionSetManagedPolicies(s.ID, "", MaxPolicies)
	if err != nil {
		return Policies{}, err
	}
	customer, err := tx.PermissionSetCustomerPolicies(s.ID, PolicyReference{}, MaxPolicies)
	return Policies{Managed: managed, Customer: customer, Inline: s.InlinePolicy, Boundary: s.Boundary}, err
}

// AttachManagedPolicy attaches an AWS managed policy. It fails with
// fault.NotFound for one that AWS does not publish, fault.Conflict when it is
// attached already and fault.Quota past MaxPolicies.
func AttachManagedPolicy(tx Tx, s PermissionSet, arn string) error {
	if err := requireManagedPolicy(arn); err != nil {
		return err
	}
	inserted, err := tx.InsertPermissionSetManagedPolicy(s.ID, arn)
	if err != nil {
		return err
	}
	if !inserted {
		return fault.New(fault.Conflict, "policy", "Permission set with id %s already has a typed link attachment to a manged policy with %s", s.ID, arn)
	}
	if err := requireRoom(tx, s); err != nil {
		return err
	}
	return tx.UpdatePermissionSetAttachments(s.ID)
}

// DetachManagedPolicy detaches an AWS managed policy; fault.NotFound when it
// is not attached.
func DetachManagedPolicy(tx Tx, s PermissionSet, arn string) error {
	deleted, err := tx.DeletePermissionSetManagedPolicy(s.ID, arn)
	if err != nil {
		return err
	}
	if !deleted {
		return fault.New(fault.NotFound, "policy", "Could not find ManagedPolicy with arn %s", arn)
	}
	return tx.UpdatePermissionSetAttachments(s.ID)
}

// ListManagedPolicies returns the ARNs of up to limit attached AWS managed
// policies from after the ARN after, and the ARN to go on from, "" at the end.
func ListManagedPolicies(tx Reader, s PermissionSet, after string, limit int) (arns []string, next string, err error) {
	arns, err = tx.PermissionSetManagedPolicies(s.ID, after, limit+1)
	if len(arns) > limit {
		arns = arns[:limit]
		next = arns[limit-1]
	}
	return arns, next, err
}

// AttachCustomerPolicy attaches a reference to a policy that each account
// keeps; whether it exists is looked at when the set is provisioned.
func AttachCustomerPolicy(tx Tx, s PermissionSet, ref PolicyReference) error {
	ref = ref.withPath()
	inserted, err := tx.InsertPermissionSetCustomerPolicy(s.ID, ref)
	if err != nil {
		return err
	}
	if !inserted {
		return fault.New(fault.Conflict, "policy", "Given customer managed policy with name: %s and path %s already attached", ref.Name, ref.Path)
	}
	if err := requireRoom(tx, s); err != nil {
		return err
	}
	return tx.UpdatePermissionSetAttachments(s.ID)
}

// DetachCustomerPolicy detaches a reference; fault.NotFound when it is not
// attached.
func DetachCustomerPolicy(tx Tx, s PermissionSet, ref PolicyReference) error {
	ref = ref.withPath()
	deleted, err := tx.DeletePermissionSetCustomerPolicy(s.ID, ref)
	if err != nil {
		return err
	}
	if !deleted {
		return fault.New(fault.NotFound, "policy", "Given managed policy with name: %s and path %s does not exist on PermissionSet", ref.Name, ref.Path)
	}
	return tx.UpdatePermissionSetAttachments(s.ID)
}

// ListCustomerPolicies returns up to limit attached references from after the
// one that after names ("path" and "name" joined), and the one to go on from,
// "" at the end.
func ListCustomerPolicies(tx Reader, s PermissionSet, after string, limit int) (refs []PolicyReference, next string, err error) {
	refs, err = tx.PermissionSetCustomerPolicies(s.ID, parseReference(after), limit+1)
	if len(refs) > limit {
		refs = refs[:limit]
		next = refs[limit-1].String()
	}
	return refs, next, err
}

// PutInlinePolicy sets the inline policy. The document must be a grammatical
// identity-based policy within AWS's quotas: policy.MaxInlineCharacters bytes,
// policy.MaxInlineSize of which may be other than white space.
func PutInlinePolicy(tx Tx, s PermissionSet, document string) error {
	if len(document) > policy.MaxInlineCharacters || policy.Size(document) > policy.MaxInlineSize {
		return fault.New(fault.Quota, "policy", "You have exceeded AWS SSO limits. The inline policy of the permission set %s is limited to %d bytes, of which %d may be other than white space.", s.ID, policy.MaxInlineCharacters, policy.MaxInlineSize)
	}
	if _, err := policy.Compile(document); err != nil {
		return err
	}
	return tx.UpdatePermissionSetInlinePolicy(s.ID, document)
}

// DeleteInlinePolicy removes the inline policy, if there is one.
func DeleteInlinePolicy(tx Tx, s PermissionSet) error {
	if s.InlinePolicy == "" {
		return nil
	}
	return tx.UpdatePermissionSetInlinePolicy(s.ID, "")
}

// PutBoundary sets the permissions boundary, in place of one that was there.
func PutBoundary(tx Tx, s PermissionSet, b Boundary) error {
	if (b.ManagedPolicyARN == "") == (b.Customer.Name == "") {
		return fault.New(fault.Invalid, "permissions_boundary", "Only ManagedPolicyArn or CustomerManagedPolicyReference should be given")
	}
	if b.ManagedPolicyARN != "" {
		if err := requireManagedPolicy(b.ManagedPolicyARN); err != nil {
			return err
		}
	} else {
		b.Customer = b.Customer.withPath()
	}
	return tx.UpdatePermissionSetBoundary(s.ID, b)
}

// DeleteBoundary removes the permissions boundary, if there is one.
func DeleteBoundary(tx Tx, s PermissionSet) error {
	if s.Boundary == (Boundary{}) {
		return nil
	}
	return tx.UpdatePermissionSetBoundary(s.ID, Boundary{})
}

// BoundaryOf returns the permissions boundary; fault.NotFound when there is
// none.
func BoundaryOf(in instance.Instance, s PermissionSet) (Boundary, error) {
	if s.Boundary == (Boundary{}) {
		return Boundary{}, fault.New(fault.NotFound, "permissions_boundary", "Could not find a permissions boundary for %s", in.PermissionSetARN(s.ID))
	}
	return s.Boundary, nil
}

// String returns path and name joined, as they stand in the policy's ARN.
func (r PolicyReference) String() string { return r.Path + r.Name }

// withPath returns r with the path that an omitted one stands for.
func (r PolicyReference) withPath() PolicyReference {
	if r.Path == "" {
		r.Path = "/"
	}
	return r
}

func parseReference(s string) PolicyReference {
	cut := strings.LastIndexByte(s, '/') + 1
	return PolicyReference{Path: s[:cut], Name: s[cut:]}
}

func requireManagedPolicy(arn string) error {
	if _, ok := awsmanaged.Lookup(arn); !ok {
		return fault.New(fault.NotFound, "policy", "Policy does not exist with ARN: %s", arn)
	}
	return nil
}

// requireRoom is called after an attachment: its transaction is given up when
// there was no room for it.
func requireRoom(tx Tx, s PermissionSet) error {
	n, err := tx.CountPermissionSetPolicies(s.ID)
	if err == nil && n > MaxPolicies {
		err = fault.New(fault.Quota, "policy", "You have exceeded AWS SSO limits. Cannot create ManagedPolicy more than %d for id %s. Please refer to https://docs.aws.amazon.com/singlesignon/latest/userguide/limits.html", MaxPolicies, s.ID)
	}
	return err
}
