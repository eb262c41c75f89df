package app

import (
	"context"
	"encoding/json"
	"time"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/keys"
	"github.com/atrium-iam/atrium/internal/store"
)

// Operator is who runs a command on the server: a user of its operating system.
type Operator struct{ User, Host string }

// Operations are what an operator does to an installation from its server. A
// Program does them itself; Control has a running one do them.
type Operations interface {
	// RotateKeys adds a generation of keys for every purpose. revoke removes
	// the older ones of what is not at rest: whatever they sealed ends at once.
	RotateKeys(ctx context.Context, by Operator, revoke bool) ([]RotatedKeys, error)
	// ReplaceRootKey wraps the keys of every purpose with a new root key.
	ReplaceRootKey(ctx context.Context, by Operator, next RootKeyText) (keys.Replaced, error)
	// ResealSecrets seals some of the stored secrets that older generations of
	// keys sealed anew, and tells where to go on.
	ResealSecrets(ctx context.Context, by Operator, from string) (Resealed, error)
	// RetireKeys removes older generations of keys for what is stored that
	// nothing needs any more.
	RetireKeys(ctx context.Context, by Operator) ([]Retired, error)
	// AdministratorKeys lists the access keys of the administrator of the
	// management account, oldest first.
	AdministratorKeys(ctx context.Context) ([]AdministratorKey, error)
	// RotateAdministratorKey makes the administrator a new access key. With
	// revoke it removes the others; otherwise it makes room by removing one
	// that is disabled, and is a fault.Quota when none is.
	RotateAdministratorKey(ctx context.Context, by Operator, revoke bool) (AccessKey, error)
	// EnableAdministratorKey enables or disables an access key of the
	// administrator; fault.NotFound when there is none with that id.
	EnableAdministratorKey(ctx context.Context, by Operator, id string, enabled bool) error
	// ResetRoot takes the password, the second factors and the sessions from
	// the root user of the management account and returns a link to begin anew.
	ResetRoot(ctx context.Context, by Operator) (RootLink, error)
}

var _ Operations = (*Program)(nil)

// AdministratorKey is an access key of the administrator, without its secret.
type AdministratorKey struct {
	AccountID, ID string
	Created       time.Time
	Active        bool
}

// recordOperation records, in the transaction of an operator's change, who
// made it on which machine.
func (p *Program) recordOperation(tx audit.Tx, by Operator, event, accountID string, details map[string]any) error {
	raw, err := json.Marshal(details)
	if err != nil {
		return err
	}
	return audit.Append(tx, audit.Record{
		UserIdentity: audit.UserIdentity{Type: "Unknown", PrincipalID: "operator:" + by.User, AccountID: accountID, InvokedBy: audit.Source},
		EventTime:    ident.Millis(p.Now()), EventSource: audit.Source, EventName: event, EventType: audit.ServiceEvent,
		Region: p.Region, SourceIPAddress: by.Host, UserAgent: audit.Source, ServiceEventDetails: raw,
		RequestID: p.ids.UUID(), EventID: p.ids.UUID(), RecipientAccountID: accountID,
	})
}

// administratorTx is what keeping the administrator needs of a transaction.
type administratorTx interface {
	iam.UserTx
	iam.KeyTx
	audit.Tx
	// FirstManagementAccount is the management account of the organization
	// that was made first.
	FirstManagementAccount() (accountID string, found bool, err error)
}

// ofAdministrator runs fn with the installation's administrator and the access
// keys there are.
func (p *Program) ofAdministrator(ctx context.Context, fn func(tx administratorTx, u iam.User, held []iam.AccessKey) error) error {
	return store.Bind[administratorTx](p.Store).Update(ctx, func(tx administratorTx) error {
		account, found, err := tx.FirstManagementAccount()
		if err != nil {
			return err
		}
		if !found {
			return ErrNotInitialized
		}
		u, err := p.ensureAdministrator(tx, account)
		if err != nil {
			return err
		}
		held, err := tx.AccessKeysOfUser(account, u.ID)
		if err != nil {
			return err
		}
		return fn(tx, u, held)
	})
}

