package organizations

import (
	wire "github.com/atrium-iam/atrium/internal/awsapi/organizations"
	"github.com/atrium-iam/atrium/internal/organization"
	"github.com/atrium-iam/atrium/internal/wire/gateway"
)

// EnableAWSServiceAccess makes a service trusted in the organization.
func (Service) EnableAWSServiceAccess(c *gateway.Context[Tx], in *wire.EnableAWSServiceAccessRequest) (*wire.EnableAWSServiceAccessOutput, error) {
	o, err := own(c)
	if err != nil {
		return nil, err
	}
	return answer(&wire.EnableAWSServiceAccessOutput{},
		organization.EnableServiceAccess(c.Tx, c.Request.Time, o, *in.ServicePrincipal))
}

// DisableAWSServiceAccess takes the trust in a service back.
func (Service) DisableAWSServiceAccess(c *gateway.Context[Tx], in *wire.DisableAWSServiceAccessRequest) (*wire.DisableAWSServiceAccessOutput, error) {
	o, err := own(c)
	if err != nil {
		return nil, err
	}
	return answer(&wire.DisableAWSServiceAccessOutput{}, organization.DisableServiceAccess(c.Tx, o, *in.ServicePrincipal))
}

// ListAWSServiceAccessForOrganization lists the trusted services.
func (Service) ListAWSServiceAccessForOrganization(c *gateway.Context[Tx], in *wire.ListAWSServiceAccessForOrganizationRequest) (*wire.ListAWSServiceAccessForOrganizationResponse, error) {
	o, page, err := ownPage(c, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	services, next, err := organization.ListServiceAccess(c.Tx, o, page.After, page.Limit)
	return answer(&wire.ListAWSServiceAccessForOrganizationResponse{
		EnabledServicePrincipals: each(services, func(s organization.ServiceAccess) wire.EnabledServicePrincipal {
			return wire.EnabledServicePrincipal{ServicePrincipal: &s.ServicePrincipal, DateEnabled: moment(s.Enabled)}
		}),
		NextToken: c.NextToken(next),
	}, err)
}

// RegisterDelegatedAdministrator makes an account administrator of a service.
func (Service) RegisterDelegatedAdministrator(c *gateway.Context[Tx], in *wire.RegisterDelegatedAdministratorRequest) (*wire.RegisterDelegatedAdministratorOutput, error) {
	o, err := own(c)
	if err != nil {
		return nil, err
	}
	return answer(&wire.RegisterDelegatedAdministratorOutput{},
		organization.RegisterDelegatedAdministrator(c.Tx, c.Request.Time, o, *in.AccountId, *in.ServicePrincipal))
}

// DeregisterDelegatedAdministrator takes the administration back.
func (Service) DeregisterDelegatedAdministrator(c *gateway.Context[Tx], in *wire.DeregisterDelegatedAdministratorRequest) (*wire.DeregisterDelegatedAdministratorOutput, error) {
	o, err := own(c)
	if err != nil {
		return nil, err
	}
	return answer(&wire.DeregisterDelegatedAdministratorOutput{},
		organization.DeregisterDelegatedAdministrator(c.Tx, o, *in.AccountId, *in.ServicePrincipal))
}

// ListDelegatedAdministrators lists the accounts that administer a service,
// or any service.
func (Service) ListDelegatedAdministrators(c *gateway.Context[Tx], in *wire.ListDelegatedAdministratorsRequest) (*wire.ListDelegatedAdministratorsResponse, error) {
	service := text(in.ServicePrincipal)
	o, page, err := ownPage(c, in.NextToken, in.MaxResults, service)
	if err != nil {
		return nil, err
	}
	admins, next, err := organization.ListDelegatedAdministrators(c.Tx, o, service, page.After, page.Limit)
	return answer(&wire.ListDelegatedAdministratorsResponse{
		DelegatedAdministrators: each(admins, func(d organization.DelegatedAdministrator) wire.DelegatedAdministrator {
			return wireAdministrator(o, d)
		}),
		NextToken: c.NextToken(next, service),
	}, err)
}

// ListDelegatedServicesForAccount lists the services that an account
// administers.
func (Service) ListDelegatedServicesForAccount(c *gateway.Context[Tx], in *wire.ListDelegatedServicesForAccountRequest) (*wire.ListDelegatedServicesForAccountResponse, error) {
	o, page, err := ownPage(c, in.NextToken, in.MaxResults, *in.AccountId)
	if err != nil {
		return nil, err
	}
	services, next, err := organization.ListDelegatedServicesForAccount(c.Tx, o, *in.AccountId, page.After, page.Limit)
	return answer(&wire.ListDelegatedServicesForAccountResponse{
		DelegatedServices: each(services, func(d organization.Delegation) wire.DelegatedService {
			return wire.DelegatedService{ServicePrincipal: &d.ServicePrincipal, DelegationEnabledDate: moment(d.Enabled)}
		}),
		NextToken: c.NextToken(next, *in.AccountId),
	}, err)
}
