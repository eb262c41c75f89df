package directory_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// machine drives the directory with random operations beside a model of it:
// plain maps, and rules written down once more, in another way.
type machine struct {
	*world
	users       map[string]directory.User
	groups      map[string]directory.Group
	memberships map[string]directory.Membership
}

func TestDirectoryMatchesModel(t *testing.T) {
	storetest.Run(t, func(t *testing.T, db *store.Store) {
		rapid.Check(t, func(t *rapid.T) {
			m := &machine{
				world: newWorld(db), users: map[string]directory.User{},
				groups: map[string]directory.Group{}, memberships: map[string]directory.Membership{},
			}
			m.store = m.ids.IdentityStoreID()
			t.Repeat(map[string]func(*rapid.T){
				"":                 m.check,
				"CreateUser":       m.testCreateUser,
				"UpdateUser":       m.testUpdateUser,
				"SetStatus":        m.testSetStatus,
				"DeleteUser":       m.testDeleteUser,
				"CreateGroup":      m.testCreateGroup,
				"UpdateGroup":      m.testUpdateGroup,
				"DeleteGroup":      m.testDeleteGroup,
				"CreateMembership": m.testCreateMembership,
				"DeleteMembership": m.testDeleteMembership,
				"IsMemberInGroups": m.testIsMember,
			})
		})
	})
}

// Few names, in many spellings, so that they collide.
var (
	names     = rapid.SampledFrom([]string{"jane", "JANE", "Jürgen", "JÜRGEN", "σίσυφος", "ΣΊΣΥΦΟΣ", "東京", "x"})
	addresses = rapid.SampledFrom([]string{"", "a@example.com", "A@EXAMPLE.COM", "é@example.com", "É@example.com", "b@example.com"})
	external  = rapid.SampledFrom([]string{"", "1", "2", "É", "é"})
)

// anyOf draws one of the ids in use, or one that is not.
func anyOf[T any](t *rapid.T, label string, from map[string]T) string {
	ids := append(slices.Sorted(maps.Keys(from)), "1234567890-unknown")
	return rapid.SampledFrom(ids).Draw(t, label)
}

func (m *machine) testCreateUser(t *rapid.T) {
	in := person(names.Draw(t, "name"))
	in.Emails = emails(addresses.Draw(t, "address"))
	in.ExternalIDs = externalIDs(external.Draw(t, "external id"))
	u, err := m.createUser(t, in)
	want := m.userConflict("", in.UserName, in.Email())
	if want == (failure{}) && m.externalIDTaken(in.ExternalIDs) {
		want = duplicate("Duplicate ExternalId")
	}
	if m.agree(t, err, want) {
		m.users[u.ID] = u
	}
}

func emails(address string) []directory.Email {
	if address == "" {
		return nil
	}
	return []directory.Email{{Value: address, Primary: new(true)}}
}

func externalIDs(id string) []directory.ExternalID {
	if id == "" {
		return nil
	}
	return []directory.ExternalID{{Issuer: "idp", ID: id}}
}

// userConflict says what the name and address of the user id collide with.
func (m *machine) userConflict(id, name, address string) failure {
	taken := failure{}
	for other, u := range m.users {
		switch {
		case other == id:
		case strings.EqualFold(u.UserName, name):
			return duplicate("Duplicate UserName")
		case address != "" && strings.EqualFold(u.Email(), address):
			taken = duplicate("Duplicate Email")
		}
	}
	return taken
}

func (m *machine) externalIDTaken(ids []directory.ExternalID) bool {
	for _, u := range m.users {
		if len(ids) > 0 && slices.Contains(u.ExternalIDs, ids[0]) {
			return true
		}
	}
	return false
}