// AdministratorKeys lists the administrator's access keys.
func (p *Program) AdministratorKeys(ctx context.Context) (out []AdministratorKey, err error) {
	err = p.ofAdministrator(ctx, func(_ administratorTx, _ iam.User, held []iam.AccessKey) error {
		out = nil
		for _, k := range held {
			out = append(out, AdministratorKey{AccountID: k.AccountID, ID: k.ID, Created: k.CreatedAt, Active: k.Active})
		}
		return nil
	})
	return out, err
}

// RotateAdministratorKey makes the administrator a new access key.
func (p *Program) RotateAdministratorKey(ctx context.Context, by Operator, revoke bool) (out AccessKey, err error) {
	err = p.ofAdministrator(ctx, func(tx administratorTx, u iam.User, held []iam.AccessKey) error {
		room := len(held) < iam.MaxAccessKeys
		for _, k := range held {
			if !revoke && (room || k.Active) {
				continue
			}
			if err := p.deleteKey(tx, by, k); err != nil {
				return err
			}
			room = true
		}
		if !room {
			return fault.New(fault.Quota, "access_key", "The administrator has %d access keys, which is as many as there may be. Disable one of them, or give --revoke to remove them all.", len(held))
		}
		out, err = p.createKey(tx, by, u)
		return err
	})
	return out, err
}

// EnableAdministratorKey enables or disables one of the administrator's access
// keys.
func (p *Program) EnableAdministratorKey(ctx context.Context, by Operator, id string, enabled bool) error {
	return p.ofAdministrator(ctx, func(tx administratorTx, u iam.User, held []iam.AccessKey) error {
		for _, k := range held {
			if k.ID != id {
				continue
			}
			if err := tx.SetAccessKeyActive(id, enabled); err != nil {
				return err
			}
			return p.recordOperation(tx, by, "UpdateAccessKey", k.AccountID, map[string]any{"accessKeyId": id, "userName": u.Name, "active": enabled})
		}
		return fault.New(fault.NotFound, "access_key", "The administrator has no access key %s.", id)
	})
}

// NewAdministratorKey gives the administrator of an account a new access key,
// and creates the administrator when there is none. The oldest key goes when
// there are too many.
func (p *Program) NewAdministratorKey(ctx context.Context, accountID string) (out AccessKey, err error) {
	err = store.Bind[administratorTx](p.Store).Update(ctx, func(tx administratorTx) error {
		u, err := p.ensureAdministrator(tx, accountID)
		if err != nil {
			return err
		}
		held, err := tx.AccessKeysOfUser(accountID, u.ID)
		if err != nil {
			return err
		}
		if len(held) >= iam.MaxAccessKeys {
			if err := p.deleteKey(tx, p.Operator, held[0]); err != nil {
				return err
			}
		}
		out, err = p.createKey(tx, p.Operator, u)
		return err
	})
	return out, err
}

func (p *Program) createKey(tx administratorTx, by Operator, u iam.User) (AccessKey, error) {
	key, secret, err := iam.CreateAccessKey(tx, ident.Millis(p.Now()), p.ids, p.secrets(), u)
	if err != nil {
		return AccessKey{}, err
	}
	return AccessKey{ID: key.ID, Secret: secret},
		p.recordOperation(tx, by, "CreateAccessKey", u.AccountID, map[string]any{"accessKeyId": key.ID, "userName": u.Name})
}

func (p *Program) deleteKey(tx administratorTx, by Operator, k iam.AccessKey) error {
	if err := tx.DeleteAccessKey(k.ID); err != nil {
		return err
	}
	return p.recordOperation(tx, by, "DeleteAccessKey", k.AccountID, map[string]any{"accessKeyId": k.ID, "userName": administratorName})
}

func (p *Program) ensureAdministrator(tx iam.UserTx, accountID string) (iam.User, error) {
	u, found, err := tx.IAMUserByName(accountID, administratorName)
	if err != nil || found {
		return u, err
	}
	if u, err = iam.CreateUser(tx, ident.Millis(p.Now()), p.ids, accountID, "/", administratorName); err != nil {
		return u, err
	}
	return iam.AttachUserPolicy(tx, u, "arn:aws:iam::aws:policy/AdministratorAccess")
}
