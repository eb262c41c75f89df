package organization_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/organization"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// modelTree is the tree of an organization as this test understands it.
type modelTree struct {
	root     string
	units    map[string]modelUnit
	accounts map[string]string // id to parent
}

type modelUnit struct{ parent, name string }

func (m *modelTree) has(container string) bool {
	_, ok := m.units[container]
	return ok || container == m.root
}

func (m *modelTree) depth(container string) int {
	if container == m.root {
		return 0
	}
	return 1 + m.depth(m.units[container].parent)
}

func (m *modelTree) path(organization, container string) string {
	if container == m.root {
		return organization + "/" + m.root + "/"
	}
	return m.path(organization, m.units[container].parent) + container + "/"
}

func (m *modelTree) named(parent, name string) bool {
	for _, u := range m.units {
		if u.parent == parent && u.name == name {
			return true
		}
	}
	return false
}

func (m *modelTree) holdsSomething(container string) bool {
	for _, u := range m.units {
		if u.parent == container {
			return true
		}
	}
	return slices.Contains(slices.Collect(maps.Values(m.accounts)), container)
}

// children returns "parent child" of every unit and account.
func (m *modelTree) children() (out []string) {
	for id, u := range m.units {
		out = append(out, u.parent+" "+id+" "+u.name)
	}
	for id, parent := range m.accounts {
		out = append(out, parent+" "+id)
	}
	slices.Sort(out)
	return out
}

// machine draws actions, does them to the store and to the model, and
// compares the answers.
type machine struct {
	*world
	rt    *rapid.T
	model modelTree
	next  int
}

const noContainer, noAccount = "ou-none-00000000", "000000000000"

var unitNames = []string{"Production", "Development", "production", "Ünïcode/名前", " "}

func (m *machine) container(label string) string {
	ids := slices.Sorted(maps.Keys(m.model.units))
	return rapid.SampledFrom(append(ids, m.model.root, noContainer)).Draw(m.rt, label)
}

func (m *machine) member(label string) string {
	ids := slices.Sorted(maps.Keys(m.model.accounts))
	return rapid.SampledFrom(append(ids, noAccount)).Draw(m.rt, label)
}

func (m *machine) expect(what, want string, err error) {
	if got := brief(err); got != want {
		m.rt.Fatalf("%s: %s, want %s", what, got, want)
	}
}

func (m *machine) create(*rapid.T) {
	parent, name := m.container("parent"), rapid.SampledFrom(unitNames).Draw(m.rt, "name")
	want := "ok"
	switch {
	case !m.model.has(parent):
		want = "not_found:parent"
	case m.model.depth(parent) >= 5:
		want = "quota OU_DEPTH_LIMIT_EXCEEDED"
	case m.model.named(parent, name):
		want = "conflict:organizational_unit"
	}
	var c organization.Container
	err := m.do(func(tx organization.Tx) (err error) {
		c, err = organization.CreateOrganizationalUnit(tx, m.now, m.ids, m.org, parent, name, nil)
		return err
	})
	m.expect("create "+name+" in "+parent, want, err)
	if err == nil {
		m.model.units[c.ID] = modelUnit{parent, name}
		if path := m.model.path(m.org.ID, c.ID); c.Path != path || c.Depth() != m.model.depth(c.ID) {
			m.rt.Fatalf("created %+v at depth %d, want path %s", c, c.Depth(), path)
		}
	}
}

// createDeep creates a unit in the deepest one, to reach the limit often.
func (m *machine) createDeep(*rapid.T) {
	deepest := m.model.root
	for _, id := range slices.Sorted(maps.Keys(m.model.units)) {
		if m.model.depth(id) > m.model.depth(deepest) {
			deepest = id
		}
	}
	want := "ok"
	if m.model.depth(deepest) == 5 {
		want = "quota OU_DEPTH_LIMIT_EXCEEDED"
	}
	name := fmt.Sprint("deep ", m.next)
	m.next++
	var c organization.Container
	err := m.do(func(tx organization.Tx) (err error) {
		c, err = organization.CreateOrganizationalUnit(tx, m.now, m.ids, m.org, deepest, name, nil)
		return err
	})
	m.expect("create "+name, want, err)
	if err == nil {
		m.model.units[c.ID] = modelUnit{deepest, name}
	}
}

func (m *machine) rename(*rapid.T) {
	id, name := m.container("unit"), rapid.SampledFrom(unitNames).Draw(m.rt, "name")
	u, ok := m.model.units[id]
	want := "ok"
	switch {
	case !ok:
		want = "not_found:organizational_unit"
	case u.name != name && m.model.named(u.parent, name):
		want = "conflict:organizational_unit"
	}
	err := m.do(func(tx organization.Tx) error {
		c, err := organization.RenameOrganizationalUnit(tx, m.org, id, name)
		if err == nil && c.Name != name {
			return fmt.Errorf("renamed to %q", c.Name)
		}
		return err
	})
	m.expect("rename "+id, want, err)
	if err == nil {
		m.model.units[id] = modelUnit{u.parent, name}
	}
}

