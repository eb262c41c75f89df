package epoch_test

import (
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/assignment"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/epoch"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/organization"
	"github.com/atrium-iam/atrium/internal/permissionset"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

const management, member = "123456789012", "111111111111"

// world is an organization of two accounts with its instance.
type world struct {
	t       testing.TB
	s       *store.Store
	ids     ident.Source
	org     organization.Organization
	in      instance.Instance
	watcher *epoch.Watcher
}

func newWorld(t testing.TB, s *store.Store) *world {
	t.Helper()
	w := &world{t: t, s: s, ids: ident.NewSource(rand.Reader)}
	w.watcher = epoch.NewWatcher(store.Bind[epoch.Reader](s), s.HeardChange, time.Now)
	w.do(func(tx *store.Tx) (err error) {
		in := organization.NewAccount{ID: management, Name: "management", Email: "management@example.com"}
		if _, err := organization.CreateStandaloneAccount(tx, storetest.Now(), w.ids, in); err != nil {
			return err
		}
		if w.org, err = organization.CreateOrganization(tx, storetest.Now(), w.ids, management, ""); err != nil {
			return err
		}
		in = organization.NewAccount{ID: member, Name: "member", Email: "member@example.com"}
		if _, err := organization.CreateAccount(tx, storetest.Now(), w.ids, w.org, in); err != nil {
			return err
		}
		w.in, err = instance.Enable(tx, storetest.Now(), w.ids, w.org, "us-east-1")
		return err
	})
	return w
}

func stamp() directory.Stamp { return directory.Stamp{At: storetest.Now(), By: "test"} }

func (w *world) do(f func(tx *store.Tx) error) {
	w.t.Helper()
	if err := w.s.Update(w.t.Context(), f); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) user(name string) (p assignment.Principal) {
	w.t.Helper()
	w.do(func(tx *store.Tx) error {
		u, err := directory.CreateUser(tx, w.ids, stamp(), w.in.IdentityStoreID, directory.NewUser{Attributes: directory.Attributes{
			UserName: name, DisplayName: name, Name: directory.Name{GivenName: name, FamilyName: name},
		}})
		p = assignment.Principal{Type: assignment.User, ID: u.ID}
		return err
	})
	return p
}

func (w *world) group(name string, people ...assignment.Principal) (p assignment.Principal) {
	w.t.Helper()
	w.do(func(tx *store.Tx) error {
		g, err := directory.CreateGroup(tx, w.ids, stamp(), w.in.IdentityStoreID, directory.NewGroup{DisplayName: name})
		p = assignment.Principal{Type: assignment.Group, ID: g.ID}
		return err
	})
	for _, one := range people {
		w.join(p, one)
	}
	return p
}

func (w *world) join(group, user assignment.Principal) {
	w.t.Helper()
	w.do(func(tx *store.Tx) error {
		_, err := directory.CreateMembership(tx, w.ids, stamp(), w.in.IdentityStoreID, group.ID, user.ID)
		return err
	})
}

func (w *world) leave(group, user assignment.Principal) {
	w.t.Helper()
	w.do(func(tx *store.Tx) error {
		m, err := directory.MembershipOf(tx, w.in.IdentityStoreID, group.ID, user.ID)
		if err != nil {
			return err
		}
		_, err = directory.DeleteMembership(tx, w.in.IdentityStoreID, m.ID)
		return err
	})
}

func (w *world) deleteGroup(group assignment.Principal) {
	w.t.Helper()
	w.do(func(tx *store.Tx) error {
		_, _, err := directory.DeleteGroup(tx, w.in.IdentityStoreID, group.ID)
		return err
	})
}

func (w *world) set(name string) (s permissionset.PermissionSet) {
	w.t.Helper()
	w.do(func(tx *store.Tx) (err error) {
		s, err = permissionset.Create(tx, storetest.Now(), w.ids, w.in, permissionset.New{Name: name})
		return err
	})
	return s
}

func (w *world) assign(p assignment.Principal, s permissionset.PermissionSet, account string) {
	w.t.Helper()
	w.request(func(tx *store.Tx) (assignment.Request, error) {
		return assignment.Create(tx, storetest.Now(), w.ids, w.in, s, account, p)
	})
}

func (w *world) unassign(p assignment.Principal, s permissionset.PermissionSet, account string) {
	w.t.Helper()
	w.request(func(tx *store.Tx) (assignment.Request, error) {
		return assignment.Delete(tx, storetest.Now(), w.ids, w.in, s, account, p)
	})
}

func (w *world) request(f func(tx *store.Tx) (assignment.Request, error)) {
	w.t.Helper()
	w.do(func(tx *store.Tx) error {
		r, err := f(tx)
		if err == nil && r.Status != assignment.Succeeded {
			err = fmt.Errorf("the request is %s: %s", r.Status, r.FailureReason)
		}
		return err
	})
}

// credentials are what an access would be opened with.
type credentials struct {
	change int64
	refs   []epoch.Ref
}

// open opens an access, which the user has.
func (w *world) open(user assignment.Principal, s permissionset.PermissionSet, account string) (c credentials) {
	w.t.Helper()
	err := w.s.View(w.t.Context(), func(tx *store.Tx) error {
		roles, _, err := assignment.RolesOf(tx, w.in, user.ID, account, "", 100)
		if err != nil {
			return err
		}
		c.refs = []epoch.Ref{{Scope: epoch.User, ID: user.ID}, {Scope: epoch.Account, ID: account}, epoch.AccessOf(user.ID, account, s.ID)}
		for _, r := range roles {
			if r.PermissionSetID == s.ID {
				c.refs = append(c.refs, epoch.Ref{Scope: epoch.Principal, ID: r.RoleID})
			}
		}
		if len(c.refs) != 4 {
			return fmt.Errorf("%s has no access to %s in %s", user.ID, s.Name, account)
		}
		c.change, err = tx.Change()
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func (w *world) valid(c credentials) bool {
	w.t.Helper()
	ok, err := w.watcher.Valid(w.t.Context(), c.change, c.refs)
	if err != nil {
		w.t.Fatal(err)
	}
	return ok
}