func (m *machine) testUpdateUser(t *rapid.T) {
	id := anyOf(t, "user", m.users)
	want, exists := m.users[id]
	var operations []directory.Operation
	for range rapid.IntRange(1, 3).Draw(t, "operations") {
		switch rapid.IntRange(0, 4).Draw(t, "attribute") {
		case 0:
			want.UserName = names.Draw(t, "name")
			operations = append(operations, directory.Operation{Path: "userName", Value: want.UserName})
		case 1:
			want.Emails = emails(addresses.Draw(t, "address"))
			var value any
			if len(want.Emails) > 0 {
				value = list{object{"value": want.Email(), "primary": true}}
			}
			operations = append(operations, directory.Operation{Path: "emails", Value: value})
		case 2:
			want.Title = names.Draw(t, "title")
			operations = append(operations, directory.Operation{Path: "title", Value: want.Title})
		case 3:
			want.Title = ""
			operations = append(operations, directory.Operation{Path: "title"})
		case 4:
			want.Extensions.Enterprise.Department = names.Draw(t, "department")
			operations = append(operations, directory.Operation{
				Path: directory.EnterpriseExtension + ".department", Value: want.Extensions.Enterprise.Department,
			})
		}
	}
	got, err := m.updateUser(t, id, operations...)
	refusal := notFound("USER", id)
	if exists {
		refusal = m.userConflict(id, want.UserName, want.Email())
	}
	if m.agree(t, err, refusal) {
		want.Version++
		want.UpdatedAt = got.UpdatedAt
		m.users[id] = want
	}
}

func (m *machine) testSetStatus(t *rapid.T) {
	id := anyOf(t, "user", m.users)
	set, status := directory.EnableUser, directory.Enabled
	if rapid.Bool().Draw(t, "disable") {
		set, status = directory.DisableUser, directory.Disabled
	}
	by := m.stamp()
	got, err := update(t, m.world, func(tx directory.Tx) (directory.User, error) {
		u, _, err := set(tx, by, m.store, id)
		return u, err
	})
	u, exists := m.users[id]
	if !m.agree(t, err, unless(exists, notFound("USER", id))) || u.Status == status {
		return
	}
	u.Status, u.UpdatedAt, u.Version = status, got.UpdatedAt, u.Version+1
	m.users[id] = u
}

func (m *machine) testDeleteUser(t *rapid.T) {
	id := anyOf(t, "user", m.users)
	groups, err := update(t, m.world, func(tx directory.Tx) ([]string, error) {
		_, groups, err := directory.DeleteUser(tx, m.store, id)
		return groups, err
	})
	_, exists := m.users[id]
	if !m.agree(t, err, unless(exists, notFound("USER", id))) {
		return
	}
	var want []string
	for membership, mm := range m.memberships {
		if mm.UserID == id {
			want = append(want, mm.GroupID)
			delete(m.memberships, membership)
		}
	}
	slices.Sort(want)
	if !slices.Equal(groups, want) {
		t.Fatalf("the deleted user was in %v, want %v", groups, want)
	}
	delete(m.users, id)
}

func (m *machine) testCreateGroup(t *rapid.T) {
	name := names.Draw(t, "name")
	g, err := m.createGroup(t, directory.NewGroup{DisplayName: name, Description: external.Draw(t, "description")})
	if m.agree(t, err, m.groupConflict("", name)) {
		m.groups[g.ID] = g
	}
}

func (m *machine) groupConflict(id, name string) failure {
	for other, g := range m.groups {
		if other != id && strings.EqualFold(g.DisplayName, name) {
			return duplicate("Duplicate GroupDisplayName")
		}
	}
	return failure{}
}

func (m *machine) testUpdateGroup(t *rapid.T) {
	id, name := anyOf(t, "group", m.groups), names.Draw(t, "name")
	got, err := m.updateGroup(t, id, directory.Operation{Path: "displayName", Value: name}, directory.Operation{Path: "description", Value: name})
	g, exists := m.groups[id]
	refusal := notFound("GROUP", id)
	if exists {
		refusal = m.groupConflict(id, name)
	}
	if m.agree(t, err, refusal) {
		g.DisplayName, g.Description, g.UpdatedAt, g.Version = name, name, got.UpdatedAt, g.Version+1
		m.groups[id] = g
	}
}

func (m *machine) testDeleteGroup(t *rapid.T) {
	id := anyOf(t, "group", m.groups)
	users, err := update(t, m.world, func(tx directory.Tx) ([]string, error) {
		_, users, err := directory.DeleteGroup(tx, m.store, id)
		return users, err
	})
	_, exists := m.groups[id]
	if !m.agree(t, err, unless(exists, notFound("GROUP", id))) {
		return
	}
	var want []string
	for membership, mm := range m.memberships {
		if mm.GroupID == id {
			want = append(want, mm.UserID)
			delete(m.memberships, membership)
		}
	}
	slices.Sort(want)
	if !slices.Equal(users, want) {
		t.Fatalf("in the deleted group were %v, want %v", users, want)
	}
	delete(m.groups, id)
}

