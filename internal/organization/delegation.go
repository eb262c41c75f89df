package organization

import (
	"regexp"
	"time"
)

// IdentityCenter is the service principal of IAM Identity Center.
const IdentityCenter = "sso.amazonaws.com"

// ServiceAccess is a service trusted in an organization.
type ServiceAccess struct {
	// ServicePrincipal is a name such as sso.amazonaws.com.
	ServicePrincipal string
	Enabled          time.Time
}

// Delegation is a service that an account administers for its organization.
type Delegation struct {
	ServicePrincipal string
	Enabled          time.Time
}

// DelegatedAdministrator is an account that administers at least one service.
type DelegatedAdministrator struct {
	Account
	// Enabled is when the account was first registered, for the service that
	// was asked about or for any.
	Enabled time.Time
}

// EnableServiceAccess makes a service trusted in o. Doing it again keeps the
// first date.
func EnableServiceAccess(tx DelegationTx, now time.Time, o Organization, servicePrincipal string) error {
	if err := checkService(servicePrincipal); err != nil {
		return err
	}
	if err := requireAllFeatures(o); err != nil {
		return err
	}
	enabled, err := tx.ServiceAccessEnabled(o.ID, servicePrincipal)
	if err != nil || enabled {
		return err
	}
	return tx.InsertServiceAccess(o.ID, ServiceAccess{ServicePrincipal: servicePrincipal, Enabled: now})
}

// DisableServiceAccess takes the trust back. A service that was not trusted
// is no error; one that still has a delegated administrator is.
func DisableServiceAccess(tx DelegationTx, o Organization, servicePrincipal string) error {
	if err := checkService(servicePrincipal); err != nil {
		return err
	}
	admins, err := tx.DelegatedAdministrators(o.ID, servicePrincipal, "", 1)
	if err != nil {
		return err
	}
	if len(admins) > 0 {
		return violation(reasonDelegationExists, "You must deregister all delegated administrators of the service before you disable its access.")
	}
	return tx.DeleteServiceAccess(o.ID, servicePrincipal)
}

// ListServiceAccess returns a page of the services trusted in o and where the
// next one starts.
func ListServiceAccess(tx DelegationTx, o Organization, after string, limit int) ([]ServiceAccess, string, error) {
	items, err := tx.ServiceAccesses(o.ID, after, limit+1)
	return page(items, err, limit, func(s ServiceAccess) string { return s.ServicePrincipal })
}

// RegisterDelegatedAdministrator makes a member account administrator of a
// trusted service. IAM Identity Center has one at most.
func RegisterDelegatedAdministrator(tx DelegationTx, now time.Time, o Organization, accountID, servicePrincipal string) error {
	if err := checkService(servicePrincipal); err != nil {
		return err
	}
	a, err := MemberAccount(tx, o, accountID)
	if err != nil {
		return err
	}
	switch {
	case accountID == o.ManagementAccountID:
		return violation(reasonRegisterManagement, "You cannot register management account/yourself as delegated administrator for your organization.")
	case !a.Active():
		return violation(reasonRegisterSuspended, "You cannot register a suspended account as delegated administrator for your organization.")
	}
	enabled, err := tx.ServiceAccessEnabled(o.ID, servicePrincipal)
	if err != nil {
		return err
	}
	if !enabled {
		return violation(reasonServiceNotEnabled, "You must enable service access for "+servicePrincipal+" before you register a delegated administrator.")
	}
	registered, err := tx.DelegationExists(o.ID, accountID, servicePrincipal)
	if err != nil {
		return err
	}
	if registered {
		return alreadyRegistered()
	}
	if err := checkDelegationLimit(tx, o, servicePrincipal); err != nil {
		return err
	}
	return tx.InsertDelegation(o.ID, accountID, Delegation{ServicePrincipal: servicePrincipal, Enabled: now})
}

func checkDelegationLimit(tx DelegationTx, o Organization, servicePrincipal string) error {
	if servicePrincipal != IdentityCenter {
		return nil
	}
	admins, err := tx.DelegatedAdministrators(o.ID, servicePrincipal, "", 1)
	if err == nil && len(admins) > 0 {
		return exceeded(reasonDelegationLimit, "You have exceeded the allowed number of delegated administrators for the delegated service.")
	}
	return err
}

// DeregisterDelegatedAdministrator takes the administration of a service back.
func DeregisterDelegatedAdministrator(tx DelegationTx, o Organization, accountID, servicePrincipal string) error {
	if err := checkService(servicePrincipal); err != nil {
		return err
	}
	if _, err := MemberAccount(tx, o, accountID); err != nil {
		return err
	}
	registered, err := tx.DelegationExists(o.ID, accountID, servicePrincipal)
	if err != nil {
		return err
	}
	if !registered {
		return notRegistered()
	}
	return tx.DeleteDelegation(o.ID, accountID, servicePrincipal)
}

// IsDelegatedAdministrator reports whether accountID is a member of orgID
// that is in use and administers servicePrincipal, or any service when that
// is empty.
func IsDelegatedAdministrator(tx DelegationReader, orgID, accountID, servicePrincipal string) (bool, error) {
	a, found, err := tx.AccountByID(accountID)
	if err != nil || !found || a.OrganizationID != orgID || !a.Active() {
		return false, err
	}
	if servicePrincipal != "" {
		return tx.DelegationExists(orgID, accountID, servicePrincipal)
	}
	services, err := tx.DelegatedServices(orgID, accountID, "", 1)
	return len(services) > 0, err
}

// ListDelegatedAdministrators returns a page of the accounts that administer
// servicePrincipal (any service, when empty) and where the next one starts.
func ListDelegatedAdministrators(tx DelegationTx, o Organization, servicePrincipal, after string, limit int) ([]DelegatedAdministrator, string, error) {
	if servicePrincipal != "" {
		if err := checkService(servicePrincipal); err != nil {
			return nil, "", err
		}
	}
	items, err := tx.DelegatedAdministrators(o.ID, servicePrincipal, after, limit+1)
	return page(items, err, limit, func(d DelegatedAdministrator) string { return d.ID })
}

// ListDelegatedServicesForAccount returns a page of the services that
// accountID administers and where the next one starts. An account that
// administers none is refused.
func ListDelegatedServicesForAccount(tx DelegationTx, o Organization, accountID, after string, limit int) ([]Delegation, string, error) {
	if _, err := MemberAccount(tx, o, accountID); err != nil {
		return nil, "", err
	}
	items, err := tx.DelegatedServices(o.ID, accountID, after, limit+1)
	if err == nil && len(items) == 0 && after == "" {
		err = notRegistered()
	}
	return page(items, err, limit, func(d Delegation) string { return d.ServicePrincipal })
}

var servicePrincipalForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*\.amazonaws\.com$`)

// checkService refuses what cannot be a service principal. AWS knows its
// services by name; here any name of their form will do.
func checkService(servicePrincipal string) error {
	if len(servicePrincipal) > 128 || !servicePrincipalForm.MatchString(servicePrincipal) {
		return invalid(reasonUnknownService, "You specified an unrecognized service principal.")
	}
	return nil
}
