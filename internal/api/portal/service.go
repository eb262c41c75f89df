// Package portal serves AWS's sso service, the API of the access portal: with
// an access token, a person's programs list the person's accounts and roles
// and get credentials for them.
package portal

import (
	"github.com/atrium-iam/atrium/internal/assignment"
	wire "github.com/atrium-iam/atrium/internal/awsapi/sso"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/epoch"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/oauth"
	"github.com/atrium-iam/atrium/internal/portal"
	"github.com/atrium-iam/atrium/internal/rolesession"
	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/wire/gateway"
)

// Tx is what the operations need of a transaction.
type Tx interface {
	gateway.Tx
	oauth.FamilyTx
	assignment.AccessReader
	directory.UserReader
	session.Reader
	instance.AccessControlReader
	epoch.Reader
}

// Context is what the operations run with.
type Context = *gateway.Context[Tx]

// Service implements all operations of sso.
type Service struct {
	// Tokens checks access tokens, Sessions makes credentials.
	Tokens   oauth.Keys
	Sessions rolesession.Keys
}

var _ wire.Service[Context] = Service{}

// pageSize is the number of items on a page when the caller names none; it is
// also the most that the model allows.
const pageSize = 100

// visitor is who calls, and from which instance of Identity Center and session
// at the access portal.
type visitor struct {
	instance instance.Instance // its ids at least
	session  session.Session
	// family is the login that the caller's token is of, "" of a page.
	family string
}

// visitor finds out who calls: whoever the access token was issued for or, in a
// call of the portal's own page, the person who is signed in.
func (s Service) visitor(c Context, token *string) (visitor, error) {
	if c.Caller.Kind == iam.KindIdentityCenterUser {
		v, err := portal.VisitorOf(c.Tx, c.Request.Time, c.Caller)
		return visitor{instance: v.Instance, session: v.Session}, err
	}
	if token == nil {
		token = new(string)
	}
	grant, err := oauth.VerifyAccessToken(c.Tx, c.Request.Time, s.Tokens, *token)
	if err != nil {
		return visitor{}, err
	}
	c.Identify(iam.IdentityCenterUser(grant.OwnerAccountID, grant.StoreID, grant.UserID, grant.SessionID))
	return visitor{
		instance: instance.Instance{ID: grant.InstanceID, IdentityStoreID: grant.StoreID, OwnerAccountID: grant.OwnerAccountID},
		session:  session.Session{ID: grant.SessionID, StoreID: grant.StoreID, UserID: grant.UserID, MFAAt: grant.MFAAt},
		family:   grant.FamilyID,
	}, nil
}

// ListAccounts lists the accounts that the person may use.
func (s Service) ListAccounts(c Context, in *wire.ListAccountsRequest) (*wire.ListAccountsResponse, error) {
	v, err := s.visitor(c, in.AccessToken)
	if err != nil {
		return nil, err
	}
	page, err := c.Page(in.NextToken, in.MaxResults, pageSize, v.session.UserID)
	if err != nil {
		return nil, err
	}
	accounts, next, err := assignment.AccountsOf(c.Tx, v.instance, v.session.UserID, page.After, page.Limit)
	if err != nil {
		return nil, err
	}
	out := &wire.ListAccountsResponse{NextToken: c.NextToken(next, v.session.UserID), AccountList: make([]wire.AccountInfo, len(accounts))}
	for n := range accounts {
		a := &accounts[n]
		out.AccountList[n] = wire.AccountInfo{AccountId: &a.ID, AccountName: &a.Name, EmailAddress: &a.Email}
	}
	return out, nil
}

// ListAccountRoles lists the roles that the person may use in an account, by
// the names of their permission sets.
func (s Service) ListAccountRoles(c Context, in *wire.ListAccountRolesRequest) (*wire.ListAccountRolesResponse, error) {
	v, err := s.visitor(c, in.AccessToken)
	if err != nil {
		return nil, err
	}
	page, err := c.Page(in.NextToken, in.MaxResults, pageSize, v.session.UserID, *in.AccountId)
	if err != nil {
		return nil, err
	}
	roles, next, err := assignment.RolesOf(c.Tx, v.instance, v.session.UserID, *in.AccountId, page.After, page.Limit)
	if err != nil {
		return nil, err
	}
	if len(roles) == 0 && page.After == "" {
		return nil, errNoAccess()
	}
	out := &wire.ListAccountRolesResponse{NextToken: c.NextToken(next, v.session.UserID, *in.AccountId), RoleList: make([]wire.RoleInfo, len(roles))}
	for n := range roles {
		r := &roles[n]
		out.RoleList[n] = wire.RoleInfo{AccountId: &r.AccountID, RoleName: &r.PermissionSetName}
	}
	return out, nil
}

// GetRoleCredentials opens a session of one of the person's roles.
func (s Service) GetRoleCredentials(c Context, in *wire.GetRoleCredentialsRequest) (*wire.GetRoleCredentialsResponse, error) {
	v, err := s.visitor(c, in.AccessToken)
	if err != nil {
		return nil, err
	}
	role, found, err := assignment.RoleOf(c.Tx, v.instance, v.session.UserID, *in.AccountId, *in.RoleName)
	if err == nil && !found {
		err = errNoAccess()
	}
	if err != nil {
		return nil, err
	}
	user, err := directory.UserByID(c.Tx, v.session.StoreID, v.session.UserID)
	if err != nil {
		return nil, err
	}
	attributes, _, err := c.Tx.AccessControlAttributes(v.instance.ID)
	if err != nil {
		return nil, err
	}
	tags, err := rolesession.SessionTags(attributes, user)
	if err != nil {
		return nil, err
	}
	change, err := c.Tx.Change()
	if err != nil {
		return nil, err
	}
	credentials, err := rolesession.Issue(s.Sessions, c.IDs, rolesession.ForPerson(c.Request.Time, change, rolesession.Access{
		User: user, Role: role, PortalSessionID: v.session.ID, MFAAt: v.session.MFAAt, Tags: tags,
	}))
	if err != nil {
		return nil, err
	}
	return &wire.GetRoleCredentialsResponse{RoleCredentials: &wire.RoleCredentials{
		AccessKeyId: &credentials.AccessKeyID, SecretAccessKey: &credentials.SecretAccessKey,
		SessionToken: &credentials.SessionToken, Expiration: new(credentials.ExpiresAt.UnixMilli()),
	}}, nil
}

// Logout ends the login that the access token is of: this token, its
// predecessors and its refresh token. Sessions of roles go on, as in AWS.
func (s Service) Logout(c Context, in *wire.LogoutRequest) (*wire.LogoutOutput, error) {
	v, err := s.visitor(c, in.AccessToken)
	if err != nil {
		return nil, err
	}
	return &wire.LogoutOutput{}, oauth.Revoke(c.Tx, v.family)
}

// errNoAccess refuses a role or account that the person may not use, or that
// does not exist: AWS does not tell which.
func errNoAccess() error { return fault.New(fault.Denied, "", "No access") }