func (m *machine) testCreateMembership(t *rapid.T) {
	group, user := anyOf(t, "group", m.groups), anyOf(t, "user", m.users)
	got, err := m.createMembership(t, group, user)
	_, groupExists := m.groups[group]
	_, userExists := m.users[user]
	want := failure{}
	switch {
	case !groupExists:
		want = notFound("GROUP", group)
	case !userExists:
		want = notFound("USER", user)
	case m.isMember(user, group):
		want = duplicate("Member and Group relationship already exists")
	}
	if m.agree(t, err, want) {
		m.memberships[got.ID] = got
	}
}

func (m *machine) isMember(user, group string) bool {
	for _, mm := range m.memberships {
		if mm.UserID == user && mm.GroupID == group {
			return true
		}
	}
	return false
}

func (m *machine) testDeleteMembership(t *rapid.T) {
	id := anyOf(t, "membership", m.memberships)
	_, err := update(t, m.world, func(tx directory.Tx) (directory.Membership, error) {
		return directory.DeleteMembership(tx, m.store, id)
	})
	_, exists := m.memberships[id]
	if m.agree(t, err, unless(exists, notFound("GROUP_MEMBERSHIP", id))) {
		delete(m.memberships, id)
	}
}

func (m *machine) testIsMember(t *rapid.T) {
	user := anyOf(t, "user", m.users)
	var groups []string
	var want []bool
	for range rapid.IntRange(1, 5).Draw(t, "groups") {
		group := anyOf(t, "group", m.groups)
		groups, want = append(groups, group), append(want, m.isMember(user, group))
	}
	got, err := view(t, m.world, func(tx directory.Tx) ([]bool, error) {
		return directory.IsMemberInGroups(tx, m.store, user, groups)
	})
	_, exists := m.users[user]
	if m.agree(t, err, unless(exists, notFound("USER", user))) && !slices.Equal(got, want) {
		t.Fatalf("is %s in %v: %v, want %v", user, groups, got, want)
	}
}

// check compares all that is stored with the model.
func (m *machine) check(t *rapid.T) {
	type state struct {
		Users       []directory.User
		Groups      []directory.Group
		Memberships []directory.Membership
	}
	got, err := view(t, m.world, func(tx directory.Tx) (s state, err error) {
		if s.Users, _, err = directory.ListUsers(tx, m.store, directory.Filter{}, "", 1000); err != nil {
			return s, err
		}
		if s.Groups, _, err = directory.ListGroups(tx, m.store, directory.Filter{}, "", 1000); err != nil {
			return s, err
		}
		for _, g := range s.Groups {
			found, _, err := directory.ListMemberships(tx, m.store, g.ID, "", 1000)
			if err != nil {
				return s, err
			}
			s.Memberships = append(s.Memberships, found...)
		}
		return s, nil
	})
	if err != nil {
		t.Fatalf("reading the state: %v", err)
	}
	want := state{Users: byID(m.users), Groups: byID(m.groups), Memberships: byID(m.memberships)}
	slices.SortFunc(got.Memberships, func(a, b directory.Membership) int { return strings.Compare(a.ID, b.ID) })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("the directory differs from the model (-model +directory):\n%s", diff)
	}
}

func byID[T any](all map[string]T) (sorted []T) {
	for _, id := range slices.Sorted(maps.Keys(all)) {
		sorted = append(sorted, all[id])
	}
	return sorted
}

func unless(holds bool, f failure) failure {
	if holds {
		return failure{}
	}
	return f
}

// agree reports whether the operation succeeded, and fails the test unless
// the model expects just that. The zero want is success.
func (m *machine) agree(t *rapid.T, err error, want failure) bool {
	t.Helper()
	got := failure{}
	if err != nil {
		got = failureOf(err)
	}
	if got != want {
		t.Fatalf("got %s, want %s", fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want))
	}
	return err == nil
}
