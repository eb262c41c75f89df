package store

import "github.com/atrium-iam/atrium/internal/organization"

// ServiceAccesses is part of organization.DelegationTx.
func (t *Tx) ServiceAccesses(orgID, after string, limit int) (services []organization.ServiceAccess, err error) {
	err = t.rows(`SELECT service_principal, enabled_at FROM organization_service
		WHERE organization_id = $1 AND service_principal > $2 ORDER BY service_principal LIMIT CAST($3 AS BIGINT)`,
		[]any{orgID, after, limit}, func(scan func(...any) error) error {
			var s organization.ServiceAccess
			var enabled int64
			err := scan(&s.ServicePrincipal, &enabled)
			s.Enabled = millis(enabled)
			services = append(services, s)
			return err
		})
	return services, err
}

// ServiceAccessEnabled is part of organization.DelegationTx.
func (t *Tx) ServiceAccessEnabled(orgID, servicePrincipal string) (bool, error) {
	return t.exists(`SELECT 1 FROM organization_service WHERE organization_id = $1 AND service_principal = $2`,
		orgID, servicePrincipal)
}

// InsertServiceAccess is part of organization.DelegationTx.
func (t *Tx) InsertServiceAccess(orgID string, s organization.ServiceAccess) error {
	_, err := t.exec(`INSERT INTO organization_service (organization_id, service_principal, enabled_at) VALUES ($1, $2, $3)`,
		orgID, s.ServicePrincipal, unixMillis(s.Enabled))
	return err
}

// DeleteServiceAccess is part of organization.DelegationTx.
func (t *Tx) DeleteServiceAccess(orgID, servicePrincipal string) error {
	_, err := t.exec(`DELETE FROM organization_service WHERE organization_id = $1 AND service_principal = $2`,
		orgID, servicePrincipal)
	return err
}

// DelegatedServices is part of organization.DelegationReader.
func (t *Tx) DelegatedServices(orgID, accountID, after string, limit int) (services []organization.Delegation, err error) {
	err = t.rows(`SELECT service_principal, enabled_at FROM delegated_administrator
		WHERE organization_id = $1 AND account_id = $2 AND service_principal > $3
		ORDER BY service_principal LIMIT CAST($4 AS BIGINT)`,
		[]any{orgID, accountID, after, limit}, func(scan func(...any) error) error {
			var d organization.Delegation
			var enabled int64
			err := scan(&d.ServicePrincipal, &enabled)
			d.Enabled = millis(enabled)
			services = append(services, d)
			return err
		})
	return services, err
}

// DelegationExists is part of organization.DelegationReader.
func (t *Tx) DelegationExists(orgID, accountID, servicePrincipal string) (bool, error) {
	return t.exists(`SELECT 1 FROM delegated_administrator
		WHERE organization_id = $1 AND account_id = $2 AND service_principal = $3`, orgID, accountID, servicePrincipal)
}

// DelegatedAdministrators is part of organization.DelegationTx.
func (t *Tx) DelegatedAdministrators(orgID, servicePrincipal, after string, limit int) (admins []organization.DelegatedAdministrator, err error) {
	service, args := ``, []any{orgID, after, limit}
	if servicePrincipal != "" {
		service, args = ` AND d.service_principal = $4`, append(args, servicePrincipal)
	}
	err = t.rows(`SELECT `+accountColumns+`, MIN(d.enabled_at)
		FROM delegated_administrator d JOIN account a ON a.id = d.account_id `+memberJoins+`
		WHERE d.organization_id = $1 AND d.account_id > $2`+service+`
		GROUP BY d.account_id, a.id, m.account_id, c.organization_id, c.id ORDER BY d.account_id LIMIT CAST($3 AS BIGINT)`, args,
		func(scan func(...any) error) error {
			var enabled int64
			a, err := scanAccount(scan, &enabled)
			admins = append(admins, organization.DelegatedAdministrator{Account: a, Enabled: millis(enabled)})
			return err
		})
	return admins, err
}

// InsertDelegation is part of organization.DelegationTx.
func (t *Tx) InsertDelegation(orgID, accountID string, d organization.Delegation) error {
	_, err := t.exec(`INSERT INTO delegated_administrator (organization_id, account_id, service_principal, enabled_at)
		VALUES ($1, $2, $3, $4)`, orgID, accountID, d.ServicePrincipal, unixMillis(d.Enabled))
	return err
}

// DeleteDelegation is part of organization.DelegationTx.
func (t *Tx) DeleteDelegation(orgID, accountID, servicePrincipal string) error {
	_, err := t.exec(`DELETE FROM delegated_administrator
		WHERE organization_id = $1 AND account_id = $2 AND service_principal = $3`, orgID, accountID, servicePrincipal)
	return err
}
