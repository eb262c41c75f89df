package organization_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/organization"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// management is the management account of the worlds that tests use.
const management = "123456789012"

// world is a store with one organization in it.
type world struct {
	t   testing.TB
	s   *store.Store
	ids ident.Source
	now time.Time
	org organization.Organization
}

// empty returns a world with a standalone account and no organization.
func empty(t testing.TB, s *store.Store) *world {
	w := &world{t: t, s: s, ids: ident.NewSource(rand.NewChaCha8([32]byte{1})), now: storetest.Now()}
	w.must(func(tx organization.Tx) error {
		_, err := organization.CreateStandaloneAccount(tx, w.now, w.ids,
			organization.NewAccount{ID: management, Name: "management", Email: "root@example.com"})
		return err
	})
	return w
}

func newWorld(t testing.TB, s *store.Store) *world {
	w := empty(t, s)
	w.must(func(tx organization.Tx) (err error) {
		w.org, err = organization.CreateOrganization(tx, w.now, w.ids, management, "")
		return err
	})
	return w
}

func (w *world) do(fn func(tx organization.Tx) error) error {
	w.t.Helper()
	return w.s.Update(w.t.Context(), func(tx *store.Tx) error { return fn(tx) })
}

func (w *world) must(fn func(tx organization.Tx) error) {
	w.t.Helper()
	if err := w.do(fn); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) unit(parent, name string) (id string) {
	w.t.Helper()
	w.must(func(tx organization.Tx) error {
		c, err := organization.CreateOrganizationalUnit(tx, w.now, w.ids, w.org, parent, name, nil)
		id = c.ID
		return err
	})
	return id
}

// account creates a member account with the id n 12 times over.
func (w *world) account(n int) (id string) {
	w.t.Helper()
	id = fmt.Sprint(n * 111111111111)
	w.must(func(tx organization.Tx) error {
		_, err := organization.CreateAccount(tx, w.now, w.ids, w.org,
			organization.NewAccount{ID: id, Name: "account " + id, Email: id + "@example.com"})
		return err
	})
	return id
}

// brief describes an error by category, subject and reason, as the overlay
// and callers tell it.
func brief(err error) string {
	if err == nil {
		return "ok"
	}
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return err.Error()
	}
	out := f.Category.String()
	if f.Subject != "" {
		out += ":" + f.Subject
	}
	if f.Reason != "" {
		out += " " + f.Reason
	}
	return out
}

func TestCreateOrganization(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		want := organization.Organization{ID: w.org.ID, RootID: w.org.RootID, ManagementAccountID: management, FeatureSet: "ALL", Created: w.now}
		var of organization.Organization
		var root organization.Container
		var account organization.Account
		w.must(func(tx organization.Tx) (err error) {
			of, _, err = organization.OfAccount(tx, management)
			if err != nil {
				return err
			}
			if root, err = organization.Root(tx, of); err != nil {
				return err
			}
			account, err = organization.MemberAccount(tx, of, management)
			return err
		})
		if diff := cmp.Diff(want, of); diff != "" {
			t.Errorf("OfAccount (-want +got):\n%s", diff)
		}
		path := w.org.ID + "/" + w.org.RootID + "/"
		if diff := cmp.Diff(organization.Container{OrganizationID: w.org.ID, ID: w.org.RootID, Name: "Root", Path: path, Created: w.now}, root); diff != "" {
			t.Errorf("root (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(organization.Account{
			ID: management, Name: "management", Email: "root@example.com", State: organization.Active, Created: w.now,
			OrganizationID: w.org.ID, ParentID: w.org.RootID, ParentPath: path, JoinedMethod: organization.Invited, Joined: w.now,
		}, account); diff != "" {
			t.Errorf("management account (-want +got):\n%s", diff)
		}
		for _, c := range []struct{ got, want string }{
			{of.ARN(), "arn:aws:organizations::123456789012:organization/" + of.ID},
			{of.AccountARN("111111111111"), "arn:aws:organizations::123456789012:account/" + of.ID + "/111111111111"},
			{of.ContainerARN(root), "arn:aws:organizations::123456789012:root/" + of.ID + "/" + of.RootID},
			{account.Path(), path + "123456789012/"},
		} {
			if c.got != c.want {
				t.Errorf("got %s, want %s", c.got, c.want)
			}
		}
	})
}

func TestBeforeAnOrganization(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		w := empty(t, s)
		err := w.do(func(tx organization.Tx) error {
			if _, found, err := organization.OfAccount(tx, management); found || err != nil {
				return fmt.Errorf("OfAccount: %v, %v", found, err)
			}
			_, err := organization.Required(tx, management)
			return err
		})
		if got := brief(err); got != "not_found:organization" {
			t.Errorf("Required: %s", got)
		}
		create := func(id string, set organization.FeatureSet) string {
			return brief(w.do(func(tx organization.Tx) error {
				_, err := organization.CreateOrganization(tx, w.now, w.ids, id, set)
				return err
			}))
		}
		for _, c := range []struct{ id, want string }{
			{"999999999999", "not_found:account"},
			{management, "ok"},
			{management, "conflict:organization"},
		} {
			if got := create(c.id, organization.AllFeatures); got != c.want {
				t.Errorf("CreateOrganization(%s): %s, want %s", c.id, got, c.want)
			}
		}
	})
}

func TestDeleteOrganization(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		outer := w.unit(w.org.RootID, "Outer")
		inner := w.unit(outer, "Inner")
		member := w.account(1)
		w.must(func(tx organization.Tx) error {
			return errors.Join(
				organization.EnableServiceAccess(tx, w.now, w.org, organization.IdentityCenter),
				organization.TagResource(tx, w.org, inner, []organization.Tag{{Key: "a", Value: "b"}}),
				organization.MoveAccount(tx, w.org, management, w.org.RootID, inner),
			)
		})
		remove := func(tx organization.Tx) error { return organization.DeleteOrganization(tx, w.org) }
		if got := brief(w.do(remove)); got != "conflict:organization_not_empty" {
			t.Errorf("with a member: %s", got)
		}
		w.must(func(tx organization.Tx) error { return organization.RemoveAccount(tx, w.org, member) })
		w.must(remove)
		w.must(func(tx organization.Tx) error {
			if _, found, err := organization.OfAccount(tx, management); found || err != nil {
				return fmt.Errorf("still in an organization: %v, %v", found, err)
			}
			a, found, err := tx.AccountByID(member)
			if !found || err != nil || a.OrganizationID != "" || a.Path() != "" {
				return fmt.Errorf("former member: %+v, %v, %v", a, found, err)
			}
			again, err := organization.CreateOrganization(tx, w.now, w.ids, management, organization.ConsolidatedBilling)
			if again.FeatureSet != organization.ConsolidatedBilling || again.ID == w.org.ID {
				return fmt.Errorf("second organization: %+v", again)
			}
			return err
		})
	})
}
