package organizations

import (
	"slices"
	"strings"

	"github.com/atrium-iam/atrium/internal/assignment"
	wire "github.com/atrium-iam/atrium/internal/awsapi/organizations"
	"github.com/atrium-iam/atrium/internal/organization"
	"github.com/atrium-iam/atrium/internal/wire/gateway"
)

// ListAccounts lists the organization's accounts.
func (Service) ListAccounts(c *gateway.Context[Tx], in *wire.ListAccountsRequest) (*wire.ListAccountsResponse, error) {
	o, page, err := ownPage(c, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	accounts, next, err := organization.ListAccounts(c.Tx, o, page.After, page.Limit)
	return answer(&wire.ListAccountsResponse{Accounts: wireAccounts(o, accounts), NextToken: c.NextToken(next)}, err)
}

// ListAccountsForParent lists the accounts directly in a root or unit.
func (Service) ListAccountsForParent(c *gateway.Context[Tx], in *wire.ListAccountsForParentRequest) (*wire.ListAccountsForParentResponse, error) {
	o, page, err := ownPage(c, in.NextToken, in.MaxResults, *in.ParentId)
	if err != nil {
		return nil, err
	}
	accounts, next, err := organization.ListAccountsForParent(c.Tx, o, *in.ParentId, page.After, page.Limit)
	return answer(&wire.ListAccountsForParentResponse{
		Accounts: wireAccounts(o, accounts), NextToken: c.NextToken(next, *in.ParentId),
	}, err)
}

// DescribeAccount describes an account of the organization.
func (Service) DescribeAccount(c *gateway.Context[Tx], in *wire.DescribeAccountRequest) (*wire.DescribeAccountResponse, error) {
	o, err := own(c)
	if err != nil {
		return nil, err
	}
	a, err := organization.MemberAccount(c.Tx, o, *in.AccountId)
	return answer(&wire.DescribeAccountResponse{Account: wireAccount(o, a)}, err)
}

// CreateAccount creates an account. The answer says IN_PROGRESS, as AWS's
// does; the work is done when it arrives.
func (Service) CreateAccount(c *gateway.Context[Tx], in *wire.CreateAccountRequest) (*wire.CreateAccountResponse, error) {
	o, err := own(c)
	if err != nil {
		return nil, err
	}
	r, err := organization.RequestAccount(c.Tx, c.Request.Time, c.IDs, o, organization.AccountRequest{
		Name: *in.AccountName, Email: *in.Email, RoleName: text(in.RoleName), Tags: tagsOf(in.Tags),
	})
	return answer(&wire.CreateAccountResponse{CreateAccountStatus: wireRequest(r)}, err)
}

// DescribeCreateAccountStatus tells how a request to create an account ended.
func (Service) DescribeCreateAccountStatus(c *gateway.Context[Tx], in *wire.DescribeCreateAccountStatusRequest) (*wire.DescribeCreateAccountStatusResponse, error) {
	o, err := own(c)
	if err != nil {
		return nil, err
	}
	r, err := organization.DescribeCreateAccountStatus(c.Tx, o, *in.CreateAccountRequestId)
	return answer(&wire.DescribeCreateAccountStatusResponse{CreateAccountStatus: wireRequest(r)}, err)
}

// ListCreateAccountStatus lists requests to create an account.
func (Service) ListCreateAccountStatus(c *gateway.Context[Tx], in *wire.ListCreateAccountStatusRequest) (*wire.ListCreateAccountStatusResponse, error) {
	filter := strings.Join(slices.Sorted(slices.Values(in.States)), " ")
	o, page, err := ownPage(c, in.NextToken, in.MaxResults, filter)
	if err != nil {
		return nil, err
	}
	states := each(in.States, func(s string) organization.CreateState { return organization.CreateState(s) })
	requests, next, err := organization.ListCreateAccountStatus(c.Tx, o, states, page.After, page.Limit)
	return answer(&wire.ListCreateAccountStatusResponse{
		CreateAccountStatuses: each(requests, func(r organization.CreateAccountRequest) wire.CreateAccountStatus { return *wireRequest(r) }),
		NextToken:             c.NextToken(next, filter),
	}, err)
}

// MoveAccount moves an account to another root or unit.
func (Service) MoveAccount(c *gateway.Context[Tx], in *wire.MoveAccountRequest) (*wire.MoveAccountOutput, error) {
	o, err := own(c)
	if err != nil {
		return nil, err
	}
	return answer(&wire.MoveAccountOutput{},
		organization.MoveAccount(c.Tx, o, *in.AccountId, *in.SourceParentId, *in.DestinationParentId))
}

// CloseAccount closes a member account.
func (Service) CloseAccount(c *gateway.Context[Tx], in *wire.CloseAccountRequest) (*wire.CloseAccountOutput, error) {
	o, err := own(c)
	if err != nil {
		return nil, err
	}
	return answer(&wire.CloseAccountOutput{}, organization.CloseAccount(c.Tx, o, *in.AccountId))
}

// RemoveAccountFromOrganization makes a member account standalone. The access
// that the organization's instance of IAM Identity Center gave to it ends.
func (Service) RemoveAccountFromOrganization(c *gateway.Context[Tx], in *wire.RemoveAccountFromOrganizationRequest) (*wire.RemoveAccountFromOrganizationOutput, error) {
	o, err := own(c)
	if err != nil {
		return nil, err
	}
	if err := organization.RemoveAccount(c.Tx, o, *in.AccountId); err != nil {
		return nil, err
	}
	identityCenter, found, err := c.Tx.InstanceOfOrganization(o.ID)
	if err == nil && found {
		err = assignment.WithdrawAccount(c.Tx, identityCenter, *in.AccountId)
	}
	return answer(&wire.RemoveAccountFromOrganizationOutput{}, err)
}
