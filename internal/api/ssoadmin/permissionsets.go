package ssoadmin

import (
	wire "github.com/atrium-iam/atrium/internal/awsapi/ssoadmin"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/permissionset"
)

// CreatePermissionSet creates a permission set.
func (Service) CreatePermissionSet(c Context, in *wire.CreatePermissionSetRequest) (*wire.CreatePermissionSetResponse, error) {
	i, err := instance.ByARN(c.Tx, *in.InstanceArn)
	if err != nil {
		return nil, err
	}
	s, err := permissionset.Create(c.Tx, c.Request.Time, c.IDs, i, permissionset.New{
		Name: *in.Name, Description: text(in.Description), SessionDuration: text(in.SessionDuration),
		RelayState: text(in.RelayState), Tags: tagsOf(in.Tags),
	})
	return answer(&wire.CreatePermissionSetResponse{PermissionSet: wirePermissionSet(i, s)}, err)
}

// DescribePermissionSet describes a permission set.
func (Service) DescribePermissionSet(c Context, in *wire.DescribePermissionSetRequest) (*wire.DescribePermissionSetResponse, error) {
	i, s, err := permissionSet(c, in.InstanceArn, in.PermissionSetArn)
	return answer(&wire.DescribePermissionSetResponse{PermissionSet: wirePermissionSet(i, s)}, err)
}

// UpdatePermissionSet changes attributes of a permission set.
func (Service) UpdatePermissionSet(c Context, in *wire.UpdatePermissionSetRequest) (*wire.UpdatePermissionSetResponse, error) {
	return answer(&wire.UpdatePermissionSetResponse{}, edit(c, in.InstanceArn, in.PermissionSetArn, func(s permissionset.PermissionSet) error {
		return permissionset.Update(c.Tx, s, permissionset.Change{
			Description: in.Description, SessionDuration: in.SessionDuration, RelayState: in.RelayState,
		})
	}))
}

// DeletePermissionSet deletes a permission set that is not assigned.
func (Service) DeletePermissionSet(c Context, in *wire.DeletePermissionSetRequest) (*wire.DeletePermissionSetResponse, error) {
	i, s, err := editable(c, in.InstanceArn, in.PermissionSetArn)
	if err != nil {
		return nil, err
	}
	return answer(&wire.DeletePermissionSetResponse{}, permissionset.Delete(c.Tx, i, s))
}

// ListPermissionSets lists the ARNs of an instance's permission sets.
func (Service) ListPermissionSets(c Context, in *wire.ListPermissionSetsRequest) (*wire.ListPermissionSetsResponse, error) {
	i, err := instance.ByARN(c.Tx, *in.InstanceArn)
	if err != nil {
		return nil, err
	}
	page, err := c.Page(in.NextToken, in.MaxResults, pageSize, i.ID)
	if err != nil {
		return nil, err
	}
	ids, next, err := permissionset.List(c.Tx, i, page.After, page.Limit)
	return answer(&wire.ListPermissionSetsResponse{PermissionSets: permissionSetARNs(i, ids), NextToken: c.NextToken(next, i.ID)}, err)
}

// taggable checks that the resource exists and returns its instance. It must
// lie in the instance that the request names, if it names one. find finds a
// permission set: permissionSet or editable.
func taggable(c Context, instanceARN, arn *string, find func(c Context, instanceARN, arn *string) (instance.Instance, permissionset.PermissionSet, error)) (instance.Instance, error) {
	i, found, err := c.Tx.InstanceByID(instance.IDOfARN(*arn))
	if err != nil {
		return i, err
	}
	if !found || (instanceARN != nil && *instanceARN != i.ARN()) {
		return i, fault.New(fault.NotFound, "resource", "Could not find the resource %s", *arn).WithResource("RESOURCE", *arn)
	}
	if *arn == i.ARN() {
		return i, nil
	}
	_, _, err = find(c, new(i.ARN()), arn)
	return i, err
}

// TagResource puts tags on an instance or a permission set.
func (Service) TagResource(c Context, in *wire.TagResourceRequest) (*wire.TagResourceResponse, error) {
	i, err := taggable(c, in.InstanceArn, in.ResourceArn, editable)
	if err != nil {
		return nil, err
	}
	return answer(&wire.TagResourceResponse{}, instance.TagResource(c.Tx, i.ID, *in.ResourceArn, tagsOf(in.Tags)))
}

// UntagResource takes tags off an instance or a permission set.
func (Service) UntagResource(c Context, in *wire.UntagResourceRequest) (*wire.UntagResourceResponse, error) {
	if _, err := taggable(c, in.InstanceArn, in.ResourceArn, editable); err != nil {
		return nil, err
	}
	return answer(&wire.UntagResourceResponse{}, instance.UntagResource(c.Tx, *in.ResourceArn, in.TagKeys))
}

// ListTagsForResource lists the tags of an instance or a permission set.
func (Service) ListTagsForResource(c Context, in *wire.ListTagsForResourceRequest) (*wire.ListTagsForResourceResponse, error) {
	if _, err := taggable(c, in.InstanceArn, in.ResourceArn, permissionSet); err != nil {
		return nil, err
	}
	page, err := c.Page(in.NextToken, nil, pageSize, *in.ResourceArn)
	if err != nil {
		return nil, err
	}
	tags, next, err := instance.ListTags(c.Tx, *in.ResourceArn, page.After, page.Limit)
	return answer(&wire.ListTagsForResourceResponse{Tags: each(tags, wireTag), NextToken: c.NextToken(next, *in.ResourceArn)}, err)
}
