// Package sts serves AWS's Security Token Service: it tells callers who they
// are, and lets them assume roles.
package sts

import (
	wire "github.com/atrium-iam/atrium/internal/awsapi/sts"
	"github.com/atrium-iam/atrium/internal/epoch"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/rolesession"
	"github.com/atrium-iam/atrium/internal/wire/gateway"
)

// Tx is what the operations need of a transaction.
type Tx interface {
	gateway.Tx
	iam.RoleReader
	epoch.Reader
}

// Context is what the operations run with.
type Context = *gateway.Context[Tx]

// Service implements the operations of sts that Atrium serves.
type Service struct {
	wire.Unimplemented[Context]
	// Sessions makes credentials.
	Sessions rolesession.Keys
}

var _ wire.Service[Context] = Service{}

// GetCallerIdentity tells the caller who it is. It needs no permission.
func (Service) GetCallerIdentity(c Context, _ *wire.GetCallerIdentityRequest) (*wire.GetCallerIdentityResponse, error) {
	return &wire.GetCallerIdentityResponse{
		UserId:  &c.Caller.ID,
		Account: &c.Caller.AccountID,
		Arn:     &c.Caller.ARN,
	}, nil
}

// GetAccessKeyInfo tells to which account an access key belongs, which its id
// alone says: whether the key exists remains open, as in AWS.
func (Service) GetAccessKeyInfo(_ Context, in *wire.GetAccessKeyInfoRequest) (*wire.GetAccessKeyInfoResponse, error) {
	account := ident.AccessKeyAccount(*in.AccessKeyId)
	if account == "" {
		return nil, fault.New(fault.Invalid, "access_key", "%s is not a valid access key ID.", *in.AccessKeyId)
	}
	return &wire.GetAccessKeyInfoResponse{Account: &account}, nil
}
