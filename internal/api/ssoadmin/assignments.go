package ssoadmin

import (
	"github.com/atrium-iam/atrium/internal/assignment"
	wire "github.com/atrium-iam/atrium/internal/awsapi/ssoadmin"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/permissionset"
)

// CreateAccountAssignment assigns access. The answer says IN_PROGRESS, as
// AWS's does; the request is settled when it arrives.
func (Service) CreateAccountAssignment(c Context, in *wire.CreateAccountAssignmentRequest) (*wire.CreateAccountAssignmentResponse, error) {
	i, s, err := assignable(c, in.InstanceArn, in.PermissionSetArn, *in.TargetId)
	if err != nil {
		return nil, err
	}
	r, err := assignment.Create(c.Tx, c.Request.Time, c.IDs, i, s, *in.TargetId, principalOf(in.PrincipalType, in.PrincipalId))
	return answer(&wire.CreateAccountAssignmentResponse{
		AccountAssignmentCreationStatus: assignmentStatus(i, r, assignment.InProgress),
	}, err)
}

// DeleteAccountAssignment takes access away. The answer says IN_PROGRESS, as
// AWS's does; the request is settled when it arrives.
func (Service) DeleteAccountAssignment(c Context, in *wire.DeleteAccountAssignmentRequest) (*wire.DeleteAccountAssignmentResponse, error) {
	i, s, err := assignable(c, in.InstanceArn, in.PermissionSetArn, *in.TargetId)
	if err != nil {
		return nil, err
	}
	r, err := assignment.Delete(c.Tx, c.Request.Time, c.IDs, i, s, *in.TargetId, principalOf(in.PrincipalType, in.PrincipalId))
	return answer(&wire.DeleteAccountAssignmentResponse{
		AccountAssignmentDeletionStatus: assignmentStatus(i, r, assignment.InProgress),
	}, err)
}

// assignable is editable for assignments in an account: a delegated
// administrator may make none in the management account.
func assignable(c Context, instanceARN, arn *string, accountID string) (instance.Instance, permissionset.PermissionSet, error) {
	i, s, err := editable(c, instanceARN, arn)
	if err == nil && accountID == i.OwnerAccountID && c.Caller.AccountID != i.OwnerAccountID {
		err = denied(c, *arn, "a delegated administrator cannot manage access to the management account")
	}
	return i, s, err
}

func principalOf(kind, id *string) assignment.Principal {
	return assignment.Principal{Type: assignment.PrincipalType(*kind), ID: *id}
}

// DescribeAccountAssignmentCreationStatus tells what became of a request to
// assign access.
func (Service) DescribeAccountAssignmentCreationStatus(c Context, in *wire.DescribeAccountAssignmentCreationStatusRequest) (*wire.DescribeAccountAssignmentCreationStatusResponse, error) {
	i, r, err := request(c, in.InstanceArn, assignment.Creation, in.AccountAssignmentCreationRequestId)
	return answer(&wire.DescribeAccountAssignmentCreationStatusResponse{AccountAssignmentCreationStatus: assignmentStatus(i, r, r.Status)}, err)
}

// DescribeAccountAssignmentDeletionStatus tells what became of a request to
// take access away.
func (Service) DescribeAccountAssignmentDeletionStatus(c Context, in *wire.DescribeAccountAssignmentDeletionStatusRequest) (*wire.DescribeAccountAssignmentDeletionStatusResponse, error) {
	i, r, err := request(c, in.InstanceArn, assignment.Deletion, in.AccountAssignmentDeletionRequestId)
	return answer(&wire.DescribeAccountAssignmentDeletionStatusResponse{AccountAssignmentDeletionStatus: assignmentStatus(i, r, r.Status)}, err)
}

// request returns a request of the instance.
func request(c Context, instanceARN *string, kind assignment.Kind, id *string) (instance.Instance, assignment.Request, error) {
	i, err := instance.ByARN(c.Tx, *instanceARN)
	if err != nil {
		return i, assignment.Request{}, err
	}
	r, err := assignment.Describe(c.Tx, i, kind, *id)
	return i, r, err
}

