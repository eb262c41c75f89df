package settings

import (
	wire "github.com/atrium-iam/atrium/internal/awsapi/settings"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/portal"
)

// PutAccountAppearance gives an account a label and a colour in the access
// portal.
func (Service) PutAccountAppearance(c Context, in *wire.PutAccountAppearanceRequest) (*wire.PutAccountAppearanceResponse, error) {
	i, err := instanceFor(c, in.InstanceArn, in.AccountId)
	if err != nil {
		return nil, err
	}
	_, err = portal.PutAppearance(c.Tx, i, portal.Appearance{AccountID: *in.AccountId, Label: *in.Label, Color: portal.Color(*in.AccountColor)})
	return answer(&wire.PutAccountAppearanceResponse{}, err)
}

// DeleteAccountAppearance takes an account's label and colour away.
func (Service) DeleteAccountAppearance(c Context, in *wire.DeleteAccountAppearanceRequest) (*wire.DeleteAccountAppearanceResponse, error) {
	i, err := instanceFor(c, in.InstanceArn, in.AccountId)
	if err != nil {
		return nil, err
	}
	return answer(&wire.DeleteAccountAppearanceResponse{}, portal.DeleteAppearance(c.Tx, i, *in.AccountId))
}

// instanceFor returns the instance in which a caller wants to change how an
// account looks. A delegated administrator cannot disguise the management
// account.
func instanceFor(c Context, arn, accountID *string) (instance.Instance, error) {
	i, err := instance.ByARN(c.Tx, *arn)
	if err == nil && *accountID == i.OwnerAccountID && c.Caller.AccountID != i.OwnerAccountID {
		err = denied(c, "only the management account can change how it looks")
	}
	return i, err
}

// DescribeAccountAppearance tells how an account looks.
func (Service) DescribeAccountAppearance(c Context, in *wire.DescribeAccountAppearanceRequest) (*wire.DescribeAccountAppearanceResponse, error) {
	i, err := instance.ByARN(c.Tx, *in.InstanceArn)
	if err != nil {
		return nil, err
	}
	a, err := portal.AppearanceOf(c.Tx, i, *in.AccountId)
	return answer(&wire.DescribeAccountAppearanceResponse{AccountAppearance: new(appearance(a))}, err)
}

// ListAccountAppearances lists the accounts that have a label and a colour.
func (Service) ListAccountAppearances(c Context, in *wire.ListAccountAppearancesRequest) (*wire.ListAccountAppearancesResponse, error) {
	i, err := instance.ByARN(c.Tx, *in.InstanceArn)
	if err != nil {
		return nil, err
	}
	page, err := c.Page(in.NextToken, in.MaxResults, pageSize, i.ID)
	if err != nil {
		return nil, err
	}
	list, next, err := portal.ListAppearances(c.Tx, i, page.After, page.Limit)
	if err != nil {
		return nil, err
	}
	out := &wire.ListAccountAppearancesResponse{NextToken: c.NextToken(next, i.ID), AccountAppearances: make([]wire.AccountAppearance, len(list))}
	for n, a := range list {
		out.AccountAppearances[n] = appearance(a)
	}
	return out, nil
}

func appearance(a portal.Appearance) wire.AccountAppearance {
	return wire.AccountAppearance{AccountId: &a.AccountID, Label: optional(a.Label), AccountColor: new(string(a.Color))}
}

// PutPortalDestinations sets where the portal's shortcuts may lead without
// asking the person first.
func (Service) PutPortalDestinations(c Context, in *wire.PutPortalDestinationsRequest) (*wire.PutPortalDestinationsResponse, error) {
	i, err := instance.ByARN(c.Tx, *in.InstanceArn)
	if err != nil {
		return nil, err
	}
	origins, err := portal.PutDestinations(c.Tx, i, in.Destinations)
	return answer(&wire.PutPortalDestinationsResponse{Destinations: origins}, err)
}

// ListPortalDestinations lists where the portal's shortcuts may lead.
func (Service) ListPortalDestinations(c Context, in *wire.ListPortalDestinationsRequest) (*wire.ListPortalDestinationsResponse, error) {
	i, err := instance.ByARN(c.Tx, *in.InstanceArn)
	if err != nil {
		return nil, err
	}
	origins, err := c.Tx.PortalDestinations(i.ID)
	if origins == nil {
		origins = []string{}
	}
	return answer(&wire.ListPortalDestinationsResponse{Destinations: origins}, err)
}
