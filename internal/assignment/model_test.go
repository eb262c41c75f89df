package assignment_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/atrium-iam/atrium/internal/assignment"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/permissionset"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// content is what a permission set grants, as a role carries it.
type content struct {
	Managed string // space-separated ARNs in order
	Inline  string
	Session time.Duration
}

func contentOf(role iam.Role) content {
	return content{
		Managed: fmt.Sprint(role.Policies.Managed), Inline: role.Policies.Inline["AwsSSOInlinePolicy"], Session: role.SessionDuration,
	}
}

// modelSet is a permission set of the model.
type modelSet struct {
	id      string
	managed map[string]bool
	inline  string
	session time.Duration
	edits   int
}

func (s *modelSet) content() content {
	return content{Managed: fmt.Sprint(slices.Sorted(maps.Keys(s.managed))), Inline: s.inline, Session: s.session}
}

// place is a permission set, by name, in an account.
type place struct{ set, account string }

type snapshot struct {
	content
	edits int
}

// model is permission sets, assignments and provisioning as plain maps, beside
// the world whose store must agree with it.
type model struct {
	w         *world
	sets      map[string]*modelSet
	assigned  map[place]map[assignment.Principal]bool
	provision map[place]snapshot
	roles     map[string]string // all role ids ever seen → account
}

var (
	modelNames    = []string{"Admin", "Audit", "Build"}
	modelAccounts = []string{management, production}
	modelPolicies = []string{administrator, billing, "arn:aws:iam::aws:policy/SecurityAudit"}
)

