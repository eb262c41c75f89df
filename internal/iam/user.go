package iam

import (
	"regexp"
	"time"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/policy"
)

// User is an IAM user of an account.
type User struct {
	AccountID string
	ID        string // AIDA…
	Name      string // 1-64 characters, unique in the account whatever its case
	Path      string // "/" or "/…/"
	Policies  Policies
	CreatedAt time.Time
	Version   int64 // bumped by every edit
}

// ARN returns arn:aws:iam::<account>:user/<path><name>.
func (u User) ARN() string { return "arn:aws:iam::" + u.AccountID + ":user" + u.Path + u.Name }

// Policies are the policies attached to a user or role.
type Policies struct {
	Managed  []string          // ARNs, AWS's or the account's own
	Inline   map[string]string // name → document
	Boundary string            // ARN of the permissions boundary, "" for none
}

// UserReader reads users.
type UserReader interface {
	IAMUserByID(accountID, userID string) (User, bool, error)
	IAMUserByName(accountID, name string) (User, bool, error)
}

// UserTx is what keeping users needs of a transaction.
type UserTx interface {
	UserReader
	// InsertIAMUser reports false when the name is taken.
	InsertIAMUser(User) (bool, error)
	UpdateIAMUserPolicies(accountID, userID string, p Policies) error
}

var nameForm = regexp.MustCompile(`^[\w+=,.@-]{1,64}$`)

// CreateUser creates a user without policies.
func CreateUser(tx UserTx, now time.Time, ids ident.Source, accountID, path, name string) (User, error) {
	if !nameForm.MatchString(name) {
		return User{}, fault.New(fault.Invalid, "user", "The user name %q must have 1 to 64 characters: letters, digits and +=,.@_-", name)
	}
	if path == "" {
		path = "/"
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
	for _, attached := range u.Policies.Managed {
		if attached == arn {
			return u, nil
		}
	}
	u.Policies.Managed = append(append([]string(nil), u.Policies.Managed...), arn)
	return u, tx.UpdateIAMUserPolicies(u.AccountID, u.ID, u.Policies)
}

// PutUserPolicy sets an inline policy of the user. A document that does not
// compile is a fault.Invalid.
func PutUserPolicy(tx UserTx, u User, name, document string) (User, error) {
	if _, err := policy.Compile(document); err != nil {
		return u, err
	}
	inline := map[string]string{name: document}
	for n, d := range u.Policies.Inline {
		if n != name {
			inline[n] = d
		}
	}
	u.Policies.Inline = inline
	return u, tx.UpdateIAMUserPolicies(u.AccountID, u.ID, u.Policies)
}
