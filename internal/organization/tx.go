package organization

import "github.com/atrium-iam/atrium/internal/iam"

// AccountReader is what other domains and the gateway read.
type AccountReader interface {
	// AccountByID returns an account with its membership, if it has one.
	AccountByID(id string) (Account, bool, error)
	// OrganizationOfAccount returns the organization accountID is a member of.
	OrganizationOfAccount(accountID string) (Organization, bool, error)
}

// DelegationReader tells who administers a service.
type DelegationReader interface {
	AccountReader
	// DelegatedServices returns what accountID is delegated administrator of,
	// in the order of service principals after the given one.
	DelegatedServices(orgID, accountID, after string, limit int) ([]Delegation, error)
	// DelegationExists reports whether accountID is the delegated
	// administrator of servicePrincipal.
	DelegationExists(orgID, accountID, servicePrincipal string) (bool, error)
}

// AccountTx is what the life of accounts needs.
type AccountTx interface {
	AccountReader
	// AccountEmailTaken reports whether an account has the e-mail address,
	// compared in lower case.
	AccountEmailTaken(email string) (bool, error)
	InsertAccount(Account) error
	UpdateAccountState(id string, state State) error

	// Members returns the accounts of an organization in the order of their
	// ids, after the given one. An empty parentID means the whole tree.
	Members(orgID, parentID, after string, limit int) ([]Account, error)
	CountMembers(orgID string) (int, error)
	InsertMember(Member) error
	UpdateMemberParent(orgID, accountID, parentID string) error
	DeleteMember(orgID, accountID string) error
	// RevokeAccount ends all sessions in an account.
	RevokeAccount(accountID string) error
}

// TreeTx is what the tree of containers needs.
type TreeTx interface {
	// ContainerByID returns a root or organizational unit of the organization.
	ContainerByID(orgID, id string) (Container, bool, error)
	// OrganizationalUnits returns the units under parentID in the order of
	// their ids, after the given one.
	OrganizationalUnits(orgID, parentID, after string, limit int) ([]Container, error)
	OrganizationalUnitNameTaken(orgID, parentID, name string) (bool, error)
	CountOrganizationalUnits(orgID string) (int, error)
	InsertContainer(Container) error
	RenameOrganizationalUnit(orgID, id, name string) error
	DeleteOrganizationalUnit(orgID, id string) error
}

// CreationTx is what requests to create an account need.
type CreationTx interface {
	CreateAccountRequestByID(orgID, id string) (CreateAccountRequest, bool, error)
	// CreateAccountRequests returns the requests in one of states (any, when
	// empty), in the order of their ids, after the given one.
	CreateAccountRequests(orgID string, states []CreateState, after string, limit int) ([]CreateAccountRequest, error)
	InsertCreateAccountRequest(orgID string, r CreateAccountRequest) error
}

// DelegationTx is what trusted services and delegated administrators need.
type DelegationTx interface {
	DelegationReader
	// ServiceAccesses returns the trusted services in the order of their
	// principals, after the given one.
	ServiceAccesses(orgID, after string, limit int) ([]ServiceAccess, error)
	ServiceAccessEnabled(orgID, servicePrincipal string) (bool, error)
	InsertServiceAccess(orgID string, s ServiceAccess) error
	DeleteServiceAccess(orgID, servicePrincipal string) error

	// DelegatedAdministrators returns the accounts that administer
	// servicePrincipal (any service, when empty) with the earliest date, in
	// the order of account ids after the given one.
	DelegatedAdministrators(orgID, servicePrincipal, after string, limit int) ([]DelegatedAdministrator, error)
	InsertDelegation(orgID, accountID string, d Delegation) error
	DeleteDelegation(orgID, accountID, servicePrincipal string) error
}

// TagTx is what tags need.
type TagTx interface {
	// OrganizationTags returns the tags of an account, root or unit in the
	// order of their keys.
	OrganizationTags(orgID, resourceID string) ([]Tag, error)
	PutOrganizationTag(orgID, resourceID string, t Tag) error
	DeleteOrganizationTag(orgID, resourceID, key string) error
	DeleteOrganizationTags(orgID, resourceID string) error
}

// Tx is the store as this package sees it whole.
type Tx interface {
	AccountTx
	TreeTx
	CreationTx
	DelegationTx
	TagTx
	iam.RoleTx
	InsertOrganization(Organization) error
	// DeleteOrganization deletes the organization and all that hangs on it
	// but the accounts.
	DeleteOrganization(id string) error
}
