package app

import (
	"context"
	"time"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/organization"
	"github.com/atrium-iam/atrium/internal/rootuser"
	"github.com/atrium-iam/atrium/internal/signin"
	"github.com/atrium-iam/atrium/internal/signin/pages"
	"github.com/atrium-iam/atrium/internal/store"
)

// rootTx is what keeping the root user needs of a transaction.
type rootTx interface {
	rootuser.Tx
	instance.Tx
	organization.Tx
	audit.Tx
	FirstManagementAccount() (accountID string, found bool, err error)
}

// rootConsole is what a root user sees and does of the account.
type rootConsole struct {
	*Program
	db *store.Bound[rootTx]
}

var _ pages.RootConsole = rootConsole{}

func (p *Program) rootConsole() rootConsole { return rootConsole{p, store.Bind[rootTx](p.Store)} }

// RootLink is an address with which the root user begins, and until when it
// may be used, once.
type RootLink struct {
	AccountID, Email, URL string
	ExpiresAt             time.Time
}

// ResetRoot is part of Operations.
func (p *Program) ResetRoot(ctx context.Context, by Operator) (RootLink, error) {
	hash, err := p.unknownPassword(ctx)
	if err != nil {
		return RootLink{}, err
	}
	var made RootLink
	err = p.rootConsole().db.Update(ctx, func(tx rootTx) error {
		id, found, err := tx.FirstManagementAccount()
		if err != nil {
			return err
		}
		if !found {
			return ErrNotInitialized
		}
		made, err = p.resetRoot(tx, by, id, hash)
		return err
	})
	return made, err
}

// unknownPassword hashes a password that nobody knows: a root user has it until
// the link is used.
func (p *Program) unknownPassword(ctx context.Context) (string, error) {
	return p.passwords.Hash(ctx, credential.NewOneTime(p.ids))
}

func (p *Program) resetRoot(tx rootTx, by Operator, accountID, hash string) (RootLink, error) {
	account, found, err := tx.AccountByID(accountID)
	if err == nil && !found {
		err = fault.New(fault.Internal, "account", "the management account %s is missing", accountID)
	}
	if err != nil {
		return RootLink{}, err
	}
	now := ident.Millis(p.Now())
	token, err := rootuser.Reset(tx, now, p.ids, account, hash)
	if err != nil {
		return RootLink{}, err
	}
	return RootLink{
		AccountID: account.ID, Email: account.Email, URL: p.PeopleURL.JoinPath("root", "link", token).String(), ExpiresAt: now.Add(rootuser.LinkLifetime),
	}, p.recordOperation(tx, by, "ResetRoot", account.ID, map[string]any{"accountId": account.ID})
}

// RootStore is part of pages.RootConsole. Before there is a management account,
// it is nobody's.
func (c rootConsole) RootStore(ctx context.Context) (storeID string, err error) {
	err = c.db.View(ctx, func(tx rootTx) error {
		id, _, err := tx.FirstManagementAccount()
		storeID = rootuser.StoreOf(id)
		return err
	})
	return storeID, err
}

// RootView is part of pages.RootConsole.
func (c rootConsole) RootView(ctx context.Context, accountID string) (view pages.RootView, err error) {
	err = c.db.View(ctx, func(tx rootTx) error {
		account, _, err := tx.AccountByID(accountID)
		if err != nil {
			return err
		}
		view = pages.RootView{AccountID: accountID, Name: account.Name, Email: account.Email, OrganizationID: account.OrganizationID, Region: c.Region}
		in, found, err := tx.InstanceOfOrganization(account.OrganizationID)
		if err == nil && found {
			view.InstanceARN, view.IdentityStoreID, view.StartURL, view.Region = in.ARN(), in.IdentityStoreID, in.StartURL(), in.Region
		}
		return err
	})
	return view, err
}

// EnableIdentityCenter is part of pages.RootConsole.
func (c rootConsole) EnableIdentityCenter(ctx context.Context, by signin.Visit, accountID string) error {
	return c.db.Update(ctx, func(tx rootTx) error {
		now := ident.Millis(c.Now())
		o, member, err := organization.OfAccount(tx, accountID)
		if err != nil {
			return err
		}
		if !member || o.ManagementAccountID != accountID {
			return fault.New(fault.Denied, "account", "Only the management account of an organization can enable IAM Identity Center for it.")
		}
		if _, err := instance.Enable(tx, now, c.ids, o, c.Region); err != nil {
			return err
		}
		if err := organization.EnableServiceAccess(tx, now, o, organization.IdentityCenter); err != nil {
			return err
		}
		return audit.Append(tx, audit.Record{
			UserIdentity: audit.UserIdentity{Type: "Root", PrincipalID: accountID, ARN: rootuser.ARN(accountID), AccountID: accountID},
			EventTime:    now, EventSource: "sso.amazonaws.com", EventName: "StartSSO", Region: c.Region,
			SourceIPAddress: by.Address.String(), UserAgent: by.Client().UserAgent,
			RequestID: by.RequestID, EventID: c.ids.UUID(), RecipientAccountID: accountID,
		})
	})
}