func (m *machine) remove(*rapid.T) {
	id := m.container("unit")
	want := "ok"
	if _, ok := m.model.units[id]; !ok {
		want = "not_found:organizational_unit"
	} else if m.model.holdsSomething(id) {
		want = "conflict:organizational_unit_not_empty"
	}
	err := m.do(func(tx organization.Tx) error { return organization.DeleteOrganizationalUnit(tx, m.org, id) })
	m.expect("delete "+id, want, err)
	if err == nil {
		delete(m.model.units, id)
	}
}

func (m *machine) join(*rapid.T) {
	m.next++
	email := fmt.Sprintf("%s-%d@example.com", m.org.ID, m.next)
	_, r, err := m.request(organization.AccountRequest{Name: "member", Email: email})
	m.expect("create account", "ok", err)
	m.model.accounts[r.AccountID] = m.model.root
}

func (m *machine) leave(*rapid.T) {
	id := m.member("account")
	want := "ok"
	if _, ok := m.model.accounts[id]; !ok {
		want = "not_found:account"
	} else if id == m.org.ManagementAccountID {
		want = "conflict:management_account"
	}
	err := m.do(func(tx organization.Tx) error { return organization.RemoveAccount(tx, m.org, id) })
	m.expect("remove "+id, want, err)
	if err == nil {
		delete(m.model.accounts, id)
	}
}

func (m *machine) move(*rapid.T) {
	id, to := m.member("account"), m.container("to")
	at, ok := m.model.accounts[id]
	from := at
	if !ok || rapid.IntRange(0, 3).Draw(m.rt, "elsewhere") == 0 {
		from = m.container("from")
	}
	want := "ok"
	switch {
	case !ok:
		want = "not_found:account"
	case !m.model.has(from):
		want = "not_found:source_parent"
	case !m.model.has(to):
		want = "not_found:destination_parent"
	case from != at:
		want = "not_found:account"
	case from == to:
		want = "conflict:account"
	}
	err := m.do(func(tx organization.Tx) error { return organization.MoveAccount(tx, m.org, id, from, to) })
	m.expect(strings.Join([]string{"move", id, from, to}, " "), want, err)
	if err == nil {
		m.model.accounts[id] = to
	}
}

// check reads the whole stored tree.
func (m *machine) check(*rapid.T) {
	var got []string
	err := m.s.View(m.t.Context(), func(tx *store.Tx) error {
		got = nil
		accounts, _, err := organization.ListAccounts(tx, m.org, "", 1000)
		for _, a := range accounts {
			got = append(got, a.ParentID+" "+a.ID)
			if want := m.model.path(m.org.ID, a.ParentID) + a.ID + "/"; a.Path() != want {
				return fmt.Errorf("account %s has path %s, want %s", a.ID, a.Path(), want)
			}
		}
		if err != nil {
			return err
		}
		return m.descend(tx, m.model.root, &got)
	})
	if err != nil {
		m.rt.Fatal(err)
	}
	slices.Sort(got)
	if diff := cmp.Diff(m.model.children(), got); diff != "" {
		m.rt.Fatalf("the tree (-want +got):\n%s", diff)
	}
}

func (m *machine) descend(tx organization.Tx, parent string, out *[]string) error {
	units, _, err := organization.ListOrganizationalUnitsForParent(tx, m.org, parent, "", 1000)
	if err != nil {
		return err
	}
	for _, u := range units {
		*out = append(*out, parent+" "+u.ID+" "+u.Name)
		if err := m.descend(tx, u.ID, out); err != nil {
			return err
		}
	}
	return nil
}

// list asks for the accounts of a container.
func (m *machine) list(*rapid.T) {
	parent := m.container("parent")
	var want, got []string
	for _, id := range slices.Sorted(maps.Keys(m.model.accounts)) {
		if m.model.accounts[id] == parent {
			want = append(want, id)
		}
	}
	err := m.s.View(m.t.Context(), func(tx *store.Tx) error {
		accounts, _, err := organization.ListAccountsForParent(tx, m.org, parent, "", 1000)
		got = nil
		for _, a := range accounts {
			got = append(got, a.ID)
		}
		return err
	})
	outcome := "ok"
	if !m.model.has(parent) {
		outcome = "not_found:parent"
	}
	m.expect("list accounts of "+parent, outcome, err)
	if diff := cmp.Diff(want, got); diff != "" {
		m.rt.Fatalf("accounts of %s (-want +got):\n%s", parent, diff)
	}
}

