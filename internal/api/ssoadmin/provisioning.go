package ssoadmin

import (
	"github.com/atrium-iam/atrium/internal/assignment"
	wire "github.com/atrium-iam/atrium/internal/awsapi/ssoadmin"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/instance"
)

// ProvisionPermissionSet brings the roles of a permission set up to date, in
// one account or in all that have it. The answer says IN_PROGRESS, as AWS's
// does; the request is settled when it arrives.
func (Service) ProvisionPermissionSet(c Context, in *wire.ProvisionPermissionSetRequest) (*wire.ProvisionPermissionSetResponse, error) {
	i, s, err := editable(c, in.InstanceArn, in.PermissionSetArn)
	if err != nil {
		return nil, err
	}
	var r assignment.Request
	switch {
	case *in.TargetType == wire.ProvisionTargetTypeAllProvisionedAccounts:
		r, err = assignment.ProvisionAll(c.Tx, c.Request.Time, c.IDs, i, s)
	case in.TargetId == nil:
		err = fault.New(fault.Invalid, "target", "TargetId is required when TargetType is %s.", wire.ProvisionTargetTypeAwsAccount)
	default:
		r, err = assignment.ProvisionAccount(c.Tx, c.Request.Time, c.IDs, i, s, *in.TargetId)
	}
	return answer(&wire.ProvisionPermissionSetResponse{
		PermissionSetProvisioningStatus: provisioningStatus(i, r, assignment.InProgress),
	}, err)
}

// DescribePermissionSetProvisioningStatus tells what became of a request to
// provision.
func (Service) DescribePermissionSetProvisioningStatus(c Context, in *wire.DescribePermissionSetProvisioningStatusRequest) (*wire.DescribePermissionSetProvisioningStatusResponse, error) {
	i, r, err := request(c, in.InstanceArn, assignment.Provisioning, in.ProvisionPermissionSetRequestId)
	return answer(&wire.DescribePermissionSetProvisioningStatusResponse{PermissionSetProvisioningStatus: provisioningStatus(i, r, r.Status)}, err)
}

// ListPermissionSetProvisioningStatus lists requests to provision.
func (Service) ListPermissionSetProvisioningStatus(c Context, in *wire.ListPermissionSetProvisioningStatusRequest) (*wire.ListPermissionSetProvisioningStatusResponse, error) {
	list, next, err := requests(c, in.InstanceArn, assignment.Provisioning, in.Filter, in.NextToken, in.MaxResults)
	return answer(&wire.ListPermissionSetProvisioningStatusResponse{
		PermissionSetsProvisioningStatus: each(list, func(r assignment.Request) wire.PermissionSetProvisioningStatusMetadata {
			return wire.PermissionSetProvisioningStatusMetadata{Status: new(string(r.Status)), RequestId: &r.ID, CreatedDate: &r.CreatedAt}
		}),
		NextToken: next,
	}, err)
}

// ListAccountsForProvisionedPermissionSet lists the accounts in which a
// permission set is provisioned.
func (Service) ListAccountsForProvisionedPermissionSet(c Context, in *wire.ListAccountsForProvisionedPermissionSetRequest) (*wire.ListAccountsForProvisionedPermissionSetResponse, error) {
	_, s, err := permissionSet(c, in.InstanceArn, in.PermissionSetArn)
	if err != nil {
		return nil, err
	}
	currency := text(in.ProvisioningStatus)
	page, err := c.Page(in.NextToken, in.MaxResults, pageSize, s.ID, currency)
	if err != nil {
		return nil, err
	}
	accounts, next, err := assignment.ListAccounts(c.Tx, s, assignment.Currency(currency), page.After, page.Limit)
	return answer(&wire.ListAccountsForProvisionedPermissionSetResponse{
		AccountIds: each(accounts, func(id string) string { return id }), NextToken: c.NextToken(next, s.ID, currency),
	}, err)
}

// ListPermissionSetsProvisionedToAccount lists the permission sets that are
// provisioned in an account.
func (Service) ListPermissionSetsProvisionedToAccount(c Context, in *wire.ListPermissionSetsProvisionedToAccountRequest) (*wire.ListPermissionSetsProvisionedToAccountResponse, error) {
	i, err := instance.ByARN(c.Tx, *in.InstanceArn)
	if err != nil {
		return nil, err
	}
	filters := []string{i.ID, *in.AccountId, text(in.ProvisioningStatus)}
	page, err := c.Page(in.NextToken, in.MaxResults, pageSize, filters...)
	if err != nil {
		return nil, err
	}
	ids, next, err := assignment.ListPermissionSets(c.Tx, i, *in.AccountId, assignment.Currency(text(in.ProvisioningStatus)), page.After, page.Limit)
	return answer(&wire.ListPermissionSetsProvisionedToAccountResponse{
		PermissionSets: permissionSetARNs(i, ids), NextToken: c.NextToken(next, filters...),
	}, err)
}