// newModel empties the world's instance and returns its model.
func newModel(w *world) *model {
	w.must(func(tx *store.Tx) error {
		if err := assignment.Withdraw(tx, w.in); err != nil {
			return err
		}
		for _, name := range modelNames {
			s, found, err := tx.PermissionSetByName(w.in.ID, name)
			if err != nil {
				return err
			}
			if found {
				if err := permissionset.Delete(tx, w.in, s); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return &model{w: w, sets: map[string]*modelSet{}, assigned: map[place]map[assignment.Principal]bool{}, provision: map[place]snapshot{}, roles: map[string]string{}}
}

// expect checks that err is of category c, or nil when ok.
func (m *model) expect(t *rapid.T, err error, ok bool, c fault.Category) bool {
	if ok && err != nil {
		t.Fatalf("unexpected error: %v", err)
	}
	if !ok && !fault.Is(err, c) {
		t.Fatalf("got the error %v, want category %v", err, c)
	}
	return ok
}

// existing draws a permission set that exists; the first one it makes.
func (m *model) existing(t *rapid.T) (string, *modelSet) {
	if len(m.sets) == 0 {
		m.Create(t)
	}
	name := rapid.SampledFrom(slices.Sorted(maps.Keys(m.sets))).Draw(t, "set")
	return name, m.sets[name]
}

func (m *model) Create(t *rapid.T) {
	name := rapid.SampledFrom(modelNames).Draw(t, "name")
	var s permissionset.PermissionSet
	err := m.w.s.Update(m.w.t.Context(), func(tx *store.Tx) (err error) {
		s, err = permissionset.Create(tx, storetest.Now(), m.w.ids, m.w.in, permissionset.New{Name: name})
		return err
	})
	if m.expect(t, err, m.sets[name] == nil, fault.Conflict) {
		m.sets[name] = &modelSet{id: s.ID, managed: map[string]bool{}, session: time.Hour}
	}
}

func (m *model) Delete(t *rapid.T) {
	name, s := m.existing(t)
	err := m.w.edit(s.id, func(tx *store.Tx, s permissionset.PermissionSet) error { return permissionset.Delete(tx, m.w.in, s) })
	used := slices.ContainsFunc(modelAccounts, func(id string) bool { return len(m.assigned[place{name, id}]) > 0 })
	if m.expect(t, err, !used, fault.Conflict) {
		delete(m.sets, name)
	}
}

func (m *model) Attach(t *rapid.T) {
	_, s := m.existing(t)
	arn := rapid.SampledFrom(modelPolicies).Draw(t, "policy")
	err := m.w.edit(s.id, func(tx *store.Tx, s permissionset.PermissionSet) error {
		return permissionset.AttachManagedPolicy(tx, s, arn)
	})
	if m.expect(t, err, !s.managed[arn], fault.Conflict) {
		s.managed[arn] = true
		s.edits++
	}
}

func (m *model) Detach(t *rapid.T) {
	_, s := m.existing(t)
	arn := rapid.SampledFrom(modelPolicies).Draw(t, "policy")
	err := m.w.edit(s.id, func(tx *store.Tx, s permissionset.PermissionSet) error {
		return permissionset.DetachManagedPolicy(tx, s, arn)
	})
	if m.expect(t, err, s.managed[arn], fault.NotFound) {
		delete(s.managed, arn)
		s.edits++
	}
}

func (m *model) PutInline(t *rapid.T) {
	_, s := m.existing(t)
	document := fmt.Sprintf(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:%s","Resource":"*"}}`,
		rapid.SampledFrom([]string{"*", "GetObject"}).Draw(t, "action"))
	err := m.w.edit(s.id, func(tx *store.Tx, s permissionset.PermissionSet) error {
		return permissionset.PutInlinePolicy(tx, s, document)
	})
	m.expect(t, err, true, 0)
	s.inline = document
	s.edits++
}

func (m *model) Update(t *rapid.T) {
	_, s := m.existing(t)
	hours := rapid.IntRange(0, 13).Draw(t, "hours")
	err := m.w.edit(s.id, func(tx *store.Tx, s permissionset.PermissionSet) error {
		return permissionset.Update(tx, s, permissionset.Change{SessionDuration: new(fmt.Sprintf("PT%dH", hours))})
	})
	if m.expect(t, err, hours >= 1 && hours <= 12, fault.Invalid) {
		s.session = time.Duration(hours) * time.Hour
		s.edits++
	}
}

func (m *model) principal(t *rapid.T) assignment.Principal {
	return rapid.SampledFrom([]assignment.Principal{m.w.amy, m.w.ben, m.w.ops}).Draw(t, "principal")
}

func (m *model) place(t *rapid.T) (place, *modelSet) {
	name, s := m.existing(t)
	return place{name, rapid.SampledFrom(modelAccounts).Draw(t, "account")}, s
}

func (m *model) Assign(t *rapid.T) {
	at, s := m.place(t)
	p := m.principal(t)
	r, err := m.w.assign(s.id, at.account, p)
	m.expect(t, err, true, 0)
	m.status(t, r, true)
	if m.assigned[at] == nil {
		m.assigned[at] = map[assignment.Principal]bool{}
	}
	m.assigned[at][p] = true
	m.provision[at] = snapshot{s.content(), s.edits}
}

func (m *model) AssignToNobody(t *rapid.T) {
	at, s := m.place(t)
	r, err := m.w.assign(s.id, at.account, assignment.Principal{Type: assignment.User, ID: "nobody"})
	m.expect(t, err, true, 0)
	m.status(t, r, false)
}

func (m *model) Unassign(t *rapid.T) {
	at, s := m.place(t)
	p := m.principal(t)
	r, err := m.w.unassign(s.id, at.account, p)
	m.expect(t, err, true, 0)
	m.status(t, r, m.assigned[at][p])
	delete(m.assigned[at], p)
	if len(m.assigned[at]) == 0 {
		delete(m.provision, at)
	}
}

func (m *model) Provision(t *rapid.T) {
	at, s := m.place(t)
	r, err := m.w.provision(s.id, at.account)
	m.expect(t, err, true, 0)
	_, provisioned := m.provision[at]
	m.status(t, r, provisioned)
	if provisioned {
		m.provision[at] = snapshot{s.content(), s.edits}
	}
}

func (m *model) ProvisionAll(t *rapid.T) {
	name, s := m.existing(t)
	r, err := m.w.provision(s.id, "")
	m.expect(t, err, true, 0)
	m.status(t, r, true)
	for _, id := range modelAccounts {
		if _, provisioned := m.provision[place{name, id}]; provisioned {
			m.provision[place{name, id}] = snapshot{s.content(), s.edits}
		}
	}
}

func (m *model) status(t *rapid.T, r assignment.Request, ok bool) {
	want := assignment.Failed
	if ok {
		want = assignment.Succeeded
	}
	if r.Status != want {
		t.Fatalf("the request is %s: %s; want %s", r.Status, r.FailureReason, want)
	}
}

// Check compares everything in the store with the model.
func (m *model) Check(t *rapid.T) {
	err := m.w.s.View(m.w.t.Context(), func(tx *store.Tx) error {
		ids, _, err := permissionset.List(tx, m.w.in, "", 100)
		if err != nil {
			return err
		}
		if len(ids) != len(m.sets) {
			t.Fatalf("there are %d permission sets, want %d", len(ids), len(m.sets))
		}
		live := map[string]bool{}
		for name, s := range m.sets {
			for _, account := range modelAccounts {
				roleID, err := m.checkPlace(t, tx, place{name, account}, s)
				if err != nil {
					return err
				}
				live[roleID] = true
			}
		}
		return m.checkGone(t, tx, live)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (m *model) checkPlace(t *rapid.T, tx *store.Tx, at place, s *modelSet) (roleID string, err error) {
	got := map[assignment.Principal]bool{}
	list, _, err := assignment.List(tx, permissionset.PermissionSet{ID: s.id}, at.account, "", 100)
	for _, a := range list {
		got[a.Principal] = true
	}
	want := m.assigned[at]
	if want == nil {
		want = map[assignment.Principal]bool{}
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Fatalf("assignments of %v: %v %s", at, err, diff)
	}
	p, provisioned, err := tx.ProvisionOf(s.id, at.account)
	if err != nil {
		return "", err
	}
	made, expected := m.provision[at]
	if provisioned != expected || expected != (len(want) > 0) {
		t.Fatalf("%v has %d assignments; provisioned is %v, want %v", at, len(want), provisioned, expected)
	}
	if !provisioned {
		return "", nil
	}
	role, found, err := tx.RoleByID(at.account, p.RoleID)
	if diff := cmp.Diff(made.content, contentOf(role)); err == nil && (!found || diff != "") {
		t.Fatalf("the role of %v: found %v %s", at, found, diff)
	}
	currency := assignment.NotLatest
	if made.edits == s.edits {
		currency = assignment.Latest
	}
	accounts, _, err := assignment.ListAccounts(tx, permissionset.PermissionSet{ID: s.id}, currency, "", 100)
	if err == nil && !slices.Contains(accounts, at.account) {
		t.Fatalf("%v is not among the %s of %v", at, currency, accounts)
	}
	m.roles[p.RoleID] = at.account
	return p.RoleID, err
}

// checkGone looks for roles that were seen before and have no provision now.
func (m *model) checkGone(t *rapid.T, tx *store.Tx, live map[string]bool) error {
	for id, account := range m.roles {
		_, found, err := tx.RoleByID(account, id)
		if err != nil {
			return err
		}
		if found != live[id] {
			t.Fatalf("the role %s exists: %v, is provisioned: %v", id, found, live[id])
		}
	}
	return nil
}

func TestModel(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		rapid.Check(t, func(t *rapid.T) {
			m := newModel(w)
			t.Repeat(map[string]func(*rapid.T){
				"create": m.Create, "delete": m.Delete, "attach": m.Attach, "detach": m.Detach, "inline": m.PutInline, "update": m.Update,
				"assign": m.Assign, "assign again": m.Assign, "assign to nobody": m.AssignToNobody, "unassign": m.Unassign,
				"provision": m.Provision, "provision all": m.ProvisionAll, "": m.Check,
			})
		})
	})
}

// TestManyAtOnce lets 64 clients give and take access to the same few places
// and looks for anything half-done.
func TestManyAtOnce(t *testing.T) {
	storetest.RunConfig(t, store.Config{}, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, "us-east-1")
		const clients = 64
		principals := make([]assignment.Principal, clients)
		for i := range principals {
			principals[i] = w.user(fmt.Sprint("user", i))
		}
		sets := []permissionset.PermissionSet{w.admin, w.set("Other")}
		var group sync.WaitGroup
		errs := make([]error, clients)
		for i := range clients {
			group.Go(func() { errs[i] = w.client(sets, principals[i], i) })
		}
		group.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		for n, set := range sets {
			for _, id := range modelAccounts {
				list := w.assignments(set.ID, id)
				want := map[assignment.Principal]bool{}
				for i, p := range principals {
					if stays(i, n) {
						want[p] = true
					}
				}
				got := map[assignment.Principal]bool{}
				for _, a := range list {
					got[a.Principal] = true
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s in %s: %s", set.Name, id, diff)
				}
				if _, found := w.role(set.ID, id); found != (len(want) > 0) {
					t.Errorf("%s in %s has a role: %v", set.Name, id, found)
				}
			}
		}
	})
}

// stays tells whether client i ends with access by the set n: some with the
// first, none with the second.
func stays(i, n int) bool { return n == 0 && i%2 == 0 }

// client gives p access everywhere, and takes it away where it does not stay.
func (w *world) client(sets []permissionset.PermissionSet, p assignment.Principal, i int) error {
	for n, set := range sets {
		for _, id := range modelAccounts {
			if err := w.persist(func() (assignment.Request, error) { return w.assign(set.ID, id, p) }); err != nil {
				return err
			}
			if stays(i, n) {
				continue
			}
			if err := w.persist(func() (assignment.Request, error) { return w.unassign(set.ID, id, p) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// persist tries again while the database is too busy, as clients do.
func (w *world) persist(do func() (assignment.Request, error)) error {
	for {
		r, err := do()
		if err == nil && r.Status != assignment.Succeeded {
			return fmt.Errorf("the request ended %s: %s", r.Status, r.FailureReason)
		}
		if !fault.Is(err, fault.Unavailable) {
			return err
		}
	}
}
