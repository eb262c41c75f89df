package instance

import (
	"strings"

	"github.com/atrium-iam/atrium/internal/fault"
)

// AliasReader reads the aliases of portals.
type AliasReader interface {
	// PortalAlias returns the alias of an identity store's portal.
	PortalAlias(storeID string) (alias string, found bool, err error)
}

// AliasTx is what giving a portal an alias needs of a transaction.
type AliasTx interface {
	AliasReader
	// InsertPortalAlias reports false when another portal has the alias.
	InsertPortalAlias(storeID, alias string) (bool, error)
}

// SetAlias gives the instance's portal a name of its own in the start URL,
// https://<alias>.awsapps.com/start, and returns it as it is kept: in lower
// case. The URL with the identity store's id goes on to work.
//
// It is a fault.Invalid when the name begins like the id of an identity store,
// and a fault.Conflict when another portal has it, or when this one has a name
// already: as at AWS it is given once, because configurations everywhere
// depend on it.
func SetAlias(tx AliasTx, i Instance, alias string) (string, error) {
	alias = strings.ToLower(alias)
	if strings.HasPrefix(alias, "d-") {
		return "", fault.New(fault.Invalid, "alias", "The alias must not begin with d-.")
	}
	_, has, err := tx.PortalAlias(i.IdentityStoreID)
	if err != nil {
		return "", err
	}
	if has {
		return "", fault.New(fault.Conflict, "alias", "The AWS access portal URL is customized already. It cannot be changed.")
	}
	inserted, err := tx.InsertPortalAlias(i.IdentityStoreID, alias)
	if err == nil && !inserted {
		err = fault.New(fault.Conflict, "alias", "The alias %s is taken.", alias)
	}
	return alias, err
}

// AliasURL returns the start URL with an alias in it.
func AliasURL(alias string) string { return "https://" + alias + ".awsapps.com/start" }

// PortalURL returns the start URL that clients of i's portal are configured
// with: the one with its alias, where it has one.
func PortalURL(tx AliasReader, i Instance) (string, error) {
	alias, found, err := tx.PortalAlias(i.IdentityStoreID)
	if err != nil || !found {
		return i.StartURL(), err
	}
	return AliasURL(alias), nil
}
