package app

import (
	"context"
	"fmt"
	"time"

	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/organization"
	"github.com/atrium-iam/atrium/internal/store"
)

// SampleManagementAccount is the management account of the sample data.
const SampleManagementAccount = sampleManagement

// administratorName is the IAM user that administers the management account.
const administratorName = "administrator"

// AccessKey is an access key with its secret.
type AccessKey struct{ ID, Secret string }

// Sample is what CreateSample made.
type Sample struct {
	// Created is false when the store held accounts already, and nothing was
	// made.
	Created bool
	// Passwords are how the people of the sample data first sign in.
	Passwords []OneTimePassword
}

// OneTimePassword is what a person first signs in with.
type OneTimePassword struct{ UserName, Password string }

// CreateSample creates the sample data when the store holds no account yet.
// Where it does, the one-time passwords of its people that were not used yet
// stay good, as they stand where whoever tries things out finds them.
func (p *Program) CreateSample(ctx context.Context) (Sample, error) {
	db := store.Bind[sampleTx](p.Store)
	var exists bool
	err := db.View(ctx, func(tx sampleTx) (err error) {
		exists, err = tx.AnyAccount()
		return err
	})
	if err != nil {
		return Sample{}, err
	}
	if exists {
		return Sample{}, db.Update(ctx, func(tx sampleTx) error { return keepSample(tx, ident.Millis(p.Now())) })
	}
	made, hashes := Sample{}, make(map[string]string)
	for _, person := range samplePeople() {
		password := credential.NewOneTime(p.ids)
		if hashes[person.user], err = p.passwords.Hash(ctx, password); err != nil {
			return Sample{}, err
		}
		made.Passwords = append(made.Passwords, OneTimePassword{person.user, password})
	}
	err = db.Update(ctx, func(tx sampleTx) error {
		exists, err := tx.AnyAccount() // another node may have been faster
		made.Created = !exists
		if err != nil || exists {
			return err
		}
		s := sample{tx: tx, now: ident.Millis(p.Now()), ids: p.ids, region: p.Region, hashes: hashes}
		if err := s.create(); err != nil {
			return err
		}
		return p.recordOperation(tx, p.Operator, "Initialize", sampleManagement, map[string]any{"accountId": sampleManagement, "sample": true})
	})
	if err != nil || !made.Created {
		return Sample{}, err
	}
	return made, nil
}

// ManagementAccount says what the first account is to be.
type ManagementAccount struct {
	ID          string // 12 digits; drawn at random when empty
	Name, Email string
}

// Initialized is what Initialize made.
type Initialized struct {
	AccountID     string
	Administrator AccessKey
	Root          RootLink
}

// Initialize creates the management account with its organization, enables
// Identity Center and makes an administrator with an access key. It fails
// with fault.Conflict when that has been done before.
func (p *Program) Initialize(ctx context.Context, in ManagementAccount) (Initialized, error) {
	hash, err := p.unknownPassword(ctx)
	if err != nil {
		return Initialized{}, err
	}
	var made Initialized
	err = store.Bind[setupTx](p.Store).Update(ctx, func(tx setupTx) error {
		done, err := tx.AnyAccount()
		if err != nil {
			return err
		}
		if done {
			return fault.New(fault.Conflict, "account", "This database is initialized already: it holds accounts.")
		}
		now := ident.Millis(p.Now())
		account, err := organization.CreateStandaloneAccount(tx, now, p.ids, organization.NewAccount{ID: in.ID, Name: in.Name, Email: in.Email})
		if err != nil {
			return err
		}
		if _, err := enableIdentityCenter(tx, now, p.ids, account.ID, p.Region); err != nil {
			return err
		}
		if err := p.recordOperation(tx, p.Operator, "Initialize", account.ID, map[string]any{"accountId": account.ID}); err != nil {
			return err
		}
		u, err := p.ensureAdministrator(tx, account.ID)
		if err != nil {
			return err
		}
		made.AccountID = account.ID
		if made.Administrator, err = p.createKey(tx, p.Operator, u); err != nil {
			return err
		}
		made.Root, err = p.resetRoot(tx, p.Operator, account.ID, hash)
		return err
	})
	return made, err
}

// CreateEmpty creates the management account of the sample data with an
// organization and nothing else: whoever follows the root user's link enables
// Identity Center. created is false, and nothing is made, when the store holds
// accounts already.
func (p *Program) CreateEmpty(ctx context.Context) (root RootLink, created bool, err error) {
	hash, err := p.unknownPassword(ctx)
	if err != nil {
		return RootLink{}, false, err
	}
	err = store.Bind[setupTx](p.Store).Update(ctx, func(tx setupTx) error {
		exists, err := tx.AnyAccount()
		created = !exists
		if err != nil || exists {
			return err
		}
		now := ident.Millis(p.Now())
		account, err := organization.CreateStandaloneAccount(tx, now, p.ids, organization.NewAccount{ID: sampleManagement, Name: "management", Email: "management@example.com"})
		if err != nil {
			return err
		}
		if _, err := organization.CreateOrganization(tx, now, p.ids, account.ID, organization.AllFeatures); err != nil {
			return err
		}
		if err := p.recordOperation(tx, p.Operator, "Initialize", account.ID, map[string]any{"accountId": account.ID}); err != nil {
			return err
		}
		root, err = p.resetRoot(tx, p.Operator, account.ID, hash)
		return err
	})
	return root, created, err
}

// Initialized tells whether the store holds an installation.
func (p *Program) Initialized(ctx context.Context) (bool, error) { return anyAccount(ctx, p.Store) }

// setupTx is what setting up an installation needs of a transaction.
type setupTx interface {
	sampleTx
	administratorTx
	rootTx
}

// enableIdentityCenter makes an organization of the account and enables
// Identity Center in it.
func enableIdentityCenter(tx sampleTx, now time.Time, ids ident.Source, accountID, region string) (instance.Instance, error) {
	org, err := organization.CreateOrganization(tx, now, ids, accountID, organization.AllFeatures)
	if err != nil {
		return instance.Instance{}, err
	}
	if err := organization.EnableServiceAccess(tx, now, org, organization.IdentityCenter); err != nil {
		return instance.Instance{}, err
	}
	return instance.Enable(tx, now, ids, org, region)
}

// KeyWorks tells whether an access key with this secret may be used.
func (p *Program) KeyWorks(ctx context.Context, key AccessKey) (works bool, err error) {
	err = store.Bind[iam.KeyReader](p.Store).View(ctx, func(tx iam.KeyReader) error {
		_, secret, found, err := iam.AuthenticateKey(tx, p.secrets(), key.ID)
		works = found && secret == key.Secret
		if err != nil {
			return fmt.Errorf("checking the administrator's access key: %w", err)
		}
		return nil
	})
	return works, err
}