// ListAccountAssignmentCreationStatus lists requests to assign access.
func (Service) ListAccountAssignmentCreationStatus(c Context, in *wire.ListAccountAssignmentCreationStatusRequest) (*wire.ListAccountAssignmentCreationStatusResponse, error) {
	list, next, err := requests(c, in.InstanceArn, assignment.Creation, in.Filter, in.NextToken, in.MaxResults)
	return answer(&wire.ListAccountAssignmentCreationStatusResponse{
		AccountAssignmentsCreationStatus: each(list, assignmentStatusMetadata), NextToken: next,
	}, err)
}

// ListAccountAssignmentDeletionStatus lists requests to take access away.
func (Service) ListAccountAssignmentDeletionStatus(c Context, in *wire.ListAccountAssignmentDeletionStatusRequest) (*wire.ListAccountAssignmentDeletionStatusResponse, error) {
	list, next, err := requests(c, in.InstanceArn, assignment.Deletion, in.Filter, in.NextToken, in.MaxResults)
	return answer(&wire.ListAccountAssignmentDeletionStatusResponse{
		AccountAssignmentsDeletionStatus: each(list, assignmentStatusMetadata), NextToken: next,
	}, err)
}

// requests returns a page of requests of the instance and the next token.
func requests(c Context, instanceARN *string, kind assignment.Kind, filter *wire.OperationStatusFilter, token *string, limit *int32) ([]assignment.Request, *string, error) {
	i, err := instance.ByARN(c.Tx, *instanceARN)
	if err != nil {
		return nil, nil, err
	}
	status := statusOf(filter)
	page, err := c.Page(token, limit, pageSize, i.ID, string(status))
	if err != nil {
		return nil, nil, err
	}
	list, next, err := assignment.ListRequests(c.Tx, i, kind, status, page.After, page.Limit)
	return list, c.NextToken(next, i.ID, string(status)), err
}

// ListAccountAssignments lists who is assigned a permission set in an account.
func (Service) ListAccountAssignments(c Context, in *wire.ListAccountAssignmentsRequest) (*wire.ListAccountAssignmentsResponse, error) {
	i, s, err := permissionSet(c, in.InstanceArn, in.PermissionSetArn)
	if err != nil {
		return nil, err
	}
	page, err := c.Page(in.NextToken, in.MaxResults, pageSize, s.ID, *in.AccountId)
	if err != nil {
		return nil, err
	}
	list, next, err := assignment.List(c.Tx, s, *in.AccountId, page.After, page.Limit)
	return answer(&wire.ListAccountAssignmentsResponse{
		AccountAssignments: each(list, func(a assignment.Assignment) wire.AccountAssignment {
			return wire.AccountAssignment{
				AccountId: &a.AccountID, PermissionSetArn: new(i.PermissionSetARN(a.PermissionSetID)),
				PrincipalType: new(string(a.Principal.Type)), PrincipalId: &a.Principal.ID,
			}
		}),
		NextToken: c.NextToken(next, s.ID, *in.AccountId),
	}, err)
}

// ListAccountAssignmentsForPrincipal lists the assignments of a group, or of a
// user and the user's groups.
func (Service) ListAccountAssignmentsForPrincipal(c Context, in *wire.ListAccountAssignmentsForPrincipalRequest) (*wire.ListAccountAssignmentsForPrincipalResponse, error) {
	i, err := instance.ByARN(c.Tx, *in.InstanceArn)
	if err != nil {
		return nil, err
	}
	account := ""
	if in.Filter != nil {
		account = text(in.Filter.AccountId)
	}
	filters := []string{i.ID, *in.PrincipalType, *in.PrincipalId, account}
	page, err := c.Page(in.NextToken, in.MaxResults, pageSize, filters...)
	if err != nil {
		return nil, err
	}
	list, next, err := assignment.ListForPrincipal(c.Tx, i, principalOf(in.PrincipalType, in.PrincipalId), account, page.After, page.Limit)
	return answer(&wire.ListAccountAssignmentsForPrincipalResponse{
		AccountAssignments: each(list, func(a assignment.Assignment) wire.AccountAssignmentForPrincipal {
			return wire.AccountAssignmentForPrincipal{
				AccountId: &a.AccountID, PermissionSetArn: new(i.PermissionSetARN(a.PermissionSetID)),
				PrincipalType: new(string(a.Principal.Type)), PrincipalId: &a.Principal.ID,
			}
		}),
		NextToken: c.NextToken(next, filters...),
	}, err)
}
