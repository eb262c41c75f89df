package assignment_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/assignment"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/organization"
	"github.com/atrium-iam/atrium/internal/permissionset"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

const (
	management = "123456789012"
	production = "111111111111"
	outside    = "999999999999"

	administrator = "arn:aws:iam::aws:policy/AdministratorAccess"
	billing       = "arn:aws:iam::aws:policy/job-function/Billing"
	allowAll      = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
)

// world is a store with an organization of two accounts and its instance, an
// account outside, the users amy and ben, the group ops with amy in it, and
// the permission set Admin.
type world struct {
	t   testing.TB
	s   *store.Store
	ids ident.Source
	org organization.Organization
	in  instance.Instance

	amy, ben, ops assignment.Principal
	admin         permissionset.PermissionSet
}

// lockedReader makes a reader of random bytes safe for concurrent use.
type lockedReader struct {
	mu sync.Mutex
	r  *rand.ChaCha8
}

func (l *lockedReader) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.r.Read(p)
}

func newWorld(t testing.TB, s *store.Store, region string) *world {
	t.Helper()
	w := &world{t: t, s: s, ids: ident.NewSource(&lockedReader{r: rand.NewChaCha8([32]byte{1})})}
	w.must(func(tx *store.Tx) (err error) {
		for _, id := range []string{management, outside} {
			if _, err := organization.CreateStandaloneAccount(tx, storetest.Now(), w.ids, account(id)); err != nil {
				return err
			}
		}
		if w.org, err = organization.CreateOrganization(tx, storetest.Now(), w.ids, management, ""); err != nil {
			return err
		}
		if _, err = organization.CreateAccount(tx, storetest.Now(), w.ids, w.org, account(production)); err != nil {
			return err
		}
		w.in, err = instance.Enable(tx, storetest.Now(), w.ids, w.org, region)
		return err
	})
	w.amy, w.ben, w.ops = w.user("amy"), w.user("ben"), w.group("ops")
	w.must(func(tx *store.Tx) error {
		_, err := directory.CreateMembership(tx, w.ids, stamp(), w.in.IdentityStoreID, w.ops.ID, w.amy.ID)
		return err
	})
	w.admin = w.set("Admin")
	return w
}

func account(id string) organization.NewAccount {
	return organization.NewAccount{ID: id, Name: "account " + id, Email: id + "@example.com"}
}

func stamp() directory.Stamp { return directory.Stamp{At: storetest.Now(), By: "test"} }

// run runs test with a world of its own on each engine.
func run(t *testing.T, test func(t *testing.T, w *world)) {
	storetest.Run(t, func(t *testing.T, s *store.Store) { test(t, newWorld(t, s, "eu-west-1")) })
}

func (w *world) must(fn func(tx *store.Tx) error) {
	w.t.Helper()
	if err := w.s.Update(w.t.Context(), fn); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) user(name string) (p assignment.Principal) {
	w.must(func(tx *store.Tx) error {
		var in directory.NewUser
		in.UserName, in.DisplayName = name, name
		in.Name.GivenName, in.Name.FamilyName = name, name
		u, err := directory.CreateUser(tx, w.ids, stamp(), w.in.IdentityStoreID, in)
		p = assignment.Principal{Type: assignment.User, ID: u.ID}
		return err
	})
	return p
}

func (w *world) group(name string) (p assignment.Principal) {
	w.must(func(tx *store.Tx) error {
		g, err := directory.CreateGroup(tx, w.ids, stamp(), w.in.IdentityStoreID, directory.NewGroup{DisplayName: name})
		p = assignment.Principal{Type: assignment.Group, ID: g.ID}
		return err
	})
	return p
}

func (w *world) set(name string) (s permissionset.PermissionSet) {
	w.must(func(tx *store.Tx) (err error) {
		s, err = permissionset.Create(tx, storetest.Now(), w.ids, w.in, permissionset.New{Name: name, SessionDuration: "PT4H"})
		return err
	})
	return s
}

// customerPolicy creates a policy of the account's own.
func (w *world) customerPolicy(accountID, path, name string) {
	w.must(func(tx *store.Tx) error {
		_, err := iam.CreatePolicy(tx, storetest.Now(), w.ids, accountID, path, name, allowAll)
		return err
	})
}

