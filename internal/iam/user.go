package iam

import (
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/policy"
)

// User is an IAM user of an account.
type User struct {
	AccountID string
	ID        string // AIDA…, never reused
	Name      string // 1-64 characters, unique in the account whatever its case
	Path      string // "/" or "/…/"
	Policies  Policies
	CreatedAt time.Time
	Version   int64 // bumped by every edit
}

// ARN returns arn:aws:iam::<account>:user/<path><name>.
func (u User) ARN() string { return "arn:aws:iam::" + u.AccountID + ":user" + u.Path + u.Name }

// UserReader reads users.
type UserReader interface {
	IAMUserByID(accountID, userID string) (User, bool, error)
	IAMUserByName(accountID, name string) (User, bool, error)
}

// UserTx is what keeping users needs of a transaction.
type UserTx interface {
	UserReader
	ManagedPolicyReader
	// InsertIAMUser reports false when the name is taken.
	InsertIAMUser(User) (bool, error)
	// UpdateIAMUserPolicies replaces the user's policies and bumps its version.
	UpdateIAMUserPolicies(accountID, userID string, p Policies) error
}

var (
	nameForm = regexp.MustCompile(`^[\w+=,.@-]{1,64}$`)
	pathForm = regexp.MustCompile(`^/([\x21-\x7e]{1,510}/)?$`)
)

// checkName refuses malformed names and paths, in the words of IAM's
// validation; member is "userName" or the like.
func checkName(member, name, path string) error {
	if !nameForm.MatchString(name) {
		return fault.New(fault.Invalid, member, "The specified value for %s is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-", member)
	}
	if !pathForm.MatchString(path) {
		return fault.New(fault.Invalid, "path", "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.")
	}
	return nil
}

// CreateUser creates a user without policies. An empty path is "/".
func CreateUser(tx UserTx, now time.Time, ids ident.Source, accountID, path, name string) (User, error) {
	if path == "" {
		path = "/"
	}
	if err := checkName("userName", name, path); err != nil {
		return User{}, err
	}
	u := User{AccountID: accountID, ID: ids.UniqueID("AIDA"), Name: name, Path: path, CreatedAt: now, Version: 1}
	inserted, err := tx.InsertIAMUser(u)
	if err == nil && !inserted {
		err = fault.New(fault.Conflict, "user", "User with name %s already exists.", name)
	}
	return u, err
}

// AttachUserPolicy attaches a managed policy to the user. Attaching it again
// changes nothing.
func AttachUserPolicy(tx UserTx, u User, arn string) (User, error) {
	if slices.Contains(u.Policies.Managed, arn) {
		return u, nil
	}
	if err := checkAttachable(tx, u.AccountID, arn); err != nil {
		return u, err
	}
	u.Policies.Managed = append(slices.Clone(u.Policies.Managed), arn)
	return u, tx.UpdateIAMUserPolicies(u.AccountID, u.ID, u.Policies)
}

// PutUserPolicy sets an inline policy of the user. A document that does not
// compile is a fault.Invalid.
func PutUserPolicy(tx UserTx, u User, name, document string) (User, error) {
	if err := checkName("policyName", name, "/"); err != nil {
		return u, err
	}
	if _, err := policy.Compile(document); err != nil {
		return u, err
	}
	inline := maps.Clone(u.Policies.Inline)
	if inline == nil {
		inline = make(map[string]string)
	}
	inline[name] = document
	u.Policies.Inline = inline
	return u, tx.UpdateIAMUserPolicies(u.AccountID, u.ID, u.Policies)
}
