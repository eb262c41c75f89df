package store

import (
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/portal"
)

var (
	_ portal.AccountsReader = (*Tx)(nil)
	_ portal.AppearanceTx   = (*Tx)(nil)
	_ portal.DestinationTx  = (*Tx)(nil)
	_ portal.VisitorTx      = (*Tx)(nil)
)

// PortalAccounts is part of portal.AccountsReader.
func (t *Tx) PortalAccounts(in instance.Instance, userID, after string, limit int) (list []portal.Account, err error) {
	err = t.accountsOfUser(usualBounds(), `SELECT a.id, a.name, a.email, COALESCE(p.label, ''), COALESCE(p.color, 'none')
		FROM account a LEFT JOIN account_appearances p ON p.instance_id = $7 AND p.account_id = a.id
		WHERE `, in, userID, after, limit,
		func(scan func(...any) error) error {
			var a portal.Account
			err := scan(&a.ID, &a.Name, &a.Email, &a.Label, &a.Color)
			list = append(list, a)
			return err
		}, in.ID)
	return list, err
}

// AccountAppearance is part of portal.AppearanceReader.
func (t *Tx) AccountAppearance(instanceID, accountID string) (portal.Appearance, bool, error) {
	list, err := t.appearances(`account_id = $2`, instanceID, accountID)
	if err != nil || len(list) == 0 {
		return portal.Appearance{}, false, err
	}
	return list[0], true, nil
}

// AccountAppearances is part of portal.AppearanceReader.
func (t *Tx) AccountAppearances(instanceID, after string, limit int) ([]portal.Appearance, error) {
	return t.appearances(`account_id > $2 ORDER BY account_id LIMIT CAST($3 AS BIGINT)`, instanceID, after, limit)
}

func (t *Tx) appearances(where string, args ...any) (list []portal.Appearance, err error) {
	err = t.rows(`SELECT account_id, label, color, version FROM account_appearances WHERE instance_id = $1 AND `+where, args,
		func(scan func(...any) error) error {
			var a portal.Appearance
			err := scan(&a.AccountID, &a.Label, &a.Color, &a.Version)
			list = append(list, a)
			return err
		})
	return list, err
}

// PutAccountAppearance is part of portal.AppearanceTx.
func (t *Tx) PutAccountAppearance(instanceID string, a portal.Appearance) error {
	_, err := t.exec(`INSERT INTO account_appearances (instance_id, account_id, label, color, version) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (instance_id, account_id) DO UPDATE SET label = excluded.label, color = excluded.color, version = excluded.version`,
		instanceID, a.AccountID, a.Label, string(a.Color), a.Version)
	return err
}

// DeleteAccountAppearance is part of portal.AppearanceTx.
func (t *Tx) DeleteAccountAppearance(instanceID, accountID string) (bool, error) {
	n, err := t.exec(`DELETE FROM account_appearances WHERE instance_id = $1 AND account_id = $2`, instanceID, accountID)
	return n > 0, err
}

// PortalDestinations is part of portal.DestinationReader.
func (t *Tx) PortalDestinations(instanceID string) (origins []string, err error) {
	err = t.rows(`SELECT origin FROM portal_destinations WHERE instance_id = $1 ORDER BY origin`, []any{instanceID},
		func(scan func(...any) error) error {
			var origin string
			err := scan(&origin)
			origins = append(origins, origin)
			return err
		})
	return origins, err
}

// ReplacePortalDestinations is part of portal.DestinationTx.
func (t *Tx) ReplacePortalDestinations(instanceID string, origins []string) error {
	if _, err := t.exec(`DELETE FROM portal_destinations WHERE instance_id = $1`, instanceID); err != nil {
		return err
	}
	for _, origin := range origins {
		if _, err := t.exec(`INSERT INTO portal_destinations (instance_id, origin) VALUES ($1, $2)`, instanceID, origin); err != nil {
			return err
		}
	}
	return nil
}
