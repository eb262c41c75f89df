package iam

import (
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/policy/awsmanaged"
)

// Policies are the policies of a user or role.
type Policies struct {
	Managed  []string          // ARNs, AWS's or the account's own
	Inline   map[string]string // name → document
	Boundary string            // ARN of the permissions boundary, "" for none
}

// Attachments are Policies as they are kept: a document that many roles share
// is kept once, under its digest.
type Attachments struct {
	Managed  []string
	Inline   []string // digests of documents
	Boundary string
}

// checkManaged refuses managed policies that do not exist or that cannot be
// attached to a principal of the account.
func checkManaged(tx ManagedPolicyReader, accountID string, p Policies) error {
	for _, arn := range p.Managed {
		if err := checkAttachable(tx, accountID, arn); err != nil {
			return err
		}
	}
	if p.Boundary == "" {
		return nil
	}
	return checkAttachable(tx, accountID, p.Boundary)
}

// CheckSessionPolicies refuses managed session policies of a role's session
// that do not exist in the role's account.
func CheckSessionPolicies(tx ManagedPolicyReader, accountID string, arns []string) error {
	for _, arn := range arns {
		err := checkAttachable(tx, accountID, arn)
		if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Invalid) {
			err = fault.New(fault.Invalid, "policy_document", "The policy %s does not exist or cannot limit a session.", arn)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// serviceRolePath is the path of the policies that only service-linked roles
// have.
const serviceRolePath = "/aws-service-role/"

func checkAttachable(tx ManagedPolicyReader, accountID, arn string) error {
	if p, ok := awsmanaged.Lookup(arn); ok {
		if p.Path == serviceRolePath {
			return fault.New(fault.Invalid, "policy", "Cannot attach a Service Role Policy to a Customer Role.")
		}
		return nil
	}
	p, found, err := tx.ManagedPolicyByARN(arn)
	if err != nil {
		return err
	}
	if !found || p.AccountID != accountID {
		return fault.New(fault.NotFound, "policy", "Policy %s does not exist or is not attachable.", arn).WithResource("policy", arn)
	}
	return nil
}
