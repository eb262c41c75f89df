package ssoadmin

import (
	"github.com/atrium-iam/atrium/internal/administrator"
	"github.com/atrium-iam/atrium/internal/assignment"
	wire "github.com/atrium-iam/atrium/internal/awsapi/ssoadmin"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/instance"
)

// ListInstances lists the instances that the caller's account may see.
func (Service) ListInstances(c Context, in *wire.ListInstancesRequest) (*wire.ListInstancesResponse, error) {
	page, err := c.Page(in.NextToken, in.MaxResults, pageSize)
	if err != nil {
		return nil, err
	}
	visible, err := instance.ListVisible(c.Tx, c.Caller.AccountID, page.After)
	next := ""
	if len(visible) > page.Limit {
		visible = visible[:page.Limit]
		next = visible[page.Limit-1].ID
	}
	return answer(&wire.ListInstancesResponse{Instances: each(visible, wireInstance), NextToken: c.NextToken(next)}, err)
}

// DescribeInstance describes an instance. As AWS documents, one that does not
// exist is told as a denial.
func (Service) DescribeInstance(c Context, in *wire.DescribeInstanceRequest) (*wire.DescribeInstanceResponse, error) {
	i, err := instance.ByARN(c.Tx, *in.InstanceArn)
	if err != nil {
		return nil, hidden(c, *in.InstanceArn, err)
	}
	m := wireInstance(i)
	return &wire.DescribeInstanceResponse{
		InstanceArn: m.InstanceArn, IdentityStoreId: m.IdentityStoreId, OwnerAccountId: m.OwnerAccountId,
		Name: m.Name, CreatedDate: m.CreatedDate, Status: m.Status,
	}, nil
}

// CreateInstance creates an account instance for the caller's account.
func (Service) CreateInstance(c Context, in *wire.CreateInstanceRequest) (*wire.CreateInstanceResponse, error) {
	i, err := instance.Create(c.Tx, c.Request.Time, c.IDs, instance.New{
		AccountID: c.Caller.AccountID, Region: c.Request.Region, Name: text(in.Name), Tags: tagsOf(in.Tags),
	})
	return answer(&wire.CreateInstanceResponse{InstanceArn: new(i.ARN())}, err)
}

// UpdateInstance renames an instance.
func (Service) UpdateInstance(c Context, in *wire.UpdateInstanceRequest) (*wire.UpdateInstanceResponse, error) {
	i, err := instance.ByARN(c.Tx, *in.InstanceArn)
	if err != nil {
		return nil, err
	}
	if e := in.EncryptionConfiguration; e != nil && (*e.KeyType != wire.KmsKeyTypeAwsOwnedKmsKey || e.KmsKeyArn != nil) {
		return nil, fault.New(fault.Invalid, "encryption", "Customer managed KMS keys are not supported. Use the key type %s without a key ARN.", wire.KmsKeyTypeAwsOwnedKmsKey)
	}
	if in.Name == nil {
		return &wire.UpdateInstanceResponse{}, nil
	}
	return answer(&wire.UpdateInstanceResponse{}, instance.Rename(c.Tx, i, *in.Name))
}

// DeleteInstance deletes an instance with its directory, and the access that it
// gave. Only the account that owns it may.
func (s Service) DeleteInstance(c Context, in *wire.DeleteInstanceRequest) (*wire.DeleteInstanceResponse, error) {
	i, err := instance.ByARN(c.Tx, *in.InstanceArn)
	if err != nil {
		return nil, hidden(c, *in.InstanceArn, err)
	}
	if c.Caller.AccountID != i.OwnerAccountID {
		return nil, denied(c, *in.InstanceArn, "only the account that owns the instance can delete it")
	}
	if err := s.StepUp.Proved(c.Tx, c.Request.Time, i, c.Caller, c.Op.Action); err != nil {
		return nil, err
	}
	from := administrator.Where{Address: c.Request.SourceIP, Client: c.Request.UserAgent}
	if err := s.Farewell.Say(c.Tx, c.Request.Time, i, c.Caller, from); err != nil {
		return nil, err
	}
	if err := assignment.Withdraw(c.Tx, i); err != nil {
		return nil, err
	}
	return answer(&wire.DeleteInstanceResponse{}, instance.Delete(c.Tx, i))
}

