package epoch_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/atrium-iam/atrium/internal/assignment"
	"github.com/atrium-iam/atrium/internal/epoch"
	"github.com/atrium-iam/atrium/internal/permissionset"
	"github.com/atrium-iam/atrium/internal/store"
)

// access is a person's way to a permission set.
type access struct{ user, set int }

// model is what people may use, told in the simplest way.
type model struct {
	w             *world
	users, groups []assignment.Principal
	sets          []permissionset.PermissionSet
	members       map[[2]int]bool // user, group
	userHas       map[access]bool
	groupHas      map[access]bool // user is a group here

	live []opened
}

type opened struct {
	access
	credentials
	ended bool
}

func newModel(w *world, round int) *model {
	m := &model{w: w, members: map[[2]int]bool{}, userHas: map[access]bool{}, groupHas: map[access]bool{}}
	for i := range 2 {
		name := fmt.Sprintf("%d-%d", round, i)
		m.users = append(m.users, w.user("user"+name))
		m.groups = append(m.groups, w.group("group"+name))
		m.sets = append(m.sets, w.set("Set"+name))
	}
	return m
}

// has tells whether a person has an access.
func (m *model) has(a access) bool {
	if m.userHas[a] {
		return true
	}
	for g := range m.groups {
		if m.members[[2]int{a.user, g}] && m.groupHas[access{g, a.set}] {
			return true
		}
	}
	return false
}

// change turns one thing on or off, or opens an access.
func (m *model) change(rt *rapid.T) {
	user, group, set := rapid.IntRange(0, 1).Draw(rt, "user"), rapid.IntRange(0, 1).Draw(rt, "group"), rapid.IntRange(0, 1).Draw(rt, "set")
	switch rapid.SampledFrom([]string{"member", "user", "group", "open", "delete"}).Draw(rt, "change") {
	case "member":
		key := [2]int{user, group}
		if m.members[key] = !m.members[key]; m.members[key] {
			m.w.join(m.groups[group], m.users[user])
		} else {
			m.w.leave(m.groups[group], m.users[user])
		}
	case "user":
		m.assign(m.userHas, access{user, set}, m.users[user])
	case "group":
		m.assign(m.groupHas, access{group, set}, m.groups[group])
	case "delete":
		m.w.deleteGroup(m.groups[group])
		m.groups[group] = m.w.group(m.groups[group].ID)
		for i := range 2 {
			delete(m.members, [2]int{i, group})
			delete(m.groupHas, access{group, i})
		}
	case "open":
		if a := (access{user, set}); m.has(a) {
			m.live = append(m.live, opened{access: a, credentials: m.w.open(m.users[user], m.sets[set], member)})
		}
	}
}

func (m *model) assign(assigned map[access]bool, a access, p assignment.Principal) {
	if assigned[a] = !assigned[a]; assigned[a] {
		m.w.assign(p, m.sets[a.set], member)
	} else {
		m.w.unassign(p, m.sets[a.set], member)
	}
}

// check compares what has ended.
func (m *model) check(rt *rapid.T) {
	for i := range m.live {
		o := &m.live[i]
		o.ended = o.ended || !m.has(o.access)
		if valid := m.w.valid(o.credentials); valid == o.ended {
			rt.Fatalf("credentials of %+v: valid %v, ended %v", o.access, valid, o.ended)
		}
	}
}

// clear leaves no access behind, for the next round.
func (m *model) clear() {
	for a, has := range m.userHas {
		if has {
			m.assign(m.userHas, a, m.users[a.user])
		}
	}
	for a, has := range m.groupHas {
		if has {
			m.assign(m.groupHas, a, m.groups[a.user])
		}
	}
}

func sessionRefs(id, user string) []epoch.Ref {
	return []epoch.Ref{{Scope: epoch.PortalSession, ID: id}, {Scope: epoch.User, ID: user}}
}

func epochs(t *testing.T, s *store.Store) (list []epoch.Epoch) {
	t.Helper()
	err := s.View(t.Context(), func(tx *store.Tx) (err error) {
		list, err = tx.EpochsAfter(epoch.Epoch{}, 1000)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}