// edit runs change on the permission set as it is now.
func (w *world) edit(id string, change func(tx *store.Tx, s permissionset.PermissionSet) error) error {
	return w.s.Update(w.t.Context(), func(tx *store.Tx) error {
		s, err := permissionset.ByARN(tx, w.in, w.in.PermissionSetARN(id))
		if err != nil {
			return err
		}
		return change(tx, s)
	})
}

func (w *world) assign(setID, accountID string, p assignment.Principal) (r assignment.Request, err error) {
	err = w.edit(setID, func(tx *store.Tx, s permissionset.PermissionSet) (err error) {
		r, err = assignment.Create(tx, storetest.Now(), w.ids, w.in, s, accountID, p)
		return err
	})
	return r, err
}

func (w *world) unassign(setID, accountID string, p assignment.Principal) (r assignment.Request, err error) {
	err = w.edit(setID, func(tx *store.Tx, s permissionset.PermissionSet) (err error) {
		r, err = assignment.Delete(tx, storetest.Now(), w.ids, w.in, s, accountID, p)
		return err
	})
	return r, err
}

// provision provisions in one account, or in all for "".
func (w *world) provision(setID, accountID string) (r assignment.Request, err error) {
	err = w.edit(setID, func(tx *store.Tx, s permissionset.PermissionSet) (err error) {
		if accountID == "" {
			r, err = assignment.ProvisionAll(tx, storetest.Now(), w.ids, w.in, s)
		} else {
			r, err = assignment.ProvisionAccount(tx, storetest.Now(), w.ids, w.in, s, accountID)
		}
		return err
	})
	return r, err
}

// settled checks that a request came to the given end: FAILED with a reason
// that has the text, or SUCCEEDED for "", and that it is stored so.
func (w *world) settled(r assignment.Request, err error, failure string) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
	want := assignment.Succeeded
	if failure != "" {
		want = assignment.Failed
	}
	if r.Status != want || !strings.Contains(r.FailureReason, failure) || (failure == "" && r.FailureReason != "") {
		w.t.Errorf("the request is %s: %q, want %s: %q", r.Status, r.FailureReason, want, failure)
	}
	w.must(func(tx *store.Tx) error {
		stored, err := assignment.Describe(tx, w.in, r.Kind, r.ID)
		if stored != r {
			w.t.Errorf("stored is %+v, answered was %+v", stored, r)
		}
		return err
	})
}

// role returns the permission set's role in the account; false when there is
// none.
func (w *world) role(setID, accountID string) (role iam.Role, found bool) {
	w.t.Helper()
	w.must(func(tx *store.Tx) error {
		p, provisioned, err := tx.ProvisionOf(setID, accountID)
		if err != nil || !provisioned {
			found = false
			return err
		}
		role, found, err = tx.RoleByID(accountID, p.RoleID)
		if err == nil && (!found || role.Name != p.RoleName) {
			err = fmt.Errorf("the provision %+v has the role %+v, %v", p, role, found)
		}
		return err
	})
	return role, found
}

func (w *world) assignments(setID, accountID string) (list []assignment.Assignment) {
	w.t.Helper()
	w.must(func(tx *store.Tx) (err error) {
		list, _, err = assignment.List(tx, permissionset.PermissionSet{ID: setID}, accountID, "", 100)
		return err
	})
	return list
}

// refused checks that err is of category c and that its message has text.
func refused(t testing.TB, err error, c fault.Category, text string) {
	t.Helper()
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Category != c || !strings.Contains(f.Message, text) {
		t.Errorf("got the error %v, want one of category %v saying %q", err, c, text)
	}
}

func minutes(n int) time.Time { return storetest.Now().Add(time.Duration(n) * time.Minute) }

// accounts adds n accounts to the organization and returns their ids in order.
func (w *world) accounts(n int) (ids []string) {
	for i := range n {
		id := fmt.Sprintf("4444444444%02d", i)
		w.must(func(tx *store.Tx) error {
			_, err := organization.CreateAccount(tx, storetest.Now(), w.ids, w.org, account(id))
			return err
		})
		ids = append(ids, id)
	}
	return ids
}
