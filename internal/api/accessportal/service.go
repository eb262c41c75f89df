// Package accessportal serves what the pages of the AWS access portal ask for
// beside AWS's sso service: who is signed in where, accounts as administrators
// have them look, and what people paste. Only those pages call it.
package accessportal

import (
	"github.com/atrium-iam/atrium/internal/assignment"
	"github.com/atrium-iam/atrium/internal/authsettings"
	wire "github.com/atrium-iam/atrium/internal/awsapi/portal"
	"github.com/atrium-iam/atrium/internal/clientenv"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/portal"
	"github.com/atrium-iam/atrium/internal/wire/gateway"
)

// Tx is what the operations need of a transaction.
type Tx interface {
	gateway.Tx
	portal.VisitorTx
	portal.AccountsReader
	portal.DestinationReader
	instance.AliasReader
	assignment.AccessReader
	authsettings.Reader
}

// Context is what the operations run with.
type Context = *gateway.Context[Tx]

// Service implements the operations.
type Service struct {
	// Endpoints are what people configure their clients with.
	Endpoints clientenv.Endpoints
	// Files are those that clients on this machine need besides.
	Files clientenv.Files
}

var _ wire.Service[Context] = Service{}

// pageSize is the number of accounts on a page when the caller names none.
const pageSize = 100

// issuers is what AWS's issuer URLs begin with; the instance's id follows.
const issuers = "https://identitycenter.amazonaws.com/"

// maxProfiles is how many profiles a configuration has at most.
const maxProfiles = 20_000

// DescribePortal tells who is signed in, where, and until when.
func (s Service) DescribePortal(c Context, _ *wire.DescribePortalInput) (*wire.DescribePortalResponse, error) {
	v, err := portal.VisitorOf(c.Tx, c.Request.Time, c.Caller)
	if err != nil {
		return nil, err
	}
	settings, err := authsettings.Of(c.Tx, v.Instance.IdentityStoreID)
	if err != nil {
		return nil, err
	}
	destinations, err := c.Tx.PortalDestinations(v.Instance.ID)
	if err != nil {
		return nil, err
	}
	startURL, err := instance.PortalURL(c.Tx, v.Instance)
	if err != nil {
		return nil, err
	}
	if destinations == nil {
		destinations = []string{}
	}
	return &wire.DescribePortalResponse{
		User: personOf(v.User), Instance: &wire.PortalInstance{
			InstanceArn: new(v.Instance.ARN()), IdentityStoreId: &v.Instance.IdentityStoreID, Name: optional(v.Instance.Name),
		},
		Region: &v.Instance.Region, StartUrl: &startURL, PortalUrl: new(s.Endpoints.People + "/start"),
		IssuerUrl: new(issuers + v.Instance.ID), Contact: optional(settings.Contact), Destinations: destinations,
		SessionExpiration: new(v.Session.ExpiresAt.UnixMilli()),
	}, nil
}

func personOf(u directory.User) *wire.PortalUser {
	p := &wire.PortalUser{UserId: &u.ID, UserName: &u.UserName, DisplayName: &u.DisplayName}
	if len(u.Emails) > 0 {
		p.EmailAddress = optional(u.Emails[0].Value)
	}
	return p
}

// optional is a text, nil for "".
func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// ListPortalAccounts lists the accounts that the person may use, with the
// labels and colours that administrators gave them.
func (s Service) ListPortalAccounts(c Context, in *wire.ListPortalAccountsRequest) (*wire.ListPortalAccountsResponse, error) {
	v, err := portal.VisitorOf(c.Tx, c.Request.Time, c.Caller)
	if err != nil {
		return nil, err
	}
	page, err := c.Page(in.NextToken, in.MaxResults, pageSize, v.User.ID)
	if err != nil {
		return nil, err
	}
	accounts, next, err := portal.Accounts(c.Tx, v, page.After, page.Limit)
	if err != nil {
		return nil, err
	}
	out := &wire.ListPortalAccountsResponse{NextToken: c.NextToken(next, v.User.ID), AccountList: make([]wire.PortalAccount, len(accounts))}
	for n := range accounts {
		a := &accounts[n]
		out.AccountList[n] = wire.PortalAccount{
			AccountId: &a.ID, AccountName: &a.Name, EmailAddress: &a.Email, Label: optional(a.Label), Color: new(string(a.Color)),
		}
	}
	return out, nil
}

// GetConfiguration returns the AWS configuration for all that the person may
// use.
func (s Service) GetConfiguration(c Context, _ *wire.GetConfigurationInput) (*wire.GetConfigurationResponse, error) {
	v, err := portal.VisitorOf(c.Tx, c.Request.Time, c.Caller)
	if err != nil {
		return nil, err
	}
	roles, err := c.Tx.AllRolesOfUser(v.Instance, v.User.ID, maxProfiles)
	if err != nil {
		return nil, err
	}
	config, err := s.config(c, v)
	if err != nil {
		return nil, err
	}
	for _, r := range roles {
		config.Roles = append(config.Roles, clientenv.Role{AccountID: r.AccountID, Name: r.PermissionSetName})
	}
	text, err := config.Config()
	if err != nil {
		return nil, err
	}
	return &wire.GetConfigurationResponse{Configuration: &text}, nil
}

// GetAccessTexts returns what the person pastes to use a role. The texts hold
// the places of credentials, and no credentials.
func (s Service) GetAccessTexts(c Context, in *wire.GetAccessTextsRequest) (*wire.GetAccessTextsResponse, error) {
	v, err := portal.VisitorOf(c.Tx, c.Request.Time, c.Caller)
	if err != nil {
		return nil, err
	}
	_, found, err := assignment.RoleOf(c.Tx, v.Instance, v.User.ID, *in.AccountId, *in.RoleName)
	if err == nil && !found {
		err = fault.New(fault.Denied, "", "No access")
	}
	if err != nil {
		return nil, err
	}
	config, err := s.config(c, v)
	if err != nil {
		return nil, err
	}
	a, err := config.Access(clientenv.Role{AccountID: *in.AccountId, Name: *in.RoleName})
	if err != nil {
		return nil, err
	}
	return &wire.GetAccessTextsResponse{
		ProfileName: &a.Profile, Configuration: &a.Config, Commands: &a.Commands,
		Bash: &a.Bash, PowerShell: &a.PowerShell, CommandPrompt: &a.CommandPrompt, CredentialsFile: &a.CredentialsFile,
	}, nil
}

// config is what the person's clients need, without roles.
func (s Service) config(c Context, v portal.Visitor) (clientenv.Portal, error) {
	startURL, err := instance.PortalURL(c.Tx, v.Instance)
	return clientenv.ForPerson(v.User.UserName, startURL, v.Instance.Region, s.Endpoints, s.Files), err
}
