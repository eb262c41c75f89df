package iam

import (
	"regexp"
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
	Name      string // 1-128 characters, unique in the account whatever its case
	Document  string
	CreatedAt time.Time
	Version   int64
}

// ARN returns arn:aws:iam::<account>:policy<path><name>.
func (p ManagedPolicy) ARN() string { return ManagedPolicyARN(p.AccountID, p.Path, p.Name) }

// ManagedPolicyARN returns the ARN of the customer managed policy that an
// account has, or should have, under path and name.
func ManagedPolicyARN(accountID, path, name string) string {
	return "arn:aws:iam::" + accountID + ":policy" + path + name
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

var policyNameForm = regexp.MustCompile(`^[\w+=,.@-]{1,128}$`)

// CreatePolicy creates a customer managed policy. An empty path is "/".
func CreatePolicy(tx ManagedPolicyTx, now time.Time, ids ident.Source, accountID, path, name, document string) (ManagedPolicy, error) {
	if path == "" {
		path = "/"
	}
	if !policyNameForm.MatchString(name) || !pathForm.MatchString(path) {
		return ManagedPolicy{}, fault.New(fault.Invalid, "policyName", "The specified value for policyName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-")
	}
	if _, err := policy.Compile(document); err != nil {
		return ManagedPolicy{}, err
	}
	if err := policy.CheckSize(document, policy.MaxManagedSize); err != nil {
		return ManagedPolicy{}, err
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
