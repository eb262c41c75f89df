// Package identitystore serves the identity store: it maps the operations of
// AWS's identitystore service to the directory and back.
package identitystore

import (
	"github.com/atrium-iam/atrium/internal/administrator"
	"github.com/atrium-iam/atrium/internal/assignment"
	wire "github.com/atrium-iam/atrium/internal/awsapi/identitystore"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/maillink"
	"github.com/atrium-iam/atrium/internal/wire/gateway"
)

// Tx is what the operations need of a transaction.
type Tx interface {
	gateway.Tx
	instance.Reader
	directory.Tx
	assignment.AccessReader
	maillink.Tx
	administrator.ProofReader
}

// Service implements all operations of identitystore.
type Service struct {
	// Mail takes letters; nil when none are sent.
	Mail *mail.Outbox
	// StepUp asks people in roles to prove who they are.
	StepUp administrator.StepUp
}

var _ wire.Service[*gateway.Context[Tx]] = Service{}

// pageSize is the number of items on a page when the caller names none.
const pageSize = 100

// instanceOf returns the instance that the identity store belongs to.
func instanceOf(c *gateway.Context[Tx], id *string) (instance.Instance, error) {
	i, found, err := c.Tx.InstanceByIdentityStore(*id)
	if err == nil && !found {
		err = directory.StoreNotFound(*id)
	}
	return i, err
}

// storeID checks that the identity store exists and returns its id.
func storeID(c *gateway.Context[Tx], id *string) (string, error) {
	i, err := instanceOf(c, id)
	return i.IdentityStoreID, err
}

func stamp(c *gateway.Context[Tx]) directory.Stamp {
	return directory.Stamp{At: c.Request.Time, By: c.Caller.ARN}
}

// userOf returns the user whom a member id names. Members that are not users
// do not exist.
func userOf(member *wire.MemberId) (string, error) {
	if member.UserId == nil {
		return "", invalid("The MemberId must contain a UserId.")
	}
	return *member.UserId, nil
}

// filterOf returns the filter of a listing, of which AWS allows one.
func filterOf(filters []wire.Filter) directory.Filter {
	if len(filters) == 0 {
		return directory.Filter{}
	}
	return directory.Filter{Path: *filters[0].AttributePath, Value: *filters[0].AttributeValue}
}

func operations(in []wire.AttributeOperation) []directory.Operation {
	out := make([]directory.Operation, len(in))
	for i, op := range in {
		out[i].Path = *op.AttributePath
		if op.AttributeValue != nil {
			out[i].Value = op.AttributeValue.Value
		}
	}
	return out
}

// lookUp finds a user or group by an alternate identifier.
func lookUp[R any](tx R, store string, id *wire.AlternateIdentifier,
	byAttribute func(tx R, store, path string, value any) (string, error),
	byExternalID func(tx R, store string, id directory.ExternalID) (string, error),
) (string, error) {
	switch {
	case id.UniqueAttribute != nil && id.ExternalId == nil:
		var value any
		if id.UniqueAttribute.AttributeValue != nil {
			value = id.UniqueAttribute.AttributeValue.Value
		}
		return byAttribute(tx, store, *id.UniqueAttribute.AttributePath, value)
	case id.ExternalId != nil && id.UniqueAttribute == nil:
		return byExternalID(tx, store, directory.ExternalID{Issuer: *id.ExternalId.Issuer, ID: *id.ExternalId.Id})
	}
	return "", invalid("The AlternateIdentifier must contain either an ExternalId or a UniqueAttribute.")
}

func invalid(message string) error { return fault.New(fault.Invalid, "", "%s", message) }
