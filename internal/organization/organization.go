// Package organization is the domain of AWS Organizations: accounts, the
// organization they belong to, its tree of organizational units, the services
// trusted in it and the accounts that administer them.
//
// It is also the system's table of accounts: an account exists before there
// is an organization (a standalone account) and after it has left one.
//
// Functions work inside one transaction, given as one of the small Tx
// interfaces, and return *fault.Error worded as AWS words it. Which account
// may call what is decided before: see OfAccount and IsDelegatedAdministrator.
package organization

import (
	"time"

	"github.com/atrium-iam/atrium/internal/ident"
)

// FeatureSet is what an organization can do.
type FeatureSet string

// The feature sets.
const (
	AllFeatures         FeatureSet = "ALL"
	ConsolidatedBilling FeatureSet = "CONSOLIDATED_BILLING"
)

// RootName is the name of every organization's root, as in AWS.
const RootName = "Root"

// Organization is a set of accounts under one management account.
type Organization struct {
	// ID has the form o-xxxxxxxxxx.
	ID string
	// ManagementAccountID is the account that created the organization and
	// may change it.
	ManagementAccountID string
	// RootID (r-xxxx) is the container at the top of the tree.
	RootID     string
	FeatureSet FeatureSet
	Created    time.Time
}

// ARN returns the organization's ARN.
func (o Organization) ARN() string { return o.arn("organization", o.ID) }

// AccountARN returns the ARN of the member account accountID. Like every ARN
// of an organization it names the management account as owner.
func (o Organization) AccountARN(accountID string) string {
	return o.arn("account", o.ID+"/"+accountID)
}

// ContainerARN returns the ARN of a root or organizational unit.
func (o Organization) ContainerARN(c Container) string {
	if c.IsRoot() {
		return o.arn("root", o.ID+"/"+c.ID)
	}
	return o.arn("ou", o.ID+"/"+c.ID)
}

func (o Organization) arn(kind, id string) string {
	return "arn:aws:organizations::" + o.ManagementAccountID + ":" + kind + "/" + id
}

// CreateOrganization makes the standalone account managementAccountID the
// management account of a new organization. An empty featureSet means ALL.
func CreateOrganization(tx Tx, now time.Time, ids ident.Source, managementAccountID string, featureSet FeatureSet) (Organization, error) {
	account, found, err := tx.AccountByID(managementAccountID)
	if err != nil {
		return Organization{}, err
	}
	if !found || !account.Active() {
		return Organization{}, accountNotFound()
	}
	if account.OrganizationID != "" {
		return Organization{}, alreadyInOrganization()
	}
	if featureSet == "" {
		featureSet = AllFeatures
	}
	o := Organization{
		ID: ids.OrganizationID(), RootID: ids.RootID(), ManagementAccountID: account.ID,
		FeatureSet: featureSet, Created: now,
	}
	if err := tx.InsertOrganization(o); err != nil {
		return Organization{}, err
	}
	root := Container{OrganizationID: o.ID, ID: o.RootID, Name: RootName, Path: o.ID + "/" + o.RootID + "/", Created: now}
	if err := tx.InsertContainer(root); err != nil {
		return Organization{}, err
	}
	// AWS shows the management account as INVITED.
	return o, tx.InsertMember(Member{OrganizationID: o.ID, AccountID: account.ID, ParentID: o.RootID, JoinedMethod: Invited, Joined: now})
}

// OfAccount returns the organization that accountID belongs to; false when
// the account is standalone or does not exist.
func OfAccount(tx AccountReader, accountID string) (Organization, bool, error) {
	return tx.OrganizationOfAccount(accountID)
}

// Required is OfAccount for operations that need an organization: it answers
// AWSOrganizationsNotInUseException when there is none.
func Required(tx AccountReader, accountID string) (Organization, error) {
	o, found, err := tx.OrganizationOfAccount(accountID)
	if err != nil {
		return Organization{}, err
	}
	if !found {
		return Organization{}, NotInUse()
	}
	return o, nil
}

// DeleteOrganization deletes o with its tree, requests, trusted services and
// tags; the management account becomes standalone. It must be the last
// account.
func DeleteOrganization(tx Tx, o Organization) error {
	n, err := tx.CountMembers(o.ID)
	if err != nil {
		return err
	}
	if n > 1 {
		return organizationNotEmpty()
	}
	return tx.DeleteOrganization(o.ID)
}