// ascend asks for the parent of an account or unit.
func (m *machine) ascend(*rapid.T) {
	child := m.member("account")
	parent := m.model.accounts[child]
	if rapid.Bool().Draw(m.rt, "unit") {
		child = m.container("unit")
		parent = m.model.units[child].parent
	}
	want := "ok"
	if parent == "" {
		want = "not_found:child"
	}
	var got organization.Container
	err := m.s.View(m.t.Context(), func(tx *store.Tx) (err error) {
		got, err = organization.ParentOf(tx, m.org, child)
		return err
	})
	m.expect("parent of "+child, want, err)
	if got.ID != parent {
		m.rt.Fatalf("the parent of %s is %q, want %q", child, got.ID, parent)
	}
}

func TestTreeAgainstModel(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		ids := ident.NewSource(rand.NewChaCha8([32]byte{2}))
		rapid.Check(t, func(rt *rapid.T) {
			w := &world{t: t, s: s, ids: ids, now: storetest.Now()}
			m := &machine{world: w, rt: rt}
			w.must(func(tx organization.Tx) error {
				a, err := organization.CreateStandaloneAccount(tx, w.now, ids, organization.NewAccount{
					Name: "management", Email: ids.LowerAlnum(20) + "@example.com",
				})
				if err != nil {
					return err
				}
				w.org, err = organization.CreateOrganization(tx, w.now, ids, a.ID, "")
				m.model = modelTree{root: w.org.RootID, units: map[string]modelUnit{}, accounts: map[string]string{a.ID: w.org.RootID}}
				return err
			})
			rt.Repeat(map[string]func(*rapid.T){
				"":                           m.check,
				"create unit":                m.create,
				"create unit in the deepest": m.createDeep,
				"rename unit":                m.rename,
				"delete unit":                m.remove,
				"create account":             m.join,
				"remove account":             m.leave,
				"move account":               m.move,
				"find parent":                m.ascend,
				"list accounts":              m.list,
			})
		})
	})
}

func TestUnitRules(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		unit := w.unit(w.org.RootID, "Unit")
		for _, c := range []struct {
			name string
			do   func(tx organization.Tx) error
			want string
		}{
			{"empty name", func(tx organization.Tx) error {
				_, err := organization.CreateOrganizationalUnit(tx, w.now, w.ids, w.org, w.org.RootID, "", nil)
				return err
			}, "invalid INVALID_PATTERN"},
			{"128 characters", func(tx organization.Tx) error {
				_, err := organization.CreateOrganizationalUnit(tx, w.now, w.ids, w.org, w.org.RootID, strings.Repeat("é", 128), nil)
				return err
			}, "ok"},
			{"129 characters", func(tx organization.Tx) error {
				_, err := organization.RenameOrganizationalUnit(tx, w.org, unit, strings.Repeat("é", 129))
				return err
			}, "invalid INVALID_PATTERN"},
			{"bad tags", func(tx organization.Tx) error {
				_, err := organization.CreateOrganizationalUnit(tx, w.now, w.ids, w.org, w.org.RootID, "Tagged", []organization.Tag{{Key: "a"}, {Key: "a"}})
				return err
			}, "invalid DUPLICATE_TAG_KEY"},
			{"rename the root", func(tx organization.Tx) error {
				_, err := organization.RenameOrganizationalUnit(tx, w.org, w.org.RootID, "x")
				return err
			}, "not_found:organizational_unit"},
			{"parent of the root", func(tx organization.Tx) error {
				_, err := organization.ParentOf(tx, w.org, w.org.RootID)
				return err
			}, "not_found:child"},
			{"parent of an unknown account", func(tx organization.Tx) error {
				_, err := organization.ParentOf(tx, w.org, noAccount)
				return err
			}, "not_found:child"},
			{"parent of an unknown unit", func(tx organization.Tx) error {
				_, err := organization.ParentOf(tx, w.org, noContainer)
				return err
			}, "not_found:child"},
			{"accounts of an unknown unit", func(tx organization.Tx) error {
				_, _, err := organization.ListAccountsForParent(tx, w.org, noContainer, "", 20)
				return err
			}, "not_found:parent"},
			{"units of an unknown unit", func(tx organization.Tx) error {
				_, _, err := organization.ListOrganizationalUnitsForParent(tx, w.org, noContainer, "", 20)
				return err
			}, "not_found:parent"},
		} {
			if got := brief(w.do(c.do)); got != c.want {
				t.Errorf("%s: %s, want %s", c.name, got, c.want)
			}
		}
	})
}
