package organizations_test

import (
	"fmt"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/organizations"

	"github.com/atrium-iam/atrium/internal/assignment"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/organization"
	"github.com/atrium-iam/atrium/internal/permissionset"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// giveAccess enables Identity Center for the organization of account and
// assigns the permission sets names in the account, to a user and a group
// each.
func (s *server) giveAccess(db *store.Store, account string, names ...string) {
	s.t.Helper()
	now := storetest.Now()
	by := directory.Stamp{At: now, By: "test"}
	err := db.Update(s.t.Context(), func(tx *store.Tx) error {
		o, err := organization.Required(tx, account)
		if err != nil {
			return err
		}
		in, err := instance.Enable(tx, now, s.ids, o, "us-east-1")
		if err != nil {
			return err
		}
		u, err := directory.CreateUser(tx, s.ids, by, in.IdentityStoreID, directory.NewUser{Attributes: directory.Attributes{
			UserName: "user", DisplayName: "User", Name: directory.Name{GivenName: "U", FamilyName: "Ser"},
		}})
		if err != nil {
			return err
		}
		g, err := directory.CreateGroup(tx, s.ids, by, in.IdentityStoreID, directory.NewGroup{DisplayName: "group"})
		if err != nil {
			return err
		}
		for _, name := range names {
			set, err := permissionset.Create(tx, now, s.ids, in, permissionset.New{Name: name})
			if err != nil {
				return err
			}
			for _, p := range []assignment.Principal{{Type: assignment.User, ID: u.ID}, {Type: assignment.Group, ID: g.ID}} {
				r, err := assignment.Create(tx, now, s.ids, in, set, account, p)
				if err != nil || r.FailureReason != "" {
					return fmt.Errorf("assigning %s: %+v, %w", name, r, err)
				}
			}
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// provisioned returns how many roles the organization's instance has in
// account, and how many requests to take assignments away it shows.
func provisioned(t *testing.T, db *store.Store, account string) (n, deletions int) {
	t.Helper()
	err := db.View(t.Context(), func(tx *store.Tx) error {
		o, err := organization.Required(tx, management)
		if err != nil {
			return err
		}
		in, _, err := tx.InstanceOfOrganization(o.ID)
		if err != nil {
			return err
		}
		list, err := tx.ProvisionsOfAccount(in.ID, account, "", "", 100)
		if err != nil {
			return err
		}
		requests, err := tx.AssignmentRequests(in.ID, assignment.Deletion, "", time.Time{}, "", 100)
		n, deletions = len(list), len(requests)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n, deletions
}

func TestRemovedAccountLosesItsAccess(t *testing.T) {
	storetest.Run(t, func(t *testing.T, db *store.Store) {
		s := newServer(t, db)
		c, ctx := s.as(management), t.Context()
		must(c.CreateOrganization(ctx, nil))(t)
		member := s.member(c, "member")
		s.giveAccess(db, member, "One", "Two")
		if n, _ := provisioned(t, db, member); n != 2 {
			t.Fatalf("%d roles before the account is removed, want 2", n)
		}
		must(c.RemoveAccountFromOrganization(ctx, &sdk.RemoveAccountFromOrganizationInput{AccountId: &member}))(t)
		if n, deletions := provisioned(t, db, member); n != 0 || deletions != 0 {
			t.Errorf("%d roles are left in the removed account, and %d requests show that nobody made", n, deletions)
		}
		// The instance must go before its organization.
		if _, err := c.DeleteOrganization(ctx, nil); code(err) != "OrganizationNotEmptyException" {
			t.Errorf("deleting an organization that has an instance: %v", err)
		}
	})
}
