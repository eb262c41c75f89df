// Package organizations serves AWS Organizations: it maps the operations of
// AWS's organizations service to the organization domain and back.
package organizations

import (
	"github.com/atrium-iam/atrium/internal/assignment"
	wire "github.com/atrium-iam/atrium/internal/awsapi/organizations"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/organization"
	"github.com/atrium-iam/atrium/internal/wire/gateway"
)

// Tx is what the operations need of a transaction.
type Tx interface {
	gateway.Tx
	organization.Tx
	instance.Reader
	assignment.WithdrawTx
}

// Service implements the operations of organizations; those it does not have
// are answered by the generated Unimplemented.
type Service struct {
	wire.Unimplemented[*gateway.Context[Tx]]
}

var _ wire.Service[*gateway.Context[Tx]] = Service{}

// pageSize is the number of items on a page when the caller names none; it is
// also the most that the model allows.
const pageSize = 20

// own returns the caller's organization. The account gate has seen to it that
// the caller may act on it.
func own(c *gateway.Context[Tx]) (organization.Organization, error) {
	return organization.Required(c.Tx, c.Caller.AccountID)
}

// ownPage returns the caller's organization and the page to list of it.
func ownPage(c *gateway.Context[Tx], token *string, limit *int32, filters ...string) (organization.Organization, gateway.Page, error) {
	page, err := c.Page(token, limit, pageSize, filters...)
	if err != nil {
		return organization.Organization{}, page, err
	}
	o, err := own(c)
	return o, page, err
}

// answer returns out, or only the error when there is one.
func answer[T any](out *T, err error) (*T, error) {
	if err != nil {
		return nil, err
	}
	return out, nil
}
