// Package administrator tells who administers an instance of IAM Identity
// Center, and keeps a change from leaving nobody who can.
//
// An administrator is whose policies, in the account that owns the instance,
// allow everything in actions: that is enough to take any such change back. An
// IAM user or the root user of that account may be one, and so may people: who
// are enabled, who have a permission set there that allows it, and whom the
// settings of sign-in let in with what they have.
package administrator

import (
	"errors"
	"time"

	"github.com/atrium-iam/atrium/internal/assignment"
	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/maillink"
	"github.com/atrium-iam/atrium/internal/mfa"
	"github.com/atrium-iam/atrium/internal/policy"
)

// actions are what an administrator is allowed to do on any resource.
func actions() []string {
	return []string{
		"sso:UpdateSSOConfiguration", "sso:CreateAccountAssignment",
		"sso-directory:EnableUser", "sso-directory:UpdatePassword",
	}
}

// Tx is what finding administrators needs of a transaction.
type Tx interface {
	assignment.ProvisionReader
	iam.PolicyReader
	authsettings.Reader
	credential.Reader
	maillink.VerifiedReader
	mfa.Reader
	DirectoryUser(storeID, userID string) (directory.User, bool, error)
	// HoldInstance has transactions that hold an instance follow one another: of
	// two that do so at the same time one fails, and is run again. It reports
	// false when there is no such instance.
	HoldInstance(id string) (bool, error)
	// EnabledUsersAssigned returns at most limit people of the identity store
	// who are enabled and to whom the permission set is assigned in the
	// account, themselves or through a group: those whose ids follow after, in
	// the order of ids.
	EnabledUsersAssigned(storeID, permissionSetID, accountID, after string, limit int) ([]string, error)
}

// Policies finds what decides about a principal.
type Policies interface {
	PoliciesOf(tx iam.PolicyReader, p iam.Principal) (policy.Set, error)
}

// Guard keeps changes from shutting out whoever administers an instance.
type Guard struct {
	Policies Policies
	// Mail takes codes by mail; nil where none are sent, and so let nobody in.
	Mail *mail.Outbox
	// Now is the time: one-time passwords expire.
	Now time.Time
}

// Keep makes a change, unless it would leave the instance without an
// administrator where there is one: it is a fault.Conflict, subject
// "last_administrator", then, and what change did must not be committed.
//
// A caller who is an IAM user or the root user, and an administrator, is one
// who remains: the guard is about those who would lock themselves out.
//
// Whatever keeps an administrator reads what others of its kind change: it
// holds the instance, so that it is right on a snapshot too.
func (g Guard) Keep(tx Tx, in instance.Instance, caller iam.Principal, change func() error) error {
	held, err := tx.HoldInstance(in.ID)
	if err == nil && !held {
		err = fault.New(fault.NotFound, "instance", "The instance of IAM Identity Center does not exist any more.")
	}
	if err != nil {
		return err
	}
	remains, err := stays(tx, g.Policies, in, caller)
	if err != nil {
		return err
	}
	had := true
	if !remains {
		if had, err = g.anybody(tx, in); err != nil {
			return err
		}
	}
	if err := change(); err != nil || remains || !had {
		return err
	}
	left, err := g.anybody(tx, in)
	if err == nil && !left {
		err = fault.New(fault.Conflict, "last_administrator",
			"Nobody could administer IAM Identity Center any more. Let another person with administrator access to the account %s sign in first, or do this as an IAM user or the root user of that account.", in.OwnerAccountID)
	}
	return err
}

// stays tells whether a caller is an administrator whom no change to people
// and their sign-in can shut out.
func stays(tx Tx, policies Policies, in instance.Instance, caller iam.Principal) (bool, error) {
	if caller.AccountID != in.OwnerAccountID || caller.Kind != iam.KindRoot && caller.Kind != iam.KindUser {
		return false, nil
	}
	set, err := policies.PoliciesOf(tx, caller)
	return administers(set), err
}

func administers(set policy.Set) bool {
	for _, action := range actions() {
		if set.Decide(policy.Request{Action: action, Resource: "*", Context: new(policy.Values)}).Effect != policy.Allow {
			return false
		}
	}
	return true
}

// batch is how much is read at a time.
const batch = 100

// anybody tells whether there is a person who can administer the instance.
func (g Guard) anybody(tx Tx, in instance.Instance) (found bool, err error) {
	err = g.people(tx, in, func(string) bool {
		found = true
		return false
	})
	return found, err
}

// people gives visit the ids of people who can administer the instance, some
// more than once, until it wants no more.
func (g Guard) people(tx Tx, in instance.Instance, visit func(userID string) (more bool)) error {
	s, err := authsettings.Of(tx, in.IdentityStoreID)
	if err != nil {
		return err
	}
	for after := ""; ; {
		roles, err := tx.ProvisionsOfAccount(in.ID, in.OwnerAccountID, "", after, batch)
		if err != nil || len(roles) == 0 {
			return err
		}
		for _, r := range roles {
			after = r.PermissionSetID
			set, err := g.Policies.PoliciesOf(tx, iam.Principal{Kind: iam.KindRoleSession, AccountID: r.AccountID, RoleID: r.RoleID})
			if err != nil {
				return err
			}
			if !administers(set) {
				continue
			}
			if more, err := g.peopleWith(tx, in, s, r.PermissionSetID, visit); err != nil || !more {
				return err
			}
		}
	}
}

// peopleWith gives visit those who can use a permission set in the account that
// owns the instance.
func (g Guard) peopleWith(tx Tx, in instance.Instance, s authsettings.Settings, permissionSetID string, visit func(userID string) (more bool)) (more bool, err error) {
	for after := ""; ; {
		ids, err := tx.EnabledUsersAssigned(in.IdentityStoreID, permissionSetID, in.OwnerAccountID, after, batch)
		if err != nil || len(ids) == 0 {
			return true, err
		}
		for _, id := range ids {
			after = id
			may, err := g.maySignIn(tx, s, id)
			if err != nil {
				return false, err
			}
			if may && !visit(id) {
				return false, nil
			}
		}
	}
}

// IsLast tells whether an error is that of Keep, for a change that would leave
// nobody.
func IsLast(err error) bool {
	e, ok := errors.AsType[*fault.Error](err)
	return ok && e.Category == fault.Conflict && e.Subject == "last_administrator"
}