// hidden turns a not-found into the denial that the account gate has for an
// instance of others, so that nobody learns which instances exist.
func hidden(c Context, arn string, err error) error {
	if fault.Is(err, fault.NotFound) {
		return fault.New(fault.Denied, "", "User: %s is not authorized to perform: %s because the account %s neither owns this instance of IAM Identity Center nor is its delegated administrator",
			c.Caller.ARN, c.Op.Action, c.Caller.AccountID)
	}
	return err
}

// attributable returns an instance whose attributes for access control the
// caller may change. They become tags of everybody's sessions, so whoever sets
// them chooses what people may do: a delegated administrator may not while
// there is access to the management account, which owns the instance.
func attributable(c Context, arn string) (instance.Instance, error) {
	i, err := instance.ByARN(c.Tx, arn)
	if err != nil || c.Caller.AccountID == i.OwnerAccountID {
		return i, err
	}
	sets, _, err := assignment.ListPermissionSets(c.Tx, i, i.OwnerAccountID, "", "", 1)
	if err == nil && len(sets) > 0 {
		err = denied(c, arn, "a delegated administrator cannot change the attributes of sessions in the management account")
	}
	return i, err
}

// CreateInstanceAccessControlAttributeConfiguration enables attributes for
// access control.
func (Service) CreateInstanceAccessControlAttributeConfiguration(c Context, in *wire.CreateInstanceAccessControlAttributeConfigurationRequest) (*wire.CreateInstanceAccessControlAttributeConfigurationResponse, error) {
	i, err := attributable(c, *in.InstanceArn)
	if err != nil {
		return nil, err
	}
	return answer(&wire.CreateInstanceAccessControlAttributeConfigurationResponse{},
		instance.EnableAccessControl(c.Tx, i, attributesOf(in.InstanceAccessControlAttributeConfiguration)))
}

// UpdateInstanceAccessControlAttributeConfiguration replaces the attributes
// for access control.
func (Service) UpdateInstanceAccessControlAttributeConfiguration(c Context, in *wire.UpdateInstanceAccessControlAttributeConfigurationRequest) (*wire.UpdateInstanceAccessControlAttributeConfigurationResponse, error) {
	i, err := attributable(c, *in.InstanceArn)
	if err != nil {
		return nil, err
	}
	return answer(&wire.UpdateInstanceAccessControlAttributeConfigurationResponse{},
		instance.UpdateAccessControl(c.Tx, i, attributesOf(in.InstanceAccessControlAttributeConfiguration)))
}

// DescribeInstanceAccessControlAttributeConfiguration returns the attributes
// for access control.
func (Service) DescribeInstanceAccessControlAttributeConfiguration(c Context, in *wire.DescribeInstanceAccessControlAttributeConfigurationRequest) (*wire.DescribeInstanceAccessControlAttributeConfigurationResponse, error) {
	i, err := instance.ByARN(c.Tx, *in.InstanceArn)
	if err != nil {
		return nil, err
	}
	attributes, err := instance.AccessControl(c.Tx, i)
	return answer(&wire.DescribeInstanceAccessControlAttributeConfigurationResponse{
		Status: new(wire.InstanceAccessControlAttributeConfigurationStatusEnabled),
		InstanceAccessControlAttributeConfiguration: &wire.InstanceAccessControlAttributeConfiguration{
			AccessControlAttributes: each(attributes, func(a instance.AccessControlAttribute) wire.AccessControlAttribute {
				return wire.AccessControlAttribute{Key: &a.Key, Value: &wire.AccessControlAttributeValue{Source: []string{a.Source}}}
			}),
		},
	}, err)
}

// DeleteInstanceAccessControlAttributeConfiguration disables attributes for
// access control.
func (s Service) DeleteInstanceAccessControlAttributeConfiguration(c Context, in *wire.DeleteInstanceAccessControlAttributeConfigurationRequest) (*wire.DeleteInstanceAccessControlAttributeConfigurationResponse, error) {
	i, err := attributable(c, *in.InstanceArn)
	if err != nil {
		return nil, err
	}
	return answer(&wire.DeleteInstanceAccessControlAttributeConfigurationResponse{}, instance.DisableAccessControl(c.Tx, i))
}

func attributesOf(in *wire.InstanceAccessControlAttributeConfiguration) []instance.AccessControlAttribute {
	return each(in.AccessControlAttributes, func(a wire.AccessControlAttribute) instance.AccessControlAttribute {
		return instance.AccessControlAttribute{Key: *a.Key, Source: a.Value.Source[0]} // exactly one, says the model
	})
}
