// Package ssoadmin serves IAM Identity Center's administration: it maps the
// operations of AWS's sso-admin service to instances, permission sets and
// account assignments, and back.
package ssoadmin

import (
	"github.com/atrium-iam/atrium/internal/administrator"
	"github.com/atrium-iam/atrium/internal/assignment"
	wire "github.com/atrium-iam/atrium/internal/awsapi/ssoadmin"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/permissionset"
	"github.com/atrium-iam/atrium/internal/wire/gateway"
)

// Tx is what the operations need of a transaction.
type Tx interface {
	gateway.Tx
	instance.Tx
	instance.AccessControlTx
	permissionset.Tx
	assignment.Tx
	assignment.AccessReader
	assignment.WithdrawTx
	administrator.ProofReader
	administrator.FarewellTx
}

// Context is what an operation runs with.
type Context = *gateway.Context[Tx]

// Service implements the operations of sso-admin on instances, permission sets
// and account assignments; the others are answered by the generated
// Unimplemented.
type Service struct {
	wire.Unimplemented[Context]
	// StepUp asks people in roles to prove who they are.
	StepUp administrator.StepUp
	// Farewell tells that an instance is deleted.
	Farewell administrator.Farewell
}

var _ wire.Service[Context] = Service{}

// pageSize is the number of items on a page when the caller names none.
const pageSize = 100

// permissionSet returns the permission set that arn names, and its instance.
func permissionSet(c Context, instanceARN, arn *string) (instance.Instance, permissionset.PermissionSet, error) {
	in, err := instance.ByARN(c.Tx, *instanceARN)
	if err != nil {
		return in, permissionset.PermissionSet{}, err
	}
	s, err := permissionset.ByARN(c.Tx, in, *arn)
	return in, s, err
}

// editable is permissionSet for operations that change what the permission set
// grants. A delegated administrator may not do so with one that is provisioned
// in the management account, which owns the instance.
func editable(c Context, instanceARN, arn *string) (instance.Instance, permissionset.PermissionSet, error) {
	in, s, err := permissionSet(c, instanceARN, arn)
	if err != nil || c.Caller.AccountID == in.OwnerAccountID {
		return in, s, err
	}
	protected, err := assignment.ProvisionedIn(c.Tx, s.ID, in.OwnerAccountID)
	if err == nil && protected {
		err = denied(c, *arn, "the permission set is provisioned in the management account")
	}
	return in, s, err
}

// edit runs change on an editable permission set.
func edit(c Context, instanceARN, arn *string, change func(permissionset.PermissionSet) error) error {
	_, s, err := editable(c, instanceARN, arn)
	if err != nil {
		return err
	}
	return change(s)
}

// denied refuses the caller in the words of a policy's refusal.
func denied(c Context, resource, because string) error {
	return fault.New(fault.Denied, "", "User: %s is not authorized to perform: %s on resource: %s because %s", c.Caller.ARN, c.Op.Action, resource, because)
}

// answer returns out, or only the error when there is one.
func answer[T any](out *T, err error) (*T, error) {
	if err != nil {
		return nil, err
	}
	return out, nil
}
