package iam

import (
	"time"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/policy"
)

// ManagedPolicy is a customer managed policy of an account.
type ManagedPolicy struct {
	AccountID string
	ID        string // ANPA…
	Path      string // "/" or "/…/"
	Name      string // unique in the account
	Document  string
	CreatedAt time.Time
	Version   int64
}

// ARN returns arn:aws:iam::<account>:policy<path><name>.
func (p ManagedPolicy) ARN() string {
	return "arn:aws:iam::" + p.AccountID + ":policy" + p.Path + p.Name
}

// ManagedPolicyReader reads customer managed policies.
type ManagedPolicyReader interface {
	ManagedPolicyByARN(arn string) (ManagedPolicy, bool, error)
}

// ManagedPolicyTx is what keeping customer managed policies needs of a
// transaction.
type ManagedPolicyTx interface {
	ManagedPolicyReader
	// InsertManagedPolicy reports false when the name is taken.
	InsertManagedPolicy(ManagedPolicy) (bool, error)
}

// CreatePolicy creates a customer managed policy.
func CreatePolicy(tx ManagedPolicyTx, now time.Time, ids ident.Source, accountID, path, name, document string) (ManagedPolicy, error) {
	if _, err := policy.Compile(document); err != nil {
		return ManagedPolicy{}, err
	}
	if path == "" {
		path = "/"
	}
	p := ManagedPolicy{
		AccountID: accountID, ID: ids.UniqueID("ANPA"), Path: path, Name: name, Document: document, CreatedAt: now, Version: 1,
	}
	inserted, err := tx.InsertManagedPolicy(p)
	if err == nil && !inserted {
		err = fault.New(fault.Conflict, "policy", "A policy called %s already exists. Duplicate names are not allowed.", name)
	}
	return p, err
}
